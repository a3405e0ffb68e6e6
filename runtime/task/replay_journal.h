/*
 * replay_journal.h -- a group's journal, read for a replay: its records, by partition, in order.
 *
 * A task's records have numbers without gaps and may be in several partitions, because they are in
 * that of the worker which had the task. Within a partition they stand in the order of their
 * writing, so the heads of all partitions always show the next record of some task.
 */
#ifndef MILLRACE_TASK_REPLAY_JOURNAL_H
#define MILLRACE_TASK_REPLAY_JOURNAL_H

#include "avro/journal.h"
#include "feed.h"
#include "millrace/codec.h"

struct replay_journal;

/* Reads up to where the log ends now. feeds: gets the partitions; borrowed. */
MR_NODISCARD enum mr_status replay_journal_open(struct mr_log *log, struct feeds *feeds,
                                                const char *topic, struct replay_journal **journal,
                                                struct mr_err *err);
void replay_journal_destroy(struct replay_journal **journal);
int32_t replay_journal_partitions(const struct replay_journal *journal);
/* The next record of a partition, *record NULL when none is here. Valid until it is dropped. */
MR_NODISCARD enum mr_status replay_journal_head(struct replay_journal *journal, int32_t partition,
                                                struct mr_codec *codec,
                                                const struct mr_binding *binding,
                                                const struct runtime_journal **record,
                                                struct mr_err *err);
void replay_journal_drop(struct replay_journal *journal, int32_t partition);
/* Nothing more comes of the partition. */
bool replay_journal_over(const struct replay_journal *journal, int32_t partition);
/* Offsets still to read; 0: it is over. */
int64_t replay_journal_left(const struct replay_journal *journal);

#endif
