/*
 * defaults.c -- what a record has where its writer knew no such field.
 *
 * The text of our own schema is the source; it is asked once for each foreign schema, never for
 * each record.
 */
#include "defaults.h"

#include "millrace/wire.h"

#include <string.h>

json_t *mr_schema_parse(const struct mr_schema *schema)
{
    json_t *parsed = json_loads(schema->json, 0, NULL);

    /* The generator read the same text. */
    MR_ASSERT(parsed != NULL);
    return parsed;
}

json_t *mr_schema_default(json_t *parsed, const char *field)
{
    json_t *item = NULL;
    size_t index = 0;

    json_array_foreach(json_object_get(parsed, "fields"), index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));

        if (name != NULL && strcmp(name, field) == 0) {
            return json_object_get(item, "default");
        }
    }
    return NULL;
}

static bool encode_symbol(const struct mr_schema_field *field, const char *symbol,
                          struct mr_buffer *out)
{
    for (size_t i = 0; symbol != NULL && i < field->symbol_count; i++) {
        if (strcmp(field->symbols[i], symbol) == 0) {
            uint8_t *at = mr_buffer_reserve(out, MR_WIRE_VARINT_BYTES_MAX);

            out->len =
                (size_t)(mr_wire_put_ordinal(at, (unsigned)i, (unsigned)field->symbol_count) -
                         out->data);
            return true;
        }
    }
    return false;
}

static bool encode_value(const struct mr_schema_field *field, json_t *value, struct mr_buffer *out)
{
    uint8_t *at = mr_buffer_reserve(out, MR_WIRE_VARINT_BYTES_MAX + json_string_length(value));

    if (field->kind == MR_FIELD_ENUM) {
        return encode_symbol(field, json_string_value(value), out);
    }
    if (field->kind == MR_FIELD_STRING && json_is_string(value)) {
        at = mr_wire_put_bytes(at, mr_slice_str(json_string_value(value)));
    } else if (field->kind == MR_FIELD_BOOL && json_is_boolean(value)) {
        at = mr_wire_put_bool(at, json_is_true(value));
    } else if ((field->kind == MR_FIELD_LONG || field->kind == MR_FIELD_TIMESTAMP_US ||
                field->kind == MR_FIELD_INT) &&
               json_is_integer(value)) {
        at = mr_wire_put_long(at, json_integer_value(value));
    } else if (field->kind == MR_FIELD_ARRAY && json_is_array(value) &&
               json_array_size(value) == 0) {
        at = mr_wire_put_long(at, 0);
    } else {
        return false;
    }
    out->len = (size_t)(at - out->data);
    return true;
}

enum mr_status mr_default_encode(const struct mr_schema_field *field, json_t *value,
                                 struct mr_buffer *out, struct mr_err *err)
{
    if (field->nullable) {
        /* The first branch is null, and a default belongs to the first branch. */
        const uint8_t null_branch = 0;

        mr_buffer_append(out, &null_branch, 1);
        return MR_OK;
    }
    if (!encode_value(field, value, out)) {
        return mr_fail(err, MR_CONFIG,
                       "field %s: its default does not fit its type, or is of a "
                       "kind that has none here (bytes, fixed, decimal)",
                       field->name);
    }
    return MR_OK;
}
