/*
 * wide.c -- see wide.h.
 */
#include "domain/wide.h"

#define LIMB_BITS 64

static uint64_t low_of(dec_u value)
{
    return (uint64_t)value;
}

static uint64_t high_of(dec_u value)
{
    return (uint64_t)(value >> LIMB_BITS);
}

static dec_u join(uint64_t high, uint64_t low)
{
    return ((dec_u)high << LIMB_BITS) | low;
}

struct wide wide_mul(dec_u a, dec_u b)
{
    const dec_u low = (dec_u)low_of(a) * low_of(b);
    const dec_u cross1 = (dec_u)high_of(a) * low_of(b);
    const dec_u cross2 = (dec_u)low_of(a) * high_of(b);
    const dec_u high = (dec_u)high_of(a) * high_of(b);
    const dec_u middle = (dec_u)high_of(low) + low_of(cross1) + low_of(cross2);
    const dec_u top = high + high_of(cross1) + high_of(cross2) + high_of(middle);

    return (struct wide){.limb = {low_of(low), low_of(middle), low_of(top), high_of(top)}};
}

/* Long division by one limb: what dividing by 10^18 always is. */
static bool div_by_limb(struct wide value, uint64_t divisor, dec_u *quotient, dec_u *rest)
{
    uint64_t digits[4] = {0};
    uint64_t carry = 0;

    for (int i = 3; i >= 0; i--) {
        if (carry == 0 && value.limb[i] < divisor) {
            carry = value.limb[i]; /* the common case for the high limbs: nothing to divide */
            continue;
        }
        const dec_u part = join(carry, value.limb[i]);
        digits[i] = (uint64_t)(part / divisor);
        carry = (uint64_t)(part - (dec_u)digits[i] * divisor);
    }
    if (digits[3] != 0 || digits[2] != 0) {
        return false;
    }
    *quotient = join(digits[1], digits[0]);
    *rest = carry;
    return true;
}

/* One digit: (top:next) / divisor with top < divisor and the divisor's highest bit set. top becomes
 * the rest. */
static uint64_t div_digit(dec_u *top, uint64_t next, dec_u divisor)
{
    const uint64_t v1 = high_of(divisor);
    const uint64_t u2 = high_of(*top);
    dec_u guess = u2 >= v1 ? UINT64_MAX : *top / v1;
    dec_u over = *top - guess * v1;

    while (high_of(over) == 0 && guess * low_of(divisor) > join(low_of(over), next)) {
        guess--;
        over += v1;
    }
    /* Modulo 2^128 is enough: the true rest is below the divisor. */
    *top = join(low_of(*top), next) - guess * divisor;
    return low_of(guess);
}

bool wide_div(struct wide value, dec_u divisor, dec_u *quotient, dec_u *rest)
{
    if (high_of(divisor) == 0) {
        return div_by_limb(value, low_of(divisor), quotient, rest);
    }
    dec_u high = join(value.limb[3], value.limb[2]);
    dec_u low = join(value.limb[1], value.limb[0]);
    if (high >= divisor) {
        return false;
    }
    const int shift = __builtin_clzll(high_of(divisor));
    if (shift > 0) {
        high = (high << shift) | (low >> (2 * LIMB_BITS - shift));
        low <<= shift;
    }
    const dec_u scaled = divisor << shift;
    const uint64_t first = div_digit(&high, high_of(low), scaled);
    const uint64_t second = div_digit(&high, low_of(low), scaled);
    *quotient = join(first, second);
    *rest = high >> shift;
    return true;
}

bool wide_round(bool negative, const dec_u parts[2], dec_u divisor, enum dec_round round,
                dec_t *out)
{
    dec_u quotient = parts[0];
    const dec_u rest = parts[1];
    bool up = false;

    switch (round) {
    case DEC_FLOOR:
        up = negative && rest != 0;
        break;
    case DEC_CEIL:
        up = !negative && rest != 0;
        break;
    case DEC_HALF_EVEN:
        /* rest against divisor - rest: twice the rest could leave 128 bits */
        up = rest > divisor - rest || (rest == divisor - rest && (quotient & 1) != 0);
        break;
    case DEC_TRUNC:
    default:
        break;
    }
    if (quotient > (dec_u)DEC_MAX - (up ? 1 : 0)) {
        return false;
    }
    quotient += up ? 1 : 0;
    *out = negative ? -(dec_t)quotient : (dec_t)quotient;
    return true;
}
