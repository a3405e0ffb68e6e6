/*
 * log.c -- the in-memory log: creation, the lock, time and waiting.
 *
 * How time passes: nothing runs in the background. Every call first ends the transactions and the
 *   sessions whose time is up (memory_tick), and a waiting call wakes for the next of them.
 * How waiting works: on the machine's clock a caller sleeps on a condition variable; on any other
 *   clock it asks that clock to wait, which a simulated one does by moving its time.
 */
#include "memory.h"

#include <stdlib.h>
#include <time.h>

#define ARENA_CHUNK_BYTES ((size_t)256 * 1024)
#define CAPACITY_MIN ((size_t)4)

struct memory_log *memory_log_of(struct mr_log *log)
{
    return MR_SELF(struct memory_log, (struct memory_log *)log, MEMORY_MAGIC);
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    MR_ASSERT(pthread_condattr_init(&attributes) == 0);
    MR_ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    MR_ASSERT(pthread_cond_init(condition, &attributes) == 0);
    MR_ASSERT(pthread_condattr_destroy(&attributes) == 0);
}

struct mr_log *mr_log_memory_create(const struct mr_clock *clock)
{
    struct memory_log *log = mr_xcalloc(1, sizeof(*log));

    log->base.ops = &memory_ops;
    log->magic = MEMORY_MAGIC;
    log->clock = clock;
    log->hidden = MEMORY_SKIPPED | MEMORY_COMPACTED;
    log->arena = mr_arena_create(ARENA_CHUNK_BYTES);
    log->next_expiry_us = MEMORY_FOREVER_US;
    MR_ASSERT(pthread_mutex_init(&log->lock, NULL) == 0);
    init_condition(&log->changed);
    return &log->base;
}

static void memory_close(struct mr_log *base)
{
    struct memory_log *log = memory_log_of(base);

    MR_ASSERT(log->handles == 0);
    for (size_t i = 0; i < log->topic_count; i++) {
        memory_topic_destroy(log->topics[i]);
    }
    for (size_t i = 0; i < log->id_count; i++) {
        memory_id_destroy(log->ids[i]);
    }
    for (size_t i = 0; i < log->group_count; i++) {
        memory_group_destroy(log->groups[i]);
    }
    for (size_t i = 0; i < MR_COUNT(log->faults); i++) {
        free(log->faults[i].list);
    }
    free(log->topics);
    free(log->ids);
    free(log->groups);
    mr_arena_destroy(&log->arena);
    MR_ASSERT(pthread_cond_destroy(&log->changed) == 0);
    MR_ASSERT(pthread_mutex_destroy(&log->lock) == 0);
    log->magic = 0;
    free(log);
}

static const char *memory_address(const struct mr_log *base)
{
    (void)base;
    return "memory";
}

/* ---- lock and time ----------------------------------------------------------------------------
 */

int64_t memory_enter(struct memory_log *log)
{
    MR_ASSERT(pthread_mutex_lock(&log->lock) == 0);
    return memory_tick(log);
}

void memory_leave(struct memory_log *log)
{
    MR_ASSERT(pthread_mutex_unlock(&log->lock) == 0);
}

void memory_expect(struct memory_log *log, int64_t at_us)
{
    if (at_us < log->next_expiry_us) {
        log->next_expiry_us = at_us;
    }
}

int64_t memory_tick(struct memory_log *log)
{
    const int64_t now_us = mr_clock_monotonic_us(log->clock);

    if (now_us < log->next_expiry_us) {
        return now_us;
    }
    log->next_expiry_us = MEMORY_FOREVER_US;
    for (size_t i = 0; i < log->id_count; i++) {
        struct memory_id *id = log->ids[i];

        if (id->deadline_us <= now_us) {
            memory_transaction_end(log, id, false);
            id->epoch++;
        }
        memory_transaction_mark(log, id, now_us);
        memory_expect(log, id->deadline_us);
    }
    for (size_t i = 0; i < log->group_count; i++) {
        memory_group_expire(log, log->groups[i], now_us);
    }
    return now_us;
}

int64_t memory_deadline(int64_t now_us, int64_t timeout_us)
{
    return timeout_us > INT64_MAX - now_us ? INT64_MAX : now_us + timeout_us;
}

void memory_changed(struct memory_log *log)
{
    if (log->waiters > 0) {
        MR_ASSERT(pthread_cond_broadcast(&log->changed) == 0);
    }
}

static bool is_machine_clock(const struct mr_clock *clock)
{
    const struct mr_clock *machine = mr_clock_system();

    return clock->wait_us == machine->wait_us && clock->monotonic_us == machine->monotonic_us;
}

/* Waits on a clock of somebody's own; false when that did not move its time. */
static bool wait_on_clock(struct memory_log *log, int64_t until_us)
{
    const int64_t before_us = mr_clock_monotonic_us(log->clock);

    memory_leave(log);
    mr_clock_wait_us(log->clock, until_us - before_us);
    MR_ASSERT(pthread_mutex_lock(&log->lock) == 0);
    return mr_clock_monotonic_us(log->clock) > before_us;
}

static void wait_on_machine(struct memory_log *log, int64_t until_us)
{
    const struct timespec until = {.tv_sec = (time_t)(until_us / 1000000),
                                   .tv_nsec = (long)(until_us % 1000000) * 1000};

    log->waiters++;
    (void)pthread_cond_timedwait(&log->changed, &log->lock, &until);
    log->waiters--;
}

bool memory_wait(struct memory_log *log, int64_t deadline_us)
{
    const int64_t now_us = mr_clock_monotonic_us(log->clock);
    const int64_t until_us = log->next_expiry_us < deadline_us ? log->next_expiry_us : deadline_us;

    if (now_us >= deadline_us) {
        return false;
    }
    if (until_us > now_us) {
        if (is_machine_clock(log->clock)) {
            wait_on_machine(log, until_us);
        } else if (!wait_on_clock(log, until_us)) {
            return false;
        }
    }
    (void)memory_tick(log);
    return true;
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity == 0 ? CAPACITY_MIN : *capacity * 2;
    return mr_xrealloc(array, *capacity * element_bytes);
}

const struct mr_log_ops memory_ops = {
    .topic_partitions = memory_topic_partitions,
    .topic_config = memory_topic_config,
    .topic_create = memory_topic_create,
    .topic_alter = memory_topic_alter,
    .watermarks = memory_watermarks,
    .end = memory_end,
    .committed = memory_committed,
    .member_present = memory_member_present,
    .group_members = memory_group_members,
    .group_commit = memory_group_commit,
    .topic_names = memory_topic_names,
    .address = memory_address,
    .close = memory_close,
    .producer_open = memory_producer_open,
    .producer_topic = memory_producer_topic,
    .producer_begin = memory_producer_begin,
    .producer_send = memory_producer_send,
    .producer_commit = memory_producer_commit,
    .producer_commit_as = memory_producer_commit_as,
    .producer_abort = memory_producer_abort,
    .producer_flush = memory_producer_flush,
    .producer_poll = memory_producer_poll,
    .producer_delivered = memory_producer_delivered,
    .producer_close = memory_producer_close,
    .member_open = memory_member_open,
    .member_poll = memory_member_poll,
    .member_pause = memory_member_pause,
    .member_resume = memory_member_resume,
    .member_seek = memory_member_seek,
    .member_commit = memory_member_commit,
    .member_close = memory_member_close,
    .reader_open = memory_reader_open,
    .reader_add = memory_reader_add,
    .reader_remove = memory_reader_remove,
    .reader_poll = memory_reader_poll,
    .reader_position = memory_reader_position,
    .reader_close = memory_reader_close,
    .message_headers = memory_message_headers,
    .message_release = memory_message_release,
};
