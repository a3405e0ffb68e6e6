/*
 * engine.c -- what a NEW does to a book.
 *
 * How: everything that can refuse an order is asked before it is accepted. Then ACCEPTED; a stop
 *      goes to wait, any other order is worked at once.
 * Not: display quantities, which have a field and no meaning yet: refused. Reduce-only is risk's,
 *      which knows positions; what it lets through is an order like any other.
 */
#include "engine.h"

static bool is_stop(const struct oms_order_command *command)
{
    return command->ord_type == OMS_ORDER_TYPE_STOP ||
           command->ord_type == OMS_ORDER_TYPE_STOP_LIMIT;
}

/* MARKET and STOP: the limit is the collar that risk computed. */
static bool is_collared(const struct oms_order_command *command)
{
    return command->ord_type == OMS_ORDER_TYPE_MARKET || command->ord_type == OMS_ORDER_TYPE_STOP;
}

static enum dom_code check_tif(const struct oms_order_command *command, int64_t now_us)
{
    const bool market = command->ord_type == OMS_ORDER_TYPE_MARKET;
    const bool lasts =
        command->tif == OMS_TIME_IN_FORCE_GTC || command->tif == OMS_TIME_IN_FORCE_GTD;

    if ((market && command->tif != OMS_TIME_IN_FORCE_IOC) ||
        (command->ord_type == OMS_ORDER_TYPE_STOP && !lasts)) {
        return CODE_BAD_TIF;
    }
    if (command->post_only && (command->ord_type != OMS_ORDER_TYPE_LIMIT || !lasts)) {
        return CODE_NOT_ALLOWED;
    }
    if (command->tif != OMS_TIME_IN_FORCE_GTD) {
        return CODE_OK;
    }
    if (!command->has_expire_ts_us) {
        return CODE_MISSING;
    }
    return command->expire_ts_us <= now_us ? CODE_EXPIRE_PAST : CODE_OK;
}

/* CODE_OK: this kind of order is one fill can work. */
static enum dom_code check_kind(const struct oms_order_command *command, int64_t now_us)
{
    const enum dom_code code = check_tif(command, now_us);

    if (code != CODE_OK) {
        return code;
    }
    if ((command->has_quote_qty &&
         (command->has_qty || command->ord_type != OMS_ORDER_TYPE_MARKET)) ||
        command->has_display_qty) {
        return CODE_NOT_ALLOWED;
    }
    if ((!command->has_qty && !command->has_quote_qty) ||
        (is_collared(command) ? !command->has_collar_px : !command->has_price) ||
        (is_stop(command) && !command->has_stop_price) || !command->has_fee_maker ||
        !command->has_fee_taker || !command->has_reserved) {
        return CODE_MISSING;
    }
    return CODE_OK;
}

static struct live live_of(const struct oms_order_command *command)
{
    return (struct live){
        .hold = {.side = (enum ord_side)command->side,
                 .price = is_collared(command) ? command->collar_px : command->price,
                 .maker_rate = command->fee_maker,
                 .taker_rate = command->fee_taker,
                 .leaves = command->has_qty ? command->qty : 0,
                 .hold = command->reserved,
                 .by_quote = command->has_quote_qty,
                 .amount = command->has_quote_qty ? command->quote_qty : 0},
        .order_qty = command->has_qty ? command->qty : 0,
        .quote_qty = command->has_quote_qty ? command->quote_qty : 0,
        .stop_price = is_stop(command) ? command->stop_price : 0,
        .expire_us = command->tif == OMS_TIME_IN_FORCE_GTD ? command->expire_ts_us : 0,
        .type = command->ord_type,
        .tif = command->tif,
        .stp = command->stp_mode,
        .post_only = command->post_only,
        .command_id = id_of(command->event_id, true),
        .client_order_id = id_of(command->client_order_id, command->has_client_order_id),
        .trace_id = id_of(command->trace_id, command->has_trace_id),
    };
}

/* What must be held at the least. */
static bool needed_hold(const struct live *live, mr_i128 *hold)
{
    if (live->hold.by_quote) {
        /* By the atom: risk rounds a sell up to a lot, which may have changed since. */
        return hold_by_quote(&live->hold, 1, hold);
    }
    return hold_initial(live->hold.side, live->hold.price, live->hold.leaves, live->hold.taker_rate,
                        hold);
}

/* CODE_OK when the amounts of the order hold together. */
static enum dom_code check_amounts(struct live *live)
{
    struct hold_order *hold = &live->hold;
    mr_i128 needed = 0;

    if ((hold->by_quote ? hold->amount : hold->leaves) <= 0 || hold->price <= 0 ||
        live->stop_price < 0 ||
        (live->stop_price == 0 &&
         (live->type == OMS_ORDER_TYPE_STOP || live->type == OMS_ORDER_TYPE_STOP_LIMIT))) {
        return CODE_BAD_NUMBER;
    }
    /* What is held covers every fill only under these; risk and the instrument ensure them. */
    if (hold->taker_rate < 0 || hold->maker_rate > hold->taker_rate) {
        return CODE_NOT_ALLOWED;
    }
    if (!needed_hold(live, &needed)) {
        return CODE_OVERFLOW;
    }
    if (hold->hold < needed) {
        return CODE_INSUFFICIENT_FUNDS;
    }
    if (hold->side == ORD_SELL && !hold->by_quote) {
        hold->hold = needed; /* what a sell holds is its quantity, by definition */
    }
    return CODE_OK;
}

static enum dom_code check_book(const struct call *call, const struct live *live)
{
    const struct oms_order_command *command = call->command;
    const struct market *market = call->market;

    if (order_is_live(market, command->order_id)) {
        return CODE_DUPLICATE_ORDER;
    }
    if (command->post_only && book_crosses(market->book, live->hold.side, live->hold.price)) {
        return CODE_POST_ONLY_CROSSES;
    }
    if (is_stop(command) && market->state.has_last_price &&
        stop_triggers(live->hold.side, live->stop_price, market->state.last_price)) {
        return CODE_STOP_TRIGGERS;
    }
    if (is_stop(command) && stop_book_full(market->stops)) {
        return CODE_BOOK_FULL;
    }
    /* A stop that triggers may need a place in the book, and cannot be refused any more. */
    return book_orders(market->book) + stop_book_orders(market->stops) >= BOOK_ORDERS_MAX
               ? CODE_BOOK_FULL
               : CODE_OK;
}

static enum dom_code check_new(const struct call *call, struct live *live)
{
    const struct oms_order_command *command = call->command;
    struct instr instrument = {0};
    enum dom_code code = CODE_OK;

    if (call->market == NULL || !call->market->listed) {
        return CODE_UNKNOWN_SYMBOL;
    }
    instrument.state = call->market->trading;
    code = instr_takes(&instrument, (enum ord_type)command->ord_type, command->post_only);
    if (code == CODE_OK) {
        code = check_kind(command, call->now_us);
    }
    if (code == CODE_OK) {
        *live = live_of(command);
        code = check_amounts(live);
    }
    return code == CODE_OK ? check_book(call, live) : code;
}

enum mr_status engine_new(struct call *call, struct mr_err *err)
{
    const struct oms_order_command *command = call->command;
    struct live live = {0};
    struct party order = {
        .order_id = command->order_id,
        .user_id = command->user_id,
        .command_id = command->event_id,
        .client_order_id = command->client_order_id,
        .trace_id = command->trace_id,
        .has_client_order_id = command->has_client_order_id,
        .has_trace_id = command->has_trace_id,
        .live = &live,
    };
    const enum dom_code code = check_new(call, &live);

    if (code != CODE_OK) {
        return report_rejected(call, code, err);
    }
    MR_TRY(report_state(call, &order, OMS_EXEC_TYPE_NEW, err));
    return is_stop(command) ? order_wait(call, &order, err) : match_work(call, &order, err);
}
