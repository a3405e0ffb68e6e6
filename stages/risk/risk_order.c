/*
 * risk_order.c -- new orders: the checks, the hold, the approved command.
 *
 * How: everything an order is judged by is read first; then the checks run in one fixed order and
 *      the first failure is the recorded code. Only the velocity check changes anything: an order
 *      that passed it has used its token, whatever a later check says.
 */
#include "avro/price_tick.h"
#include "domain/hold.h"
#include "order_report.h"
#include "risk_state.h"

#define PPM INT64_C(1000000)

/* One order under examination. */
struct risk_case {
    const struct oms_order_command *order;
    const struct instr *instr;
    int64_t now_us;
    enum ord_side side;
    struct mr_slice asset; /* of the hold */
    struct risk_account account;
    struct oms_risk_exposure exposure;
    struct oms_risk_balance balance; /* in that asset */
    bool has_ref;
    dec_t ref;
    int64_t ref_us;
    dec_t price; /* of the hold: the limit, or the collar of a MARKET order */
    dec_t hold;
};

/* Does the order only bring the position closer to zero, with all open orders filled? */
static bool reduces(const struct risk_case *c)
{
    const struct oms_risk_exposure *e = &c->exposure;

    if (c->side == ORD_BUY) {
        return e->open_buy + c->order->qty <= -e->position;
    }
    return e->open_sell + c->order->qty <= e->position;
}

static enum dom_code check_switch(const struct risk *risk, struct risk_case *c)
{
    const struct oms_risk_exposure *e = &c->exposure;
    const enum oms_trading_state state = c->account.value.trading_state;

    (void)risk;
    if (state == OMS_TRADING_STATE_HALTED || e->trading_state == OMS_TRADING_STATE_HALTED) {
        return CODE_HALTED;
    }
    if ((c->order->reduce_only || state == OMS_TRADING_STATE_REDUCING ||
         e->trading_state == OMS_TRADING_STATE_REDUCING) &&
        !reduces(c)) {
        return CODE_REDUCING;
    }
    return CODE_OK;
}

static enum dom_code check_velocity(const struct risk *risk, struct risk_case *c)
{
    struct oms_risk_account *user = &c->account.value;
    struct bucket bucket = {.micro_tokens = user->bucket_micro_tokens, .ts_us = user->bucket_ts_us};

    if (!bucket_take(&bucket, risk_bucket_rule(risk, user), c->now_us)) {
        return CODE_VELOCITY;
    }
    user->bucket_micro_tokens = bucket.micro_tokens;
    user->bucket_ts_us = bucket.ts_us;
    return CODE_OK;
}

static enum dom_code check_open_orders(const struct risk *risk, struct risk_case *c)
{
    const struct oms_risk_account *user = &c->account.value;
    const int64_t max = user->has_open_orders_max ? user->open_orders_max : risk->open_orders;

    if (user->open_orders >= max ||
        (c->instr->has_max_orders && c->exposure.open_orders >= c->instr->max_orders)) {
        return CODE_OPEN_ORDERS;
    }
    return CODE_OK;
}

/* The instrument's own factors decide where it has them, the option on the harmful side else. */
static bool outside_collar(const struct risk *risk, const struct risk_case *c)
{
    const bool own = c->side == ORD_BUY ? c->instr->has_bid_up : c->instr->has_ask_down;
    const dec_t collar = (dec_t)risk->collar_ppm * (DEC_ONE / PPM);
    dec_t low = 0;
    dec_t high = 0;
    dec_t worst = 0;

    if (!instr_collar(c->instr, c->side, c->ref, &low, &high)) {
        return true;
    }
    if (!own && instr_market_price(c->instr, c->side, c->ref, collar, &worst)) {
        high = c->side == ORD_BUY ? worst : high;
        low = c->side == ORD_SELL ? worst : low;
    }
    return (high > 0 && c->price > high) || (low > 0 && c->price < low);
}

static enum dom_code check_price(const struct risk *risk, struct risk_case *c)
{
    const dec_t collar = (dec_t)risk->collar_ppm * (DEC_ONE / PPM);
    dec_t notional = 0;

    if (c->order->ord_type == OMS_ORDER_TYPE_MARKET) {
        if (!c->has_ref || !instr_market_price(c->instr, c->side, c->ref, collar, &c->price)) {
            return CODE_PRICE_UNAVAILABLE;
        }
    } else {
        c->price = c->order->price;
        if (c->has_ref && outside_collar(risk, c)) {
            return CODE_PRICE_COLLAR;
        }
    }
    if (!dec_mul_exact(c->price, c->order->qty, &notional)) {
        return CODE_OVERFLOW;
    }
    if (c->account.value.has_notional_max && notional > c->account.value.notional_max) {
        return CODE_ORDER_TOO_LARGE;
    }
    return CODE_OK;
}

/* The user's for the symbol, the user's for all symbols, the instrument's. False: none of them. */
static bool position_limit(const struct risk_case *c, dec_t *limit)
{
    if (c->exposure.has_position_limit) {
        *limit = c->exposure.position_limit;
        return true;
    }
    if (c->account.value.has_position_limit) {
        *limit = c->account.value.position_limit;
        return true;
    }
    *limit = c->instr->max_position;
    return c->instr->has_max_position;
}

/* Open orders count in full. Only the side that the order makes longer is looked at. */
static enum dom_code check_position(const struct risk *risk, struct risk_case *c)
{
    const struct oms_risk_exposure *e = &c->exposure;
    const dec_t open = c->side == ORD_BUY ? e->open_buy : e->open_sell;
    const dec_t held = c->side == ORD_BUY ? e->position : -e->position;
    dec_t limit = 0;
    dec_t worst = 0;

    (void)risk;
    if (!dec_add(open, c->order->qty, &worst) || !dec_add(held, worst, &worst)) {
        return CODE_OVERFLOW;
    }
    return position_limit(c, &limit) && worst > limit ? CODE_POSITION_LIMIT : CODE_OK;
}

static enum dom_code check_funds(const struct risk *risk, struct risk_case *c)
{
    (void)risk;
    if (!hold_initial(c->side, c->price, c->order->qty, c->instr->taker_fee, &c->hold)) {
        return CODE_OVERFLOW;
    }
    return c->balance.available < c->hold ? CODE_INSUFFICIENT_FUNDS : CODE_OK;
}

typedef enum dom_code risk_check(const struct risk *risk, struct risk_case *c);

/* The order is part of the contract. */
static risk_check *const risk_checks[] = {
    check_switch, check_velocity, check_open_orders, check_price, check_position, check_funds,
};

static enum mr_status reject(struct risk *risk, struct mr_ctx *ctx,
                             const struct oms_order_command *order, enum dom_code code,
                             struct mr_err *err)
{
    struct oms_execution_report report;

    order_report_reject(&report, mr_ctx_arena(ctx), order, "R-", (int32_t)code,
                        mr_slice_str(code_text((int32_t)code)));
    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_REJECTED, order->user_id, &report, err);
}

/*
 * An order with this id is open. A REJECTED report would name that order too, so this is an event
 * that leaves it untouched.
 */
static enum mr_status refuse_duplicate(struct risk *risk, struct mr_ctx *ctx,
                                       const struct oms_order_command *order, struct mr_err *err)
{
    const struct oms_risk_event event = {
        .event_id = order_report_join(mr_ctx_arena(ctx), mr_slice_str("R-"), order->event_id),
        .ts_us = order->ts_us,
        .trace_id = order->trace_id,
        .has_trace_id = order->has_trace_id,
        .user_id = order->user_id,
        .order_id = order->order_id,
        .has_order_id = true,
        .command_id = order->event_id,
        .has_command_id = true,
        .symbol = order->symbol,
        .has_symbol = true,
        .type = OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT,
        .check = mr_slice_str("orderId"),
        .code = CODE_DUPLICATE_ORDER,
    };

    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_EVENTS, order->user_id, &event, err);
}

static enum mr_status approve(struct risk *risk, struct mr_ctx *ctx, struct risk_case *c,
                              struct mr_err *err)
{
    struct oms_order_command out = *c->order;
    const struct oms_risk_order open = {
        .user_id = out.user_id,
        .symbol = out.symbol,
        .asset = c->asset,
        .side = out.side,
        .hold = c->hold,
        .leaves_qty = out.qty,
        .price = c->price,
        .client_order_id = out.client_order_id,
        .has_client_order_id = out.has_client_order_id,
        .created_ts_us = c->now_us,
    };

    c->balance.available -= c->hold;
    c->balance.hold += c->hold;
    risk_balance_set(&c->account, &c->balance);
    *(c->side == ORD_BUY ? &c->exposure.open_buy : &c->exposure.open_sell) += out.qty;
    c->exposure.open_orders++;
    risk_exposure_set(&c->account, &c->exposure);
    c->account.value.open_orders++;
    MR_TRY(risk_account_put(risk, &c->account, err));
    MR_TRY(mr_store_put(risk->orders, out.order_id, &open, err));
    out.fee_maker = c->instr->maker_fee;
    out.has_fee_maker = true;
    out.fee_taker = c->instr->taker_fee;
    out.has_fee_taker = true;
    out.reserved = c->hold;
    out.has_reserved = true;
    out.reserve_asset = c->asset;
    out.has_reserve_asset = true;
    out.has_collar_px = out.ord_type == OMS_ORDER_TYPE_MARKET;
    out.collar_px = out.has_collar_px ? c->price : 0;
    out.has_ref_px = c->has_ref;
    out.ref_px = c->ref;
    out.has_ref_ts_us = c->has_ref;
    out.ref_ts_us = c->ref_us;
    mr_counter_add(risk->approved, 1);
    return mr_emit(ctx, RISK_OUT_APPROVED, out.symbol, &out, err);
}

/* Everything the checks look at. c->instr stays NULL when the symbol cannot be traded. */
static enum mr_status gather(struct risk *risk, struct mr_ctx *ctx, struct risk_case *c,
                             struct mr_err *err)
{
    const struct oms_order_command *order = c->order;
    const struct oms_price_tick *tick = NULL;
    const struct instrument_facts *facts = NULL;
    int64_t version = 0;
    const struct oms_instrument *record =
        mr_table_get(ctx, RISK_IN_INSTRUMENTS, order->symbol, &version);

    c->side = (enum ord_side)order->side;
    MR_TRY(risk_account_get(risk, ctx, order->user_id, &c->account, err));
    risk_bucket_begin(risk, &c->account, c->now_us);
    facts = record != NULL ? instrument_cache_get(&risk->instruments, record, version) : NULL;
    if (facts == NULL || facts->defect != NULL) {
        return MR_OK;
    }
    c->instr = &facts->instr;
    c->asset = slice_of(c->side == ORD_BUY ? c->instr->quote_asset : c->instr->base_asset);
    MR_TRY(risk_exposure_get(&c->account, order->symbol, &c->exposure, err));
    MR_TRY(risk_balance_get(&c->account, c->asset, &c->balance, err));
    tick = mr_table_get(ctx, RISK_IN_PRICES, order->symbol, NULL);
    if (tick != NULL && tick->price > 0 &&
        (risk->price_age_us == 0 || tick->ts_us >= c->now_us - risk->price_age_us)) {
        c->has_ref = true;
        c->ref = tick->price;
        c->ref_us = tick->ts_us;
    }
    return MR_OK;
}

static enum mr_status judge(struct risk *risk, struct mr_ctx *ctx,
                            const struct oms_order_command *order, int64_t now_us,
                            struct mr_err *err)
{
    struct risk_case c = {.order = order, .now_us = now_us};
    enum dom_code code = CODE_OK;

    MR_TRY(gather(risk, ctx, &c, err));
    if (c.instr == NULL) {
        return reject(risk, ctx, order, CODE_UNKNOWN_SYMBOL, err);
    }
    for (size_t i = 0; i < MR_COUNT(risk_checks) && code == CODE_OK; i++) {
        code = risk_checks[i](risk, &c);
    }
    if (code == CODE_OK) {
        return approve(risk, ctx, &c, err);
    }
    if (code != CODE_HALTED && code != CODE_REDUCING && code != CODE_VELOCITY) {
        MR_TRY(risk_account_put(risk, &c.account, err)); /* the token is gone */
    }
    return reject(risk, ctx, order, code, err);
}

static bool amount_valid(bool present, dec_t amount)
{
    return present && amount > 0 && amount < DEC_BUSINESS_LIMIT;
}

/* What the arithmetic of the checks rests on. */
static bool well_formed(const struct oms_order_command *order)
{
    return order->action == OMS_ACTION_NEW && amount_valid(order->has_qty, order->qty) &&
           (order->ord_type == OMS_ORDER_TYPE_MARKET ||
            amount_valid(order->has_price, order->price));
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
    if (order->action == OMS_ACTION_CANCEL) {
        return mr_emit(ctx, RISK_OUT_APPROVED, order->symbol, order, err);
    }
    if (!well_formed(order)) {
        return mr_fail(err, MR_MALFORMED, "not a command that validate lets through");
    }
    MR_TRY(mr_store_get(risk->orders, order->order_id, &open, &found, err));
    if (found) {
        return refuse_duplicate(risk, ctx, order, err);
    }
    return judge(risk, ctx, order, record->event_us, err);
}
