/* toy_stages.c -- see toy.h. */
#include "avro/balance.h"
#include "avro/order_command.h"
#include "avro/price_state.h"
#include "millrace/option.h"
#include "toy.h"

#include <stdio.h>

int toy_refusals;
void (*toy_interlude)(void *arg);
void *toy_interlude_arg;

struct gate {
    int64_t processed; /* memory of its own, equal to the sum over the store */
    struct mr_gauge *seen;
};

static const struct mr_label gate_label = {.name = "kind", .value = {(const uint8_t *)"a\"b\n", 4}};

static bool add_up(void *arg, struct mr_slice key, const void *value)
{
    const struct oms_price_state *user = value;

    (void)key;
    *(int64_t *)arg += user->last_trade_id;
    return true;
}

static enum mr_status gate_reload(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct gate *gate = self;
    const struct mr_slice all = {0};

    gate->processed = 0;
    gate->seen = mr_ctx_gauge(ctx, "seen", &gate_label, 1);
    MR_TRY(mr_store_scan(mr_ctx_store(ctx, 0), all, all, add_up, &gate->processed, err));
    mr_gauge_set(gate->seen, gate->processed);
    return MR_OK;
}

static enum mr_status gate_flush(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    const struct gate *gate = self;

    (void)ctx;
    (void)err;
    mr_gauge_set(gate->seen, gate->processed);
    return MR_OK;
}

static bool id_is(const struct oms_order_command *order, const char *id)
{
    return order->has_client_order_id && mr_slice_equal(order->client_order_id, mr_slice_str(id));
}

static enum mr_status gate_process(void *self, struct mr_ctx *ctx, size_t port,
                                   const struct mr_record *record, struct mr_err *err)
{
    const struct oms_order_command *order = record->value;
    struct mr_store *seen = mr_ctx_store(ctx, 0);
    struct oms_price_state user = {0};
    struct gate *gate = self;
    int64_t before = 0;
    bool found;

    (void)port;
    MR_TRY(mr_store_get(seen, record->key, &user, &found, err));
    user.last_trade_id++;
    MR_TRY(mr_store_put(seen, record->key, &user, err));
    gate->processed++;
    MR_TRY(mr_emit(ctx, 0, record->key, order, err));
    if (id_is(order, "busy") && toy_refusals > 0) {
        toy_refusals--;
        return mr_fail(err, MR_UNAVAILABLE, "gate asks a server that is away");
    }
    if (id_is(order, "bad")) {
        return mr_fail(err, MR_MALFORMED, "gate does not like it");
    }
    /* What memory says must be what the stores say, whatever was undone before. */
    MR_TRY(mr_store_scan(seen, (struct mr_slice){0}, (struct mr_slice){0}, add_up, &before, err));
    return before == gate->processed ? MR_OK
                                     : mr_fail(err, MR_CORRUPT, "memory has %lld, the store %lld",
                                               (long long)gate->processed, (long long)before);
}

static enum mr_status tally_process(void *self, struct mr_ctx *ctx, size_t port,
                                    const struct mr_record *record, struct mr_err *err)
{
    const struct oms_order_command *order = record->value;
    struct mr_store *totals = mr_ctx_store(ctx, 0);
    struct oms_price_state total = {0};
    struct oms_balance out = {.user_id = record->key, .asset = mr_slice_str("BTC")};
    bool found;

    (void)self;
    (void)port;
    if (id_is(order, "forget")) {
        return mr_store_delete(totals, record->key, err);
    }
    MR_TRY(mr_store_get(totals, record->key, &total, &found, err));
    total.last_trade_id++;
    MR_TRY(mr_store_put(totals, record->key, &total, err));
    if (id_is(order, "late")) {
        return mr_fail(err, MR_OUT_OF_RANGE, "tally does not like it");
    }
    out.version = total.last_trade_id;
    out.ts_us = record->event_us;
    return mr_emit(ctx, 0, record->key, &out, err);
}

static enum mr_status clerk_process(void *self, struct mr_ctx *ctx, size_t port,
                                    const struct mr_record *record, struct mr_err *err)
{
    const struct oms_balance *limit = mr_table_get(ctx, 1, record->key, NULL);
    const struct oms_balance out = {.user_id = record->key,
                                    .asset = mr_slice_str("BTC"),
                                    .version = limit == NULL ? 0 : limit->version};

    (void)self;
    (void)port;
    return mr_emit(ctx, 0, record->key, &out, err);
}

/* ---- clockwork ------------------------------------------------------------------------------- */

struct clockwork {
    size_t wall;
    size_t stream;
    int64_t orders; /* since the last commit */
};

static enum mr_status clockwork_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct clockwork *clockwork = self;

    (void)err;
    mr_ctx_schedule(ctx, MR_WALL_CLOCK, 100 * MR_MS_US, &clockwork->wall);
    mr_ctx_schedule(ctx, MR_STREAM_TIME, MR_SECOND_US, &clockwork->stream);
    return MR_OK;
}

static enum mr_status clockwork_reload(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    (void)ctx;
    (void)err;
    ((struct clockwork *)self)->orders = 0;
    return MR_OK;
}

static enum mr_status count_up(struct mr_ctx *ctx, struct mr_slice name, int64_t by,
                               struct mr_err *err)
{
    struct mr_store *counts = mr_ctx_store(ctx, 0);
    struct oms_balance out = {.user_id = name, .asset = mr_slice_str("BTC")};
    struct oms_price_state count = {0};
    bool found;

    MR_TRY(mr_store_get(counts, name, &count, &found, err));
    count.last_trade_id += by;
    MR_TRY(mr_store_put(counts, name, &count, err));
    out.version = count.last_trade_id;
    return mr_emit(ctx, 0, name, &out, err);
}

/* Every task counts for itself: "wall-0", "wall-1". */
static enum mr_status count_own(struct mr_ctx *ctx, const char *name, int64_t by,
                                struct mr_err *err)
{
    char text[32];

    snprintf(text, sizeof(text), "%s-%d", name, (int)mr_ctx_partition(ctx));
    return count_up(ctx, mr_slice_str(text), by, err);
}

static enum mr_status clockwork_process(void *self, struct mr_ctx *ctx, size_t port,
                                        const struct mr_record *record, struct mr_err *err)
{
    (void)port;
    ((struct clockwork *)self)->orders++;
    return count_up(ctx, record->key, 1, err);
}

static enum mr_status clockwork_punctuate(void *self, struct mr_ctx *ctx, size_t timer,
                                          int64_t now_us, struct mr_err *err)
{
    const struct clockwork *clockwork = self;
    void (*interlude)(void *) = timer == clockwork->wall ? toy_interlude : NULL;

    (void)now_us;
    if (interlude != NULL) {
        toy_interlude = NULL;
        interlude(toy_interlude_arg);
    }
    return count_own(ctx, timer == clockwork->wall ? "wall" : "stream", 1, err);
}

static enum mr_status clockwork_flush(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct clockwork *clockwork = self;
    const int64_t orders = clockwork->orders;

    clockwork->orders = 0;
    return orders == 0 ? MR_OK : count_own(ctx, "flush", orders, err);
}

/* ---- tables of functions --------------------------------------------------------------------- */

static const struct mr_port gate_in[] = {
    {.name = "orders", .schema = &oms_order_command_schema, .help = "orders"}};
static const struct mr_port gate_out[] = {
    {.name = "passed", .schema = &oms_order_command_schema, .help = "what is let through"}};
static const struct mr_store_spec gate_stores[] = {
    {.name = "seen", .schema = &oms_price_state_schema, .help = "user"}};
static const struct mr_port tally_out[] = {{.name = "totals",
                                            .schema = &oms_balance_schema,
                                            .flags = MR_PORT_LATEST,
                                            .help = "orders of a user"}};
static const struct mr_store_spec tally_stores[] = {
    {.name = "totals", .schema = &oms_price_state_schema, .help = "user"}};

static const struct mr_port clerk_in[] = {
    {.name = "orders", .schema = &oms_order_command_schema, .help = "orders"},
    {.name = "limits", .schema = &oms_balance_schema, .flags = MR_PORT_TABLE, .help = "limits"},
};
static const struct mr_port clerk_out[] = {
    {.name = "answers", .schema = &oms_balance_schema, .help = "the user's limit"}};

static const struct mr_port clockwork_out[] = {
    {.name = "ticks", .schema = &oms_balance_schema, .help = "counts"}};
static const struct mr_store_spec clockwork_stores[] = {
    {.name = "counts", .schema = &oms_price_state_schema, .help = "what is counted"}};

const struct mr_stage toy_gate = {
    .name = "gate",
    .help = "counts and lets through",
    .state_size = sizeof(struct gate),
    .in = gate_in,
    .in_count = 1,
    .out = gate_out,
    .out_count = 1,
    .stores = gate_stores,
    .store_count = 1,
    .reload = gate_reload,
    .process = gate_process,
    .flush = gate_flush,
};

const struct mr_stage toy_tally = {
    .name = "tally",
    .help = "totals of users",
    .state_size = 1,
    .in = gate_in,
    .in_count = 1,
    .out = tally_out,
    .out_count = 1,
    .stores = tally_stores,
    .store_count = 1,
    .process = tally_process,
};

const struct mr_stage toy_clerk = {
    .name = "clerk",
    .help = "looks up limits",
    .state_size = 1,
    .in = clerk_in,
    .in_count = 2,
    .out = clerk_out,
    .out_count = 1,
    .process = clerk_process,
};

const struct mr_stage toy_clockwork = {
    .name = "clockwork",
    .help = "counts the firing of its timers",
    .state_size = sizeof(struct clockwork),
    .in = gate_in,
    .in_count = 1,
    .out = clockwork_out,
    .out_count = 1,
    .stores = clockwork_stores,
    .store_count = 1,
    .init = clockwork_init,
    .reload = clockwork_reload,
    .process = clockwork_process,
    .punctuate = clockwork_punctuate,
    .flush = clockwork_flush,
};
