/*
 * tables.c -- the global tables of a worker: read whole before anything is processed, then kept up.
 *
 * How: two readers, one after the other. The first does not wait at the end of a partition, because
 *      every other partition would wait with it and no task is ready before; once all tables are at
 *      the ends they had, and the tasks are ready, a second one goes on from there and waits for
 *      news.
 */
#include "millrace/logger.h"
#include "task.h"

static enum mr_status begin(struct mr_worker *worker, struct mr_err *err)
{
    const struct mr_group_node *group = worker->group;

    for (size_t i = 0; i < group->table_count; i++) {
        const size_t topic = group->tables[i];

        worker->tables[i] = global_table_create(worker_topic(worker, topic)->name,
                                                worker->process.codec, worker->bindings[topic]);
        MR_TRY(
            global_table_start(worker->tables[i], worker->process.log, worker->table_reader, err));
    }
    return MR_OK;
}

enum mr_status tables_start(struct mr_worker *worker, struct mr_err *err)
{
    const struct mr_group_node *group = worker->group;
    enum mr_status status;

    if (group->table_count == 0 || worker->table_reader != NULL) {
        return MR_OK;
    }
    MR_TRY(
        mr_reader_open(worker->process.log, MR_READER_CATCHES_UP_US, &worker->table_reader, err));
    status = begin(worker, err);
    if (status != MR_OK) {
        mr_reader_close(&worker->table_reader);
        for (size_t i = 0; i < group->table_count; i++) {
            global_table_destroy(&worker->tables[i]);
        }
    }
    return status;
}

/* The second reader stands where the first one stood. */
static enum mr_status follow(struct mr_worker *worker, struct mr_err *err)
{
    const struct mr_group_node *group = worker->group;
    struct mr_reader *reader = NULL;
    enum mr_status status = mr_reader_open(worker->process.log, MR_READER_FOLLOWS_US, &reader, err);

    for (size_t i = 0; i < group->table_count && status == MR_OK; i++) {
        const char *topic = worker_topic(worker, group->tables[i])->name;

        for (int32_t p = 0; p < global_table_partitions(worker->tables[i]) && status == MR_OK;
             p++) {
            status = mr_reader_add(reader, topic, p,
                                   mr_reader_position(worker->table_reader, topic, p), err);
        }
    }
    if (status != MR_OK) {
        mr_reader_close(&reader);
        return status;
    }
    mr_reader_close(&worker->table_reader);
    worker->table_reader = reader;
    worker->tables_followed = true;
    return MR_OK;
}

static bool all_ready(const struct mr_worker *worker)
{
    for (size_t i = 0; i < worker->group->table_count; i++) {
        if (!global_table_ready(worker->tables[i], worker->table_reader)) {
            return false;
        }
    }
    return true;
}

/* Changing readers takes a moment, which nobody should wait for. */
static bool time_to_follow(const struct mr_worker *worker)
{
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->state < TASK_READY) {
            return false;
        }
    }
    return worker->tables_ready && !worker->tables_followed && worker->state == MR_WORKER_RUNNING;
}

static enum mr_status poll_once(struct mr_worker *worker, struct mr_err *err)
{
    size_t count = 0;

    MR_TRY(mr_reader_poll(worker->table_reader, 0, worker->polled, WORKER_POLL_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        for (size_t t = 0; t < worker->group->table_count; t++) {
            if (global_table_is(worker->tables[t], worker->polled[i].topic)) {
                global_table_apply(worker->tables[t], &worker->polled[i]);
            }
        }
        mr_message_release(&worker->polled[i]);
    }
    worker->tables_version += count > 0 || !worker->tables_ready;
    return time_to_follow(worker) ? follow(worker, err) : MR_OK;
}

enum mr_status tables_poll(struct mr_worker *worker, struct mr_err *err)
{
    enum mr_status status;

    if (worker->table_reader == NULL) {
        worker->tables_ready = true;
        return MR_OK;
    }
    status = poll_once(worker, err);
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        worker_blocked_on(worker, err->text);
        return MR_OK; /* as with the member: it goes on polling */
    }
    MR_TRY(status);
    worker->tables_ready = worker->tables_ready || all_ready(worker);
    return MR_OK;
}
