/*
 * sim.h -- the whole pipeline under faults, decided by a seed.
 *
 * Why: exactly-once is a statement about everything that can happen between any two steps, to any
 *      process, at any call. Scenarios try a few of these; a simulation draws them by the thousand,
 *      and what it finds can be repeated by its number.
 * How: one thread, one clock, one generator of random numbers. A world (tests/support/world.h) of
 *      several instances of each group; in each round the load (sim_load.c) sends something, the
 *      faults of the round happen (sim_faults.c) and the instances take their turns (sim_world.c).
 *      Then faults stop, everything must settle, and is checked (sim_check.c, sim_replay.c).
 *      A violation ends the seed's process; sim.c gives each seed one.
 */
#ifndef MILLRACE_TESTS_SIM_H
#define MILLRACE_TESTS_SIM_H

#include "millrace/fault.h"
#include "sim_state.h"
#include "world.h"

#include <stdio.h>

#define SIM_GROUPS_MAX 2
#define SIM_INSTANCES_MAX 3
#define SIM_FAULTS_MAX 64 /* of one seed */
#define SIM_NEVER_US INT64_MAX

/* What goes wrong: name in reports, how often it is drawn. */
#define SIM_FAULT_MAP(X)                                                                           \
    X(CRASH, "crash", 8)                                                                           \
    X(CRASH_AT_POINT, "crash-at-point", 14)                                                        \
    X(PAUSE_AT_POINT, "pause-at-point", 18)                                                        \
    X(ERROR_AT_POINT, "error-at-point", 4)                                                         \
    X(FREEZE, "freeze", 8)                                                                         \
    X(STOP, "stop", 7)                                                                             \
    X(LOST_STATE, "lost-state", 5)                                                                 \
    X(OLD_STATE, "old-state", 5)                                                                   \
    X(TWIN, "twin", 5)                                                                             \
    X(CRASH_ALL, "crash-all", 3)                                                                   \
    X(OUTAGE, "outage", 4)                                                                         \
    X(COMPACTION, "compaction", 8)                                                                 \
    X(CLOCK_JUMP, "clock-jump", 5)                                                                 \
    X(STORE_READ, "store-read", 3)                                                                 \
    X(STORE_WRITE, "store-write", 5)                                                               \
    X(REGISTRY, "registry", 3)                                                                     \
    X(LOG_SEND, "log-send", 5)                                                                     \
    X(LOG_BEGIN, "log-begin", 3)                                                                   \
    X(LOG_COMMIT, "log-commit", 12)                                                                \
    X(LOG_ABORT, "log-abort", 5)                                                                   \
    X(LOG_POLL, "log-poll", 4)                                                                     \
    X(LOG_FLUSH, "log-flush", 1)                                                                   \
    X(LOG_WATERMARKS, "log-watermarks", 2)                                                         \
    X(LOG_LAST, "log-end", 2)                                                                      \
    X(LOG_COMMITTED, "log-committed", 2)                                                           \
    X(LOG_OPEN, "log-open", 3)

enum sim_fault {
#define X(name, text, weight) SIM_##name,
    SIM_FAULT_MAP(X)
#undef X
        SIM_FAULT_COUNT,
};
const char *sim_fault_name(enum sim_fault fault);

/* What became of a seed; goes through a pipe as it is. */
struct sim_result {
    uint64_t seed;
    uint64_t hash; /* of everything committed, and of the faults */
    uint64_t orders, records, replayed, rounds, restarts, commits, aborts;
    uint64_t faults[SIM_FAULT_COUNT];
    bool violated;
    char check[32];
    char text[600];
};

/* ---- random numbers -------------------------------------------------------------------------- */

struct sim_random {
    uint64_t state;
};

uint64_t sim_next(struct sim_random *random);
/* Below bound, which is not 0. */
uint64_t sim_pick(struct sim_random *random, uint64_t bound);
/* In [low, high]. */
int64_t sim_between(struct sim_random *random, int64_t low, int64_t high);
/* True once in `once_in`. */
bool sim_chance(struct sim_random *random, uint64_t once_in);

/* ---- a seed ---------------------------------------------------------------------------------- */

enum sim_point_action { SIM_POINT_CRASH, SIM_POINT_PAUSE, SIM_POINT_ERROR };

/* What happens at a passage of a point (millrace/fault.h) inside an instance's step. */
struct sim_point {
    bool armed;
    enum mr_point point;
    int countdown;
    enum sim_point_action action;
    int64_t pause_us;
    int64_t away_us; /* after a crash */
};

struct sim_instance {
    struct mr_world_at at;
    struct mr_backend *state;
    int64_t frozen_until_us;
    int64_t away_until_us;
    bool inside; /* its step is going on: it cannot take another */
    struct sim_point point;
};

struct sim_planned {
    int round;
    enum sim_fault fault;
};

struct sim_load;
struct sim_frame; /* sim_world.c */

struct sim {
    struct mr_world *world;
    struct sim_random random;
    struct sim_result result;
    FILE *trace; /* NULL: none */
    struct sim_instance instances[SIM_GROUPS_MAX * SIM_INSTANCES_MAX];
    size_t instance_count;
    struct sim_load *load;
    struct sim_planned planned[SIM_FAULTS_MAX];
    size_t planned_count, planned_next;
    int rounds;        /* with load and faults */
    int64_t step_us;   /* of the world's time in a round */
    int steps_left;    /* rounds until another step_us is drawn */
    bool calm;         /* faults have stopped */
    const char *check; /* what is being checked, for the report */
    struct sim_frame *frame;
    int64_t ghosts_frozen_until_us;
    int64_t log_down_until_us;
    int64_t clean_at_us; /* the log's cleaner will run; 0: it will not */
    int64_t registry_down_until_us;
    bool registry_down;
    bool log_down;
};

/* Runs one seed. A violation is noted in the result. Once in a process's life. */
void sim_run(uint64_t seed, FILE *trace, struct sim_result *result);
/* Ends the run: what must not be is. */
_Noreturn void sim_violated(struct sim *sim, const char *format, ...) MR_PRINTF(2, 3);
/* A line of the trace; part of the hash as it stands. */
void sim_say(struct sim *sim, const char *format, ...) MR_PRINTF(2, 3);
/* The name of a planted fault as it stands in fault.h; MR_PLANTED_COUNT: there is none. */
const char *sim_planted_name(enum mr_planted planted);
enum mr_planted sim_planted_find(const char *name);
uint64_t sim_hash(uint64_t hash, const void *data, size_t len);

/* ---- sim_world.c ----------------------------------------------------------------------------- */

/* Draws the world's shape and starts it. */
void sim_world_open(struct sim *sim);
/* Every instance takes its turn, in an order that is drawn; time passes. True: something happened.
 */
bool sim_round(struct sim *sim);
/* Until nothing happens any more; a violation when that takes too long. */
void sim_settle(struct sim *sim);
bool sim_is_frozen(const struct sim *sim, const struct sim_instance *own);

/* ---- sim_faults.c ---------------------------------------------------------------------------- */

void sim_faults_plan(struct sim *sim);
/* Those of this round. */
void sim_faults_happen(struct sim *sim, int round);
/* What was to happen by now, in each turn. */
void sim_faults_pass(struct sim *sim);
/* No more of them; who was away comes back, mostly. */
void sim_faults_stop(struct sim *sim);

/* ---- sim_load.c ------------------------------------------------------------------------------ */

void sim_load_open(struct sim *sim);
void sim_load_close(struct sim *sim);
/* Instruments, prices, money. */
void sim_load_begin(struct sim *sim);
/* This round's share of what is to be sent in the rounds that are left. */
void sim_load_send(struct sim *sim, int rounds_left);

/* ---- sim_check.c, sim_replay.c --------------------------------------------------------------- */

void sim_check(struct sim *sim);
/* The committed inputs, taken again in the journals' order, give what was committed. */
void sim_check_replay(struct sim *sim);

#endif
