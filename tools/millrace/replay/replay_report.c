/* replay_report.c -- see replay_report.h. */
#include "replay_report.h"

#include "millrace/arena.h"
#include "millrace/buffer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define VALUE_ARENA_BYTES ((size_t)16 * 1024)
#define HEX_BYTES_MAX ((size_t)256)

struct replay_report {
    const struct load_env *env;
    FILE *out;
    int64_t shown_max;
    int64_t shown;
    json_t *differences;
    struct mr_arena *arena;
};

static const char *const kind_names[] = {
    [REPLAY_DIFFERS] = "differs",
    [REPLAY_ONLY_RECORDED] = "only on record",
    [REPLAY_ONLY_REPLAYED] = "only replayed",
};

struct replay_report *replay_report_create(const struct load_env *env, FILE *out, int64_t shown_max)
{
    struct replay_report *report = mr_xcalloc(1, sizeof(*report));

    report->env = env;
    report->out = out;
    report->shown_max = shown_max;
    report->differences = json_array();
    report->arena = mr_arena_create(VALUE_ARENA_BYTES);
    return report;
}

void replay_report_destroy(struct replay_report **out)
{
    struct replay_report *report = *out;

    if (report == NULL) {
        return;
    }
    json_decref(report->differences);
    mr_arena_destroy(&report->arena);
    free(report);
    *out = NULL;
}

/* ---- one record ------------------------------------------------------------------------------ */

static json_t *text_of(struct mr_slice text)
{
    json_t *string = json_stringn((const char *)text.data, text.len);

    return string != NULL ? string : json_string("(not UTF-8)");
}

static json_t *hex_of(struct mr_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    const size_t shown = bytes.len < HEX_BYTES_MAX ? bytes.len : HEX_BYTES_MAX;
    char text[2 * HEX_BYTES_MAX + 4] = {0};

    for (size_t i = 0; i < shown; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    return json_sprintf("%s%s", text, shown < bytes.len ? "..." : "");
}

/* The record, or its bytes when it has no schema or is not of it. */
static json_t *value_of(struct replay_report *report, const struct mr_topic *topic,
                        struct mr_slice value, bool has_value)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_binding binding;
    struct mr_err err;
    json_t *json = NULL;
    void *record;

    if (!has_value) {
        return json_null();
    }
    if (topic->schema == NULL ||
        mr_codec_bind(report->env->codec, topic->schema, topic->subject, &binding, &err) != MR_OK) {
        return hex_of(value);
    }
    mr_arena_reset(report->arena);
    record = mr_arena_alloc(report->arena, topic->schema->struct_bytes);
    memset(record, 0, topic->schema->struct_bytes);
    if (mr_codec_decode(report->env->codec, &binding, value, report->arena, record, &err) ==
        MR_OK) {
        mr_json_write_record(topic->schema, record, &text);
        json = json_loadb((const char *)text.data, text.len, 0, NULL);
    }
    mr_buffer_fini(&text);
    return json != NULL ? json : hex_of(value);
}

/* What is not the same in both: fields by name, and what is no field in parentheses. */
static json_t *parts_apart(const struct replay_difference *difference, json_t *recorded,
                           json_t *replayed)
{
    const struct mr_message *message = difference->recorded;
    const struct replay_item *item = difference->replayed;
    json_t *names = json_array();
    int32_t ids[2] = {0, 0};
    const char *name;
    json_t *value;
    struct mr_err err;

    json_object_foreach(recorded, name, value)
    {
        if (!json_equal(value, json_object_get(replayed, name))) {
            json_array_append_new(names, json_string(name));
        }
    }
    if (mr_wire_schema_id(message->value, &ids[0], &err) == MR_OK &&
        mr_wire_schema_id(item->value, &ids[1], &err) == MR_OK && ids[0] != ids[1]) {
        json_array_append_new(names, json_sprintf("(schema id %d, %d)", (int)ids[0], (int)ids[1]));
    }
    if (item->timestamp_ms != MR_TIMESTAMP_NOW && item->timestamp_ms != message->timestamp_ms) {
        json_array_append_new(names, json_sprintf("(timestamp %lld, %lld ms)",
                                                  (long long)message->timestamp_ms,
                                                  (long long)item->timestamp_ms));
    }
    if (json_array_size(names) == 0) {
        json_array_append_new(
            names,
            json_string(mr_slice_equal(message->value, item->value) ? "(headers)" : "(bytes)"));
    }
    return names;
}

static json_t *document_of(struct replay_report *report, const struct replay_difference *difference)
{
    const struct mr_topology *topology = report->env->topology;
    const struct replay_item *replayed = difference->replayed;
    const struct mr_message *recorded = difference->recorded;
    const size_t index =
        replayed != NULL ? replayed->topic : mr_topology_find_topic(topology, recorded->topic);
    const struct mr_topic *topic = &topology->topics[index];
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(kind_names[difference->kind]));
    json_object_set_new(json, "topic", json_string(topic->name));
    json_object_set_new(json, "partition",
                        json_integer(replayed != NULL ? replayed->partition : recorded->partition));
    json_object_set_new(json, "key", text_of(replayed != NULL ? replayed->key : recorded->key));
    if (recorded != NULL) {
        json_object_set_new(json, "offset", json_integer(recorded->offset));
        json_object_set_new(json, "recorded",
                            value_of(report, topic, recorded->value, recorded->has_value));
    }
    if (replayed != NULL) {
        json_object_set_new(json, "stage", json_string(topology->stages[replayed->stage].name));
        json_object_set_new(json, "transaction", json_integer(replayed->sequence));
        json_object_set_new(json, "replayed",
                            value_of(report, topic, replayed->value, replayed->has_value));
    }
    if (recorded != NULL && replayed != NULL) {
        json_object_set_new(json, "apart",
                            parts_apart(difference, json_object_get(json, "recorded"),
                                        json_object_get(json, "replayed")));
    }
    return json;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void tell_value(FILE *out, const char *what, const json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    if (text != NULL) {
        (void)fprintf(out, "  %s %s\n", what, text);
    }
    free(text);
}

static void tell(FILE *out, json_t *json)
{
    const json_t *offset = json_object_get(json, "offset");
    const json_t *transaction = json_object_get(json, "transaction");

    (void)fprintf(out, "%s: %s[%" JSON_INTEGER_FORMAT "]",
                  json_string_value(json_object_get(json, "kind")),
                  json_string_value(json_object_get(json, "topic")),
                  json_integer_value(json_object_get(json, "partition")));
    if (offset != NULL) {
        (void)fprintf(out, " offset %" JSON_INTEGER_FORMAT, json_integer_value(offset));
    }
    (void)fprintf(out, ", key %s", json_string_value(json_object_get(json, "key")));
    if (transaction != NULL) {
        (void)fprintf(out, ", stage %s, transaction %" JSON_INTEGER_FORMAT,
                      json_string_value(json_object_get(json, "stage")),
                      json_integer_value(transaction));
    }
    (void)fprintf(out, "\n");
    tell_value(out, "recorded", json_object_get(json, "recorded"));
    tell_value(out, "replayed", json_object_get(json, "replayed"));
    tell_value(out, "apart in", json_object_get(json, "apart"));
}

void replay_report_differs(void *arg, const struct replay_difference *difference)
{
    struct replay_report *report = arg;
    json_t *json;

    if (report->shown++ >= report->shown_max) {
        return;
    }
    json = document_of(report, difference);
    if (report->out != NULL) {
        load_progress_end(report->env);
        tell(report->out, json);
    }
    json_array_append_new(report->differences, json);
}

bool replay_verify_equal(const struct replay_verify_result *result)
{
    return result->transactions > 0 &&
           result->differ + result->only_recorded + result->only_replayed == 0;
}

static int64_t per_second(const struct replay_verify_result *result)
{
    return (int64_t)result->records * MR_SECOND_US / (result->elapsed_us + 1);
}

void replay_report_summary(const struct replay_report *report,
                           const struct replay_verify_result *result, FILE *out)
{
    if (report->shown > report->shown_max) {
        (void)fprintf(out, "... %" PRId64 " more\n", report->shown - report->shown_max);
    }
    (void)fprintf(
        out, "%" PRIu64 " transactions, %" PRIu64 " inputs replayed in %.1f s (%" PRId64 "/s)\n",
        result->transactions, result->records, (double)result->elapsed_us / (double)MR_SECOND_US,
        per_second(result));
    (void)fprintf(out, "%" PRIu64 " outputs equal", result->equal);
    if (result->gone > 0) {
        (void)fprintf(out, ", %" PRIu64 " no longer on record", result->gone);
    }
    (void)fprintf(out,
                  ", %" PRIu64 " differ, %" PRIu64 " only on record, %" PRIu64 " only replayed\n",
                  result->differ, result->only_recorded, result->only_replayed);
    if (result->before > 0) {
        (void)fprintf(out, "before the range: %" PRIu64 " differences\n", result->before);
    }
    (void)fprintf(out, "%s\n",
                  replay_verify_equal(result) ? "EQUAL"
                  : result->transactions == 0
                      ? "NOTHING was replayed: no transaction is in the range"
                      : "DIFFERENT");
}

void replay_report_json(const struct replay_report *report,
                        const struct replay_verify_result *result, struct mr_buffer *out)
{
    json_t *json = json_pack(
        "{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "equal",
        (int)replay_verify_equal(result), "transactions", (json_int_t)result->transactions,
        "inputs", (json_int_t)result->records, "outputsEqual", (json_int_t)result->equal,
        "outputsGone", (json_int_t)result->gone, "differ", (json_int_t)result->differ,
        "onlyRecorded", (json_int_t)result->only_recorded, "onlyReplayed",
        (json_int_t)result->only_replayed, "differencesBefore", (json_int_t)result->before,
        "elapsedUs", (json_int_t)result->elapsed_us, "differences", report->differences);
    char *text = json_dumps(json, JSON_INDENT(2));

    mr_buffer_append(out, text, strlen(text));
    mr_buffer_append(out, "\n", 1);
    free(text);
    json_decref(json);
}
