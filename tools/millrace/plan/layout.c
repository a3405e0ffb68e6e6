/* layout.c -- see layout.h. */
#include "layout.h"

#include "../describe.h"
#include "millrace/buffer.h"

#include <jansson.h>
#include <stdlib.h>

static const char *text_of(struct mr_arena *arena, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL
               ? NULL
               : (const char *)mr_arena_copy(arena, mr_slice_of(text, strlen(text) + 1)).data;
}

static const char *json_text(struct mr_arena *arena, const json_t *object, const char *name)
{
    char *text = json_dumps(json_object_get(object, name), JSON_COMPACT | JSON_SORT_KEYS);
    const char *kept = text == NULL ? "{}" : text;

    kept = (const char *)mr_arena_copy(arena, mr_slice_of(kept, strlen(kept) + 1)).data;
    free(text);
    return kept;
}

static bool flag_of(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_stage(struct mr_arena *arena, const json_t *json, struct layout_stage *stage)
{
    const json_t *ins = json_object_get(json, "in");
    struct layout_input *inputs = mr_arena_alloc(arena, json_array_size(ins) * sizeof(*inputs));

    for (size_t i = 0; i < json_array_size(ins); i++) {
        const json_t *in = json_array_get(ins, i);

        inputs[i] = (struct layout_input){
            .topic = text_of(arena, in, "topic"),
            .table = flag_of(in, "table"),
            .in_memory = flag_of(in, "inMemory"),
        };
    }
    *stage = (struct layout_stage){
        .name = text_of(arena, json, "name"),
        .type = text_of(arena, json, "type"),
        .group = text_of(arena, json, "group"),
        .changelog = text_of(arena, json, "changelog"),
        .options = json_text(arena, json, "options"),
        .inputs = inputs,
        .input_count = json_array_size(ins),
    };
}

static void read_stages(struct mr_arena *arena, const json_t *list, struct layout *layout)
{
    struct layout_stage *stages = mr_arena_alloc(arena, json_array_size(list) * sizeof(*stages));

    for (size_t i = 0; i < json_array_size(list); i++) {
        read_stage(arena, json_array_get(list, i), &stages[i]);
    }
    layout->stages = stages;
    layout->stage_count = json_array_size(list);
}

static void read_groups(struct mr_arena *arena, const json_t *list, struct layout *layout)
{
    struct layout_group *groups = mr_arena_alloc(arena, json_array_size(list) * sizeof(*groups));

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *json = json_array_get(list, i);

        groups[i] = (struct layout_group){
            .name = text_of(arena, json, "name"),
            .tasks = (int32_t)json_integer_value(json_object_get(json, "tasks")),
            .workers = (int)json_integer_value(json_object_get(json, "workers")),
            .replicas = (int)json_integer_value(json_object_get(json, "replicas")),
        };
    }
    layout->groups = groups;
    layout->group_count = json_array_size(list);
}

/* flag: only those that have it. */
static const char **read_names(struct mr_arena *arena, const json_t *list, const char *flag,
                               size_t *count)
{
    const char **names = mr_arena_alloc(arena, json_array_size(list) * sizeof(*names));

    *count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *json = json_array_get(list, i);

        if (flag == NULL || flag_of(json, flag)) {
            names[(*count)++] = text_of(arena, json, "name");
        }
    }
    return names;
}

static bool is_complete(const struct layout *layout)
{
    for (size_t i = 0; i < layout->stage_count; i++) {
        const struct layout_stage *stage = &layout->stages[i];

        if (stage->name == NULL || stage->type == NULL || stage->group == NULL) {
            return false;
        }
        for (size_t k = 0; k < stage->input_count; k++) {
            if (stage->inputs[k].topic == NULL) {
                return false;
            }
        }
    }
    for (size_t i = 0; i < layout->group_count; i++) {
        if (layout->groups[i].name == NULL) {
            return false;
        }
    }
    return layout->stage_count > 0;
}

enum mr_status layout_of_json(struct mr_slice text, struct mr_arena *arena, struct layout *layout,
                              struct mr_err *err)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.len, 0, &error);

    *layout = (struct layout){0};
    if (json == NULL) {
        return mr_fail(err, MR_CORRUPT, "the topology on record is no JSON: %s", error.text);
    }
    read_stages(arena, json_object_get(json, "stages"), layout);
    read_groups(arena, json_object_get(json, "groups"), layout);
    layout->topics =
        read_names(arena, json_object_get(json, "topics"), "in_log", &layout->topic_count);
    layout->connectors =
        read_names(arena, json_object_get(json, "connectors"), NULL, &layout->connector_count);
    json_decref(json);
    return is_complete(layout)
               ? MR_OK
               : mr_fail(err, MR_CORRUPT, "the topology on record lacks names of its parts");
}

void layout_of_topology(const struct mr_topology *topology, struct mr_arena *arena,
                        struct layout *layout)
{
    struct mr_buffer json = MR_BUFFER_EMPTY;
    struct mr_err err;

    topology_describe_json(topology, &json);
    MR_ASSERT(layout_of_json(mr_buffer_slice(&json), arena, layout, &err) == MR_OK);
    mr_buffer_fini(&json);
}

/* ---- finding --------------------------------------------------------------------------------- */

const struct layout_stage *layout_stage_find(const struct layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->stage_count; i++) {
        if (strcmp(layout->stages[i].name, name) == 0) {
            return &layout->stages[i];
        }
    }
    return NULL;
}

const struct layout_group *layout_group_find(const struct layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->group_count; i++) {
        if (strcmp(layout->groups[i].name, name) == 0) {
            return &layout->groups[i];
        }
    }
    return NULL;
}

const struct layout_input *layout_input_find(const struct layout_stage *stage, const char *topic)
{
    for (size_t i = 0; i < stage->input_count; i++) {
        if (!stage->inputs[i].table && strcmp(stage->inputs[i].topic, topic) == 0) {
            return &stage->inputs[i];
        }
    }
    return NULL;
}

struct origin layout_origin(const struct layout *before, const char *stage, const char *topic)
{
    const struct layout_stage *was = layout_stage_find(before, stage);
    const struct layout_input *input = was == NULL ? NULL : layout_input_find(was, topic);

    if (input == NULL) {
        return (struct origin){.kind = ORIGIN_NONE};
    }
    return (struct origin){.kind = input->in_memory ? ORIGIN_END : ORIGIN_GROUP,
                           .group = was->group};
}
