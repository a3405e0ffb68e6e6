/*
 * document_bson.c -- see document_bson.h.
 *
 * Why by hand for decimals: going through text costs a division for each digit and a parse, ten
 * times a record. The binary form is sign, biased exponent and a 113-bit coefficient, which holds
 * every coefficient below 10^34.
 */
#include "document_bson.h"

#include "record_field.h"

#include <stdio.h>

#define SCALE 18
#define ONE UINT64_C(1000000000000000000)
#define EXPONENT_BIAS 6176
#define EXPONENT_SHIFT 49
#define SIGN_BIT (UINT64_C(1) << 63)
#define NAME_BYTES_MAX 80
#define US_PER_MS 1000

/* 10^34, one more than the largest coefficient. */
#define COEFFICIENT_END ((mr_u128)ONE * UINT64_C(10000000000000000))

bool document_decimal(mr_i128 atoms, bson_decimal128_t *out)
{
    const mr_u128 magnitude = atoms < 0 ? -(mr_u128)atoms : (mr_u128)atoms;
    uint64_t fraction = (uint64_t)(magnitude % ONE);
    mr_u128 coefficient = magnitude / ONE;
    uint64_t unit = 1; /* 10^digits */
    int exponent = -SCALE;

    while (exponent < 0 && fraction % 10 == 0) {
        fraction /= 10;
        exponent++;
    }
    for (int i = exponent; i < 0; i++) {
        unit *= 10;
    }
    coefficient = coefficient * unit + fraction;
    while (coefficient >= COEFFICIENT_END) {
        if (coefficient % 10 != 0) {
            return false;
        }
        coefficient /= 10;
        exponent++;
    }
    out->high = (atoms < 0 ? SIGN_BIT : 0) |
                (uint64_t)(exponent + EXPONENT_BIAS) << EXPONENT_SHIFT |
                (uint64_t)(coefficient >> 64);
    out->low = (uint64_t)coefficient;
    return true;
}

int64_t document_date_ms(int64_t us)
{
    return us / US_PER_MS - (us % US_PER_MS < 0);
}

void document_append_text(bson_t *document, const char *name, struct mr_slice text)
{
    MR_ASSERT(bson_append_utf8(document, name, -1, text.len == 0 ? "" : (const char *)text.data,
                               (int)text.len));
}

void document_append_time(bson_t *document, const char *name, int64_t us)
{
    char exact[NAME_BYTES_MAX];

    snprintf(exact, sizeof(exact), "%sUs", name);
    MR_ASSERT(bson_append_date_time(document, name, -1, document_date_ms(us)));
    MR_ASSERT(bson_append_int64(document, exact, -1, us));
}

static void append_bytes(bson_t *document, const char *name, const uint8_t *data, size_t len)
{
    MR_ASSERT(bson_append_binary(document, name, -1, BSON_SUBTYPE_BINARY, data, (uint32_t)len));
}

static enum mr_status append_string(bson_t *document, const struct mr_schema_field *field,
                                    const void *record, struct mr_err *err)
{
    const struct mr_slice text = record_field_slice(field, record);

    if (text.len > 0 && !bson_utf8_validate((const char *)text.data, text.len, true)) {
        return mr_fail(err, MR_MALFORMED, "field %s is not UTF-8", field->name);
    }
    document_append_text(document, field->name, text);
    return MR_OK;
}

static enum mr_status append_decimal(bson_t *document, const struct mr_schema_field *field,
                                     const void *record, struct mr_err *err)
{
    bson_decimal128_t decimal;

    if (!document_decimal(record_field_decimal(field, record), &decimal)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "field %s has more than 34 significant digits",
                       field->name);
    }
    MR_ASSERT(bson_append_decimal128(document, field->name, -1, &decimal));
    return MR_OK;
}

static enum mr_status append_scalar(bson_t *document, const struct mr_schema_field *field,
                                    const void *record, struct mr_err *err)
{
    struct mr_slice bytes;

    switch (field->kind) {
    case MR_FIELD_STRING:
        return append_string(document, field, record, err);
    case MR_FIELD_BYTES:
        bytes = record_field_slice(field, record);
        append_bytes(document, field->name, bytes.data, bytes.len);
        break;
    case MR_FIELD_LONG:
        MR_ASSERT(bson_append_int64(document, field->name, -1, record_field_int64(field, record)));
        break;
    case MR_FIELD_TIMESTAMP_US:
        document_append_time(document, field->name, record_field_int64(field, record));
        break;
    case MR_FIELD_INT:
        MR_ASSERT(bson_append_int32(document, field->name, -1, record_field_int32(field, record)));
        break;
    case MR_FIELD_BOOL:
        MR_ASSERT(bson_append_bool(document, field->name, -1, record_field_bool(field, record)));
        break;
    case MR_FIELD_DECIMAL:
        return append_decimal(document, field, record, err);
    case MR_FIELD_FIXED:
        append_bytes(document, field->name, record_field_at(field, record), field->fixed_bytes);
        break;
    case MR_FIELD_ENUM:
        document_append_text(document, field->name,
                             mr_slice_str(record_field_symbol(field, record)));
        break;
    case MR_FIELD_ARRAY: /* the caller's; items have none */
    default:
        MR_ASSERT(false);
    }
    return MR_OK;
}

static enum mr_status append_item(bson_t *array, const struct mr_schema_field *field, size_t index,
                                  const void *item, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    char buffer[16];
    const char *key;
    bson_t child;

    bson_uint32_to_string((uint32_t)index, &key, buffer, sizeof(buffer));
    MR_ASSERT(bson_append_document_begin(array, key, -1, &child));
    for (size_t i = 0; i < field->items->field_count && status == MR_OK; i++) {
        const struct mr_schema_field *inner = &field->items->fields[i];

        if (record_field_present(inner, item)) {
            status = append_scalar(&child, inner, item, err);
        }
    }
    MR_ASSERT(bson_append_document_end(array, &child));
    return status;
}

static enum mr_status append_array(bson_t *document, const struct mr_schema_field *field,
                                   const void *record, struct mr_err *err)
{
    const struct record_items items = record_field_items(field, record);
    enum mr_status status = MR_OK;
    bson_t array;

    MR_ASSERT(bson_append_array_begin(document, field->name, -1, &array));
    for (size_t i = 0; i < items.count && status == MR_OK; i++) {
        status = append_item(&array, field, i, items.items + i * field->item_bytes, err);
    }
    MR_ASSERT(bson_append_array_end(document, &array));
    return status;
}

static bool is_among(const char *const *only, const char *name)
{
    for (size_t i = 0; only[i] != NULL; i++) {
        if (strcmp(only[i], name) == 0) {
            return true;
        }
    }
    return false;
}

enum mr_status document_append(bson_t *document, const struct mr_schema *schema, const void *record,
                               const char *const *only, struct mr_err *err)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        if (!record_field_present(field, record) ||
            (only != NULL && !is_among(only, field->name))) {
            continue;
        }
        MR_TRY(field->kind == MR_FIELD_ARRAY ? append_array(document, field, record, err)
                                             : append_scalar(document, field, record, err));
    }
    return MR_OK;
}
