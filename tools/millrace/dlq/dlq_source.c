/* dlq_source.c -- one record of any topic by its coordinates. See dlq_replay.h. */
#include "dlq_replay.h"

#include <inttypes.h>

#define POLL_US (100 * MR_MS_US)
#define PATIENCE_US (10 * MR_SECOND_US)

static enum mr_status gone(const struct dlq_letter *letter, struct mr_err *err)
{
    return mr_fail(err, MR_CONFIG,
                   "letter %" PRId32 ":%" PRId64 ": its value of %" PRId64
                   " bytes was left out, and %s, partition %" PRId32 ", has offset %" PRId64
                   " no more",
                   letter->message->partition, letter->message->offset, letter->left_out,
                   letter->source_topic, letter->source_partition, letter->source_offset);
}

/* The first record that comes decides. */
static enum mr_status await(const struct load_env *env, struct mr_reader *reader,
                            const struct dlq_letter *letter, struct mr_buffer *value,
                            struct mr_err *err)
{
    const int64_t deadline_us = mr_clock_monotonic_us(env->clock) + PATIENCE_US;

    while (mr_clock_monotonic_us(env->clock) < deadline_us) {
        struct mr_message message;
        size_t count = 0;
        const enum mr_status status = mr_reader_poll(reader, POLL_US, &message, 1, &count, err);
        bool found = false;

        if (count > 0) {
            found = message.offset == letter->source_offset && message.has_value;
            if (found) {
                mr_buffer_clear(value);
                mr_buffer_append(value, message.value.data, message.value.len);
            }
            mr_message_release(&message);
            return found ? MR_OK : gone(letter, err);
        }
        if (status == MR_OUT_OF_RANGE) {
            return gone(letter, err);
        }
        if (status != MR_OK && status != MR_UNAVAILABLE && status != MR_TIMEOUT) {
            return status;
        }
    }
    return gone(letter, err);
}

enum mr_status dlq_source_value(const struct load_env *env, const struct dlq_letter *letter,
                                struct mr_buffer *value, struct mr_err *err)
{
    struct mr_reader *reader = NULL;
    int64_t low = 0;
    int64_t end = 0;
    enum mr_status status;

    MR_TRY(mr_log_watermarks(env->log, letter->source_topic, letter->source_partition, &low, &end,
                             err));
    if (letter->source_offset < low || letter->source_offset >= end) {
        return gone(letter, err);
    }
    MR_TRY(mr_reader_open(env->log, MR_READER_CATCHES_UP_US, &reader, err));
    status = mr_reader_add(reader, letter->source_topic, letter->source_partition,
                           letter->source_offset, err);
    if (status == MR_OK) {
        status = await(env, reader, letter, value, err);
    }
    mr_reader_close(&reader);
    return status;
}
