/*
 * reduce.c -- the part of a reader's schema that a writer can fill.
 *
 * Why: avro-c 1.11 has no defaults: it refuses to resolve when the reader has a field that the
 *      writer lacks. Such fields are taken out before avro-c looks, and resolution.c puts their
 *      defaults in afterwards.
 * How: on the JSON text. A field that goes may hold the definition of a type which a later field
 * uses by name; the definition moves to the first use that stays. Not: schemas that nest deeper
 * than ours (records in arrays in a record); these pass unreduced, and avro-c decides.
 */
#include "compat.h"
#include "millrace/arena.h"
#include "schema_json.h"

#include <string.h>

struct reduction {
    json_t *writer_types; /* name -> definition */
    json_t *reader_types;
    json_t *emitted; /* names defined so far in the result */
};

/* A primitive, an enum or a fixed; new reference. Defined in full where it appears first. */
static json_t *copy_scalar(struct reduction *r, json_t *type)
{
    json_t *full = schema_defined(r->reader_types, type);
    const char *name = schema_text(full, "name");

    if (!json_is_object(full) || name[0] == '\0') {
        return json_incref(type);
    }
    if (json_object_get(r->emitted, name) != NULL) {
        return json_string(name);
    }
    (void)json_object_set_new(r->emitted, name, json_true());
    return json_incref(full);
}

static json_t *copy_type(struct reduction *r, json_t *type)
{
    json_t *branch = NULL;
    json_t *copy = NULL;
    size_t index = 0;

    if (!json_is_array(type)) {
        return copy_scalar(r, type);
    }
    copy = json_array();
    json_array_foreach(type, index, branch)
    {
        (void)json_array_append_new(copy, copy_scalar(r, branch));
    }
    return copy;
}

static enum mr_status check_default(json_t *record, json_t *field, struct mr_err *err)
{
    if (json_object_get(field, "default") == NULL) {
        return mr_fail(err, MR_EXISTS, "field %s of %s has no default and the writer lacks it",
                       schema_text(field, "name"), schema_text(record, "name"));
    }
    return MR_OK;
}

/* The type of a value that is there: the branch of a union that is not null, behind its name. */
static json_t *inner_type(json_t *types, json_t *field)
{
    json_t *type = json_object_get(field, "type");
    json_t *branch = NULL;
    size_t index = 0;

    json_array_foreach(type, index, branch)
    {
        if (!json_is_string(branch) || strcmp(json_string_value(branch), "null") != 0) {
            return schema_defined(types, branch);
        }
    }
    return schema_defined(types, type);
}

/*
 * The same bytes with another meaning: milliseconds for microseconds, another scale. avro-c does
 * not look. A writer that says nothing of the meaning is believed.
 */
static enum mr_status check_meaning(const struct reduction *r, json_t *writer_field, json_t *field,
                                    struct mr_err *err)
{
    json_t *from = inner_type(r->writer_types, writer_field);
    json_t *to = inner_type(r->reader_types, field);
    const char *said = schema_text(from, "logicalType");
    const char *want = schema_text(to, "logicalType");

    if (said[0] == '\0' || want[0] == '\0') {
        return MR_OK;
    }
    if (strcmp(said, want) != 0 || json_integer_value(json_object_get(from, "scale")) !=
                                       json_integer_value(json_object_get(to, "scale"))) {
        return mr_fail(err, MR_EXISTS, "field %s: the writer's %s is not the reader's %s",
                       schema_text(field, "name"), said, want);
    }
    return MR_OK;
}

static json_t *replace(json_t *object, const char *key, json_t *value)
{
    json_t *copy = json_copy(object);

    (void)json_object_set_new(copy, key, value);
    return copy;
}

/* The items record of an array field, reduced against the writer's; new reference in *copy. */
static enum mr_status copy_items(struct reduction *r, json_t *writer_items, json_t *items,
                                 json_t **copy, struct mr_err *err)
{
    json_t *writer_record = schema_defined(r->writer_types, writer_items);
    json_t *record = schema_defined(r->reader_types, items);
    const char *name = schema_text(record, "name");
    json_t *fields = NULL;
    json_t *field = NULL;
    size_t index = 0;

    if (!schema_is_kind(record, "record") || !schema_is_kind(writer_record, "record") ||
        json_object_get(r->emitted, name) != NULL) {
        *copy = copy_scalar(r, items);
        return MR_OK;
    }
    (void)json_object_set_new(r->emitted, name, json_true());
    fields = json_array();
    json_array_foreach(json_object_get(record, "fields"), index, field)
    {
        json_t *writer_field = schema_find_field(writer_record, schema_text(field, "name"));
        enum mr_status status = writer_field == NULL ? check_default(record, field, err)
                                                     : check_meaning(r, writer_field, field, err);

        if (status != MR_OK) {
            json_decref(fields);
            return status;
        }
        if (writer_field != NULL) {
            json_t *type = copy_type(r, json_object_get(field, "type"));

            (void)json_array_append_new(fields, replace(field, "type", type));
        }
    }
    *copy = replace(record, "fields", fields);
    return MR_OK;
}

static enum mr_status copy_field(struct reduction *r, json_t *writer_field, json_t *field,
                                 json_t **copy, struct mr_err *err)
{
    json_t *type = json_object_get(field, "type");
    json_t *writer_type = json_object_get(writer_field, "type");
    json_t *items = NULL;

    if (schema_is_kind(type, "array") && schema_is_kind(writer_type, "array")) {
        MR_TRY(copy_items(r, json_object_get(writer_type, "items"), json_object_get(type, "items"),
                          &items, err));
        *copy = replace(field, "type", replace(type, "items", items));
        return MR_OK;
    }
    *copy = replace(field, "type", copy_type(r, type));
    return MR_OK;
}

static enum mr_status copy_fields(struct reduction *r, json_t *writer, json_t *reader,
                                  json_t *fields, struct mr_err *err)
{
    json_t *field = NULL;
    size_t index = 0;

    json_array_foreach(json_object_get(reader, "fields"), index, field)
    {
        json_t *writer_field = schema_find_field(writer, schema_text(field, "name"));
        json_t *copy = NULL;

        if (writer_field == NULL) {
            MR_TRY(check_default(reader, field, err));
            continue;
        }
        MR_TRY(check_meaning(r, writer_field, field, err));
        MR_TRY(copy_field(r, writer_field, field, &copy, err));
        (void)json_array_append_new(fields, copy);
    }
    return MR_OK;
}

enum mr_status mr_reduce_schema(json_t *writer, json_t *reader, json_t **reduced,
                                struct mr_err *err)
{
    struct reduction r = {json_object(), json_object(), json_object()};
    json_t *fields = json_array();
    enum mr_status status = MR_OK;

    schema_collect_types(writer, r.writer_types);
    schema_collect_types(reader, r.reader_types);
    *reduced = NULL;
    status = copy_fields(&r, writer, reader, fields, err);
    if (status == MR_OK) {
        *reduced = replace(reader, "fields", fields);
    } else {
        json_decref(fields);
    }
    json_decref(r.writer_types);
    json_decref(r.reader_types);
    json_decref(r.emitted);
    return status;
}
