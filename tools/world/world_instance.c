/* world_instance.c -- see world.h: the processes of a world, and what may happen to one of them. */
#include "world_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct world_instance *world_instance(const struct mr_world *world, struct mr_world_at at)
{
    WORLD_MUST(at.group < world->topology->group_count);
    WORLD_MUST(at.instance >= 0 && at.instance < world->instance_count);
    return &world->groups[at.group].instances[at.instance];
}

static void start_worker(struct mr_world *world, struct mr_world_at at, int index)
{
    struct world_instance *own = world_instance(world, at);
    const struct mr_process process = {
        .topology = world->topology,
        .log = world->log,
        .codec = own->codec != NULL ? own->codec : world->codec,
        .backend = own->backend,
        .metrics = world->metrics,
        .clock = &world->clock,
        .instance = own->name,
    };

    own->workers[index] = mr_worker_create(&process, at.group, index);
}

bool mr_world_is_running(const struct mr_world *world, struct mr_world_at at)
{
    const struct world_instance *own = world_instance(world, at);

    for (int i = 0; i < world->groups[at.group].worker_count; i++) {
        if (own->workers[i] != NULL) {
            return true;
        }
    }
    return false;
}

void mr_world_keep_away(struct mr_world *world, struct mr_world_at at, bool away)
{
    world_instance(world, at)->away = away;
}

bool mr_world_is_away(const struct mr_world *world, struct mr_world_at at)
{
    return world_instance(world, at)->away;
}

void mr_world_kill(struct mr_world *world, struct mr_world_at at)
{
    struct world_instance *own = world_instance(world, at);

    for (int i = 0; i < world->groups[at.group].worker_count; i++) {
        mr_worker_destroy(&own->workers[i]);
    }
}

void mr_world_abandon(struct mr_world *world, struct mr_world_at at)
{
    struct world_instance *own = world_instance(world, at);

    for (int i = 0; i < world->groups[at.group].worker_count; i++) {
        own->workers[i] = NULL;
    }
}

void mr_world_retire(struct mr_world *world, struct mr_world_at at)
{
    struct world_instance *own = world_instance(world, at);

    own->away = true;
    for (int i = 0; i < world->groups[at.group].worker_count; i++) {
        if (own->workers[i] != NULL) {
            mr_worker_stop(own->workers[i]);
        }
    }
}

void mr_world_wipe(struct mr_world *world, struct mr_world_at at)
{
    struct world_instance *own = world_instance(world, at);

    WORLD_MUST(!mr_world_is_running(world, at));
    mr_backend_close(&own->backend);
    own->backend = world->create_backend(world->arg, at.group, at.instance);
}

void mr_world_forget_schemas(struct mr_world *world, struct mr_world_at at)
{
    struct world_instance *own = world_instance(world, at);

    WORLD_MUST(!mr_world_is_running(world, at));
    mr_codec_destroy(&own->codec);
    own->codec = mr_codec_create(world->registry);
}

/* ---- a turn ---------------------------------------------------------------------------------- */

static bool is_closed(struct mr_worker *worker)
{
    struct mr_worker_status status;

    mr_worker_status(worker, &status);
    return status.state == MR_WORKER_CLOSED;
}

static enum mr_world_step step_worker(struct mr_world *world, struct mr_worker **worker)
{
    bool busy = false;

    if (mr_worker_step(*worker, 0, &busy, &world->err) != MR_OK) {
        return MR_WORLD_FAILED;
    }
    if (is_closed(*worker)) {
        mr_worker_destroy(worker);
        busy = true;
    }
    return busy ? MR_WORLD_BUSY : MR_WORLD_IDLE;
}

enum mr_world_step mr_world_step(struct mr_world *world, struct mr_world_at at)
{
    struct world_instance *own = world_instance(world, at);
    enum mr_world_step step = MR_WORLD_IDLE;

    for (int i = 0; i < world->groups[at.group].worker_count; i++) {
        enum mr_world_step one = MR_WORLD_IDLE;

        if (own->workers[i] == NULL && !own->away) {
            start_worker(world, at, i);
            step = MR_WORLD_BUSY;
        }
        if (own->workers[i] != NULL) {
            one = step_worker(world, &own->workers[i]);
        }
        if (one == MR_WORLD_FAILED) {
            mr_world_kill(world, at); /* a process whose worker fails ends, with all its workers */
            return one;
        }
        step = one == MR_WORLD_BUSY ? one : step;
    }
    return step;
}

/* ---- ghosts ---------------------------------------------------------------------------------- */

void mr_world_haunt(struct mr_world *world, struct mr_world_at at)
{
    const int workers = world->groups[at.group].worker_count;
    struct world_instance *own = world_instance(world, at);

    WORLD_MUST(mr_world_is_running(world, at));
    WORLD_MUST(world->ghost_count < GHOSTS_MAX);
    world->ghosts[world->ghost_count++] = (struct world_ghost){.group = at.group, .instance = *own};
    own->workers = mr_xcalloc((size_t)workers, sizeof(struct mr_worker *));
    own->backend = world->create_backend(world->arg, at.group, at.instance);
    own->codec = NULL;
}

size_t mr_world_ghost_count(const struct mr_world *world)
{
    return world->ghost_count;
}

static void lay(struct mr_world *world, size_t index)
{
    struct world_ghost *ghost = &world->ghosts[index];

    for (int i = 0; i < world->groups[ghost->group].worker_count; i++) {
        mr_worker_destroy(&ghost->instance.workers[i]);
    }
    mr_backend_close(&ghost->instance.backend);
    mr_codec_destroy(&ghost->instance.codec);
    free(ghost->instance.workers);
    *ghost = world->ghosts[--world->ghost_count];
}

enum mr_world_step mr_world_step_ghost(struct mr_world *world, size_t index)
{
    struct world_ghost *ghost = &world->ghosts[index];
    enum mr_world_step step = MR_WORLD_IDLE;
    bool any = false;

    for (int i = 0; i < world->groups[ghost->group].worker_count; i++) {
        enum mr_world_step one = MR_WORLD_IDLE;

        if (ghost->instance.workers[i] != NULL) {
            one = step_worker(world, &ghost->instance.workers[i]);
            any = any || ghost->instance.workers[i] != NULL;
        }
        if (one == MR_WORLD_FAILED) {
            lay(world, index);
            return one;
        }
        step = one == MR_WORLD_BUSY ? one : step;
    }
    if (!any) {
        lay(world, index); /* it had been told to stop */
    }
    return step;
}

void world_lay_ghosts(struct mr_world *world)
{
    while (world->ghost_count > 0) {
        lay(world, 0);
    }
}

static bool is_ready(struct mr_worker *worker)
{
    struct mr_worker_status status;

    mr_worker_status(worker, &status);
    /* One that was given nothing goes on joining. */
    return (status.state == MR_WORKER_RUNNING || status.state == MR_WORKER_JOINING) &&
           status.tasks == status.tasks_ready;
}

bool mr_world_all_ready(struct mr_world *world)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->instance_count; i++) {
            const struct world_instance *own = &world->groups[g].instances[i];

            for (int w = 0; w < world->groups[g].worker_count; w++) {
                if (own->workers[w] == NULL ? !own->away : !is_ready(own->workers[w])) {
                    return false;
                }
            }
        }
    }
    return true;
}

static void describe_worker(struct mr_worker *worker, const char *name, struct mr_buffer *out)
{
    struct mr_worker_status status;

    if (worker == NULL) {
        return;
    }
    mr_worker_status(worker, &status);
    mr_buffer_printf(out,
                     "%s state=%s tasks=%zu ready=%zu left=%" PRId64 " in=%" PRIu64
                     " commits=%" PRIu64 " aborts=%" PRIu64 " blocked=\"%s\"\n",
                     name, mr_worker_state_name(status.state), status.tasks, status.tasks_ready,
                     status.restore_left, status.records_in, status.commits, status.aborts,
                     status.blocked_on);
}

void mr_world_describe(struct mr_world *world, struct mr_buffer *out)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        for (int i = 0; i < world->instance_count; i++) {
            for (int w = 0; w < world->groups[g].worker_count; w++) {
                char name[128];

                (void)snprintf(name, sizeof(name), "%s.%d.%d", world->topology->groups[g].name, i,
                               w);
                describe_worker(world->groups[g].instances[i].workers[w], name, out);
            }
        }
    }
}
