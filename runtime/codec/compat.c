/*
 * compat.c -- reader against writer: avro-c's resolver, and what it does not check.
 *
 * rules.c goes first: it names the field, and avro-c does not survive every pair. avro-c matches
 * enums by name alone and would turn one symbol into another when their order differs; symbols are
 * compared here. Defaults are reduce.c's.
 */
#include "compat.h"

#include "rules.h"
#include "scan.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Protects avro-c's shared error text; held for one parse or one slow decode, never over I/O. */
static pthread_mutex_t avro_mutex = PTHREAD_MUTEX_INITIALIZER;

void mr_avro_lock(void)
{
    MR_ASSERT(pthread_mutex_lock(&avro_mutex) == 0);
}

void mr_avro_unlock(void)
{
    MR_ASSERT(pthread_mutex_unlock(&avro_mutex) == 0);
}

static enum mr_status parse(const char *json, const char *whose, avro_schema_t *schema,
                            struct mr_err *err)
{
    if (avro_schema_from_json_length(json, strlen(json), schema) != 0) {
        *schema = NULL;
        return mr_fail(err, MR_CONFIG, "the %s's schema is not Avro: %s", whose, avro_strerror());
    }
    return MR_OK;
}

/* The schema of the values inside a field: what is in the array, what is not null. */
static avro_schema_t inner(avro_schema_t schema)
{
    schema = mr_scan_target(schema);
    if (is_avro_array(schema)) {
        schema = mr_scan_target(avro_schema_array_items(schema));
    }
    if (is_avro_union(schema)) {
        for (size_t i = 0; i < avro_schema_union_size(schema); i++) {
            avro_schema_t branch = mr_scan_target(avro_schema_union_branch(schema, (int)i));

            if (!is_avro_null(branch)) {
                return branch;
            }
        }
    }
    return schema;
}

/* False when a symbol both know stands at different places. */
static bool symbols_agree(avro_schema_t writer, avro_schema_t reader)
{
    const int writer_count = avro_schema_enum_number_of_symbols(writer);
    const int reader_count = avro_schema_enum_number_of_symbols(reader);

    for (int i = 0; i < writer_count && i < reader_count; i++) {
        if (strcmp(avro_schema_enum_get(writer, i), avro_schema_enum_get(reader, i)) != 0) {
            return false;
        }
    }
    return true;
}

/* Enums of one record's own fields. */
static enum mr_status check_enums(avro_schema_t writer, avro_schema_t reader, struct mr_err *err)
{
    for (size_t i = 0; i < avro_schema_record_size(reader); i++) {
        const char *name = avro_schema_record_field_name(reader, (int)i);
        avro_schema_t from = mr_scan_field(writer, name);
        avro_schema_t to = inner(avro_schema_record_field_get_by_index(reader, (int)i));

        if (from == NULL || !is_avro_enum(to) || !is_avro_enum(inner(from))) {
            continue;
        }
        if (!symbols_agree(inner(from), to)) {
            return mr_fail(err, MR_EXISTS,
                           "field %s: the symbols of enum %s stand in another order", name,
                           avro_schema_name(to));
        }
    }
    return MR_OK;
}

static enum mr_status check_all_enums(struct mr_compat *compat, struct mr_err *err)
{
    MR_TRY(check_enums(compat->writer, compat->reader, err));
    for (size_t i = 0; i < avro_schema_record_size(compat->reader); i++) {
        const char *name = avro_schema_record_field_name(compat->reader, (int)i);
        avro_schema_t from = mr_scan_field(compat->writer, name);
        avro_schema_t to = inner(avro_schema_record_field_get_by_index(compat->reader, (int)i));

        if (from != NULL && is_avro_record(to) && is_avro_record(inner(from))) {
            MR_TRY(check_enums(inner(from), to, err));
        }
    }
    return MR_OK;
}

static enum mr_status parse_reduced(struct mr_compat *compat, const char *writer_json,
                                    const char *reader_json, struct mr_err *err)
{
    json_t *writer = json_loads(writer_json, JSON_DECODE_ANY, NULL);
    json_t *reader = json_loads(reader_json, JSON_DECODE_ANY, NULL);
    json_t *reduced = NULL;
    char *text = NULL;
    enum mr_status status = mr_reduce_schema(writer, reader, &reduced, err);

    if (status == MR_OK) {
        text = json_dumps(reduced, JSON_COMPACT);
        MR_ASSERT(text != NULL);
        avro_schema_decref(compat->reader);
        status = parse(text, "reader", &compat->reader, err);
    }
    free(text);
    json_decref(reduced);
    json_decref(writer);
    json_decref(reader);
    return status;
}

/* Both texts have been found to be Avro. */
static enum mr_status check_rules(const char *writer_json, const char *reader_json,
                                  bool every_branch, struct mr_err *err)
{
    json_t *writer = json_loads(writer_json, JSON_DECODE_ANY, NULL);
    json_t *reader = json_loads(reader_json, JSON_DECODE_ANY, NULL);
    const enum mr_status status = mr_rules_check(writer, reader, every_branch, err);

    json_decref(writer);
    json_decref(reader);
    return status;
}

static enum mr_status open_parts(struct mr_compat *compat, const char *writer_json,
                                 const char *reader_json, struct mr_err *err)
{
    MR_TRY(parse(writer_json, "writer", &compat->writer, err));
    MR_TRY(parse(reader_json, "reader", &compat->reader, err));
    MR_TRY(check_rules(writer_json, reader_json, false, err));
    if (is_avro_record(compat->writer) && is_avro_record(compat->reader)) {
        MR_TRY(parse_reduced(compat, writer_json, reader_json, err));
        MR_TRY(check_all_enums(compat, err));
    }
    compat->resolver = avro_resolved_writer_new(compat->writer, compat->reader);
    if (compat->resolver == NULL) {
        return mr_fail(err, MR_EXISTS, "%s", avro_strerror());
    }
    return MR_OK;
}

enum mr_status mr_compat_open(struct mr_compat *compat, const char *writer_json,
                              const char *reader_json, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    *compat = (struct mr_compat){0};
    status = open_parts(compat, writer_json, reader_json, err);
    if (status != MR_OK) {
        mr_compat_close(compat);
    }
    return status;
}

void mr_compat_close(struct mr_compat *compat)
{
    if (compat->resolver != NULL) {
        avro_value_iface_decref(compat->resolver);
    }
    if (compat->reader != NULL) {
        avro_schema_decref(compat->reader);
    }
    if (compat->writer != NULL) {
        avro_schema_decref(compat->writer);
    }
    *compat = (struct mr_compat){0};
}

enum mr_status mr_compat_check(const char *writer_json, const char *reader_json, struct mr_err *err)
{
    struct mr_compat compat;
    enum mr_status status = MR_OK;

    mr_avro_lock();
    status = mr_compat_open(&compat, writer_json, reader_json, err);
    if (status == MR_OK) {
        status = check_rules(writer_json, reader_json, true, err);
        mr_compat_close(&compat);
    }
    mr_avro_unlock();
    return status;
}
