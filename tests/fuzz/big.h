/*
 * big.h -- unsigned numbers of 320 bits, as plain as they can be.
 *
 * Why: a reference for the decimals' 256-bit arithmetic that shares no idea with it: digits of 16
 *      bits, products digit by digit, division bit by bit.
 */
#ifndef TESTS_FUZZ_BIG_H
#define TESTS_FUZZ_BIG_H

#include "domain/decimal.h"

#define BIG_DIGITS 20

struct big {
    uint32_t digit[BIG_DIGITS]; /* 16 bits each, lowest first */
};

static inline struct big big_of(dec_u value)
{
    struct big out = {{0}};

    for (int i = 0; i < 8; i++) {
        out.digit[i] = (uint32_t)(value >> (16 * i)) & 0xffff;
    }
    return out;
}

static inline struct big big_mul(const struct big *a, const struct big *b)
{
    struct big out = {{0}};

    for (int i = 0; i < BIG_DIGITS; i++) {
        uint64_t carry = 0;
        for (int j = 0; i + j < BIG_DIGITS; j++) {
            carry += (uint64_t)a->digit[i] * b->digit[j] + out.digit[i + j];
            out.digit[i + j] = (uint32_t)(carry & 0xffff);
            carry >>= 16;
        }
    }
    return out;
}

static inline int big_compare(const struct big *a, const struct big *b)
{
    for (int i = BIG_DIGITS - 1; i >= 0; i--) {
        if (a->digit[i] != b->digit[i]) {
            return a->digit[i] < b->digit[i] ? -1 : 1;
        }
    }
    return 0;
}

static inline void big_subtract(struct big *a, const struct big *b)
{
    uint32_t borrow = 0;

    for (int i = 0; i < BIG_DIGITS; i++) {
        const uint32_t less = b->digit[i] + borrow;
        borrow = a->digit[i] < less ? 1 : 0;
        a->digit[i] = (a->digit[i] - less) & 0xffff;
    }
}

/* Twice the number, plus a bit. */
static inline void big_shift_in(struct big *a, uint32_t bit)
{
    for (int i = 0; i < BIG_DIGITS; i++) {
        const uint32_t wide = a->digit[i] << 1 | bit;
        a->digit[i] = wide & 0xffff;
        bit = wide >> 16;
    }
}

static inline struct big big_divide(const struct big *a, const struct big *divisor,
                                    struct big *rest)
{
    struct big quotient = {{0}};

    *rest = big_of(0);
    for (int i = BIG_DIGITS * 16 - 1; i >= 0; i--) {
        big_shift_in(rest, a->digit[i / 16] >> (i % 16) & 1);
        const bool goes = big_compare(rest, divisor) >= 0;
        if (goes) {
            big_subtract(rest, divisor);
        }
        big_shift_in(&quotient, goes ? 1 : 0);
    }
    return quotient;
}

#endif
