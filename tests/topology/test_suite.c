/*
 * test_suite.c -- one suite of the production topology, with everything that may not change it.
 *
 * Goal:   what a suite says is true, whatever part of the pipeline crashes in a case, whichever way
 *         records travel between its stages, and with several workers; and in all of that the
 *         invariants hold, which no suite could write down.
 * Method: the engine of `millrace topology test` (tools/millrace/suite), on a topology that is
 *         edited for each test. Which suite: the argument.
 */
#include "avro/catalog.h"
#include "invariants.h"
#include "play.h"
#include "registry.h"
#include "topology_text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

struct edits {
    struct topology_edit items[2];
    size_t count;
    const char *why;
};

static const char *path;
static struct suite *as_it_is;

static char *edit_text(void *arg, char *text)
{
    const struct edits *edits = arg;

    return topology_text_edit(text, edits->items, edits->count);
}

/* The suite over an edited topology; NULL, with the problems printed, when it is wrong. */
static struct suite *open_suite(const struct edits *edits)
{
    const struct mr_catalog catalog = {
        .stages = mr_stages,
        .stage_count = mr_stage_count,
        .schemas = oms_schemas,
        .schema_count = oms_schema_count,
    };
    struct edits copy = *edits;
    struct mr_problems problems = {0};
    struct suite *suite = NULL;

    if (suite_open(path,
                   &(struct suite_options){.catalog = &catalog, .edit = edit_text, .arg = &copy},
                   &suite, &problems) != MR_OK) {
        for (size_t i = 0; i < problems.count; i++) {
            fprintf(stderr, "%s:%d:%d: %s\n", problems.items[i].file,
                    problems.items[i].position.line, problems.items[i].position.column,
                    problems.items[i].text);
        }
    }
    mr_problems_fini(&problems);
    return suite;
}

/* What a case begins with came from nowhere: no books were kept of it. */
static void check_invariants(void *arg, const struct suite_case *played, struct mr_world *world)
{
    (void)arg;
    if (played->store_count == 0) {
        invariants_check(world);
    }
}

/* The sanitizers take fifteen times as long, and look for what a few crashes show as well. A step
 * that does not divide the groups meets all of them. */
#ifndef CRASH_STEP
#define CRASH_STEP 1
#endif

static const struct suite_play_options undisturbed = {
    .crash = {.round = -1}, .crash_step = CRASH_STEP, .check = check_invariants};

static void must_pass(struct suite_result *result, const char *why)
{
    ck_assert_msg(result->passed, "%s\n%.*s", why, (int)result->text.len,
                  (const char *)result->text.data);
    suite_result_fini(result);
}

START_TEST(a_case_comes_out_as_written_and_its_workers_close)
{
    struct suite_result result = {0};
    struct mr_world *world = suite_play(as_it_is, &as_it_is->cases[_i], &undisturbed, &result);

    must_pass(&result, as_it_is->cases[_i].name);
    mr_world_stop(world);
    mr_world_destroy(&world);
}
END_TEST

START_TEST(a_crash_in_a_case_changes_nothing)
{
    struct suite_result result = {0};

    suite_play_everywhere(as_it_is, &as_it_is->cases[_i], &undisturbed, &result);
    must_pass(&result, as_it_is->cases[_i].name);
}
END_TEST

/* Both topologies play the case; the outputs are the same. */
static void must_be_equal(const struct edits *edits, int index, int crashes)
{
    struct suite *other = open_suite(edits);
    struct suite_result result = {0};
    struct mr_world *want = suite_play(as_it_is, &as_it_is->cases[index], &undisturbed, &result);

    ck_assert_ptr_nonnull(other);
    for (int crash = 0; crash <= crashes; crash++) {
        struct suite_play_options options = undisturbed;
        struct mr_world *got;

        options.crash = (struct suite_crash){
            .round = crash == 0 ? -1 : mr_world_round(want) / 3 * crash,
            .group = (size_t)crash % 2,
            .lose_state = crash == 2,
        };
        got = suite_play(other, &other->cases[index], &options, &result);
        if (result.passed && !suite_compare(as_it_is, want, got, &result.text)) {
            result.passed = false;
        }
        ck_assert_msg(result.passed, "%s: %s\n%.*s", as_it_is->cases[index].name, edits->why,
                      (int)result.text.len, (const char *)result.text.data);
        mr_world_destroy(&got);
    }
    suite_result_fini(&result);
    mr_world_destroy(&want);
    suite_close(&other);
}

static const struct edits boundaries[] = {
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
    for (size_t i = 0; i < MR_COUNT(boundaries); i++) {
        must_be_equal(&boundaries[i], _i, 0);
    }
}
END_TEST

static const struct edits workers = {
    {{"${ACCOUNT_WORKERS:-1}", "2"}, {"${MARKET_WORKERS:-1}", "3"}},
    2,
    "two workers of account, three of market"};

START_TEST(several_workers_a_group_change_nothing)
{
    must_be_equal(&workers, _i, 2);
}
END_TEST

int main(int argc, char **argv)
{
    static const struct edits none = {.why = "as it is"};
    Suite *suite = suite_create("topology: a suite");
    TCase *tcase = tcase_create("every case");
    SRunner *runner;
    int cases;
    int failed;

    path = argc == 2 ? argv[1] : "";
    as_it_is = open_suite(&none);
    if (as_it_is == NULL) {
        fprintf(stderr, "usage: topology_test_suite FILE\n");
        return 2;
    }
    cases = (int)as_it_is->case_count;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_case_comes_out_as_written_and_its_workers_close, 0, cases);
    tcase_add_loop_test(tcase, a_crash_in_a_case_changes_nothing, 0, cases);
    tcase_add_loop_test(tcase, a_boundary_changes_nothing, 0, cases);
    tcase_add_loop_test(tcase, several_workers_a_group_change_nothing, 0, cases);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    suite_close(&as_it_is);
    return failed == 0 ? 0 : 1;
}
