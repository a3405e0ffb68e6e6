/*
 * stage.h -- the whole contract between the runtime and a stage.
 *
 * A stage is a const table of functions plus a state struct that the runtime allocates, zeroes and
 * fills from topology.yaml before init. One task (stage x partition) owns one instance; its
 * callbacks never run concurrently. A stage reads no clock, does no I/O, takes no lock and keeps
 * nothing that it cannot rebuild from its stores.
 *
 * What a callback wrote is provisional until the transaction commits. When a callback returns a
 * POISON status the runtime forgets everything that this input record wrote, in every stage it
 * reached, and the record goes to the dead-letter topic; RETRY and ABORT undo the transaction and
 * the same inputs come again; FATAL stops the process before anything is committed.
 */
#ifndef MILLRACE_STAGE_H
#define MILLRACE_STAGE_H

#include "millrace/api.h"
#include "millrace/arena.h"
#include "millrace/metrics.h"
#include "millrace/option.h"
#include "millrace/record.h"
#include "millrace/schema.h"
#include "millrace/store.h"

MR_API_BEGIN

struct mr_ctx; /* one task's view of the runtime */

enum mr_port_flag {
    MR_PORT_OPTIONAL = 1 << 0,   /* may be left unbound */
    MR_PORT_TABLE = 1 << 1,      /* in: every instance sees all keys, read with mr_table_get */
    MR_PORT_TOMBSTONES = 1 << 2, /* in: a NULL value is a delete, not poison */
    MR_PORT_LATEST = 1 << 3,     /* out: only the last value of a key in a transaction is written */
};

struct mr_port {
    const char *name;
    const struct mr_schema *schema;
    unsigned flags; /* of enum mr_port_flag */
    const char *help;
};

struct mr_store_spec {
    const char *name;
    const struct mr_schema *schema;
    const char *help; /* what the key is made of */
};

enum mr_timer_clock { MR_STREAM_TIME, MR_WALL_CLOCK };

struct mr_stage {
    const char *name;
    const char *help;
    size_t state_size;
    const struct mr_port *in;
    size_t in_count;
    const struct mr_port *out;
    size_t out_count;
    const struct mr_store_spec *stores;
    size_t store_count;
    const struct mr_option *options;
    size_t option_count;

    /* Options are filled in; stores may be bound but not yet read. FATAL on failure. */
    enum mr_status (*init)(void *self, struct mr_ctx *ctx, struct mr_err *err);
    /*
     * Make memory of one's own (an order book) equal to the stores again: once before the first
     * record, and after each undo (poison or abort) that followed a write. Optional.
     */
    enum mr_status (*reload)(void *self, struct mr_ctx *ctx, struct mr_err *err);
    /* One record of the stream port in[port]. */
    enum mr_status (*process)(void *self, struct mr_ctx *ctx, size_t port,
                              const struct mr_record *record, struct mr_err *err);
    /* A timer of mr_ctx_schedule is due. now_us: stream time or wall clock, as scheduled. Optional.
     */
    enum mr_status (*punctuate)(void *self, struct mr_ctx *ctx, size_t timer, int64_t now_us,
                                struct mr_err *err);
    /* The transaction is about to commit: emit what was conflated over it. Optional. */
    enum mr_status (*flush)(void *self, struct mr_ctx *ctx, struct mr_err *err);
    /* Free what init and reload allocated; also called after a failed init. Optional. */
    void (*fini)(void *self);
};

/*
 * Emits value (struct of out[port]'s schema) to the topic bound to the port: to the partition that
 * the key hashes to (murmur2, as Java's default partitioner). Readers in the same group that are
 * bound by `tee` or `memory` process it before this returns, and their status is returned.
 * An unbound optional port swallows it.
 */
MR_NODISCARD enum mr_status mr_emit(struct mr_ctx *ctx, size_t port, struct mr_slice key,
                                    const void *value, struct mr_err *err);
/* The same with another partitioning key than the record's: key userId:asset, partition of userId.
 */
MR_NODISCARD enum mr_status mr_emit_by(struct mr_ctx *ctx, size_t port,
                                       struct mr_slice partition_key, struct mr_slice key,
                                       const void *value, struct mr_err *err);

/* stores[index] of the stage's table. Borrowed from the task. */
struct mr_store *mr_ctx_store(struct mr_ctx *ctx, size_t index);

/*
 * The value of a global table bound to in[port] for a key: a struct of the port's schema, borrowed
 * until the callback returns; NULL when the key is absent. *version: log offset of the value (may
 * be NULL), so that derived data can be cached.
 */
const void *mr_table_get(struct mr_ctx *ctx, size_t port, struct mr_slice key, int64_t *version);

/* Largest event time seen by the task so far; INT64_MIN before the first record. */
int64_t mr_ctx_stream_time_us(const struct mr_ctx *ctx);
int32_t mr_ctx_partition(const struct mr_ctx *ctx);
/* Scratch memory: reset after each input record. */
struct mr_arena *mr_ctx_arena(struct mr_ctx *ctx);
/* A counter `millrace_stage_<name>` with labels application, stage, partition. Call in init. */
struct mr_counter *mr_ctx_counter(struct mr_ctx *ctx, const char *name);
/*
 * A gauge `millrace_stage_<name>` with labels application, stage, partition and those given. The
 * same name and labels give the same handle, valid until fini; at any time, but for a series that
 * is new it takes a lock: keep the handle. The runtime sets it to 0 when the task leaves, so that a
 * sum over partitions counts each once; a stage sets it in reload and in flush, which are once per
 * transaction.
 */
struct mr_gauge *mr_ctx_gauge(struct mr_ctx *ctx, const char *name, const struct mr_label *labels,
                              size_t label_count);
/* Calls punctuate(timer) every interval_us of the clock. Call in init. *timer: 0, 1, ... */
void mr_ctx_schedule(struct mr_ctx *ctx, enum mr_timer_clock clock, int64_t interval_us,
                     size_t *timer);

MR_API_END

#endif
