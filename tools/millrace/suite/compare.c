/* compare.c -- see play.h: two worlds that were told the same story. */
#include "expect.h"
#include "millrace/wire.h"
#include "play.h"

#include <stdlib.h>

/* Whether what a topic holds depends on where transactions end. */
static bool conflated(const struct mr_topology *topology, size_t topic)
{
    for (size_t s = 0; s < topology->stage_count; s++) {
        const struct mr_stage_node *node = &topology->stages[s];

        for (size_t port = 0; port < node->type->out_count; port++) {
            if (node->out[port].topic == topic &&
                (node->type->out[port].flags & MR_PORT_LATEST) != 0) {
                return true;
            }
        }
    }
    return topology->topics[topic].kind == MR_TOPIC_CHANGELOG;
}

static int by_key_then_offset(const void *a, const void *b)
{
    const struct mr_world_record *left = a;
    const struct mr_world_record *right = b;
    int order = left->partition - right->partition;

    order = order != 0 ? order : mr_slice_compare(left->key, right->key);
    return order != 0 ? order : (left->offset > right->offset) - (left->offset < right->offset);
}

/* Of topics whose records depend on where transactions end, the last values only. */
static void read_sorted(struct mr_world *world, size_t topic, struct mr_world_records *records)
{
    const struct mr_topology *topology = mr_world_topology(world);

    mr_world_read(world, topology->topics[topic].name, records);
    if (conflated(topology, topic)) {
        mr_world_latest(records);
    } else if (records->count > 0) {
        qsort(records->items, records->count, sizeof(*records->items), by_key_then_offset);
    }
}

/* Without the schema's id, which depends on who registered first. */
static struct mr_slice body(struct mr_slice framed)
{
    return framed.len < MR_WIRE_HEADER_BYTES
               ? framed
               : mr_slice_of(framed.data + MR_WIRE_HEADER_BYTES, framed.len - MR_WIRE_HEADER_BYTES);
}

static bool equal(const struct mr_world_record *a, const struct mr_world_record *b)
{
    return a->partition == b->partition && mr_slice_equal(a->key, b->key) &&
           a->has_value == b->has_value && mr_slice_equal(body(a->value), body(b->value));
}

static json_t *fields_of(struct mr_world *world, const char *topic,
                         const struct mr_world_record *record)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_err err = {0};
    json_t *fields = NULL;

    if (record->has_value && mr_world_try_json(world, topic, record->value, &text, &err) == MR_OK) {
        fields = json_loadb((const char *)text.data, text.len, 0, NULL);
    }
    mr_buffer_fini(&text);
    return fields;
}

/* Two worlds, and a record of one topic in each. */
struct difference {
    struct mr_world *worlds[2];
    const struct mr_world_record *records[2];
};

/* The fields that differ. */
static void show_fields(const struct difference *difference, const struct mr_topic *topic,
                        struct mr_buffer *text)
{
    json_t *both[2];
    json_t *differ = json_object();
    const char *name;
    json_t *field;

    for (size_t i = 0; i < 2; i++) {
        both[i] = topic->schema == NULL || difference->records[i] == NULL
                      ? NULL
                      : fields_of(difference->worlds[i], topic->name, difference->records[i]);
    }
    json_object_foreach(both[0], name, field)
    {
        if (json_equal(field, json_object_get(both[1], name)) != 1) {
            (void)json_object_set(differ, name, field);
        }
    }
    if (both[1] != NULL && json_object_size(differ) > 0) {
        suite_diff_fields(text, differ, both[1]);
    }
    json_decref(differ);
    json_decref(both[0]);
    json_decref(both[1]);
}

static bool compare_topic(struct mr_world *want, struct mr_world *got, size_t topic,
                          struct mr_buffer *text)
{
    const struct mr_topic *of = &mr_world_topology(want)->topics[topic];
    const size_t other = mr_topology_find_topic(mr_world_topology(got), of->name);
    struct mr_world_records left;
    struct mr_world_records right;
    size_t at = 0;
    bool same;

    read_sorted(want, topic, &left);
    read_sorted(got, other, &right);
    while (at < left.count && at < right.count && equal(&left.items[at], &right.items[at])) {
        at++;
    }
    same = at == left.count && at == right.count;
    if (!same) {
        const struct difference first = {
            .worlds = {want, got},
            .records = {at < left.count ? &left.items[at] : NULL,
                        at < right.count ? &right.items[at] : NULL},
        };
        const struct mr_slice key = first.records[first.records[0] == NULL]->key;

        mr_buffer_printf(text,
                         "topic %s: %zu records, undisturbed %zu; the first that differs has "
                         "key %.*s\n",
                         of->name, right.count, left.count, MR_SLICE_ARG(key));
        show_fields(&first, of, text);
    }
    mr_world_records_fini(&left);
    mr_world_records_fini(&right);
    return same;
}

bool suite_compare(const struct suite *suite, struct mr_world *want, struct mr_world *got,
                   struct mr_buffer *text)
{
    const struct mr_topology *topology = mr_world_topology(want);
    const struct mr_topology *other = mr_world_topology(got);
    bool same = true;

    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct mr_topic *topic = &topology->topics[i];
        const size_t found = mr_topology_find_topic(other, topic->name);

        /* Journals tell each its own story, and what is only handed over is not written. */
        if (topic->kind == MR_TOPIC_JOURNAL || !topic->in_log || suite->varying[i] ||
            (found != SIZE_MAX && !other->topics[found].in_log)) {
            continue;
        }
        if (found == SIZE_MAX) {
            mr_buffer_printf(text, "topic %s is not there\n", topic->name);
            same = false;
        } else {
            same = compare_topic(want, got, i, text) && same;
        }
    }
    return same;
}
