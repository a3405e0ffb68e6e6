/*
 * mailbox.h -- questions of other threads to a worker (millrace/inspect.h). Bounded; the worker
 * looks at one atomic number per step and takes the lock only when somebody waits.
 */
#ifndef MILLRACE_TASK_MAILBOX_H
#define MILLRACE_TASK_MAILBOX_H

#include "millrace/inspect.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAILBOX_MAX 8

/* One question on its way. The asker's until it is taken or answered; see mailbox.c. */
struct letter;

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct letter *letters[MAILBOX_MAX];
    _Atomic size_t waiting;
    int64_t served_us; /* the worker's: when it last answered; INT64_MIN: never */
};

void mailbox_init(struct mailbox *mailbox);
/* Nobody may wait. */
void mailbox_fini(struct mailbox *mailbox);
/* Answers what is there now, at most MAILBOX_MAX questions. The worker's thread. */
void mailbox_serve(struct mr_worker *worker);
/* A step of the worker waits at most this long for input: less when questions come in a row. */
int64_t mailbox_patience_us(const struct mr_worker *worker, int64_t timeout_us);

/* inspect.c: the answer to one question, into a prepared answer. The worker's thread. */
MR_NODISCARD enum mr_status inspect_answer(struct mr_worker *worker,
                                           const struct mr_question *question,
                                           struct mr_answer *answer, struct mr_err *err);

#endif
