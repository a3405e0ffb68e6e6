/*
 * load.c -- topology.yaml to a checked graph. See millrace/topology.h.
 *
 * Everything of a topology lives in one arena and goes with it.
 */
#include "build.h"
#include "include.h"

#include <stdlib.h>

#define ARENA_CHUNK_BYTES ((size_t)64 << 10)

struct loaded {
    struct mr_topology topology; /* first: what the caller holds */
    struct mr_arena *arena;
};

void mr_topology_destroy(struct mr_topology **topology)
{
    if (*topology == NULL) {
        return;
    }
    struct loaded *loaded = (struct loaded *)*topology;
    mr_arena_destroy(&loaded->arena);
    free(loaded);
    *topology = NULL;
}

static void finish(struct build *b)
{
    struct mr_topology *t = b->topology;
    struct mr_stage_node *stages = build_alloc(b, b->stage_count, sizeof(*stages));
    struct mr_group_node *groups = build_alloc(b, b->group_count, sizeof(*groups));

    for (size_t i = 0; i < b->stage_count; i++) {
        const struct stage_draft *s = &b->stages[i];
        stages[i] = (struct mr_stage_node){.name = s->name,
                                           .type = s->type,
                                           .in = s->in,
                                           .out = s->out,
                                           .changelog = s->changelog,
                                           .store_subjects = s->store_subjects,
                                           .dead_letter = s->dead_letter,
                                           .options = s->options,
                                           .group = s->group,
                                           .position = s->position};
    }
    for (size_t i = 0; i < b->group_count; i++) {
        const struct group_draft *g = &b->groups[i];
        groups[i] = (struct mr_group_node){.name = g->name,
                                           .stages = g->stages,
                                           .stage_count = g->stage_count,
                                           .inputs = g->inputs,
                                           .input_count = g->input_count,
                                           .tables = g->tables,
                                           .table_count = g->table_count,
                                           .partitions = g->partitions,
                                           .journal = g->journal,
                                           .replicas = (int)g->settings.replicas,
                                           .workers = (int)g->settings.workers,
                                           .standby = g->settings.standby,
                                           .position = g->position};
    }
    t->topics = b->topics;
    t->topic_count = b->topic_count;
    t->stages = stages;
    t->stage_count = b->stage_count;
    t->groups = groups;
    t->group_count = b->group_count;
    t->connectors = b->connectors;
    t->connector_count = b->connector_count;
}

static void build(struct build *b, struct mr_slice text)
{
    const struct node *root = include_read(b->topology->file, text, b->arena, b->problems);

    if (root == NULL || !build_limits(b, root)) {
        return;
    }
    b->root = root;
    build_head(b, root);
    build_modules(b, root);
    build_topics(b, root);
    build_stages(b, root);
    build_groups(b, root);
    build_connectors(b, root);
    build_edges(b);
    build_derive(b);
    finish(b);
}

enum mr_status mr_topology_load_text(const char *name, struct mr_slice text,
                                     const struct mr_catalog *catalog,
                                     struct mr_topology **topology, struct mr_problems *problems,
                                     struct mr_err *err)
{
    struct problem_list list = {0};
    struct loaded *loaded = mr_xcalloc(1, sizeof(*loaded));

    *topology = NULL;
    loaded->arena = mr_arena_create(ARENA_CHUNK_BYTES);
    struct build b = {.arena = loaded->arena,
                      .catalog = catalog,
                      .problems = &list,
                      .topology = &loaded->topology};
    loaded->topology.file = build_printf(&b, "%s", name);
    list.file = loaded->topology.file;
    build(&b, text);
    problems_take(&list, problems);
    *topology = &loaded->topology;
    if (problems->count == 0) {
        return MR_OK;
    }
    mr_topology_destroy(topology);
    const struct mr_problem *first = &problems->items[0];
    return mr_fail(err, MR_CONFIG, "%s:%d:%d: %s", first->file, first->position.line,
                   first->position.column, first->text);
}

enum mr_status mr_topology_load_file(const char *path, const struct mr_catalog *catalog,
                                     struct mr_topology **topology, struct mr_problems *problems,
                                     struct mr_err *err)
{
    struct problem_list list = {.file = path};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    enum mr_status status = MR_OK;

    *topology = NULL;
    if (include_read_file(path, (struct mr_position){.line = 0}, &text, &list)) {
        status =
            mr_topology_load_text(path, mr_buffer_slice(&text), catalog, topology, problems, err);
    } else {
        problems_take(&list, problems);
        status = mr_fail(err, MR_CONFIG, "%s: %s", path, problems->items[0].text);
    }
    mr_buffer_fini(&text);
    return status;
}
