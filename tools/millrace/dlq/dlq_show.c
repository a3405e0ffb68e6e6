/* dlq_show.c -- see dlq_show.h. */
#include "dlq_show.h"

#include "dlq_place.h"
#include "millrace/arena.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 * 1024)
#define WORD_BYTES ((size_t)460)

/* What decoding says about a letter's value. */
struct reading {
    const struct mr_schema *schema; /* of the source topic; NULL: none */
    struct mr_buffer json;          /* with a NUL; empty: it cannot be decoded */
    size_t place;                   /* byte where decoding fails; SIZE_MAX: not known */
    char why[WORD_BYTES];
};

static void note_place(struct reading *reading, const struct mr_binding *binding,
                       struct mr_slice value, const struct mr_err *why)
{
    const char *field = "";
    int32_t id = 0;
    struct mr_err ignored;

    /* The fields of a value of another schema stand elsewhere. */
    if (mr_wire_schema_id(value, &id, &ignored) != MR_OK || id == binding->id) {
        reading->place = dlq_place_find(binding->schema, value, &field);
    }
    (void)snprintf(reading->why, sizeof reading->why, "%s", why->text);
}

static enum mr_status read_value(const struct load_env *env, const struct dlq_letter *letter,
                                 struct reading *reading, struct mr_err *err)
{
    const size_t index = mr_topology_find_topic(env->topology, letter->source_topic);
    const struct mr_topic *topic = index == SIZE_MAX ? NULL : &env->topology->topics[index];
    struct mr_binding binding;
    struct mr_arena *arena;
    void *value;
    enum mr_status status;

    *reading = (struct reading){.place = SIZE_MAX};
    if (topic == NULL || topic->schema == NULL || !letter->message->has_value) {
        return MR_OK;
    }
    reading->schema = topic->schema;
    MR_TRY(mr_codec_bind(env->codec, topic->schema, topic->subject, &binding, err));
    arena = mr_arena_create(ARENA_BYTES);
    value = mr_xcalloc(1, topic->schema->struct_bytes);
    status = mr_codec_decode(env->codec, &binding, letter->message->value, arena, value, err);
    if (status == MR_OK) {
        mr_json_write_record(topic->schema, value, &reading->json);
        mr_buffer_append(&reading->json, "", 1);
    } else if (mr_status_class(status) == MR_CLASS_POISON) {
        note_place(reading, &binding, letter->message->value, err);
        status = MR_OK;
    }
    free(value);
    mr_arena_destroy(&arena);
    return status;
}

/* Text as it is where it can be printed, else its bytes. */
static void put_bytes(struct mr_buffer *out, struct mr_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];

        if (c >= 0x20 && c < 0x7f && c != '\\') {
            mr_buffer_append(out, &c, 1);
        } else {
            mr_buffer_printf(out, "\\x%02x", c);
        }
    }
}

/* ---- text -------------------------------------------------------------------------------------
 */

static void put_head(const struct dlq_letter *letter, struct mr_buffer *out)
{
    const struct mr_message *message = letter->message;
    char time[DLQ_TIME_BYTES];

    mr_buffer_printf(out, "%s %" PRId32 ":%" PRId64 "  %s\n", message->topic, message->partition,
                     message->offset, dlq_time_text(message->timestamp_ms, time));
    if (!letter->is_letter) {
        mr_buffer_printf(out, "  not a dead letter: it does not have the headers of one\n");
    } else {
        mr_buffer_printf(out, "  source   %s %" PRId32 ":%" PRId64 "\n", letter->source_topic,
                         letter->source_partition, letter->source_offset);
        mr_buffer_printf(out, "  stage    %s\n", letter->stage);
        mr_buffer_printf(out, "  error    %s (%s): %s\n", letter->code, letter->class_name,
                         letter->text);
    }
    mr_buffer_printf(out, "  key      ");
    put_bytes(out, message->key);
    mr_buffer_printf(out, "\n");
    for (size_t i = 0; i < letter->own_count; i++) {
        mr_buffer_printf(out, "  header   %s: ", letter->headers[i].name);
        put_bytes(out, letter->headers[i].value);
        mr_buffer_printf(out, "\n");
    }
}

enum mr_status dlq_show_text(const struct load_env *env, const struct dlq_letter *letter,
                             struct mr_buffer *out, struct mr_err *err)
{
    const struct mr_message *message = letter->message;
    struct reading reading;

    MR_TRY(read_value(env, letter, &reading, err));
    put_head(letter, out);
    if (letter->left_out > 0) {
        mr_buffer_printf(out, "  value    %" PRId64 " bytes, left out; the source has them\n",
                         letter->left_out);
    } else if (!message->has_value) {
        mr_buffer_printf(out, "  value    none: a tombstone\n");
    } else if (reading.json.len > 0) {
        mr_buffer_printf(out, "  value    %s\n", (const char *)reading.json.data);
    } else {
        mr_buffer_printf(out, "  value    %zu bytes%s%s\n", message->value.len,
                         reading.schema == NULL ? "" : ", which are no ",
                         reading.schema == NULL ? "" : reading.schema->name);
        dlq_place_dump(message->value, reading.place, reading.why, "    ", out);
    }
    mr_buffer_fini(&reading.json);
    return MR_OK;
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

/* Texts of the log are not always UTF-8. */
static json_t *bytes_text(struct mr_slice bytes)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    json_t *value;

    put_bytes(&text, bytes);
    mr_buffer_append(&text, "", 1);
    value = json_string((const char *)text.data);
    mr_buffer_fini(&text);
    return value;
}

static json_t *hex_text(struct mr_slice bytes)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    json_t *value;

    for (size_t i = 0; i < bytes.len; i++) {
        mr_buffer_printf(&text, "%02x", bytes.data[i]);
    }
    mr_buffer_append(&text, "", 1);
    value = json_string((const char *)text.data);
    mr_buffer_fini(&text);
    return value;
}

static json_t *headers_object(const struct dlq_letter *letter)
{
    json_t *headers = json_array();

    for (size_t i = 0; i < letter->own_count; i++) {
        json_t *header = json_object();

        json_object_set_new(header, "name", bytes_text(mr_slice_str(letter->headers[i].name)));
        json_object_set_new(header, "value", bytes_text(letter->headers[i].value));
        json_array_append_new(headers, header);
    }
    return headers;
}

static void put_value(json_t *root, const struct dlq_letter *letter, const struct reading *reading)
{
    json_object_set_new(root, "value",
                        reading->json.len == 0
                            ? json_null()
                            : json_loads((const char *)reading->json.data, 0, NULL));
    if (letter->left_out > 0) {
        json_object_set_new(root, "leftOutBytes", json_integer(letter->left_out));
    } else if (letter->message->has_value && reading->json.len == 0) {
        json_object_set_new(root, "bytes", hex_text(letter->message->value));
    }
    if (reading->place != SIZE_MAX) {
        json_object_set_new(root, "failsAtByte", json_integer((json_int_t)reading->place));
    }
    if (reading->why[0] != '\0') {
        json_object_set_new(root, "decoding", bytes_text(mr_slice_str(reading->why)));
    }
}

enum mr_status dlq_show_json(const struct load_env *env, const struct dlq_letter *letter,
                             struct mr_buffer *out, struct mr_err *err)
{
    const struct mr_message *message = letter->message;
    char time[DLQ_TIME_BYTES];
    struct reading reading;
    json_t *root;
    char *text;

    MR_TRY(read_value(env, letter, &reading, err));
    root = json_object();
    json_object_set_new(root, "topic", json_string(message->topic));
    json_object_set_new(root, "partition", json_integer(message->partition));
    json_object_set_new(root, "offset", json_integer(message->offset));
    json_object_set_new(root, "timestamp", json_string(dlq_time_text(message->timestamp_ms, time)));
    if (letter->is_letter) {
        json_object_set_new(root, "source",
                            json_pack("{s:o, s:I, s:I}", "topic",
                                      bytes_text(mr_slice_str(letter->source_topic)), "partition",
                                      (json_int_t)letter->source_partition, "offset",
                                      (json_int_t)letter->source_offset));
        json_object_set_new(root, "stage", bytes_text(mr_slice_str(letter->stage)));
        json_object_set_new(root, "code", bytes_text(mr_slice_str(letter->code)));
        json_object_set_new(root, "text", bytes_text(mr_slice_str(letter->text)));
    }
    json_object_set_new(root, "key", bytes_text(message->key));
    json_object_set_new(root, "headers", headers_object(letter));
    put_value(root, letter, &reading);
    text = json_dumps(root, JSON_COMPACT);
    MR_ASSERT(text != NULL);
    mr_buffer_printf(out, "%s", text);
    free(text);
    json_decref(root);
    mr_buffer_fini(&reading.json);
    return MR_OK;
}
