/*
 * test_books.c
 *
 * Goal:   the books of what the pipeline wrote are right, each check of them is able to fail, and
 * what is on its way is a difference only when nothing is at work. Method: as in test_verify.c: the
 * real stages' records, one of them dropped, doubled or changed.
 */
#include "avro/balance.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "recorded_run.h"
#include "verify_books.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#define TRADES 60

static struct recorded_run *run;

static void setup(void)
{
    run = recorded_run_create(TRADES);
}

static void teardown(void)
{
    recorded_run_destroy(&run);
}

static bool is_trade_report(const void *value)
{
    return ((const struct oms_execution_report *)value)->exec_type == OMS_EXEC_TYPE_TRADE;
}

static bool is_fill(const void *value)
{
    return ((const struct oms_ledger_entry *)value)->entry_type == OMS_ENTRY_TYPE_TRADE;
}

static bool is_deposit(const void *value)
{
    return ((const struct oms_ledger_entry *)value)->entry_type == OMS_ENTRY_TYPE_DEPOSIT;
}

static struct oms_posting *postings_of(void *value)
{
    return (struct oms_posting *)(uintptr_t)((struct oms_ledger_entry *)value)->postings.items;
}

static void change_posting(void *value)
{
    postings_of(value)[0].amount += 1;
}

static void change_account(void *value)
{
    postings_of(value)[0].account = mr_slice_str("fees:NONE");
}

/* Balanced, and only the balance knows better. */
static void change_deposit(void *value)
{
    for (size_t i = 0; i < 2; i++) {
        postings_of(value)[i].amount += 1;
        postings_of(value)[i].has_balance_after = false;
    }
}

static void change_to_reversal(void *value)
{
    struct oms_ledger_entry *entry = value;

    entry->entry_type = OMS_ENTRY_TYPE_REVERSAL;
    entry->reverses = mr_slice_str("A-none");
    entry->has_reverses = true;
}

static void change_seq(void *value)
{
    ((struct oms_ledger_entry *)value)->seq += 1;
}

static void change_balance_after(void *value)
{
    struct oms_ledger_entry *entry = value;

    for (size_t i = 0; i < entry->postings.count; i++) {
        postings_of(value)[i].balance_after += postings_of(value)[i].has_balance_after ? 1 : 0;
    }
}

static void change_available(void *value)
{
    ((struct oms_balance *)value)->available += 1;
}

static void change_version(void *value)
{
    ((struct oms_balance *)value)->version += 1;
}

static void change_fee(void *value)
{
    ((struct oms_execution_report *)value)->fee_amount += 1;
}

static const struct {
    struct mutation mutation;
    const char *check;
    const char *why;
} rows[] = {
    {{MUTATE_CHANGE, "ledger", is_fill, change_posting},
     "journals that do not balance",
     "another amount"},
    {{MUTATE_CHANGE, "ledger", is_fill, change_posting},
     "assets whose accounts do not add up to 0",
     "money out of nothing"},
    {{MUTATE_CHANGE, "ledger", is_fill, change_account},
     "accounts that are not the entry's",
     "an account that is nobody's"},
    {{MUTATE_DROP, "ledger", is_deposit, NULL}, "gaps in users' ledger sequences", "a lost entry"},
    {{MUTATE_CHANGE, "ledger", NULL, change_seq},
     "gaps in users' ledger sequences",
     "a number left out"},
    {{MUTATE_DOUBLE, "ledger", NULL, NULL}, "journal ids, each once", "an entry twice"},
    {{MUTATE_CHANGE, "ledger", is_deposit, change_deposit},
     "balances equal the sum of their entries",
     "a balanced entry of another amount"},
    {{MUTATE_CHANGE, "ledger", is_fill, change_balance_after},
     "postings whose balanceAfter is wrong",
     "another balanceAfter"},
    {{MUTATE_CHANGE, "ledger", is_deposit, change_to_reversal},
     "reversals of nothing, or again",
     "a reversal of nothing"},
    {{MUTATE_DROP, "ledger", is_fill, NULL}, "assets left in clearing", "half a trade"},
    {{MUTATE_DROP, "ledger", is_fill, NULL},
     "fills without entry, entries without fill",
     "a fill without entry"},
    {{MUTATE_CHANGE, "balances", NULL, change_available},
     "balances equal the sum of their entries",
     "another balance"},
    {{MUTATE_CHANGE, "balances", NULL, change_version},
     "balances equal the sum of their entries",
     "a balance that is ahead"},
    {{MUTATE_DROP, "balances", NULL, NULL},
     "balances equal the sum of their entries",
     "a balance that stayed old"},
    {{MUTATE_DROP, "executions", is_trade_report, NULL},
     "fills without entry, entries without fill",
     "an entry without fill"},
    {{MUTATE_CHANGE, "executions", is_trade_report, change_fee},
     "fees that are not those of the executions",
     "another fee"},
};

static void explain(const struct verify_books *books, const char *why)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;

    verify_books_table(books, &text);
    (void)fprintf(stderr, "%s\n%.*s", why, (int)text.len, (const char *)text.data);
    mr_buffer_fini(&text);
}

START_TEST(the_books_of_the_pipeline_are_right)
{
    const struct mutation none = {.kind = MUTATE_NOTHING};

    for (int live = 0; live < 2; live++) {
        struct verify_books *books = NULL;
        struct verify_report *report = recorded_run_books(run, &none, live == 1, &books);
        struct mr_buffer text = MR_BUFFER_EMPTY;
        json_error_t error;

        if (!verify_report_equal(report)) {
            explain(books, "nothing was mutated");
        }
        ck_assert(verify_report_equal(report));
        verify_books_table(books, &text);
        mr_buffer_append(&text, "", 1);
        ck_assert_ptr_nonnull(strstr((const char *)text.data, "\nUSDT "));
        ck_assert_ptr_nonnull(strstr((const char *)text.data, "\nthe books are right\n"));
        mr_buffer_fini(&text);
        verify_books_json(books, &text);
        json_t *root = json_loadb((const char *)text.data, text.len, 0, &error);
        ck_assert_ptr_nonnull(root);
        ck_assert(json_is_true(json_object_get(root, "equal")));
        ck_assert_uint_gt(json_array_size(json_object_get(root, "assets")), 1);
        ck_assert_int_gt(json_integer_value(json_object_get(root, "fills")), TRADES);
        json_decref(root);
        mr_buffer_fini(&text);
        verify_books_destroy(&books);
        verify_report_destroy(&report);
    }
}
END_TEST

START_TEST(every_check_can_fail)
{
    struct verify_books *books = NULL;
    struct verify_report *report = recorded_run_books(run, &rows[_i].mutation, false, &books);
    const struct verify_check *check = verify_report_find(report, rows[_i].check);

    ck_assert_msg(check != NULL, "no check \"%s\"", rows[_i].check);
    if (verify_check_equal(check)) {
        explain(books, rows[_i].why);
    }
    ck_assert_msg(!verify_check_equal(check), "%s: not seen", rows[_i].why);
    verify_books_destroy(&books);
    verify_report_destroy(&report);
}
END_TEST

START_TEST(what_is_on_its_way_is_no_difference_while_it_works)
{
    /* The last entry of all is not there yet: neither it nor its balance. */
    const struct mutation late = {MUTATE_DROP, "ledger", is_fill, NULL};
    struct verify_books *books = NULL;
    struct verify_report *report = recorded_run_books(run, &late, true, &books);

    ck_assert(verify_check_equal(verify_report_find(report, "assets left in clearing")));
    ck_assert(verify_check_equal(
        verify_report_find(report, "fills without entry, entries without fill")));
    verify_books_destroy(&books);
    verify_report_destroy(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("books");
    TCase *tcase = tcase_create("books");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_books_of_the_pipeline_are_right);
    tcase_add_loop_test(tcase, every_check_can_fail, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, what_is_on_its_way_is_no_difference_while_it_works);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
