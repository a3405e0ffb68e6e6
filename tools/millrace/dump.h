/*
 * dump.h -- every topic of a topology as files: what a check outside this program works on.
 *
 * DIR/<topic>.jsonl   the committed records of each topic that is in the log, as tap_line.h has
 * them; each partition in the order of its offsets DIR/topics.json     the topology
 * (topology_describe_json), of every topic and partition the first offset, the last stable one and
 * the end, and the groups' committed offsets; written last: a dump without it is not complete
 *
 * The ends are noted before anything is read, and nothing behind them is written. That is one
 * moment only if nothing is processed meanwhile.
 */
#ifndef MILLRACE_DUMP_H
#define MILLRACE_DUMP_H

#include "load_feed.h"

#include <inttypes.h>

/* *records: how many were written. directory is made if it is missing. */
MR_NODISCARD enum mr_status dump_topics(const struct load_env *env, const char *directory,
                                        int64_t *records, struct mr_err *err);

#endif
