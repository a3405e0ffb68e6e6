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

static bool step_instance(struct mr_world *world, struct mr_world_at at)
{
    const enum mr_world_step step = mr_world_step(world, at);

    if (step == MR_WORLD_FAILED) {
        WORLD_MUST_MSG(world->restarts < RESTARTS_MAX, "group %s keeps failing: %s",
                       world->topology->groups[at.group].name, world->err.text);
        world->restarts++;
    }
    return step != MR_WORLD_IDLE;
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

/* One round; true when anything happened. */
static bool step(struct mr_world *world, int64_t us)
{
    bool busy = crash_planned(world);

    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->instance_count; i++) {
            busy = step_instance(world, (struct mr_world_at){.group = g, .instance = i}) || busy;
        }
    }
    world->round++;
    world->now_us += us;
    return busy;
}

void mr_world_settle(struct mr_world *world)
{
    const int last = world->round + ROUNDS_MAX;
    int quiet = 0;

    while (quiet < QUIET_ROUNDS + QUIET_JUMPS) {
        WORLD_MUST_MSG(world->round < last, "the world does not settle: %s", world->err.text);
        if (step(world, quiet < QUIET_ROUNDS ? ROUND_US : JUMP_US) || !mr_world_all_ready(world)) {
            quiet = 0;
        } else {
            quiet++;
        }
    }
}

void mr_world_rounds(struct mr_world *world, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        (void)step(world, ROUND_US);
    }
}

/* The others do not move meanwhile. */
static void stop(struct mr_world *world, struct mr_world_at at)
{
    mr_world_retire(world, at);
    for (int turn = 0; mr_world_is_running(world, at); turn++) {
        WORLD_MUST(turn < ROUNDS_MAX);
        WORLD_MUST_MSG(mr_world_step(world, at) != MR_WORLD_FAILED, "%s", world->err.text);
        world->now_us += ROUND_US;
    }
}

void mr_world_stop(struct mr_world *world)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        each(world, g, stop);
    }
}
