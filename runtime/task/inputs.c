/*
 * inputs.c -- how input comes in: polled, put into the tasks' buffers, held back when it must wait.
 *
 * Why: the member has to be polled whatever happens, or it loses its place and holds up everybody
 *      else's rebalance; and what is polled has to be kept. So a worker that cannot process pauses
 *      its inputs when the buffers are full, and goes on polling.
 */
#include "task.h"

/* Input that is not processed yet: enough to fill a transaction, not more. */
#define QUEUED_MAX ((size_t)5000)
#define QUEUED_BYTES_MAX ((size_t)64 << 20)

/* Inputs of an undone transaction wait, and their task may have to catch up first. */
bool inputs_may_replay(const struct mr_worker *worker)
{
    return worker->taken_done < worker->taken_count &&
           worker->taken[worker->taken_done].task->state == TASK_READY;
}

/* Nothing is processed: after a failure, or because the last transaction is in doubt. */
bool inputs_are_waiting(const struct mr_worker *worker)
{
    return worker->unsettled || worker->producer == NULL ||
           worker_now_us(worker) < worker->retry_at_us;
}

/* How long the poll may wait: not past the next commit, not at all while something is queued. */
static int64_t poll_wait_us(const struct mr_worker *worker, int64_t timeout_us)
{
    const int64_t now_us = worker_now_us(worker);
    const int64_t due_us = transaction_due_us(worker);

    if (inputs_may_replay(worker) || queued_inputs(worker).count > 0) {
        const int64_t backoff_us = worker->retry_at_us > now_us ? worker->retry_at_us - now_us : 0;

        return backoff_us < timeout_us ? backoff_us : timeout_us;
    }
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->state < TASK_READY) {
            return timeout_us < MR_MS_US ? timeout_us : MR_MS_US;
        }
    }
    if (due_us - now_us < timeout_us) {
        return due_us > now_us ? due_us - now_us : 0;
    }
    return timeout_us;
}

static void enqueue(struct mr_worker *worker, struct mr_message *message)
{
    struct task *task =
        message->partition < worker->task_capacity ? worker->tasks[message->partition] : NULL;

    for (size_t i = 0; task != NULL && i < worker->group->input_count; i++) {
        if (strcmp(worker_topic(worker, task->inputs[i].topic)->name, message->topic) == 0) {
            message_queue_push(&task->inputs[i].queue, message);
            return;
        }
    }
    mr_message_release(message);
}

static enum mr_status poll_inputs(struct mr_worker *worker, int64_t timeout_us, bool *busy,
                                  struct mr_err *err)
{
    size_t count = 0;
    enum mr_status status =
        mr_member_poll(worker->member, timeout_us, worker->polled, WORKER_POLL_MAX, &count, err);

    for (size_t i = 0; i < count; i++) {
        enqueue(worker, &worker->polled[i]);
    }
    *busy = *busy || count > 0;
    if (worker->revocation_status != MR_OK) {
        *err = worker->revocation_err;
        return worker->revocation_status;
    }
    if (status != MR_OK && mr_status_class(status) == MR_CLASS_RETRY) {
        worker_blocked_on(worker, err->text);
        return MR_OK;
    }
    return status;
}

/* parts 2: half of it is enough. */
static bool queue_full(const struct mr_worker *worker, size_t parts)
{
    const struct queued queued = queued_inputs(worker);

    return queued.count >= QUEUED_MAX / parts || queued.bytes >= QUEUED_BYTES_MAX / parts;
}

/* A worker that waits goes on polling, to stay a member; its inputs then wait in the log. */
static enum mr_status hold_inputs(struct mr_worker *worker, struct mr_err *err)
{
    const bool hold = worker->inputs_held ? queue_full(worker, 2)
                                          : queue_full(worker, 1) && (inputs_are_waiting(worker) ||
                                                                      !worker->tables_ready);

    if (hold == worker->inputs_held) {
        return MR_OK;
    }
    worker->inputs_held = hold;
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->state == TASK_READY) {
            MR_TRY(assignment_pause(worker->tasks[p], hold, err));
        }
    }
    return MR_OK;
}

enum mr_status inputs_poll(struct mr_worker *worker, int64_t timeout_us, bool *busy,
                           struct mr_err *err)
{
    MR_TRY(hold_inputs(worker, err));
    return queue_full(worker, 1) && !worker->inputs_held
               ? MR_OK
               : poll_inputs(worker, poll_wait_us(worker, timeout_us), busy, err);
}
