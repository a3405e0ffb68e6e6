/*
 * test_scenarios.c -- stories in data files, through the whole production topology.
 *
 * Goal:   what a customer sees of an order's life, whatever part of the pipeline crashes in it, and
 *         whichever way records travel between its stages.
 * Method: each file (scenario.h) once as it is; once for a crash of each group in many rounds, with
 *         and without its state; once for each boundary. The outputs must be equal, and the
 *         invariants hold each time.
 */
#include "scenario.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define CRASHES 30
#define ROUNDS_AFTER 19
#define SENDS_MAX 256

static const struct scenario_run undisturbed = {.crash_round = -1};

START_TEST(a_story_comes_out_as_written)
{
    struct mr_world *world = scenario_play(scenario_path((size_t)_i), &undisturbed);

    mr_world_stop(world);
    mr_world_destroy(&world);
}
END_TEST

/* The i-th crash: in the rounds after a record was sent, where everything happens. */
static struct scenario_run crash_run(const int *rounds, size_t sends, int i)
{
    return (struct scenario_run){
        .crash_round = rounds[(size_t)(i * 7 + 3) % sends] + i % ROUNDS_AFTER,
        .crash_group = (size_t)i % 2,
        .lose_state = i % 4 >= 2,
    };
}

START_TEST(a_crash_in_a_story_changes_nothing)
{
    const char *path = scenario_path((size_t)_i);
    struct mr_world *want = scenario_play(path, &undisturbed);
    int rounds[SENDS_MAX];
    size_t sends;
    const int *sent = scenario_send_rounds(&sends);

    ck_assert(sends > 0 && sends <= SENDS_MAX);
    memcpy(rounds, sent, sends * sizeof(rounds[0]));
    for (int i = 0; i < CRASHES; i++) {
        const struct scenario_run run = crash_run(rounds, sends, i);
        struct mr_world *got = scenario_play(path, &run);
        char what[SCENARIO_PATH_MAX + 80];

        snprintf(what, sizeof(what), "%s, crash of group %zu in round %d", path, run.crash_group,
                 run.crash_round);
        scenario_compare(want, got, what);
        mr_world_destroy(&got);
    }
    mr_world_destroy(&want);
}
END_TEST

static const struct {
    struct mr_world_edit edits[2];
    size_t count;
    const char *why;
} boundaries[] = {
    {{{"{key: userId, value: OrderCommand}\n  orders.unique",
       "{key: userId, value: OrderCommand, boundary: topic}\n  orders.unique"}},
     1,
     "validate and dedupe meet through the log"},
    {{{"{key: userId, value: OrderCommand}\n  orders.unique",
       "{key: userId, value: OrderCommand, boundary: memory}\n  orders.unique"}},
     1,
     "orders.validated is never written"},
    {{{"{key: userId, value: OrderCommand}\n  orders.approved",
       "{key: userId, value: OrderCommand, boundary: topic}\n  orders.approved"},
      {"{key: userId, value: OrderCommand}\n  orders.unique",
       "{key: userId, value: OrderCommand, boundary: topic}\n  orders.unique"}},
     2,
     "every stage of account reads from the log"},
    {{{"trades:       {key: symbol, value: Trade}",
       "trades:       {key: symbol, value: Trade, boundary: topic}"}},
     1,
     "price-aggregate reads trades from the log"},
    {{{"account: {stages: [validate, ",
       "front: {stages: [validate], workers: 1}\n  account: {stages: ["}},
     1,
     "validate is a process of its own"},
};

START_TEST(a_boundary_changes_nothing)
{
    const char *path = scenario_path((size_t)_i);
    struct mr_world *want = scenario_play(path, &undisturbed);

    for (size_t i = 0; i < MR_COUNT(boundaries); i++) {
        const struct scenario_run run = {
            .options = {.edits = boundaries[i].edits, .edit_count = boundaries[i].count},
            .crash_round = -1,
        };
        struct mr_world *got = scenario_play(path, &run);

        scenario_compare(want, got, boundaries[i].why);
        mr_world_destroy(&got);
    }
    mr_world_destroy(&want);
}
END_TEST

START_TEST(two_workers_a_group_change_nothing)
{
    const char *path = scenario_path((size_t)_i);
    const struct mr_world_edit edits[] = {{"${ACCOUNT_WORKERS:-1}", "2"},
                                          {"${MARKET_WORKERS:-1}", "3"}};
    struct mr_world *want = scenario_play(path, &undisturbed);

    for (int crash = 0; crash < 3; crash++) {
        const struct scenario_run run = {
            .options = {.edits = edits, .edit_count = MR_COUNT(edits)},
            .crash_round = crash == 0 ? -1 : mr_world_round(want) / 3 * crash,
            .crash_group = (size_t)crash % 2,
            .lose_state = crash == 2,
        };
        struct mr_world *got = scenario_play(path, &run);

        scenario_compare(want, got, "two workers");
        mr_world_destroy(&got);
    }
    mr_world_destroy(&want);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology: scenarios");
    TCase *tcase = tcase_create("every file");
    const int files = (int)scenario_count();
    SRunner *runner;
    int failed;

    if (files == 0) {
        fprintf(stderr, "no scenarios\n");
        return 1;
    }
    tcase_set_timeout(tcase, 180);
    tcase_add_loop_test(tcase, a_story_comes_out_as_written, 0, files);
    tcase_add_loop_test(tcase, a_crash_in_a_story_changes_nothing, 0, files);
    tcase_add_loop_test(tcase, a_boundary_changes_nothing, 0, files);
    tcase_add_loop_test(tcase, two_workers_a_group_change_nothing, 0, files);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
