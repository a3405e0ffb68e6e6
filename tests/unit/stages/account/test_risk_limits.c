/*
 * Goal:   limits and switches of a user and of all, what is remembered of a day, a minute and a
 *         loop, marks, and withdrawals in two steps.
 * Method: one user with 1000 USDT and 10 BTC; commands and reports, then codes, events and rows.
 */
#include "avro/risk_event.h"
#include "avro/risk_transfer.h"
#include "domain/codes.h"
#include "risk_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct oms_account_command account_command(const char *user, enum oms_account_action action)
{
    return (struct oms_account_command){
        .event_id = s("k1"), .ts_us = FIXTURE_TS_US, .user_id = s(user), .action = action};
}

static void push_command(const struct oms_account_command *command)
{
    ck_assert_msg(mr_driver_push(risk_driver, "accounts", command->user_id, command) == MR_OK, "%s",
                  mr_driver_error(risk_driver));
}

static void set_state(const char *user, const char *symbol, enum oms_trading_state state,
                      bool cancel)
{
    struct oms_account_command command = account_command(user, OMS_ACCOUNT_ACTION_SET_STATE);

    command.symbol = s(symbol);
    command.has_symbol = symbol[0] != '\0';
    command.trading_state = state;
    command.has_trading_state = true;
    command.cancel_orders = cancel;
    push_command(&command);
}

static const struct oms_risk_event *last_event(void)
{
    return mr_driver_emit_last(risk_driver, "events");
}

/* A buy of `qty` at 100, so many seconds into the day. */
static int32_t buy(const char *id, const char *qty, int64_t second)
{
    struct oms_order_command order = fixture_limit(id, "u1", OMS_SIDE_BUY, qty, "100");
    const size_t before = mr_driver_emit_count(risk_driver, "approved");

    order.ts_us += second * MR_SECOND_US;
    risk_push_order(&order);
    return mr_driver_emit_count(risk_driver, "approved") > before ? CODE_OK : risk_rejected_with();
}

/* --- switches ----------------------------------------------------------------------------- */

static const struct switch_case {
    const char *why, *user, *symbol;
} switch_cases[] = {
    {"all users", "*", ""},
    {"the symbol, of all users", "*", "BTCUSDT"},
    {"the user", "u1", ""},
    {"the user in the symbol", "u1", "BTCUSDT"},
};

START_TEST(the_strictest_of_four_switches_counts)
{
    const struct switch_case *c = &switch_cases[_i];

    for (size_t i = 0; i < MR_COUNT(switch_cases); i++) {
        set_state(switch_cases[i].user, switch_cases[i].symbol, OMS_TRADING_STATE_ACTIVE, false);
    }
    set_state(c->user, c->symbol, OMS_TRADING_STATE_HALTED, false);
    ck_assert_msg(buy("o1", "1", 0) == CODE_HALTED, "%s", c->why);
    set_state(c->user, c->symbol, OMS_TRADING_STATE_REDUCING, false);
    ck_assert_msg(buy("o2", "1", 0) == CODE_REDUCING, "%s", c->why);
    set_state(c->user, c->symbol, OMS_TRADING_STATE_ACTIVE, false);
    ck_assert_msg(buy("o3", "1", 0) == CODE_OK, "%s", c->why);
}
END_TEST

START_TEST(a_switch_may_end_the_open_orders_of_everybody)
{
    struct oms_order_command order = fixture_limit("o2", "u2", OMS_SIDE_BUY, "1", "100");
    const struct oms_account_command money =
        fixture_transfer("d9", "u2", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1000");
    const struct oms_order_command *out = NULL;

    push_command(&money);
    risk_push_order(&order);
    ck_assert_int_eq(buy("o1", "1", 0), CODE_OK);
    set_state("*", "", OMS_TRADING_STATE_HALTED, true);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 4);
    out = mr_driver_emit(risk_driver, "approved", 2);
    ck_assert(out->action == OMS_ACTION_CANCEL_ALL && mr_slice_equal(out->user_id, s("u1")));
    ck_assert(out->has_cancel_reason && out->cancel_reason == OMS_CANCEL_REASON_RISK);
    ck_assert(mr_slice_equal(out->event_id, s("R-k1-u1")));
    out = mr_driver_emit(risk_driver, "approved", 3);
    ck_assert(mr_slice_equal(out->user_id, s("u2")) && mr_slice_equal(out->symbol, s("BTCUSDT")));
    set_state("u1", "ETHUSDT", OMS_TRADING_STATE_HALTED, true);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 4); /* none open there */
}
END_TEST

START_TEST(an_id_is_never_longer_than_the_engine_takes)
{
    struct oms_account_command command = account_command("*", OMS_ACCOUNT_ACTION_SET_STATE);
    const struct oms_order_command *out = NULL;

    ck_assert_int_eq(buy("o1", "1", 0), CODE_OK);
    command.trading_state = OMS_TRADING_STATE_HALTED;
    command.has_trading_state = true;
    command.cancel_orders = true;
    command.event_id = s("0123456789012345678901234567890123456789012345678901234567890");
    push_command(&command); /* 61, "R-", "-u1": one too many */
    out = mr_driver_emit_last(risk_driver, "approved");
    ck_assert(out->action == OMS_ACTION_CANCEL_ALL);
    ck_assert_uint_eq(out->event_id.len, 34);
    ck_assert(mr_slice_equal(out->event_id, out->order_id));
}
END_TEST

/* --- limits ------------------------------------------------------------------------------- */

static void limit_position(const char *user, const char *symbol, const char *value)
{
    struct oms_account_command command = account_command(user, OMS_ACCOUNT_ACTION_SET_LIMITS);

    command.symbol = s(symbol);
    command.has_symbol = symbol[0] != '\0';
    command.position_limit = amount(value);
    command.has_position_limit = true;
    push_command(&command);
}

START_TEST(what_is_said_of_the_user_goes_before_what_is_said_of_all)
{
    limit_position("*", "", "1");
    ck_assert_int_eq(buy("o1", "1.001", 0), CODE_POSITION_LIMIT);
    limit_position("*", "BTCUSDT", "2");
    ck_assert_int_eq(buy("o2", "2.001", 0), CODE_POSITION_LIMIT);
    limit_position("u1", "", "3");
    ck_assert_int_eq(buy("o3", "3.001", 0), CODE_POSITION_LIMIT);
    limit_position("u1", "BTCUSDT", "4");
    ck_assert_int_eq(buy("o4", "4.001", 0), CODE_POSITION_LIMIT);
    ck_assert_int_eq(buy("o5", "4", 0), CODE_OK);
}
END_TEST

START_TEST(a_symbol_may_have_a_bucket_of_its_own)
{
    struct oms_account_command command = account_command("*", OMS_ACCOUNT_ACTION_SET_LIMITS);

    command.symbol = s("BTCUSDT");
    command.has_symbol = true;
    command.velocity_per_second = 1;
    command.has_velocity_per_second = true;
    command.velocity_burst = 1;
    command.has_velocity_burst = true;
    push_command(&command);
    ck_assert_int_eq(buy("o1", "0.1", 0), CODE_OK);
    ck_assert_int_eq(buy("o2", "0.1", 0), CODE_VELOCITY);
    ck_assert(mr_slice_equal(last_event()->check, s("velocity-symbol")));
    ck_assert_int_eq(buy("o3", "0.1", 1), CODE_OK);
}
END_TEST

START_TEST(the_sum_of_a_minute_slides)
{
    struct oms_account_command command = account_command("u1", OMS_ACCOUNT_ACTION_SET_LIMITS);

    command.notional_window_max = amount("200");
    command.has_notional_window_max = true;
    push_command(&command);
    ck_assert_int_eq(buy("o1", "1", 0), CODE_OK);
    ck_assert_int_eq(buy("o2", "1", 30), CODE_OK);
    ck_assert_int_eq(buy("o3", "0.001", 60), CODE_NOTIONAL_WINDOW);
    ck_assert(last_event()->limit == amount("200") && last_event()->current == amount("200"));
    ck_assert(last_event()->projected == amount("200.1"));
    ck_assert_int_eq(buy("o4", "1", 65), CODE_OK); /* the first is out */
    ck_assert_int_eq(buy("o5", "0.001", 90), CODE_NOTIONAL_WINDOW);
    ck_assert_int_eq(buy("o6", "1", 95), CODE_OK);
    for (int i = 0; i < 100; i++) {
        (void)buy("o7", "0.001", 100 + i);
        ck_assert_uint_le(risk_account_of_u1().window.count, 13);
    }
}
END_TEST

START_TEST(a_loop_of_equal_orders_halts_the_user)
{
    static const struct mr_driver_setting settings[] = {{.name = "loop-guard", .text = "3"},
                                                        {.name = "loop-window", .text = "10s"}};

    risk_open(settings, MR_COUNT(settings));
    ck_assert_int_eq(buy("o1", "0.1", 0), CODE_OK);
    ck_assert_int_eq(buy("o2", "0.1", 1), CODE_OK);
    ck_assert_int_eq(buy("x1", "0.2", 1), CODE_OK); /* something else in between */
    ck_assert_int_eq(buy("o3", "0.1", 2), CODE_OK);
    ck_assert_int_eq(buy("o4", "0.1", 9), CODE_LOOP_GUARD);
    ck_assert(risk_account_of_u1().trading_state == OMS_TRADING_STATE_HALTED);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "events"), 2);
    const struct oms_risk_event *event = mr_driver_emit(risk_driver, "events", 0);
    ck_assert(event->type == OMS_RISK_EVENT_TYPE_STATE_CHANGE);
    ck_assert(event->state_to == OMS_TRADING_STATE_HALTED && event->limit == amount("3"));
    ck_assert_int_eq(buy("o5", "0.3", 9), CODE_HALTED);
    set_state("u1", "", OMS_TRADING_STATE_ACTIVE, false);
    ck_assert_int_eq(buy("o6", "0.1", 9), CODE_OK);
}
END_TEST

START_TEST(equal_orders_farther_apart_are_no_loop)
{
    static const struct mr_driver_setting settings[] = {{.name = "loop-guard", .text = "1"},
                                                        {.name = "loop-window", .text = "10s"}};

    risk_open(settings, MR_COUNT(settings));
    ck_assert_int_eq(buy("o1", "0.1", 0), CODE_OK);
    ck_assert_int_eq(buy("o2", "0.1", 10), CODE_OK);
    ck_assert_int_eq(buy("o3", "0.1", 19), CODE_LOOP_GUARD);
}
END_TEST

/* --- the day ------------------------------------------------------------------------------ */

/* An order that trades at once, whole, at `price`, with a fee of 0.2 %; the second of the day. */
static void trade(const char *id, enum oms_side side, const char *price, int64_t second)
{
    struct oms_order_command order = fixture_limit(id, "u1", side, "1", "100");
    struct oms_execution_report report =
        fixture_accepted(id, "u1", side, "1", side == OMS_SIDE_BUY ? "100.2" : "1");

    order.ts_us += second * MR_SECOND_US;
    risk_push_order(&order);
    report.ts_us = order.ts_us;
    report = fixture_fill(&report, id, "1", price, "0.2", "0");
    risk_push_report(&report);
}

static void limit_loss(const char *value)
{
    struct oms_account_command command = account_command("u1", OMS_ACCOUNT_ACTION_SET_LIMITS);

    command.daily_loss_limit = amount(value);
    command.has_daily_loss_limit = true;
    push_command(&command);
}

START_TEST(a_daily_loss_is_latched_until_the_day_is_over)
{
    const int64_t day = 86400;

    limit_loss("10.4");
    trade("b1", OMS_SIDE_BUY, "100", 1);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "events"), 0);
    trade("s1", OMS_SIDE_SELL, "90", 2); /* 10 and two fees: at the limit */
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "events"), 1);
    ck_assert(last_event()->type == OMS_RISK_EVENT_TYPE_BREACH);
    ck_assert(last_event()->limit == amount("10.4") && last_event()->current == amount("10.4"));
    ck_assert_int_eq(last_event()->day, (int32_t)(FIXTURE_TS_US / MR_DAY_US));
    ck_assert_int_eq(buy("o1", "1", 3), CODE_DAILY_LOSS);
    limit_loss("1000"); /* does not take it back */
    ck_assert_int_eq(buy("o2", "1", day - 1), CODE_DAILY_LOSS);
    ck_assert_int_eq(buy("o3", "1", day), CODE_OK);
    /* A loss of the day that is over does not count, nor reopen it. */
    limit_loss("0.1");
    trade("s2", OMS_SIDE_SELL, "90", 5);
    ck_assert(!risk_account_of_u1().loss_breached);
}
END_TEST

START_TEST(after_a_breach_the_position_may_be_reduced)
{
    trade("b1", OMS_SIDE_BUY, "100", 1);
    trade("b2", OMS_SIDE_BUY, "100", 1);
    limit_loss("0.1");
    ck_assert_int_eq(buy("o1", "1", 2), CODE_DAILY_LOSS);
    ck_assert(risk_account_of_u1().loss_breached);
    risk_push_limit("s1", OMS_SIDE_SELL, "2", "100");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 3);
    risk_push_limit("s2", OMS_SIDE_SELL, "0.001", "100"); /* would go short */
    ck_assert_int_eq(risk_rejected_with(), CODE_DAILY_LOSS);
}
END_TEST

/* --- marks -------------------------------------------------------------------------------- */

static void list_margined(const char *symbol, const char *base)
{
    struct oms_instrument instrument = fixture_instrument();

    instrument.symbol = s(symbol);
    instrument.base_asset = s(base);
    instrument.initial_margin = amount("0.5");
    instrument.has_initial_margin = true;
    instrument.maintenance_margin = amount("0.25");
    instrument.has_maintenance_margin = true;
    mr_driver_table_set(risk_driver, "instruments", s(symbol), &instrument);
}

static void mark(const char *symbol, const char *price)
{
    const struct oms_price_tick tick = fixture_price(symbol, price);

    mr_driver_table_set(risk_driver, "prices", s(symbol), &tick);
}

static int32_t order_in(const char *symbol, const char *id, enum oms_side side, const char *qty)
{
    struct oms_order_command order = fixture_limit(id, "u1", side, qty, "100");
    const size_t before = mr_driver_emit_count(risk_driver, "approved");

    order.symbol = s(symbol);
    risk_push_order(&order);
    return mr_driver_emit_count(risk_driver, "approved") > before ? CODE_OK : risk_rejected_with();
}

START_TEST(margin_adds_up_over_symbols)
{
    list_margined("BTCUSDT", "BTC");
    list_margined("ETHUSDT", "ETH");
    risk_transfer("d3", OMS_ACCOUNT_ACTION_DEPOSIT, "ETH", "100");
    mark("BTCUSDT", "100");
    mark("ETHUSDT", "100");
    /* Equity 1000: margin of 0.5 on 1000 and 1000, and not one lot more. */
    ck_assert_int_eq(order_in("BTCUSDT", "o1", OMS_SIDE_SELL, "10"), CODE_OK);
    ck_assert_int_eq(order_in("ETHUSDT", "o2", OMS_SIDE_SELL, "10.001"), CODE_MARGIN);
    ck_assert(last_event()->limit == amount("1000") && last_event()->current == amount("500"));
    ck_assert_int_eq(order_in("ETHUSDT", "o3", OMS_SIDE_SELL, "10"), CODE_OK);
}
END_TEST

START_TEST(without_a_mark_only_a_reducing_order_passes)
{
    list_margined("BTCUSDT", "BTC");
    list_margined("ETHUSDT", "ETH");
    risk_transfer("d3", OMS_ACCOUNT_ACTION_DEPOSIT, "ETH", "100");
    ck_assert_int_eq(order_in("ETHUSDT", "o1", OMS_SIDE_SELL, "1"), CODE_OK); /* its own price */
    ck_assert_int_eq(order_in("BTCUSDT", "o2", OMS_SIDE_SELL, "1"), CODE_MARGIN);
}
END_TEST

START_TEST(equity_below_maintenance_is_a_margin_call)
{
    list_margined("BTCUSDT", "BTC");
    mark("BTCUSDT", "100");
    for (int i = 0; i < 5; i++) {
        char id[8];

        (void)snprintf(id, sizeof(id), "s%d", i);
        trade(id, OMS_SIDE_SELL, "100", 1);
    }
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "events"), 0);
    mark("BTCUSDT", "300"); /* 1499 - 1500 is left of it */
    ck_assert_int_eq(order_in("BTCUSDT", "o1", OMS_SIDE_SELL, "0.1"), CODE_REDUCING);
    const struct oms_risk_event *event = mr_driver_emit(risk_driver, "events", 0);
    ck_assert(event->type == OMS_RISK_EVENT_TYPE_MARGIN_CALL && event->code == CODE_MARGIN_CALL);
    ck_assert(event->limit == amount("375") && event->current == amount("-1"));
    ck_assert_int_eq(order_in("BTCUSDT", "o2", OMS_SIDE_BUY, "1"), CODE_OK);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "events"), 2); /* said once */
}
END_TEST

START_TEST(one_symbol_may_only_be_so_much_of_all)
{
    struct oms_account_command command = account_command("u1", OMS_ACCOUNT_ACTION_SET_LIMITS);

    command.concentration_limit = amount("0.3");
    command.has_concentration_limit = true;
    push_command(&command);
    mark("BTCUSDT", "100");
    ck_assert_int_eq(order_in("BTCUSDT", "o1", OMS_SIDE_BUY, "3.001"), CODE_CONCENTRATION);
    ck_assert(last_event()->limit == amount("0.3") && last_event()->projected == amount("0.3001"));
    ck_assert_int_eq(order_in("BTCUSDT", "o2", OMS_SIDE_BUY, "3"), CODE_OK);
}
END_TEST

/* --- two steps ---------------------------------------------------------------------------- */

static void follow(const char *id, enum oms_account_action action, const char *transfer)
{
    struct oms_account_command command = account_command("u1", action);

    command.event_id = s(id);
    command.transfer_id = s(transfer);
    command.has_transfer_id = true;
    push_command(&command);
}

static int32_t event_code(void)
{
    return last_event() == NULL ? CODE_OK : last_event()->code;
}

START_TEST(a_withdrawal_in_two_steps_is_paid_or_given_back_once)
{
    const struct oms_account_command *out = NULL;

    risk_transfer("w1", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, "USDT", "400");
    risk_transfer("w2", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, "USDT", "100");
    risk_expect_cash("USDT", "500", "500");
    risk_transfer("w3", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, "USDT", "500.000000000000000001");
    ck_assert_int_eq(event_code(), CODE_INSUFFICIENT_FUNDS);
    follow("k2", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "w1");
    risk_expect_cash("USDT", "500", "100");
    out = mr_driver_emit_last(risk_driver, "transfers");
    ck_assert(out->action == OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT && out->amount == amount("400"));
    ck_assert(mr_slice_equal(out->asset, s("USDT")));
    follow("k3", OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL, "w1");
    ck_assert_int_eq(event_code(), CODE_UNKNOWN_TRANSFER);
    follow("k4", OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL, "w2");
    risk_expect_cash("USDT", "600", "0");
    follow("k4", OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL, "w2");
    ck_assert(last_event()->type == OMS_RISK_EVENT_TYPE_DUPLICATE);
    follow("k5", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "w2");
    ck_assert_int_eq(event_code(), CODE_UNKNOWN_TRANSFER);
    risk_expect_cash("USDT", "600", "0");
}
END_TEST

START_TEST(a_transfer_is_reversed_once_and_a_spent_deposit_not_at_all)
{
    const struct oms_account_command *out = NULL;

    risk_transfer("w1", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "400");
    follow("k2", OMS_ACCOUNT_ACTION_REVERSE, "d1"); /* 1000 came in, 600 are there */
    ck_assert_int_eq(event_code(), CODE_INSUFFICIENT_FUNDS);
    follow("k3", OMS_ACCOUNT_ACTION_REVERSE, "w1");
    risk_expect_cash("USDT", "1000", "0");
    out = mr_driver_emit_last(risk_driver, "transfers");
    ck_assert(out->amount == amount("400"));
    follow("k4", OMS_ACCOUNT_ACTION_REVERSE, "w1");
    ck_assert_int_eq(event_code(), CODE_UNKNOWN_TRANSFER);
    follow("k5", OMS_ACCOUNT_ACTION_REVERSE, "d1");
    risk_expect_cash("USDT", "0", "0");
    out = mr_driver_emit_last(risk_driver, "transfers");
    ck_assert(out->amount == amount("-1000")); /* what it adds to the user */
    follow("k6", OMS_ACCOUNT_ACTION_REVERSE, "k5");
    ck_assert_int_eq(event_code(), CODE_UNKNOWN_TRANSFER);
    follow("k7", OMS_ACCOUNT_ACTION_REVERSE, "");
    ck_assert_int_eq(event_code(), CODE_BAD_ACCOUNT_COMMAND);
}
END_TEST

START_TEST(a_transfer_of_an_earlier_version_counts_but_cannot_be_followed)
{
    const struct oms_risk_transfer row = {.first_ts_us = FIXTURE_TS_US};
    struct mr_err err;

    ck_assert_int_eq(
        mr_store_put(mr_driver_store(risk_driver, "transfers"), key2("u1", "old"), &row, &err),
        MR_OK);
    risk_transfer("old", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "5");
    ck_assert(last_event()->type == OMS_RISK_EVENT_TYPE_DUPLICATE);
    follow("k2", OMS_ACCOUNT_ACTION_REVERSE, "old");
    ck_assert_int_eq(event_code(), CODE_UNKNOWN_TRANSFER);
    risk_expect_cash("USDT", "1000", "0");
}
END_TEST

START_TEST(nobody_is_everybody_with_money)
{
    const struct oms_account_command command =
        fixture_transfer("d9", "*", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1");

    push_command(&command);
    ck_assert_int_eq(event_code(), CODE_BAD_ACCOUNT_COMMAND);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "transfers"), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk limits");
    TCase *tcase = tcase_create("risk limits");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, risk_setup, risk_teardown);
    tcase_add_loop_test(tcase, the_strictest_of_four_switches_counts, 0,
                        (int)MR_COUNT(switch_cases));
    tcase_add_test(tcase, a_switch_may_end_the_open_orders_of_everybody);
    tcase_add_test(tcase, an_id_is_never_longer_than_the_engine_takes);
    tcase_add_test(tcase, what_is_said_of_the_user_goes_before_what_is_said_of_all);
    tcase_add_test(tcase, a_symbol_may_have_a_bucket_of_its_own);
    tcase_add_test(tcase, the_sum_of_a_minute_slides);
    tcase_add_test(tcase, a_loop_of_equal_orders_halts_the_user);
    tcase_add_test(tcase, equal_orders_farther_apart_are_no_loop);
    tcase_add_test(tcase, a_daily_loss_is_latched_until_the_day_is_over);
    tcase_add_test(tcase, after_a_breach_the_position_may_be_reduced);
    tcase_add_test(tcase, margin_adds_up_over_symbols);
    tcase_add_test(tcase, without_a_mark_only_a_reducing_order_passes);
    tcase_add_test(tcase, equity_below_maintenance_is_a_margin_call);
    tcase_add_test(tcase, one_symbol_may_only_be_so_much_of_all);
    tcase_add_test(tcase, a_withdrawal_in_two_steps_is_paid_or_given_back_once);
    tcase_add_test(tcase, a_transfer_is_reversed_once_and_a_spent_deposit_not_at_all);
    tcase_add_test(tcase, a_transfer_of_an_earlier_version_counts_but_cannot_be_followed);
    tcase_add_test(tcase, nobody_is_everybody_with_money);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
