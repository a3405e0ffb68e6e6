/*
 * sink_runner.c -- one connector: a consumer of committed output in front of an outside system.
 *
 * Why: the outside system has no part in Kafka's transactions. So offsets move only after it has
 *      acknowledged, a record may come again, and its writes are idempotent (millrace/connector.h).
 * How: poll, decode, write the batch, then commit the offsets, not more often than COMMIT_EVERY_US.
 *      While the system is away the partitions are paused, the batch is kept, the member goes on
 *      polling (it would lose its place otherwise) and the attempts back off.
 * A record that nobody can write goes to the connector's dead-letter topic, which is flushed before
 * the offsets move.
 */
#include "millrace/logger.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_MAX ((size_t)1000)
#define BATCH_ARENA_BYTES ((size_t)1 << 20)
#define COMMIT_EVERY_US (100 * MR_MS_US)
#define BACKOFF_MIN_US (100 * MR_MS_US)
#define BACKOFF_MAX_US (5 * MR_SECOND_US)
#define FLUSH_US (10 * MR_SECOND_US)

struct position {
    const char *topic;
    int32_t partition;
    int64_t next; /* behind the last acknowledged record */
    bool moved;   /* since the last commit */
};

struct mr_sink_runner {
    struct mr_process process;
    const struct mr_connector_node *node;
    const struct mr_topic *topic;
    enum mr_worker_state state;
    _Atomic bool stopping;
    char group_id[256];
    char identity[300];
    void *self; /* the sink's state */
    bool is_open;
    struct mr_binding binding;
    struct mr_member *member;
    struct mr_producer *dead_letters;
    struct outbox letters; /* for the items' shape only */
    int dead_letter_topic;
    int32_t dead_letter_partitions;
    bool letters_unflushed;
    struct mr_arena *arena;
    struct mr_message messages[BATCH_MAX];
    struct mr_record records[BATCH_MAX];
    size_t batch_count; /* messages and records that wait for the system */
    bool paused;
    int attempts; /* that failed in a row */
    int64_t retry_at_us;
    int64_t last_commit_us;
    struct position *positions;
    size_t position_count;
    struct mr_counter *written;
    struct mr_counter *dead;
    struct mr_histogram *write_us;
    struct mr_worker_status live;
    pthread_mutex_t status_lock;
    struct mr_worker_status status;
};

static int64_t now_us(const struct mr_sink_runner *runner)
{
    return mr_clock_monotonic_us(runner->process.clock);
}

static void blocked_on(struct mr_sink_runner *runner, const char *what)
{
    snprintf(runner->live.blocked_on, sizeof(runner->live.blocked_on), "%.*s",
             (int)sizeof(runner->live.blocked_on) - 1, what);
}

/* ---- assignment
 * ----------------------------------------------------------------------------------*/

static void assigned(void *arg, const struct mr_topic_partition *partitions, size_t count)
{
    struct mr_sink_runner *runner = arg;

    runner->positions =
        mr_xrealloc(runner->positions, (runner->position_count + count) * sizeof(struct position));
    for (size_t i = 0; i < count; i++) {
        runner->positions[runner->position_count++] = (struct position){
            .topic = partitions[i].topic,
            .partition = partitions[i].partition,
            .next = MR_OFFSET_NONE,
        };
    }
    runner->state = MR_WORKER_RUNNING;
}

static void drop_batch(struct mr_sink_runner *runner)
{
    while (runner->batch_count > 0) {
        mr_message_release(&runner->messages[--runner->batch_count]);
    }
    mr_arena_reset(runner->arena);
}

static enum mr_status commit_positions(struct mr_sink_runner *runner, struct mr_err *err)
{
    struct mr_topic_partition *offsets = mr_xcalloc(runner->position_count, sizeof(*offsets));
    enum mr_status status = MR_OK;
    size_t count = 0;

    for (size_t i = 0; i < runner->position_count; i++) {
        if (runner->positions[i].moved) {
            offsets[count++] = (struct mr_topic_partition){
                .topic = runner->positions[i].topic,
                .partition = runner->positions[i].partition,
                .offset = runner->positions[i].next,
            };
        }
    }
    if (count > 0 && runner->letters_unflushed) {
        status = mr_producer_flush(runner->dead_letters, FLUSH_US, err);
        runner->letters_unflushed = status != MR_OK;
    }
    if (count > 0 && status == MR_OK) {
        status = mr_member_commit(runner->member, offsets, count, err);
        runner->live.commits++;
    }
    for (size_t i = 0; status == MR_OK && i < runner->position_count; i++) {
        runner->positions[i].moved = false;
    }
    runner->last_commit_us = now_us(runner);
    free(offsets);
    return status;
}

static void revoked(void *arg, const struct mr_topic_partition *partitions, size_t count, bool lost)
{
    struct mr_sink_runner *runner = arg;
    struct mr_err err;

    (void)partitions;
    (void)count;
    if (!lost && commit_positions(runner, &err) != MR_OK) {
        /* They come again; the sink's writes are idempotent. */
        mr_warn("sink_commit_failed", "connector=%s error=\"%s\"", runner->node->name, err.text);
    }
    drop_batch(runner);
    runner->position_count = 0;
    runner->paused = false;
}

static void pause_all(struct mr_sink_runner *runner, bool pause)
{
    struct mr_err err;

    if (runner->paused == pause) {
        return;
    }
    for (size_t i = 0; i < runner->position_count; i++) {
        const struct position *at = &runner->positions[i];
        const enum mr_status status =
            pause ? mr_member_pause(runner->member, at->topic, at->partition, &err)
                  : mr_member_resume(runner->member, at->topic, at->partition, &err);

        if (status != MR_OK) {
            mr_warn("sink_pause_failed", "connector=%s error=\"%s\"", runner->node->name, err.text);
        }
    }
    runner->paused = pause;
}

/* ---- the batch
 * -----------------------------------------------------------------------------------*/

static void move_position(struct mr_sink_runner *runner, const struct mr_message *message)
{
    for (size_t i = 0; i < runner->position_count; i++) {
        struct position *at = &runner->positions[i];

        if (at->partition == message->partition) {
            at->next = message->offset + 1;
            at->moved = true;
            return;
        }
    }
}

static enum mr_status send_dead_letter(struct mr_sink_runner *runner,
                                       const struct mr_message *message, const struct mr_err *why,
                                       struct mr_err *err)
{
    struct outbox *letters = &runner->letters;
    const struct outbox_item *item;
    enum mr_status status;

    dead_letter_add(letters, 0, message->partition % runner->dead_letter_partitions,
                    runner->node->name, message, why);
    item = &letters->items[0];
    status = mr_producer_send(runner->dead_letters,
                              &(struct mr_outgoing){.topic = runner->dead_letter_topic,
                                                    .partition = item->partition,
                                                    .timestamp_ms = item->timestamp_ms,
                                                    .key = item->key,
                                                    .value = item->value,
                                                    .has_value = item->has_value,
                                                    .headers = item->headers,
                                                    .header_count = item->header_count},
                              err);
    outbox_clear(letters);
    runner->letters_unflushed = true;
    runner->live.dead_letters++;
    mr_counter_add(runner->dead, 1);
    mr_warn("dead_letter", "connector=%s topic=%s partition=%d offset=%lld error=\"%s\"",
            runner->node->name, message->topic, (int)message->partition, (long long)message->offset,
            why->text);
    return status;
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

/* Takes message i out of the batch; its fate is decided. */
static void remove_at(struct mr_sink_runner *runner, size_t i)
{
    mr_message_release(&runner->messages[i]);
    runner->batch_count--;
    memmove(&runner->messages[i], &runner->messages[i + 1],
            (runner->batch_count - i) * sizeof(runner->messages[0]));
    memmove(&runner->records[i], &runner->records[i + 1],
            (runner->batch_count - i) * sizeof(runner->records[0]));
}

/* Decodes from batch place `from`; what cannot be read is dead-lettered. RETRY: the registry is
 * away. */
static enum mr_status decode_batch(struct mr_sink_runner *runner, struct mr_err *err)
{
    mr_arena_reset(runner->arena);
    for (size_t i = 0; i < runner->batch_count;) {
        const enum mr_status status =
            decode(runner, &runner->messages[i], &runner->records[i], err);

        if (status == MR_OK) {
            i++;
        } else if (mr_status_class(status) == MR_CLASS_POISON) {
            const struct mr_err why = *err;

            MR_TRY(send_dead_letter(runner, &runner->messages[i], &why, err));
            move_position(runner, &runner->messages[i]);
            remove_at(runner, i);
        } else {
            return status;
        }
    }
    return MR_OK;
}

static enum mr_status open_sink(struct mr_sink_runner *runner, struct mr_err *err)
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

static enum mr_status write_batch(struct mr_sink_runner *runner, struct mr_err *err)
{
    const struct mr_sink_type *type = runner->node->type;
    const int64_t started_us = now_us(runner);

    MR_TRY(decode_batch(runner, err));
    while (runner->batch_count > 0) {
        size_t bad = 0;
        const enum mr_status status =
            type->write(runner->self, runner->records, runner->batch_count, &bad, err);

        if (status == MR_OK) {
            mr_histogram_record_us(runner->write_us, now_us(runner) - started_us);
            mr_counter_add(runner->written, runner->batch_count);
            runner->live.records_in += runner->batch_count;
            for (size_t i = 0; i < runner->batch_count; i++) {
                move_position(runner, &runner->messages[i]);
            }
            drop_batch(runner);
        } else if (mr_status_class(status) == MR_CLASS_POISON) {
            const struct mr_err why = *err;

            MR_ASSERT(bad < runner->batch_count);
            MR_TRY(send_dead_letter(runner, &runner->messages[bad], &why, err));
            remove_at(runner, bad);
        } else {
            return status;
        }
    }
    return MR_OK;
}

static void back_off(struct mr_sink_runner *runner, const struct mr_err *why)
{
    int64_t wait_us = BACKOFF_MIN_US;

    for (int i = 0; i < runner->attempts && wait_us < BACKOFF_MAX_US; i++) {
        wait_us *= 2;
    }
    if (runner->attempts == 0) {
        mr_warn("sink_waits", "connector=%s error=\"%s\"", runner->node->name, why->text);
    }
    runner->attempts++;
    runner->retry_at_us = now_us(runner) + wait_us;
    runner->is_open = false; /* the next attempt reconnects */
    blocked_on(runner, why->text);
    pause_all(runner, true);
}

/* ---- one turn
 * ------------------------------------------------------------------------------------*/

static enum mr_status start(struct mr_sink_runner *runner, struct mr_err *err)
{
    const struct mr_topology *topology = runner->process.topology;
    const struct mr_producer_options producer = {
        .transaction_timeout_us = topology->defaults.transaction_timeout_us,
        .compression = topology->defaults.compression,
    };
    const struct mr_member_options member = {
        .group = runner->group_id,
        .instance = runner->identity,
        .topics = &runner->topic->name,
        .topic_count = 1,
        .session_timeout_us = topology->defaults.session_timeout_us,
        .callbacks = {.assigned = assigned, .revoked = revoked, .arg = runner},
    };

    MR_TRY(mr_codec_bind(runner->process.codec, runner->topic->schema, runner->topic->subject,
                         &runner->binding, err));
    if (runner->dead_letters == NULL) {
        MR_TRY(mr_producer_open(runner->process.log, &producer, MR_SECOND_US, &runner->dead_letters,
                                err));
    }
    MR_TRY(mr_producer_topic(runner->dead_letters, topology->topics[runner->node->dead_letter].name,
                             &runner->dead_letter_topic, &runner->dead_letter_partitions, err));
    MR_TRY(mr_member_open(runner->process.log, &member, &runner->member, err));
    runner->state = MR_WORKER_JOINING;
    return MR_OK;
}

static enum mr_status attempt(struct mr_sink_runner *runner, struct mr_err *err)
{
    enum mr_status status = open_sink(runner, err);

    if (status == MR_OK) {
        status = write_batch(runner, err);
    }
    if (status == MR_OK) {
        runner->attempts = 0;
        runner->live.blocked_on[0] = '\0';
        pause_all(runner, false);
    } else if (mr_status_class(status) == MR_CLASS_RETRY) {
        back_off(runner, err);
        status = MR_OK;
    }
    return status;
}

static enum mr_status run(struct mr_sink_runner *runner, int64_t timeout_us, bool *busy,
                          struct mr_err *err)
{
    const bool waiting = runner->batch_count > 0 || !runner->is_open;
    const int64_t left_us = runner->retry_at_us - now_us(runner);
    size_t count = 0;
    enum mr_status status;

    if (waiting && left_us > 0 && left_us < timeout_us) {
        timeout_us = left_us;
    }
    /* Paused or not, the member must be polled; a batch in hand leaves no room for more. */
    status = mr_member_poll(runner->member, runner->paused || !waiting ? timeout_us : 0,
                            runner->messages + runner->batch_count, BATCH_MAX - runner->batch_count,
                            &count, err);
    runner->batch_count += count;
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        blocked_on(runner, err->text);
        return MR_OK;
    }
    MR_TRY(status);
    *busy = count > 0;
    if ((runner->batch_count > 0 || !runner->is_open) && now_us(runner) >= runner->retry_at_us) {
        MR_TRY(attempt(runner, err));
    }
    if (now_us(runner) - runner->last_commit_us >= COMMIT_EVERY_US) {
        status = commit_positions(runner, err);
        if (mr_status_class(status) == MR_CLASS_RETRY) {
            blocked_on(runner, err->text);
            status = MR_OK;
        }
    }
    return status;
}

static enum mr_status turn(struct mr_sink_runner *runner, int64_t timeout_us, bool *busy,
                           struct mr_err *err)
{
    if (runner->state == MR_WORKER_STARTING) {
        const enum mr_status status = start(runner, err);

        if (mr_status_class(status) != MR_CLASS_RETRY) {
            return status;
        }
        blocked_on(runner, err->text);
        mr_clock_wait_us(runner->process.clock, timeout_us);
        return MR_OK;
    }
    if (runner->state == MR_WORKER_DRAINING) {
        mr_member_close(&runner->member); /* revokes: commits what was acknowledged */
        runner->state = MR_WORKER_CLOSED;
        return MR_OK;
    }
    return runner->state < MR_WORKER_DRAINING ? run(runner, timeout_us, busy, err) : MR_OK;
}

static void publish_status(struct mr_sink_runner *runner)
{
    runner->live.state = runner->state;
    runner->live.tasks = runner->position_count;
    runner->live.tasks_ready =
        runner->is_open && runner->attempts == 0 ? runner->position_count : 0;
    pthread_mutex_lock(&runner->status_lock);
    runner->status = runner->live;
    pthread_mutex_unlock(&runner->status_lock);
}

enum mr_status mr_sink_runner_step(struct mr_sink_runner *runner, int64_t timeout_us, bool *busy,
                                   struct mr_err *err)
{
    enum mr_status status;

    *busy = false;
    if (runner->state < MR_WORKER_DRAINING && atomic_load(&runner->stopping)) {
        runner->state = MR_WORKER_DRAINING;
    }
    status = turn(runner, timeout_us, busy, err);
    if (status != MR_OK) {
        runner->state = MR_WORKER_FAILED;
        blocked_on(runner, err->text);
    }
    publish_status(runner);
    return status;
}

/* ---- life
 * ----------------------------------------------------------------------------------------*/

struct mr_sink_runner *mr_sink_runner_create(const struct mr_process *process, size_t connector)
{
    struct mr_sink_runner *runner = mr_xcalloc(1, sizeof(*runner));
    const struct mr_topology *topology = process->topology;
    char labels[256];

    runner->process = *process;
    runner->node = &topology->connectors[connector];
    runner->topic = &topology->topics[runner->node->topic];
    snprintf(runner->group_id, sizeof(runner->group_id), "%s.%s", topology->application,
             runner->node->name);
    snprintf(runner->identity, sizeof(runner->identity), "%s.%s", runner->group_id,
             process->instance);
    runner->self = mr_xcalloc(1, runner->node->type->state_size);
    memcpy(runner->self, runner->node->options, runner->node->type->state_size);
    runner->arena = mr_arena_create(BATCH_ARENA_BYTES);
    outbox_init(&runner->letters);
    runner->retry_at_us = INT64_MIN;
    snprintf(labels, sizeof(labels), "connector=\"%s\"", runner->node->name);
    runner->written = mr_metrics_counter(process->metrics, "millrace_sink_records_total", labels,
                                         "Records acknowledged by the outside system");
    runner->dead = mr_metrics_counter(process->metrics, "millrace_sink_dead_letters_total", labels,
                                      "Records that nobody could write");
    runner->write_us = mr_metrics_histogram(process->metrics, "millrace_sink_write_seconds", labels,
                                            "Time of one batch until it was acknowledged");
    pthread_mutex_init(&runner->status_lock, NULL);
    return runner;
}

void mr_sink_runner_stop(struct mr_sink_runner *runner)
{
    atomic_store(&runner->stopping, true);
}

void mr_sink_runner_status(struct mr_sink_runner *runner, struct mr_worker_status *status)
{
    pthread_mutex_lock(&runner->status_lock);
    *status = runner->status;
    pthread_mutex_unlock(&runner->status_lock);
}

void mr_sink_runner_destroy(struct mr_sink_runner **out)
{
    struct mr_sink_runner *runner = *out;

    if (runner == NULL) {
        return;
    }
    drop_batch(runner);
    runner->position_count = 0;
    mr_member_close(&runner->member);
    mr_producer_close(&runner->dead_letters);
    runner->node->type->close(runner->self);
    free(runner->self);
    mr_arena_destroy(&runner->arena);
    outbox_fini(&runner->letters);
    free(runner->positions);
    pthread_mutex_destroy(&runner->status_lock);
    free(runner);
    *out = NULL;
}
