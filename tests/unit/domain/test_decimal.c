/*
 * test_decimal.c
 *
 * Goal:   amounts are exact: text in equals text out, and no operation wraps or rounds unasked.
 * Method: boundary tables; products and quotients against arithmetic done digit by digit, decimal,
 *         the way it is done on paper.
 */
#include "domain/wide.h"
#include "domain_test.h"

static const struct {
    const char *text;
    enum dec_parsed parsed;
    const char *back;
    const char *why;
} parse_rows[] = {
    {"0", DEC_PARSED, "0", "zero"},
    {"1", DEC_PARSED, "1", "no point"},
    {"1.0", DEC_PARSED, "1", "trailing zero is the same number"},
    {"001.50", DEC_PARSED, "1.5", "leading zeros are digits"},
    {"0.000000000000000001", DEC_PARSED, "0.000000000000000001", "one atom"},
    {"9999999999999999.999999999999999999", DEC_PARSED, "9999999999999999.999999999999999999",
     "16 digits before, 18 after: the largest"},
    {"10000000000000000", DEC_PARSE_OVERFLOW, "", "17 digits before the point"},
    {"0.0000000000000000001", DEC_BAD_PRECISION, "", "19 decimals"},
    {"1.0000000000000000000", DEC_BAD_PRECISION, "", "19 decimals, though all are zero"},
    {"", DEC_BAD_NUMBER, "", "nothing"},
    {".", DEC_BAD_NUMBER, "", "only a point"},
    {".5", DEC_BAD_NUMBER, "", "no digit before the point"},
    {"5.", DEC_BAD_NUMBER, "", "no digit after the point"},
    {"1.2.3", DEC_BAD_NUMBER, "", "two points"},
    {"+1", DEC_BAD_NUMBER, "", "sign"},
    {"-1", DEC_BAD_NUMBER, "", "sign"},
    {"1e3", DEC_BAD_NUMBER, "", "exponent"},
    {"NaN", DEC_BAD_NUMBER, "", "not a number"},
    {" 1", DEC_BAD_NUMBER, "", "space before"},
    {"1 ", DEC_BAD_NUMBER, "", "space behind"},
    {"1,5", DEC_BAD_NUMBER, "", "comma"},
    {"0x10", DEC_BAD_NUMBER, "", "hexadecimal"},
};

START_TEST(text_becomes_a_number_or_a_reason)
{
    dec_t value = -77;
    char back[DEC_TEXT_MAX];

    ck_assert_msg(dec_parse(text_of(parse_rows[_i].text), &value) == parse_rows[_i].parsed,
                  "\"%s\": %s", parse_rows[_i].text, parse_rows[_i].why);
    if (parse_rows[_i].parsed != DEC_PARSED) {
        ck_assert_msg(value == -77, "out untouched on failure: %s", parse_rows[_i].why);
        return;
    }
    dec_format(value, back);
    ck_assert_str_eq(back, parse_rows[_i].back);
}
END_TEST

START_TEST(a_zero_byte_inside_the_text_is_not_its_end)
{
    dec_t value = 0;

    ck_assert_int_eq(dec_parse(dom_text_of("1\0002", 3), &value), DEC_BAD_NUMBER);
    ck_assert_int_eq(dec_parse(dom_text_of("123", 2), &value), DEC_PARSED);
    assert_amount(value, 12 * DEC_ONE, "length, not a terminator, ends the text");
}
END_TEST

START_TEST(every_amount_survives_format_and_parse)
{
    uint64_t seed = 20;
    char text[DEC_TEXT_MAX];

    for (int i = 0; i < 200000; i++) {
        const dec_u wide = ((dec_u)next_random(&seed) << 64) | next_random(&seed);
        dec_t value = (dec_t)(wide >> random_below(&seed, 128)) % (DEC_MAX + 1);
        value = (next_random(&seed) & 1) != 0 ? -value : value;
        const size_t len = dec_format(value, text);
        dec_t back = 0;
        ck_assert_uint_eq(len, strlen(text));
        ck_assert_int_eq(dec_parse_signed(text_of(text), &back), DEC_PARSED);
        assert_amount(back, value, "round trip");
    }
}
END_TEST

START_TEST(the_extremes_print_and_parse)
{
    char text[DEC_TEXT_MAX];

    dec_format(DEC_MAX, text);
    ck_assert_str_eq(text, "99999999999999999999.999999999999999999");
    assert_amount(amount(text), DEC_MAX, "largest");
    dec_format(-DEC_MAX, text);
    assert_amount(amount(text), -DEC_MAX, "smallest");
    dec_format((dec_t)((dec_u)1 << 127), text);
    ck_assert_str_eq(text, "-170141183460469231731.687303715884105728");
}
END_TEST

START_TEST(sums_stop_at_the_range)
{
    dec_t out = 5;

    ck_assert(dec_add(DEC_MAX - 1, 1, &out));
    assert_amount(out, DEC_MAX, "the largest is reached");
    ck_assert(!dec_add(DEC_MAX, 1, &out));
    ck_assert(!dec_sub(-DEC_MAX, 1, &out));
    ck_assert(!dec_add((dec_t)(~(dec_u)0 >> 1), 1, &out));
    assert_amount(out, DEC_MAX, "untouched on failure");
}
END_TEST

static const struct {
    const char *a;
    const char *b;
    const char *c;
    enum dec_round round;
    const char *result; /* NULL: must fail */
    const char *why;
} round_rows[] = {
    {"7", "1", "2", DEC_FLOOR, "3.5", "exact needs no rounding"},
    {"0.000000000000000001", "1", "2", DEC_FLOOR, "0", "half an atom, down"},
    {"0.000000000000000001", "1", "2", DEC_CEIL, "0.000000000000000001", "half an atom, up"},
    {"0.000000000000000001", "1", "2", DEC_HALF_EVEN, "0", "tie goes to even zero"},
    {"0.000000000000000003", "1", "2", DEC_HALF_EVEN, "0.000000000000000002", "tie to even two"},
    {"0.000000000000000005", "1", "3", DEC_HALF_EVEN, "0.000000000000000002", "above half"},
    {"0.000000000000000004", "1", "3", DEC_HALF_EVEN, "0.000000000000000001", "below half"},
    {"-0.000000000000000001", "1", "2", DEC_FLOOR, "-0.000000000000000001", "floor goes down"},
    {"-0.000000000000000001", "1", "2", DEC_CEIL, "0", "ceil goes up"},
    {"-0.000000000000000003", "1", "2", DEC_TRUNC, "-0.000000000000000001", "towards zero"},
    {"-0.000000000000000003", "1", "2", DEC_HALF_EVEN, "-0.000000000000000002", "tie, negative"},
    {"1", "-1", "-1", DEC_TRUNC, "1", "signs cancel"},
    {"99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999",
     "99999999999999999999.999999999999999999", DEC_TRUNC,
     "99999999999999999999.999999999999999999", "253 bits in the middle"},
    {"99999999999999999999.999999999999999999", "2", "1", DEC_TRUNC, NULL, "result out of range"},
    {"99999999999999999999.999999999999999999", "1.000000000000000001", "1", DEC_TRUNC, NULL,
     "just out of range"},
    {"1", "1", "0", DEC_TRUNC, NULL, "division by zero"},
};

START_TEST(a_quotient_rounds_only_as_told)
{
    dec_t out = -77;
    const bool done = dec_mul_div(amount(round_rows[_i].a), amount(round_rows[_i].b),
                                  amount(round_rows[_i].c), round_rows[_i].round, &out);

    ck_assert_msg(done == (round_rows[_i].result != NULL), "%s", round_rows[_i].why);
    assert_amount(out, done ? amount(round_rows[_i].result) : -77, round_rows[_i].why);
}
END_TEST

START_TEST(a_division_says_whether_it_could)
{
    dec_t quotient = 7;

    ck_assert(!dec_div(DEC_ONE, 0, DEC_FLOOR, &quotient));
    ck_assert(!dec_div(DEC_MAX, 1, DEC_FLOOR, &quotient));
    ck_assert_msg(quotient == 7, "untouched");
    ck_assert(dec_div(DEC_ONE, 3 * DEC_ONE, DEC_CEIL, &quotient));
    assert_amount(quotient, amount("0.333333333333333334"), "a third");
    ck_assert(dec_div(-DEC_MAX, DEC_ONE, DEC_FLOOR, &quotient) && quotient == -DEC_MAX);
}
END_TEST

START_TEST(rounding_up_does_not_leave_the_range)
{
    const dec_t by = DEC_MAX + DEC_MAX / 2; /* (by + 1) / by of the largest is two thirds more */
    dec_t out = 0;

    ck_assert(dec_mul_div(DEC_MAX, by + 1, by, DEC_FLOOR, &out));
    assert_amount(out, DEC_MAX, "rounded down: the largest");
    ck_assert(!dec_mul_div(DEC_MAX, by + 1, by, DEC_CEIL, &out));
    ck_assert(!dec_mul_div(DEC_MAX, by + 1, by, DEC_HALF_EVEN, &out));
}
END_TEST

START_TEST(an_exact_product_refuses_to_lose_atoms)
{
    dec_t out = 0;

    ck_assert(dec_mul_exact(amount("60000.01"), amount("0.00001"), &out));
    assert_amount(out, amount("0.6000001"), "tick x lot");
    ck_assert(!dec_mul_exact(amount("0.0000000001"), amount("0.000000001"), &out));
    ck_assert(dec_mul(amount("0.0000000001"), amount("0.000000001"), DEC_CEIL, &out));
    assert_amount(out, 1, "rounded up when told");
    ck_assert(dec_mul_exact(amount("-2"), amount("0.5"), &out));
    assert_amount(out, -DEC_ONE, "sign");
}
END_TEST

/* --- paper arithmetic: numbers as arrays of decimal digits, lowest first --- */

#define DIGITS 80

static void to_digits(dec_u value, uint8_t digits[DIGITS])
{
    memset(digits, 0, DIGITS);
    for (size_t i = 0; value != 0; i++, value /= 10) {
        digits[i] = (uint8_t)(value % 10);
    }
}

static void paper_multiply(dec_u a, dec_u b, uint8_t out[DIGITS])
{
    uint8_t x[DIGITS];
    uint8_t y[DIGITS];

    to_digits(a, x);
    to_digits(b, y);
    memset(out, 0, DIGITS);
    for (size_t i = 0; i < DIGITS / 2; i++) {
        unsigned carry = 0;
        for (size_t k = 0; i + k < DIGITS; k++) {
            const unsigned sum = out[i + k] + carry + (k < DIGITS / 2 ? (unsigned)x[i] * y[k] : 0U);
            out[i + k] = (uint8_t)(sum % 10);
            carry = sum / 10;
        }
    }
}

/* Long division, one digit at a time; the quotient is known to fit. The divisor is below 2^124. */
static void paper_divide(const uint8_t value[DIGITS], dec_u divisor, dec_u *quotient, dec_u *rest)
{
    *quotient = 0;
    *rest = 0;
    for (size_t i = DIGITS; i > 0; i--) {
        *rest = *rest * 10 + value[i - 1];
        *quotient = *quotient * 10 + *rest / divisor;
        *rest %= divisor;
    }
}

static dec_u random_magnitude(uint64_t *seed, unsigned bits_max)
{
    const dec_u wide = ((dec_u)next_random(seed) << 64) | next_random(seed);
    const uint64_t shape = random_below(seed, 8);
    dec_u value = wide >> (128 - 1 - random_below(seed, bits_max));

    if (shape == 0) { /* limbs full of ones and zeros find wrong carries and wrong guesses */
        value |= UINT64_MAX;
    } else if (shape == 1) {
        value &= ~(dec_u)UINT64_MAX;
    } else if (shape == 2) {
        value = (dec_u)1 << random_below(seed, bits_max);
        value -= next_random(seed) & 1;
    }
    return value & ((((dec_u)1 << (bits_max - 1)) << 1) - 1);
}

START_TEST(products_and_quotients_equal_those_on_paper)
{
    uint64_t seed = 4711;
    int divided = 0;

    for (int i = 0; i < 60000; i++) {
        const dec_u a = random_magnitude(&seed, 126);
        const dec_u b = random_magnitude(&seed, 126);
        /* What every product of two amounts is divided by has a way of its own. */
        const dec_u c = i % 3 == 0 ? (dec_u)DEC_ONE : random_magnitude(&seed, 124);
        uint8_t product[DIGITS];
        dec_u should[2] = {0};
        dec_u is[2] = {0};
        if (c == 0) {
            continue;
        }
        const struct wide wide = wide_mul(a, b);
        /* Too large for 128 bits: high half of the product not below the divisor. */
        const bool fits = (((dec_u)wide.limb[3] << 64) | wide.limb[2]) < c;
        ck_assert_int_eq(wide_div(wide, c, &is[0], &is[1]), fits);
        if (!fits) {
            continue;
        }
        divided++;
        paper_multiply(a, b, product);
        paper_divide(product, c, &should[0], &should[1]);
        ck_assert_msg(is[0] == should[0] && is[1] == should[1], "case %d", i);
    }
    ck_assert_int_gt(divided, 20000);
}
END_TEST

START_TEST(a_number_of_units_comes_back_from_its_atoms)
{
    uint64_t seed = 4712;

    for (int i = 0; i < 60000; i++) {
        static const dec_u rests[] = {0, 1, (dec_u)DEC_ONE - 1, (dec_u)DEC_ONE / 2};
        const dec_u units = i == 0 ? ~(dec_u)0 : random_magnitude(&seed, 128);
        const dec_u rest = rests[random_below(&seed, 4)];
        struct wide atoms = wide_mul(units, (dec_u)DEC_ONE);
        dec_u is[2] = {0};
        for (uint64_t limb = 0, carry = (uint64_t)rest; limb < 4; limb++) {
            atoms.limb[limb] += carry;
            carry = atoms.limb[limb] < carry ? 1 : 0;
        }
        ck_assert(wide_div(atoms, (dec_u)DEC_ONE, &is[0], &is[1]));
        ck_assert_msg(is[0] == units && is[1] == rest, "case %d", i);
        /* 2^128 units and more do not fit. */
        atoms.limb[2] = (uint64_t)DEC_ONE;
        ck_assert(!wide_div(atoms, (dec_u)DEC_ONE, &is[0], &is[1]));
        atoms.limb[2] = 0;
        atoms.limb[3] = 1;
        ck_assert(!wide_div(atoms, (dec_u)DEC_ONE, &is[0], &is[1]));
    }
}
END_TEST

/* Every length of both parts, with the digits that are easiest to lose at their ends. */
START_TEST(every_length_of_a_number_is_read_and_written)
{
    for (size_t whole = 1; whole <= 20; whole++) {
        for (size_t fraction = 0; fraction <= 18; fraction++) {
            char text[DEC_TEXT_MAX];
            char back[DEC_TEXT_MAX];
            dec_t value = 0;
            size_t len = 0;
            for (size_t i = 0; i < whole; i++) {
                text[len++] = (char)('1' + (int)(i % 9));
            }
            if (fraction > 0) {
                text[len++] = '.';
            }
            for (size_t i = 0; i < fraction; i++) { /* zeros first, so that places count */
                text[len++] = i + 1 == fraction ? '7' : (i % 3 == 1 ? '4' : '0');
            }
            text[len] = '\0';
            ck_assert_int_eq(dec_parse_signed(text_of(text), &value), DEC_PARSED);
            dec_t should = 0;
            for (size_t i = 0; i < len; i++) {
                should = text[i] == '.' ? should : should * 10 + (text[i] - '0');
            }
            for (size_t i = fraction; i < DEC_SCALE; i++) {
                should *= 10;
            }
            assert_amount(value, should, text);
            ck_assert_uint_eq(dec_format(value, back), len);
            ck_assert_str_eq(back, text);
        }
    }
}
END_TEST

static const struct {
    const char *value;
    const char *step;
    const char *below;
    const char *above;
    const char *why;
} step_rows[] = {
    {"1.00", "0.25", "1", "1", "on the step already"},
    {"1.01", "0.25", "1", "1.25", "between steps"},
    {"0.24", "0.25", "0", "0.25", "below the first"},
    {"0", "0.25", "0", "0", "zero is a multiple"},
    {"-0.01", "0.25", "-0.25", "0", "negative: floor is lower"},
    {"-0.25", "0.25", "-0.25", "-0.25", "negative and on the step"},
    {"0.000000000000000001", "0.000000000000000001", "0.000000000000000001", "0.000000000000000001",
     "step of one atom"},
};

START_TEST(a_value_is_moved_to_its_step)
{
    const dec_t value = amount(step_rows[_i].value);
    const dec_t step = amount(step_rows[_i].step);
    dec_t below = 0;
    dec_t above = 0;

    ck_assert(dec_floor_to(value, step, &below) && dec_ceil_to(value, step, &above));
    assert_amount(below, amount(step_rows[_i].below), step_rows[_i].why);
    assert_amount(above, amount(step_rows[_i].above), step_rows[_i].why);
    ck_assert_int_eq(dec_is_multiple(value, step), below == above);
}
END_TEST

START_TEST(a_step_of_nothing_moves_nothing)
{
    dec_t out = 9;

    ck_assert(!dec_floor_to(5, 0, &out) && !dec_ceil_to(5, -1, &out));
    ck_assert(dec_is_multiple(5, 0));
    ck_assert(!dec_ceil_to(DEC_MAX, DEC_MAX - 1, &out));
    ck_assert_msg(out == 9, "untouched");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decimal");
    TCase *tcase = tcase_create("decimal");

    tcase_add_loop_test(tcase, text_becomes_a_number_or_a_reason, 0,
                        (int)(sizeof(parse_rows) / sizeof(parse_rows[0])));
    tcase_add_test(tcase, a_zero_byte_inside_the_text_is_not_its_end);
    tcase_add_test(tcase, every_amount_survives_format_and_parse);
    tcase_add_test(tcase, the_extremes_print_and_parse);
    tcase_add_test(tcase, sums_stop_at_the_range);
    tcase_add_loop_test(tcase, a_quotient_rounds_only_as_told, 0,
                        (int)(sizeof(round_rows) / sizeof(round_rows[0])));
    tcase_add_test(tcase, a_division_says_whether_it_could);
    tcase_add_test(tcase, rounding_up_does_not_leave_the_range);
    tcase_add_test(tcase, an_exact_product_refuses_to_lose_atoms);
    tcase_add_test(tcase, products_and_quotients_equal_those_on_paper);
    tcase_add_test(tcase, a_number_of_units_comes_back_from_its_atoms);
    tcase_add_test(tcase, every_length_of_a_number_is_read_and_written);
    tcase_add_loop_test(tcase, a_value_is_moved_to_its_step, 0,
                        (int)(sizeof(step_rows) / sizeof(step_rows[0])));
    tcase_add_test(tcase, a_step_of_nothing_moves_nothing);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
