/*
 * test_takeover.c -- tasks of a member that is gone: its open transaction, and its state.
 *
 * Goal:   a new owner ends what the dead one left open, and only then; with standbys it has the
 * state already. Method: a producer under the dead member's transactional id leaves records in a
 * changelog; two workers with state of their own, of which one is destroyed without a word.
 */
#include "avro/price_state.h"
#include "millrace/changelog.h"
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SESSION_US (7 * MR_SECOND_US)
#define ORDERS 60

static void send_some(struct toy *toy, int count)
{
    for (int i = 0; i < count; i++) {
        toy_send(toy, "user-1", "x");
    }
}

/* An open transaction of that id, with a record in the changelog that user-1's task needs. */
static struct mr_producer *leave_open(struct toy *toy, const char *id)
{
    const struct mr_producer_options options = {.transactional_id = id,
                                                .transaction_timeout_us = 600 * MR_SECOND_US};
    const struct mr_stage_node *stage =
        &toy->topology->stages[mr_topology_find_stage(toy->topology, "tally")];
    const struct mr_store_spec *store = &stage->type->stores[0];
    const struct oms_price_state value = {.last_trade_id = 1000};
    struct mr_producer *producer;
    struct mr_binding binding;
    uint8_t bytes[256];
    uint8_t key[MR_CHANGELOG_KEY_BYTES_MAX];
    struct mr_outgoing record = {
        .partition = toy_partition("user-1"),
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = mr_slice_of(key, mr_changelog_key(store, mr_slice_str("user-1"), key)),
        .has_value = true,
    };

    ck_assert_int_eq(mr_producer_open(toy->log, &options, 0, &producer, &toy->err), MR_OK);
    ck_assert_int_eq(mr_producer_topic(producer, toy->topology->topics[stage->changelog].name,
                                       &record.topic, NULL, &toy->err),
                     MR_OK);
    ck_assert_int_eq(
        mr_codec_bind(toy->codec, store->schema, stage->store_subjects[0], &binding, &toy->err),
        MR_OK);
    record.value = mr_slice_of(bytes, mr_codec_encode(&binding, &value, bytes));
    ck_assert_int_eq(mr_producer_begin(producer, &toy->err), MR_OK);
    ck_assert_int_eq(mr_producer_send(producer, &record, &toy->err), MR_OK);
    return producer;
}

START_TEST(what_a_dead_owner_left_open_is_ended_by_the_next)
{
    struct mr_backend *state = mr_backend_memory_create();
    struct mr_producer *orphan;
    struct mr_worker_status status;
    struct mr_worker *heir;
    struct toy toy;

    toy_init(&toy, "");
    toy_start(&toy);
    send_some(&toy, 7);
    ck_assert_int_eq(toy_run(&toy), 0);
    toy_crash(&toy);
    orphan = leave_open(&toy, "toy.toy.0.0");
    heir = toy_worker(&toy, "1", state);
    toy.now_us += SESSION_US; /* the dead member is no member any more */
    send_some(&toy, 1);
    toy_run_for(&toy, heir, 1000); /* a second; the transaction would live for ten minutes */
    mr_worker_status(heir, &status);
    ck_assert_uint_eq(status.tasks_ready, TOY_PARTITIONS);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 8);
    /* And it is fenced, should it wake. */
    ck_assert_int_ne(mr_producer_commit(orphan, NULL, NULL, 0, &toy.err), MR_OK);
    mr_producer_close(&orphan);
    mr_worker_destroy(&heir);
    mr_backend_close(&state);
    toy_fini(&toy);
}
END_TEST

START_TEST(a_former_owner_that_lives_is_not_fenced)
{
    struct mr_backend *state = mr_backend_memory_create();
    struct mr_producer *stranger;
    struct mr_worker *workers[2];
    struct toy toy;

    toy_init(&toy, "");
    toy_start(&toy);
    send_some(&toy, 7);
    ck_assert_int_eq(toy_run(&toy), 0);
    /* Somebody else's transaction holds up the task that moves from the one to the other. */
    stranger = leave_open(&toy, "stranger");
    workers[0] = toy.worker;
    workers[1] = toy_worker(&toy, "1", state);
    for (int i = 0; i < 1000; i++) {
        (void)toy_step(&toy, workers[0]);
        (void)toy_step(&toy, workers[1]);
    }
    ck_assert_int_eq(mr_producer_abort(stranger, &toy.err), MR_OK);
    send_some(&toy, 3);
    toy_run_all(&toy, workers, 2); /* neither may fail */
    ck_assert_int_eq(toy_total(&toy, "user-1"), 10);
    mr_producer_close(&stranger);
    mr_worker_destroy(&workers[1]);
    toy_stop(&toy);
    mr_backend_close(&state);
    toy_fini(&toy);
}
END_TEST

static void send_all(struct toy *toy, int from, int to)
{
    for (int i = from; i < to; i++) {
        char user[16];

        snprintf(user, sizeof(user), "user-%d", i % 10);
        toy_send(toy, user, "x");
    }
}

START_TEST(a_standby_has_the_state_of_the_tasks_it_takes_over)
{
    struct mr_backend *state = mr_backend_memory_create();
    struct mr_worker_status before;
    struct mr_worker_status status;
    struct mr_worker *workers[2];
    int64_t sum = 0;
    struct toy toy;

    toy_init_graph(&toy, "", toy_standby_graph);
    toy_start(&toy);
    workers[0] = toy.worker;
    workers[1] = toy_worker(&toy, "1", state);
    send_all(&toy, 0, ORDERS);
    toy_run_all(&toy, workers, 2);
    mr_worker_status(workers[1], &before);
    ck_assert_uint_eq(before.tasks, 1);
    for (int i = 0; i < 100; i++) { /* the last transaction reaches the copies */
        (void)toy_step(&toy, workers[0]);
        (void)toy_step(&toy, workers[1]);
    }
    toy_crash(&toy);
    toy.now_us += SESSION_US;
    send_all(&toy, ORDERS, 2 * ORDERS);
    toy_run_all(&toy, &workers[1], 1);
    mr_worker_status(workers[1], &status);
    ck_assert_uint_eq(status.tasks_ready, TOY_PARTITIONS);
    /* Nothing was left to be restored. */
    ck_assert_uint_eq(status.restored_records, before.restored_records);
    for (int i = 0; i < 10; i++) {
        char user[16];

        snprintf(user, sizeof(user), "user-%d", i);
        sum += toy_total(&toy, user);
    }
    ck_assert_int_eq(sum, 2 * ORDERS);
    mr_worker_destroy(&workers[1]);
    mr_backend_close(&state);
    toy_fini(&toy);
}
END_TEST

/* It comes back, and the copy of what it had becomes a task again, and the other way round. */
START_TEST(tasks_and_copies_change_places)
{
    struct mr_backend *state = mr_backend_memory_create();
    struct mr_worker *workers[2] = {NULL, NULL};
    int64_t sum = 0;
    struct toy toy;

    toy_init_graph(&toy, "", toy_standby_graph);
    toy_start(&toy);
    workers[0] = toy.worker;
    for (int round = 0; round < 6; round++) {
        workers[1] = toy_worker(&toy, "1", state);
        send_all(&toy, round * ORDERS, round * ORDERS + ORDERS / 2);
        toy_run_all(&toy, workers, 2);
        mr_worker_destroy(&workers[1]);
        toy.now_us += SESSION_US;
        send_all(&toy, round * ORDERS + ORDERS / 2, (round + 1) * ORDERS);
        toy_run_all(&toy, workers, 1);
    }
    for (int i = 0; i < 10; i++) {
        char user[16];

        snprintf(user, sizeof(user), "user-%d", i);
        sum += toy_total(&toy, user);
    }
    ck_assert_int_eq(sum, 6 * ORDERS);
    toy_stop(&toy);
    mr_backend_close(&state);
    toy_fini(&toy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("takeover");
    TCase *tcase = tcase_create("takeover");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_a_dead_owner_left_open_is_ended_by_the_next);
    tcase_add_test(tcase, a_former_owner_that_lives_is_not_fenced);
    tcase_add_test(tcase, a_standby_has_the_state_of_the_tasks_it_takes_over);
    tcase_add_test(tcase, tasks_and_copies_change_places);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
