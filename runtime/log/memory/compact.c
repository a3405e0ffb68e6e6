/*
 * compact.c -- what a broker's cleaner does to a compacted topic, when a test says so.
 *
 * How: a record that a later one of its key has replaced is not delivered any more, nor a tombstone
 *   that is old enough; offsets stay, and a reader passes the holes. Only below the last stable
 *   offset. Nothing is freed, so that a test may still look at what was there.
 */
#include "memory.h"

#include <stdlib.h>

/* Keys that were seen, by their last entries: open addressing. */
struct seen {
    const struct memory_entry **slots;
    size_t capacity;
};

static size_t hash_of(const struct memory_entry *entry)
{
    uint64_t hash = UINT64_C(1469598103934665603);

    for (uint32_t i = 0; i < entry->key_bytes; i++) {
        hash = (hash ^ entry->data[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ (hash >> 29));
}

static bool same_key(const struct memory_entry *a, const struct memory_entry *b)
{
    return a->key_bytes == b->key_bytes &&
           (a->key_bytes == 0 || memcmp(a->data, b->data, a->key_bytes) == 0);
}

/* False when the key was there already. */
static bool see(struct seen *seen, const struct memory_entry *entry)
{
    size_t at = hash_of(entry) & (seen->capacity - 1);

    while (seen->slots[at] != NULL && !same_key(seen->slots[at], entry)) {
        at = (at + 1) & (seen->capacity - 1);
    }
    if (seen->slots[at] != NULL) {
        return false;
    }
    seen->slots[at] = entry;
    return true;
}

static void compact(struct memory_partition *partition, int64_t tombstones_before_ms)
{
    const int64_t stable = memory_partition_stable(partition);
    struct seen seen = {.capacity = 64};

    while (seen.capacity < 2 * (size_t)stable) {
        seen.capacity *= 2;
    }
    seen.slots = mr_xcalloc(seen.capacity, sizeof(const struct memory_entry *));
    for (int64_t offset = stable - 1; offset >= 0; offset--) {
        struct memory_entry *entry = memory_partition_entry(partition, offset);

        if ((entry->flags & MEMORY_SKIPPED) == 0 &&
            (!see(&seen, entry) || ((entry->flags & MEMORY_TOMBSTONE) != 0 &&
                                    entry->timestamp_ms < tombstones_before_ms))) {
            entry->flags |= MEMORY_COMPACTED;
        }
    }
    free(seen.slots);
}

void mr_log_memory_compact(struct mr_log *base, const char *name, int64_t tombstones_before_ms)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_topic *topic;

    (void)memory_enter(log);
    topic = memory_topic_find(log, name);
    MR_ASSERT(topic != NULL);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        compact(&topic->partitions[i], tombstones_before_ms);
    }
    memory_leave(log);
}

void mr_log_memory_show_compacted(struct mr_log *base, bool show)
{
    struct memory_log *log = memory_log_of(base);

    (void)memory_enter(log);
    log->hidden = show ? MEMORY_SKIPPED : MEMORY_SKIPPED | MEMORY_COMPACTED;
    memory_leave(log);
}
