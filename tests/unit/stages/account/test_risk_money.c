/*
 * Goal:   what is held is spent or released to the last atom, once; account commands do what they
 *         say, once.
 * Method: reports by hand with known amounts; tables of reports and transfers that must not count.
 */
#include "avro/risk_event.h"
#include "avro/risk_order.h"
#include "domain/codes.h"
#include "risk_fixture.h"

#include <check.h>
#include <stdlib.h>

/* --- reservation and release -------------------------------------------------------------- */

START_TEST(an_approved_order_carries_its_hold)
{
    const struct oms_order_command *out = NULL;
    struct oms_risk_order open = {0};

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    out = mr_driver_emit_last(risk_driver, "approved");
    ck_assert_ptr_nonnull(out);
    ck_assert(mr_slice_equal(mr_driver_emit_key(risk_driver, "approved", 0), s("BTCUSDT")));
    ck_assert(out->reserved == amount("200.4") && mr_slice_equal(out->reserve_asset, s("USDT")));
    ck_assert(out->fee_maker == amount("0.001") && out->fee_taker == amount("0.002"));
    risk_expect_cash("USDT", "799.6", "200.4");
    ck_assert(mr_driver_store_get(risk_driver, "orders", s("o1"), &open));
    ck_assert(open.hold == amount("200.4") && open.leaves_qty == amount("2"));
    ck_assert(risk_exposure_of_u1().open_buy == amount("2"));
    ck_assert_int_eq(risk_exposure_of_u1().open_orders, 1);
    ck_assert_int_eq(risk_account_of_u1().open_orders, 1);
}
END_TEST

START_TEST(a_buy_is_filled_in_parts_and_the_surplus_comes_back)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    risk_push_report(&report);
    /* 1 at 90 as taker: 90 + 0.18; what stays is for 1 at 100. */
    report = fixture_fill(&report, "x1", "1", "90", "0.18", "100.2");
    risk_push_report(&report);
    risk_expect_cash("USDT", "809.62", "100.2");
    risk_expect_cash("BTC", "11", "0");
    ck_assert(risk_exposure_of_u1().position == amount("1") &&
              risk_exposure_of_u1().open_buy == amount("1"));
    /* 1 at 100 as maker: 100 + 0.1, the other 0.1 of the fee was not needed. */
    report = fixture_fill(&report, "x2", "1", "100", "0.1", "0");
    risk_push_report(&report);
    risk_expect_cash("USDT", "809.72", "0");
    risk_expect_cash("BTC", "12", "0");
    ck_assert(risk_exposure_of_u1().position == amount("2") && risk_exposure_of_u1().open_buy == 0);
    ck_assert_int_eq(risk_exposure_of_u1().open_orders, 0);
    ck_assert_int_eq(risk_account_of_u1().open_orders, 0);
    ck_assert_uint_eq(mr_driver_store_count(risk_driver, "orders"), 0);
}
END_TEST

START_TEST(a_sell_is_paid_less_the_fee_and_its_rest_comes_back)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_SELL, "3", "3");

    risk_push_limit("o1", OMS_SIDE_SELL, "3", "100");
    risk_expect_cash("BTC", "7", "3");
    risk_push_report(&report);
    report = fixture_fill(&report, "x1", "1", "101", "0.202", "2");
    risk_push_report(&report);
    risk_expect_cash("USDT", "1100.798", "0");
    risk_expect_cash("BTC", "7", "2");
    report = fixture_canceled(&report, "x2");
    risk_push_report(&report);
    risk_expect_cash("BTC", "9", "0");
    ck_assert(risk_exposure_of_u1().position == amount("-1") &&
              risk_exposure_of_u1().open_sell == 0);
    ck_assert_int_eq(risk_account_of_u1().open_orders, 0);
    ck_assert_uint_eq(mr_driver_store_count(risk_driver, "orders"), 0);
}
END_TEST

START_TEST(a_rejection_by_the_engine_releases_everything)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "0");

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    report.exec_type = OMS_EXEC_TYPE_REJECTED;
    report.status = OMS_ORDER_STATUS_REJECTED;
    if (_i == 1) { /* the engine knows no such symbol: no sequence to count in */
        report.engine_seq = 0;
        report.exec_id = s("F-o1");
    }
    risk_push_report(&report);
    risk_expect_cash("USDT", "1000", "0");
    ck_assert_int_eq(risk_account_of_u1().open_orders, 0);
    ck_assert(risk_exposure_of_u1().open_buy == 0);
}
END_TEST

START_TEST(a_report_counts_once)
{
    struct oms_execution_report accepted = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", "1", "90", "0.18", "100.2");
    const struct oms_execution_report cancel = fixture_canceled(&fill, "x2");
    const struct oms_execution_report *const reports[] = {&accepted, &fill, &cancel};

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    for (size_t i = 0; i < MR_COUNT(reports); i++) {
        uint64_t once = 0;

        risk_push_report(reports[i]);
        once = mr_driver_state_digest(risk_driver);
        risk_push_report(reports[i]);
        /* And an older one behind it. */
        risk_push_report(reports[0]);
        ck_assert_uint_eq(mr_driver_state_digest(risk_driver), once);
    }
}
END_TEST

static const struct foreign_case {
    const char *why;
    const char *user;
    enum oms_exec_type type;
    int64_t engine_seq;
} foreign_cases[] = {
    {"validate rejected a command that names this order", "u1", OMS_EXEC_TYPE_REJECTED, 0},
    {"another user's order with this id", "u2", OMS_EXEC_TYPE_REJECTED, 7},
    {"another user's order with this id was canceled", "u2", OMS_EXEC_TYPE_CANCELED, 7},
    {"a cancel was refused", "u1", OMS_EXEC_TYPE_CANCEL_REJECTED, 7},
    {"settle reports", "u1", OMS_EXEC_TYPE_SETTLED, 7},
};

START_TEST(reports_of_others_release_nothing)
{
    const struct foreign_case *c = &foreign_cases[_i];
    struct oms_execution_report report = fixture_accepted("o1", c->user, OMS_SIDE_BUY, "2", "0");
    uint64_t before = 0;

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    before = mr_driver_state_digest(risk_driver);
    report.exec_type = c->type;
    report.status = OMS_ORDER_STATUS_REJECTED;
    report.engine_seq = c->engine_seq;
    report.version = 9;
    risk_push_report(&report);
    ck_assert_msg(mr_driver_state_digest(risk_driver) == before, "%s", c->why);
}
END_TEST

START_TEST(an_open_order_id_is_refused_without_touching_it)
{
    const struct oms_risk_event *event = NULL;
    uint64_t before = 0;

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    before = mr_driver_state_digest(risk_driver);
    risk_push_limit("o1", OMS_SIDE_SELL, "1", "100");
    ck_assert_uint_eq(mr_driver_state_digest(risk_driver), before);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "rejected"), 0);
    event = mr_driver_emit_last(risk_driver, "events");
    ck_assert_ptr_nonnull(event);
    ck_assert(event->type == OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT);
    ck_assert_int_eq(event->code, CODE_DUPLICATE_ORDER);
}
END_TEST

static const struct bad_report_case {
    const char *why;
    const char *qty, *price, *fee, *hold_after;
} bad_report_cases[] = {
    {"more than the order", "2.001", "100", "0", "0"},
    {"more money than is held", "2", "101", "0.4", "0"},
    {"a hold that grows", "1", "100", "0", "300"},
    {"a negative hold", "1", "90", "0", "-1"},
    {"no quantity", "0", "100", "0", "200"},
    {"no price", "1", "0", "0", "200"},
};

START_TEST(an_impossible_fill_is_poison_and_changes_nothing)
{
    const struct bad_report_case *c = &bad_report_cases[_i];
    const struct oms_execution_report accepted =
        fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", c->qty, c->price, c->fee, c->hold_after);
    uint64_t before = 0;
    enum mr_status status = MR_OK;

    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    before = mr_driver_state_digest(risk_driver);
    status = mr_driver_push(risk_driver, "executions", s("u1"), &fill);
    ck_assert_msg(mr_status_class(status) == MR_CLASS_POISON, "%s", c->why);
    ck_assert_uint_eq(mr_driver_state_digest(risk_driver), before);
}
END_TEST

START_TEST(a_fault_at_any_store_call_leaves_no_trace)
{
    const struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");
    uint64_t before = 0;
    uint64_t clean = 0;

    ck_assert_int_eq(mr_driver_commit(risk_driver), MR_OK);
    before = mr_driver_state_digest(risk_driver);
    risk_push_order(&order);
    clean = mr_driver_state_digest(risk_driver);
    mr_driver_abort(risk_driver);
    for (unsigned nth = 1; nth <= 2; nth++) { /* the account, the order */
        mr_driver_fail(risk_driver, MR_DRIVER_FAULT_PUT, nth);
        ck_assert_int_eq(mr_driver_push(risk_driver, "orders", s("u1"), &order), MR_STORE_IO);
        ck_assert_uint_eq(mr_driver_state_digest(risk_driver), before);
    }
    mr_driver_fail(risk_driver, MR_DRIVER_FAULT_EMIT_POISON, 1);
    ck_assert_int_eq(mr_driver_push(risk_driver, "orders", s("u1"), &order), MR_MALFORMED);
    ck_assert_uint_eq(mr_driver_state_digest(risk_driver), before);
    risk_push_order(&order);
    ck_assert_uint_eq(mr_driver_state_digest(risk_driver), clean);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 1);
}
END_TEST

/* --- account commands --------------------------------------------------------------------- */

static const struct transfer_case {
    const char *why;
    enum oms_account_action action;
    const char *asset, *value;
    enum dom_code code;
} transfer_cases[] = {
    {"a deposit", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "0.000000000000000001", CODE_OK},
    {"all of it out", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "1000", CODE_OK},
    {"an atom too much", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "1000.000000000000000001",
     CODE_INSUFFICIENT_FUNDS},
    {"an asset one does not have", OMS_ACCOUNT_ACTION_WITHDRAW, "ETH", "1",
     CODE_INSUFFICIENT_FUNDS},
    {"nothing", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "0", CODE_BAD_ACCOUNT_COMMAND},
    {"less than nothing", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "-1", CODE_BAD_ACCOUNT_COMMAND},
    {"no asset", OMS_ACCOUNT_ACTION_DEPOSIT, "", "1", CODE_BAD_ACCOUNT_COMMAND},
    {"above the business bound", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "10000000000000000",
     CODE_BAD_ACCOUNT_COMMAND},
};

START_TEST(transfers_count_or_are_refused_with_a_code)
{
    const struct transfer_case *c = &transfer_cases[_i];
    const struct oms_risk_event *event = NULL;
    const uint64_t before = mr_driver_state_digest(risk_driver);

    risk_transfer("t1", c->action, c->asset, c->value);
    event = mr_driver_emit_last(risk_driver, "events");
    ck_assert_msg((event == NULL) == (c->code == CODE_OK), "%s", c->why);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "transfers"), c->code == CODE_OK ? 3 : 2);
    if (event != NULL) {
        ck_assert(event->type == OMS_RISK_EVENT_TYPE_REJECT);
        ck_assert_msg(event->code == (int32_t)c->code, "%s: %d", c->why, event->code);
        ck_assert_uint_eq(mr_driver_state_digest(risk_driver), before);
    }
}
END_TEST

START_TEST(a_deposit_sent_twice_is_money_once)
{
    risk_transfer("t1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "5");
    risk_transfer("t1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "5");
    risk_expect_cash("USDT", "1005", "0");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "transfers"), 3);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "events"), 1);
}
END_TEST

START_TEST(what_is_held_cannot_be_withdrawn)
{
    risk_push_limit("o1", OMS_SIDE_BUY, "9", "100"); /* holds 901.8 */
    risk_transfer("t1", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "98.21");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "transfers"), 2);
    risk_transfer("t2", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "98.2");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "transfers"), 3);
    risk_expect_cash("USDT", "0", "901.8");
}
END_TEST

START_TEST(an_account_command_under_another_key_is_poison)
{
    const struct oms_account_command command =
        fixture_transfer("t1", "u1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1");

    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u2"), &command), MR_MALFORMED);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "transfers"), 2);
}
END_TEST

START_TEST(orders_and_fills_cost_few_store_calls)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");
    size_t before = mr_driver_store_calls(risk_driver);

    /* Reads: order, account, what is said of all. Writes: the first two. */
    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    ck_assert_uint_le(mr_driver_store_calls(risk_driver) - before, 5);
    report = fixture_fill(&report, "x1", "1", "90", "0.18", "100.2");
    before = mr_driver_store_calls(risk_driver);
    risk_push_report(&report);
    ck_assert_uint_le(mr_driver_store_calls(risk_driver) - before, 5);
    ck_assert_uint_eq(mr_driver_scan_calls(risk_driver), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk money");
    TCase *tcase = tcase_create("risk money");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, risk_setup, risk_teardown);
    tcase_add_test(tcase, an_approved_order_carries_its_hold);
    tcase_add_test(tcase, a_buy_is_filled_in_parts_and_the_surplus_comes_back);
    tcase_add_test(tcase, a_sell_is_paid_less_the_fee_and_its_rest_comes_back);
    tcase_add_loop_test(tcase, a_rejection_by_the_engine_releases_everything, 0, 2);
    tcase_add_test(tcase, a_report_counts_once);
    tcase_add_loop_test(tcase, reports_of_others_release_nothing, 0, (int)MR_COUNT(foreign_cases));
    tcase_add_test(tcase, an_open_order_id_is_refused_without_touching_it);
    tcase_add_loop_test(tcase, an_impossible_fill_is_poison_and_changes_nothing, 0,
                        (int)MR_COUNT(bad_report_cases));
    tcase_add_test(tcase, a_fault_at_any_store_call_leaves_no_trace);
    tcase_add_loop_test(tcase, transfers_count_or_are_refused_with_a_code, 0,
                        (int)MR_COUNT(transfer_cases));
    tcase_add_test(tcase, a_deposit_sent_twice_is_money_once);
    tcase_add_test(tcase, what_is_held_cannot_be_withdrawn);
    tcase_add_test(tcase, an_account_command_under_another_key_is_poison);
    tcase_add_test(tcase, orders_and_fills_cost_few_store_calls);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
