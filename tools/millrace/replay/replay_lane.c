/* replay_lane.c -- see replay_lane.h. */
#include "replay_lane.h"

#include "millrace/arena.h"

#include <pthread.h>
#include <stdlib.h>

#define STEP_US (20 * MR_MS_US)

struct replay_lane {
    struct replay_lane_options options;
    struct mr_replay *replay;
    pthread_t thread;
    pthread_mutex_t mutex;  /* protects all below */
    pthread_cond_t changed; /* bytes were returned, more are allowed, or it is to stop */
    struct replay_list written;
    size_t bytes; /* not yet returned */
    size_t bytes_max;
    bool waits;
    bool stop;
    bool over;
    enum mr_status status;
    struct mr_err err;
    struct mr_replay_progress progress;
};

static void lock(struct replay_lane *lane)
{
    MR_ASSERT(pthread_mutex_lock(&lane->mutex) == 0);
}

static void unlock(struct replay_lane *lane)
{
    MR_ASSERT(pthread_mutex_unlock(&lane->mutex) == 0);
}

/* Items are made outside of the lock. */
static enum mr_status worked(void *arg, const struct mr_replay_transaction *transaction,
                             struct mr_err *err)
{
    struct replay_lane *lane = arg;
    const size_t source = lane->options.first_source + (size_t)transaction->task;
    struct replay_list list = {0};
    struct replay_item *item;
    bool stop;

    for (size_t i = 0; i < transaction->output_count; i++) {
        if (lane->options.wanted[transaction->outputs[i].topic]) {
            replay_list_push(&list,
                             replay_item_create(transaction, &transaction->outputs[i], source));
        }
    }
    lock(lane);
    lane->bytes += list.bytes;
    while ((item = replay_list_pop(&list)) != NULL) {
        replay_list_push(&lane->written, item);
    }
    mr_replay_progress(lane->replay, &lane->progress);
    while (lane->bytes > lane->bytes_max && !lane->stop) {
        lane->waits = true;
        MR_ASSERT(pthread_cond_wait(&lane->changed, &lane->mutex) == 0);
    }
    lane->waits = false;
    stop = lane->stop;
    unlock(lane);
    return stop ? mr_fail(err, MR_TIMEOUT, "the replay was stopped") : MR_OK;
}

static void *run(void *arg)
{
    struct replay_lane *lane = arg;
    enum mr_status status = MR_OK;
    struct mr_err err = {0};
    bool over = false;
    bool stop = false;

    while (!over && !stop && status == MR_OK) {
        status = mr_replay_step(lane->replay, STEP_US, &over, &err);
        lock(lane);
        stop = lane->stop;
        unlock(lane);
    }
    lock(lane);
    mr_replay_progress(lane->replay, &lane->progress);
    lane->status = status;
    lane->err = err;
    lane->over = true;
    unlock(lane);
    return NULL;
}

enum mr_status replay_lane_start(const struct replay_lane_options *options,
                                 struct replay_lane **out, struct mr_err *err)
{
    struct replay_lane *lane = mr_xcalloc(1, sizeof(*lane));
    struct mr_process process = *options->process;
    enum mr_status status;

    process.backend = options->backend;
    lane->options = *options;
    lane->bytes_max = options->bytes_max;
    status = mr_replay_open(
        &process, options->group,
        &(struct mr_replay_options){.until_us = options->until_us, .worked = worked, .arg = lane},
        &lane->replay, err);
    if (status != MR_OK) {
        free(lane);
        return status;
    }
    MR_ASSERT(pthread_mutex_init(&lane->mutex, NULL) == 0);
    MR_ASSERT(pthread_cond_init(&lane->changed, NULL) == 0);
    if (pthread_create(&lane->thread, NULL, run, lane) != 0) {
        mr_replay_destroy(&lane->replay);
        pthread_cond_destroy(&lane->changed);
        pthread_mutex_destroy(&lane->mutex);
        free(lane);
        return mr_fail(err, MR_RESOURCE, "no thread for a replay");
    }
    *out = lane;
    return MR_OK;
}

enum mr_status replay_lane_fetch(struct replay_lane *lane, struct replay_list *list, bool *over,
                                 struct mr_err *err)
{
    enum mr_status status = MR_OK;
    struct replay_item *item;

    lock(lane);
    *over = lane->over;
    if (lane->over && lane->written.count == 0 && lane->status != MR_OK) {
        status = lane->status;
        *err = lane->err;
    }
    while ((item = replay_list_pop(&lane->written)) != NULL) {
        replay_list_push(list, item);
    }
    unlock(lane);
    return status;
}

void replay_lane_return(struct replay_lane *lane, size_t bytes)
{
    lock(lane);
    lane->bytes -= bytes;
    if (lane->waits && lane->bytes <= lane->bytes_max / 2) {
        lane->waits = false;
        MR_ASSERT(pthread_cond_signal(&lane->changed) == 0);
    }
    unlock(lane);
}

bool replay_lane_waits(struct replay_lane *lane)
{
    bool waits;

    lock(lane);
    waits = lane->waits;
    unlock(lane);
    return waits;
}

void replay_lane_allow(struct replay_lane *lane, size_t bytes_max)
{
    lock(lane);
    lane->bytes_max = bytes_max;
    lane->waits = false;
    MR_ASSERT(pthread_cond_signal(&lane->changed) == 0);
    unlock(lane);
}

void replay_lane_progress(struct replay_lane *lane, struct mr_replay_progress *progress)
{
    lock(lane);
    *progress = lane->progress;
    unlock(lane);
}

void replay_lane_destroy(struct replay_lane **out)
{
    struct replay_lane *lane = *out;

    if (lane == NULL) {
        return;
    }
    lock(lane);
    lane->stop = true;
    MR_ASSERT(pthread_cond_signal(&lane->changed) == 0);
    unlock(lane);
    MR_ASSERT(pthread_join(lane->thread, NULL) == 0);
    mr_replay_destroy(&lane->replay);
    replay_list_fini(&lane->written);
    pthread_cond_destroy(&lane->changed);
    pthread_mutex_destroy(&lane->mutex);
    free(lane);
    *out = NULL;
}
