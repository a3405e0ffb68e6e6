/*
 * risk_report.c -- reports of the engine: what was held is spent or comes back.
 *
 * How: `holdAfter` of the report is what the order still needs (domain/hold.h, computed by fill);
 *      the rest of the hold before is spent or released, so the hold is exactly zero at the end.
 *      A report acts once: store "orders" keeps the version of the last one.
 * Not: for reports that the engine did not write (rejections by validate and risk, SETTLED). They
 *      come back on the same topic and may name the id of an open order of the same user. The
 *      engine's have an engineSeq, or, where it knows no such symbol, an execId "F-...".
 */
#include "risk_state.h"

static enum mr_status out_of_range(struct mr_err *err)
{
    return mr_fail(err, MR_OUT_OF_RANGE, "report takes more than the order holds, or overflows");
}

/* The order is over: it counts no more. */
static enum mr_status close_order(struct risk *risk, struct risk_account *account,
                                  struct oms_risk_exposure *exposure, struct mr_slice order_id,
                                  struct mr_err *err)
{
    account->value.open_orders -= account->value.open_orders > 0;
    exposure->open_orders -= exposure->open_orders > 0;
    risk_exposure_set(account, exposure);
    MR_TRY(risk_account_put(risk, account, err));
    return mr_store_delete(risk->orders, order_id, err);
}

/* The asset of the hold: `spent` is gone, what the order does not need any more is available. */
static bool move_hold(struct oms_risk_balance *held, dec_t before, dec_t after, dec_t spent)
{
    dec_t release = 0;

    return after >= 0 && dec_sub(before, after, &release) && dec_sub(release, spent, &release) &&
           release >= 0 && dec_add(held->available, release, &held->available) &&
           dec_sub(held->hold, before - after, &held->hold);
}

static enum mr_status fill_balances(struct risk_account *account,
                                    const struct oms_execution_report *report, dec_t hold,
                                    struct mr_err *err)
{
    const bool buy = report->side == OMS_SIDE_BUY;
    struct oms_risk_balance held;
    struct oms_risk_balance gained;
    dec_t notional = 0;
    dec_t spent = report->last_qty;
    dec_t proceeds = report->last_qty;

    MR_TRY(risk_balance_get(account, buy ? report->quote_asset : report->base_asset, &held, err));
    MR_TRY(risk_balance_get(account, buy ? report->base_asset : report->quote_asset, &gained, err));
    if (!dec_mul_exact(report->last_qty, report->last_px, &notional) ||
        (buy && !dec_add(notional, report->fee_amount, &spent)) ||
        (!buy && !dec_sub(notional, report->fee_amount, &proceeds)) ||
        !move_hold(&held, hold, report->hold_after, spent) ||
        !dec_add(gained.available, proceeds, &gained.available)) {
        return out_of_range(err);
    }
    risk_balance_set(account, &held);
    risk_balance_set(account, &gained);
    return MR_OK;
}

static enum mr_status on_fill(struct risk *risk, struct risk_account *account,
                              const struct oms_execution_report *report,
                              struct oms_risk_order *order, struct mr_err *err)
{
    const bool buy = order->side == OMS_SIDE_BUY;
    struct oms_risk_exposure exposure;

    if (report->last_qty <= 0 || report->last_px <= 0 || report->last_qty > order->leaves_qty) {
        return out_of_range(err);
    }
    MR_TRY(fill_balances(account, report, order->hold, err));
    MR_TRY(risk_exposure_get(account, report->symbol, &exposure, err));
    if (!dec_add(exposure.position, buy ? report->last_qty : -report->last_qty,
                 &exposure.position)) {
        return out_of_range(err);
    }
    *(buy ? &exposure.open_buy : &exposure.open_sell) -= report->last_qty;
    if (report->status == OMS_ORDER_STATUS_FILLED) {
        return close_order(risk, account, &exposure, report->order_id, err);
    }
    risk_exposure_set(account, &exposure);
    MR_TRY(risk_account_put(risk, account, err));
    order->hold = report->hold_after;
    order->leaves_qty -= report->last_qty;
    order->last_version = report->version;
    return mr_store_put(risk->orders, report->order_id, order, err);
}

/* Canceled, or refused by the engine: all that is held comes back. */
static enum mr_status on_end(struct risk *risk, struct risk_account *account,
                             const struct oms_execution_report *report,
                             const struct oms_risk_order *order, struct mr_err *err)
{
    struct oms_risk_exposure exposure;
    struct oms_risk_balance held;

    MR_TRY(risk_balance_get(account, order->asset, &held, err));
    if (!move_hold(&held, order->hold, 0, 0)) {
        return out_of_range(err);
    }
    risk_balance_set(account, &held);
    MR_TRY(risk_exposure_get(account, order->symbol, &exposure, err));
    *(order->side == OMS_SIDE_BUY ? &exposure.open_buy : &exposure.open_sell) -= order->leaves_qty;
    return close_order(risk, account, &exposure, report->order_id, err);
}

static bool from_engine(const struct oms_execution_report *report)
{
    return report->engine_seq > 0 ||
           (report->exec_id.len > 2 && memcmp(report->exec_id.data, "F-", 2) == 0);
}

enum mr_status risk_report(struct risk *risk, struct mr_ctx *ctx,
                           const struct oms_execution_report *report, struct mr_err *err)
{
    struct oms_risk_order order;
    struct risk_account account;
    bool found = false;

    if (!from_engine(report) ||
        (report->exec_type != OMS_EXEC_TYPE_TRADE && report->exec_type != OMS_EXEC_TYPE_CANCELED &&
         report->exec_type != OMS_EXEC_TYPE_REJECTED)) {
        return MR_OK;
    }
    if (report->order_id.len == 0 || report->order_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "orderId is empty or too long");
    }
    MR_TRY(mr_store_get(risk->orders, report->order_id, &order, &found, err));
    if (!found || report->version <= order.last_version ||
        !mr_slice_equal(order.user_id, report->user_id)) {
        mr_counter_add(risk->skipped, 1);
        return MR_OK;
    }
    MR_TRY(risk_account_get(risk, ctx, report->user_id, &account, err));
    if (report->exec_type != OMS_EXEC_TYPE_TRADE) {
        return on_end(risk, &account, report, &order, err);
    }
    if (!report->has_base_asset || !report->has_quote_asset || !report->has_hold_after ||
        report->side != order.side || !mr_slice_equal(report->symbol, order.symbol)) {
        return mr_fail(err, MR_MALFORMED, "fill without assets or holdAfter, or of another order");
    }
    return on_fill(risk, &account, report, &order, err);
}
