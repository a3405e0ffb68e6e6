/*
 * verify_canonical.c -- see verify_canonical.h.
 */
#include "verify_canonical.h"

#include "load_decimal.h"
#include "load_tape.h"

#include <inttypes.h>
#include <stdlib.h>

#define MS_US 1000
#define DAY_MS INT64_C(86400000)

static bool wanted(const char *fields, const char *name)
{
    return fields == NULL || load_list_has(fields, mr_slice_str(name));
}

static int64_t floor_ms(int64_t us)
{
    return us >= 0 ? us / MS_US : -((-us + MS_US - 1) / MS_US);
}

static void write_decimal(mr_i128 atoms, struct mr_buffer *out)
{
    char text[LOAD_DECIMAL_TEXT_MAX];

    mr_buffer_printf(out, "%s", load_decimal_format(atoms, text));
}

/* ---- from a struct ---- */

/* One field that is no array. */
static void write_scalar(const struct mr_schema_field *field, const uint8_t *at,
                         struct mr_buffer *out)
{
    struct mr_slice text;
    mr_i128 atoms;
    int64_t number = 0;
    int32_t small = 0;
    unsigned ordinal = 0;

    switch (field->kind) {
    case MR_FIELD_STRING:
        memcpy(&text, at, sizeof text);
        mr_buffer_append(out, text.data, text.len);
        break;
    case MR_FIELD_LONG:
    case MR_FIELD_TIMESTAMP_US:
        memcpy(&number, at, sizeof number);
        mr_buffer_printf(out, "%" PRId64, field->kind == MR_FIELD_LONG ? number : floor_ms(number));
        break;
    case MR_FIELD_INT:
        memcpy(&small, at, sizeof small);
        mr_buffer_printf(out, "%" PRId32, small);
        break;
    case MR_FIELD_BOOL:
        mr_buffer_printf(out, "%s", *at != 0 ? "true" : "false");
        break;
    case MR_FIELD_DECIMAL:
        memcpy(&atoms, at, sizeof atoms);
        write_decimal(atoms, out);
        break;
    case MR_FIELD_ENUM:
        memcpy(&ordinal, at, sizeof ordinal);
        mr_buffer_printf(out, "%s", ordinal < field->symbol_count ? field->symbols[ordinal] : "?");
        break;
    case MR_FIELD_BYTES:
    case MR_FIELD_FIXED:
    case MR_FIELD_ARRAY:
    default:
        break;
    }
}

static bool comparable(const struct mr_schema_field *field)
{
    return field->kind != MR_FIELD_BYTES && field->kind != MR_FIELD_FIXED;
}

static bool present(const struct mr_schema_field *field, const uint8_t *record)
{
    return !field->nullable || record[field->has_offset] != 0;
}

/* The items of an array: flat records. */
static void write_items(const struct mr_schema_field *field, const uint8_t *at,
                        struct mr_buffer *out)
{
    struct {
        const uint8_t *items;
        size_t count;
    } array;

    memcpy(&array, at, sizeof array);
    for (size_t i = 0; i < array.count; i++) {
        const uint8_t *item = array.items + i * field->item_bytes;

        for (size_t f = 0; f < field->items->field_count; f++) {
            const struct mr_schema_field *inner = &field->items->fields[f];

            if (comparable(inner) && inner->kind != MR_FIELD_ARRAY && present(inner, item)) {
                mr_buffer_printf(out, "%zu.%s=", i, inner->name);
                write_scalar(inner, item + inner->offset, out);
                mr_buffer_printf(out, ";");
            }
        }
    }
}

void verify_canonical_record(const struct mr_schema *schema, const void *value, const char *fields,
                             struct mr_buffer *out)
{
    const uint8_t *record = value;

    for (size_t f = 0; f < schema->field_count; f++) {
        const struct mr_schema_field *field = &schema->fields[f];

        if (!comparable(field) || !present(field, record) || !wanted(fields, field->name)) {
            continue;
        }
        mr_buffer_printf(out, "%s=", field->name);
        if (field->kind == MR_FIELD_ARRAY) {
            write_items(field, record + field->offset, out);
        } else {
            write_scalar(field, record + field->offset, out);
        }
        mr_buffer_printf(out, "\n");
    }
}

/* ---- from a document ---- */

/* The text inside {"$numberDecimal": "..."} and its like; plain strings as they are. */
static const char *inner_text(const json_t *value)
{
    static const char *const wrappers[] = {"$numberDecimal", "$numberLong", "$numberInt", "$date"};

    if (json_is_string(value)) {
        return json_string_value(value);
    }
    for (size_t i = 0; json_is_object(value) && i < MR_COUNT(wrappers); i++) {
        const json_t *inner = json_object_get(value, wrappers[i]);

        if (json_is_string(inner)) {
            return json_string_value(inner);
        }
        if (json_is_object(inner)) { /* {"$date": {"$numberLong": "..."}} */
            return json_string_value(json_object_get(inner, "$numberLong"));
        }
    }
    return NULL;
}

static bool is_date(const json_t *value)
{
    return json_is_object(value) && json_object_get(value, "$date") != NULL;
}

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

/* RFC 3339 in UTC, any number of decimals, to milliseconds. */
static bool parse_date_ms(const char *text, int64_t *ms)
{
    int year, month, day, hour, minute, second, used = 0;
    int64_t fraction = 0;
    int digits = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
               &used) != 6) {
        return false;
    }
    text += used;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            if (digits < 3) {
                fraction = fraction * 10 + (*text - '0');
                digits++;
            }
        }
    }
    for (; digits < 3; digits++) {
        fraction *= 10;
    }
    *ms = days_of(year, month, day) * DAY_MS +
          (((int64_t)hour * 60 + minute) * 60 + second) * 1000 + fraction;
    return *text == 'Z' && text[1] == '\0';
}

static bool parse_whole(const char *text, int64_t *number)
{
    char *end = NULL;

    *number = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

/* Decimal text that may have an exponent, as Decimal128 prints it. */
static bool parse_decimal(const char *text, mr_i128 *atoms)
{
    const char *e = strpbrk(text, "eE");
    const size_t len = e == NULL ? strlen(text) : (size_t)(e - text);
    int64_t exponent = 0;

    if (e != NULL && !parse_whole(e[1] == '+' ? e + 2 : e + 1, &exponent)) {
        return false;
    }
    if (!load_decimal_parse(mr_slice_of(text, len), atoms)) {
        return false;
    }
    for (; exponent > 0 && *atoms != 0; exponent--) {
        if (__builtin_mul_overflow(*atoms, 10, atoms)) {
            return false;
        }
    }
    for (; exponent < 0 && *atoms != 0; exponent++) {
        if (*atoms % 10 != 0) {
            return false;
        }
        *atoms /= 10;
    }
    return true;
}

static bool write_time(const json_t *value, struct mr_buffer *out)
{
    const char *text = inner_text(value);
    int64_t number = 0;

    if (json_is_integer(value)) {
        mr_buffer_printf(out, "%" PRId64, floor_ms(json_integer_value(value)));
        return true;
    }
    if (text == NULL) {
        return false;
    }
    if (parse_whole(text, &number)) {
        mr_buffer_printf(out, "%" PRId64, is_date(value) ? number : floor_ms(number));
        return true;
    }
    if (!parse_date_ms(text, &number)) {
        return false;
    }
    mr_buffer_printf(out, "%" PRId64, number);
    return true;
}

static bool write_number(const json_t *value, struct mr_buffer *out)
{
    const char *text = inner_text(value);
    int64_t number = json_integer_value(value);

    if (!json_is_integer(value) && (text == NULL || !parse_whole(text, &number))) {
        return false;
    }
    mr_buffer_printf(out, "%" PRId64, number);
    return true;
}

static bool write_known(const struct mr_schema_field *field, const json_t *value,
                        struct mr_buffer *out)
{
    const char *text = inner_text(value);
    mr_i128 atoms;

    switch (field->kind) {
    case MR_FIELD_STRING:
    case MR_FIELD_ENUM:
        if (text != NULL) {
            mr_buffer_printf(out, "%s", text);
        }
        return text != NULL;
    case MR_FIELD_LONG:
    case MR_FIELD_INT:
        return write_number(value, out);
    case MR_FIELD_TIMESTAMP_US:
        return write_time(value, out);
    case MR_FIELD_BOOL:
        if (json_is_boolean(value)) {
            mr_buffer_printf(out, "%s", json_is_true(value) ? "true" : "false");
        } else if (text != NULL) {
            mr_buffer_printf(out, "%s", text);
        }
        return json_is_boolean(value) || text != NULL;
    case MR_FIELD_DECIMAL:
        if (text == NULL || !parse_decimal(text, &atoms)) {
            return false;
        }
        write_decimal(atoms, out);
        return true;
    case MR_FIELD_BYTES:
    case MR_FIELD_FIXED:
    case MR_FIELD_ARRAY:
    default:
        return false;
    }
}

bool verify_canonical_value(const struct mr_schema_field *field, const json_t *document,
                            struct mr_buffer *out)
{
    const json_t *value = json_object_get(document, field->name);

    if (value == NULL || json_is_null(value)) {
        return false;
    }
    if (!write_known(field, value, out)) {
        mr_buffer_printf(out, "?");
    }
    return true;
}

static void write_document_items(const struct mr_schema_field *field, const json_t *array,
                                 struct mr_buffer *out)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);

        for (size_t f = 0; f < field->items->field_count; f++) {
            const struct mr_schema_field *inner = &field->items->fields[f];
            const json_t *value = json_object_get(item, inner->name);

            if (comparable(inner) && inner->kind != MR_FIELD_ARRAY && value != NULL &&
                !json_is_null(value)) {
                mr_buffer_printf(out, "%zu.%s=", i, inner->name);
                (void)verify_canonical_value(inner, item, out);
                mr_buffer_printf(out, ";");
            }
        }
    }
}

void verify_canonical_document(const struct mr_schema *schema, const json_t *document,
                               const char *fields, struct mr_buffer *out)
{
    for (size_t f = 0; f < schema->field_count; f++) {
        const struct mr_schema_field *field = &schema->fields[f];
        const json_t *value = json_object_get(document, field->name);

        if (!comparable(field) || value == NULL || json_is_null(value) ||
            !wanted(fields, field->name)) {
            continue;
        }
        mr_buffer_printf(out, "%s=", field->name);
        if (field->kind == MR_FIELD_ARRAY) {
            write_document_items(field, value, out);
        } else {
            (void)verify_canonical_value(field, document, out);
        }
        mr_buffer_printf(out, "\n");
    }
}
