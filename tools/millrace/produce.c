/*
 * produce.c -- `millrace produce TOPIC [FILE]`: JSON lines as records.
 *
 * A line is a record's value, or {"key": ..., "value": {...}} as `millrace tap` prints it (its
 * other members are ignored). Without a key it is made of the fields that the topology names for
 * the topic. A record goes to the partition that the first of these fields hashes to. "value": null
 * is a tombstone. Every line is checked before anything of it is sent; the first wrong one ends the
 * command.
 */
#include "args.h"
#include "commands.h"
#include "connect.h"
#include "millrace/arena.h"
#include "millrace/buffer.h"
#include "millrace/partition.h"
#include "topic_key.h"
#include "topology_file.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define LINE_BYTES_MAX (2 * MR_RECORD_BYTES_MAX)
#define ARENA_BYTES ((size_t)64 * 1024)
#define TIMEOUT_US (30 * MR_SECOND_US)
#define LINGER_US (5 * MR_MS_US)

struct produce_command {
    const char *topology;
    int64_t wait_us;
};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct produce_command, topology),
     .fallback = "topology.yaml",
     .help = "which servers and schemas"},
    CONNECT_WAIT_OPTION(struct produce_command, wait_us),
};

static const struct args_spec spec = {
    .command = "produce",
    .summary = "Sends JSON lines (from FILE or stdin) as records: values, or {\"key\", \"value\"} "
               "as tap prints them.",
    .positionals = "TOPIC [FILE]",
    .positional_min = 1,
    .positional_max = 2,
    .options = options,
    .option_count = MR_COUNT(options),
};

struct produce {
    const struct mr_topic *topic;
    struct mr_producer *producer;
    int number; /* of the topic */
    int32_t partitions;
    struct mr_binding binding;
    struct mr_arena *arena;
    void *record;
    struct mr_buffer framed;
    struct mr_buffer key;
    size_t partition_key_bytes; /* of key: its first field */
    int64_t sent;
};

/* Key from the fields that the topology names: "userId, symbol" gives user:symbol. */
static enum mr_status make_key(struct produce *p, const json_t *value, struct mr_err *err)
{
    const char *at = p->topic->key;

    mr_buffer_clear(&p->key);
    while (*at != '\0') {
        const size_t len = strcspn(at, ", ");
        char name[64];
        const json_t *field;

        (void)snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), at);
        field = json_object_get(value, name);
        if (!json_is_string(field)) {
            return mr_fail(err, MR_MALFORMED, "no key given, and no text field %s to make it of",
                           name);
        }
        if (p->key.len > 0) {
            mr_buffer_append(&p->key, ":", 1);
        }
        mr_buffer_append(&p->key, json_string_value(field), json_string_length(field));
        if (p->partition_key_bytes == 0) {
            p->partition_key_bytes = p->key.len;
        }
        at += len;
        at += strspn(at, ", ");
    }
    return MR_OK;
}

static void take_key(struct produce *p, const json_t *key)
{
    mr_buffer_clear(&p->key);
    mr_buffer_append(&p->key, json_string_value(key), json_string_length(key));
    p->partition_key_bytes = topic_key_partitioning(p->topic, mr_buffer_slice(&p->key)).len;
}

static enum mr_status encode(struct produce *p, const json_t *value, struct mr_err *err)
{
    char *text = json_dumps(value, JSON_COMPACT);
    enum mr_status status;

    MR_ASSERT(text != NULL);
    mr_arena_reset(p->arena);
    memset(p->record, 0, p->topic->schema->struct_bytes);
    status = mr_json_read_record(p->topic->schema, mr_slice_str(text), p->arena, p->record, err);
    if (status == MR_OK) {
        mr_buffer_clear(&p->framed);
        (void)mr_buffer_reserve(&p->framed, mr_codec_framed_bytes_max(&p->binding, p->record));
        p->framed.len = mr_codec_encode(&p->binding, p->record, p->framed.data);
    }
    free(text);
    return status;
}

static enum mr_status send(struct produce *p, bool has_value, struct mr_err *err)
{
    const struct mr_slice key = mr_buffer_slice(&p->key);
    const struct mr_outgoing record = {
        .topic = p->number,
        .partition = mr_partition_of(mr_slice_of(key.data, p->partition_key_bytes), p->partitions),
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = key,
        .value = has_value ? mr_buffer_slice(&p->framed) : mr_slice_of(NULL, 0),
        .has_value = has_value};

    p->sent++;
    return mr_producer_send(p->producer, &record, err);
}

static enum mr_status take_object(struct produce *p, const json_t *object, struct mr_err *err)
{
    const bool envelope =
        json_object_get(object, "value") != NULL && json_object_get(object, "key") != NULL;
    const json_t *value = envelope ? json_object_get(object, "value") : object;
    const json_t *key = envelope ? json_object_get(object, "key") : NULL;

    p->partition_key_bytes = 0;
    if (json_is_string(key)) {
        take_key(p, key);
    } else {
        MR_TRY(make_key(p, value, err));
    }
    if (json_is_null(value)) {
        return send(p, false, err);
    }
    MR_TRY(encode(p, value, err));
    return send(p, true, err);
}

static enum mr_status take_lines(struct produce *p, FILE *in, struct mr_err *err)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    int64_t number = 0;
    enum mr_status status = MR_OK;

    while (status == MR_OK && (len = getline(&line, &capacity, in)) > 0) {
        json_error_t problem;
        json_t *object;

        number++;
        if (strspn(line, " \t\r\n") == (size_t)len) {
            continue;
        }
        if ((size_t)len > LINE_BYTES_MAX) {
            status = mr_fail(err, MR_TOO_LARGE, "line %" PRId64 " is too long", number);
            break;
        }
        object = json_loadb(line, (size_t)len, JSON_REJECT_DUPLICATES, &problem);
        if (!json_is_object(object)) {
            status = mr_fail(err, MR_MALFORMED, "line %" PRId64 ": %s", number,
                             object == NULL ? problem.text : "not an object");
        } else {
            struct mr_err why = {0};

            status = take_object(p, object, &why);
            if (status != MR_OK) {
                status = mr_fail(err, status, "line %" PRId64 ": %.300s", number, why.text);
            }
        }
        json_decref(object);
    }
    free(line);
    return status;
}

static enum mr_status open_topic(struct produce *p, const struct connection *connection,
                                 const struct mr_topology *topology, const char *name,
                                 struct mr_err *err)
{
    const struct mr_producer_options producer = {.linger_us = LINGER_US,
                                                 .compression = topology->defaults.compression};
    const size_t index = mr_topology_find_topic(topology, name);

    if (index == SIZE_MAX || topology->topics[index].schema == NULL) {
        return mr_fail(err, MR_CONFIG, "%s has no topic %s with a schema", topology->file, name);
    }
    p->topic = &topology->topics[index];
    MR_TRY(mr_codec_bind(connection->codec, p->topic->schema, p->topic->subject, &p->binding, err));
    MR_TRY(mr_producer_open(connection->log, &producer, TIMEOUT_US, &p->producer, err));
    p->arena = mr_arena_create(ARENA_BYTES);
    p->record = mr_xcalloc(1, p->topic->schema->struct_bytes);
    return mr_producer_topic(p->producer, name, &p->number, &p->partitions, err);
}

static void close_topic(struct produce *p)
{
    if (p->producer != NULL) {
        mr_producer_close(&p->producer);
    }
    if (p->arena != NULL) {
        mr_arena_destroy(&p->arena);
    }
    free(p->record);
    mr_buffer_fini(&p->framed);
    mr_buffer_fini(&p->key);
}

static enum mr_status produce(const struct mr_topology *topology, const struct args *args,
                              int64_t wait_us, struct mr_err *err)
{
    struct produce p = {.topic = NULL};
    struct connection connection = {0};
    FILE *in = stdin;
    enum mr_status status;

    if (args->positional_count > 1) {
        in = fopen(args->positionals[1], "r");
        if (in == NULL) {
            return mr_fail(err, MR_CONFIG, "%s: %s", args->positionals[1], strerror(errno));
        }
    }
    status = connection_reach(topology, wait_us, &connection, err);
    if (status == MR_OK) {
        status = open_topic(&p, &connection, topology, args->positionals[0], err);
    }
    if (status == MR_OK) {
        status = take_lines(&p, in, err);
    }
    if (p.producer != NULL) { /* what was right before a wrong line is sent */
        struct mr_err flush_err = {0};
        const enum mr_status flushed = mr_producer_flush(p.producer, TIMEOUT_US, &flush_err);

        if (status == MR_OK && flushed != MR_OK) {
            *err = flush_err;
            status = flushed;
        }
        (void)fprintf(stderr, "%" PRId64 " records sent to %s\n", p.sent, args->positionals[0]);
    }
    close_topic(&p);
    connection_close(&connection);
    if (in != stdin) {
        (void)fclose(in);
    }
    return status;
}

static int run(int argc, char **argv)
{
    struct produce_command command = {0};
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
    status = produce(topology, &args, command.wait_us, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace produce: %s\n", err.text);
    }
    mr_topology_destroy(&topology);
    return status == MR_OK ? 0 : EXIT_NO;
}

const struct command command_produce = {
    .name = "produce",
    .summary = "JSON lines as records of a topic",
    .run = run,
};
