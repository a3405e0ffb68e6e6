/* world_run.c -- see world.h: rounds, crashes, restarts. */
#include "world_priv.h"

#define ROUND_US MR_MS_US
/* Quiet means: nothing for a commit interval many times over, then for the longest back-off. */
#define QUIET_ROUNDS 30
#define QUIET_JUMPS 60
#define JUMP_US (100 * MR_MS_US)
#define ROUNDS_MAX 400000
#define RESTARTS_MAX 200

static void start_worker(struct mr_world *world, size_t group, int index)
{
    const struct mr_process process = {
        .topology = world->topology,
        .log = world->log,
        .codec = world->codec,
        .backend = world->groups[group].backend,
        .metrics = world->metrics,
        .clock = &world->clock,
        .instance = "0",
    };

    world->groups[group].workers[index] = mr_worker_create(&process, group, index);
}

void mr_world_start(struct mr_world *world)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->groups[g].worker_count; i++) {
            if (world->groups[g].workers[i] == NULL) {
                start_worker(world, g, i);
            }
        }
    }
}

void mr_world_crash(struct mr_world *world, size_t group)
{
    for (int i = 0; i < world->groups[group].worker_count; i++) {
        mr_worker_destroy(&world->groups[group].workers[i]);
    }
}

void mr_world_lose_state(struct mr_world *world, size_t group)
{
    for (int i = 0; i < world->groups[group].worker_count; i++) {
        WORLD_MUST((world->groups[group].workers[i]) == NULL);
    }
    mr_backend_close(&world->groups[group].backend);
    world->groups[group].backend = mr_backend_memory_create();
}

void mr_world_plan_crash(struct mr_world *world, int round, size_t group, bool lose_state)
{
    WORLD_MUST(world->crash_count < CRASHES_MAX);
    WORLD_MUST(group < world->topology->group_count);
    world->crashes[world->crash_count++] =
        (struct planned_crash){.round = round, .group = group, .lose_state = lose_state};
}

/* A process whose worker fails ends and is started again: with all its workers. */
static void restart(struct mr_world *world, size_t group)
{
    WORLD_MUST_MSG(world->restarts < RESTARTS_MAX, "group %s keeps failing: %s",
                   world->topology->groups[group].name, world->err.text);
    world->restarts++;
    mr_world_crash(world, group);
}

static bool step_group(struct mr_world *world, size_t group)
{
    struct world_group *own = &world->groups[group];
    bool any = false;

    for (int i = 0; i < own->worker_count; i++) {
        bool busy = false;

        if (own->workers[i] == NULL) {
            start_worker(world, group, i);
            any = true;
        }
        if (mr_worker_step(own->workers[i], 0, &busy, &world->err) != MR_OK) {
            restart(world, group);
            return true;
        }
        any = any || busy;
    }
    return any;
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
        busy = step_group(world, g) || busy;
    }
    world->round++;
    world->now_us += us;
    return busy;
}

static bool all_ready(struct mr_world *world)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->groups[g].worker_count; i++) {
            struct mr_worker_status status;

            if (world->groups[g].workers[i] == NULL) {
                return false;
            }
            mr_worker_status(world->groups[g].workers[i], &status);
            if (status.tasks != status.tasks_ready) {
                return false;
            }
        }
    }
    return true;
}

void mr_world_settle(struct mr_world *world)
{
    const int last = world->round + ROUNDS_MAX;
    int quiet = 0;

    while (quiet < QUIET_ROUNDS + QUIET_JUMPS) {
        WORLD_MUST_MSG(world->round < last, "the world does not settle: %s", world->err.text);
        if (step(world, quiet < QUIET_ROUNDS ? ROUND_US : JUMP_US) || !all_ready(world)) {
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

static bool closed(struct mr_worker *worker)
{
    struct mr_worker_status status;

    mr_worker_status(worker, &status);
    return status.state == MR_WORKER_CLOSED;
}

void mr_world_stop(struct mr_world *world)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->groups[g].worker_count; i++) {
            struct mr_worker *worker = world->groups[g].workers[i];

            if (worker == NULL) {
                continue;
            }
            mr_worker_stop(worker);
            for (int turn = 0; !closed(worker); turn++) {
                bool busy = false;

                WORLD_MUST(turn < ROUNDS_MAX);
                WORLD_MUST_MSG(mr_worker_step(worker, 0, &busy, &world->err) == MR_OK, "%s",
                               world->err.text);
                world->now_us += ROUND_US;
            }
            mr_worker_destroy(&world->groups[g].workers[i]);
        }
    }
}
