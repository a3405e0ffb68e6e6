/*
 * partition.c -- records in offset order, and who of them may be read.
 *
 * How: an entry below the last stable offset (the first record of the oldest open transaction, or
 *   the end) is visible unless it is a marker or its transaction was aborted. The abort says so in
 *   the entries when it happens, so reading never looks a transaction up.
 */
#include "memory.h"
#include "millrace/fault.h"

struct memory_entry *memory_partition_entry(const struct memory_partition *partition,
                                            int64_t offset)
{
    return &partition->blocks[(size_t)offset / MEMORY_BLOCK_ENTRIES]
                             [(size_t)offset % MEMORY_BLOCK_ENTRIES];
}

struct memory_entry *memory_partition_append(struct memory_partition *partition)
{
    const size_t block = (size_t)partition->end / MEMORY_BLOCK_ENTRIES;

    if ((size_t)partition->end % MEMORY_BLOCK_ENTRIES == 0) {
        partition->blocks = memory_grow(partition->blocks, block, &partition->block_capacity,
                                        sizeof(struct memory_entry *));
        partition->blocks[block] = mr_xcalloc(MEMORY_BLOCK_ENTRIES, sizeof(struct memory_entry));
    }
    return memory_partition_entry(partition, partition->end++);
}

int64_t memory_partition_stable(const struct memory_partition *partition)
{
    return partition->open_count > 0 ? partition->open[0].first_offset : partition->end;
}

void memory_partition_open(struct memory_partition *partition, const struct memory_id *id)
{
    partition->open = memory_grow(partition->open, partition->open_count, &partition->open_capacity,
                                  sizeof(*partition->open));
    partition->open[partition->open_count++] =
        (struct memory_open){.id = id, .first_offset = partition->end};
}

static void mark_aborted(struct memory_partition *partition, int64_t first_offset,
                         uint32_t producer)
{
    for (int64_t offset = first_offset; offset < partition->end; offset++) {
        struct memory_entry *entry = memory_partition_entry(partition, offset);

        if (entry->producer == producer) {
            entry->flags |= MEMORY_ABORTED;
        }
    }
}

void memory_partition_end(struct memory_partition *partition, const struct memory_id *id,
                          bool committed, int64_t timestamp_ms)
{
    struct memory_entry *marker;
    size_t i = 0;

    while (i < partition->open_count && partition->open[i].id != id) {
        i++;
    }
    MR_ASSERT(i < partition->open_count);
    if (!committed) {
        mark_aborted(partition, partition->open[i].first_offset, id->producer);
    }
    partition->open_count--;
    memmove(&partition->open[i], &partition->open[i + 1],
            (partition->open_count - i) * sizeof(*partition->open));
    marker = memory_partition_append(partition);
    marker->flags = MEMORY_MARKER;
    marker->timestamp_ms = timestamp_ms;
}

static size_t take_from(struct memory_cursor *cursor, struct mr_message *messages, size_t max)
{
    const int64_t stable = MR_PLANTED(LOG_READS_UNCOMMITTED)
                               ? cursor->partition->end
                               : memory_partition_stable(cursor->partition);
    const uint8_t hidden =
        MR_PLANTED(LOG_DELIVERS_ABORTED) ? MEMORY_MARKER : *cursor->partition->hidden;
    size_t count = 0;

    while (cursor->position < stable) {
        struct memory_entry *entry = memory_partition_entry(cursor->partition, cursor->position);

        if ((entry->flags & hidden) == 0) {
            if (count == max) {
                break;
            }
            memory_message_fill(&messages[count++], cursor->partition, entry, cursor->position);
        }
        cursor->position++;
    }
    return count;
}

size_t memory_take(struct memory_cursor *cursors, size_t count, size_t *turn,
                   struct mr_message *messages, size_t max)
{
    size_t taken = 0;

    for (size_t i = 0; i < count && taken < max; i++) {
        struct memory_cursor *cursor = &cursors[*turn % count];

        *turn = (*turn + 1) % count;
        if (!cursor->paused && cursor->position != MR_OFFSET_NONE) {
            taken += take_from(cursor, messages + taken, max - taken);
        }
    }
    return taken;
}
