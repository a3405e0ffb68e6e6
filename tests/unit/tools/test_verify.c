/*
 * test_verify.c
 *
 * Goal:   what the pipeline writes is verified, and each check is able to fail.
 * Method: the real stages play a few trades on the log in memory; their records are replayed with
 * exactly one of them dropped, doubled or changed, and the check that is about it must differ.
 */
#include "avro/balance.h"
#include "avro/book_snapshot.h"
#include "avro/candle.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "avro/trade.h"
#include "recorded_run.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#define TRADES 100

static struct recorded_run *run;

static void setup(void)
{
    run = recorded_run_create(TRADES);
}

static void teardown(void)
{
    recorded_run_destroy(&run);
}

static void explain(const struct verify_report *report, const char *why)
{
    (void)fprintf(stderr, "%s\n", why);
    verify_report_print(report, &run->manifest, stderr);
}

START_TEST(what_the_pipeline_wrote_is_verified)
{
    const struct mutation none = {.kind = MUTATE_NOTHING};
    struct verify_report *report = recorded_run_verify(run, &none, NULL, NULL);

    if (!verify_report_equal(report)) {
        explain(report, "nothing was mutated");
    }
    ck_assert(verify_report_equal(report));
    ck_assert_uint_gt(verify_report_count(report), 30);
    verify_report_destroy(&report);
}
END_TEST

/* ---- which record ---- */

static bool is_accepted(const void *value)
{
    return ((const struct oms_execution_report *)value)->exec_type == OMS_EXEC_TYPE_NEW;
}

static bool is_trade_report(const void *value)
{
    return ((const struct oms_execution_report *)value)->exec_type == OMS_EXEC_TYPE_TRADE;
}

static bool is_settled(const void *value)
{
    return ((const struct oms_execution_report *)value)->exec_type == OMS_EXEC_TYPE_SETTLED;
}

static bool is_rejected(const void *value)
{
    return ((const struct oms_execution_report *)value)->exec_type == OMS_EXEC_TYPE_REJECTED;
}

static bool is_user_cancel(const void *value)
{
    const struct oms_execution_report *report = value;

    return report->exec_type == OMS_EXEC_TYPE_CANCELED &&
           report->cancel_reason == OMS_CANCEL_REASON_USER;
}

static bool is_trade_journal(const void *value)
{
    return ((const struct oms_ledger_entry *)value)->entry_type == OMS_ENTRY_TYPE_TRADE;
}

static bool is_deposit(const void *value)
{
    return ((const struct oms_ledger_entry *)value)->entry_type == OMS_ENTRY_TYPE_DEPOSIT;
}

/* ---- what is changed ---- */

static void change_price(void *value)
{
    ((struct oms_trade *)value)->price += 1;
}

static void change_taker(void *value)
{
    struct oms_trade *trade = value;

    trade->taker_side = trade->taker_side == OMS_SIDE_BUY ? OMS_SIDE_SELL : OMS_SIDE_BUY;
}

static void change_trade_time(void *value)
{
    ((struct oms_trade *)value)->ts_us += 1000;
}

static void change_trade_id(void *value)
{
    ((struct oms_trade *)value)->trade_id += 1;
}

static void change_version(void *value)
{
    ((struct oms_execution_report *)value)->version += 1;
}

static void change_cumulated(void *value)
{
    ((struct oms_execution_report *)value)->cum_qty += 1;
}

static void change_last_qty(void *value)
{
    ((struct oms_execution_report *)value)->last_qty *= 2;
}

static void change_fee(void *value)
{
    ((struct oms_execution_report *)value)->fee_amount += 1;
}

static void change_code(void *value)
{
    ((struct oms_execution_report *)value)->reject_code = 1111;
}

static void change_command(void *value)
{
    ((struct oms_execution_report *)value)->command_id = mr_slice_str("recorded-99999-a");
}

static void change_posting(void *value)
{
    struct oms_ledger_entry *entry = value;

    ((struct oms_posting *)(uintptr_t)entry->postings.items)[0].amount += 1;
}

/* Still balanced, so that only the comparison with the balances can see it. */
static void change_both_postings(void *value)
{
    struct oms_ledger_entry *entry = value;
    struct oms_posting *postings = (struct oms_posting *)(uintptr_t)entry->postings.items;

    ck_assert_uint_eq(entry->postings.count, 2);
    for (size_t i = 0; i < 2; i++) {
        postings[i].amount += 1;
        postings[i].has_balance_after = false;
    }
}

static void change_balance_after(void *value)
{
    struct oms_ledger_entry *entry = value;
    struct oms_posting *postings = (struct oms_posting *)(uintptr_t)entry->postings.items;

    for (size_t i = 0; i < entry->postings.count; i++) {
        postings[i].balance_after += postings[i].has_balance_after ? 1 : 0;
    }
}

static void change_available(void *value)
{
    ((struct oms_balance *)value)->available += 1;
}

static void change_hold(void *value)
{
    ((struct oms_balance *)value)->hold += 1;
}

static void change_balance_version(void *value)
{
    ((struct oms_balance *)value)->version = 1;
}

static void change_position(void *value)
{
    ((struct oms_position *)value)->qty += 1;
}

static void change_realised(void *value)
{
    ((struct oms_position *)value)->realised_total += 1;
}

static void change_high(void *value)
{
    ((struct oms_candle *)value)->high += 1;
}

static void change_taker_volume(void *value)
{
    ((struct oms_candle *)value)->taker_buy_base += 1;
}

static void change_window(void *value)
{
    ((struct oms_candle *)value)->open_ts_us += 60000000;
}

static void change_last_seq(void *value)
{
    ((struct oms_book_snapshot *)value)->last_seq += 1;
}

#define DLQ "crypto-oms.validate.dlq"

static const struct {
    struct mutation mutation;
    const char *check; /* beginning of the name of the check that must differ */
    const char *why;
} rows[] = {
    {{MUTATE_DROP, "orders", NULL, NULL}, "commands in `orders`", "a lost command"},
    {{MUTATE_DOUBLE, "orders", NULL, NULL}, "commands in `orders`", "a command twice"},
    {{MUTATE_DROP, "executions", is_accepted, NULL},
     "commands with exactly one outcome",
     "a lost acceptance"},
    {{MUTATE_DROP, "executions", is_rejected, NULL},
     "commands with exactly one outcome",
     "a lost rejection"},
    {{MUTATE_DROP, "executions", is_user_cancel, NULL},
     "commands with exactly one outcome",
     "a lost cancellation"},
    {{MUTATE_DOUBLE, "executions", is_accepted, NULL},
     "commands with exactly one outcome",
     "two acceptances"},
    {{MUTATE_CHANGE, "executions", is_accepted, change_command},
     "commands with exactly one outcome",
     "an outcome of a command never sent"},
    {{MUTATE_DOUBLE, "executions", is_trade_report, NULL}, "execution ids", "a fill twice"},
    {{MUTATE_CHANGE, "executions", is_rejected, change_code},
     "commands with the outcome they must have",
     "another code"},
    {{MUTATE_CHANGE, "executions", is_rejected, change_code},
     "rejected with another code",
     "another code, by count"},
    {{MUTATE_DROP, "executions", is_trade_report, NULL},
     "reports out of version order",
     "a lost fill"},
    {{MUTATE_CHANGE, "executions", is_settled, change_version},
     "reports out of version order",
     "a version left out"},
    {{MUTATE_CHANGE, "executions", is_trade_report, change_cumulated},
     "reports whose quantities do not add up",
     "too much filled"},
    {{MUTATE_DROP, "executions", is_settled, NULL},
     "accepted orders settled or cancelled",
     "an order that never settles"},
    {{MUTATE_CHANGE, "executions", is_trade_report, change_last_qty},
     "positions equal the executions",
     "another quantity"},
    {{MUTATE_CHANGE, "executions", is_trade_report, change_fee},
     "positions equal the executions",
     "another fee"},
    {{MUTATE_DROP, "risk-events", NULL, NULL},
     "commands with exactly one outcome",
     "a duplicate without its event"},
    {{MUTATE_DROP, DLQ, NULL, NULL}, "dead letters crypto", "a lost dead letter"},
    {{MUTATE_DOUBLE, DLQ, NULL, NULL}, "dead letters crypto", "a dead letter twice"},
    {{MUTATE_CHANGE, DLQ, NULL, NULL}, "dead letters' bytes", "other bytes"},
    {{MUTATE_BEHEAD, DLQ, NULL, NULL}, "dead letters without", "no headers"},
    {{MUTATE_DROP, "trades", NULL, NULL}, "trades equal the tape", "a lost trade"},
    {{MUTATE_DOUBLE, "trades", NULL, NULL}, "trades equal the tape", "a trade twice"},
    {{MUTATE_CHANGE, "trades", NULL, change_price}, "trades equal the tape", "another price"},
    {{MUTATE_CHANGE, "trades", NULL, change_taker}, "trades equal the tape", "another taker"},
    {{MUTATE_CHANGE, "trades", NULL, change_trade_time}, "trades equal the tape", "another time"},
    {{MUTATE_CHANGE, "trades", NULL, change_trade_id}, "trade ids that leave a gap", "a gap"},
    {{MUTATE_DROP, "candles", NULL, NULL}, "candles equal", "the last candle stays old"},
    {{MUTATE_CHANGE, "candles", NULL, change_high}, "candles equal", "another high"},
    {{MUTATE_CHANGE, "candles", NULL, change_taker_volume}, "candles equal", "another volume"},
    {{MUTATE_CHANGE, "candles", NULL, change_window}, "candles equal", "a window without trades"},
    {{MUTATE_DROP, "ledger", is_deposit, NULL}, "gaps in users' ledger", "a lost entry"},
    {{MUTATE_DOUBLE, "ledger", NULL, NULL}, "journal ids", "an entry twice"},
    {{MUTATE_CHANGE, "ledger", is_trade_journal, change_posting},
     "journals that do not balance",
     "a posting of another amount"},
    {{MUTATE_CHANGE, "ledger", is_trade_journal, change_posting},
     "ledger sum",
     "money out of nothing"},
    {{MUTATE_CHANGE, "ledger", is_deposit, change_both_postings},
     "balances equal the sum",
     "a balanced journal of another amount"},
    {{MUTATE_CHANGE, "ledger", is_trade_journal, change_balance_after},
     "postings whose",
     "another balanceAfter"},
    {{MUTATE_DROP, "ledger", is_trade_journal, NULL}, "clearing account", "half a trade settled"},
    {{MUTATE_CHANGE, "balances", NULL, change_available},
     "balances equal the sum",
     "another balance"},
    {{MUTATE_CHANGE, "balances", NULL, change_hold}, "holds left at the end", "a hold left"},
    {{MUTATE_CHANGE, "balances", NULL, change_balance_version},
     "balances whose version goes back",
     "an old balance after a new one"},
    {{MUTATE_DROP, "positions", NULL, NULL},
     "positions equal the executions",
     "the last position stays old"},
    {{MUTATE_CHANGE, "positions", NULL, change_position},
     "positions equal the executions",
     "another position"},
    {{MUTATE_CHANGE, "positions", NULL, change_realised}, "positions whose cost", "another profit"},
    {{MUTATE_DOUBLE, "book", NULL, NULL}, "gaps in the books' deltas", "a delta twice"},
    {{MUTATE_DROP, "book", NULL, NULL}, "books empty", "a lost delta"},
    {{MUTATE_CHANGE, "book.snapshots", NULL, change_last_seq},
     "books empty",
     "a snapshot of another moment"},
};

/* Does a check differ whose name begins so? */
static bool differs(const struct verify_report *report, const char *prefix)
{
    for (size_t i = 0; i < verify_report_count(report); i++) {
        const struct verify_check *check = verify_report_at(report, i);

        if (strncmp(verify_check_name(check), prefix, strlen(prefix)) == 0 &&
            !verify_check_equal(check)) {
            return true;
        }
    }
    return false;
}

START_TEST(one_wrong_record_is_found_by_the_check_about_it)
{
    struct verify_report *report = recorded_run_verify(run, &rows[_i].mutation, NULL, NULL);
    const bool found = differs(report, rows[_i].check);

    if (!found) {
        explain(report, rows[_i].why);
    }
    ck_assert_msg(found, "%s: %s does not differ", rows[_i].why, rows[_i].check);
    ck_assert(!verify_report_equal(report));
    verify_report_destroy(&report);
}
END_TEST

START_TEST(a_difference_names_topic_partition_and_offset)
{
    const struct mutation mutation = {MUTATE_CHANGE, "trades", NULL, change_price};
    struct verify_report *report = recorded_run_verify(run, &mutation, NULL, NULL);
    bool named = false;

    for (size_t i = 0; i < verify_report_count(report); i++) {
        const char *text = verify_check_difference(verify_report_at(report, i), 0);

        named =
            named || (text != NULL && strstr(text, "trades/") != NULL && strchr(text, '@') != NULL);
    }
    ck_assert(named);
    verify_report_destroy(&report);
}
END_TEST

START_TEST(stores_that_hold_what_the_topics_say_are_equal)
{
    const struct mutation none = {.kind = MUTATE_NOTHING};
    struct recorded_stores *stores = recorded_stores_create(run, NULL, false);
    struct verify_report *report = recorded_run_verify(
        run, &none, recorded_stores_documents(stores), recorded_stores_keys(stores));

    if (!verify_report_equal(report)) {
        explain(report, "nothing was damaged");
    }
    ck_assert(verify_report_equal(report));
    ck_assert_ptr_nonnull(verify_report_find(report, "document store: executions"));
    ck_assert_ptr_nonnull(verify_report_find(report, "redis: order:{id}"));
    verify_report_destroy(&report);
    recorded_stores_destroy(&stores);
}
END_TEST

static const struct {
    const char *damaged; /* prefix of what is damaged */
    bool drop;
    const char *check;
} store_rows[] = {
    {"executions/", true, "document store: executions"},
    {"executions/", false, "document store: executions"},
    {"orders/", true, "document store: orders"},
    {"positions/", true, "document store: positions"},
    {"positions/", false, "document store: positions"},
    {"ledger/", true, "document store: ledger"},
    {"candles/", true, "document store: candles"},
    {"order:", true, "redis: order:{id}"},
    {"order:", false, "redis: order:{id}"},
    {"position:", true, "redis: position:{user}:{symbol}"},
    {"position:", false, "redis: position:{user}:{symbol}"},
    {"idempotency:", true, "redis: idempotency:{user}:{key}"},
};

START_TEST(one_wrong_document_or_key_is_found)
{
    const struct mutation none = {.kind = MUTATE_NOTHING};
    struct recorded_stores *whole = recorded_stores_create(run, NULL, false);
    struct recorded_stores *stores = recorded_stores_create(
        run, recorded_stores_name(whole, store_rows[_i].damaged), store_rows[_i].drop);
    struct verify_report *report = recorded_run_verify(
        run, &none, recorded_stores_documents(stores), recorded_stores_keys(stores));

    ck_assert_msg(differs(report, store_rows[_i].check), "%s %s", store_rows[_i].damaged,
                  store_rows[_i].check);
    verify_report_destroy(&report);
    recorded_stores_destroy(&stores);
    recorded_stores_destroy(&whole);
}
END_TEST

START_TEST(a_manifest_survives_its_file)
{
    struct load_manifest *copy = calloc(1, sizeof *copy);
    struct mr_err err = {0};
    char path[] = "/tmp/millrace-manifest-XXXXXX";
    const int file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    (void)close(file);
    ck_assert_int_eq(load_manifest_write(&run->manifest, path, &err), MR_OK);
    ck_assert_msg(load_manifest_read(path, copy, &err) == MR_OK, "%s", err.text);
    ck_assert_str_eq(copy->run, run->manifest.run);
    ck_assert_int_eq(copy->sent, run->manifest.sent);
    ck_assert_int_eq(copy->accepted, run->manifest.accepted);
    ck_assert_uint_eq(copy->dead_letter_digest, run->manifest.dead_letter_digest);
    ck_assert_uint_eq(copy->rejected_count, run->manifest.rejected_count);
    ck_assert_uint_eq(copy->start_count, run->manifest.start_count);
    ck_assert_int_eq(load_manifest_start(copy, "orders")->partitions,
                     load_manifest_start(&run->manifest, "orders")->partitions);
    load_manifest_fini(copy);
    ck_assert_int_eq(load_manifest_read("/nowhere/manifest.json", copy, &err), MR_CONFIG);
    (void)unlink(path);
    free(copy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("verify");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, what_the_pipeline_wrote_is_verified);
    tcase_add_loop_test(tcase, one_wrong_record_is_found_by_the_check_about_it, 0,
                        (int)MR_COUNT(rows));
    tcase_add_test(tcase, a_difference_names_topic_partition_and_offset);
    tcase_add_test(tcase, stores_that_hold_what_the_topics_say_are_equal);
    tcase_add_loop_test(tcase, one_wrong_document_or_key_is_found, 0, (int)MR_COUNT(store_rows));
    tcase_add_test(tcase, a_manifest_survives_its_file);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
