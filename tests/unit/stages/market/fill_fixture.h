/*
 * fill_fixture.h -- orders in few words, for the tests of fill.
 *
 * What risk adds is added here: maker fee 0.1 %, taker fee 0.2 %, the hold of the domain's formula.
 */
#ifndef MILLRACE_TESTS_FILL_FIXTURE_H
#define MILLRACE_TESTS_FILL_FIXTURE_H

#include "avro/book_delta.h"
#include "avro/book_snapshot.h"
#include "avro/book_state.h"
#include "avro/execution_report.h"
#include "avro/instrument.h"
#include "avro/order_command.h"
#include "avro/resting_order.h"
#include "avro/trade.h"
#include "domain/codes.h"
#include "domain/hold.h"
#include "fill/fill.h"
#include "stage_driver.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SYMBOL "BTCUSDT"
#define START_US INT64_C(1723161600000000)

static inline mr_i128 dec(const char *text)
{
    dec_t value = 0;

    ck_assert_msg(dec_parse_signed(dom_text_str(text), &value) == DEC_PARSED, "bad decimal %s",
                  text);
    return value;
}

static inline struct oms_instrument instrument_of(const char *symbol, enum oms_symbol_state state)
{
    return (struct oms_instrument){
        .symbol = mr_slice_str(symbol),
        .ts_us = START_US,
        .base_asset = mr_slice_str("BTC"),
        .quote_asset = mr_slice_str("USDT"),
        .state = state,
        .tick_size = dec("0.01"),
        .lot_size = dec("0.00001"),
        .maker_fee = dec("0.001"),
        .taker_fee = dec("0.002"),
    };
}

static inline void list(struct mr_driver *driver, const char *symbol, enum oms_symbol_state state)
{
    const struct oms_instrument instrument = instrument_of(symbol, state);

    ck_assert_int_eq(mr_driver_push(driver, "instruments", instrument.symbol, &instrument), MR_OK);
}

/* Risk's part: rates and hold. Call again after changing side, price or quantity. */
static inline void approve(struct oms_order_command *order)
{
    const mr_i128 price = order->has_collar_px ? order->collar_px : order->price;

    order->has_fee_maker = true;
    order->fee_maker = dec("0.001");
    order->has_fee_taker = true;
    order->fee_taker = dec("0.002");
    order->has_reserved = hold_initial((enum ord_side)order->side, price, order->qty,
                                       order->fee_taker, &order->reserved);
    order->has_reserve_asset = true;
    order->reserve_asset = mr_slice_str(order->side == OMS_SIDE_BUY ? "USDT" : "BTC");
}

/* A LIMIT GTC order; id names order and command. */
static inline struct oms_order_command limit_of(const char *id, const char *user, char side,
                                                const char *price, const char *qty)
{
    struct oms_order_command order = {
        .event_id = mr_slice_str(id),
        .ts_us = START_US,
        .has_trace_id = true,
        .trace_id = mr_slice_str(id),
        .action = OMS_ACTION_NEW,
        .order_id = mr_slice_str(id),
        .user_id = mr_slice_str(user),
        .symbol = mr_slice_str(SYMBOL),
        .side = side == 'B' ? OMS_SIDE_BUY : OMS_SIDE_SELL,
        .has_qty = true,
        .qty = dec(qty),
        .has_price = true,
        .price = dec(price),
    };

    approve(&order);
    return order;
}

static inline struct oms_order_command market_of(const char *id, const char *user, char side,
                                                 const char *collar, const char *qty)
{
    struct oms_order_command order = limit_of(id, user, side, collar, qty);

    order.ord_type = OMS_ORDER_TYPE_MARKET;
    order.tif = OMS_TIME_IN_FORCE_IOC;
    order.has_collar_px = true;
    order.collar_px = order.price;
    order.has_price = false;
    order.price = 0;
    approve(&order);
    return order;
}

static inline struct oms_order_command cancel_of(const char *id, const char *user,
                                                 const char *target)
{
    return (struct oms_order_command){
        .event_id = mr_slice_str(id),
        .ts_us = START_US,
        .action = OMS_ACTION_CANCEL,
        .order_id = mr_slice_str(id),
        .user_id = mr_slice_str(user),
        .symbol = mr_slice_str(SYMBOL),
        .has_target_order_id = true,
        .target_order_id = mr_slice_str(target),
    };
}

static inline enum mr_status push(struct mr_driver *driver, struct oms_order_command order)
{
    return mr_driver_push(driver, "orders", order.symbol, &order);
}

static inline void add(struct mr_driver *driver, const char *id, const char *user, char side,
                       const char *price, const char *qty)
{
    ck_assert_int_eq(push(driver, limit_of(id, user, side, price, qty)), MR_OK);
}

static inline const struct oms_execution_report *report(struct mr_driver *driver, size_t index)
{
    return mr_driver_emit(driver, "executions", index);
}

static inline const struct oms_execution_report *last_report(struct mr_driver *driver)
{
    return mr_driver_emit_last(driver, "executions");
}

static inline const struct oms_trade *trade(struct mr_driver *driver, size_t index)
{
    return mr_driver_emit(driver, "trades", index);
}

static inline size_t reports(const struct mr_driver *driver)
{
    return mr_driver_emit_count(driver, "executions");
}

static inline size_t trades(const struct mr_driver *driver)
{
    return mr_driver_emit_count(driver, "trades");
}

static inline void append(char *buffer, size_t bytes, struct mr_slice text)
{
    const size_t used = strlen(buffer);

    ck_assert_uint_lt(used + text.len, bytes);
    memcpy(buffer + used, text.data, text.len);
    buffer[used + text.len] = '\0';
}

/* "maker>taker qty@price" of every trade, in order, separated by one space. */
static inline const char *tape(struct mr_driver *driver, char *buffer, size_t bytes)
{
    buffer[0] = '\0';
    for (size_t i = 0; i < trades(driver); i++) {
        const struct oms_trade *one = trade(driver, i);
        char number[DEC_TEXT_MAX];

        append(buffer, bytes, mr_slice_str(i == 0 ? "" : " "));
        append(buffer, bytes, one->maker_order_id);
        append(buffer, bytes, mr_slice_str(">"));
        append(buffer, bytes, one->taker_order_id);
        append(buffer, bytes, mr_slice_str(" "));
        append(buffer, bytes, mr_slice_of(number, dec_format(one->qty, number)));
        append(buffer, bytes, mr_slice_str("@"));
        append(buffer, bytes, mr_slice_of(number, dec_format(one->price, number)));
    }
    return buffer;
}

static inline bool is_text(struct mr_slice slice, const char *text)
{
    return mr_slice_equal(slice, mr_slice_str(text));
}

static inline void ck_assert_dec(mr_i128 actual, const char *expected)
{
    char text[DEC_TEXT_MAX];

    (void)dec_format(actual, text);
    ck_assert_str_eq(text, expected);
}

#endif
