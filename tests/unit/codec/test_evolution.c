/*
 * Goal:   every schema may change by the rules of evolution while records of both versions are
 *         under way: what a newer or an older writer wrote is read into our struct, value for
 * value, with our defaults for what it does not have; a writer that breaks the rules is refused.
 * Method: the other version is derived from each schema (evolve.h); avro-c writes random records by
 *         it; the codec finds the version in the registry and reads them.
 */
#include "avro/catalog.h"
#include "avro/journal.h"
#include "evolve.h"
#include "millrace/codec.h"
#include "oracle.h"
#include "records.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#define ROUNDS 30

struct items {
    const void *items;
    size_t count;
};

static const struct {
    const char *name;
    unsigned how;
} versions[] = {
    {"new fields", EVOLVE_ADD},
    {"another order", EVOLVE_REORDER},
    {"ints that we promoted", EVOLVE_NARROW},
    {"before our newest fields", EVOLVE_DROP},
    {"new fields and another order", EVOLVE_ADD | EVOLVE_REORDER},
    {"everything", EVOLVE_ALL},
};

static struct mr_registry *registry;
static struct mr_codec *codec;
static struct mr_arena *arena;

static void set_up(void)
{
    registry = mr_registry_memory_create();
    codec = mr_codec_create(registry);
    arena = mr_arena_create(65536);
}

static void tear_down(void)
{
    mr_arena_destroy(&arena);
    mr_codec_destroy(&codec);
    mr_registry_destroy(&registry);
}

static const struct mr_schema *schema_of(int index)
{
    return (size_t)index < oms_schema_count ? oms_schemas[index] : &runtime_journal_schema;
}

static int32_t register_text(const char *subject, const char *json)
{
    struct mr_err err = {0};
    int32_t id = 0;

    ck_assert_msg(registry->ops->register_schema(registry, subject, json, &id, &err) == MR_OK, "%s",
                  err.text);
    return id;
}

/* ---- what our reader must see ------------------------------------------------------------------
 */

/* An int has to hold it. */
static void narrow_fields(const struct mr_schema *schema, uint8_t *record)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        int64_t value;

        if (field->kind == MR_FIELD_LONG || field->kind == MR_FIELD_TIMESTAMP_US) {
            memcpy(&value, record + field->offset, sizeof(value));
            value = (int32_t)(uint32_t)(uint64_t)value;
            memcpy(record + field->offset, &value, sizeof(value));
        }
    }
}

static void set_enum(const struct mr_schema_field *field, const char *symbol, uint8_t *at)
{
    for (unsigned ordinal = 0; ordinal < field->symbol_count; ordinal++) {
        if (strcmp(field->symbols[ordinal], symbol) == 0) {
            memcpy(at, &ordinal, sizeof(ordinal));
            return;
        }
    }
    ck_abort_msg("%s has no %s", field->name, symbol);
}

/* Null, nothing, zero, false and the empty array are zero in the struct. */
static void set_default(const struct mr_schema_field *field, const json_t *value, uint8_t *record)
{
    static const size_t bytes[] = {
        [MR_FIELD_STRING] = sizeof(struct mr_slice),
        [MR_FIELD_BYTES] = sizeof(struct mr_slice),
        [MR_FIELD_LONG] = sizeof(int64_t),
        [MR_FIELD_TIMESTAMP_US] = sizeof(int64_t),
        [MR_FIELD_INT] = sizeof(int32_t),
        [MR_FIELD_BOOL] = sizeof(bool),
        [MR_FIELD_DECIMAL] = sizeof(mr_i128),
        [MR_FIELD_ENUM] = sizeof(unsigned),
        [MR_FIELD_ARRAY] = sizeof(struct items),
    };
    uint8_t *at = record + field->offset;

    memset(at, 0, field->kind == MR_FIELD_FIXED ? field->fixed_bytes : bytes[field->kind]);
    if (field->nullable) {
        record[field->has_offset] = 0;
        ck_assert(json_is_null(value));
    } else if (field->kind == MR_FIELD_ENUM) {
        set_enum(field, json_string_value(value), at);
    } else {
        ck_assert_msg(json_is_false(value) || json_integer_value(value) == 0, "%s", field->name);
        ck_assert_msg(!json_is_string(value) || json_string_length(value) == 0, "%s", field->name);
    }
}

static void default_fields(const struct mr_schema *schema, uint8_t *record)
{
    json_t *parsed = json_loads(schema->json, 0, NULL);

    for (size_t i = 0; i < schema->field_count; i++) {
        const json_t *value =
            json_object_get(json_array_get(json_object_get(parsed, "fields"), i), "default");

        if (value != NULL) {
            set_default(&schema->fields[i], value, record);
        }
    }
    json_decref(parsed);
}

/* The record as its other version can hold it. */
static void reduce(const struct mr_schema *schema, unsigned how, uint8_t *record)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        struct items list;

        if (field->kind != MR_FIELD_ARRAY) {
            continue;
        }
        memcpy(&list, record + field->offset, sizeof(list));
        for (size_t n = 0; n < list.count; n++) {
            uint8_t *item = (uint8_t *)(uintptr_t)list.items + n * field->item_bytes;

            if ((how & EVOLVE_NARROW) != 0) {
                narrow_fields(field->items, item);
            }
            if ((how & EVOLVE_DROP) != 0) {
                default_fields(field->items, item);
            }
        }
    }
    if ((how & EVOLVE_NARROW) != 0) {
        narrow_fields(schema, record);
    }
    if ((how & EVOLVE_DROP) != 0) {
        default_fields(schema, record);
    }
}

/* ---- what the other one writes -----------------------------------------------------------------
 */

static void set_added(avro_value_t *record)
{
    avro_value_t value;
    avro_value_t branch;

    ck_assert_int_eq(avro_value_get_by_name(record, EVOLVE_TEXT, &value, NULL), 0);
    ck_assert_int_eq(avro_value_set_string(&value, "not for us"), 0);
    ck_assert_int_eq(avro_value_get_by_name(record, EVOLVE_OPTIONAL, &value, NULL), 0);
    ck_assert_int_eq(avro_value_set_branch(&value, 1, &branch), 0);
    ck_assert_int_eq(avro_value_set_string(&branch, "nor this"), 0);
    ck_assert_int_eq(avro_value_get_by_name(record, EVOLVE_NUMBER, &value, NULL), 0);
    ck_assert_int_eq(avro_value_set_int(&value, 99), 0);
}

static void set_added_everywhere(const struct mr_schema *schema, avro_value_t *record)
{
    set_added(record);
    for (size_t i = 0; i < schema->field_count; i++) {
        avro_value_t array;
        avro_value_t item;
        size_t count = 0;

        if (schema->fields[i].kind != MR_FIELD_ARRAY ||
            avro_value_get_by_name(record, schema->fields[i].name, &array, NULL) != 0) {
            continue;
        }
        ck_assert_int_eq(avro_value_get_size(&array, &count), 0);
        for (size_t n = 0; n < count; n++) {
            ck_assert_int_eq(avro_value_get_by_index(&array, n, &item, NULL), 0);
            set_added(&item);
        }
    }
}

static struct mr_slice written(const struct oracle *writer, int32_t id,
                               const struct mr_schema *schema, unsigned how, const void *record)
{
    struct mr_slice body;
    avro_value_t value;

    oracle_value(writer, schema, record, &value);
    if ((how & EVOLVE_ADD) != 0) {
        set_added_everywhere(schema, &value);
    }
    body = oracle_encode(&value, arena);
    avro_value_decref(&value);
    return frame_body(id, body, arena);
}

static void read_version(const struct mr_schema *schema, size_t version)
{
    const unsigned how = versions[version].how;
    char *text = evolve_schema(schema->json, how);
    const struct mr_binding ours = {.schema = schema, .id = register_text("ours", schema->json)};
    const int32_t id = register_text("theirs", text);
    struct random random = {.state = version + 1};
    struct oracle writer;

    oracle_open(&writer, text);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t *record = random_record(&random, schema, arena);
        void *out = mr_arena_alloc(arena, schema->struct_bytes);
        struct mr_err err = {0};
        struct mr_slice framed;
        const char *field;

        reduce(schema, how, record);
        framed = written(&writer, id, schema, how, record);
        memset(out, 0xee, schema->struct_bytes);
        ck_assert_msg(mr_codec_decode(codec, &ours, framed, arena, out, &err) == MR_OK,
                      "%s, %s: %s", schema->name, versions[version].name, err.text);
        field = records_differ(schema, record, out);
        ck_assert_msg(field == NULL, "%s, %s: %s differs", schema->name, versions[version].name,
                      field == NULL ? "" : field);
        mr_arena_reset(arena);
    }
    oracle_close(&writer);
    free(text);
}

START_TEST(every_version_is_read_into_our_struct)
{
    const struct mr_schema *schema = schema_of(_i);

    for (size_t version = 0; version < MR_COUNT(versions); version++) {
        tear_down();
        set_up();
        read_version(schema, version);
    }
}
END_TEST

START_TEST(the_rules_are_those_of_the_registry)
{
    const struct mr_schema *schema = schema_of(_i);
    struct mr_err err = {0};
    char *newer = evolve_schema(schema->json, EVOLVE_ADD | EVOLVE_REORDER);
    char *older = evolve_schema(schema->json, EVOLVE_DROP | EVOLVE_NARROW);
    int32_t id = 0;

    /* From the older over ours to the newer: each may follow the one before. */
    (void)register_text("s-value", older);
    (void)register_text("s-value", schema->json);
    (void)register_text("s-value", newer);
    /* Back again, what a writer of the newest wrote must still be read: a field without default is
     * there in all of them. */
    ck_assert_int_eq(registry->ops->register_schema(registry, "s-value", schema->json, &id, &err),
                     MR_OK);
    free(newer);
    free(older);
}
END_TEST

START_TEST(a_writer_without_a_needed_field_is_poison)
{
    const struct mr_schema *schema = schema_of(_i);
    char *text = evolve_schema(schema->json, EVOLVE_BREAK);
    const struct mr_binding ours = {.schema = schema, .id = register_text("ours", schema->json)};
    struct random random = {.state = 5};
    void *out = mr_arena_alloc(arena, schema->struct_bytes);
    struct mr_err err = {0};
    struct oracle writer;
    int32_t id = 0;

    id = register_text("theirs", text);
    oracle_open(&writer, text);
    ck_assert_int_eq(
        mr_codec_decode(codec, &ours,
                        written(&writer, id, schema, 0, random_record(&random, schema, arena)),
                        arena, out, &err),
        MR_MALFORMED);
    ck_assert_msg(strstr(err.text, schema->name) != NULL, "%s", err.text);
    oracle_close(&writer);
    /* Nor may ours follow such a one in the registry. */
    (void)register_text("s-value", text);
    ck_assert_int_eq(registry->ops->register_schema(registry, "s-value", schema->json, &id, &err),
                     MR_EXISTS);
    free(text);
}
END_TEST

int main(void)
{
    const int count = (int)oms_schema_count + 1; /* and the journal */
    Suite *suite = suite_create("evolution");
    TCase *tcase = tcase_create("all schemas");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_version_is_read_into_our_struct, 0, count);
    tcase_add_loop_test(tcase, the_rules_are_those_of_the_registry, 0, count);
    tcase_add_loop_test(tcase, a_writer_without_a_needed_field_is_poison, 0, count);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
