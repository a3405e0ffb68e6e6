/* toy_stages.c -- see toy.h. */
#include "avro/balance.h"
#include "avro/order_command.h"
#include "avro/settle_balance.h"
#include "avro/settle_user.h"
#include "toy.h"

struct gate {
    int64_t processed; /* memory of its own, equal to the sum over the store */
};

static bool add_up(void *arg, struct mr_slice key, const void *value)
{
    const struct oms_settle_user *user = value;

    (void)key;
    *(int64_t *)arg += user->journal_seq;
    return true;
}

static enum mr_status gate_reload(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct gate *gate = self;
    const struct mr_slice all = {0};

    gate->processed = 0;
    return mr_store_scan(mr_ctx_store(ctx, 0), all, all, add_up, &gate->processed, err);
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
    struct oms_settle_user user = {0};
    struct gate *gate = self;
    int64_t before = 0;
    bool found;

    (void)port;
    MR_TRY(mr_store_get(seen, record->key, &user, &found, err));
    user.journal_seq++;
    MR_TRY(mr_store_put(seen, record->key, &user, err));
    gate->processed++;
    MR_TRY(mr_emit(ctx, 0, record->key, order, err));
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
    struct oms_settle_balance total = {0};
    struct oms_balance out = {.user_id = record->key, .asset = mr_slice_str("BTC")};
    bool found;

    (void)self;
    (void)port;
    MR_TRY(mr_store_get(totals, record->key, &total, &found, err));
    total.version++;
    MR_TRY(mr_store_put(totals, record->key, &total, err));
    if (id_is(order, "late")) {
        return mr_fail(err, MR_OUT_OF_RANGE, "tally does not like it");
    }
    out.version = total.version;
    out.ts_us = record->event_us;
    return mr_emit(ctx, 0, record->key, &out, err);
}

static const struct mr_port gate_in[] = {
    {.name = "orders", .schema = &oms_order_command_schema, .help = "orders"}};
static const struct mr_port gate_out[] = {
    {.name = "passed", .schema = &oms_order_command_schema, .help = "what is let through"}};
static const struct mr_store_spec gate_stores[] = {
    {.name = "seen", .schema = &oms_settle_user_schema, .help = "user"}};
static const struct mr_port tally_out[] = {{.name = "totals",
                                            .schema = &oms_balance_schema,
                                            .flags = MR_PORT_LATEST,
                                            .help = "orders of a user"}};
static const struct mr_store_spec tally_stores[] = {
    {.name = "totals", .schema = &oms_settle_balance_schema, .help = "user"}};

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
