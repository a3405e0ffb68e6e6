/*
 * json_read.c -- a record from one JSON object, by its field table.
 *
 * Why: `millrace produce` and the tests write records as JSON lines.
 * How: the reverse of json_write.c. A field left out takes its default from the schema; one that
 * has none must be there. Every other deviation is an error that names the field. Not: lenient.
 * Unknown fields, numbers with a fraction and doubled keys are refused: a typing error must not
 * become an order.
 */
#include "defaults.h"
#include "json_text.h"
#include "millrace/codec.h"
#include "millrace/wire.h"

struct reading {
    const struct mr_schema *schema;
    struct mr_arena *arena;
    json_t *parsed; /* our schema's text, or NULL until a default is needed */
};

static enum mr_status bad_value(const struct reading *r, const struct mr_schema_field *field,
                                const char *want, struct mr_err *err)
{
    return mr_fail(err, MR_MALFORMED, "%s.%s: %s expected", r->schema->name, field->name, want);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(const char *text, size_t bytes, uint8_t *out)
{
    for (size_t i = 0; i < bytes; i++) {
        const int high = hex_digit(text[2 * i]);
        const int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

        if (low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static enum mr_status read_string(const struct reading *r, const struct mr_schema_field *field,
                                  json_t *value, uint8_t *at, struct mr_err *err)
{
    struct mr_slice copy;

    if (!json_is_string(value)) {
        return bad_value(r, field, "a string", err);
    }
    copy =
        mr_arena_copy(r->arena, mr_slice_of(json_string_value(value), json_string_length(value)));
    memcpy(at, &copy, sizeof(copy));
    return MR_OK;
}

static enum mr_status read_bytes(const struct reading *r, const struct mr_schema_field *field,
                                 json_t *value, uint8_t *at, struct mr_err *err)
{
    const size_t bytes = json_string_length(value) / 2;
    uint8_t *data = mr_arena_alloc(r->arena, bytes);
    struct mr_slice copy = mr_slice_of(data, bytes);

    if (!json_is_string(value) || json_string_length(value) % 2 != 0 ||
        !read_hex(json_string_value(value), bytes, data)) {
        return bad_value(r, field, "hexadecimal text", err);
    }
    memcpy(at, &copy, sizeof(copy));
    return MR_OK;
}

static enum mr_status read_integer(const struct reading *r, const struct mr_schema_field *field,
                                   json_t *value, uint8_t *at, struct mr_err *err)
{
    const int64_t wide = json_integer_value(value);
    const int32_t narrow = (int32_t)wide;

    if (!json_is_integer(value)) {
        return bad_value(r, field, "an integer", err);
    }
    if (field->kind == MR_FIELD_LONG) {
        memcpy(at, &wide, sizeof(wide));
        return MR_OK;
    }
    if (narrow != wide) {
        return bad_value(r, field, "an integer of 32 bits", err);
    }
    memcpy(at, &narrow, sizeof(narrow));
    return MR_OK;
}

static enum mr_status read_time(const struct reading *r, const struct mr_schema_field *field,
                                json_t *value, uint8_t *at, struct mr_err *err)
{
    int64_t us = json_integer_value(value);

    if (!json_is_integer(value) &&
        (!json_is_string(value) || !mr_json_time_parse(json_string_value(value), &us))) {
        return bad_value(
            r, field, "a time like 2024-08-08T00:00:00.000000Z, or microseconds since 1970,", err);
    }
    memcpy(at, &us, sizeof(us));
    return MR_OK;
}

static enum mr_status read_decimal(const struct reading *r, const struct mr_schema_field *field,
                                   json_t *value, uint8_t *at, struct mr_err *err)
{
    mr_i128 atoms = 0;

    if (!json_is_string(value) || !mr_json_decimal_parse(json_string_value(value), &atoms)) {
        return bad_value(r, field, "a decimal as a string, like \"0.5\", 18 places at most,", err);
    }
    memcpy(at, &atoms, sizeof(atoms));
    return MR_OK;
}

static enum mr_status read_enum(const struct reading *r, const struct mr_schema_field *field,
                                json_t *value, uint8_t *at, struct mr_err *err)
{
    const char *text = json_string_value(value);

    for (unsigned i = 0; text != NULL && i < field->symbol_count; i++) {
        if (strcmp(field->symbols[i], text) == 0) {
            memcpy(at, &i, sizeof(i));
            return MR_OK;
        }
    }
    return mr_fail(err, MR_MALFORMED, "%s.%s: one of %zu symbols expected, the first is %s",
                   r->schema->name, field->name, field->symbol_count, field->symbols[0]);
}

static enum mr_status read_scalar(const struct reading *r, const struct mr_schema_field *field,
                                  json_t *value, uint8_t *at, struct mr_err *err)
{
    const bool flag = json_is_true(value);

    switch (field->kind) {
    case MR_FIELD_STRING:
        return read_string(r, field, value, at, err);
    case MR_FIELD_BYTES:
        return read_bytes(r, field, value, at, err);
    case MR_FIELD_LONG:
    case MR_FIELD_INT:
        return read_integer(r, field, value, at, err);
    case MR_FIELD_TIMESTAMP_US:
        return read_time(r, field, value, at, err);
    case MR_FIELD_DECIMAL:
        return read_decimal(r, field, value, at, err);
    case MR_FIELD_ENUM:
        return read_enum(r, field, value, at, err);
    case MR_FIELD_BOOL:
        if (!json_is_boolean(value)) {
            return bad_value(r, field, "true or false", err);
        }
        memcpy(at, &flag, sizeof(flag));
        return MR_OK;
    case MR_FIELD_FIXED:
        if (json_string_length(value) != 2 * field->fixed_bytes ||
            !read_hex(json_string_value(value), field->fixed_bytes, at)) {
            return bad_value(r, field, "hexadecimal text of the right length", err);
        }
        return MR_OK;
    case MR_FIELD_ARRAY:
        break;
    }
    return bad_value(r, field, "no array inside an array", err);
}

/* The value of a field in object, or its default; *value is borrowed and may be JSON null. */
static enum mr_status take_value(struct reading *r, const struct mr_schema_field *field,
                                 json_t *object, json_t **value, struct mr_err *err)
{
    *value = json_object_get(object, field->name);
    if (*value == NULL) {
        if (r->parsed == NULL) {
            r->parsed = mr_schema_parse(r->schema);
        }
        *value = mr_schema_default(r->parsed, field->name);
    }
    if (*value == NULL) {
        return mr_fail(err, MR_MALFORMED, "%s.%s: missing, and it has no default", r->schema->name,
                       field->name);
    }
    if (json_is_null(*value) && !field->nullable) {
        return bad_value(r, field, "a value, not null,", err);
    }
    return MR_OK;
}

static void set_has(const struct mr_schema_field *field, uint8_t *out)
{
    const bool has = true;

    if (field->nullable) {
        memcpy(out + field->has_offset, &has, sizeof(has));
    }
}

/* Every key of object must be a field. */
static enum mr_status check_keys(const struct mr_schema *schema, json_t *object, struct mr_err *err)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(object, key, value)
    {
        bool known = false;

        for (size_t i = 0; i < schema->field_count && !known; i++) {
            known = strcmp(schema->fields[i].name, key) == 0;
        }
        if (!known) {
            return mr_fail(err, MR_MALFORMED, "%s.%.100s: no such field", schema->name, key);
        }
    }
    return MR_OK;
}

static enum mr_status read_item(struct reading *r, json_t *object, uint8_t *out, struct mr_err *err)
{
    if (!json_is_object(object)) {
        return mr_fail(err, MR_MALFORMED, "%s: an object expected", r->schema->name);
    }
    MR_TRY(check_keys(r->schema, object, err));
    for (size_t i = 0; i < r->schema->field_count; i++) {
        const struct mr_schema_field *field = &r->schema->fields[i];
        json_t *value = NULL;

        MR_TRY(take_value(r, field, object, &value, err));
        if (!json_is_null(value)) {
            MR_TRY(read_scalar(r, field, value, out + field->offset, err));
            set_has(field, out);
        }
    }
    return MR_OK;
}

static enum mr_status read_array(const struct reading *r, const struct mr_schema_field *field,
                                 json_t *value, uint8_t *at, struct mr_err *err)
{
    struct reading inner = {.schema = field->items, .arena = r->arena};
    struct mr_json_items list = {.count = json_array_size(value)};
    enum mr_status status = MR_OK;
    uint8_t *items = NULL;

    if (!json_is_array(value) || list.count > MR_ARRAY_ITEMS_MAX) {
        return bad_value(r, field, "an array of not too many items", err);
    }
    if (list.count > 0) {
        items = mr_arena_alloc(r->arena, list.count * field->item_bytes);
        memset(items, 0, list.count * field->item_bytes);
    }
    for (size_t i = 0; i < list.count && status == MR_OK; i++) {
        status = read_item(&inner, json_array_get(value, i), items + i * field->item_bytes, err);
    }
    json_decref(inner.parsed);
    list.items = items;
    memcpy(at, &list, sizeof(list));
    return status;
}

static enum mr_status read_record(struct reading *r, json_t *object, uint8_t *out,
                                  struct mr_err *err)
{
    MR_TRY(check_keys(r->schema, object, err));
    for (size_t i = 0; i < r->schema->field_count; i++) {
        const struct mr_schema_field *field = &r->schema->fields[i];
        json_t *value = NULL;

        MR_TRY(take_value(r, field, object, &value, err));
        if (field->kind == MR_FIELD_ARRAY) {
            MR_TRY(read_array(r, field, value, out + field->offset, err));
        } else if (!json_is_null(value)) {
            MR_TRY(read_scalar(r, field, value, out + field->offset, err));
            set_has(field, out);
        }
    }
    return MR_OK;
}

enum mr_status mr_json_read_record(const struct mr_schema *schema, struct mr_slice json,
                                   struct mr_arena *arena, void *out, struct mr_err *err)
{
    struct reading r = {.schema = schema, .arena = arena};
    json_error_t problem;
    json_t *object = NULL;
    enum mr_status status = MR_OK;

    if (json.len > MR_RECORD_BYTES_MAX) {
        return mr_fail(err, MR_TOO_LARGE, "%s: %zu bytes of JSON, at most %zu are allowed",
                       schema->name, json.len, MR_RECORD_BYTES_MAX);
    }
    object = json_loadb(json.data == NULL ? "" : (const char *)json.data, json.len,
                        JSON_REJECT_DUPLICATES, &problem);
    memset(out, 0, schema->struct_bytes);
    if (!json_is_object(object)) {
        status = mr_fail(err, MR_MALFORMED, "%s: no JSON object: %s", schema->name,
                         object == NULL ? problem.text : "something else");
    } else {
        status = read_record(&r, object, out, err);
    }
    json_decref(r.parsed);
    json_decref(object);
    return status;
}
