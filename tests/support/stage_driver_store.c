/*
 * stage_driver_store.c -- stores of the stage driver: sorted arrays of encoded values and an undo
 * log.
 *
 * Why: a value that went through the codec and comes back in memory that dies with the callback is
 *      what the real store gives, so a stage that keeps a borrowed pointer fails here first.
 */
#include "stage_driver_state.h"

#include <stdlib.h>

/* Index of the first entry whose key is not below `key`. */
static size_t lower_bound(const struct mr_store *store, struct mr_slice key)
{
    size_t low = 0;
    size_t high = store->count;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (mr_slice_compare(driver_slice(store->entries[mid].key), key) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool holds(const struct mr_store *store, size_t index, struct mr_slice key)
{
    return index < store->count && mr_slice_equal(driver_slice(store->entries[index].key), key);
}

static void insert_at(struct mr_store *store, size_t index, struct driver_entry entry)
{
    store->entries = driver_grow(store->entries, store->count, &store->capacity, sizeof(entry));
    memmove(&store->entries[index + 1], &store->entries[index],
            (store->count - index) * sizeof(entry));
    store->entries[index] = entry;
    store->count++;
}

static void remove_at(struct mr_store *store, size_t index)
{
    free(store->entries[index].key.data);
    store->count--;
    memmove(&store->entries[index], &store->entries[index + 1],
            (store->count - index) * sizeof(store->entries[0]));
}

static void note_undo(struct mr_store *store, struct mr_slice key, struct driver_bytes old,
                      bool present)
{
    struct mr_driver *driver = store->driver;

    driver->undo = driver_grow(driver->undo, driver->undo_count, &driver->undo_capacity,
                               sizeof(driver->undo[0]));
    driver->undo[driver->undo_count++] = (struct driver_undo){
        .store = store, .key = driver_bytes_copy(key), .value = old, .present = present};
}

void driver_undo_to(struct mr_driver *driver, size_t mark)
{
    while (driver->undo_count > mark) {
        struct driver_undo *undo = &driver->undo[--driver->undo_count];
        const size_t index = lower_bound(undo->store, driver_slice(undo->key));
        const bool found = holds(undo->store, index, driver_slice(undo->key));

        if (found) {
            free(undo->store->entries[index].value.data);
        }
        if (found && undo->present) {
            undo->store->entries[index].value = undo->value;
            free(undo->key.data);
        } else if (found) {
            remove_at(undo->store, index);
            free(undo->key.data);
        } else if (undo->present) {
            insert_at(undo->store, index,
                      (struct driver_entry){.key = undo->key, .value = undo->value});
        } else {
            free(undo->key.data);
        }
    }
}

void driver_undo_forget(struct mr_driver *driver)
{
    for (size_t i = 0; i < driver->undo_count; i++) {
        free(driver->undo[i].key.data);
        free(driver->undo[i].value.data);
    }
    driver->undo_count = 0;
}

void driver_stores_fini(struct mr_driver *driver)
{
    driver_undo_forget(driver);
    free(driver->undo);
    for (size_t i = 0; i < driver->stage->store_count; i++) {
        struct mr_store *store = &driver->stores[i];

        while (store->count > 0) {
            free(store->entries[store->count - 1].value.data);
            remove_at(store, store->count - 1);
        }
        free(store->entries);
    }
    free(driver->stores);
}

enum mr_status mr_store_get(struct mr_store *store, struct mr_slice key, void *value, bool *found,
                            struct mr_err *err)
{
    const size_t index = lower_bound(store, key);

    MR_ASSERT(key.len <= MR_STORE_KEY_BYTES_MAX);
    store->driver->store_calls++;
    if (driver_fault_strikes(store->driver, MR_DRIVER_FAULT_GET)) {
        return mr_fail(err, MR_STORE_IO, "ordered fault in get");
    }
    *found = holds(store, index, key);
    if (!*found) {
        return MR_OK;
    }
    return driver_decode_loan(store->driver, store->schema,
                              driver_slice(store->entries[index].value), value, err);
}

enum mr_status mr_store_put(struct mr_store *store, struct mr_slice key, const void *value,
                            struct mr_err *err)
{
    const size_t index = lower_bound(store, key);
    const size_t bytes_max = store->schema->encoded_bytes_max(value);
    struct driver_bytes body = {.data = mr_xcalloc(1, bytes_max + 1)};

    MR_ASSERT(key.len > 0 && key.len <= MR_STORE_KEY_BYTES_MAX);
    store->driver->store_calls++;
    if (driver_fault_strikes(store->driver, MR_DRIVER_FAULT_PUT)) {
        free(body.data);
        return mr_fail(err, MR_STORE_IO, "ordered fault in put");
    }
    body.len = store->schema->encode(value, body.data);
    MR_ASSERT(body.len <= bytes_max);
    if (holds(store, index, key)) {
        note_undo(store, key, store->entries[index].value, true);
        store->entries[index].value = body;
    } else {
        note_undo(store, key, (struct driver_bytes){0}, false);
        insert_at(store, index,
                  (struct driver_entry){.key = driver_bytes_copy(key), .value = body});
    }
    return MR_OK;
}

enum mr_status mr_store_delete(struct mr_store *store, struct mr_slice key, struct mr_err *err)
{
    const size_t index = lower_bound(store, key);

    store->driver->store_calls++;
    if (driver_fault_strikes(store->driver, MR_DRIVER_FAULT_PUT)) {
        return mr_fail(err, MR_STORE_IO, "ordered fault in delete");
    }
    if (holds(store, index, key)) {
        note_undo(store, key, store->entries[index].value, true);
        remove_at(store, index);
    }
    return MR_OK;
}

enum mr_status mr_store_scan(struct mr_store *store, struct mr_slice from, struct mr_slice to,
                             mr_store_visit *visit, void *arg, struct mr_err *err)
{
    struct mr_driver *driver = store->driver;

    driver->store_calls++;
    driver->scan_calls++;
    if (driver_fault_strikes(driver, MR_DRIVER_FAULT_GET) ||
        driver_fault_strikes(driver, MR_DRIVER_FAULT_SCAN)) {
        return mr_fail(err, MR_STORE_IO, "ordered fault in scan");
    }
    for (size_t i = lower_bound(store, from); i < store->count; i++) {
        const struct driver_entry *entry = &store->entries[i];
        const size_t undo_before = driver->undo_count;
        const struct mr_slice key = driver_slice(entry->key);
        void *value = driver_loan(driver, store->schema->struct_bytes);
        void *key_copy = driver_loan(driver, key.len);

        if (to.len > 0 && mr_slice_compare(key, to) >= 0) {
            break;
        }
        memcpy(key_copy, key.data, key.len);
        MR_TRY(driver_decode_loan(driver, store->schema, driver_slice(entry->value), value, err));
        if (!visit(arg, mr_slice_of(key_copy, key.len), value)) {
            break;
        }
        MR_ASSERT(driver->undo_count == undo_before); /* a visit must not write */
    }
    return MR_OK;
}

size_t mr_store_cached_count(const struct mr_store *store)
{
    return store->count;
}

struct mr_store *mr_driver_store(struct mr_driver *driver, const char *name)
{
    for (size_t i = 0; i < driver->stage->store_count; i++) {
        if (strcmp(driver->stores[i].name, name) == 0) {
            return &driver->stores[i];
        }
    }
    mr_assert_fail("unknown store", __FILE__, __LINE__, __func__);
}

bool mr_driver_store_get(struct mr_driver *driver, const char *name, struct mr_slice key,
                         void *value)
{
    struct mr_store *store = mr_driver_store(driver, name);
    const size_t index = lower_bound(store, key);

    driver_loans_end(driver);
    if (!holds(store, index, key)) {
        return false;
    }
    MR_ASSERT(driver_decode_loan(driver, store->schema, driver_slice(store->entries[index].value),
                                 value, &driver->err) == MR_OK);
    return true;
}

size_t mr_driver_store_count(const struct mr_driver *driver, const char *name)
{
    for (size_t i = 0; i < driver->stage->store_count; i++) {
        if (strcmp(driver->stores[i].name, name) == 0) {
            return driver->stores[i].count;
        }
    }
    mr_assert_fail("unknown store", __FILE__, __LINE__, __func__);
}

/* FNV-1a with lengths mixed in, so that moving a byte from key to value changes it. */
static uint64_t mix(uint64_t digest, struct driver_bytes bytes)
{
    digest = (digest ^ bytes.len) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < bytes.len; i++) {
        digest = (digest ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    return digest;
}

uint64_t mr_driver_state_digest(const struct mr_driver *driver)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < driver->stage->store_count; i++) {
        digest = (digest ^ driver->stores[i].count) * UINT64_C(0x100000001b3);
        for (size_t k = 0; k < driver->stores[i].count; k++) {
            digest = mix(digest, driver->stores[i].entries[k].key);
            digest = mix(digest, driver->stores[i].entries[k].value);
        }
    }
    return digest;
}
