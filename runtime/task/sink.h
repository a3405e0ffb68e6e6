/*
 * sink.h -- the parts of a running connector, shared by sink_runner.c (its life), sink_batch.c
 * (what happens to a batch) and sink_letters.c (what nobody can write).
 */
#ifndef MILLRACE_TASK_SINK_H
#define MILLRACE_TASK_SINK_H

#include "task.h"

#define SINK_BATCH_MAX ((size_t)1000)

struct sink_position {
    const char *topic;
    int32_t partition;
    int64_t next; /* behind the last acknowledged record */
    bool moved;   /* since the last commit */
};

struct mr_sink_runner {
    struct mr_process process;
    const struct mr_connector_node *node;
    const struct mr_topic *topic;
    enum mr_worker_state state;
    _Atomic bool stopping;
    char group_id[256];
    char identity[300];
    void *self; /* the sink's state */
    bool is_open;
    struct mr_binding binding;
    struct mr_member *member;
    struct mr_producer *dead_letters; /* NULL: to be opened */
    struct outbox letters;            /* of the batch; topic 0 is the dead-letter topic */
    bool letters_in_doubt;            /* whether their commit came through is not known */
    int dead_letter_topic;
    int32_t dead_letter_partitions;
    struct mr_arena *arena;
    struct mr_message polled[SINK_BATCH_MAX];
    /* The batch. All of it is acknowledged at once: a position never passes what still waits. */
    struct mr_message messages[SINK_BATCH_MAX];
    bool lettered[SINK_BATCH_MAX]; /* the message is among the letters */
    size_t batch_count;
    /* Those of its messages that are to be written. */
    struct mr_record records[SINK_BATCH_MAX];
    size_t sources[SINK_BATCH_MAX]; /* the message of each */
    size_t record_count;
    bool paused;
    int attempts; /* that failed in a row */
    int64_t retry_at_us;
    int64_t last_commit_us;
    struct sink_position *positions;
    size_t position_count;
    struct mr_counter *written;
    struct mr_counter *dead;
    struct mr_histogram *write_us;
    struct mr_worker_status live;
    pthread_mutex_t status_lock;
    struct mr_worker_status status;
};

static inline int64_t sink_now_us(const struct mr_sink_runner *runner)
{
    return mr_clock_monotonic_us(runner->process.clock);
}

/* Connects when it is not. */
MR_NODISCARD enum mr_status sink_open(struct mr_sink_runner *runner, struct mr_err *err);
/* Decodes and writes what is in hand; MR_OK: all of it is acknowledged or dead-lettered, for good.
 */
MR_NODISCARD enum mr_status sink_write_batch(struct mr_sink_runner *runner, struct mr_err *err);
/* Forgets what is in hand; it comes again. */
void sink_drop_batch(struct mr_sink_runner *runner);

/* Under the connector's own transactional id; settles what an earlier process left open. */
MR_NODISCARD enum mr_status sink_letters_open(struct mr_sink_runner *runner, struct mr_err *err);
/* messages[message] is nobody's to write; waits for the end of the batch. */
void sink_letters_add(struct mr_sink_runner *runner, size_t message, const struct mr_err *why);
/* The batch goes away. */
void sink_letters_drop(struct mr_sink_runner *runner);
/* Letters and the offsets behind the batch, at once. RETRY: not, or not known; call it again. */
MR_NODISCARD enum mr_status sink_letters_commit(struct mr_sink_runner *runner, struct mr_err *err);

#endif
