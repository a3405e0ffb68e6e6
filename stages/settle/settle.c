/*
 * settle -- the double-entry ledger: holds, trades, fees, deposits; balances and positions.
 *
 * Why: what a user has must be explainable, entry by entry, and must add up over all accounts.
 * How: each report of an order that moves money becomes one balanced journal: ACCEPTED moves
 *      available to hold, a fill moves hold against `clearing` and `fees` (the other leg does the
 *      mirror image in its own user's partition, so clearing returns to zero), CANCELED moves the
 *      rest of the hold back. Store "orders" keeps what an order still holds and the version of its
 *      last report, so a report that comes twice posts once. When an order is filled and holds
 *      nothing, a SETTLED report follows. All else that is known of a user is one row of store
 *      "accounts" (settle_account.h).
 * Not: a judge. Risk decided whether the user could afford it; the ledger writes what happened.
 *      A report of an order that is not (or no longer) in "orders" is counted and skipped.
 */
#include "settle.h"

#include "avro/account_command.h"
#include "avro/balance.h"
#include "avro/execution_report.h"
#include "avro/position.h"
#include "avro/settle_order.h"
#include "domain/position.h"
#include "journal.h"

#define SETTLE_MAGIC UINT32_C(0x7365746c)

struct settle {
    uint32_t magic;
    struct mr_store *orders;
    struct journal_stores journal;
    struct mr_counter *skipped;
    struct mr_counter *orphans;
};

enum { SETTLE_IN_EXECUTIONS, SETTLE_IN_ACCOUNTS };
enum { SETTLE_OUT_SETTLED, SETTLE_OUT_LEDGER, SETTLE_OUT_POSITIONS, SETTLE_OUT_BALANCES };
enum { SETTLE_STORE_ACCOUNTS, SETTLE_STORE_ORDERS };

/* prefix + id in the task's scratch memory. */
static struct mr_slice settle_id(struct mr_ctx *ctx, const char *prefix, struct mr_slice id)
{
    const size_t prefix_len = strlen(prefix);
    uint8_t *text = mr_arena_alloc(mr_ctx_arena(ctx), prefix_len + id.len);

    memcpy(text, prefix, prefix_len);
    if (id.len > 0) {
        memcpy(text + prefix_len, id.data, id.len);
    }
    return mr_slice_of(text, prefix_len + id.len);
}

/* --- journals of an order ----------------------------------------------------------------- */

static enum mr_status order_journal(struct journal *journal, struct settle *s, struct mr_ctx *ctx,
                                    const struct oms_execution_report *report, struct mr_err *err)
{
    MR_TRY(journal_begin(journal, ctx, &s->journal, report->user_id, report->ts_us, err));
    journal->entry.journal_id = report->exec_id;
    journal->entry.exec_id = report->exec_id;
    journal->entry.has_exec_id = true;
    journal->entry.order_id = report->order_id;
    journal->entry.has_order_id = true;
    journal->entry.symbol = report->symbol;
    journal->entry.has_symbol = true;
    journal->entry.trace_id = report->trace_id;
    journal->entry.has_trace_id = report->has_trace_id;
    return MR_OK;
}

static struct mr_slice hold_asset(const struct oms_execution_report *report)
{
    return report->side == OMS_SIDE_BUY ? report->quote_asset : report->base_asset;
}

static enum mr_status settle_accept(struct settle *s, struct mr_ctx *ctx,
                                    const struct oms_execution_report *report, struct mr_err *err)
{
    const struct oms_settle_order order = {.hold = report->hold_after,
                                           .last_version = report->version};
    struct ledger_party party;
    struct journal journal;

    MR_TRY(order_journal(&journal, s, ctx, report, err));
    MR_TRY(journal_party(&journal, hold_asset(report), &party, err));
    if (!ledger_hold(&journal.ledger, &party, order.hold)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "hold is negative or balance out of range");
    }
    MR_TRY(mr_store_put(s->orders, report->order_id, &order, err));
    MR_TRY(journal_store(&journal, err));
    return journal_emit(&journal, err);
}

/* Changes the position in the row of the journal; *out says what it became. */
static enum mr_status settle_position(struct settle_account *account,
                                      const struct oms_execution_report *report, dec_t notional,
                                      struct oms_position *out, struct mr_err *err)
{
    const struct pos_fill fill = {.side = (enum ord_side)report->side,
                                  .qty = report->last_qty,
                                  .notional = notional,
                                  .fee = report->fee_amount,
                                  .ts_us = report->ts_us};
    const struct oms_settle_position *known = settle_account_position(account, report->symbol);
    const struct oms_settle_position stored =
        known != NULL ? *known : (struct oms_settle_position){.symbol = report->symbol};
    struct pos pos = {.qty = stored.qty,
                      .cost_basis = stored.cost_basis,
                      .realised_total = stored.realised_total,
                      .realised_day = stored.realised_day,
                      .fees_total = stored.fees_total,
                      .day = stored.day};
    dec_t realised = 0;

    if (!settle_name_fits(report->user_id, report->symbol)) {
        return mr_fail(err, MR_MALFORMED, "userId and symbol are too long");
    }
    if (!pos_apply(&pos, &fill, &realised)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "position out of range");
    }
    *out = (struct oms_position){.user_id = report->user_id,
                                 .symbol = report->symbol,
                                 .ts_us = report->ts_us,
                                 .qty = pos.qty,
                                 .cost_basis = pos.cost_basis,
                                 .realised_total = pos.realised_total,
                                 .realised_day = pos.realised_day,
                                 .day = pos.day,
                                 .fees_total = pos.fees_total,
                                 .version = stored.version + 1};
    settle_account_set_position(account, &(struct oms_settle_position){
                                             .symbol = stored.symbol,
                                             .qty = pos.qty,
                                             .cost_basis = pos.cost_basis,
                                             .realised_total = pos.realised_total,
                                             .realised_day = pos.realised_day,
                                             .day = pos.day,
                                             .fees_total = pos.fees_total,
                                             .version = stored.version + 1,
                                         });
    return MR_OK;
}

/* Filled, posted, nothing held: the order's last report. */
static enum mr_status emit_settled(struct mr_ctx *ctx, const struct oms_execution_report *report,
                                   struct mr_err *err)
{
    struct oms_execution_report done = *report;

    done.exec_id = settle_id(ctx, "S-", report->order_id);
    done.exec_type = OMS_EXEC_TYPE_SETTLED;
    done.status = OMS_ORDER_STATUS_SETTLED;
    done.settled = true;
    done.version = report->version + 1;
    done.has_last_qty = false;
    done.has_last_px = false;
    done.has_trade_id = false;
    done.has_liquidity = false;
    done.has_fee_amount = false;
    done.has_counter_order_id = false;
    done.has_book_seq = false;
    return mr_emit(ctx, SETTLE_OUT_SETTLED, report->user_id, &done, err);
}

/* What the journal of a fill says; false when the report contradicts itself or the hold. */
static bool fill_amounts(const struct oms_execution_report *report, dec_t hold,
                         struct ledger_trade *trade)
{
    const bool buy = report->side == OMS_SIDE_BUY;
    dec_t spent = report->last_qty;

    trade->side = (enum ord_side)report->side;
    trade->qty = report->last_qty;
    trade->fee = report->fee_amount;
    return report->last_qty > 0 && report->last_px > 0 && report->hold_after >= 0 &&
           dec_mul_exact(report->last_qty, report->last_px, &trade->notional) &&
           (!buy || dec_add(trade->notional, trade->fee, &spent)) &&
           dec_sub(hold - report->hold_after, spent, &trade->release) && trade->release >= 0;
}

static enum mr_status settle_fill(struct settle *s, struct mr_ctx *ctx,
                                  const struct oms_execution_report *report,
                                  struct oms_settle_order *order, struct mr_err *err)
{
    const bool done = report->status == OMS_ORDER_STATUS_FILLED && report->hold_after == 0;
    struct oms_position position;
    struct ledger_trade trade;
    struct journal journal;

    if (!fill_amounts(report, order->hold, &trade)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "fill without amounts, or more than the order holds");
    }
    MR_TRY(order_journal(&journal, s, ctx, report, err));
    MR_TRY(journal_party(&journal, report->base_asset, &trade.base, err));
    MR_TRY(journal_party(&journal, report->quote_asset, &trade.quote, err));
    if (!ledger_trade(&journal.ledger, &trade)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "balance out of range");
    }
    MR_TRY(settle_position(&journal.account, report, trade.notional, &position, err));
    order->hold = report->hold_after;
    order->last_version = report->version;
    MR_TRY(done ? mr_store_delete(s->orders, report->order_id, err)
                : mr_store_put(s->orders, report->order_id, order, err));
    MR_TRY(journal_store(&journal, err));
    MR_TRY(mr_emit_by(ctx, SETTLE_OUT_POSITIONS, position.user_id,
                      journal_pair(ctx, position.user_id, position.symbol), &position, err));
    MR_TRY(journal_emit(&journal, err));
    return done ? emit_settled(ctx, report, err) : MR_OK;
}

static enum mr_status settle_cancel(struct settle *s, struct mr_ctx *ctx,
                                    const struct oms_execution_report *report,
                                    const struct oms_settle_order *order, struct mr_err *err)
{
    struct ledger_party party;
    struct journal journal;

    MR_TRY(order_journal(&journal, s, ctx, report, err));
    MR_TRY(journal_party(&journal, hold_asset(report), &party, err));
    if (!ledger_release(&journal.ledger, &party, order->hold)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "balance out of range");
    }
    MR_TRY(mr_store_delete(s->orders, report->order_id, err));
    MR_TRY(journal_store(&journal, err));
    return journal_emit(&journal, err);
}

/* --- ports -------------------------------------------------------------------------------- */

static bool key_fits(struct mr_slice text)
{
    return text.len > 0 && text.len < MR_KEY_BYTES_MAX;
}

static enum mr_status settle_execution(struct settle *s, struct mr_ctx *ctx,
                                       const struct oms_execution_report *report,
                                       struct mr_err *err)
{
    struct oms_settle_order order = {0};
    bool found = false;

    if (report->exec_type != OMS_EXEC_TYPE_NEW && report->exec_type != OMS_EXEC_TYPE_TRADE &&
        report->exec_type != OMS_EXEC_TYPE_CANCELED) {
        return MR_OK;
    }
    if (!key_fits(report->order_id) || !key_fits(report->user_id)) {
        return mr_fail(err, MR_MALFORMED, "orderId or userId is empty or too long");
    }
    if (!report->has_base_asset || !report->has_quote_asset || !report->has_hold_after ||
        mr_slice_equal(report->base_asset, report->quote_asset)) {
        return mr_fail(err, MR_MALFORMED, "report of the engine without assets or holdAfter");
    }
    MR_TRY(mr_store_get(s->orders, report->order_id, &order, &found, err));
    if (found &&
        (report->exec_type == OMS_EXEC_TYPE_NEW || report->version <= order.last_version)) {
        mr_counter_add(s->skipped, 1);
        return MR_OK;
    }
    if (report->exec_type == OMS_EXEC_TYPE_NEW) {
        return settle_accept(s, ctx, report, err);
    }
    if (!found) {
        mr_counter_add(s->orphans, 1);
        return MR_OK;
    }
    if (report->exec_type == OMS_EXEC_TYPE_TRADE) {
        return settle_fill(s, ctx, report, &order, err);
    }
    return settle_cancel(s, ctx, report, &order, err);
}

/* Risk let this transfer through; money comes from or goes to `external`. */
static enum mr_status settle_transfer(struct settle *s, struct mr_ctx *ctx,
                                      const struct oms_account_command *command, struct mr_err *err)
{
    const bool deposit = command->action == OMS_ACCOUNT_ACTION_DEPOSIT;
    struct ledger_party party;
    struct journal journal;
    bool done = false;

    if (!deposit && command->action != OMS_ACCOUNT_ACTION_WITHDRAW) {
        return MR_OK;
    }
    MR_TRY(journal_begin(&journal, ctx, &s->journal, command->user_id, command->ts_us, err));
    journal.entry.journal_id = settle_id(ctx, "A-", command->event_id);
    journal.entry.trace_id = command->trace_id;
    journal.entry.has_trace_id = command->has_trace_id;
    MR_TRY(journal_party(&journal, command->asset, &party, err));
    done = deposit ? ledger_deposit(&journal.ledger, &party, command->amount)
                   : ledger_withdraw(&journal.ledger, &party, command->amount);
    if (!done) {
        return mr_fail(err, MR_OUT_OF_RANGE, "amount is negative or balance out of range");
    }
    MR_TRY(journal_store(&journal, err));
    return journal_emit(&journal, err);
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
    s->journal = (struct journal_stores){
        .accounts = mr_ctx_store(ctx, SETTLE_STORE_ACCOUNTS),
        .journals = mr_ctx_counter(ctx, "journals_total"),
        .overdrawn = mr_ctx_counter(ctx, "overdrawn_total"),
        .ledger_port = SETTLE_OUT_LEDGER,
        .balances_port = SETTLE_OUT_BALANCES,
    };
    s->skipped = mr_ctx_counter(ctx, "skipped_total");
    s->orphans = mr_ctx_counter(ctx, "orphans_total");
    return MR_OK;
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
                            .help = "SETTLED, the last report of a filled order"},
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
                               .help = "userId -> journal number, balances, positions"},
    [SETTLE_STORE_ORDERS] = {.name = "orders",
                             .schema = &oms_settle_order_schema,
                             .help = "orderId -> what the ledger still holds for it"},
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
    .init = settle_init,
    .process = settle_process,
};
