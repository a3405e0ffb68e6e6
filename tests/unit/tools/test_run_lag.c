/*
 * Goal:   lag is what a group has not taken: everything before it began, nothing once it is
 * through, and the marker behind a transaction of ours is nobody's to take. Method: the toy
 * pipeline on the log in memory, its inner topic through the log too.
 */
#include "run_lag.h"
#include "tests/unit/runtime/toy.h"

#include <check.h>
#include <stdlib.h>

#define USER "user-1"

static const char graph[] = "topics:\n"
                            "  orders: {key: userId, value: OrderCommand}\n"
                            "  passed: {key: userId, value: OrderCommand, boundary: topic}\n"
                            "  totals: {key: userId, value: Balance, cleanup: compact}\n"
                            "stages:\n"
                            "  gate: {type: gate, in: {orders: orders}, out: {passed: passed}}\n"
                            "  tally: {type: tally, in: {orders: passed}, out: {totals: totals}}\n"
                            "groups:\n"
                            "  one: {stages: [gate]}\n"
                            "  two: {stages: [tally]}\n";

static struct toy toy;
static struct run_lag lag;

static void set_up(void)
{
    toy_init_graph(&toy, "", graph);
    run_lag_init(&lag, toy.topology, toy.log, toy.metrics);
    run_lag_add_group(&lag, 0);
    run_lag_add_group(&lag, 1);
}

static void tear_down(void)
{
    run_lag_fini(&lag);
    toy_fini(&toy);
}

static int64_t lag_of(const char *group, int32_t partition)
{
    const struct run_lag_consumer *consumer = run_lag_find(&lag, group);

    ck_assert_ptr_nonnull(consumer);
    return run_lag_sum(consumer, partition);
}

START_TEST(nothing_is_known_before_it_is_measured)
{
    ck_assert_int_eq(lag_of("one", -1), RUN_LAG_UNKNOWN);
    ck_assert_ptr_null(run_lag_find(&lag, "three"));
    run_lag_measure(&lag);
    ck_assert_int_eq(lag_of("one", -1), 0);
}
END_TEST

START_TEST(lag_is_what_is_not_taken)
{
    for (int i = 0; i < 5; i++) {
        toy_send(&toy, USER, "x");
    }
    run_lag_measure(&lag);
    ck_assert_int_eq(lag_of("one", toy_partition(USER)), 5);
    ck_assert_int_eq(lag_of("one", 1 - toy_partition(USER)), 0);
    ck_assert_int_eq(lag_of("two", -1), 0);
    toy_start(&toy); /* group one alone */
    ck_assert_int_eq(toy_run(&toy), 0);
    run_lag_measure(&lag);
    ck_assert_int_eq(lag_of("one", -1), 0);
    ck_assert_int_ge(lag_of("two", toy_partition(USER)), 5);
}
END_TEST

/* Group two has taken all; behind its last record stands the marker of group one's transaction. */
START_TEST(the_marker_of_a_transaction_does_not_count)
{
    const struct mr_process process = {.topology = toy.topology,
                                       .log = toy.log,
                                       .codec = toy.codec,
                                       .backend = toy.backend,
                                       .metrics = toy.metrics,
                                       .clock = &toy.clock,
                                       .instance = "0"};
    struct mr_worker *workers[2];
    int64_t low;
    int64_t end;

    workers[0] = mr_worker_create(&process, 0, 0);
    workers[1] = mr_worker_create(&process, 1, 0);
    toy_send(&toy, USER, "x");
    toy_run_all(&toy, workers, 2);
    ck_assert_int_eq(
        mr_log_watermarks(toy.log, "passed", toy_partition(USER), &low, &end, &toy.err), MR_OK);
    ck_assert_int_eq(end, 2); /* a record and a marker */
    run_lag_measure(&lag);
    ck_assert_int_eq(lag_of("two", -1), 0);
    mr_worker_destroy(&workers[0]);
    mr_worker_destroy(&workers[1]);
}
END_TEST

START_TEST(it_is_measured_often_while_somebody_looks)
{
    const int64_t now_us = mr_clock_monotonic_us(mr_clock_system());

    ck_assert_int_eq(run_lag_due_us(&lag, now_us) - now_us, 5 * MR_SECOND_US);
    run_lag_look(&lag);
    ck_assert_int_eq(run_lag_due_us(&lag, now_us) - now_us, MR_SECOND_US);
    ck_assert_int_eq(run_lag_due_us(&lag, now_us + MR_MINUTE_US) - now_us,
                     MR_MINUTE_US + 5 * MR_SECOND_US);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_lag");
    TCase *tcase = tcase_create("run_lag");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_is_known_before_it_is_measured);
    tcase_add_test(tcase, lag_is_what_is_not_taken);
    tcase_add_test(tcase, the_marker_of_a_transaction_does_not_count);
    tcase_add_test(tcase, it_is_measured_often_while_somebody_looks);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
