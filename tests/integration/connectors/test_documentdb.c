/*
 * Goal:   the document store ends with the newest state of everything, whatever comes twice, late
 * or in another order. Method: the sink on a real server, in a database of each test's own; read
 * back by the reader that shares no code with it.
 */
#include "connectors/documentdb/documentdb.h"
#include "document_fixture.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char *uri;
static char database[64];
static struct sink_fixture sink;
static json_t *documents;

static void open_sink(const struct mr_schema *schema)
{
    const struct sink_option options[] = {{"uri", uri}, {"database", database}};

    sink_fixture_fini(&sink);
    sink_fixture_init(&sink, &documentdb_sink, schema, options, MR_COUNT(options));
    sink_must_open(&sink);
}

static const char *text_of(const char *collection, const char *id, const char *field)
{
    json_decref(documents);
    documents = documents_read(uri, database, collection);
    return document_text(documents, id, field);
}

static size_t count_of(const char *collection)
{
    json_decref(documents);
    documents = documents_read(uri, database, collection);
    return json_object_size(documents);
}

static void set_up(void)
{
    uri = sink_environment("DOCUMENTDB_URI");
    sink_unique("sinktest", database, sizeof(database));
    sink = (struct sink_fixture){0};
    documents = NULL;
}

static void tear_down(void)
{
    sink_fixture_fini(&sink);
    json_decref(documents);
    database_drop(uri, database);
}

START_TEST(an_order_has_its_fields_exactly)
{
    const struct oms_order_command order = new_order("o1", "u1");
    const struct mr_record record = record_of(&order, 3, 17);

    open_sink(&oms_order_command_schema);
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(text_of("orders", "o1", "orderId"), "o1");
    ck_assert_str_eq(document_text(documents, "o1", "price"), "61000.5");
    ck_assert_str_eq(document_text(documents, "o1", "qty"), "1E-18");
    ck_assert_str_eq(document_text(documents, "o1", "side"), "BUY");
    ck_assert_str_eq(document_text(documents, "o1", "status"), "NEW");
    ck_assert_str_eq(document_text(documents, "o1", "version"), "0");
    ck_assert_str_eq(document_text(documents, "o1", "postOnly"), "false");
    ck_assert_str_eq(document_text(documents, "o1", "tsUs"), "1723104000123456");
    ck_assert_str_eq(document_text(documents, "o1", "ts"), "2024-08-08T08:00:00.123Z");
    ck_assert_str_eq(document_text(documents, "o1", "createdAt"), "2024-08-08T08:00:00.123Z");
    ck_assert_str_eq(document_text(documents, "o1", "stopPrice"), "");
}
END_TEST

START_TEST(a_cancel_is_no_order)
{
    struct oms_order_command cancel = new_order("c1", "u1");
    const struct mr_record record = record_of(&cancel, 0, 1);

    cancel.action = OMS_ACTION_CANCEL;
    open_sink(&oms_order_command_schema);
    sink_must_write(&sink, &record, 1);
    ck_assert_uint_eq(count_of("orders"), 0);
}
END_TEST

START_TEST(a_second_command_of_the_same_id_leaves_the_first)
{
    const struct oms_order_command first = new_order("o1", "first");
    const struct oms_order_command second = new_order("o1", "second");
    const struct mr_record records[] = {record_of(&first, 0, 1), record_of(&second, 0, 2)};

    open_sink(&oms_order_command_schema);
    sink_must_write(&sink, records, 2);
    sink_must_write(&sink, &records[1], 1);
    ck_assert_str_eq(text_of("orders", "o1", "userId"), "first");
}
END_TEST

/* Which of the two connectors comes first must not show. */
START_TEST(command_and_state_meet_in_either_order)
{
    char exec_id[64];
    const struct oms_order_command order = new_order("o1", "user");
    const struct oms_execution_report report = report_of("o1", 2, OMS_ORDER_STATUS_FILLED, exec_id);
    const struct mr_record command_record = record_of(&order, 0, 1);
    const struct mr_record report_record = record_of(&report, 0, 9);

    for (int state_first = 0; state_first < 2; state_first++) {
        const struct mr_record *first = state_first ? &report_record : &command_record;
        const struct mr_record *second = state_first ? &command_record : &report_record;

        open_sink(state_first ? &oms_execution_report_schema : &oms_order_command_schema);
        sink_must_write(&sink, first, 1);
        open_sink(state_first ? &oms_order_command_schema : &oms_execution_report_schema);
        sink_must_write(&sink, second, 1);
        sink_must_write(&sink, second, 1);
        ck_assert_str_eq(text_of("orders", "o1", "status"), "FILLED");
        ck_assert_str_eq(document_text(documents, "o1", "version"), "2");
        ck_assert_str_eq(document_text(documents, "o1", "cumQty"), "2");
        ck_assert_str_eq(document_text(documents, "o1", "price"), "61000.5");
        ck_assert_str_eq(document_text(documents, "o1", "createdAt"), "2024-08-08T08:00:00.123Z");
        ck_assert_uint_eq(json_object_size(documents), 1);
        database_drop(uri, database);
    }
}
END_TEST

START_TEST(the_highest_version_wins_in_any_order)
{
    static const struct {
        const char *why;
        int32_t batch[4], then;
    } ROWS[] = {
        {"in order", {1, 2, 3, 4}, 4},
        {"backwards in one batch", {4, 3, 2, 1}, 1},
        {"an old batch comes again", {1, 2, 3, 4}, 2},
        {"the newest comes later", {1, 2, 3, 2}, 4},
    };
    char exec_ids[5][64];

    open_sink(&oms_execution_report_schema);
    for (size_t row = 0; row < MR_COUNT(ROWS); row++) {
        struct oms_execution_report reports[5];
        struct mr_record records[5];
        char order[16];

        snprintf(order, sizeof(order), "o%zu", row);
        for (size_t i = 0; i < 5; i++) {
            reports[i] = report_of(order, i < 4 ? ROWS[row].batch[i] : ROWS[row].then,
                                   OMS_ORDER_STATUS_ACCEPTED, exec_ids[i]);
            records[i] = record_of(&reports[i], 0, (int64_t)i);
        }
        sink_must_write(&sink, records, 4);
        sink_must_write(&sink, records + 4, 1);
        ck_assert_msg(strcmp(text_of("orders", order, "version"), "4") == 0, "%s: version %s",
                      ROWS[row].why, document_text(documents, order, "version"));
        ck_assert_msg(strcmp(document_text(documents, order, "cumQty"), "4") == 0, "%s",
                      ROWS[row].why);
    }
    ck_assert_uint_eq(count_of("executions"), 4 * 4);
}
END_TEST

START_TEST(the_refusal_of_a_cancel_touches_no_order)
{
    char exec_id[64];
    struct oms_execution_report report = report_of("c1", 1, OMS_ORDER_STATUS_REJECTED, exec_id);
    const struct mr_record record = record_of(&report, 0, 1);

    report.exec_type = OMS_EXEC_TYPE_CANCEL_REJECTED;
    open_sink(&oms_execution_report_schema);
    sink_must_write(&sink, &record, 1);
    ck_assert_uint_eq(count_of("orders"), 0);
    ck_assert_uint_eq(count_of("executions"), 1);
}
END_TEST

START_TEST(a_position_is_replaced_whole)
{
    struct oms_position first = position_of("u1", 1, 5);
    const struct oms_position second = position_of("u1", 2, 7);
    const struct mr_record records[] = {record_of(&first, 0, 1), record_of(&second, 0, 2)};

    first.has_mark = true;
    first.mark = sink_amount(3, 0);
    open_sink(&oms_position_schema);
    sink_must_write(&sink, &records[0], 1);
    ck_assert_str_eq(text_of("positions", "u1:BTCUSDT", "mark"), "3");
    sink_must_write(&sink, &records[1], 1);
    sink_must_write(&sink, &records[0], 1);
    ck_assert_str_eq(text_of("positions", "u1:BTCUSDT", "qty"), "7");
    ck_assert_str_eq(document_text(documents, "u1:BTCUSDT", "mark"), "");
    ck_assert_uint_eq(json_object_size(documents), 1);
}
END_TEST

START_TEST(a_tombstone_deletes_what_came_before_it)
{
    const struct oms_position old = position_of("u1", 9, 5);
    const struct oms_position anew = position_of("u1", 1, 7);
    const struct mr_record before = record_of(&old, 2, 10);
    const struct mr_record tombstone = tombstone_of("u1:BTCUSDT", 2, 11);
    const struct mr_record both[] = {tombstone, record_of(&anew, 2, 12)};

    open_sink(&oms_position_schema);
    sink_must_write(&sink, &before, 1);
    sink_must_write(&sink, &tombstone, 1);
    ck_assert_uint_eq(count_of("positions"), 0);
    sink_must_write(&sink, &before, 1);
    sink_must_write(&sink, both, 2);
    ck_assert_str_eq(text_of("positions", "u1:BTCUSDT", "version"), "1");
    sink_must_write(&sink, &tombstone, 1); /* a replay must not delete the newer one */
    ck_assert_str_eq(text_of("positions", "u1:BTCUSDT", "version"), "1");
}
END_TEST

START_TEST(a_candle_keeps_its_latest_form)
{
    static const struct {
        int32_t revision;
        int64_t trades;
        bool closed;
        const char *expected; /* trades that stand afterwards */
    } STEPS[] = {
        {0, 5, false, "5"},  {0, 4, false, "5"},  {0, 9, false, "9"},
        {0, 9, true, "9"},   {0, 9, false, "9"}, /* an old open form leaves it closed */
        {1, 10, true, "10"}, {0, 12, true, "10"},
    };
    struct oms_candle candle = {
        .symbol = mr_slice_str("BTCUSDT"), .interval = mr_slice_str("1m"), .open_ts_us = 60000000};
    const struct mr_record record = record_of(&candle, 0, 1);

    open_sink(&oms_candle_schema);
    for (size_t i = 0; i < MR_COUNT(STEPS); i++) {
        candle.revision = STEPS[i].revision;
        candle.trades = STEPS[i].trades;
        candle.closed = STEPS[i].closed;
        sink_must_write(&sink, &record, 1);
        ck_assert_str_eq(text_of("candles", "BTCUSDT:1m:60000000", "trades"), STEPS[i].expected);
        ck_assert_str_eq(document_text(documents, "BTCUSDT:1m:60000000", "closed"),
                         i < 3 ? "false" : "true");
    }
}
END_TEST

START_TEST(a_journal_keeps_its_postings)
{
    const struct oms_posting postings[] = {
        {.account = mr_slice_str("user:u:USDT:avail"),
         .asset = mr_slice_str("USDT"),
         .amount = sink_amount(9999999999999999, 999999999999999999)},
        {.account = mr_slice_str("user:u:USDT:hold"),
         .asset = mr_slice_str("USDT"),
         .amount = sink_amount(1, 0)},
    };
    const struct oms_ledger_entry entry = {.journal_id = mr_slice_str("j1"),
                                           .user_id = mr_slice_str("u"),
                                           .postings = {.items = postings, .count = 2},
                                           .seq = 1};
    const struct mr_record record = record_of(&entry, 0, 1);
    const json_t *stored;

    open_sink(&oms_ledger_entry_schema);
    sink_must_write(&sink, &record, 1);
    sink_must_write(&sink, &record, 1);
    ck_assert_uint_eq(count_of("ledger"), 1);
    stored = json_object_get(json_object_get(documents, "j1"), "postings");
    ck_assert_uint_eq(json_array_size(stored), 2);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_object_get(json_array_get(stored, 0), "amount"), "$numberDecimal")),
                     "9999999999999999.999999999999999999");
}
END_TEST

START_TEST(what_nobody_can_write_is_named_and_the_rest_is_written_then)
{
    static const char NOT_UTF8[] = "\xc3\x28";
    struct oms_position positions[3] = {position_of("u1", 1, 1), position_of("u2", 1, 1),
                                        position_of("u3", 1, 1)};
    struct mr_record records[3];

    for (size_t i = 0; i < 3; i++) {
        records[i] = record_of(&positions[i], 0, (int64_t)i);
    }
    open_sink(&oms_position_schema);
    /* 35 significant digits */
    positions[1].qty = sink_amount(12345678901234567, 123456789012345678);
    ck_assert_int_eq(sink_write(&sink, records, 3), MR_OUT_OF_RANGE);
    ck_assert_uint_eq(sink.bad, 1);
    ck_assert_ptr_nonnull(strstr(sink.err.text, "qty"));
    positions[1] = position_of("", 1, 1);
    ck_assert_int_eq(sink_write(&sink, records, 3), MR_MALFORMED);
    ck_assert_uint_eq(sink.bad, 1);
    positions[1] = position_of(NOT_UTF8, 1, 1);
    ck_assert_int_eq(sink_write(&sink, records, 3), MR_MALFORMED);
    ck_assert_uint_eq(sink.bad, 1);
    records[1] = records[2];
    sink_must_write(&sink, records, 2);
    ck_assert_uint_eq(count_of("positions"), 2);
}
END_TEST

START_TEST(a_tombstone_of_a_record_that_never_changes_is_poison)
{
    const struct mr_record record = tombstone_of("u1", 0, 1);

    open_sink(&oms_execution_report_schema);
    ck_assert_int_eq(mr_status_class(sink_write(&sink, &record, 1)), MR_CLASS_POISON);
    ck_assert_uint_eq(sink.bad, 0);
}
END_TEST

START_TEST(opening_twice_changes_nothing)
{
    const struct oms_position position = position_of("u1", 1, 5);
    const struct mr_record record = record_of(&position, 0, 1);

    open_sink(&oms_position_schema);
    sink_must_write(&sink, &record, 1);
    sink_must_open(&sink);
    sink_must_write(&sink, &record, 1);
    ck_assert_uint_eq(count_of("positions"), 1);
}
END_TEST

START_TEST(a_full_batch_arrives_whole)
{
    enum { COUNT = 1000 };
    struct oms_execution_report *reports = calloc(COUNT, sizeof(*reports));
    struct mr_record *records = calloc(COUNT, sizeof(*records));
    char(*names)[2][64] = calloc(COUNT, sizeof(*names));

    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i][0], sizeof(names[i][0]), "o%zu", i / 4);
        reports[i] =
            report_of(names[i][0], (int32_t)(i % 4) + 1, OMS_ORDER_STATUS_ACCEPTED, names[i][1]);
        records[i] = record_of(&reports[i], 0, (int64_t)i);
    }
    open_sink(&oms_execution_report_schema);
    for (int again = 0; again < 2; again++) {
        sink_must_write(&sink, records, COUNT);
        ck_assert_uint_eq(count_of("executions"), COUNT);
        ck_assert_uint_eq(count_of("orders"), COUNT / 4);
        ck_assert_str_eq(document_text(documents, "o249", "version"), "4");
    }
    free(reports);
    free(records);
    free(names);
}
END_TEST

START_TEST(the_reader_selects_by_prefix)
{
    const struct oms_position positions[] = {
        position_of("run1.a", 1, 1), position_of("run1.b", 1, 1), position_of("run10.a", 1, 1),
        position_of("run2", 1, 1)};
    struct mr_record records[4];

    for (size_t i = 0; i < 4; i++) {
        records[i] = record_of(&positions[i], 0, (int64_t)i);
    }
    open_sink(&oms_position_schema);
    sink_must_write(&sink, records, 4);
    ck_assert_uint_eq(documents_count(uri, database, "positions", "run1."), 2);
    ck_assert_uint_eq(documents_count(uri, database, "positions", "run"), 4);
    ck_assert_uint_eq(documents_count(uri, database, "positions", "x"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("documentdb sink");
    TCase *cases = tcase_create("server");
    SRunner *runner;
    int failed;

    (void)signal(SIGPIPE, SIG_IGN);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, an_order_has_its_fields_exactly);
    tcase_add_test(cases, a_cancel_is_no_order);
    tcase_add_test(cases, a_second_command_of_the_same_id_leaves_the_first);
    tcase_add_test(cases, command_and_state_meet_in_either_order);
    tcase_add_test(cases, the_highest_version_wins_in_any_order);
    tcase_add_test(cases, the_refusal_of_a_cancel_touches_no_order);
    tcase_add_test(cases, a_position_is_replaced_whole);
    tcase_add_test(cases, a_tombstone_deletes_what_came_before_it);
    tcase_add_test(cases, a_candle_keeps_its_latest_form);
    tcase_add_test(cases, a_journal_keeps_its_postings);
    tcase_add_test(cases, what_nobody_can_write_is_named_and_the_rest_is_written_then);
    tcase_add_test(cases, a_tombstone_of_a_record_that_never_changes_is_poison);
    tcase_add_test(cases, opening_twice_changes_nothing);
    tcase_add_test(cases, a_full_batch_arrives_whole);
    tcase_add_test(cases, the_reader_selects_by_prefix);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
