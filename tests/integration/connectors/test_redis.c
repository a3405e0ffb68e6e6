/*
 * Goal:   each key holds the newest state, lives as long as promised, and is not touched by what
 * comes twice or late. Method: the sink on a real server with a key prefix of each test's own; read
 * with plain commands and with the reader.
 */
#include "avro/book_snapshot.h"
#include "connectors/redis/redis_read.h"
#include "connectors/redis/redis_sink.h"
#include "document_fixture.h"
#include "redis_fixture.h"

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *url;
static char prefix[64];
static struct sink_fixture sink;

static void open_sink(const struct mr_schema *schema, const char *book_ttl)
{
    const struct sink_option options[] = {
        {"url", url}, {"key-prefix", prefix}, {"book-ttl", book_ttl}};

    sink_fixture_fini(&sink);
    sink_fixture_init(&sink, &redis_sink, schema, options, MR_COUNT(options));
    sink_must_open(&sink);
}

static const char *key(const char *name)
{
    static char keys[8][256];
    static size_t next;
    char *full = keys[next++ % 8];

    snprintf(full, sizeof(keys[0]), "%s%s", prefix, name);
    return full;
}

static const char *field(const char *name, const char *of)
{
    return REDIS_ASK(url, "HGET", key(name), of);
}

static bool lives_about(const char *name, int64_t seconds)
{
    const int64_t ms = strtoll(REDIS_ASK(url, "PTTL", key(name)), NULL, 10);

    return ms <= seconds * 1000 && ms > seconds * 1000 - 60000;
}

static void set_up(void)
{
    url = sink_environment("REDIS_URL");
    sink_unique("sinktest", prefix, sizeof(prefix) - 1);
    memcpy(prefix + strlen(prefix), ":", 2);
    sink = (struct sink_fixture){0};
}

static void tear_down(void)
{
    static const char *const SUFFIXES[] = {
        "order:o1",          "order:c1", "position:u1:BTCUSDT",   "orderbook:BTCUSDT",
        "order:big",         "order:o2", "orderbook:BTCUSDT:seq", "idempotency:u1:k1",
        "idempotency:u1:o1",
    };

    sink_fixture_fini(&sink);
    for (size_t i = 0; i < MR_COUNT(SUFFIXES); i++) {
        (void)REDIS_ASK(url, "DEL", key(SUFFIXES[i]));
    }
}

START_TEST(an_order_is_a_hash_of_its_last_report)
{
    char exec_id[64];
    struct oms_execution_report report = report_of("o1", 3, OMS_ORDER_STATUS_FILLED, exec_id);
    const struct mr_record record = record_of(&report, 0, 1);

    report.cum_qty = sink_amount(1, 500000000000000000);
    open_sink(&oms_execution_report_schema, "1s");
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("order:o1", "status"), "FILLED");
    ck_assert_str_eq(field("order:o1", "version"), "3");
    ck_assert_str_eq(field("order:o1", "cumQty"), "1.5");
    ck_assert_str_eq(field("order:o1", "settled"), "false");
    ck_assert_str_eq(field("order:o1", "ts"), "1723104000123459");
    ck_assert_str_eq(field("order:o1", "price"), ""); /* it has none */
    ck_assert(lives_about("order:o1", 3600));
}
END_TEST

START_TEST(an_older_version_changes_nothing)
{
    static const struct {
        const char *why;
        int32_t batch[3], later;
        const char *expected;
    } ROWS[] = {
        {"in order", {1, 2, 3}, 3, "3"},
        {"backwards in one batch", {3, 2, 1}, 1, "3"},
        {"the first comes again", {1, 2, 3}, 1, "3"},
        {"the newest comes last", {2, 1, 2}, 4, "4"},
        {"more digits are more", {9, 8, 9}, 10, "10"},
        {"and fewer are less", {10, 9, 8}, 9, "10"},
    };
    char exec_ids[4][64];

    open_sink(&oms_execution_report_schema, "1s");
    for (size_t row = 0; row < MR_COUNT(ROWS); row++) {
        struct oms_execution_report reports[4];
        struct mr_record records[4];

        for (size_t i = 0; i < 4; i++) {
            reports[i] = report_of("o1", i < 3 ? ROWS[row].batch[i] : ROWS[row].later,
                                   OMS_ORDER_STATUS_ACCEPTED, exec_ids[i]);
            records[i] = record_of(&reports[i], 0, (int64_t)i);
        }
        (void)REDIS_ASK(url, "DEL", key("order:o1"));
        sink_must_write(&sink, records, 3);
        sink_must_write(&sink, records + 3, 1);
        ck_assert_msg(strcmp(field("order:o1", "version"), ROWS[row].expected) == 0, "%s: %s",
                      ROWS[row].why, field("order:o1", "version"));
        ck_assert_msg(strcmp(field("order:o1", "cumQty"), ROWS[row].expected) == 0, "%s",
                      ROWS[row].why);
    }
}
END_TEST

START_TEST(versions_beyond_2_to_the_53_are_told_apart)
{
    struct oms_position position = position_of("u1", INT64_C(9007199254740992), 1);
    const struct mr_record record = record_of(&position, 0, 1);

    open_sink(&oms_position_schema, "1s");
    sink_must_write(&sink, &record, 1);
    position.version++; /* the same as a floating-point number */
    position.qty = sink_amount(2, 0);
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("position:u1:BTCUSDT", "qty"), "2");
    position.version--;
    position.qty = sink_amount(3, 0);
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("position:u1:BTCUSDT", "qty"), "2");
}
END_TEST

START_TEST(a_field_that_is_gone_is_gone)
{
    struct oms_position position = position_of("u1", 1, 5);
    const struct mr_record record = record_of(&position, 0, 1);

    position.has_mark = true;
    position.mark = sink_amount(3, 0);
    open_sink(&oms_position_schema, "1s");
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("position:u1:BTCUSDT", "mark"), "3");
    position = position_of("u1", 2, 6);
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("position:u1:BTCUSDT", "mark"), "");
    ck_assert_str_eq(field("position:u1:BTCUSDT", "qty"), "6");
    ck_assert_str_eq(REDIS_ASK(url, "PTTL", key("position:u1:BTCUSDT")), "-1");
}
END_TEST

START_TEST(a_tombstone_deletes_and_versions_begin_anew)
{
    const struct oms_position old = position_of("u1", 9, 5);
    const struct oms_position anew = position_of("u1", 1, 7);
    const struct mr_record records[] = {record_of(&old, 0, 1), tombstone_of("u1:BTCUSDT", 0, 2),
                                        record_of(&anew, 0, 3)};

    open_sink(&oms_position_schema, "1s");
    sink_must_write(&sink, records, 1);
    sink_must_write(&sink, records + 1, 1);
    ck_assert_str_eq(REDIS_ASK(url, "EXISTS", key("position:u1:BTCUSDT")), "0");
    sink_must_write(&sink, records, 1);
    sink_must_write(&sink, records + 1, 2);
    ck_assert_str_eq(field("position:u1:BTCUSDT", "qty"), "7");
}
END_TEST

START_TEST(the_refusal_of_a_cancel_is_no_order)
{
    char exec_id[64];
    struct oms_execution_report report = report_of("c1", 1, OMS_ORDER_STATUS_REJECTED, exec_id);
    const struct mr_record record = record_of(&report, 0, 1);

    report.exec_type = OMS_EXEC_TYPE_CANCEL_REJECTED;
    open_sink(&oms_execution_report_schema, "1s");
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(REDIS_ASK(url, "EXISTS", key("order:c1")), "0");
}
END_TEST

START_TEST(a_request_is_kept_for_a_day_and_a_replay_does_not_prolong_it)
{
    struct oms_order_command command = new_order("o1", "u1");
    const struct mr_record record = record_of(&command, 0, 1);

    command.has_idempotency_key = true;
    command.idempotency_key = mr_slice_str("k1");
    command.has_fingerprint = true;
    memset(command.fingerprint, 0xa5, sizeof(command.fingerprint));
    open_sink(&oms_order_command_schema, "1s");
    sink_must_write(&sink, &record, 1);
    ck_assert(lives_about("idempotency:u1:k1", 86400));
    ck_assert_str_eq(field("idempotency:u1:k1", "orderId"), "o1");
    ck_assert_uint_eq(strlen(field("idempotency:u1:k1", "fingerprint")), 64);
    ck_assert_str_eq(REDIS_ASK(url, "PEXPIRE", key("idempotency:u1:k1"), "5000"), "1");
    sink_must_write(&sink, &record, 1);
    ck_assert(lives_about("idempotency:u1:k1", 5));
    /* The window is over, the key is used again. */
    command.ts_us++;
    command.order_id = mr_slice_str("o2");
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("idempotency:u1:k1", "orderId"), "o2");
    ck_assert(lives_about("idempotency:u1:k1", 86400));
}
END_TEST

START_TEST(without_a_key_the_order_id_is_the_key)
{
    struct oms_order_command command = new_order("o1", "u1");
    const struct mr_record record = record_of(&command, 0, 1);

    open_sink(&oms_order_command_schema, "1s");
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("idempotency:u1:o1", "orderId"), "o1");
}
END_TEST

static const struct oms_book_level LEVELS[] = {{.price = 0}, {.price = 0}};

static struct oms_book_snapshot book_of(int64_t seq)
{
    return (struct oms_book_snapshot){.symbol = mr_slice_str("BTCUSDT"),
                                      .ts_us = 5,
                                      .last_seq = seq,
                                      .depth = 20,
                                      .bids = {.items = LEVELS, .count = 2},
                                      .checksum = 77 + seq};
}

START_TEST(a_book_is_json_for_a_moment_and_its_sequence_stays)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    struct oms_book_snapshot book = book_of(9);
    const struct mr_record record = record_of(&book, 0, 1);
    json_t *json;

    open_sink(&oms_book_snapshot_schema, "200ms");
    sink_must_write(&sink, &record, 1);
    json = json_loads(REDIS_ASK(url, "GET", key("orderbook:BTCUSDT")), 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "lastSeq")), 9);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "bids")), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "asks")), 0);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_array_get(json_object_get(json, "bids"), 0), "price")),
                     "0");
    json_decref(json);
    for (int i = 0; i < 500 && strcmp(REDIS_ASK(url, "EXISTS", key("orderbook:BTCUSDT")), "0") != 0;
         i++) {
        nanosleep(&pause, NULL);
    }
    ck_assert_str_eq(REDIS_ASK(url, "EXISTS", key("orderbook:BTCUSDT")), "0");
    ck_assert_str_eq(field("orderbook:BTCUSDT:seq", "lastSeq"), "9");
    ck_assert_str_eq(field("orderbook:BTCUSDT:seq", "checksum"), "86");
    /* An older one does not come back to life, the same one may. */
    book = book_of(8);
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(REDIS_ASK(url, "EXISTS", key("orderbook:BTCUSDT")), "0");
    book = book_of(9);
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("orderbook:BTCUSDT:seq", "lastSeq"), "9");
}
END_TEST

START_TEST(a_key_of_somebody_else_is_that_record_s_fault_only)
{
    char exec_ids[3][64];
    const struct oms_execution_report reports[] = {
        report_of("o2", 1, OMS_ORDER_STATUS_ACCEPTED, exec_ids[0]),
        report_of("o1", 1, OMS_ORDER_STATUS_ACCEPTED, exec_ids[1]),
        report_of("big", 1, OMS_ORDER_STATUS_ACCEPTED, exec_ids[2])};
    const struct mr_record records[] = {record_of(&reports[0], 0, 1), record_of(&reports[1], 0, 2),
                                        record_of(&reports[2], 0, 3)};

    ck_assert_str_eq(REDIS_ASK(url, "SET", key("order:o1"), "text"), "OK");
    open_sink(&oms_execution_report_schema, "1s");
    ck_assert_int_eq(mr_status_class(sink_write(&sink, records, 3)), MR_CLASS_POISON);
    ck_assert_uint_eq(sink.bad, 1);
    ck_assert_str_eq(field("order:big", "version"), "1");
    sink_must_write(&sink, &records[2], 1); /* no answer of the batch before is left */
}
END_TEST

START_TEST(a_record_without_identity_is_named)
{
    static const struct {
        const char *why, *user;
        int64_t version;
        enum mr_status status;
    } ROWS[] = {
        {"no user", "", 1, MR_MALFORMED},
        {"a negative version has no order", "u1", -1, MR_OUT_OF_RANGE},
    };

    open_sink(&oms_position_schema, "1s");
    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        const struct oms_position good = position_of("u1", 1, 1);
        const struct oms_position bad = position_of(ROWS[i].user, ROWS[i].version, 1);
        const struct mr_record records[] = {record_of(&good, 0, 1), record_of(&bad, 0, 2)};

        ck_assert_msg(sink_write(&sink, records, 2) == ROWS[i].status, "%s", ROWS[i].why);
        ck_assert_uint_eq(sink.bad, 1);
    }
}
END_TEST

START_TEST(scripts_are_loaded_again_when_the_server_forgot_them)
{
    char exec_id[64];
    const struct oms_execution_report report =
        report_of("o1", 1, OMS_ORDER_STATUS_ACCEPTED, exec_id);
    const struct mr_record record = record_of(&report, 0, 1);

    open_sink(&oms_execution_report_schema, "1s");
    ck_assert_str_eq(REDIS_ASK(url, "SCRIPT", "FLUSH"), "OK");
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(field("order:o1", "version"), "1");
}
END_TEST

struct read_keys {
    size_t count;
    bool found[4];
    char text[4][2048];
};

static enum mr_status take_key(void *arg, size_t index, bool found, struct mr_slice json,
                               struct mr_err *err)
{
    struct read_keys *read = arg;

    (void)err;
    ck_assert_uint_eq(index, read->count);
    ck_assert_uint_lt(index, 4);
    read->found[index] = found;
    ck_assert_uint_lt(json.len, sizeof(read->text[index]));
    if (json.len > 0) {
        memcpy(read->text[index], json.data, json.len);
    }
    read->count++;
    return MR_OK;
}

START_TEST(the_reader_sees_hashes_texts_and_what_is_not_there)
{
    char exec_id[64];
    const struct oms_execution_report report =
        report_of("o1", 2, OMS_ORDER_STATUS_ACCEPTED, exec_id);
    const struct mr_record record = record_of(&report, 0, 1);
    const char *const keys[] = {key("order:o1"), key("no-such"), key("order:o2")};
    struct redis_reader *reader = NULL;
    struct read_keys read = {0};
    struct mr_err err;
    json_t *json;

    open_sink(&oms_execution_report_schema, "1s");
    sink_must_write(&sink, &record, 1);
    ck_assert_str_eq(REDIS_ASK(url, "SET", key("order:o2"), "{\"a\":1}"), "OK");
    ck_assert_int_eq(redis_reader_open(url, &reader, &err), MR_OK);
    ck_assert_msg(redis_reader_fetch(reader, keys, 3, take_key, &read, &err) == MR_OK, "%s",
                  err.text);
    redis_reader_close(&reader);
    ck_assert_uint_eq(read.count, 3);
    ck_assert(read.found[0] && !read.found[1] && read.found[2]);
    ck_assert_str_eq(read.text[2], "{\"a\":1}");
    json = json_loads(read.text[0], 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(json, "version")), "2");
    ck_assert_str_eq(json_string_value(json_object_get(json, "status")), "ACCEPTED");
    json_decref(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redis sink");
    TCase *cases = tcase_create("server");
    SRunner *runner;
    int failed;

    (void)signal(SIGPIPE, SIG_IGN);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, an_order_is_a_hash_of_its_last_report);
    tcase_add_test(cases, an_older_version_changes_nothing);
    tcase_add_test(cases, versions_beyond_2_to_the_53_are_told_apart);
    tcase_add_test(cases, a_field_that_is_gone_is_gone);
    tcase_add_test(cases, a_tombstone_deletes_and_versions_begin_anew);
    tcase_add_test(cases, the_refusal_of_a_cancel_is_no_order);
    tcase_add_test(cases, a_request_is_kept_for_a_day_and_a_replay_does_not_prolong_it);
    tcase_add_test(cases, without_a_key_the_order_id_is_the_key);
    tcase_add_test(cases, a_book_is_json_for_a_moment_and_its_sequence_stays);
    tcase_add_test(cases, a_key_of_somebody_else_is_that_record_s_fault_only);
    tcase_add_test(cases, a_record_without_identity_is_named);
    tcase_add_test(cases, scripts_are_loaded_again_when_the_server_forgot_them);
    tcase_add_test(cases, the_reader_sees_hashes_texts_and_what_is_not_there);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
