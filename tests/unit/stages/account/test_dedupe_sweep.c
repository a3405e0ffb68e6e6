/*
 * Goal:   requests whose window is over are deleted a few at a time, all of them and no others, the
 *         same ones after a crash; as long as none is due it costs nothing.
 * Method: runs of requests with chosen clocks; what is stored against what may be stored.
 */
#include "account_fixture.h"
#include "avro/dedupe_entry.h"
#include "avro/dedupe_sweep.h"
#include "dedupe/dedupe.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 64 /* as in dedupe.c */
#define BATCH_RECORDS 16

static struct mr_driver *driver;

static struct mr_driver *with_window(const char *window)
{
    const struct mr_driver_setting setting = {.name = "window", .text = window};

    return mr_driver_create(&dedupe_stage, &setting, 1);
}

static void setup(void)
{
    driver = with_window("1h");
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

static enum mr_status try_push(struct mr_driver *to, const char *id, int64_t offset_us)
{
    struct oms_order_command order = fixture_limit(id, "u1", OMS_SIDE_BUY, "1", "100");

    order.ts_us = FIXTURE_TS_US + offset_us;
    return mr_driver_push(to, "orders", order.user_id, &order);
}

/* Request `prefix``n` at an offset from the start. */
static void push_to(struct mr_driver *to, const char *prefix, int n, int64_t offset_us)
{
    char id[16];

    (void)snprintf(id, sizeof(id), "%s%d", prefix, n);
    ck_assert_int_eq(try_push(to, id, offset_us), MR_OK);
}

static void push(const char *prefix, int n, int64_t offset_us)
{
    push_to(driver, prefix, n, offset_us);
}

static size_t seen(void)
{
    return mr_driver_store_count(driver, "seen");
}

static uint64_t expired(void)
{
    return mr_driver_counter(driver, "expired_total");
}

static struct oms_dedupe_sweep sweep_row(void)
{
    struct oms_dedupe_sweep row = {0};

    ck_assert(mr_driver_store_get(driver, "sweep", s("sweep"), &row));
    ck_assert_uint_eq(mr_driver_store_count(driver, "sweep"), 1);
    ck_assert_int_le(row.bound_ts_us, row.oldest_ts_us);
    return row;
}

static bool visit_oldest(void *arg, struct mr_slice key, const void *value)
{
    const struct oms_dedupe_entry *entry = value;
    int64_t *oldest = arg;

    (void)key;
    *oldest = entry->first_ts_us < *oldest ? entry->first_ts_us : *oldest;
    return true;
}

/* Offset of the oldest entry that is stored. */
static int64_t oldest_offset(void)
{
    const struct mr_slice all = {0};
    int64_t oldest = INT64_MAX;
    struct mr_err err = {0};

    ck_assert_int_eq(
        mr_store_scan(mr_driver_store(driver, "seen"), all, all, visit_oldest, &oldest, &err),
        MR_OK);
    return oldest - FIXTURE_TS_US;
}

START_TEST(as_long_as_none_is_due_a_request_costs_one_put)
{
    push("o", 0, 0);
    for (int i = 1; i < 1000; i++) {
        const size_t calls = mr_driver_store_calls(driver);
        const struct oms_dedupe_sweep row = sweep_row();

        ck_assert_int_eq(row.bound_ts_us, FIXTURE_TS_US);
        ck_assert_uint_eq(row.cursor.len, 0);
        push("o", i, (int64_t)i * 3 * MR_SECOND_US);
        /* Both rows are looked up, one is written: a put of the second would be a fourth call. */
        ck_assert_uint_eq(mr_driver_store_calls(driver) - calls, 3);
    }
    ck_assert_uint_eq(mr_driver_scan_calls(driver), 0);
    ck_assert_uint_eq(seen(), 1000);
}
END_TEST

START_TEST(sixteen_requests_pay_for_one_batch)
{
    const size_t old = 200;

    for (int i = 0; i < (int)old; i++) {
        push("o", i, i);
    }
    /* Their keys are behind those of the old ones. */
    for (size_t i = 0; i < 4 * BATCH_RECORDS; i++) {
        const size_t batches = i / BATCH_RECORDS + 1;

        push("z", (int)i, 2 * MR_HOUR_US + (int64_t)i);
        ck_assert_uint_eq(mr_driver_scan_calls(driver), batches);
        ck_assert_uint_eq(expired(), batches * BATCH < old ? batches * BATCH : old);
    }
    ck_assert_uint_eq(seen(), 4 * BATCH_RECORDS);
    /* The last batch reached the end: nothing is due, and nothing is done any more. */
    ck_assert_int_eq(sweep_row().bound_ts_us, FIXTURE_TS_US + 2 * MR_HOUR_US);
    push("z", 1000, 3 * MR_HOUR_US - 1);
    ck_assert_uint_eq(mr_driver_scan_calls(driver), 4);
}
END_TEST

/* A request every millisecond for ten windows, in an order of keys that is not the order of time.
 */
START_TEST(the_store_stays_a_third_above_the_window)
{
    const size_t window = 1000;
    const size_t most = window + window / 3 + 2 * BATCH;
    size_t peak = 0;

    mr_driver_destroy(&driver);
    driver = with_window("1s");
    for (int i = 0; i < 10 * (int)window; i++) {
        push("o", i * 7919 % 10007, (int64_t)i * MR_MS_US);
        peak = seen() > peak ? seen() : peak;
        if (i % 100 == 0) {
            /* What is due goes within a sweep, a third of the entries' number in requests. */
            ck_assert_int_ge(oldest_offset(), (int64_t)(i - (int)most - BATCH_RECORDS) * MR_MS_US);
        }
    }
    ck_assert_uint_ge(peak, window);
    ck_assert_uint_le(peak, most);
    ck_assert_uint_le(mr_driver_scan_calls(driver), 10 * window / BATCH_RECORDS + 101);
}
END_TEST

START_TEST(all_that_is_due_is_gone_after_a_sweep)
{
    const int old = 1000;

    for (int i = 0; i < old; i++) {
        push("o", i * 7919 % 10007, i);
    }
    /* 1000 / 3, and no more than a batch late. */
    for (int i = 0; i < old / 3 + BATCH_RECORDS; i++) {
        push("p", i * 7919 % 10007, 2 * MR_HOUR_US + i);
    }
    ck_assert_uint_eq(expired(), (uint64_t)old);
    ck_assert_int_ge(oldest_offset(), 2 * MR_HOUR_US);
}
END_TEST

START_TEST(a_key_that_was_used_again_is_spared)
{
    push("o", 1, 0);
    for (int i = 0; i < 100; i++) {
        push("p", i, 1);
    }
    /* The first record takes the first batch, and o1 with it; p99 is not deleted yet. */
    push("o", 1, 2 * MR_HOUR_US);
    ck_assert_uint_eq(expired(), BATCH - 1);
    push("p", 99, 2 * MR_HOUR_US + 1);
    for (int i = 0; i < 2 * BATCH_RECORDS; i++) {
        push("q", i, 2 * MR_HOUR_US + 2);
    }
    ck_assert_uint_eq(seen(), 2 + 2 * BATCH_RECORDS);
    push("p", 99, 2 * MR_HOUR_US + 3);
    push("o", 1, 3 * MR_HOUR_US - 1);
    ck_assert_uint_eq(mr_driver_counter(driver, "duplicates_total"), 2);
}
END_TEST

START_TEST(older_clocks_lower_the_bound)
{
    push("o", 1, 0);
    push("o", 2, -30 * MR_MINUTE_US);
    ck_assert_int_eq(sweep_row().bound_ts_us, FIXTURE_TS_US - 30 * MR_MINUTE_US);
    push("o", 3, -10 * MR_MINUTE_US);
    ck_assert_int_eq(sweep_row().bound_ts_us, FIXTURE_TS_US - 30 * MR_MINUTE_US);
    push("o", 4, 30 * MR_MINUTE_US);
    ck_assert_uint_eq(expired(), 1);
    ck_assert_int_eq(sweep_row().bound_ts_us, FIXTURE_TS_US - 10 * MR_MINUTE_US);
}
END_TEST

START_TEST(older_clocks_within_a_sweep_are_not_lost)
{
    for (int i = 0; i < 100; i++) {
        push("p", i, 0);
    }
    push("x", 0, MR_HOUR_US);
    ck_assert_uint_eq(expired(), BATCH);
    ck_assert_uint_gt(sweep_row().cursor.len, 0);
    /* Before the cursor, older than all that the sweep left; and too old to be due for it. */
    push("a", 1, 1);
    ck_assert_int_eq(sweep_row().oldest_ts_us, FIXTURE_TS_US + 1);
    ck_assert_uint_eq(expired(), BATCH);
    for (int i = 0; i < BATCH_RECORDS; i++) {
        push("z", i, MR_HOUR_US + 1);
    }
    ck_assert_uint_eq(expired(), 100);
    ck_assert_int_eq(sweep_row().bound_ts_us, FIXTURE_TS_US + 1);
    for (int i = 0; i < BATCH_RECORDS; i++) {
        push("y", i, MR_HOUR_US + 1);
    }
    ck_assert_uint_eq(expired(), 101);
}
END_TEST

START_TEST(a_clock_far_ahead_does_not_stop_the_sweeps)
{
    push("o", 1, 1000 * MR_DAY_US);
    for (int i = 0; i < 100; i++) {
        push("p", i, i);
    }
    for (int i = 0; i < 3 * BATCH_RECORDS; i++) {
        push("q", i, 2 * MR_HOUR_US + i);
    }
    ck_assert_uint_eq(expired(), 100);
    ck_assert_uint_eq(seen(), 1 + 3 * BATCH_RECORDS);
}
END_TEST

/* Step n of a run with old and new keys, some of them late: the same for every driver. */
static void step(struct mr_driver *to, int n)
{
    const uint64_t weyl = (uint64_t)(n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t random = (weyl ^ (weyl >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    const int64_t late_us = random % 10 == 0 ? (int64_t)(random >> 40) % (MR_SECOND_US / 5) : 0;

    push_to(to, "k", (int)(random >> 20) % 700, (int64_t)n * MR_MS_US - late_us);
}

START_TEST(undo_and_restart_do_not_change_what_is_deleted)
{
    struct mr_driver *calm = with_window("300ms");
    int committed = 0;

    mr_driver_destroy(&driver);
    driver = with_window("300ms");
    for (int i = 0; i < 3000; i++) {
        step(driver, i);
        step(calm, i);
        ck_assert_uint_eq(mr_driver_state_digest(driver), mr_driver_state_digest(calm));
        if (i % (7 + _i) == 0) {
            ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
            committed = i + 1;
        }
        if (i % (23 + _i) == 0) {
            mr_driver_restart(driver);
        } else if (i % (31 + _i) == 0) {
            mr_driver_abort(driver);
        } else {
            continue;
        }
        for (int k = committed; k <= i; k++) {
            step(driver, k);
        }
        ck_assert_uint_eq(mr_driver_state_digest(driver), mr_driver_state_digest(calm));
    }
    ck_assert_uint_gt(mr_driver_counter(calm, "expired_total"), 500);
    ck_assert_uint_gt(mr_driver_counter(calm, "duplicates_total"), 100);
    mr_driver_destroy(&calm);
}
END_TEST

START_TEST(a_fault_within_a_batch_leaves_no_trace)
{
    static const struct {
        enum mr_driver_fault fault;
        unsigned calls; /* of that kind in the record */
    } faults[] = {
        {MR_DRIVER_FAULT_GET, 3},             /* both rows, the scan */
        {MR_DRIVER_FAULT_PUT, 1 + BATCH + 1}, /* entry, deletes, row */
        {MR_DRIVER_FAULT_EMIT, 1},
        {MR_DRIVER_FAULT_EMIT_POISON, 1},
    };
    uint64_t before = 0;

    for (int i = 0; i < 100; i++) {
        push("o", i, i);
    }
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    before = mr_driver_state_digest(driver);
    for (size_t i = 0; i < MR_COUNT(faults); i++) {
        for (unsigned nth = 1; nth <= faults[i].calls; nth++) {
            mr_driver_fail(driver, faults[i].fault, nth);
            ck_assert_int_ne(try_push(driver, "z", 2 * MR_HOUR_US), MR_OK);
            ck_assert_uint_eq(mr_driver_state_digest(driver), before);
        }
    }
    ck_assert_int_eq(try_push(driver, "z", 2 * MR_HOUR_US), MR_OK);
    ck_assert_uint_eq(seen(), 100 + 1 - BATCH);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dedupe: expiry");
    TCase *tcase = tcase_create("expiry");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, as_long_as_none_is_due_a_request_costs_one_put);
    tcase_add_test(tcase, sixteen_requests_pay_for_one_batch);
    tcase_add_test(tcase, the_store_stays_a_third_above_the_window);
    tcase_add_test(tcase, all_that_is_due_is_gone_after_a_sweep);
    tcase_add_test(tcase, a_key_that_was_used_again_is_spared);
    tcase_add_test(tcase, older_clocks_lower_the_bound);
    tcase_add_test(tcase, older_clocks_within_a_sweep_are_not_lost);
    tcase_add_test(tcase, a_clock_far_ahead_does_not_stop_the_sweeps);
    tcase_add_loop_test(tcase, undo_and_restart_do_not_change_what_is_deleted, 0, 4);
    tcase_add_test(tcase, a_fault_within_a_batch_leaves_no_trace);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
