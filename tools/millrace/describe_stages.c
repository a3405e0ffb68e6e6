/* describe_stages.c -- stages of a topology as JSON: ports, who reads what in memory, options. */
#include "describe.h"

#include <jansson.h>
#include <string.h>

static json_t *durations_json(const void *field)
{
    const struct mr_durations *durations = field;
    json_t *list = json_array();

    for (size_t i = 0; i < durations->count; i++) {
        (void)json_array_append_new(list, json_integer(durations->us[i]));
    }
    return list;
}

/* The stored value in its own unit: microseconds, bytes, micro-events per second, millionths. */
static json_t *option_json(const struct mr_option *option, const void *options)
{
    const uint8_t *field = (const uint8_t *)options + option->offset;
    const char *text = NULL;
    int64_t number = 0;
    int choice = 0;
    bool flag = false;

    switch (option->type) {
    case MR_OPTION_DURATION:
    case MR_OPTION_SIZE:
    case MR_OPTION_RATE:
    case MR_OPTION_RATIO:
    case MR_OPTION_INT:
        memcpy(&number, field, sizeof number);
        return json_integer(number);
    case MR_OPTION_BOOL:
        memcpy(&flag, field, sizeof flag);
        return json_boolean(flag);
    case MR_OPTION_STRING:
        memcpy(&text, field, sizeof text);
        return text == NULL ? json_null() : json_string(text);
    case MR_OPTION_ENUM:
        memcpy(&choice, field, sizeof choice);
        return json_string(option->symbols[choice]);
    case MR_OPTION_DURATIONS:
        return durations_json(field);
    }
    return json_null();
}

static json_t *options_json(const struct mr_stage_node *stage)
{
    json_t *options = json_object();

    for (size_t i = 0; i < stage->type->option_count; i++) {
        const struct mr_option *option = &stage->type->options[i];

        (void)json_object_set_new(options, option->name, option_json(option, stage->options));
    }
    return options;
}

static json_t *in_json(const struct mr_topology *t, const struct mr_stage_node *stage)
{
    json_t *list = json_array();

    for (size_t i = 0; i < stage->type->in_count; i++) {
        const struct mr_in_binding *in = &stage->in[i];

        if (in->topic != MR_UNBOUND) {
            (void)json_array_append_new(
                list, json_pack("{s:s,s:s,s:b,s:b,s:b}", "port", stage->type->in[i].name, "topic",
                                t->topics[in->topic].name, "table", (int)in->table, "inMemory",
                                (int)in->in_memory, "tombstones",
                                (int)((stage->type->in[i].flags & MR_PORT_TOMBSTONES) != 0)));
        }
    }
    return list;
}

static json_t *readers_json(const struct mr_topology *t, const struct mr_out_binding *out)
{
    json_t *list = json_array();

    for (size_t i = 0; i < out->reader_count; i++) {
        const struct mr_stage_node *reader = &t->stages[out->readers[i].stage];

        (void)json_array_append_new(list, json_pack("{s:s,s:s}", "stage", reader->name, "port",
                                                    reader->type->in[out->readers[i].port].name));
    }
    return list;
}

static json_t *out_json(const struct mr_topology *t, const struct mr_stage_node *stage)
{
    json_t *list = json_array();

    for (size_t i = 0; i < stage->type->out_count; i++) {
        const struct mr_out_binding *out = &stage->out[i];

        if (out->topic != MR_UNBOUND) {
            (void)json_array_append_new(
                list, json_pack("{s:s,s:s,s:b,s:b,s:o}", "port", stage->type->out[i].name, "topic",
                                t->topics[out->topic].name, "written", (int)out->written, "latest",
                                (int)((stage->type->out[i].flags & MR_PORT_LATEST) != 0), "readers",
                                readers_json(t, out)));
        }
    }
    return list;
}

static json_t *stores_json(const struct mr_stage_node *stage)
{
    json_t *list = json_array();

    for (size_t i = 0; i < stage->type->store_count; i++) {
        (void)json_array_append_new(list, json_string(stage->type->stores[i].name));
    }
    return list;
}

json_t *topology_describe_stages(const struct mr_topology *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < t->stage_count; i++) {
        const struct mr_stage_node *stage = &t->stages[i];
        const char *changelog =
            stage->changelog == MR_UNBOUND ? NULL : t->topics[stage->changelog].name;

        (void)json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:s?,s:s,s:o,s:o}", "name", stage->name,
                            "type", stage->type->name, "group", t->groups[stage->group].name, "in",
                            in_json(t, stage), "out", out_json(t, stage), "stores",
                            stores_json(stage), "changelog", changelog, "deadLetters",
                            t->topics[stage->dead_letter].name, "options", options_json(stage),
                            "position", topology_position_json(t, &stage->position)));
    }
    return list;
}
