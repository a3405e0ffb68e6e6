/*
 * test_inspect.c -- looking into a running worker from another thread.
 *
 * Goal:   what is told is committed, and nothing else; a question is answered, refused or given up,
 *         and never keeps the worker; a tap shows each committed record of an edge once, drops what
 *         does not fit and says so, and costs the transaction nothing.
 * Method: the toy pipeline on the log in memory. Questions come from a thread of their own, the
 *         worker is stepped until it has answered.
 */
#include "avro/order_command.h"
#include "avro/price_state.h"
#include "millrace/inspect.h"
#include "toy.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_US (20 * MR_SECOND_US)
#define USER "user-1"
#define MANY_KEYS 1500
/* A commit every ten seconds, so that a test sees what is between two. */
#define SLOW ", commit-interval: 10s, session-timeout: 60s"
#define SLOW_US (11 * MR_SECOND_US)

/* ---- a question from another thread ---------------------------------------------------------- */

struct asking {
    struct mr_worker *worker;
    struct mr_question question;
    int64_t timeout_us;
    pthread_t thread;
    _Atomic bool over;
    enum mr_status status;
    struct mr_answer *answer;
    struct mr_err err;
};

static void *ask(void *arg)
{
    struct asking *asking = arg;

    asking->status = mr_worker_ask(asking->worker, &asking->question, asking->timeout_us,
                                   &asking->answer, &asking->err);
    atomic_store(&asking->over, true);
    return NULL;
}

static void begin(struct asking *asking, struct toy *toy, const struct mr_question *question)
{
    *asking =
        (struct asking){.worker = toy->worker, .question = *question, .timeout_us = PATIENCE_US};
    ck_assert_int_eq(pthread_create(&asking->thread, NULL, ask, asking), 0);
}

static struct mr_answer *await(struct asking *asking, struct toy *toy)
{
    while (!atomic_load(&asking->over)) {
        (void)toy_step(toy, toy->worker);
    }
    ck_assert_int_eq(pthread_join(asking->thread, NULL), 0);
    ck_assert_msg(asking->status == MR_OK, "%s", asking->err.text);
    return asking->answer;
}

static struct mr_answer *answer_of(struct toy *toy, const struct mr_question *question)
{
    struct asking asking;

    begin(&asking, toy, question);
    return await(&asking, toy);
}

/* What gate has counted of a user; -1: nothing is committed. */
static int64_t seen(struct toy *toy, const char *user)
{
    const struct mr_question question = {
        .kind = MR_ASK_GET, .partition = toy_partition(user), .key = mr_slice_str(user)};
    struct mr_answer *answer = answer_of(toy, &question);
    struct oms_price_state value = {0};
    int64_t count = -1;

    ck_assert_uint_eq(answer->count, 1);
    ck_assert_str_eq(answer->rows[0].state, "ready");
    if (answer->rows[0].found) {
        struct mr_binding binding;

        ck_assert_int_eq(mr_codec_bind(toy->codec, &oms_price_state_schema,
                                       toy->topology->stages[0].store_subjects[0], &binding,
                                       &toy->err),
                         MR_OK);
        ck_assert_int_eq(
            mr_codec_decode(toy->codec, &binding, answer->rows[0].value, NULL, &value, &toy->err),
            MR_OK);
        count = value.last_trade_id;
    }
    mr_answer_destroy(&answer);
    return count;
}

static void start(struct toy *toy, const char *defaults, const char *graph)
{
    if (graph == NULL) {
        toy_init(toy, defaults);
    } else {
        toy_init_graph(toy, defaults, graph);
    }
    toy_start(toy);
    (void)toy_run(toy);
}

static void end(struct toy *toy)
{
    toy_stop(toy);
    toy_fini(toy);
}

static void copy(struct mr_slice from, char *text, size_t bytes)
{
    ck_assert_uint_lt(from.len, bytes);
    memcpy(text, from.data, from.len);
    text[from.len] = '\0';
}

/* ---- stores ---------------------------------------------------------------------------------- */

START_TEST(only_what_is_committed_is_told)
{
    struct toy toy;

    start(&toy, SLOW, NULL);
    toy_send(&toy, "user-2", "first"); /* is committed at once */
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_int_eq(seen(&toy, USER), -1);
    toy_send(&toy, USER, "a");
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_int_eq(seen(&toy, USER), -1); /* written, in a transaction that is open */
    toy.now_us += SLOW_US;                  /* it is due */
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_int_eq(seen(&toy, USER), 1);
    toy_send(&toy, USER, "b");
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_int_eq(seen(&toy, USER), 1); /* the committed value, beside the pending one */
    toy.now_us += SLOW_US;
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_int_eq(seen(&toy, USER), 2);
    end(&toy);
}
END_TEST

START_TEST(an_aborted_transaction_is_never_told)
{
    struct toy toy;

    start(&toy, "", NULL);
    toy_refusals = 3;
    toy_send(&toy, USER, "busy");
    while (toy_refusals > 0) {
        (void)toy_step(&toy, toy.worker);
    }
    ck_assert_int_lt(seen(&toy, USER), 2);
    (void)toy_run(&toy);
    ck_assert_int_eq(seen(&toy, USER), 1);
    end(&toy);
}
END_TEST

START_TEST(pages_of_a_scan_join_to_the_whole_in_order)
{
    char last[32] = "";
    struct mr_key from = {0};
    size_t rows = 0;
    bool more = true;
    int32_t partition = toy_partition(USER);
    int sent = 0;
    struct toy toy;

    start(&toy, ", cache: 64KiB", NULL); /* most of it is in the backend alone */
    for (int i = 0; i < MANY_KEYS; i++) {
        char user[32];

        snprintf(user, sizeof(user), "key-%05d", i);
        toy_send(&toy, user, "x");
        sent += toy_partition(user) == partition;
    }
    (void)toy_run(&toy);
    toy_send(&toy, "key-00000", "y"); /* not in the backend yet when it is asked for */
    while (more) {
        const struct mr_question question = {.kind = MR_ASK_SCAN,
                                             .partition = partition,
                                             .from = mr_key_slice(&from),
                                             .rows_max = 100};
        struct mr_answer *answer = answer_of(&toy, &question);

        ck_assert_uint_le(answer->count, 100);
        for (size_t i = 0; i < answer->count; i++) {
            char key[32];

            copy(answer->rows[i].key, key, sizeof(key));
            ck_assert_int_lt(strcmp(last, key), 0);
            memcpy(last, key, sizeof(last));
            rows++;
        }
        more = answer->more;
        mr_key_begin(&from);
        mr_key_text(&from, mr_slice_str(last)); /* the smallest above the last */
        mr_answer_destroy(&answer);
    }
    ck_assert_uint_eq(rows, (size_t)sent);
    end(&toy);
}
END_TEST

START_TEST(stats_tell_of_every_store_and_partition)
{
    const struct mr_question question = {.kind = MR_ASK_STATS, .partition = -1};
    struct mr_answer *answer;
    struct toy toy;

    start(&toy, "", NULL);
    for (int i = 0; i < 5; i++) {
        toy_send(&toy, USER, "x");
    }
    (void)toy_run(&toy);
    answer = answer_of(&toy, &question);
    ck_assert_uint_eq(answer->count, 2 * TOY_PARTITIONS);
    for (size_t i = 0; i < answer->count; i++) {
        const struct mr_answer_row *row = &answer->rows[i];
        const bool used = row->partition == toy_partition(USER);

        ck_assert_uint_eq(row->size.entries, used ? 1 : 0);
        ck_assert_uint_eq(row->cached_entries, used ? 1 : 0);
        ck_assert(row->changelog_offset > 0 || !used);
        ck_assert(row->reads >= 5 || !used);
        ck_assert_uint_le(row->fetches, row->reads);
    }
    mr_answer_destroy(&answer);
    end(&toy);
}
END_TEST

/* ---- the mailbox ----------------------------------------------------------------------------- */

START_TEST(an_asker_gives_up_and_the_worker_goes_on)
{
    const struct mr_question question = {
        .kind = MR_ASK_GET, .partition = -1, .key = mr_slice_str(USER)};
    struct mr_answer *answer = NULL;
    struct mr_err err;
    struct toy toy;

    start(&toy, "", NULL);
    ck_assert_int_eq(mr_worker_ask(toy.worker, &question, 2 * MR_MS_US, &answer, &err), MR_TIMEOUT);
    ck_assert_ptr_null(answer);
    ck_assert_ptr_nonnull(strstr(err.text, "did not answer"));
    toy_run_for(&toy, toy.worker, 3); /* its letter is gone */
    toy_send(&toy, USER, "a");
    (void)toy_run(&toy);
    ck_assert_int_eq(seen(&toy, USER), 1);
    end(&toy);
}
END_TEST

/* One more than fit is refused at once; the others are answered. */
START_TEST(a_full_mailbox_refuses)
{
    const struct mr_question question = {
        .kind = MR_ASK_GET, .partition = -1, .key = mr_slice_str(USER)};
    struct asking askings[12];
    int refused = 0;
    size_t over;
    struct toy toy;

    start(&toy, "", NULL);
    for (size_t i = 0; i < MR_COUNT(askings); i++) {
        begin(&askings[i], &toy, &question);
    }
    do { /* those that are refused need no step of the worker */
        over = 0;
        for (size_t i = 0; i < MR_COUNT(askings); i++) {
            over += atomic_load(&askings[i].over);
        }
    } while (over < MR_COUNT(askings) - 8);
    for (size_t i = 0; i < MR_COUNT(askings); i++) {
        while (!atomic_load(&askings[i].over)) {
            (void)toy_step(&toy, toy.worker);
        }
        ck_assert_int_eq(pthread_join(askings[i].thread, NULL), 0);
        ck_assert(askings[i].status == MR_OK || askings[i].status == MR_RESOURCE);
        refused += askings[i].status == MR_RESOURCE;
        mr_answer_destroy(&askings[i].answer);
    }
    ck_assert_int_eq(refused, 4);
    end(&toy);
}
END_TEST

/* ---- taps ------------------------------------------------------------------------------------ */

static size_t passed(const struct toy *toy)
{
    return mr_topology_find_topic(toy->topology, "passed");
}

static struct mr_tap_ring *tap(struct toy *toy)
{
    struct mr_tap_ring *ring = mr_tap_ring_create();
    const struct mr_question question = {.kind = MR_ASK_TAP, .topic = passed(toy), .ring = ring};
    struct mr_answer *answer = answer_of(toy, &question);

    mr_answer_destroy(&answer);
    return ring;
}

/* The ids of what has come, joined with commas. */
static const char *heard(struct mr_tap_ring *ring)
{
    static char text[256];
    struct mr_buffer scratch = MR_BUFFER_EMPTY;
    struct mr_tap_record record;
    struct mr_err err;
    size_t used = 0;

    text[0] = '\0';
    while (mr_tap_ring_take(ring, &scratch, &record)) {
        struct oms_order_command order;

        ck_assert_int_eq(
            oms_order_command_schema.decode(mr_slice_of(record.value.data + MR_WIRE_HEADER_BYTES,
                                                        record.value.len - MR_WIRE_HEADER_BYTES),
                                            NULL, &order, &err),
            MR_OK);
        ck_assert(mr_slice_equal(record.key, order.user_id));
        used += used > 0;
        text[used - (used > 0)] = used > 0 ? ',' : '\0';
        copy(order.client_order_id, text + used, sizeof(text) - used);
        used += order.client_order_id.len;
    }
    mr_buffer_fini(&scratch);
    return text;
}

START_TEST(a_tap_shows_each_committed_record_once)
{
    struct mr_tap_ring *ring;
    struct toy toy;

    start(&toy, SLOW, toy_memory_graph);
    toy_send(&toy, USER, "before");
    toy.now_us += SLOW_US;
    toy_run_for(&toy, toy.worker, 50);
    ring = tap(&toy);
    toy_send(&toy, USER, "a");
    toy_send(&toy, USER, "late"); /* poison downstream: undone, with what gate handed over */
    toy_send(&toy, USER, "b");
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_str_eq(heard(ring), ""); /* not committed */
    toy.now_us += SLOW_US;
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_str_eq(heard(ring), "a,b");
    toy_run_for(&toy, toy.worker, 50);
    ck_assert_str_eq(heard(ring), "");
    ck_assert_uint_eq(mr_tap_ring_dropped(ring), 0);
    mr_tap_ring_leave(&ring);
    end(&toy);
}
END_TEST

START_TEST(a_tap_shows_nothing_of_an_aborted_transaction)
{
    struct mr_tap_ring *ring;
    struct toy toy;

    start(&toy, "", toy_memory_graph);
    ring = tap(&toy);
    toy_refusals = 3;
    toy_send(&toy, USER, "busy");
    (void)toy_run(&toy);
    ck_assert_int_eq(toy_refusals, 0);
    ck_assert_str_eq(heard(ring), "busy");
    mr_tap_ring_leave(&ring);
    end(&toy);
}
END_TEST

START_TEST(what_is_tapped_is_not_written)
{
    static struct toy_record records[TOY_READ_MAX];
    struct mr_tap_ring *ring;
    struct toy toy;

    start(&toy, "", toy_memory_graph);
    ring = tap(&toy);
    toy_send(&toy, USER, "a");
    (void)toy_run(&toy);
    ck_assert_str_eq(heard(ring), "a");
    ck_assert_uint_eq(toy_read(&toy, "totals", records), 1);
    ck_assert_uint_eq(mr_worker_topic_flow(toy.worker, passed(&toy)).out, 1);
    ck_assert_uint_eq(
        mr_worker_topic_flow(toy.worker, mr_topology_find_topic(toy.topology, "totals")).out, 1);
    ck_assert_uint_eq(
        mr_worker_topic_flow(toy.worker, mr_topology_find_topic(toy.topology, "orders")).in, 1);
    mr_tap_ring_leave(&ring);
    end(&toy);
}
END_TEST

START_TEST(an_edge_in_the_log_is_not_tapped_here)
{
    struct mr_tap_ring *ring = mr_tap_ring_create();
    struct asking asking;
    struct toy toy;

    start(&toy, "", NULL);
    begin(&asking, &toy,
          &(struct mr_question){.kind = MR_ASK_TAP, .topic = passed(&toy), .ring = ring});
    while (!atomic_load(&asking.over)) {
        (void)toy_step(&toy, toy.worker);
    }
    ck_assert_int_eq(pthread_join(asking.thread, NULL), 0);
    ck_assert_int_eq(asking.status, MR_CONFIG);
    mr_tap_ring_leave(&ring);
    end(&toy);
}
END_TEST

/* A listener that takes nothing holds up nobody, and learns how much it has missed. */
START_TEST(what_does_not_fit_is_dropped_and_counted)
{
    const size_t records = 15000; /* of some hundred bytes: more than the ring has */
    struct mr_buffer scratch = MR_BUFFER_EMPTY;
    struct mr_tap_ring *ring;
    struct mr_tap_record record;
    size_t taken = 0;
    struct toy toy;

    start(&toy, ", commit-interval: 1ms", toy_memory_graph);
    ring = tap(&toy);
    for (size_t i = 0; i < records; i++) {
        toy_send(&toy, USER, "x");
    }
    (void)toy_run(&toy);
    while (mr_tap_ring_take(ring, &scratch, &record)) {
        taken++;
    }
    ck_assert_uint_gt(taken, 0);
    ck_assert_uint_gt(mr_tap_ring_dropped(ring), 0);
    ck_assert_uint_eq(taken + mr_tap_ring_dropped(ring), records);
    mr_buffer_fini(&scratch);
    mr_tap_ring_leave(&ring);
    end(&toy);
}
END_TEST

/* ---- a reader beside the writer -------------------------------------------------------------- */

struct listener {
    struct mr_tap_ring *ring;
    _Atomic bool stop;
    uint64_t taken;
};

static void *listen_to(void *arg)
{
    struct listener *listener = arg;
    struct mr_buffer scratch = MR_BUFFER_EMPTY;
    struct mr_tap_record record;
    bool stop;

    do {
        stop = atomic_load(&listener->stop);
        while (mr_tap_ring_take(listener->ring, &scratch, &record)) {
            ck_assert(mr_slice_equal(record.key, mr_slice_str(USER)));
            listener->taken++;
        }
    } while (!stop);
    mr_buffer_fini(&scratch);
    return NULL;
}

START_TEST(a_listener_beside_the_worker_misses_nothing)
{
    struct listener listener = {0};
    pthread_t thread;
    struct toy toy;

    start(&toy, "", toy_memory_graph);
    listener.ring = tap(&toy);
    ck_assert_int_eq(pthread_create(&thread, NULL, listen_to, &listener), 0);
    for (int i = 0; i < 2000; i++) {
        toy_send(&toy, USER, "x");
        (void)toy_step(&toy, toy.worker);
    }
    (void)toy_run(&toy);
    atomic_store(&listener.stop, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(listener.taken + mr_tap_ring_dropped(listener.ring), 2000);
    mr_tap_ring_leave(&listener.ring);
    end(&toy);
}
END_TEST

START_TEST(tasks_are_told)
{
    struct mr_task_status tasks[4];
    struct toy toy;

    start(&toy, "", NULL);
    toy_send(&toy, USER, "a");
    (void)toy_run(&toy);
    ck_assert_uint_eq(mr_worker_tasks(toy.worker, tasks, MR_COUNT(tasks)), TOY_PARTITIONS);
    for (int32_t p = 0; p < TOY_PARTITIONS; p++) {
        ck_assert_int_eq(tasks[p].partition, p);
        ck_assert_str_eq(tasks[p].state, "ready");
        ck_assert_uint_eq(tasks[p].records_in, p == toy_partition(USER) ? 1 : 0);
    }
    ck_assert_uint_eq(mr_worker_tasks(toy.worker, tasks, 1), 1);
    end(&toy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect");
    TCase *tcase = tcase_create("inspect");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, only_what_is_committed_is_told);
    tcase_add_test(tcase, an_aborted_transaction_is_never_told);
    tcase_add_test(tcase, pages_of_a_scan_join_to_the_whole_in_order);
    tcase_add_test(tcase, stats_tell_of_every_store_and_partition);
    tcase_add_test(tcase, an_asker_gives_up_and_the_worker_goes_on);
    tcase_add_test(tcase, a_full_mailbox_refuses);
    tcase_add_test(tcase, a_tap_shows_each_committed_record_once);
    tcase_add_test(tcase, a_tap_shows_nothing_of_an_aborted_transaction);
    tcase_add_test(tcase, what_is_tapped_is_not_written);
    tcase_add_test(tcase, an_edge_in_the_log_is_not_tapped_here);
    tcase_add_test(tcase, what_does_not_fit_is_dropped_and_counted);
    tcase_add_test(tcase, a_listener_beside_the_worker_misses_nothing);
    tcase_add_test(tcase, tasks_are_told);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
