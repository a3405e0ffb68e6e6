/*
 * test_determinism.c -- a seed decides everything.
 *
 * Goal:   a violation that is found can be found again by its number.
 * Method: the hash of a seed is over every committed record with its offset and every fault. The
 *         same seeds are run one at a time, two at a time, with a trace, and by a program of its
 *         own, whose memory lies elsewhere.
 */
#include "sim_pool.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 6
#define FIRST 1000

static uint64_t hashes[SEEDS];

static bool keep_hash(void *arg, const struct sim_result *result)
{
    uint64_t *to = arg;

    ck_assert_msg(!result->violated, "seed %" PRIu64 ": %s", result->seed, result->text);
    to[result->seed - FIRST] = result->hash;
    return true;
}

static void run(int jobs, uint64_t *to)
{
    const struct sim_pool pool = {.jobs = jobs, .done = keep_hash, .arg = to};

    sim_pool_run(&pool, FIRST, SEEDS);
}

static void set_up(void)
{
    run(1, hashes);
}

START_TEST(in_other_company)
{
    uint64_t again[SEEDS];

    run(3, again);
    ck_assert_mem_eq(hashes, again, sizeof(hashes));
    for (size_t i = 1; i < SEEDS; i++) {
        ck_assert(hashes[i] != hashes[0]);
    }
}
END_TEST

START_TEST(with_a_trace)
{
    struct sim_result result;

    ck_assert(sim_pool_trace(MR_PLANTED_NOTHING, FIRST, "determinism.trace", &result));
    ck_assert_uint_eq(result.hash, hashes[0]);
}
END_TEST

START_TEST(in_another_program)
{
    char command[600];
    char line[200];
    char wanted[64];
    uint64_t sum = 0;
    bool found = false;
    FILE *report;

    for (size_t i = 0; i < SEEDS; i++) {
        sum ^= hashes[i] * (2 * (FIRST + i) + 1);
    }
    (void)snprintf(wanted, sizeof(wanted), "\"hash\": \"%016" PRIx64 "\"", sum);
    (void)snprintf(command, sizeof(command),
                   "%s --first=%d --seeds=%d --dir=determinism >determinism.out 2>&1",
                   MR_SIM_PROGRAM, FIRST, SEEDS);
    ck_assert_int_eq(system(command), 0);
    report = fopen("determinism/report.json", "r");
    ck_assert_ptr_nonnull(report);
    while (fgets(line, sizeof(line), report) != NULL) {
        found = found || strstr(line, wanted) != NULL;
    }
    (void)fclose(report);
    ck_assert_msg(found, "the report does not have %s", wanted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simulation");
    TCase *tcase = tcase_create("determinism");
    SRunner *runner;
    int failed;

    tcase_add_unchecked_fixture(tcase, set_up, NULL);
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, in_other_company);
    tcase_add_test(tcase, with_a_trace);
    tcase_add_test(tcase, in_another_program);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
