/*
 * task_store.h -- a state store as the runtime sees it: savepoint, overlay, commit.
 *
 * Why: stages get, put, delete and scan (store.h). The task beside them needs the other half: undo
 *      what one input record wrote, drop what a transaction wrote, hand its changes to the
 *      changelog, make them the committed state, and hand that to the backend.
 * How: record -> release | rollback;  transaction -> changes, then committed | abort;
 *      now and then -> unwritten, then written.
 * Thread: owning task.
 */
#ifndef MILLRACE_TASK_STORE_H
#define MILLRACE_TASK_STORE_H

#include "millrace/backend.h"
#include "millrace/codec.h"
#include "millrace/store.h"

/*
 * What the stores of one worker may keep in memory together. A store above its fair share gives
 * entries back as long as all of them are above the limit.
 */
struct mr_cache_budget {
    size_t limit_bytes;
    size_t share_bytes; /* of one store; a store below it keeps what it has */
    size_t used_bytes;  /* kept by the stores */
};

struct mr_store_config {
    const char *name; /* "<stage>.<store>", for messages; copied */
    struct mr_codec *codec;
    struct mr_binding binding; /* of the changelog's subject */
    struct mr_backend *backend;
    struct mr_space *space; /* borrowed; holds exactly the committed state */
    struct mr_arena *arena; /* arrays of decoded values; the caller resets it between records */
    struct mr_cache_budget *budget; /* shared, borrowed */
};

/* Loads what fits the cache. Errors: MR_STORE_IO, MR_CORRUPT. */
MR_NODISCARD enum mr_status mr_store_open(const struct mr_store_config *config,
                                          struct mr_store **store, struct mr_err *err);
/* Drops the overlay; committed state is the backend's. */
void mr_store_close(struct mr_store **store);

/* ---- looking at it from outside: committed values, as they are framed ------------------------ */

/* *framed is overwritten. Leaves the cache as it is. */
MR_NODISCARD enum mr_status mr_store_peek(struct mr_store *store, struct mr_slice key,
                                          struct mr_buffer *framed, bool *found,
                                          struct mr_err *err);
/* [from, to) in byte order; empty to: to the end. */
MR_NODISCARD enum mr_status mr_store_peek_range(struct mr_store *store, struct mr_slice from,
                                                struct mr_slice to, mr_space_visit *visit,
                                                void *arg, struct mr_err *err);

struct mr_store_usage {
    uint64_t reads;   /* by the stage */
    uint64_t fetches; /* of them: not in memory, asked of the backend */
    size_t cached_entries;
    size_t cached_bytes;
};
void mr_store_usage(const struct mr_store *store, struct mr_store_usage *usage);

/* The current input record is done: its writes stay in the overlay. */
void mr_store_release(struct mr_store *store);
/* Forgets what the current input record wrote; true when there was something. */
bool mr_store_rollback(struct mr_store *store);
/* Forgets what the transaction wrote; true when there was something. */
bool mr_store_abort(struct mr_store *store);

/* Bytes written since the last commit or abort: what bounds a transaction. */
size_t mr_store_overlay_bytes(const struct mr_store *store);

/* Key and value stay valid until mr_store_committed or mr_store_abort. has_value false: deleted. */
typedef enum mr_status mr_store_change(void *arg, struct mr_slice key, struct mr_slice value,
                                       bool has_value, struct mr_err *err);
/*
 * The transaction's net effect: each key once with its last value, in the order of first writing.
 * A key that was created and deleted, or set to the bytes it had, is not mentioned. Stops at the
 * first failure of visit and returns it.
 */
MR_NODISCARD enum mr_status mr_store_changes(struct mr_store *store, mr_store_change *visit,
                                             void *arg, struct mr_err *err);
/* The log has the changes: they are the committed state now, in memory. */
void mr_store_committed(struct mr_store *store);

/* Bytes committed that the backend does not have yet, rewritten keys counted each time. */
size_t mr_store_behind_bytes(const struct mr_store *store);
/*
 * What the backend lacks: each key once with its committed value, has_value false: to be deleted.
 */
MR_NODISCARD enum mr_status mr_store_unwritten(struct mr_store *store, mr_store_change *visit,
                                               void *arg, struct mr_err *err);
/* The backend has them. Entries above the cache's bound are let go. */
void mr_store_written(struct mr_store *store);

#endif
