/*
 * Goal:   one row holds all that settle knows of a user: entries in the order of their names, none
 *         lost, none of another user, read once and written once per record.
 * Method: deposits and fills in scrambled orders, the row looked at as it is stored.
 */
#include "account_fixture.h"
#include "avro/position.h"
#include "avro/settle_account.h"
#include "settle/settle.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MANY 300
#define STRIDE 97 /* prime to MANY: every number once, far from ordered */

static struct mr_driver *driver;
static int serial; /* no two ids are equal */

static void setup(void)
{
    driver = mr_driver_create(&settle_stage, NULL, 0);
    serial = 0;
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

static enum mr_status move(const char *user, enum oms_account_action action, struct mr_slice asset,
                           dec_t value)
{
    char id[16];
    struct oms_account_command command;

    (void)snprintf(id, sizeof(id), "t%d", serial++);
    command = fixture_transfer(id, user, action, "", "0");
    command.asset = asset;
    command.amount = value;
    return mr_driver_push(driver, "accounts", command.user_id, &command);
}

static void deposit(const char *user, const char *asset, const char *value)
{
    ck_assert_int_eq(move(user, OMS_ACCOUNT_ACTION_DEPOSIT, s(asset), amount(value)), MR_OK);
}

static void push(const struct oms_execution_report *report)
{
    ck_assert_msg(mr_driver_push(driver, "executions", report->user_id, report) == MR_OK, "%s",
                  mr_driver_error(driver));
}

/* An order of one unit of `base` against USDT, filled in one go, without a fee. */
static void trade(const char *user, const char *base, enum oms_side side, const char *price)
{
    char id[16];
    char symbol[32];
    struct oms_execution_report report;

    (void)snprintf(id, sizeof(id), "o%d", serial++);
    (void)snprintf(symbol, sizeof(symbol), "%sUSDT", base);
    report = fixture_accepted(id, user, side, "1", side == OMS_SIDE_BUY ? price : "1");
    report.symbol = s(symbol);
    report.base_asset = s(base);
    push(&report);
    report = fixture_fill(&report, id, "1", price, "0", "0");
    push(&report);
}

static struct oms_settle_account row_of(const char *user)
{
    struct oms_settle_account row = {0};

    ck_assert(mr_driver_store_get(driver, "accounts", s(user), &row));
    for (size_t i = 1; i < row.balances.count; i++) {
        ck_assert_int_lt(
            mr_slice_compare(row.balances.items[i - 1].asset, row.balances.items[i].asset), 0);
    }
    for (size_t i = 1; i < row.positions.count; i++) {
        ck_assert_int_lt(
            mr_slice_compare(row.positions.items[i - 1].symbol, row.positions.items[i].symbol), 0);
    }
    return row;
}

START_TEST(entries_stand_in_the_order_of_their_names)
{
    static const char *const came[] = {"ETH", "BTC", "a", "BTCX", "BT", "\xc3\xa9", "Z", "A"};
    static const char *const stand[] = {"A", "BT", "BTC", "BTCX", "ETH", "Z", "a", "\xc3\xa9"};
    struct oms_settle_account row;
    char value[8];

    for (size_t i = 0; i < MR_COUNT(came); i++) {
        (void)snprintf(value, sizeof(value), "%zu", i + 1);
        deposit("u1", came[i], value);
        row = row_of("u1");
        ck_assert_uint_eq(row.balances.count, i + 1);
    }
    /* A change of an entry moves no other. */
    deposit("u1", "BTCX", "100");
    row = row_of("u1");
    ck_assert_uint_eq(row.balances.count, MR_COUNT(stand));
    for (size_t i = 0; i < MR_COUNT(stand); i++) {
        ck_assert(mr_slice_equal(row.balances.items[i].asset, s(stand[i])));
        ck_assert_int_eq(row.balances.items[i].version, i == 3 ? 2 : 1);
    }
    ck_assert(row.balances.items[3].available == amount("104"));
    ck_assert(row.balances.items[4].available == amount("1"));
    ck_assert_int_eq(row.journal_seq, (int64_t)MR_COUNT(came) + 1);
}
END_TEST

START_TEST(a_user_may_have_many_assets_and_symbols)
{
    struct oms_settle_account row;
    char name[8];
    char value[8];

    deposit("u1", "USDT", "1000000");
    for (int i = 0; i < MANY; i++) {
        const int n = i * STRIDE % MANY;

        (void)snprintf(name, sizeof(name), "A%03d", n);
        (void)snprintf(value, sizeof(value), "%d", n + 1);
        deposit("u1", name, value);
        trade("u1", name, OMS_SIDE_BUY, value);
        if (i % 50 == 0) {
            ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
            mr_driver_restart(driver);
        }
    }
    row = row_of("u1");
    ck_assert_uint_eq(row.balances.count, MANY + 1);
    ck_assert_uint_eq(row.positions.count, MANY);
    ck_assert_int_eq(row.journal_seq, 1 + 3 * MANY);
    for (int i = 0; i < MANY; i++) {
        const struct oms_settle_balance *balance = &row.balances.items[i];
        const struct oms_settle_position *position = &row.positions.items[i];

        (void)snprintf(name, sizeof(name), "A%03d", i);
        ck_assert(mr_slice_equal(balance->asset, s(name)));
        ck_assert(balance->available == (i + 2) * amount("1") && balance->hold == 0);
        ck_assert_int_eq(balance->version, 2);
        ck_assert(memcmp(position->symbol.data, name, strlen(name)) == 0);
        ck_assert(position->qty == amount("1"));
        ck_assert(position->cost_basis == (i + 1) * amount("1"));
        ck_assert_int_eq(position->version, 1);
    }
    ck_assert(mr_slice_equal(row.balances.items[MANY].asset, s("USDT")));
    ck_assert_int_eq(row.balances.items[MANY].version, 1 + 2 * MANY);
    ck_assert(row.balances.items[MANY].available ==
              amount("1000000") - (dec_t)MANY * (MANY + 1) / 2 * amount("1"));
}
END_TEST

START_TEST(two_users_do_not_mix)
{
    struct oms_settle_account row;

    deposit("u1", "USDT", "100");
    deposit("u10", "USDT", "7");
    deposit("u1", "BTC", "1");
    trade("u1", "BTC", OMS_SIDE_SELL, "10");
    deposit("u10", "ETH", "3");
    trade("u10", "ETH", OMS_SIDE_SELL, "20");
    trade("u1", "BTC", OMS_SIDE_BUY, "12");
    row = row_of("u1");
    ck_assert_int_eq(row.journal_seq, 6);
    ck_assert_uint_eq(row.balances.count, 2);
    ck_assert(row.balances.items[0].available == amount("1"));
    ck_assert(row.balances.items[1].available == amount("98"));
    ck_assert_uint_eq(row.positions.count, 1);
    ck_assert(mr_slice_equal(row.positions.items[0].symbol, s("BTCUSDT")));
    ck_assert(row.positions.items[0].qty == 0);
    row = row_of("u10");
    ck_assert_int_eq(row.journal_seq, 4);
    ck_assert_uint_eq(row.balances.count, 2);
    ck_assert(mr_slice_equal(row.balances.items[0].asset, s("ETH")));
    ck_assert(row.balances.items[0].available == amount("2"));
    ck_assert(row.balances.items[1].available == amount("27"));
    ck_assert_uint_eq(row.positions.count, 1);
    ck_assert(mr_slice_equal(row.positions.items[0].symbol, s("ETHUSDT")));
    ck_assert_uint_eq(mr_driver_store_count(driver, "accounts"), 2);
}
END_TEST

START_TEST(what_is_zero_keeps_its_past)
{
    const struct oms_position *position = NULL;
    struct oms_settle_balance balance;

    deposit("u1", "ETH", "5");
    ck_assert_int_eq(move("u1", OMS_ACCOUNT_ACTION_WITHDRAW, s("ETH"), amount("5")), MR_OK);
    ck_assert(fixture_settle_balance(driver, "u1", "ETH", &balance));
    ck_assert(balance.available == 0);
    deposit("u1", "ETH", "1");
    ck_assert(fixture_settle_balance(driver, "u1", "ETH", &balance));
    ck_assert_int_eq(balance.version, 3);
    deposit("u1", "USDT", "1000");
    trade("u1", "BTC", OMS_SIDE_BUY, "10");
    trade("u1", "BTC", OMS_SIDE_SELL, "15"); /* flat */
    trade("u1", "BTC", OMS_SIDE_BUY, "20");
    position = mr_driver_emit_last(driver, "positions");
    ck_assert_int_eq(position->version, 3);
    ck_assert(position->realised_total == amount("5"));
    ck_assert(position->qty == amount("1") && position->cost_basis == amount("20"));
}
END_TEST

START_TEST(a_record_reads_and_writes_the_row_once)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "1", "100");
    size_t before = 0;

    before = mr_driver_store_calls(driver);
    deposit("u1", "USDT", "1000");
    /* The row, the transfer's own and the asset's total. */
    ck_assert_uint_eq(mr_driver_store_calls(driver) - before, 6);
    /* The row, the order's own and the asset's total. */
    before = mr_driver_store_calls(driver);
    push(&report);
    ck_assert_uint_eq(mr_driver_store_calls(driver) - before, 6);
    report = fixture_fill(&report, "x1", "1", "90", "0.09", "0");
    before = mr_driver_store_calls(driver);
    push(&report);
    /* Two assets. */
    ck_assert_uint_eq(mr_driver_store_calls(driver) - before, 8);
    ck_assert_uint_eq(mr_driver_scan_calls(driver), 1); /* the first reload */
}
END_TEST

START_TEST(a_refused_record_leaves_the_row_alone)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "1", "100");
    char text[600];
    uint64_t before = 0;

    memset(text, 'A', sizeof(text));
    deposit("u1", "USDT", "1000");
    push(&report);
    before = mr_driver_state_digest(driver);
    ck_assert_int_eq(move("u1", OMS_ACCOUNT_ACTION_DEPOSIT, mr_slice_of(text, sizeof(text)), 1),
                     MR_MALFORMED);
    ck_assert_int_eq(move("u1", OMS_ACCOUNT_ACTION_DEPOSIT, s(""), 1), MR_MALFORMED);
    ck_assert_int_eq(move("", OMS_ACCOUNT_ACTION_DEPOSIT, s("USDT"), 1), MR_MALFORMED);
    ck_assert_int_eq(move("u1", OMS_ACCOUNT_ACTION_DEPOSIT, s("BTC"), -1), MR_OUT_OF_RANGE);
    report = fixture_fill(&report, "x1", "1", "90", "0.09", "0");
    report.symbol = mr_slice_of(text, sizeof(text));
    ck_assert_int_eq(mr_driver_push(driver, "executions", s("u1"), &report), MR_MALFORMED);
    ck_assert_uint_eq(mr_driver_state_digest(driver), before);
    /* The longest name that a user of two bytes can have. */
    ck_assert_int_eq(
        move("u1", OMS_ACCOUNT_ACTION_DEPOSIT, mr_slice_of(text, MR_KEY_BYTES_MAX - 4), 1), MR_OK);
    ck_assert_int_eq(
        move("u1", OMS_ACCOUNT_ACTION_DEPOSIT, mr_slice_of(text, MR_KEY_BYTES_MAX - 3), 1),
        MR_MALFORMED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settle: accounts");
    TCase *tcase = tcase_create("accounts");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, entries_stand_in_the_order_of_their_names);
    tcase_add_test(tcase, a_user_may_have_many_assets_and_symbols);
    tcase_add_test(tcase, two_users_do_not_mix);
    tcase_add_test(tcase, what_is_zero_keeps_its_past);
    tcase_add_test(tcase, a_record_reads_and_writes_the_row_once);
    tcase_add_test(tcase, a_refused_record_leaves_the_row_alone);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
