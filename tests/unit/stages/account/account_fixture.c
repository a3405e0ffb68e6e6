/* account_fixture.c -- see account_fixture.h. */
#include "account_fixture.h"

#include "avro/settle_account.h"

/* The engine's sequence: above that of every report before, in all tests. */
static int64_t engine_seq;

dec_t amount(const char *text)
{
    dec_t value = 0;

    MR_ASSERT(dec_parse_signed(dom_text_str(text), &value) == DEC_PARSED);
    return value;
}

struct mr_slice key2(const char *a, const char *b)
{
    static struct mr_key key;

    mr_key_begin(&key);
    mr_key_text(&key, mr_slice_str(a));
    mr_key_text(&key, mr_slice_str(b));
    return mr_key_slice(&key);
}

struct oms_instrument fixture_instrument(void)
{
    return (struct oms_instrument){
        .symbol = s("BTCUSDT"),
        .ts_us = FIXTURE_TS_US,
        .base_asset = s("BTC"),
        .quote_asset = s("USDT"),
        .state = OMS_SYMBOL_STATE_TRADING,
        .tick_size = amount("0.01"),
        .lot_size = amount("0.001"),
        .min_price = amount("1"),
        .max_price = amount("100000"),
        .min_qty = amount("0.001"),
        .max_qty = amount("100"),
        .min_notional = amount("10"),
        .max_notional = amount("1000000"),
        .maker_fee = amount("0.001"),
        .taker_fee = amount("0.002"),
    };
}

struct oms_price_tick fixture_price(const char *symbol, const char *price)
{
    return (struct oms_price_tick){.symbol = s(symbol),
                                   .ts_us = FIXTURE_TS_US,
                                   .kind = OMS_PRICE_KIND_LAST,
                                   .price = amount(price),
                                   .source = s("test")};
}

struct oms_order_command fixture_limit(const char *order_id, const char *user, enum oms_side side,
                                       const char *qty, const char *price)
{
    return (struct oms_order_command){
        .event_id = s(order_id),
        .ts_us = FIXTURE_TS_US,
        .trace_id = s("trace-1"),
        .has_trace_id = true,
        .action = OMS_ACTION_NEW,
        .order_id = s(order_id),
        .user_id = s(user),
        .symbol = s("BTCUSDT"),
        .side = side,
        .ord_type = OMS_ORDER_TYPE_LIMIT,
        .tif = OMS_TIME_IN_FORCE_GTC,
        .qty = amount(qty),
        .has_qty = true,
        .price = amount(price),
        .has_price = true,
        .source = s("test"),
    };
}

struct oms_order_command fixture_cancel(const char *order_id, const char *user, const char *target)
{
    return (struct oms_order_command){
        .event_id = s(order_id),
        .ts_us = FIXTURE_TS_US,
        .action = OMS_ACTION_CANCEL,
        .order_id = s(order_id),
        .user_id = s(user),
        .symbol = s("BTCUSDT"),
        .target_order_id = s(target),
        .has_target_order_id = true,
        .source = s("test"),
    };
}

struct oms_account_command fixture_transfer(const char *event_id, const char *user,
                                            enum oms_account_action action, const char *asset,
                                            const char *value)
{
    return (struct oms_account_command){
        .event_id = s(event_id),
        .ts_us = FIXTURE_TS_US,
        .user_id = s(user),
        .action = action,
        .asset = s(asset),
        .has_asset = true,
        .amount = amount(value),
        .has_amount = true,
    };
}

struct oms_execution_report fixture_accepted(const char *order_id, const char *user,
                                             enum oms_side side, const char *qty, const char *hold)
{
    return (struct oms_execution_report){
        .exec_id = s(order_id),
        .ts_us = FIXTURE_TS_US,
        .exec_type = OMS_EXEC_TYPE_NEW,
        .status = OMS_ORDER_STATUS_ACCEPTED,
        .order_id = s(order_id),
        .command_id = s(order_id),
        .user_id = s(user),
        .symbol = s("BTCUSDT"),
        .side = side,
        .order_qty = amount(qty),
        .has_order_qty = true,
        .leaves_qty = amount(qty),
        .base_asset = s("BTC"),
        .has_base_asset = true,
        .quote_asset = s("USDT"),
        .has_quote_asset = true,
        .hold_after = amount(hold),
        .has_hold_after = true,
        .engine_seq = ++engine_seq,
        .version = 1,
    };
}

static void next_report(struct oms_execution_report *report, const char *exec_id)
{
    report->exec_id = s(exec_id);
    report->version++;
    report->engine_seq = ++engine_seq;
}

struct oms_execution_report fixture_fill(const struct oms_execution_report *before,
                                         const char *exec_id, const char *qty, const char *price,
                                         const char *fee, const char *hold_after)
{
    struct oms_execution_report report = *before;

    next_report(&report, exec_id);
    report.exec_type = OMS_EXEC_TYPE_TRADE;
    report.last_qty = amount(qty);
    report.has_last_qty = true;
    report.last_px = amount(price);
    report.has_last_px = true;
    report.cum_qty += report.last_qty;
    report.leaves_qty -= report.last_qty;
    report.fee_amount = amount(fee);
    report.has_fee_amount = true;
    report.fee_asset = s("USDT");
    report.has_fee_asset = true;
    report.hold_after = amount(hold_after);
    if (report.leaves_qty == 0) {
        report.status = OMS_ORDER_STATUS_FILLED;
    }
    return report;
}

struct oms_execution_report fixture_canceled(const struct oms_execution_report *before,
                                             const char *exec_id)
{
    struct oms_execution_report report = *before;

    next_report(&report, exec_id);
    report.exec_type = OMS_EXEC_TYPE_CANCELED;
    report.status = OMS_ORDER_STATUS_CANCELLED;
    report.has_last_qty = false;
    report.has_last_px = false;
    report.has_fee_amount = false;
    report.cancelled_qty = report.leaves_qty;
    report.leaves_qty = 0;
    report.hold_after = 0;
    report.cancel_reason = OMS_CANCEL_REASON_USER;
    report.has_cancel_reason = true;
    return report;
}

bool fixture_settle_balance(struct mr_driver *driver, const char *user, const char *asset,
                            struct oms_settle_balance *balance)
{
    struct oms_settle_account account;

    *balance = (struct oms_settle_balance){0};
    if (!mr_driver_store_get(driver, "accounts", s(user), &account)) {
        return false;
    }
    for (size_t i = 0; i < account.balances.count; i++) {
        if (mr_slice_equal(account.balances.items[i].asset, s(asset))) {
            *balance = account.balances.items[i];
            return true;
        }
    }
    return false;
}
