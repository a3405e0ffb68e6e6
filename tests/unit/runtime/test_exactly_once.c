/*
 * test_exactly_once.c -- whatever fails, each order has its effects once, in order, or a dead
 * letter.
 *
 * Goal:   the outputs of a disturbed run equal those of an undisturbed one.
 * Method: the same orders through the toy pipeline (toy.h) while the in-memory log fails one call
 * at a time in every way the port allows, "done, but the answer was lost" included; while the
 *         worker is destroyed between any two steps; and while the state directory is emptied.
 */
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDERS 120
#define USERS 7

static struct toy_record records[TOY_READ_MAX];

static const char *user_of(int i, char text[16])
{
    snprintf(text, 16, "user-%d", i % USERS);
    return text;
}

static bool is_poison(int i)
{
    return i % 17 == 3 || i % 17 == 9;
}

static void send_some(struct toy *toy, int from, int to)
{
    for (int i = from; i < to; i++) {
        char user[16];
        char id[24];

        snprintf(id, sizeof(id), "order-%03d", i);
        toy_send(toy, user_of(i, user), i % 17 == 3 ? "bad" : i % 17 == 9 ? "late" : id);
    }
}

static void check_passed(struct toy *toy)
{
    size_t at = toy_read(toy, "passed", records);
    size_t good = 0;

    for (int i = 0; i < ORDERS; i++) {
        good += !is_poison(i);
    }
    ck_assert_uint_eq(at, good);
    /* Each partition has its orders in the order they were sent, so each user has. */
    for (int u = 0; u < USERS; u++) {
        char user[16];
        size_t r = 0;

        user_of(u, user);
        for (int i = u; i < ORDERS; i += USERS) {
            char id[24];

            if (is_poison(i)) {
                continue;
            }
            snprintf(id, sizeof(id), "order-%03d", i);
            while (r < at && strcmp(records[r].key, user) != 0) {
                r++;
            }
            ck_assert_uint_lt(r, at);
            ck_assert_str_eq(records[r++].id, id);
        }
    }
}

static void check_totals(struct toy *toy)
{
    const size_t count = toy_read(toy, "totals", records);

    for (int u = 0; u < USERS; u++) {
        int64_t want = 0;
        int64_t last = 0;
        char user[16];

        for (int i = u; i < ORDERS; i += USERS) {
            want += !is_poison(i);
        }
        user_of(u, user);
        for (size_t r = 0; r < count; r++) {
            if (strcmp(records[r].key, user) == 0) {
                ck_assert_int_gt(records[r].total, last);
                last = records[r].total;
            }
        }
        ck_assert_int_eq(last, want);
    }
}

static void check_dead_letters(struct toy *toy)
{
    size_t bad = 0;
    size_t late = 0;

    for (int i = 0; i < ORDERS; i++) {
        bad += i % 17 == 3;
        late += i % 17 == 9;
    }
    ck_assert_uint_eq(toy_read(toy, "toy.gate.dlq", records), bad);
    ck_assert_uint_eq(toy_read(toy, "toy.tally.dlq", records), late);
}

static void check_all(struct toy *toy)
{
    check_passed(toy);
    check_totals(toy);
    check_dead_letters(toy);
}

START_TEST(an_undisturbed_run_is_exact)
{
    struct toy toy;

    toy_init(&toy, "");
    toy_start(&toy);
    send_some(&toy, 0, ORDERS);
    ck_assert_int_eq(toy_run(&toy), 0);
    check_all(&toy);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

static const struct {
    enum mr_log_call call;
    enum mr_status status;
    bool done;
    const char *why;
} faults[] = {
    {MR_LOG_CALL_COMMIT, MR_TXN_ABORT, false, "the broker asks for an abort"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false, "unknown outcome, not committed"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true, "unknown outcome, committed"},
    {MR_LOG_CALL_COMMIT, MR_FENCED, false, "another owner: the process ends and starts again"},
    {MR_LOG_CALL_COMMIT, MR_FENCED, true, "committed, then killed before it knew"},
    {MR_LOG_CALL_SEND, MR_TIMEOUT, false, "the queue stayed full"},
    {MR_LOG_CALL_SEND, MR_TXN_ABORT, false, "sending asks for an abort"},
    {MR_LOG_CALL_SEND, MR_TXN_ABORT, true, "sent, then an abort"},
    {MR_LOG_CALL_SEND, MR_LOG_FATAL, false, "the client is finished"},
    {MR_LOG_CALL_BEGIN, MR_LOG_FATAL, false, "no transaction can be begun"},
    {MR_LOG_CALL_POLL, MR_UNAVAILABLE, false, "no broker for a moment"},
    {MR_LOG_CALL_POLL, MR_LOG_FATAL, false, "the consumer is finished"},
    {MR_LOG_CALL_WATERMARKS, MR_UNAVAILABLE, false, "targets cannot be asked for"},
    {MR_LOG_CALL_ABORT, MR_LOG_FATAL, false, "an abort fails (after a forced one)"},
};

START_TEST(one_fault_changes_nothing)
{
    for (int n = 1; n <= 12; n++) {
        struct toy toy;

        toy_init(&toy, ", commit-records: 5");
        toy_start(&toy);
        send_some(&toy, 0, ORDERS / 2);
        if (faults[_i].call == MR_LOG_CALL_ABORT) {
            mr_log_memory_fail(toy.log, MR_LOG_CALL_COMMIT, n, MR_TXN_ABORT, false);
            mr_log_memory_fail(toy.log, faults[_i].call, 1, faults[_i].status, faults[_i].done);
        } else {
            mr_log_memory_fail(toy.log, faults[_i].call, n, faults[_i].status, faults[_i].done);
        }
        toy_run(&toy);
        send_some(&toy, ORDERS / 2, ORDERS);
        toy_run(&toy);
        check_all(&toy);
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

START_TEST(a_crash_after_any_step_changes_nothing)
{
    for (int steps = 0; steps < 40; steps++) {
        struct toy toy;
        bool busy;

        toy_init(&toy, ", commit-records: 5");
        toy_start(&toy);
        send_some(&toy, 0, ORDERS);
        for (int i = 0; i < steps; i++) {
            ck_assert_int_eq(mr_worker_step(toy.worker, 0, &busy, &toy.err), MR_OK);
            toy.now_us += MR_MS_US;
        }
        toy_crash(&toy);
        if (_i == 1) {
            toy_lose_state(&toy);
        }
        toy_start(&toy);
        toy_run(&toy);
        check_all(&toy);
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

START_TEST(bytes_that_are_no_record_become_dead_letters)
{
    static const uint8_t garbage[] = {1, 2, 3};
    static const uint8_t unknown_schema[] = {0, 0, 0, 0xFF, 0xFF, 0};
    struct toy toy;

    toy_init(&toy, "");
    toy_start(&toy);
    toy_send_bytes(&toy, "user-1", garbage, sizeof(garbage));
    toy_send_bytes(&toy, "user-1", unknown_schema, sizeof(unknown_schema));
    toy_send_bytes(&toy, "user-1", garbage, 0);
    toy_send(&toy, "user-1", "after");
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_uint_eq(toy_read(&toy, "toy.gate.dlq", records), 3);
    ck_assert_uint_eq(toy_read(&toy, "passed", records), 1);
    ck_assert_str_eq(records[0].id, "after");
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exactly once");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, an_undisturbed_run_is_exact);
    tcase_add_loop_test(tcase, one_fault_changes_nothing, 0, (int)MR_COUNT(faults));
    tcase_add_loop_test(tcase, a_crash_after_any_step_changes_nothing, 0, 2);
    tcase_add_test(tcase, bytes_that_are_no_record_become_dead_letters);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
