/*
 * Goal:   every report and transfer becomes the journal that the rules ask for, once; balances are
 *         the sum of their postings; SETTLED follows exactly when nothing is left to do.
 * Method: reports by hand with known amounts, expected postings as tables.
 */
#include "account_fixture.h"
#include "avro/balance.h"
#include "avro/ledger_entry.h"
#include "avro/position.h"
#include "avro/settle_order.h"
#include "settle/settle.h"

#include <check.h>
#include <stdlib.h>

static struct mr_driver *driver;

static void transfer(const char *id, enum oms_account_action action, const char *asset,
                     const char *value)
{
    const struct oms_account_command command = fixture_transfer(id, "u1", action, asset, value);

    ck_assert_int_eq(mr_driver_push(driver, "accounts", s("u1"), &command), MR_OK);
}

static void setup(void)
{
    driver = mr_driver_create(&settle_stage, NULL, 0);
    transfer("d1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1000");
    transfer("d2", OMS_ACCOUNT_ACTION_DEPOSIT, "BTC", "10");
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    mr_driver_emits_clear(driver);
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

struct line {
    const char *account;
    const char *asset;
    enum oms_direction direction;
    const char *amount;
    const char *after; /* NULL: a house account */
};

static void expect_journal(enum oms_entry_type type, const struct line *lines, size_t count)
{
    const struct oms_ledger_entry *entry = mr_driver_emit_last(driver, "ledger");

    ck_assert_ptr_nonnull(entry);
    ck_assert(entry->entry_type == type);
    ck_assert_uint_eq(entry->postings.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct oms_posting *posting = &entry->postings.items[i];

        ck_assert_msg(mr_slice_equal(posting->account, s(lines[i].account)), "%zu: %.*s", i,
                      MR_SLICE_ARG(posting->account));
        ck_assert(mr_slice_equal(posting->asset, s(lines[i].asset)));
        ck_assert_msg(posting->direction == lines[i].direction, "%s", lines[i].account);
        ck_assert_msg(posting->amount == amount(lines[i].amount), "%s", lines[i].account);
        ck_assert(posting->has_balance_after == (lines[i].after != NULL));
        ck_assert(lines[i].after == NULL || posting->balance_after == amount(lines[i].after));
    }
}

#define DR OMS_DIRECTION_DEBIT
#define CR OMS_DIRECTION_CREDIT

static struct oms_execution_report accept_buy(void)
{
    const struct oms_execution_report report =
        fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");

    push(&report);
    return report;
}

static struct oms_execution_report accept_sell(void)
{
    const struct oms_execution_report report =
        fixture_accepted("o1", "u1", OMS_SIDE_SELL, "3", "3");

    push(&report);
    return report;
}

START_TEST(acceptance_moves_available_to_hold)
{
    static const struct line lines[] = {
        {"user:u1:USDT:avail", "USDT", DR, "200.4", "799.6"},
        {"user:u1:USDT:hold", "USDT", CR, "200.4", "200.4"},
    };
    const struct oms_ledger_entry *entry = NULL;

    (void)accept_buy();
    expect_journal(OMS_ENTRY_TYPE_HOLD, lines, MR_COUNT(lines));
    expect_balance("USDT", "799.6", "200.4");
    entry = mr_driver_emit_last(driver, "ledger");
    ck_assert(mr_slice_equal(entry->journal_id, s("o1")));
    ck_assert(entry->has_order_id && mr_slice_equal(entry->order_id, s("o1")));
    ck_assert_int_eq(entry->seq, 3); /* behind the two deposits */
    ck_assert(mr_slice_equal(mr_driver_emit_key(driver, "ledger", 0), s("u1")));
}
END_TEST

START_TEST(a_buy_spends_its_hold_pays_its_fee_and_gets_the_surplus_back)
{
    static const struct line lines[] = {
        {"user:u1:USDT:hold", "USDT", DR, "90.18", "110.22"},
        {"clearing:USDT", "USDT", CR, "90", NULL},
        {"fees:USDT", "USDT", CR, "0.18", NULL},
        {"clearing:BTC", "BTC", DR, "1", NULL},
        {"user:u1:BTC:avail", "BTC", CR, "1", "11"},
        {"user:u1:USDT:hold", "USDT", DR, "10.02", "100.2"},
        {"user:u1:USDT:avail", "USDT", CR, "10.02", "809.62"},
    };
    const struct oms_execution_report accepted = accept_buy();
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", "1", "90", "0.18", "100.2");

    push(&fill);
    expect_journal(OMS_ENTRY_TYPE_TRADE, lines, MR_COUNT(lines));
    expect_balance("USDT", "809.62", "100.2");
    expect_balance("BTC", "11", "0");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 0);
}
END_TEST

START_TEST(a_sell_is_the_mirror_image)
{
    static const struct line lines[] = {
        {"user:u1:BTC:hold", "BTC", DR, "1", "2"},
        {"clearing:BTC", "BTC", CR, "1", NULL},
        {"clearing:USDT", "USDT", DR, "90", NULL},
        {"user:u1:USDT:avail", "USDT", CR, "89.91", "1089.91"},
        {"fees:USDT", "USDT", CR, "0.09", NULL},
    };
    const struct oms_execution_report accepted = accept_sell();
    const struct oms_execution_report fill = fixture_fill(&accepted, "x1", "1", "90", "0.09", "2");

    push(&fill);
    expect_journal(OMS_ENTRY_TYPE_TRADE, lines, MR_COUNT(lines));
    expect_balance("BTC", "7", "2");
    expect_balance("USDT", "1089.91", "0");
}
END_TEST

START_TEST(a_rebate_is_paid_by_the_house)
{
    const struct oms_execution_report accepted = accept_sell();
    const struct oms_execution_report fill = fixture_fill(&accepted, "x1", "1", "90", "-0.01", "2");
    const struct oms_ledger_entry *entry = NULL;
    const struct oms_posting *fee = NULL;

    push(&fill);
    entry = mr_driver_emit_last(driver, "ledger");
    for (size_t i = 0; i < entry->postings.count; i++) {
        if (mr_slice_equal(entry->postings.items[i].account, s("fees:USDT"))) {
            fee = &entry->postings.items[i];
        }
    }
    ck_assert_ptr_nonnull(fee);
    ck_assert(fee->direction == DR && fee->amount == amount("0.01"));
    expect_balance("USDT", "1090.01", "0");
}
END_TEST

START_TEST(a_cancel_releases_the_rest)
{
    static const struct line lines[] = {
        {"user:u1:USDT:hold", "USDT", DR, "100.2", "0"},
        {"user:u1:USDT:avail", "USDT", CR, "100.2", "909.82"},
    };
    const struct oms_execution_report accepted = accept_buy();
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", "1", "90", "0.18", "100.2");
    const struct oms_execution_report cancel = fixture_canceled(&fill, "x2");

    push(&fill);
    push(&cancel);
    expect_journal(OMS_ENTRY_TYPE_RELEASE, lines, MR_COUNT(lines));
    ck_assert_uint_eq(mr_driver_store_count(driver, "orders"), 0);
}
END_TEST

START_TEST(a_cancelled_order_that_traded_is_told_to_be_settled)
{
    const struct oms_execution_report accepted = accept_buy();
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", "1", "90", "0.18", "100.2");
    const struct oms_execution_report cancel = fixture_canceled(&fill, "x2");
    const struct oms_execution_report *last = NULL;

    push(&fill);
    push(&cancel);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 1);
    last = mr_driver_emit_last(driver, "settled");
    ck_assert(last->exec_type == OMS_EXEC_TYPE_SETTLED);
    ck_assert(last->status == OMS_ORDER_STATUS_CANCELLED && last->settled);
    ck_assert_int_eq(last->version, cancel.version + 1);
    ck_assert(last->cum_qty == amount("1") && last->has_cancel_reason);
    /* One that did not trade has nothing to settle. */
    struct oms_execution_report other = fixture_accepted("o2", "u1", OMS_SIDE_BUY, "2", "200.4");
    push(&other);
    other = fixture_canceled(&other, "x3");
    push(&other);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 1);
}
END_TEST

START_TEST(settled_follows_when_filled_and_nothing_is_held)
{
    const struct oms_execution_report accepted = accept_buy();
    const struct oms_execution_report first =
        fixture_fill(&accepted, "x1", "1", "90", "0.18", "100.2");
    const struct oms_execution_report second = fixture_fill(&first, "x2", "1", "100", "0.1", "0");
    const struct oms_execution_report *settled = NULL;

    push(&first);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 0);
    push(&second);
    settled = mr_driver_emit_last(driver, "settled");
    ck_assert_ptr_nonnull(settled);
    ck_assert(settled->exec_type == OMS_EXEC_TYPE_SETTLED);
    ck_assert(settled->status == OMS_ORDER_STATUS_SETTLED);
    ck_assert(settled->settled);
    ck_assert_int_eq(settled->version, second.version + 1);
    ck_assert(mr_slice_equal(settled->exec_id, s("S-o1")));
    ck_assert(settled->cum_qty == amount("2") && settled->leaves_qty == 0);
    ck_assert(!settled->has_last_qty && !settled->has_fee_amount && !settled->has_trade_id);
    ck_assert(mr_slice_equal(mr_driver_emit_key(driver, "settled", 0), s("u1")));
    ck_assert_uint_eq(mr_driver_store_count(driver, "orders"), 0);
    /* 1000 - 90.18 - 100.1 */
    expect_balance("USDT", "809.72", "0");
    expect_balance("BTC", "12", "0");
    /* Its own report comes back on the same topic. */
    push(settled);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), 3);
}
END_TEST

START_TEST(a_position_follows_its_fills_at_average_cost)
{
    const struct oms_execution_report accepted = accept_sell();
    const struct oms_execution_report fill = fixture_fill(&accepted, "x1", "1", "90", "0.09", "2");
    const struct oms_execution_report again = fixture_fill(&fill, "x2", "1", "110", "0.11", "1");
    const struct oms_position *position = NULL;

    push(&fill);
    push(&again);
    position = mr_driver_emit_last(driver, "positions");
    ck_assert_ptr_nonnull(position);
    ck_assert(position->qty == amount("-2") && position->cost_basis == amount("-200"));
    ck_assert(position->realised_total == amount("-0.2") && position->fees_total == amount("0.2"));
    ck_assert_int_eq(position->version, 2);
    ck_assert(mr_slice_equal(mr_driver_emit_key(driver, "positions", 0), s("u1:BTCUSDT")));
    ck_assert(mr_slice_equal(mr_driver_emit_partition_key(driver, "positions", 0), s("u1")));
}
END_TEST

START_TEST(only_the_last_balance_of_a_transaction_is_written)
{
    const struct oms_balance *balance = NULL;
    size_t usdt = 0;

    (void)accept_buy();
    transfer("d3", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1");
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    for (size_t i = 0; i < mr_driver_emit_count(driver, "balances"); i++) {
        usdt += mr_slice_equal(mr_driver_emit_key(driver, "balances", i), s("u1:USDT"));
    }
    ck_assert_uint_eq(usdt, 1);
    balance = mr_driver_emit_last(driver, "balances");
    ck_assert(balance->available == amount("800.6") && balance->hold == amount("200.4"));
    ck_assert_int_eq(balance->version, 3);
    ck_assert(mr_slice_equal(mr_driver_emit_partition_key(driver, "balances", 0), s("u1")));
}
END_TEST

START_TEST(money_comes_from_and_goes_to_outside)
{
    static const struct line in[] = {
        {"external:USDT", "USDT", DR, "5", NULL},
        {"user:u1:USDT:avail", "USDT", CR, "5", "1005"},
    };
    static const struct line out[] = {
        {"user:u1:USDT:avail", "USDT", DR, "1005", "0"},
        {"external:USDT", "USDT", CR, "1005", NULL},
    };
    const struct oms_ledger_entry *entry = NULL;

    transfer("t1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "5");
    expect_journal(OMS_ENTRY_TYPE_DEPOSIT, in, MR_COUNT(in));
    entry = mr_driver_emit_last(driver, "ledger");
    ck_assert(mr_slice_equal(entry->journal_id, s("A-t1")));
    transfer("t2", OMS_ACCOUNT_ACTION_WITHDRAW, "USDT", "1005");
    expect_journal(OMS_ENTRY_TYPE_WITHDRAW, out, MR_COUNT(out));
    ck_assert_uint_eq(mr_driver_counter(driver, "overdrawn_total"), 0);
}
END_TEST

START_TEST(journals_of_a_user_are_numbered_without_gaps)
{
    const struct oms_execution_report accepted = accept_buy();
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", "1", "90", "0.18", "100.2");
    const struct oms_execution_report cancel = fixture_canceled(&fill, "x2");

    push(&fill);
    push(&cancel);
    for (size_t i = 0; i < mr_driver_emit_count(driver, "ledger"); i++) {
        const struct oms_ledger_entry *entry = mr_driver_emit(driver, "ledger", i);

        ck_assert_int_eq(entry->seq, (int64_t)i + 3);
    }
}
END_TEST

START_TEST(a_report_posts_once)
{
    struct oms_execution_report reports[3];

    reports[0] = fixture_accepted("o1", "u1", OMS_SIDE_BUY, "2", "200.4");
    reports[1] = fixture_fill(&reports[0], "x1", "1", "90", "0.18", "100.2");
    reports[2] = fixture_fill(&reports[1], "x2", "1", "100", "0.1", "0");
    for (size_t i = 0; i < MR_COUNT(reports); i++) {
        uint64_t once = 0;

        push(&reports[i]);
        once = mr_driver_state_digest(driver);
        for (size_t k = 0; k <= i; k++) {
            push(&reports[k]);
        }
        ck_assert_uint_eq(mr_driver_state_digest(driver), once);
    }
    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), 3);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 1);
}
END_TEST

static const struct ignored_case {
    const char *why;
    enum oms_exec_type type;
} ignored_cases[] = {
    {"nothing was reserved in the ledger", OMS_EXEC_TYPE_REJECTED},
    {"a refused cancel", OMS_EXEC_TYPE_CANCEL_REJECTED},
    {"one's own report", OMS_EXEC_TYPE_SETTLED},
    {"a fill of an order that is not there", OMS_EXEC_TYPE_TRADE},
    {"a cancel of an order that is not there", OMS_EXEC_TYPE_CANCELED},
};

START_TEST(reports_that_move_nothing_post_nothing)
{
    const struct ignored_case *c = &ignored_cases[_i];
    struct oms_execution_report report = fixture_accepted("o7", "u1", OMS_SIDE_BUY, "2", "0");
    const uint64_t before = mr_driver_state_digest(driver);

    report.exec_type = c->type;
    report.last_qty = amount("1");
    report.has_last_qty = true;
    report.last_px = amount("1");
    report.has_last_px = true;
    push(&report);
    /* The end of an order is remembered, so that it does not begin behind it. */
    ck_assert_msg((mr_driver_state_digest(driver) == before) == (c->type != OMS_EXEC_TYPE_CANCELED),
                  "%s", c->why);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), 0);
}
END_TEST

static const struct bad_fill_case {
    const char *why;
    const char *qty, *price, *fee, *hold_after;
} bad_fill_cases[] = {
    {"spends more than the hold", "2", "101", "0.4", "0"},
    {"the hold grows", "1", "100", "0", "300"},
    {"a negative hold", "1", "90", "0", "-1"},
    {"no quantity", "0", "100", "0", "200"},
    {"no price", "1", "0", "0", "200"},
};

START_TEST(an_impossible_fill_is_poison_and_changes_nothing)
{
    const struct bad_fill_case *c = &bad_fill_cases[_i];
    const struct oms_execution_report accepted = accept_buy();
    const struct oms_execution_report fill =
        fixture_fill(&accepted, "x1", c->qty, c->price, c->fee, c->hold_after);
    const uint64_t before = mr_driver_state_digest(driver);
    const enum mr_status status = mr_driver_push(driver, "executions", s("u1"), &fill);

    ck_assert_msg(mr_status_class(status) == MR_CLASS_POISON, "%s", c->why);
    ck_assert_uint_eq(mr_driver_state_digest(driver), before);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), 1);
}
END_TEST

static const struct shapeless_case {
    const char *why;
    const char *user, *order, *base, *quote;
    bool hold;
} shapeless_cases[] = {
    {"no user", "", "o1", "BTC", "USDT", true},
    {"no order", "u1", "", "BTC", "USDT", true},
    {"no quote asset", "u1", "o1", "BTC", NULL, true},
    {"no base asset", "u1", "o1", NULL, "USDT", true},
    {"one asset against itself", "u1", "o1", "BTC", "BTC", true},
    {"no hold", "u1", "o1", "BTC", "USDT", false},
};

START_TEST(a_report_without_what_the_ledger_needs_is_malformed)
{
    const struct shapeless_case *c = &shapeless_cases[_i];
    struct oms_execution_report report =
        fixture_accepted(c->order, c->user, OMS_SIDE_BUY, "2", "200.4");

    report.has_base_asset = c->base != NULL;
    report.base_asset = s(c->base != NULL ? c->base : "");
    report.has_quote_asset = c->quote != NULL;
    report.quote_asset = s(c->quote != NULL ? c->quote : "");
    report.has_hold_after = c->hold;
    ck_assert_msg(mr_driver_push(driver, "executions", s(c->user), &report) == MR_MALFORMED, "%s",
                  c->why);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), 0);
}
END_TEST

START_TEST(a_fault_at_any_write_leaves_no_trace)
{
    const struct oms_execution_report accepted = accept_buy();
    const struct oms_execution_report fill = fixture_fill(&accepted, "x1", "2", "90", "0.36", "0");
    uint64_t before = 0;
    uint64_t clean = 0;

    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    before = mr_driver_state_digest(driver);
    push(&fill);
    clean = mr_driver_state_digest(driver);
    mr_driver_abort(driver);
    /* The order, two totals and the row. */
    for (unsigned nth = 1; nth <= 4; nth++) {
        mr_driver_fail(driver, MR_DRIVER_FAULT_PUT, nth);
        ck_assert_int_eq(mr_driver_push(driver, "executions", s("u1"), &fill), MR_STORE_IO);
        ck_assert_uint_eq(mr_driver_state_digest(driver), before);
    }
    for (unsigned nth = 1; nth <= 5; nth++) {
        mr_driver_fail(driver, MR_DRIVER_FAULT_EMIT_POISON, nth);
        ck_assert_int_eq(mr_driver_push(driver, "executions", s("u1"), &fill), MR_MALFORMED);
        ck_assert_uint_eq(mr_driver_state_digest(driver), before);
    }
    push(&fill);
    ck_assert_uint_eq(mr_driver_state_digest(driver), clean);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "settled"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settle");
    TCase *tcase = tcase_create("settle");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, acceptance_moves_available_to_hold);
    tcase_add_test(tcase, a_buy_spends_its_hold_pays_its_fee_and_gets_the_surplus_back);
    tcase_add_test(tcase, a_sell_is_the_mirror_image);
    tcase_add_test(tcase, a_rebate_is_paid_by_the_house);
    tcase_add_test(tcase, a_cancel_releases_the_rest);
    tcase_add_test(tcase, a_cancelled_order_that_traded_is_told_to_be_settled);
    tcase_add_test(tcase, settled_follows_when_filled_and_nothing_is_held);
    tcase_add_test(tcase, a_position_follows_its_fills_at_average_cost);
    tcase_add_test(tcase, only_the_last_balance_of_a_transaction_is_written);
    tcase_add_test(tcase, money_comes_from_and_goes_to_outside);
    tcase_add_test(tcase, journals_of_a_user_are_numbered_without_gaps);
    tcase_add_test(tcase, a_report_posts_once);
    tcase_add_loop_test(tcase, reports_that_move_nothing_post_nothing, 0,
                        (int)MR_COUNT(ignored_cases));
    tcase_add_loop_test(tcase, an_impossible_fill_is_poison_and_changes_nothing, 0,
                        (int)MR_COUNT(bad_fill_cases));
    tcase_add_loop_test(tcase, a_report_without_what_the_ledger_needs_is_malformed, 0,
                        (int)MR_COUNT(shapeless_cases));
    tcase_add_test(tcase, a_fault_at_any_write_leaves_no_trace);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
