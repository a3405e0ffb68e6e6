/*
 * Goal:   each step of a transfer is posted once, in its order only, with what was begun with; a
 *         reversal undoes what was posted, names it, and happens once.
 * Method: all sequences of up to three steps after each first command against a table of what may
 *         follow; the ledger's entries by hand.
 */
#include "account_fixture.h"
#include "avro/ledger_entry.h"
#include "avro/settle_transfer.h"
#include "settle/settle.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct mr_driver *driver;
static int serial;

static enum mr_status send(const char *id, enum oms_account_action action, const char *transfer)
{
    struct oms_account_command command = fixture_transfer(id, "u1", action, "USDT", "7");

    command.has_transfer_id = transfer != NULL;
    command.transfer_id = s(transfer != NULL ? transfer : "");
    return mr_driver_push(driver, "accounts", s("u1"), &command);
}

static void setup(void)
{
    struct oms_account_command command =
        fixture_transfer("start", "u1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "100");

    serial = 0;
    driver = mr_driver_create(&settle_stage, NULL, 0);
    ck_assert_int_eq(mr_driver_push(driver, "accounts", s("u1"), &command), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    mr_driver_emits_clear(driver);
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

static void expect_balance(int64_t available, int64_t hold)
{
    struct oms_settle_balance balance;

    ck_assert(fixture_settle_balance(driver, "u1", "USDT", &balance));
    ck_assert(balance.available == dec_of_int((int32_t)available));
    ck_assert(balance.hold == dec_of_int((int32_t)hold));
}

static void expect_entry(enum oms_entry_type type, const char *debit, const char *credit,
                         const char *id, const char *reverses)
{
    const struct oms_ledger_entry *entry = mr_driver_emit_last(driver, "ledger");

    ck_assert_ptr_nonnull(entry);
    ck_assert(entry->entry_type == type && entry->postings.count == 2);
    ck_assert(mr_slice_equal(entry->journal_id, s(id)));
    ck_assert(entry->postings.items[0].direction == OMS_DIRECTION_DEBIT);
    ck_assert(mr_slice_equal(entry->postings.items[0].account, s(debit)));
    ck_assert(mr_slice_equal(entry->postings.items[1].account, s(credit)));
    ck_assert(entry->postings.items[0].amount == amount("7"));
    ck_assert(entry->has_reverses == (reverses != NULL));
    ck_assert(reverses == NULL || mr_slice_equal(entry->reverses, s(reverses)));
}

START_TEST(a_withdrawal_in_two_steps_is_held_and_paid_out)
{
    ck_assert_int_eq(send("b", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, NULL), MR_OK);
    expect_entry(OMS_ENTRY_TYPE_HOLD, "user:u1:USDT:avail", "user:u1:USDT:hold", "A-b", NULL);
    expect_balance(93, 7);
    ck_assert_int_eq(send("c", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "b"), MR_OK);
    expect_entry(OMS_ENTRY_TYPE_WITHDRAW, "user:u1:USDT:hold", "external:USDT", "A-c", NULL);
    expect_balance(93, 0);
}
END_TEST

START_TEST(a_withdrawal_that_is_cancelled_comes_back)
{
    ck_assert_int_eq(send("b", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, NULL), MR_OK);
    ck_assert_int_eq(send("c", OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL, "b"), MR_OK);
    expect_entry(OMS_ENTRY_TYPE_RELEASE, "user:u1:USDT:hold", "user:u1:USDT:avail", "A-c", NULL);
    expect_balance(100, 0);
}
END_TEST

START_TEST(a_reversal_names_what_it_undoes)
{
    ck_assert_int_eq(send("d", OMS_ACCOUNT_ACTION_DEPOSIT, NULL), MR_OK);
    ck_assert_int_eq(send("r", OMS_ACCOUNT_ACTION_REVERSE, "d"), MR_OK);
    expect_entry(OMS_ENTRY_TYPE_REVERSAL, "user:u1:USDT:avail", "external:USDT", "A-r", "A-d");
    expect_balance(100, 0);
    ck_assert_int_eq(send("w", OMS_ACCOUNT_ACTION_WITHDRAW, NULL), MR_OK);
    ck_assert_int_eq(send("q", OMS_ACCOUNT_ACTION_REVERSE, "w"), MR_OK);
    expect_entry(OMS_ENTRY_TYPE_REVERSAL, "external:USDT", "user:u1:USDT:avail", "A-q", "A-w");
    expect_balance(100, 0);
    /* Of one in two steps it is the payment that is undone. */
    ck_assert_int_eq(send("b", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, NULL), MR_OK);
    ck_assert_int_eq(send("c", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "b"), MR_OK);
    ck_assert_int_eq(send("p", OMS_ACCOUNT_ACTION_REVERSE, "b"), MR_OK);
    expect_entry(OMS_ENTRY_TYPE_REVERSAL, "external:USDT", "user:u1:USDT:avail", "A-p", "A-c");
    expect_balance(100, 0);
}
END_TEST

START_TEST(later_steps_use_what_was_begun_with)
{
    struct oms_account_command command =
        fixture_transfer("c", "u1", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "BTC", "99");

    command.transfer_id = s("b");
    command.has_transfer_id = true;
    ck_assert_int_eq(send("b", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, NULL), MR_OK);
    ck_assert_int_eq(mr_driver_push(driver, "accounts", s("u1"), &command), MR_OK);
    expect_entry(OMS_ENTRY_TYPE_WITHDRAW, "user:u1:USDT:hold", "external:USDT", "A-c", NULL);
}
END_TEST

/* The states, their balance, and which step leads where: -1 leads nowhere. */
enum { DEPOSITED, WITHDRAWN, HELD, RELEASED, REVERSED_DEPOSIT, REVERSED_WITHDRAW, STATES };
static const int available[STATES] = {107, 93, 93, 100, 100, 100};
static const enum oms_account_action steps[] = {OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT,
                                                OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL,
                                                OMS_ACCOUNT_ACTION_REVERSE};
static const int leads[STATES][3] = {
    [DEPOSITED] = {-1, -1, REVERSED_DEPOSIT}, [WITHDRAWN] = {-1, -1, REVERSED_WITHDRAW},
    [HELD] = {WITHDRAWN, RELEASED, -1},       [RELEASED] = {-1, -1, -1},
    [REVERSED_DEPOSIT] = {-1, -1, -1},        [REVERSED_WITHDRAW] = {-1, -1, -1},
};
static const struct {
    enum oms_account_action action;
    int state;
} firsts[] = {{OMS_ACCOUNT_ACTION_DEPOSIT, DEPOSITED},
              {OMS_ACCOUNT_ACTION_WITHDRAW, WITHDRAWN},
              {OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, HELD}};

START_TEST(steps_follow_each_other_as_the_table_says)
{
    int sequence = _i;
    int state = firsts[sequence % 3].state;
    size_t entries = 1;

    ck_assert_int_eq(send("t", firsts[sequence % 3].action, NULL), MR_OK);
    for (sequence /= 3; sequence > 0; sequence /= 4) {
        const int step = sequence % 4 - 1; /* 0: the first command again */
        char id[16];

        (void)snprintf(id, sizeof(id), "s%d", serial++);
        if (step < 0) {
            ck_assert_int_eq(send("t", firsts[_i % 3].action, NULL), MR_OK);
            continue;
        }
        ck_assert_int_eq(send(id, steps[step], "t"), MR_OK);
        if (leads[state][step] >= 0) {
            state = leads[state][step];
            entries++;
        }
    }
    expect_balance(available[state], state == HELD ? 7 : 0);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "ledger"), entries);
}
END_TEST

START_TEST(a_step_of_an_unknown_transfer_is_poison)
{
    const uint64_t before = mr_driver_state_digest(driver);

    for (size_t i = 0; i < MR_COUNT(steps); i++) {
        ck_assert_int_eq(send("x", steps[i], "none"), MR_OUT_OF_RANGE);
        ck_assert_int_eq(send("x", steps[i], ""), MR_MALFORMED);
        ck_assert_int_eq(send("x", steps[i], NULL), MR_MALFORMED);
    }
    ck_assert_uint_eq(mr_driver_state_digest(driver), before);
}
END_TEST

START_TEST(another_users_transfer_is_unknown)
{
    struct oms_account_command command =
        fixture_transfer("r", "u2", OMS_ACCOUNT_ACTION_REVERSE, "USDT", "100");

    command.transfer_id = s("start");
    command.has_transfer_id = true;
    ck_assert_int_eq(mr_driver_push(driver, "accounts", s("u2"), &command), MR_OUT_OF_RANGE);
}
END_TEST

START_TEST(a_fault_at_any_write_leaves_no_trace)
{
    uint64_t before = 0;

    ck_assert_int_eq(send("b", OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN, NULL), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    before = mr_driver_state_digest(driver);
    /* The transfer, the total and the row; the balance and the entry. */
    for (unsigned nth = 1; nth <= 3; nth++) {
        mr_driver_fail(driver, MR_DRIVER_FAULT_PUT, nth);
        ck_assert_int_eq(send("c", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "b"), MR_STORE_IO);
        ck_assert_uint_eq(mr_driver_state_digest(driver), before);
    }
    for (unsigned nth = 1; nth <= 2; nth++) {
        mr_driver_fail(driver, MR_DRIVER_FAULT_EMIT_POISON, nth);
        ck_assert_int_eq(send("c", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "b"), MR_MALFORMED);
        ck_assert_uint_eq(mr_driver_state_digest(driver), before);
    }
    ck_assert_int_eq(send("c", OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT, "b"), MR_OK);
    expect_balance(93, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settle: transfers");
    TCase *tcase = tcase_create("transfers");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_withdrawal_in_two_steps_is_held_and_paid_out);
    tcase_add_test(tcase, a_withdrawal_that_is_cancelled_comes_back);
    tcase_add_test(tcase, a_reversal_names_what_it_undoes);
    tcase_add_test(tcase, later_steps_use_what_was_begun_with);
    tcase_add_loop_test(tcase, steps_follow_each_other_as_the_table_says, 0, 3 * 64);
    tcase_add_test(tcase, a_step_of_an_unknown_transfer_is_poison);
    tcase_add_test(tcase, another_users_transfer_is_unknown);
    tcase_add_test(tcase, a_fault_at_any_write_leaves_no_trace);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
