/*
 * table.c -- a skip list: a sorted linked list with express lanes.
 *
 * Why: ordered scans and log-time lookups in a few lines, without rebalancing.
 * How: each node stands in 1 + k lanes with probability 1/4 per further lane. The lanes are drawn
 *   from a fixed seed, so the same calls build the same list in every run.
 */
#include "table.h"

#include "millrace/arena.h"
#include "millrace/status.h"

#include <stdlib.h>

#define LANES_MAX 12 /* 4^12 entries before lookups get slower */
#define SEED UINT64_C(0x9E3779B97F4A7C15)

struct table_node {
    uint8_t *value;
    size_t value_bytes;
    const uint8_t *key; /* behind the lanes */
    size_t key_bytes;
    struct table_node *next[];
};

struct table {
    uint64_t random;
    struct table_node *first[LANES_MAX];
};

struct table *table_create(void)
{
    struct table *table = mr_xcalloc(1, sizeof(*table));

    table->random = SEED;
    return table;
}

void table_clear(struct table *table)
{
    struct table_node *node = table->first[0];

    while (node != NULL) {
        struct table_node *next = node->next[0];

        free(node->value);
        free(node);
        node = next;
    }
    memset(table->first, 0, sizeof(table->first));
}

void table_destroy(struct table **table)
{
    if (*table != NULL) {
        table_clear(*table);
        free(*table);
        *table = NULL;
    }
}

static size_t draw_lanes(struct table *table)
{
    size_t lanes = 1;

    /* xorshift64 */
    table->random ^= table->random << 13;
    table->random ^= table->random >> 7;
    table->random ^= table->random << 17;
    for (uint64_t bits = table->random; (bits & 3) == 0 && lanes < LANES_MAX; bits >>= 2) {
        lanes++;
    }
    return lanes;
}

struct mr_slice table_key(const struct table_node *node)
{
    return mr_slice_of(node->key, node->key_bytes);
}

struct mr_slice table_value(const struct table_node *node)
{
    return mr_slice_of(node->value, node->value_bytes);
}

const struct table_node *table_next(const struct table_node *node)
{
    return node->next[0];
}

/* links[lane]: the pointer of that lane that leads to the first node with a key >= key. */
static void find_links(struct table *table, struct mr_slice key, struct table_node ***links)
{
    struct table_node **lanes = table->first;

    for (size_t lane = LANES_MAX; lane-- > 0;) {
        while (lanes[lane] != NULL && mr_slice_compare(table_key(lanes[lane]), key) < 0) {
            lanes = lanes[lane]->next;
        }
        links[lane] = &lanes[lane];
    }
}

static void set_value(struct table_node *node, struct mr_slice value)
{
    node->value = mr_xrealloc(node->value, value.len);
    node->value_bytes = value.len;
    if (value.len > 0) {
        memcpy(node->value, value.data, value.len);
    }
}

static struct table_node *node_create(struct mr_slice key, size_t lanes)
{
    const size_t head_bytes = sizeof(struct table_node) + lanes * sizeof(struct table_node *);
    uint8_t *memory = mr_xcalloc(1, head_bytes + key.len);
    struct table_node *node = (void *)memory;

    if (key.len > 0) {
        memcpy(memory + head_bytes, key.data, key.len);
    }
    node->key = memory + head_bytes;
    node->key_bytes = key.len;
    return node;
}

void table_put(struct table *table, struct mr_slice key, struct mr_slice value)
{
    struct table_node **links[LANES_MAX];
    struct table_node *node;
    size_t lanes;

    find_links(table, key, links);
    node = *links[0];
    if (node == NULL || !mr_slice_equal(table_key(node), key)) {
        lanes = draw_lanes(table);
        node = node_create(key, lanes);
        for (size_t lane = 0; lane < lanes; lane++) {
            node->next[lane] = *links[lane];
            *links[lane] = node;
        }
    }
    set_value(node, value);
}

void table_delete(struct table *table, struct mr_slice key)
{
    struct table_node **links[LANES_MAX];
    struct table_node *node;

    find_links(table, key, links);
    node = *links[0];
    if (node == NULL || !mr_slice_equal(table_key(node), key)) {
        return;
    }
    for (size_t lane = 0; lane < LANES_MAX && *links[lane] == node; lane++) {
        *links[lane] = node->next[lane];
    }
    free(node->value);
    free(node);
}

const struct table_node *table_seek(const struct table *table, struct mr_slice from)
{
    struct table_node *const *lanes = table->first;

    for (size_t lane = LANES_MAX; lane-- > 0;) {
        while (lanes[lane] != NULL && mr_slice_compare(table_key(lanes[lane]), from) < 0) {
            lanes = lanes[lane]->next;
        }
    }
    return lanes[0];
}
