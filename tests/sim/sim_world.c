/*
 * sim_world.c -- see sim.h: the shape of a world, turns, and what may happen inside of one.
 *
 * A turn that passes a fault point may end there (the process has died: the stack is left as it is,
 * nothing is freed, as a killed process frees nothing), or wait there while everybody else goes on:
 * a process that was stopped in the middle of a commit, a restore or a rebalance.
 */
#include "sim.h"
#include "topology_text.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define RESTARTS_MAX 2000
#define SETTLE_ROUNDS_MAX 12000
#define QUIET_ROUNDS 40
/* Beyond every session, transaction and back-off. */
#define QUIET_US (25 * MR_SECOND_US)
#define QUIET_STEP_US (250 * MR_MS_US)
#define DEPTH_MAX 3

/* A turn that is going on; turns nest when one waits. */
struct sim_frame {
    struct sim_frame *outer;
    struct sim_instance *own;
    jmp_buf dead;
};

static enum mr_status at_point(void *arg, enum mr_point point);

/* ---- shape ----------------------------------------------------------------------------------- */

static struct mr_backend *create_backend(void *arg, size_t group, int instance)
{
    struct sim *sim = arg;
    struct mr_backend *state = sim_state_create();

    for (size_t i = 0; i < sim->instance_count; i++) {
        if (sim->instances[i].at.group == group && sim->instances[i].at.instance == instance) {
            sim->instances[i].state = state;
        }
    }
    return state;
}

static const char *one_of(struct sim *sim, const char *const *texts, size_t count)
{
    return texts[sim_pick(&sim->random, count)];
}

static void name_instances(struct sim *sim, int instances)
{
    for (size_t g = 0; g < SIM_GROUPS_MAX; g++) {
        for (int i = 0; i < instances; i++) {
            sim->instances[sim->instance_count++] =
                (struct sim_instance){.at = {.group = g, .instance = i}};
        }
    }
}

void sim_world_open(struct sim *sim)
{
    static const char *const partitions[] = {"1", "2", "2", "3", "3", "4"};
    static const char *const intervals[] = {"5ms", "10ms", "10ms", "40ms"};
    static const char *const records[] = {"20000", "20000", "50", "7", "2"};
    static const char *const caches[] = {"32MiB", "32MiB", "8KiB", "0"};
    static const char *const timeouts[] = {
        "6s\n  transaction-timeout: 5s", "6s\n  transaction-timeout: 5s",
        "3s\n  transaction-timeout: 12s", "12s\n  transaction-timeout: 2s"};
    static const char *const bytes[] = {"16MiB", "16MiB", "8KiB"};
    static const char *const processes[] = {"1", "2", "1, standby: true"};
    static const char *const windows[] = {"24h", "10m"};
    static const int64_t delays_us[] = {0, 3 * MR_MS_US, 60 * MR_MS_US, MR_SECOND_US};
    const int64_t delay_us = delays_us[sim_pick(&sim->random, MR_COUNT(delays_us))];
    const int instances = 1 + (int)sim_pick(&sim->random, SIM_INSTANCES_MAX);
    char defaults[300];
    char workers[SIM_GROUPS_MAX][24];
    char window[40];
    const char *parts = one_of(sim, partitions, MR_COUNT(partitions));
    const struct topology_edit edits[] = {
        {"  commit-interval: \"${COMMIT_INTERVAL:-10ms}\"", defaults},
        {"\"${PARTITIONS:-6}\"", parts},
        {"\"${ACCOUNT_WORKERS:-1}\", standby: \"${STANDBY:-false}\"", workers[0]},
        {"\"${MARKET_WORKERS:-1}\", standby: \"${STANDBY:-false}\"", workers[1]},
        {"window: 24h", window},
    };

    (void)snprintf(defaults, sizeof(defaults),
                   "  commit-interval: %s\n  commit-records: %s\n  commit-bytes: %s\n  cache: %s\n"
                   "  session-timeout: %s",
                   one_of(sim, intervals, MR_COUNT(intervals)),
                   one_of(sim, records, MR_COUNT(records)), one_of(sim, bytes, MR_COUNT(bytes)),
                   one_of(sim, caches, MR_COUNT(caches)),
                   one_of(sim, timeouts, MR_COUNT(timeouts)));
    (void)snprintf(window, sizeof(window), "window: %s", one_of(sim, windows, MR_COUNT(windows)));
    for (size_t g = 0; g < MR_COUNT(workers); g++) {
        (void)snprintf(workers[g], sizeof(workers[g]), "%s",
                       one_of(sim, processes, MR_COUNT(processes)));
    }
    name_instances(sim, instances);
    sim_say(sim, "world instances=%d workers=%s,%s partitions=%s %s", instances, workers[0],
            workers[1], parts, window);
    sim_say(sim, "%s\n  markers within %lld us", defaults, (long long)delay_us);
    sim->world = mr_world_create(&(struct mr_world_options){
        .owned = topology_of_text(NULL, NULL, edits, MR_COUNT(edits)),
        .instances = instances,
        .create_backend = create_backend,
        .registry = sim_registry_create(&sim->registry_down),
        .arg = sim,
    });
    WORLD_MUST(mr_world_topology(sim->world)->group_count == SIM_GROUPS_MAX);
    mr_log_memory_slow_markers(mr_world_log(sim->world), delay_us, sim_next(&sim->random));
    mr_point_set_watch(at_point, sim);
}

/* ---- one turn -------------------------------------------------------------------------------- */

static const char *group_name(const struct sim *sim, const struct sim_instance *own)
{
    return mr_world_topology(sim->world)->groups[own->at.group].name;
}

static int64_t now_us(const struct sim *sim)
{
    return mr_world_now_us(sim->world);
}

bool sim_is_frozen(const struct sim *sim, const struct sim_instance *own)
{
    return own->inside || now_us(sim) < own->frozen_until_us;
}

static void failed(struct sim *sim, const struct sim_instance *own)
{
    const struct mr_err *err = mr_world_error(sim->world);

    sim->result.restarts++;
    sim_say(sim, "failed %s.%d %s: %s", group_name(sim, own), own->at.instance,
            mr_status_name(err->status), err->text);
    if (sim->result.restarts > RESTARTS_MAX) {
        sim_violated(sim, "group %s keeps failing: %s", group_name(sim, own), err->text);
    }
    if (mr_status_class(err->status) != MR_CLASS_FATAL) {
        sim_violated(sim, "a worker of %s ended for what is of class %s: %s", group_name(sim, own),
                     mr_class_name(mr_status_class(err->status)), err->text);
    }
}

static bool turn(struct sim *sim, struct sim_instance *own)
{
    struct sim_frame frame = {.outer = sim->frame, .own = own};
    enum mr_world_step step = MR_WORLD_FAILED;

    own->inside = true;
    sim->frame = &frame;
    if (setjmp(frame.dead) == 0) {
        step = mr_world_step(sim->world, own->at);
        if (step == MR_WORLD_FAILED) {
            failed(sim, own);
        }
    } else {
        mr_world_abandon(sim->world, own->at);
        sim->result.restarts++;
        step = MR_WORLD_BUSY;
    }
    sim->frame = frame.outer;
    own->inside = false;
    return step != MR_WORLD_IDLE;
}

/* Processes that were started a second time and do not know it yet. */
static bool ghosts_turn(struct sim *sim)
{
    struct sim_frame frame = {.outer = sim->frame};
    bool any = false;

    sim->frame = &frame;
    for (size_t i = mr_world_ghost_count(sim->world); i > 0; i--) {
        if (now_us(sim) >= sim->ghosts_frozen_until_us &&
            (sim->calm || sim_chance(&sim->random, 2))) {
            const enum mr_world_step step = mr_world_step_ghost(sim->world, i - 1);

            if (step == MR_WORLD_FAILED) {
                sim_say(sim, "ghost gone %s: %s",
                        mr_status_name(mr_world_error(sim->world)->status),
                        mr_world_error(sim->world)->text);
            }
            any = any || step != MR_WORLD_IDLE;
        }
    }
    sim->frame = frame.outer;
    return any;
}

static bool wake(struct sim *sim, struct sim_instance *own)
{
    if (mr_world_is_away(sim->world, own->at) && !mr_world_is_running(sim->world, own->at) &&
        now_us(sim) >= own->away_until_us) {
        mr_world_keep_away(sim->world, own->at, false);
        sim_say(sim, "back %s.%d", group_name(sim, own), own->at.instance);
    }
    return !sim_is_frozen(sim, own);
}

static bool turns(struct sim *sim, int64_t step_us)
{
    size_t order[MR_COUNT(sim->instances)];
    bool any = false;

    sim->registry_down = now_us(sim) < sim->registry_down_until_us;
    sim->log_down = now_us(sim) < sim->log_down_until_us;
    mr_log_memory_set_down(mr_world_log(sim->world), sim->log_down);
    sim_faults_pass(sim);
    for (size_t i = 0; i < sim->instance_count; i++) {
        const size_t other = (size_t)sim_pick(&sim->random, i + 1);

        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < sim->instance_count; i++) {
        struct sim_instance *own = &sim->instances[order[i]];

        /* Processes do not run in step. */
        if (wake(sim, own) && (sim->calm || !sim_chance(&sim->random, 6))) {
            any = turn(sim, own) || any;
        }
    }
    any = ghosts_turn(sim) || any;
    mr_world_pass_us(sim->world, step_us);
    sim->result.rounds++;
    return any;
}

bool sim_round(struct sim *sim)
{
    static const int64_t steps_us[] = {500,          MR_MS_US,      MR_MS_US,      MR_MS_US,
                                       3 * MR_MS_US, 10 * MR_MS_US, 60 * MR_MS_US, 400 * MR_MS_US};

    if (sim->steps_left-- == 0) {
        sim->step_us = steps_us[sim_pick(&sim->random, MR_COUNT(steps_us))];
        sim->steps_left = (int)sim_between(&sim->random, 4, 30);
    }
    return turns(sim, sim->step_us);
}

/* ---- inside a turn --------------------------------------------------------------------------- */

static int depth(const struct sim *sim)
{
    int count = 0;

    for (const struct sim_frame *frame = sim->frame; frame != NULL; frame = frame->outer) {
        count++;
    }
    return count;
}

static void pause_here(struct sim *sim, int64_t pause_us)
{
    const int rounds = (int)sim_between(&sim->random, 3, 30);

    for (int i = 0; i < rounds; i++) {
        (void)turns(sim, pause_us / rounds);
    }
}

static enum mr_status at_point(void *arg, enum mr_point point)
{
    struct sim *sim = arg;
    struct sim_instance *own = sim->frame == NULL ? NULL : sim->frame->own;
    struct sim_point plan;

    if (own == NULL || !own->point.armed || own->point.point != point ||
        --own->point.countdown > 0) {
        return MR_OK;
    }
    plan = own->point;
    own->point.armed = false;
    if (plan.action == SIM_POINT_PAUSE && depth(sim) >= DEPTH_MAX) {
        return MR_OK;
    }
    sim_say(sim, "%s %s.%d at %s",
            plan.action == SIM_POINT_CRASH   ? "dies"
            : plan.action == SIM_POINT_PAUSE ? "pauses"
                                             : "fails",
            group_name(sim, own), own->at.instance, mr_point_name(point));
    switch (plan.action) {
    case SIM_POINT_CRASH:
        own->away_until_us = now_us(sim) + plan.away_us;
        mr_world_keep_away(sim->world, own->at, true);
        longjmp(sim->frame->dead, 1);
    case SIM_POINT_PAUSE:
        pause_here(sim, plan.pause_us);
        sim_say(sim, "goes on %s.%d", group_name(sim, own), own->at.instance);
        return MR_OK;
    case SIM_POINT_ERROR:
        break;
    }
    return MR_TXN_ABORT;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* For the trace. */
static void show_workers(struct sim *sim)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;

    mr_world_describe(sim->world, &text);
    if (sim->trace != NULL) {
        (void)fwrite(text.data, 1, text.len, sim->trace);
    }
    mr_buffer_fini(&text);
}

void sim_settle(struct sim *sim)
{
    int64_t quiet_since_us = now_us(sim);
    int quiet = 0;

    for (int i = 0; quiet < QUIET_ROUNDS || now_us(sim) - quiet_since_us < QUIET_US; i++) {
        if (i == SETTLE_ROUNDS_MAX) {
            show_workers(sim);
            sim_violated(sim, "the world does not settle: %s", mr_world_error(sim->world)->text);
        }
        if (turns(sim, quiet < QUIET_ROUNDS ? MR_MS_US : QUIET_STEP_US) ||
            !mr_world_all_ready(sim->world) || mr_world_ghost_count(sim->world) > 0) {
            quiet = 0;
            quiet_since_us = now_us(sim);
        } else {
            quiet++;
        }
    }
}
