/*
 * restore.c -- bringing a task's stores up to the log before it takes input.
 *
 * Why: the backend is at most behind the changelog, never ahead. What is missing is read from the
 *      changelog between the stored offset and the last stable offset, beside the processing of the
 *      tasks that are ready.
 * How: OPENING: restore_plan.c. CATCHING UP applies records in batches, each with its own offset,
 * so that a crash in the middle goes on from there. Done is a matter of the reader's position,
 *      which passes markers, aborted tails and compaction holes.
 */
#include "millrace/changelog.h"
#include "millrace/fault.h"
#include "millrace/logger.h"
#include "task.h"

#include <stdlib.h>

#define RESTART_PAUSE_US (500 * MR_MS_US)
#define SAY_EVERY_US (5 * MR_SECOND_US)

void restore_forget(struct mr_worker *worker, const struct task *task)
{
    struct task *own = worker->tasks[task->partition];
    struct mr_err err;

    for (size_t i = 0; i < own->catch_up_count; i++) {
        if (!own->catch_ups[i].done && worker->restore_reader != NULL &&
            mr_reader_remove(worker->restore_reader,
                             worker_topic(worker, own->catch_ups[i].topic)->name, own->partition,
                             &err) != MR_OK) {
            mr_warn("restore_reader", "error=\"%s\"", err.text);
        }
    }
    free(own->catch_ups);
    own->catch_ups = NULL;
    own->catch_up_count = 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Whose changelog the message is of; NULL: of none that is read. */
static struct catch_up *find_plan(struct mr_worker *worker, struct task *const *tasks,
                                  const struct mr_message *message)
{
    struct task *task =
        message->partition < worker->task_capacity ? tasks[message->partition] : NULL;

    for (size_t i = 0; task != NULL && i < task->catch_up_count; i++) {
        if (strcmp(worker_topic(worker, task->catch_ups[i].topic)->name, message->topic) == 0) {
            return &task->catch_ups[i];
        }
    }
    return NULL;
}

struct restored {
    struct mr_backend_write writes[WORKER_POLL_MAX];
    size_t count;
    struct mr_backend_write
        metas[WORKER_POLL_MAX]; /* one for each run of records of one changelog */
    uint8_t offsets[WORKER_POLL_MAX][16];
    size_t meta_count;
};

static void note_offset(struct restored *batch, struct mr_space *space, int64_t next,
                        int64_t as_of_us)
{
    if (batch->meta_count == 0 || batch->metas[batch->meta_count - 1].space != space) {
        batch->metas[batch->meta_count] = (struct mr_backend_write){
            .space = space,
            .key = mr_slice_str(META_CHANGELOG),
            .value = mr_slice_of(batch->offsets[batch->meta_count], 16),
            .has_value = true,
        };
        batch->meta_count++;
    }
    meta_offset_write(batch->offsets[batch->meta_count - 1], next, as_of_us);
}

static enum mr_status apply(struct mr_worker *worker, struct task *const *tasks,
                            struct mr_message *messages, size_t count, int64_t as_of_us,
                            struct mr_err *err)
{
    struct mr_backend *backend = worker->process.backend;
    struct restored *batch = mr_xcalloc(1, sizeof(*batch));
    enum mr_status status;

    for (size_t i = 0; i < count; i++) {
        const struct catch_up *plan = find_plan(worker, tasks, &messages[i]);
        struct mr_slice key;
        size_t store;

        if (plan == NULL || plan->done) {
            continue;
        }
        note_offset(batch, plan->owner->spaces[0], messages[i].offset + 1, as_of_us);
        store = mr_changelog_store(plan->owner->stage->type, messages[i].key, &key);
        if (store == SIZE_MAX) {
            continue; /* a store that the stage had once */
        }
        if (MR_PLANTED(TOMBSTONE_NOT_RESTORED) && !messages[i].has_value) {
            continue;
        }
        batch->writes[batch->count++] = (struct mr_backend_write){
            .space = plan->owner->spaces[store],
            .key = key,
            .value = messages[i].value,
            .has_value = messages[i].has_value,
        };
    }
    status = backend->ops->write(backend, batch->writes, batch->count, batch->metas,
                                 batch->meta_count, false, err);
    MR_MARK(RESTORE_BATCH);
    worker->live.restored_records += tasks == worker->tasks ? batch->count : 0;
    mr_counter_add(tasks == worker->tasks ? worker->metrics.restored : worker->metrics.followed,
                   batch->count);
    free(batch);
    return status;
}

static enum mr_status read_some(struct mr_worker *worker, struct mr_reader *reader,
                                int64_t *heard_us, struct task *const *tasks, size_t *count,
                                struct mr_err *err)
{
    struct mr_message *messages = worker->polled;
    enum mr_status status = gap_poll(worker, reader, heard_us, messages, count, err);

    if (status == MR_OK && *count > 0) {
        status = apply(worker, tasks, messages, *count, *heard_us, err);
    }
    for (size_t i = 0; i < *count; i++) {
        mr_message_release(&messages[i]);
    }
    return status;
}

enum mr_status restore_read(struct mr_worker *worker, struct mr_reader *reader, int64_t *heard_us,
                            struct task *const *tasks, struct mr_err *err)
{
    size_t count = 0;

    return read_some(worker, reader, heard_us, tasks, &count, err);
}

/* ---- finishing ------------------------------------------------------------------------------- */

static enum mr_status finish_plan(struct task *task, struct catch_up *plan, int64_t position,
                                  struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    struct mr_backend *backend = worker->process.backend;
    uint8_t value[16];
    const struct mr_backend_write meta = {
        .space = plan->owner->spaces[0],
        .key = mr_slice_str(META_CHANGELOG),
        .value = mr_slice_of(value, sizeof(value)),
        .has_value = true,
    };

    meta_offset_write(value, position, worker->restore_heard_us);
    plan->done = true;
    MR_TRY(backend->ops->write(backend, NULL, 0, &meta, 1, false, err));
    return mr_reader_remove(worker->restore_reader, worker_topic(worker, plan->topic)->name,
                            task->partition, err);
}

static enum mr_status check_task(struct task *task, int64_t *left, struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    enum mr_status status;
    bool done = true;

    task->restore_left = 0;
    for (size_t i = 0; i < task->catch_up_count; i++) {
        struct catch_up *plan = &task->catch_ups[i];
        int64_t position;

        if (plan->done) {
            continue;
        }
        position = mr_reader_position(worker->restore_reader,
                                      worker_topic(worker, plan->topic)->name, task->partition);
        if (position >= plan->target) {
            MR_TRY(finish_plan(task, plan, position, err));
        } else {
            done = false;
            task->restore_left += plan->target - position;
        }
    }
    *left += task->restore_left;
    if (!done || !worker->tables_ready) {
        return MR_OK;
    }
    restore_forget(worker, task);
    MR_MARK(RESTORE_DONE);
    status = restore_check_history(task, err);
    status = status == MR_OK ? task_start(task, err) : status;
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        /* A schema that must be asked for, a slow disk: from the beginning, a little later. */
        worker_blocked_on(worker, err->text);
        worker->reopen_at_us = worker_now_us(worker) + RESTART_PAUSE_US;
        task_reopen(task);
        return MR_OK;
    }
    MR_TRY(status);
    mr_info("task_ready", "group=%s partition=%d", worker->group->name, (int)task->partition);
    return worker->inputs_held ? MR_OK : assignment_pause(task, false, err);
}

/* How fast, and how long it will take. */
static void show_progress(struct mr_worker *worker, bool pending)
{
    const int64_t now_us = worker_now_us(worker);
    struct restore_progress *progress = &worker->restoring;
    int64_t per_second;
    int64_t seconds_left;

    if (!pending || progress->since_us == 0) {
        *progress = (struct restore_progress){.since_us = pending ? now_us : 0,
                                              .said_us = now_us,
                                              .before = worker->live.restored_records};
        mr_gauge_set(worker->metrics.restore_seconds_left, 0);
        worker->live.restore_seconds_left = 0;
        return;
    }
    per_second = (int64_t)(worker->live.restored_records - progress->before) * MR_SECOND_US /
                 (now_us - progress->since_us + 1);
    seconds_left = per_second == 0 ? -1 : worker->live.restore_left / per_second;
    mr_gauge_set(worker->metrics.restore_seconds_left, seconds_left);
    worker->live.restore_seconds_left = seconds_left;
    if (now_us - progress->said_us >= SAY_EVERY_US) {
        progress->said_us = now_us;
        mr_info("restoring",
                "group=%s worker=%d records=%llu left=%lld per_second=%lld seconds_left=%lld",
                worker->group->name, worker->index,
                (unsigned long long)(worker->live.restored_records - progress->before),
                (long long)worker->live.restore_left, (long long)per_second,
                (long long)seconds_left);
    }
}

/* What was read and could not be applied has passed the reader, or it was away for too long: the
 * tasks plan anew, a little later, from what their stores say. */
static void start_over(struct mr_worker *worker, const struct mr_err *why)
{
    worker_blocked_on(worker, why->text);
    worker->reopen_at_us = worker_now_us(worker) + RESTART_PAUSE_US;
    gap_begin(worker, &worker->restore_heard_us);
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->state == TASK_CATCHING_UP) {
            restore_forget(worker, worker->tasks[p]);
            task_reopen(worker->tasks[p]);
        }
    }
}

/* Where the reader stands may be no place to go on from: that is for start_over. */
static enum mr_status read_changelogs(struct mr_worker *worker, bool *busy, struct mr_err *err)
{
    size_t count = 0;
    const enum mr_status status = read_some(worker, worker->restore_reader,
                                            &worker->restore_heard_us, worker->tasks, &count, err);

    *busy = *busy || count > 0;
    if (status == MR_OUT_OF_RANGE) {
        const struct mr_err why = *err;

        return mr_fail(err, MR_UNAVAILABLE, "changelogs: %.300s", why.text);
    }
    return status;
}

static enum mr_status step(struct mr_worker *worker, bool *busy, struct mr_err *err)
{
    /* Asked once: a task that must wait is no reason to leave out those behind it. */
    const bool reopen = worker_now_us(worker) >= worker->reopen_at_us;
    bool pending = false;

    worker->live.restore_left = 0;
    if (worker->restore_reader != NULL) {
        MR_TRY(read_changelogs(worker, busy, err));
    }
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        if (task != NULL && task->state == TASK_OPENING && reopen) {
            MR_TRY(restore_open(task, err));
        }
        if (task != NULL && task->state == TASK_CATCHING_UP) {
            MR_TRY(check_task(task, &worker->live.restore_left, err));
        }
        pending = pending || (task != NULL && task->state < TASK_READY);
    }
    show_progress(worker, pending);
    if (!pending && worker->restore_reader != NULL) {
        mr_reader_close(&worker->restore_reader);
    }
    return MR_OK;
}

enum mr_status restore_step(struct mr_worker *worker, bool *busy, struct mr_err *err)
{
    const enum mr_status status = step(worker, busy, err);

    if (mr_status_class(status) != MR_CLASS_RETRY) {
        return status;
    }
    start_over(worker, err);
    return MR_OK;
}
