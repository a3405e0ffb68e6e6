/*
 * tap.c -- `millrace tap TOPIC`: decoded records as JSON lines.
 *
 * A line: {"topic", "partition", "offset", "timestamp", "key", "value"}. What cannot be decoded,
 * and records of topics without a schema, have "value": null and "bytes" in hex; dead letters have
 * their "headers" as well. Records of a changelog have "store", and the key they have in it.
 */
#include "args.h"
#include "commands.h"
#include "connect.h"
#include "load_feed.h"
#include "millrace/buffer.h"
#include "millrace/changelog.h"
#include "topology_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STEP_US (100 * MR_MS_US)
#define ARENA_BYTES ((size_t)16 * 1024)

struct tap_command {
    const char *topology;
    const char *key;
    const char *from;
    int64_t partition;
    int64_t count;
    int64_t wait_us;
    bool follow;
};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, topology),
     .fallback = "topology.yaml",
     .help = "which servers and schemas"},
    {.name = "key",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, key),
     .fallback = "",
     .help = "only records with this key"},
    {.name = "from",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, from),
     .fallback = "beginning",
     .help = "beginning, end, an offset, or a UTC time like 2026-01-31T12:00:00Z"},
    {.name = "partition",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct tap_command, partition),
     .fallback = "-1",
     .min = -1,
     .max = INT32_MAX,
     .help = "only this one; -1: all"},
    {.name = "count",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct tap_command, count),
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "end after so many records; 0: all"},
    {.name = "follow",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct tap_command, follow),
     .fallback = "false",
     .help = "go on with what comes"},
    CONNECT_WAIT_OPTION(struct tap_command, wait_us),
};

static const struct args_spec spec = {
    .command = "tap",
    .summary = "Prints the committed records of a topic as JSON lines.",
    .positionals = "TOPIC",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

struct tap {
    const struct tap_command *command;
    const struct mr_schema *schema;    /* of the topic; NULL: it has none, or several */
    const struct mr_stage_node *stage; /* whose changelog the topic is; NULL: of none */
    struct mr_binding *bindings;       /* of its stores */
    struct mr_codec *codec;
    struct mr_arena *arena; /* of a value of a changelog */
    int64_t from_ms;        /* records before are skipped */
    int64_t printed;
    struct mr_buffer line;
};

static void append_text(struct mr_buffer *out, struct mr_slice text)
{
    mr_buffer_printf(out, "\"");
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];

        if (c == '"' || c == '\\') {
            mr_buffer_printf(out, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            mr_buffer_printf(out, "\\u%04x", c); /* bytes as they are, one by one */
        } else {
            mr_buffer_append(out, &c, 1);
        }
    }
    mr_buffer_printf(out, "\"");
}

static void append_hex(struct mr_buffer *out, struct mr_slice bytes)
{
    mr_buffer_printf(out, "\"");
    for (size_t i = 0; i < bytes.len; i++) {
        mr_buffer_printf(out, "%02x", bytes.data[i]);
    }
    mr_buffer_printf(out, "\"");
}

static void append_time(struct mr_buffer *out, int64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        mr_buffer_printf(out, "null");
        return;
    }
    mr_buffer_printf(out, "\"%s.%03dZ\"", text, (int)(ms % 1000));
}

static void append_headers(struct mr_buffer *out, const struct mr_message *message)
{
    struct mr_header headers[MR_HEADERS_MAX];
    size_t count = mr_message_headers(message, headers, MR_HEADERS_MAX);

    if (count > MR_HEADERS_MAX) {
        count = MR_HEADERS_MAX;
    }
    mr_buffer_printf(out, ",\"headers\":{");
    for (size_t i = 0; i < count; i++) {
        mr_buffer_printf(out, "%s", i == 0 ? "" : ",");
        append_text(out, mr_slice_str(headers[i].name));
        mr_buffer_printf(out, ":");
        append_text(out, headers[i].value);
    }
    mr_buffer_printf(out, "}");
}

/* What a record says, its key and value as the store has them when the topic is a changelog. */
struct entry {
    const char *store;
    struct mr_slice key;
    const struct mr_schema *schema;
    const void *value; /* NULL: a tombstone, or it cannot be decoded */
};

static enum mr_status read_entry(struct tap *tap, const struct load_record *record,
                                 struct entry *entry, struct mr_err *err)
{
    const struct mr_stage *type = tap->stage->type;
    const size_t store = mr_changelog_store(type, record->key, &entry->key);
    enum mr_status status;
    void *value;

    if (store == SIZE_MAX) {
        return MR_OK; /* of a store that the stage had once: printed as it is */
    }
    entry->store = type->stores[store].name;
    entry->schema = type->stores[store].schema;
    if (!record->message->has_value) {
        return MR_OK;
    }
    mr_arena_reset(tap->arena);
    value = mr_arena_alloc(tap->arena, entry->schema->struct_bytes);
    memset(value, 0, entry->schema->struct_bytes);
    status =
        mr_codec_decode(tap->codec, &tap->bindings[store], record->bytes, tap->arena, value, err);
    if (status == MR_OK) {
        entry->value = value;
    }
    return mr_status_class(status) == MR_CLASS_POISON ? MR_OK : status;
}

static enum mr_status on_record(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct tap *tap = arg;
    const struct tap_command *command = tap->command;
    struct mr_buffer *line = &tap->line;
    struct entry entry = {.key = record->key, .schema = tap->schema, .value = record->value};

    if (tap->stage != NULL) {
        MR_TRY(read_entry(tap, record, &entry, err));
    }
    if ((command->partition >= 0 && record->partition != command->partition) ||
        (command->key[0] != '\0' && !mr_slice_equal(entry.key, mr_slice_str(command->key))) ||
        record->message->timestamp_ms < tap->from_ms ||
        (command->count > 0 && tap->printed == command->count)) {
        return MR_OK;
    }
    mr_buffer_clear(line);
    mr_buffer_printf(
        line, "{\"topic\":\"%s\",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"timestamp\":",
        record->topic, record->partition, record->offset);
    append_time(line, record->message->timestamp_ms);
    if (entry.store != NULL) {
        mr_buffer_printf(line, ",\"store\":\"%s\"", entry.store);
    }
    mr_buffer_printf(line, ",\"key\":");
    append_text(line, entry.key);
    mr_buffer_printf(line, ",\"value\":");
    if (entry.value != NULL) {
        mr_json_write_record(entry.schema, entry.value, line);
    } else {
        mr_buffer_printf(line, "null");
        if (record->message->has_value) {
            mr_buffer_printf(line, ",\"bytes\":");
            append_hex(line, record->bytes);
        }
    }
    if (tap->schema == NULL && tap->stage == NULL) {
        append_headers(line, record->message);
    }
    mr_buffer_printf(line, "}\n");
    tap->printed++;
    if (fwrite(line->data, 1, line->len, stdout) != line->len) {
        return mr_fail(err, MR_RESOURCE, "cannot write to stdout");
    }
    return MR_OK;
}

/* An RFC 3339 time in UTC; false: it is none. */
static bool parse_time_ms(const char *text, int64_t *ms)
{
    struct mr_slice rest;
    int year, month, day, hour, minute, second, used = 0;
    int64_t days;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
               &used) != 6 ||
        month < 1 || month > 12) {
        return false;
    }
    rest = mr_slice_str(text + used);
    if (rest.len != 1 || rest.data[0] != 'Z') {
        return false;
    }
    days = (int64_t)(365 * (year - 1970)) + (year - 1969) / 4 - (year - 1901) / 100 +
           (year - 1601) / 400;
    for (int m = 1; m < month; m++) {
        static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        days += lengths[m - 1] + (m == 2 && leap ? 1 : 0);
    }
    *ms = ((((days + day - 1) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
    return true;
}

/* Offsets to start from; NULL offsets: the beginning. */
static enum mr_status start_offsets(const struct load_env *env, const char *topic, struct tap *tap,
                                    int64_t *offsets, bool *given, struct mr_err *err)
{
    const char *from = tap->command->from;
    struct mr_err ignored;
    int32_t partitions = 0;
    int64_t offset = 0;

    *given = true;
    MR_TRY(load_ends(env, topic, offsets, &partitions, err));
    if (strcmp(from, "end") == 0) {
        return MR_OK;
    }
    if (strcmp(from, "beginning") == 0 || parse_time_ms(from, &tap->from_ms)) {
        *given = false;
        return MR_OK;
    }
    if (mr_parse_int(from, &offset, &ignored) != MR_OK || offset < 0) {
        return mr_fail(err, MR_CONFIG,
                       "--from is beginning, end, an offset, or a time like 2026-01-31T12:00:00Z");
    }
    for (int32_t p = 0; p < partitions; p++) {
        offsets[p] = offset;
    }
    return MR_OK;
}

/* Whether the topic is a changelog, and whose. */
static enum mr_status find_stores(const struct load_env *env, size_t topic, struct tap *tap,
                                  struct mr_err *err)
{
    for (size_t i = 0; i < env->topology->stage_count; i++) {
        if (env->topology->stages[i].changelog == topic) {
            tap->stage = &env->topology->stages[i];
        }
    }
    if (tap->stage == NULL) {
        return MR_OK;
    }
    tap->codec = env->codec;
    tap->bindings = mr_xcalloc(tap->stage->type->store_count, sizeof *tap->bindings);
    for (size_t i = 0; i < tap->stage->type->store_count; i++) {
        MR_TRY(mr_codec_bind(tap->codec, tap->stage->type->stores[i].schema,
                             tap->stage->store_subjects[i], &tap->bindings[i], err));
    }
    return MR_OK;
}

static enum mr_status print_topic(const struct load_env *env, const char *topic, struct tap *tap,
                                  struct mr_err *err)
{
    const size_t index = mr_topology_find_topic(env->topology, topic);
    struct load_feed *feed = NULL;
    int64_t offsets[LOAD_PARTITIONS_MAX];
    bool given = false;
    enum mr_status status;

    if (index == SIZE_MAX) {
        return mr_fail(err, MR_CONFIG, "%s has no topic %s", env->topology->file, topic);
    }
    tap->schema = env->topology->topics[index].schema;
    MR_TRY(start_offsets(env, topic, tap, offsets, &given, err));
    MR_TRY(load_feed_open(env, &feed, err));
    tap->arena = mr_arena_create(ARENA_BYTES);
    status = find_stores(env, index, tap, err);
    if (status == MR_OK) {
        status = load_feed_add(feed,
                               &(struct load_source){.topic = topic,
                                                     .schema = tap->schema,
                                                     .offsets = given ? offsets : NULL,
                                                     .visit = on_record,
                                                     .arg = tap},
                               err);
    }
    if (status == MR_OK) {
        status = load_feed_mark(feed, err);
    }
    while (status == MR_OK && (tap->command->follow || !load_feed_caught_up(feed)) &&
           (tap->command->count == 0 || tap->printed < tap->command->count)) {
        size_t delivered = 0;

        status = load_feed_step(feed, STEP_US, &delivered, err);
        (void)fflush(stdout);
    }
    load_feed_close(&feed);
    mr_buffer_fini(&tap->line);
    mr_arena_destroy(&tap->arena);
    free(tap->bindings);
    return status;
}

static int run(int argc, char **argv)
{
    struct tap_command command = {0};
    struct tap tap = {.command = &command, .from_ms = INT64_MIN};
    struct connection connection = {0};
    struct load_env env = {.clock = mr_clock_system()};
    struct mr_topology *topology;
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    topology = topology_file_load(command.topology);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    status = connection_open(topology, &connection, &err);
    if (status == MR_OK) {
        status = connection_wait(&connection, topology->registry_url, command.wait_us, env.clock,
                                 stderr, &err);
    }
    if (status == MR_OK) {
        env.topology = topology;
        env.log = connection.log;
        env.codec = connection.codec;
        status = print_topic(&env, args.positionals[0], &tap, &err);
    }
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace tap: %s\n", err.text);
    }
    connection_close(&connection);
    mr_topology_destroy(&topology);
    return status == MR_OK ? 0 : EXIT_NO;
}

const struct command command_tap = {
    .name = "tap",
    .summary = "records of a topic as JSON lines",
    .run = run,
};
