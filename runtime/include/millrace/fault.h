/*
 * fault.h -- places where a test build dies, fails or goes wrong on purpose.
 *
 * Why: "exactly once" is shown by what survives. Points are where a process may die in a commit, a
 *      restore or a takeover; planted faults are mistakes that one could make, each a switch, so
 *      that simulation and chaos are seen to catch them.
 * How: only with -DMR_FAULTS=ON (the debug, asan and tsan presets). In a release build both macros
 *      are nothing.
 *   MILLRACE_POINT=name:n:action  the n-th passage of a point (from 1): `kill` (SIGKILL), `stop`
 *                                 (SIGSTOP), `error` (the passage fails)
 *   mr_plant(fault)               one planted fault is on, for the whole process
 */
#ifndef MILLRACE_FAULT_H
#define MILLRACE_FAULT_H

#include "millrace/status.h"

#include <stdbool.h>

/* Points of the commit cycle and of recovery, in the order in which one passes them. */
#define MR_POINT_MAP(X)                                                                            \
    X(BEFORE_PRODUCE, "before-produce") /* the transaction is processed, nothing was sent */       \
    X(AFTER_PRODUCE, "after-produce")   /* everything is with the producer */                      \
    X(OFFSETS_SENT, "offsets-sent")     /* everything is acknowledged, EndTxn is next */           \
    X(END_TXN_SENT, "end-txn-sent")     /* a moment after EndTxn may have left */                  \
    X(COMMITTED, "committed")           /* EndTxn was answered */                                  \
    X(BEFORE_STATE_WRITE, "before-state-write")                                                    \
    X(AFTER_STATE_WRITE, "after-state-write")                                                      \
    X(RESTORE_BATCH, "restore-batch") /* some changelog records are applied */                     \
    X(RESTORE_DONE, "restore-done")   /* a task has caught up */                                   \
    X(ASSIGNED, "assigned")           /* partitions came, nothing is open yet */                   \
    X(REVOKING, "revoking")           /* partitions go, the transaction is still open */

enum mr_point {
#define X(name, text) MR_POINT_##name,
    MR_POINT_MAP(X)
#undef X
        MR_POINT_COUNT,
};

/* Mistakes: one line each where they would be made. */
#define MR_PLANTED_MAP(X)                                                                          \
    X(NOTHING, "nothing is planted")                                                               \
    X(STATE_BEFORE_COMMIT, "state is written before the log has committed")

enum mr_planted {
#define X(name, text) MR_PLANTED_##name,
    MR_PLANTED_MAP(X)
#undef X
        MR_PLANTED_COUNT,
};

#ifdef MR_FAULTS
/* MR_OK, or MR_TXN_ABORT when the armed action is `error`. */
MR_NODISCARD enum mr_status mr_point_pass(enum mr_point point, struct mr_err *err);
/* The same where nothing can fail. `kill` may come up to a millisecond later when `later`. */
void mr_point_mark(enum mr_point point, bool later);
const char *mr_point_name(enum mr_point point);
void mr_plant(enum mr_planted planted);
bool mr_is_planted(enum mr_planted planted);
const char *mr_planted_text(enum mr_planted planted);
/* The n-th allocation from now fails, 0: none does. */
void mr_fail_allocation(long n);
bool mr_allocation_fails(void);
#define MR_ALLOCATION_FAILS() mr_allocation_fails()
#define MR_POINT(point, err) MR_TRY(mr_point_pass(MR_POINT_##point, err))
#define MR_MARK(point) mr_point_mark(MR_POINT_##point, false)
#define MR_MARK_LATER(point) mr_point_mark(MR_POINT_##point, true)
#define MR_PLANTED(planted) mr_is_planted(MR_PLANTED_##planted)
#else
#define MR_ALLOCATION_FAILS() false
#define MR_POINT(point, err) ((void)0)
#define MR_MARK(point) ((void)0)
#define MR_MARK_LATER(point) ((void)0)
#define MR_PLANTED(planted) false
#endif

#endif
