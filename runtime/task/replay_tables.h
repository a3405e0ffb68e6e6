/*
 * replay_tables.h -- the global tables of a group, for each task as of the moment its journal
 * tells.
 *
 * Tasks are worked one after another although each transaction saw the tables at a moment of its
 * own. They share one copy with a history, and each looks at it from where it was.
 */
#ifndef MILLRACE_TASK_REPLAY_TABLES_H
#define MILLRACE_TASK_REPLAY_TABLES_H

#include "feed.h"
#include "task.h"

struct replay_tables;

/* Makes worker->tables. feeds: gets the tables' partitions; borrowed. */
MR_NODISCARD enum mr_status replay_tables_open(struct mr_worker *worker, struct feeds *feeds,
                                               struct replay_tables **tables, struct mr_err *err);
void replay_tables_destroy(struct replay_tables **tables);
/* Applies what has been read. Whether a step of the journal can be worked: the table has been read
 * up to its value. MR_CONFIG: the group has no such table. */
MR_NODISCARD enum mr_status replay_tables_ready(struct replay_tables *tables,
                                                const struct runtime_journal_source *source,
                                                int64_t value, bool *ready, struct mr_err *err);
/* The step: from now on the task sees the table up to there, exclusive. */
MR_NODISCARD enum mr_status replay_tables_move(struct replay_tables *tables, int32_t task,
                                               const struct runtime_journal_source *source,
                                               int64_t value, struct mr_err *err);
/* What follows is work of this task. committed_us: of its transaction. */
void replay_tables_look(struct replay_tables *tables, int32_t task, int64_t committed_us);

#endif
