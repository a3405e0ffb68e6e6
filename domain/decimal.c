/*
 * decimal.c -- see decimal.h.
 */
#include "domain/decimal.h"

#include "domain/wide.h"

#define DIGITS_BEFORE_BUSINESS 16
#define DIGITS_BEFORE_ANY 20

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many digits stand at the start. */
static size_t count_digits(const char *at, const char *end)
{
    size_t count = 0;

    while (at + count < end && is_digit(at[count])) {
        count++;
    }
    return count;
}

/* Digits, at most whole_max before the point, and an optional fraction. */
static enum dec_parsed parse_unsigned(struct dom_text text, size_t whole_max, dec_t *out)
{
    if (text.len == 0) {
        return DEC_BAD_NUMBER;
    }
    const char *at = text.data;
    const char *end = text.data + text.len;
    const size_t whole = count_digits(at, end);
    size_t fraction = 0;

    if (whole == 0) {
        return DEC_BAD_NUMBER;
    }
    if (at + whole < end) {
        fraction = at[whole] == '.' ? count_digits(at + whole + 1, end) : 0;
        if (fraction == 0 || at + whole + 1 + fraction != end) {
            return DEC_BAD_NUMBER;
        }
    }
    if (whole > whole_max) {
        return DEC_PARSE_OVERFLOW;
    }
    if (fraction > DEC_SCALE) {
        return DEC_BAD_PRECISION;
    }
    /* At most 20 + 18 digits: below 10^38, no overflow possible. */
    dec_t value = 0;
    for (size_t i = 0; i < whole; i++) {
        value = value * 10 + (at[i] - '0');
    }
    for (size_t i = 0; i < DEC_SCALE; i++) {
        value = value * 10 + (i < fraction ? at[whole + 1 + i] - '0' : 0);
    }
    *out = value;
    return DEC_PARSED;
}

enum dec_parsed dec_parse(struct dom_text text, dec_t *out)
{
    return parse_unsigned(text, DIGITS_BEFORE_BUSINESS, out);
}

enum dec_parsed dec_parse_signed(struct dom_text text, dec_t *out)
{
    const bool negative = text.len > 0 && text.data[0] == '-';
    const struct dom_text digits = negative ? dom_text_of(text.data + 1, text.len - 1) : text;
    dec_t value = 0;
    const enum dec_parsed parsed = parse_unsigned(digits, DIGITS_BEFORE_ANY, &value);

    if (parsed == DEC_PARSED) {
        *out = negative ? -value : value;
    }
    return parsed;
}

size_t dec_format(dec_t value, char buffer[DEC_TEXT_MAX])
{
    /* 39 digits cover any 128-bit magnitude, so a value out of range prints too. */
    char digits[40];
    dec_u rest = wide_magnitude(value);
    size_t count = 0;
    size_t len = 0;

    do {
        digits[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    while (count <= DEC_SCALE) {
        digits[count++] = '0';
    }
    if (value < 0) {
        buffer[len++] = '-';
    }
    size_t last = 0; /* trailing zeros of the fraction are left out, the point with the last */
    while (last < DEC_SCALE && digits[last] == '0') {
        last++;
    }
    for (size_t i = count; i > last; i--) {
        if (i == DEC_SCALE) {
            buffer[len++] = '.';
        }
        buffer[len++] = digits[i - 1];
    }
    buffer[len] = '\0';
    return len;
}

bool dec_add(dec_t a, dec_t b, dec_t *out)
{
    dec_t sum = 0;

    if (__builtin_add_overflow(a, b, &sum) || !dec_in_range(sum)) {
        return false;
    }
    *out = sum;
    return true;
}

bool dec_sub(dec_t a, dec_t b, dec_t *out)
{
    dec_t difference = 0;

    if (__builtin_sub_overflow(a, b, &difference) || !dec_in_range(difference)) {
        return false;
    }
    *out = difference;
    return true;
}

bool dec_mul_div(dec_t a, dec_t b, dec_t c, enum dec_round round, dec_t *out)
{
    dec_u parts[2] = {0};
    const dec_u divisor = wide_magnitude(c);

    if (c == 0 ||
        !wide_div(wide_mul(wide_magnitude(a), wide_magnitude(b)), divisor, &parts[0], &parts[1])) {
        return false;
    }
    return wide_round(((a < 0) != (b < 0)) != (c < 0), parts, divisor, round, out);
}

bool dec_mul(dec_t a, dec_t b, enum dec_round round, dec_t *out)
{
    return dec_mul_div(a, b, DEC_ONE, round, out);
}

bool dec_mul_exact(dec_t a, dec_t b, dec_t *out)
{
    dec_u parts[2] = {0};
    const dec_u divisor = (dec_u)DEC_ONE;

    if (!wide_div(wide_mul(wide_magnitude(a), wide_magnitude(b)), divisor, &parts[0], &parts[1]) ||
        parts[1] != 0) {
        return false;
    }
    return wide_round((a < 0) != (b < 0), parts, divisor, DEC_TRUNC, out);
}

bool dec_div(dec_t a, dec_t b, enum dec_round round, dec_t *out)
{
    return dec_mul_div(a, DEC_ONE, b, round, out);
}

bool dec_floor_to(dec_t value, dec_t step, dec_t *out)
{
    if (step <= 0) {
        return false;
    }
    dec_t rest = value % step;
    rest += rest < 0 ? step : 0;
    return dec_sub(value, rest, out);
}

bool dec_ceil_to(dec_t value, dec_t step, dec_t *out)
{
    dec_t below = 0;

    if (!dec_floor_to(value, step, &below)) {
        return false;
    }
    return dec_add(below, below == value ? 0 : step, out);
}

bool dec_is_multiple(dec_t value, dec_t step)
{
    return step <= 0 || value % step == 0;
}
