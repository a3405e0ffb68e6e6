/*
 * test_compaction.c -- what a broker's cleaner takes away from changelogs and tables.
 *
 * Goal:   whoever has not read for longer than tombstones live may have missed some, and reads from
 *         the beginning; a table is complete before anything is looked up in it.
 * Method: a worker is not stepped for a day and more; meanwhile another one deletes, and the log is
 *         compacted. Then its state must not have what was deleted.
 */
#include "avro/balance.h"
#include "millrace/partition.h"
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SESSION_US (7 * MR_SECOND_US)
#define USERS 10
#define MANY_USERS 3000
#define FILLERS 2000 /* as many as a worker polls at once */

static struct toy_record records[TOY_READ_MAX];

static const char table_graph[] =
    "topics:\n"
    "  orders: {key: userId, value: OrderCommand}\n"
    "  limits: {key: userId, value: Balance, cleanup: compact, partitions: 1}\n"
    "  answers: {key: userId, value: Balance}\n"
    "stages:\n"
    "  clerk: {type: clerk, in: {orders: orders, limits: {table: limits}},\n"
    "          out: {answers: answers}}\n"
    "groups:\n"
    "  toy: {stages: [clerk]}\n";

static const char *user_name(int number)
{
    static char name[24];

    snprintf(name, sizeof(name), "user-%d", number);
    return name;
}

static void send_all(struct toy *toy, int users, const char *id)
{
    for (int i = 0; i < users; i++) {
        toy_send(toy, user_name(i), id);
    }
}

/* A day and more passes, and the cleaner runs. */
static void sleep_long(struct toy *toy, const char *topic)
{
    toy->now_us += 30 * MR_HOUR_US;
    mr_log_memory_compact(toy->log, topic, (toy->now_us - MR_DAY_US) / MR_MS_US);
}

static void clean_changelogs(struct toy *toy)
{
    toy->now_us += 30 * MR_HOUR_US;
    for (size_t i = 0; i < toy->topology->stage_count; i++) {
        mr_log_memory_compact(toy->log,
                              toy->topology->topics[toy->topology->stages[i].changelog].name,
                              (toy->now_us - MR_DAY_US) / MR_MS_US);
    }
}

/* Whether a state directory has a total of the user. */
static bool has_total(struct toy *toy, struct mr_backend *state, const char *user)
{
    struct mr_buffer value = MR_BUFFER_EMPTY;
    struct mr_space *space;
    bool found;

    ck_assert_int_eq(
        state->ops->space_open(state, "tally.totals", toy_partition(user), &space, &toy->err),
        MR_OK);
    ck_assert_int_eq(state->ops->get(state, space, mr_slice_str(user), &value, &found, &toy->err),
                     MR_OK);
    ck_assert_int_eq(state->ops->space_close(state, space, &toy->err), MR_OK);
    mr_buffer_fini(&value);
    return found;
}

static int totals(struct toy *toy, struct mr_backend *state, int users)
{
    int count = 0;

    for (int i = 0; i < users; i++) {
        count += has_total(toy, state, user_name(i));
    }
    return count;
}

/* Two workers, of which the second one sleeps while the first one deletes what it knows. */
struct pair {
    struct toy toy;
    struct mr_worker *workers[2];
    struct mr_backend *state; /* of the second */
};

static void pair_init(struct pair *pair, const char *graph)
{
    toy_init_graph(&pair->toy, "", graph);
    pair->state = mr_backend_memory_create();
    toy_start(&pair->toy);
    pair->workers[0] = pair->toy.worker;
    pair->workers[1] = toy_worker(&pair->toy, "1", pair->state);
}

static void pair_fini(struct pair *pair)
{
    mr_worker_destroy(&pair->workers[1]);
    toy_stop(&pair->toy);
    mr_backend_close(&pair->state);
    toy_fini(&pair->toy);
}

static void first_forgets(struct pair *pair, int users)
{
    pair->toy.now_us += SESSION_US;
    toy_run_all(&pair->toy, pair->workers, 1);
    send_all(&pair->toy, users, "forget");
    toy_run_all(&pair->toy, pair->workers, 1);
    ck_assert_int_eq(totals(&pair->toy, pair->toy.backend, users), 0);
    clean_changelogs(&pair->toy);
    toy_run_all(&pair->toy, pair->workers, 1);
}

START_TEST(a_standby_that_slept_longer_than_tombstones_live_reads_anew)
{
    struct pair pair;

    pair_init(&pair, toy_standby_graph);
    send_all(&pair.toy, USERS, "x");
    toy_run_all(&pair.toy, pair.workers, 2);
    ck_assert_int_eq(totals(&pair.toy, pair.state, USERS), USERS);
    first_forgets(&pair, USERS);
    ck_assert_int_eq(totals(&pair.toy, pair.state, USERS), USERS);
    toy_run_all(&pair.toy, pair.workers, 2);
    for (int i = 0; i < 2000; i++) { /* it waits a second before it reads again */
        (void)toy_step(&pair.toy, pair.workers[0]);
        (void)toy_step(&pair.toy, pair.workers[1]);
    }
    ck_assert_int_eq(totals(&pair.toy, pair.state, USERS), 0);
    pair_fini(&pair);
}
END_TEST

/* What it had committed and not yet written is written when it wakes: no newer for that. */
START_TEST(state_is_as_old_as_its_commit)
{
    struct pair pair;

    pair_init(&pair, toy_pair_graph);
    toy_run_all(&pair.toy, pair.workers, 2);
    send_all(&pair.toy, USERS, "x");
    for (int i = 0; i < 100; i++) {
        (void)toy_step(&pair.toy, pair.workers[0]);
        (void)toy_step(&pair.toy, pair.workers[1]);
    }
    ck_assert_int_eq(totals(&pair.toy, pair.state, USERS), 0);
    ck_assert_uint_gt(toy_read(&pair.toy, "totals", records), USERS / 2);
    first_forgets(&pair, USERS);
    toy_run_all(&pair.toy, pair.workers, 2);
    ck_assert_int_eq(totals(&pair.toy, pair.state, USERS), 0);
    pair_fini(&pair);
}
END_TEST

START_TEST(a_restore_that_slept_longer_than_tombstones_live_starts_over)
{
    struct mr_worker_status status = {0};
    struct pair pair;

    pair_init(&pair, toy_pair_graph);
    send_all(&pair.toy, MANY_USERS, "x");
    toy_run_all(&pair.toy, pair.workers, 1);
    while (status.restored_records == 0) {
        (void)toy_step(&pair.toy, pair.workers[0]);
        (void)toy_step(&pair.toy, pair.workers[1]);
        mr_worker_status(pair.workers[1], &status);
    }
    ck_assert_uint_eq(status.tasks_ready, 0);
    ck_assert_int_gt(totals(&pair.toy, pair.state, MANY_USERS), 0);
    first_forgets(&pair, MANY_USERS);
    toy_run_all(&pair.toy, pair.workers, 2);
    ck_assert_int_eq(totals(&pair.toy, pair.state, MANY_USERS), 0);
    pair_fini(&pair);
}
END_TEST

/* ---- tables ---------------------------------------------------------------------------------- */

/* version 0: a tombstone. */
static void send_limit(struct toy *toy, const char *user, int64_t version)
{
    const struct oms_balance limit = {
        .user_id = mr_slice_str(user), .asset = mr_slice_str("BTC"), .version = version};
    struct mr_outgoing record = {.timestamp_ms = toy->now_us / MR_MS_US,
                                 .key = mr_slice_str(user),
                                 .has_value = version != 0};
    struct mr_binding binding;
    uint8_t bytes[1024];

    ck_assert_int_eq(
        mr_codec_bind(toy->codec, &oms_balance_schema, "limits-value", &binding, &toy->err), MR_OK);
    ck_assert_uint_le(mr_codec_framed_bytes_max(&binding, &limit), sizeof(bytes));
    if (record.has_value) {
        record.value = mr_slice_of(bytes, mr_codec_encode(&binding, &limit, bytes));
    }
    ck_assert_int_eq(mr_producer_topic(toy->producer, "limits", &record.topic, NULL, &toy->err),
                     MR_OK);
    ck_assert_int_eq(mr_producer_send(toy->producer, &record, &toy->err), MR_OK);
    ck_assert_int_eq(mr_producer_flush(toy->producer, MR_SECOND_US, &toy->err), MR_OK);
}

static void send_fillers(struct toy *toy, int from)
{
    for (int i = from; i < from + FILLERS; i++) {
        send_limit(toy, user_name(i + 100), 1);
    }
}

/* The answer to the user's last order. */
static int64_t answer(struct toy *toy, const char *user)
{
    const size_t count = toy_read(toy, "answers", records);
    int64_t last = -1;

    for (size_t i = 0; i < count; i++) {
        last = strcmp(records[i].key, user) == 0 ? records[i].total : last;
    }
    return last;
}

START_TEST(a_table_that_was_not_read_for_longer_than_tombstones_live_is_read_anew)
{
    struct toy toy;

    toy_init_graph(&toy, "", table_graph);
    send_limit(&toy, "user-1", 7);
    send_limit(&toy, "user-2", 8);
    toy_start(&toy);
    toy_send(&toy, "user-1", "x");
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(answer(&toy, "user-1"), 7);
    send_limit(&toy, "user-1", 0);
    sleep_long(&toy, "limits");
    toy_send(&toy, "user-1", "x");
    toy_send(&toy, "user-2", "x");
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(answer(&toy, "user-1"), 0);
    ck_assert_int_eq(answer(&toy, "user-2"), 8);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

/* While it is read the cleaner takes a record for the sake of one behind where it ended. */
START_TEST(a_table_is_ready_with_every_key_that_it_had)
{
    struct toy toy;

    toy_init_graph(&toy, "", table_graph);
    send_fillers(&toy, 0);
    send_limit(&toy, "user-1", 7);
    toy_send(&toy, "user-1", "x");
    toy_start(&toy);
    toy_run_for(&toy, toy.worker, 2); /* starts, and reads the first of them */
    send_fillers(&toy, FILLERS);
    send_limit(&toy, "user-1", 8);
    mr_log_memory_compact(toy.log, "limits", 0);
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(answer(&toy, "user-1"), 8);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compaction");
    TCase *tcase = tcase_create("compaction");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_standby_that_slept_longer_than_tombstones_live_reads_anew);
    tcase_add_test(tcase, state_is_as_old_as_its_commit);
    tcase_add_test(tcase, a_restore_that_slept_longer_than_tombstones_live_starts_over);
    tcase_add_test(tcase, a_table_that_was_not_read_for_longer_than_tombstones_live_is_read_anew);
    tcase_add_test(tcase, a_table_is_ready_with_every_key_that_it_had);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
