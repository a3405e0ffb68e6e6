/*
 * wide.h -- 256-bit magnitudes, for products of two amounts and for the fee numerator.
 *
 * Why: 10^38 x 10^38 needs 253 bits; libc has nothing wider than 128.
 * How: four little-endian 64-bit limbs; schoolbook product; division by up to 128 bits in base
 *      2^64 (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D, two digits).
 *      What every product of two amounts needs stands here, to be inlined.
 * Not: no sign: callers keep it beside the magnitude.
 */
#ifndef DOMAIN_WIDE_H
#define DOMAIN_WIDE_H

#include "domain/decimal.h"

#define WIDE_LIMB_BITS 64

struct wide {
    uint64_t limb[4]; /* limb[0] is the lowest */
};

static inline uint64_t wide_low(dec_u value)
{
    return (uint64_t)value;
}

static inline uint64_t wide_high(dec_u value)
{
    return (uint64_t)(value >> WIDE_LIMB_BITS);
}

static inline dec_u wide_join(uint64_t high, uint64_t low)
{
    return ((dec_u)high << WIDE_LIMB_BITS) | low;
}

static inline struct wide wide_of(dec_u value)
{
    return (struct wide){.limb = {(uint64_t)value, (uint64_t)(value >> 64), 0, 0}};
}

/* The full product; cannot overflow. */
static inline struct wide wide_mul(dec_u a, dec_u b)
{
    const dec_u low = (dec_u)wide_low(a) * wide_low(b);
    const dec_u cross1 = (dec_u)wide_high(a) * wide_low(b);
    const dec_u cross2 = (dec_u)wide_low(a) * wide_high(b);
    const dec_u high = (dec_u)wide_high(a) * wide_high(b);
    const dec_u middle = (dec_u)wide_high(low) + wide_low(cross1) + wide_low(cross2);
    const dec_u top = high + wide_high(cross1) + wide_high(cross2) + wide_high(middle);

    return (struct wide){.limb = {wide_low(low), wide_low(middle), wide_low(top), wide_high(top)}};
}

/* 10^18, moved up until its highest bit is set, and the reciprocal of that number d:
 * floor((2^128 - 1) / d) - 2^64. */
#define WIDE_ONE ((uint64_t)DEC_ONE)
#define WIDE_ONE_SHIFT 4
#define WIDE_ONE_SCALED (WIDE_ONE << WIDE_ONE_SHIFT)
#define WIDE_ONE_RECIPROCAL UINT64_C(0x2725dd1d243aba0e)

/* (*rest:next) / WIDE_ONE_SCALED with *rest < WIDE_ONE_SCALED; *rest becomes the rest. */
static inline uint64_t wide_digit_one(uint64_t *rest, uint64_t next)
{
    const dec_u guess = (dec_u)*rest * WIDE_ONE_RECIPROCAL + wide_join(*rest, next);
    uint64_t digit = wide_high(guess) + 1;
    uint64_t over = next - digit * WIDE_ONE_SCALED;

    if (over > wide_low(guess)) {
        digit--;
        over += WIDE_ONE_SCALED;
    }
    if (over >= WIDE_ONE_SCALED) {
        digit++;
        over -= WIDE_ONE_SCALED;
    }
    *rest = over;
    return digit;
}

/*
 * By 10^18, after every product of two amounts: two multiplications for each digit instead of a
 * division (Moeller and Granlund, Improved division by invariant integers, algorithm 4).
 */
static inline bool wide_div_one(struct wide value, dec_u *quotient, dec_u *rest)
{
    if (value.limb[3] != 0 || value.limb[2] >= WIDE_ONE) {
        return false;
    }
    uint64_t carry =
        value.limb[2] << WIDE_ONE_SHIFT | value.limb[1] >> (WIDE_LIMB_BITS - WIDE_ONE_SHIFT);
    const uint64_t high =
        wide_digit_one(&carry, value.limb[1] << WIDE_ONE_SHIFT |
                                   value.limb[0] >> (WIDE_LIMB_BITS - WIDE_ONE_SHIFT));
    const uint64_t low = wide_digit_one(&carry, value.limb[0] << WIDE_ONE_SHIFT);
    *quotient = wide_join(high, low);
    *rest = carry >> WIDE_ONE_SHIFT;
    return true;
}

/*
 * Divides by divisor > 0. *quotient and *rest are written when the quotient fits 128 bits;
 * otherwise false.
 */
bool wide_div(struct wide value, dec_u divisor, dec_u *quotient, dec_u *rest);

/*
 * The signed result of a division whose magnitude gave quotient and rest: applies the rounding
 * mode and the range of decimals. divisor is the divisor used.
 */
static inline bool wide_round(bool negative, const dec_u parts[2], dec_u divisor,
                              enum dec_round round, dec_t *out)
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

static inline dec_u wide_magnitude(dec_t value)
{
    return value < 0 ? (dec_u)0 - (dec_u)value : (dec_u)value;
}

#endif
