/*
 * transaction.c -- transactional ids and the transaction each may have open.
 *
 * How: a transaction belongs to its id, not to the producer that began it, so that it is there to
 *   be aborted when the producer has died. The clock of a transaction starts with the first thing
 *   written, as a broker's does. Its outcome is decided at once; the partitions and the group get
 *   to know it each in its time (mr_log_memory_slow_markers), as from a broker's markers.
 */
#include "memory.h"

#include <stdlib.h>

struct memory_id *memory_id_get(struct memory_log *log, const char *name)
{
    struct memory_id *id;

    for (size_t i = 0; i < log->id_count; i++) {
        if (strcmp(log->ids[i]->name, name) == 0) {
            return log->ids[i];
        }
    }
    id = mr_xcalloc(1, sizeof(*id));
    id->name = mr_xstrdup(name);
    id->deadline_us = MEMORY_FOREVER_US;
    log->ids = mr_xrealloc(log->ids, (log->id_count + 1) * sizeof(struct memory_id *));
    log->ids[log->id_count++] = id;
    return id;
}

void memory_id_destroy(struct memory_id *id)
{
    free(id->name);
    free(id->partitions);
    for (size_t i = 0; i < id->pending_count; i++) {
        free(id->pending[i].metadata);
    }
    free(id->pending);
    free(id);
}

static void start(struct memory_log *log, struct memory_id *id)
{
    if (id->deadline_us == MEMORY_FOREVER_US) {
        id->deadline_us = memory_deadline(mr_clock_monotonic_us(log->clock), id->timeout_us);
        memory_expect(log, id->deadline_us);
    }
}

void memory_transaction_write(struct memory_log *log, struct memory_id *id,
                              struct memory_partition *partition)
{
    /* A producer waits for the end of its last transaction before it begins to write. */
    memory_transaction_mark(log, id, MEMORY_FOREVER_US);
    start(log, id);
    memory_partition_open(partition, id);
    id->partitions = memory_grow(id->partitions, id->partition_count, &id->partition_capacity,
                                 sizeof(*id->partitions));
    id->partitions[id->partition_count++] = (struct memory_written){.partition = partition};
}

void memory_transaction_offset(struct memory_log *log, struct memory_id *id,
                               const struct memory_pending *pending)
{
    memory_transaction_mark(log, id, MEMORY_FOREVER_US);
    start(log, id);
    memory_group_offset(pending->group, pending->partition->index)->pending++;
    id->pending =
        memory_grow(id->pending, id->pending_count, &id->pending_capacity, sizeof(*id->pending));
    id->pending[id->pending_count++] = *pending;
}

/* ---- ending ----------------------------------------------------------------------------------
 */

static void settle_offsets(struct memory_id *id)
{
    for (size_t i = 0; i < id->pending_count; i++) {
        const struct memory_pending *pending = &id->pending[i];
        struct memory_offset *offset =
            memory_group_offset(pending->group, pending->partition->index);

        offset->pending--;
        if (id->ending_committed) {
            memory_offset_set(offset, pending->offset, pending->metadata);
        } else {
            free(pending->metadata);
        }
    }
    id->pending_count = 0;
}

void memory_transaction_mark(struct memory_log *log, struct memory_id *id, int64_t now_us)
{
    const int64_t timestamp_ms = mr_clock_wall_us(log->clock) / 1000;
    size_t kept = 0;

    for (size_t i = 0; id->ending && i < id->partition_count; i++) {
        const struct memory_written *written = &id->partitions[i];

        if (written->marker_us <= now_us) {
            memory_partition_end(written->partition, id, id->ending_committed, timestamp_ms);
            memory_changed(log);
        } else {
            memory_expect(log, written->marker_us);
            id->partitions[kept++] = *written;
        }
    }
    id->partition_count = id->ending ? kept : id->partition_count;
    if (id->ending && id->pending_us <= now_us) {
        settle_offsets(id);
        memory_changed(log);
    } else if (id->ending) {
        memory_expect(log, id->pending_us);
    }
    id->ending = id->ending && id->partition_count + id->pending_count > 0;
}

/* Some time in the span of delays. */
static int64_t marker_time(struct memory_log *log, int64_t now_us)
{
    log->marker_random = log->marker_random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return now_us + (int64_t)((log->marker_random >> 33) % (uint64_t)(log->marker_delay_us + 1));
}

void memory_transaction_end(struct memory_log *log, struct memory_id *id, bool committed)
{
    const int64_t now_us = mr_clock_monotonic_us(log->clock);

    id->deadline_us = MEMORY_FOREVER_US;
    if (id->ending) {
        return; /* decided */
    }
    id->ending = true;
    id->ending_committed = committed;
    for (size_t i = 0; i < id->partition_count; i++) {
        id->partitions[i].marker_us = marker_time(log, now_us);
    }
    id->pending_us = marker_time(log, now_us);
    memory_transaction_mark(log, id, log->marker_delay_us == 0 ? MEMORY_FOREVER_US : now_us);
}
