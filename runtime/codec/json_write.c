/*
 * json_write.c -- any record as JSON, by its field table.
 *
 * Why: tap, the document sinks and the tests want text that people and other languages read, and
 *      name no schema.
 * How: decimals, timestamps and fixed are strings, so that no JSON reader rounds them. Bytes that
 * are no UTF-8 become U+FFFD, because the output must be JSON whatever came in. Not: exact for
 * bytes outside UTF-8 in a string, and no floating point anywhere.
 */
#include "json_text.h"
#include "millrace/codec.h"
#include "millrace/utf8.h"

#include <inttypes.h>

static bool is_present(const struct mr_schema_field *field, const uint8_t *value)
{
    bool has = true;

    if (field->nullable) {
        memcpy(&has, value + field->has_offset, sizeof(has));
    }
    return has;
}

static void write_hex(const uint8_t *data, size_t len, struct mr_buffer *out)
{
    static const char DIGITS[] = "0123456789abcdef";

    mr_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        const char pair[2] = {DIGITS[data[i] >> 4], DIGITS[data[i] & 15]};

        mr_buffer_append(out, pair, sizeof(pair));
    }
    mr_buffer_append(out, "\"", 1);
}

static void write_text(struct mr_slice text, struct mr_buffer *out)
{
    size_t at = 0;

    mr_buffer_append(out, "\"", 1);
    while (at < text.len) {
        const uint8_t byte = text.data[at];
        const size_t step = mr_utf8_step(mr_slice_of(text.data + at, text.len - at));

        if (step == 0) {
            mr_buffer_append(out, "\\ufffd", 6);
        } else if (byte == '"' || byte == '\\') {
            mr_buffer_append(out, "\\", 1);
            mr_buffer_append(out, &byte, 1);
        } else if (byte < 0x20) {
            mr_buffer_printf(out, "\\u%04x", (unsigned)byte);
        } else {
            mr_buffer_append(out, text.data + at, step);
        }
        at += step == 0 ? 1 : step;
    }
    mr_buffer_append(out, "\"", 1);
}

static void write_timestamp(int64_t us, struct mr_buffer *out)
{
    char text[MR_JSON_TIME_BYTES];

    if (mr_json_time_format(us, text)) {
        mr_buffer_printf(out, "\"%s\"", text);
    } else {
        /* Beyond the four-digit years of RFC 3339: the number itself. */
        mr_buffer_printf(out, "%" PRId64, us);
    }
}

static void write_decimal(const uint8_t *at, struct mr_buffer *out)
{
    char text[MR_JSON_DECIMAL_BYTES];
    mr_i128 atoms = 0;

    memcpy(&atoms, at, sizeof(atoms));
    mr_json_decimal_format(atoms, text);
    mr_buffer_printf(out, "\"%s\"", text);
}

static void write_scalar(const struct mr_schema_field *field, const uint8_t *at,
                         struct mr_buffer *out)
{
    struct mr_slice text;
    int64_t wide = 0;
    int32_t narrow = 0;
    unsigned ordinal = 0;
    bool flag = false;

    switch (field->kind) {
    case MR_FIELD_STRING:
        memcpy(&text, at, sizeof(text));
        write_text(text, out);
        break;
    case MR_FIELD_BYTES:
        memcpy(&text, at, sizeof(text));
        write_hex(text.data, text.len, out);
        break;
    case MR_FIELD_LONG:
        memcpy(&wide, at, sizeof(wide));
        mr_buffer_printf(out, "%" PRId64, wide);
        break;
    case MR_FIELD_TIMESTAMP_US:
        memcpy(&wide, at, sizeof(wide));
        write_timestamp(wide, out);
        break;
    case MR_FIELD_INT:
        memcpy(&narrow, at, sizeof(narrow));
        mr_buffer_printf(out, "%" PRId32, narrow);
        break;
    case MR_FIELD_BOOL:
        memcpy(&flag, at, sizeof(flag));
        mr_buffer_printf(out, "%s", flag ? "true" : "false");
        break;
    case MR_FIELD_DECIMAL:
        write_decimal(at, out);
        break;
    case MR_FIELD_FIXED:
        write_hex(at, field->fixed_bytes, out);
        break;
    case MR_FIELD_ENUM:
        memcpy(&ordinal, at, sizeof(ordinal));
        MR_ASSERT(ordinal < field->symbol_count);
        mr_buffer_printf(out, "\"%s\"", field->symbols[ordinal]);
        break;
    case MR_FIELD_ARRAY:
        /* Arrays stand in top-level records only: write_array is called instead. */
        MR_ASSERT(field->kind != MR_FIELD_ARRAY);
        break;
    }
}

static void write_name(const char *name, size_t index, struct mr_buffer *out)
{
    mr_buffer_printf(out, "%s\"%s\":", index == 0 ? "" : ",", name);
}

static void write_item(const struct mr_schema *schema, const uint8_t *value, struct mr_buffer *out)
{
    mr_buffer_append(out, "{", 1);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        write_name(field->name, i, out);
        if (is_present(field, value)) {
            write_scalar(field, value + field->offset, out);
        } else {
            mr_buffer_append(out, "null", 4);
        }
    }
    mr_buffer_append(out, "}", 1);
}

static void write_array(const struct mr_schema_field *field, const uint8_t *at,
                        struct mr_buffer *out)
{
    struct mr_json_items list;

    memcpy(&list, at, sizeof(list));
    mr_buffer_append(out, "[", 1);
    for (size_t i = 0; i < list.count; i++) {
        if (i > 0) {
            mr_buffer_append(out, ",", 1);
        }
        write_item(field->items, (const uint8_t *)list.items + i * field->item_bytes, out);
    }
    mr_buffer_append(out, "]", 1);
}

void mr_json_write_record(const struct mr_schema *schema, const void *value, struct mr_buffer *out)
{
    const uint8_t *base = value;

    mr_buffer_append(out, "{", 1);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        write_name(field->name, i, out);
        if (!is_present(field, base)) {
            mr_buffer_append(out, "null", 4);
        } else if (field->kind == MR_FIELD_ARRAY) {
            write_array(field, base + field->offset, out);
        } else {
            write_scalar(field, base + field->offset, out);
        }
    }
    mr_buffer_append(out, "}", 1);
}
