/*
 * exact_send.h -- sending in bounded transactions that also say how far the sender is.
 *
 * Why: a tool that copies records may be stopped, or lose the answer to a commit. What it has done
 *   stands in the offsets of a group of its own, in the same transaction as the records, so that
 *   nobody has to guess: after any failure the offsets are read again, and the work goes on there.
 * How: a producer under the group's name as transactional id, so that two at the same work fence
 *   each other. An attempt reads the place, sends from it, and commits now and then; exact_retry
 *   begins another when one fails in a way that may pass.
 */
#ifndef MILLRACE_EXACT_SEND_H
#define MILLRACE_EXACT_SEND_H

#include "load_feed.h"

/* Bounds of one transaction. */
#define EXACT_RECORDS_MAX 2000
#define EXACT_BYTES_MAX ((size_t)4 << 20)
#define EXACT_OPEN_US MR_SECOND_US

struct exact_sender {
    const struct load_env *env;
    const char *group; /* and transactional id; borrowed */
    struct mr_producer *producer;
    bool begun;
    int64_t began_us;
    int records; /* of the open transaction */
    size_t bytes;
};

/* Settles what an earlier sender left open. exact_close in any case. */
MR_NODISCARD enum mr_status exact_open(struct exact_sender *sender, const struct load_env *env,
                                       const char *group, struct mr_err *err);
/* Begins a transaction when none is open. */
MR_NODISCARD enum mr_status exact_send(struct exact_sender *sender,
                                       const struct mr_outgoing *record, struct mr_err *err);
/* The open transaction has what one may have: time for exact_commit. */
bool exact_full(const struct exact_sender *sender);
/* offsets: the place, with the open transaction, or alone. */
MR_NODISCARD enum mr_status exact_commit(struct exact_sender *sender,
                                         const struct mr_topic_partition *offsets, size_t count,
                                         struct mr_err *err);
void exact_close(struct exact_sender *sender);

/*
 * Calls attempt until it returns MR_OK, or a failure that stays, or failed too often without
 * *committed, which attempt keeps, going up.
 */
MR_NODISCARD enum mr_status exact_retry(const struct load_env *env,
                                        enum mr_status (*attempt)(void *arg, struct mr_err *err),
                                        void *arg, const int64_t *committed, struct mr_err *err);

#endif
