/*
 * Goal:   the generated codec of every schema says what avro-c says, and survives any bytes.
 * Method: random records with a fixed seed go both ways between the generated code and avro-c;
 *         valid bytes are cut, extended and flipped.
 */
#include "avro/catalog.h"
#include "oracle.h"
#include "records.h"

#include <check.h>
#include <stdlib.h>

#define ROUNDS 200
#define FLIP_ROUNDS 400
#define SCHEMAS_EXPECTED 31

static struct mr_arena *arena;

static void set_up(void)
{
    arena = mr_arena_create(65536);
}

static void tear_down(void)
{
    mr_arena_destroy(&arena);
}

/* Every test runs once for each schema. */
static const struct mr_schema *schema_of(int index)
{
    return oms_schemas[index];
}

START_TEST(the_bytes_are_those_of_avro_c)
{
    const struct mr_schema *schema = schema_of(_i);
    struct random random = {.state = 1};
    struct oracle oracle;

    oracle_open(&oracle, schema->json);
    for (int round = 0; round < ROUNDS; round++) {
        const void *record = random_record(&random, schema, arena);
        const struct mr_slice ours = encode_record(schema, record, arena);
        avro_value_t value;
        struct mr_slice theirs;

        oracle_value(&oracle, schema, record, &value);
        theirs = oracle_encode(&value, arena);
        ck_assert_msg(mr_slice_equal(ours, theirs), "%s, round %d", schema->name, round);
        avro_value_decref(&value);
        mr_arena_reset(arena);
    }
    oracle_close(&oracle);
}
END_TEST

START_TEST(avro_c_reads_what_the_generated_code_wrote)
{
    const struct mr_schema *schema = schema_of(_i);
    struct random random = {.state = 2};
    struct oracle oracle;

    oracle_open(&oracle, schema->json);
    for (int round = 0; round < ROUNDS; round++) {
        const void *record = random_record(&random, schema, arena);
        avro_value_t want;
        avro_value_t got;

        oracle_value(&oracle, schema, record, &want);
        ck_assert_msg(oracle_decode(&oracle, encode_record(schema, record, arena), &got),
                      "%s, round %d: %s", schema->name, round, avro_strerror());
        ck_assert_msg(avro_value_equal(&want, &got), "%s, round %d", schema->name, round);
        avro_value_decref(&want);
        avro_value_decref(&got);
        mr_arena_reset(arena);
    }
    oracle_close(&oracle);
}
END_TEST

START_TEST(the_generated_code_reads_what_avro_c_wrote)
{
    const struct mr_schema *schema = schema_of(_i);
    struct random random = {.state = 3};
    struct oracle oracle;

    oracle_open(&oracle, schema->json);
    for (int round = 0; round < ROUNDS; round++) {
        const void *record = random_record(&random, schema, arena);
        void *out = mr_arena_alloc(arena, schema->struct_bytes);
        struct mr_err err = {0};
        avro_value_t value;
        const char *field = NULL;

        /* What was in the memory before must not shine through absent values. */
        memset(out, 0xee, schema->struct_bytes);
        oracle_value(&oracle, schema, record, &value);
        ck_assert_msg(schema->decode(oracle_encode(&value, arena), arena, out, &err) == MR_OK,
                      "round %d: %s", round, err.text);
        field = records_differ(schema, record, out);
        ck_assert_msg(field == NULL, "%s.%s differs, round %d", schema->name,
                      field == NULL ? "" : field, round);
        avro_value_decref(&value);
        mr_arena_reset(arena);
    }
    oracle_close(&oracle);
}
END_TEST

/* Each cut lies in memory of exactly its size, so that a sanitizer sees a read beyond it. */
START_TEST(every_truncation_is_malformed)
{
    const struct mr_schema *schema = schema_of(_i);
    struct random random = {.state = 4};

    for (int round = 0; round < 10; round++) {
        const struct mr_slice bytes =
            encode_record(schema, random_record(&random, schema, arena), arena);
        void *out = mr_arena_alloc(arena, schema->struct_bytes);

        for (size_t len = 0; len < bytes.len; len++) {
            uint8_t *cut = malloc(len == 0 ? 1 : len);
            struct mr_err err = {0};

            memcpy(cut, bytes.data, len);
            ck_assert_int_eq(schema->decode(mr_slice_of(cut, len), arena, out, &err), MR_MALFORMED);
            ck_assert_ptr_nonnull(strstr(err.text, schema->name));
            free(cut);
        }
        mr_arena_reset(arena);
    }
}
END_TEST

START_TEST(a_byte_behind_the_record_is_malformed)
{
    const struct mr_schema *schema = schema_of(_i);
    struct random random = {.state = 5};
    const struct mr_slice bytes =
        encode_record(schema, random_record(&random, schema, arena), arena);
    uint8_t *longer = mr_arena_alloc(arena, bytes.len + 1);
    void *out = mr_arena_alloc(arena, schema->struct_bytes);
    struct mr_err err = {0};

    memcpy(longer, bytes.data, bytes.len);
    longer[bytes.len] = 0;
    ck_assert_int_eq(schema->decode(mr_slice_of(longer, bytes.len + 1), arena, out, &err),
                     MR_MALFORMED);
}
END_TEST

/* Bytes that decode are a record; as encodings are unique, it encodes to the same bytes. */
START_TEST(flipped_bytes_are_refused_or_are_another_record)
{
    const struct mr_schema *schema = schema_of(_i);
    struct random random = {.state = 6};
    int refused = 0;

    for (int round = 0; round < FLIP_ROUNDS; round++) {
        const struct mr_slice bytes =
            encode_record(schema, random_record(&random, schema, arena), arena);
        const uint64_t flips = 1 + random_below(&random, 3);
        uint8_t *bad = malloc(bytes.len);
        void *out = mr_arena_alloc(arena, schema->struct_bytes);
        struct mr_err err = {0};

        memcpy(bad, bytes.data, bytes.len);
        for (uint64_t i = 0; i < flips; i++) {
            bad[random_below(&random, bytes.len)] ^= (uint8_t)(1U << random_below(&random, 8));
        }
        if (schema->decode(mr_slice_of(bad, bytes.len), arena, out, &err) != MR_OK) {
            ck_assert_int_eq(mr_status_class(err.status), MR_CLASS_POISON);
            refused++;
        } else {
            const struct mr_slice again = encode_record(schema, out, arena);

            /* One array may come in several blocks: then the bytes differ, the values do not. */
            ck_assert_uint_le(again.len, bytes.len);
        }
        free(bad);
        mr_arena_reset(arena);
    }
    ck_assert_msg(refused > 0 || schema->field_count < 3, "%s: nothing was refused", schema->name);
}
END_TEST

START_TEST(random_bytes_never_crash)
{
    const struct mr_schema *schema = schema_of(_i);
    struct random random = {.state = 7};

    for (int round = 0; round < FLIP_ROUNDS; round++) {
        const size_t len = random_below(&random, 300);
        uint8_t *bytes = malloc(len == 0 ? 1 : len);
        void *out = mr_arena_alloc(arena, schema->struct_bytes);
        struct mr_err err = {0};

        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(random_next(&random) & 0x1f);
        }
        if (schema->decode(mr_slice_of(bytes, len), arena, out, &err) == MR_OK) {
            (void)encode_record(schema, out, arena);
        }
        free(bytes);
        mr_arena_reset(arena);
    }
}
END_TEST

START_TEST(the_catalogue_has_every_schema_with_its_event_time)
{
    size_t with_time = 0;

    ck_assert_uint_eq(oms_schema_count, SCHEMAS_EXPECTED);
    for (size_t i = 0; i < oms_schema_count; i++) {
        const struct mr_schema *schema = oms_schemas[i];

        with_time += schema->event_us_offset >= 0 ? 1 : 0;
        for (size_t n = 0; n < schema->field_count; n++) {
            if (strcmp(schema->fields[n].name, "ts") == 0) {
                ck_assert_int_eq(schema->event_us_offset, (ptrdiff_t)schema->fields[n].offset);
            }
        }
    }
    /* All fourteen records of topics, and CandleState. */
    ck_assert_uint_eq(with_time, 15);
}
END_TEST

int main(void)
{
    const int count = (int)oms_schema_count;
    Suite *suite = suite_create("generated");
    TCase *tcase = tcase_create("all schemas");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_catalogue_has_every_schema_with_its_event_time);
    tcase_add_loop_test(tcase, the_bytes_are_those_of_avro_c, 0, count);
    tcase_add_loop_test(tcase, avro_c_reads_what_the_generated_code_wrote, 0, count);
    tcase_add_loop_test(tcase, the_generated_code_reads_what_avro_c_wrote, 0, count);
    tcase_add_loop_test(tcase, every_truncation_is_malformed, 0, count);
    tcase_add_loop_test(tcase, a_byte_behind_the_record_is_malformed, 0, count);
    tcase_add_loop_test(tcase, flipped_bytes_are_refused_or_are_another_record, 0, count);
    tcase_add_loop_test(tcase, random_bytes_never_crash, 0, count);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
