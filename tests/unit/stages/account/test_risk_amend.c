/*
 * Goal:   stops, amounts, amendments, cancel-all and prevention: what is held, what goes to the
 *         engine, and what its answers do to the hold.
 * Method: one user with 1000 USDT and 10 BTC; commands, then the engine's reports written by hand.
 */
#include "avro/risk_event.h"
#include "avro/risk_order.h"
#include "domain/codes.h"
#include "risk_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const struct oms_order_command *approved(void)
{
    return mr_driver_emit_last(risk_driver, "approved");
}

static struct oms_risk_order order_row(const char *id)
{
    struct oms_risk_order row = {0};

    ck_assert(mr_driver_store_get(risk_driver, "orders", s(id), &row));
    return row;
}

/* --- what is held at the beginning -------------------------------------------------------- */

START_TEST(a_stop_is_held_at_the_collar_around_its_stop_price)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "2", "0");

    risk_set_price("50"); /* far away: a stop price is not held against the reference */
    order.ord_type = OMS_ORDER_TYPE_STOP;
    order.has_price = false;
    order.stop_price = amount("100");
    order.has_stop_price = true;
    risk_push_order(&order);
    ck_assert(approved()->collar_px == amount("110"));
    ck_assert(approved()->reserved == amount("220.44"));
    risk_expect_cash("USDT", "779.56", "220.44");
    order.order_id = s("o2");
    order.side = OMS_SIDE_SELL;
    risk_push_order(&order);
    ck_assert(approved()->collar_px == amount("90"));
    risk_expect_cash("BTC", "8", "2");
}
END_TEST

START_TEST(a_stop_limit_is_held_at_its_price)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "2", "100");

    risk_set_price("50");
    order.ord_type = OMS_ORDER_TYPE_STOP_LIMIT;
    order.stop_price = amount("99");
    order.has_stop_price = true;
    risk_push_order(&order);
    ck_assert(!approved()->has_collar_px);
    risk_expect_cash("USDT", "799.6", "200.4");
}
END_TEST

static struct oms_order_command by_amount(const char *id, enum oms_side side, const char *text)
{
    struct oms_order_command order = fixture_limit(id, "u1", side, "0", "0");

    order.ord_type = OMS_ORDER_TYPE_MARKET;
    order.tif = OMS_TIME_IN_FORCE_IOC;
    order.has_price = order.has_qty = false;
    order.quote_qty = amount(text);
    order.has_quote_qty = true;
    return order;
}

START_TEST(an_amount_is_held_with_its_fee_and_trades_more_than_it_counted)
{
    const struct oms_order_command order = by_amount("o1", OMS_SIDE_BUY, "100");
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "0", "100.2");

    risk_set_price("100");
    risk_push_order(&order);
    risk_expect_cash("USDT", "899.8", "100.2");
    ck_assert(risk_exposure_of_u1().open_buy == amount("1.112")); /* 100 / 90, up to the lot */
    report = fixture_fill(&report, "x1", "1", "20", "0.04", "80.16");
    report.leaves_qty = 0; /* by amount it is always 0 */
    report.status = OMS_ORDER_STATUS_ACCEPTED;
    risk_push_report(&report);
    ck_assert(risk_exposure_of_u1().open_buy == amount("0.112"));
    report = fixture_fill(&report, "x2", "4", "19.9", "0.1592", "0.4");
    report.status = OMS_ORDER_STATUS_FILLED;
    risk_push_report(&report);
    risk_expect_cash("USDT", "900.2008", "0"); /* the last half is free again too */
    ck_assert(risk_exposure_of_u1().open_buy == 0);
    ck_assert(risk_exposure_of_u1().position == amount("5"));
    ck_assert_uint_eq(mr_driver_store_count(risk_driver, "orders"), 0);
}
END_TEST

START_TEST(a_sell_by_amount_holds_what_it_takes_at_the_collar)
{
    const struct oms_order_command order = by_amount("o1", OMS_SIDE_SELL, "100");

    risk_set_price("100");
    risk_push_order(&order);
    ck_assert(approved()->collar_px == amount("90"));
    ck_assert(approved()->reserved == amount("1.112"));
    risk_expect_cash("BTC", "8.888", "1.112");
}
END_TEST

START_TEST(an_amount_needs_a_reference)
{
    const struct oms_order_command order = by_amount("o1", OMS_SIDE_BUY, "100");

    risk_push_order(&order);
    ck_assert_int_eq(risk_rejected_with(), CODE_PRICE_UNAVAILABLE);
}
END_TEST

/* --- amendments --------------------------------------------------------------------------- */

/* NULL leaves the field out. */
static void amend(const char *id, const char *target, const char *qty, const char *price)
{
    struct oms_order_command order = fixture_cancel(id, "u1", target);

    order.action = OMS_ACTION_AMEND;
    order.has_qty = qty != NULL;
    order.qty = qty != NULL ? amount(qty) : 0;
    order.has_price = price != NULL;
    order.price = price != NULL ? amount(price) : 0;
    risk_push_order(&order);
}

static struct oms_execution_report replaced(const struct oms_execution_report *before,
                                            const char *command, const char *qty, const char *price,
                                            const char *hold)
{
    struct oms_execution_report report = *before;

    report.exec_id = s(command);
    report.exec_type = OMS_EXEC_TYPE_REPLACED;
    report.command_id = s(command);
    report.version++;
    report.engine_seq = report.version;
    report.order_qty = amount(qty);
    report.leaves_qty = report.order_qty - report.cum_qty;
    report.price = amount(price);
    report.has_price = true;
    report.hold_after = amount(hold);
    return report;
}

static struct oms_execution_report refused(const char *command, const char *target)
{
    struct oms_execution_report report = fixture_accepted(command, "u1", OMS_SIDE_BUY, "0", "0");

    report.exec_type = OMS_EXEC_TYPE_CANCEL_REJECTED;
    report.target_order_id = s(target);
    report.has_target_order_id = true;
    return report;
}

START_TEST(an_amendment_reserves_and_replaced_takes_over)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    amend("a1", "o1", "3", "110");
    ck_assert(approved()->action == OMS_ACTION_AMEND);
    ck_assert(approved()->reserved == amount("130.26")); /* 330 - 200, and 0.2 % */
    ck_assert(mr_slice_equal(approved()->reserve_asset, s("USDT")));
    risk_expect_cash("USDT", "669.34", "330.66");
    ck_assert(risk_exposure_of_u1().open_buy == amount("3"));
    report = replaced(&report, "a1", "3", "110", "330.66");
    risk_push_report(&report);
    risk_expect_cash("USDT", "669.34", "330.66");
    ck_assert(order_row("o1").price == amount("110") && order_row("o1").order_qty == amount("3"));
    ck_assert(!order_row("o1").has_amend_command_id);
    /* Shorter: free at REPLACED, not before. */
    amend("a2", "o1", "1", NULL);
    ck_assert(approved()->reserved == 0);
    risk_expect_cash("USDT", "669.34", "330.66");
    report = replaced(&report, "a2", "1", "110", "110.22");
    risk_push_report(&report);
    risk_expect_cash("USDT", "889.78", "110.22");
    ck_assert(risk_exposure_of_u1().open_buy == amount("1"));
}
END_TEST

START_TEST(a_fill_on_the_way_and_the_end_of_the_order_leave_nothing_behind)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    amend("a1", "o1", "3", NULL);
    report = fixture_fill(&report, "x1", "1", "100", "0.2", "100.2");
    risk_push_report(&report);
    risk_expect_cash("USDT", "699.4", "200.4"); /* 100.2 of the order, 100.2 of the amendment */
    ck_assert(risk_exposure_of_u1().open_buy == amount("2"));
    report = fixture_canceled(&report, "x2");
    risk_push_report(&report);
    risk_expect_cash("USDT", "899.8", "0");
    ck_assert(risk_exposure_of_u1().open_buy == 0);
    /* The engine's answer comes too late and finds nothing. */
    report = refused("a1", "o1");
    risk_push_report(&report);
    risk_expect_cash("USDT", "899.8", "0");
}
END_TEST

START_TEST(a_refused_amendment_gives_its_reservation_back_once)
{
    struct oms_execution_report report = refused("a1", "o1");

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    amend("a1", "o1", "3", NULL);
    for (int i = 0; i < 2; i++) {
        risk_push_report(&report);
        risk_expect_cash("USDT", "799.6", "200.4");
        ck_assert(risk_exposure_of_u1().open_buy == amount("2"));
    }
    amend("a2", "o1", "3", NULL); /* the way is free */
    risk_push_report(&report);    /* not the answer to this one */
    risk_expect_cash("USDT", "699.4", "300.6");
}
END_TEST

static const struct refuse_case {
    const char *why, *user, *target, *qty, *price;
    enum dom_code code;
} refuse_cases[] = {
    {"no such order", "u1", "o9", "3", NULL, CODE_UNKNOWN_ORDER},
    {"another user's", "u2", "o1", "3", NULL, CODE_UNKNOWN_ORDER},
    {"more than there is", "u1", "o1", "10", NULL, CODE_AMEND_UNFUNDED},
    {"beyond the collar", "u1", "o1", NULL, "110.01", CODE_PRICE_COLLAR},
    {"a stop has no price to change", "u1", "s1", NULL, "90", CODE_NOT_ALLOWED},
    {"a market order never rests", "u1", "m1", "3", NULL, CODE_UNKNOWN_ORDER},
};

START_TEST(an_amendment_is_refused_with_a_code_and_changes_nothing)
{
    const struct refuse_case *c = &refuse_cases[_i];
    struct oms_order_command order = fixture_limit("s1", "u1", OMS_SIDE_SELL, "1", "0");
    struct oms_order_command command = fixture_cancel("a1", c->user, c->target);
    const struct oms_execution_report *report = NULL;

    risk_set_price("100");
    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    order.has_price = false;
    order.stop_price = amount("95");
    order.has_stop_price = true;
    order.ord_type = OMS_ORDER_TYPE_STOP;
    risk_push_order(&order);
    order.order_id = s("m1");
    order.ord_type = OMS_ORDER_TYPE_MARKET;
    order.has_stop_price = false;
    risk_push_order(&order);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 3);
    command.action = OMS_ACTION_AMEND;
    command.has_qty = c->qty != NULL;
    command.qty = c->qty != NULL ? amount(c->qty) : 0;
    command.has_price = c->price != NULL;
    command.price = c->price != NULL ? amount(c->price) : 0;
    risk_push_order(&command);
    report = mr_driver_emit_last(risk_driver, "rejected");
    ck_assert_msg(report != NULL && report->reject_code == (int32_t)c->code, "%s: %d", c->why,
                  report == NULL ? 0 : report->reject_code);
    ck_assert(report->exec_type == OMS_EXEC_TYPE_CANCEL_REJECTED);
    ck_assert(mr_slice_equal(report->target_order_id, s(c->target)));
    risk_expect_cash("USDT", "799.6", "200.4");
    ck_assert(!order_row("o1").has_amend_command_id);
}
END_TEST

START_TEST(an_order_that_may_only_reduce_is_amended_within_that)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_SELL, "1", "100");
    struct oms_execution_report report = fixture_accepted("b1", "u1", OMS_SIDE_BUY, "2", "200.4");

    risk_push_limit("b1", OMS_SIDE_BUY, "2", "100");
    report = fixture_fill(&report, "x1", "2", "100", "0.4", "0");
    risk_push_report(&report); /* long 2 */
    order.reduce_only = true;
    risk_push_order(&order);
    amend("a1", "o1", "2.001", NULL);
    ck_assert_int_eq(risk_rejected_with(), CODE_REDUCING);
    amend("a2", "o1", "2", NULL);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 3);
}
END_TEST

START_TEST(one_amendment_of_an_order_is_on_its_way_at_a_time)
{
    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    amend("a1", "o1", "3", NULL);
    amend("a2", "o1", "1", NULL);
    ck_assert_int_eq(risk_rejected_with(), CODE_AMEND_PENDING);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 2);
}
END_TEST

START_TEST(an_amendment_at_a_fault_leaves_no_trace)
{
    static const enum mr_driver_fault faults[] = {MR_DRIVER_FAULT_GET, MR_DRIVER_FAULT_PUT,
                                                  MR_DRIVER_FAULT_EMIT};
    struct oms_order_command command = fixture_cancel("a1", "u1", "o1");
    uint64_t before = 0;

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    ck_assert_int_eq(mr_driver_commit(risk_driver), MR_OK);
    before = mr_driver_state_digest(risk_driver);
    command.action = OMS_ACTION_AMEND;
    command.qty = amount("3");
    command.has_qty = true;
    for (size_t i = 0; i < MR_COUNT(faults); i++) {
        for (unsigned nth = 1; nth <= 2; nth++) {
            mr_driver_fail(risk_driver, faults[i], nth);
            if (mr_driver_push(risk_driver, "orders", s("u1"), &command) == MR_OK) {
                mr_driver_abort(risk_driver); /* it made fewer such calls */
            }
            mr_driver_fail(risk_driver, MR_DRIVER_FAULT_NONE, 1);
            ck_assert_uint_eq(mr_driver_state_digest(risk_driver), before);
        }
    }
}
END_TEST

/* --- cancel-all --------------------------------------------------------------------------- */

static void cancel_all(const char *symbol)
{
    struct oms_order_command order = fixture_cancel("c1", "u1", "");

    order.action = OMS_ACTION_CANCEL_ALL;
    order.has_target_order_id = false;
    order.symbol = s(symbol);
    risk_push_order(&order);
}

START_TEST(a_cancel_all_goes_to_each_symbol_with_open_orders)
{
    struct oms_instrument instrument = fixture_instrument();
    struct oms_order_command order = fixture_limit("o2", "u1", OMS_SIDE_BUY, "1", "100");

    cancel_all("");
    ck_assert_int_eq(risk_rejected_with(), CODE_UNKNOWN_ORDER);
    instrument.symbol = s("ETHUSDT");
    instrument.base_asset = s("ETH");
    mr_driver_table_set(risk_driver, "instruments", s("ETHUSDT"), &instrument);
    risk_push_limit("o1", OMS_SIDE_BUY, "1", "100");
    order.symbol = s("ETHUSDT");
    risk_push_order(&order);
    mr_driver_commit(risk_driver);
    mr_driver_emits_clear(risk_driver);
    cancel_all("");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct oms_order_command *out = mr_driver_emit(risk_driver, "approved", i);

        ck_assert(mr_slice_equal(out->symbol, s(i == 0 ? "BTCUSDT" : "ETHUSDT")));
        ck_assert(mr_slice_equal(mr_driver_emit_key(risk_driver, "approved", i), out->symbol));
        ck_assert(mr_slice_equal(out->event_id, s("c1")) && !out->has_cancel_reason);
    }
    cancel_all("ETHUSDT");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 3);
    cancel_all("LTCUSDT");
    ck_assert_int_eq(risk_rejected_with(), CODE_UNKNOWN_ORDER);
}
END_TEST

/* --- prevention, names -------------------------------------------------------------------- */

START_TEST(prevention_lowers_the_hold_and_the_open_quantity)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    report.exec_type = OMS_EXEC_TYPE_TRADE_PREVENTION;
    report.version = 2;
    report.leaves_qty = amount("0.5");
    report.prevented_qty = amount("1.5");
    report.hold_after = amount("50.1");
    for (int i = 0; i < 2; i++) { /* the copy changes nothing */
        risk_push_report(&report);
        risk_expect_cash("USDT", "949.9", "50.1");
        ck_assert(risk_exposure_of_u1().open_buy == amount("0.5"));
    }
    ck_assert(order_row("o1").leaves_qty == amount("0.5"));
}
END_TEST

START_TEST(a_clients_name_is_free_when_its_order_is_over)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "1", "100.2");

    order.client_order_id = s("mine");
    order.has_client_order_id = true;
    risk_push_order(&order);
    order.order_id = order.event_id = s("o2");
    risk_push_order(&order);
    ck_assert_int_eq(risk_rejected_with(), CODE_DUPLICATE_CLIENT_ID);
    report = fixture_canceled(&report, "x1");
    risk_push_report(&report);
    ck_assert_uint_eq(mr_driver_store_count(risk_driver, "client-ids"), 0);
    order.order_id = order.event_id = s("o3");
    risk_push_order(&order);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk amend");
    TCase *tcase = tcase_create("risk amend");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, risk_setup, risk_teardown);
    tcase_add_test(tcase, a_stop_is_held_at_the_collar_around_its_stop_price);
    tcase_add_test(tcase, a_stop_limit_is_held_at_its_price);
    tcase_add_test(tcase, an_amount_is_held_with_its_fee_and_trades_more_than_it_counted);
    tcase_add_test(tcase, a_sell_by_amount_holds_what_it_takes_at_the_collar);
    tcase_add_test(tcase, an_amount_needs_a_reference);
    tcase_add_test(tcase, an_amendment_reserves_and_replaced_takes_over);
    tcase_add_test(tcase, a_fill_on_the_way_and_the_end_of_the_order_leave_nothing_behind);
    tcase_add_test(tcase, a_refused_amendment_gives_its_reservation_back_once);
    tcase_add_loop_test(tcase, an_amendment_is_refused_with_a_code_and_changes_nothing, 0,
                        (int)MR_COUNT(refuse_cases));
    tcase_add_test(tcase, an_order_that_may_only_reduce_is_amended_within_that);
    tcase_add_test(tcase, one_amendment_of_an_order_is_on_its_way_at_a_time);
    tcase_add_test(tcase, an_amendment_at_a_fault_leaves_no_trace);
    tcase_add_test(tcase, a_cancel_all_goes_to_each_symbol_with_open_orders);
    tcase_add_test(tcase, prevention_lowers_the_hold_and_the_open_quantity);
    tcase_add_test(tcase, a_clients_name_is_free_when_its_order_is_over);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
