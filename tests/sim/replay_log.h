/*
 * replay_log.h -- a log that delivers to one task exactly what it is told to, and keeps what it
 * writes.
 *
 * Why: the outputs of a task follow from its inputs in their order. To take them again in the order
 *      of a journal, with the real runtime, somebody has to stand where the log stands.
 * How: a member is assigned one partition of each of its topics and gets the messages that were
 *      put in; a reader gets those of tables. Producers write to an in-memory log of their own. A
 *      commit that was not allowed is refused, so that transactions end where the journal says.
 */
#ifndef MILLRACE_TESTS_REPLAY_LOG_H
#define MILLRACE_TESTS_REPLAY_LOG_H

#include "millrace/log_ops.h"

struct replay_position {
    const char *topic;
    int32_t partition;
    int64_t next;
};

struct replay_log {
    struct mr_log base;
    struct mr_log *outputs;
    int32_t partition; /* of the task */
    bool may_commit;
    struct mr_message *inputs; /* to be delivered, borrowed */
    size_t input_count;
    struct mr_message *tables; /* the same for tables */
    size_t table_count;
    struct replay_position *positions; /* of tables */
    size_t position_count;
};

/* outputs: borrowed; has all topics. */
void replay_log_init(struct replay_log *log, struct mr_log *outputs);
void replay_log_fini(struct replay_log *log);
void replay_log_input(struct replay_log *log, const struct mr_message *message);
/* The next reader's poll delivers it. */
void replay_log_table(struct replay_log *log, const struct mr_message *message);
/* Where the reader of that partition stands. */
struct replay_position *replay_log_position(struct replay_log *log, const char *topic,
                                            int32_t partition);

#endif
