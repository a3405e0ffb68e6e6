/*
 * wide.h -- 256-bit magnitudes, for products of two amounts and for the fee numerator.
 *
 * Why: 10^38 x 10^38 needs 253 bits; libc has nothing wider than 128.
 * How: four little-endian 64-bit limbs; schoolbook product; division by up to 128 bits in base
 *      2^64 (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D, two digits).
 * Not: no sign: callers keep it beside the magnitude.
 */
#ifndef DOMAIN_WIDE_H
#define DOMAIN_WIDE_H

#include "domain/decimal.h"

struct wide {
    uint64_t limb[4]; /* limb[0] is the lowest */
};

/* The full product; cannot overflow. */
struct wide wide_mul(dec_u a, dec_u b);

/*
 * Divides by divisor > 0. *quotient and *rest are written when the quotient fits 128 bits;
 * otherwise false.
 */
bool wide_div(struct wide value, dec_u divisor, dec_u *quotient, dec_u *rest);

/*
 * The signed result of a division whose magnitude gave quotient and rest: applies the rounding
 * mode and the range of decimals. divisor is the divisor used.
 */
bool wide_round(bool negative, const dec_u parts[2], dec_u divisor, enum dec_round round,
                dec_t *out);

static inline dec_u wide_magnitude(dec_t value)
{
    return value < 0 ? (dec_u)0 - (dec_u)value : (dec_u)value;
}

#endif
