/*
 * Goal:   a dry run says what the stage would do, for the same first reason, and changes nothing.
 * Method: random users, limits, prices and orders; each order is dry-run on the rows as they are
 * and then sent: allowed exactly when it is approved, else with the code of the rejection.
 */
#include "domain/codes.h"
#include "risk/risk.h"
#include "risk/risk_dry.h"
#include "risk_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 1500

static struct instrument_cache cache;
static struct oms_instrument instrument;
static struct oms_price_tick tick;
static bool has_price;
static uint64_t random_state;

static uint64_t roll(uint64_t sides)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % sides;
}

static const struct oms_instrument *instrument_of(void *arg, struct mr_slice symbol)
{
    (void)arg;
    return mr_slice_equal(symbol, instrument.symbol) ? &instrument : NULL;
}

static const struct oms_price_tick *price_of(void *arg, struct mr_slice symbol)
{
    (void)arg;
    return has_price && mr_slice_equal(symbol, tick.symbol) ? &tick : NULL;
}

/* The driver lends one value at a time: `all` has no arrays here that matter to the other. */
static void dry_run(const struct oms_order_command *order, struct risk_dry_result *result)
{
    const struct risk_settings settings = {.velocity_micro = 50 * BUCKET_TOKEN,
                                           .burst = 100,
                                           .collar_ppm = 100000,
                                           .open_orders = 200,
                                           .loop_window_us = 10 * MR_SECOND_US};
    struct oms_risk_account user;
    struct risk_dry dry = {.settings = &settings,
                           .instrument_of = instrument_of,
                           .price_of = price_of,
                           .order = order,
                           .now_us = order->ts_us,
                           .instruments = &cache};

    memset(&cache, 0, sizeof(cache));
    if (mr_driver_store_get(risk_driver, "accounts", s("u1"), &user)) {
        dry.user = &user;
    }
    risk_dry_run(&dry, result);
}

static void random_market(void)
{
    instrument = fixture_instrument();
    instrument.min_notional = 0;
    if (roll(3) == 0) {
        instrument.initial_margin = amount("0.3");
        instrument.has_initial_margin = true;
        instrument.maintenance_margin = amount("0.2");
        instrument.has_maintenance_margin = roll(2) == 0;
    }
    if (roll(3) == 0) {
        instrument.bid_up = amount("1.02");
        instrument.has_bid_up = true;
    }
    tick = fixture_price("BTCUSDT", roll(2) == 0 ? "100" : "93.5");
    has_price = roll(5) != 0;
    mr_driver_table_set(risk_driver, "instruments", s("BTCUSDT"), &instrument);
    mr_driver_table_set(risk_driver, "prices", s("BTCUSDT"), has_price ? &tick : NULL);
}

static void random_limit(void)
{
    struct oms_account_command command =
        fixture_transfer("l1", "u1", OMS_ACCOUNT_ACTION_SET_LIMITS, "USDT", "1");

    switch (roll(6)) {
    case 0:
        command.position_limit = amount("3");
        command.has_position_limit = true;
        break;
    case 1:
        command.notional_max = amount("150");
        command.has_notional_max = true;
        break;
    case 2:
        command.concentration_limit = amount("0.4");
        command.has_concentration_limit = true;
        break;
    case 3:
        command.velocity_burst = (int32_t)roll(5);
        command.has_velocity_burst = true;
        break;
    case 4:
        command.notional_window_max = amount("700");
        command.has_notional_window_max = true;
        break;
    default:
        command.action = OMS_ACCOUNT_ACTION_SET_STATE;
        command.trading_state = (enum oms_trading_state)roll(3);
        command.has_trading_state = true;
        break;
    }
    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u1"), &command), MR_OK);
}

static struct oms_order_command random_order(int number, char id[16])
{
    static const char *const prices[] = {"90", "95.5", "100", "101.99", "109"};
    struct oms_order_command order;
    char qty[32];

    (void)snprintf(id, 16, "o%d", number);
    (void)snprintf(qty, sizeof(qty), "%d.%d", (int)roll(4), (int)(1 + roll(9)));
    order = fixture_limit(id, "u1", roll(2) == 0 ? OMS_SIDE_BUY : OMS_SIDE_SELL, qty,
                          prices[roll(MR_COUNT(prices))]);
    order.ts_us += (int64_t)number * 100000;
    order.reduce_only = roll(10) == 0;
    if (roll(4) == 0) {
        order.ord_type = OMS_ORDER_TYPE_MARKET;
        order.tif = OMS_TIME_IN_FORCE_IOC;
        order.has_price = false;
        order.price = 0;
        if (roll(2) == 0) {
            order.quote_qty = order.qty * 100;
            order.has_quote_qty = true;
            order.qty = 0;
            order.has_qty = false;
        }
    } else if (roll(4) == 0) {
        order.ord_type = OMS_ORDER_TYPE_STOP;
        order.stop_price = order.price;
        order.has_stop_price = true;
        order.has_price = false;
        order.price = 0;
    }
    return order;
}

static void close_some(const char *id, enum oms_side side, const char *qty)
{
    struct oms_execution_report report = fixture_accepted(id, "u1", side, qty, "0");

    report = fixture_canceled(&report, id);
    risk_push_report(&report);
}

START_TEST(a_dry_run_says_what_the_stage_does)
{
    size_t approved = 0;
    size_t codes = 0;
    bool seen[5000] = {false};

    random_state = (uint64_t)_i + 1;
    for (int i = 0; i < ROUNDS; i++) {
        const size_t before = mr_driver_emit_count(risk_driver, "approved");
        struct risk_dry_result result;
        struct oms_order_command order;
        uint64_t digest = 0;
        int32_t code = CODE_OK;
        char id[16];

        if (i % 75 == 0) {
            risk_setup(); /* or all would be limited in the end */
        }
        if (i % 75 == 0 || roll(4) == 0) {
            random_market();
        }
        if (roll(20) == 0) {
            random_limit();
        }
        order = random_order(i, id);
        digest = mr_driver_state_digest(risk_driver);
        dry_run(&order, &result);
        ck_assert_uint_eq(mr_driver_state_digest(risk_driver), digest);
        ck_assert_uint_eq(result.invalid.count, 0);
        risk_push_order(&order);
        for (size_t k = 0; k < RISK_CHECK_COUNT && code == CODE_OK; k++) {
            code = (int32_t)result.checks[k].code;
        }
        ck_assert_msg(result.allowed == (mr_driver_emit_count(risk_driver, "approved") > before),
                      "order %d: %d", i, code);
        if (result.allowed) {
            approved++;
            if (roll(2) == 0) {
                close_some(id, order.side, "1");
            }
        } else {
            ck_assert_int_eq(risk_rejected_with(), code);
            codes += seen[code] ? 0 : 1;
            seen[code] = true;
        }
        ck_assert_int_eq(mr_driver_commit(risk_driver), MR_OK);
        mr_driver_emits_clear(risk_driver);
    }
    ck_assert_uint_gt(approved, 50);
    ck_assert_uint_ge(codes, 6);
}
END_TEST

START_TEST(what_is_not_valid_is_told_before_any_check)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100.005");
    struct risk_dry_result result;

    random_market();
    dry_run(&order, &result);
    ck_assert(!result.allowed);
    ck_assert_int_eq(code_list_first(&result.invalid), CODE_PRICE_TICK);
    order.symbol = s("NOSUCH");
    dry_run(&order, &result);
    ck_assert_int_eq(code_list_first(&result.invalid), CODE_UNKNOWN_SYMBOL);
}
END_TEST

START_TEST(a_user_who_was_never_seen_has_nothing)
{
    const struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");
    struct risk_dry_result result;

    mr_driver_destroy(&risk_driver);
    risk_driver = mr_driver_create(&risk_stage, NULL, 0);
    instrument = fixture_instrument();
    dry_run(&order, &result);
    ck_assert(!result.allowed);
    for (size_t i = 0; i < RISK_CHECK_COUNT; i++) {
        ck_assert(result.checks[i].passed == (i != RISK_CHECK_FUNDS));
    }
}
END_TEST

START_TEST(the_options_are_those_of_the_stage)
{
    struct risk_settings settings;
    struct mr_stage other = risk_stage;

    ck_assert(risk_dry_settings(&risk_stage, mr_driver_self(risk_driver), &settings));
    ck_assert_int_eq(settings.burst, 100);
    ck_assert_int_eq(settings.collar_ppm, 100000);
    ck_assert(!risk_dry_settings(&other, mr_driver_self(risk_driver), &settings));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk dry run");
    TCase *tcase = tcase_create("risk dry run");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, risk_setup, risk_teardown);
    tcase_add_loop_test(tcase, a_dry_run_says_what_the_stage_does, 0, 4);
    tcase_add_test(tcase, what_is_not_valid_is_told_before_any_check);
    tcase_add_test(tcase, a_user_who_was_never_seen_has_nothing);
    tcase_add_test(tcase, the_options_are_those_of_the_stage);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
