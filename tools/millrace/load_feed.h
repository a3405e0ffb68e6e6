/*
 * load_feed.h -- decoded records of some topics, delivered to visitors: what load and verify read
 * with.
 *
 * Reads committed records only, without a consumer group, so that nothing it does is seen by the
 * pipeline. Thread: one owner.
 */
#ifndef MILLRACE_LOAD_FEED_H
#define MILLRACE_LOAD_FEED_H

#include "millrace/clock.h"
#include "millrace/codec.h"
#include "millrace/log.h"
#include "millrace/topology.h"

#include <stdio.h>

/* What load and verify work with. Everything is borrowed. */
struct load_env {
    const struct mr_topology *topology;
    struct mr_log *log;
    struct mr_codec *codec;
    const struct mr_clock *clock;
    /* Called where others would wait: a single-threaded program steps its workers here. NULL: wait.
     */
    enum mr_status (*pump)(void *arg, struct mr_err *err);
    void *pump_arg;
    FILE *progress; /* NULL: silent */
};

/* Lets the pipeline go on for a moment: pump, or a wait of at most wait_us. */
MR_NODISCARD enum mr_status load_idle(const struct load_env *env, int64_t wait_us,
                                      struct mr_err *err);
/* One progress line, overwritten on a terminal. */
void load_progress(const struct load_env *env, const char *fmt, ...) MR_PRINTF(2, 3);

/* The same, only where it can be overwritten: for what follows quickly on another. */
void load_progress_detail(const struct load_env *env, const char *fmt, ...) MR_PRINTF(2, 3);
/* How often progress is worth showing: rarely where every line stays. */
int64_t load_progress_every_us(const struct load_env *env);
/* Ends the line that progress was shown on. */
void load_progress_end(const struct load_env *env);

#define LOAD_PARTITIONS_MAX 256

struct load_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    struct mr_slice key;
    struct mr_slice bytes;
    const void
        *value; /* struct of the topic's schema; NULL: a tombstone, undecodable, or no schema */
    const struct mr_message *message;
};

typedef enum mr_status load_visit(void *arg, const struct load_record *record, struct mr_err *err);

struct load_feed;

MR_NODISCARD enum mr_status load_feed_open(const struct load_env *env, struct load_feed **feed,
                                           struct mr_err *err);
/* One topic and who is told about its records. */
struct load_source {
    const char *topic;
    const struct mr_schema *schema; /* NULL: records are delivered undecoded */
    const int64_t *offsets;         /* where to begin, by partition; NULL: at the log's start */
    load_visit *visit;
    void *arg;
};

/* source is copied. MR_CONFIG when the topic does not exist. */
MR_NODISCARD enum mr_status load_feed_add(struct load_feed *feed, const struct load_source *source,
                                          struct mr_err *err);
/* One poll. *delivered: records handed to visitors. A visitor's failure is returned. */
MR_NODISCARD enum mr_status load_feed_step(struct load_feed *feed, int64_t timeout_us,
                                           size_t *delivered, struct mr_err *err);
/* Notes the present ends; caught_up: everything below them was delivered. */
MR_NODISCARD enum mr_status load_feed_mark(struct load_feed *feed, struct mr_err *err);
bool load_feed_caught_up(const struct load_feed *feed);
/* Delivers everything that was committed when it was called. MR_TIMEOUT after timeout_us without
 * any record. */
MR_NODISCARD enum mr_status load_feed_catch_up(struct load_feed *feed, int64_t timeout_us,
                                               struct mr_err *err);
void load_feed_close(struct load_feed **feed);

/* Ends (stable) of all partitions of a topic into offsets; *partitions 0 when it does not exist. */
MR_NODISCARD enum mr_status load_ends(const struct load_env *env, const char *topic,
                                      int64_t *offsets, int32_t *partitions, struct mr_err *err);

#endif
