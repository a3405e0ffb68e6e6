/*
 * sim_faults.c -- see sim.h: what goes wrong, when, and where.
 *
 * Every seed has more faults than the smallest number that is promised, spread over its rounds.
 * What a fault is drawn for may not come (a call that is told to fail is not made any more): it
 * counts when it is set.
 */
#include "sim.h"

#include <stdlib.h>

#define FAULTS_MIN 20
#define FAULTS_SPREAD 25
#define FOREVER_US SIM_NEVER_US
#define SESSION_MAX_US (13 * MR_SECOND_US) /* of the worlds of sim_world.c, and a little */

static const char *const names[] = {
#define X(name, text, weight) text,
    SIM_FAULT_MAP(X)
#undef X
};
static const int weights[] = {
#define X(name, text, weight) weight,
    SIM_FAULT_MAP(X)
#undef X
};

const char *sim_fault_name(enum sim_fault fault)
{
    return names[fault];
}

/* ---- processes ------------------------------------------------------------------------------- */

static struct sim_instance *some_instance(struct sim *sim)
{
    return &sim->instances[sim_pick(&sim->random, sim->instance_count)];
}

static const char *label(const struct sim *sim, const struct sim_instance *own)
{
    static char text[64];

    (void)snprintf(text, sizeof(text), "%.40s.%d",
                   mr_world_topology(sim->world)->groups[own->at.group].name, own->at.instance);
    return text;
}

/* Mostly short; now and then past every session and transaction. */
static int64_t some_time_us(struct sim *sim)
{
    static const int64_t up_to_us[] = {20 * MR_MS_US, 300 * MR_MS_US, 4 * MR_SECOND_US,
                                       15 * MR_SECOND_US};

    return sim_between(&sim->random, 0, up_to_us[sim_pick(&sim->random, MR_COUNT(up_to_us))]);
}

static void take_away(struct sim *sim, struct sim_instance *own)
{
    own->away_until_us = mr_world_now_us(sim->world) + some_time_us(sim);
    own->frozen_until_us = 0;
    mr_world_keep_away(sim->world, own->at, true);
}

static void crash(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);
    const size_t lost = fault == SIM_OLD_STATE ? (size_t)sim_between(&sim->random, 1, 12) : 0;

    take_away(sim, own);
    mr_world_kill(sim->world, own->at);
    if (fault == SIM_LOST_STATE) {
        mr_world_wipe(sim->world, own->at);
    } else if (lost > 0) {
        sim_state_forget(own->state, lost);
    }
    sim_say(sim, "%s %s lost=%zu", names[fault], label(sim, own), lost);
}

static void stop(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);

    take_away(sim, own);
    mr_world_retire(sim->world, own->at);
    sim_say(sim, "%s %s", names[fault], label(sim, own));
}

static void freeze(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);

    own->frozen_until_us = mr_world_now_us(sim->world) + some_time_us(sim);
    sim_say(sim, "%s %s until=%lld", names[fault], label(sim, own),
            (long long)own->frozen_until_us);
}

/* The last two of a transaction are where a process that wakes up late could do the most harm. */
static enum mr_point some_point(struct sim *sim, enum sim_fault fault)
{
    /* END_TXN_SENT and OFFSETS_SENT are in the client of Kafka. */
    static const enum mr_point points[] = {
        MR_POINT_COMMITTED,     MR_POINT_BEFORE_STATE_WRITE, MR_POINT_AFTER_STATE_WRITE,
        MR_POINT_RESTORE_BATCH, MR_POINT_RESTORE_DONE,       MR_POINT_ASSIGNED,
        MR_POINT_REVOKING,
    };

    if (fault == SIM_ERROR_AT_POINT || sim_chance(&sim->random, 2)) {
        return sim_chance(&sim->random, 2) ? MR_POINT_BEFORE_PRODUCE : MR_POINT_AFTER_PRODUCE;
    }
    return points[sim_pick(&sim->random, MR_COUNT(points))];
}

static void at_point(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);
    const enum mr_point point = some_point(sim, fault);

    own->point = (struct sim_point){
        .armed = true,
        .point = point,
        .countdown = point >= MR_POINT_RESTORE_BATCH ? 1 : (int)sim_between(&sim->random, 1, 3),
        .action = fault == SIM_CRASH_AT_POINT   ? SIM_POINT_CRASH
                  : fault == SIM_PAUSE_AT_POINT ? SIM_POINT_PAUSE
                                                : SIM_POINT_ERROR,
        .pause_us = some_time_us(sim),
        .away_us = some_time_us(sim),
    };
    sim_say(sim, "%s %s %s in %d", names[fault], label(sim, own), mr_point_name(point),
            own->point.countdown);
}

/* The orchestrator takes a process for dead that is not, and starts it again elsewhere. */
static void twin(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);

    if (!mr_world_is_running(sim->world, own->at) || mr_world_ghost_count(sim->world) > 2) {
        return;
    }
    mr_world_keep_away(sim->world, own->at, false);
    mr_world_haunt(sim->world, own->at);
    own->frozen_until_us = 0;
    sim->ghosts_frozen_until_us = mr_world_now_us(sim->world) + some_time_us(sim);
    sim_say(sim, "%s %s awake=%lld", names[fault], label(sim, own),
            (long long)sim->ghosts_frozen_until_us);
}

/* A machine room: every process of one group, or of all. */
static void crash_all(struct sim *sim, enum sim_fault fault)
{
    const size_t group = (size_t)sim_pick(&sim->random, SIM_GROUPS_MAX + 1);

    for (size_t i = 0; i < sim->instance_count; i++) {
        struct sim_instance *own = &sim->instances[i];

        if (group == SIM_GROUPS_MAX || own->at.group == group) {
            take_away(sim, own);
            mr_world_kill(sim->world, own->at);
        }
    }
    sim_say(sim, "%s group=%zu", names[fault], group);
}

/* ---- what is around them --------------------------------------------------------------------- */

static void jump(struct sim *sim, enum sim_fault fault)
{
    /* Once in a while past the age at which state is not trusted any more. */
    const int64_t us = sim_chance(&sim->random, 10) ? 30 * MR_HOUR_US : some_time_us(sim);

    mr_world_pass_us(sim->world, us);
    sim_say(sim, "%s us=%lld", names[fault], (long long)us);
}

static void lose_log(struct sim *sim, enum sim_fault fault)
{
    sim->log_down_until_us = mr_world_now_us(sim->world) + some_time_us(sim);
    sim->log_down = true;
    mr_log_memory_set_down(mr_world_log(sim->world), true);
    sim_say(sim, "%s until=%lld", names[fault], (long long)sim->log_down_until_us);
}

/* Of changelogs, and of a table: as a broker's cleaner does. */
static void clean(struct sim *sim)
{
    const struct mr_topology *topology = mr_world_topology(sim->world);
    struct mr_log *log = mr_world_log(sim->world);
    int64_t before_ms;

    if (sim_chance(&sim->random, 2)) {
        mr_world_pass_us(sim->world, 30 * MR_HOUR_US);
    }
    before_ms = (mr_world_now_us(sim->world) - MR_DAY_US) / MR_MS_US;
    for (size_t i = 0; i < topology->stage_count; i++) {
        if (topology->stages[i].changelog != MR_UNBOUND) {
            mr_log_memory_compact(log, topology->topics[topology->stages[i].changelog].name,
                                  before_ms);
        }
    }
    mr_log_memory_compact(log, "prices", before_ms);
    sim_say(sim, "cleaned before=%lld", (long long)before_ms);
}

/*
 * At once, or a process sleeps first, past its session, while others have its tasks and delete: it
 * may miss that they did.
 */
static void compact(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);

    if (sim->clean_at_us == 0 && sim_chance(&sim->random, 2)) {
        mr_world_pass_us(sim->world, SESSION_MAX_US);
        sim->clean_at_us = mr_world_now_us(sim->world) +
                           sim_between(&sim->random, 200 * MR_MS_US, 3 * MR_SECOND_US);
        own->frozen_until_us = sim->clean_at_us;
        sim_say(sim, "%s %s sleeps until=%lld", names[fault], label(sim, own),
                (long long)own->frozen_until_us);
        return;
    }
    clean(sim);
}

void sim_faults_pass(struct sim *sim)
{
    if (sim->clean_at_us != 0 && mr_world_now_us(sim->world) >= sim->clean_at_us) {
        sim->clean_at_us = 0;
        clean(sim);
    }
}

static void fail_store(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);
    const bool read = fault == SIM_STORE_READ;
    const int n = (int)sim_between(&sim->random, 1, read ? 12 : 4);
    const bool done = sim_chance(&sim->random, 2);

    sim_state_fail(own->state, read ? SIM_STATE_READ : SIM_STATE_WRITE, n, MR_STORE_IO, done);
    sim_say(sim, "%s %s n=%d done=%d", names[fault], label(sim, own), n, (int)done);
}

/* A process starts, asks for its schemas, and nobody answers. */
static void lose_registry(struct sim *sim, enum sim_fault fault)
{
    struct sim_instance *own = some_instance(sim);

    sim->registry_down_until_us = mr_world_now_us(sim->world) + some_time_us(sim);
    mr_world_kill(sim->world, own->at);
    mr_world_forget_schemas(sim->world, own->at);
    sim_say(sim, "%s %s until=%lld", names[fault], label(sim, own),
            (long long)sim->registry_down_until_us);
}

/* The ways in which each call may fail; a commit that is done is never told to be undone. */
static const struct way {
    enum sim_fault fault;
    enum mr_log_call call;
    enum mr_status status;
    bool done;
    int calls; /* about so many are made between two commits */
} ways[] = {
    {SIM_LOG_SEND, MR_LOG_CALL_SEND, MR_TIMEOUT, false, 30},
    {SIM_LOG_SEND, MR_LOG_CALL_SEND, MR_UNAVAILABLE, true, 30},
    {SIM_LOG_SEND, MR_LOG_CALL_SEND, MR_TXN_ABORT, false, 30},
    {SIM_LOG_SEND, MR_LOG_CALL_SEND, MR_TXN_ABORT, true, 30},
    {SIM_LOG_SEND, MR_LOG_CALL_SEND, MR_FENCED, false, 30},
    {SIM_LOG_SEND, MR_LOG_CALL_SEND, MR_LOG_FATAL, true, 30},
    {SIM_LOG_BEGIN, MR_LOG_CALL_BEGIN, MR_TIMEOUT, false, 3},
    {SIM_LOG_BEGIN, MR_LOG_CALL_BEGIN, MR_TXN_ABORT, true, 3},
    {SIM_LOG_BEGIN, MR_LOG_CALL_BEGIN, MR_LOG_FATAL, true, 3},
    {SIM_LOG_BEGIN, MR_LOG_CALL_BEGIN, MR_FENCED, false, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_TIMEOUT, false, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_TXN_ABORT, false, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_FENCED, false, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_FENCED, true, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_LOG_FATAL, false, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_LOG_FATAL, true, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true, 3},
    {SIM_LOG_COMMIT, MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true, 3},
    {SIM_LOG_ABORT, MR_LOG_CALL_ABORT, MR_TIMEOUT, false, 1},
    {SIM_LOG_ABORT, MR_LOG_CALL_ABORT, MR_TIMEOUT, true, 1},
    {SIM_LOG_ABORT, MR_LOG_CALL_ABORT, MR_LOG_FATAL, false, 1},
    {SIM_LOG_ABORT, MR_LOG_CALL_ABORT, MR_INDETERMINATE, true, 1},
    {SIM_LOG_ABORT, MR_LOG_CALL_ABORT, MR_FENCED, false, 1},
    {SIM_LOG_POLL, MR_LOG_CALL_POLL, MR_UNAVAILABLE, false, 20},
    {SIM_LOG_POLL, MR_LOG_CALL_POLL, MR_UNAVAILABLE, true, 20},
    {SIM_LOG_POLL, MR_LOG_CALL_POLL, MR_LOG_FATAL, false, 20},
    {SIM_LOG_POLL, MR_LOG_CALL_POLL, MR_FENCED, true, 20},
    {SIM_LOG_FLUSH, MR_LOG_CALL_FLUSH, MR_TIMEOUT, false, 2},
    {SIM_LOG_WATERMARKS, MR_LOG_CALL_WATERMARKS, MR_UNAVAILABLE, false, 4},
    {SIM_LOG_WATERMARKS, MR_LOG_CALL_WATERMARKS, MR_LOG_FATAL, false, 4},
    {SIM_LOG_LAST, MR_LOG_CALL_LAST, MR_UNAVAILABLE, false, 4},
    {SIM_LOG_LAST, MR_LOG_CALL_LAST, MR_TIMEOUT, false, 4},
    {SIM_LOG_COMMITTED, MR_LOG_CALL_COMMITTED, MR_UNAVAILABLE, false, 3},
    {SIM_LOG_COMMITTED, MR_LOG_CALL_COMMITTED, MR_TIMEOUT, false, 3},
    {SIM_LOG_OPEN, MR_LOG_CALL_OPEN, MR_TIMEOUT, false, 2},
    {SIM_LOG_OPEN, MR_LOG_CALL_OPEN, MR_TIMEOUT, true, 2},
    {SIM_LOG_OPEN, MR_LOG_CALL_OPEN, MR_UNAVAILABLE, false, 2},
};

static void fail_log(struct sim *sim, enum sim_fault fault)
{
    struct mr_log *log = mr_world_log(sim->world);
    size_t count = 0;
    const struct way *way = NULL;
    int n;

    for (size_t i = 0; i < MR_COUNT(ways); i++) {
        if (ways[i].fault == fault && sim_chance(&sim->random, ++count)) {
            way = &ways[i];
        }
    }
    WORLD_MUST(way != NULL);
    n = (int)sim_between(&sim->random, 1, way->calls);
    if (fault == SIM_LOG_ABORT) {
        /* There has to be one. */
        mr_log_memory_fail(log, MR_LOG_CALL_COMMIT, (int)sim_between(&sim->random, 1, 3),
                           MR_TXN_ABORT, false);
    }
    mr_log_memory_fail(log, way->call, n, way->status, way->done);
    sim_say(sim, "%s n=%d %s done=%d", names[fault], n, mr_status_name(way->status),
            (int)way->done);
}

/* ---- the plan -------------------------------------------------------------------------------- */

static int by_round(const void *a, const void *b)
{
    const struct sim_planned *left = a;
    const struct sim_planned *right = b;

    return left->round != right->round ? left->round - right->round
                                       : (int)left->fault - (int)right->fault;
}

void sim_faults_plan(struct sim *sim)
{
    int sum = 0;

    for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
        sum += weights[i];
    }
    sim->planned_count = FAULTS_MIN + (size_t)sim_pick(&sim->random, FAULTS_SPREAD);
    for (size_t i = 0; i < sim->planned_count; i++) {
        int left = (int)sim_pick(&sim->random, (uint64_t)sum);
        size_t fault = 0;

        while (left >= weights[fault]) {
            left -= weights[fault++];
        }
        sim->planned[i] = (struct sim_planned){
            .round = (int)sim_pick(&sim->random, (uint64_t)sim->rounds),
            .fault = (enum sim_fault)fault,
        };
    }
    qsort(sim->planned, sim->planned_count, sizeof(sim->planned[0]), by_round);
}

static void happen(struct sim *sim, enum sim_fault fault)
{
    sim->result.faults[fault]++;
    switch (fault) {
    case SIM_CRASH:
    case SIM_LOST_STATE:
    case SIM_OLD_STATE:
        crash(sim, fault);
        break;
    case SIM_CRASH_AT_POINT:
    case SIM_PAUSE_AT_POINT:
    case SIM_ERROR_AT_POINT:
        at_point(sim, fault);
        break;
    case SIM_FREEZE:
        freeze(sim, fault);
        break;
    case SIM_STOP:
        stop(sim, fault);
        break;
    case SIM_TWIN:
        twin(sim, fault);
        break;
    case SIM_CRASH_ALL:
        crash_all(sim, fault);
        break;
    case SIM_OUTAGE:
        lose_log(sim, fault);
        break;
    case SIM_COMPACTION:
        compact(sim, fault);
        break;
    case SIM_CLOCK_JUMP:
        jump(sim, fault);
        break;
    case SIM_STORE_READ:
    case SIM_STORE_WRITE:
        fail_store(sim, fault);
        break;
    case SIM_REGISTRY:
        lose_registry(sim, fault);
        break;
    case SIM_LOG_SEND:
    case SIM_LOG_BEGIN:
    case SIM_LOG_COMMIT:
    case SIM_LOG_ABORT:
    case SIM_LOG_POLL:
    case SIM_LOG_FLUSH:
    case SIM_LOG_WATERMARKS:
    case SIM_LOG_LAST:
    case SIM_LOG_COMMITTED:
    case SIM_LOG_OPEN:
        fail_log(sim, fault);
        break;
    case SIM_FAULT_COUNT:
        break;
    }
}

void sim_faults_happen(struct sim *sim, int round)
{
    while (sim->planned_next < sim->planned_count &&
           sim->planned[sim->planned_next].round <= round) {
        happen(sim, sim->planned[sim->planned_next++].fault);
    }
}

void sim_faults_stop(struct sim *sim)
{
    mr_log_memory_calm(mr_world_log(sim->world));
    mr_point_set_watch(NULL, NULL);
    sim->calm = true;
    sim->registry_down_until_us = 0;
    sim->log_down_until_us = 0;
    sim->clean_at_us = 0;
    sim->ghosts_frozen_until_us = 0;
    for (size_t i = 0; i < sim->instance_count; i++) {
        struct sim_instance *own = &sim->instances[i];
        /*
         * The first of each group is there in the end; another may be gone for good, but not the
         * one that has to put an end to its ghost.
         */
        const bool gone = own->at.instance > 0 && mr_world_is_away(sim->world, own->at) &&
                          mr_world_ghost_count(sim->world) == 0 && sim_chance(&sim->random, 3);

        own->point.armed = false;
        own->frozen_until_us = 0;
        own->away_until_us = gone ? FOREVER_US : 0;
        sim_state_calm(own->state);
        sim_say(sim, "calm %s%s", label(sim, own), gone ? " stays away" : "");
    }
}
