/*
 * Goal:   the gauges show what all entries add up to, whatever was undone or restarted: the classes
 * of an asset are 0 together, and over both legs of a trade clearing is 0 alone. Method: the two
 * legs in two drivers, as two partitions have them; sums of what both show.
 */
#include "account_fixture.h"
#include "avro/settle_total.h"
#include "settle/settle.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MODULUS INT64_C(2147483647)

static struct mr_driver *drivers[2];

static void setup(void)
{
    for (size_t i = 0; i < MR_COUNT(drivers); i++) {
        drivers[i] = mr_driver_create(&settle_stage, NULL, 0);
    }
}

static void teardown(void)
{
    for (size_t i = 0; i < MR_COUNT(drivers); i++) {
        mr_driver_destroy(&drivers[i]);
    }
}

static void deposit(size_t i, const char *id, const char *asset, const char *value)
{
    const struct oms_account_command command =
        fixture_transfer(id, "u1", OMS_ACCOUNT_ACTION_DEPOSIT, asset, value);

    ck_assert_int_eq(mr_driver_push(drivers[i], "accounts", s("u1"), &command), MR_OK);
}

static void push(size_t i, const struct oms_execution_report *report)
{
    ck_assert_msg(mr_driver_push(drivers[i], "executions", s("u1"), report) == MR_OK, "%s",
                  mr_driver_error(drivers[i]));
}

static void commit(void)
{
    for (size_t i = 0; i < MR_COUNT(drivers); i++) {
        ck_assert_int_eq(mr_driver_commit(drivers[i]), MR_OK);
    }
}

static int64_t gauge(size_t i, const char *name, const char *asset, const char *account)
{
    char series[128];

    (void)snprintf(series, sizeof(series), "%s,asset=\"%s\",account=\"%s\"", name, asset, account);
    return mr_driver_gauge(drivers[i], series);
}

/* As a monitoring system adds up: over partitions, of one class or (NULL) of all. */
static int64_t residue(const char *asset, const char *account)
{
    static const char *const all[] = {"available", "hold", "clearing", "fees", "external"};
    int64_t sum = 0;

    for (size_t k = 0; k < MR_COUNT(all); k++) {
        for (size_t i = 0; i < MR_COUNT(drivers) && (account == NULL || account == all[k]); i++) {
            sum += gauge(i, "ledger_residue", asset, all[k]);
        }
    }
    return sum % MODULUS;
}

START_TEST(clearing_is_zero_when_both_legs_are_posted)
{
    static const char *const clearing = "clearing";
    struct oms_execution_report buy = fixture_accepted("b", "u1", OMS_SIDE_BUY, "2", "200.4");
    struct oms_execution_report sell = fixture_accepted("s", "u1", OMS_SIDE_SELL, "2", "2");

    deposit(0, "d0", "USDT", "1000.000000000000000001");
    deposit(1, "d1", "BTC", "3");
    push(0, &buy);
    push(1, &sell);
    buy = fixture_fill(&buy, "b1", "1.5", "100", "0.3", "50.1");
    sell = fixture_fill(&sell, "s1", "1.5", "100", "0.15", "0.5");
    push(0, &buy);
    commit();
    ck_assert_int_eq(residue("USDT", NULL), 0);
    ck_assert_int_eq(residue("BTC", NULL), 0);
    /* Half settled: 150 USDT wait for their owner. */
    ck_assert_int_eq(gauge(0, "ledger_micro", "USDT", clearing), 150000000);
    ck_assert_int_ne(residue("USDT", "clearing"), 0);
    push(1, &sell);
    commit();
    ck_assert_int_eq(gauge(1, "ledger_micro", "USDT", clearing), -150000000);
    ck_assert_int_eq(gauge(0, "ledger_micro", "USDT", "hold"), 50100000);
    ck_assert_int_eq(gauge(0, "ledger_micro", "USDT", "available"), 799600000);
    ck_assert_int_eq(gauge(0, "ledger_micro", "USDT", "external"), -1000000000);
    ck_assert_int_eq(residue("USDT", "clearing"), 0);
    ck_assert_int_eq(residue("BTC", "clearing"), 0);
    ck_assert_int_eq(residue("USDT", NULL), 0);
    ck_assert_int_eq(residue("BTC", NULL), 0);
}
END_TEST

START_TEST(what_is_undone_is_not_shown_and_a_restart_keeps_it)
{
    struct oms_settle_total total;
    struct oms_account_command bad =
        fixture_transfer("x", "u1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "0");

    deposit(0, "d0", "USDT", "5");
    commit();
    deposit(0, "d1", "USDT", "2");
    deposit(0, "d2", "NEW", "2");
    bad.amount = -1;
    ck_assert_int_eq(mr_driver_push(drivers[0], "accounts", s("u1"), &bad), MR_OUT_OF_RANGE);
    mr_driver_abort(drivers[0]);
    ck_assert_int_eq(gauge(0, "ledger_micro", "USDT", "available"), 5000000);
    ck_assert_int_eq(gauge(0, "ledger_micro", "NEW", "available"), 0);
    mr_driver_restart(drivers[0]);
    ck_assert_int_eq(gauge(0, "ledger_micro", "USDT", "external"), -5000000);
    ck_assert(mr_driver_store_get(drivers[0], "totals", s("USDT"), &total));
    ck_assert(total.available == amount("5") && total.external == amount("-5"));
    ck_assert_uint_eq(mr_driver_store_count(drivers[0], "totals"), 1);
}
END_TEST

START_TEST(what_no_gauge_can_hold_is_cut_and_its_residue_is_exact)
{
    /* 10^15 units are 10^21 millionths. */
    deposit(0, "d0", "SHIB", "1000000000000000.000000000000000001");
    commit();
    ck_assert(gauge(0, "ledger_micro", "SHIB", "available") == INT64_MAX);
    ck_assert(gauge(0, "ledger_micro", "SHIB", "external") == INT64_MIN);
    ck_assert_int_eq(gauge(0, "ledger_residue", "SHIB", "available"),
                     (int64_t)(amount("1000000000000000.000000000000000001") % MODULUS));
    ck_assert_int_eq(residue("SHIB", NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settle: totals");
    TCase *tcase = tcase_create("totals");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, clearing_is_zero_when_both_legs_are_posted);
    tcase_add_test(tcase, what_is_undone_is_not_shown_and_a_restart_keeps_it);
    tcase_add_test(tcase, what_no_gauge_can_hold_is_cut_and_its_residue_is_exact);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
