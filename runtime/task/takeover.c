/*
 * takeover.c -- ending what a former owner of a task has left open.
 *
 * Why: a transaction of a member that died holds up its tasks' new owner until the broker ends it:
 *      its time-out, and up to ten seconds until the broker looks. The new owner can end it at
 * once, because opening a producer with the dead member's transactional id does just that; a member
 *      that was only frozen is fenced by it, and adds nothing when it wakes.
 * How: who committed last stands beside the offsets (progress.c). Only when the group has no such
 *      member any more: the transaction of one that lives is its own affair.
 * Not: for an owner that died before its first commit for the task. Nobody knows its name, and the
 *      broker's time-out ends its transaction.
 */
#include "millrace/logger.h"
#include "task.h"

#include <stdlib.h>

/* Markers of a finished transaction take some milliseconds: that is no reason to ask. */
#define PATIENCE_US (250 * MR_MS_US)
#define OPEN_US MR_SECOND_US

/* The last writer, whatever its open transaction may still change. */
static enum mr_status find_writer(const struct task *task, char *writer, size_t bytes,
                                  struct mr_err *err)
{
    const struct mr_worker *worker = task->worker;
    int64_t newest = 0;

    writer[0] = '\0';
    for (size_t i = 0; i < worker->group->input_count; i++) {
        struct mr_buffer text = MR_BUFFER_EMPTY;
        struct mr_topic_partition at = {
            .topic = worker_topic(worker, task->inputs[i].topic)->name,
            .partition = task->partition,
            .metadata = &text,
        };
        const enum mr_status status =
            mr_log_committed(worker->process.log, worker->group_id, &at, 1, MR_UNSTABLE, err);

        if (status == MR_OK) {
            progress_writer(&text, &newest, writer, bytes);
        }
        mr_buffer_fini(&text);
        MR_TRY(status);
    }
    return MR_OK;
}

static enum mr_status fence(const struct task *task, const char *writer, struct mr_err *err)
{
    const struct mr_worker *worker = task->worker;
    const struct mr_producer_options options = {
        .transactional_id = writer,
        .transaction_timeout_us = worker->topology->defaults.transaction_timeout_us,
    };
    struct mr_producer *producer;

    MR_TRY(mr_producer_open(worker->process.log, &options, OPEN_US, &producer, err));
    mr_producer_close(&producer);
    mr_info("former_owner_fenced", "group=%s partition=%d former=%s", worker->group->name,
            (int)task->partition, writer);
    return MR_OK;
}

void takeover_help(struct task *task)
{
    const struct mr_worker *worker = task->worker;
    char writer[sizeof(task->writer)];
    struct mr_err err = {0};
    bool present = false;
    enum mr_status status;

    if (!worker->exactly_once || task->fenced ||
        worker_now_us(worker) - task->opening_since_us < PATIENCE_US) {
        return;
    }
    status = find_writer(task, writer, sizeof(writer), &err);
    if (status == MR_OK && (writer[0] == '\0' || strcmp(writer, worker->identity) == 0)) {
        task->fenced = true; /* nobody to fence */
        return;
    }
    if (status == MR_OK) {
        status =
            mr_log_member_present(worker->process.log, worker->group_id, writer, &present, &err);
    }
    if (status == MR_OK && !present) {
        status = fence(task, writer, &err);
        task->fenced = status == MR_OK;
    }
    if (status != MR_OK) {
        mr_warn("takeover", "group=%s partition=%d error=\"%s\"", worker->group->name,
                (int)task->partition, err.text);
        task->opening_since_us = worker_now_us(worker);
    }
}
