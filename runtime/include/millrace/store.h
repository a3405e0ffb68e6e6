/*
 * store.h -- a state store as a stage sees it: typed, ordered by key bytes, transactional.
 *
 * A store belongs to (stage, partition). Reads see the transaction's own writes, then committed
 * ones. Writes stay in the transaction's overlay until the log has committed. Values are structs of
 * the store's schema, kept as framed Avro: the same bytes in memory, in RocksDB and in the
 * changelog topic.
 *
 * Thread: owning task. Errors: MR_STORE_IO (RETRY), MR_CORRUPT (FATAL), codec errors of a changed
 * schema. Absence is not an error.
 */
#ifndef MILLRACE_STORE_H
#define MILLRACE_STORE_H

#include "millrace/api.h"
#include "millrace/slice.h"
#include "millrace/status.h"

MR_API_BEGIN

struct mr_store;

#define MR_STORE_KEY_BYTES_MAX ((size_t)1024)

/*
 * value   struct of the store's schema; its strings and arrays are borrowed until the callback
 *         returns (they survive later puts of the same key within it)
 * *found  written on MR_OK
 */
MR_NODISCARD enum mr_status mr_store_get(struct mr_store *store, struct mr_slice key, void *value,
                                         bool *found, struct mr_err *err);
MR_NODISCARD enum mr_status mr_store_put(struct mr_store *store, struct mr_slice key,
                                         const void *value, struct mr_err *err);
/* Deleting an absent key is fine. */
MR_NODISCARD enum mr_status mr_store_delete(struct mr_store *store, struct mr_slice key,
                                            struct mr_err *err);

/* Return false to stop. key and value are borrowed for the call; the store must not be written. */
typedef bool mr_store_visit(void *arg, struct mr_slice key, const void *value);

/*
 * Visits keys in [from, to) in byte order, the transaction's own writes included. An empty `to`
 * means to the end. Reads RocksDB: for expiry, rebuild and queries, not for each record.
 */
MR_NODISCARD enum mr_status mr_store_scan(struct mr_store *store, struct mr_slice from,
                                          struct mr_slice to, mr_store_visit *visit, void *arg,
                                          struct mr_err *err);

/* Number of keys is not kept; this is the number of entries in memory, for metrics. */
size_t mr_store_cached_count(const struct mr_store *store);

/*
 * Composite keys: parts are joined so that byte order is the order of the parts and no two
 * different part lists give the same bytes. Text part: bytes, then 0x00 (texts hold no NUL);
 * integer part: 8 bytes big-endian with the sign bit flipped.
 */
#define MR_KEY_BYTES_MAX ((size_t)512)
struct mr_key {
    uint8_t bytes[MR_KEY_BYTES_MAX];
    size_t len;
    bool overflow; /* a part did not fit: mr_key_slice then asserts; check when parts are outside
                      input */
};

void mr_key_begin(struct mr_key *key);
void mr_key_text(struct mr_key *key, struct mr_slice text);
void mr_key_i64(struct mr_key *key, int64_t value);
struct mr_slice mr_key_slice(const struct mr_key *key);
/* The smallest key above every key that starts with this one: the `to` of a prefix scan. */
void mr_key_prefix_end(const struct mr_key *prefix, struct mr_key *end);

MR_API_END

#endif
