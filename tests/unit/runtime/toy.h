/*
 * toy.h -- a small world for tests of the runtime: two stages, the in-memory log, a clock of its
 * own.
 *
 *   orders --> gate --(tee: passed)--> tally --> totals (last value of a key)
 *
 * gate counts the orders of a user in its store, lets them through and finds an order poisonous,
 * after having written, when its client order id is "bad"; "late" makes tally find it poisonous,
 * downstream. tally keeps and emits a total for each user.
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

void toy_init(struct toy *toy, const char *extra_defaults);
void toy_fini(struct toy *toy);
/* A worker as a started process has it; after toy_crash the state directory is still there. */
void toy_start(struct toy *toy);
void toy_crash(struct toy *toy);
/* Steps until the worker is closed. */
void toy_stop(struct toy *toy);
/* An empty state directory. */
void toy_lose_state(struct toy *toy);

void toy_send(struct toy *toy, const char *user, const char *id);
void toy_send_bytes(struct toy *toy, const char *user, const void *bytes, size_t len);
/* Steps until nothing happens any more; a worker that fails is started again. How often that was.
 */
int toy_run(struct toy *toy);
/* Committed records of a topic, partition by partition. */
size_t toy_read(struct toy *toy, const char *topic, struct toy_record records[TOY_READ_MAX]);

#endif
