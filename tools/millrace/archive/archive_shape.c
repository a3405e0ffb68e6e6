/*
 * archive_shape.c -- whether a file's schema is that of an archive, and which values it has.
 *
 * Documentation, aliases, defaults and attributes nobody knows are ignored, because other tools
 * write schemas in their own words; names, order and types of the fields are what the bytes depend
 * on.
 */
#include "archive_entry.h"
#include "millrace/arena.h"

#include <jansson.h>
#include <stdlib.h>

/* "long", {"type": "long", ...} and nothing else. */
static bool is_primitive(const json_t *type, const char *name)
{
    const json_t *text = json_is_object(type) ? json_object_get(type, "type") : type;

    return json_is_string(text) && strcmp(json_string_value(text), name) == 0;
}

/* ["null", "bytes"] */
static bool is_optional_bytes(const json_t *type)
{
    return json_array_size(type) == 2 && is_primitive(json_array_get(type, 0), "null") &&
           is_primitive(json_array_get(type, 1), "bytes");
}

/* Type of the field that stands there under that name; NULL: another does. */
static const json_t *field_type(const json_t *record, size_t index, const char *name)
{
    const json_t *field = json_array_get(json_object_get(record, "fields"), index);
    const json_t *given = json_object_get(field, "name");

    return json_is_string(given) && strcmp(json_string_value(given), name) == 0
               ? json_object_get(field, "type")
               : NULL;
}

static bool is_headers(const json_t *type)
{
    const json_t *items = json_object_get(type, "items");

    return is_primitive(type, "array") && is_primitive(items, "record") &&
           json_array_size(json_object_get(items, "fields")) == 2 &&
           is_primitive(field_type(items, 0, "name"), "string") &&
           is_optional_bytes(field_type(items, 1, "value"));
}

static bool is_timestamp(const json_t *type)
{
    const json_t *logical = json_object_get(type, "logicalType");

    return is_primitive(type, "long") &&
           (logical == NULL || (json_is_string(logical) &&
                                strcmp(json_string_value(logical), "timestamp-millis") == 0));
}

static bool is_int(const json_t *type)
{
    return is_primitive(type, "int");
}

static bool is_long(const json_t *type)
{
    return is_primitive(type, "long");
}

static const struct {
    const char *name;
    bool (*fits)(const json_t *type);
    const char *wanted;
} heads[] = {
    {"partition", is_int, "int"},
    {"offset", is_long, "long"},
    {"timestamp", is_timestamp, "long of timestamp-millis"},
    {"key", is_optional_bytes, "null or bytes"},
    {"headers", is_headers, "an array of {name string, value null or bytes}"},
};

/* The value's own schema, with the namespace that it had from the record around it. */
static void take_record(const json_t *outer, const json_t *branch, struct archive_shape *shape)
{
    json_t *own = json_copy((json_t *)(uintptr_t)branch);
    const char *name = json_string_value(json_object_get(own, "name"));
    const json_t *space = json_object_get(own, "namespace");
    struct mr_buffer full = MR_BUFFER_EMPTY;

    if (space == NULL && name != NULL && strchr(name, '.') == NULL &&
        json_object_get(outer, "namespace") != NULL) {
        (void)json_object_set(own, "namespace", json_object_get(outer, "namespace"));
        space = json_object_get(own, "namespace");
    }
    if (json_is_string(space) && name != NULL && strchr(name, '.') == NULL) {
        mr_buffer_printf(&full, "%s.", json_string_value(space));
    }
    mr_buffer_printf(&full, "%s", name == NULL ? "" : name);
    mr_buffer_append(&full, "", 1);
    shape->value_name = mr_xstrdup((const char *)full.data);
    shape->value_schema = json_dumps(own, JSON_COMPACT);
    MR_ASSERT(shape->value_schema != NULL);
    mr_buffer_fini(&full);
    json_decref(own);
}

static enum mr_status read_value(const json_t *outer, const json_t *type,
                                 struct archive_shape *shape, struct mr_err *err)
{
    size_t seen[ARCHIVE_VALUE_COUNT] = {0};

    for (size_t i = 0; i < json_array_size(type) && i < ARCHIVE_VALUE_COUNT; i++) {
        const json_t *branch = json_array_get(type, i);
        enum archive_value kind = ARCHIVE_TOMBSTONE;

        if (is_primitive(branch, "bytes")) {
            kind = ARCHIVE_BYTES;
        } else if (is_primitive(branch, "record")) {
            kind = ARCHIVE_RECORD;
        } else if (!is_primitive(branch, "null")) {
            return mr_fail(err, MR_CORRUPT,
                           "field value: a union of null, a record and bytes, not of others");
        }
        if (seen[kind]++ > 0) {
            return mr_fail(err, MR_CORRUPT, "field value: the same branch twice");
        }
        if (kind == ARCHIVE_RECORD) {
            take_record(outer, branch, shape);
        }
        shape->branches[shape->branch_count++] = kind;
    }
    return shape->branch_count >= 2 && shape->branch_count == json_array_size(type)
               ? MR_OK
               : mr_fail(err, MR_CORRUPT,
                         "field value: should be a union of null, a record and bytes");
}

static enum mr_status read_shape(const json_t *root, struct archive_shape *shape,
                                 struct mr_err *err)
{
    if (!json_is_object(root) || !is_primitive(root, "record")) {
        return mr_fail(err, MR_CORRUPT, "the schema is no record");
    }
    for (size_t i = 0; i < MR_COUNT(heads); i++) {
        const json_t *type = field_type(root, i, heads[i].name);

        if (type == NULL) {
            return mr_fail(err, MR_CORRUPT, "field %zu should be %s: this is no archive of a topic",
                           i + 1, heads[i].name);
        }
        if (!heads[i].fits(type)) {
            return mr_fail(err, MR_CORRUPT, "field %s should be %s", heads[i].name,
                           heads[i].wanted);
        }
    }
    if (json_array_size(json_object_get(root, "fields")) != MR_COUNT(heads) + 1) {
        return mr_fail(err, MR_CORRUPT, "the schema has other fields than an archive's");
    }
    return read_value(root, field_type(root, MR_COUNT(heads), "value"), shape, err);
}

enum mr_status archive_shape_read(struct mr_slice schema, struct archive_shape *shape,
                                  struct mr_err *err)
{
    json_error_t problem;
    json_t *root = json_loadb((const char *)schema.data, schema.len, JSON_DECODE_ANY, &problem);
    enum mr_status status;

    *shape = (struct archive_shape){0};
    status = root == NULL ? mr_fail(err, MR_CORRUPT, "the schema is not JSON: %s", problem.text)
                          : read_shape(root, shape, err);
    json_decref(root);
    return status;
}

void archive_shape_fini(struct archive_shape *shape)
{
    free(shape->value_schema);
    free(shape->value_name);
    *shape = (struct archive_shape){0};
}
