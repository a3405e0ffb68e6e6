/*
 * Goal:   keys and values are those that readers know.
 * Method: records through the layout; the JSON is read back by a JSON parser.
 */
#include "avro/book_snapshot.h"
#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "avro/trade.h"
#include "connectors/redis/redis_layout.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#define UNIT ((mr_i128)INT64_C(1000000000000000000))

static bool key_is(const struct mr_schema *schema, const void *record, const char *expected)
{
    const struct redis_shape *shape = redis_shape_find(schema);
    struct mr_buffer key = MR_BUFFER_EMPTY;
    bool same;

    mr_buffer_printf(&key, "%s", shape->key_prefix);
    shape->identity(record, &key);
    same = mr_slice_equal(mr_buffer_slice(&key), mr_slice_str(expected));
    mr_buffer_fini(&key);
    return same;
}

START_TEST(keys_follow_the_layout)
{
    const struct oms_execution_report report = {.order_id = mr_slice_str("o1")};
    const struct oms_position position = {.user_id = mr_slice_str("u"),
                                          .symbol = mr_slice_str("S")};
    const struct oms_book_snapshot book = {.symbol = mr_slice_str("S")};

    ck_assert(key_is(&oms_execution_report_schema, &report, "order:o1"));
    ck_assert(key_is(&oms_position_schema, &position, "position:u:S"));
    ck_assert(key_is(&oms_book_snapshot_schema, &book, "orderbook:S"));
    ck_assert_ptr_null(redis_shape_find(&oms_trade_schema));
}
END_TEST

START_TEST(a_request_s_key_is_the_client_s_else_its_order_id)
{
    static const struct {
        const char *why;
        bool has_key, has_client_id;
        const char *expected;
    } ROWS[] = {
        {"both: the key", true, true, "idempotency:u:key"},
        {"the key alone", true, false, "idempotency:u:key"},
        {"the client's order id", false, true, "idempotency:u:client"},
        {"neither", false, false, "idempotency:u:order"},
    };

    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        const struct oms_order_command command = {.user_id = mr_slice_str("u"),
                                                  .order_id = mr_slice_str("order"),
                                                  .has_idempotency_key = ROWS[i].has_key,
                                                  .idempotency_key = mr_slice_str("key"),
                                                  .has_client_order_id = ROWS[i].has_client_id,
                                                  .client_order_id = mr_slice_str("client")};

        ck_assert_msg(key_is(&oms_order_command_schema, &command, ROWS[i].expected), "%s",
                      ROWS[i].why);
    }
}
END_TEST

static bool arg_is(const struct redis_args *args, size_t index, const char *expected)
{
    return mr_slice_equal(mr_slice_of(args->text.data + args->begins[index],
                                      args->begins[index + 1] - args->begins[index]),
                          mr_slice_str(expected));
}

START_TEST(hash_fields_are_names_and_canonical_texts)
{
    const struct oms_position position = {.user_id = mr_slice_str("u"),
                                          .symbol = mr_slice_str("S"),
                                          .ts_us = -5,
                                          .qty = -UNIT / 4,
                                          .version = INT64_MAX};
    static const struct {
        const char *name, *value;
    } EXPECTED[] = {
        {"userId", "u"},      {"symbol", "S"},
        {"ts", "-5"},         {"qty", "-0.25"},
        {"costBasis", "0"},   {"realisedTotal", "0"},
        {"realisedDay", "0"}, {"day", "0"},
        {"feesTotal", "0"},   {"version", "9223372036854775807"},
    };
    struct redis_args args = {0};

    redis_args_clear(&args);
    redis_add_fields(&args, redis_shape_find(&oms_position_schema), &position);
    ck_assert_uint_eq(args.count, 2 * MR_COUNT(EXPECTED));
    for (size_t i = 0; i < MR_COUNT(EXPECTED); i++) {
        ck_assert_msg(arg_is(&args, 2 * i, EXPECTED[i].name), "%s", EXPECTED[i].name);
        ck_assert_msg(arg_is(&args, 2 * i + 1, EXPECTED[i].value), "%s", EXPECTED[i].name);
    }
    redis_args_fini(&args);
}
END_TEST

START_TEST(a_request_keeps_only_what_is_asked_for)
{
    struct oms_order_command command = {
        .event_id = mr_slice_str("e"), .order_id = mr_slice_str("o"), .has_fingerprint = true};
    struct redis_args args = {0};

    memset(command.fingerprint, 0, sizeof(command.fingerprint));
    command.fingerprint[0] = 0xf1;
    redis_args_clear(&args);
    redis_add_fields(&args, redis_shape_find(&oms_order_command_schema), &command);
    ck_assert_uint_eq(args.count, 10);
    ck_assert(arg_is(&args, 8, "fingerprint"));
    ck_assert(arg_is(&args, 9, "f100000000000000000000000000000000000000000000000000000000000000"));
    redis_args_fini(&args);
}
END_TEST

START_TEST(a_full_report_fits_the_arguments)
{
    /* Every field of the widest record, twice, and what stands before them. */
    ck_assert_uint_le(2 * oms_execution_report_schema.field_count + 8, REDIS_ARGS_MAX);
    ck_assert_uint_le(2 * oms_order_command_schema.field_count + 8, REDIS_ARGS_MAX);
}
END_TEST

START_TEST(a_book_is_json_whatever_its_symbol)
{
    static const struct oms_book_level LEVELS[] = {{.price = 61000, .qty = 1},
                                                   {.price = 60999, .qty = 2}};
    static const char *const SYMBOLS[] = {"BTCUSDT", "a\"b\\c", "line\nend\x01", ""};

    for (size_t i = 0; i < MR_COUNT(SYMBOLS); i++) {
        for (size_t count = 0; count <= 2; count++) {
            const struct oms_book_snapshot book = {.symbol = mr_slice_str(SYMBOLS[i]),
                                                   .last_seq = 12,
                                                   .bids = {.items = LEVELS, .count = count},
                                                   .checksum = -3};
            struct mr_buffer text = MR_BUFFER_EMPTY;
            json_t *json;

            redis_append_json(&text, &oms_book_snapshot_schema, &book);
            json = json_loadb((const char *)text.data, text.len, 0, NULL);
            ck_assert_ptr_nonnull(json);
            ck_assert_str_eq(json_string_value(json_object_get(json, "symbol")), SYMBOLS[i]);
            ck_assert_int_eq(json_integer_value(json_object_get(json, "lastSeq")), 12);
            ck_assert_int_eq(json_integer_value(json_object_get(json, "checksum")), -3);
            ck_assert_uint_eq(json_array_size(json_object_get(json, "bids")), count);
            ck_assert_uint_eq(json_array_size(json_object_get(json, "asks")), 0);
            json_decref(json);
            mr_buffer_fini(&text);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redis layout");
    TCase *cases = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, keys_follow_the_layout);
    tcase_add_test(cases, a_request_s_key_is_the_client_s_else_its_order_id);
    tcase_add_test(cases, hash_fields_are_names_and_canonical_texts);
    tcase_add_test(cases, a_request_keeps_only_what_is_asked_for);
    tcase_add_test(cases, a_full_report_fits_the_arguments);
    tcase_add_test(cases, a_book_is_json_whatever_its_symbol);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
