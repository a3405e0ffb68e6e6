/* world_priv.h -- what the files of the world share: world.c (its parts), world_instance.c
 * (processes), world_run.c (rounds), world_records.c (reading and writing), world_state.c. */
#ifndef MILLRACE_TOOLS_WORLD_PRIV_H
#define MILLRACE_TOOLS_WORLD_PRIV_H

#include "world.h"

#define CRASHES_MAX 8

struct planned_crash {
    int round;
    size_t group;
    bool lose_state;
};

/* A process: its workers share a state directory. */
struct world_instance {
    char name[12];
    struct mr_backend *backend;
    struct mr_codec *codec; /* of its own; NULL: the world's */
    struct mr_worker **workers;
    bool away;
};

#define GHOSTS_MAX 8

struct world_ghost {
    size_t group;
    struct world_instance instance;
};

struct world_group {
    struct world_instance *instances;
    int worker_count; /* of each instance */
};

struct mr_world {
    int64_t now_us;
    struct mr_clock clock;
    struct mr_log *log;
    struct mr_registry *registry;
    struct mr_registry *owned_registry; /* the same, when it goes with the world */
    struct mr_codec *codec;
    struct mr_metrics *metrics;
    const struct mr_topology *topology;
    struct mr_topology *owned; /* the same, when it goes with the world */
    struct world_group *groups;
    int instance_count; /* of each group */
    struct mr_backend *(*create_backend)(void *arg, size_t group, int instance);
    void *arg;
    struct world_ghost ghosts[GHOSTS_MAX];
    size_t ghost_count;
    struct mr_producer *producer; /* of the outside world */
    struct mr_buffer encoded;
    struct mr_binding *bindings; /* of each topic, once it was asked for */
    struct planned_crash crashes[CRASHES_MAX];
    size_t crash_count;
    int round;
    int restarts;
    struct mr_err err;
};

/* The topic's place in the topology; asserts that it is there. */
const struct mr_topic *world_topic(struct mr_world *world, const char *name);
struct world_instance *world_instance(const struct mr_world *world, struct mr_world_at at);
void world_lay_ghosts(struct mr_world *world);
/* A new element. */
struct mr_world_record *world_records_add(struct mr_world_records *records);

/* world_journal.c: the group's journal tells every input that was taken, once, in its order. */
void world_check_journal(struct mr_world *world, size_t group);

#endif
