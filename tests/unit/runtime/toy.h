/*
 * toy.h -- a small world for tests of the runtime: two stages, the in-memory log, a clock of its
 * own.
 *
 *   orders --> gate --(tee: passed)--> tally --> totals (last value of a key)
 *
 * gate counts the orders of a user in its store, lets them through and finds an order poisonous,
 * after having written, when its client order id is "bad"; "late" makes tally find it poisonous,
 * downstream. What it counted is also its gauge `seen`. "busy" finds a server away as often as
 * toy_refusals says. tally keeps and emits a total for each user; "forget" makes it drop the
 * user's, without a word.
 *
 *   orders --> clockwork --> ticks       (toy_clockwork_graph)
 *
 * clockwork counts the orders of a user, and in each task ("-0", "-1" behind the name) how often
 * its timers fired ("wall", "stream") and, at its flush, the orders altogether ("flush"). Counts
 * are in its store and in what it emits.
 *
 *   orders --> clerk (table: limits) --> answers
 *
 * clerk answers each order with the version of the user's limit, 0: there is none.
 */
#ifndef MILLRACE_TESTS_TOY_H
#define MILLRACE_TESTS_TOY_H

#include "millrace/log_open.h"
#include "millrace/runtime.h"

#define TOY_PARTITIONS 2
#define TOY_READ_MAX 4096

struct toy {
    int64_t now_us;
    struct mr_clock clock;
    struct mr_log *log;
    struct mr_registry *registry;
    struct mr_codec *codec;
    struct mr_backend *backend;
    struct mr_metrics *metrics;
    struct mr_topology *topology;
    struct mr_problems problems;
    struct mr_worker *worker;
    struct mr_producer *producer; /* of the outside world */
    struct mr_binding order;
    bool accept_lost_changelog;
    bool accept_lost_offsets;
    struct mr_err err;
};

/* One record read back. */
struct toy_record {
    char key[32];
    char id[32]; /* clientOrderId of a passed order */
    int64_t total;
    int32_t partition;
    bool readable; /* false: dead letters are read as they are */
};

extern const struct mr_stage toy_gate;
extern const struct mr_stage toy_tally;
extern const struct mr_stage toy_clockwork;
extern const struct mr_stage toy_clerk;
extern const char toy_clockwork_graph[];
/* The pipeline for two processes, without and with standby. */
extern const char toy_pair_graph[];
extern const char toy_standby_graph[];
/* The pipeline with `passed` handed over in memory alone. */
extern const char toy_memory_graph[];
/* A connector to toy_outside; an order "nobody" is one that it cannot write. */
extern const struct mr_sink_type toy_sink;
struct toy_written {
    char id[32];
    int32_t partition;
    int64_t offset;
};
extern struct toy_outside {
    int closed;       /* openings to be refused; negative: all */
    int away;         /* writes to be refused; negative: all */
    int gaps;         /* for a test's own use */
    size_t batch_max; /* the largest batch it was given */
    struct toy_written written[TOY_READ_MAX];
    size_t count;
} toy_outside;
/* How often an order "busy" is refused with MR_UNAVAILABLE. */
extern int toy_refusals;
/* Called once, from inside the next firing of clockwork's wall timer or the sink's next write. */
extern void (*toy_interlude)(void *arg);
extern void *toy_interlude_arg;

void toy_init(struct toy *toy, const char *extra_defaults);
/* The same world with another graph: topics, stages, groups. */
void toy_init_graph(struct toy *toy, const char *extra_defaults, const char *graph);
void toy_fini(struct toy *toy);
/* A worker as a started process has it; after toy_crash the state directory is still there. */
void toy_start(struct toy *toy);
void toy_crash(struct toy *toy);
/* Steps until the worker is closed. */
void toy_stop(struct toy *toy);
/* An empty state directory. */
void toy_lose_state(struct toy *toy);
/* A worker of another instance with a state directory of its own; the caller destroys both. */
struct mr_worker *toy_worker(struct toy *toy, const char *instance, struct mr_backend *backend);
/* One step of a worker that must not fail. */
bool toy_step(struct toy *toy, struct mr_worker *worker);
/* So many steps of a millisecond each. */
void toy_run_for(struct toy *toy, struct mr_worker *worker, int steps);
/* Steps all of them in turn until nothing happens any more. None may fail. */
void toy_run_all(struct toy *toy, struct mr_worker *const *workers, size_t count);

int32_t toy_partition(const char *user);
void toy_send(struct toy *toy, const char *user, const char *id);
void toy_send_bytes(struct toy *toy, const char *user, const void *bytes, size_t len);
/* Bytes that are no record, with headers. */
void toy_send_headers(struct toy *toy, const char *user, const struct mr_header *headers,
                      size_t count);
void toy_send_tombstone(struct toy *toy, const char *user);
/* Steps until nothing happens any more; a worker that fails is started again. How often that was.
 */
int toy_run(struct toy *toy);
/* Committed records of a topic, partition by partition. */
size_t toy_read(struct toy *toy, const char *topic, struct toy_record records[TOY_READ_MAX]);
/* Of the pipeline's output: the user's last total, 0: none. A user's totals only grow. */
int64_t toy_total(struct toy *toy, const char *user);
/* Of clockwork's output: how often a count was emitted; each must be one more than the last. */
int64_t toy_ticks(struct toy *toy, const char *name);

#endif
