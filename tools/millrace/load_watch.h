/*
 * load_watch.h -- what comes out while the load goes in: outcomes counted, latencies measured.
 *
 * Latency: from handing a command to the log until a committed reader holds the first report about
 * it (for a taker that is the transaction with its trade). Both instants are of one clock of this
 * process; record timestamps are not used, because outputs carry those of their inputs.
 * Thread: load_watch_sent from the sender, everything else from the watcher; counts may be read by
 * anybody.
 */
#ifndef MILLRACE_LOAD_WATCH_H
#define MILLRACE_LOAD_WATCH_H

#include "load_feed.h"

#include <stdatomic.h>

struct load_watch;

struct load_latency {
    int64_t samples;
    int64_t p50_us, p99_us, max_us;
};

/* run: prefix of the eventIds. commands_max: an upper bound of their numbers. Starts at the present
 * ends. */
MR_NODISCARD enum mr_status load_watch_open(const struct load_env *env, const char *run,
                                            int64_t commands_max, struct load_watch **watch,
                                            struct mr_err *err);
void load_watch_sent(struct load_watch *watch, int64_t number);
MR_NODISCARD enum mr_status load_watch_step(struct load_watch *watch, int64_t timeout_us,
                                            struct mr_err *err);
/* Steps in a thread of its own until load_watch_close. */
MR_NODISCARD enum mr_status load_watch_start(struct load_watch *watch, struct mr_err *err);
/* Commands with an outcome, dead letters included. */
int64_t load_watch_outcomes(const struct load_watch *watch);
int64_t load_watch_executions(const struct load_watch *watch);
/* Monotonic time of the last outcome; 0 before the first. */
int64_t load_watch_last_us(const struct load_watch *watch);
/* Ends the thread. MR_OK or what it failed with. */
MR_NODISCARD enum mr_status load_watch_stop(struct load_watch *watch, struct mr_err *err);
/* After stop. */
void load_watch_latency(struct load_watch *watch, struct load_latency *latency);
void load_watch_close(struct load_watch **watch);

#endif
