/*
 * transaction.h -- what transaction.c (how one is made and ends) and doubt.c (what becomes of one
 * whose end is not known) share. Nobody else includes it.
 */
#ifndef MILLRACE_TASK_TRANSACTION_H
#define MILLRACE_TASK_TRANSACTION_H

#include "task.h"

/*
 * Next to read of each input that the transaction took from; the caller frees *offsets. *moved: how
 * many of them tell that the transaction was committed.
 */
size_t transaction_offsets(const struct mr_worker *worker, struct mr_topic_partition **offsets,
                           size_t *moved);
/* It was committed: for the counters. */
void transaction_count(struct mr_worker *worker);
/* Its inputs are let go, and nothing is open. */
void transaction_over(struct mr_worker *worker);
/* It was not committed: the tasks are as before it, and its inputs wait for replay. why: logged. */
MR_NODISCARD enum mr_status transaction_undone(struct mr_worker *worker, const struct mr_err *why,
                                               struct mr_err *err);
/* Whether it was committed is not known. The producer is finished. */
void transaction_doubt(struct mr_worker *worker, const struct mr_err *why);

#endif
