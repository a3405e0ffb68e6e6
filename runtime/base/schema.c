/* schema.c -- the fingerprint of a record's layout. See millrace/schema.h. */
#include "millrace/schema.h"

/* FNV-1a over numbers and texts; a text's length is mixed in, so that two never run together. */
static uint64_t mix_bytes(uint64_t digest, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++) {
        digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return digest;
}

static uint64_t mix(uint64_t digest, uint64_t number)
{
    return mix_bytes(digest, &number, sizeof(number));
}

static uint64_t mix_text(uint64_t digest, const char *text)
{
    const size_t len = strlen(text);

    return mix_bytes(mix(digest, len), text, len);
}

/* Without what an array's records are made of. */
static uint64_t mix_field(uint64_t digest, const struct mr_schema_field *field)
{
    digest = mix_text(digest, field->name);
    digest = mix(digest, (uint64_t)field->kind);
    digest = mix(digest, field->offset);
    digest = mix(digest, field->nullable ? field->has_offset + 1 : 0);
    digest = mix(digest, field->fixed_bytes);
    digest = mix(digest, field->item_bytes);
    digest = mix(digest, field->symbol_count);
    for (size_t i = 0; i < field->symbol_count; i++) {
        digest = mix_text(digest, field->symbols[i]);
    }
    return digest;
}

static uint64_t mix_record(uint64_t digest, const struct mr_schema *schema)
{
    digest = mix_text(digest, schema->full_name);
    digest = mix(digest, schema->struct_bytes);
    digest = mix(digest, (uint64_t)schema->event_us_offset);
    digest = mix(digest, schema->field_count);
    for (size_t i = 0; i < schema->field_count; i++) {
        digest = mix_field(digest, &schema->fields[i]);
    }
    return digest;
}

uint64_t mr_schema_fingerprint(const struct mr_schema *schema)
{
    uint64_t digest = mix_record(UINT64_C(0xcbf29ce484222325), schema);

    /* Records nest one level (tools/avrogen/model.py). */
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].items != NULL) {
            digest = mix_record(digest, schema->fields[i].items);
        }
    }
    return digest;
}
