/*
 * restore_plan.c -- where a task's stores stand against their changelogs, and what is to be read.
 *
 * How: a task that opens waits until no open transaction holds its input offsets or is in its
 *      changelogs (a former owner's could still commit, or its markers be on their way), then takes
 *      the targets. The spaces of a stage share one changelog and one offset, which rests with the
 *      first of them. They are wiped, together, only when the offset is missing, below the
 *      changelog's start, or older than tombstones live: each case is said and counted. State
 * beyond the end of its changelog means that the changelog was lost, and is given up only by order.
 */
#include "millrace/fault.h"
#include "millrace/logger.h"
#include "task.h"

#include <stdlib.h>

#define STABLE_WAIT_US (200 * MR_MS_US)
#define REOPEN_PAUSE_US (10 * MR_MS_US)

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

enum mr_status mr_state_offset(struct mr_backend *backend, struct mr_space *space, int64_t *offset,
                               struct mr_err *err)
{
    struct mr_buffer value = MR_BUFFER_EMPTY;
    int64_t wall_us;
    bool found = false;
    const enum mr_status status =
        backend->ops->meta_get(backend, space, mr_slice_str(META_CHANGELOG), &value, &found, err);

    if (status != MR_OK || !found || !meta_offset_read(mr_buffer_slice(&value), offset, &wall_us)) {
        *offset = MR_OFFSET_NONE;
    }
    mr_buffer_fini(&value);
    return status;
}

/* Where a stage's stores stand against their changelog. */
struct place {
    int64_t low;
    int64_t end;     /* the last stable offset */
    int64_t offset;  /* to go on from; MR_OFFSET_NONE: the spaces must be wiped */
    const char *why; /* they must be wiped; NULL: they are new */
};

static enum mr_status find_place(const struct mr_worker *worker, struct mr_space *space,
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
    } else if (status == MR_OK && place->offset > place->end &&
               !worker->process.accept_lost_changelog) {
        mr_buffer_fini(&value);
        return mr_fail(
            err, MR_FOREIGN_STATE,
            "local state goes to offset %lld of its changelog, which ends at %lld: it was "
            "cut or made again; --accept-lost-changelog gives the local state up",
            (long long)place->offset, (long long)place->end);
    } else if (status == MR_OK && place->offset > place->end) {
        place->why = "their changelog was lost, which was accepted";
    } else if (status == MR_OK && place->offset < place->end &&
               mr_clock_wall_us(worker->process.clock) - wall_us > STATE_AGE_MAX_US &&
               !MR_PLANTED(OLD_STATE_TRUSTED)) {
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
               : mr_reader_open(worker->process.log, MR_READER_CATCHES_UP_US,
                                &worker->restore_reader, err);
}

static enum mr_status wipe_spaces(struct mr_ctx *node, const char *why, struct mr_err *err)
{
    struct mr_backend *backend = node->task->worker->process.backend;

    if (why != NULL) {
        mr_warn("state_wiped", "stage=%s partition=%d reason=\"%s\"", node->stage->name,
                (int)node->task->partition, why);
        mr_counter_add(node->task->worker->metrics.wiped, 1);
    }
    for (size_t i = 0; i < node->stage->type->store_count; i++) {
        MR_TRY(backend->ops->space_wipe(backend, node->spaces[i], err));
    }
    return MR_OK;
}

/* Where the stage's stores go on: place->low and place->end are given. Wiped, when they must be. */
static enum mr_status settle_place(struct mr_ctx *node, struct place *place, struct mr_err *err)
{
    const enum mr_status status = find_place(node->task->worker, node->spaces[0], place, err);

    if (status != MR_OK) {
        const struct mr_err why = *err;

        return mr_fail(err, status, "stage %s, partition %d: %.330s", node->stage->name,
                       (int)node->task->partition, why.text);
    }
    if (place->offset == MR_OFFSET_NONE) {
        MR_TRY(wipe_spaces(node, place->why, err));
        place->offset = place->low;
    }
    return MR_OK;
}

static enum mr_status plan_stage(struct task *task, struct mr_ctx *node,
                                 const struct mr_extent *extent, struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    struct catch_up plan = {.owner = node, .topic = node->stage->changelog};
    struct place place = {.low = extent->low, .end = extent->stable_end};

    MR_TRY(node_open_spaces(node, err));
    if (extent->end > extent->stable_end && !MR_PLANTED(RESTORE_HASTY)) {
        return mr_fail(err, MR_TIMEOUT,
                       "changelog %s[%d]: a former owner's transaction is not over", extent->topic,
                       (int)task->partition);
    }
    MR_TRY(settle_place(node, &place, err));
    plan.target = place.end;
    plan.done = place.offset >= place.end;
    if (!plan.done) {
        MR_TRY(open_reader(worker, err));
        MR_TRY(mr_reader_add(worker->restore_reader, extent->topic, task->partition, place.offset,
                             err));
    }
    task->catch_ups[task->catch_up_count++] = plan;
    return MR_OK;
}

static enum mr_status follow_stage(struct task *task, struct mr_ctx *node, struct mr_reader *reader,
                                   const struct mr_extent *extent, struct mr_err *err)
{
    /* The owner is at work: what is committed may be marked a moment later. */
    struct place place = {.low = extent->low, .end = extent->end};

    MR_TRY(node_open_spaces(node, err));
    MR_TRY(settle_place(node, &place, err));
    MR_TRY(mr_reader_add(reader, extent->topic, task->partition, place.offset, err));
    task->catch_ups[task->catch_up_count++] =
        (struct catch_up){.owner = node, .topic = node->stage->changelog, .target = INT64_MAX};
    return MR_OK;
}

enum mr_status restore_extents(const struct task *task, struct mr_extent *extents, size_t *count,
                               struct mr_err *err)
{
    const struct mr_worker *worker = task->worker;

    *count = 0;
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        const size_t topic = task->nodes[i].stage->changelog;

        if (topic != MR_UNBOUND) {
            extents[(*count)++] = (struct mr_extent){.topic = worker_topic(worker, topic)->name,
                                                     .partition = task->partition};
        }
    }
    return mr_log_extents(worker->process.log, extents, *count, err);
}

/* Each stage with a changelog, to be caught up once (reader NULL) or followed. */
static enum mr_status plan_stages(struct task *task, struct mr_reader *reader, struct mr_err *err)
{
    const size_t stage_count = task->worker->group->stage_count;
    struct mr_extent *extents = mr_xcalloc(stage_count, sizeof(*extents));
    size_t count = 0;
    size_t at = 0;
    enum mr_status status = restore_extents(task, extents, &count, err);

    for (size_t i = 0; status == MR_OK && i < stage_count; i++) {
        struct mr_ctx *node = &task->nodes[i];

        if (node->stage->changelog != MR_UNBOUND) {
            status = reader == NULL ? plan_stage(task, node, &extents[at], err)
                                    : follow_stage(task, node, reader, &extents[at], err);
            at++;
        }
    }
    free(extents);
    return status;
}

enum mr_status restore_follow(struct task *task, struct mr_reader *reader, struct mr_err *err)
{
    const struct mr_worker *worker = task->worker;
    enum mr_status status;

    task->catch_ups = mr_xcalloc(worker->group->stage_count, sizeof(*task->catch_ups));
    status = plan_stages(task, reader, err);
    for (size_t i = 0; status != MR_OK && i < task->catch_up_count; i++) {
        struct mr_err ignored;

        if (mr_reader_remove(reader, worker_topic(worker, task->catch_ups[i].topic)->name,
                             task->partition, &ignored) != MR_OK) {
            mr_warn("standby_reader", "error=\"%s\"", ignored.text);
        }
    }
    return status;
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
                              MR_PLANTED(OPENS_UNSTABLE) ? MR_UNSTABLE : STABLE_WAIT_US, err);
    task->has_offsets = false;
    for (size_t i = 0; status == MR_OK && i < count; i++) {
        task->has_offsets = task->has_offsets || positions[i].offset != MR_OFFSET_NONE;
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

/* ---- state and offsets ------------------------------------------------------------------------
 */

static bool stop_at_first(void *arg, struct mr_slice key, struct mr_slice value)
{
    bool *any = arg;

    (void)key;
    (void)value;
    *any = true;
    return false;
}

/*
 * A transaction commits both, so there is none without the other: the offsets ran out (Kafka
 * forgets those of a group that is away for a week), or the stage came from another group without
 * them. To begin at the beginning then would do everything a second time.
 */
enum mr_status restore_check_history(struct task *task, struct mr_err *err)
{
    const struct mr_worker *worker = task->worker;
    struct mr_backend *backend = worker->process.backend;
    const struct mr_slice all = mr_slice_of(NULL, 0);

    if (task->has_offsets || !worker->exactly_once || worker->process.accept_lost_offsets) {
        return MR_OK;
    }
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        const struct mr_ctx *node = &task->nodes[i];
        bool any = false;

        for (size_t s = 0; s < node->stage->type->store_count && !any; s++) {
            MR_TRY(
                backend->ops->scan(backend, node->spaces[s], all, all, stop_at_first, &any, err));
        }
        if (any) {
            return mr_fail(err, MR_FOREIGN_STATE,
                           "group %s has no offsets for partition %d, and its stage %s has state "
                           "there: it would take everything again. `topology plan` moves offsets "
                           "with a stage; --accept-lost-offsets begins all the same",
                           worker->group->name, (int)task->partition, node->stage->name);
        }
    }
    return MR_OK;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

enum mr_status restore_open(struct task *task, struct mr_err *err)
{
    struct mr_worker *worker = task->worker;
    enum mr_status status;

    if (worker->restore_reader == NULL) {
        gap_begin(worker, &worker->restore_heard_us);
    }
    status = await_stable_inputs(task, err);
    restore_forget(worker, task);
    task->catch_ups = mr_xcalloc(worker->group->stage_count, sizeof(*task->catch_ups));
    if (status == MR_OK) {
        status = plan_stages(task, NULL, err);
    }
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        worker_blocked_on(worker, err->text);
        takeover_help(task);
        worker->reopen_at_us = worker_now_us(worker) + REOPEN_PAUSE_US;
        return MR_OK;
    }
    if (status == MR_OK) {
        task->state = TASK_CATCHING_UP;
    }
    return status;
}
