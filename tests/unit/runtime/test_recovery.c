/*
 * test_recovery.c -- what a worker does when something other than a record goes wrong.
 *
 * Goal:   a failure costs a restart or a wait, never a record, and never state that differs from
 *         the changelog.
 * Method: the toy pipeline with a state backend that fails on demand, a foreign transaction in a
 *         changelog, a stage whose server is away, and calls of the log that fail together.
 */
#include "avro/price_state.h"
#include "millrace/changelog.h"
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDERS 60

static struct toy_record records[TOY_READ_MAX];

static void send_some(struct toy *toy, const char *user, int count)
{
    for (int i = 0; i < count; i++) {
        toy_send(toy, user, "x");
    }
}

/* ---- a backend that fails -------------------------------------------------------------------- */

static const struct mr_backend_ops *real_ops;
static struct mr_backend_ops failing_ops;
static int writes_left; /* before the one that fails */

static enum mr_status write_batch(struct mr_backend *backend, const struct mr_backend_write *writes,
                                  size_t write_count, const struct mr_backend_write *metas,
                                  size_t meta_count, bool durable, struct mr_err *err)
{
    return writes_left-- == 0
               ? mr_fail(err, MR_STORE_IO, "the disk is full")
               : real_ops->write(backend, writes, write_count, metas, meta_count, durable, err);
}

static void fail_write(struct mr_backend *backend, int after)
{
    real_ops = backend->ops;
    failing_ops = *backend->ops;
    failing_ops.write = write_batch;
    backend->ops = &failing_ops;
    writes_left = after;
}

/* The log has committed: to take the inputs again would double them. */
START_TEST(a_state_write_that_fails_stops_the_worker)
{
    for (int writes = 0; writes < 4; writes++) {
        struct mr_worker_status status;
        struct toy toy;
        int sent = 0;
        bool busy;

        toy_init(&toy, ", commit-records: 5");
        fail_write(toy.backend, writes);
        toy_start(&toy);
        while (mr_worker_step(toy.worker, 0, &busy, &toy.err) == MR_OK) {
            toy_send(&toy, "user-1", "x");
            toy.now_us += 50 * MR_MS_US;
            ck_assert_int_lt(++sent, 1000);
        }
        ck_assert_int_eq(mr_status_class(toy.err.status), MR_CLASS_FATAL);
        ck_assert_ptr_nonnull(strstr(toy.err.text, "the disk is full"));
        mr_worker_status(toy.worker, &status);
        ck_assert_int_eq(status.state, MR_WORKER_FAILED);
        ck_assert_uint_eq(status.aborts, 0);
        toy_crash(&toy);
        toy_start(&toy);
        ck_assert_int_eq(toy_run(&toy), 0);
        ck_assert_int_eq(toy_total(&toy, "user-1"), sent);
        ck_assert_uint_eq(toy_read(&toy, "passed", records), (size_t)sent);
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

/* ---- a restore that meets a failure -----------------------------------------------------------
 */

/* What was read has passed the reader: the restore starts over, and the worker lives. */
START_TEST(a_restore_whose_write_fails_starts_over)
{
    struct toy toy;

    toy_init(&toy, ", commit-records: 5");
    toy_start(&toy);
    send_some(&toy, "user-1", ORDERS);
    ck_assert_int_eq(toy_run(&toy), 0);
    toy_stop(&toy);
    toy_lose_state(&toy);
    fail_write(toy.backend, _i);
    toy_start(&toy);
    toy_run_for(&toy, toy.worker, 2000);
    ck_assert_int_lt(writes_left, 0);
    send_some(&toy, "user-1", ORDERS);
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 2 * ORDERS);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

START_TEST(a_restore_goes_on_polling_when_no_server_answers)
{
    struct toy toy;

    toy_init(&toy, ", commit-records: 5");
    toy_start(&toy);
    send_some(&toy, "user-1", ORDERS);
    ck_assert_int_eq(toy_run(&toy), 0);
    toy_stop(&toy);
    toy_lose_state(&toy);
    mr_log_memory_fail(toy.log, MR_LOG_CALL_POLL, _i + 1, MR_UNAVAILABLE, false);
    toy_start(&toy);
    toy_run_for(&toy, toy.worker, 2000);
    send_some(&toy, "user-1", ORDERS);
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 2 * ORDERS);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

/* ---- at least once --------------------------------------------------------------------------- */

START_TEST(at_least_once_works_too)
{
    struct toy toy;

    toy_init(&toy, ", guarantee: at-least-once, commit-records: 5");
    toy_start(&toy);
    send_some(&toy, "user-1", ORDERS);
    toy_send(&toy, "user-1", "bad");
    ck_assert_int_eq(toy_run(&toy), 0);
    toy_stop(&toy);
    toy_start(&toy);
    send_some(&toy, "user-1", ORDERS);
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 2 * ORDERS);
    ck_assert_uint_eq(toy_read(&toy, "passed", records), 2 * ORDERS);
    ck_assert_uint_eq(toy_read(&toy, "toy.gate.dlq", records), 1);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

START_TEST(at_least_once_loses_nothing_when_a_flush_fails)
{
    for (int n = 1; n < 6; n++) {
        struct toy toy;

        toy_init(&toy, ", guarantee: at-least-once, commit-records: 5");
        toy_start(&toy);
        mr_log_memory_fail(toy.log, MR_LOG_CALL_FLUSH, ORDERS + n, MR_TIMEOUT, false);
        send_some(&toy, "user-1", ORDERS);
        ck_assert_int_eq(toy_run(&toy), 0);
        /* Repeated, perhaps; state that was not committed was forgotten. */
        ck_assert_uint_ge(toy_read(&toy, "passed", records), ORDERS);
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

/* ---- a former owner's transaction ------------------------------------------------------------ */

struct foreign {
    struct mr_producer *producer;
    struct mr_binding binding;
};

/* A transaction of somebody else in the changelog of tally, open as long as wanted. */
static void foreign_begin(struct toy *toy, struct foreign *foreign, const char *user, int64_t total)
{
    const struct mr_producer_options options = {.transactional_id = "former-owner",
                                                .transaction_timeout_us = 60 * MR_SECOND_US};
    const size_t topic = mr_topology_find_topic(toy->topology, "toy-tally-changelog");
    const struct mr_topic *spec = &toy->topology->topics[topic];
    const struct mr_stage_node *stage =
        &toy->topology->stages[mr_topology_find_stage(toy->topology, "tally")];
    const struct mr_store_spec *store = &stage->type->stores[0];
    const struct oms_price_state value = {.last_trade_id = total};
    uint8_t bytes[256];
    uint8_t key[MR_CHANGELOG_KEY_BYTES_MAX];
    struct mr_outgoing record = {
        .partition = toy_partition(user),
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = mr_slice_of(key, mr_changelog_key(store, mr_slice_str(user), key)),
        .has_value = true,
    };

    ck_assert_int_eq(mr_producer_open(toy->log, &options, 0, &foreign->producer, &toy->err), MR_OK);
    ck_assert_int_eq(
        mr_producer_topic(foreign->producer, spec->name, &record.topic, NULL, &toy->err), MR_OK);
    ck_assert_int_eq(mr_codec_bind(toy->codec, store->schema, stage->store_subjects[0],
                                   &foreign->binding, &toy->err),
                     MR_OK);
    record.value = mr_slice_of(bytes, mr_codec_encode(&foreign->binding, &value, bytes));
    ck_assert_int_eq(mr_producer_begin(foreign->producer, &toy->err), MR_OK);
    ck_assert_int_eq(mr_producer_send(foreign->producer, &record, &toy->err), MR_OK);
}

/*
 * The markers of a commit reach the offsets' partition and the changelog's each in its own time: a
 * task that takes the last stable offset for the end would go without the last transaction.
 */
START_TEST(a_task_waits_for_the_former_owners_transaction)
{
    const bool committed = _i % 2 == 1;
    const bool kept_state = _i / 2 == 1;
    struct mr_worker_status status;
    struct foreign foreign;
    struct toy toy;

    toy_init(&toy, "");
    toy.accept_lost_offsets = true; /* the foreign transaction writes a changelog alone */
    if (kept_state) {
        toy_start(&toy);
        send_some(&toy, "user-1", 7);
        ck_assert_int_eq(toy_run(&toy), 0);
        toy_stop(&toy);
    }
    foreign_begin(&toy, &foreign, "user-1", 41);
    toy_start(&toy);
    send_some(&toy, "user-1", 1);
    toy_run_for(&toy, toy.worker, 200);
    mr_worker_status(toy.worker, &status);
    ck_assert_uint_eq(status.tasks_ready, TOY_PARTITIONS - 1);
    ck_assert_int_eq(toy_total(&toy, "user-1"), kept_state ? 7 : 0);
    if (committed) {
        ck_assert_int_eq(mr_producer_commit(foreign.producer, NULL, NULL, 0, &toy.err), MR_OK);
    } else {
        ck_assert_int_eq(mr_producer_abort(foreign.producer, &toy.err), MR_OK);
    }
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), committed ? 42 : kept_state ? 8 : 1);
    toy_stop(&toy);
    mr_producer_close(&foreign.producer);
    toy_fini(&toy);
}
END_TEST

/* ---- a changelog that is gone ---------------------------------------------------------------- */

/* The state on disk says that it goes to a later offset than its changelog has. */
static void move_offset(struct toy *toy, const char *user, int64_t by)
{
    const struct mr_slice key = mr_slice_str("changelog-offset");
    struct mr_buffer value = MR_BUFFER_EMPTY;
    struct mr_space *space;
    struct mr_err *err = &toy->err;
    int64_t offset = 0;
    bool found;

    ck_assert_int_eq(toy->backend->ops->space_open(toy->backend, "tally.totals",
                                                   toy_partition(user), &space, err),
                     MR_OK);
    ck_assert_int_eq(toy->backend->ops->meta_get(toy->backend, space, key, &value, &found, err),
                     MR_OK);
    ck_assert(found && value.len == 16);
    for (int i = 0; i < 8; i++) {
        offset = offset * 256 + value.data[i];
    }
    offset += by;
    for (int i = 0; i < 8; i++) {
        value.data[i] = (uint8_t)(offset >> (56 - 8 * i));
    }
    ck_assert_int_eq(
        toy->backend->ops->write(
            toy->backend, NULL, 0,
            &(struct mr_backend_write){
                .space = space, .key = key, .value = mr_buffer_slice(&value), .has_value = true},
            1, false, err),
        MR_OK);
    mr_buffer_fini(&value);
}

START_TEST(state_beyond_its_changelog_is_refused_until_that_is_accepted)
{
    enum mr_status status = MR_OK;
    struct toy toy;
    bool busy;

    toy_init(&toy, "");
    toy_start(&toy);
    send_some(&toy, "user-1", 7);
    ck_assert_int_eq(toy_run(&toy), 0);
    toy_stop(&toy);
    move_offset(&toy, "user-1", 1000);
    toy_start(&toy);
    for (int i = 0; i < 100 && status == MR_OK; i++) {
        status = mr_worker_step(toy.worker, 0, &busy, &toy.err);
    }
    ck_assert_int_eq(status, MR_FOREIGN_STATE);
    ck_assert_ptr_nonnull(strstr(toy.err.text, "--accept-lost-changelog"));
    ck_assert_ptr_nonnull(strstr(toy.err.text, "stage tally"));
    toy_crash(&toy);
    toy.accept_lost_changelog = true;
    toy_start(&toy);
    send_some(&toy, "user-1", 1);
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 8); /* what the changelog has is what there is */
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

/* As Kafka does with those of a group that was away for a week. */
static void lose_offsets(struct toy *toy)
{
    const struct mr_topic_partition lost[] = {
        {.topic = "orders", .partition = 0, .offset = MR_OFFSET_NONE},
        {.topic = "orders", .partition = 1, .offset = MR_OFFSET_NONE}};

    toy->now_us += MR_HOUR_US; /* the sessions of its members are over */
    ck_assert_msg(mr_log_group_commit(toy->log, "toy.toy", lost, 2, &toy->err) == MR_OK, "%s",
                  toy->err.text);
}

START_TEST(state_without_offsets_is_refused_until_that_is_accepted)
{
    enum mr_status status = MR_OK;
    struct toy toy;
    bool busy;

    toy_init(&toy, "");
    toy_start(&toy);
    send_some(&toy, "user-1", 7);
    ck_assert_int_eq(toy_run(&toy), 0);
    toy_stop(&toy);
    if (_i == 1) {
        toy_lose_state(&toy); /* the changelog has it */
    }
    lose_offsets(&toy);
    toy_start(&toy);
    for (int i = 0; i < 100 && status == MR_OK; i++) {
        status = mr_worker_step(toy.worker, 0, &busy, &toy.err);
        toy.now_us += MR_MS_US;
    }
    ck_assert_int_eq(status, MR_FOREIGN_STATE);
    ck_assert_ptr_nonnull(strstr(toy.err.text, "--accept-lost-offsets"));
    toy_crash(&toy);
    toy.accept_lost_offsets = true;
    toy_start(&toy);
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 14); /* everything a second time, as was said */
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

/* ---- servers that are away ------------------------------------------------------------------- */

START_TEST(a_record_that_must_wait_holds_up_only_what_follows_it)
{
    struct mr_worker_status status;
    struct toy toy;

    toy_init(&toy, ", commit-records: 1000");
    send_some(&toy, "user-1", 30);
    toy_send(&toy, "user-1", "busy");
    send_some(&toy, "user-1", 30);
    toy_refusals = 12;
    toy_start(&toy);
    toy_run_for(&toy, toy.worker, 100);
    /* What stands before it is committed while it waits. */
    ck_assert_int_eq(toy_total(&toy, "user-1"), 30);
    mr_worker_status(toy.worker, &status);
    ck_assert_str_ne(status.blocked_on, "");
    while (toy_refusals > 0) {
        toy_run_for(&toy, toy.worker, 1000);
    }
    toy_run_for(&toy, toy.worker, 6000); /* its back-off has grown to five seconds */
    ck_assert_int_eq(toy_run(&toy), 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 61);
    ck_assert_uint_eq(toy_read(&toy, "passed", records), 61);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

START_TEST(a_backlog_of_one_task_starves_no_other)
{
    char users[TOY_PARTITIONS][24];
    struct toy toy;

    toy_init(&toy, "");
    for (int32_t p = 0; p < TOY_PARTITIONS; p++) {
        int i = 0;

        do {
            snprintf(users[p], sizeof(users[p]), "user-%d", i++);
        } while (toy_partition(users[p]) != p);
    }
    /* Whichever of them comes first by number. */
    send_some(&toy, users[_i], 6000);
    send_some(&toy, users[1 - _i], 10);
    toy_start(&toy);
    toy_run_for(&toy, toy.worker, 16);
    ck_assert_int_eq(toy_total(&toy, users[1 - _i]), 10);
    toy_run(&toy);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

/* A member that does not poll loses its place, and holds up everybody else's rebalance. */
START_TEST(a_worker_that_waits_with_a_full_queue_goes_on_polling)
{
    struct mr_worker_status status;
    struct mr_worker *second;
    struct toy toy;

    toy_init(&toy, "");
    toy_send(&toy, "user-1", "busy");
    send_some(&toy, "user-1", 25000);
    toy_refusals = 1000;
    toy_start(&toy);
    toy_run_for(&toy, toy.worker, 200);
    second = toy_worker(&toy, "1", toy.backend);
    for (int i = 0; i < 50; i++) {
        (void)toy_step(&toy, second);
        (void)toy_step(&toy, toy.worker);
    }
    mr_worker_status(second, &status);
    ck_assert_uint_eq(status.tasks, 1);
    toy_refusals = 0;
    toy_run_for(&toy, toy.worker, 6000);
    toy_run_all(&toy, (struct mr_worker *const[]){toy.worker, second}, 2);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 25001);
    mr_worker_destroy(&second);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

/* ---- an abort that fails --------------------------------------------------------------------- */

static const struct {
    enum mr_status status;
    bool done;
    const char *why;
} aborts[] = {
    {MR_TIMEOUT, false, "the coordinator is away for longer than an abort may take"},
    {MR_TIMEOUT, true, "aborted, but the answer was lost"},
    {MR_LOG_FATAL, false, "the client is finished"},
};

START_TEST(an_abort_that_fails_is_settled_by_a_new_producer)
{
    for (int n = 1; n <= 8; n++) {
        struct toy toy;

        toy_init(&toy, ", commit-records: 5");
        mr_log_memory_fail(toy.log, MR_LOG_CALL_COMMIT, n, MR_TXN_ABORT, false);
        mr_log_memory_fail(toy.log, MR_LOG_CALL_ABORT, 1, aborts[_i].status, aborts[_i].done);
        toy_start(&toy);
        send_some(&toy, "user-1", ORDERS);
        ck_assert_int_eq(toy_run(&toy), 0);
        ck_assert_int_eq(toy_total(&toy, "user-1"), ORDERS);
        ck_assert_uint_eq(toy_read(&toy, "passed", records), ORDERS);
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

/* Said to be refused, but it was committed: to take the inputs again would double them. */
START_TEST(a_commit_that_was_done_and_cannot_be_aborted_is_not_repeated)
{
    for (int n = 1; n <= 8; n++) {
        struct toy toy;

        toy_init(&toy, ", commit-records: 5");
        mr_log_memory_fail(toy.log, MR_LOG_CALL_COMMIT, n, MR_TXN_ABORT, true);
        mr_log_memory_fail(toy.log, MR_LOG_CALL_ABORT, 1, MR_LOG_FATAL, false);
        toy_start(&toy);
        send_some(&toy, "user-1", ORDERS);
        ck_assert_int_eq(toy_run(&toy), 0);
        ck_assert_int_eq(toy_total(&toy, "user-1"), ORDERS);
        ck_assert_uint_eq(toy_read(&toy, "passed", records), ORDERS);
        toy_stop(&toy);
        toy_fini(&toy);
    }
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *test, int rounds)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test, 0, rounds);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("recovery");
    SRunner *runner;
    int failed;

    add(suite, "state", a_state_write_that_fails_stops_the_worker, 1);
    add(suite, "restore", a_restore_whose_write_fails_starts_over, 3);
    add(suite, "restore", a_restore_goes_on_polling_when_no_server_answers, 8);
    add(suite, "at-least-once", at_least_once_works_too, 1);
    add(suite, "at-least-once", at_least_once_loses_nothing_when_a_flush_fails, 1);
    add(suite, "lost-changelog", state_beyond_its_changelog_is_refused_until_that_is_accepted, 1);
    add(suite, "lost-offsets", state_without_offsets_is_refused_until_that_is_accepted, 2);
    add(suite, "former-owner", a_task_waits_for_the_former_owners_transaction, 4);
    add(suite, "waiting", a_record_that_must_wait_holds_up_only_what_follows_it, 1);
    add(suite, "waiting", a_backlog_of_one_task_starves_no_other, 2);
    add(suite, "waiting", a_worker_that_waits_with_a_full_queue_goes_on_polling, 1);
    add(suite, "abort", an_abort_that_fails_is_settled_by_a_new_producer, (int)MR_COUNT(aborts));
    add(suite, "abort", a_commit_that_was_done_and_cannot_be_aborted_is_not_repeated, 1);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
