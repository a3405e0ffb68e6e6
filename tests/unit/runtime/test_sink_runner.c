/*
 * test_sink_runner.c -- what a connector has acknowledged was written or dead-lettered, always.
 *
 * Goal:   nothing is passed over, whether the outside system is away, a record cannot be written, a
 *         rebalance comes in between or the process ends at any moment.
 * Method: an outside system in memory (toy_sink.c) notes the coordinates of what it was given; a
 *         runner is destroyed without a word, and another goes on from the stored offsets.
 */
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define USERS 5
#define SESSION_US (7 * MR_SECOND_US)

static const char graph[] =
    "topics:\n"
    "  orders: {key: userId, value: OrderCommand}\n"
    "  ticks: {key: userId, value: Balance}\n"
    "stages:\n"
    "  clockwork: {type: clockwork, in: {orders: orders}, out: {ticks: ticks}}\n"
    "groups:\n"
    "  toy: {stages: [clockwork]}\n"
    "connectors:\n"
    "  sink: {type: outside, in: orders}\n";

static struct toy_record records[TOY_READ_MAX];

static void set_up(struct toy *toy)
{
    memset(&toy_outside, 0, sizeof(toy_outside));
    toy_init_graph(toy, "", graph);
}

static struct mr_sink_runner *start(struct toy *toy, const char *instance)
{
    const struct mr_process process = {
        .topology = toy->topology,
        .log = toy->log,
        .codec = toy->codec,
        .metrics = toy->metrics,
        .clock = &toy->clock,
        .instance = instance,
    };

    return mr_sink_runner_create(&process, 0);
}

static void step(struct toy *toy, struct mr_sink_runner *runner, int steps)
{
    for (int i = 0; i < steps; i++) {
        bool busy;

        ck_assert_msg(mr_sink_runner_step(runner, 0, &busy, &toy->err) == MR_OK, "%s",
                      toy->err.text);
        toy->now_us += MR_MS_US;
    }
}

static void send_some(struct toy *toy, int from, int to)
{
    for (int i = from; i < to; i++) {
        char user[16];
        char id[24];

        snprintf(user, sizeof(user), "user-%d", i % USERS);
        snprintf(id, sizeof(id), "order-%d", i);
        toy_send(toy, user, id);
    }
}

/* Each of the orders was written at least once, and of a partition none before an earlier one. */
static void check_written(int count)
{
    static bool seen[TOY_READ_MAX];
    int64_t last[TOY_PARTITIONS] = {-1, -1};

    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < toy_outside.count; i++) {
        const struct toy_written *written = &toy_outside.written[i];
        const long order = strtol(written->id + strlen("order-"), NULL, 10);

        /* It may go back (what was not acknowledged comes again), never over something. */
        ck_assert_int_le(written->offset, last[written->partition] + 1 + (int)toy_outside.gaps);
        last[written->partition] = written->offset;
        seen[order] = true;
    }
    for (int i = 0; i < count; i++) {
        ck_assert_msg(seen[i], "order %d was passed over", i);
    }
}

START_TEST(everything_is_written_once_when_nothing_fails)
{
    struct mr_sink_runner *runner;
    struct toy toy;

    set_up(&toy);
    runner = start(&toy, "0");
    send_some(&toy, 0, 100);
    step(&toy, runner, 300);
    ck_assert_uint_eq(toy_outside.count, 100);
    mr_sink_runner_destroy(&runner);
    runner = start(&toy, "0");
    send_some(&toy, 100, 200);
    step(&toy, runner, 300);
    ck_assert_uint_eq(toy_outside.count, 200);
    check_written(200);
    mr_sink_runner_destroy(&runner);
    toy_fini(&toy);
}
END_TEST

static const uint8_t garbage[] = {1, 2, 3};

/* The dead letter's offset must not be stored while records before it wait to be written. */
START_TEST(a_dead_letter_does_not_acknowledge_what_is_before_it)
{
    struct mr_sink_runner *runner;
    struct toy toy;

    set_up(&toy);
    toy_outside.away = -1;
    toy_outside.gaps = 1;
    send_some(&toy, 0, 50);
    toy_send_bytes(&toy, "user-0", garbage, sizeof(garbage));
    toy_send_bytes(&toy, "user-1", garbage, sizeof(garbage));
    runner = start(&toy, "0");
    step(&toy, runner, 500);
    if (_i == 0) {
        mr_sink_runner_destroy(&runner); /* a crash */
    } else {
        mr_sink_runner_stop(runner);
        step(&toy, runner, 2);
        mr_sink_runner_destroy(&runner);
    }
    toy_outside.away = 0;
    runner = start(&toy, "0");
    step(&toy, runner, 500);
    check_written(50);
    ck_assert_uint_ge(toy_read(&toy, "toy.sink.dlq", records), 2);
    mr_sink_runner_destroy(&runner);
    toy_fini(&toy);
}
END_TEST

START_TEST(dead_letters_are_not_repeated_with_every_attempt)
{
    struct mr_sink_runner *runner;
    struct toy toy;

    set_up(&toy);
    toy_outside.away = 6;
    toy_outside.gaps = 1;
    send_some(&toy, 0, 20);
    toy_send_bytes(&toy, "user-0", garbage, sizeof(garbage));
    send_some(&toy, 20, 40);
    runner = start(&toy, "0");
    step(&toy, runner, 20000);
    check_written(40);
    ck_assert_uint_eq(toy_outside.count, 40);
    ck_assert_uint_eq(toy_read(&toy, "toy.sink.dlq", records), 1);
    mr_sink_runner_destroy(&runner);
    /* And it is behind us. */
    runner = start(&toy, "0");
    step(&toy, runner, 300);
    ck_assert_uint_eq(toy_read(&toy, "toy.sink.dlq", records), 1);
    mr_sink_runner_destroy(&runner);
    toy_fini(&toy);
}
END_TEST

START_TEST(a_record_that_nobody_can_write_is_dead_lettered)
{
    struct mr_sink_runner *runner;
    struct toy toy;

    set_up(&toy);
    toy_outside.gaps = 2;
    send_some(&toy, 0, 10);
    toy_send(&toy, "user-0", "nobody");
    toy_send(&toy, "user-0", "nobody");
    send_some(&toy, 10, 20);
    toy_send(&toy, "user-1", "nobody"); /* the last of its partition */
    runner = start(&toy, "0");
    step(&toy, runner, 300);
    check_written(20);
    mr_sink_runner_destroy(&runner);
    runner = start(&toy, "0");
    step(&toy, runner, 300);
    ck_assert_uint_eq(toy_read(&toy, "toy.sink.dlq", records), 3);
    mr_sink_runner_destroy(&runner);
    toy_fini(&toy);
}
END_TEST

static const struct {
    enum mr_log_call call;
    enum mr_status status;
    bool done;
    const char *why;
} letter_failures[] = {
    {MR_LOG_CALL_BEGIN, MR_TIMEOUT, false, "no transaction could be begun"},
    {MR_LOG_CALL_SEND, MR_TIMEOUT, false, "the letter was not taken"},
    {MR_LOG_CALL_COMMIT, MR_TXN_ABORT, false, "the log wants it aborted"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false, "nobody knows, and it was not committed"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true, "nobody knows, and it was committed"},
    {MR_LOG_CALL_COMMIT, MR_LOG_FATAL, false, "the producer is finished"},
};

/* _i: the failure, and whether the process ends after it. */
START_TEST(a_dead_letter_is_written_once_with_its_offset)
{
    const size_t failure = (size_t)_i / 2;
    struct mr_sink_runner *runner;
    struct toy toy;

    set_up(&toy);
    toy_outside.gaps = 1;
    send_some(&toy, 0, 10);
    toy_send_bytes(&toy, "user-0", garbage, sizeof(garbage));
    send_some(&toy, 10, 20);
    runner = start(&toy, "0");
    mr_log_memory_fail(toy.log, letter_failures[failure].call, 1, letter_failures[failure].status,
                       letter_failures[failure].done);
    step(&toy, runner, 3);
    if (_i % 2 != 0) {
        mr_sink_runner_destroy(&runner);
        runner = start(&toy, "0");
    }
    step(&toy, runner, 500);
    check_written(20);
    ck_assert_msg(toy_read(&toy, "toy.sink.dlq", records) == 1, "%s", letter_failures[failure].why);
    mr_sink_runner_destroy(&runner);
    toy_fini(&toy);
}
END_TEST

/* ---- two of them ----------------------------------------------------------------------------- */

/* The rebalance comes in the poll of a runner that holds a batch. */
START_TEST(a_rebalance_while_a_batch_waits_loses_nothing)
{
    struct mr_sink_runner *runners[2];
    struct toy toy;

    set_up(&toy);
    toy_outside.away = -1;
    send_some(&toy, 0, _i == 0 ? 60 : 2500);
    runners[0] = start(&toy, "0");
    step(&toy, runners[0], 20);
    runners[1] = start(&toy, "1");
    for (int i = 0; i < 50; i++) {
        step(&toy, runners[1], 1);
        step(&toy, runners[0], 1);
    }
    toy_outside.away = 0;
    for (int i = 0; i < 8000; i++) {
        step(&toy, runners[0], 1);
        step(&toy, runners[1], 1);
    }
    check_written(_i == 0 ? 60 : 2500);
    ck_assert_uint_le(toy_outside.batch_max, 1000);
    mr_sink_runner_destroy(&runners[0]);
    mr_sink_runner_destroy(&runners[1]);
    toy_fini(&toy);
}
END_TEST

/* As after a long stop of the process: lost, joined and assigned again inside of one poll. */
START_TEST(a_place_lost_and_won_in_one_poll_loses_nothing)
{
    struct mr_sink_runner *runner;
    struct toy toy;

    set_up(&toy);
    toy_outside.closed = _i == 0 ? 0 : -1;
    toy_outside.away = -1;
    send_some(&toy, 0, 30);
    runner = start(&toy, "0");
    step(&toy, runner, 20);
    send_some(&toy, 30, 60);
    toy.now_us += SESSION_US;
    step(&toy, runner, 20);
    toy_outside.closed = toy_outside.away = 0;
    step(&toy, runner, 8000);
    check_written(60);
    mr_sink_runner_destroy(&runner);
    toy_fini(&toy);
}
END_TEST

START_TEST(a_full_batch_waits_for_the_system)
{
    struct mr_worker_status status;
    struct mr_sink_runner *runner;
    struct toy toy;

    set_up(&toy);
    toy_outside.away = 5;
    send_some(&toy, 0, 3000);
    runner = start(&toy, "0");
    step(&toy, runner, 50);
    mr_sink_runner_status(runner, &status);
    ck_assert_str_ne(status.blocked_on, "");
    ck_assert_uint_eq(status.tasks_ready, 0);
    step(&toy, runner, 8000);
    mr_sink_runner_status(runner, &status);
    ck_assert_str_eq(status.blocked_on, "");
    ck_assert_uint_eq(toy_outside.count, 3000);
    check_written(3000);
    mr_sink_runner_destroy(&runner);
    toy_fini(&toy);
}
END_TEST

struct pair {
    struct toy *toy;
    struct mr_sink_runner *second;
};

static void take_over(void *arg)
{
    struct pair *pair = arg;

    pair->toy->now_us += SESSION_US;
    step(pair->toy, pair->second, 300);
}

/* Its offsets are refused: the records are another's by now. It goes on as a member. */
START_TEST(a_runner_that_lost_its_place_while_it_wrote_goes_on)
{
    struct pair pair;
    struct mr_sink_runner *first;
    struct toy toy;

    set_up(&toy);
    send_some(&toy, 0, 40);
    first = start(&toy, "0");
    pair = (struct pair){.toy = &toy, .second = start(&toy, "1")};
    toy_interlude_arg = &pair;
    toy_interlude = take_over;
    step(&toy, first, 50);
    for (int i = 0; i < 300; i++) {
        step(&toy, first, 1);
        step(&toy, pair.second, 1);
    }
    send_some(&toy, 40, 80);
    for (int i = 0; i < 300; i++) {
        step(&toy, first, 1);
        step(&toy, pair.second, 1);
    }
    check_written(80);
    mr_sink_runner_destroy(&first);
    mr_sink_runner_destroy(&pair.second);
    toy_fini(&toy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sink runner");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, everything_is_written_once_when_nothing_fails);
    tcase_add_loop_test(tcase, a_dead_letter_does_not_acknowledge_what_is_before_it, 0, 2);
    tcase_add_test(tcase, dead_letters_are_not_repeated_with_every_attempt);
    tcase_add_test(tcase, a_record_that_nobody_can_write_is_dead_lettered);
    tcase_add_loop_test(tcase, a_dead_letter_is_written_once_with_its_offset, 0,
                        2 * (int)MR_COUNT(letter_failures));
    tcase_add_loop_test(tcase, a_rebalance_while_a_batch_waits_loses_nothing, 0, 2);
    tcase_add_loop_test(tcase, a_place_lost_and_won_in_one_poll_loses_nothing, 0, 2);
    tcase_add_test(tcase, a_full_batch_waits_for_the_system);
    tcase_add_test(tcase, a_runner_that_lost_its_place_while_it_wrote_goes_on);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
