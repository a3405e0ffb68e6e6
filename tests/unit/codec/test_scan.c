/*
 * Goal:   bytes of any foreign schema are measured before avro-c sees them: what it would choke on
 * is refused, what is right passes. Method: a table of schemas and short bodies with why; bodies
 * that nest and repeat without end.
 */
#include "millrace/arena.h"
#include "millrace/buffer.h"
#include "millrace/wire.h"
#include "scan.h"

#include <check.h>
#include <stdlib.h>

#define BODY_BYTES_MAX 32

struct scan_case {
    const char *schema;
    uint8_t body[BODY_BYTES_MAX];
    size_t len;
    enum mr_status want;
    const char *why;
};

#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
#define MAP "{\"type\":\"map\",\"values\":\"int\"}"
#define ARRAY "{\"type\":\"array\",\"items\":\"int\"}"

static const struct scan_case CASES[] = {
    {"\"null\"", {0}, 0, MR_OK, "null takes no bytes"},
    {"\"boolean\"", BYTES(1), MR_OK, "true"},
    {"\"boolean\"", BYTES(2), MR_MALFORMED, "neither true nor false"},
    {"\"float\"", BYTES(0, 0, 0, 0), MR_OK, "four bytes"},
    {"\"float\"", BYTES(0, 0, 0), MR_MALFORMED, "three bytes"},
    {"\"double\"", BYTES(0, 0, 0, 0, 0, 0, 0, 0), MR_OK, "eight bytes"},
    {"\"double\"", BYTES(0, 0, 0, 0, 0, 0, 0), MR_MALFORMED, "seven bytes"},
    {"\"bytes\"", BYTES(4, 0, 0), MR_OK, "bytes may be zero"},
    {"\"string\"", BYTES(4, 'a', 0), MR_MALFORMED, "text may not"},
    {"\"string\"", BYTES(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'a'),
     MR_MALFORMED, "avro-c would allocate 2^63 bytes"},
    {"\"string\"", BYTES(0x80, 0x80, 0x80, 0x80, 0x08, 'a'), MR_MALFORMED,
     "avro-c would allocate a gigabyte and lose it"},
    {"[\"null\",\"int\",\"string\"]", BYTES(4, 2, 'a'), MR_OK, "the third branch"},
    {"[\"null\",\"int\",\"string\"]", BYTES(6), MR_MALFORMED, "a fourth branch of three"},
    {"[\"null\",\"int\"]", BYTES(1), MR_MALFORMED, "branch -1"},
    {MAP, BYTES(2, 2, 'k', 7, 0), MR_OK, "one entry"},
    {MAP, BYTES(2, 2, 'k', 7), MR_MALFORMED, "no end of the map"},
    {MAP, BYTES(2, 0x10, 'k', 7, 0), MR_MALFORMED, "a key that runs past the end"},
    {ARRAY, BYTES(4, 1, 2, 2, 3, 0), MR_OK, "two blocks"},
    {ARRAY, BYTES(3, 4, 1, 2, 0), MR_OK, "a block that states its two bytes"},
    {ARRAY, BYTES(3, 6, 1, 2, 0), MR_MALFORMED, "a block of two bytes that states three"},
    {ARRAY, BYTES(0, 0), MR_MALFORMED, "a byte behind the array"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", BYTES(4), MR_OUT_OF_RANGE,
     "symbol 2 of 2"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", BYTES(1, 2), MR_MALFORMED, "two of three"},
};

static enum mr_status scan(const char *json, struct mr_slice body)
{
    avro_schema_t schema = NULL;
    struct mr_err err = {0};
    enum mr_status status = MR_OK;

    ck_assert_msg(avro_schema_from_json_length(json, strlen(json), &schema) == 0, "%s",
                  avro_strerror());
    status = mr_scan_body(schema, body, &err);
    ck_assert((status == MR_OK) == (err.text[0] == '\0'));
    avro_schema_decref(schema);
    return status;
}

START_TEST(foreign_bytes_pass_or_are_refused_by_rule)
{
    const struct scan_case *c = &CASES[_i];
    uint8_t *exact = malloc(c->len == 0 ? 1 : c->len);
    enum mr_status got = MR_OK;

    memcpy(exact, c->body, c->len);
    got = scan(c->schema, mr_slice_of(exact, c->len));
    ck_assert_msg(got == c->want, "%s: %s, not %s", c->why, mr_status_name(got),
                  mr_status_name(c->want));
    free(exact);
}
END_TEST

static const char LIST[] = "{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"next\","
                           "\"type\":[\"null\",\"L\"]}]}";

/* A list of n records: n - 1 times "there is a next one", then null. */
static enum mr_status scan_list(size_t records)
{
    uint8_t body[64];

    memset(body, 2, sizeof(body));
    body[records - 1] = 0;
    return scan(LIST, mr_slice_of(body, records));
}

START_TEST(nesting_ends_at_its_limit)
{
    ck_assert_int_eq(scan_list(1), MR_OK);
    ck_assert_int_eq(scan_list(32), MR_OK);
    ck_assert_int_eq(scan_list(33), MR_MALFORMED);
}
END_TEST

/* 17 arrays of 65535 nulls each say in 70 bytes that there are a million values. */
START_TEST(values_without_bytes_are_counted)
{
    static const char JSON[] =
        "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"null\"}}";
    struct mr_buffer body = MR_BUFFER_EMPTY;

    for (int arrays = 15; arrays <= 17; arrays += 2) {
        uint8_t *at = NULL;

        mr_buffer_clear(&body);
        at = mr_buffer_reserve(&body, 1024);
        at = mr_wire_put_long(at, arrays);
        for (int i = 0; i < arrays; i++) {
            at = mr_wire_put_long(at, 65535);
            at = mr_wire_put_long(at, 0);
        }
        at = mr_wire_put_long(at, 0);
        body.len = (size_t)(at - body.data);
        ck_assert_int_eq(scan(JSON, mr_buffer_slice(&body)), arrays == 15 ? MR_OK : MR_TOO_LARGE);
    }
    mr_buffer_fini(&body);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tcase = tcase_create("rules");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(tcase, foreign_bytes_pass_or_are_refused_by_rule, 0, (int)MR_COUNT(CASES));
    tcase_add_test(tcase, nesting_ends_at_its_limit);
    tcase_add_test(tcase, values_without_bytes_are_counted);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
