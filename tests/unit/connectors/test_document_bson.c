/*
 * Goal:   an amount in the document store is the amount, to the last atom, or none at all.
 * Method: boundaries against libbson's own parser of decimal text; random amounts against text
 * built from digits.
 */
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "connectors/documentdb/document_bson.h"
#include "domain/decimal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define POW16 ((mr_i128)INT64_C(10000000000000000))

static void same_as_text(mr_i128 atoms, const char *text, const char *why)
{
    bson_decimal128_t made, parsed;

    ck_assert_msg(document_decimal(atoms, &made), "%s: refused", why);
    ck_assert(bson_decimal128_from_string(text, &parsed));
    ck_assert_msg(made.high == parsed.high && made.low == parsed.low, "%s: %s", why, text);
}

START_TEST(amounts_are_exact)
{
    static const struct {
        const char *why, *text;
    } ROWS[] = {
        {"zero", "0"},
        {"one", "1"},
        {"trailing zeros before the point stay", "100"},
        {"those behind it go", "1.5"},
        {"one atom", "0.000000000000000001"},
        {"minus one atom", "-0.000000000000000001"},
        {"a negative amount", "-61000.25"},
        {"16 digits and 18 decimals: 34 digits", "9999999999999999.999999999999999999"},
        {"the same below zero", "-9999999999999999.999999999999999999"},
        {"17 digits and 17 decimals", "12345678901234567.12345678901234567"},
        {"20 digits", "99999999999999999999"},
        {"20 digits and 14 decimals", "99999999999999999999.99999999999999"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct dom_text text = {.data = ROWS[i].text, .len = strlen(ROWS[i].text)};
        dec_t atoms;

        ck_assert_int_eq(dec_parse_signed(text, &atoms), DEC_PARSED);
        same_as_text(atoms, ROWS[i].text, ROWS[i].why);
    }
}
END_TEST

START_TEST(an_amount_that_would_be_rounded_is_refused)
{
    static const struct {
        const char *why;
        int64_t units_tenth; /* of 10^16 units */
        int64_t atoms;
        bool exact;
    } ROWS[] = {
        {"10^16 + 1 atom: 35 digits", 10, 1, false},
        {"10^16 + 10 atoms: 34 digits", 10, 10, true},
        {"-(10^16) - 1 atom", -10, -1, false},
        {"exactly 10^16", 10, 0, true},
    };
    bson_decimal128_t decimal = {.low = 42};

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const mr_i128 atoms = POW16 / 10 * ROWS[i].units_tenth * DEC_ONE + ROWS[i].atoms;

        ck_assert_msg(document_decimal(atoms, &decimal) == ROWS[i].exact, "%s", ROWS[i].why);
    }
    decimal.low = 42;
    ck_assert(!document_decimal(DEC_MAX, &decimal));
    ck_assert_uint_eq(decimal.low, 42);
}
END_TEST

/* What the store shows must be the digits, whatever form it chose. */
START_TEST(random_amounts_come_back)
{
    uint64_t seed = 7;

    for (int i = 0; i < 200000; i++) {
        char text[BSON_DECIMAL128_STRING], canonical[DEC_TEXT_MAX];
        bson_decimal128_t decimal, parsed;
        mr_i128 atoms;

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        atoms = (mr_i128)(seed >> (seed % 50)) * (int64_t)(1 + (seed >> 33) % 1000000000000);
        atoms = seed & 1 ? -atoms : atoms;
        if (!document_decimal(atoms, &decimal)) {
            ck_assert(dec_abs(atoms) >= DEC_BUSINESS_LIMIT);
            continue;
        }
        (void)dec_format(atoms, canonical);
        ck_assert(bson_decimal128_from_string(canonical, &parsed));
        bson_decimal128_to_string(&decimal, text);
        ck_assert_msg(parsed.high == decimal.high && parsed.low == decimal.low, "%s became %s",
                      canonical, text);
    }
}
END_TEST

START_TEST(dates_round_down)
{
    static const struct {
        const char *why;
        int64_t us, ms;
    } ROWS[] = {
        {"the epoch", 0, 0},
        {"the last microsecond", 999, 0},
        {"one millisecond", 1000, 1},
        {"before the epoch", -1, -1},
        {"exactly before it", -1000, -1},
        {"just before that", -1001, -2},
        {"the earliest", INT64_MIN, INT64_MIN / 1000 - 1},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        ck_assert_msg(document_date_ms(ROWS[i].us) == ROWS[i].ms, "%s", ROWS[i].why);
    }
}
END_TEST

static struct oms_execution_report a_report(void)
{
    return (struct oms_execution_report){.exec_id = mr_slice_str("e"),
                                         .order_id = mr_slice_str("o"),
                                         .user_id = mr_slice_str("u"),
                                         .symbol = mr_slice_str("s"),
                                         .ts_us = 1234567,
                                         .version = 3};
}

START_TEST(absent_fields_are_left_out_and_times_keep_their_microseconds)
{
    const struct oms_execution_report report = a_report();
    bson_t document = BSON_INITIALIZER;
    struct mr_err err;
    bson_iter_t at;

    ck_assert_int_eq(document_append(&document, &oms_execution_report_schema, &report, NULL, &err),
                     MR_OK);
    ck_assert(!bson_has_field(&document, "price"));
    ck_assert(!bson_has_field(&document, "traceId"));
    ck_assert(bson_iter_init_find(&at, &document, "version"));
    ck_assert_int_eq(bson_iter_int32(&at), 3);
    ck_assert(bson_iter_init_find(&at, &document, "ts"));
    ck_assert_int_eq(bson_iter_date_time(&at), 1234);
    ck_assert(bson_iter_init_find(&at, &document, "tsUs"));
    ck_assert_int_eq(bson_iter_int64(&at), 1234567);
    bson_destroy(&document);
}
END_TEST

START_TEST(only_the_named_fields_are_appended)
{
    static const char *const ONLY[] = {"version", "price", NULL};
    const struct oms_execution_report report = a_report();
    bson_t document = BSON_INITIALIZER;
    struct mr_err err;

    ck_assert_int_eq(document_append(&document, &oms_execution_report_schema, &report, ONLY, &err),
                     MR_OK);
    ck_assert_uint_eq(bson_count_keys(&document), 1); /* there is no price */
    bson_destroy(&document);
}
END_TEST

START_TEST(what_bson_cannot_hold_is_named)
{
    struct oms_posting posting = {0};
    struct oms_execution_report report = a_report();
    struct oms_ledger_entry entry = {.postings = {.items = &posting, .count = 1}};
    bson_t document = BSON_INITIALIZER;
    struct mr_err err;

    posting.amount = DEC_MAX;
    ck_assert_int_eq(document_append(&document, &oms_ledger_entry_schema, &entry, NULL, &err),
                     MR_OUT_OF_RANGE);
    ck_assert_ptr_nonnull(strstr(err.text, "amount"));
    report.user_id = mr_slice_str("\xff");
    bson_reinit(&document);
    ck_assert_int_eq(document_append(&document, &oms_execution_report_schema, &report, NULL, &err),
                     MR_MALFORMED);
    ck_assert_ptr_nonnull(strstr(err.text, "userId"));
    bson_destroy(&document);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document bson");
    TCase *cases = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, amounts_are_exact);
    tcase_add_test(cases, an_amount_that_would_be_rounded_is_refused);
    tcase_add_test(cases, random_amounts_come_back);
    tcase_add_test(cases, dates_round_down);
    tcase_add_test(cases, absent_fields_are_left_out_and_times_keep_their_microseconds);
    tcase_add_test(cases, only_the_named_fields_are_appended);
    tcase_add_test(cases, what_bson_cannot_hold_is_named);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
