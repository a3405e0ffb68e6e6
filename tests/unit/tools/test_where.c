/*
 * Goal:   a condition on a record's fields holds exactly when it should, and one that cannot mean
 *         anything is refused before a record is read, with what would be right.
 * Method: tables of conditions over one order and one book, with the borders of each type.
 */
#include "avro/book_delta.h"
#include "avro/order_command.h"
#include "where.h"

#include <check.h>
#include <stdlib.h>

/* 1 as a decimal. */
#define ONE ((mr_i128)1000000000000000000)

static struct oms_order_command order(void)
{
    return (struct oms_order_command){
        .event_id = mr_slice_str("e-1"),
        .ts_us = INT64_C(1767225600000000), /* 2026-01-01T00:00:00Z */
        .user_id = mr_slice_str("u*1"),
        .symbol = mr_slice_str("BTCUSDT"),
        .side = OMS_SIDE_SELL,
        .has_qty = true,
        .qty = ONE + 1, /* 1.000000000000000001 */
        .has_fingerprint = true,
        .fingerprint = {0xab, 0xcd},
        .post_only = true,
    };
}

static const struct {
    const char *condition;
    bool holds;
    const char *why;
} rows[] = {
    {"symbol=BTCUSDT", true, "equal text"},
    {"symbol = BTCUSDT ", true, "blanks around do not count"},
    {"symbol=BTC", false, "equal is all of it"},
    {"symbol!=ETHUSDT", true, "another text"},
    {"symbol<BTCUSDU", true, "order of bytes"},
    {"symbol<=BTCUSDT", true, "or equal"},
    {"symbol>BTCUSDT", false, "not above itself"},
    {"symbol~USD", true, "a part"},
    {"symbol~usd", false, "case counts"},
    {"symbol~BTC*", true, "a glob from the beginning"},
    {"symbol~TC*", false, "a glob is all of it"},
    {"symbol~*USDT", true, "to the end"},
    {"symbol~B?CUSDT", true, "one byte"},
    {"symbol~", true, "an empty part is in every text"},
    {"userId=u*1", true, "a star is a star where it is compared"},
    {"qty=1.000000000000000001", true, "exact to the last of 18 places"},
    {"qty>1", true, "by one atom"},
    {"qty>1.000000000000000001", false, "not above itself"},
    {"qty>=1.000000000000000001", true, "or equal"},
    {"qty<1.000000000000000002", true, "by one atom"},
    {"qty!=1", true, "no rounding"},
    {"price=null", true, "absent"},
    {"price!=null", false, "absent"},
    {"qty!=null", true, "present"},
    {"qty=null", false, "present"},
    {"price>0", false, "what is absent is not above"},
    {"price<=0", false, "nor below"},
    {"price!=5", true, "but it is not 5"},
    {"side=SELL", true, "a symbol by name"},
    {"side!=BUY", true, "another symbol"},
    {"side~EL", true, "a part of the name"},
    {"postOnly=true", true, "a flag"},
    {"postOnly=false", false, "a flag"},
    {"ts>=2026-01-01T00:00:00Z", true, "a time"},
    {"ts>2026-01-01T00:00:00Z", false, "not after itself"},
    {"ts<2026-01-01T00:00:00.000001Z", true, "by a microsecond"},
    {"ts=1767225600000000", true, "microseconds since 1970"},
    {"fingerprint~abcd", true, "hex"},
    {"fingerprint=abcd", false, "all of the hex"},
};

START_TEST(a_condition_holds_or_not)
{
    const struct oms_order_command record = order();
    struct where where = {0};
    struct mr_err err = {0};

    ck_assert_msg(where_add(&where, &oms_order_command_schema, rows[_i].condition, &err) == MR_OK,
                  "%s: %s", rows[_i].condition, err.text);
    ck_assert_msg(where_matches(&where, &record) == rows[_i].holds, "%s: %s", rows[_i].condition,
                  rows[_i].why);
}
END_TEST

static const struct {
    const char *condition;
    const char *says;
} refusals[] = {
    {"symbl=BTCUSDT", "OrderCommand has no field \"symbl\", did you mean \"symbol\"?"},
    {"symbol", "is no condition: FIELD=VALUE"},
    {"=BTCUSDT", "is no condition"},
    {"", "is no condition"},
    {"qty>1.5.2", "qty is a number: \"1.5.2\" is none"},
    {"qty>1e3", "qty is a number"},
    {"qty>0.0000000000000000001", "at most 18 places"},
    {"qty>", "qty is a number: \"\" is none"},
    {"qty~1", "this operator does not fit"},
    {"side>BUY", "this operator does not fit"},
    {"side=SEL", "side is never \"SEL\", did you mean \"SELL\"?"},
    {"postOnly=yes", "postOnly is true or false, not \"yes\""},
    {"postOnly>false", "this operator does not fit"},
    {"ts>yesterday", "ts is a time: \"yesterday\" is none"},
    {"symbol.name=x", "symbol has no parts"},
    {"price>null", "= and != alone"},
};

START_TEST(what_means_nothing_is_refused)
{
    struct where where = {0};
    struct mr_err err = {0};

    ck_assert_int_eq(where_add(&where, &oms_order_command_schema, refusals[_i].condition, &err),
                     MR_CONFIG);
    ck_assert_msg(strstr(err.text, refusals[_i].says) != NULL, "%s: %s", refusals[_i].condition,
                  err.text);
    ck_assert_uint_eq(where.count, 0);
}
END_TEST

static const struct {
    const char *condition;
    bool holds;
    const char *why;
} lists[] = {
    {"bids.price>=101", true, "the second of them"},
    {"bids.price>101", false, "none of them"},
    {"bids.orders=3", true, "a whole number"},
    {"bids.orders<2.5", true, "against a fraction"},
    {"asks.price>0", false, "an empty list has none"},
    {"asks.price!=0", false, "of which it would hold"},
};

START_TEST(one_item_of_a_list_is_enough)
{
    struct oms_book_level bids[] = {{.price = 100 * ONE, .qty = ONE, .orders = 2},
                                    {.price = 101 * ONE, .qty = ONE, .orders = 3}};
    const struct oms_book_delta book = {.symbol = mr_slice_str("X"), .bids = {bids, 2}};
    struct where where = {0};
    struct mr_err err;

    ck_assert_int_eq(where_add(&where, &oms_book_delta_schema, lists[_i].condition, &err), MR_OK);
    ck_assert_msg(where_matches(&where, &book) == lists[_i].holds, "%s: %s", lists[_i].condition,
                  lists[_i].why);
}
END_TEST

START_TEST(a_list_alone_is_no_field)
{
    struct where where = {0};
    struct mr_err err;

    ck_assert_int_eq(where_add(&where, &oms_book_delta_schema, "bids=1", &err), MR_CONFIG);
    ck_assert_ptr_nonnull(
        strstr(err.text, "bids is a list: name a field of its items, bids.price"));
    ck_assert_int_eq(where_add(&where, &oms_book_delta_schema, "bids.prise=1", &err), MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "did you mean \"price\"?"));
}
END_TEST

START_TEST(all_conditions_must_hold)
{
    const struct oms_order_command record = order();
    struct where where = {0};
    struct mr_err err;

    ck_assert(where_matches(&where, NULL)); /* no conditions */
    ck_assert_int_eq(where_add(&where, &oms_order_command_schema, "side=SELL", &err), MR_OK);
    ck_assert(where_matches(&where, &record));
    ck_assert(!where_matches(&where, NULL)); /* a tombstone has no side */
    ck_assert_int_eq(where_add(&where, &oms_order_command_schema, "qty<1", &err), MR_OK);
    ck_assert(!where_matches(&where, &record));
}
END_TEST

static const struct {
    const char *pattern, *text;
    bool matches;
} globs[] = {
    {"*", "", true},         {"", "", true},         {"", "a", false},
    {"?", "", false},        {"a*b*c", "abc", true}, {"a*b*c", "axbxbc", true},
    {"a*b*c", "acb", false}, {"**a", "ba", true},    {"*a?", "aab", true},
    {"a", "aa", false},
};

START_TEST(a_glob_matches_the_whole)
{
    ck_assert_msg(where_glob(mr_slice_str(globs[_i].pattern), mr_slice_str(globs[_i].text)) ==
                      globs[_i].matches,
                  "%s %s", globs[_i].pattern, globs[_i].text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("where");
    TCase *tcase = tcase_create("where");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_condition_holds_or_not, 0, (int)MR_COUNT(rows));
    tcase_add_loop_test(tcase, what_means_nothing_is_refused, 0, (int)MR_COUNT(refusals));
    tcase_add_loop_test(tcase, one_item_of_a_list_is_enough, 0, (int)MR_COUNT(lists));
    tcase_add_test(tcase, a_list_alone_is_no_field);
    tcase_add_test(tcase, all_conditions_must_hold);
    tcase_add_loop_test(tcase, a_glob_matches_the_whole, 0, (int)MR_COUNT(globs));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
