/*
 * restore.c -- bringing a task's stores up to the log before it takes input.
 *
 * Why: the backend is at most behind the changelog, never ahead. What is missing is read from the
 *      changelog between the stored offset and the last stable offset, beside the processing of the
 *      tasks that are ready.
 * How: OPENING waits until no open transaction holds the task's input offsets or is in its
 *      changelogs (a former owner's could still commit, or its markers be on their way), then takes
 *      the targets. CATCHING UP applies records in batches,
 *      each with its own offset, so that a crash in the middle goes on from there. Done is a matter
 *      of the reader's position, which passes markers, aborted tails and compaction holes.
 * The spaces of a stage share one changelog and one offset, which rests with the first of them.
 * They are wiped, together, only when the offset is missing, outside the changelog, or older than
 * tombstones live: each case is said.
 */
#include "millrace/changelog.h"
#include "millrace/logger.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

#define READ_MAX ((size_t)2000)
#define STABLE_WAIT_US (200 * MR_MS_US)
#define REOPEN_PAUSE_US (10 * MR_MS_US)
#define RESTART_PAUSE_US (500 * MR_MS_US)
/* Kafka keeps tombstones for delete.retention.ms, a day by default; an hour of margin. */
#define STATE_AGE_MAX_US (23 * MR_HOUR_US)

static bool meta_offset_read(struct mr_slice bytes, int64_t *offset, int64_t *wall_us)
{
    uint64_t words[2] = {0, 0};

    if (bytes.len != 16) {
        return false;
    }
    for (int i = 0; i < 16; i++) {
        words[i / 8] = words[i / 8] << 8 | bytes.data[i];
    }
    *offset = (int64_t)words[0];
    *wall_us = (int64_t)words[1];
    return true;
}

/* Where a stage's stores stand against their changelog. */
struct place {
    int64_t low;
    int64_t end;     /* the last stable offset */
    int64_t offset;  /* to go on from; MR_OFFSET_NONE: the spaces must be wiped */
    const char *why; /* they must be wiped; NULL: they are new */
};

static enum mr_status find_place(struct mr_worker *worker, struct mr_space *space,
                                 struct place *place, struct mr_err *err)
{
    struct mr_backend *backend = worker->process.backend;
    struct mr_buffer value = MR_BUFFER_EMPTY;
    int64_t wall_us = 0;
    bool found = false;
    const enum mr_status status =
        backend->ops->meta_get(backend, space, mr_slice_str(META_CHANGELOG), &value, &found, err);

    place->why = NULL;
    if (status == MR_OK && !found) {
        place->offset = MR_OFFSET_NONE;
    } else if (status == MR_OK &&
               !meta_offset_read(mr_buffer_slice(&value), &place->offset, &wall_us)) {
        place->why = "their offset is unreadable";
    } else if (status == MR_OK && place->offset < place->low) {
        place->why = "their offset is below the start of the changelog";
    } else if (status == MR_OK && place->offset > place->end) {
        place->why = "their offset is behind the end of the changelog";
    } else if (status == MR_OK && place->offset < place->end &&
               mr_clock_wall_us(worker->process.clock) - wall_us > STATE_AGE_MAX_US) {
        place->why = "they are older than tombstones live";
    }
    if (place->why != NULL) {
        place->offset = MR_OFFSET_NONE;
    }
    mr_buffer_fini(&value);
    return status;
}

static enum mr_status open_reader(struct mr_worker *worker, struct mr_err *err)
{
    return worker->restore_reader != NULL
               ? MR_OK
               : mr_reader_open(worker->process.log, &worker->restore_reader, err);
}

static enum mr_status open_spaces(struct task *task, struct mr_ctx *node, struct mr_err *err)
{
    struct mr_backend *backend = task->worker->process.backend;

    for (size_t i = 0; i < node->stage->type->store_count; i++) {
        char name[256];

        snprintf(name, sizeof(name), "%s.%s", node->stage->name, node->stage->type->stores[i].name);
        if (node->spaces[i] == NULL) {
            MR_TRY(backend->ops->space_open(backend, name, task->partition, &node->spaces[i], err));
        }
    }
    return MR_OK;
}

static enum mr_status wipe_spaces(struct mr_ctx *node, const char *why, struct mr_err *err)
{
    struct mr_backend *backend = node->task->worker->process.backend;

    if (why != NULL) {
        mr_warn("state_wiped", "stage=%s partition=%d reason=\"%s\"", node->stage->name,
                (int)node->task->partition, why);
    }
    for (size_t i = 0; i < node->stage->type->store_count; i++) {
        MR_TRY(backend->ops->space_wipe(backend, node->spaces[i], err));
    }
    return MR_OK;
}

static enum mr_status plan_stage(struct task *task, struct mr_ctx *node, struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    const char *name = worker_topic(worker, node->stage->changelog)->name;
    struct catch_up plan = {.owner = node, .topic = node->stage->changelog};
    struct place place;
    int64_t end;

    MR_TRY(open_spaces(task, node, err));
    MR_TRY(
        mr_log_watermarks(worker->process.log, name, task->partition, &place.low, &place.end, err));
    MR_TRY(mr_log_end(worker->process.log, name, task->partition, &end, err));
    if (end > place.end) {
        return mr_fail(err, MR_TIMEOUT,
                       "changelog %s[%d]: a former owner's transaction is not over", name,
                       (int)task->partition);
    }
    MR_TRY(find_place(worker, node->spaces[0], &place, err));
    if (place.offset == MR_OFFSET_NONE) {
        MR_TRY(wipe_spaces(node, place.why, err));
        place.offset = place.low;
    }
    plan.target = place.end;
    plan.done = place.offset >= place.end;
    if (!plan.done) {
        MR_TRY(open_reader(worker, err));
        MR_TRY(mr_reader_add(worker->restore_reader, name, task->partition, place.offset, err));
    }
    task->catch_ups[task->catch_up_count++] = plan;
    return MR_OK;
}

static enum mr_status await_stable_inputs(struct task *task, struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    const size_t count = worker->group->input_count;
    struct mr_topic_partition *positions = mr_xcalloc(count, sizeof(*positions));
    struct mr_buffer *progress = mr_xcalloc(count, sizeof(*progress));
    enum mr_status status;

    for (size_t i = 0; i < count; i++) {
        positions[i] = (struct mr_topic_partition){
            .topic = worker_topic(worker, task->inputs[i].topic)->name,
            .partition = task->partition,
            .metadata = &progress[i],
        };
    }
    status = mr_log_committed(worker->process.log, worker->group_id, positions, count,
                              STABLE_WAIT_US, err);
    for (size_t i = 0; status == MR_OK && i < count; i++) {
        task->inputs[i].committed_offset =
            positions[i].offset == MR_OFFSET_NONE ? 0 : positions[i].offset;
        progress_read(task, &progress[i]);
    }
    for (size_t i = 0; i < count; i++) {
        mr_buffer_fini(&progress[i]);
    }
    free(progress);
    free(positions);
    return status;
}

/* MR_OK and still OPENING: the log could not answer yet. */
static enum mr_status open_task(struct task *task, struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    enum mr_status status = await_stable_inputs(task, err);

    restore_forget(worker, task);
    task->catch_ups = mr_xcalloc(worker->group->stage_count, sizeof(*task->catch_ups));
    for (size_t i = 0; status == MR_OK && i < worker->group->stage_count; i++) {
        if (task->nodes[i].stage->changelog != MR_UNBOUND) {
            status = plan_stage(task, &task->nodes[i], err);
        }
    }
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        worker_blocked_on(worker, err->text);
        worker->reopen_at_us = worker_now_us(worker) + REOPEN_PAUSE_US;
        return MR_OK;
    }
    if (status == MR_OK) {
        task->state = TASK_CATCHING_UP;
    }
    return status;
}

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

static struct catch_up *find_plan(struct mr_worker *worker, const struct mr_message *message)
{
    struct task *task =
        message->partition < worker->task_capacity ? worker->tasks[message->partition] : NULL;

    for (size_t i = 0; task != NULL && i < task->catch_up_count; i++) {
        if (strcmp(worker_topic(worker, task->catch_ups[i].topic)->name, message->topic) == 0) {
            return &task->catch_ups[i];
        }
    }
    return NULL;
}

struct restored {
    struct mr_backend_write writes[READ_MAX];
    size_t count;
    struct mr_backend_write metas[READ_MAX]; /* one for each run of records of one changelog */
    uint8_t offsets[READ_MAX][16];
    size_t meta_count;
};

static void note_offset(struct restored *batch, struct mr_space *space, int64_t next,
                        int64_t wall_us)
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
    meta_offset_write(batch->offsets[batch->meta_count - 1], next, wall_us);
}

static enum mr_status apply(struct mr_worker *worker, struct mr_message *messages, size_t count,
                            struct mr_err *err)
{
    struct mr_backend *backend = worker->process.backend;
    struct restored *batch = mr_xcalloc(1, sizeof(*batch));
    const int64_t wall_us = mr_clock_wall_us(worker->process.clock);
    enum mr_status status;

    for (size_t i = 0; i < count; i++) {
        const struct catch_up *plan = find_plan(worker, &messages[i]);
        struct mr_slice key;
        size_t store;

        if (plan == NULL || plan->done) {
            continue;
        }
        note_offset(batch, plan->owner->spaces[0], messages[i].offset + 1, wall_us);
        store = mr_changelog_store(plan->owner->stage->type, messages[i].key, &key);
        if (store == SIZE_MAX) {
            continue; /* a store that the stage had once */
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
    worker->live.restored_records += batch->count;
    mr_counter_add(worker->metrics.restored, batch->count);
    free(batch);
    return status;
}

static enum mr_status read_some(struct mr_worker *worker, bool *busy, struct mr_err *err)
{
    struct mr_message *messages;
    enum mr_status status;
    size_t count = 0;

    if (worker->restore_reader == NULL) {
        return MR_OK;
    }
    messages = mr_xcalloc(READ_MAX, sizeof(*messages));
    status = mr_reader_poll(worker->restore_reader, 0, messages, READ_MAX, &count, err);
    if (status == MR_OK && count > 0) {
        *busy = true;
        status = apply(worker, messages, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        mr_message_release(&messages[i]);
    }
    free(messages);
    return status;
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

    meta_offset_write(value, position, mr_clock_wall_us(worker->process.clock));
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
            *left += plan->target - position;
        }
    }
    if (!done || !worker->tables_ready) {
        return MR_OK;
    }
    restore_forget(worker, task);
    status = task_start(task, err);
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

enum mr_status restore_step(struct mr_worker *worker, bool *busy, struct mr_err *err)
{
    /* Asked once: a task that must wait is no reason to leave out those behind it. */
    const bool reopen = worker_now_us(worker) >= worker->reopen_at_us;
    bool pending = false;

    worker->live.restore_left = 0;
    MR_TRY(read_some(worker, busy, err));
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        if (task != NULL && task->state == TASK_OPENING && reopen) {
            MR_TRY(open_task(task, err));
        }
        if (task != NULL && task->state == TASK_CATCHING_UP) {
            MR_TRY(check_task(task, &worker->live.restore_left, err));
        }
        pending = pending || (task != NULL && task->state < TASK_READY);
    }
    if (!pending && worker->restore_reader != NULL) {
        mr_reader_close(&worker->restore_reader);
    }
    return MR_OK;
}
