/*
 * transaction.c -- transactional ids and the transaction each may have open.
 *
 * How: a transaction belongs to its id, not to the producer that began it, so that it is there to
 *   be aborted when the producer has died. The clock of a transaction starts with the first thing
 *   written, as a broker's does.
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
    start(log, id);
    memory_partition_open(partition, id);
    id->partitions = memory_grow(id->partitions, id->partition_count, &id->partition_capacity,
                                 sizeof(struct memory_partition *));
    id->partitions[id->partition_count++] = partition;
}

void memory_transaction_offset(struct memory_log *log, struct memory_id *id,
                               const struct memory_pending *pending)
{
    start(log, id);
    memory_group_offset(pending->group, pending->partition->index)->pending++;
    id->pending =
        memory_grow(id->pending, id->pending_count, &id->pending_capacity, sizeof(*id->pending));
    id->pending[id->pending_count++] = *pending;
}

void memory_transaction_end(struct memory_log *log, struct memory_id *id, bool committed)
{
    const int64_t timestamp_ms = mr_clock_wall_us(log->clock) / 1000;

    for (size_t i = 0; i < id->partition_count; i++) {
        memory_partition_end(id->partitions[i], id, committed, timestamp_ms);
    }
    for (size_t i = 0; i < id->pending_count; i++) {
        const struct memory_pending *pending = &id->pending[i];
        struct memory_offset *offset =
            memory_group_offset(pending->group, pending->partition->index);

        offset->pending--;
        if (committed) {
            memory_offset_set(offset, pending->offset, pending->metadata);
        } else {
            free(pending->metadata);
        }
    }
    if (id->partition_count + id->pending_count > 0) {
        memory_changed(log);
    }
    id->partition_count = 0;
    id->pending_count = 0;
    id->deadline_us = MEMORY_FOREVER_US;
}
