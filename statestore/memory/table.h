/*
 * table.h -- keys in byte order with their values, in memory: a skip list.
 *
 * Thread: one owner.
 */
#ifndef MILLRACE_STATESTORE_MEMORY_TABLE_H
#define MILLRACE_STATESTORE_MEMORY_TABLE_H

#include "millrace/slice.h"

struct table;
struct table_node;

struct table *table_create(void);
void table_destroy(struct table **table);
void table_clear(struct table *table);
/* Copies both. */
void table_put(struct table *table, struct mr_slice key, struct mr_slice value);
/* Does nothing when the key is absent. */
void table_delete(struct table *table, struct mr_slice key);

/* The first entry with a key >= from, NULL behind the last. Valid until the table changes. */
const struct table_node *table_seek(const struct table *table, struct mr_slice from);
const struct table_node *table_next(const struct table_node *node);
struct mr_slice table_key(const struct table_node *node);
struct mr_slice table_value(const struct table_node *node);

#endif
