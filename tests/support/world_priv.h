/* world_priv.h -- what the files of the world share: world.c (its parts), world_run.c (rounds),
 * world_records.c (reading and writing). */
#ifndef MILLRACE_TESTS_WORLD_PRIV_H
#define MILLRACE_TESTS_WORLD_PRIV_H

#include "world.h"

#define CRASHES_MAX 8

struct planned_crash {
    int round;
    size_t group;
    bool lose_state;
};

/* A group as one process: its workers share a state directory. */
struct world_group {
    struct mr_backend *backend;
    struct mr_worker **workers;
    int worker_count;
};

struct mr_world {
    int64_t now_us;
    struct mr_clock clock;
    struct mr_log *log;
    struct mr_registry *registry;
    struct mr_codec *codec;
    struct mr_metrics *metrics;
    struct mr_topology *topology;
    struct mr_problems problems;
    struct world_group *groups;
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
struct mr_binding world_bind(struct mr_world *world, const struct mr_topic *topic);

/* world_journal.c: the group's journal tells every input that was taken, once, in its order. */
void world_check_journal(struct mr_world *world, size_t group);

#endif
