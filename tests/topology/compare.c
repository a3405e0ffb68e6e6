/* compare.c -- see scenario.h: two worlds that were told the same story. */
#include "scenario.h"

#include <check.h>
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

static void compare_topic(struct mr_world *want, struct mr_world *got, size_t topic,
                          const char *what)
{
    const char *name = mr_world_topology(want)->topics[topic].name;
    struct mr_world_records left;
    struct mr_world_records right;

    read_sorted(want, topic, &left);
    read_sorted(got, topic, &right);
    for (size_t i = 0; i < left.count && i < right.count; i++) {
        const struct mr_world_record *a = &left.items[i];
        const struct mr_world_record *b = &right.items[i];

        WORLD_MUST_MSG(a->partition == b->partition && mr_slice_equal(a->key, b->key) &&
                           a->has_value == b->has_value &&
                           mr_slice_equal(body(a->value), body(b->value)),
                       "%s: topic %s: record %zu of %zu differs (keys %.*s and %.*s)", what, name,
                       i, left.count, MR_SLICE_ARG(a->key), MR_SLICE_ARG(b->key));
    }
    WORLD_MUST_MSG(left.count == right.count, "%s: topic %s: %zu records instead of %zu", what,
                   name, right.count, left.count);
    mr_world_records_fini(&left);
    mr_world_records_fini(&right);
}

/* Each other topic is in both; groups, and so journals, may be others. */
static size_t count_comparable(const struct mr_topology *topology)
{
    size_t count = 0;

    for (size_t i = 0; i < topology->topic_count; i++) {
        count += topology->topics[i].kind != MR_TOPIC_JOURNAL;
    }
    return count;
}

void scenario_compare(struct mr_world *want, struct mr_world *got, const char *what)
{
    const struct mr_topology *topology = mr_world_topology(want);
    const struct mr_topology *other = mr_world_topology(got);

    WORLD_MUST(count_comparable(topology) == count_comparable(other));
    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct mr_topic *topic = &topology->topics[i];
        const size_t found = mr_topology_find_topic(other, topic->name);

        /* Journals tell each its own story: mr_world_check_state. */
        if (topic->kind == MR_TOPIC_JOURNAL) {
            continue;
        }
        WORLD_MUST_MSG(found != SIZE_MAX, "%s: topic %s is not there", what, topic->name);
        /* One delta a transaction: the invariants compare where they end. */
        if (topic->in_log && other->topics[found].in_log && strcmp(topic->name, "book") != 0) {
            compare_topic(want, got, i, what);
        }
    }
}
