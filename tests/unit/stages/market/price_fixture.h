/*
 * price_fixture.h -- trades in few words, for the tests of price-aggregate.
 */
#ifndef MILLRACE_TESTS_PRICE_FIXTURE_H
#define MILLRACE_TESTS_PRICE_FIXTURE_H

#include "avro/candle.h"
#include "avro/ticker.h"
#include "avro/trade.h"
#include "domain/decimal.h"
#include "stage_driver.h"

#include <check.h>

/* Noon of a day, so that a step back stays positive; a multiple of five minutes. */
#define NOON_US (INT64_C(19943) * MR_DAY_US + 12 * MR_HOUR_US)

static inline mr_i128 dec(const char *text)
{
    dec_t value = 0;

    ck_assert_msg(dec_parse_signed(dom_text_str(text), &value) == DEC_PARSED, "bad decimal %s",
                  text);
    return value;
}

static inline struct oms_trade trade_of(int64_t id, int64_t ts_us, const char *price,
                                        const char *qty)
{
    struct oms_trade trade = {
        .symbol = mr_slice_str("BTCUSDT"),
        .trade_id = id,
        .ts_us = ts_us,
        .price = dec(price),
        .qty = dec(qty),
        .taker_side = OMS_SIDE_BUY,
        .maker_order_id = mr_slice_str("m"),
        .taker_order_id = mr_slice_str("t"),
        .maker_user_id = mr_slice_str("u1"),
        .taker_user_id = mr_slice_str("u2"),
        .fee_asset = mr_slice_str("USDT"),
    };

    ck_assert(dec_mul_exact(trade.price, trade.qty, &trade.quote_qty));
    return trade;
}

static inline enum mr_status push_trade(struct mr_driver *driver, const struct oms_trade *trade)
{
    return mr_driver_push(driver, "trades", trade->symbol, trade);
}

#endif
