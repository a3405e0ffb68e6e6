/*
 * load_decimal.c -- see load_decimal.h.
 */
#include "load_decimal.h"

#include <stdio.h>

#define SCALE 18
#define DIGITS_MAX 19

bool load_decimal_parse(struct mr_slice text, mr_i128 *atoms)
{
    size_t i = 0;
    size_t digits = 0;
    int decimals = -1; /* -1: before the point */
    bool negative = false;
    mr_i128 value = 0;

    if (text.len > 0 && text.data[0] == '-') {
        negative = true;
        i = 1;
    }
    for (; i < text.len; i++) {
        const uint8_t c = text.data[i];

        if (c == '.' && decimals < 0 && digits > 0) {
            decimals = 0;
            continue;
        }
        if (c < '0' || c > '9' || decimals == SCALE || (decimals < 0 && digits == DIGITS_MAX)) {
            return false;
        }
        value = value * 10 + (c - '0');
        digits++;
        decimals += decimals >= 0;
    }
    if (digits == 0 || decimals == 0) {
        return false;
    }
    for (int i18 = decimals < 0 ? 0 : decimals; i18 < SCALE; i18++) {
        value *= 10;
    }
    *atoms = negative ? -value : value;
    return true;
}

const char *load_decimal_format(mr_i128 atoms, char *buffer)
{
    const mr_u128 magnitude = atoms < 0 ? -(mr_u128)atoms : (mr_u128)atoms;
    const mr_u128 one = (mr_u128)LOAD_DECIMAL_ONE;
    const mr_u128 whole = magnitude / one;
    const uint64_t whole_high = (uint64_t)(whole / one);
    const uint64_t whole_low = (uint64_t)(whole % one);
    uint64_t fraction = (uint64_t)(magnitude % one);
    char digits[SCALE + 1];
    int used;

    if (whole_high > 0) {
        used = snprintf(buffer, LOAD_DECIMAL_TEXT_MAX, "%s%llu%018llu", atoms < 0 ? "-" : "",
                        (unsigned long long)whole_high, (unsigned long long)whole_low);
    } else {
        used = snprintf(buffer, LOAD_DECIMAL_TEXT_MAX, "%s%llu", atoms < 0 ? "-" : "",
                        (unsigned long long)whole_low);
    }
    if (fraction > 0) {
        size_t decimals = SCALE;

        for (size_t i = SCALE; i > 0; i--) {
            digits[i - 1] = (char)('0' + fraction % 10);
            fraction /= 10;
        }
        while (digits[decimals - 1] == '0') {
            decimals--;
        }
        digits[decimals] = '\0';
        (void)snprintf(buffer + used, LOAD_DECIMAL_TEXT_MAX - (size_t)used, ".%s", digits);
    }
    return buffer;
}

bool load_decimal_product(mr_i128 a, mr_i128 b, mr_i128 *product)
{
    int excess = SCALE;
    mr_i128 result;

    /* Trailing zeros first: 61837.63 x 0.02 has 26 digits at scale 36, and only 4 that count. */
    while (excess > 0 && a != 0 && a % 10 == 0) {
        a /= 10;
        excess--;
    }
    while (excess > 0 && b != 0 && b % 10 == 0) {
        b /= 10;
        excess--;
    }
    if (__builtin_mul_overflow(a, b, &result)) {
        return false;
    }
    for (; excess > 0; excess--) {
        if (result % 10 != 0) {
            return false;
        }
        result /= 10;
    }
    *product = result;
    return true;
}

mr_i128 load_decimal_scaled(mr_i128 value, int64_t ppm, mr_i128 step)
{
    const mr_i128 scaled = value / 1000000 * ppm;

    return scaled - scaled % step;
}
