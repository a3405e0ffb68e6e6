/*
 * test_outputs.c -- what a transaction writes: the last value of a key, nothing of a poisonous
 * record, and nothing too large to be written.
 *
 * Method: many orders are there before the worker starts, so that they share transactions.
 */
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct toy_record records[TOY_READ_MAX];

/* What is there is processed in one transaction: nothing but the stop ends it. */
static const char one_transaction[] =
    ", commit-interval: 1m, commit-records: 10000, commit-bytes: 64MiB";

static void run(struct toy *toy)
{
    toy_start(toy);
    ck_assert_int_eq(toy_run(toy), 0);
    toy_stop(toy);
}

static const struct {
    const char *ids[8];
    int64_t total;
    size_t passed;
    const char *why;
} mixes[] = {
    {{"a", "b", "c"}, 3, 3, "the last of three"},
    {{"a", "b", "bad"}, 2, 2, "poison behind the last value"},
    {{"a", "bad", "b"}, 2, 2, "poison between"},
    {{"bad", "a", "b"}, 2, 2, "poison first"},
    {{"a", "late"}, 1, 1, "poison of a stage downstream"},
    {{"late", "a", "late", "b", "bad"}, 2, 2, "both kinds"},
    {{"bad", "late"}, 0, 0, "nothing but poison"},
};

START_TEST(of_a_latest_port_the_last_good_value_is_written)
{
    size_t totals;
    struct toy toy;

    toy_init(&toy, one_transaction);
    for (int i = 0; mixes[_i].ids[i] != NULL; i++) {
        toy_send(&toy, "user-1", mixes[_i].ids[i]);
    }
    run(&toy);
    totals = toy_read(&toy, "totals", records);
    ck_assert_uint_eq(totals, mixes[_i].total > 0 ? 1 : 0);
    if (totals > 0) {
        ck_assert_int_eq(records[0].total, mixes[_i].total);
    }
    ck_assert_uint_eq(toy_read(&toy, "passed", records), mixes[_i].passed);
    toy_fini(&toy);
}
END_TEST

START_TEST(many_keys_keep_their_own_last_value)
{
    struct toy toy;
    size_t count;

    toy_init(&toy, one_transaction);
    toy_send(&toy, "first", "x"); /* a worker's first transaction is short */
    toy_start(&toy);
    toy_run_for(&toy, toy.worker, 20);
    for (int i = 0; i < 1200; i++) {
        char user[24];

        snprintf(user, sizeof(user), "user-%d", i % 600);
        toy_send(&toy, user, i % 3 == 0 ? "bad" : "x");
    }
    ck_assert_int_eq(toy_run(&toy), 0);
    toy_stop(&toy);
    count = toy_read(&toy, "totals", records);
    /* 600 is a multiple of 3: a user has two good orders or none. */
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(records[i].total, strcmp(records[i].key, "first") == 0 ? 1 : 2);
    }
    ck_assert_uint_eq(count, 401);
    toy_fini(&toy);
}
END_TEST

/* ---- sizes ----------------------------------------------------------------------------------- */

static const struct {
    size_t bytes;
    const char *why;
} garbage[] = {
    {1000, "small"},
    {999900, "with its headers larger than a producer's default"},
    {999990, "as large as the input may be"},
};

START_TEST(large_garbage_becomes_a_dead_letter)
{
    uint8_t *bytes = mr_xcalloc(1, garbage[_i].bytes);
    struct toy toy;
    size_t letters;

    toy_init(&toy, "");
    memset(bytes, 0x7F, garbage[_i].bytes);
    toy_send_bytes(&toy, "user-1", bytes, garbage[_i].bytes);
    toy_send(&toy, "user-1", "after");
    run(&toy);
    letters = toy_read(&toy, "toy.gate.dlq", records);
    ck_assert_uint_eq(letters, 1);
    ck_assert_uint_eq(toy_read(&toy, "passed", records), 1);
    toy_fini(&toy);
    free(bytes);
}
END_TEST

START_TEST(a_tombstone_where_none_is_allowed_becomes_a_dead_letter)
{
    struct toy toy;

    toy_init(&toy, "");
    toy_send_tombstone(&toy, "user-1");
    toy_send(&toy, "user-1", "after");
    run(&toy);
    ck_assert_uint_eq(toy_read(&toy, "toy.gate.dlq", records), 1);
    ck_assert_uint_eq(toy_read(&toy, "passed", records), 1);
    toy_fini(&toy);
}
END_TEST

START_TEST(a_poisonous_record_with_many_headers_becomes_a_dead_letter)
{
    struct mr_header headers[MR_HEADERS_MAX];
    struct toy toy;

    for (size_t i = 0; i < MR_HEADERS_MAX; i++) {
        headers[i] = (struct mr_header){.name = "trace", .value = mr_slice_str("x")};
    }
    toy_init(&toy, "");
    toy_send_headers(&toy, "user-1", headers, MR_HEADERS_MAX);
    toy_send(&toy, "user-1", "after");
    run(&toy);
    ck_assert_uint_eq(toy_read(&toy, "toy.gate.dlq", records), 1);
    ck_assert_uint_eq(toy_read(&toy, "passed", records), 1);
    toy_fini(&toy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outputs");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, of_a_latest_port_the_last_good_value_is_written, 0,
                        (int)MR_COUNT(mixes));
    tcase_add_test(tcase, many_keys_keep_their_own_last_value);
    tcase_add_loop_test(tcase, large_garbage_becomes_a_dead_letter, 0, (int)MR_COUNT(garbage));
    tcase_add_test(tcase, a_tombstone_where_none_is_allowed_becomes_a_dead_letter);
    tcase_add_test(tcase, a_poisonous_record_with_many_headers_becomes_a_dead_letter);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
