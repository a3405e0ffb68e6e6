/* describe.c -- see describe.h. */
#include "describe.h"

#include <jansson.h>
#include <stdlib.h>

static void write_names(const struct mr_topology *t, const size_t *topics, size_t count,
                        struct mr_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        mr_buffer_printf(out, "%s%s", i == 0 ? "" : ", ", t->topics[topics[i]].name);
    }
    mr_buffer_printf(out, "%s\n", count == 0 ? "-" : "");
}

static void write_stage(const struct mr_topology *t, const struct mr_stage_node *stage,
                        struct mr_buffer *out)
{
    mr_buffer_printf(out, "  stage %s (%s)\n", stage->name, stage->type->name);
    for (size_t i = 0; i < stage->type->in_count; i++) {
        const struct mr_in_binding *in = &stage->in[i];
        if (in->topic != MR_UNBOUND) {
            mr_buffer_printf(out, "    in  %-14s %s%s\n", stage->type->in[i].name,
                             t->topics[in->topic].name,
                             in->table ? " (table)" : (in->in_memory ? " (in memory)" : ""));
        }
    }
    for (size_t i = 0; i < stage->type->out_count; i++) {
        const struct mr_out_binding *binding = &stage->out[i];
        if (binding->topic != MR_UNBOUND) {
            mr_buffer_printf(out, "    out %-14s %s%s\n", stage->type->out[i].name,
                             t->topics[binding->topic].name,
                             binding->written ? "" : " (not written)");
        }
    }
    for (size_t i = 0; i < stage->type->store_count; i++) {
        mr_buffer_printf(out, "    store %-12s %-18s %s\n", stage->type->stores[i].name,
                         stage->type->stores[i].schema->name, t->topics[stage->changelog].name);
    }
}

static const char *schema_text(const struct mr_topic *topic)
{
    if (topic->schema != NULL) {
        return topic->schema->name;
    }
    return topic->kind == MR_TOPIC_CHANGELOG ? "(of its stores)" : "(as it came)";
}

static void write_topics(const struct mr_topology *t, struct mr_buffer *out)
{
    mr_buffer_printf(out, "topics\n");
    for (size_t i = 0; i < t->topic_count; i++) {
        const struct mr_topic *topic = &t->topics[i];
        mr_buffer_printf(out, "  %-40s %-18s %2d x %d  %s%s\n", topic->name, schema_text(topic),
                         topic->partitions, topic->replication, topic->cleanup,
                         topic->in_log ? "" : "  (in memory only)");
    }
}

void topology_describe_text(const struct mr_topology *t, struct mr_buffer *out)
{
    char interval[64];

    mr_buffer_printf(
        out, "application %s: %s, commit interval %s\n", t->application,
        t->defaults.guarantee == MR_EXACTLY_ONCE ? "exactly once" : "at least once",
        mr_format_duration(t->defaults.commit_interval_us, interval, sizeof(interval)));
    for (size_t g = 0; g < t->group_count; g++) {
        const struct mr_group_node *group = &t->groups[g];
        mr_buffer_printf(out, "\ngroup %s: %d tasks, %d replicas x %d workers\n", group->name,
                         group->partitions, group->replicas, group->workers);
        mr_buffer_printf(out, "  consumes ");
        write_names(t, group->inputs, group->input_count, out);
        mr_buffer_printf(out, "  tables   ");
        write_names(t, group->tables, group->table_count, out);
        for (size_t i = 0; i < group->stage_count; i++) {
            write_stage(t, &t->stages[group->stages[i]], out);
        }
    }
    mr_buffer_printf(out, "%s", t->connector_count > 0 ? "\nconnectors\n" : "");
    for (size_t i = 0; i < t->connector_count; i++) {
        mr_buffer_printf(out, "  %-26s %s -> %s\n", t->connectors[i].name,
                         t->topics[t->connectors[i].topic].name, t->connectors[i].type->name);
    }
    mr_buffer_printf(out, "\n");
    write_topics(t, out);
}

json_t *topology_position_json(const struct mr_topology *t, const struct mr_position *position)
{
    if (position->line == 0) {
        return json_null();
    }
    return json_pack("{s:s,s:i,s:i}", "file", position->file != NULL ? position->file : t->file,
                     "line", position->line, "column", position->column);
}

static json_t *names_json(const struct mr_topology *t, const size_t *topics, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(list, json_string(t->topics[topics[i]].name));
    }
    return list;
}

static json_t *groups_json(const struct mr_topology *t)
{
    json_t *list = json_array();

    for (size_t g = 0; g < t->group_count; g++) {
        const struct mr_group_node *group = &t->groups[g];
        json_t *stages = json_array();

        for (size_t i = 0; i < group->stage_count; i++) {
            (void)json_array_append_new(stages, json_string(t->stages[group->stages[i]].name));
        }
        (void)json_array_append_new(
            list, json_pack("{s:s,s:i,s:i,s:i,s:o,s:o,s:o,s:o}", "name", group->name, "tasks",
                            (int)group->partitions, "replicas", group->replicas, "workers",
                            group->workers, "stages", stages, "consumes",
                            names_json(t, group->inputs, group->input_count), "tables",
                            names_json(t, group->tables, group->table_count), "position",
                            topology_position_json(t, &group->position)));
    }
    return list;
}

static json_t *topics_json(const struct mr_topology *t)
{
    static const char *const kinds[] = {[MR_TOPIC_DECLARED] = "declared",
                                        [MR_TOPIC_CHANGELOG] = "changelog",
                                        [MR_TOPIC_DEAD_LETTER] = "dead-letter",
                                        [MR_TOPIC_JOURNAL] = "journal"};
    json_t *list = json_array();

    for (size_t i = 0; i < t->topic_count; i++) {
        const struct mr_topic *topic = &t->topics[i];
        json_t *configs = json_object();

        for (size_t k = 0; k < topic->config_count; k++) {
            (void)json_object_set_new(configs, topic->configs[k].name,
                                      json_string(topic->configs[k].value));
        }
        (void)json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:i,s:i,s:b,s:o,s:o}", "name", topic->name,
                            "kind", kinds[topic->kind], "key", topic->key, "schema",
                            topic->schema != NULL ? topic->schema->name : NULL, "subject",
                            topic->subject, "partitions", (int)topic->partitions, "replication",
                            (int)topic->replication, "in_log", (int)topic->in_log, "configs",
                            configs, "position", topology_position_json(t, &topic->position)));
    }
    return list;
}

void topology_describe_json(const struct mr_topology *t, struct mr_buffer *out)
{
    json_t *connectors = json_array();

    for (size_t i = 0; i < t->connector_count; i++) {
        (void)json_array_append_new(
            connectors,
            json_pack("{s:s,s:s,s:s,s:o}", "name", t->connectors[i].name, "type",
                      t->connectors[i].type->name, "topic", t->topics[t->connectors[i].topic].name,
                      "position", topology_position_json(t, &t->connectors[i].position)));
    }
    json_t *root = json_pack("{s:s,s:o,s:o,s:o,s:o}", "application", t->application, "groups",
                             groups_json(t), "stages", topology_describe_stages(t), "connectors",
                             connectors, "topics", topics_json(t));
    char *text = json_dumps(root, JSON_INDENT(2));
    MR_ASSERT(text != NULL);
    mr_buffer_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}
