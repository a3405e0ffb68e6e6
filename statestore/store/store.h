/* store.h -- the parts of one state store, shared by its files. */
#ifndef MILLRACE_STATESTORE_STORE_H
#define MILLRACE_STATESTORE_STORE_H

#include "filter.h"
#include "millrace/task_store.h"
#include "table.h"

struct entry_list {
    struct entry **items;
    size_t count, capacity;
};

struct undo {
    struct entry *entry;
    struct block *before; /* pending as it was */
};

struct mr_store {
    struct mr_store_config config;
    char *name;
    struct table table;
    /* Keys with a value in the backend but not in memory are in the filter; without all_known
     * nothing is known about them. */
    struct filter outside;
    bool all_known;
    struct entry_list written; /* by the transaction */
    struct entry_list behind;  /* committed since mr_store_written */
    size_t behind_bytes;
    struct undo *undo; /* of the current record */
    size_t undo_count, undo_capacity;
    size_t overlay_bytes;
    uint64_t reads, fetches;  /* of values, since it was opened */
    struct mr_buffer scratch; /* encoding, reading from the backend */
};

void store_list_add(struct entry_list *list, struct entry *entry);
/* Is the key surely not in the backend, judged from memory? The key has no entry. */
bool store_surely_absent(const struct mr_store *store, uint64_t hash);
/* Decodes a stored value; whatever is wrong with it is MR_CORRUPT. */
MR_NODISCARD enum mr_status store_decode(struct mr_store *store, struct mr_slice framed,
                                         void *value, struct mr_err *err);

#endif
