/*
 * log_open.h -- how the two logs are opened. Only main programs and tests include this.
 */
#ifndef MILLRACE_LOG_OPEN_H
#define MILLRACE_LOG_OPEN_H

#include "millrace/clock.h"
#include "millrace/log.h"

/* properties: librdkafka's own names (bootstrap.servers, security.protocol ...), passed to every
 * client. */
MR_NODISCARD enum mr_status mr_log_kafka_open(const struct mr_topic_config *properties,
                                              size_t count, struct mr_log **log,
                                              struct mr_err *err);

/* clock is borrowed; transactions and sessions time out on it. */
struct mr_log *mr_log_memory_create(const struct mr_clock *clock);

/*
 * Makes the n-th next call of one operation fail (n = 1: the next). `done` true: the effect happens
 * but the caller is told `status` ("done, but the answer was lost").
 */
enum mr_log_call {
    MR_LOG_CALL_SEND,
    MR_LOG_CALL_BEGIN,
    MR_LOG_CALL_COMMIT,
    MR_LOG_CALL_ABORT,
    MR_LOG_CALL_POLL,
    MR_LOG_CALL_FLUSH,
    MR_LOG_CALL_WATERMARKS,
    MR_LOG_CALL_LAST, /* mr_log_end */
    MR_LOG_CALL_COMMITTED,
    MR_LOG_CALL_OPEN, /* mr_producer_open */
    MR_LOG_CALL_END,
};
void mr_log_memory_fail(struct mr_log *log, enum mr_log_call call, int n, enum mr_status status,
                        bool done);
/*
 * The end of a transaction reaches each partition it has written to, and the group, after a time of
 * its own, at most delay_max_us. 0: at once.
 */
void mr_log_memory_slow_markers(struct mr_log *log, int64_t delay_max_us, uint64_t seed);
/* While it is down no call is answered. */
void mr_log_memory_set_down(struct mr_log *log, bool down);
/*
 * Of each key only the last record is delivered from now on, and no tombstone from before that
 * time. Shown: everything is delivered again, for a look at what was there.
 */
void mr_log_memory_compact(struct mr_log *log, const char *topic, int64_t tombstones_before_ms);
void mr_log_memory_show_compacted(struct mr_log *log, bool show);
/* Those to come do not. */
void mr_log_memory_calm(struct mr_log *log);

#endif
