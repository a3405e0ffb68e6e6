/*
 * settle_order.c -- the journal of each report of an order, and its last report.
 *
 * How: store "orders" keeps what the ledger holds for an order and the version of the report that
 * it posted last; a report acts when its version is above. NEW               Dr avail, Cr hold:
 * what the order holds REPLACED          the hold becomes holdAfter: more of it, or some back
 *        TRADE_PREVENTION  the hold shrinks to holdAfter
 *        TRADE             domain/ledger.h; what the hold has too much comes back with it
 *        CANCELED          all that is held comes back
 *      An order that is filled and holds nothing is SETTLED. One that was cancelled after it traded
 *      gets the same report with status CANCELLED: it is over, and its fills are settled. A row is
 *      deleted with the end of its order, so that NEW again would begin it anew; the engine's
 * sequence in the user's position says that it has been. Not: TRIGGERED moves nothing, a stop holds
 * from the beginning. Reports that the engine did not write (validate's and risk's rejections,
 * SETTLED) are not looked at.
 */
#include "avro/settle_order.h"

#include "settle_state.h"

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

/* The order is over: nothing of it will be posted again. */
static enum mr_status end_order(struct settle *s, struct journal *journal,
                                const struct oms_execution_report *report, struct mr_err *err)
{
    MR_TRY(settle_position_ended(&journal->account, report, err));
    journal->account_changed = true;
    return mr_store_delete(s->orders, report->order_id, err);
}

static enum mr_status settle_accept(struct settle *s, struct mr_ctx *ctx,
                                    const struct oms_execution_report *report, struct mr_err *err)
{
    const struct oms_settle_order order = {.hold = report->hold_after,
                                           .last_version = report->version};
    struct ledger_party party;
    struct journal journal;

    MR_TRY(order_journal(&journal, s, ctx, report, err));
    if (settle_position_is_past(&journal.account, report)) {
        mr_counter_add(s->skipped, 1);
        return MR_OK;
    }
    MR_TRY(journal_party(&journal, hold_asset(report), &party, err));
    if (!ledger_hold(&journal.ledger, &party, order.hold)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "hold is negative or balance out of range");
    }
    MR_TRY(mr_store_put(s->orders, report->order_id, &order, err));
    MR_TRY(journal_store(&journal, err));
    return journal_emit(&journal, err);
}

/* The order goes on with another hold. */
static enum mr_status settle_rehold(struct settle *s, struct mr_ctx *ctx,
                                    const struct oms_execution_report *report,
                                    struct oms_settle_order *order, struct mr_err *err)
{
    const dec_t more = report->hold_after - order->hold; /* both at most DEC_MAX */
    const bool may_grow = report->exec_type == OMS_EXEC_TYPE_REPLACED;
    struct ledger_party party;
    struct journal journal;
    bool done = false;

    if (report->hold_after < 0 || (more > 0 && !may_grow)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "hold is negative, or grows without an amendment");
    }
    MR_TRY(order_journal(&journal, s, ctx, report, err));
    MR_TRY(journal_party(&journal, hold_asset(report), &party, err));
    done = more > 0 ? ledger_hold(&journal.ledger, &party, more)
                    : ledger_release(&journal.ledger, &party, -more);
    if (!done) {
        return mr_fail(err, MR_OUT_OF_RANGE, "balance out of range");
    }
    order->hold = report->hold_after;
    order->last_version = report->version;
    MR_TRY(mr_store_put(s->orders, report->order_id, order, err));
    MR_TRY(journal_store(&journal, err));
    return journal_emit(&journal, err);
}

/* Nothing is held and everything is posted: the order's last report. */
static enum mr_status emit_settled(struct mr_ctx *ctx, const struct oms_execution_report *report,
                                   enum oms_order_status status, struct mr_err *err)
{
    struct oms_execution_report done = *report;

    done.exec_id = settle_id(ctx, "S-", report->order_id);
    done.exec_type = OMS_EXEC_TYPE_SETTLED;
    done.status = status;
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
    MR_TRY(settle_position(s, &journal.account, report, trade.notional, &position, err));
    order->hold = report->hold_after;
    order->last_version = report->version;
    MR_TRY(done ? end_order(s, &journal, report, err)
                : mr_store_put(s->orders, report->order_id, order, err));
    MR_TRY(journal_store(&journal, err));
    MR_TRY(mr_emit_by(ctx, SETTLE_OUT_POSITIONS, position.user_id,
                      journal_pair(ctx, position.user_id, position.symbol), &position, err));
    MR_TRY(journal_emit(&journal, err));
    return done ? emit_settled(ctx, report, OMS_ORDER_STATUS_SETTLED, err) : MR_OK;
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
    MR_TRY(end_order(s, &journal, report, err));
    MR_TRY(journal_store(&journal, err));
    MR_TRY(journal_emit(&journal, err));
    return report->cum_qty > 0 ? emit_settled(ctx, report, OMS_ORDER_STATUS_CANCELLED, err) : MR_OK;
}

/*
 * A report of an order that is not there: never begun, or over. Should it begin later, its end was
 * before it.
 */
static enum mr_status settle_orphan(struct settle *s, struct mr_ctx *ctx,
                                    const struct oms_execution_report *report, struct mr_err *err)
{
    const bool ends =
        report->exec_type == OMS_EXEC_TYPE_CANCELED ||
        (report->exec_type == OMS_EXEC_TYPE_TRADE && report->status == OMS_ORDER_STATUS_FILLED);
    struct journal journal;

    mr_counter_add(s->orphans, 1);
    if (!ends || report->engine_seq <= 0) {
        return MR_OK;
    }
    MR_TRY(order_journal(&journal, s, ctx, report, err));
    if (settle_position_is_past(&journal.account, report)) {
        return MR_OK;
    }
    MR_TRY(settle_position_ended(&journal.account, report, err));
    return settle_account_put(&journal.account, err);
}

static bool key_fits(struct mr_slice text)
{
    return text.len > 0 && text.len < MR_KEY_BYTES_MAX;
}

static bool moves_money(enum oms_exec_type type)
{
    return type == OMS_EXEC_TYPE_NEW || type == OMS_EXEC_TYPE_TRADE ||
           type == OMS_EXEC_TYPE_CANCELED || type == OMS_EXEC_TYPE_REPLACED ||
           type == OMS_EXEC_TYPE_TRADE_PREVENTION;
}

enum mr_status settle_execution(struct settle *s, struct mr_ctx *ctx,
                                const struct oms_execution_report *report, struct mr_err *err)
{
    struct oms_settle_order order = {0};
    bool found = false;

    if (!moves_money(report->exec_type)) {
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
        return settle_orphan(s, ctx, report, err);
    }
    if (report->exec_type == OMS_EXEC_TYPE_TRADE) {
        return settle_fill(s, ctx, report, &order, err);
    }
    return report->exec_type == OMS_EXEC_TYPE_CANCELED ? settle_cancel(s, ctx, report, &order, err)
                                                       : settle_rehold(s, ctx, report, &order, err);
}
