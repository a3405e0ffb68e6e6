/* row_entries.c -- see row_entries.h. */
#include "row_entries.h"

static const uint8_t *item_at(const struct entries *entries, size_t at)
{
    return (const uint8_t *)entries->items + at * entries->item_bytes;
}

static struct mr_slice name_of(const struct entries *entries, const void *item)
{
    struct mr_slice name;

    memcpy(&name, (const uint8_t *)item + entries->name_offset, sizeof(name));
    return name;
}

/* Index of the first entry whose name is not below. */
static size_t lower_bound(const struct entries *entries, struct mr_slice name)
{
    size_t low = 0;
    size_t high = entries->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (mr_slice_compare(name_of(entries, item_at(entries, middle)), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct entries *entries, size_t at, struct mr_slice name)
{
    return at < entries->count && mr_slice_equal(name_of(entries, item_at(entries, at)), name);
}

/* Puts the item, or nothing when it is NULL, where `removed` (0 or 1) of them are. */
static void splice(struct entries *entries, struct mr_arena *arena, size_t at, size_t removed,
                   const void *item)
{
    const size_t bytes = entries->item_bytes;
    const size_t added = item == NULL ? 0 : 1;
    const size_t behind = entries->count - at - removed;
    uint8_t *copy = mr_arena_alloc(arena, (entries->count + 1) * bytes);

    if (at > 0) {
        memcpy(copy, entries->items, at * bytes);
    }
    if (added > 0) {
        memcpy(copy + at * bytes, item, bytes);
    }
    if (behind > 0) {
        memcpy(copy + (at + added) * bytes, item_at(entries, at + removed), behind * bytes);
    }
    entries->items = copy;
    entries->count = at + added + behind;
}

const void *entries_find(const struct entries *entries, struct mr_slice name)
{
    const size_t at = lower_bound(entries, name);

    return is_at(entries, at, name) ? item_at(entries, at) : NULL;
}

void entries_put(struct entries *entries, struct mr_arena *arena, const void *item)
{
    const struct mr_slice name = name_of(entries, item);
    const size_t at = lower_bound(entries, name);

    splice(entries, arena, at, is_at(entries, at, name) ? 1 : 0, item);
}

void entries_drop(struct entries *entries, struct mr_arena *arena, struct mr_slice name)
{
    const size_t at = lower_bound(entries, name);

    if (is_at(entries, at, name)) {
        splice(entries, arena, at, 1, NULL);
    }
}
