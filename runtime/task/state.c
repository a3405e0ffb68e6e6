/*
 * state.c -- from the overlays to the changelog before the commit, and to the backend after it.
 *
 * One batch carries the values, the changelog offset and the input offsets, so that what is on disk
 * is always a committed state of the log, at most one transaction behind.
 */
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

struct send_arg {
    struct mr_worker *worker;
    struct outbox_item item;
};

static enum mr_status send_change(void *arg, struct mr_slice key, struct mr_slice value,
                                  bool has_value, struct mr_err *err)
{
    const struct send_arg *send = arg;
    struct mr_worker *worker = send->worker;
    const struct mr_outgoing record = {
        .topic = worker->producer_topics[send->item.topic],
        .partition = send->item.partition,
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = key,
        .value = value,
        .has_value = has_value,
    };

    return mr_producer_send(worker->producer, &record, err);
}

typedef enum mr_status visit_store(struct mr_worker *worker, struct task *task, struct mr_ctx *node,
                                   size_t store, void *arg, struct mr_err *err);

static enum mr_status each_touched_store(struct mr_worker *worker, visit_store *visit, void *arg,
                                         struct mr_err *err)
{
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        struct task *task = worker->tasks[p];

        for (size_t i = 0; task != NULL && task->touched && i < worker->group->stage_count; i++) {
            struct mr_ctx *node = &task->nodes[i];

            for (size_t s = 0; s < node->stage->type->store_count; s++) {
                MR_TRY(visit(worker, task, node, s, arg, err));
            }
        }
    }
    return MR_OK;
}

static enum mr_status send_store(struct mr_worker *worker, struct task *task, struct mr_ctx *node,
                                 size_t store, void *arg, struct mr_err *err)
{
    struct send_arg send = {
        .worker = worker,
        .item = {.topic = node->stage->changelogs[store], .partition = task->partition},
    };

    (void)arg;
    return mr_store_changes(node->stores[store], send_change, &send, err);
}

enum mr_status state_send_changes(struct mr_worker *worker, struct mr_err *err)
{
    return each_touched_store(worker, send_store, NULL, err);
}

/* ---- after the commit ------------------------------------------------------------------------ */

struct batch {
    struct mr_backend_write *writes;
    size_t write_count, write_capacity;
    struct mr_backend_write *metas;
    size_t meta_count, meta_capacity;
    struct mr_space *space; /* of the store being collected */
    struct mr_arena *arena; /* of metadata keys and values */
    int64_t wall_us;
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

void meta_offset_write(uint8_t bytes[16], int64_t offset, int64_t wall_us)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)offset >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)((uint64_t)wall_us >> (56 - 8 * i));
    }
}

static void add_meta(struct batch *batch, struct mr_space *space, const char *name, int64_t offset)
{
    uint8_t *value = mr_arena_alloc(batch->arena, 16);

    meta_offset_write(value, offset, batch->wall_us);
    *grow(&batch->metas, &batch->meta_count, &batch->meta_capacity) = (struct mr_backend_write){
        .space = space,
        .key = mr_arena_copy(batch->arena, mr_slice_str(name)),
        .value = mr_slice_of(value, 16),
        .has_value = true,
    };
}

static enum mr_status collect_store(struct mr_worker *worker, struct task *task,
                                    struct mr_ctx *node, size_t store, void *arg,
                                    struct mr_err *err)
{
    struct batch *batch = arg;
    const size_t before = batch->write_count;
    const size_t topic = node->stage->changelogs[store];
    const int64_t delivered =
        mr_producer_delivered(worker->producer, worker->producer_topics[topic], task->partition);

    batch->space = node->spaces[store];
    MR_TRY(mr_store_changes(node->stores[store], collect_change, batch, err));
    if (batch->write_count > before) {
        if (delivered == MR_OFFSET_NONE) {
            return mr_fail(err, MR_LOG_FATAL, "changelog %s: committed without a delivery report",
                           worker_topic(worker, topic)->name);
        }
        add_meta(batch, batch->space, META_CHANGELOG, delivered + 1);
    }
    return MR_OK;
}

/* The input offsets rest with the task's first store. */
static void collect_inputs(struct mr_worker *worker, const struct task *task, struct batch *batch)
{
    struct mr_space *space = NULL;

    for (size_t i = 0; space == NULL && i < worker->group->stage_count; i++) {
        if (task->nodes[i].stage->type->store_count > 0) {
            space = task->nodes[i].spaces[0];
        }
    }
    for (size_t i = 0; space != NULL && i < worker->group->input_count; i++) {
        const struct input *input = &task->inputs[i];

        if (input->next_offset != MR_OFFSET_NONE) {
            char name[300];

            snprintf(name, sizeof(name), "input:%s", worker_topic(worker, input->topic)->name);
            add_meta(batch, space, name, input->next_offset);
        }
    }
}

static enum mr_status commit_store(struct mr_worker *worker, struct task *task, struct mr_ctx *node,
                                   size_t store, void *arg, struct mr_err *err)
{
    (void)worker;
    (void)task;
    (void)arg;
    (void)err;
    mr_store_committed(node->stores[store]);
    return MR_OK;
}

enum mr_status state_write_committed(struct mr_worker *worker, struct mr_err *err)
{
    struct mr_backend *backend = worker->process.backend;
    struct batch batch = {.arena = mr_arena_create(16 * 1024),
                          .wall_us = mr_clock_wall_us(worker->process.clock)};
    enum mr_status status = each_touched_store(worker, collect_store, &batch, err);

    for (int32_t p = 0; status == MR_OK && p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->touched) {
            collect_inputs(worker, worker->tasks[p], &batch);
        }
    }
    if (status == MR_OK && batch.write_count + batch.meta_count > 0) {
        status = backend->ops->write(backend, batch.writes, batch.write_count, batch.metas,
                                     batch.meta_count, false, err);
    }
    if (status == MR_OK) {
        status = each_touched_store(worker, commit_store, NULL, err);
    }
    free(batch.writes);
    free(batch.metas);
    mr_arena_destroy(&batch.arena);
    return status;
}
