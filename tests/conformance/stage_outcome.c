/* stage_outcome.c -- see stage_world.h: what came out of a run, and whether it is the same. */
#include "stage_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

void stage_outcome_read(struct mr_world *world, const struct mr_stage *type,
                        struct stage_outcome *outcome)
{
    const struct mr_topology *topology = mr_world_topology(world);
    const struct mr_stage_node *node = &topology->stages[0];
    char name[96];

    WORLD_MUST(type->out_count <= STAGE_PORTS_MAX);
    WORLD_MUST(type->store_count <= STAGE_PORTS_MAX);
    *outcome = (struct stage_outcome){0};
    mr_world_check_state(world);
    for (size_t i = 0; i < type->out_count; i++) {
        mr_world_read(world, stage_topic_out(&type->out[i], name), &outcome->outputs[i]);
    }
    mr_world_read(world, topology->topics[node->dead_letter].name, &outcome->dead_letters);
    for (size_t i = 0; i < type->store_count; i++) {
        /* The backend holds the same: that was checked. */
        mr_world_read_state(world, node->name, type->stores[i].name, &outcome->stores[i]);
        mr_world_latest(&outcome->stores[i]);
    }
}

void stage_outcome_fini(struct stage_outcome *outcome)
{
    for (size_t i = 0; i < STAGE_PORTS_MAX; i++) {
        mr_world_records_fini(&outcome->outputs[i]);
        mr_world_records_fini(&outcome->stores[i]);
    }
    mr_world_records_fini(&outcome->dead_letters);
}

static bool same_headers(const struct mr_world_record *a, const struct mr_world_record *b)
{
    if (a->header_count != b->header_count) {
        return false;
    }
    for (size_t i = 0; i < a->header_count; i++) {
        if (strcmp(a->headers[i].name, b->headers[i].name) != 0 ||
            !mr_slice_equal(a->headers[i].value, b->headers[i].value)) {
            return false;
        }
    }
    return true;
}

static bool same_record(const struct mr_world_record *a, const struct mr_world_record *b)
{
    return a->partition == b->partition && mr_slice_equal(a->key, b->key) &&
           a->has_value == b->has_value && mr_slice_equal(a->value, b->value) && same_headers(a, b);
}

static bool same_records(const struct mr_world_records *a, const struct mr_world_records *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++) {
        same = same_record(&a->items[i], &b->items[i]);
    }
    return same;
}

static void compare_records(const struct mr_world_records *want, const struct mr_world_records *got,
                            const char *part, const char *what)
{
    for (size_t i = 0; i < want->count && i < got->count; i++) {
        WORLD_MUST_MSG(same_record(&want->items[i], &got->items[i]),
                       "%s: %s: record %zu of %zu differs (keys %.*s and %.*s)", what, part, i,
                       want->count, MR_SLICE_ARG(want->items[i].key),
                       MR_SLICE_ARG(got->items[i].key));
    }
    WORLD_MUST_MSG(want->count == got->count, "%s: %s: %zu records instead of %zu", what, part,
                   got->count, want->count);
}

static int by_content(const void *a, const void *b)
{
    const struct mr_world_record *left = a;
    const struct mr_world_record *right = b;
    int order = left->partition - right->partition;

    order = order != 0 ? order : mr_slice_compare(left->key, right->key);
    order = order != 0 ? order : mr_slice_compare(left->value, right->value);
    return order != 0 || left->header_count < 3
               ? order
               : mr_slice_compare(left->headers[2].value, right->headers[2].value);
}

/* A copy of the list, not of what it borrows: free items only. */
static struct mr_world_records copy_of(const struct mr_world_records *from)
{
    struct mr_world_records copy = {.count = from->count};

    copy.items = mr_xcalloc(from->count, sizeof(*copy.items));
    if (from->count > 0) {
        memcpy(copy.items, from->items, from->count * sizeof(*copy.items));
    }
    return copy;
}

static void compare_as(const struct mr_world_records *want, const struct mr_world_records *got,
                       enum stage_order order, const char *part, const char *what)
{
    struct mr_world_records left = copy_of(want);
    struct mr_world_records right = copy_of(got);

    if (order == STAGE_UNORDERED) {
        qsort(left.items, left.count, sizeof(*left.items), by_content);
        qsort(right.items, right.count, sizeof(*right.items), by_content);
    } else {
        mr_world_latest(&left);
        mr_world_latest(&right);
    }
    compare_records(&left, &right, part, what);
    free(left.items);
    free(right.items);
}

void stage_outcome_find_loose(struct stage_outcome *one, const struct stage_outcome *other,
                              const struct mr_stage *type)
{
    for (size_t i = 0; i < type->out_count; i++) {
        one->loose[i] = (type->out[i].flags & MR_PORT_LATEST) == 0 &&
                        !same_records(&one->outputs[i], &other->outputs[i]);
        WORLD_MUST_MSG(!one->loose[i] || type->flush != NULL,
                       "%s: what %s says depends on where transactions end, and the stage has "
                       "neither flush nor MR_PORT_LATEST on the port",
                       type->name, type->out[i].name);
    }
}

void stage_outcome_compare(const struct stage_outcome *want, const struct stage_outcome *got,
                           const struct mr_stage *type, enum stage_order order, const char *what)
{
    for (size_t i = 0; i < type->out_count; i++) {
        if (order == STAGE_EXACT) {
            compare_records(&want->outputs[i], &got->outputs[i], type->out[i].name, what);
        } else if ((type->out[i].flags & MR_PORT_LATEST) != 0) {
            compare_as(&want->outputs[i], &got->outputs[i], STAGE_CONFLATED, type->out[i].name,
                       what);
        } else if (!want->loose[i] && order == STAGE_CONFLATED) {
            compare_records(&want->outputs[i], &got->outputs[i], type->out[i].name, what);
        } else if (!want->loose[i]) {
            compare_as(&want->outputs[i], &got->outputs[i], order, type->out[i].name, what);
        }
    }
    if (order == STAGE_UNORDERED) {
        compare_as(&want->dead_letters, &got->dead_letters, order, "dead letters", what);
    } else {
        compare_records(&want->dead_letters, &got->dead_letters, "dead letters", what);
    }
    for (size_t i = 0; i < type->store_count; i++) {
        compare_records(&want->stores[i], &got->stores[i], type->stores[i].name, what);
    }
}
