/*
 * Goal:   every kind of report moves what it says and no more: amendments, prevented trades, stops,
 *         orders by amount, rebates, lots; and an order that is over stays over.
 * Method: reports by hand with known amounts; the order's hold and the user's balances afterwards.
 */
#include "account_fixture.h"
#include "avro/ledger_entry.h"
#include "avro/position.h"
#include "avro/settle_order.h"
#include "settle/settle.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct mr_driver *driver;

static void open_driver(const struct mr_driver_setting *settings, size_t count)
{
    struct oms_account_command command =
        fixture_transfer("d1", "u1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1000");

    driver = mr_driver_create(&settle_stage, settings, count);
    ck_assert_int_eq(mr_driver_push(driver, "accounts", s("u1"), &command), MR_OK);
    command = fixture_transfer("d2", "u1", OMS_ACCOUNT_ACTION_DEPOSIT, "BTC", "10");
    ck_assert_int_eq(mr_driver_push(driver, "accounts", s("u1"), &command), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    mr_driver_emits_clear(driver);
}

static void setup(void)
{
    open_driver(NULL, 0);
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

static void push(const struct oms_execution_report *report)
{
    ck_assert_msg(mr_driver_push(driver, "executions", report->user_id, report) == MR_OK, "%s",
                  mr_driver_error(driver));
}

static void expect_balance(const char *asset, const char *available, const char *hold)
{
    struct oms_settle_balance balance;

    ck_assert(fixture_settle_balance(driver, "u1", asset, &balance));
    ck_assert_msg(balance.available == amount(available) && balance.hold == amount(hold),
                  "%s is not %s and %s", asset, available, hold);
}

static void expect_entries(size_t count, enum oms_entry_type last)
{
    const struct oms_ledger_entry *entry = mr_driver_emit_last(driver, "ledger");

    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), count);
    ck_assert(entry != NULL && entry->entry_type == last);
}

/* The order goes on: the next version, of this kind, with this hold. */
static struct oms_execution_report next(const struct oms_execution_report *before,
                                        enum oms_exec_type type, const char *hold)
{
    struct oms_execution_report report = fixture_fill(before, "n", "0", "0", "0", hold);

    report.exec_type = type;
    report.status = OMS_ORDER_STATUS_ACCEPTED;
    report.has_last_qty = report.has_last_px = report.has_fee_amount = false;
    return report;
}

static const struct amend_case {
    const char *why;
    const char *hold, *available;
    size_t entries;
    enum oms_entry_type entry;
} amend_cases[] = {
    {"more is held", "300.6", "699.4", 2, OMS_ENTRY_TYPE_HOLD},
    {"some comes back", "100.2", "899.8", 2, OMS_ENTRY_TYPE_RELEASE},
    {"nothing moves", "200.4", "799.6", 1, OMS_ENTRY_TYPE_HOLD},
    {"an atom more", "200.400000000000000001", "799.599999999999999999", 2, OMS_ENTRY_TYPE_HOLD},
};

START_TEST(an_amendment_moves_the_hold_to_what_it_is_after)
{
    const struct amend_case *c = &amend_cases[_i];
    const struct oms_execution_report accepted =
        fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");
    struct oms_execution_report report = next(&accepted, OMS_EXEC_TYPE_REPLACED, c->hold);
    struct oms_settle_order order;

    push(&accepted);
    push(&report);
    push(&report);
    push(&accepted);
    expect_entries(c->entries, c->entry);
    expect_balance("USDT", c->available, c->hold);
    ck_assert_msg(mr_driver_store_get(driver, "orders", s("o1"), &order) &&
                      order.hold == amount(c->hold),
                  "%s", c->why);
    ck_assert_int_eq(order.last_version, report.version);
    report = fixture_canceled(&report, "x1");
    push(&report);
    expect_balance("USDT", "1000", "0");
}
END_TEST

START_TEST(a_prevented_trade_gives_its_part_back)
{
    const struct oms_execution_report accepted =
        fixture_accepted("o1", "u1", OMS_SIDE_SELL, "3", "3");
    struct oms_execution_report report = next(&accepted, OMS_EXEC_TYPE_TRADE_PREVENTION, "1");

    push(&accepted);
    push(&report);
    expect_entries(2, OMS_ENTRY_TYPE_RELEASE);
    expect_balance("BTC", "9", "1");
    report = next(&report, OMS_EXEC_TYPE_TRADE_PREVENTION, "2");
    ck_assert_int_eq(mr_driver_push(driver, "executions", s("u1"), &report), MR_OUT_OF_RANGE);
    report = next(&report, OMS_EXEC_TYPE_REPLACED, "-1");
    ck_assert_int_eq(mr_driver_push(driver, "executions", s("u1"), &report), MR_OUT_OF_RANGE);
    expect_balance("BTC", "9", "1");
}
END_TEST

START_TEST(a_triggered_stop_moves_nothing)
{
    const struct oms_execution_report accepted =
        fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");
    const struct oms_execution_report triggered = next(&accepted, OMS_EXEC_TYPE_TRIGGERED, "200.4");
    const struct oms_execution_report fill = fixture_fill(&triggered, "x1", "2", "90", "0.36", "0");

    push(&accepted);
    push(&triggered);
    expect_entries(1, OMS_ENTRY_TYPE_HOLD);
    push(&fill);
    expect_entries(2, OMS_ENTRY_TYPE_TRADE);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 1);
    expect_balance("USDT", "819.64", "0");
}
END_TEST

/* An order by amount has no quantity of its own, and leavesQty is 0 all the time. */
static struct oms_execution_report by_amount(enum oms_side side, const char *hold)
{
    struct oms_execution_report report = fixture_accepted("o1", "u1", side, "0", hold);

    report.has_order_qty = false;
    report.order_quote_qty = amount("100");
    report.has_order_quote_qty = true;
    report.ord_type = OMS_ORDER_TYPE_MARKET;
    return report;
}

START_TEST(a_buy_for_an_amount_gets_what_it_did_not_spend)
{
    const struct oms_execution_report accepted = by_amount(OMS_SIDE_BUY, "100.2");
    struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", "1.1", "60", "0.132", "34.068");

    fill.leaves_qty = 0;
    fill.status = OMS_ORDER_STATUS_ACCEPTED;
    push(&accepted);
    push(&fill);
    expect_balance("USDT", "899.8", "34.068");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 0);
    fill = fixture_fill(&fill, "x2", "0.5", "66", "0.066", "0");
    fill.leaves_qty = 0;
    fill.status = OMS_ORDER_STATUS_FILLED;
    push(&fill);
    /* 1000 - 66 - 0.132 - 33 - 0.066 */
    expect_balance("USDT", "900.802", "0");
    expect_balance("BTC", "11.6", "0");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 1);
}
END_TEST

START_TEST(a_sell_for_an_amount_gives_the_rest_of_the_base_back)
{
    const struct oms_execution_report accepted = by_amount(OMS_SIDE_SELL, "1.2");
    struct oms_execution_report fill = fixture_fill(&accepted, "x1", "1", "100", "0.1", "0");

    fill.leaves_qty = 0;
    fill.status = OMS_ORDER_STATUS_FILLED;
    push(&accepted);
    push(&fill);
    expect_entries(2, OMS_ENTRY_TYPE_TRADE);
    expect_balance("BTC", "9", "0");
    expect_balance("USDT", "1099.9", "0");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 1);
}
END_TEST

static const struct rebate_case {
    enum oms_side side;
    const char *hold, *hold_after;
    const char *usdt, *usdt_hold, *btc, *btc_hold;
} rebate_cases[] = {
    /* Two at 100: half of it filled, at a rebate of 0.25. The buy's hold counts on the taker fee.
     */
    {OMS_SIDE_BUY, "200.4", "100.2", "800.05", "100.2", "11", "0"},
    {OMS_SIDE_SELL, "2", "1", "1100.25", "0", "8", "1"},
};

START_TEST(a_rebate_goes_from_the_house_to_the_maker)
{
    const struct rebate_case *c = &rebate_cases[_i];
    const struct oms_execution_report accepted =
        fixture_accepted("o1", "u1", c->side, "2", c->hold);
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", "1", "100", "-0.25", c->hold_after);
    const struct oms_ledger_entry *entry = NULL;
    const struct oms_position *position = NULL;
    size_t fees = 0;

    push(&accepted);
    push(&fill);
    entry = mr_driver_emit_last(driver, "ledger");
    for (size_t i = 0; i < entry->postings.count; i++) {
        const struct oms_posting *p = &entry->postings.items[i];

        if (mr_slice_equal(p->account, s("fees:USDT"))) {
            fees++;
            ck_assert(p->direction == OMS_DIRECTION_DEBIT && p->amount == amount("0.25"));
        }
    }
    ck_assert_uint_eq(fees, 1);
    expect_balance("USDT", c->usdt, c->usdt_hold);
    expect_balance("BTC", c->btc, c->btc_hold);
    position = mr_driver_emit_last(driver, "positions");
    ck_assert(position->fees_total == amount("-0.25"));
    ck_assert(position->realised_total == amount("0.25"));
    ck_assert_int_eq(mr_driver_gauge(driver, "ledger_micro,asset=\"USDT\",account=\"fees\""), 0);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    ck_assert_int_eq(mr_driver_gauge(driver, "ledger_micro,asset=\"USDT\",account=\"fees\""),
                     -250000);
}
END_TEST

START_TEST(an_order_that_is_over_does_not_begin_again)
{
    const struct oms_execution_report first =
        fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");
    const struct oms_execution_report second =
        fixture_accepted("o2", "u1", OMS_SIDE_BUY, "1", "100.2");
    const struct oms_execution_report fill = fixture_fill(&first, "x1", "2", "100", "0.4", "0");
    const struct oms_execution_report canceled = fixture_canceled(&second, "x2");
    const struct oms_execution_report third =
        fixture_accepted("o3", "u1", OMS_SIDE_BUY, "1", "100.2");
    const struct oms_execution_report *all[] = {&first, &second, &fill, &canceled};
    uint64_t over = 0;

    for (size_t i = 0; i < MR_COUNT(all); i++) {
        push(all[i]);
    }
    over = mr_driver_state_digest(driver);
    for (size_t i = 0; i < MR_COUNT(all); i++) {
        push(all[i]);
    }
    ck_assert_uint_eq(mr_driver_state_digest(driver), over);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), 4);
    ck_assert_uint_eq(mr_driver_store_count(driver, "orders"), 0);
    push(&third);
    expect_entries(5, OMS_ENTRY_TYPE_HOLD);
}
END_TEST

/* --- lots --------------------------------------------------------------------------------- */

static int serial;

/* Buys or sells one BTC at a price, without a fee; the profit so far. */
static dec_t trade_one(enum oms_side side, const char *price)
{
    char id[16];
    const struct oms_position *position = NULL;
    struct oms_execution_report report;

    (void)snprintf(id, sizeof(id), "t%d", serial++);
    report = fixture_accepted(id, "u1", side, "1", side == OMS_SIDE_BUY ? price : "1");
    push(&report);
    report = fixture_fill(&report, id, "1", price, "0", "0");
    push(&report);
    position = mr_driver_emit_last(driver, "positions");
    return position->realised_total;
}

static const struct basis_case {
    const char *basis;
    const char *profit; /* bought at 10 and 30, one sold at 40 */
    size_t lots;
} basis_cases[] = {{"average", "20", 0}, {"fifo", "30", 1}};

START_TEST(the_cost_of_what_is_sold_is_that_of_the_basis)
{
    const struct basis_case *c = &basis_cases[_i];
    const struct mr_driver_setting settings[] = {{"cost-basis", c->basis}};
    struct oms_settle_account row;

    mr_driver_destroy(&driver);
    open_driver(settings, MR_COUNT(settings));
    (void)trade_one(OMS_SIDE_BUY, "10");
    (void)trade_one(OMS_SIDE_BUY, "30");
    ck_assert(trade_one(OMS_SIDE_SELL, "40") == amount(c->profit));
    ck_assert(mr_driver_store_get(driver, "accounts", s("u1"), &row));
    ck_assert_uint_eq(row.lots.count, c->lots);
    ck_assert(c->lots == 0 || (row.lots.items[0].cost == amount("30") &&
                               mr_slice_equal(row.lots.items[0].symbol, s("BTCUSDT"))));
    /* Flat, both have earned the same, and no lot is left. */
    ck_assert(trade_one(OMS_SIDE_SELL, "40") == amount("40"));
    ck_assert(mr_driver_store_get(driver, "accounts", s("u1"), &row));
    ck_assert_uint_eq(row.lots.count, 0);
}
END_TEST

START_TEST(lots_outlive_a_restart_and_are_bounded)
{
    const struct mr_driver_setting settings[] = {{"cost-basis", "fifo"}, {"lots-max", "3"}};
    static const char *const prices[] = {"10", "20", "30", "40", "50"};
    struct oms_settle_account row;

    mr_driver_destroy(&driver);
    open_driver(settings, MR_COUNT(settings));
    for (size_t i = 0; i < MR_COUNT(prices); i++) {
        (void)trade_one(OMS_SIDE_BUY, prices[i]);
        ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
        mr_driver_restart(driver);
    }
    ck_assert(mr_driver_store_get(driver, "accounts", s("u1"), &row));
    ck_assert_uint_eq(row.lots.count, 3);
    ck_assert(row.lots.items[2].qty == amount("3") && row.lots.items[2].cost == amount("120"));
    ck_assert(row.positions.items[0].cost_basis == amount("150"));
    ck_assert(trade_one(OMS_SIDE_SELL, "100") == amount("90"));
    ck_assert(trade_one(OMS_SIDE_SELL, "100") == amount("170"));
    ck_assert(trade_one(OMS_SIDE_SELL, "100") == amount("230")); /* 100 - 120 / 3 */
}
END_TEST

START_TEST(lots_of_two_symbols_do_not_mix)
{
    const struct mr_driver_setting settings[] = {{"cost-basis", "fifo"}};
    struct oms_execution_report report;
    struct oms_settle_account row;

    mr_driver_destroy(&driver);
    open_driver(settings, MR_COUNT(settings));
    (void)trade_one(OMS_SIDE_BUY, "10");
    report = fixture_accepted("e1", "u1", OMS_SIDE_BUY, "2", "14");
    report.symbol = s("AAAUSDT");
    report.base_asset = s("AAA");
    push(&report);
    report = fixture_fill(&report, "e2", "2", "7", "0", "0");
    push(&report);
    (void)trade_one(OMS_SIDE_BUY, "30");
    ck_assert(mr_driver_store_get(driver, "accounts", s("u1"), &row));
    ck_assert_uint_eq(row.lots.count, 3);
    ck_assert(mr_slice_equal(row.lots.items[0].symbol, s("AAAUSDT")));
    ck_assert(row.lots.items[0].qty == amount("2") && row.lots.items[0].cost == amount("14"));
    ck_assert(row.lots.items[1].cost == amount("10") && row.lots.items[2].cost == amount("30"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settle: reports");
    TCase *tcase = tcase_create("reports");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, an_amendment_moves_the_hold_to_what_it_is_after, 0,
                        (int)MR_COUNT(amend_cases));
    tcase_add_test(tcase, a_prevented_trade_gives_its_part_back);
    tcase_add_test(tcase, a_triggered_stop_moves_nothing);
    tcase_add_test(tcase, a_buy_for_an_amount_gets_what_it_did_not_spend);
    tcase_add_test(tcase, a_sell_for_an_amount_gives_the_rest_of_the_base_back);
    tcase_add_loop_test(tcase, a_rebate_goes_from_the_house_to_the_maker, 0,
                        (int)MR_COUNT(rebate_cases));
    tcase_add_test(tcase, an_order_that_is_over_does_not_begin_again);
    tcase_add_loop_test(tcase, the_cost_of_what_is_sold_is_that_of_the_basis, 0,
                        (int)MR_COUNT(basis_cases));
    tcase_add_test(tcase, lots_outlive_a_restart_and_are_bounded);
    tcase_add_test(tcase, lots_of_two_symbols_do_not_mix);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
