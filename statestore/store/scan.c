/*
 * scan.c -- visiting a range of keys: the backend's order, with the transaction's own writes
 * merged.
 *
 * How:  written entries inside the range are collected and sorted; the backend is walked beside
 *       them. A key that was written is taken from the overlay, whatever the backend has.
 */
#include "millrace/fault.h"
#include "store.h"

#include <stdlib.h>

struct merge {
    struct mr_store *store;
    mr_store_visit *visit;
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

static const struct block *current(const struct entry *entry)
{
    return entry->pending != NULL ? entry->pending : entry->committed;
}

/* Entries of which the backend has no value, or an old one: the transaction's and those behind. */
static void collect_own(struct merge *merge, struct mr_slice from, struct mr_slice to)
{
    const struct mr_store *store = merge->store;

    merge->own = mr_xcalloc(store->written.count + store->behind.count, sizeof(struct entry *));
    for (size_t i = 0; i < store->written.count; i++) {
        const struct entry *entry = store->written.items[i];

        if (entry->pending != NULL && in_range(entry_key(entry), from, to)) {
            merge->own[merge->own_count++] = entry;
        }
    }
    for (size_t i = 0; i < store->behind.count && !MR_PLANTED(STORE_SCAN_BLIND); i++) {
        const struct entry *entry = store->behind.items[i];

        if (entry->pending == NULL && in_range(entry_key(entry), from, to)) {
            merge->own[merge->own_count++] = entry;
        }
    }
    qsort(merge->own, merge->own_count, sizeof(struct entry *), compare_entries);
}

static bool hand_over(struct merge *merge, struct mr_slice key, struct mr_slice framed)
{
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
        const int order = key == NULL ? -1 : mr_slice_compare(entry_key(entry), *key);

        if (order > 0) {
            break;
        }
        *same = order == 0;
        merge->own_next++;
        if (current(entry) != &block_absent &&
            !hand_over(merge, entry_key(entry), block_value(current(entry)))) {
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

enum mr_status mr_store_scan(struct mr_store *store, struct mr_slice from, struct mr_slice to,
                             mr_store_visit *visit, void *arg, struct mr_err *err)
{
    struct mr_backend *backend = store->config.backend;
    struct merge merge = {.store = store, .visit = visit, .arg = arg, .err = err, .status = MR_OK};
    enum mr_status status;
    bool same;

    merge.value = mr_xcalloc(1, store->config.binding.schema->struct_bytes);
    collect_own(&merge, from, to);
    status = backend->ops->scan(backend, store->config.space, from, to, on_backend, &merge, err);
    if (status == MR_OK && !merge.stopped) {
        own_before(&merge, NULL, &same);
    }
    free(merge.own);
    free(merge.value);
    return status != MR_OK ? status : merge.status;
}
