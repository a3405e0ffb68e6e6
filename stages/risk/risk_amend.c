/*
 * risk_amend.c -- a new total or price of an open order.
 *
 * How: what the amendment may need at most, whatever trades while it is on its way, is held beside
 *      the order's hold (domain/reserve.h), and what it adds counts as open. The engine's answer
 *      settles it: risk_report.c. One at a time, so that it is always known whose answer comes.
 * Not: for orders that never rest. Whether the order still can be amended is the engine's to say.
 */
#include "risk_commands.h"

static enum dom_code amendable(const struct oms_order_command *command,
                               const struct oms_risk_order *open, bool found)
{
    if (!found || !mr_slice_equal(open->user_id, command->user_id) ||
        !mr_slice_equal(open->symbol, command->symbol) || open->ord_type == OMS_ORDER_TYPE_MARKET ||
        !open->has_order_qty || !open->has_fee_taker) {
        return CODE_UNKNOWN_ORDER;
    }
    if (open->has_amend_command_id) {
        return CODE_AMEND_PENDING;
    }
    return open->ord_type == OMS_ORDER_TYPE_STOP && command->has_price ? CODE_NOT_ALLOWED : CODE_OK;
}

static enum mr_status forward(struct risk *risk, struct mr_ctx *ctx, struct risk_case *c,
                              struct oms_risk_order *open, struct mr_err *err)
{
    struct oms_order_command out = *c->order;
    struct oms_risk_exposure exposure;
    struct oms_risk_balance balance;

    MR_TRY(risk_exposure_get(&c->account, open->symbol, &exposure, err));
    MR_TRY(risk_balance_get(&c->account, open->asset, &balance, err));
    balance.available -= c->terms.need;
    balance.hold += c->terms.need;
    risk_balance_set(&c->account, &balance);
    *risk_open_of(&exposure, open->side) += c->terms.qty;
    risk_exposure_set(&c->account, &exposure);
    risk_case_count(c);
    MR_TRY(risk_account_put(risk, &c->account, err));
    open->amend_command_id = out.event_id;
    open->has_amend_command_id = true;
    open->amend_reserved = c->terms.need;
    open->has_amend_reserved = true;
    open->amend_qty = c->terms.qty;
    open->has_amend_qty = true;
    MR_TRY(mr_store_put(risk->orders, out.target_order_id, open, err));
    out.reserved = c->terms.need;
    out.has_reserved = true;
    out.reserve_asset = open->asset;
    out.has_reserve_asset = true;
    out.has_ref_px = c->terms.has_ref;
    out.ref_px = c->terms.ref;
    out.has_ref_ts_us = c->terms.has_ref;
    out.ref_ts_us = c->terms.ref_us;
    mr_counter_add(risk->approved, 1);
    MR_TRY(risk_notices_emit(ctx, &c->notices, err));
    return mr_emit(ctx, RISK_OUT_APPROVED, out.symbol, &out, err);
}

enum mr_status risk_amend(struct risk *risk, struct mr_ctx *ctx,
                          const struct oms_order_command *order, int64_t now_us, struct mr_err *err)
{
    struct risk_case c = {.order = order, .now_us = now_us};
    struct oms_risk_order open = {0};
    struct risk_result failed;
    enum dom_code code = CODE_OK;
    enum risk_check_id id;
    bool found = false;
    bool known = false;
    dec_t new_leaves = 0;

    MR_TRY(mr_store_get(risk->orders, order->target_order_id, &open, &found, err));
    code = amendable(order, &open, found);
    if (code != CODE_OK) {
        return risk_reject(risk, ctx, order, code, err);
    }
    MR_TRY(risk_case_open(risk, ctx, &c, order->symbol, &known, err));
    if (!known) {
        return risk_reject(risk, ctx, order, CODE_UNKNOWN_SYMBOL, err);
    }
    new_leaves = order->has_qty ? order->qty - (open.order_qty - open.leaves_qty) : open.leaves_qty;
    risk_terms_amend(&c.view, order, &open, new_leaves, &c.terms);
    risk_facts_of(&c.view, &c.terms, &c.facts);
    id = risk_case_judge(&c, &failed);
    return id == RISK_CHECK_COUNT ? forward(risk, ctx, &c, &open, err)
                                  : risk_case_refuse(risk, ctx, &c, id, &failed, err);
}
