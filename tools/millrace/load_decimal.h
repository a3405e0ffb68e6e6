/*
 * load_decimal.h -- decimal text and exact products at scale 18, for the load and its proof.
 *
 * Why: the proof must not share arithmetic with what it proves; domain/decimal.h is the
 *      pipeline's. This is the plainest code that is right for the numbers of a tape.
 * Not: rounding of results. A product that does not fit scale 18 is refused.
 */
#ifndef MILLRACE_LOAD_DECIMAL_H
#define MILLRACE_LOAD_DECIMAL_H

#include "millrace/slice.h"

#define LOAD_DECIMAL_TEXT_MAX ((size_t)48)
#define LOAD_DECIMAL_ONE ((mr_i128)1000000000000000000)

/* [-]digits[.digits], at most 18 decimals and 19 digits before the point. False: not that. */
bool load_decimal_parse(struct mr_slice text, mr_i128 *atoms);
/* Shortest text: no trailing zeros, no exponent. buffer: LOAD_DECIMAL_TEXT_MAX bytes. */
const char *load_decimal_format(mr_i128 atoms, char *buffer);
/* a x b at scale 18; false when that is not exact or does not fit. */
bool load_decimal_product(mr_i128 a, mr_i128 b, mr_i128 *product);
/* value x ppm / 1e6, rounded down to a multiple of step (step > 0, value >= 0). */
mr_i128 load_decimal_scaled(mr_i128 value, int64_t ppm, mr_i128 step);

#endif
