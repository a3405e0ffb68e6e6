/*
 * assignment.c -- partitions come and go: from the member's callbacks to tasks.
 *
 * A task exists while one of its inputs is assigned and opens when all of them are (range
 * assignment over equal partition counts gives them together). Its inputs stay paused until its
 * stores are caught up. Before partitions go, the open transaction is finished: committed while we
 * are still their owner, aborted when they are lost.
 */
#include "millrace/fault.h"
#include "millrace/logger.h"
#include "task.h"

#include <stdlib.h>

static struct input *find_input(struct task *task, const char *topic)
{
    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        if (strcmp(worker_topic(task->worker, task->inputs[i].topic)->name, topic) == 0) {
            return &task->inputs[i];
        }
    }
    return NULL;
}

static void note_failure(struct mr_worker *worker, enum mr_status status, const struct mr_err *err)
{
    if (status != MR_OK && worker->revocation_status == MR_OK) {
        worker->revocation_status = status;
        worker->revocation_err = *err;
    }
}

enum mr_status assignment_pause(struct task *task, bool pause, struct mr_err *err)
{
    struct mr_worker *worker = task->worker;

    for (size_t i = 0; i < worker->group->input_count; i++) {
        const char *topic = worker_topic(worker, task->inputs[i].topic)->name;

        MR_TRY(pause ? mr_member_pause(worker->member, topic, task->partition, err)
                     : mr_member_resume(worker->member, topic, task->partition,
                                        task->inputs[i].committed_offset, err));
    }
    return MR_OK;
}

static bool all_assigned(const struct task *task)
{
    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        if (!task->inputs[i].assigned) {
            return false;
        }
    }
    return true;
}

static void assign_one(struct mr_worker *worker, const struct mr_topic_partition *at)
{
    struct input *input;
    struct task *task;
    struct mr_err err;

    if (at->partition >= worker->task_capacity) {
        note_failure(worker,
                     mr_fail(&err, MR_CONFIG, "topic %s has a partition %d, the topology says %d",
                             at->topic, (int)at->partition, (int)worker->task_capacity),
                     &err);
        return;
    }
    if (worker->tasks[at->partition] == NULL) {
        standby_end(worker, at->partition);
        worker->tasks[at->partition] = task_create(worker, at->partition);
    }
    task = worker->tasks[at->partition];
    input = find_input(task, at->topic);
    MR_ASSERT(input != NULL);
    input->assigned = true;
    note_failure(worker, mr_member_pause(worker->member, at->topic, at->partition, &err), &err);
    if (task->state == TASK_ASSIGNING && all_assigned(task)) {
        task->state = TASK_OPENING;
        task->opening_since_us = worker_now_us(worker);
    }
}

void assignment_assigned(void *arg, const struct mr_topic_partition *partitions, size_t count)
{
    struct mr_worker *worker = arg;

    for (size_t i = 0; i < count; i++) {
        assign_one(worker, &partitions[i]);
    }
    MR_MARK(ASSIGNED);
    worker->state = MR_WORKER_RUNNING;
    mr_info("assigned", "group=%s worker=%d partitions=%zu", worker->group->name, worker->index,
            count);
}

static void drop_task(struct mr_worker *worker, int32_t partition)
{
    if (worker->tasks[partition] != NULL) {
        transaction_forget(worker, worker->tasks[partition]);
        restore_forget(worker, worker->tasks[partition]);
        task_destroy(&worker->tasks[partition]);
    }
}

void assignment_revoked(void *arg, const struct mr_topic_partition *partitions, size_t count,
                        bool lost)
{
    struct mr_worker *worker = arg;
    struct mr_err err = {0};
    enum mr_status status = MR_OK;

    if (worker->crashing || worker->revocation_status != MR_OK) {
        return; /* nothing is finished any more; what is there stays for a restart */
    }
    MR_MARK(REVOKING);
    if (worker->open && !worker->unsettled && !MR_PLANTED(REVOKED_OPEN)) {
        if (lost) {
            const struct mr_err why = {.status = MR_TXN_ABORT, .text = "partitions were lost"};

            status = transaction_abort(worker, &why, &err);
        } else {
            status = transaction_commit(worker, &err);
        }
    }
    if (status == MR_OK) {
        status = state_write(worker, &err);
    }
    note_failure(worker, status, &err);
    if (status != MR_OK) {
        transaction_drop_inputs(worker);
        return; /* the worker fails; its tasks are left as they are */
    }
    if (worker->unsettled) {
        transaction_give_up(worker);
    }
    for (size_t i = 0; i < count && !(MR_PLANTED(LOST_TASK_KEPT) && lost); i++) {
        drop_task(worker, partitions[i].partition);
    }
    mr_info("revoked", "group=%s worker=%d partitions=%zu lost=%s", worker->group->name,
            worker->index, count, lost ? "true" : "false");
}
