/*
 * standby.c -- copies of the stores of tasks that somebody else has.
 *
 * Why: a task that moves here after its owner died would have to read its whole changelog first. An
 *      instance that has followed it needs only the tail, however large the state is.
 * How: option `standby` of a group. Every instance reads the changelogs of the tasks that it does
 *      not own, committed records only, and writes them to its own state with their offsets, in the
 *      same way as a restore does. When such a task is assigned, reading stops, and the ordinary
 * way of opening it finds state that is nearly complete. Not: with several workers in a process,
 * which would share the state: the topology refuses that.
 */
#include "millrace/fault.h"
#include "millrace/logger.h"
#include "task.h"

#include <stdlib.h>

/* A busy group commits all the time; a tail that is some milliseconds old is as good. */
#define LOOK_EVERY_US (20 * MR_MS_US)
#define RETRY_US MR_SECOND_US
#define LAG_EVERY_US (10 * MR_SECOND_US)

static enum mr_status begin(struct mr_worker *worker, int32_t partition, struct mr_err *err)
{
    struct task *copy = task_create(worker, partition);
    const enum mr_status status = restore_follow(copy, worker->standby_reader, err);

    if (status != MR_OK) {
        task_destroy(&copy);
        return status;
    }
    worker->standbys[partition] = copy;
    return MR_OK;
}

static enum mr_status begin_all(struct mr_worker *worker, struct mr_err *err)
{
    if (worker->standby_reader == NULL) {
        gap_begin(worker, &worker->standby_heard_us);
        MR_TRY(mr_reader_open(worker->process.log, MR_READER_FOLLOWS_US, &worker->standby_reader,
                              err));
    }
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] == NULL && worker->standbys[p] == NULL) {
            MR_TRY(begin(worker, p, err));
        }
    }
    return MR_OK;
}

void standby_end(struct mr_worker *worker, int32_t partition)
{
    struct task *copy = worker->standbys[partition];
    struct mr_err err;

    if (MR_PLANTED(STANDBY_GOES_ON) && !worker->crashing) {
        return;
    }
    for (size_t i = 0; copy != NULL && i < worker->group->stage_count; i++) {
        const size_t changelog = copy->nodes[i].stage->changelog;

        if (changelog != MR_UNBOUND &&
            mr_reader_remove(worker->standby_reader, worker_topic(worker, changelog)->name,
                             partition, &err) != MR_OK) {
            mr_warn("standby_reader", "error=\"%s\"", err.text);
        }
    }
    task_destroy(&worker->standbys[partition]);
}

void standby_end_all(struct mr_worker *worker)
{
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        standby_end(worker, p);
    }
    mr_reader_close(&worker->standby_reader);
}

/* How many records a copy is behind its changelogs. */
static enum mr_status lag_of(const struct mr_worker *worker, const struct task *copy, int64_t *lag,
                             struct mr_err *err)
{
    struct mr_extent *extents = mr_xcalloc(worker->group->stage_count, sizeof(*extents));
    size_t count = 0;
    const enum mr_status status = restore_extents(copy, extents, &count, err);

    for (size_t i = 0; i < count && status == MR_OK; i++) {
        const int64_t at =
            mr_reader_position(worker->standby_reader, extents[i].topic, extents[i].partition);

        *lag += extents[i].stable_end > at ? extents[i].stable_end - at : 0;
    }
    free(extents);
    return status;
}

/* Of all copies together. What cannot be asked now is asked the next time. */
static void show_lag(struct mr_worker *worker)
{
    int64_t lag = 0;
    struct mr_err err;

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->standbys[p] != NULL &&
            lag_of(worker, worker->standbys[p], &lag, &err) != MR_OK) {
            return;
        }
    }
    mr_gauge_set(worker->metrics.standby_lag, lag);
}

enum mr_status standby_step(struct mr_worker *worker, struct mr_err *err)
{
    const int64_t now_us = worker_now_us(worker);
    enum mr_status status;

    /* A copy beside a restore that is waited for would only slow it down. */
    if (!worker->group->standby || worker->state != MR_WORKER_RUNNING ||
        worker->restoring.since_us != 0 || now_us < worker->standby_at_us) {
        return MR_OK;
    }
    worker->standby_at_us = now_us + LOOK_EVERY_US;
    status = begin_all(worker, err);
    if (status == MR_OK) {
        status = restore_read(worker, worker->standby_reader, &worker->standby_heard_us,
                              worker->standbys, err);
    }
    if (status == MR_OK && now_us >= worker->standby_lag_at_us) {
        worker->standby_lag_at_us = now_us + LAG_EVERY_US;
        show_lag(worker);
    }
    if (status == MR_OUT_OF_RANGE || mr_status_class(status) == MR_CLASS_RETRY) {
        /* The changelog's start has moved past a copy, it has not been read for too long, or a
         * server is away: they begin anew, with what can still be trusted. */
        mr_warn("standby", "group=%s worker=%d error=\"%s\"", worker->group->name, worker->index,
                err->text);
        standby_end_all(worker);
        worker->standby_at_us = now_us + RETRY_US;
        status = MR_OK;
    }
    return status;
}
