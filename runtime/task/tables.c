/*
 * tables.c -- the global tables of a worker: read whole before anything is processed, then kept up.
 *
 * How: two readers, one after the other. The first does not wait at the end of a partition, because
 *      every other partition would wait with it and no task is ready before. Once all tables are at
 *      the ends they had, the log is asked once more where they end: while they were read its
 *      cleaner may have taken a record before it was read, for the sake of a newer one that came
 *      behind the end. When they are there too, and the tasks are ready, a second reader goes on
 *      and waits for news.
 *      Tables that were not read for longer than tombstones live (gap.c) begin again; what they had
 *      stays until then, and nothing is processed.
 */
#include "millrace/logger.h"
#include "task.h"

/* From the beginning of each, with a new reader; on failure nothing has changed. */
static enum mr_status begin(struct mr_worker *worker, struct mr_err *err)
{
    struct mr_reader *reader;
    enum mr_status status = MR_OK;
    int64_t heard_us;

    gap_begin(worker, &heard_us);
    MR_TRY(mr_reader_open(worker->process.log, MR_READER_CATCHES_UP_US, &reader, err));
    for (size_t i = 0; i < worker->group->table_count && status == MR_OK; i++) {
        status = global_table_start(worker->tables[i], worker->process.log, reader, err);
    }
    if (status != MR_OK) {
        mr_reader_close(&reader);
        return status;
    }
    mr_reader_close(&worker->table_reader);
    worker->table_reader = reader;
    worker->tables_heard_us = heard_us;
    worker->tables_ready = worker->tables_read_through = worker->tables_followed = false;
    return MR_OK;
}

enum mr_status tables_start(struct mr_worker *worker, struct mr_err *err)
{
    const struct mr_group_node *group = worker->group;

    if (group->table_count == 0 || worker->table_reader != NULL) {
        return MR_OK;
    }
    for (size_t i = 0; i < group->table_count; i++) {
        const size_t topic = group->tables[i];

        if (worker->tables[i] == NULL) {
            worker->tables[i] = global_table_create(worker_topic(worker, topic)->name,
                                                    worker->process.codec, worker->bindings[topic]);
        }
    }
    return begin(worker, err);
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

static bool all_read(const struct mr_worker *worker)
{
    for (size_t i = 0; i < worker->group->table_count; i++) {
        if (!global_table_ready(worker->tables[i], worker->table_reader)) {
            return false;
        }
    }
    return true;
}

/* All are at the ends they had: once more, and they are ready. */
static enum mr_status read_through(struct mr_worker *worker, struct mr_err *err)
{
    for (size_t i = 0; i < worker->group->table_count && !worker->tables_read_through; i++) {
        MR_TRY(global_table_aim(worker->tables[i], worker->process.log, err));
    }
    worker->tables_read_through = true;
    if (!all_read(worker)) {
        return MR_OK;
    }
    for (size_t i = 0; i < worker->group->table_count; i++) {
        global_table_drop_former(worker->tables[i]);
    }
    worker->tables_ready = true;
    return MR_OK;
}

/* Changing readers takes a moment, which nobody should wait for. */
static bool time_to_follow(const struct mr_worker *worker)
{
    if (!worker->tables_ready || worker->tables_followed || worker->state != MR_WORKER_RUNNING) {
        return false;
    }
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->state < TASK_READY) {
            return false;
        }
    }
    return true;
}

static enum mr_status poll_once(struct mr_worker *worker, struct mr_err *err)
{
    size_t count = 0;

    MR_TRY(gap_poll(worker, worker->table_reader, &worker->tables_heard_us, worker->polled, &count,
                    err));
    for (size_t i = 0; i < count; i++) {
        for (size_t t = 0; t < worker->group->table_count; t++) {
            if (global_table_is(worker->tables[t], worker->polled[i].topic)) {
                global_table_apply(worker->tables[t], &worker->polled[i]);
            }
        }
        mr_message_release(&worker->polled[i]);
    }
    worker->tables_version += count > 0 || !worker->tables_ready;
    if (!worker->tables_ready && all_read(worker)) {
        MR_TRY(read_through(worker, err));
    }
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
    if (status == MR_OUT_OF_RANGE) {
        mr_warn("tables", "group=%s worker=%d error=\"%s\"", worker->group->name, worker->index,
                err->text);
        worker->tables_ready = false;
        worker->tables_heard_us = 0; /* until they have begun */
        status = begin(worker, err);
    }
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        worker_blocked_on(worker, err->text);
        return MR_OK; /* as with the member: it goes on polling */
    }
    return status;
}
