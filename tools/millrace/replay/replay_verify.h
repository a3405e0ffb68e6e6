/*
 * replay_verify.h -- the recorded input worked again in a sandbox, its outputs compared with those
 * on record.
 *
 * Why: the same program must write the same bytes (so nothing but its input decides them), and
 *      before a new program takes over, one wants to see what it would have written otherwise.
 * How: each group that writes what is compared is replayed in a lane (replay_lane.h), from its
 *      first transaction on; this thread reads the outputs on record and compares (replay_match.h).
 *      So each record is read once as an input and once as an output.
 * Not: changelogs and journals, which say how the outputs came about; values of global tables,
 *      which nobody here writes.
 */
#ifndef MILLRACE_REPLAY_VERIFY_H
#define MILLRACE_REPLAY_VERIFY_H

#include "../load_feed.h"
#include "replay_match.h"

struct replay_verify_options {
    int64_t from_us;  /* differences of transactions before it are only counted */
    int64_t until_us; /* transactions committed from here on are not compared; INT64_MAX: all */
    size_t stage;     /* of the topology: only what it writes; MR_UNBOUND: all */
    size_t bytes_max; /* of outputs in memory that wait for their counterpart */
    /* A sandbox for a group's state, empty. */
    enum mr_status (*backend)(void *arg, size_t group, struct mr_backend **backend,
                              struct mr_err *err);
    void *backend_arg;
    void (*differs)(void *arg, const struct replay_difference *difference);
    void *arg;
};

struct replay_verify_result {
    uint64_t transactions; /* worked */
    uint64_t records;      /* inputs of theirs */
    uint64_t equal;        /* outputs found on record */
    uint64_t gone;         /* no longer on record: compacted, or over their retention */
    uint64_t differ;       /* by kind, of transactions from from_us on */
    uint64_t only_recorded;
    uint64_t only_replayed;
    uint64_t before; /* differences of earlier transactions, of any kind */
    int64_t elapsed_us;
};

/* Nothing is written anywhere but to the sandboxes. Errors: as of mr_replay_step. */
MR_NODISCARD enum mr_status replay_verify_run(const struct load_env *env,
                                              const struct replay_verify_options *options,
                                              struct replay_verify_result *result,
                                              struct mr_err *err);

#endif
