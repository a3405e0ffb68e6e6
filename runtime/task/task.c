/*
 * task.c -- a task: the group's stages for one partition number, their stores and their savepoints.
 */
#include "task.h"

#include "millrace/fault.h"
#include "millrace/logger.h"

#include <stdio.h>
#include <stdlib.h>

#define RECORD_ARENA_BYTES ((size_t)64 * 1024)

static void create_inputs(struct task *task)
{
    struct mr_worker *worker = task->worker;
    const struct mr_group_node *group = worker->group;

    task->inputs = mr_xcalloc(group->input_count, sizeof(*task->inputs));
    for (size_t i = 0; i < group->input_count; i++) {
        struct input *input = &task->inputs[i];
        const size_t first = worker->input_reader_first[i];

        input->topic = group->inputs[i];
        input->binding = worker->bindings[input->topic];
        input->readers = worker->input_readers + first;
        input->reader_count = worker->input_reader_first[i + 1] - first;
        input->record = mr_xcalloc(1, input->binding.schema->struct_bytes);
        input->next_offset = MR_OFFSET_NONE;
        input->unwritten_offset = MR_OFFSET_NONE;
    }
}

struct task *task_create(struct mr_worker *worker, int32_t partition)
{
    const struct mr_group_node *group = worker->group;
    struct task *task = mr_xcalloc(1, sizeof(*task));

    task->worker = worker;
    task->partition = partition;
    task->state = TASK_ASSIGNING;
    task->arena = mr_arena_create(RECORD_ARENA_BYTES);
    task->stream_time_us = INT64_MIN;
    create_inputs(task);
    task->nodes = mr_xcalloc(group->stage_count, sizeof(*task->nodes));
    for (size_t i = 0; i < group->stage_count; i++) {
        struct mr_ctx *node = &task->nodes[i];
        size_t stores;

        node->task = task;
        node->stage = &worker->topology->stages[group->stages[i]];
        stores = node->stage->type->store_count;
        node->stores = mr_xcalloc(stores, sizeof(struct mr_store *));
        node->spaces = mr_xcalloc(stores, sizeof(struct mr_space *));
        node->store_bindings = worker->store_bindings[i];
        node->changelog_next = MR_OFFSET_NONE;
    }
    return task;
}

enum mr_status node_open_spaces(struct mr_ctx *node, struct mr_err *err)
{
    struct mr_backend *backend = node->task->worker->process.backend;

    for (size_t i = 0; i < node->stage->type->store_count; i++) {
        char name[256];

        snprintf(name, sizeof(name), "%s.%s", node->stage->name, node->stage->type->stores[i].name);
        if (node->spaces[i] == NULL) {
            MR_TRY(backend->ops->space_open(backend, name, node->task->partition, &node->spaces[i],
                                            err));
        }
    }
    return MR_OK;
}

enum mr_status task_open_spaces(struct task *task, struct mr_err *err)
{
    for (size_t i = 0; i < task->worker->group->stage_count; i++) {
        MR_TRY(node_open_spaces(&task->nodes[i], err));
    }
    return MR_OK;
}

/* The instance and its stores; what they had not written to the backend is the changelog's. */
static void stop_node(struct mr_ctx *node)
{
    const struct mr_stage *type = node->stage->type;

    if (node->self != NULL && type->fini != NULL) {
        type->fini(node->self);
    }
    free(node->self);
    node->self = NULL;
    node->timer_count = 0;
    /* Whoever has the partition next measures it; what is summed over all must not count it twice.
     */
    for (size_t i = 0; i < node->gauge_count; i++) {
        mr_gauge_set(node->gauges[i], 0);
    }
    free(node->gauges);
    node->gauges = NULL;
    node->gauge_count = 0;
    for (size_t i = 0; i < type->store_count; i++) {
        mr_store_close(&node->stores[i]);
    }
    node->changelog_next = MR_OFFSET_NONE;
}

static void destroy_node(struct mr_ctx *node)
{
    struct mr_backend *backend = node->task->worker->process.backend;
    const struct mr_stage *type = node->stage->type;
    struct mr_err err;

    stop_node(node);
    for (size_t i = 0; i < type->store_count; i++) {
        if (node->spaces[i] != NULL &&
            backend->ops->space_close(backend, node->spaces[i], &err) != MR_OK) {
            mr_warn("store_close_failed", "stage=%s error=\"%s\"", node->stage->name, err.text);
        }
    }
    free(node->stores);
    free(node->spaces);
}

void task_destroy(struct task **out)
{
    struct task *task = *out;
    const struct mr_group_node *group;

    if (task == NULL) {
        return;
    }
    group = task->worker->group;
    for (size_t i = 0; i < group->stage_count; i++) {
        destroy_node(&task->nodes[i]);
    }
    for (size_t i = 0; i < group->input_count; i++) {
        message_queue_fini(&task->inputs[i].queue);
        free(task->inputs[i].record);
    }
    free(task->nodes);
    free(task->inputs);
    free(task->timers);
    free(task->catch_ups);
    mr_buffer_fini(&task->kept_timers);
    journal_fini(&task->journal);
    mr_buffer_fini(&task->progress);
    mr_arena_destroy(&task->arena);
    free(task);
    *out = NULL;
}

void task_reopen(struct task *task)
{
    for (size_t i = 0; i < task->worker->group->stage_count; i++) {
        stop_node(&task->nodes[i]);
    }
    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        task->inputs[i].next_offset = MR_OFFSET_NONE;
        task->inputs[i].unwritten_offset = MR_OFFSET_NONE;
    }
    journal_reset(task);
    task->touched = false;
    task->state = TASK_OPENING;
    task->opening_since_us = worker_now_us(task->worker);
    mr_arena_reset(task->arena);
}

/* ---- starting -------------------------------------------------------------------------------- */

static enum mr_status open_stores(struct mr_ctx *node, struct mr_err *err)
{
    struct mr_worker *worker = node->task->worker;
    const struct mr_stage *type = node->stage->type;

    for (size_t i = 0; i < type->store_count; i++) {
        char name[256];
        const struct mr_store_config config = {
            .name = name,
            .codec = worker->process.codec,
            .binding = node->store_bindings[i],
            .backend = worker->process.backend,
            .space = node->spaces[i],
            .arena = node->task->arena,
            .budget = &worker->cache,
        };

        snprintf(name, sizeof(name), "%s.%s", node->stage->name, type->stores[i].name);
        MR_TRY(mr_store_open(&config, &node->stores[i], err));
    }
    return MR_OK;
}

static enum mr_status start_node(struct mr_ctx *node, struct mr_err *err)
{
    const struct mr_stage *type = node->stage->type;

    MR_TRY(open_stores(node, err));
    node->self = mr_xcalloc(1, type->state_size);
    memcpy(node->self, node->stage->options, type->state_size);
    if (type->init != NULL) {
        MR_TRY(type->init(node->self, node, err));
    }
    if (type->reload != NULL) {
        MR_TRY(type->reload(node->self, node, err));
    }
    return MR_OK;
}

enum mr_status task_start(struct task *task, struct mr_err *err)
{
    for (size_t i = 0; i < task->worker->group->stage_count; i++) {
        MR_TRY(start_node(&task->nodes[i], err));
        mr_arena_reset(task->arena);
    }
    progress_start_timers(task);
    task->state = TASK_READY;
    return MR_OK;
}

/* ---- savepoints ------------------------------------------------------------------------------ */

void task_touch(struct task *task)
{
    if (task->touched) {
        return;
    }
    task->touched = true;
    task->stream_time_before_us = task->stream_time_us;
    for (size_t i = 0; i < task->timer_count; i++) {
        task->timers[i].next_before_us = task->timers[i].next_us;
    }
}

void task_release(struct task *task)
{
    for (size_t i = 0; i < task->worker->group->stage_count; i++) {
        struct mr_ctx *node = &task->nodes[i];

        for (size_t s = 0; s < node->stage->type->store_count; s++) {
            mr_store_release(node->stores[s]);
        }
    }
}

/* Undoes in every store of every stage; a stage whose stores changed back loads them again. */
static enum mr_status undo(struct task *task, bool (*undo_store)(struct mr_store *),
                           struct mr_err *err)
{
    for (size_t i = 0; i < task->worker->group->stage_count; i++) {
        struct mr_ctx *node = &task->nodes[i];
        const struct mr_stage *type = node->stage->type;
        bool any = false;

        for (size_t s = 0; s < type->store_count; s++) {
            any = undo_store(node->stores[s]) || any;
        }
        if (any && type->reload != NULL && !MR_PLANTED(NO_RELOAD)) {
            MR_TRY(type->reload(node->self, node, err));
        }
    }
    return MR_OK;
}

enum mr_status task_rollback(struct task *task, struct mr_err *err)
{
    return undo(task, mr_store_rollback, err);
}

enum mr_status task_abort(struct task *task, struct mr_err *err)
{
    const enum mr_status status =
        MR_PLANTED(OVERLAY_KEPT) ? MR_OK : undo(task, mr_store_abort, err);

    if (!MR_PLANTED(STREAM_TIME_KEPT)) {
        task->stream_time_us = task->stream_time_before_us;
    }
    for (size_t i = 0; i < task->timer_count && !MR_PLANTED(TIMERS_KEPT); i++) {
        task->timers[i].next_us = task->timers[i].next_before_us;
    }
    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        task->inputs[i].next_offset = MR_OFFSET_NONE;
    }
    journal_dropped(task);
    task->touched = false;
    return status;
}
