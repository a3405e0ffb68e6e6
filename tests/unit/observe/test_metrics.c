/*
 * Goal:   handles are found again, updates from many threads add up, quantiles are within 3 %, the
 *         text is Prometheus'.
 * Method: known values, a sorted array as oracle for quantiles, threads without waiting.
 */
#include "millrace/metrics.h"

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define THREADS 4
#define UPDATES 20000

static struct mr_metrics *metrics;

static void set_up(void)
{
    metrics = mr_metrics_create();
}

static void tear_down(void)
{
    mr_metrics_destroy(&metrics);
    ck_assert_ptr_null(metrics);
}

START_TEST(the_same_name_and_labels_give_the_same_handle)
{
    struct mr_counter *a = mr_metrics_counter(metrics, "n_total", "p=\"1\"", "h");

    ck_assert_ptr_eq(a, mr_metrics_counter(metrics, "n_total", "p=\"1\"", "h"));
    ck_assert_ptr_ne(a, mr_metrics_counter(metrics, "n_total", "p=\"2\"", "h"));
    ck_assert_ptr_ne(a, mr_metrics_counter(metrics, "m_total", "p=\"1\"", "h"));
}
END_TEST

static void *update(void *arg)
{
    struct mr_counter *counter = mr_metrics_counter(metrics, "n_total", "", "h");
    struct mr_histogram *histogram = mr_metrics_histogram(metrics, "t_seconds", "", "h");

    (void)arg;
    for (int i = 0; i < UPDATES; i++) {
        mr_counter_add(counter, 2);
        mr_histogram_record_us(histogram, i);
    }
    return NULL;
}

START_TEST(updates_of_many_threads_add_up)
{
    pthread_t threads[THREADS];
    struct mr_buffer text = MR_BUFFER_EMPTY;

    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, update, NULL), 0);
    }
    mr_metrics_write(metrics, &text); /* while they run: must neither crash nor race */
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(mr_counter_value(mr_metrics_counter(metrics, "n_total", "", "h")),
                      2u * THREADS * UPDATES);
    ck_assert_uint_eq(mr_histogram_count(mr_metrics_histogram(metrics, "t_seconds", "", "h")),
                      (uint64_t)THREADS * UPDATES);
    mr_buffer_fini(&text);
}
END_TEST

static int compare(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

START_TEST(quantiles_are_within_three_percent_of_the_exact_ones)
{
    static const int64_t wanted[] = {0, 1, 100000, 500000, 900000, 990000, 999900, 1000000};
    enum { N = 10000 };
    int64_t *values = calloc(N, sizeof(*values));
    struct mr_histogram *h = mr_metrics_histogram(metrics, "t_seconds", "", "h");
    uint64_t state = 88172645463325252u;

    for (size_t i = 0; i < N; i++) {
        /* xorshift; the shift spreads the values over all magnitudes. */
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        values[i] = (int64_t)((state >> 20) >> (state % 44));
        mr_histogram_record_us(h, values[i]);
    }
    qsort(values, N, sizeof(*values), compare);
    for (size_t i = 0; i < MR_COUNT(wanted); i++) {
        const int64_t rank = (wanted[i] * N + 999999) / 1000000;
        const int64_t exact = values[rank < 1 ? 0 : rank - 1];
        const int64_t got = mr_histogram_quantile_us(h, wanted[i]);
        const int64_t off = got > exact ? got - exact : exact - got;
        if (exact < (INT64_C(1) << 40)) {
            ck_assert_msg(off * 100 <= exact * 3, "q %" PRId64 ": %" PRId64 " for %" PRId64,
                          wanted[i], got, exact);
        }
    }
    free(values);
}
END_TEST

START_TEST(edges_of_a_histogram)
{
    struct mr_histogram *h = mr_metrics_histogram(metrics, "t_seconds", "", "h");

    ck_assert_int_eq(mr_histogram_quantile_us(h, 500000), 0);
    mr_histogram_record_us(h, -5);
    ck_assert_int_eq(mr_histogram_quantile_us(h, 500000), 0);
    mr_histogram_record_us(h, INT64_MAX);
    ck_assert_int_gt(mr_histogram_quantile_us(h, 1000000), INT64_C(1) << 39);
    ck_assert_uint_eq(mr_histogram_count(h), 2);
}
END_TEST

START_TEST(small_values_are_exact)
{
    struct mr_histogram *h = mr_metrics_histogram(metrics, "t_seconds", "", "h");

    for (int64_t v = 1; v <= 64; v++) {
        mr_histogram_record_us(h, v);
    }
    ck_assert_int_eq(mr_histogram_quantile_us(h, 500000), 32);
    ck_assert_int_eq(mr_histogram_quantile_us(h, 1000000), 64);
}
END_TEST

START_TEST(the_text_is_prometheus)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;

    mr_counter_add(mr_metrics_counter(metrics, "b_total", "p=\"1\"", "counts\nbs"), 7);
    mr_counter_add(mr_metrics_counter(metrics, "b_total", "p=\"2\"", "ignored"), 9);
    mr_gauge_set(mr_metrics_gauge(metrics, "a_lag", "", "how far behind"), -3);
    mr_histogram_record_us(mr_metrics_histogram(metrics, "c_seconds", "s=\"x\"", "t"), 1500000);
    mr_metrics_write(metrics, &text);
    mr_buffer_append(&text, "", 1);
    ck_assert_str_eq((const char *)text.data, "# HELP a_lag how far behind\n"
                                              "# TYPE a_lag gauge\n"
                                              "a_lag -3\n"
                                              "# HELP b_total counts\\nbs\n"
                                              "# TYPE b_total counter\n"
                                              "b_total{p=\"1\"} 7\n"
                                              "b_total{p=\"2\"} 9\n"
                                              "# HELP c_seconds t\n"
                                              "# TYPE c_seconds summary\n"
                                              "c_seconds{s=\"x\",quantile=\"0.5\"} 1.490943\n"
                                              "c_seconds{s=\"x\",quantile=\"0.99\"} 1.490943\n"
                                              "c_seconds{s=\"x\",quantile=\"1\"} 1.500000\n"
                                              "c_seconds_sum{s=\"x\"} 1.500000\n"
                                              "c_seconds_count{s=\"x\"} 1\n");
    mr_buffer_fini(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tcase = tcase_create("metrics");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_same_name_and_labels_give_the_same_handle);
    tcase_add_test(tcase, updates_of_many_threads_add_up);
    tcase_add_test(tcase, quantiles_are_within_three_percent_of_the_exact_ones);
    tcase_add_test(tcase, edges_of_a_histogram);
    tcase_add_test(tcase, small_values_are_exact);
    tcase_add_test(tcase, the_text_is_prometheus);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
