/*
 * store.c -- reading and writing one state store (millrace/store.h).
 *
 * Why:  RocksDB costs 5 to 13 us for a get and a put here, a hash lookup 0.1 us; and nothing that a
 *       transaction wrote may be seen before its commit.
 * How:  one hash table holds hot committed values and, beside them, the values written since the
 *       last commit (the overlay). A miss goes to the backend only when the key may be there.
 *       Committed values reach the backend in batches; until then they do not leave memory.
 * Not:  transactions (transaction.c), scans (scan.c).
 */
#include "store.h"

#include <stdlib.h>

/* Key and value: what a changelog takes in one record, its framing left out. */
#define ENTRY_BYTES_MAX ((size_t)1000000)

bool store_surely_absent(const struct mr_store *store, uint64_t hash)
{
    return store->all_known && !filter_maybe(&store->outside, hash);
}

enum mr_status store_decode(struct mr_store *store, struct mr_slice framed, void *value,
                            struct mr_err *err)
{
    struct mr_err cause;
    const enum mr_status status = mr_codec_decode(store->config.codec, &store->config.binding,
                                                  framed, store->config.arena, value, &cause);

    if (status == MR_OK) {
        return MR_OK;
    }
    if (mr_status_class(status) == MR_CLASS_RETRY) {
        *err = cause;
        return status;
    }
    return mr_fail(err, MR_CORRUPT, "store %s: stored value cannot be read: %s", store->name,
                   cause.text);
}

/* Brings the committed value of a key into the table; *entry NULL when there is none. */
static enum mr_status fetch(struct mr_store *store, uint64_t hash, struct mr_slice key,
                            struct entry **entry, struct mr_err *err)
{
    struct mr_backend *backend = store->config.backend;
    bool found = false;

    if (*entry == NULL && store_surely_absent(store, hash)) {
        return MR_OK;
    }
    store->fetches++;
    MR_TRY(backend->ops->get(backend, store->config.space, key, &store->scratch, &found, err));
    if (*entry == NULL && !found) {
        return MR_OK;
    }
    if (*entry == NULL) {
        *entry = table_add(&store->table, hash, key);
    }
    (*entry)->unbacked = !found;
    table_set_committed(&store->table, *entry,
                        found ? table_block(&store->table, mr_buffer_slice(&store->scratch))
                              : &block_absent);
    return MR_OK;
}

enum mr_status mr_store_get(struct mr_store *store, struct mr_slice key, void *value, bool *found,
                            struct mr_err *err)
{
    const uint64_t hash = table_hash(key);
    struct entry *entry = table_find(&store->table, hash, key);
    const struct block *block;

    *found = false;
    store->reads++;
    if (entry == NULL || (entry->pending == NULL && entry->committed == NULL)) {
        MR_TRY(fetch(store, hash, key, &entry, err));
    }
    if (entry == NULL) {
        return MR_OK;
    }
    entry->recent = true;
    block = entry->pending != NULL ? entry->pending : entry->committed;
    if (block == &block_absent) {
        return MR_OK;
    }
    MR_TRY(store_decode(store, block_value(block), value, err));
    *found = true;
    return MR_OK;
}

void store_list_add(struct entry_list *list, struct entry *entry)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = mr_xrealloc(list->items, list->capacity * sizeof(struct entry *));
    }
    list->items[list->count++] = entry;
}

static void write_pending(struct mr_store *store, struct entry *entry, struct block *block)
{
    if (store->undo_count == store->undo_capacity) {
        store->undo_capacity = store->undo_capacity == 0 ? 64 : store->undo_capacity * 2;
        store->undo = mr_xrealloc(store->undo, store->undo_capacity * sizeof(struct undo));
    }
    store->undo[store->undo_count++] = (struct undo){.entry = entry, .before = entry->pending};
    entry->pending = block;
    entry->recent = true;
    store->overlay_bytes += entry->key_len + block->len;
    if (!entry->listed) {
        entry->listed = true;
        store_list_add(&store->written, entry);
    }
}

static struct entry *entry_for_write(struct mr_store *store, uint64_t hash, struct mr_slice key)
{
    struct entry *entry = table_find(&store->table, hash, key);

    if (entry == NULL) {
        const bool absent = store_surely_absent(store, hash);

        entry = table_add(&store->table, hash, key);
        entry->committed = absent ? &block_absent : NULL;
        entry->unbacked = absent;
    }
    return entry;
}

static enum mr_status check_key(const struct mr_store *store, struct mr_slice key,
                                struct mr_err *err)
{
    if (key.len == 0 || key.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_TOO_LARGE, "store %s: key of %zu bytes; 1 to %zu are allowed",
                       store->name, key.len, MR_STORE_KEY_BYTES_MAX);
    }
    return MR_OK;
}

enum mr_status mr_store_put(struct mr_store *store, struct mr_slice key, const void *value,
                            struct mr_err *err)
{
    const struct mr_binding *binding = &store->config.binding;
    const uint64_t hash = table_hash(key);
    size_t bytes;

    MR_TRY(check_key(store, key, err));
    bytes = mr_codec_framed_bytes_max(binding, value);
    if (key.len + bytes > ENTRY_BYTES_MAX) {
        return mr_fail(err, MR_TOO_LARGE, "store %s: value of up to %zu bytes; at most %zu",
                       store->name, bytes, ENTRY_BYTES_MAX - key.len);
    }
    mr_buffer_clear(&store->scratch);
    bytes = mr_codec_encode(binding, value, mr_buffer_reserve(&store->scratch, bytes));
    write_pending(store, entry_for_write(store, hash, key),
                  table_block(&store->table, mr_slice_of(store->scratch.data, bytes)));
    return MR_OK;
}

enum mr_status mr_store_delete(struct mr_store *store, struct mr_slice key, struct mr_err *err)
{
    const uint64_t hash = table_hash(key);
    struct entry *entry;

    MR_TRY(check_key(store, key, err));
    entry = table_find(&store->table, hash, key);
    if (entry == NULL && store_surely_absent(store, hash)) {
        return MR_OK;
    }
    write_pending(store, entry_for_write(store, hash, key), &block_absent);
    return MR_OK;
}

size_t mr_store_cached_count(const struct mr_store *store)
{
    return store->table.entry_count;
}

void mr_store_usage(const struct mr_store *store, struct mr_store_usage *usage)
{
    *usage = (struct mr_store_usage){
        .reads = store->reads,
        .fetches = store->fetches,
        .cached_entries = store->table.entry_count,
        .cached_bytes = store->table.bytes,
    };
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool load_one(void *arg, struct mr_slice key, struct mr_slice value)
{
    struct mr_store *store = arg;
    const struct mr_cache_budget *budget = store->config.budget;
    struct entry *entry = table_add(&store->table, table_hash(key), key);

    table_set_committed(&store->table, entry, table_block(&store->table, value));
    store->all_known =
        store->table.bytes < budget->share_bytes || budget->used_bytes < budget->limit_bytes;
    return store->all_known;
}

enum mr_status mr_store_open(const struct mr_store_config *config, struct mr_store **out,
                             struct mr_err *err)
{
    struct mr_store *store = mr_xcalloc(1, sizeof(*store));
    const struct mr_slice whole = {0};
    enum mr_status status;

    store->config = *config;
    store->name = mr_xstrdup(config->name);
    store->config.name = store->name;
    table_init(&store->table, &config->budget->used_bytes);
    store->all_known = true; /* until the budget stops the loading */
    status = config->backend->ops->scan(config->backend, config->space, whole, whole, load_one,
                                        store, err);
    if (status != MR_OK) {
        mr_store_close(&store);
        return status;
    }
    *out = store;
    return MR_OK;
}

void mr_store_close(struct mr_store **out)
{
    struct mr_store *store = *out;

    if (store == NULL) {
        return;
    }
    mr_store_abort(store);
    table_fini(&store->table);
    filter_fini(&store->outside);
    mr_buffer_fini(&store->scratch);
    free(store->written.items);
    free(store->behind.items);
    free(store->undo);
    free(store->name);
    free(store);
    *out = NULL;
}
