/*
 * connector.h -- the contract between the sink runner and a connector to an outside system.
 *
 * A sink is a consumer of committed output with a group of its own (`<application>.<connector>`).
 * The runner polls, decodes, hands over batches, backs off with the partitions paused while the
 * system is away, and moves offsets only after write returned MR_OK. A record may therefore come
 * again: write must be idempotent (version guard, compare-and-set).
 *
 * Thread: one instance, one thread.
 */
#ifndef MILLRACE_CONNECTOR_H
#define MILLRACE_CONNECTOR_H

#include "millrace/metrics.h"
#include "millrace/option.h"
#include "millrace/record.h"
#include "millrace/schema.h"

struct mr_sink_env {
    const char *application;
    const char *name; /* of the connector in topology.yaml */
    const char *topic;
    const struct mr_schema *schema;
    struct mr_metrics *metrics;
};

struct mr_sink_type {
    const char *name;
    const char *help;
    size_t state_size; /* allocated and zeroed by the runner, options filled in */
    const struct mr_option *options;
    size_t option_count;
    /* Names of the record schemas it can write, NULL-terminated. */
    const char *const *schemas;
    /*
     * Connects and prepares (indexes). MR_UNAVAILABLE is retried by the runner with back-off; FATAL
     * stops the process. Called again after a write returned MR_UNAVAILABLE: must be able to
     * reconnect.
     */
    enum mr_status (*open)(void *self, const struct mr_sink_env *env, struct mr_err *err);
    /*
     * Writes the records (structs of env->schema; value NULL: tombstone) and returns when they are
     * acknowledged. RETRY class: nothing is assumed, the whole batch comes again. POISON class:
     * record *bad cannot be written by anybody; the others may have been; the runner dead-letters
     * it and hands over the rest again.
     */
    enum mr_status (*write)(void *self, const struct mr_record *records, size_t count, size_t *bad,
                            struct mr_err *err);
    /* Disconnects; also after a failed open. */
    void (*close)(void *self);
    /* The address it writes to, without credentials, for messages. */
    const char *(*address)(const void *self);
};

#endif
