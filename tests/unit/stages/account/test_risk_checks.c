/*
 * Goal:   each check of risk refuses with its code and at its bound, in the fixed order.
 * Method: one user with money, tables of orders against one condition each.
 */
#include "avro/risk_event.h"
#include "domain/codes.h"
#include "risk_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const struct funds_case {
    const char *why;
    enum oms_side side;
    const char *qty;
    const char *price;
    enum dom_code code;
} funds_cases[] = {
    {"all of it: 9.98 x 100 x 1.002 = 999.996", OMS_SIDE_BUY, "9.98", "100", CODE_OK},
    {"the taker fee counts: 10 x 100 x 1.002", OMS_SIDE_BUY, "10", "100", CODE_INSUFFICIENT_FUNDS},
    {"a lot more than the money", OMS_SIDE_BUY, "9.981", "100", CODE_INSUFFICIENT_FUNDS},
    {"all of the base asset", OMS_SIDE_SELL, "10", "100", CODE_OK},
    {"a lot more than the base asset", OMS_SIDE_SELL, "10.001", "100", CODE_INSUFFICIENT_FUNDS},
    {"a sell needs no quote asset", OMS_SIDE_SELL, "10", "90000", CODE_OK},
};

START_TEST(funds_decide_at_the_last_atom)
{
    const struct funds_case *c = &funds_cases[_i];

    risk_push_limit("o1", c->side, c->qty, c->price);
    ck_assert_msg(risk_rejected_with() == (int32_t)c->code, "%s: %d", c->why, risk_rejected_with());
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), c->code == CODE_OK);
}
END_TEST

START_TEST(an_unknown_user_has_nothing)
{
    const struct oms_order_command order = fixture_limit("o1", "u9", OMS_SIDE_BUY, "1", "100");

    risk_push_order(&order);
    ck_assert_int_eq(risk_rejected_with(), CODE_INSUFFICIENT_FUNDS);
}
END_TEST

static const struct collar_case {
    const char *why;
    const char *reference;
    enum oms_side side;
    enum oms_order_type type;
    const char *price;
    enum dom_code code;
} collar_cases[] = {
    {"buy at the upper bound", "100", OMS_SIDE_BUY, OMS_ORDER_TYPE_LIMIT, "110", CODE_OK},
    {"a tick above", "100", OMS_SIDE_BUY, OMS_ORDER_TYPE_LIMIT, "110.01", CODE_PRICE_COLLAR},
    {"a cheap buy harms nobody", "100", OMS_SIDE_BUY, OMS_ORDER_TYPE_LIMIT, "10", CODE_OK},
    {"sell at the lower bound", "100", OMS_SIDE_SELL, OMS_ORDER_TYPE_LIMIT, "90", CODE_OK},
    {"a tick below", "100", OMS_SIDE_SELL, OMS_ORDER_TYPE_LIMIT, "89.99", CODE_PRICE_COLLAR},
    {"a dear sell harms nobody", "100", OMS_SIDE_SELL, OMS_ORDER_TYPE_LIMIT, "900", CODE_OK},
    {"no reference: limits pass", NULL, OMS_SIDE_BUY, OMS_ORDER_TYPE_LIMIT, "500", CODE_OK},
    {"no reference: market has no price", NULL, OMS_SIDE_BUY, OMS_ORDER_TYPE_MARKET, NULL,
     CODE_PRICE_UNAVAILABLE},
    {"market buy is held at the collar", "100", OMS_SIDE_BUY, OMS_ORDER_TYPE_MARKET, "110",
     CODE_OK},
    {"market sell is bounded below", "100", OMS_SIDE_SELL, OMS_ORDER_TYPE_MARKET, "90", CODE_OK},
    {"the collar of a buy is cut to the tick", "100.07", OMS_SIDE_BUY, OMS_ORDER_TYPE_MARKET,
     "110.07", CODE_OK},
    {"the collar of a sell is raised to it", "100.07", OMS_SIDE_SELL, OMS_ORDER_TYPE_MARKET,
     "90.07", CODE_OK},
};

START_TEST(the_collar_binds_on_the_harmful_side)
{
    const struct collar_case *c = &collar_cases[_i];
    const bool market = c->type == OMS_ORDER_TYPE_MARKET;
    struct oms_order_command order =
        fixture_limit("o1", "u1", c->side, "1", market ? "1" : c->price);
    const struct oms_order_command *out = NULL;

    if (c->reference != NULL) {
        risk_set_price(c->reference);
    }
    if (market) {
        order.ord_type = c->type;
        order.tif = OMS_TIME_IN_FORCE_IOC;
        order.has_price = false;
    }
    risk_push_order(&order);
    ck_assert_msg(risk_rejected_with() == (int32_t)c->code, "%s: %d", c->why, risk_rejected_with());
    out = mr_driver_emit_last(risk_driver, "approved");
    if (market && out != NULL) {
        ck_assert_msg(out->has_collar_px && out->collar_px == amount(c->price), "%s", c->why);
        ck_assert(out->has_ref_px && out->ref_px == amount(c->reference));
        ck_assert_int_eq(out->ref_ts_us, FIXTURE_TS_US);
    } else if (out != NULL) {
        ck_assert(!out->has_collar_px);
    }
}
END_TEST

START_TEST(the_factors_of_the_instrument_replace_the_option)
{
    struct oms_instrument instrument = fixture_instrument();

    risk_set_price("100");
    instrument.bid_up = amount("1.5");
    instrument.has_bid_up = true;
    instrument.bid_down = amount("0.5");
    instrument.has_bid_down = true;
    mr_driver_table_set(risk_driver, "instruments", s("BTCUSDT"), &instrument);
    risk_push_limit("o1", OMS_SIDE_BUY, "1", "150");
    risk_push_limit("o2", OMS_SIDE_BUY, "1", "50");
    ck_assert_int_eq(risk_rejected_with(), CODE_OK);
    risk_push_limit("o3", OMS_SIDE_BUY, "1", "150.01");
    ck_assert_int_eq(risk_rejected_with(), CODE_PRICE_COLLAR);
    risk_push_limit("o4", OMS_SIDE_BUY, "1", "49.99");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "rejected"), 2);
}
END_TEST

START_TEST(a_stale_reference_is_none)
{
    const struct mr_driver_setting setting = {.name = "price-age", .text = "10s"};
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "500");

    risk_open(&setting, 1);
    risk_set_price("100");
    order.ts_us += 10 * MR_SECOND_US;
    risk_push_order(&order);
    ck_assert_int_eq(risk_rejected_with(), CODE_PRICE_COLLAR);
    order.order_id = s("o2");
    order.ts_us++;
    risk_push_order(&order);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 1);
}
END_TEST

static void limits(const char *symbol, const char *position, int open_orders)
{
    struct oms_account_command command = {
        .event_id = s("l1"),
        .ts_us = FIXTURE_TS_US,
        .user_id = s("u1"),
        .action = OMS_ACCOUNT_ACTION_SET_LIMITS,
        .symbol = s(symbol == NULL ? "" : symbol),
        .has_symbol = symbol != NULL,
        .position_limit = position == NULL ? 0 : amount(position),
        .has_position_limit = position != NULL,
        .open_orders_max = open_orders,
        .has_open_orders_max = open_orders > 0,
    };

    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u1"), &command), MR_OK);
}

START_TEST(open_orders_count_in_full_against_the_position_limit)
{
    limits("BTCUSDT", "2", 0);
    risk_push_limit("o1", OMS_SIDE_BUY, "1.5", "100");
    risk_push_limit("o2", OMS_SIDE_SELL, "2", "100"); /* the other side has its own room */
    risk_push_limit("o3", OMS_SIDE_BUY, "0.5", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_OK);
    risk_push_limit("o4", OMS_SIDE_BUY, "0.001", "1000");
    ck_assert_int_eq(risk_rejected_with(), CODE_POSITION_LIMIT);
    risk_push_limit("o5", OMS_SIDE_SELL, "0.001", "1000");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "rejected"), 2);
}
END_TEST

START_TEST(a_limit_for_all_symbols_reaches_old_and_new_ones)
{
    struct oms_instrument other = fixture_instrument();
    struct oms_order_command order = fixture_limit("o2", "u1", OMS_SIDE_BUY, "1.5", "100");

    other.symbol = s("BTCFDUSD");
    mr_driver_table_set(risk_driver, "instruments", s("BTCFDUSD"), &other);
    risk_push_limit("o1", OMS_SIDE_BUY, "1", "100");
    limits(NULL, "1", 0);
    risk_push_limit("o3", OMS_SIDE_BUY, "0.1", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_POSITION_LIMIT);
    order.symbol = s("BTCFDUSD");
    risk_push_order(&order);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "rejected"), 2);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 1);
}
END_TEST

START_TEST(open_orders_are_capped)
{
    limits(NULL, NULL, 2);
    risk_push_limit("o1", OMS_SIDE_BUY, "1", "100");
    risk_push_limit("o2", OMS_SIDE_SELL, "1", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_OK);
    risk_push_limit("o3", OMS_SIDE_BUY, "1", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_OPEN_ORDERS);
}
END_TEST

START_TEST(velocity_is_a_bucket_on_record_time)
{
    const struct mr_driver_setting settings[] = {{.name = "velocity", .text = "2/s"},
                                                 {.name = "velocity-burst", .text = "3"}};
    static const struct {
        const char *why;
        int64_t at_us;
        int32_t code;
    } steps[] = {
        {"first of the burst", 0, CODE_OK},
        {"second", 0, CODE_OK},
        {"third", 0, CODE_OK},
        {"the burst is used up", 0, CODE_VELOCITY},
        {"half a second less a microsecond", 499999, CODE_VELOCITY},
        {"one token after half a second", 500000, CODE_OK},
        {"an older record refills nothing", 100, CODE_VELOCITY},
        {"never more than the burst", 100 * MR_SECOND_US, CODE_OK},
        {"second after the pause", 100 * MR_SECOND_US, CODE_OK},
        {"third after the pause", 100 * MR_SECOND_US, CODE_OK},
        {"no fourth", 100 * MR_SECOND_US, CODE_VELOCITY},
    };

    risk_open(settings, MR_COUNT(settings));
    for (size_t i = 0; i < MR_COUNT(steps); i++) {
        char id[8];
        const size_t before = mr_driver_emit_count(risk_driver, "rejected");
        struct oms_order_command order;

        (void)snprintf(id, sizeof(id), "o%zu", i);
        order = fixture_limit(id, "u1", OMS_SIDE_BUY, "0.1", "100");
        order.ts_us += steps[i].at_us;
        risk_push_order(&order);
        ck_assert_msg((mr_driver_emit_count(risk_driver, "rejected") > before) ==
                          (steps[i].code != CODE_OK),
                      "%s", steps[i].why);
    }
    ck_assert_int_eq(risk_rejected_with(), CODE_VELOCITY);
}
END_TEST

START_TEST(a_rejected_order_has_used_its_token)
{
    const struct mr_driver_setting settings[] = {{.name = "velocity", .text = "1/s"},
                                                 {.name = "velocity-burst", .text = "1"}};

    risk_open(settings, MR_COUNT(settings));
    risk_push_limit("o1", OMS_SIDE_BUY, "100", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_INSUFFICIENT_FUNDS);
    risk_push_limit("o2", OMS_SIDE_BUY, "1", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_VELOCITY);
}
END_TEST

static void set_state(enum oms_trading_state state, const char *symbol)
{
    struct oms_account_command command = {
        .event_id = s("s1"),
        .ts_us = FIXTURE_TS_US,
        .user_id = s("u1"),
        .action = OMS_ACCOUNT_ACTION_SET_STATE,
        .trading_state = state,
        .has_trading_state = true,
        .symbol = s(symbol == NULL ? "" : symbol),
        .has_symbol = symbol != NULL,
        .reason = s("test"),
        .has_reason = true,
    };

    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u1"), &command), MR_OK);
}

START_TEST(the_switch_stops_new_orders_and_never_cancels)
{
    const struct oms_order_command cancel = fixture_cancel("c1", "u1", "o1");
    const struct oms_risk_event *event = NULL;

    risk_push_limit("o1", OMS_SIDE_BUY, "1", "100");
    set_state(OMS_TRADING_STATE_HALTED, _i == 0 ? NULL : "BTCUSDT");
    event = mr_driver_emit_last(risk_driver, "events");
    ck_assert_ptr_nonnull(event);
    ck_assert(event->type == OMS_RISK_EVENT_TYPE_STATE_CHANGE);
    ck_assert(event->has_state_from && event->state_from == OMS_TRADING_STATE_ACTIVE);
    ck_assert(event->has_state_to && event->state_to == OMS_TRADING_STATE_HALTED);
    risk_push_limit("o2", OMS_SIDE_BUY, "1", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_HALTED);
    risk_push_order(&cancel);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 2);
    set_state(OMS_TRADING_STATE_ACTIVE, _i == 0 ? NULL : "BTCUSDT");
    risk_push_limit("o3", OMS_SIDE_BUY, "1", "100");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 3);
}
END_TEST

/* Buys `qty` at 100 and has it filled at once. */
static void own(const char *id, const char *qty)
{
    const struct oms_order_command order = fixture_limit(id, "u1", OMS_SIDE_BUY, qty, "100");
    struct oms_execution_report report;
    const struct oms_order_command *out = NULL;

    risk_push_order(&order);
    out = mr_driver_emit_last(risk_driver, "approved");
    ck_assert_ptr_nonnull(out);
    report = fixture_accepted(id, "u1", OMS_SIDE_BUY, qty, "0");
    report.hold_after = out->reserved;
    risk_push_report(&report);
    report = fixture_fill(&report, id, qty, "100", "0", "0");
    risk_push_report(&report);
}

START_TEST(reducing_takes_only_what_brings_the_position_to_zero)
{
    own("b1", "2");
    set_state(OMS_TRADING_STATE_REDUCING, NULL);
    risk_push_limit("o1", OMS_SIDE_BUY, "1", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_REDUCING);
    risk_push_limit("o2", OMS_SIDE_SELL, "1.5", "100");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "rejected"), 1);
    risk_push_limit("o3", OMS_SIDE_SELL, "0.501", "100"); /* 2.001 in all would flip it */
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "rejected"), 2);
    risk_push_limit("o4", OMS_SIDE_SELL, "0.5", "100");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "rejected"), 2);
}
END_TEST

/* Each row breaks its own check and all later ones; the code must be its own. */
static const struct precedence_case {
    const char *why;
    bool halted, no_tokens, no_slots, far_price;
    const char *limit;
    enum dom_code code;
} precedence_cases[] = {
    {"switch before all", true, true, true, true, "0.5", CODE_HALTED},
    {"velocity before counts", false, true, true, true, "0.5", CODE_VELOCITY},
    {"counts before price", false, false, true, true, "0.5", CODE_OPEN_ORDERS},
    {"price before position", false, false, false, true, "0.5", CODE_PRICE_COLLAR},
    {"position before funds", false, false, false, false, "0.5", CODE_POSITION_LIMIT},
    {"funds last", false, false, false, false, "1000", CODE_INSUFFICIENT_FUNDS},
};

START_TEST(checks_run_in_a_fixed_order)
{
    const struct precedence_case *c = &precedence_cases[_i];
    const struct mr_driver_setting settings[] = {
        {.name = "velocity", .text = "1/s"},
        {.name = "velocity-burst", .text = c->no_tokens ? "1" : "10"}};

    risk_open(settings, MR_COUNT(settings));
    risk_push_limit("o1", OMS_SIDE_SELL, "1", "100");
    limits(NULL, c->limit, c->no_slots ? 1 : 100);
    if (c->far_price) {
        risk_set_price("10");
    }
    if (c->halted) {
        set_state(OMS_TRADING_STATE_HALTED, NULL);
    }
    risk_push_limit("o2", OMS_SIDE_BUY, "100", "100");
    ck_assert_msg(risk_rejected_with() == (int32_t)c->code, "%s: %d", c->why, risk_rejected_with());
}
END_TEST

START_TEST(an_order_above_the_users_notional_is_too_large)
{
    struct oms_account_command command =
        fixture_transfer("l1", "u1", OMS_ACCOUNT_ACTION_SET_LIMITS, "USDT", "1");

    command.notional_max = amount("200");
    command.has_notional_max = true;
    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u1"), &command), MR_OK);
    risk_push_limit("o1", OMS_SIDE_BUY, "2", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_OK);
    risk_push_limit("o2", OMS_SIDE_BUY, "2.001", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_ORDER_TOO_LARGE);
}
END_TEST

START_TEST(an_instrument_that_went_away_is_unknown)
{
    mr_driver_table_set(risk_driver, "instruments", s("BTCUSDT"), NULL);
    risk_push_limit("o1", OMS_SIDE_BUY, "1", "100");
    ck_assert_int_eq(risk_rejected_with(), CODE_UNKNOWN_SYMBOL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk checks");
    TCase *tcase = tcase_create("risk checks");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, risk_setup, risk_teardown);
    tcase_add_loop_test(tcase, funds_decide_at_the_last_atom, 0, (int)MR_COUNT(funds_cases));
    tcase_add_test(tcase, an_unknown_user_has_nothing);
    tcase_add_loop_test(tcase, the_collar_binds_on_the_harmful_side, 0,
                        (int)MR_COUNT(collar_cases));
    tcase_add_test(tcase, the_factors_of_the_instrument_replace_the_option);
    tcase_add_test(tcase, a_stale_reference_is_none);
    tcase_add_test(tcase, open_orders_count_in_full_against_the_position_limit);
    tcase_add_test(tcase, a_limit_for_all_symbols_reaches_old_and_new_ones);
    tcase_add_test(tcase, open_orders_are_capped);
    tcase_add_test(tcase, velocity_is_a_bucket_on_record_time);
    tcase_add_test(tcase, a_rejected_order_has_used_its_token);
    tcase_add_loop_test(tcase, the_switch_stops_new_orders_and_never_cancels, 0, 2);
    tcase_add_test(tcase, reducing_takes_only_what_brings_the_position_to_zero);
    tcase_add_loop_test(tcase, checks_run_in_a_fixed_order, 0, (int)MR_COUNT(precedence_cases));
    tcase_add_test(tcase, an_order_above_the_users_notional_is_too_large);
    tcase_add_test(tcase, an_instrument_that_went_away_is_unknown);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
