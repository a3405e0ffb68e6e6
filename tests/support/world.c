/* world.c -- see world.h: how a world is made and ended. */
#include "avro/catalog.h"
#include "registry.h"
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
    ck_abort_msg("%s:%d: %s", file, line, text);
    __builtin_unreachable(); /* for gcc, which Check does not tell that it does not return */
}

static int64_t world_time_us(void *arg)
{
    return ((struct mr_world *)arg)->now_us;
}

static void world_wait_us(void *arg, int64_t us)
{
    ((struct mr_world *)arg)->now_us += us;
}

/* ---- the topology's text --------------------------------------------------------------------- */

static char *edit(char *text, const struct mr_world_edit *change)
{
    const char *at = strstr(text, change->find);
    struct mr_buffer out = MR_BUFFER_EMPTY;

    WORLD_MUST_MSG(at != NULL, "the topology does not contain \"%s\"", change->find);
    mr_buffer_append(&out, text, (size_t)(at - text));
    mr_buffer_append(&out, change->replace, strlen(change->replace));
    mr_buffer_append(&out, at + strlen(change->find), strlen(at + strlen(change->find)) + 1);
    free(text);
    return (char *)out.data;
}

static void load_topology(struct mr_world *world, const struct mr_world_options *options)
{
    const struct mr_catalog own = {
        .stages = mr_stages,
        .stage_count = mr_stage_count,
        .schemas = oms_schemas,
        .schema_count = oms_schema_count,
    };
    const struct mr_catalog *catalog = options->catalog != NULL ? options->catalog : &own;
    char *text = options->text != NULL ? mr_xstrdup(options->text) : mr_world_production_text();
    enum mr_status status;

    mr_world_drop_section(text, "connectors:");
    for (size_t i = 0; i < options->edit_count; i++) {
        text = edit(text, &options->edits[i]);
    }
    status = mr_topology_load_text("topology.yaml", mr_slice_str(text), catalog, &world->topology,
                                   &world->problems, &world->err);
    WORLD_MUST_MSG(status == MR_OK, "%s\n%s", world->err.text, text);
    free(text);
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

    world->now_us = START_US;
    world->clock = (struct mr_clock){.wall_us = world_time_us,
                                     .monotonic_us = world_time_us,
                                     .wait_us = world_wait_us,
                                     .arg = world};
    world->log = mr_log_memory_create(&world->clock);
    world->registry = options->registry != NULL ? options->registry : mr_registry_memory_create();
    world->instance_count = options->instances > 0 ? options->instances : 1;
    world->create_backend = options->create_backend != NULL ? options->create_backend : in_memory;
    world->arg = options->arg;
    world->codec = mr_codec_create(world->registry);
    world->metrics = mr_metrics_create();
    load_topology(world, options);
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
    mr_topology_destroy(&world->topology);
    mr_problems_fini(&world->problems);
    mr_metrics_destroy(&world->metrics);
    mr_codec_destroy(&world->codec);
    mr_registry_destroy(&world->registry);
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

int64_t mr_world_now_us(const struct mr_world *world)
{
    return world->now_us;
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

struct mr_binding world_bind(struct mr_world *world, const struct mr_topic *topic)
{
    struct mr_binding *binding = &world->bindings[topic - world->topology->topics];

    WORLD_MUST_MSG(topic->schema != NULL, "topic %s has no schema", topic->name);
    if (binding->schema == NULL) {
        WORLD_MUST_MSG(mr_codec_bind(world->codec, topic->schema, topic->subject, binding,
                                     &world->err) == MR_OK,
                       "%s", world->err.text);
    }
    return *binding;
}
