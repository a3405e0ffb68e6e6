/*
 * record_field.h -- reading the fields of any record through its schema table.
 *
 * Values are copied out: the table knows offsets, not types, and a cast could misalign.
 */
#ifndef CONNECTORS_RECORD_FIELD_H
#define CONNECTORS_RECORD_FIELD_H

#include "millrace/schema.h"

/* How the generated codec lays out an array of records. */
struct record_items {
    const uint8_t *items;
    size_t count;
};

static inline bool record_field_present(const struct mr_schema_field *field, const void *record)
{
    bool present = true;

    if (field->nullable) {
        memcpy(&present, (const uint8_t *)record + field->has_offset, sizeof(present));
    }
    return present;
}

static inline const uint8_t *record_field_at(const struct mr_schema_field *field,
                                             const void *record)
{
    return (const uint8_t *)record + field->offset;
}

static inline int64_t record_field_int64(const struct mr_schema_field *field, const void *record)
{
    int64_t value;

    memcpy(&value, record_field_at(field, record), sizeof(value));
    return value;
}

static inline int32_t record_field_int32(const struct mr_schema_field *field, const void *record)
{
    int32_t value;

    memcpy(&value, record_field_at(field, record), sizeof(value));
    return value;
}

static inline bool record_field_bool(const struct mr_schema_field *field, const void *record)
{
    bool value;

    memcpy(&value, record_field_at(field, record), sizeof(value));
    return value;
}

static inline mr_i128 record_field_decimal(const struct mr_schema_field *field, const void *record)
{
    mr_i128 value;

    memcpy(&value, record_field_at(field, record), sizeof(value));
    return value;
}

static inline struct mr_slice record_field_slice(const struct mr_schema_field *field,
                                                 const void *record)
{
    struct mr_slice value;

    memcpy(&value, record_field_at(field, record), sizeof(value));
    return value;
}

static inline struct record_items record_field_items(const struct mr_schema_field *field,
                                                     const void *record)
{
    struct record_items value;

    memcpy(&value, record_field_at(field, record), sizeof(value));
    return value;
}

/* The symbol of an ENUM field; the decoder refused ordinals beyond the table. */
static inline const char *record_field_symbol(const struct mr_schema_field *field,
                                              const void *record)
{
    const int32_t ordinal = record_field_int32(field, record);

    MR_ASSERT(ordinal >= 0 && (size_t)ordinal < field->symbol_count);
    return field->symbols[ordinal];
}

#endif
