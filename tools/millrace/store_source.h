/*
 * store_source.h -- where `millrace store` reads: running processes, or the state directories of
 * stopped ones. The same questions of both, answered in rows of JSON.
 */
#ifndef MILLRACE_TOOLS_STORE_SOURCE_H
#define MILLRACE_TOOLS_STORE_SOURCE_H

#include "see_processes.h"
#include "store_key.h"
#include "store_row.h"

#include <jansson.h>

struct store_source;

/* What is asked about. stage or store SIZE_MAX: all of them, for stats alone. */
struct store_subject {
    const struct mr_topology *topology;
    size_t stage, store;
    int32_t partition; /* -1: all */
};

/* A row as one line without its newline; false: enough. */
typedef bool store_visit(void *arg, struct mr_slice line);

struct store_range {
    int32_t partition;
    struct mr_slice from; /* empty: the first */
    struct mr_slice to;   /* empty: to the end */
    size_t limit;
    store_visit *visit;
    void *arg;
    /* Filled in: */
    size_t rows;
    struct mr_buffer next; /* key to go on with; empty: that was all */
};

struct store_source_ops {
    /* *found: rows handed over, of all partitions. */
    enum mr_status (*get)(struct store_source *, const struct mr_key *key, store_visit *visit,
                          void *arg, size_t *found, struct mr_err *);
    enum mr_status (*scan)(struct store_source *, struct store_range *range, struct mr_err *);
    /* An array of rows as /store/stats has them; the caller's. */
    enum mr_status (*stats)(struct store_source *, json_t **rows, struct mr_err *);
    void (*close)(struct store_source *);
};

struct store_source {
    const struct store_source_ops *ops;
    struct store_subject subject;
    const char *kind;   /* "running", "stopped" */
    char where[512];    /* addresses or directories, for messages */
    bool *here;         /* by partition of the stage's group; NULL: no stage is asked about */
    const char **state; /* by partition; NULL: ready */
    int32_t partitions;
};

/* Running processes if one answers, else state directories. MR_UNAVAILABLE says what was tried. */
MR_NODISCARD enum mr_status store_source_open(const struct store_subject *subject,
                                              const struct args_texts *addresses,
                                              const char *state_dir, struct store_source **source,
                                              struct mr_err *err);
void store_source_close(struct store_source **source);

/* store_live.c: MR_UNAVAILABLE when none answers, or one of them is given and does not. */
MR_NODISCARD enum mr_status store_live_open(const struct store_subject *subject,
                                            const struct see_processes *processes,
                                            struct store_source **source, struct mr_err *err);
/* store_disk.c: MR_UNAVAILABLE when there is none, or it is in use. */
MR_NODISCARD enum mr_status store_disk_open(const struct store_subject *subject,
                                            const char *state_dir, struct store_source **source,
                                            struct mr_err *err);
/* For both: room for what is known of partitions. */
void store_source_init(struct store_source *source, const struct store_source_ops *ops,
                       const struct store_subject *subject);

#endif
