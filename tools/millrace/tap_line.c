/* tap_line.c -- see tap_line.h. */
#include "tap_line.h"

#include "line_text.h"
#include "millrace/changelog.h"

#include <inttypes.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 * 1024)

static void append_headers(struct mr_buffer *out, const struct mr_message *message, bool always)
{
    struct mr_header headers[MR_HEADERS_MAX];
    size_t count = mr_message_headers(message, headers, MR_HEADERS_MAX);

    if (count > MR_HEADERS_MAX) {
        count = MR_HEADERS_MAX;
    }
    if (count == 0 && !always) {
        return;
    }
    mr_buffer_printf(out, ",\"headers\":{");
    for (size_t i = 0; i < count; i++) {
        mr_buffer_printf(out, "%s", i == 0 ? "" : ",");
        line_text_append(out, mr_slice_str(headers[i].name));
        mr_buffer_printf(out, ":");
        line_text_append(out, headers[i].value);
    }
    mr_buffer_printf(out, "}");
}

/* Whether the topic is a changelog, and whose. */
static enum mr_status find_stores(struct tap_format *format, const struct load_env *env,
                                  size_t topic, struct mr_err *err)
{
    for (size_t i = 0; i < env->topology->stage_count; i++) {
        if (env->topology->stages[i].changelog == topic) {
            format->stage = &env->topology->stages[i];
        }
    }
    if (format->stage == NULL) {
        return MR_OK;
    }
    format->bindings = mr_xcalloc(format->stage->type->store_count, sizeof *format->bindings);
    for (size_t i = 0; i < format->stage->type->store_count; i++) {
        MR_TRY(mr_codec_bind(format->codec, format->stage->type->stores[i].schema,
                             format->stage->store_subjects[i], &format->bindings[i], err));
    }
    return MR_OK;
}

enum mr_status tap_format_init(struct tap_format *format, const struct load_env *env, size_t topic,
                               struct mr_err *err)
{
    *format = (struct tap_format){.schema = env->topology->topics[topic].schema,
                                  .codec = env->codec,
                                  .arena = mr_arena_create(ARENA_BYTES)};
    return find_stores(format, env, topic, err);
}

void tap_format_fini(struct tap_format *format)
{
    mr_arena_destroy(&format->arena);
    free(format->bindings);
    *format = (struct tap_format){0};
}

static enum mr_status read_stored(struct tap_format *format, const struct load_record *record,
                                  struct tap_entry *entry, struct mr_err *err)
{
    const struct mr_stage *type = format->stage->type;
    const size_t store = mr_changelog_store(type, record->key, &entry->key);
    enum mr_status status;
    void *value;

    if (store == SIZE_MAX) {
        return MR_OK; /* of a store that the stage had once: shown as it is */
    }
    entry->store = type->stores[store].name;
    entry->schema = type->stores[store].schema;
    if (!record->message->has_value) {
        return MR_OK;
    }
    mr_arena_reset(format->arena);
    value = mr_arena_alloc(format->arena, entry->schema->struct_bytes);
    memset(value, 0, entry->schema->struct_bytes);
    status = mr_codec_decode(format->codec, &format->bindings[store], record->bytes, format->arena,
                             value, err);
    if (status == MR_OK) {
        entry->value = value;
    }
    return mr_status_class(status) == MR_CLASS_POISON ? MR_OK : status;
}

enum mr_status tap_entry_read(struct tap_format *format, const struct load_record *record,
                              struct tap_entry *entry, struct mr_err *err)
{
    *entry =
        (struct tap_entry){.key = record->key, .schema = format->schema, .value = record->value};
    return format->stage == NULL ? MR_OK : read_stored(format, record, entry, err);
}

void tap_line_write(const struct tap_format *format, const struct load_record *record,
                    const struct tap_entry *entry, struct mr_buffer *line)
{
    mr_buffer_clear(line);
    mr_buffer_printf(
        line, "{\"topic\":\"%s\",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"timestamp\":",
        record->topic, record->partition, record->offset);
    line_time_append(line, record->message->timestamp_ms);
    if (entry->store != NULL) {
        mr_buffer_printf(line, ",\"store\":\"%s\"", entry->store);
    }
    mr_buffer_printf(line, ",\"key\":");
    line_text_append(line, entry->key);
    mr_buffer_printf(line, ",\"value\":");
    if (entry->value != NULL) {
        mr_json_write_record(entry->schema, entry->value, line);
    } else {
        mr_buffer_printf(line, "null");
        if (record->message->has_value) {
            mr_buffer_printf(line, ",\"bytes\":");
            line_hex_append(line, record->bytes);
        }
    }
    append_headers(line, record->message, format->schema == NULL && format->stage == NULL);
    mr_buffer_printf(line, "}\n");
}
