/*
 * Goal: every report says exactly what happened to quantity, money and hold, and names itself.
 * Method: one scripted trade after another, all fields against numbers worked out by hand.
 */
#include "fill_fixture.h"

static struct mr_driver *driver;

static void open_driver(void)
{
    driver = mr_driver_create(&fill_stage, NULL, 0);
    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
}

static void close_driver(void)
{
    mr_driver_destroy(&driver);
}

START_TEST(an_accepted_report_carries_the_order)
{
    struct oms_order_command order = limit_of("a", "u1", 'B', "100", "2");
    const struct oms_execution_report *report = NULL;

    order.event_id = mr_slice_str("event-1");
    order.has_client_order_id = true;
    order.client_order_id = mr_slice_str("mine");
    order.ts_us = START_US + 5;
    ck_assert_int_eq(push(driver, order), MR_OK);
    report = last_report(driver);
    ck_assert(is_text(report->exec_id, "BTCUSDT-1-A"));
    ck_assert(is_text(report->order_id, "a"));
    ck_assert(is_text(report->command_id, "event-1"));
    ck_assert(is_text(report->client_order_id, "mine"));
    ck_assert(is_text(report->user_id, "u1"));
    ck_assert(is_text(report->trace_id, "a"));
    ck_assert(is_text(report->base_asset, "BTC"));
    ck_assert(is_text(report->quote_asset, "USDT"));
    ck_assert(is_text(mr_driver_emit_key(driver, "executions", 0), "u1"));
    ck_assert_int_eq(report->ts_us, START_US + 5);
    ck_assert_int_eq(report->exec_type, OMS_EXEC_TYPE_NEW);
    ck_assert_int_eq(report->status, OMS_ORDER_STATUS_ACCEPTED);
    ck_assert_int_eq(report->version, 1);
    ck_assert_int_eq(report->engine_seq, 1);
    ck_assert_dec(report->price, "100");
    ck_assert_dec(report->order_qty, "2");
    ck_assert_dec(report->leaves_qty, "2");
    ck_assert_dec(report->cum_qty, "0");
    ck_assert_dec(report->cancelled_qty, "0");
    ck_assert_dec(report->hold_after, "200.4"); /* 200 and 0.2 % */
}
END_TEST

START_TEST(a_trade_makes_a_maker_leg_a_taker_leg_and_a_trade)
{
    const struct oms_execution_report *maker = NULL;
    const struct oms_execution_report *taker = NULL;
    const struct oms_trade *one = NULL;

    add(driver, "m", "u1", 'B', "100", "3");
    add(driver, "t", "u2", 'S', "99", "2");
    ck_assert_uint_eq(reports(driver), 4);
    maker = report(driver, 2);
    taker = report(driver, 3);
    one = trade(driver, 0);

    ck_assert(is_text(maker->exec_id, "BTCUSDT-3-M"));
    ck_assert(is_text(maker->order_id, "m"));
    ck_assert(is_text(maker->command_id, "m"));
    ck_assert(is_text(maker->counter_order_id, "t"));
    ck_assert_int_eq(maker->exec_type, OMS_EXEC_TYPE_TRADE);
    ck_assert_int_eq(maker->status, OMS_ORDER_STATUS_ACCEPTED);
    ck_assert_int_eq(maker->liquidity, OMS_LIQUIDITY_MAKER);
    ck_assert_int_eq(maker->version, 2);
    ck_assert_int_eq(maker->trade_id, 1);
    ck_assert_dec(maker->last_qty, "2");
    ck_assert_dec(maker->last_px, "100");
    ck_assert_dec(maker->cum_qty, "2");
    ck_assert_dec(maker->leaves_qty, "1");
    ck_assert_dec(maker->cum_quote, "200");
    ck_assert_dec(maker->fee_amount, "0.2"); /* 0.1 % of 200 */
    ck_assert_dec(maker->fee_total, "0.2");
    ck_assert(is_text(maker->fee_asset, "USDT"));
    ck_assert_dec(maker->hold_after, "100.2"); /* one left at the taker rate */

    ck_assert(is_text(taker->exec_id, "BTCUSDT-3-T"));
    ck_assert(is_text(taker->counter_order_id, "m"));
    ck_assert_int_eq(taker->status, OMS_ORDER_STATUS_FILLED);
    ck_assert_int_eq(taker->liquidity, OMS_LIQUIDITY_TAKER);
    ck_assert_int_eq(taker->version, 2);
    ck_assert_dec(taker->fee_amount, "0.4"); /* 0.2 % of 200 */
    ck_assert_dec(taker->leaves_qty, "0");
    ck_assert_dec(taker->hold_after, "0");

    ck_assert_int_eq(one->trade_id, 1);
    ck_assert_int_eq(one->engine_seq, 3);
    ck_assert_int_eq(one->taker_side, OMS_SIDE_SELL);
    ck_assert(is_text(one->maker_user_id, "u1"));
    ck_assert(is_text(one->taker_user_id, "u2"));
    ck_assert_dec(one->quote_qty, "200");
    ck_assert_dec(one->maker_fee, "0.2");
    ck_assert_dec(one->taker_fee, "0.4");
    ck_assert(is_text(mr_driver_emit_key(driver, "trades", 0), SYMBOL));
}
END_TEST

START_TEST(a_buyer_that_pays_less_gets_the_difference_out_of_the_hold)
{
    add(driver, "m", "u1", 'S', "90", "1");
    add(driver, "t", "u2", 'B', "100", "2");
    /* Held 200.4; spent 90.18; one left: 100.2. So 110.02 were released, and the hold is exact. */
    ck_assert_dec(last_report(driver)->hold_after, "100.2");
    ck_assert_dec(last_report(driver)->fee_amount, "0.18");
}
END_TEST

START_TEST(a_cancel_names_its_own_command_and_releases_everything)
{
    const struct oms_execution_report *report = NULL;

    add(driver, "a", "u1", 'B', "100", "3");
    add(driver, "b", "u2", 'S', "100", "1");
    ck_assert_int_eq(push(driver, cancel_of("stop", "u1", "a")), MR_OK);
    report = last_report(driver);
    ck_assert(is_text(report->exec_id, "BTCUSDT-4-C"));
    ck_assert(is_text(report->order_id, "a"));
    ck_assert(is_text(report->command_id, "stop"));
    ck_assert_int_eq(report->exec_type, OMS_EXEC_TYPE_CANCELED);
    ck_assert_int_eq(report->status, OMS_ORDER_STATUS_CANCELLED);
    ck_assert_int_eq(report->version, 3);
    ck_assert_dec(report->cum_qty, "1");
    ck_assert_dec(report->leaves_qty, "0");
    ck_assert_dec(report->cancelled_qty, "2");
    ck_assert_dec(report->hold_after, "0");
}
END_TEST

START_TEST(a_refused_cancel_is_about_the_command)
{
    ck_assert_int_eq(push(driver, cancel_of("stop", "u1", "gone")), MR_OK);
    ck_assert_int_eq(last_report(driver)->exec_type, OMS_EXEC_TYPE_CANCEL_REJECTED);
    ck_assert(is_text(last_report(driver)->order_id, "stop"));
    ck_assert(is_text(last_report(driver)->exec_id, "BTCUSDT-1-J"));
    ck_assert(is_text(last_report(driver)->reject_text, "no such open order of this user"));
    ck_assert(is_text(last_report(driver)->target_order_id, "gone"));
    ck_assert_int_eq(last_report(driver)->version, 1);
    ck_assert(!last_report(driver)->has_hold_after);
}
END_TEST

START_TEST(a_market_order_has_no_price_and_holds_at_its_collar)
{
    add(driver, "m", "u1", 'S', "100", "1");
    ck_assert_int_eq(push(driver, market_of("t", "u2", 'B', "110", "1")), MR_OK);
    ck_assert(!last_report(driver)->has_price);
    ck_assert_dec(report(driver, 1)->hold_after, "110.22");
    ck_assert_dec(last_report(driver)->hold_after, "0");
}
END_TEST

START_TEST(fees_of_many_fills_are_rounded_up_once)
{
    struct oms_order_command taker = limit_of("t", "u9", 'B', "1", "0.000000000000000003");
    struct oms_order_command maker = limit_of("m0", "u1", 'S', "1", "0.000000000000000001");

    for (int i = 0; i < 3; i++) {
        char id[4];

        (void)snprintf(id, sizeof(id), "m%d", i);
        maker.order_id = mr_slice_str(id);
        ck_assert_int_eq(push(driver, maker), MR_OK);
    }
    ck_assert_int_eq(push(driver, taker), MR_OK);
    ck_assert_uint_eq(trades(driver), 3);
    /* 0.2 % of three atoms is less than one: one atom in all, charged by the first fill. */
    ck_assert(trade(driver, 0)->taker_fee == 1);
    ck_assert(trade(driver, 1)->taker_fee == 0);
    ck_assert(trade(driver, 2)->taker_fee == 0);
    ck_assert(last_report(driver)->fee_total == 1);
}
END_TEST

START_TEST(a_delta_and_a_snapshot_leave_once_per_transaction)
{
    const struct oms_book_delta *delta = NULL;
    const struct oms_book_snapshot *snapshot = NULL;

    add(driver, "a", "u1", 'B', "100", "1");
    add(driver, "b", "u1", 'B', "100", "2");
    add(driver, "c", "u1", 'B', "99", "2");
    add(driver, "d", "u2", 'S', "101", "5");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "book"), 0);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "book"), 1);
    delta = mr_driver_emit(driver, "book", 0);
    snapshot = mr_driver_emit(driver, "snapshots", 0);
    ck_assert_int_eq(delta->first_seq, 1);
    ck_assert_int_eq(delta->last_seq, 4);
    ck_assert_uint_eq(delta->bids.count, 2);
    ck_assert_uint_eq(delta->asks.count, 1);
    ck_assert_dec(delta->bids.items[0].price, "100");
    ck_assert_dec(delta->bids.items[0].qty, "3");
    ck_assert_int_eq(delta->bids.items[0].orders, 2);
    ck_assert_int_eq(snapshot->last_seq, 4);
    ck_assert_int_eq(snapshot->checksum, delta->checksum);
    ck_assert_uint_eq(snapshot->bids.count, 2);

    ck_assert_int_eq(push(driver, cancel_of("x", "u1", "c")), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    delta = mr_driver_emit(driver, "book", 1);
    ck_assert_int_eq(delta->first_seq, 5);
    ck_assert_dec(delta->bids.items[0].price, "99");
    ck_assert_dec(delta->bids.items[0].qty, "0");
    ck_assert_uint_eq(delta->asks.count, 0);
}
END_TEST

START_TEST(a_delta_has_the_time_of_the_last_change)
{
    struct oms_order_command order = limit_of("a", "u1", 'B', "100", "1");
    struct oms_order_command late = cancel_of("x", "u1", "gone");

    order.ts_us = START_US + 7;
    late.ts_us = START_US + 9;
    ck_assert_int_eq(push(driver, order), MR_OK);
    ck_assert_int_eq(push(driver, late), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    ck_assert_int_eq(((const struct oms_book_delta *)mr_driver_emit(driver, "book", 0))->ts_us,
                     START_US + 7);
    ck_assert_int_eq(
        ((const struct oms_book_snapshot *)mr_driver_emit(driver, "snapshots", 0))->ts_us,
        START_US + 7);
}
END_TEST

START_TEST(a_transaction_without_change_of_the_book_shows_nothing)
{
    struct oms_order_command ioc = limit_of("a", "u1", 'B', "100", "1");

    ioc.tif = OMS_TIME_IN_FORCE_IOC;
    ck_assert_int_eq(push(driver, ioc), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "book"), 0);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "snapshots"), 0);
}
END_TEST

START_TEST(a_snapshot_holds_twenty_levels)
{
    for (int i = 0; i < 30; i++) {
        char id[8];
        char price[8];

        (void)snprintf(id, sizeof(id), "o%d", i);
        (void)snprintf(price, sizeof(price), "%d", 100 + i);
        add(driver, id, "u1", 'S', price, "1");
    }
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    {
        const struct oms_book_snapshot *snapshot = mr_driver_emit(driver, "snapshots", 0);
        const struct oms_book_delta *delta = mr_driver_emit(driver, "book", 0);

        ck_assert_uint_eq(snapshot->asks.count, 20);
        ck_assert_uint_eq(delta->asks.count, 30);
        ck_assert_dec(snapshot->asks.items[19].price, "119");
    }
}
END_TEST

START_TEST(a_command_costs_few_store_calls_and_no_scan)
{
    size_t before = 0;

    add(driver, "a", "u1", 'S', "100", "1");
    before = mr_driver_store_calls(driver);
    add(driver, "b", "u2", 'B', "100", "1");
    /* The maker is deleted, the counters are written. */
    ck_assert_uint_eq(mr_driver_store_calls(driver) - before, 2);
    ck_assert_uint_eq(mr_driver_scan_calls(driver), 2); /* the first reload */
}
END_TEST

START_TEST(the_last_trade_is_in_the_state_of_the_book)
{
    struct oms_book_state state = {0};
    struct mr_key key;

    add(driver, "a", "u1", 'S', "100", "1");
    add(driver, "b", "u2", 'B', "100", "1");
    mr_key_begin(&key);
    mr_key_text(&key, mr_slice_str(SYMBOL));
    ck_assert(mr_driver_store_get(driver, "books", mr_key_slice(&key), &state));
    ck_assert_dec(state.last_price, "100");
    ck_assert_int_eq(state.last_trade_ts_us, START_US);
    ck_assert_int_eq(state.trade_id, 1);
    ck_assert_int_eq(state.book_seq, 2);
    ck_assert_int_eq(state.engine_seq, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill amounts");
    TCase *amounts = tcase_create("amounts");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(amounts, open_driver, close_driver);
    tcase_add_test(amounts, an_accepted_report_carries_the_order);
    tcase_add_test(amounts, a_trade_makes_a_maker_leg_a_taker_leg_and_a_trade);
    tcase_add_test(amounts, a_buyer_that_pays_less_gets_the_difference_out_of_the_hold);
    tcase_add_test(amounts, a_cancel_names_its_own_command_and_releases_everything);
    tcase_add_test(amounts, a_refused_cancel_is_about_the_command);
    tcase_add_test(amounts, a_market_order_has_no_price_and_holds_at_its_collar);
    tcase_add_test(amounts, fees_of_many_fills_are_rounded_up_once);
    tcase_add_test(amounts, a_delta_and_a_snapshot_leave_once_per_transaction);
    tcase_add_test(amounts, a_delta_has_the_time_of_the_last_change);
    tcase_add_test(amounts, a_transaction_without_change_of_the_book_shows_nothing);
    tcase_add_test(amounts, a_snapshot_holds_twenty_levels);
    tcase_add_test(amounts, a_command_costs_few_store_calls_and_no_scan);
    tcase_add_test(amounts, the_last_trade_is_in_the_state_of_the_book);
    suite_add_tcase(suite, amounts);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
