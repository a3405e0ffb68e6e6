/*
 * Goal:   each rule of the wire format is enforced at its edge, with the status that it has.
 * Method: a table of short bodies for four small schemas, each with why it must be what it is.
 */
#include "avro/account_command.h"
#include "avro/book_delta.h"
#include "avro/dedupe_expiry.h"
#include "avro/settle_order.h"
#include "avro/trade.h"
#include "millrace/wire.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define BODY_BYTES_MAX 64

struct bytes_case {
    const struct mr_schema *schema;
    uint8_t body[BODY_BYTES_MAX];
    size_t len;
    enum mr_status want;
    const char *why;
};

#define LONG(...)                                                                                  \
    .schema = &oms_dedupe_expiry_schema, .body = {__VA_ARGS__},                                    \
    .len = sizeof((uint8_t[]){__VA_ARGS__})
/* Behind a decimal of zero stands the int. */
#define ZERO16 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define INT(...)                                                                                   \
    .schema = &oms_settle_order_schema, .body = {ZERO16, __VA_ARGS__},                             \
    .len = sizeof((uint8_t[]){ZERO16, __VA_ARGS__})
#define DECIMAL(...) .schema = &oms_settle_order_schema, .body = {__VA_ARGS__, 0}, .len = 17
#define DELTA(...)                                                                                 \
    .schema = &oms_book_delta_schema, .body = {__VA_ARGS__}, .len = sizeof((uint8_t[]){__VA_ARGS__})

static const struct bytes_case CASES[] = {
    {LONG(0x00), MR_OK, "zero"},
    {LONG(0x7f), MR_OK, "-64, the last of one byte"},
    {LONG(0x80, 0x01), MR_OK, "64, the first of two bytes"},
    {LONG(0x80, 0x00), MR_MALFORMED, "zero in two bytes: overlong"},
    {LONG(0xff, 0x80, 0x00), MR_MALFORMED, "a last byte of zero adds nothing"},
    {LONG(0x80), MR_MALFORMED, "ends in the middle of a varint"},
    {LONG(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), MR_OK, "INT64_MAX"},
    {LONG(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), MR_OK, "INT64_MIN"},
    {LONG(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02), MR_MALFORMED,
     "the tenth byte has one bit"},
    {LONG(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00), MR_MALFORMED,
     "eleven bytes"},
    {LONG(0x00, 0x00), MR_MALFORMED, "a byte behind the record"},
    {INT(0xfe, 0xff, 0xff, 0xff, 0x0f), MR_OK, "INT32_MAX"},
    {INT(0xff, 0xff, 0xff, 0xff, 0x0f), MR_OK, "INT32_MIN"},
    {INT(0x80, 0x80, 0x80, 0x80, 0x10), MR_OUT_OF_RANGE, "INT32_MAX + 1"},
    {INT(0x81, 0x80, 0x80, 0x80, 0x10), MR_OUT_OF_RANGE, "INT32_MIN - 1"},
    {DECIMAL(0x4b, 0x3b, 0x4c, 0xa8, 0x5a, 0x86, 0xc4, 0x7a, 0x09, 0x8a, 0x22, 0x3f, 0xff, 0xff,
             0xff, 0xff),
     MR_OK, "10^38 - 1, the largest decimal"},
    {DECIMAL(0x4b, 0x3b, 0x4c, 0xa8, 0x5a, 0x86, 0xc4, 0x7a, 0x09, 0x8a, 0x22, 0x40, 0x00, 0x00,
             0x00, 0x00),
     MR_OUT_OF_RANGE, "10^38 has 39 digits"},
    {DECIMAL(0xb4, 0xc4, 0xb3, 0x57, 0xa5, 0x79, 0x3b, 0x85, 0xf6, 0x75, 0xdd, 0xc0, 0x00, 0x00,
             0x00, 0x01),
     MR_OK, "1 - 10^38, the smallest decimal"},
    {DECIMAL(0xb4, 0xc4, 0xb3, 0x57, 0xa5, 0x79, 0x3b, 0x85, 0xf6, 0x75, 0xdd, 0xc0, 0x00, 0x00,
             0x00, 0x00),
     MR_OUT_OF_RANGE, "-10^38"},
    {DECIMAL(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), MR_OUT_OF_RANGE,
     "the smallest number of 128 bits, which has no negative"},
    /* symbol, ts, firstSeq, lastSeq, bids, asks, checksum */
    {DELTA(0x02, 'B', 0, 0, 0, 0, 0, 0), MR_OK, "no levels"},
    {DELTA(0x00, 0, 0, 0, 0, 0, 0), MR_OK, "an empty string is a string"},
    {DELTA(0x01, 0, 0, 0, 0, 0, 0), MR_MALFORMED, "a string of length -1"},
    {DELTA(0x02, 0x00, 0, 0, 0, 0, 0, 0), MR_MALFORMED, "NUL separates the parts of keys"},
    {DELTA(0x10, 'B', 0, 0, 0, 0, 0, 0), MR_MALFORMED, "a string that runs past the end"},
    {DELTA(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), MR_MALFORMED,
     "a string of 2^63 - 1 bytes: the sum must not wrap"},
    {DELTA(0x02, 'B', 0, 0, 0, 0, 0, 1), MR_MALFORMED, "union branch -1"},
    {DELTA(0x02, 'B', 0, 0, 0, 0, 0, 4), MR_MALFORMED, "union branch 2 of 2"},
    {DELTA(0x02, 'B', 0, 0, 0, 0, 0, 2, 0), MR_OK, "a checksum of 0 is not the absent one"},
    {DELTA(0x02, 'B', 0, 0, 0, 0x02, ZERO16, ZERO16, 0, 0, 0, 0), MR_OK, "one bid"},
    {DELTA(0x02, 'B', 0, 0, 0, 0x01, 0x42, ZERO16, ZERO16, 0, 0, 0, 0), MR_OK,
     "one bid in a block that states its 33 bytes"},
    {DELTA(0x02, 'B', 0, 0, 0, 0x01, 0x44, ZERO16, ZERO16, 0, 0, 0, 0), MR_MALFORMED,
     "a block of 33 bytes that states 34"},
    {DELTA(0x02, 'B', 0, 0, 0, 0x01, 0x41, ZERO16, ZERO16, 0, 0, 0, 0), MR_MALFORMED,
     "a block of -33 bytes"},
    {DELTA(0x02, 'B', 0, 0, 0, 0x04, ZERO16, ZERO16, 0, 0, 0, 0), MR_MALFORMED,
     "two bids announced, one there"},
    {DELTA(0x02, 'B', 0, 0, 0, 0x80, 0x80, 0x08, 0, 0, 0), MR_MALFORMED,
     "65536 bids announced in three bytes: nothing may be allocated for them"},
    {DELTA(0x02, 'B', 0, 0, 0, 0x82, 0x80, 0x08, 0, 0, 0), MR_TOO_LARGE, "65537 bids"},
    {DELTA(0x02, 'B', 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 0, 0),
     MR_TOO_LARGE, "-2^63 bids: its absolute value does not fit"},
    /* eventId, ts, traceId, userId, action, fifteen fields that are absent or false */
    {.schema = &oms_account_command_schema,
     .body = {[5] = 0},
     .len = 20,
     .want = MR_OK,
     .why = "all zero: DEPOSIT"},
    {.schema = &oms_account_command_schema,
     .body = {[4] = 14},
     .len = 20,
     .want = MR_OK,
     .why = "the last of eight symbols"},
    {.schema = &oms_account_command_schema,
     .body = {[4] = 16},
     .len = 20,
     .want = MR_OUT_OF_RANGE,
     .why = "symbol 8 of 8"},
    {.schema = &oms_account_command_schema,
     .body = {[4] = 1},
     .len = 16,
     .want = MR_OUT_OF_RANGE,
     .why = "symbol -1"},
    {.schema = &oms_dedupe_expiry_schema,
     .body = {0},
     .len = 0,
     .want = MR_MALFORMED,
     .why = "no bytes at all"},
};

START_TEST(a_body_is_accepted_or_refused_by_rule)
{
    const struct bytes_case *c = &CASES[_i];
    struct mr_arena *arena = mr_arena_create(4096);
    void *out = mr_arena_alloc(arena, c->schema->struct_bytes);
    struct mr_err err = {0};
    uint8_t *exact = malloc(c->len == 0 ? 1 : c->len);
    enum mr_status got = MR_OK;

    memcpy(exact, c->body, c->len);
    got = c->schema->decode(mr_slice_of(exact, c->len), arena, out, &err);
    ck_assert_msg(got == c->want, "%s: %s, not %s (%s)", c->why, mr_status_name(got),
                  mr_status_name(c->want), err.text);
    free(exact);
    mr_arena_destroy(&arena);
}
END_TEST

START_TEST(an_error_names_the_record_and_the_field)
{
    struct oms_settle_order out;
    struct mr_err err = {0};
    static const uint8_t BODY[] = {ZERO16, 0x80};

    ck_assert_int_eq(
        oms_settle_order_schema.decode(mr_slice_of(BODY, sizeof(BODY)), NULL, &out, &err),
        MR_MALFORMED);
    ck_assert_str_eq(err.text, "SettleOrder.lastVersion: the record ends inside it");
}
END_TEST

START_TEST(an_absent_body_is_malformed_not_a_crash)
{
    struct oms_trade out;
    struct mr_err err = {0};

    ck_assert_int_eq(oms_trade_schema.decode((struct mr_slice){0}, NULL, &out, &err), MR_MALFORMED);
}
END_TEST

START_TEST(a_body_of_the_limit_passes_and_one_byte_more_does_not)
{
    /* symbol takes what the other fields leave: six bytes, and three for its own length. */
    const size_t symbol_bytes = MR_RECORD_BYTES_MAX - 6 - 3;
    struct mr_arena *arena = mr_arena_create(4096);
    uint8_t *text = mr_arena_alloc(arena, symbol_bytes + 1);
    uint8_t *body = mr_arena_alloc(arena, MR_RECORD_BYTES_MAX + 64);
    struct oms_book_delta delta = {.symbol = mr_slice_of(text, symbol_bytes)};
    struct oms_book_delta out;
    struct mr_err err = {0};
    size_t len = 0;

    memset(text, 'x', symbol_bytes + 1);
    len = oms_book_delta_schema.encode(&delta, body);
    ck_assert_uint_eq(len, MR_RECORD_BYTES_MAX);
    ck_assert_int_eq(oms_book_delta_schema.decode(mr_slice_of(body, len), arena, &out, &err),
                     MR_OK);
    delta.symbol.len++;
    len = oms_book_delta_schema.encode(&delta, body);
    ck_assert_int_eq(oms_book_delta_schema.decode(mr_slice_of(body, len), arena, &out, &err),
                     MR_TOO_LARGE);
    mr_arena_destroy(&arena);
}
END_TEST

START_TEST(an_array_in_many_blocks_is_one_array)
{
    enum { LEVELS = 100 };
    struct mr_arena *arena = mr_arena_create(4096);
    uint8_t *body = mr_arena_alloc(arena, 64 + LEVELS * 64);
    uint8_t *at = body;
    struct oms_book_delta out;
    struct mr_err err = {0};

    at = mr_wire_put_bytes(at, mr_slice_str("B"));
    for (int i = 0; i < 3; i++) {
        at = mr_wire_put_long(at, i);
    }
    for (int i = 0; i < LEVELS; i++) {
        at = mr_wire_put_long(at, 1);
        at = mr_wire_put_decimal(at, i);
        at = mr_wire_put_decimal(at, -i);
        at = mr_wire_put_long(at, i);
    }
    at = mr_wire_put_long(at, 0);
    at = mr_wire_put_long(at, 0);
    at = mr_wire_put_present(at, false);
    ck_assert_int_eq(
        oms_book_delta_schema.decode(mr_slice_of(body, (size_t)(at - body)), arena, &out, &err),
        MR_OK);
    ck_assert_uint_eq(out.bids.count, LEVELS);
    ck_assert_uint_eq(out.asks.count, 0);
    for (int i = 0; i < LEVELS; i++) {
        ck_assert_int_eq(out.bids.items[i].orders, i);
        ck_assert(out.bids.items[i].qty == -i);
    }
    mr_arena_destroy(&arena);
}
END_TEST

START_TEST(strings_borrow_from_the_body)
{
    static const uint8_t BODY[] = {0x06, 'B', 'T', 'C', 0, 0, 0, 0, 0, 0};
    struct mr_arena *arena = mr_arena_create(4096);
    struct oms_book_delta out;
    struct mr_err err = {0};

    ck_assert_int_eq(
        oms_book_delta_schema.decode(mr_slice_of(BODY, sizeof(BODY)), arena, &out, &err), MR_OK);
    ck_assert_ptr_eq(out.symbol.data, BODY + 1);
    mr_arena_destroy(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire");
    TCase *tcase = tcase_create("rules");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(tcase, a_body_is_accepted_or_refused_by_rule, 0, (int)MR_COUNT(CASES));
    tcase_add_test(tcase, an_error_names_the_record_and_the_field);
    tcase_add_test(tcase, an_absent_body_is_malformed_not_a_crash);
    tcase_add_test(tcase, a_body_of_the_limit_passes_and_one_byte_more_does_not);
    tcase_add_test(tcase, an_array_in_many_blocks_is_one_array);
    tcase_add_test(tcase, strings_borrow_from_the_body);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
