/*
 * Goal: the fields of the reports that stops, expiry, amendments, amounts and prevented trades
 *       make, and of rows that only a reload reads.
 * Method: one scripted step after another (fill_script.h), fields against values by hand.
 */
#include "fill_memory.h"

static struct script script;

static void open_script(void)
{
    script_open(&script);
}

static void close_script(void)
{
    script_close(&script);
}

static const struct oms_execution_report *last(void)
{
    return last_report(script.driver);
}

START_TEST(a_stop_shows_its_prices_and_names_its_own_command)
{
    const struct oms_execution_report *one = NULL;

    script_play(&script, "a u1 B 2@110 stop:105; b u1 B 2@111 stop:106 mkt");
    one = report(script.driver, 0);
    ck_assert_dec(one->stop_price, "105");
    ck_assert_dec(one->price, "110");
    ck_assert_dec(one->hold_after, "220.44"); /* at its price, and 0.2 % */
    one = report(script.driver, 1);
    ck_assert(one->has_stop_price && !one->has_price);
    ck_assert_dec(one->hold_after, "222.444"); /* at its collar */
    script_play(&script, "m u2 S 3@105; t u3 B 1@105");
    one = report(script.driver, 6);
    ck_assert_int_eq(one->exec_type, OMS_EXEC_TYPE_TRIGGERED);
    ck_assert_int_eq(one->status, OMS_ORDER_STATUS_ACCEPTED);
    ck_assert(is_text(one->exec_id, "BTCUSDT-6-G"));
    ck_assert(is_text(one->order_id, "a"));
    ck_assert(is_text(one->command_id, "a"));
    ck_assert_int_eq(one->version, 2);
    ck_assert_dec(one->hold_after, "220.44");
    ck_assert(is_text(last()->order_id, "a"));
    ck_assert(is_text(last()->command_id, "a"));
    ck_assert_dec(last()->stop_price, "105");
    ck_assert_dec(last()->hold_after, "0");
}
END_TEST

START_TEST(an_order_that_expires_has_the_time_and_its_own_command)
{
    script_play(&script, "a u1 B 2@100 gtd:5; at 7; b u2 B 1@90");
    ck_assert_int_eq(report(script.driver, 0)->expire_ts_us, START_US + 5 * MR_SECOND_US);
    ck_assert(is_text(report(script.driver, 1)->order_id, "a"));
    ck_assert(is_text(report(script.driver, 1)->command_id, "a"));
    ck_assert(is_text(report(script.driver, 1)->exec_id, "BTCUSDT-2-C"));
    ck_assert_int_eq(report(script.driver, 1)->ts_us, START_US + 7 * MR_SECOND_US);
    ck_assert_dec(report(script.driver, 1)->cancelled_qty, "2");
    ck_assert_dec(report(script.driver, 1)->hold_after, "0");
    ck_assert(!last()->has_expire_ts_us);
}
END_TEST

START_TEST(a_quiet_book_that_lost_an_order_to_time_shows_it)
{
    const struct oms_book_delta *delta = NULL;

    script_play(&script, "a u1 B 2@100 gtd:5; commit; tick 6; commit");
    ck_assert_uint_eq(mr_driver_emit_count(script.driver, "book"), 2);
    delta = mr_driver_emit(script.driver, "book", 1);
    ck_assert_int_eq(delta->first_seq, 2);
    ck_assert_int_eq(delta->ts_us, START_US + 6 * MR_SECOND_US);
    ck_assert_dec(delta->bids.items[0].qty, "0");
}
END_TEST

START_TEST(expiry_goes_over_all_symbols_by_time)
{
    struct oms_instrument other = instrument_of("ETHUSDT", OMS_SYMBOL_STATE_TRADING);
    struct oms_order_command order = limit_of("e", "u1", 'B', "100", "1");

    ck_assert_int_eq(mr_driver_push(script.driver, "instruments", other.symbol, &other), MR_OK);
    order.symbol = mr_slice_str("ETHUSDT");
    order.tif = OMS_TIME_IN_FORCE_GTD;
    order.has_expire_ts_us = true;
    order.expire_ts_us = START_US + 5 * MR_SECOND_US;
    ck_assert_int_eq(push(script.driver, order), MR_OK);
    script_play(&script, "a u1 B 1@100 gtd:6; b u1 B 1@99 gtd:4; c u1 B 1@99 gtd:5; tick 6");
    ck_assert(is_text(report(script.driver, 4)->order_id, "b"));
    ck_assert(is_text(report(script.driver, 5)->order_id, "c")); /* a tie: BTCUSDT before ETHUSDT */
    ck_assert(is_text(report(script.driver, 6)->order_id, "e"));
    ck_assert(is_text(report(script.driver, 7)->order_id, "a"));
    ck_assert_int_eq(report(script.driver, 6)->engine_seq, 2);
    memory_survives_a_restart(script.driver, "both symbols");
}
END_TEST

START_TEST(an_amendment_is_reported_with_its_command_and_the_new_hold)
{
    script_play(&script, "a u1 B 3@100; b u2 S 1@100; amend a u1 5@101");
    ck_assert_int_eq(last()->exec_type, OMS_EXEC_TYPE_REPLACED);
    ck_assert_int_eq(last()->status, OMS_ORDER_STATUS_ACCEPTED);
    ck_assert(is_text(last()->exec_id, "BTCUSDT-4-R"));
    ck_assert(is_text(last()->order_id, "a"));
    ck_assert(is_text(last()->command_id, "x1"));
    ck_assert_int_eq(last()->version, 3);
    ck_assert_dec(last()->order_qty, "5");
    ck_assert_dec(last()->cum_qty, "1");
    ck_assert_dec(last()->leaves_qty, "4");
    ck_assert_dec(last()->price, "101");
    /* 4 x 101, ceil of 0.1 % of 100 and 0.2 % of 404, less 0.1 that is paid */
    ck_assert_dec(last()->hold_after, "404.808");
    script_play(&script, "c u2 S 1@101");
    ck_assert(is_text(report(script.driver, 6)->order_id, "a"));
    ck_assert(is_text(report(script.driver, 6)->command_id, "a"));
}
END_TEST

START_TEST(a_refused_amendment_names_its_target)
{
    script_play(&script, "a u1 B 3@100; amend a u1 9 short:1");
    ck_assert_int_eq(last()->exec_type, OMS_EXEC_TYPE_CANCEL_REJECTED);
    ck_assert(is_text(last()->order_id, "x1"));
    ck_assert(is_text(last()->target_order_id, "a"));
    ck_assert_int_eq(last()->reject_code, CODE_AMEND_UNFUNDED);
    ck_assert(!last()->has_hold_after);
}
END_TEST

START_TEST(an_amendment_that_trades_does_so_by_its_command)
{
    script_play(&script, "a u1 B 1@100; b u2 S 2@105; amend a u1 3@105");
    ck_assert(is_text(last()->order_id, "a"));
    ck_assert_int_eq(last()->liquidity, OMS_LIQUIDITY_TAKER);
    ck_assert(is_text(last()->command_id, "x1"));
    ck_assert_dec(last()->leaves_qty, "1");
    /* What rests is the order that it was. */
    script_play(&script, "restart; c u2 S 1@105");
    ck_assert(is_text(report(script.driver, reports(script.driver) - 2)->command_id, "a"));
}
END_TEST

START_TEST(an_order_by_amount_has_no_quantity)
{
    const struct oms_execution_report *one = NULL;

    script_play(&script, "a u1 S 1@100; c u1 S 1@105; b u2 B $255@110 mkt");
    one = report(script.driver, 2);
    ck_assert(!one->has_order_qty && one->has_order_quote_qty);
    ck_assert_dec(one->order_quote_qty, "255");
    ck_assert_dec(one->hold_after, "255.51"); /* the amount and 0.2 % */
    ck_assert_int_eq(one->status, OMS_ORDER_STATUS_ACCEPTED);
    one = report(script.driver, 4);
    ck_assert_int_eq(one->status, OMS_ORDER_STATUS_ACCEPTED);
    ck_assert_dec(one->cum_quote, "100");
    ck_assert_dec(one->leaves_qty, "0");
    ck_assert_dec(one->hold_after, "155.31");
    ck_assert_int_eq(last()->cancel_reason, OMS_CANCEL_REASON_INSUFFICIENT_LIQUIDITY);
    ck_assert_dec(last()->cum_qty, "2");
    ck_assert_dec(last()->cancelled_qty, "0");
    ck_assert_dec(last()->hold_after, "0");
}
END_TEST

START_TEST(an_amount_that_is_used_up_frees_its_rest_with_the_last_trade)
{
    script_play(&script, "a u1 B 9@100; b u2 S $155@90 mkt");
    ck_assert_dec(report(script.driver, 1)->hold_after, "1.8"); /* 1.72.. at 90, in lots */
    ck_assert_int_eq(last()->status, OMS_ORDER_STATUS_FILLED);
    ck_assert_dec(last()->last_qty, "1.5");
    ck_assert_dec(last()->hold_after, "0");
}
END_TEST

START_TEST(an_amount_takes_the_lots_of_market_orders)
{
    script.instrument.has_market_lot_size = true;
    script.instrument.market_lot_size = dec("0.5");
    ck_assert_int_eq(script_list(&script), MR_OK);
    script_play(&script, "a u1 S 9@100; b u2 B $270@110 mkt");
    ck_assert_dec(last()->last_qty, "2.5");
    ck_assert_int_eq(last()->status, OMS_ORDER_STATUS_FILLED);
}
END_TEST

START_TEST(a_prevented_trade_is_told_to_both)
{
    const struct oms_execution_report *maker = NULL;
    const struct oms_execution_report *taker = NULL;

    script_play(&script, "a u1 S 1@100; b u1 B 3@101 dec");
    ck_assert_uint_eq(trades(script.driver), 0);
    maker = report(script.driver, 2);
    taker = report(script.driver, 3);
    ck_assert_int_eq(maker->exec_type, OMS_EXEC_TYPE_TRADE_PREVENTION);
    ck_assert(is_text(maker->exec_id, "BTCUSDT-3-N"));
    ck_assert(is_text(maker->command_id, "a"));
    ck_assert(is_text(maker->counter_order_id, "b"));
    ck_assert_int_eq(maker->status, OMS_ORDER_STATUS_ACCEPTED);
    ck_assert_dec(maker->leaves_qty, "0");
    ck_assert_dec(maker->prevented_qty, "1");
    ck_assert_dec(maker->hold_after, "0");
    ck_assert(is_text(taker->exec_id, "BTCUSDT-3-P"));
    ck_assert_dec(taker->leaves_qty, "2");
    ck_assert_dec(taker->hold_after, "202.404"); /* 2 x 101 and 0.2 % */
    ck_assert(is_text(last()->order_id, "a"));
    ck_assert(is_text(last()->command_id, "b"));
    ck_assert_int_eq(last()->cancel_reason, OMS_CANCEL_REASON_STP);
    ck_assert_dec(last()->cancelled_qty, "0");
}
END_TEST

START_TEST(the_rejection_of_a_new_kind_of_order_carries_its_fields)
{
    script_play(&script, "state HALT; a u1 B 1@110 stop:105 gtd:9; b u2 B $5@110 mkt");
    ck_assert_dec(report(script.driver, 0)->stop_price, "105");
    ck_assert_int_eq(report(script.driver, 0)->expire_ts_us, START_US + 9 * MR_SECOND_US);
    ck_assert_dec(last()->order_quote_qty, "5");
    ck_assert(!last()->has_order_qty);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill reports");
    TCase *fields = tcase_create("fields");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(fields, open_script, close_script);
    tcase_add_test(fields, a_stop_shows_its_prices_and_names_its_own_command);
    tcase_add_test(fields, an_order_that_expires_has_the_time_and_its_own_command);
    tcase_add_test(fields, a_quiet_book_that_lost_an_order_to_time_shows_it);
    tcase_add_test(fields, expiry_goes_over_all_symbols_by_time);
    tcase_add_test(fields, an_amendment_is_reported_with_its_command_and_the_new_hold);
    tcase_add_test(fields, a_refused_amendment_names_its_target);
    tcase_add_test(fields, an_amendment_that_trades_does_so_by_its_command);
    tcase_add_test(fields, an_order_by_amount_has_no_quantity);
    tcase_add_test(fields, an_amount_that_is_used_up_frees_its_rest_with_the_last_trade);
    tcase_add_test(fields, an_amount_takes_the_lots_of_market_orders);
    tcase_add_test(fields, a_prevented_trade_is_told_to_both);
    tcase_add_test(fields, the_rejection_of_a_new_kind_of_order_carries_its_fields);
    suite_add_tcase(suite, fields);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
