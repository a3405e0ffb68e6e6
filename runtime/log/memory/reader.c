/*
 * reader.c -- reading partitions without a group: restore, tables, tap, verify.
 */
#include "memory.h"

#include <stdlib.h>

static struct memory_reader *reader_of(struct mr_reader *reader)
{
    return MR_SELF(struct memory_reader, (struct memory_reader *)reader, MEMORY_READER_MAGIC);
}

enum mr_status memory_reader_open(struct mr_log *base, int64_t idle_wait_us,
                                  struct mr_reader **reader, struct mr_err *err)
{
    struct memory_reader *opened = mr_xcalloc(1, sizeof(*opened));

    (void)err;
    (void)idle_wait_us; /* it answers at once */
    opened->base.ops = &memory_ops;
    opened->magic = MEMORY_READER_MAGIC;
    opened->log = memory_log_of(base);
    (void)memory_enter(opened->log);
    opened->log->handles++;
    memory_leave(opened->log);
    *reader = &opened->base;
    return MR_OK;
}

void memory_reader_close(struct mr_reader *base)
{
    struct memory_reader *reader = reader_of(base);

    (void)memory_enter(reader->log);
    reader->log->handles--;
    memory_leave(reader->log);
    free(reader->cursors);
    reader->magic = 0;
    free(reader);
}

static struct memory_cursor *cursor_find(const struct memory_reader *reader, const char *topic,
                                         int32_t partition)
{
    for (size_t i = 0; i < reader->cursor_count; i++) {
        const struct memory_partition *at = reader->cursors[i].partition;

        if (at->number == partition && (at->topic == topic || strcmp(at->topic, topic) == 0)) {
            return &reader->cursors[i];
        }
    }
    return NULL;
}

enum mr_status memory_reader_add(struct mr_reader *base, const char *topic, int32_t partition,
                                 int64_t offset, struct mr_err *err)
{
    struct memory_reader *reader = reader_of(base);
    struct memory_cursor *cursor = cursor_find(reader, topic, partition);
    struct memory_partition *found;

    (void)memory_enter(reader->log);
    found = memory_partition_find(reader->log, topic, partition);
    memory_leave(reader->log);
    if (found == NULL) {
        return memory_unknown(err, topic, partition);
    }
    if (cursor == NULL) {
        reader->cursors =
            mr_xrealloc(reader->cursors, (reader->cursor_count + 1) * sizeof(*reader->cursors));
        cursor = &reader->cursors[reader->cursor_count++];
    }
    *cursor = (struct memory_cursor){.partition = found, .position = offset};
    return MR_OK;
}

enum mr_status memory_reader_remove(struct mr_reader *base, const char *topic, int32_t partition,
                                    struct mr_err *err)
{
    struct memory_reader *reader = reader_of(base);
    struct memory_cursor *cursor = cursor_find(reader, topic, partition);

    if (cursor == NULL) {
        return memory_unknown(err, topic, partition);
    }
    *cursor = reader->cursors[--reader->cursor_count];
    return MR_OK;
}

static enum mr_status check_range(const struct memory_reader *reader, struct mr_err *err)
{
    for (size_t i = 0; i < reader->cursor_count; i++) {
        const struct memory_cursor *cursor = &reader->cursors[i];

        if (cursor->position < 0 || cursor->position > cursor->partition->end) {
            return mr_fail(err, MR_OUT_OF_RANGE, "memory: %s [%d] has no offset %lld",
                           cursor->partition->topic, cursor->partition->number,
                           (long long)cursor->position);
        }
    }
    return MR_OK;
}

static int64_t sum_of_positions(const struct memory_reader *reader)
{
    int64_t sum = 0;

    for (size_t i = 0; i < reader->cursor_count; i++) {
        sum += reader->cursors[i].position;
    }
    return sum;
}

enum mr_status memory_reader_poll(struct mr_reader *base, int64_t timeout_us,
                                  struct mr_message *messages, size_t max, size_t *count,
                                  struct mr_err *err)
{
    struct memory_reader *reader = reader_of(base);
    struct memory_log *log = reader->log;
    const int64_t deadline_us = memory_deadline(memory_enter(log), timeout_us);
    struct memory_fault fault;
    enum mr_status status;

    *count = 0;
    status = memory_fault_due(log, MR_LOG_CALL_POLL, &fault) ? memory_fault_fail(&fault, err)
                                                             : check_range(reader, err);
    while (status == MR_OK) {
        const int64_t before = sum_of_positions(reader);

        *count = memory_take(reader->cursors, reader->cursor_count, &reader->turn, messages, max);
        /* Having passed a marker is worth returning for: the position may be what is waited for. */
        if (*count > 0 || sum_of_positions(reader) != before || !memory_wait(log, deadline_us)) {
            break;
        }
    }
    memory_leave(log);
    return status;
}

int64_t memory_reader_position(const struct mr_reader *base, const char *topic, int32_t partition)
{
    const struct memory_reader *reader = (const struct memory_reader *)base;
    const struct memory_cursor *cursor;

    MR_ASSERT(reader->magic == MEMORY_READER_MAGIC);
    cursor = cursor_find(reader, topic, partition);
    return cursor == NULL ? MR_OFFSET_NONE : cursor->position;
}
