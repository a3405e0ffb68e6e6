/*
 * global_table.h -- topics that every instance holds whole in memory, by key.
 *
 * Decoded once when a record arrives, so that a lookup is a hash probe. A record that cannot be
 * decoded leaves the last good value in place and is said in the log.
 * A replay works the transactions of several tasks, each of which saw the table at a moment of its
 * own: a table that keeps its history answers as of any of them.
 */
#ifndef MILLRACE_TASK_GLOBAL_TABLE_H
#define MILLRACE_TASK_GLOBAL_TABLE_H

#include "millrace/codec.h"
#include "millrace/log.h"

struct global_table;

/* topic is borrowed. */
struct global_table *global_table_create(const char *topic, struct mr_codec *codec,
                                         struct mr_binding binding);
void global_table_destroy(struct global_table **table);
/*
 * Adds the topic's partitions to the reader from their beginning. What the table has from an
 * earlier start stays until it is dropped, or read again.
 */
MR_NODISCARD enum mr_status global_table_start(struct global_table *table, struct mr_log *log,
                                               struct mr_reader *reader, struct mr_err *err);
/* Everything that was there at start, or when it was aimed, has been read. */
bool global_table_ready(const struct global_table *table, const struct mr_reader *reader);
/* Everything that is there now is to be read. */
MR_NODISCARD enum mr_status global_table_aim(struct global_table *table, struct mr_log *log,
                                             struct mr_err *err);
/* Drops what was not read again since the last start. */
void global_table_drop_former(struct global_table *table);
int32_t global_table_partitions(const struct global_table *table);
bool global_table_is(const struct global_table *table, const char *topic);
void global_table_apply(struct global_table *table, const struct mr_message *message);
/* Struct of the schema, valid until the next apply; NULL when absent. */
const void *global_table_get(const struct global_table *table, struct mr_slice key,
                             int64_t *version);

/* ---- an earlier moment of it, for a replay (replay.h) ---------------------------------------- */

/* From now on a value that is replaced or deleted is kept behind the one that takes its place. */
void global_table_keep_history(struct global_table *table);
/* What get answers from: of each partition the records below its position. Borrowed until the next
 * call. NULL: the newest values. */
void global_table_look_at(struct global_table *table, const int64_t *positions);
/* Nobody will look at an earlier moment than this any more: lets go of what only such a one sees.
 */
void global_table_forget(struct global_table *table, const int64_t *positions);

#endif
