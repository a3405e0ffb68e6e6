/*
 * Goal:   a percentile is never below the truth and never 0.8 % above it; nothing is lost.
 * Method: boundary values of the buckets against the exact sample; a uniform sample whose
 * percentiles are known by arithmetic.
 */
#include "histogram.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    int64_t value;
    int64_t least;
    int64_t most;
    const char *why;
} single[] = {
    {0, 0, 0, "the smallest"},
    {1, 1, 1, "exact"},
    {255, 255, 255, "the last value with a bucket of its own"},
    {256, 256, 256, "never above the maximum seen"},
    {-5, 0, 0, "a clock that stepped back is no latency"},
    {1000000, 1000000, 1000000, "one second"},
    {HISTOGRAM_VALUE_MAX, HISTOGRAM_VALUE_MAX, HISTOGRAM_VALUE_MAX, "the largest"},
    {INT64_MAX, HISTOGRAM_VALUE_MAX, HISTOGRAM_VALUE_MAX, "beyond it: counted as the largest"},
};

START_TEST(one_sample_is_every_percentile)
{
    struct histogram *histogram = calloc(1, sizeof(*histogram));

    ck_assert_ptr_nonnull(histogram);
    histogram_add(histogram, single[_i].value);
    for (int per_mille = 0; per_mille <= 1000; per_mille += 250) {
        const int64_t found = histogram_at(histogram, per_mille);

        ck_assert_msg(found >= single[_i].least && found <= single[_i].most, "%lld: %s",
                      (long long)found, single[_i].why);
    }
    ck_assert_int_eq(histogram->count, 1);
    free(histogram);
}
END_TEST

START_TEST(every_value_is_reported_within_its_bound)
{
    struct histogram *histogram = calloc(1, sizeof(*histogram));
    const int64_t value = INT64_C(1) << _i;

    ck_assert_ptr_nonnull(histogram);
    /* A larger maximum, so that the bucket's own end is what is reported. */
    for (int64_t offset = -1; offset <= 1; offset++) {
        memset(histogram, 0, sizeof(*histogram));
        histogram_add(histogram, value + offset);
        histogram_add(histogram, HISTOGRAM_VALUE_MAX);
        const int64_t found = histogram_at(histogram, 500);

        ck_assert_int_ge(found, value + offset);
        ck_assert_int_le((found - (value + offset)) * 1000, (value + offset) * 8);
    }
    free(histogram);
}
END_TEST

START_TEST(percentiles_of_a_uniform_sample_are_known)
{
    struct histogram *histogram = calloc(1, sizeof(*histogram));

    ck_assert_ptr_nonnull(histogram);
    ck_assert_int_eq(histogram_at(histogram, 500), 0);
    for (int64_t i = 1; i <= 100000; i++) {
        histogram_add(histogram, i);
    }
    ck_assert_int_ge(histogram_at(histogram, 500), 50000);
    ck_assert_int_le(histogram_at(histogram, 500), 50400);
    ck_assert_int_ge(histogram_at(histogram, 990), 99000);
    ck_assert_int_le(histogram_at(histogram, 990), 99800);
    ck_assert_int_eq(histogram_at(histogram, 1000), 100000);
    ck_assert_int_eq(histogram->max_us, 100000);
    free(histogram);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tests = tcase_create("percentiles");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tests, one_sample_is_every_percentile, 0,
                        (int)(sizeof(single) / sizeof(single[0])));
    tcase_add_loop_test(tests, every_value_is_reported_within_its_bound, 1, 39);
    tcase_add_test(tests, percentiles_of_a_uniform_sample_are_known);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
