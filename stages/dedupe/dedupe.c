/*
 * dedupe -- each request of a user passes once within `window`.
 *
 * Why: gateways and clients retry on timeout, so `orders` may hold one request twice; and a client
 *      may use one idempotency key for two different requests, which must not touch the first.
 * How: store "seen" maps (userId, action, key) -> first sight, with a fingerprint of the business
 *      fields. The key is the idempotencyKey, else the clientOrderId, else the orderId. Same
 *      fingerprint: RiskEvent DUPLICATE. Other fingerprint: DUPLICATE_CONFLICT.
 *      Store "sweep" has one row with a lower bound of all first sights: until that is due nothing
 *      is scanned or written for expiry, and a request costs one put. Then a sweep goes over "seen"
 *      in the order of its keys, BATCH entries at every BATCH_RECORDS-th request that passes. What
 *      is due goes; the oldest of what stays is the next bound. All of this is in the row, so a
 *      replay deletes the same entries at the same records.
 *      An entry that is due is gone after at most one full sweep: about a third as many requests as
 *      there are entries. So "seen" is at most a third larger than the window, and two batches.
 * Not: extended by duplicates: the window is fixed from first sight, in event time, and a copy with
 *      an older clock is a duplicate too. Deletion may lag behind the window; the verdict does not.
 */
#include "dedupe.h"

#include "avro/dedupe_entry.h"
#include "avro/dedupe_sweep.h"
#include "avro/order_command.h"
#include "avro/risk_event.h"
#include "domain/codes.h"
#include "domain/fingerprint.h"
#include "order_map.h"

_Static_assert(sizeof(((struct oms_order_command *)0)->fingerprint) == FINGERPRINT_BYTES,
               "the record's fingerprint is the domain's");

#define DEDUPE_MAGIC UINT32_C(0x64656475)
/* Four entries for a request, and one scan for sixteen of them. */
#define BATCH 64
#define BATCH_RECORDS (BATCH / 4)
/* What is refused is refused in a replay of the log too, so this may not change. */
#define REQUEST_KEY_BYTES_MAX (MR_KEY_BYTES_MAX - 8)

struct dedupe {
    uint32_t magic;
    int64_t window_us;      /* option `window` */
    struct mr_store *seen;  /* borrowed from the task */
    struct mr_store *sweep; /* borrowed from the task */
    struct mr_counter *duplicates;
    struct mr_counter *conflicts;
    struct mr_counter *expired;
};

enum { DEDUPE_IN_ORDERS };
enum { DEDUPE_OUT_UNIQUE, DEDUPE_OUT_EVENTS };
enum { DEDUPE_STORE_SEEN, DEDUPE_STORE_SWEEP };

/* --- expiry ------------------------------------------------------------------------------- */

static bool is_due(const struct dedupe *d, int64_t first_us, int64_t now_us)
{
    int64_t limit_us = 0;

    return !__builtin_sub_overflow(now_us, d->window_us, &limit_us) && first_us <= limit_us;
}

/* What one scan found; keys are copies in the task's scratch memory. */
struct batch {
    const struct dedupe *dedupe;
    struct mr_arena *arena;
    int64_t now_us;
    size_t visited;
    struct mr_slice due[BATCH];
    size_t due_count;
    int64_t oldest_us;    /* of what stays */
    struct mr_slice next; /* the entry behind the batch; empty: there is none */
};

static bool batch_visit(void *arg, struct mr_slice key, const void *value)
{
    struct batch *batch = arg;
    const struct oms_dedupe_entry *entry = value;

    if (batch->visited == BATCH) {
        batch->next = mr_arena_copy(batch->arena, key);
        return false;
    }
    batch->visited++;
    if (is_due(batch->dedupe, entry->first_ts_us, batch->now_us)) {
        batch->due[batch->due_count++] = mr_arena_copy(batch->arena, key);
    } else if (entry->first_ts_us < batch->oldest_us) {
        batch->oldest_us = entry->first_ts_us;
    }
    return true;
}

/* Takes the sweep a batch further; it starts at the first key when none is under way. */
static enum mr_status sweep_batch(struct dedupe *d, struct mr_ctx *ctx, int64_t now_us,
                                  struct oms_dedupe_sweep *sweep, struct mr_err *err)
{
    const struct mr_slice to_the_end = {0};
    struct batch batch = {.dedupe = d,
                          .arena = mr_ctx_arena(ctx),
                          .now_us = now_us,
                          /* A new sweep: the request at hand is stored and stays. */
                          .oldest_us = sweep->cursor.len == 0 ? now_us : sweep->oldest_ts_us};

    MR_TRY(mr_store_scan(d->seen, sweep->cursor, to_the_end, batch_visit, &batch, err));
    for (size_t i = 0; i < batch.due_count; i++) {
        MR_TRY(mr_store_delete(d->seen, batch.due[i], err));
    }
    mr_counter_add(d->expired, batch.due_count);
    sweep->oldest_ts_us = batch.oldest_us;
    sweep->cursor = batch.next;
    if (batch.next.len == 0) {
        sweep->bound_ts_us = batch.oldest_us;
    }
    return MR_OK;
}

/* A request first seen now has been stored. Writes the row only when it changes. */
static enum mr_status dedupe_sweep(struct dedupe *d, struct mr_ctx *ctx, int64_t now_us,
                                   struct mr_err *err)
{
    const struct mr_slice key = mr_slice_str("sweep");
    struct oms_dedupe_sweep sweep = {.bound_ts_us = INT64_MAX, .oldest_ts_us = INT64_MAX};
    bool found = false;
    bool changed = false;

    MR_TRY(mr_store_get(d->sweep, key, &sweep, &found, err));
    /* The first of all, or one with an older clock, which a sweep may have passed already. */
    if (!found || now_us < sweep.oldest_ts_us) {
        sweep.oldest_ts_us = now_us;
        sweep.bound_ts_us = now_us < sweep.bound_ts_us ? now_us : sweep.bound_ts_us;
        changed = true;
    }
    if (is_due(d, sweep.bound_ts_us, now_us)) {
        changed = true;
        if (sweep.records_left > 0) {
            sweep.records_left--;
        } else {
            sweep.records_left = BATCH_RECORDS - 1;
            MR_TRY(sweep_batch(d, ctx, now_us, &sweep, err));
        }
    }
    return changed ? mr_store_put(d->sweep, key, &sweep, err) : MR_OK;
}

/* --- verdict ------------------------------------------------------------------------------ */

static enum mr_status dedupe_suppress(struct dedupe *d, struct mr_ctx *ctx,
                                      const struct oms_order_command *order,
                                      const struct oms_dedupe_entry *first, struct mr_err *err)
{
    const bool same =
        memcmp(order->fingerprint, first->fingerprint, sizeof(first->fingerprint)) == 0;
    const struct mr_slice prefix = mr_slice_str("D-");
    uint8_t *id = mr_arena_alloc(mr_ctx_arena(ctx), prefix.len + order->event_id.len);
    struct oms_risk_event event = {
        .ts_us = order->ts_us,
        .trace_id = order->trace_id,
        .has_trace_id = order->has_trace_id,
        .user_id = order->user_id,
        .order_id = first->order_id,
        .has_order_id = true,
        .command_id = order->event_id,
        .has_command_id = true,
        .symbol = order->symbol,
        .has_symbol = order->symbol.len > 0,
        .type = same ? OMS_RISK_EVENT_TYPE_DUPLICATE : OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT,
        .check = mr_slice_str("idempotency"),
        .code = same ? CODE_OK : CODE_KEY_REUSED,
    };

    memcpy(id, prefix.data, prefix.len);
    memcpy(id + prefix.len, order->event_id.data, order->event_id.len);
    event.event_id = mr_slice_of(id, prefix.len + order->event_id.len);
    mr_counter_add(same ? d->duplicates : d->conflicts, 1);
    return mr_emit(ctx, DEDUPE_OUT_EVENTS, order->user_id, &event, err);
}

/* --- contract ----------------------------------------------------------------------------- */

static enum mr_status dedupe_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct dedupe *d = self;

    (void)err;
    d->magic = DEDUPE_MAGIC;
    d->seen = mr_ctx_store(ctx, DEDUPE_STORE_SEEN);
    d->sweep = mr_ctx_store(ctx, DEDUPE_STORE_SWEEP);
    d->duplicates = mr_ctx_counter(ctx, "duplicates_total");
    d->conflicts = mr_ctx_counter(ctx, "conflicts_total");
    d->expired = mr_ctx_counter(ctx, "expired_total");
    return MR_OK;
}

static void request_key(struct mr_key *key, const struct oms_order_command *order)
{
    mr_key_begin(key);
    mr_key_text(key, order->user_id);
    mr_key_i64(key, (int64_t)order->action);
    if (order->idempotency_key.len > 0) {
        mr_key_text(key, order->idempotency_key);
    } else if (order->client_order_id.len > 0) {
        mr_key_text(key, order->client_order_id);
    } else {
        mr_key_text(key, order->order_id);
    }
}

static enum mr_status dedupe_process(void *self, struct mr_ctx *ctx, size_t port,
                                     const struct mr_record *record, struct mr_err *err)
{
    struct dedupe *d = MR_SELF(struct dedupe, self, DEDUPE_MAGIC);
    struct oms_order_command order = *(const struct oms_order_command *)record->value;
    struct ord_command command;
    struct oms_dedupe_entry entry = {0};
    struct mr_key key;
    bool found = false;

    (void)port;
    request_key(&key, &order);
    if (order.user_id.len == 0 || key.overflow || key.len > REQUEST_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "userId or idempotency key is empty or too long");
    }
    order_map_command(&order, &command);
    fingerprint_order(&command, order.fingerprint);
    order.has_fingerprint = true;
    MR_TRY(mr_store_get(d->seen, mr_key_slice(&key), &entry, &found, err));
    if (found && !is_due(d, entry.first_ts_us, record->event_us)) {
        return dedupe_suppress(d, ctx, &order, &entry, err);
    }
    entry.first_ts_us = record->event_us;
    memcpy(entry.fingerprint, order.fingerprint, sizeof(entry.fingerprint));
    entry.order_id = order.order_id;
    entry.command_id = order.event_id;
    MR_TRY(mr_store_put(d->seen, mr_key_slice(&key), &entry, err));
    MR_TRY(dedupe_sweep(d, ctx, record->event_us, err));
    return mr_emit(ctx, DEDUPE_OUT_UNIQUE, order.user_id, &order, err);
}

static const struct mr_port dedupe_in[] = {
    [DEDUPE_IN_ORDERS] = {.name = "orders",
                          .schema = &oms_order_command_schema,
                          .help = "validated commands, keyed by userId"},
};
static const struct mr_port dedupe_out[] = {
    [DEDUPE_OUT_UNIQUE] = {.name = "unique",
                           .schema = &oms_order_command_schema,
                           .help = "each request once, with its fingerprint"},
    [DEDUPE_OUT_EVENTS] = {.name = "events",
                           .schema = &oms_risk_event_schema,
                           .help = "suppressed duplicates and conflicts"},
};
static const struct mr_store_spec dedupe_stores[] = {
    [DEDUPE_STORE_SEEN] = {.name = "seen",
                           .schema = &oms_dedupe_entry_schema,
                           .help = "(userId, action, idempotency key) -> first sight"},
    [DEDUPE_STORE_SWEEP] = {.name = "sweep",
                            .schema = &oms_dedupe_sweep_schema,
                            .help = "\"sweep\": how far the deletion of old entries is"},
};
static const struct mr_option dedupe_options[] = {
    {.name = "window",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct dedupe, window_us),
     .fallback = "24h",
     .min = 1,
     .max = 30 * MR_DAY_US,
     .help = "how long after first sight a key counts as used, in event time"},
};

const struct mr_stage dedupe_stage = {
    .name = "dedupe",
    .help = "lets each request of a user pass once; reports duplicates and reused keys",
    .state_size = sizeof(struct dedupe),
    .in = dedupe_in,
    .in_count = MR_COUNT(dedupe_in),
    .out = dedupe_out,
    .out_count = MR_COUNT(dedupe_out),
    .stores = dedupe_stores,
    .store_count = MR_COUNT(dedupe_stores),
    .options = dedupe_options,
    .option_count = MR_COUNT(dedupe_options),
    .init = dedupe_init,
    .process = dedupe_process,
};
