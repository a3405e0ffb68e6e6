/*
 * book_levels.c -- the levels of one side, sorted, the best last.
 *
 * Why: orders come and go near the best price, so near the end of the array: little moves. The best
 *      level is one load, level n from the top another, and a snapshot is a walk backwards.
 */
#include "domain/book_priv.h"

#include <stdlib.h>

#define LEVELS_MIN ((size_t)64)
/* How many keys from the best end are looked at one by one before halving. */
#define NEAR_BEST ((size_t)8)

size_t book_keys_position(const struct book_keys *keys, dec_t key)
{
    size_t count = keys->count;
    size_t low = 0;

    for (size_t i = 0; i < NEAR_BEST && count > 0; i++) {
        if (keys->keys[count - 1] < key) {
            return count;
        }
        count--;
    }
    /* Halving without a branch on the comparison: which way it goes cannot be foreseen. */
    while (count > 0) {
        const size_t half = (count + 1) / 2;
        low += keys->keys[low + half - 1] < key ? half : 0;
        count -= half;
    }
    return low;
}

static bool is_at(const struct book_keys *keys, size_t position, dec_t key)
{
    return position < keys->count && keys->keys[position] == key;
}

static void insert_key(struct book_keys *keys, size_t position, dec_t key)
{
    memmove(&keys->keys[position + 1], &keys->keys[position],
            (keys->count - position) * sizeof(keys->keys[0]));
    keys->keys[position] = key;
    keys->count++;
}

static bool reserve_keys(struct book_keys *keys, size_t count)
{
    size_t capacity = keys->capacity == 0 ? LEVELS_MIN : keys->capacity;

    while (capacity < count) {
        capacity *= 2;
    }
    if (capacity == keys->capacity) {
        return true;
    }
    dec_t *grown = realloc(keys->keys, capacity * sizeof(*grown));
    if (grown == NULL) {
        return false;
    }
    keys->keys = grown;
    keys->capacity = capacity;
    return true;
}

bool book_ladder_reserve(struct book_ladder *ladder)
{
    const size_t before = ladder->keys.capacity;
    const size_t count = ladder->keys.count + 1;

    /* Fills and cancels cannot fail, so the note they leave must find room: every level there is
     * may become a change beside those already noted. */
    if (!reserve_keys(&ladder->changes, ladder->changes.count + count) ||
        !reserve_keys(&ladder->keys, count)) {
        return false;
    }
    if (ladder->keys.capacity == before) {
        return true;
    }
    struct book_level_node **grown = realloc(ladder->nodes, ladder->keys.capacity * sizeof(*grown));
    if (grown == NULL) {
        ladder->keys.capacity = before; /* the larger keys are harmless, the bound is the nodes' */
        return false;
    }
    ladder->nodes = grown;
    return true;
}

struct book_level_node *book_ladder_find(const struct book_ladder *ladder, dec_t key,
                                         size_t *position)
{
    *position = book_keys_position(&ladder->keys, key);
    return is_at(&ladder->keys, *position, key) ? ladder->nodes[*position] : NULL;
}

struct book_level_node *book_ladder_best(const struct book_ladder *ladder)
{
    return ladder->keys.count == 0 ? NULL : ladder->nodes[ladder->keys.count - 1];
}

void book_ladder_put(struct book_ladder *ladder, size_t position, dec_t key,
                     struct book_level_node *node)
{
    memmove(&ladder->nodes[position + 1], &ladder->nodes[position],
            (ladder->keys.count - position) * sizeof(struct book_level_node *));
    ladder->nodes[position] = node;
    insert_key(&ladder->keys, position, key);
}

void book_ladder_remove(struct book_ladder *ladder, dec_t key)
{
    struct book_keys *keys = &ladder->keys;
    const size_t position = book_keys_position(keys, key);
    const size_t behind = keys->count - position - 1;

    memmove(&keys->keys[position], &keys->keys[position + 1], behind * sizeof(keys->keys[0]));
    memmove(&ladder->nodes[position], &ladder->nodes[position + 1],
            behind * sizeof(struct book_level_node *));
    keys->count--;
}

void book_ladder_touch(struct book_ladder *ladder, struct book_level_node *node, uint64_t epoch)
{
    const dec_t key = book_key(node->side, node->price);

    if (node->touched_epoch == epoch) {
        return;
    }
    node->touched_epoch = epoch;
    /* A level that went and came back within the epoch is there already. */
    const size_t position = book_keys_position(&ladder->changes, key);
    if (!is_at(&ladder->changes, position, key)) {
        insert_key(&ladder->changes, position, key);
    }
}

void book_ladder_fini(struct book_ladder *ladder)
{
    free(ladder->keys.keys);
    free(ladder->nodes);
    free(ladder->changes.keys);
    *ladder = (struct book_ladder){0};
}
