/*
 * wide.c -- see wide.h.
 */
#include "domain/wide.h"

/* Long division by one limb. */
static bool div_by_limb(struct wide value, uint64_t divisor, dec_u *quotient, dec_u *rest)
{
    uint64_t digits[4] = {0};
    uint64_t carry = 0;

    for (int i = 3; i >= 0; i--) {
        if (carry == 0 && value.limb[i] < divisor) {
            carry = value.limb[i]; /* the common case for the high limbs: nothing to divide */
            continue;
        }
        const dec_u part = wide_join(carry, value.limb[i]);
        digits[i] = (uint64_t)(part / divisor);
        carry = (uint64_t)(part - (dec_u)digits[i] * divisor);
    }
    if (digits[3] != 0 || digits[2] != 0) {
        return false;
    }
    *quotient = wide_join(digits[1], digits[0]);
    *rest = carry;
    return true;
}

/* One digit: (top:next) / divisor with top < divisor and the divisor's highest bit set. top becomes
 * the rest. */
static uint64_t div_digit(dec_u *top, uint64_t next, dec_u divisor)
{
    const uint64_t v1 = wide_high(divisor);
    const uint64_t u2 = wide_high(*top);
    dec_u guess = u2 >= v1 ? UINT64_MAX : *top / v1;
    dec_u over = *top - guess * v1;

    while (wide_high(over) == 0 && guess * wide_low(divisor) > wide_join(wide_low(over), next)) {
        guess--;
        over += v1;
    }
    /* Modulo 2^128 is enough: the true rest is below the divisor. */
    *top = wide_join(wide_low(*top), next) - guess * divisor;
    return wide_low(guess);
}

bool wide_div(struct wide value, dec_u divisor, dec_u *quotient, dec_u *rest)
{
    if (divisor == WIDE_ONE) {
        return wide_div_one(value, quotient, rest);
    }
    if (wide_high(divisor) == 0) {
        return div_by_limb(value, wide_low(divisor), quotient, rest);
    }
    dec_u high = wide_join(value.limb[3], value.limb[2]);
    dec_u low = wide_join(value.limb[1], value.limb[0]);
    if (high >= divisor) {
        return false;
    }
    const int shift = __builtin_clzll(wide_high(divisor));
    if (shift > 0) {
        high = (high << shift) | (low >> (2 * WIDE_LIMB_BITS - shift));
        low <<= shift;
    }
    const dec_u scaled = divisor << shift;
    const uint64_t first = div_digit(&high, wide_high(low), scaled);
    const uint64_t second = div_digit(&high, wide_low(low), scaled);
    *quotient = wide_join(first, second);
    *rest = high >> shift;
    return true;
}
