/*
 * decimal.h -- exact amounts: 128-bit integers that count atoms of 10^-18.
 *
 * Why: prices, quantities and money must add up to the last atom. Nothing here rounds unless the
 *      caller names a rounding mode, and nothing wraps: each operation is exact or says no.
 * How: a product of two amounts needs up to 256 bits; it is formed in four 64-bit limbs and divided
 *      by a 64- or 128-bit number. Amounts are bounded by the wire: |x| < 10^38 (decimal(38,18)).
 * Not: no binary floating point, no locale, no exponent notation, no allocation, no state.
 *
 * All functions returning bool: true and *out written, or false and *out untouched. Any thread.
 */
#ifndef DOMAIN_DECIMAL_H
#define DOMAIN_DECIMAL_H

#include "domain/text.h"

#include <stdint.h>

__extension__ typedef __int128 dec_t;
__extension__ typedef unsigned __int128 dec_u;

#define DEC_SCALE 18
#define DEC_ONE ((dec_t)INT64_C(1000000000000000000))
/* Largest magnitude an amount may have: 10^38 - 1 atoms, what decimal(38,18) holds. */
#define DEC_MAX (DEC_ONE * DEC_ONE * 100 - 1)
/* Business bound of prices, quantities and notionals: below 10^16 units (10^34 atoms), so that
 * every amount also fits the 34 digits of the document store's decimal type. */
#define DEC_BUSINESS_LIMIT (DEC_ONE * (dec_t)INT64_C(10000000000000000))
/* Room for any amount as text with its terminating zero: sign, 20 digits, point, 18 digits. */
#define DEC_TEXT_MAX 48

enum dec_round {
    DEC_FLOOR,     /* towards minus infinity */
    DEC_CEIL,      /* towards plus infinity */
    DEC_TRUNC,     /* towards zero */
    DEC_HALF_EVEN, /* nearest, ties to the even digit: display and analytics only */
};

enum dec_parsed {
    DEC_PARSED,         /* *out written */
    DEC_BAD_NUMBER,     /* not ^\d{1,16}(\.\d{1,})?$ in its shape: reject 1132 */
    DEC_BAD_PRECISION,  /* more than 18 decimals: reject 1131, never rounded */
    DEC_PARSE_OVERFLOW, /* more than 16 digits before the point: reject 1133 */
};

/* Business syntax: digits, at most 16 before and 18 after the point; no sign, exponent or space. */
enum dec_parsed dec_parse(struct dom_text text, dec_t *out);

/* As dec_parse, with an optional leading '-' and up to 20 digits before the point: whatever
 * dec_format writes comes back. For records, not for what clients send. */
enum dec_parsed dec_parse_signed(struct dom_text text, dec_t *out);

/* Canonical text: no trailing zeros after the point, no point without decimals, "0", "-0.5".
 * buffer holds DEC_TEXT_MAX bytes; zero-terminated. Returns the length without the zero. */
size_t dec_format(dec_t value, char buffer[DEC_TEXT_MAX]);

static inline bool dec_in_range(dec_t value)
{
    return value >= -DEC_MAX && value <= DEC_MAX;
}

/* Whole units as an amount; every int32_t fits. */
static inline dec_t dec_of_int(int32_t units)
{
    return (dec_t)units * DEC_ONE;
}

static inline dec_t dec_min(dec_t a, dec_t b)
{
    return a < b ? a : b;
}

static inline dec_t dec_max(dec_t a, dec_t b)
{
    return a > b ? a : b;
}

static inline dec_t dec_abs(dec_t value)
{
    return value < 0 ? -value : value;
}

/* Sum and difference; false when the result leaves the range. */
bool dec_add(dec_t a, dec_t b, dec_t *out);
bool dec_sub(dec_t a, dec_t b, dec_t *out);

/* Product of two amounts at scale 18: a x b / 10^18, rounded as told. */
bool dec_mul(dec_t a, dec_t b, enum dec_round round, dec_t *out);

/* The same, but false also when atoms would be lost: notional = price x qty. */
bool dec_mul_exact(dec_t a, dec_t b, dec_t *out);

/* Quotient of two amounts at scale 18: a x 10^18 / b. False for b = 0. */
bool dec_div(dec_t a, dec_t b, enum dec_round round, dec_t *out);

/* a x b / c without an intermediate rounding; the scales cancel: cost x part / whole. */
bool dec_mul_div(dec_t a, dec_t b, dec_t c, enum dec_round round, dec_t *out);

/* Largest multiple of step <= value, smallest >= value. step > 0, else false. */
bool dec_floor_to(dec_t value, dec_t step, dec_t *out);
bool dec_ceil_to(dec_t value, dec_t step, dec_t *out);

/* step <= 0 means "no step": everything is a multiple. */
bool dec_is_multiple(dec_t value, dec_t step);

#endif
