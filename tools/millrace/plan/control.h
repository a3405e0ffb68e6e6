/*
 * control.h -- the topic `<application>-control`: which topology was applied last, and who is
 * applying one now.
 *
 * Why: what runs cannot be asked where a stage stood before, and two applies at once would each
 *      move half of the offsets.
 * How: compacted, one partition, JSON values. Key `topology`: {"appliedUs", "topology": what
 *      `topology describe --json` prints}. Key `lock`: {"holder", "untilUs"}; a tombstone when it
 *      is given back. Written in transactions of one transactional id: whoever takes the lock
 *      fences whoever had it, so a holder that was thought dead cannot write any more.
 * Thread: one.
 */
#ifndef MILLRACE_PLAN_CONTROL_H
#define MILLRACE_PLAN_CONTROL_H

#include "millrace/buffer.h"
#include "millrace/clock.h"
#include "millrace/log.h"

struct control;

struct control_state {
    struct mr_buffer topology; /* JSON; empty: none was ever applied */
    char holder[128];          /* "": nobody has the lock */
    int64_t until_us;          /* its lease, wall clock */
};

/* Connects to nothing. log and clock are borrowed. */
struct control *control_create(struct mr_log *log, const struct mr_clock *clock,
                               const char *application);
void control_destroy(struct control **control);
/* What is committed. Free it with control_state_fini. */
MR_NODISCARD enum mr_status control_read(struct control *control, struct control_state *state,
                                         struct mr_err *err);
void control_state_fini(struct control_state *state);

/*
 * Creates the topic if it is missing, and takes the lock. MR_EXISTS: somebody has it, and its lease
 * runs; err says who and until when. force: it is taken all the same.
 */
MR_NODISCARD enum mr_status control_lock(struct control *control, int32_t replication, bool force,
                                         struct mr_err *err);
/* With the lock. A longer lease. MR_FENCED: somebody else has taken it. */
MR_NODISCARD enum mr_status control_renew(struct control *control, struct mr_err *err);
/* With the lock: this topology is the one that was applied. */
MR_NODISCARD enum mr_status control_publish(struct control *control, struct mr_slice topology,
                                            struct mr_err *err);
MR_NODISCARD enum mr_status control_unlock(struct control *control, struct mr_err *err);

#endif
