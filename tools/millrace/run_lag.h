/*
 * run_lag.h -- how far the groups and connectors of a process are behind their inputs.
 *
 * Measured by the process's main thread, for all partitions of a group whoever has them: committed
 * offsets against the ends of the topics, two questions to the cluster for each consumer. Often
 * while somebody looks, seldom otherwise.
 */
#ifndef MILLRACE_TOOLS_RUN_LAG_H
#define MILLRACE_TOOLS_RUN_LAG_H

#include "millrace/metrics.h"
#include "millrace/runtime.h"

#include <stdatomic.h>

/* One input of one consumer group. */
struct run_lag_input {
    size_t topic;             /* of the topology */
    _Atomic int64_t *records; /* by partition; RUN_LAG_UNKNOWN: not measured yet */
    struct mr_gauge **gauges; /* by partition; NULL: not measured yet */
};
#define RUN_LAG_UNKNOWN INT64_C(-1)

struct run_lag_consumer {
    char group_id[256]; /* <application>.<group or connector> */
    const char *name;   /* of the group or connector */
    struct run_lag_input *inputs;
    size_t input_count;
    int32_t partitions;
};

struct run_lag {
    const struct mr_topology *topology;
    struct mr_log *log;
    struct mr_metrics *metrics;
    struct run_lag_consumer *consumers;
    size_t consumer_count;
    _Atomic int64_t looked_us; /* monotonic, when somebody wanted to know */
};

void run_lag_init(struct run_lag *lag, const struct mr_topology *topology, struct mr_log *log,
                  struct mr_metrics *metrics);
void run_lag_fini(struct run_lag *lag);
void run_lag_add_group(struct run_lag *lag, size_t group);
void run_lag_add_connector(struct run_lag *lag, size_t connector);
/* Asks the cluster. What cannot be asked now keeps its last value. */
void run_lag_measure(struct run_lag *lag);
/* When the next measurement is due after one at measured_us. */
int64_t run_lag_due_us(const struct run_lag *lag, int64_t measured_us);
/* Somebody looks. Any thread. */
void run_lag_look(struct run_lag *lag);
/* NULL: no such consumer. Any thread. */
const struct run_lag_consumer *run_lag_find(const struct run_lag *lag, const char *name);
/* Over all inputs; partition -1: all partitions. RUN_LAG_UNKNOWN until each is measured. */
int64_t run_lag_sum(const struct run_lag_consumer *consumer, int32_t partition);

#endif
