/*
 * Goal:   records become JSON that any reader takes, and come back from it unchanged; wrong JSON is
 *         refused with the field named.
 * Method: random records of every schema there and back; tables of decimals, times and bad input.
 */
#include "avro/book_delta.h"
#include "avro/catalog.h"
#include "avro/dedupe_entry.h"
#include "avro/risk_account.h"
#include "avro/settle_order.h"
#include "json_text.h"
#include "millrace/codec.h"
#include "records.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

static struct mr_arena *arena;
static struct mr_buffer text;

static void set_up(void)
{
    arena = mr_arena_create(65536);
    text = MR_BUFFER_EMPTY;
}

static void tear_down(void)
{
    mr_buffer_fini(&text);
    mr_arena_destroy(&arena);
}

START_TEST(every_record_comes_back_from_its_json)
{
    const struct mr_schema *schema = oms_schemas[_i];
    struct random random = {.state = 11};

    for (int round = 0; round < 100; round++) {
        const void *record = random_record(&random, schema, arena);
        void *out = mr_arena_alloc(arena, schema->struct_bytes);
        struct mr_err err = {0};
        const char *field = NULL;
        json_t *parsed = NULL;

        mr_buffer_clear(&text);
        mr_json_write_record(schema, record, &text);
        parsed = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(parsed != NULL, "%s, round %d: no JSON", schema->name, round);
        json_decref(parsed);
        ck_assert_msg(mr_json_read_record(schema, mr_buffer_slice(&text), arena, out, &err) ==
                          MR_OK,
                      "%s", err.text);
        field = records_differ(schema, record, out);
        ck_assert_msg(field == NULL, "%s.%s", schema->name, field == NULL ? "" : field);
        mr_arena_reset(arena);
    }
}
END_TEST

START_TEST(a_record_looks_as_documented)
{
    const struct oms_book_level bid = {
        .price = (mr_i128)1500000000000000000, .qty = -1, .orders = 2};
    const struct oms_book_delta delta = {.symbol = mr_slice_str("A\"\\\n\xc3\xa9\xff"),
                                         .ts_us = INT64_C(1723075200123456),
                                         .first_seq = INT64_MIN,
                                         .last_seq = 4,
                                         .bids = {.items = &bid, .count = 1}};

    mr_json_write_record(&oms_book_delta_schema, &delta, &text);
    mr_buffer_append(&text, "", 1);
    ck_assert_str_eq((const char *)text.data,
                     "{\"symbol\":\"A\\\"\\\\\\u000a\xc3\xa9\\ufffd\","
                     "\"ts\":\"2024-08-08T00:00:00.123456Z\",\"firstSeq\":-9223372036854775808,"
                     "\"lastSeq\":4,\"bids\":[{\"price\":\"1.5\","
                     "\"qty\":\"-0.000000000000000001\",\"orders\":2}],\"asks\":[],"
                     "\"checksum\":null}");
}
END_TEST

struct decimal_case {
    const char *text;
    const char *canonical; /* NULL: refused */
    const char *why;
};

static const struct decimal_case DECIMALS[] = {
    {"0", "0", "zero"},
    {"-0", "0", "there is one zero"},
    {"1", "1", "no point needed"},
    {"1.50", "1.5", "zeros at the end go"},
    {"-0.000000000000000001", "-0.000000000000000001", "one atom"},
    {"0.0000000000000000001", NULL, "19 places"},
    {"99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999",
     "the largest"},
    {"100000000000000000000", NULL, "39 digits of atoms"},
    {"-100000000000000000000", NULL, "the same below zero"},
    {"340282366920938463463374607431768211456", NULL, "2^128 must not wrap"},
    {"", NULL, "nothing"},
    {"-", NULL, "a sign alone"},
    {".5", NULL, "no digit before the point"},
    {"5.", NULL, "no digit behind the point"},
    {"1.2.3", NULL, "two points"},
    {"+1", NULL, "no plus"},
    {"1e3", NULL, "no exponent"},
    {" 1", NULL, "no space"},
};

START_TEST(a_decimal_text_is_exact_or_refused)
{
    const struct decimal_case *c = &DECIMALS[_i];
    char out[MR_JSON_DECIMAL_BYTES];
    mr_i128 atoms = 0;

    if (!mr_json_decimal_parse(c->text, &atoms)) {
        ck_assert_msg(c->canonical == NULL, "%s: refused", c->why);
        return;
    }
    ck_assert_msg(c->canonical != NULL, "%s: accepted", c->why);
    mr_json_decimal_format(atoms, out);
    ck_assert_str_eq(out, c->canonical);
}
END_TEST

struct time_case {
    const char *text;
    int64_t us;
    bool valid;
    const char *why;
};

static const struct time_case TIMES[] = {
    {"1970-01-01T00:00:00.000000Z", 0, true, "the epoch"},
    {"1969-12-31T23:59:59.999999Z", -1, true, "before it, rounding goes down"},
    {"2024-02-29T12:00:00Z", INT64_C(1709208000000000), true, "a leap day, no fraction"},
    {"2024-08-08T00:00:00.5Z", INT64_C(1723075200500000), true, "one digit is tenths"},
    {"0000-01-01T00:00:00Z", INT64_C(-62167219200000000), true, "the first year"},
    {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), true, "the last microsecond"},
    {"2023-02-29T00:00:00Z", 0, false, "no leap year"},
    {"1900-02-29T00:00:00Z", 0, false, "centuries are none"},
    {"2024-13-01T00:00:00Z", 0, false, "month 13"},
    {"2024-00-01T00:00:00Z", 0, false, "month 0"},
    {"2024-01-01T24:00:00Z", 0, false, "hour 24"},
    {"2024-01-01T00:00:60Z", 0, false, "there are no leap seconds in this count"},
    {"2024-01-01T00:00:00.Z", 0, false, "a point without digits"},
    {"2024-01-01T00:00:00.1234567Z", 0, false, "finer than a microsecond"},
    {"2024-01-01T00:00:00+01:00", 0, false, "UTC only"},
    {"2024-01-01", 0, false, "a date alone"},
};

START_TEST(a_time_text_is_exact_or_refused)
{
    const struct time_case *c = &TIMES[_i];
    char out[MR_JSON_TIME_BYTES];
    int64_t us = 0;
    int64_t again = 0;

    ck_assert_msg(mr_json_time_parse(c->text, &us) == c->valid, "%s", c->why);
    if (c->valid) {
        ck_assert_msg(us == c->us, "%s: %lld", c->why, (long long)us);
        ck_assert(mr_json_time_format(us, out));
        ck_assert_uint_eq(strlen(out), 27);
        ck_assert(mr_json_time_parse(out, &again));
        ck_assert_int_eq(again, us);
    }
}
END_TEST

struct json_case {
    const struct mr_schema *schema;
    const char *json;
    enum mr_status want;
    const char *says; /* part of the error */
    const char *why;
};

#define FORTY_HEX "0123456789abcdef0123456789abcdef01234567"
#define SIXTY_FOUR_HEX "89abcdefABCDEF0123456789" FORTY_HEX

static const struct json_case JSONS[] = {
    {&oms_settle_order_schema, "{\"hold\":\"1\",\"lastVersion\":2}", MR_OK, "", "complete"},
    {&oms_settle_order_schema, "{\"hold\":\"1\"}", MR_MALFORMED, "lastVersion", "no default"},
    {&oms_settle_order_schema, "{\"hold\":\"1\",\"lastVersion\":2,\"x\":1}", MR_MALFORMED,
     "SettleOrder.x", "a field that does not exist"},
    {&oms_settle_order_schema, "{\"hold\":1,\"lastVersion\":2}", MR_MALFORMED, "hold",
     "money as a number may have been rounded already"},
    {&oms_settle_order_schema, "{\"hold\":null,\"lastVersion\":2}", MR_MALFORMED, "hold",
     "null where a value must be"},
    {&oms_settle_order_schema, "{\"hold\":\"1\",\"lastVersion\":2147483648}", MR_MALFORMED,
     "lastVersion", "one beyond 32 bits"},
    {&oms_settle_order_schema, "{\"hold\":\"1\",\"lastVersion\":2.0}", MR_MALFORMED, "lastVersion",
     "a fraction"},
    {&oms_settle_order_schema, "{\"hold\":\"1\",\"hold\":\"2\",\"lastVersion\":2}", MR_MALFORMED,
     "duplicate", "which of the two is meant?"},
    {&oms_settle_order_schema, "[]", MR_MALFORMED, "no JSON object", "an array"},
    {&oms_settle_order_schema, "{\"hold\":\"1\",\"lastVersion\":2} x", MR_MALFORMED, "SettleOrder",
     "text behind the object"},
    {&oms_settle_order_schema, "", MR_MALFORMED, "SettleOrder", "nothing"},
    {&oms_dedupe_entry_schema,
     "{\"firstTs\":1,\"fingerprint\":\"" SIXTY_FOUR_HEX "\",\"orderId\":\"o\",\"commandId\":\"c\"}",
     MR_OK, "", "microseconds as a number, hexadecimal digits of both cases"},
    {&oms_dedupe_entry_schema,
     "{\"firstTs\":1,\"fingerprint\":\"" FORTY_HEX "\",\"orderId\":\"o\",\"commandId\":\"c\"}",
     MR_MALFORMED, "fingerprint", "20 bytes of 32"},
    {&oms_dedupe_entry_schema,
     "{\"firstTs\":1,\"fingerprint\":7,\"orderId\":\"o\",\"commandId\":\"c\"}", MR_MALFORMED,
     "fingerprint", "a number is no fixed"},
    {&oms_dedupe_entry_schema,
     "{\"firstTs\":\"yesterday\",\"fingerprint\":\"" SIXTY_FOUR_HEX
     "\",\"orderId\":\"o\",\"commandId\":\"c\"}",
     MR_MALFORMED, "firstTs", "no time"},
    {&oms_dedupe_entry_schema,
     "{\"firstTs\":1,\"fingerprint\":\"" SIXTY_FOUR_HEX
     "\",\"orderId\":\"a\\u0000b\",\"commandId\":\"c\"}",
     MR_MALFORMED, "DedupeEntry", "NUL separates the parts of keys"},
    {&oms_risk_account_schema,
     "{\"openOrders\":1,\"bucketMicroTokens\":2,\"bucketTs\":3,\"realisedDay\":\"0\",\"day\":4}",
     MR_OK, "", "enum, bool, null and empty arrays by default"},
    {&oms_risk_account_schema,
     "{\"tradingState\":\"ASLEEP\",\"openOrders\":1,\"bucketMicroTokens\":2,\"bucketTs\":3,"
     "\"realisedDay\":\"0\",\"day\":4}",
     MR_MALFORMED, "tradingState", "no such symbol"},
    {&oms_risk_account_schema,
     "{\"lossBreached\":0,\"openOrders\":1,\"bucketMicroTokens\":2,\"bucketTs\":3,"
     "\"realisedDay\":\"0\",\"day\":4}",
     MR_MALFORMED, "lossBreached", "0 is not false"},
    {&oms_book_delta_schema,
     "{\"symbol\":\"B\",\"ts\":1,\"firstSeq\":1,\"lastSeq\":1,\"asks\":[],\"bids\":[{\"price\":"
     "\"1\",\"qty\":\"1\",\"orders\":\"x\"}]}",
     MR_MALFORMED, "BookLevel.orders", "a bad value inside an item"},
    {&oms_book_delta_schema,
     "{\"symbol\":\"B\",\"ts\":1,\"firstSeq\":1,\"lastSeq\":1,\"asks\":[],\"bids\":[7]}",
     MR_MALFORMED, "BookLevel", "an item that is no object"},
    {&oms_book_delta_schema,
     "{\"symbol\":\"B\",\"ts\":1,\"firstSeq\":1,\"lastSeq\":1,\"asks\":[],\"bids\":{}}",
     MR_MALFORMED, "bids", "an object is no array"},
};

START_TEST(json_is_read_or_refused_with_the_field_named)
{
    const struct json_case *c = &JSONS[_i];
    void *out = mr_arena_alloc(arena, c->schema->struct_bytes);
    struct mr_err err = {0};
    const enum mr_status got =
        mr_json_read_record(c->schema, mr_slice_str(c->json), arena, out, &err);

    ck_assert_msg(got == c->want, "%s: %s (%s)", c->why, mr_status_name(got), err.text);
    ck_assert_msg(strstr(err.text, c->says) != NULL, "%s: %s", c->why, err.text);
}
END_TEST

START_TEST(fields_left_out_take_their_defaults)
{
    struct oms_risk_account out;
    struct mr_err err = {0};

    memset(&out, 0xee, sizeof(out));
    ck_assert_int_eq(
        mr_json_read_record(&oms_risk_account_schema,
                            mr_slice_str("{\"openOrders\":1,\"bucketMicroTokens\":2,\"bucketTs\":3,"
                                         "\"realisedDay\":\"0\",\"day\":4}"),
                            arena, &out, &err),
        MR_OK);
    ck_assert_int_eq(out.trading_state, OMS_TRADING_STATE_ACTIVE);
    ck_assert(!out.has_open_orders_max);
    ck_assert(!out.loss_breached);
    ck_assert_uint_eq(out.exposures.count + out.balances.count, 0);
    ck_assert_int_eq(out.bucket_ts_us, 3);
}
END_TEST

START_TEST(a_time_beyond_rfc_3339_is_a_number_and_comes_back)
{
    const struct oms_risk_account account = {.bucket_ts_us = INT64_MAX, .has_bucket_ts_us = true};
    struct oms_risk_account out;
    struct mr_err err = {0};

    mr_json_write_record(&oms_risk_account_schema, &account, &text);
    ck_assert_int_eq(
        mr_json_read_record(&oms_risk_account_schema, mr_buffer_slice(&text), arena, &out, &err),
        MR_OK);
    ck_assert_int_eq(out.bucket_ts_us, INT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, every_record_comes_back_from_its_json, 0, (int)oms_schema_count);
    tcase_add_test(tcase, a_record_looks_as_documented);
    tcase_add_loop_test(tcase, a_decimal_text_is_exact_or_refused, 0, (int)MR_COUNT(DECIMALS));
    tcase_add_loop_test(tcase, a_time_text_is_exact_or_refused, 0, (int)MR_COUNT(TIMES));
    tcase_add_loop_test(tcase, json_is_read_or_refused_with_the_field_named, 0,
                        (int)MR_COUNT(JSONS));
    tcase_add_test(tcase, fields_left_out_take_their_defaults);
    tcase_add_test(tcase, a_time_beyond_rfc_3339_is_a_number_and_comes_back);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
