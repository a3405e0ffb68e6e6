/* world_run.c -- see world.h: rounds, planned crashes, restarts. */
#include "world_priv.h"

#define ROUND_US MR_MS_US
/* Quiet means: nothing for a commit interval many times over, then for the longest back-off. */
#define QUIET_ROUNDS 30
#define QUIET_JUMPS 60
#define JUMP_US (100 * MR_MS_US)
#define ROUNDS_MAX 400000
#define RESTARTS_MAX 200

/* Of all instances of a group. */
static void each(struct mr_world *world, size_t group,
                 void (*act)(struct mr_world *world, struct mr_world_at at))
{
    for (int i = 0; i < world->instance_count; i++) {
        act(world, (struct mr_world_at){.group = group, .instance = i});
    }
}

static void start(struct mr_world *world, struct mr_world_at at)
{
    mr_world_keep_away(world, at, false);
}

void mr_world_start(struct mr_world *world)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        each(world, g, start);
    }
}

void mr_world_crash(struct mr_world *world, size_t group)
{
    each(world, group, mr_world_kill);
}

void mr_world_lose_state(struct mr_world *world, size_t group)
{
    each(world, group, mr_world_wipe);
}

void mr_world_plan_crash(struct mr_world *world, int round, size_t group, bool lose_state)
{
    WORLD_MUST(world->crash_count < CRASHES_MAX);
    WORLD_MUST(group < world->topology->group_count);
    world->crashes[world->crash_count++] =
        (struct planned_crash){.round = round, .group = group, .lose_state = lose_state};
}

static enum mr_status step_instance(struct mr_world *world, struct mr_world_at at, bool *busy,
                                    struct mr_err *err)
{
    const enum mr_world_step step = mr_world_step(world, at);

    if (step == MR_WORLD_FAILED) {
        if (world->restarts == RESTARTS_MAX) {
            return mr_fail(err, MR_CONFIG, "group %s keeps failing: %s",
                           world->topology->groups[at.group].name, world->err.text);
        }
        world->restarts++;
    }
    *busy = *busy || step != MR_WORLD_IDLE;
    return MR_OK;
}

static bool crash_planned(struct mr_world *world)
{
    bool any = false;

    for (size_t i = 0; i < world->crash_count; i++) {
        const struct planned_crash *crash = &world->crashes[i];

        if (crash->round == world->round) {
            mr_world_crash(world, crash->group);
            if (crash->lose_state) {
                mr_world_lose_state(world, crash->group);
            }
            any = true;
        }
    }
    return any;
}

/* One round; *busy: anything happened. */
static enum mr_status step(struct mr_world *world, int64_t us, bool *busy, struct mr_err *err)
{
    *busy = crash_planned(world);
    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->instance_count; i++) {
            MR_TRY(
                step_instance(world, (struct mr_world_at){.group = g, .instance = i}, busy, err));
        }
    }
    world->round++;
    world->now_us += us;
    return MR_OK;
}

enum mr_status mr_world_try_settle(struct mr_world *world, struct mr_err *err)
{
    const int last = world->round + ROUNDS_MAX;
    int quiet = 0;

    while (quiet < QUIET_ROUNDS + QUIET_JUMPS) {
        bool busy = false;

        if (world->round == last) {
            return mr_fail(err, MR_TIMEOUT, "the topology does not come to rest: %s",
                           world->err.text);
        }
        MR_TRY(step(world, quiet < QUIET_ROUNDS ? ROUND_US : JUMP_US, &busy, err));
        quiet = busy || !mr_world_all_ready(world) ? 0 : quiet + 1;
    }
    return MR_OK;
}

void mr_world_settle(struct mr_world *world)
{
    struct mr_err err = {0};

    WORLD_MUST_MSG(mr_world_try_settle(world, &err) == MR_OK, "%s", err.text);
}

enum mr_status mr_world_try_rounds(struct mr_world *world, int rounds, struct mr_err *err)
{
    for (int i = 0; i < rounds; i++) {
        bool busy = false;

        MR_TRY(step(world, ROUND_US, &busy, err));
    }
    return MR_OK;
}

void mr_world_rounds(struct mr_world *world, int rounds)
{
    struct mr_err err = {0};

    WORLD_MUST_MSG(mr_world_try_rounds(world, rounds, &err) == MR_OK, "%s", err.text);
}

/* The others do not move meanwhile. */
static enum mr_status stop(struct mr_world *world, struct mr_world_at at, struct mr_err *err)
{
    mr_world_retire(world, at);
    for (int turn = 0; mr_world_is_running(world, at); turn++) {
        if (turn == ROUNDS_MAX) {
            return mr_fail(err, MR_TIMEOUT, "a worker of group %s does not come to its end",
                           world->topology->groups[at.group].name);
        }
        if (mr_world_step(world, at) == MR_WORLD_FAILED) {
            *err = world->err;
            return world->err.status;
        }
        world->now_us += ROUND_US;
    }
    return MR_OK;
}

enum mr_status mr_world_try_stop(struct mr_world *world, struct mr_err *err)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->instance_count; i++) {
            MR_TRY(stop(world, (struct mr_world_at){.group = g, .instance = i}, err));
        }
    }
    return MR_OK;
}

void mr_world_stop(struct mr_world *world)
{
    struct mr_err err = {0};

    WORLD_MUST_MSG(mr_world_try_stop(world, &err) == MR_OK, "%s", err.text);
}
