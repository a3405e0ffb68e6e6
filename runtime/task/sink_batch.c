/*
 * sink_batch.c -- a batch of a connector: decoded, written, acknowledged. See sink_runner.c.
 *
 * What cannot be decoded, and what the sink says nobody can write, becomes a dead letter and is
 * left out of the next attempt. Positions move when everything else has been written and the
 * letters are committed, for the whole batch: a letter must not store an offset behind records that
 * still wait.
 */
#include "millrace/logger.h"
#include "sink.h"

void sink_drop_batch(struct mr_sink_runner *runner)
{
    while (runner->batch_count > 0) {
        mr_message_release(&runner->messages[--runner->batch_count]);
        runner->lettered[runner->batch_count] = false;
    }
    runner->record_count = 0;
    sink_letters_drop(runner);
    mr_arena_reset(runner->arena);
}

static void move_position(struct mr_sink_runner *runner, const struct mr_message *message)
{
    for (size_t i = 0; i < runner->position_count; i++) {
        struct sink_position *at = &runner->positions[i];

        if (at->partition == message->partition) {
            at->next = message->offset + 1;
            at->moved = true;
            return;
        }
    }
}

static enum mr_status decode(struct mr_sink_runner *runner, const struct mr_message *message,
                             struct mr_record *record, struct mr_err *err)
{
    const struct mr_schema *schema = runner->binding.schema;
    void *value;

    *record = (struct mr_record){
        .key = message->key,
        .event_us = message->timestamp_ms * 1000,
        .topic = message->topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = message->timestamp_ms,
    };
    if (!message->has_value) {
        return MR_OK;
    }
    value = mr_arena_alloc(runner->arena, schema->struct_bytes);
    memset(value, 0, schema->struct_bytes);
    MR_TRY(mr_codec_decode(runner->process.codec, &runner->binding, message->value, runner->arena,
                           value, err));
    record->value = value;
    if (schema->event_us_offset >= 0) {
        memcpy(&record->event_us, (const uint8_t *)value + schema->event_us_offset,
               sizeof(record->event_us));
    }
    return MR_OK;
}

/* RETRY: the registry is away. */
static enum mr_status decode_batch(struct mr_sink_runner *runner, struct mr_err *err)
{
    mr_arena_reset(runner->arena);
    runner->record_count = 0;
    for (size_t i = 0; i < runner->batch_count; i++) {
        const size_t at = runner->record_count;
        enum mr_status status;

        if (runner->lettered[i]) {
            continue;
        }
        status = decode(runner, &runner->messages[i], &runner->records[at], err);
        if (status == MR_OK) {
            runner->sources[at] = i;
            runner->record_count++;
        } else if (mr_status_class(status) == MR_CLASS_POISON) {
            sink_letters_add(runner, i, err);
        } else {
            return status;
        }
    }
    return MR_OK;
}

static void leave_out(struct mr_sink_runner *runner, size_t at)
{
    runner->record_count--;
    memmove(&runner->records[at], &runner->records[at + 1],
            (runner->record_count - at) * sizeof(runner->records[0]));
    memmove(&runner->sources[at], &runner->sources[at + 1],
            (runner->record_count - at) * sizeof(runner->sources[0]));
}

static enum mr_status write_records(struct mr_sink_runner *runner, struct mr_err *err)
{
    const struct mr_sink_type *type = runner->node->type;
    enum mr_status status = MR_OK;

    while (runner->record_count > 0) {
        size_t bad = 0;

        status = type->write(runner->self, runner->records, runner->record_count, &bad, err);
        if (mr_status_class(status) != MR_CLASS_POISON) {
            break;
        }
        MR_ASSERT(bad < runner->record_count);
        sink_letters_add(runner, runner->sources[bad], err);
        leave_out(runner, bad);
    }
    return status;
}

enum mr_status sink_open(struct mr_sink_runner *runner, struct mr_err *err)
{
    const struct mr_sink_env env = {
        .application = runner->process.topology->application,
        .name = runner->node->name,
        .topic = runner->topic->name,
        .schema = runner->topic->schema,
        .metrics = runner->process.metrics,
    };

    if (runner->is_open) {
        return MR_OK;
    }
    MR_TRY(runner->node->type->open(runner->self, &env, err));
    runner->is_open = true;
    if (runner->attempts > 0) {
        mr_info("sink_connected", "connector=%s address=%s", runner->node->name,
                runner->node->type->address(runner->self));
    }
    return MR_OK;
}

enum mr_status sink_write_batch(struct mr_sink_runner *runner, struct mr_err *err)
{
    const int64_t started_us = sink_now_us(runner);

    MR_TRY(decode_batch(runner, err));
    MR_TRY(write_records(runner, err));
    if (runner->letters.count > 0) {
        MR_TRY(sink_letters_commit(runner, err));
    }
    if (runner->record_count > 0) {
        mr_histogram_record_us(runner->write_us, sink_now_us(runner) - started_us);
        mr_counter_add(runner->written, runner->record_count);
        runner->live.records_in += runner->record_count;
    }
    for (size_t i = 0; i < runner->batch_count; i++) {
        move_position(runner, &runner->messages[i]);
    }
    sink_drop_batch(runner);
    return MR_OK;
}
