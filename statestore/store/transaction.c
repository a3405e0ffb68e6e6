/*
 * transaction.c -- savepoint, abort, changes and commit of one state store (millrace/task_store.h).
 *
 * How:  every write of a record noted the value that was pending before. Releasing frees those,
 *       rolling back puts them back. A commit moves each pending pointer to the committed place and
 *       lists the entry for the backend; a key that came and went between two writes never gets
 * there.
 */
#include "millrace/fault.h"
#include "store.h"

void mr_store_release(struct mr_store *store)
{
    for (size_t i = 0; i < store->undo_count; i++) {
        table_block_free(&store->table, store->undo[i].before);
    }
    store->undo_count = 0;
}

bool mr_store_rollback(struct mr_store *store)
{
    const bool any = store->undo_count > 0;

    while (store->undo_count > 0) {
        const struct undo *undo = &store->undo[--store->undo_count];

        table_block_free(&store->table, undo->entry->pending);
        undo->entry->pending = undo->before;
    }
    return any;
}

/* An entry that says nothing (no value, or not known) is not worth its memory. */
static void settle_entry(struct mr_store *store, struct entry *entry)
{
    entry->listed = false;
    if (!entry->behind && (entry->committed == NULL || entry->committed == &block_absent)) {
        table_remove(&store->table, entry);
    }
}

bool mr_store_abort(struct mr_store *store)
{
    const bool any = store->written.count > 0;

    mr_store_release(store);
    for (size_t i = 0; i < store->written.count; i++) {
        struct entry *entry = store->written.items[i];

        table_block_free(&store->table, entry->pending);
        entry->pending = NULL;
        settle_entry(store, entry);
    }
    store->written.count = 0;
    store->overlay_bytes = 0;
    return any;
}

size_t mr_store_overlay_bytes(const struct mr_store *store)
{
    return store->overlay_bytes;
}

static bool is_change(const struct entry *entry)
{
    if (entry->pending == NULL || entry->pending == entry->committed) {
        return false; /* rolled back, or created and deleted */
    }
    if (entry->committed == NULL || entry->committed == &block_absent ||
        entry->pending == &block_absent) {
        return true;
    }
    return !mr_slice_equal(block_value(entry->pending), block_value(entry->committed));
}

enum mr_status mr_store_changes(struct mr_store *store, mr_store_change *visit, void *arg,
                                struct mr_err *err)
{
    for (size_t i = 0; i < store->written.count; i++) {
        const struct entry *entry = store->written.items[i];

        if (is_change(entry)) {
            const bool has_value = entry->pending != &block_absent;

            MR_TRY(visit(arg, entry_key(entry),
                         has_value ? block_value(entry->pending) : (struct mr_slice){0}, has_value,
                         err));
        }
    }
    return MR_OK;
}

/* ---- commit, and the backend behind it ------------------------------------------------------- */

void mr_store_committed(struct mr_store *store)
{
    mr_store_release(store);
    for (size_t i = 0; i < store->written.count; i++) {
        struct entry *entry = store->written.items[i];
        struct block *pending = entry->pending;
        const bool change = is_change(entry);

        entry->pending = NULL;
        if (!change) {
            table_block_free(&store->table, pending);
        } else {
            store->behind_bytes += entry->key_len + pending->len;
            table_set_committed(&store->table, entry, pending);
            if (!entry->behind) {
                entry->behind = true;
                store_list_add(&store->behind, entry);
            }
        }
        settle_entry(store, entry);
    }
    store->written.count = 0;
    store->overlay_bytes = 0;
}

size_t mr_store_behind_bytes(const struct mr_store *store)
{
    return store->behind_bytes;
}

enum mr_status mr_store_unwritten(struct mr_store *store, mr_store_change *visit, void *arg,
                                  struct mr_err *err)
{
    for (size_t i = 0; i < store->behind.count; i++) {
        const struct entry *entry = store->behind.items[i];
        const bool has_value = entry->committed != &block_absent;

        if (has_value || (!entry->unbacked && !MR_PLANTED(STORE_DELETE_LOST))) {
            MR_TRY(visit(arg, entry_key(entry),
                         has_value ? block_value(entry->committed) : (struct mr_slice){0},
                         has_value, err));
        }
    }
    return MR_OK;
}

/* Second chance: an entry goes when the hand meets it for the second time without a use. */
static void evict(struct mr_store *store)
{
    const struct mr_cache_budget *budget = store->config.budget;
    struct table *table = &store->table;
    size_t turns = table->bucket_count * 2;

    while (budget->used_bytes > budget->limit_bytes && table->bytes > budget->share_bytes &&
           turns-- > 0) {
        struct entry *next;

        for (struct entry *entry = table->buckets[table->hand]; entry != NULL; entry = next) {
            next = entry->next;
            if (entry->recent) {
                entry->recent = false;
            } else if (!entry->listed) {
                if (store->all_known && !entry->unbacked && !MR_PLANTED(STORE_EVICTS_BLINDLY)) {
                    filter_add(&store->outside, entry->hash);
                }
                table_remove(table, entry);
            }
        }
        table->hand = (table->hand + 1) & (table->bucket_count - 1);
    }
}

void mr_store_written(struct mr_store *store)
{
    for (size_t i = 0; i < store->behind.count; i++) {
        struct entry *entry = store->behind.items[i];

        entry->behind = false;
        entry->unbacked = entry->committed == &block_absent ||
                          (entry->unbacked && MR_PLANTED(STORE_STILL_UNBACKED));
        if (!entry->listed) {
            settle_entry(store, entry);
        }
    }
    store->behind.count = 0;
    store->behind_bytes = 0;
    evict(store);
}
