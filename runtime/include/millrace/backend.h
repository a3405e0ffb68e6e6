/*
 * backend.h -- where committed state rests: one ordered key space per (store, partition), written
 * in atomic batches. Implementations: statestore/rocksdb (one database per process, one column
 * family per space) and statestore/memory (tests, `make try`).
 *
 * Thread: spaces of different partitions may be used from different threads; one space by one.
 * Errors: MR_STORE_IO, MR_CORRUPT, MR_FOREIGN_STATE (another application, or a newer format).
 */
#ifndef MILLRACE_BACKEND_H
#define MILLRACE_BACKEND_H

#include "millrace/buffer.h"
#include "millrace/slice.h"
#include "millrace/status.h"

struct mr_backend;
struct mr_space; /* one (store, partition) */

struct mr_backend_write {
    struct mr_space *space;
    struct mr_slice key;
    struct mr_slice value;
    bool has_value; /* false: delete */
};

/* How much a space holds; implementations may guess. */
struct mr_space_size {
    uint64_t entries;
    uint64_t bytes;
};

typedef bool mr_space_visit(void *arg, struct mr_slice key, struct mr_slice value);

struct mr_backend_ops {
    /* name: "<stage>.<store>"; created when absent. Opened for reading only: NULL when absent. */
    enum mr_status (*space_open)(struct mr_backend *, const char *name, int32_t partition,
                                 struct mr_space **, struct mr_err *);
    /* Deletes everything in the space and its metadata. */
    enum mr_status (*space_wipe)(struct mr_backend *, struct mr_space *, struct mr_err *);
    enum mr_status (*space_close)(struct mr_backend *, struct mr_space *, struct mr_err *);
    /* *value is overwritten. */
    enum mr_status (*get)(struct mr_backend *, struct mr_space *, struct mr_slice key,
                          struct mr_buffer *value, bool *found, struct mr_err *);
    /* [from, to) in byte order; empty to: to the end. */
    enum mr_status (*scan)(struct mr_backend *, struct mr_space *, struct mr_slice from,
                           struct mr_slice to, mr_space_visit *visit, void *arg, struct mr_err *);
    /* All or nothing, in order; metadata of a space is a key space of its own (see meta_*). durable
     * true: synced. */
    enum mr_status (*write)(struct mr_backend *, const struct mr_backend_write *writes,
                            size_t write_count, const struct mr_backend_write *metas,
                            size_t meta_count, bool durable, struct mr_err *);
    enum mr_status (*meta_get)(struct mr_backend *, struct mr_space *, struct mr_slice key,
                               struct mr_buffer *value, bool *found, struct mr_err *);
    enum mr_status (*space_size)(struct mr_backend *, struct mr_space *, struct mr_space_size *,
                                 struct mr_err *);
    void (*close)(struct mr_backend *);
};

struct mr_backend {
    const struct mr_backend_ops *ops;
};

/*
 * Opens or creates the database under directory. identity: "<application>.<group>"; a directory
 * that holds another identity or a newer format version is refused (MR_FOREIGN_STATE), one in use
 * by a living process too, with its pid. memory_bytes: bound of block cache and memtables together.
 */
MR_NODISCARD enum mr_status mr_backend_rocksdb_open(const char *directory, const char *identity,
                                                    int64_t memory_bytes,
                                                    struct mr_backend **backend,
                                                    struct mr_err *err);
/*
 * The same database to look at: nothing is written, nothing is locked, and what is behind the last
 * write of a process that was killed is there. MR_UNAVAILABLE: there is none, or a living process
 * has it, whose pid is told: it must be asked instead. MR_FOREIGN_STATE as above.
 */
MR_NODISCARD enum mr_status mr_backend_rocksdb_look(const char *directory, const char *identity,
                                                    struct mr_backend **backend,
                                                    struct mr_err *err);
struct mr_backend *mr_backend_memory_create(void);

static inline void mr_backend_close(struct mr_backend **backend)
{
    if (*backend != NULL) {
        (*backend)->ops->close(*backend);
        *backend = NULL;
    }
}

#endif
