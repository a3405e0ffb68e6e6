/*
 * state.c -- from the overlays to the changelog before the commit, and to the backend behind it.
 *
 * Why: the backend is not needed for reading what is in memory, and not for safety, which is the
 *      changelog's. Written now and then, keys that came and went cost nothing, and hot ones once.
 * How: one batch carries values, changelog offsets and input offsets, so that what is on disk is
 *      always a committed state of the log, at most BEHIND_US_MAX old. Its age is that of the
 *      commit: a process may be suspended before it writes, and others go on meanwhile.
 */
#include "millrace/changelog.h"
#include "millrace/fault.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

#define BEHIND_US_MAX (500 * MR_MS_US)
#define BEHIND_BYTES_MAX ((size_t)8 << 20)
#define BATCH_ARENA_BYTES ((size_t)16 * 1024)

struct send_arg {
    struct mr_worker *worker;
    const struct mr_store_spec *store;
    int topic; /* the producer's number */
    int32_t partition;
};

static enum mr_status send_change(void *arg, struct mr_slice key, struct mr_slice value,
                                  bool has_value, struct mr_err *err)
{
    const struct send_arg *send = arg;
    uint8_t bytes[MR_CHANGELOG_KEY_BYTES_MAX];
    const struct mr_outgoing record = {
        .topic = send->topic,
        .partition = send->partition,
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = mr_slice_of(bytes, mr_changelog_key(send->store, key, bytes)),
        .value = value,
        .has_value = has_value,
    };

    return MR_PLANTED(TOMBSTONE_NOT_SENT) && !has_value
               ? MR_OK
               : mr_producer_send(send->worker->producer, &record, err);
}

typedef enum mr_status visit_store(struct mr_worker *worker, struct task *task, struct mr_ctx *node,
                                   size_t store, struct mr_err *err);

/* Of tasks that have stores open; touched: only of those in the transaction. */
static enum mr_status each_store(struct mr_worker *worker, bool touched, visit_store *visit,
                                 struct mr_err *err)
{
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        if (task == NULL || task->state != TASK_READY || (touched && !task->touched)) {
            continue;
        }
        for (size_t i = 0; i < worker->group->stage_count; i++) {
            struct mr_ctx *node = &task->nodes[i];

            for (size_t s = 0; s < node->stage->type->store_count; s++) {
                MR_TRY(visit(worker, task, node, s, err));
            }
        }
    }
    return MR_OK;
}

static enum mr_status send_store(struct mr_worker *worker, struct task *task, struct mr_ctx *node,
                                 size_t store, struct mr_err *err)
{
    struct send_arg send = {
        .worker = worker,
        .store = &node->stage->type->stores[store],
        .topic = worker->producer_topics[node->stage->changelog],
        .partition = task->partition,
    };

    return mr_store_changes(node->stores[store], send_change, &send, err);
}

enum mr_status state_send_changes(struct mr_worker *worker, struct mr_err *err)
{
    return each_store(worker, true, send_store, err);
}

/* Notes how far the changelog goes if the store has changed; a replay writes none. */
static enum mr_status commit_store(struct mr_worker *worker, struct task *task, struct mr_ctx *node,
                                   size_t store, struct mr_err *err)
{
    const int topic = worker->producer_topics[node->stage->changelog];
    const int64_t delivered = worker->producer == NULL
                                  ? MR_OFFSET_NONE
                                  : mr_producer_delivered(worker->producer, topic, task->partition);
    const size_t before = mr_store_behind_bytes(node->stores[store]);

    (void)err;
    mr_store_committed(node->stores[store]);
    if (worker->producer != NULL && mr_store_behind_bytes(node->stores[store]) > before) {
        MR_ASSERT(delivered != MR_OFFSET_NONE);
        node->changelog_next = delivered + (MR_PLANTED(CHANGELOG_OFFSET_FAR) ? 3 : 1);
        node->changelog_as_of_us = worker->commit_begun_us;
    }
    worker->behind_bytes += mr_store_behind_bytes(node->stores[store]);
    return MR_OK;
}

void state_committed(struct mr_worker *worker)
{
    struct mr_err err;

    if (worker->behind_since_us == INT64_MAX) {
        worker->behind_since_us = worker_now_us(worker);
    }
    worker->behind_bytes = 0;
    MR_ASSERT(each_store(worker, true, commit_store, &err) == MR_OK);
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        for (size_t i = 0; task != NULL && task->touched && i < worker->group->input_count; i++) {
            struct input *input = &task->inputs[i];

            if (input->next_offset != MR_OFFSET_NONE) {
                input->unwritten_offset = input->next_offset;
            }
        }
    }
}

/* ---- after the commit ------------------------------------------------------------------------ */

struct batch {
    struct mr_backend_write *writes;
    size_t write_count, write_capacity;
    struct mr_backend_write *metas;
    size_t meta_count, meta_capacity;
    struct mr_space *space; /* of the store being collected */
    struct mr_arena *arena; /* of metadata keys and values */
};

static struct mr_backend_write *grow(struct mr_backend_write **list, size_t *count,
                                     size_t *capacity)
{
    if (*count == *capacity) {
        *capacity = *capacity == 0 ? 256 : *capacity * 2;
        *list = mr_xrealloc(*list, *capacity * sizeof(**list));
    }
    return &(*list)[(*count)++];
}

static enum mr_status collect_change(void *arg, struct mr_slice key, struct mr_slice value,
                                     bool has_value, struct mr_err *err)
{
    struct batch *batch = arg;

    (void)err;
    *grow(&batch->writes, &batch->write_count, &batch->write_capacity) = (struct mr_backend_write){
        .space = batch->space, .key = key, .value = value, .has_value = has_value};
    return MR_OK;
}

void meta_offset_write(uint8_t bytes[16], int64_t offset, int64_t as_of_us)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)offset >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)((uint64_t)as_of_us >> (56 - 8 * i));
    }
}

static void add_meta(struct batch *batch, struct mr_space *space, const char *name, int64_t offset,
                     int64_t as_of_us)
{
    uint8_t *value = mr_arena_alloc(batch->arena, 16);

    meta_offset_write(value, offset, as_of_us);
    *grow(&batch->metas, &batch->meta_count, &batch->meta_capacity) = (struct mr_backend_write){
        .space = space,
        .key = mr_arena_copy(batch->arena, mr_slice_str(name)),
        .value = mr_slice_of(value, 16),
        .has_value = true,
    };
}

static int by_key(const void *a, const void *b)
{
    const struct mr_backend_write *left = a;
    const struct mr_backend_write *right = b;

    return mr_slice_compare(left->key, right->key);
}

/* In order of keys: RocksDB's memtable finds a key's place in half the time beside the last one's.
 */
static enum mr_status collect_store(struct mr_worker *worker, struct task *task,
                                    struct mr_ctx *node, size_t store, struct mr_err *err)
{
    struct batch *batch = worker->batch;
    const size_t first = batch->write_count;

    (void)task;
    batch->space = node->spaces[store];
    if (store == 0 && node->changelog_next != MR_OFFSET_NONE) {
        add_meta(batch, batch->space, META_CHANGELOG, node->changelog_next,
                 MR_PLANTED(STATE_YOUNG_AS_WRITTEN) ? mr_clock_wall_us(worker->process.clock)
                                                    : node->changelog_as_of_us);
    }
    MR_TRY(mr_store_unwritten(node->stores[store], collect_change, batch, err));
    if (batch->write_count > first) {
        qsort(batch->writes + first, batch->write_count - first, sizeof(*batch->writes), by_key);
    }
    return MR_OK;
}

static enum mr_status store_written(struct mr_worker *worker, struct task *task,
                                    struct mr_ctx *node, size_t store, struct mr_err *err)
{
    (void)worker;
    (void)task;
    (void)err;
    mr_store_written(node->stores[store]);
    node->changelog_next = MR_OFFSET_NONE;
    return MR_OK;
}

/* The input offsets rest with the task's first store. */
static void collect_inputs(struct mr_worker *worker, struct task *task, struct batch *batch)
{
    struct mr_space *space = NULL;

    for (size_t i = 0; space == NULL && i < worker->group->stage_count; i++) {
        if (task->nodes[i].stage->type->store_count > 0) {
            space = task->nodes[i].spaces[0];
        }
    }
    for (size_t i = 0; space != NULL && i < worker->group->input_count; i++) {
        struct input *input = &task->inputs[i];

        if (input->unwritten_offset != MR_OFFSET_NONE) {
            char name[300];

            snprintf(name, sizeof(name), "input:%s", worker_topic(worker, input->topic)->name);
            add_meta(batch, space, name, input->unwritten_offset, worker->commit_begun_us);
            input->unwritten_offset = MR_OFFSET_NONE;
        }
    }
}

size_t state_overlay_bytes(struct mr_worker *worker)
{
    size_t bytes = 0;

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        const struct task *task = worker->tasks[p];

        for (size_t i = 0; task != NULL && task->touched && i < worker->group->stage_count; i++) {
            for (size_t s = 0; s < task->nodes[i].stage->type->store_count; s++) {
                bytes += mr_store_overlay_bytes(task->nodes[i].stores[s]);
            }
        }
    }
    return bytes;
}

bool state_due(const struct mr_worker *worker)
{
    return worker->behind_since_us != INT64_MAX &&
           (worker->behind_bytes >= BEHIND_BYTES_MAX ||
            worker_now_us(worker) - worker->behind_since_us >= BEHIND_US_MAX);
}

static enum mr_status write_batch(struct mr_worker *worker, struct mr_err *err)
{
    struct mr_backend *backend = worker->process.backend;
    struct batch *batch = worker->batch;

    MR_TRY(each_store(worker, false, collect_store, err));
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL) {
            collect_inputs(worker, worker->tasks[p], batch);
        }
    }
    if (batch->write_count + batch->meta_count > 0) {
        MR_TRY(backend->ops->write(backend, batch->writes, batch->write_count, batch->metas,
                                   batch->meta_count, false, err));
    }
    return each_store(worker, false, store_written, err);
}

enum mr_status state_write(struct mr_worker *worker, struct mr_err *err)
{
    struct batch batch = {.arena = mr_arena_create(BATCH_ARENA_BYTES)};
    enum mr_status status;

    worker->batch = &batch;
    MR_MARK(BEFORE_STATE_WRITE);
    status = write_batch(worker, err);
    MR_MARK(AFTER_STATE_WRITE);
    worker->batch = NULL;
    free(batch.writes);
    free(batch.metas);
    mr_arena_destroy(&batch.arena);
    worker->behind_since_us = INT64_MAX;
    worker->behind_bytes = 0;
    if (status != MR_OK && mr_status_class(status) != MR_CLASS_FATAL) {
        const struct mr_err why = *err;

        /* Nothing is lost: the log has it all, and a restart reads it from there. */
        return mr_fail(err, MR_RESOURCE, "state cannot be written: %.300s", why.text);
    }
    return status;
}
