/*
 * settle -- the double-entry ledger: holds, trades, fees, transfers; balances and positions.
 *
 * Why: what a user has must be explainable, entry by entry, and must add up over all accounts.
 * How: each report of an order that moves money becomes one balanced journal (settle_order.c), each
 *      step of a transfer too (settle_transfer.c). A fill moves the hold against `clearing` and
 *      `fees`; the other leg does the mirror image in its own user's partition, so clearing returns
 *      to zero. A report or step that comes twice posts once. All that is known of a user is one
 * row (settle_account.h); what all journals add up to is shown while it runs (totals.h). Not: a
 * judge. Risk decided whether the user could afford it; the ledger writes what happened. A report
 * of an order that is not (or no longer) in "orders" is counted and skipped.
 */
#include "settle.h"

#include "avro/balance.h"
#include "avro/settle_order.h"
#include "avro/settle_total.h"
#include "avro/settle_transfer.h"
#include "settle_state.h"

enum { SETTLE_IN_EXECUTIONS, SETTLE_IN_ACCOUNTS };
enum {
    SETTLE_STORE_ACCOUNTS,
    SETTLE_STORE_ORDERS,
    SETTLE_STORE_TRANSFERS,
    SETTLE_STORE_TOTALS,
};

struct mr_slice settle_id(struct mr_ctx *ctx, const char *prefix, struct mr_slice id)
{
    const size_t prefix_len = strlen(prefix);
    uint8_t *text = mr_arena_alloc(mr_ctx_arena(ctx), prefix_len + id.len);

    memcpy(text, prefix, prefix_len);
    if (id.len > 0) {
        memcpy(text + prefix_len, id.data, id.len);
    }
    return mr_slice_of(text, prefix_len + id.len);
}

static enum mr_status settle_process(void *self, struct mr_ctx *ctx, size_t port,
                                     const struct mr_record *record, struct mr_err *err)
{
    struct settle *s = MR_SELF(struct settle, self, SETTLE_MAGIC);

    if (port == SETTLE_IN_ACCOUNTS) {
        return settle_transfer(s, ctx, record->value, err);
    }
    return settle_execution(s, ctx, record->value, err);
}

static enum mr_status settle_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct settle *s = self;

    (void)err;
    s->magic = SETTLE_MAGIC;
    s->orders = mr_ctx_store(ctx, SETTLE_STORE_ORDERS);
    s->transfers = mr_ctx_store(ctx, SETTLE_STORE_TRANSFERS);
    totals_init(&s->totals, ctx, mr_ctx_store(ctx, SETTLE_STORE_TOTALS));
    s->journal = (struct journal_stores){
        .accounts = mr_ctx_store(ctx, SETTLE_STORE_ACCOUNTS),
        .totals = &s->totals,
        .journals = mr_ctx_counter(ctx, "journals_total"),
        .overdrawn = mr_ctx_counter(ctx, "overdrawn_total"),
        .ledger_port = SETTLE_OUT_LEDGER,
        .balances_port = SETTLE_OUT_BALANCES,
    };
    s->skipped = mr_ctx_counter(ctx, "skipped_total");
    s->orphans = mr_ctx_counter(ctx, "orphans_total");
    return MR_OK;
}

static enum mr_status settle_reload(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct settle *s = MR_SELF(struct settle, self, SETTLE_MAGIC);

    (void)ctx;
    return totals_reload(&s->totals, err);
}

static enum mr_status settle_flush(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct settle *s = MR_SELF(struct settle, self, SETTLE_MAGIC);

    (void)ctx;
    return totals_show(&s->totals, err);
}

static void settle_fini(void *self)
{
    struct settle *s = self;

    totals_fini(&s->totals);
}

static const struct mr_port settle_in[] = {
    [SETTLE_IN_EXECUTIONS] = {.name = "executions",
                              .schema = &oms_execution_report_schema,
                              .help = "reports of orders, keyed by userId"},
    [SETTLE_IN_ACCOUNTS] = {.name = "accounts",
                            .schema = &oms_account_command_schema,
                            .help = "transfers that risk let through, keyed by userId"},
};
static const struct mr_port settle_out[] = {
    [SETTLE_OUT_SETTLED] = {.name = "settled",
                            .schema = &oms_execution_report_schema,
                            .help = "SETTLED, the last report of an order that traded"},
    [SETTLE_OUT_LEDGER] = {.name = "ledger",
                           .schema = &oms_ledger_entry_schema,
                           .help = "balanced journals, numbered per user"},
    [SETTLE_OUT_POSITIONS] = {.name = "positions",
                              .schema = &oms_position_schema,
                              .flags = MR_PORT_LATEST,
                              .help = "what a user holds of a symbol, keyed userId:symbol"},
    [SETTLE_OUT_BALANCES] = {.name = "balances",
                             .schema = &oms_balance_schema,
                             .flags = MR_PORT_LATEST,
                             .help = "what a user has of an asset, keyed userId:asset"},
};
static const struct mr_store_spec settle_stores[] = {
    [SETTLE_STORE_ACCOUNTS] = {.name = "accounts",
                               .schema = &oms_settle_account_schema,
                               .help = "userId -> journal number, balances, positions, lots"},
    [SETTLE_STORE_ORDERS] = {.name = "orders",
                             .schema = &oms_settle_order_schema,
                             .help = "orderId -> what the ledger still holds for it"},
    [SETTLE_STORE_TRANSFERS] = {.name = "transfers",
                                .schema = &oms_settle_transfer_schema,
                                .help = "(userId, eventId) -> how far a transfer is"},
    [SETTLE_STORE_TOTALS] = {.name = "totals",
                             .schema = &oms_settle_total_schema,
                             .help = "asset -> sums over all entries, by class of account"},
};
static const char *const cost_bases[] = {"average", "fifo", NULL};
static const struct mr_option settle_options[] = {
    {.name = "cost-basis",
     .type = MR_OPTION_ENUM,
     .offset = offsetof(struct settle, cost_basis),
     .fallback = "average",
     .symbols = cost_bases,
     .help =
         "what closing a position takes out of its cost: its share, or that of the oldest lots"},
    {.name = "lots-max",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct settle, lots_max),
     .fallback = "32",
     .min = 1,
     .max = 256,
     .help =
         "lots of a position under fifo; at the bound a fill joins the newest lot, which then has "
         "the average of both"},
};

const struct mr_stage settle_stage = {
    .name = "settle",
    .help = "writes the double-entry ledger, balances and positions; reports SETTLED",
    .state_size = sizeof(struct settle),
    .in = settle_in,
    .in_count = MR_COUNT(settle_in),
    .out = settle_out,
    .out_count = MR_COUNT(settle_out),
    .stores = settle_stores,
    .store_count = MR_COUNT(settle_stores),
    .options = settle_options,
    .option_count = MR_COUNT(settle_options),
    .init = settle_init,
    .reload = settle_reload,
    .process = settle_process,
    .flush = settle_flush,
    .fini = settle_fini,
};
