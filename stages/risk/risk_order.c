/*
 * risk_order.c -- new orders: the checks, the hold, the approved command; and the way to the other
 * commands.
 */
#include "risk_commands.h"

/*
 * An order with this id is open. A REJECTED report would name that order too, so this is an event
 * that leaves it untouched.
 */
static enum mr_status refuse_duplicate(struct risk *risk, struct mr_ctx *ctx,
                                       const struct oms_order_command *order, struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_order(order);
    struct oms_risk_event event = risk_event_of(mr_ctx_arena(ctx), &cause, "R-",
                                                OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT, "orderId");

    event.code = CODE_DUPLICATE_ORDER;
    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_EVENTS, order->user_id, &event, err);
}

static enum mr_status open_order(struct risk *risk, const struct risk_case *c,
                                 struct mr_slice asset, struct mr_err *err)
{
    const struct oms_order_command *order = c->order;
    const struct oms_risk_order open = {
        .user_id = order->user_id,
        .symbol = order->symbol,
        .asset = asset,
        .side = order->side,
        .hold = c->terms.need,
        .leaves_qty = c->terms.qty,
        .price = c->terms.price,
        .client_order_id = order->client_order_id,
        .has_client_order_id = order->has_client_order_id,
        .created_ts_us = c->now_us,
        .ord_type = order->ord_type,
        .by_amount = order->has_quote_qty,
        .reduce_only = order->reduce_only,
        .order_qty = order->qty,
        .has_order_qty = order->has_qty,
        .fee_taker = c->view.instr->taker_fee,
        .has_fee_taker = true,
    };
    const struct oms_risk_client_id taken = {.order_id = order->order_id};
    struct mr_key key;

    MR_TRY(mr_store_put(risk->orders, order->order_id, &open, err));
    if (order->client_order_id.len == 0) {
        return MR_OK;
    }
    MR_TRY(risk_client_key(&key, order->user_id, order->client_order_id, err));
    return mr_store_put(risk->client_ids, mr_key_slice(&key), &taken, err);
}

static void complete(struct oms_order_command *out, const struct risk_case *c,
                     struct mr_slice asset)
{
    const struct instr *instr = c->view.instr;

    out->fee_maker = instr->maker_fee;
    out->has_fee_maker = true;
    out->fee_taker = instr->taker_fee;
    out->has_fee_taker = true;
    out->reserved = c->terms.need;
    out->has_reserved = true;
    out->reserve_asset = asset;
    out->has_reserve_asset = true;
    out->has_collar_px =
        out->ord_type == OMS_ORDER_TYPE_MARKET || out->ord_type == OMS_ORDER_TYPE_STOP;
    out->collar_px = out->has_collar_px ? c->terms.price : 0;
    out->has_ref_px = c->terms.has_ref;
    out->ref_px = c->terms.ref;
    out->has_ref_ts_us = c->terms.has_ref;
    out->ref_ts_us = c->terms.ref_us;
}

static enum mr_status approve(struct risk *risk, struct mr_ctx *ctx, struct risk_case *c,
                              struct mr_err *err)
{
    const struct instr *instr = c->view.instr;
    const struct mr_slice asset =
        slice_of(c->terms.side == ORD_BUY ? instr->quote_asset : instr->base_asset);
    struct oms_order_command out = *c->order;
    struct oms_risk_exposure exposure;
    struct oms_risk_balance balance;

    MR_TRY(risk_exposure_get(&c->account, out.symbol, &exposure, err));
    MR_TRY(risk_balance_get(&c->account, asset, &balance, err));
    balance.available -= c->terms.need;
    balance.hold += c->terms.need;
    risk_balance_set(&c->account, &balance);
    *risk_open_of(&exposure, out.side) += c->terms.qty;
    exposure.open_orders++;
    risk_exposure_set(&c->account, &exposure);
    c->account.value.open_orders++;
    risk_case_count(c);
    MR_TRY(risk_account_put(risk, &c->account, err));
    MR_TRY(open_order(risk, c, asset, err));
    complete(&out, c, asset);
    mr_counter_add(risk->approved, 1);
    MR_TRY(risk_notices_emit(ctx, &c->notices, err));
    return mr_emit(ctx, RISK_OUT_APPROVED, out.symbol, &out, err);
}

static enum mr_status client_id_taken(struct risk *risk, const struct oms_order_command *order,
                                      bool *taken, struct mr_err *err)
{
    struct oms_risk_client_id holder;
    struct mr_key key;

    *taken = false;
    if (order->client_order_id.len == 0) {
        return MR_OK;
    }
    MR_TRY(risk_client_key(&key, order->user_id, order->client_order_id, err));
    return mr_store_get(risk->client_ids, mr_key_slice(&key), &holder, taken, err);
}

enum mr_status risk_new(struct risk *risk, struct mr_ctx *ctx,
                        const struct oms_order_command *order, int64_t now_us, struct mr_err *err)
{
    struct risk_case c = {.order = order, .now_us = now_us};
    struct risk_result failed;
    enum risk_check_id id;
    bool known = false;

    MR_TRY(risk_case_open(risk, ctx, &c, order->symbol, &known, err));
    if (!known) {
        return risk_reject(risk, ctx, order, CODE_UNKNOWN_SYMBOL, err);
    }
    risk_terms_new(&c.view, order, &c.terms);
    risk_facts_of(&c.view, &c.terms, &c.facts);
    MR_TRY(client_id_taken(risk, order, &c.facts.client_id_taken, err));
    id = risk_case_judge(&c, &failed);
    return id == RISK_CHECK_COUNT ? approve(risk, ctx, &c, err)
                                  : risk_case_refuse(risk, ctx, &c, id, &failed, err);
}

/* --- which command ------------------------------------------------------------------------ */

static bool amount_valid(bool present, dec_t amount)
{
    return present && amount > 0 && amount < DEC_BUSINESS_LIMIT;
}

/* What the arithmetic of the checks rests on. */
static bool new_well_formed(const struct oms_order_command *order)
{
    const bool qty = amount_valid(order->has_qty, order->qty);
    const bool price = amount_valid(order->has_price, order->price);
    const bool stop = amount_valid(order->has_stop_price, order->stop_price);

    switch (order->ord_type) {
    case OMS_ORDER_TYPE_LIMIT:
        return qty && price && !order->has_quote_qty;
    case OMS_ORDER_TYPE_MARKET:
        return order->has_quote_qty ? amount_valid(true, order->quote_qty) && !order->has_qty : qty;
    case OMS_ORDER_TYPE_STOP:
        return qty && stop && !order->has_quote_qty;
    case OMS_ORDER_TYPE_STOP_LIMIT:
        return qty && stop && price && !order->has_quote_qty;
    }
    return false;
}

static bool amend_well_formed(const struct oms_order_command *order)
{
    return order->target_order_id.len > 0 && order->target_order_id.len <= MR_STORE_KEY_BYTES_MAX &&
           (order->has_qty || order->has_price) &&
           (!order->has_qty || amount_valid(true, order->qty)) &&
           (!order->has_price || amount_valid(true, order->price));
}

static enum mr_status malformed(struct mr_err *err)
{
    return mr_fail(err, MR_MALFORMED, "not a command that validate lets through");
}

enum mr_status risk_order(struct risk *risk, struct mr_ctx *ctx, const struct mr_record *record,
                          struct mr_err *err)
{
    const struct oms_order_command *order = record->value;
    struct oms_risk_order open;
    bool found = false;

    if (order->order_id.len == 0 || order->order_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "orderId is empty or too long");
    }
    switch (order->action) {
    case OMS_ACTION_CANCEL:
        return mr_emit(ctx, RISK_OUT_APPROVED, order->symbol, order, err);
    case OMS_ACTION_CANCEL_ALL:
        return risk_cancel_all(risk, ctx, order, err);
    case OMS_ACTION_AMEND:
        return amend_well_formed(order) ? risk_amend(risk, ctx, order, record->event_us, err)
                                        : malformed(err);
    case OMS_ACTION_NEW:
        break;
    }
    if (order->action != OMS_ACTION_NEW || !new_well_formed(order)) {
        return malformed(err);
    }
    MR_TRY(mr_store_get(risk->orders, order->order_id, &open, &found, err));
    return found ? refuse_duplicate(risk, ctx, order, err)
                 : risk_new(risk, ctx, order, record->event_us, err);
}
