/*
 * process.c -- one record through the stages of its task, under a savepoint.
 *
 * OK: its writes stay in the overlay, its outputs in the outbox. POISON: both are forgotten, in
 * every stage the record reached, and a dead letter takes their place. Anything else is the
 * transaction's affair (worker.c).
 */
#include "millrace/fault.h"
#include "millrace/logger.h"
#include "task.h"

/* A stage may have gone on although a reader of what it emitted had failed: the first failure
 * counts, whatever became of it on the way. */
static enum mr_status process_chain(const struct task *task, struct mr_err *err)
{
    if (task->chain_status != MR_OK) {
        *err = task->chain_err;
    }
    return task->chain_status;
}

enum mr_status process_deliver(struct mr_ctx *to, size_t port, const struct mr_record *record,
                               struct mr_err *err)
{
    enum mr_status status = to->stage->type->process(to->self, to, port, record, err);
    struct task *task = to->task;

    if (status != MR_OK && task->chain_status == MR_OK) {
        task->failed = to;
        task->chain_status = status;
        task->chain_err = *err;
    }
    return process_chain(task, err);
}

static enum mr_status no_value(const struct mr_ctx *to, size_t port, struct mr_err *err)
{
    if ((to->stage->type->in[port].flags & MR_PORT_TOMBSTONES) != 0) {
        return MR_OK;
    }
    return mr_fail(err, MR_MALFORMED, "record without a value");
}

/* The log's time is the writer's word: it may be anything. */
static int64_t event_of(const struct mr_message *message)
{
    const int64_t ms_max = INT64_MAX / 1000;

    return message->timestamp_ms > ms_max    ? INT64_MAX
           : message->timestamp_ms < -ms_max ? -INT64_MAX
                                             : message->timestamp_ms * 1000;
}

static enum mr_status decode(struct task *task, struct input *input,
                             const struct mr_message *message, struct mr_record *record,
                             struct mr_err *err)
{
    const struct mr_schema *schema = input->binding.schema;

    *record = (struct mr_record){
        .key = message->key,
        .event_us = event_of(message),
        .topic = message->topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = message->timestamp_ms,
    };
    if (!message->has_value) {
        return MR_OK;
    }
    MR_TRY(mr_codec_decode(task->worker->process.codec, &input->binding, message->value,
                           task->arena, input->record, err));
    record->value = input->record;
    if (schema->event_us_offset >= 0) {
        memcpy(&record->event_us, (const uint8_t *)input->record + schema->event_us_offset,
               sizeof(record->event_us));
    }
    return MR_OK;
}

static enum mr_status to_readers(struct task *task, struct input *input,
                                 const struct mr_message *message, struct mr_err *err)
{
    const struct mr_worker *worker = task->worker;
    struct mr_record record;

    task->failed = &task->nodes[worker->node_of_stage[input->readers[0].stage]];
    MR_TRY(decode(task, input, message, &record, err));
    task->failed = NULL;
    task->event_us = record.event_us;
    for (size_t i = 0; i < input->reader_count; i++) {
        struct mr_ctx *to = &task->nodes[worker->node_of_stage[input->readers[i].stage]];

        if (record.value == NULL) {
            task->failed = to;
            MR_TRY(no_value(to, input->readers[i].port, err));
            task->failed = NULL;
        }
        MR_TRY(process_deliver(to, input->readers[i].port, &record, err));
    }
    if (record.event_us > task->stream_time_us) {
        task->stream_time_us = record.event_us;
    }
    return MR_OK;
}

/* Forgets what the record did and writes its dead letter. */
static enum mr_status bury(struct mr_worker *worker, const struct taken *taken,
                           const struct mr_err *why, struct mr_err *err)
{
    const struct mr_stage_node *stage = taken->task->failed->stage;

    if (!MR_PLANTED(POISON_OUTPUTS_KEPT)) {
        outbox_drop(&worker->outbox);
    }
    MR_TRY(MR_PLANTED(SAVEPOINT_KEPT) ? MR_OK : task_rollback(taken->task, err));
    if (MR_PLANTED(LETTER_LOST)) {
        return MR_OK;
    }
    dead_letter_add(
        &worker->outbox,
        &(struct dead_letter_place){
            .who = stage->name,
            .stage = (size_t)(stage - worker->topology->stages),
            .topic = stage->dead_letter,
            .partition = taken->message.partition % worker->topic_partitions[stage->dead_letter],
        },
        &taken->message, why);
    mr_counter_add(worker->metrics.dead_letters, 1);
    worker->live.dead_letters++;
    mr_warn("dead_letter", "stage=%s topic=%s partition=%d offset=%lld status=%s error=\"%s\"",
            stage->name, taken->message.topic, (int)taken->message.partition,
            (long long)taken->message.offset, mr_status_name(why->status), why->text);
    return MR_OK;
}

enum mr_status process_taken(struct mr_worker *worker, const struct taken *taken,
                             struct mr_err *err)
{
    struct task *task = taken->task;
    enum mr_status status;

    task_touch(task);
    worker->open = true;
    task->source = &taken->message;
    task->event_us = event_of(&taken->message);
    task->failed = NULL;
    task->chain_status = MR_OK;
    status = to_readers(task, taken->input, &taken->message, err);
    if (status != MR_OK && mr_status_class(status) == MR_CLASS_POISON) {
        const struct mr_err why = *err;

        status = bury(worker, taken, &why, err);
    }
    task->source = NULL;
    if (status == MR_OK) {
        outbox_keep(&worker->outbox);
        task_release(task);
        taken->input->next_offset = taken->message.offset + (MR_PLANTED(OFFSET_NOT_NEXT) ? 0 : 1);
        journal_took(task, taken->input, taken->message.offset);
    }
    mr_arena_reset(task->arena);
    return status;
}

/* ---- timers ---------------------------------------------------------------------------------- */

/* The next multiple of the interval; event time comes from outside and may be anything. */
static int64_t next_firing(const struct timer *timer, int64_t now_us)
{
    const int64_t begun_us = now_us - now_us % timer->interval_us;

    return begun_us > INT64_MAX - timer->interval_us ? INT64_MAX : begun_us + timer->interval_us;
}

static bool timer_due(struct timer *timer, int64_t now_us)
{
    if (timer->next_us == INT64_MIN) {
        timer->next_us = next_firing(timer, now_us);
        return false;
    }
    return now_us >= timer->next_us;
}

enum mr_status process_fire(struct task *task, struct timer *timer, int64_t now_us,
                            struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    struct mr_ctx *owner = timer->owner;
    enum mr_status status;

    task_touch(task);
    worker->open = true;
    task->event_us = now_us;
    task->failed = NULL;
    task->chain_status = MR_OK;
    timer->next_us = next_firing(timer, now_us);
    journal_fired(task, timer, now_us);
    status = owner->stage->type->punctuate(owner->self, owner, timer->id, now_us, err);
    if (status == MR_OK) {
        status = process_chain(task, err);
    }
    if (status == MR_OK) {
        outbox_keep(&worker->outbox);
        task_release(task);
    } else if (mr_status_class(status) == MR_CLASS_POISON) {
        /* There is no record to blame: the timer's work is skipped and said. */
        mr_error("timer_failed", "stage=%s error=\"%s\"", owner->stage->name, err->text);
        outbox_drop(&worker->outbox);
        status = task_rollback(task, err);
    }
    mr_arena_reset(task->arena);
    return status;
}

enum mr_status process_timers(struct task *task, enum mr_timer_clock clock, struct mr_err *err)
{
    const int64_t now_us = clock == MR_STREAM_TIME ? task->stream_time_us
                                                   : mr_clock_wall_us(task->worker->process.clock);

    for (size_t i = 0; now_us != INT64_MIN && i < task->timer_count; i++) {
        struct timer *timer = &task->timers[i];

        if (timer->clock == clock && timer_due(timer, now_us)) {
            MR_TRY(process_fire(task, timer, now_us, err));
        }
    }
    return MR_OK;
}

/* ---- flush ----------------------------------------------------------------------------------- */

static enum mr_status flush_task(struct mr_worker *worker, struct task *task, struct mr_err *err)
{
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        struct mr_ctx *node = &task->nodes[i];

        task->failed = NULL;
        task->chain_status = MR_OK;
        if (node->stage->type->flush != NULL) {
            MR_TRY(node->stage->type->flush(node->self, node, err));
            MR_TRY(process_chain(task, err));
        }
    }
    outbox_keep(&worker->outbox);
    task_release(task);
    mr_arena_reset(task->arena);
    return MR_OK;
}

enum mr_status process_flush(struct mr_worker *worker, struct mr_err *err)
{
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        if (task != NULL && task->touched) {
            MR_TRY(flush_task(worker, task, err));
        }
    }
    return MR_OK;
}
