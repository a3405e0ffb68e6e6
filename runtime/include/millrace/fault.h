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
 *   mr_point_set_watch(...)       a simulation sees each passage, and decides
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
    X(STATE_BEFORE_COMMIT, "state is written before the log has committed")                        \
    X(OFFSETS_OUTSIDE, "offsets are committed beside the transaction, before it")                  \
    X(OFFSET_NOT_NEXT, "the offset committed is the last one taken, not the next")                 \
    X(DOUBT_IS_COMMITTED, "a commit of unknown outcome counts as committed")                       \
    X(DOUBT_IS_ABORTED, "a commit of unknown outcome counts as aborted")                           \
    X(DOUBT_READS_UNSTABLE, "offsets that are still being marked tell the outcome")                \
    X(DOUBT_KEEPS_STATE, "state is not read back after a commit of unknown outcome")               \
    X(OVERLAY_KEPT, "an abort leaves what the transaction wrote to stores")                        \
    X(NO_RELOAD, "a stage's own memory is not rebuilt after an undo")                              \
    X(STREAM_TIME_KEPT, "stream time does not go back with an abort")                              \
    X(TIMERS_KEPT, "timers do not go back with an abort")                                          \
    X(INPUTS_NOT_REPLAYED, "the inputs of an aborted transaction are not taken again")             \
    X(REPLAY_REORDERED, "the inputs of an aborted transaction are taken in another order")         \
    X(INPUTS_SOUGHT_TOO, "after an abort inputs are kept, and fetched again")                      \
    X(SAVEPOINT_KEPT, "poison leaves what its record wrote to stores")                             \
    X(POISON_OUTPUTS_KEPT, "poison leaves what its record emitted, after it was handed over")      \
    X(LETTER_LOST, "poison is passed over without a dead letter")                                  \
    X(LATEST_KEEPS_FIRST, "of a key's values in a transaction the first is written")               \
    X(TOMBSTONE_NOT_SENT, "a deleted key is not told to the changelog")                            \
    X(TOMBSTONE_NOT_RESTORED, "a restore passes over deleted keys")                                \
    X(CHANGELOG_OFFSET_FAR, "state is kept with an offset beyond what it holds")                   \
    X(OLD_STATE_TRUSTED, "state that is older than tombstones live is gone on with")               \
    X(GAP_UNSEEN, "a reader goes on where it was, however long it was away")                       \
    X(STATE_YOUNG_AS_WRITTEN, "state that is written late counts as new")                          \
    X(RESTORE_HASTY, "a restore does not wait for a former owner's transaction")                   \
    X(OPENS_UNSTABLE, "a task opens with offsets that are still being marked")                     \
    X(STREAM_TIME_LOST, "a restart forgets stream time")                                           \
    X(TIMERS_LOST, "a restart forgets timers")                                                     \
    X(LOST_TASK_KEPT, "a task goes on after its partitions were lost")                             \
    X(REVOKED_OPEN, "partitions are given up with their transaction open")                         \
    X(STANDBY_GOES_ON, "a standby goes on writing to the state of a task that is at work")         \
    X(JOURNAL_RUN_SHORT, "the journal misses records of a run")                                    \
    X(STORE_DELETE_LOST, "a delete does not reach the backend")                                    \
    X(STORE_STILL_UNBACKED, "a written key still counts as not written")                           \
    X(STORE_SCAN_BLIND, "a scan does not see what is not written yet")                             \
    X(STORE_EVICTS_BLINDLY, "a key that left memory counts as absent")                             \
    X(LOG_MEMBER_UNCHECKED, "the log takes offsets of a group's former member")                    \
    X(LOG_EPOCH_UNCHECKED, "the log lets a fenced producer go on")                                 \
    X(LOG_READS_UNCOMMITTED, "the log delivers beyond the last stable offset")                     \
    X(LOG_DELIVERS_ABORTED, "the log delivers what was aborted")

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
/* Called at each passage, on its thread; it may not return. What it returns is the passage's status
 * where that can fail. NULL: nobody watches. For the whole process. */
typedef enum mr_status mr_point_watch(void *arg, enum mr_point point);
void mr_point_set_watch(mr_point_watch *watch, void *arg);
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
