/*
 * risk_report.c -- reports of the engine: what was held is spent or comes back.
 *
 * How: `holdAfter` of the report is what the order still needs (domain/hold.h, computed by fill);
 *      the rest of the hold before is spent or released, so the hold is exactly zero at the end.
 *      A report acts once: store "orders" keeps the version of the last one. An amendment's answer
 *      is REPLACED of the order, or CANCEL_REJECTED of the command, which acts while that command
 * is the one that the order waits for. A fill moves the position at average cost; its profit, net
 * of the fee, counts in the day. Not: for reports that the engine did not write (rejections by
 * validate and risk, SETTLED). They come back on the same topic and may name the id of an open
 * order of the same user. The engine's have an engineSeq, or, where it knows no such symbol, an
 * execId "F-...".
 */
#include "domain/position.h"
#include "risk_notice.h"

/* A report at work. */
struct risk_effect {
    const struct oms_execution_report *report;
    struct risk_account account;
    struct oms_risk_order order;
    struct mr_slice order_id;
    struct risk_notices notices;
};

static enum mr_status out_of_range(struct mr_err *err)
{
    return mr_fail(err, MR_OUT_OF_RANGE, "report takes more than the order holds, or overflows");
}

static enum mr_status write_account(struct risk *risk, struct mr_ctx *ctx,
                                    const struct risk_effect *e, struct mr_err *err)
{
    MR_TRY(risk_account_put(risk, &e->account, err));
    return risk_notices_emit(ctx, &e->notices, err);
}

/* The order is over: it counts no more. */
static enum mr_status close_order(struct risk *risk, struct risk_effect *e, struct mr_err *err)
{
    struct oms_risk_exposure exposure;
    struct mr_key key;

    MR_TRY(risk_exposure_get(&e->account, e->order.symbol, &exposure, err));
    *risk_open_of(&exposure, e->order.side) -= e->order.leaves_qty + e->order.amend_qty;
    exposure.open_orders -= exposure.open_orders > 0;
    risk_exposure_set(&e->account, &exposure);
    e->account.value.open_orders -= e->account.value.open_orders > 0;
    if (e->order.client_order_id.len > 0) {
        MR_TRY(risk_client_key(&key, e->order.user_id, e->order.client_order_id, err));
        MR_TRY(mr_store_delete(risk->client_ids, mr_key_slice(&key), err));
    }
    return mr_store_delete(risk->orders, e->order_id, err);
}

/* The asset of the hold: `spent` is gone, what the order does not need any more is available. */
static bool move_hold(struct oms_risk_balance *held, dec_t before, dec_t after, dec_t spent)
{
    dec_t release = 0;

    return after >= 0 && dec_sub(before, after, &release) && dec_sub(release, spent, &release) &&
           release >= 0 && dec_add(held->available, release, &held->available) &&
           dec_sub(held->hold, before - after, &held->hold);
}

/* From all that is held for the order, an amendment's share included, down to `after`. */
static enum mr_status release_to(struct risk_effect *e, dec_t after, struct mr_err *err)
{
    struct oms_risk_balance held;

    MR_TRY(risk_balance_get(&e->account, e->order.asset, &held, err));
    if (!move_hold(&held, e->order.hold + e->order.amend_reserved, after, 0)) {
        return out_of_range(err);
    }
    risk_balance_set(&e->account, &held);
    return MR_OK;
}

/* --- fills -------------------------------------------------------------------------------- */

/* after: what stays held for the order itself; an amendment's share stays beside it. */
static enum mr_status fill_balances(struct risk_effect *e, dec_t after, dec_t *notional,
                                    struct mr_err *err)
{
    const struct oms_execution_report *report = e->report;
    const bool buy = report->side == OMS_SIDE_BUY;
    struct oms_risk_balance held;
    struct oms_risk_balance gained;
    dec_t spent = report->last_qty;
    dec_t proceeds = report->last_qty;

    MR_TRY(
        risk_balance_get(&e->account, buy ? report->quote_asset : report->base_asset, &held, err));
    MR_TRY(risk_balance_get(&e->account, buy ? report->base_asset : report->quote_asset, &gained,
                            err));
    if (!dec_mul_exact(report->last_qty, report->last_px, notional) ||
        (buy && !dec_add(*notional, report->fee_amount, &spent)) ||
        (!buy && !dec_sub(*notional, report->fee_amount, &proceeds)) ||
        !move_hold(&held, e->order.hold, after, spent) ||
        !dec_add(gained.available, proceeds, &gained.available)) {
        return out_of_range(err);
    }
    risk_balance_set(&e->account, &held);
    risk_balance_set(&e->account, &gained);
    return MR_OK;
}

/* Position and the day's profit. The row's day is the report's, or a newer one. */
static enum mr_status fill_position(struct risk_effect *e, dec_t notional, struct mr_err *err)
{
    const struct oms_execution_report *report = e->report;
    const struct pos_fill fill = {.side = (enum ord_side)report->side,
                                  .qty = report->last_qty,
                                  .notional = notional,
                                  .fee = report->fee_amount,
                                  .ts_us = report->ts_us};
    struct oms_risk_exposure exposure;
    struct oms_risk_balance quote;
    struct pos pos;
    dec_t realised = 0;

    MR_TRY(risk_exposure_get(&e->account, report->symbol, &exposure, err));
    MR_TRY(risk_balance_get(&e->account, report->quote_asset, &quote, err));
    pos = (struct pos){.qty = exposure.position,
                       .cost_basis = exposure.cost_basis,
                       .realised_day = quote.realised_day,
                       .day = e->account.value.day};
    if (!pos_apply(&pos, &fill, &realised)) {
        return out_of_range(err);
    }
    exposure.position = pos.qty;
    exposure.cost_basis = pos.cost_basis;
    exposure.has_cost_basis = pos.cost_basis != 0;
    risk_exposure_set(&e->account, &exposure);
    quote.realised_day = pos.realised_day;
    quote.has_realised_day = pos.realised_day != 0;
    risk_balance_set(&e->account, &quote);
    return MR_OK;
}

/* Has the fill brought the user to a limit? */
static enum mr_status watch(struct risk *risk, struct mr_ctx *ctx, struct risk_effect *e,
                            struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_report(e->report);
    struct risk_place place = {.risk = risk, .ctx = ctx};
    struct oms_risk_account all;
    struct risk_view view;

    MR_TRY(risk_all_get(risk, &all, err));
    risk_watch_loss(&e->account, &all, e->report->quote_asset, &cause, &e->notices);
    if (risk_view_open(&view, &place, &e->account, &all, e->report->symbol, e->report->ts_us)) {
        risk_watch_margin(&view, &e->account, &cause, &e->notices);
    }
    return MR_OK;
}

/* What the fill takes from the open quantity: an order by amount may trade more than it counted. */
static void count_fill(struct risk_effect *e, struct oms_risk_exposure *exposure)
{
    const dec_t counted = dec_min(e->report->last_qty, e->order.leaves_qty);

    *risk_open_of(exposure, e->order.side) -= counted;
    e->order.leaves_qty -= counted;
}

static enum mr_status on_fill(struct risk *risk, struct mr_ctx *ctx, struct risk_effect *e,
                              struct mr_err *err)
{
    const struct oms_execution_report *report = e->report;
    const bool filled = report->status == OMS_ORDER_STATUS_FILLED;
    struct oms_risk_exposure exposure;
    dec_t notional = 0;

    if (!report->has_base_asset || !report->has_quote_asset || !report->has_hold_after ||
        report->side != e->order.side || !mr_slice_equal(report->symbol, e->order.symbol)) {
        return mr_fail(err, MR_MALFORMED, "fill without assets or holdAfter, or of another order");
    }
    if (report->last_qty <= 0 || report->last_px <= 0 ||
        (!e->order.by_amount && report->last_qty > e->order.leaves_qty)) {
        return out_of_range(err);
    }
    risk_day_roll(&e->account, report->ts_us);
    MR_TRY(fill_balances(e, filled ? 0 : report->hold_after, &notional, err));
    MR_TRY(fill_position(e, notional, err));
    MR_TRY(risk_exposure_get(&e->account, report->symbol, &exposure, err));
    count_fill(e, &exposure);
    risk_exposure_set(&e->account, &exposure);
    e->order.hold = filled ? 0 : report->hold_after;
    e->order.last_version = report->version;
    if (filled) {
        MR_TRY(release_to(e, 0, err));
        MR_TRY(close_order(risk, e, err));
    }
    MR_TRY(watch(risk, ctx, e, err));
    MR_TRY(write_account(risk, ctx, e, err));
    return filled ? MR_OK : mr_store_put(risk->orders, e->order_id, &e->order, err);
}

/* --- what changes without a fill ---------------------------------------------------------- */

/* Canceled, or refused by the engine: all that is held comes back. */
static enum mr_status on_end(struct risk *risk, struct mr_ctx *ctx, struct risk_effect *e,
                             struct mr_err *err)
{
    MR_TRY(release_to(e, 0, err));
    MR_TRY(close_order(risk, e, err));
    return write_account(risk, ctx, e, err);
}

/* The order goes on with what the report says of it; nothing waits for an answer any more. */
static enum mr_status take_over(struct risk *risk, struct mr_ctx *ctx, struct risk_effect *e,
                                dec_t leaves, struct mr_err *err)
{
    struct oms_risk_exposure exposure;

    MR_TRY(risk_exposure_get(&e->account, e->order.symbol, &exposure, err));
    *risk_open_of(&exposure, e->order.side) += leaves - e->order.leaves_qty - e->order.amend_qty;
    risk_exposure_set(&e->account, &exposure);
    e->order.leaves_qty = leaves;
    e->order.amend_command_id = (struct mr_slice){0};
    e->order.has_amend_command_id = false;
    e->order.amend_reserved = 0;
    e->order.has_amend_reserved = false;
    e->order.amend_qty = 0;
    e->order.has_amend_qty = false;
    MR_TRY(write_account(risk, ctx, e, err));
    return mr_store_put(risk->orders, e->order_id, &e->order, err);
}

static enum mr_status on_replaced(struct risk *risk, struct mr_ctx *ctx, struct risk_effect *e,
                                  struct mr_err *err)
{
    const struct oms_execution_report *report = e->report;

    if (!report->has_hold_after || report->leaves_qty < 0 ||
        report->leaves_qty >= DEC_BUSINESS_LIMIT) {
        return mr_fail(err, MR_MALFORMED, "REPLACED without holdAfter or leavesQty");
    }
    MR_TRY(release_to(e, report->hold_after, err));
    e->order.hold = report->hold_after;
    e->order.last_version = report->version;
    if (report->has_price) {
        e->order.price = report->price;
    }
    if (report->has_order_qty) {
        e->order.order_qty = report->order_qty;
        e->order.has_order_qty = true;
    }
    return take_over(risk, ctx, e, report->leaves_qty, err);
}

/* Both orders of a user became smaller instead of trading with each other. */
static enum mr_status on_prevented(struct risk *risk, struct mr_ctx *ctx, struct risk_effect *e,
                                   struct mr_err *err)
{
    const struct oms_execution_report *report = e->report;
    struct oms_risk_exposure exposure;
    struct oms_risk_balance held;
    const dec_t leaves = e->order.by_amount ? e->order.leaves_qty : report->leaves_qty;

    if (!report->has_hold_after || leaves < 0 || leaves > e->order.leaves_qty) {
        return out_of_range(err);
    }
    MR_TRY(risk_balance_get(&e->account, e->order.asset, &held, err));
    if (!move_hold(&held, e->order.hold, report->hold_after, 0)) {
        return out_of_range(err);
    }
    risk_balance_set(&e->account, &held);
    MR_TRY(risk_exposure_get(&e->account, e->order.symbol, &exposure, err));
    *risk_open_of(&exposure, e->order.side) -= e->order.leaves_qty - leaves;
    risk_exposure_set(&e->account, &exposure);
    MR_TRY(write_account(risk, ctx, e, err));
    e->order.leaves_qty = leaves;
    e->order.hold = report->hold_after;
    e->order.last_version = report->version;
    return mr_store_put(risk->orders, e->order_id, &e->order, err);
}

/* --- which report ------------------------------------------------------------------------- */

static bool from_engine(const struct oms_execution_report *report)
{
    return report->engine_seq > 0 ||
           (report->exec_id.len > 2 && memcmp(report->exec_id.data, "F-", 2) == 0);
}

static enum mr_status act(struct risk *risk, struct mr_ctx *ctx, struct risk_effect *e,
                          struct mr_err *err)
{
    switch (e->report->exec_type) {
    case OMS_EXEC_TYPE_TRADE:
        return on_fill(risk, ctx, e, err);
    case OMS_EXEC_TYPE_CANCELED:
    case OMS_EXEC_TYPE_REJECTED:
        return on_end(risk, ctx, e, err);
    case OMS_EXEC_TYPE_REPLACED:
        return on_replaced(risk, ctx, e, err);
    case OMS_EXEC_TYPE_TRADE_PREVENTION:
        return on_prevented(risk, ctx, e, err);
    case OMS_EXEC_TYPE_CANCEL_REJECTED:
        MR_TRY(release_to(e, e->order.hold, err));
        return take_over(risk, ctx, e, e->order.leaves_qty, err);
    case OMS_EXEC_TYPE_NEW:
    case OMS_EXEC_TYPE_TRIGGERED:
    case OMS_EXEC_TYPE_SETTLED:
        break;
    }
    return MR_OK;
}

/* Was this report acted upon, or is it about what the order does not wait for? */
static bool is_past(const struct oms_execution_report *report, const struct oms_risk_order *order)
{
    if (report->exec_type == OMS_EXEC_TYPE_CANCEL_REJECTED) {
        return !order->has_amend_command_id ||
               !mr_slice_equal(order->amend_command_id, report->command_id);
    }
    return report->version <= order->last_version;
}

static bool is_of_interest(const struct oms_execution_report *report)
{
    switch (report->exec_type) {
    case OMS_EXEC_TYPE_TRADE:
    case OMS_EXEC_TYPE_CANCELED:
    case OMS_EXEC_TYPE_REJECTED:
    case OMS_EXEC_TYPE_REPLACED:
    case OMS_EXEC_TYPE_TRADE_PREVENTION:
        return true;
    case OMS_EXEC_TYPE_CANCEL_REJECTED:
        return report->target_order_id.len > 0;
    case OMS_EXEC_TYPE_NEW:
    case OMS_EXEC_TYPE_TRIGGERED:
    case OMS_EXEC_TYPE_SETTLED:
        break;
    }
    return false;
}

enum mr_status risk_report(struct risk *risk, struct mr_ctx *ctx,
                           const struct oms_execution_report *report, struct mr_err *err)
{
    const bool refused = report->exec_type == OMS_EXEC_TYPE_CANCEL_REJECTED;
    struct risk_effect e = {.report = report,
                            .order_id = refused ? report->target_order_id : report->order_id};
    bool found = false;

    if (!from_engine(report) || !is_of_interest(report)) {
        return MR_OK;
    }
    if (e.order_id.len == 0 || e.order_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "orderId is empty or too long");
    }
    MR_TRY(mr_store_get(risk->orders, e.order_id, &e.order, &found, err));
    if (!found || is_past(report, &e.order) || !mr_slice_equal(e.order.user_id, report->user_id)) {
        mr_counter_add(risk->skipped, 1);
        return MR_OK;
    }
    MR_TRY(risk_account_get(risk, ctx, report->user_id, &e.account, err));
    return act(risk, ctx, &e, err);
}
