/*
 * edges.c -- the graph as a whole: which edges travel in memory, what a group consumes, in which
 * order its stages stand, and what cannot work.
 *
 * An edge (topic -> stream port of a reader) travels in memory when all of this holds:
 *   - the topic's boundary is tee or memory, and at least one stage writes it;
 *   - every stage that writes it is in the reader's group;
 *   - every writer's own stream inputs are keyed by the topic's first key field, so that what a
 * task writes belongs to the same partition as what it read. Why the writers decide together: a
 * port that took some records from memory and the rest from the log would see those in the log
 * twice.
 */
#include "build.h"
#include "millrace/buffer.h"

static bool same_first_field(const char *a, const char *b)
{
    const size_t len = strcspn(a, ", ");

    return len > 0 && strcspn(b, ", ") == len && strncmp(a, b, len) == 0;
}

/* A stage's stream key is that of its stream inputs (stages.c checked that they agree). */
static bool stage_keyed_like(const struct build *b, const struct stage_draft *stage,
                             const char *key)
{
    for (size_t i = 0; i < stage->type->in_count; i++) {
        if (stage->in[i].topic != MR_UNBOUND && !stage->in[i].table) {
            return same_first_field(b->topics[stage->in[i].topic].key, key);
        }
    }
    return false;
}

static bool writes(const struct stage_draft *stage, size_t topic)
{
    for (size_t i = 0; i < stage->type->out_count; i++) {
        if (stage->out[i].topic == topic) {
            return true;
        }
    }
    return false;
}

/* Why an edge does not travel in memory; NULL when it does. The text completes "because ...". */
static const char *log_reason(struct build *b, size_t topic, size_t group)
{
    size_t writers = 0;

    if (b->topics[topic].boundary == MR_BOUNDARY_TOPIC) {
        return "its boundary is topic";
    }
    for (size_t i = 0; i < b->stage_count; i++) {
        const struct stage_draft *stage = &b->stages[i];
        if (stage->type == NULL || !writes(stage, topic)) {
            continue;
        }
        writers++;
        if (stage->group != group) {
            return build_printf(b, "stage %.64s, which writes it, is in another group",
                                stage->name);
        }
        if (!stage_keyed_like(b, stage, b->topics[topic].key)) {
            return build_printf(b, "stage %.64s, which writes it, reads by another key",
                                stage->name);
        }
    }
    return writers == 0 ? "no stage writes it" : NULL;
}

static void decide_in_memory(struct build *b)
{
    for (size_t s = 0; s < b->stage_count; s++) {
        struct stage_draft *stage = &b->stages[s];
        for (size_t i = 0; stage->type != NULL && i < stage->type->in_count; i++) {
            struct mr_in_binding *in = &stage->in[i];
            if (in->topic == MR_UNBOUND || stage->group == MR_UNBOUND) {
                continue;
            }
            const bool only_memory = b->topics[in->topic].boundary == MR_BOUNDARY_MEMORY;
            const char *reason =
                in->table ? "it is read as a table" : log_reason(b, in->topic, stage->group);
            in->in_memory = reason == NULL;
            if (only_memory && reason != NULL && !b->topic_broken[in->topic]) {
                problem_add(b->problems, stage->in_positions[i],
                            "topic %s has boundary: memory and cannot be handed over in memory "
                            "here, because %s; give it boundary: tee",
                            b->topics[in->topic].name, reason);
            }
        }
    }
    for (size_t i = 0; i < b->connector_count; i++) {
        const struct mr_connector_node *connector = &b->connectors[i];
        if (connector->topic != MR_UNBOUND &&
            b->topics[connector->topic].boundary == MR_BOUNDARY_MEMORY) {
            problem_add(b->problems, connector->position,
                        "connector %s reads topic %s, which has boundary: memory and is never "
                        "written; give it boundary: tee",
                        connector->name, b->topics[connector->topic].name);
        }
    }
}

static size_t in_memory_readers(struct build *b, size_t topic, struct mr_reader_ref *readers)
{
    size_t count = 0;

    for (size_t s = 0; s < b->stage_count; s++) {
        const struct stage_draft *stage = &b->stages[s];
        for (size_t i = 0; stage->type != NULL && i < stage->type->in_count; i++) {
            if (stage->in[i].topic == topic && stage->in[i].in_memory) {
                if (readers != NULL) {
                    readers[count] = (struct mr_reader_ref){.stage = s, .port = i};
                }
                count++;
            }
        }
    }
    return count;
}

/* All writers of a topic with in-memory readers are in the readers' group: everyone's the same. */
static void list_readers(struct build *b)
{
    for (size_t s = 0; s < b->stage_count; s++) {
        struct stage_draft *stage = &b->stages[s];
        for (size_t i = 0; stage->type != NULL && i < stage->type->out_count; i++) {
            struct mr_out_binding *out = &stage->out[i];
            if (out->topic == MR_UNBOUND) {
                continue;
            }
            out->written = b->topics[out->topic].in_log;
            out->reader_count = in_memory_readers(b, out->topic, NULL);
            struct mr_reader_ref *readers = build_alloc(b, out->reader_count, sizeof(*readers));
            (void)in_memory_readers(b, out->topic, readers);
            out->readers = readers;
        }
    }
}

static void add_once(size_t *list, size_t *count, size_t topic)
{
    for (size_t i = 0; i < *count; i++) {
        if (list[i] == topic) {
            return;
        }
    }
    list[(*count)++] = topic;
}

static void sort_indices(size_t *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const size_t value = list[i];
        size_t at = i;
        for (; at > 0 && list[at - 1] > value; at--) {
            list[at] = list[at - 1];
        }
        list[at] = value;
    }
}

static bool group_broken(const struct build *b, const struct group_draft *group)
{
    for (size_t i = 0; i < group->stage_count; i++) {
        if (b->stages[group->stages[i]].broken) {
            return true;
        }
    }
    return group->stage_count == 0;
}

/*
 * Every stream topic of a group, in memory or not, must have as many partitions as the first: a
 * task is one partition number of all of them.
 */
static void check_partitions(struct build *b, struct group_draft *group)
{
    const char *first = NULL;

    for (size_t i = 0; i < group->stage_count; i++) {
        const struct stage_draft *stage = &b->stages[group->stages[i]];
        for (size_t port = 0; port < stage->type->in_count; port++) {
            const struct mr_in_binding *in = &stage->in[port];
            if (in->topic == MR_UNBOUND || in->table || b->topic_broken[in->topic]) {
                continue;
            }
            const struct mr_topic *topic = &b->topics[in->topic];
            if (first == NULL) {
                first = topic->name;
                group->partitions = topic->partitions;
            } else if (topic->partitions != group->partitions) {
                problem_add(b->problems, stage->in_positions[port],
                            "topic %s has %d partitions and topic %s, read in the same group %s, "
                            "has %d: give both the same number",
                            topic->name, topic->partitions, first, group->name, group->partitions);
            }
        }
    }
}

static void list_inputs(struct build *b, struct group_draft *group)
{
    size_t ports = 0;

    for (size_t i = 0; i < group->stage_count; i++) {
        ports += b->stages[group->stages[i]].type->in_count;
    }
    group->inputs = build_alloc(b, ports, sizeof(*group->inputs));
    group->tables = build_alloc(b, ports, sizeof(*group->tables));
    for (size_t i = 0; i < group->stage_count; i++) {
        const struct stage_draft *stage = &b->stages[group->stages[i]];
        for (size_t port = 0; port < stage->type->in_count; port++) {
            const struct mr_in_binding *in = &stage->in[port];
            if (in->topic != MR_UNBOUND && in->table) {
                add_once(group->tables, &group->table_count, in->topic);
            } else if (in->topic != MR_UNBOUND && !in->in_memory) {
                add_once(group->inputs, &group->input_count, in->topic);
            }
        }
    }
    sort_indices(group->inputs, group->input_count);
    sort_indices(group->tables, group->table_count);
}

/* Adds n to the number of unplaced writers of each topic that the stage writes. */
static void count_writes(const struct build *b, size_t stage, int n, int *writers)
{
    const struct stage_draft *writer = &b->stages[stage];

    for (size_t i = 0; i < writer->type->out_count; i++) {
        if (writer->out[i].topic != MR_UNBOUND) {
            writers[writer->out[i].topic] += n;
        }
    }
}

/* Does a stage that is not yet placed hand records to this one in memory? */
static bool waits(const struct build *b, size_t stage, const int *writers)
{
    const struct stage_draft *reader = &b->stages[stage];

    for (size_t i = 0; i < reader->type->in_count; i++) {
        if (reader->in[i].in_memory && writers[reader->in[i].topic] > 0) {
            return true;
        }
    }
    return false;
}

/* What is left when nothing can be placed: every stage of a cycle and what hangs on it. */
static void report_cycle(struct build *b, const struct group_draft *group, const bool *placed)
{
    struct mr_buffer names = MR_BUFFER_EMPTY;
    struct mr_position at = {.line = 0};
    const char *topic = "";

    for (size_t i = 0; i < group->stage_count; i++) {
        const size_t s = group->stages[i];
        const struct stage_draft *stage = &b->stages[s];
        if (placed[s]) {
            continue;
        }
        mr_buffer_printf(&names, "%s%s", names.len == 0 ? "" : ", ", stage->name);
        for (size_t port = 0; at.line == 0 && port < stage->type->in_count; port++) {
            if (stage->in[port].in_memory) {
                at = stage->in_positions[port];
                topic = b->topics[stage->in[port].topic].name;
            }
        }
    }
    mr_buffer_append(&names, "", 1);
    problem_add(b->problems, at,
                "a cycle that never leaves memory, through stages %s: give one of its topics, for "
                "example %s, boundary: topic",
                (const char *)names.data, topic);
    mr_buffer_fini(&names);
}

/*
 * Writers before their in-memory readers; otherwise as the file lists them. Who writes a topic that
 * is read in memory is in the same group, so the group's stages are all that count.
 */
static void order_stages(struct build *b, struct group_draft *group)
{
    bool *placed = build_alloc(b, b->stage_count, sizeof(*placed));
    int *writers = build_alloc(b, b->topic_count, sizeof(*writers));
    size_t *order = build_alloc(b, group->stage_count, sizeof(*order));
    size_t count = 0;
    bool progress = true;

    for (size_t i = 0; i < group->stage_count; i++) {
        count_writes(b, group->stages[i], 1, writers);
    }
    while (progress && count < group->stage_count) {
        progress = false;
        for (size_t i = 0; i < group->stage_count && !progress; i++) {
            const size_t stage = group->stages[i];
            if (!placed[stage] && !waits(b, stage, writers)) {
                placed[stage] = true;
                order[count++] = stage;
                count_writes(b, stage, -1, writers);
                progress = true;
            }
        }
    }
    if (count < group->stage_count) {
        report_cycle(b, group, placed);
        return;
    }
    memcpy(group->stages, order, count * sizeof(*order));
}

void build_edges(struct build *b)
{
    bool any_broken = false;

    for (size_t i = 0; i < b->stage_count; i++) {
        any_broken = any_broken || b->stages[i].broken || b->stages[i].group == MR_UNBOUND;
    }
    /* Who writes a topic is only known when every stage is. */
    if (!any_broken) {
        decide_in_memory(b);
        list_readers(b);
    }
    for (size_t i = 0; i < b->group_count; i++) {
        struct group_draft *group = &b->groups[i];
        if (group_broken(b, group)) {
            continue;
        }
        check_partitions(b, group);
        list_inputs(b, group);
        if (group->input_count == 0 && !any_broken) {
            problem_add(b->problems, group->position,
                        "group %s reads nothing from the log: one of its stages needs an input "
                        "that comes from outside the group",
                        group->name);
        } else if (!any_broken) {
            order_stages(b, group);
        }
    }
}
