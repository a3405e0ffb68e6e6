/* world.c -- see world.h: how a world is made and ended. */
#include "world_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define START_US (INT64_C(1700000000) * MR_SECOND_US)

static void (*violation_handler)(const char *text);

void mr_world_on_violation(void (*handler)(const char *text))
{
    violation_handler = handler;
}

_Noreturn void mr_world_violated(const char *file, int line, const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (violation_handler != NULL) {
        violation_handler(text);
    }
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, text);
    abort();
}

static int64_t world_time_us(void *arg)
{
    return ((struct mr_world *)arg)->now_us;
}

static void world_wait_us(void *arg, int64_t us)
{
    ((struct mr_world *)arg)->now_us += us;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void create_topics(struct mr_world *world)
{
    for (size_t i = 0; i < world->topology->topic_count; i++) {
        const struct mr_topic *topic = &world->topology->topics[i];
        const struct mr_topic_spec spec = {.name = topic->name,
                                           .partitions = topic->partitions,
                                           .replication = 1,
                                           .configs = topic->configs,
                                           .config_count = topic->config_count};

        if (topic->in_log) {
            WORLD_MUST_MSG(mr_log_topic_create(world->log, &spec, &world->err) == MR_OK, "%s",
                           world->err.text);
        }
    }
}

static struct mr_backend *in_memory(void *arg, size_t group, int instance)
{
    (void)arg;
    (void)group;
    (void)instance;
    return mr_backend_memory_create();
}

static void create_groups(struct mr_world *world)
{
    world->groups = mr_xcalloc(world->topology->group_count, sizeof(*world->groups));
    for (size_t g = 0; g < world->topology->group_count; g++) {
        struct world_group *group = &world->groups[g];

        group->worker_count = world->topology->groups[g].workers;
        group->instances = mr_xcalloc((size_t)world->instance_count, sizeof(struct world_instance));
        for (int i = 0; i < world->instance_count; i++) {
            struct world_instance *own = &group->instances[i];

            (void)snprintf(own->name, sizeof(own->name), "%d", i);
            own->workers = mr_xcalloc((size_t)group->worker_count, sizeof(struct mr_worker *));
            own->backend = world->create_backend(world->arg, g, i);
        }
    }
}

static void destroy_groups(struct mr_world *world)
{
    world_lay_ghosts(world);
    for (size_t g = 0; g < world->topology->group_count; g++) {
        mr_world_crash(world, g);
        for (int i = 0; i < world->instance_count; i++) {
            struct world_instance *own = &world->groups[g].instances[i];

            mr_backend_close(&own->backend);
            mr_codec_destroy(&own->codec);
            free(own->workers);
        }
        free(world->groups[g].instances);
    }
    free(world->groups);
}

struct mr_world *mr_world_create(const struct mr_world_options *options)
{
    const struct mr_producer_options outside = {.transaction_timeout_us = MR_SECOND_US};
    struct mr_world *world = mr_xcalloc(1, sizeof(*world));

    world->now_us = options->start_us > 0 ? options->start_us : START_US;
    world->clock = options->clock != NULL ? *options->clock
                                          : (struct mr_clock){.wall_us = world_time_us,
                                                              .monotonic_us = world_time_us,
                                                              .wait_us = world_wait_us,
                                                              .arg = world};
    world->log = mr_log_memory_create(&world->clock);
    world->owned_registry = options->registry;
    if (options->registry == NULL && options->lent == NULL) {
        world->owned_registry = mr_registry_memory_create();
    }
    world->registry = options->lent != NULL ? options->lent : world->owned_registry;
    world->instance_count = options->instances > 0 ? options->instances : 1;
    world->create_backend = options->create_backend != NULL ? options->create_backend : in_memory;
    world->arg = options->arg;
    world->codec = mr_codec_create(world->registry);
    world->metrics = mr_metrics_create();
    world->owned = options->owned;
    world->topology = options->owned != NULL ? options->owned : options->topology;
    MR_ASSERT(world->topology != NULL);
    world->bindings = mr_xcalloc(world->topology->topic_count, sizeof(*world->bindings));
    create_topics(world);
    create_groups(world);
    WORLD_MUST_MSG(mr_producer_open(world->log, &outside, MR_SECOND_US, &world->producer,
                                    &world->err) == MR_OK,
                   "%s", world->err.text);
    return world;
}

void mr_world_destroy(struct mr_world **out)
{
    struct mr_world *world = *out;

    if (world == NULL) {
        return;
    }
    destroy_groups(world);
    free(world->bindings);
    mr_buffer_fini(&world->encoded);
    mr_producer_close(&world->producer);
    mr_log_close(&world->log);
    mr_topology_destroy(&world->owned);
    mr_metrics_destroy(&world->metrics);
    mr_codec_destroy(&world->codec);
    mr_registry_destroy(&world->owned_registry);
    free(world);
    *out = NULL;
}

/* ---- small answers --------------------------------------------------------------------------- */

const struct mr_topology *mr_world_topology(const struct mr_world *world)
{
    return world->topology;
}

struct mr_log *mr_world_log(struct mr_world *world)
{
    return world->log;
}

struct mr_codec *mr_world_codec(struct mr_world *world)
{
    return world->codec;
}

int64_t mr_world_now_us(const struct mr_world *world)
{
    return mr_clock_wall_us(&world->clock);
}

void mr_world_pass_us(struct mr_world *world, int64_t us)
{
    world->now_us += us;
}

int mr_world_instances(const struct mr_world *world)
{
    return world->instance_count;
}

const struct mr_err *mr_world_error(const struct mr_world *world)
{
    return &world->err;
}

struct mr_metrics *mr_world_metrics(struct mr_world *world)
{
    return world->metrics;
}

struct mr_registry *mr_world_registry(struct mr_world *world)
{
    return world->registry;
}

int mr_world_round(const struct mr_world *world)
{
    return world->round;
}

int mr_world_restarts(const struct mr_world *world)
{
    return world->restarts;
}

const struct mr_topic *world_topic(struct mr_world *world, const char *name)
{
    const size_t index = mr_topology_find_topic(world->topology, name);

    WORLD_MUST_MSG(index != SIZE_MAX, "the topology has no topic %s", name);
    return &world->topology->topics[index];
}

struct mr_binding mr_world_bind(struct mr_world *world, const char *name)
{
    const struct mr_topic *topic = world_topic(world, name);
    struct mr_binding *binding = &world->bindings[topic - world->topology->topics];

    WORLD_MUST_MSG(topic->schema != NULL, "topic %s has no schema", topic->name);
    if (binding->schema == NULL) {
        WORLD_MUST_MSG(mr_codec_bind(world->codec, topic->schema, topic->subject, binding,
                                     &world->err) == MR_OK,
                       "%s", world->err.text);
    }
    return *binding;
}
