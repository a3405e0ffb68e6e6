/*
 * table.h -- the entries of one store by key: committed value and the transaction's own beside it.
 *
 * Values are immutable blocks: a put makes a new one, so bytes that a stage borrowed stay where
 * they are until the record is done, and undoing is putting a pointer back.
 */
#ifndef MILLRACE_STATESTORE_TABLE_H
#define MILLRACE_STATESTORE_TABLE_H

#include "millrace/slice.h"
#include "pool.h"

struct block {
    size_t len;
    uint8_t data[];
};

/* The value "there is none", as opposed to NULL: not known, or not touched. */
extern struct block block_absent;

struct entry {
    struct entry *next; /* in its bucket */
    uint64_t hash;
    struct block *committed; /* NULL: not known, ask the backend */
    struct block *pending;   /* NULL: not written in this transaction */
    size_t key_len;
    bool recent;   /* used since the clock hand passed */
    bool listed;   /* in the store's list of entries written by the transaction */
    bool behind;   /* in the store's list of committed entries that the backend does not have yet */
    bool unbacked; /* the backend surely has no value of this key */
    uint8_t key[];
};

struct table {
    struct entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t entry_count;
    size_t bytes;  /* entries and their committed values */
    size_t *total; /* the same over all tables of a worker */
    size_t hand;   /* bucket of the clock */
    struct pool *pool;
};

uint64_t table_hash(struct mr_slice key);
/* total: counts this table's bytes too; borrowed. */
void table_init(struct table *table, size_t *total);
void table_fini(struct table *table);
struct entry *table_find(const struct table *table, uint64_t hash, struct mr_slice key);
/* The key must not be there. */
struct entry *table_add(struct table *table, uint64_t hash, struct mr_slice key);
/* Frees the entry with its values. */
void table_remove(struct table *table, struct entry *entry);

struct block *table_block(struct table *table, struct mr_slice value);
/* NULL and block_absent are fine. */
void table_block_free(struct table *table, struct block *block);
/* Replaces the committed value and keeps count of the bytes. */
void table_set_committed(struct table *table, struct entry *entry, struct block *block);

static inline struct mr_slice entry_key(const struct entry *entry)
{
    return mr_slice_of(entry->key, entry->key_len);
}
static inline struct mr_slice block_value(const struct block *block)
{
    return mr_slice_of(block->data, block->len);
}

#endif
