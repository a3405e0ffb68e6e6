/*
 * test_timers.c -- timers fire once for each interval, whatever is aborted, and flush sums up once.
 *
 * Goal:   what timers and the flush wrote in a transaction is undone and done again with it.
 * Method: the clockwork stage (toy.h) counts in its store and emits each count; a count that was
 *         doubled, lost or kept over an abort breaks the series 1, 2, 3 ...
 */
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDERS 40
#define USER "user-1" /* all orders in one partition */

/* Orders 200 ms of event time apart: a stream timer of a second fires every fifth. */
static void send_orders(struct toy *toy, int count)
{
    for (int i = 0; i < count; i++) {
        toy_send(toy, USER, "x");
        toy->now_us += 200 * MR_MS_US;
    }
}

static char *task_name(struct toy *toy, const char *name, char text[32])
{
    static struct toy_record records[TOY_READ_MAX];
    const size_t count = toy_read(toy, "ticks", records);

    for (int p = 0; p < TOY_PARTITIONS; p++) {
        snprintf(text, 32, "%s-%d", name, p);
        for (size_t i = 0; i < count; i++) {
            if (strcmp(records[i].key, text) == 0) {
                return text;
            }
        }
    }
    ck_abort_msg("nothing of %s", name);
}

static int64_t last_flush(struct toy *toy)
{
    static struct toy_record records[TOY_READ_MAX];
    const size_t count = toy_read(toy, "ticks", records);
    int64_t last = 0;

    for (size_t i = 0; i < count; i++) {
        if (strncmp(records[i].key, "flush", 5) == 0) {
            ck_assert_int_gt(records[i].total, last);
            last = records[i].total;
        }
    }
    return last;
}

static const struct {
    enum mr_log_call call;
    enum mr_status status;
    bool done;
    const char *why;
} faults[] = {
    {MR_LOG_CALL_END, MR_OK, false, "nothing fails"},
    {MR_LOG_CALL_COMMIT, MR_TXN_ABORT, false, "the commit is refused"},
    {MR_LOG_CALL_SEND, MR_TXN_ABORT, false, "in the middle of the outputs"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false, "unknown, not committed"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true, "unknown, committed"},
};

START_TEST(stream_timers_fire_once_for_each_interval)
{
    for (int n = 1; n <= 8; n++) {
        char name[32];
        struct toy toy;

        toy_init_graph(&toy, ", commit-records: 7", toy_clockwork_graph);
        send_orders(&toy, ORDERS);
        toy_start(&toy);
        if (faults[_i].status != MR_OK) {
            mr_log_memory_fail(toy.log, faults[_i].call, n, faults[_i].status, faults[_i].done);
        }
        toy_run_for(&toy, toy.worker, 1000);
        /* 40 orders over 7.8 s that begin at a whole second: at 1 s, 2 s ... 7 s. */
        ck_assert_int_eq(toy_ticks(&toy, task_name(&toy, "stream", name)), 7);
        ck_assert_int_eq(toy_ticks(&toy, USER), ORDERS);
        ck_assert_int_eq(last_flush(&toy), ORDERS);
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

START_TEST(wall_timers_fire_without_input)
{
    for (int n = 1; n <= 4; n++) {
        struct toy toy;

        toy_init_graph(&toy, "", toy_clockwork_graph);
        toy_start(&toy);
        if (faults[_i].status != MR_OK) {
            mr_log_memory_fail(toy.log, faults[_i].call, n, faults[_i].status, faults[_i].done);
        }
        toy_run_for(&toy, toy.worker, 1050);
        for (int p = 0; p < TOY_PARTITIONS; p++) {
            char name[32];

            snprintf(name, sizeof(name), "wall-%d", p);
            /* A tick whose outcome was unknown may be left to the next interval. */
            ck_assert_int_ge(toy_ticks(&toy, name), 9);
            ck_assert_int_le(toy_ticks(&toy, name), 10);
        }
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

enum restart { STAYS, STOPS, CRASHES, LOSES_ITS_STATE, RESTARTS };

/* Orders, the restart, orders; returns how often the stream's timer fired. */
static int64_t stream_ticks(enum restart restart)
{
    char name[32];
    struct toy toy;
    int64_t ticks;

    toy_init_graph(&toy, "", toy_clockwork_graph);
    toy_start(&toy);
    send_orders(&toy, ORDERS / 2);
    toy_run_for(&toy, toy.worker, 300);
    if (restart == STOPS) {
        toy_stop(&toy);
    } else if (restart != STAYS) {
        toy_crash(&toy);
    }
    if (restart == LOSES_ITS_STATE) {
        toy_lose_state(&toy);
    }
    if (restart != STAYS) {
        toy_start(&toy);
    }
    send_orders(&toy, ORDERS / 2);
    toy_run_for(&toy, toy.worker, 300);
    ck_assert_int_eq(toy_ticks(&toy, USER), ORDERS);
    ck_assert_int_eq(last_flush(&toy), ORDERS);
    ck_assert_int_gt(toy_ticks(&toy, task_name(&toy, "wall", name)), 0);
    ticks = toy_ticks(&toy, task_name(&toy, "stream", name));
    toy_stop(&toy);
    toy_fini(&toy);
    return ticks;
}

/* Stream time and timers are committed with the offsets. */
START_TEST(counts_and_timers_go_on_after_a_restart)
{
    ck_assert_int_eq(stream_ticks((enum restart)_i), stream_ticks(STAYS));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("timers");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, stream_timers_fire_once_for_each_interval, 0, (int)MR_COUNT(faults));
    tcase_add_loop_test(tcase, wall_timers_fire_without_input, 0, (int)MR_COUNT(faults));
    tcase_add_loop_test(tcase, counts_and_timers_go_on_after_a_restart, STOPS, RESTARTS);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
