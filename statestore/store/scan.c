/*
 * scan.c -- visiting a range of keys in the backend's order, with what the backend lacks merged in.
 *
 * How:  entries inside the range that the backend does not have as they are now are collected and
 *       sorted; the backend is walked beside them. A stage sees the transaction's own writes; who
 *       looks from outside (peek) sees what is committed, and bytes instead of structs.
 */
#include "millrace/fault.h"
#include "store.h"

#include <stdlib.h>

struct merge {
    struct mr_store *store;
    bool committed;            /* without the open transaction's writes */
    mr_store_visit *visit;     /* decoded, or */
    mr_space_visit *visit_raw; /* as it is */
    void *arg;
    const struct entry **own;
    size_t own_count, own_next;
    void *value;
    bool stopped;
    enum mr_status status;
    struct mr_err *err;
};

static bool in_range(struct mr_slice key, struct mr_slice from, struct mr_slice to)
{
    return mr_slice_compare(key, from) >= 0 && (to.len == 0 || mr_slice_compare(key, to) < 0);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *const *left = a;
    const struct entry *const *right = b;

    return mr_slice_compare(entry_key(*left), entry_key(*right));
}

static const struct block *current(const struct merge *merge, const struct entry *entry)
{
    return entry->pending != NULL && !merge->committed ? entry->pending : entry->committed;
}

/* Entries of which the backend has no value, or an old one: the transaction's and those behind. */
static void collect_own(struct merge *merge, struct mr_slice from, struct mr_slice to)
{
    const struct mr_store *store = merge->store;

    merge->own = mr_xcalloc(store->written.count + store->behind.count, sizeof(struct entry *));
    for (size_t i = 0; i < store->written.count && !merge->committed; i++) {
        const struct entry *entry = store->written.items[i];

        if (entry->pending != NULL && in_range(entry_key(entry), from, to)) {
            merge->own[merge->own_count++] = entry;
        }
    }
    for (size_t i = 0; i < store->behind.count && !MR_PLANTED(STORE_SCAN_BLIND); i++) {
        const struct entry *entry = store->behind.items[i];

        if ((entry->pending == NULL || merge->committed) && in_range(entry_key(entry), from, to)) {
            merge->own[merge->own_count++] = entry;
        }
    }
    qsort(merge->own, merge->own_count, sizeof(struct entry *), compare_entries);
}

static bool hand_over(struct merge *merge, struct mr_slice key, struct mr_slice framed)
{
    if (merge->visit_raw != NULL) {
        merge->stopped = !merge->visit_raw(merge->arg, key, framed);
        return !merge->stopped;
    }
    merge->status = store_decode(merge->store, framed, merge->value, merge->err);
    if (merge->status != MR_OK || !merge->visit(merge->arg, key, merge->value)) {
        merge->stopped = true;
    }
    return !merge->stopped;
}

/* Hands over own entries below key (all of them when key is NULL); *same: one equals it. */
static bool own_before(struct merge *merge, const struct mr_slice *key, bool *same)
{
    *same = false;
    while (merge->own_next < merge->own_count && !*same) {
        const struct entry *entry = merge->own[merge->own_next];
        const struct block *block = current(merge, entry);
        const int order = key == NULL ? -1 : mr_slice_compare(entry_key(entry), *key);

        if (order > 0) {
            break;
        }
        *same = order == 0;
        merge->own_next++;
        if (block != &block_absent && !hand_over(merge, entry_key(entry), block_value(block))) {
            return false;
        }
    }
    return true;
}

static bool on_backend(void *arg, struct mr_slice key, struct mr_slice value)
{
    struct merge *merge = arg;
    bool same;

    if (!own_before(merge, &key, &same)) {
        return false;
    }
    return same || hand_over(merge, key, value);
}

static enum mr_status walk(struct merge *merge, struct mr_slice from, struct mr_slice to)
{
    struct mr_store *store = merge->store;
    struct mr_backend *backend = store->config.backend;
    enum mr_status status;
    bool same;

    collect_own(merge, from, to);
    status =
        backend->ops->scan(backend, store->config.space, from, to, on_backend, merge, merge->err);
    if (status == MR_OK && !merge->stopped) {
        own_before(merge, NULL, &same);
    }
    free(merge->own);
    return status != MR_OK ? status : merge->status;
}

enum mr_status mr_store_scan(struct mr_store *store, struct mr_slice from, struct mr_slice to,
                             mr_store_visit *visit, void *arg, struct mr_err *err)
{
    struct merge merge = {.store = store, .visit = visit, .arg = arg, .err = err, .status = MR_OK};
    enum mr_status status;

    merge.value = mr_xcalloc(1, store->config.binding.schema->struct_bytes);
    status = walk(&merge, from, to);
    free(merge.value);
    return status;
}

/* ---- from outside ---------------------------------------------------------------------------- */

enum mr_status mr_store_peek_range(struct mr_store *store, struct mr_slice from, struct mr_slice to,
                                   mr_space_visit *visit, void *arg, struct mr_err *err)
{
    struct merge merge = {.store = store,
                          .committed = true,
                          .visit_raw = visit,
                          .arg = arg,
                          .err = err,
                          .status = MR_OK};

    return walk(&merge, from, to);
}

enum mr_status mr_store_peek(struct mr_store *store, struct mr_slice key, struct mr_buffer *framed,
                             bool *found, struct mr_err *err)
{
    struct mr_backend *backend = store->config.backend;
    const uint64_t hash = table_hash(key);
    const struct entry *entry = table_find(&store->table, hash, key);

    mr_buffer_clear(framed);
    *found = false;
    if (entry != NULL && entry->committed != NULL) {
        if (entry->committed != &block_absent) {
            const struct mr_slice value = block_value(entry->committed);

            mr_buffer_append(framed, value.data, value.len);
            *found = true;
        }
        return MR_OK;
    }
    if (entry == NULL && store_surely_absent(store, hash)) {
        return MR_OK;
    }
    return backend->ops->get(backend, store->config.space, key, framed, found, err);
}
