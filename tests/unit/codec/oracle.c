/*
 * oracle.c -- struct to avro-c's generic value through the field table.
 *
 * The table's own offsets and kinds are under test as well: a wrong row makes the bytes differ.
 */
#include "oracle.h"

struct items {
    const void *items;
    size_t count;
};

void oracle_open(struct oracle *oracle, const char *json)
{
    MR_ASSERT(avro_schema_from_json_length(json, strlen(json), &oracle->schema) == 0);
    oracle->type = avro_generic_class_from_schema(oracle->schema);
    MR_ASSERT(oracle->type != NULL);
}

void oracle_close(struct oracle *oracle)
{
    avro_value_iface_decref(oracle->type);
    avro_schema_decref(oracle->schema);
}

/* avro-c takes buffers it does not change as void *. */
static void *unconst(const void *data)
{
    return (void *)(uintptr_t)data;
}

static int set_decimal(avro_value_t *value, const uint8_t *at)
{
    uint8_t wire[16];
    mr_i128 atoms = 0;
    mr_u128 bits = 0;

    memcpy(&atoms, at, sizeof(atoms));
    bits = (mr_u128)atoms;
    for (size_t i = 0; i < sizeof(wire); i++) {
        wire[sizeof(wire) - 1 - i] = (uint8_t)(bits >> (8 * i));
    }
    return avro_value_set_fixed(value, wire, sizeof(wire));
}

static int set_text(const struct mr_schema_field *field, avro_value_t *value, const uint8_t *at)
{
    struct mr_slice text;
    char copy[512];

    memcpy(&text, at, sizeof(text));
    if (field->kind == MR_FIELD_BYTES) {
        return avro_value_set_bytes(value, unconst(text.data), text.len);
    }
    /* avro-c wants the NUL counted. */
    MR_ASSERT(text.len < sizeof(copy));
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return avro_value_set_string_len(value, copy, text.len + 1);
}

static int set_scalar(const struct mr_schema_field *field, avro_value_t *value, const uint8_t *at)
{
    int64_t wide = 0;
    int32_t narrow = 0;
    unsigned ordinal = 0;
    bool flag = false;

    switch (field->kind) {
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES:
        return set_text(field, value, at);
    case MR_FIELD_LONG:
    case MR_FIELD_TIMESTAMP_US:
        memcpy(&wide, at, sizeof(wide));
        /* A writer from before the field was promoted. */
        return avro_value_get_type(value) == AVRO_INT32 ? avro_value_set_int(value, (int32_t)wide)
                                                        : avro_value_set_long(value, wide);
    case MR_FIELD_INT:
        memcpy(&narrow, at, sizeof(narrow));
        return avro_value_set_int(value, narrow);
    case MR_FIELD_BOOL:
        memcpy(&flag, at, sizeof(flag));
        return avro_value_set_boolean(value, flag);
    case MR_FIELD_DECIMAL:
        return set_decimal(value, at);
    case MR_FIELD_FIXED:
        return avro_value_set_fixed(value, unconst(at), field->fixed_bytes);
    case MR_FIELD_ENUM:
        memcpy(&ordinal, at, sizeof(ordinal));
        return avro_value_set_enum(value, (int)ordinal);
    case MR_FIELD_ARRAY:
        break;
    }
    return -1;
}

static void set_fields(const struct mr_schema *schema, const uint8_t *record, avro_value_t *out)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        avro_value_t value;
        avro_value_t branch;

        if (field->kind == MR_FIELD_ARRAY ||
            avro_value_get_by_name(out, field->name, &value, NULL) != 0) {
            continue;
        }
        if (!field->nullable) {
            MR_ASSERT(set_scalar(field, &value, record + field->offset) == 0);
        } else if (record[field->has_offset] == 0) {
            MR_ASSERT(avro_value_set_branch(&value, 0, &branch) == 0);
        } else {
            MR_ASSERT(avro_value_set_branch(&value, 1, &branch) == 0);
            MR_ASSERT(set_scalar(field, &branch, record + field->offset) == 0);
        }
    }
}

void oracle_value(const struct oracle *oracle, const struct mr_schema *schema, const void *record,
                  avro_value_t *out)
{
    MR_ASSERT(avro_generic_value_new(oracle->type, out) == 0);
    set_fields(schema, record, out);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        struct items list;
        avro_value_t array;
        avro_value_t item;

        if (field->kind != MR_FIELD_ARRAY ||
            avro_value_get_by_name(out, field->name, &array, NULL) != 0) {
            continue;
        }
        memcpy(&list, (const uint8_t *)record + field->offset, sizeof(list));
        for (size_t n = 0; n < list.count; n++) {
            MR_ASSERT(avro_value_append(&array, &item, NULL) == 0);
            set_fields(field->items, (const uint8_t *)list.items + n * field->item_bytes, &item);
        }
    }
}

struct mr_slice oracle_encode(avro_value_t *value, struct mr_arena *arena)
{
    size_t bytes = 0;
    uint8_t *buffer = NULL;
    avro_writer_t writer = NULL;

    MR_ASSERT(avro_value_sizeof(value, &bytes) == 0);
    buffer = mr_arena_alloc(arena, bytes + 1);
    writer = avro_writer_memory((const char *)buffer, (int64_t)bytes);
    MR_ASSERT(avro_value_write(writer, value) == 0);
    avro_writer_free(writer);
    return mr_slice_of(buffer, bytes);
}

bool oracle_decode(const struct oracle *oracle, struct mr_slice bytes, avro_value_t *out)
{
    avro_reader_t reader = avro_reader_memory((const char *)bytes.data, (int64_t)bytes.len);
    uint8_t more = 0;
    bool exact = false;

    MR_ASSERT(avro_generic_value_new(oracle->type, out) == 0);
    exact = avro_value_read(reader, out) == 0 && avro_read(reader, &more, 1) != 0;
    avro_reader_free(reader);
    return exact;
}
