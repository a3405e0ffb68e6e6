/*
 * flow.h -- what passes through a worker, topic by topic: counted at each commit, and shown to
 * whoever taps an edge that is in no topic.
 *
 * Counts are of committed transactions. Records of a tapped edge wait in the outbox, where they are
 * dropped with a poisonous record or an aborted transaction as outputs are; no producer gets them.
 */
#ifndef MILLRACE_TASK_FLOW_H
#define MILLRACE_TASK_FLOW_H

#include "millrace/inspect.h"
#include "millrace/metrics.h"

struct mr_ctx;

struct flow_topic {
    struct mr_counter *in;  /* NULL: the group does not read it from the log */
    struct mr_counter *out; /* NULL: the group does not write it */
    uint64_t taken, sent;   /* of the commit that is being counted */
    uint64_t handed;        /* of the open transaction, on an edge in memory */
    uint64_t unkept;        /* of them, too large for the outbox */
    bool tapped;
};

struct flow_tap {
    size_t topic;
    struct mr_tap_ring *ring;
};

struct flow {
    struct flow_topic *topics; /* of the topology */
    struct flow_tap taps[MR_TAPS_MAX];
    size_t tap_count;
};

void flow_init(struct mr_worker *worker);
void flow_fini(struct mr_worker *worker);
/* A record is handed over on an edge that is not written to its topic. */
void flow_handed_over(struct mr_ctx *ctx, size_t port, struct mr_slice partition_key,
                      struct mr_slice key, const void *value);
/* The transaction is committed, and its inputs and outputs are still there. */
void flow_committed(struct mr_worker *worker);
/* Whatever its outcome was, it is over. */
void flow_over(struct mr_worker *worker);
MR_NODISCARD enum mr_status flow_tap(struct mr_worker *worker, size_t topic,
                                     struct mr_tap_ring *ring, struct mr_err *err);
/* Once per step: lets go of taps that nobody listens to any more. */
void flow_step(struct mr_worker *worker);

#endif
