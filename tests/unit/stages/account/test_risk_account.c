/*
 * Goal:   the row of a user holds what it must, in the order of names, and nothing of no content;
 *         leaving entries out changes no answer.
 * Method: commands, orders and reports that fill and empty a row; then what is in it, and what the
 *         next order is told.
 */
#include "domain/codes.h"
#include "risk_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MANY 300

static void push_command(const struct oms_account_command *command)
{
    ck_assert_msg(mr_driver_push(risk_driver, "accounts", command->user_id, command) == MR_OK, "%s",
                  mr_driver_error(risk_driver));
}

static void deposit(const char *id, const char *user, const char *asset, const char *value)
{
    const struct oms_account_command command =
        fixture_transfer(id, user, OMS_ACCOUNT_ACTION_DEPOSIT, asset, value);

    push_command(&command);
}

/* symbol NULL: all of them. */
static void limit(const char *user, const char *symbol, const char *position)
{
    struct oms_account_command command =
        fixture_transfer("l1", user, OMS_ACCOUNT_ACTION_SET_LIMITS, "USDT", "1");

    command.symbol = s(symbol == NULL ? "" : symbol);
    command.has_symbol = symbol != NULL;
    command.position_limit = amount(position);
    command.has_position_limit = true;
    push_command(&command);
}

static void set_state(enum oms_trading_state state, const char *symbol)
{
    struct oms_account_command command =
        fixture_transfer("s1", "u1", OMS_ACCOUNT_ACTION_SET_STATE, "USDT", "1");

    command.symbol = s(symbol);
    command.has_symbol = true;
    command.trading_state = state;
    command.has_trading_state = true;
    push_command(&command);
}

/* What `asset` costs in USDT can be traded from now on. */
static void list_symbol(const char *symbol, const char *asset)
{
    struct oms_instrument instrument = fixture_instrument();

    instrument.symbol = s(symbol);
    instrument.base_asset = s(asset);
    mr_driver_table_set(risk_driver, "instruments", s(symbol), &instrument);
}

static void buy(const char *id, const char *user, const char *symbol, const char *qty)
{
    struct oms_order_command order = fixture_limit(id, user, OMS_SIDE_BUY, qty, "100");

    order.symbol = s(symbol);
    risk_push_order(&order);
}

static void cancel(const char *id, const char *user, const char *symbol)
{
    struct oms_execution_report report = fixture_accepted(id, user, OMS_SIDE_BUY, "1", "0");

    report.symbol = s(symbol);
    report = fixture_canceled(&report, id);
    risk_push_report(&report);
}

static size_t exposures_of_u1(void)
{
    return risk_account_of_u1().exposures.count;
}

static void expect_sorted(const struct oms_risk_account *account)
{
    for (size_t i = 1; i < account->exposures.count; i++) {
        ck_assert_int_lt(mr_slice_compare(account->exposures.items[i - 1].symbol,
                                          account->exposures.items[i].symbol),
                         0);
    }
    for (size_t i = 1; i < account->balances.count; i++) {
        ck_assert_int_lt(mr_slice_compare(account->balances.items[i - 1].asset,
                                          account->balances.items[i].asset),
                         0);
    }
}

/* --- order -------------------------------------------------------------------------------- */

/* First, last, between, before a name that it begins, and one that is there already. */
static const char *const arrivals[] = {"M", "C", "X", "D", "MM", "A", "MMM", "Z", "D", "L"};
static const char *const sorted[] = {"A", "C", "D", "L", "M", "MM", "MMM", "X", "Z"};

START_TEST(entries_are_kept_in_the_order_of_names)
{
    struct oms_risk_account account;

    for (size_t i = 0; i < MR_COUNT(arrivals); i++) {
        char id[8];

        (void)snprintf(id, sizeof(id), "t%zu", i);
        deposit(id, "u2", arrivals[i], "1");
        limit("u2", arrivals[i], "7");
    }
    account = risk_account_of(risk_driver, "u2");
    ck_assert_uint_eq(account.exposures.count, MR_COUNT(sorted));
    ck_assert_uint_eq(account.balances.count, MR_COUNT(sorted));
    for (size_t i = 0; i < MR_COUNT(sorted); i++) {
        const bool twice = strcmp(sorted[i], "D") == 0;

        ck_assert(mr_slice_equal(account.exposures.items[i].symbol, s(sorted[i])));
        ck_assert(account.exposures.items[i].position_limit == amount("7"));
        ck_assert(mr_slice_equal(account.balances.items[i].asset, s(sorted[i])));
        ck_assert(account.balances.items[i].available == amount(twice ? "2" : "1"));
    }
}
END_TEST

START_TEST(the_same_content_is_the_same_row_whatever_came_first)
{
    uint64_t forwards = 0;

    limit("u1", "A", "1");
    limit("u1", "B", "2");
    limit("u1", "C", "3");
    forwards = mr_driver_state_digest(risk_driver);
    risk_setup();
    limit("u1", "C", "3");
    limit("u1", "B", "2");
    limit("u1", "A", "1");
    ck_assert_uint_eq(mr_driver_state_digest(risk_driver), forwards);
}
END_TEST

/* Names of many symbols, in an order that is none. */
static void many_names(int i, char symbol[16], char id[16])
{
    (void)snprintf(symbol, 16, "S%d", i * 7 % MANY);
    (void)snprintf(id, 16, "o%d", i * 7 % MANY);
}

START_TEST(a_user_may_have_hundreds_of_symbols)
{
    static const struct mr_driver_setting settings[] = {{.name = "velocity-burst", .text = "1000"},
                                                        {.name = "open-orders", .text = "1000"}};
    struct oms_risk_account account;
    char symbol[16];
    char id[16];

    risk_open(settings, MR_COUNT(settings));
    deposit("d3", "u1", "USDT", "100000");
    for (int i = 0; i < MANY; i++) {
        many_names(i, symbol, id);
        list_symbol(symbol, symbol);
        buy(id, "u1", symbol, "1");
    }
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), MANY);
    ck_assert_int_eq(mr_driver_commit(risk_driver), MR_OK);
    mr_driver_restart(risk_driver);
    account = risk_account_of_u1();
    ck_assert_uint_eq(account.exposures.count, MANY);
    ck_assert_int_eq(account.open_orders, MANY);
    expect_sorted(&account);
    for (size_t i = 0; i < MANY; i++) {
        ck_assert(account.exposures.items[i].open_buy == amount("1"));
        ck_assert_int_eq(account.exposures.items[i].open_orders, 1);
    }
    for (int i = 0; i < MANY; i++) {
        many_names(i, symbol, id);
        cancel(id, "u1", symbol);
        account = risk_account_of_u1();
        expect_sorted(&account);
        ck_assert_uint_eq(account.exposures.count, (size_t)(MANY - i - 1));
    }
    risk_expect_cash("USDT", "101000", "0");
}
END_TEST

/* --- what is left out --------------------------------------------------------------------- */

START_TEST(an_order_that_came_and_went_leaves_no_entry)
{
    buy("o1", "u1", "BTCUSDT", "1");
    ck_assert_uint_eq(exposures_of_u1(), 1);
    cancel("o1", "u1", "BTCUSDT");
    ck_assert_uint_eq(exposures_of_u1(), 0);
    risk_expect_cash("USDT", "1000", "0");
}
END_TEST

START_TEST(a_position_keeps_its_entry_until_it_is_closed)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "1", "100.2");

    buy("o1", "u1", "BTCUSDT", "1");
    report = fixture_fill(&report, "x1", "1", "100", "0.2", "0");
    risk_push_report(&report);
    ck_assert(risk_exposure_of_u1().position == amount("1"));
    risk_push_limit("o2", OMS_SIDE_SELL, "1", "100");
    report = fixture_accepted("o2", "u1", OMS_SIDE_SELL, "1", "1");
    report = fixture_fill(&report, "x2", "1", "100", "0.2", "0");
    risk_push_report(&report);
    ck_assert_uint_eq(exposures_of_u1(), 0);
    risk_expect_cash("USDT", "999.6", "0");
    risk_expect_cash("BTC", "10", "0");
}
END_TEST

START_TEST(a_limit_and_a_state_keep_their_entry)
{
    limit("u1", "A", "0");
    ck_assert_uint_eq(exposures_of_u1(), 1);
    limit("u1", NULL, "0");
    ck_assert_uint_eq(exposures_of_u1(), 0);
    set_state(OMS_TRADING_STATE_HALTED, "B");
    limit("u1", NULL, "3");
    ck_assert_uint_eq(exposures_of_u1(), 1);
    set_state(OMS_TRADING_STATE_ACTIVE, "B");
    ck_assert_uint_eq(exposures_of_u1(), 0);
}
END_TEST

START_TEST(a_balance_goes_with_its_last_atom)
{
    ck_assert_uint_eq(risk_account_of_u1().balances.count, 2);
    risk_push_limit("o1", OMS_SIDE_SELL, "10", "100");
    risk_expect_cash("BTC", "0", "10"); /* what is held is not nothing */
    ck_assert_uint_eq(risk_account_of_u1().balances.count, 2);
    risk_transfer("t1", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "999.999999999999999999");
    ck_assert_uint_eq(risk_account_of_u1().balances.count, 2);
    risk_transfer("t2", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "0.000000000000000001");
    ck_assert_uint_eq(risk_account_of_u1().balances.count, 1);
    risk_transfer("t3", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "0.000000000000000001");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "transfers"), 4);
    risk_transfer("t4", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "5");
    risk_expect_cash("USDT", "5", "0");
}
END_TEST

/* --- limits for all symbols --------------------------------------------------------------- */

START_TEST(a_symbol_that_comes_back_has_the_limit_of_all)
{
    limit("u1", NULL, "1");
    buy("o1", "u1", "BTCUSDT", "1");
    cancel("o1", "u1", "BTCUSDT");
    ck_assert_uint_eq(exposures_of_u1(), 0);
    buy("o2", "u1", "BTCUSDT", "1.001");
    ck_assert_int_eq(risk_rejected_with(), CODE_POSITION_LIMIT);
    buy("o3", "u1", "BTCUSDT", "1");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 2);
}
END_TEST

START_TEST(of_the_limits_for_one_and_for_all_the_later_one_counts)
{
    limit("u1", "BTCUSDT", "1");
    limit("u1", NULL, "3");
    buy("o1", "u1", "BTCUSDT", "2");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 1);
    limit("u1", "BTCUSDT", "2.5");
    buy("o2", "u1", "BTCUSDT", "0.501");
    ck_assert_int_eq(risk_rejected_with(), CODE_POSITION_LIMIT);
    buy("o3", "u1", "BTCUSDT", "0.5");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 2);
}
END_TEST

START_TEST(the_limit_of_all_goes_before_the_instruments)
{
    struct oms_instrument instrument = fixture_instrument();

    instrument.max_position = amount("1");
    instrument.has_max_position = true;
    mr_driver_table_set(risk_driver, "instruments", s("BTCUSDT"), &instrument);
    buy("o1", "u1", "BTCUSDT", "2");
    ck_assert_int_eq(risk_rejected_with(), CODE_POSITION_LIMIT);
    limit("u1", NULL, "2");
    buy("o2", "u1", "BTCUSDT", "2");
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 1);
}
END_TEST

/* --- rows --------------------------------------------------------------------------------- */

START_TEST(users_do_not_mix)
{
    deposit("d1", "u10", "USDT", "500");
    limit("u10", NULL, "1");
    buy("o1", "u10", "BTCUSDT", "1");
    buy("o2", "u1", "BTCUSDT", "2");
    ck_assert_int_eq(risk_rejected_with(), CODE_OK);
    ck_assert(risk_balance_of(risk_driver, "u10", "USDT").available == amount("399.8"));
    ck_assert(risk_exposure_of(risk_driver, "u10", "BTCUSDT").open_buy == amount("1"));
    ck_assert(!risk_account_of_u1().has_position_limit);
    ck_assert(risk_exposure_of_u1().open_buy == amount("2"));
    risk_expect_cash("USDT", "799.6", "200.4");
    ck_assert_uint_eq(mr_driver_store_count(risk_driver, "accounts"), 2);
}
END_TEST

/* A deposit makes the row, but the bucket begins with the first order, at that order's time. */
START_TEST(a_deposit_stamped_after_the_orders_does_not_stop_the_bucket)
{
    static const struct mr_driver_setting settings[] = {{.name = "velocity", .text = "1/s"},
                                                        {.name = "velocity-burst", .text = "1"}};
    struct oms_account_command command =
        fixture_transfer("d1", "u2", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1000");
    struct oms_order_command order = fixture_limit("o1", "u2", OMS_SIDE_BUY, "1", "100");

    risk_open(settings, MR_COUNT(settings));
    command.ts_us += MR_DAY_US;
    push_command(&command);
    ck_assert(!risk_account_of(risk_driver, "u2").has_bucket_ts_us);
    risk_push_order(&order);
    order.order_id = s("o2");
    order.ts_us += MR_SECOND_US;
    risk_push_order(&order);
    ck_assert_uint_eq(mr_driver_emit_count(risk_driver, "approved"), 2);
    ck_assert(risk_account_of(risk_driver, "u2").bucket_ts_us == order.ts_us);
}
END_TEST

START_TEST(a_name_too_long_for_a_key_is_poison)
{
    const uint64_t before = mr_driver_state_digest(risk_driver);
    char symbol[MR_KEY_BYTES_MAX];
    struct oms_account_command command =
        fixture_transfer("s1", "u1", OMS_ACCOUNT_ACTION_SET_STATE, "USDT", "1");

    memset(symbol, 'S', sizeof(symbol));
    command.trading_state = OMS_TRADING_STATE_HALTED;
    command.has_trading_state = true;
    command.has_symbol = true;
    command.symbol = mr_slice_of(symbol, MR_KEY_BYTES_MAX - 3); /* "u1" and two separators: 511 */
    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u1"), &command), MR_MALFORMED);
    ck_assert_uint_eq(mr_driver_state_digest(risk_driver), before);
    command.symbol.len--;
    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u1"), &command), MR_OK);
    ck_assert_uint_eq(exposures_of_u1(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk account");
    TCase *tcase = tcase_create("risk account");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, risk_setup, risk_teardown);
    tcase_add_test(tcase, entries_are_kept_in_the_order_of_names);
    tcase_add_test(tcase, the_same_content_is_the_same_row_whatever_came_first);
    tcase_add_test(tcase, a_user_may_have_hundreds_of_symbols);
    tcase_add_test(tcase, an_order_that_came_and_went_leaves_no_entry);
    tcase_add_test(tcase, a_position_keeps_its_entry_until_it_is_closed);
    tcase_add_test(tcase, a_limit_and_a_state_keep_their_entry);
    tcase_add_test(tcase, a_balance_goes_with_its_last_atom);
    tcase_add_test(tcase, a_symbol_that_comes_back_has_the_limit_of_all);
    tcase_add_test(tcase, of_the_limits_for_one_and_for_all_the_later_one_counts);
    tcase_add_test(tcase, the_limit_of_all_goes_before_the_instruments);
    tcase_add_test(tcase, users_do_not_mix);
    tcase_add_test(tcase, a_deposit_stamped_after_the_orders_does_not_stop_the_bucket);
    tcase_add_test(tcase, a_name_too_long_for_a_key_is_poison);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
