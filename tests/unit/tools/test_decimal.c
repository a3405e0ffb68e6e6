/*
 * test_decimal.c
 *
 * Goal:   the proof's own arithmetic is exact or says no.
 * Method: boundary tables.
 */
#include "load_decimal.h"
#include "millrace/status.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *text;
    const char *shortest; /* NULL: refused */
    const char *why;
} parse_rows[] = {
    {"0", "0", "zero"},
    {"0.000", "0", "zero with decimals"},
    {"61837.63000000", "61837.63", "a price as recorded"},
    {"0.00001000", "0.00001", "leading zeros behind the point"},
    {"0.000000000000000001", "0.000000000000000001", "one atom"},
    {"0.0000000000000000001", NULL, "19 decimals"},
    {"9999999999999999999.999999999999999999", "9999999999999999999.999999999999999999",
     "the widest"},
    {"10000000000000000000", NULL, "20 digits before the point"},
    {"-1.5", "-1.5", "negative"},
    {"-0.5", "-0.5", "negative below one"},
    {"", NULL, "empty"},
    {"-", NULL, "a sign alone"},
    {".", NULL, "a point alone"},
    {".5", NULL, "nothing before the point"},
    {"5.", NULL, "nothing behind the point"},
    {"1.2.3", NULL, "two points"},
    {"1e3", NULL, "an exponent"},
    {" 1", NULL, "a space"},
    {"+1", NULL, "a plus"},
};

START_TEST(decimal_text_is_read_and_written_back_or_refused)
{
    char text[LOAD_DECIMAL_TEXT_MAX];
    mr_i128 atoms = 0;
    const bool good = load_decimal_parse(mr_slice_str(parse_rows[_i].text), &atoms);

    ck_assert_msg(good == (parse_rows[_i].shortest != NULL), "%s", parse_rows[_i].why);
    if (good) {
        ck_assert_str_eq(load_decimal_format(atoms, text), parse_rows[_i].shortest);
    }
}
END_TEST

static const struct {
    const char *a, *b;
    const char *product; /* NULL: refused */
    const char *why;
} product_rows[] = {
    {"61837.63", "0.02", "1236.7526", "price x quantity"},
    {"1000000", "9000", "9000000000", "the largest of an instrument"},
    {"0", "5", "0", "zero"},
    {"-2", "0.5", "-1", "negative"},
    {"0.000000001", "0.000000001", "0.000000000000000001", "one atom, exactly"},
    {"0.0000000001", "0.000000001", NULL, "below one atom"},
    {"1.000000000000000001", "1.000000000000000001", NULL, "not exact"},
    {"9999999999999999999.999999999999999999", "9999999999999999999.999999999999999999", NULL,
     "too large"},
};

START_TEST(a_product_is_exact_or_refused)
{
    char text[LOAD_DECIMAL_TEXT_MAX];
    mr_i128 a = 0, b = 0, product = 0;
    bool good;

    ck_assert(load_decimal_parse(mr_slice_str(product_rows[_i].a), &a));
    ck_assert(load_decimal_parse(mr_slice_str(product_rows[_i].b), &b));
    good = load_decimal_product(a, b, &product);
    ck_assert_msg(good == (product_rows[_i].product != NULL), "%s", product_rows[_i].why);
    if (good) {
        ck_assert_str_eq(load_decimal_format(product, text), product_rows[_i].product);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decimal");
    TCase *tcase = tcase_create("decimal");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tcase, decimal_text_is_read_and_written_back_or_refused, 0,
                        (int)MR_COUNT(parse_rows));
    tcase_add_loop_test(tcase, a_product_is_exact_or_refused, 0, (int)MR_COUNT(product_rows));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
