/*
 * dedupe -- each request of a user passes once within `window`.
 *
 * Why: gateways and clients retry on timeout, so `orders` may hold one request twice; and a client
 *      may use one idempotency key for two different requests, which must not touch the first.
 * How: store "seen" maps (userId, action, key) -> first sight, with a fingerprint of the business
 *      fields. The key is the idempotencyKey, else the clientOrderId, else the orderId. Same
 *      fingerprint: RiskEvent DUPLICATE. Other fingerprint: DUPLICATE_CONFLICT. Store "expiry"
 *      orders the same keys by time of first sight; each record takes at most EXPIRE_PER_RECORD due
 *      entries out, from a batch that one scan brought into memory, so no record pays for many.
 * Not: extended by duplicates: the window is fixed from first sight, in event time, and a copy with
 *      an older clock is a duplicate too. Deletion may lag behind the window; the verdict does not.
 */
#include "dedupe.h"

#include "avro/dedupe_entry.h"
#include "avro/dedupe_expiry.h"
#include "avro/order_command.h"
#include "avro/risk_event.h"
#include "domain/codes.h"
#include "domain/fingerprint.h"
#include "order_map.h"

_Static_assert(sizeof(((struct oms_order_command *)0)->fingerprint) == FINGERPRINT_BYTES,
               "the record's fingerprint is the domain's");

#define DEDUPE_MAGIC UINT32_C(0x64656475)
#define EXPIRE_PER_RECORD 4
#define DUE_MAX 64
#define TIME_BYTES sizeof(int64_t)

/* An entry of "expiry" that a scan found: its key is the time, then the key of the "seen" entry. */
struct due {
    struct mr_key key;
    int64_t first_us;
};

struct dedupe {
    uint32_t magic;
    int64_t window_us;       /* option `window` */
    struct mr_store *seen;   /* borrowed from the task */
    struct mr_store *expiry; /* borrowed from the task */
    struct mr_counter *duplicates;
    struct mr_counter *conflicts;
    struct mr_counter *expired;
    /* Rebuilt by reload: a lower bound of the first sights that are not in `due`, */
    int64_t oldest_us;
    /* and the oldest entries, in order, from due_next up to due_count. */
    struct due due[DUE_MAX];
    size_t due_next;
    size_t due_count;
};

enum { DEDUPE_IN_ORDERS };
enum { DEDUPE_OUT_UNIQUE, DEDUPE_OUT_EVENTS };
enum { DEDUPE_STORE_SEEN, DEDUPE_STORE_EXPIRY };

/* --- expiry ------------------------------------------------------------------------------- */

static void expiry_key(struct mr_key *key, int64_t first_us, const struct mr_key *entry)
{
    mr_key_begin(key);
    mr_key_i64(key, first_us);
    MR_ASSERT(entry->len <= sizeof(key->bytes) - key->len);
    memcpy(key->bytes + key->len, entry->bytes, entry->len);
    key->len += entry->len;
}

static bool is_due(const struct dedupe *d, int64_t first_us, int64_t now_us)
{
    int64_t limit_us = 0;

    return !__builtin_sub_overflow(now_us, d->window_us, &limit_us) && first_us <= limit_us;
}

static bool dedupe_visit_oldest(void *arg, struct mr_slice key, const void *value)
{
    struct dedupe *d = arg;
    const struct oms_dedupe_expiry *expiry = value;
    struct due *due = NULL;

    if (d->due_count == DUE_MAX) {
        d->oldest_us = expiry->first_ts_us;
        return false;
    }
    MR_ASSERT(key.len > TIME_BYTES && key.len <= sizeof(due->key.bytes));
    due = &d->due[d->due_count++];
    due->first_us = expiry->first_ts_us;
    due->key.overflow = false;
    due->key.len = key.len;
    memcpy(due->key.bytes, key.data, key.len);
    return true;
}

/* Forgets what is in memory and reads the oldest entries again: one scan for DUE_MAX deletions. */
static enum mr_status dedupe_refill(struct dedupe *d, struct mr_err *err)
{
    const struct mr_slice all = {0};

    d->due_next = 0;
    d->due_count = 0;
    d->oldest_us = INT64_MAX;
    return mr_store_scan(d->expiry, all, all, dedupe_visit_oldest, d, err);
}

/* Forgets the entries in memory from this time on; a later scan finds them again. */
static void dedupe_cut(struct dedupe *d, int64_t first_us)
{
    while (d->due_count > d->due_next && d->due[d->due_count - 1].first_us >= first_us) {
        d->due_count--;
    }
    if (first_us < d->oldest_us) {
        d->oldest_us = first_us;
    }
}

static enum mr_status dedupe_expire(struct dedupe *d, int64_t now_us, struct mr_err *err)
{
    for (int i = 0; i < EXPIRE_PER_RECORD; i++) {
        const struct due *due = NULL;

        if (d->due_next == d->due_count) {
            if (!is_due(d, d->oldest_us, now_us)) {
                return MR_OK;
            }
            MR_TRY(dedupe_refill(d, err));
            if (d->due_count == 0) {
                return MR_OK;
            }
        }
        due = &d->due[d->due_next];
        if (!is_due(d, due->first_us, now_us)) {
            return MR_OK;
        }
        MR_TRY(mr_store_delete(d->expiry, mr_key_slice(&due->key), err));
        MR_TRY(mr_store_delete(
            d->seen, mr_slice_of(due->key.bytes + TIME_BYTES, due->key.len - TIME_BYTES), err));
        mr_counter_add(d->expired, 1);
        d->due_next++;
    }
    return MR_OK;
}

/* --- first sight -------------------------------------------------------------------------- */

static enum mr_status dedupe_remember(struct dedupe *d, const struct mr_key *key,
                                      const struct oms_dedupe_entry *entry, struct mr_err *err)
{
    const struct oms_dedupe_expiry expiry = {.first_ts_us = entry->first_ts_us};
    struct mr_key index;

    expiry_key(&index, entry->first_ts_us, key);
    MR_TRY(mr_store_put(d->seen, mr_key_slice(key), entry, err));
    MR_TRY(mr_store_put(d->expiry, mr_key_slice(&index), &expiry, err));
    dedupe_cut(d, entry->first_ts_us);
    return MR_OK;
}

/* The window of an earlier request with this key is over, but nobody has deleted it yet. */
static enum mr_status dedupe_forget(struct dedupe *d, const struct mr_key *key,
                                    const struct oms_dedupe_entry *old, struct mr_err *err)
{
    struct mr_key index;

    /* It must not stay in memory, or the new entry would go with it. */
    dedupe_cut(d, old->first_ts_us);
    expiry_key(&index, old->first_ts_us, key);
    return mr_store_delete(d->expiry, mr_key_slice(&index), err);
}

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
    d->expiry = mr_ctx_store(ctx, DEDUPE_STORE_EXPIRY);
    d->duplicates = mr_ctx_counter(ctx, "duplicates_total");
    d->conflicts = mr_ctx_counter(ctx, "conflicts_total");
    d->expired = mr_ctx_counter(ctx, "expired_total");
    return MR_OK;
}

static enum mr_status dedupe_reload(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    (void)ctx;
    return dedupe_refill(MR_SELF(struct dedupe, self, DEDUPE_MAGIC), err);
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
    if (order.user_id.len == 0 || key.overflow || key.len > sizeof(key.bytes) - TIME_BYTES) {
        return mr_fail(err, MR_MALFORMED, "userId or idempotency key is empty or too long");
    }
    order_map_command(&order, &command);
    fingerprint_order(&command, order.fingerprint);
    order.has_fingerprint = true;
    MR_TRY(mr_store_get(d->seen, mr_key_slice(&key), &entry, &found, err));
    if (found && !is_due(d, entry.first_ts_us, record->event_us)) {
        return dedupe_suppress(d, ctx, &order, &entry, err);
    }
    if (found) {
        MR_TRY(dedupe_forget(d, &key, &entry, err));
    }
    entry.first_ts_us = record->event_us;
    memcpy(entry.fingerprint, order.fingerprint, sizeof(entry.fingerprint));
    entry.order_id = order.order_id;
    entry.command_id = order.event_id;
    MR_TRY(dedupe_remember(d, &key, &entry, err));
    MR_TRY(dedupe_expire(d, record->event_us, err));
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
    [DEDUPE_STORE_EXPIRY] = {.name = "expiry",
                             .schema = &oms_dedupe_expiry_schema,
                             .help = "(first sight, key of seen): what to delete next"},
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
    .reload = dedupe_reload,
    .process = dedupe_process,
};
