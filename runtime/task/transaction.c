/*
 * transaction.c -- one transaction of a worker: when it commits, how, and what happens otherwise.
 *
 * How:  three measured rules (docs/ARCHITECTURE.md, "The commit path"): the producer gets its first
 *       record no earlier than 1.5 ms after the last outcome, because a registration that meets the
 *       last transaction's markers waits a fixed 20 ms; input is processed meanwhile; the interval
 *       is a floor between commits, since a commit costs 2 ms of CPU whatever its size.
 * Outcomes: committed -> the overlays are the state; aborted -> the kept inputs wait for replay;
 *       unknown, or an abort that did not go through -> doubt.c. At least once: no transaction;
 *       offsets are stored after everything sent was acknowledged.
 */
#include "transaction.h"

#include "millrace/fault.h"
#include "millrace/logger.h"

#include <stdlib.h>

#define HOLD_AFTER_OUTCOME_US INT64_C(1500)
/*
 * Below this a transaction is sent in one go at its commit. Partitions reach a transaction through
 * AddPartitionsToTxn, for which librdkafka's main thread wakes, spins up to a millisecond and
 * asks; the broker logs each request. Sent bit by bit, one transaction needs many of them.
 */
#define PUMP_BYTES ((size_t)2 << 20)
/* While input waits, commits may be this many intervals apart: fewer of them leave more CPU. */
#define BACKLOG_INTERVALS 10
#define BACKOFF_MIN_US (100 * MR_MS_US)
#define BACKOFF_MAX_US (5 * MR_SECOND_US)
#define ABORTS_BEFORE_HALVES 3
/* Overlays of one transaction; its outputs are bounded by commit-bytes. */
#define OVERLAY_BYTES_MAX ((size_t)64 << 20)

struct taken *transaction_room(struct mr_worker *worker)
{
    if (worker->taken_count == worker->taken_capacity) {
        worker->taken_capacity = worker->taken_capacity == 0 ? 1024 : worker->taken_capacity * 2;
        worker->taken = mr_xrealloc(worker->taken, worker->taken_capacity * sizeof(*worker->taken));
    }
    return &worker->taken[worker->taken_count];
}

static void forget_taken(struct mr_worker *worker)
{
    for (size_t i = 0; i < worker->taken_done; i++) {
        mr_message_release(&worker->taken[i].message);
    }
    worker->taken_count -= worker->taken_done;
    if (worker->taken_count > 0) {
        memmove(worker->taken, worker->taken + worker->taken_done,
                worker->taken_count * sizeof(*worker->taken));
    }
    worker->taken_done = 0;
}

static void outcome_known(struct mr_worker *worker)
{
    outbox_clear(&worker->outbox);
    flow_over(worker);
    worker->overlay_bytes = 0;
    worker->open = false;
    worker->begun = false;
    worker->unsettled = false;
    worker->last_commit_us = worker_now_us(worker);
}

void transaction_over(struct mr_worker *worker)
{
    forget_taken(worker);
    outcome_known(worker);
}

/* ---- when ------------------------------------------------------------------------------------ */

bool transaction_full(const struct mr_worker *worker)
{
    const struct mr_topology_defaults *limits = &worker->topology->defaults;

    return (int64_t)worker->taken_done >= limits->commit_records_max ||
           (int64_t)worker->outbox.bytes >= limits->commit_bytes_max ||
           worker->overlay_bytes >= OVERLAY_BYTES_MAX ||
           (worker->limit > 0 && worker->taken_done >= worker->limit);
}

int64_t transaction_due_us(const struct mr_worker *worker)
{
    const int64_t interval_us = worker->topology->defaults.commit_interval_us;
    const bool backlog =
        queued_inputs(worker).count > 0 || worker->taken_done < worker->taken_count;

    if (!worker->open) {
        return INT64_MAX;
    }
    return worker->last_commit_us + (backlog ? BACKLOG_INTERVALS * interval_us : interval_us);
}

bool transaction_due(const struct mr_worker *worker)
{
    return worker->open &&
           (transaction_full(worker) || worker_now_us(worker) >= transaction_due_us(worker));
}

/* ---- sending --------------------------------------------------------------------------------- */

static enum mr_status begin(struct mr_worker *worker, struct mr_err *err)
{
    if (!worker->begun && worker->exactly_once) {
        MR_TRY(mr_producer_begin(worker->producer, err));
        worker->begun = true;
    }
    return MR_OK;
}

/* The record that caused it has been let go: to undo and repeat would go on for ever. */
static enum mr_status check_written(enum mr_status status, struct mr_err *err)
{
    if (mr_status_class(status) == MR_CLASS_POISON) {
        const struct mr_err why = *err;

        return mr_fail(err, MR_LOG_FATAL, "an output could not be written: %.300s", why.text);
    }
    return status;
}

enum mr_status transaction_pump(struct mr_worker *worker, struct mr_err *err)
{
    struct outbox *outbox = &worker->outbox;

    if (outbox->bytes >= PUMP_BYTES && outbox->sent < outbox->kept &&
        worker_now_us(worker) >= worker->last_commit_us + HOLD_AFTER_OUTCOME_US) {
        MR_TRY(begin(worker, err));
        MR_TRY(check_written(
            outbox_send(outbox, worker->producer, worker->producer_topics, false, err), err));
        mr_producer_poll(worker->producer);
    }
    return MR_OK;
}

static enum mr_status send_rest(struct mr_worker *worker, struct mr_err *err)
{
    const int64_t held_us = worker->last_commit_us + HOLD_AFTER_OUTCOME_US - worker_now_us(worker);

    MR_TRY(process_flush(worker, err));
    MR_POINT(BEFORE_PRODUCE, err);
    if (held_us > 0 && worker->exactly_once) {
        mr_clock_wait_us(worker->process.clock, held_us);
    }
    MR_TRY(begin(worker, err));
    MR_TRY(outbox_send(&worker->outbox, worker->producer, worker->producer_topics, true, err));
    MR_TRY(state_send_changes(worker, err));
    MR_TRY(journal_send(worker, err));
    MR_POINT(AFTER_PRODUCE, err);
    return MR_OK;
}

/* ---- outcomes -------------------------------------------------------------------------------- */

static struct mr_topic_partition offset_of(struct task *task, const struct input *input,
                                           int64_t offset)
{
    return (struct mr_topic_partition){
        .topic = worker_topic(task->worker, input->topic)->name,
        .partition = task->partition,
        .offset = offset,
        .metadata = &task->progress,
    };
}

/* Of inputs that the task took from; how many. */
static size_t moved_offsets(struct task *task, struct mr_topic_partition *offsets)
{
    size_t count = 0;

    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        const struct input *input = &task->inputs[i];

        if (input->next_offset != MR_OFFSET_NONE) {
            offsets[count++] = offset_of(task, input, input->next_offset);
        }
    }
    return count;
}

/*
 * A task that took no input (timers alone) sends one offset as it is, behind those that move: what
 * is kept beside it goes on, and it is the offsets that a group's newer generation refuses, and
 * with them the transaction of a worker that has lost its tasks.
 */
size_t transaction_offsets(const struct mr_worker *worker, struct mr_topic_partition **offsets,
                           size_t *moved)
{
    const size_t capacity = (size_t)worker->task_capacity * worker->group->input_count;
    struct mr_topic_partition *out = mr_xcalloc(capacity, sizeof(*out));
    struct task **idle = mr_xcalloc((size_t)worker->task_capacity, sizeof(struct task *));
    size_t idle_count = 0;
    size_t count = 0;

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];
        size_t own;

        if (task != NULL && task->touched) {
            progress_write(task);
            own = moved_offsets(task, out + count);
            count += own;
            idle[idle_count] = task;
            idle_count += own == 0;
        }
    }
    *moved = count;
    for (size_t i = 0; i < idle_count; i++) {
        out[count++] = offset_of(idle[i], &idle[i]->inputs[0], idle[i]->inputs[0].committed_offset);
    }
    free(idle);
    *offsets = out;
    return count;
}

void transaction_count(struct mr_worker *worker)
{
    worker->live.records_in += worker->taken_done;
    worker->live.commits++;
    worker->aborts_in_a_row = 0;
    worker->limit = 0;
    mr_counter_add(worker->metrics.records_in, worker->taken_done);
    flow_committed(worker);
    mr_counter_add(worker->metrics.commits, 1);
}

void transaction_committed(struct mr_worker *worker)
{
    state_committed(worker);
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        for (size_t i = 0; task != NULL && task->touched && i < worker->group->input_count; i++) {
            struct input *input = &task->inputs[i];

            if (input->next_offset != MR_OFFSET_NONE) {
                input->committed_offset = input->next_offset;
            }
            input->next_offset = MR_OFFSET_NONE;
        }
        if (task != NULL && task->touched) {
            journal_committed(task);
            task->touched = false;
        }
    }
    transaction_count(worker);
    transaction_over(worker);
}

/*
 * How many inputs the next attempt takes. One of them could not be processed: those before it are
 * committed without it. All were, and the commit failed again and again: halves.
 */
static size_t next_limit(const struct mr_worker *worker)
{
    if (worker->taken_done < worker->taken_count) {
        return worker->taken_done;
    }
    return worker->aborts_in_a_row >= ABORTS_BEFORE_HALVES ? (worker->taken_done + 1) / 2 : 0;
}

/* A stage that cannot load what it needs now does so when the task opens again. */
static enum mr_status undo_task(struct task *task, struct mr_err *err)
{
    const enum mr_status status = task_abort(task, err);

    if (mr_status_class(status) != MR_CLASS_RETRY) {
        return status;
    }
    task_reopen(task);
    return assignment_pause(task, true, err);
}

/* Mistakes with the inputs of a transaction that was undone (millrace/fault.h). */
static void plant_replay(struct mr_worker *worker)
{
    const struct taken first = worker->taken_count > 0 ? worker->taken[0] : (struct taken){0};
    struct mr_err err;

    if (MR_PLANTED(INPUTS_NOT_REPLAYED)) {
        worker->taken_count = 0;
    }
    if (MR_PLANTED(REPLAY_REORDERED) && worker->taken_count > 1) {
        worker->taken[0] = worker->taken[1];
        worker->taken[1] = first;
    }
    if (MR_PLANTED(INPUTS_SOUGHT_TOO) && first.task != NULL &&
        mr_member_seek(worker->member, first.message.topic, first.message.partition,
                       first.message.offset, &err) != MR_OK) {
        mr_warn("planted", "error=\"%s\"", err.text);
    }
}

enum mr_status transaction_undone(struct mr_worker *worker, const struct mr_err *why,
                                  struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->touched && status == MR_OK) {
            status = undo_task(worker->tasks[p], err);
        }
    }
    plant_replay(worker);
    worker->live.aborts++;
    worker->aborts_in_a_row++;
    worker->limit = next_limit(worker);
    worker->taken_done = 0;
    mr_counter_add(worker->metrics.aborts, 1);
    outcome_known(worker);
    if ((mr_status_class(why->status) == MR_CLASS_RETRY && worker->limit == 0) ||
        worker->aborts_in_a_row > 1) {
        int64_t backoff_us = BACKOFF_MIN_US;

        for (int i = 1; i < worker->aborts_in_a_row && backoff_us < BACKOFF_MAX_US; i++) {
            backoff_us *= 2;
        }
        worker->retry_at_us = worker_now_us(worker) + backoff_us;
    }
    mr_warn("transaction_aborted", "group=%s worker=%d aborts=%d inputs_kept=%zu error=\"%s\"",
            worker->group->name, worker->index, worker->aborts_in_a_row, worker->taken_count,
            why->text);
    return status;
}

/* ---- ending ---------------------------------------------------------------------------------- */

enum mr_status transaction_abort(struct mr_worker *worker, const struct mr_err *why,
                                 struct mr_err *err)
{
    const struct mr_err cause = *why; /* may be err itself */

    if (worker->begun) {
        const enum mr_status status = mr_producer_abort(worker->producer, err);

        if (status == MR_FENCED) {
            return status;
        }
        if (status != MR_OK) {
            transaction_doubt(worker, &cause);
            return MR_OK;
        }
    }
    return transaction_undone(worker, &cause, err);
}

static enum mr_status commit_at_least_once(struct mr_worker *worker,
                                           const struct mr_topic_partition *offsets, size_t count,
                                           struct mr_err *err)
{
    MR_TRY(mr_producer_flush(worker->producer, worker->topology->defaults.transaction_timeout_us,
                             err));
    return count == 0 ? MR_OK : mr_member_commit(worker->member, offsets, count, err);
}

static enum mr_status commit_producer(struct mr_worker *worker, struct mr_err *err)
{
    struct mr_topic_partition *offsets;
    size_t moved;
    const size_t count = transaction_offsets(worker, &offsets, &moved);
    enum mr_status status =
        MR_PLANTED(OFFSETS_OUTSIDE) ? mr_member_commit(worker->member, offsets, count, err) : MR_OK;

    status = worker->exactly_once
                 ? mr_producer_commit(worker->producer, worker->member, offsets, count, err)
                 : commit_at_least_once(worker, offsets, moved, err);

    free(offsets);
    status = MR_PLANTED(DOUBT_IS_COMMITTED) && status == MR_INDETERMINATE ? MR_OK : status;
    if (status == MR_OK) {
        MR_MARK(COMMITTED);
        transaction_committed(worker);
    } else if (status == MR_INDETERMINATE) {
        transaction_doubt(worker, err);
        status = MR_OK;
    }
    return status;
}

enum mr_status transaction_commit(struct mr_worker *worker, struct mr_err *err)
{
    const int64_t started_us = worker_now_us(worker);
    enum mr_status status;

    if (!worker->open) {
        return MR_OK;
    }
    worker->commit_begun_us = mr_clock_wall_us(worker->process.clock);
    status = send_rest(worker, err);
    if (MR_PLANTED(STATE_BEFORE_COMMIT) && status == MR_OK) {
        state_committed(worker);
        status = state_write(worker, err);
    }
    if (status == MR_OK) {
        status = commit_producer(worker, err);
    }
    status = check_written(status, err);
    switch (mr_status_class(status)) {
    case MR_CLASS_OK:
        mr_histogram_record_us(worker->metrics.commit_us, worker_now_us(worker) - started_us);
        return MR_OK;
    case MR_CLASS_RETRY:
    case MR_CLASS_ABORT:
        return transaction_abort(worker, err, err);
    case MR_CLASS_POISON:
    case MR_CLASS_FATAL:
        break;
    }
    return status;
}

void transaction_drop_inputs(struct mr_worker *worker)
{
    for (size_t i = 0; i < worker->taken_count; i++) {
        mr_message_release(&worker->taken[i].message);
    }
    worker->taken_count = worker->taken_done = 0;
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        for (size_t i = 0; worker->tasks[p] != NULL && i < worker->group->input_count; i++) {
            message_queue_fini(&worker->tasks[p]->inputs[i].queue);
        }
    }
}

void transaction_forget(struct mr_worker *worker, const struct task *task)
{
    size_t kept = 0;

    MR_ASSERT(!worker->open && worker->taken_done == 0);
    for (size_t i = 0; i < worker->taken_count; i++) {
        if (worker->taken[i].task == task) {
            mr_message_release(&worker->taken[i].message);
        } else {
            worker->taken[kept++] = worker->taken[i];
        }
    }
    worker->taken_count = kept;
    if (kept == 0) {
        /* What could not be done is somebody else's now. */
        worker->aborts_in_a_row = 0;
        worker->limit = 0;
    }
}
