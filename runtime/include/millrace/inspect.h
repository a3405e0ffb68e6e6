/*
 * inspect.h -- looking into a running worker from another thread: its stores, and what passes
 * between its stages.
 *
 * Why: state is owned by a worker's thread and is in no lock's care; whoever wants to see it asks,
 *      and the owner answers between two steps. What is shown is committed: never what the open
 *      transaction has written.
 * How: a question is put into the worker's mailbox (bounded; full is MR_RESOURCE) and waits for its
 *      answer at most as long as the asker wants. A tap is a ring that the worker fills at each
 *      commit while somebody listens, without a lock and without ever waiting: what does not fit is
 *      dropped and counted.
 * Cost: a worker that nobody asks looks at one atomic number per step.
 */
#ifndef MILLRACE_INSPECT_H
#define MILLRACE_INSPECT_H

#include "millrace/arena.h"
#include "millrace/backend.h"
#include "millrace/slice.h"
#include "millrace/status.h"

struct mr_worker;

/* ---- tasks ----------------------------------------------------------------------------------- */

struct mr_task_status {
    int32_t partition;
    const char *state;    /* assigning | opening | catching-up | ready | standby */
    uint64_t records_in;  /* in committed transactions, since the task came here */
    int64_t restore_left; /* changelog records still to read, at most */
};

/* As of the last step; at most max, by partition. Returns how many. Any thread. */
size_t mr_worker_tasks(struct mr_worker *worker, struct mr_task_status *tasks, size_t max);
/* From the decision to commit to state written, since the start; parts per million. Any thread. */
int64_t mr_worker_commit_us(const struct mr_worker *worker, int64_t q_ppm);

/* Records of one topic of the topology in committed transactions of this worker. Any thread. */
struct mr_topic_flow {
    uint64_t in;  /* taken from it */
    uint64_t out; /* written to it; of an edge in memory: handed over */
};
struct mr_topic_flow mr_worker_topic_flow(const struct mr_worker *worker, size_t topic);

/* ---- stores ---------------------------------------------------------------------------------- */

enum mr_question_kind {
    MR_ASK_GET,   /* one key: a row of each partition that is here */
    MR_ASK_SCAN,  /* keys of one partition in order */
    MR_ASK_STATS, /* a row of each store and partition */
    MR_ASK_TAP,   /* from now on fill the ring */
};

struct mr_tap_ring;

struct mr_question {
    enum mr_question_kind kind;
    size_t stage;             /* of the topology; GET, SCAN */
    size_t store;             /* of the stage; GET, SCAN */
    int32_t partition;        /* -1: all that are here */
    struct mr_slice key;      /* GET */
    struct mr_slice from;     /* SCAN; empty: the first */
    struct mr_slice to;       /* SCAN; empty: to the end */
    size_t rows_max;          /* SCAN; the answer has at most MR_ANSWER_ROWS_MAX */
    size_t topic;             /* TAP */
    struct mr_tap_ring *ring; /* TAP */
};

#define MR_ANSWER_ROWS_MAX ((size_t)1000)
#define MR_ANSWER_BYTES_MAX ((size_t)1 << 20)

struct mr_answer_row {
    int32_t partition;
    const char *state;     /* of the task; a store is open only when it is "ready" */
    bool found;            /* GET */
    struct mr_slice key;   /* SCAN */
    struct mr_slice value; /* GET, SCAN; framed */
    /* STATS */
    size_t stage, store;
    struct mr_space_size size; /* in the backend, an estimate */
    int64_t changelog_offset;  /* committed up to; MR_OFFSET_NONE: nothing yet */
    uint64_t reads, fetches;   /* of values by the stage; of them, not in memory */
    size_t cached_entries, cached_bytes;
};

struct mr_answer {
    struct mr_answer_row *rows;
    size_t count;
    bool more; /* SCAN: there are further keys behind the last row */
    struct mr_arena *arena;
};

/*
 * Up to where a stage's stores follow their changelog, as the backend has it: kept with the space
 * of the first of them. MR_OFFSET_NONE: it does not say.
 */
MR_NODISCARD enum mr_status mr_state_offset(struct mr_backend *backend, struct mr_space *space,
                                            int64_t *offset, struct mr_err *err);

/*
 * Any thread but the worker's; it must have returned before the worker is destroyed. *answer: the
 * caller's to destroy. MR_TIMEOUT: the worker is busy
 * with something long, or has ended; MR_RESOURCE: it has too many questions; or what reading failed
 * with.
 */
MR_NODISCARD enum mr_status mr_worker_ask(struct mr_worker *worker,
                                          const struct mr_question *question, int64_t timeout_us,
                                          struct mr_answer **answer, struct mr_err *err);
void mr_answer_destroy(struct mr_answer **answer);

/* ---- taps ------------------------------------------------------------------------------------ */

#define MR_TAP_RING_BYTES ((size_t)1 << 20)
#define MR_TAPS_MAX 8 /* of one worker */

struct mr_tap_record {
    int64_t timestamp_ms;
    int32_t partition;
    struct mr_slice key;
    struct mr_slice value; /* framed */
};

/* One writer (the worker), one reader (the listener). Both sides hold it; the last one frees it. */
struct mr_tap_ring *mr_tap_ring_create(void);
/* The listener goes: the worker lets go at its next step. */
void mr_tap_ring_leave(struct mr_tap_ring **ring);
/* The oldest record, copied into scratch, which the slices borrow from. False: there is none. */
bool mr_tap_ring_take(struct mr_tap_ring *ring, struct mr_buffer *scratch,
                      struct mr_tap_record *record);
/* Records that did not fit, since the start. */
uint64_t mr_tap_ring_dropped(const struct mr_tap_ring *ring);

#endif
