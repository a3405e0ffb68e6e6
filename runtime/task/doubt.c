/*
 * doubt.c -- a transaction whose outcome is not known.
 *
 * Why: an answer was lost, or an abort did not go through: the log has committed it or has not, and
 *      neither may be assumed.
 * How: the producer is never used again. A new one of the same identity makes the log settle the
 *      old transaction, and the group's committed offset says which way it went. Nothing is taken
 *      meanwhile, and the member goes on polling. What was committed is read back from the
 *      changelogs: whether it was this transaction or one of a new owner that moved the offset,
 * they have what is true.
 */
#include "millrace/fault.h"
#include "millrace/logger.h"
#include "transaction.h"

#include <stdlib.h>

#define SETTLE_WAIT_US (2 * MR_SECOND_US)

void transaction_doubt(struct mr_worker *worker, const struct mr_err *why)
{
    struct mr_topic_partition *offsets;
    size_t moved;

    (void)transaction_offsets(worker, &offsets, &moved);
    worker->unsettled = true;
    worker->unsettled_at = moved > 0 ? offsets[0] : (struct mr_topic_partition){.topic = NULL};
    worker->unsettled_at.metadata = NULL;
    worker->unsettled_why = *why;
    free(offsets);
    mr_producer_close(&worker->producer);
    mr_warn("transaction_in_doubt", "group=%s worker=%d error=\"%s\"", worker->group->name,
            worker->index, why->text);
}

/* Its tasks read the changelogs again, which say whether and what was committed. */
static enum mr_status reopen_touched(struct mr_worker *worker, struct mr_err *err)
{
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        if (task != NULL && task->touched) {
            for (size_t i = 0; i < worker->group->input_count; i++) {
                if (task->inputs[i].next_offset != MR_OFFSET_NONE) {
                    task->inputs[i].committed_offset = task->inputs[i].next_offset;
                }
            }
            task_reopen(task);
            MR_TRY(assignment_pause(task, true, err));
        }
    }
    return MR_OK;
}

static enum mr_status settled(struct mr_worker *worker, bool was_committed, struct mr_err *err)
{
    const struct mr_err why = worker->unsettled_why;

    mr_info("transaction_settled", "group=%s worker=%d outcome=%s", worker->group->name,
            worker->index, was_committed ? "committed" : "aborted");
    if (!was_committed || MR_PLANTED(DOUBT_IS_ABORTED)) {
        return transaction_undone(worker, &why, err);
    }
    MR_TRY(state_write(worker, err));
    MR_TRY(MR_PLANTED(DOUBT_KEEPS_STATE) ? MR_OK : reopen_touched(worker, err));
    transaction_count(worker);
    transaction_over(worker);
    return MR_OK;
}

enum mr_status transaction_settle(struct mr_worker *worker, struct mr_err *err)
{
    struct mr_topic_partition at = worker->unsettled_at;
    enum mr_status status = MR_OK;

    if (MR_PLANTED(DOUBT_READS_UNSTABLE) && worker->unsettled && at.topic != NULL) {
        status = mr_log_committed(worker->process.log, worker->group_id, &at, 1, MR_UNSTABLE, err);
    }
    if (status == MR_OK && worker->producer == NULL) {
        status = producing_open(worker, SETTLE_WAIT_US, err);
    }
    if (status == MR_OK && worker->unsettled && at.topic != NULL &&
        !MR_PLANTED(DOUBT_READS_UNSTABLE)) {
        status =
            mr_log_committed(worker->process.log, worker->group_id, &at, 1, SETTLE_WAIT_US, err);
    }
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        worker_blocked_on(worker, err->text);
        return MR_OK;
    }
    MR_TRY(status);
    /* Timers alone leave no trace in the offsets; the changelogs are asked in any case. */
    return worker->unsettled
               ? settled(worker, at.topic == NULL || at.offset >= worker->unsettled_at.offset, err)
               : MR_OK;
}

void transaction_give_up(struct mr_worker *worker)
{
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->touched) {
            task_reopen(worker->tasks[p]);
        }
    }
    transaction_over(worker);
}
