/*
 * Goal:   a schema is taken for an archive's exactly when its records have the bytes of one; an
 * entry is read as it was written, and never beyond its end. Method: the schema that is written and
 * others in a table; an entry with everything in it, whole, cut at every byte, and with every bit
 * changed.
 */
#include "archive_entry.h"
#include "avro/price_tick.h"
#include "millrace/arena.h"

#include <check.h>
#include <stdlib.h>

static struct mr_err err;

#define FIELDS                                                                                     \
    "{\"name\":\"partition\",\"type\":\"int\"},{\"name\":\"offset\",\"type\":{\"type\":\"long\"}}" \
    ","                                                                                            \
    "{\"name\":\"timestamp\",\"type\":\"long\",\"default\":0},"                                    \
    "{\"name\":\"key\",\"type\":[\"null\",\"bytes\"]},"
#define HEADERS                                                                                    \
    "{\"name\":\"headers\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"  \
    "\"H\",\"fields\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"value\",\"type\":["     \
    "\"null\",\"bytes\"]}]}}},"
#define RECORD(fields)                                                                             \
    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n.s\",\"fields\":[" fields "]}"
#define VALUE(types) "{\"name\":\"value\",\"type\":[" types "]}"
#define INNER "{\"type\":\"record\",\"name\":\"V\",\"fields\":[]}"

static const struct {
    const char *why;
    const char *schema;
    const char *text;  /* of the refusal; NULL: good */
    const char *value; /* full name */
} shapes[] = {
    {"in other words", RECORD(FIELDS HEADERS VALUE("\"bytes\",\"null\"")), NULL, NULL},
    {"a value without a namespace has the outer one",
     RECORD(FIELDS HEADERS VALUE("\"null\"," INNER ",\"bytes\"")), NULL, "n.s.V"},
    {"no JSON", "{", "not JSON", NULL},
    {"no record", "\"bytes\"", "no record", NULL},
    {"other fields", RECORD("{\"name\":\"x\",\"type\":\"int\"}"), "should be partition", NULL},
    {"a wide partition",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"partition\","
     "\"type\":\"long\"}]}",
     "field partition should be int", NULL},
    {"no headers", RECORD(FIELDS VALUE("\"null\",\"bytes\"")), "field 5 should be headers", NULL},
    {"one more field",
     RECORD(FIELDS HEADERS VALUE("\"null\",\"bytes\"") ",{\"name\":\"more\","
                                                       "\"type\":\"int\"}"),
     "other fields", NULL},
    {"a value of text", RECORD(FIELDS HEADERS VALUE("\"null\",\"string\"")), "field value", NULL},
    {"a value twice", RECORD(FIELDS HEADERS VALUE("\"null\",\"null\"")), "twice", NULL},
    {"a value that must be", RECORD(FIELDS HEADERS VALUE("\"bytes\"")), "field value", NULL},
    {"a value that is no union", RECORD(FIELDS HEADERS "{\"name\":\"value\",\"type\":\"bytes\"}"),
     "field value", NULL},
};

START_TEST(a_schema_is_an_archives_or_is_refused)
{
    struct archive_shape shape;
    const enum mr_status status = archive_shape_read(mr_slice_str(shapes[_i].schema), &shape, &err);

    ck_assert_msg((status == MR_OK) == (shapes[_i].text == NULL), "%s: %s", shapes[_i].why,
                  err.text);
    if (status != MR_OK) {
        ck_assert_int_eq(status, MR_CORRUPT);
        ck_assert_msg(strstr(err.text, shapes[_i].text) != NULL, "%s: %s", shapes[_i].why,
                      err.text);
    } else if (shapes[_i].value != NULL) {
        ck_assert_str_eq(shape.value_name, shapes[_i].value);
    }
    archive_shape_fini(&shape);
}
END_TEST

/* ---- entries ----------------------------------------------------------------------------------
 */

static struct archive_shape shape;
static struct mr_resolution *values;
static struct mr_arena *arena;
static struct mr_buffer written;

static const struct mr_header headers[] = {{"trace", {(const uint8_t *)"\x00\xff", 2}},
                                           {"none", {NULL, 0}},
                                           {"empty", {(const uint8_t *)"", 0}}};
static uint8_t body[256];

static struct archive_entry full_entry(void)
{
    const struct oms_price_tick tick = {.symbol = mr_slice_str("BTCUSDT"), .ts_us = 7, .price = 5};

    return (struct archive_entry){.partition = 3,
                                  .offset = 1234567890123,
                                  .timestamp_ms = 1723161255342,
                                  .has_key = true,
                                  .key = mr_slice_str("BTCUSDT"),
                                  .headers = headers,
                                  .header_count = MR_COUNT(headers),
                                  .kind = ARCHIVE_RECORD,
                                  .value =
                                      mr_slice_of(body, oms_price_tick_schema.encode(&tick, body))};
}

static void set_up(void)
{
    struct mr_buffer schema = MR_BUFFER_EMPTY;

    archive_schema_write(oms_price_tick_schema.json, &schema);
    ck_assert_msg(archive_shape_read(mr_slice_of(schema.data, schema.len - 1), &shape, &err) ==
                      MR_OK,
                  "%s", err.text);
    mr_buffer_fini(&schema);
    ck_assert_str_eq(shape.value_name, oms_price_tick_schema.full_name);
    ck_assert_msg(mr_resolution_create(&oms_price_tick_schema, shape.value_schema, &values, &err) ==
                      MR_OK,
                  "%s", err.text);
    arena = mr_arena_create(1024);
}

static void tear_down(void)
{
    archive_shape_fini(&shape);
    mr_resolution_destroy(&values);
    mr_arena_destroy(&arena);
    mr_buffer_fini(&written);
}

static enum mr_status read_entry(struct mr_slice *rest, struct archive_entry *entry)
{
    mr_arena_reset(arena);
    return archive_entry_read(rest, &shape, values, arena, entry, &err);
}

START_TEST(an_entry_is_read_as_it_was_written)
{
    struct archive_entry entry = full_entry();
    const struct mr_slice value = entry.value;
    struct archive_entry got;
    struct mr_slice rest;

    archive_entry_write(&entry, true, &written);
    mr_buffer_append(&written, "behind", 6);
    rest = mr_buffer_slice(&written);
    ck_assert_msg(read_entry(&rest, &got) == MR_OK, "%s", err.text);
    ck_assert(mr_slice_equal(rest, mr_slice_str("behind")));
    ck_assert_int_eq(got.partition, 3);
    ck_assert_int_eq(got.offset, 1234567890123);
    ck_assert_int_eq(got.timestamp_ms, 1723161255342);
    ck_assert(got.has_key && mr_slice_equal(got.key, entry.key));
    ck_assert_int_eq(got.kind, ARCHIVE_RECORD);
    ck_assert(mr_slice_equal(got.value, value));
    ck_assert_uint_eq(got.header_count, MR_COUNT(headers));
    for (size_t i = 0; i < MR_COUNT(headers); i++) {
        ck_assert_str_eq(got.headers[i].name, headers[i].name);
        ck_assert(mr_slice_equal(got.headers[i].value, headers[i].value));
        ck_assert_int_eq(got.headers[i].value.data == NULL, headers[i].value.data == NULL);
    }
}
END_TEST

START_TEST(a_key_and_a_value_may_be_missing_or_empty)
{
    static const enum archive_value kinds[] = {ARCHIVE_TOMBSTONE, ARCHIVE_BYTES};

    for (size_t i = 0; i < 2 * MR_COUNT(kinds); i++) {
        const struct archive_entry entry = {.has_key = i % 2 == 0, .kind = kinds[i / 2]};
        struct archive_entry got;
        struct mr_slice rest;

        archive_entry_write(&entry, true, &written);
        rest = mr_buffer_slice(&written);
        ck_assert_int_eq(read_entry(&rest, &got), MR_OK);
        ck_assert_uint_eq(rest.len, 0);
        ck_assert_int_eq(got.has_key, entry.has_key);
        ck_assert_int_eq(got.kind, entry.kind);
        ck_assert_uint_eq(got.key.len + got.value.len + got.header_count, 0);
    }
}
END_TEST

START_TEST(an_entry_that_is_cut_is_refused)
{
    const struct archive_entry entry = full_entry();

    archive_entry_write(&entry, true, &written);
    for (size_t len = 0; len < written.len; len++) {
        uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees one byte too many */
        struct mr_slice rest = mr_slice_of(exact, len);
        struct archive_entry got;

        ck_assert_ptr_nonnull(exact);
        memcpy(exact, written.data, len);
        ck_assert_int_eq(read_entry(&rest, &got), MR_MALFORMED);
        free(exact);
    }
}
END_TEST

START_TEST(a_changed_bit_is_survived)
{
    const struct archive_entry entry = full_entry();

    archive_entry_write(&entry, true, &written);
    for (size_t bit = 0; bit < 8 * written.len; bit++) {
        struct mr_slice rest = mr_buffer_slice(&written);
        struct archive_entry got;
        enum mr_status status;

        written.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        status = read_entry(&rest, &got);
        ck_assert(status == MR_OK || mr_status_class(status) == MR_CLASS_POISON);
        ck_assert(rest.len <= written.len);
        written.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shape");
    TCase *schemas = tcase_create("schemas");
    TCase *entries = tcase_create("entries");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(schemas, a_schema_is_an_archives_or_is_refused, 0, (int)MR_COUNT(shapes));
    tcase_add_checked_fixture(entries, set_up, tear_down);
    tcase_add_test(entries, an_entry_is_read_as_it_was_written);
    tcase_add_test(entries, a_key_and_a_value_may_be_missing_or_empty);
    tcase_add_test(entries, an_entry_that_is_cut_is_refused);
    tcase_add_test(entries, a_changed_bit_is_survived);
    suite_add_tcase(suite, schemas);
    suite_add_tcase(suite, entries);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
