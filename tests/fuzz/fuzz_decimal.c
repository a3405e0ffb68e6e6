/*
 * fuzz_decimal -- amounts: text, sums, products, quotients, steps.
 *
 * How: each result is worked out once more the plain way (big.h, digit by digit) and must be the
 *      same, and "does not fit" must be said exactly when it does not.
 */
#include "big.h"
#include "fuzz.h"

#include <string.h>

static dec_u magnitude(dec_t value)
{
    return value < 0 ? (dec_u)0 - (dec_u)value : (dec_u)value;
}

/* a x b / c by the rules of dec_round; false when it leaves the range or c is 0. */
static bool plain_mul_div(const dec_t terms[3], enum dec_round round, dec_t *out)
{
    const struct big a = big_of(magnitude(terms[0]));
    const struct big b = big_of(magnitude(terms[1]));
    const struct big c = big_of(magnitude(terms[2]));
    const struct big max = big_of((dec_u)DEC_MAX);
    const bool negative = (terms[0] < 0) ^ (terms[1] < 0) ^ (terms[2] < 0);
    struct big rest;

    if (terms[2] == 0) {
        return false;
    }
    const struct big product = big_mul(&a, &b);
    struct big quotient = big_divide(&product, &c, &rest);
    struct big twice = rest;
    big_shift_in(&twice, 0);
    const struct big none = big_of(0);
    const bool inexact = big_compare(&rest, &none) != 0;
    const int half = big_compare(&twice, &c);
    const bool up = (round == DEC_FLOOR && negative && inexact) ||
                    (round == DEC_CEIL && !negative && inexact) ||
                    (round == DEC_HALF_EVEN && (half > 0 || (half == 0 && quotient.digit[0] % 2)));
    if (big_compare(&quotient, &max) > 0) {
        return false;
    }
    dec_u value = 0;
    for (int i = 7; i >= 0; i--) {
        value = value << 16 | quotient.digit[i];
    }
    value += up ? 1 : 0;
    if (value > (dec_u)DEC_MAX) {
        return false;
    }
    *out = negative ? -(dec_t)value : (dec_t)value;
    return true;
}

static void same(bool given, dec_t is, bool expected, dec_t should)
{
    FUZZ_CHECK(given == expected);
    FUZZ_CHECK(!given || is == should);
}

static void arithmetic(struct fuzz_input *in)
{
    const dec_t a = fuzz_amount(in);
    const dec_t b = fuzz_amount(in);
    const dec_t c = fuzz_amount(in);
    const enum dec_round round = (enum dec_round)(fuzz_byte(in) % 4);
    dec_t is = 0;
    dec_t should = 0;

    bool given = dec_mul_div(a, b, c, round, &is);
    bool expected = plain_mul_div((const dec_t[]){a, b, c}, round, &should);
    same(given, is, expected, should);
    given = dec_mul(a, b, round, &is);
    expected = plain_mul_div((const dec_t[]){a, b, DEC_ONE}, round, &should);
    same(given, is, expected, should);
    dec_t above = 0;
    const bool exact = plain_mul_div((const dec_t[]){a, b, DEC_ONE}, DEC_FLOOR, &should) &&
                       plain_mul_div((const dec_t[]){a, b, DEC_ONE}, DEC_CEIL, &above) &&
                       should == above;
    given = dec_mul_exact(a, b, &is);
    same(given, is, exact, should);
    given = dec_div(a, b, round, &is);
    expected = plain_mul_div((const dec_t[]){a, DEC_ONE, b}, round, &should);
    same(given, is, expected, should);
    /* A sum of two may leave even 128 bits: asked the other way round. */
    expected = b >= 0 ? a <= DEC_MAX - b : a >= -DEC_MAX - b;
    given = dec_add(a, b, &is);
    same(given, is, expected, expected ? a + b : 0);
    expected = b >= 0 ? a >= -DEC_MAX + b : a <= DEC_MAX + b;
    given = dec_sub(a, b, &is);
    same(given, is, expected, expected ? a - b : 0);
}

static void steps(struct fuzz_input *in)
{
    const dec_t value = fuzz_amount(in);
    const dec_t step = fuzz_amount(in);
    dec_t low = 0;
    dec_t high = 0;

    const bool floored = dec_floor_to(value, step, &low);
    const bool ceiled = dec_ceil_to(value, step, &high);
    FUZZ_CHECK(step > 0 || (!floored && !ceiled && dec_is_multiple(value, step)));
    if (floored) {
        FUZZ_CHECK(low <= value && value - low < step && low % step == 0);
        FUZZ_CHECK(dec_is_multiple(value, step) == (low == value));
    }
    if (ceiled) {
        FUZZ_CHECK(high >= value && high - value < step && high % step == 0);
    }
}

/* The text of a value by division by ten, digit by digit. */
static size_t plain_format(dec_t value, char *out)
{
    char digits[48];
    size_t count = 0;
    size_t last = 0;
    size_t len = 0;

    for (dec_u rest = magnitude(value); rest != 0 || count <= DEC_SCALE; rest /= 10) {
        digits[count++] = (char)('0' + (int)(rest % 10));
    }
    while (last < DEC_SCALE && digits[last] == '0') {
        last++;
    }
    if (value < 0) {
        out[len++] = '-';
    }
    for (size_t i = count; i > last; i--) {
        if (i == DEC_SCALE) {
            out[len++] = '.';
        }
        out[len++] = digits[i - 1];
    }
    out[len] = '\0';
    return len;
}

static void format(struct fuzz_input *in)
{
    const dec_t value = fuzz_byte(in) % 8 == 0
                            ? (dec_t)((dec_u)fuzz_bytes(in, 8) << 64 | fuzz_bytes(in, 8))
                            : fuzz_amount(in);
    char is[DEC_TEXT_MAX];
    char should[64];
    dec_t back = 0;

    const size_t len = dec_format(value, is);
    FUZZ_CHECK(len == plain_format(value, should) && strcmp(is, should) == 0);
    if (dec_in_range(value)) {
        FUZZ_CHECK(dec_parse_signed(dom_text_of(is, len), &back) == DEC_PARSED && back == value);
    }
}

/* The rules of dec_parse, character by character. */
static enum dec_parsed plain_parse(struct dom_text text, size_t whole_max, dec_t *out)
{
    size_t whole = 0;
    size_t decimals = 0;
    bool point = false;
    dec_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        if (c == '.' && !point && whole > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            return DEC_BAD_NUMBER;
        }
        whole += point ? 0 : 1;
        decimals += point ? 1 : 0;
        if (whole <= whole_max && decimals <= DEC_SCALE) {
            value = value * 10 + (c - '0');
        }
    }
    if (whole == 0 || (point && decimals == 0)) {
        return DEC_BAD_NUMBER;
    }
    if (whole > whole_max) {
        return DEC_PARSE_OVERFLOW;
    }
    if (decimals > DEC_SCALE) {
        return DEC_BAD_PRECISION;
    }
    for (; decimals < DEC_SCALE; decimals++) {
        value *= 10;
    }
    *out = value;
    return DEC_PARSED;
}

static void parse(struct fuzz_input *in)
{
    const struct dom_text text = dom_text_of(in->at, in->left);
    const bool minus = text.len > 0 && text.data[0] == '-';
    const struct dom_text digits = minus ? dom_text_of(text.data + 1, text.len - 1) : text;
    dec_t is = 7;
    dec_t should = 7;

    FUZZ_CHECK(dec_parse(text, &is) == plain_parse(text, 16, &should) && is == should);
    const enum dec_parsed parsed = dec_parse_signed(text, &is);
    FUZZ_CHECK(parsed == plain_parse(digits, 20, &should));
    FUZZ_CHECK(parsed != DEC_PARSED || is == (minus ? -should : should));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {.at = data, .left = size};

    switch (fuzz_byte(&in) % 4) {
    case 0:
        arithmetic(&in);
        break;
    case 1:
        steps(&in);
        break;
    case 2:
        format(&in);
        break;
    default:
        parse(&in);
        break;
    }
    return 0;
}
