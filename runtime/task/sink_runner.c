/*
 * sink_runner.c -- one connector: a consumer of committed output in front of an outside system.
 *
 * Why: the outside system has no part in Kafka's transactions. So offsets move only after it has
 *      acknowledged, a record may come again, and its writes are idempotent (millrace/connector.h).
 * How: poll, decode, write the batch, then commit the offsets, not more often than COMMIT_EVERY_US.
 *      While the system is away the partitions are paused, the batch is kept, the member goes on
 *      polling (it would lose its place otherwise) and the attempts back off.
 * What happens to a batch: sink_batch.c; to what nobody can write: sink_letters.c.
 */
#include "millrace/logger.h"
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_ARENA_BYTES ((size_t)1 << 20)
#define COMMIT_EVERY_US (100 * MR_MS_US)
/* An outside system takes some thousand records a second. */
#define QUEUE_BYTES_MAX (INT64_C(8) << 20)
#define BACKOFF_MIN_US (100 * MR_MS_US)
#define BACKOFF_MAX_US (5 * MR_SECOND_US)

static void blocked_on(struct mr_sink_runner *runner, const char *what)
{
    snprintf(runner->live.blocked_on, sizeof(runner->live.blocked_on), "%.*s",
             (int)sizeof(runner->live.blocked_on) - 1, what);
}

/* ---- assignment ------------------------------------------------------------------------------ */

static void pause_all(struct mr_sink_runner *runner, bool pause)
{
    struct mr_err err;

    if (runner->paused == pause) {
        return;
    }
    for (size_t i = 0; i < runner->position_count; i++) {
        const struct sink_position *at = &runner->positions[i];
        const enum mr_status status =
            pause
                ? mr_member_pause(runner->member, at->topic, at->partition, &err)
                : mr_member_resume(runner->member, at->topic, at->partition, MR_OFFSET_NONE, &err);

        if (status != MR_OK) {
            mr_warn("sink_pause_failed", "connector=%s error=\"%s\"", runner->node->name, err.text);
        }
    }
    runner->paused = pause;
}

static void assigned(void *arg, const struct mr_topic_partition *partitions, size_t count)
{
    struct mr_sink_runner *runner = arg;

    runner->positions = mr_xrealloc(runner->positions, (runner->position_count + count) *
                                                           sizeof(struct sink_position));
    for (size_t i = 0; i < count; i++) {
        runner->positions[runner->position_count++] = (struct sink_position){
            .topic = partitions[i].topic,
            .partition = partitions[i].partition,
            .next = MR_OFFSET_NONE,
        };
    }
    runner->paused = false;
    pause_all(runner, runner->attempts > 0); /* the system is still away */
    runner->state = MR_WORKER_RUNNING;
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
    if (count > 0) {
        status = mr_member_commit(runner->member, offsets, count, err);
        runner->live.commits++;
    }
    for (size_t i = 0; status == MR_OK && i < runner->position_count; i++) {
        runner->positions[i].moved = false;
    }
    runner->last_commit_us = sink_now_us(runner);
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
    sink_drop_batch(runner);
    runner->position_count = 0;
    runner->paused = false;
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
    runner->retry_at_us = sink_now_us(runner) + wait_us;
    runner->is_open = false; /* the next attempt reconnects */
    blocked_on(runner, why->text);
    pause_all(runner, true);
}

/* ---- one turn -------------------------------------------------------------------------------- */

static enum mr_status start(struct mr_sink_runner *runner, struct mr_err *err)
{
    const struct mr_topology *topology = runner->process.topology;
    const struct mr_member_options member = {
        .group = runner->group_id,
        .instance = runner->identity,
        .topics = &runner->topic->name,
        .topic_count = 1,
        .session_timeout_us = topology->defaults.session_timeout_us,
        .queue_bytes_max = QUEUE_BYTES_MAX,
        .callbacks = {.assigned = assigned, .revoked = revoked, .arg = runner},
    };

    MR_TRY(mr_codec_bind(runner->process.codec, runner->topic->schema, runner->topic->subject,
                         &runner->binding, err));
    MR_TRY(sink_letters_open(runner, err));
    MR_TRY(mr_member_open(runner->process.log, &member, &runner->member, err));
    runner->state = MR_WORKER_JOINING;
    return MR_OK;
}

static enum mr_status attempt(struct mr_sink_runner *runner, struct mr_err *err)
{
    enum mr_status status = sink_open(runner, err);

    if (status == MR_OK) {
        status = sink_write_batch(runner, err);
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

/* What was polled joins the batch, also when the poll ended with a failure. */
static enum mr_status take(struct mr_sink_runner *runner, size_t count, struct mr_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct mr_message *message = &runner->polled[i];

        if (runner->batch_count < SINK_BATCH_MAX) {
            runner->messages[runner->batch_count++] = *message;
            continue;
        }
        /* One more in spite of the pause: it comes again. */
        const enum mr_status status = mr_member_seek(runner->member, message->topic,
                                                     message->partition, message->offset, err);

        mr_message_release(message);
        MR_TRY(status);
    }
    return MR_OK;
}

static enum mr_status run(struct mr_sink_runner *runner, int64_t timeout_us, bool *busy,
                          struct mr_err *err)
{
    const bool waiting = runner->batch_count > 0 || !runner->is_open;
    const int64_t now_us = sink_now_us(runner);
    const int64_t left_us = runner->retry_at_us > now_us ? runner->retry_at_us - now_us : 0;
    const size_t room = SINK_BATCH_MAX - runner->batch_count;
    size_t count = 0;
    enum mr_status status;

    if (waiting && left_us > 0 && left_us < timeout_us) {
        timeout_us = left_us;
    }
    /* Full or not, the member must be polled. A rebalance may drop the batch meanwhile. */
    status = mr_member_poll(runner->member, runner->paused || !waiting ? timeout_us : 0,
                            runner->polled, room > 0 ? room : 1, &count, err);
    MR_TRY(take(runner, count, err));
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        blocked_on(runner, err->text);
        return MR_OK;
    }
    MR_TRY(status);
    *busy = count > 0;
    if ((runner->batch_count > 0 || !runner->is_open) &&
        sink_now_us(runner) >= runner->retry_at_us) {
        MR_TRY(attempt(runner, err));
    }
    if (sink_now_us(runner) - runner->last_commit_us >= COMMIT_EVERY_US) {
        status = commit_positions(runner, err);
        if (mr_status_class(status) == MR_CLASS_RETRY ||
            mr_status_class(status) == MR_CLASS_ABORT) {
            /* Or refused: the group has moved on, which the next poll will say. */
            blocked_on(runner, err->text);
            status = MR_OK;
        } else if (status == MR_OK && runner->attempts == 0) {
            runner->live.blocked_on[0] = '\0';
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

/* ---- life ------------------------------------------------------------------------------------ */

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
    sink_drop_batch(runner);
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
