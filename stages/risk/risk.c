/*
 * risk -- lets an order through when its user may place it and can pay for it.
 *
 * Why: the engine trades whatever it is given, so whatever can go wrong for a user must be held
 *      against before: money for buys, base asset for sells, limits, rate and price.
 * How: per user, in one row: cash and holds by asset, position and open quantity by symbol, limits,
 *      a token bucket on event time; and each open order. The rules are domain/risk_check.h;
 *      risk_facts.c gathers what they compare. risk_order.c and risk_amend.c reserve, risk_report.c
 *      turns the engine's reports into spending and release, risk_transfer.c and risk_account.c
 * take money, limits and switches in. Reservation comes before the fill and release after it, so
 *      any lag is on the safe side.
 * Not: the books of record; those are settle's. Both compute from the same reports.
 */
#include "risk.h"

#include "avro/price_tick.h"
#include "avro/risk_client_id.h"
#include "avro/risk_transfer.h"
#include "risk_state.h"

enum {
    RISK_STORE_ACCOUNTS,
    RISK_STORE_ORDERS,
    RISK_STORE_TRANSFERS,
    RISK_STORE_CLIENT_IDS,
};

static enum mr_status risk_process(void *self, struct mr_ctx *ctx, size_t port,
                                   const struct mr_record *record, struct mr_err *err)
{
    struct risk *risk = MR_SELF(struct risk, self, RISK_MAGIC);

    if (port == RISK_IN_ORDERS) {
        return risk_order(risk, ctx, record, err);
    }
    if (port == RISK_IN_ACCOUNTS) {
        return risk_account_command(risk, ctx, record, err);
    }
    MR_ASSERT(port == RISK_IN_EXECUTIONS);
    return risk_report(risk, ctx, record->value, err);
}

static enum mr_status risk_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct risk *risk = self;

    (void)err;
    risk->magic = RISK_MAGIC;
    risk->accounts = mr_ctx_store(ctx, RISK_STORE_ACCOUNTS);
    risk->orders = mr_ctx_store(ctx, RISK_STORE_ORDERS);
    risk->transfers = mr_ctx_store(ctx, RISK_STORE_TRANSFERS);
    risk->client_ids = mr_ctx_store(ctx, RISK_STORE_CLIENT_IDS);
    risk->approved = mr_ctx_counter(ctx, "approved_total");
    risk->rejected = mr_ctx_counter(ctx, "rejected_total");
    risk->skipped = mr_ctx_counter(ctx, "skipped_total");
    return MR_OK;
}

static const struct mr_port risk_in[] = {
    [RISK_IN_ORDERS] = {.name = "orders",
                        .schema = &oms_order_command_schema,
                        .help = "each request once, keyed by userId"},
    [RISK_IN_EXECUTIONS] = {.name = "executions",
                            .schema = &oms_execution_report_schema,
                            .help = "reports of orders, keyed by userId"},
    [RISK_IN_ACCOUNTS] = {.name = "accounts",
                          .schema = &oms_account_command_schema,
                          .help = "money in and out, limits, trading states, keyed by userId"},
    [RISK_IN_PRICES] = {.name = "prices",
                        .schema = &oms_price_tick_schema,
                        .flags = MR_PORT_TABLE,
                        .help = "reference price of each symbol"},
    [RISK_IN_INSTRUMENTS] = {.name = "instruments",
                             .schema = &oms_instrument_schema,
                             .flags = MR_PORT_TABLE,
                             .help = "assets, fees and collars of each symbol"},
};
static const struct mr_port risk_out[] = {
    [RISK_OUT_APPROVED] =
        {.name = "approved",
         .schema = &oms_order_command_schema,
         .help = "orders and amendments with what is held for them; cancels; keyed by symbol"},
    [RISK_OUT_TRANSFERS] = {.name = "transfers",
                            .schema = &oms_account_command_schema,
                            .help = "transfers that count, with asset and amount"},
    [RISK_OUT_REJECTED] = {.name = "rejected",
                           .schema = &oms_execution_report_schema,
                           .help = "commands that failed a check, with its code"},
    [RISK_OUT_EVENTS] = {.name = "events",
                         .schema = &oms_risk_event_schema,
                         .help =
                             "refusals with their numbers, breaches, margin calls, state changes"},
};
static const struct mr_store_spec risk_stores[] = {
    [RISK_STORE_ACCOUNTS] = {.name = "accounts",
                             .schema = &oms_risk_account_schema,
                             .help = "userId -> limits, switches, bucket, exposures, balances"},
    [RISK_STORE_ORDERS] = {.name = "orders",
                           .schema = &oms_risk_order_schema,
                           .help = "orderId -> what an open order holds"},
    [RISK_STORE_TRANSFERS] = {.name = "transfers",
                              .schema = &oms_risk_transfer_schema,
                              .help = "(userId, eventId) of each transfer that counted"},
    [RISK_STORE_CLIENT_IDS] = {.name = "client-ids",
                               .schema = &oms_risk_client_id_schema,
                               .help = "(userId, clientOrderId) of each open order that has one"},
};
static const struct mr_option risk_options[] = {
    {.name = "velocity",
     .type = MR_OPTION_RATE,
     .offset = offsetof(struct risk, settings.velocity_micro),
     .fallback = "50/s",
     .min = BUCKET_TOKEN,
     .max = BUCKET_TOKEN * 1000000,
     .help = "orders per second that refill a user's bucket, in whole orders"},
    {.name = "velocity-burst",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct risk, settings.burst),
     .fallback = "100",
     .min = 1,
     .max = 1000000,
     .help = "depth of a user's bucket in orders"},
    {.name = "price-collar",
     .type = MR_OPTION_RATIO,
     .offset = offsetof(struct risk, settings.collar_ppm),
     .fallback = "10%",
     .min = 1,
     .max = 999999,
     .help = "how far beyond the reference a buy may go up and a sell down"},
    {.name = "open-orders",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct risk, settings.open_orders),
     .fallback = "200",
     .min = 1,
     .max = 1000000,
     .help = "open orders of a user without a limit of their own"},
    {.name = "price-age",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct risk, settings.price_age_us),
     .fallback = "0s",
     .min = 0,
     .max = MR_DAY_US,
     .help = "oldest reference price that counts, in event time; 0s takes any"},
    {.name = "loop-guard",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct risk, settings.loop_guard),
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .help = "equal orders within `loop-window` that a user may send; the next one halts the user; "
             "0: any number"},
    {.name = "loop-window",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct risk, settings.loop_window_us),
     .fallback = "10s",
     .min = 1000,
     .max = MR_DAY_US,
     .help = "how long equal orders are counted from the first of them"},
};

const struct mr_stage risk_stage = {
    .name = "risk",
    .help = "holds money and limits against each order; takes deposits and limits in",
    .state_size = sizeof(struct risk),
    .in = risk_in,
    .in_count = MR_COUNT(risk_in),
    .out = risk_out,
    .out_count = MR_COUNT(risk_out),
    .stores = risk_stores,
    .store_count = MR_COUNT(risk_stores),
    .options = risk_options,
    .option_count = MR_COUNT(risk_options),
    .init = risk_init,
    .process = risk_process,
};
