/*
 * reports.c -- what fill tells the world: one report per order leg, one trade per match.
 *
 * How: execId is "<symbol>-<engineSeq>-<leg>": A accepted, R replaced, G triggered, M and T the two
 *      legs of a trade, N and P those of a prevented one (maker, taker), C canceled, J rejected. It
 *      depends on nothing but the order of the input, so a replay gives the same. A symbol that was
 *      never listed has no sequence; there it is "F-<eventId>".
 */
#include "avro/trade.h"
#include "engine.h"
#include "order_report.h"

#include <inttypes.h>
#include <stdio.h>

#define EXEC_ID_BYTES (SYMBOL_BYTES_MAX + 32)

static struct mr_slice exec_id(const struct market *market, char leg, char *buffer)
{
    char digits[20];
    size_t first = sizeof(digits);
    uint64_t rest = (uint64_t)market->state.engine_seq;
    size_t len = market->symbol_len;

    /* By hand: this runs for every report, and snprintf costs more than the match. */
    do {
        digits[--first] = (char)('0' + (char)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    memcpy(buffer, market->symbol, len);
    buffer[len++] = '-';
    memcpy(buffer + len, digits + first, sizeof(digits) - first);
    len += sizeof(digits) - first;
    buffer[len++] = '-';
    buffer[len++] = leg;
    return mr_slice_of(buffer, len);
}

/* The order as it stands; takes its next version. */
static struct oms_execution_report report_of(const struct call *call, const struct party *order)
{
    const struct market *market = call->market;
    struct live *live = order->live;
    const bool limit =
        live->type == OMS_ORDER_TYPE_LIMIT || live->type == OMS_ORDER_TYPE_STOP_LIMIT;
    const bool by_quote = live->hold.by_quote;

    live->version++;
    return (struct oms_execution_report){
        .ts_us = call->ts_us,
        .has_trace_id = order->has_trace_id,
        .trace_id = order->trace_id,
        .status = live_over(live) ? OMS_ORDER_STATUS_FILLED : OMS_ORDER_STATUS_ACCEPTED,
        .order_id = order->order_id,
        .command_id = order->command_id,
        .has_client_order_id = order->has_client_order_id,
        .client_order_id = order->client_order_id,
        .user_id = order->user_id,
        .symbol = market_symbol(market),
        .side = (enum oms_side)live->hold.side,
        .ord_type = live->type,
        .tif = live->tif,
        .has_price = limit,
        .price = limit ? live->hold.price : 0,
        .has_stop_price = live->stop_price != 0,
        .stop_price = live->stop_price,
        .has_order_qty = !by_quote,
        .order_qty = live->order_qty,
        .cum_qty = live->cum_qty,
        .leaves_qty = live->hold.leaves,
        .cum_quote = live->cum_quote,
        .prevented_qty = live->prevented_qty,
        .cancelled_qty =
            by_quote ? 0
                     : live->order_qty - live->cum_qty - live->hold.leaves - live->prevented_qty,
        .has_fee_total = true,
        .fee_total = live->hold.fee.paid,
        .has_fee_asset = true,
        .fee_asset = mr_slice_of(market->quote_asset, market->quote_len),
        .has_base_asset = true,
        .base_asset = mr_slice_of(market->base_asset, market->base_len),
        .has_quote_asset = true,
        .quote_asset = mr_slice_of(market->quote_asset, market->quote_len),
        .has_hold_after = true,
        .hold_after = live->hold.hold,
        .engine_seq = market->state.engine_seq,
        .has_book_seq = true,
        .book_seq = market->state.book_seq,
        .version = live->version,
        .has_order_quote_qty = by_quote,
        .order_quote_qty = live->quote_qty,
        .has_expire_ts_us = live->tif == OMS_TIME_IN_FORCE_GTD,
        .expire_ts_us = live->expire_us,
    };
}

static enum mr_status send(const struct call *call, const struct oms_execution_report *report,
                           struct mr_err *err)
{
    return mr_emit(call->ctx, FILL_OUT_EXECUTIONS, report->user_id, report, err);
}

enum mr_status report_state(struct call *call, struct party *order, enum oms_exec_type what,
                            struct mr_err *err)
{
    const char leg = what == OMS_EXEC_TYPE_NEW ? 'A' : what == OMS_EXEC_TYPE_REPLACED ? 'R' : 'G';
    char id[EXEC_ID_BYTES];
    struct oms_execution_report report;

    call->market->state.engine_seq++;
    report = report_of(call, order);
    report.exec_id = exec_id(call->market, leg, id);
    report.exec_type = what;
    return send(call, &report, err);
}

static enum mr_status report_leg(struct call *call, struct party *order,
                                 const struct party *counter, const struct execution *execution,
                                 enum oms_liquidity liquidity, struct mr_err *err)
{
    const bool taker = liquidity == OMS_LIQUIDITY_TAKER;
    struct oms_execution_report report = report_of(call, order);
    char id[EXEC_ID_BYTES];

    report.exec_id = exec_id(call->market, taker ? 'T' : 'M', id);
    report.exec_type = OMS_EXEC_TYPE_TRADE;
    report.has_last_qty = true;
    report.last_qty = execution->qty;
    report.has_last_px = true;
    report.last_px = execution->price;
    report.has_trade_id = true;
    report.trade_id = call->market->state.trade_id;
    report.has_liquidity = true;
    report.liquidity = liquidity;
    report.has_fee_amount = true;
    report.fee_amount = taker ? execution->taker.fee : execution->maker.fee;
    report.has_counter_order_id = true;
    report.counter_order_id = counter->order_id;
    return send(call, &report, err);
}

enum mr_status report_trade(struct call *call, struct party *taker, struct party *maker,
                            const struct execution *execution, struct mr_err *err)
{
    struct market *market = call->market;
    struct oms_trade trade;

    market->state.engine_seq++;
    market->state.trade_id++;
    market->state.has_last_price = true;
    market->state.last_price = execution->price;
    market->state.has_last_trade_ts_us = true;
    market->state.last_trade_ts_us = call->ts_us;
    MR_TRY(report_leg(call, maker, taker, execution, OMS_LIQUIDITY_MAKER, err));
    MR_TRY(report_leg(call, taker, maker, execution, OMS_LIQUIDITY_TAKER, err));
    trade = (struct oms_trade){
        .symbol = market_symbol(market),
        .trade_id = market->state.trade_id,
        .ts_us = call->ts_us,
        .price = execution->price,
        .qty = execution->qty,
        .quote_qty = execution->taker.notional,
        .taker_side = (enum oms_side)taker->live->hold.side,
        .maker_order_id = maker->order_id,
        .taker_order_id = taker->order_id,
        .maker_user_id = maker->user_id,
        .taker_user_id = taker->user_id,
        .maker_fee = execution->maker.fee,
        .taker_fee = execution->taker.fee,
        .fee_asset = mr_slice_of(market->quote_asset, market->quote_len),
        .engine_seq = market->state.engine_seq,
    };
    mr_counter_add(call->fill->trades, 1);
    return mr_emit(call->ctx, FILL_OUT_TRADES, market_symbol(market), &trade, err);
}

/* Nothing was traded, and the order that has nothing left is not filled: CANCELED follows. */
static enum mr_status report_prevented_leg(struct call *call, struct party *order,
                                           const struct party *counter, char leg,
                                           struct mr_err *err)
{
    struct oms_execution_report report = report_of(call, order);
    char id[EXEC_ID_BYTES];

    report.exec_id = exec_id(call->market, leg, id);
    report.exec_type = OMS_EXEC_TYPE_TRADE_PREVENTION;
    report.status = OMS_ORDER_STATUS_ACCEPTED;
    report.has_counter_order_id = true;
    report.counter_order_id = counter->order_id;
    return send(call, &report, err);
}

enum mr_status report_prevented(struct call *call, struct party *taker, struct party *maker,
                                struct mr_err *err)
{
    call->market->state.engine_seq++;
    MR_TRY(report_prevented_leg(call, maker, taker, 'N', err));
    return report_prevented_leg(call, taker, maker, 'P', err);
}

enum mr_status report_canceled(struct call *call, struct party *order,
                               enum oms_cancel_reason reason, struct mr_err *err)
{
    struct oms_execution_report report;
    char id[EXEC_ID_BYTES];

    call->market->state.engine_seq++;
    (void)hold_release(&order->live->hold);
    report = report_of(call, order);
    report.exec_id = exec_id(call->market, 'C', id);
    report.exec_type = OMS_EXEC_TYPE_CANCELED;
    report.status = OMS_ORDER_STATUS_CANCELLED;
    report.has_cancel_reason = true;
    report.cancel_reason = reason;
    return send(call, &report, err);
}

enum mr_status report_rejected(struct call *call, enum dom_code code, struct mr_err *err)
{
    char id[EXEC_ID_BYTES];
    struct oms_execution_report report;

    order_report_reject(&report, mr_ctx_arena(call->ctx), call->command, "F-", (int32_t)code,
                        mr_slice_str(code_text((int32_t)code)));
    if (call->market != NULL) {
        call->market->state.engine_seq++;
        report.engine_seq = call->market->state.engine_seq;
        report.exec_id = exec_id(call->market, 'J', id);
    }
    mr_counter_add(call->fill->rejects, 1);
    return send(call, &report, err);
}
