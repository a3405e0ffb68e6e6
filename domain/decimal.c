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

static const uint64_t powers_of_ten[DEC_SCALE + 1] = {UINT64_C(1),
                                                      UINT64_C(10),
                                                      UINT64_C(100),
                                                      UINT64_C(1000),
                                                      UINT64_C(10000),
                                                      UINT64_C(100000),
                                                      UINT64_C(1000000),
                                                      UINT64_C(10000000),
                                                      UINT64_C(100000000),
                                                      UINT64_C(1000000000),
                                                      UINT64_C(10000000000),
                                                      UINT64_C(100000000000),
                                                      UINT64_C(1000000000000),
                                                      UINT64_C(10000000000000),
                                                      UINT64_C(100000000000000),
                                                      UINT64_C(1000000000000000),
                                                      UINT64_C(10000000000000000),
                                                      UINT64_C(100000000000000000),
                                                      UINT64_C(1000000000000000000)};

/* At most 18 digits: they fit 64 bits. */
static uint64_t digits_value(const char *at, size_t count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (uint64_t)(at[i] - '0');
    }
    return value;
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
    const size_t first = whole < DEC_SCALE ? whole : DEC_SCALE;
    dec_t value = (dec_t)digits_value(at, first);
    if (first < whole) {
        value = value * (dec_t)powers_of_ten[whole - first] +
                (dec_t)digits_value(at + first, whole - first);
    }
    value *= DEC_ONE;
    if (fraction > 0) {
        value +=
            (dec_t)(digits_value(at + whole + 1, fraction) * powers_of_ten[DEC_SCALE - fraction]);
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

/* The digits of a number, as many as asked for, zeros in front. */
static void put_digits(char *at, size_t count, uint64_t value)
{
    for (size_t i = count; i > 0; i--) {
        at[i - 1] = (char)('0' + (int)(value % 10));
        value /= 10;
    }
}

/* How many digits a number below 10^18 has. */
static size_t digits_of(uint64_t value)
{
    size_t count = 1;

    while (count < DEC_SCALE && value >= powers_of_ten[count]) {
        count++;
    }
    return count;
}

/* The point and the decimals without the zeros at their end; nothing when there are none. */
static size_t put_fraction(char *at, uint64_t fraction)
{
    size_t count = DEC_SCALE;

    if (fraction == 0) {
        return 0;
    }
    if (fraction % powers_of_ten[count / 2] == 0) { /* most amounts: nine digits less to write */
        count /= 2;
        fraction /= powers_of_ten[count];
    }
    while (fraction % 10 == 0) {
        fraction /= 10;
        count--;
    }
    at[0] = '.';
    put_digits(at + 1, count, fraction);
    return count + 1;
}

size_t dec_format(dec_t value, char buffer[DEC_TEXT_MAX])
{
    const dec_u one = (dec_u)DEC_ONE;
    const dec_u magnitude = wide_magnitude(value);
    dec_u whole = 0;
    dec_u fraction = 0;
    size_t len = 0;

    /* By 10^18 the quotient always fits; 39 digits cover a value out of range too. */
    (void)wide_div_one(wide_of(magnitude), &whole, &fraction);
    if (value < 0) {
        buffer[len++] = '-';
    }
    const uint64_t upper = (uint64_t)(whole < one ? 0 : whole / one);
    const uint64_t lower = (uint64_t)(whole < one ? whole : whole % one);
    if (upper > 0) {
        const size_t count = digits_of(upper);
        put_digits(buffer + len, count, upper);
        len += count;
    }
    const size_t count = upper > 0 ? DEC_SCALE : digits_of(lower);
    put_digits(buffer + len, count, lower);
    len += count;
    len += put_fraction(buffer + len, (uint64_t)fraction);
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

/* |a| x |b| / 10^18 and what is left of an atom. */
static inline bool product(dec_t a, dec_t b, dec_u parts[2])
{
    return wide_div_one(wide_mul(wide_magnitude(a), wide_magnitude(b)), &parts[0], &parts[1]);
}

bool dec_mul(dec_t a, dec_t b, enum dec_round round, dec_t *out)
{
    dec_u parts[2] = {0};

    return product(a, b, parts) &&
           wide_round((a < 0) != (b < 0), parts, (dec_u)DEC_ONE, round, out);
}

bool dec_mul_exact(dec_t a, dec_t b, dec_t *out)
{
    dec_u parts[2] = {0};

    return product(a, b, parts) && parts[1] == 0 &&
           wide_round((a < 0) != (b < 0), parts, (dec_u)DEC_ONE, DEC_TRUNC, out);
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
