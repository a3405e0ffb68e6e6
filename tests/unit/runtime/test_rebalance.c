/*
 * test_rebalance.c -- partitions move between workers, and each order still has its effects once.
 *
 * Goal:   joining, leaving, dying and coming back late (a zombie) change no output.
 * Method: two workers of different instances, each with a state directory of its own, on one
 *         in-memory log. The moment of the change is moved through the run, step by step.
 */
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDERS 60
#define USERS 5
#define SESSION_US (7 * MR_SECOND_US)

static struct toy_record records[TOY_READ_MAX];

static void send_some(struct toy *toy, int from, int to)
{
    for (int i = from; i < to; i++) {
        char user[16];
        char id[24];

        snprintf(user, sizeof(user), "user-%d", i % USERS);
        snprintf(id, sizeof(id), "order-%03d", i);
        toy_send(toy, user, id);
    }
}

/* Every order passed once, in order; every user's last total is the number of its orders. */
static void check_all(struct toy *toy)
{
    const size_t passed = toy_read(toy, "passed", records);
    int next[USERS] = {0};

    ck_assert_uint_eq(passed, ORDERS);
    for (size_t r = 0; r < passed; r++) {
        const int user = records[r].key[5] - '0';
        char id[24];

        snprintf(id, sizeof(id), "order-%03d", next[user] * USERS + user);
        ck_assert_str_eq(records[r].id, id);
        next[user]++;
    }
    for (int user = 0; user < USERS; user++) {
        const size_t count = toy_read(toy, "totals", records);
        int64_t last = 0;

        for (size_t r = 0; r < count; r++) {
            if (records[r].key[5] - '0' == user) {
                ck_assert_int_gt(records[r].total, last);
                last = records[r].total;
            }
        }
        ck_assert_int_eq(last, ORDERS / USERS);
    }
}

struct pair {
    struct toy toy;
    struct mr_backend *states[2];
    struct mr_worker *workers[2];
};

static void set_up(struct pair *pair)
{
    *pair = (struct pair){0};
    toy_init(&pair->toy, ", commit-records: 5");
    for (int i = 0; i < 2; i++) {
        pair->states[i] = mr_backend_memory_create();
    }
    pair->workers[0] = toy_worker(&pair->toy, "a", pair->states[0]);
}

static void tear_down(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        mr_worker_destroy(&pair->workers[i]);
        mr_backend_close(&pair->states[i]);
    }
    toy_fini(&pair->toy);
}

static void join_second(struct pair *pair)
{
    pair->workers[1] = toy_worker(&pair->toy, "b", pair->states[1]);
}

START_TEST(a_second_worker_takes_its_share)
{
    struct mr_worker_status status;
    struct pair pair;

    set_up(&pair);
    send_some(&pair.toy, 0, ORDERS / 2);
    toy_run_for(&pair.toy, pair.workers[0], _i);
    join_second(&pair);
    send_some(&pair.toy, ORDERS / 2, ORDERS);
    toy_run_all(&pair.toy, pair.workers, 2);
    for (int i = 0; i < 2; i++) {
        mr_worker_status(pair.workers[i], &status);
        ck_assert_uint_eq(status.tasks, 1);
        ck_assert_uint_eq(status.tasks_ready, 1);
    }
    check_all(&pair.toy);
    tear_down(&pair);
}
END_TEST

START_TEST(a_worker_that_dies_is_replaced)
{
    struct pair pair;

    set_up(&pair);
    send_some(&pair.toy, 0, ORDERS / 2);
    toy_run_for(&pair.toy, pair.workers[0], _i);
    join_second(&pair);
    mr_worker_destroy(&pair.workers[0]);
    send_some(&pair.toy, ORDERS / 2, ORDERS);
    pair.toy.now_us += SESSION_US;
    toy_run_all(&pair.toy, &pair.workers[1], 1);
    check_all(&pair.toy);
    tear_down(&pair);
}
END_TEST

START_TEST(a_worker_that_stops_hands_over)
{
    struct mr_worker_status status = {0};
    struct pair pair;

    set_up(&pair);
    join_second(&pair);
    send_some(&pair.toy, 0, ORDERS / 2);
    for (int i = 0; i < _i; i++) {
        (void)toy_step(&pair.toy, pair.workers[0]);
        (void)toy_step(&pair.toy, pair.workers[1]);
    }
    mr_worker_stop(pair.workers[0]);
    while (status.state != MR_WORKER_CLOSED) {
        (void)toy_step(&pair.toy, pair.workers[0]);
        mr_worker_status(pair.workers[0], &status);
    }
    mr_worker_destroy(&pair.workers[0]);
    send_some(&pair.toy, ORDERS / 2, ORDERS);
    pair.toy.now_us += SESSION_US; /* a static member keeps its place for so long */
    toy_run_all(&pair.toy, &pair.workers[1], 1);
    check_all(&pair.toy);
    tear_down(&pair);
}
END_TEST

/* Stopped past its session, replaced, continued: it may fail, it may go on, it adds nothing. */
START_TEST(a_zombie_adds_nothing)
{
    struct pair pair;
    bool busy;

    set_up(&pair);
    send_some(&pair.toy, 0, ORDERS / 2);
    toy_run_for(&pair.toy, pair.workers[0], _i);
    join_second(&pair);
    pair.toy.now_us += SESSION_US;
    toy_run_all(&pair.toy, &pair.workers[1], 1);
    send_some(&pair.toy, ORDERS / 2, ORDERS);
    for (int i = 0; i < 50; i++) {
        if (mr_worker_step(pair.workers[0], 0, &busy, &pair.toy.err) != MR_OK) {
            mr_worker_destroy(&pair.workers[0]);
            pair.workers[0] = toy_worker(&pair.toy, "a", pair.states[0]);
        }
        (void)toy_step(&pair.toy, pair.workers[1]);
    }
    toy_run_all(&pair.toy, pair.workers, 2);
    check_all(&pair.toy);
    tear_down(&pair);
}
END_TEST

/* A partition that comes back finds state of its own, one owner behind. */
START_TEST(a_partition_comes_back_to_kept_state)
{
    struct pair pair;

    set_up(&pair);
    send_some(&pair.toy, 0, 20);
    toy_run_all(&pair.toy, pair.workers, 1);
    join_second(&pair);
    send_some(&pair.toy, 20, 40);
    toy_run_all(&pair.toy, pair.workers, 2);
    mr_worker_destroy(&pair.workers[1]);
    pair.toy.now_us += SESSION_US;
    send_some(&pair.toy, 40, ORDERS);
    toy_run_all(&pair.toy, pair.workers, 1);
    check_all(&pair.toy);
    tear_down(&pair);
}
END_TEST

/* ---- a transaction of timers alone ----------------------------------------------------------- */

static void take_over(void *arg)
{
    struct pair *pair = arg;

    pair->toy.now_us += SESSION_US;
    toy_run_for(&pair->toy, pair->workers[1], 400);
}

START_TEST(a_zombie_whose_timers_fire_adds_nothing)
{
    struct pair pair = {0};
    bool failed;
    bool busy;

    toy_init_graph(&pair.toy, "", toy_clockwork_graph);
    for (int i = 0; i < 2; i++) {
        pair.states[i] = mr_backend_memory_create();
    }
    pair.workers[0] = toy_worker(&pair.toy, "a", pair.states[0]);
    toy_run_for(&pair.toy, pair.workers[0], 250);
    join_second(&pair);
    toy_interlude_arg = &pair;
    toy_interlude = take_over;
    while (toy_interlude != NULL) {
        /* What it learns there is not the point: it may fail, it may abort. */
        failed = mr_worker_step(pair.workers[0], 0, &busy, &pair.toy.err) != MR_OK;
        ck_assert(!failed || toy_interlude == NULL);
        pair.toy.now_us += MR_MS_US;
    }
    mr_worker_destroy(&pair.workers[0]);
    toy_run_for(&pair.toy, pair.workers[1], 400);
    for (int p = 0; p < TOY_PARTITIONS; p++) {
        char name[32];

        snprintf(name, sizeof(name), "wall-%d", p);
        ck_assert_int_gt(toy_ticks(&pair.toy, name), 3);
    }
    tear_down(&pair);
}
END_TEST

/* What could not be done is another's affair now: it must not count against this worker. */
START_TEST(a_worker_that_gave_up_what_failed_is_ready_again)
{
    struct mr_worker_status status;
    struct pair pair;
    int i = 0;
    char user[24];

    set_up(&pair);
    do {
        snprintf(user, sizeof(user), "user-%d", i++);
    } while (toy_partition(user) != 1); /* of the one who comes second */
    toy_send(&pair.toy, user, "busy");
    toy_refusals = 1000;
    toy_run_for(&pair.toy, pair.workers[0], 2000);
    mr_worker_status(pair.workers[0], &status);
    ck_assert_uint_eq(status.tasks_ready, 0);
    join_second(&pair);
    for (int step = 0; step < 100; step++) {
        (void)toy_step(&pair.toy, pair.workers[0]);
        (void)toy_step(&pair.toy, pair.workers[1]);
    }
    mr_worker_status(pair.workers[0], &status);
    ck_assert_uint_eq(status.tasks, 1);
    ck_assert_uint_eq(status.tasks_ready, 1);
    toy_refusals = 0;
    tear_down(&pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rebalance");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_second_worker_takes_its_share, 0, 24);
    tcase_add_loop_test(tcase, a_worker_that_dies_is_replaced, 0, 24);
    tcase_add_loop_test(tcase, a_worker_that_stops_hands_over, 0, 24);
    tcase_add_loop_test(tcase, a_zombie_adds_nothing, 0, 24);
    tcase_add_test(tcase, a_partition_comes_back_to_kept_state);
    tcase_add_test(tcase, a_zombie_whose_timers_fire_adds_nothing);
    tcase_add_test(tcase, a_worker_that_gave_up_what_failed_is_ready_again);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
