/*
 * replay.h -- the transactions of a group again, as its journal says they were.
 *
 * Why: a task's outputs follow from its inputs and from the order in which it took them. The inputs
 *      are on record, and the journal has the order: with both, the same program must write the
 *      same bytes, and another program shows what it would have written.
 * How: tasks begin empty, with the first transaction of the journal. Records, positions of global
 *      tables and timers are given to the stages one after another as the journal has them; what
 *      the stages emit is handed to the caller, transaction by transaction, and goes nowhere else.
 *      State is kept in the caller's backend, which must be empty.
 * Not: reading from the middle. What a task knew at that moment is on no record, so everything from
 *      its first transaction on must still be retained; what is missing is said.
 * Thread: one replay belongs to one thread; replays of different groups are independent.
 */
#ifndef MILLRACE_REPLAY_H
#define MILLRACE_REPLAY_H

#include "millrace/runtime.h"

struct mr_replay;

/* One record that a transaction wrote, as it went to the log. */
struct mr_replay_output {
    size_t stage; /* of the topology: who wrote it; of a dead letter, who could not take it */
    size_t topic; /* of the topology */
    int32_t partition;
    int64_t timestamp_ms; /* MR_TIMESTAMP_NOW: the log gave it the time of its arrival */
    struct mr_slice key;
    struct mr_slice value;
    bool has_value;
    const struct mr_header *headers;
    size_t header_count;
};

/* One transaction of one task, worked. Borrowed until the callback returns. */
struct mr_replay_transaction {
    int32_t task;
    int64_t sequence;                       /* of the task's transactions, from 1 */
    int64_t committed_us;                   /* by the wall clock, then */
    size_t inputs;                          /* records it took */
    const struct mr_replay_output *outputs; /* in the order in which they were sent */
    size_t output_count;
};

struct mr_replay_options {
    /* Transactions that were committed from here on are left out. INT64_MAX: all up to now. */
    int64_t until_us;
    /* Called for each transaction, those of a task in their order. A failure ends the replay. */
    enum mr_status (*worked)(void *arg, const struct mr_replay_transaction *transaction,
                             struct mr_err *err);
    void *arg;
};

/* How far it is. */
struct mr_replay_progress {
    uint64_t transactions;
    uint64_t records;      /* input records */
    int64_t journal_left;  /* offsets of the journal still to read, about */
    int64_t journal_total; /* at the start */
};

/*
 * process   its codec, backend, log and clock are used; borrowed, must outlive the replay
 * group     index into the topology's groups
 * Returns MR_OK | MR_CONFIG: the group keeps no journal, or topics are missing | MR_UNAVAILABLE
 */
MR_NODISCARD enum mr_status mr_replay_open(const struct mr_process *process, size_t group,
                                           const struct mr_replay_options *options,
                                           struct mr_replay **replay, struct mr_err *err);
/*
 * One turn; waits for input at most timeout_us. *over: everything has been worked.
 * MR_OUT_OF_RANGE: records that it needs are no longer retained; err says which.
 * MR_CONFIG: the journal speaks of inputs that the group does not have.
 */
MR_NODISCARD enum mr_status mr_replay_step(struct mr_replay *replay, int64_t timeout_us, bool *over,
                                           struct mr_err *err);
void mr_replay_progress(const struct mr_replay *replay, struct mr_replay_progress *progress);
void mr_replay_destroy(struct mr_replay **replay);

#endif
