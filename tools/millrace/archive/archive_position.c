/* archive_position.c -- how far an import is, and what its topic holds. See archive_import.h. */
#include "archive_import.h"

#define COMMITTED_US (30 * MR_SECOND_US)
#define POLL_US (100 * MR_MS_US)
#define PATIENCE_US (20 * MR_SECOND_US)

enum mr_status archive_position(const struct archive_import *import, int64_t *position,
                                struct mr_err *err)
{
    struct mr_topic_partition at = {.topic = import->topic->name};

    MR_TRY(mr_log_committed(import->env->log, import->group, &at, 1, COMMITTED_US, err));
    *position = at.offset == MR_OFFSET_NONE ? 0 : at.offset;
    return MR_OK;
}

/* Offsets alone do not say: an import that failed leaves aborted records behind. */
static enum mr_status look(const struct archive_import *import, struct mr_reader *reader,
                           const int64_t *ends, bool *empty, struct mr_err *err)
{
    const struct mr_clock *clock = import->env->clock;
    const int64_t deadline_us = mr_clock_monotonic_us(clock) + PATIENCE_US;
    int32_t done = 0;

    while (*empty && done < import->partitions) {
        struct mr_message message;
        size_t count = 0;
        enum mr_status status = mr_reader_poll(reader, POLL_US, &message, 1, &count, err);

        if (count > 0) {
            *empty = false;
            mr_message_release(&message);
        } else if (status != MR_OK && status != MR_UNAVAILABLE && status != MR_TIMEOUT) {
            return status;
        }
        for (done = 0; done < import->partitions &&
                       mr_reader_position(reader, import->topic->name, done) >= ends[done];) {
            done++;
        }
        if (mr_clock_monotonic_us(clock) > deadline_us) {
            return mr_fail(err, MR_TIMEOUT, "%s does not say what is in topic %s",
                           mr_log_address(import->env->log), import->topic->name);
        }
    }
    return MR_OK;
}

enum mr_status archive_topic_empty(const struct archive_import *import, bool *empty,
                                   struct mr_err *err)
{
    struct mr_reader *reader = NULL;
    int64_t ends[LOAD_PARTITIONS_MAX];
    enum mr_status status = MR_OK;

    *empty = true;
    MR_TRY(mr_reader_open(import->env->log, MR_READER_CATCHES_UP_US, &reader, err));
    for (int32_t p = 0; status == MR_OK && p < import->partitions; p++) {
        int64_t low = 0;

        status = mr_log_watermarks(import->env->log, import->topic->name, p, &low, &ends[p], err);
        if (status == MR_OK) {
            status = mr_reader_add(reader, import->topic->name, p, low, err);
        }
    }
    if (status == MR_OK) {
        status = look(import, reader, ends, empty, err);
    }
    mr_reader_close(&reader);
    return status;
}
