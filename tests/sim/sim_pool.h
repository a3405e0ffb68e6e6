/*
 * sim_pool.h -- seeds in processes of their own, a few at a time.
 *
 * Why: what a seed breaks (an assertion, a stack, a heap, a loop without end) must end that seed
 * and nothing else, and no seed may see what another left behind.
 */
#ifndef MILLRACE_TESTS_SIM_POOL_H
#define MILLRACE_TESTS_SIM_POOL_H

#include "sim.h"

struct sim_pool {
    int jobs;
    enum mr_planted planted;
    /* Called for each seed as it ends; false: no further seed is begun. */
    bool (*done)(void *arg, const struct sim_result *result);
    void *arg;
};

void sim_pool_run(const struct sim_pool *pool, uint64_t first, uint64_t count);
/* One seed again, with a trace of it and what the runtime says. False: the file cannot be made. */
bool sim_pool_trace(enum mr_planted planted, uint64_t seed, const char *path,
                    struct sim_result *result);

#endif
