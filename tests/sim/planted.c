/*
 * planted.c -- millrace-sim-planted: every mistake of millrace/fault.h must be caught.
 *
 * Why: a simulation that finds nothing may be looking at nothing. Each planted fault is a mistake
 *      that could be made in one line; a check that does not see it is no check of that line.
 * How: seeds are run with one mistake switched on until one of them is violated, at most --seeds.
 *
 * usage: millrace-sim-planted [--seeds=N] [--jobs=N] [NAME ...]
 */
#include "sim_pool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 400

struct hunt {
    bool caught;
    struct sim_result by; /* of the smallest seed */
};

static bool seed_done(void *arg, const struct sim_result *result)
{
    struct hunt *hunt = arg;

    if (result->violated && (!hunt->caught || result->seed < hunt->by.seed)) {
        hunt->by = *result;
        hunt->caught = true;
    }
    return !hunt->caught;
}

static bool hunt_for(enum mr_planted planted, uint64_t seeds, int jobs)
{
    struct hunt hunt = {0};
    const struct sim_pool pool = {
        .jobs = jobs, .planted = planted, .done = seed_done, .arg = &hunt};

    sim_pool_run(&pool, 1, seeds);
    if (hunt.caught) {
        (void)printf("%-28s %-12s %6" PRIu64 "  %s\n", sim_planted_name(planted), hunt.by.check,
                     hunt.by.seed, mr_planted_text(planted));
    } else {
        (void)printf("%-28s %-12s %6s  %s\n", sim_planted_name(planted), "NOBODY", "-",
                     mr_planted_text(planted));
    }
    (void)fflush(stdout);
    return hunt.caught;
}

static bool is_chosen(enum mr_planted planted, char **names, int count)
{
    bool any = false;

    for (int i = 0; i < count; i++) {
        if (strncmp(names[i], "--", 2) != 0) {
            any = true;
            if (strcmp(names[i], sim_planted_name(planted)) == 0) {
                return true;
            }
        }
    }
    return !any;
}

int main(int argc, char **argv)
{
    uint64_t seeds = SEEDS_MAX;
    int jobs = 2;
    int survived = 0;
    int count = 0;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seeds=", 8) == 0) {
            seeds = strtoull(argv[i] + 8, NULL, 10);
        } else if (strncmp(argv[i], "--jobs=", 7) == 0) {
            jobs = (int)strtol(argv[i] + 7, NULL, 10);
        } else if (strncmp(argv[i], "-", 1) == 0) {
            (void)puts(
                "usage: millrace-sim-planted [--seeds=N] [--jobs=N] [NAME ...]\n"
                "Plants each mistake of millrace/fault.h, or those that are named, and looks\n"
                "for a seed that is violated. Exit 1 when one survives N seeds.");
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    (void)printf("%-28s %-12s %6s  %s\n", "planted", "caught by", "seed", "mistake");
    for (int p = MR_PLANTED_NOTHING + 1; p < MR_PLANTED_COUNT; p++) {
        if (is_chosen((enum mr_planted)p, argv + 1, argc - 1)) {
            count++;
            survived += hunt_for((enum mr_planted)p, seeds, jobs) ? 0 : 1;
        }
    }
    (void)printf("%d planted, %d caught, %d survived\n", count, count - survived, survived);
    return survived == 0 && count > 0 ? 0 : 1;
}
