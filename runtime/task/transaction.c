/*
 * transaction.c -- one transaction of a worker: when it commits, how, and what happens otherwise.
 *
 * How:  three measured rules (docs/ARCHITECTURE.md, "The commit path"): the producer gets its first
 *       record no earlier than 1.5 ms after the last outcome, because a registration that meets the
 *       last transaction's markers waits a fixed 20 ms; input is processed meanwhile; the interval
 *       is a floor between commits, since a commit costs 2 ms of CPU whatever its size.
 * Outcomes: committed -> state to the backend; aborted -> the kept inputs wait for replay; unknown
 * -> resolved by a new producer with the same identity and the group's committed offsets.
 */
#include "millrace/logger.h"
#include "task.h"

#include <stdlib.h>

#define HOLD_AFTER_OUTCOME_US INT64_C(1500)
/* While input waits, commits may be this many intervals apart: fewer of them leave more CPU. */
#define BACKLOG_INTERVALS 5
#define BACKOFF_MIN_US (100 * MR_MS_US)
#define BACKOFF_MAX_US (5 * MR_SECOND_US)
#define ABORTS_BEFORE_SINGLE 3
#define RESOLVE_TRIES 30
#define RESOLVE_WAIT_US MR_SECOND_US

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
    worker->open = false;
    worker->begun = false;
    worker->last_commit_us = worker_now_us(worker);
}

/* ---- when ------------------------------------------------------------------------------------ */

bool transaction_full(const struct mr_worker *worker)
{
    const struct mr_topology_defaults *limits = &worker->topology->defaults;

    return (int64_t)worker->taken_done >= limits->commit_records_max ||
           (int64_t)worker->outbox.bytes >= limits->commit_bytes_max ||
           (worker->aborts_in_a_row >= ABORTS_BEFORE_SINGLE && worker->taken_done > 0);
}

int64_t transaction_due_us(const struct mr_worker *worker)
{
    const int64_t interval_us = worker->topology->defaults.commit_interval_us;
    const bool backlog = queued_inputs(worker) > 0 || worker->taken_done < worker->taken_count;

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
    if (!worker->begun) {
        MR_TRY(mr_producer_begin(worker->producer, err));
        worker->begun = true;
    }
    return MR_OK;
}

enum mr_status transaction_pump(struct mr_worker *worker, struct mr_err *err)
{
    struct outbox *outbox = &worker->outbox;

    if (outbox->sent < outbox->kept &&
        worker_now_us(worker) >= worker->last_commit_us + HOLD_AFTER_OUTCOME_US) {
        MR_TRY(begin(worker, err));
        MR_TRY(outbox_send(outbox, worker->producer, worker->producer_topics, false, err));
        mr_producer_poll(worker->producer);
    }
    return MR_OK;
}

static enum mr_status send_rest(struct mr_worker *worker, struct mr_err *err)
{
    const int64_t held_us = worker->last_commit_us + HOLD_AFTER_OUTCOME_US - worker_now_us(worker);

    MR_TRY(process_flush(worker, err));
    if (held_us > 0 && worker->exactly_once) {
        mr_clock_wait_us(worker->process.clock, held_us);
    }
    MR_TRY(begin(worker, err));
    MR_TRY(outbox_send(&worker->outbox, worker->producer, worker->producer_topics, true, err));
    return state_send_changes(worker, err);
}

/* ---- outcomes -------------------------------------------------------------------------------- */

/* next to read of each input that the transaction took from; the caller frees *offsets. */
static size_t input_offsets(const struct mr_worker *worker, struct mr_topic_partition **offsets)
{
    size_t count = 0;

    *offsets =
        mr_xcalloc((size_t)worker->task_capacity * worker->group->input_count, sizeof(**offsets));
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        const struct task *task = worker->tasks[p];

        for (size_t i = 0; task != NULL && task->touched && i < worker->group->input_count; i++) {
            const struct input *input = &task->inputs[i];

            if (input->next_offset != MR_OFFSET_NONE) {
                (*offsets)[count++] = (struct mr_topic_partition){
                    .topic = worker_topic(worker, input->topic)->name,
                    .partition = p,
                    .offset = input->next_offset,
                };
            }
        }
    }
    return count;
}

static enum mr_status committed(struct mr_worker *worker, struct mr_err *err)
{
    MR_TRY(state_write_committed(worker, err));
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        for (size_t i = 0; task != NULL && task->touched && i < worker->group->input_count; i++) {
            task->inputs[i].next_offset = MR_OFFSET_NONE;
        }
        if (task != NULL) {
            task->touched = false;
        }
    }
    worker->live.records_in += worker->taken_done;
    worker->live.commits++;
    worker->aborts_in_a_row = 0;
    mr_counter_add(worker->metrics.records_in, worker->taken_done);
    mr_counter_add(worker->metrics.records_out, worker->outbox.kept);
    mr_counter_add(worker->metrics.commits, 1);
    forget_taken(worker);
    outcome_known(worker);
    return MR_OK;
}

/* Everything but the producer's side of an abort. */
static enum mr_status undone(struct mr_worker *worker, const struct mr_err *why, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        if (task != NULL && task->touched && status == MR_OK) {
            status = task_abort(task, err);
        }
    }
    worker->taken_done = 0;
    worker->live.aborts++;
    worker->aborts_in_a_row++;
    mr_counter_add(worker->metrics.aborts, 1);
    outcome_known(worker);
    if (mr_status_class(why->status) == MR_CLASS_RETRY || worker->aborts_in_a_row > 1) {
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

enum mr_status transaction_abort(struct mr_worker *worker, const struct mr_err *why,
                                 struct mr_err *err)
{
    const struct mr_err cause = *why; /* may be err itself */

    if (worker->begun && mr_producer_abort(worker->producer, err) != MR_OK) {
        const struct mr_err failure = *err;

        return mr_fail(err, MR_LOG_FATAL, "cannot abort: %.180s (after: %.180s)", failure.text,
                       cause.text);
    }
    return undone(worker, &cause, err);
}

/*
 * The commit was sent and its answer is not known. A new producer of the same identity makes the
 * log settle the transaction one way or the other; the group's committed offsets say which way.
 */
static enum mr_status resolve(struct mr_worker *worker, struct mr_topic_partition *offsets,
                              size_t count, struct mr_err *err)
{
    struct mr_producer *finished = worker->producer;
    const int64_t wanted = count == 0 ? 0 : offsets[0].offset;
    const struct mr_err why = *err;
    enum mr_status status = MR_TIMEOUT;

    mr_warn("commit_unknown", "group=%s worker=%d error=\"%s\"", worker->group->name, worker->index,
            err->text);
    if (count == 0) {
        return mr_fail(err, MR_INDETERMINATE,
                       "%.300s; no input offset tells whether it was committed", why.text);
    }
    worker->producer = NULL;
    for (int i = 0; i < RESOLVE_TRIES && mr_status_class(status) == MR_CLASS_RETRY; i++) {
        status = worker->producer == NULL ? producing_open(worker, RESOLVE_WAIT_US, err) : MR_OK;
        if (status == MR_OK) {
            status = mr_log_committed(worker->process.log, worker->group_id, offsets, 1,
                                      RESOLVE_WAIT_US, err);
        }
    }
    if (status != MR_OK) {
        mr_producer_close(&finished);
        return status;
    }
    if (offsets[0].offset >= wanted) {
        struct mr_producer *fresh = worker->producer;

        /* Delivered offsets are the finished producer's to tell. */
        worker->producer = finished;
        status = committed(worker, err);
        finished = worker->producer;
        worker->producer = fresh;
        mr_info("commit_resolved", "group=%s worker=%d outcome=committed", worker->group->name,
                worker->index);
    } else {
        status = undone(worker, &why, err);
        mr_info("commit_resolved", "group=%s worker=%d outcome=aborted", worker->group->name,
                worker->index);
    }
    mr_producer_close(&finished);
    return status;
}

static enum mr_status commit_producer(struct mr_worker *worker, struct mr_err *err)
{
    struct mr_topic_partition *offsets;
    const size_t count = input_offsets(worker, &offsets);
    enum mr_status status =
        mr_producer_commit(worker->producer, worker->member, offsets, count, err);

    if (status == MR_OK) {
        status = committed(worker, err);
    } else if (status == MR_INDETERMINATE) {
        status = resolve(worker, offsets, count, err);
    }
    free(offsets);
    return status;
}

enum mr_status transaction_commit(struct mr_worker *worker, struct mr_err *err)
{
    const int64_t started_us = worker_now_us(worker);
    enum mr_status status;

    if (!worker->open) {
        return MR_OK;
    }
    status = send_rest(worker, err);
    if (status == MR_OK) {
        status = commit_producer(worker, err);
    }
    switch (mr_status_class(status)) {
    case MR_CLASS_OK:
        mr_histogram_record_us(worker->metrics.commit_us, worker_now_us(worker) - started_us);
        return MR_OK;
    case MR_CLASS_RETRY:
    case MR_CLASS_ABORT:
        return transaction_abort(worker, err, err);
    case MR_CLASS_POISON: {
        const struct mr_err why = *err;

        return mr_fail(err, MR_LOG_FATAL, "an output could not be written at commit: %.300s",
                       why.text);
    }
    case MR_CLASS_FATAL:
        break;
    }
    return status;
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
}
