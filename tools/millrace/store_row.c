/* store_row.c -- see store_row.h. */
#include "store_row.h"

#include "line_text.h"
#include "store_key.h"

#include <inttypes.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 * 1024)

size_t store_find(const struct mr_stage_node *stage, const char *name)
{
    for (size_t i = 0; i < stage->type->store_count; i++) {
        if (strcmp(stage->type->stores[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

enum mr_status store_row_format_init(struct store_row_format *format, struct mr_codec *codec,
                                     const struct mr_stage_node *stage, size_t store,
                                     struct mr_err *err)
{
    const struct mr_schema *schema = stage->type->stores[store].schema;
    enum mr_status status = MR_OK;

    *format = (struct store_row_format){
        .stage = stage, .store = store, .codec = codec, .binding = {.schema = schema}};
    if (codec != NULL) {
        status = mr_codec_bind(codec, schema, stage->store_subjects[store], &format->binding, err);
    }
    if (status != MR_OK) {
        format->codec = NULL;
    }
    return status;
}

static enum mr_status decode(const struct store_row_format *format, struct mr_slice framed,
                             struct mr_arena *arena, void *value, struct mr_err *err)
{
    const struct mr_schema *schema = format->binding.schema;
    int32_t id;

    if (format->codec != NULL) {
        return mr_codec_decode(format->codec, &format->binding, framed, arena, value, err);
    }
    MR_TRY(mr_wire_schema_id(framed, &id, err));
    if (schema->decode(
            mr_slice_of(framed.data + MR_WIRE_HEADER_BYTES, framed.len - MR_WIRE_HEADER_BYTES),
            arena, value, err) != MR_OK) {
        return mr_fail(err, MR_SCHEMA_UNKNOWN,
                       "written with schema %" PRId32 ", which the registry would know", id);
    }
    return MR_OK;
}

void store_row_write(const struct store_row_format *format, int32_t partition, struct mr_slice key,
                     struct mr_slice framed, struct mr_buffer *out)
{
    const struct mr_schema *schema = format->binding.schema;
    struct mr_arena *arena = mr_arena_create(ARENA_BYTES);
    void *value = mr_xcalloc(1, schema->struct_bytes);
    struct mr_err err;

    mr_buffer_printf(out, "{\"stage\":\"%s\",\"store\":\"%s\",\"partition\":%" PRId32 ",",
                     format->stage->name, format->stage->type->stores[format->store].name,
                     partition);
    store_key_json(key, out);
    mr_buffer_printf(out, ",\"value\":");
    if (decode(format, framed, arena, value, &err) == MR_OK) {
        mr_json_write_record(schema, value, out);
    } else {
        mr_buffer_printf(out, "null,\"bytes\":");
        line_hex_append(out, framed);
        mr_buffer_printf(out, ",\"error\":");
        line_text_append(out, mr_slice_str(err.text));
    }
    mr_buffer_printf(out, "}");
    free(value);
    mr_arena_destroy(&arena);
}
