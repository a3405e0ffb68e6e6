/*
 * tap.c -- `millrace tap TOPIC`: decoded records as JSON lines (tap_line.h says what is in one).
 *
 * A port, STAGE.PORT, is the topic that it is bound to. What is in no topic, because it is handed
 * over in memory, comes from the running processes (tap_edge.c). With --dump DIR: every topic of
 * the topology, a file each (dump.h).
 */
#include "args.h"
#include "commands.h"
#include "connect.h"
#include "dump.h"
#include "tap_edge.h"
#include "tap_line.h"
#include "tap_port.h"
#include "topology_file.h"
#include "where.h"

#include <stdio.h>
#include <stdlib.h>

#define STEP_US (100 * MR_MS_US)

struct tap_command {
    const char *topology;
    const char *key;
    const char *from;
    const char *to;
    const char *dump;
    const char *stage;
    const char *port;
    const char *state_dir;
    int64_t partition;
    int64_t count;
    int64_t wait_us;
    bool follow;
    struct args_texts where;
    struct args_texts addresses;
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
    {.name = "to",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, to),
     .fallback = "end",
     .help = "end, or an offset or a time that is not reached: 2026-01-31T12:00:00Z"},
    {.name = "stage",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, stage),
     .fallback = "",
     .help = "with --port: instead of TOPIC"},
    {.name = "port",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, port),
     .fallback = "",
     .help = "an in or out port of --stage"},
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
    {.name = "dump",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, dump),
     .fallback = "",
     .help = "instead of printing one: every topic into files of this directory, and topics.json"},
    SEE_STATE_DIR_OPTION(struct tap_command, state_dir),
    CONNECT_WAIT_OPTION(struct tap_command, wait_us),
};

static const struct args_repeat repeats[] = {
    {.name = "where",
     .offset = offsetof(struct tap_command, where),
     .help = "FIELD=VALUE, also != < <= > >= and ~ (part of a text, or a glob); all must hold"},
    SEE_ADDRESS_REPEAT(struct tap_command, addresses),
};

static const struct args_spec spec = {
    .command = "tap",
    .summary =
        "Prints the committed records of a topic as JSON lines, or writes those of all of them. "
        "STAGE.PORT is the topic of a port; what is handed over in memory alone comes from the "
        "running processes.",
    .positionals = "[TOPIC | STAGE.PORT]",
    .positional_min = 0,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
    .repeats = repeats,
    .repeat_count = MR_COUNT(repeats),
};

struct tap {
    const struct tap_command *command;
    struct tap_format format;
    struct where where;
    int64_t from_ms;   /* records before are skipped */
    int64_t to_ms;     /* and from here on */
    int64_t to_offset; /* likewise */
    int64_t printed;
    struct mr_buffer line;
};

static enum mr_status on_record(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct tap *tap = arg;
    const struct tap_command *command = tap->command;
    struct mr_buffer *line = &tap->line;
    struct tap_entry entry;

    MR_TRY(tap_entry_read(&tap->format, record, &entry, err));
    if ((command->partition >= 0 && record->partition != command->partition) ||
        (command->key[0] != '\0' && !mr_slice_equal(entry.key, mr_slice_str(command->key))) ||
        record->message->timestamp_ms < tap->from_ms ||
        record->message->timestamp_ms >= tap->to_ms || record->offset >= tap->to_offset ||
        !where_matches(&tap->where, entry.value) ||
        (command->count > 0 && tap->printed == command->count)) {
        return MR_OK;
    }
    tap_line_write(&tap->format, record, &entry, line);
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

/* What --to and --where say about the records of a topic. */
static enum mr_status read_limits(const struct mr_topic *topic, struct tap *tap, struct mr_err *err)
{
    const struct tap_command *command = tap->command;
    struct mr_err ignored;

    if (strcmp(command->to, "end") != 0 && !parse_time_ms(command->to, &tap->to_ms) &&
        (mr_parse_int(command->to, &tap->to_offset, &ignored) != MR_OK || tap->to_offset < 0)) {
        return mr_fail(err, MR_CONFIG,
                       "--to is end, an offset, or a time like 2026-01-31T12:00:00Z");
    }
    for (size_t i = 0; i < command->where.count; i++) {
        if (topic->schema == NULL) {
            return mr_fail(err, MR_CONFIG, "%s has no one schema: --where cannot look into it",
                           topic->name);
        }
        MR_TRY(where_add(&tap->where, topic->schema, command->where.items[i], err));
    }
    return MR_OK;
}

static enum mr_status print_topic(const struct load_env *env, size_t index, struct tap *tap,
                                  struct mr_err *err)
{
    const char *topic = env->topology->topics[index].name;
    struct load_feed *feed = NULL;
    int64_t offsets[LOAD_PARTITIONS_MAX];
    bool given = false;
    enum mr_status status;

    MR_TRY(start_offsets(env, topic, tap, offsets, &given, err));
    MR_TRY(load_feed_open(env, &feed, err));
    status = tap_format_init(&tap->format, env, index, err);
    if (status == MR_OK) {
        status = load_feed_add(feed,
                               &(struct load_source){.topic = topic,
                                                     .schema = tap->format.schema,
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
    tap_format_fini(&tap->format);
    return status;
}

static enum mr_status write_topics(const struct load_env *env, const char *directory,
                                   struct mr_err *err)
{
    int64_t records = 0;

    MR_TRY(dump_topics(env, directory, &records, err));
    (void)printf("%" PRId64 " records in %s\n", records, directory);
    return MR_OK;
}

/* From the log, or all topics into files. topic SIZE_MAX: the latter. */
static enum mr_status tap_log(const struct mr_topology *topology, size_t topic, struct tap *tap,
                              struct mr_err *err)
{
    const struct tap_command *command = tap->command;
    struct connection connection = {0};
    enum mr_status status = connection_reach(topology, command->wait_us, &connection, err);
    const struct load_env env = {.topology = topology,
                                 .log = connection.log,
                                 .codec = connection.codec,
                                 .clock = mr_clock_system(),
                                 .progress = stderr};

    if (status == MR_OK) {
        status = topic != SIZE_MAX ? print_topic(&env, topic, tap, err)
                                   : write_topics(&env, command->dump, err);
    }
    connection_close(&connection);
    return status;
}

/* From the processes that hand it over. It has no past, and no key but its own to look for. */
static enum mr_status tap_memory(const struct mr_topology *topology, size_t topic,
                                 const struct tap *tap, struct mr_err *err)
{
    const struct tap_command *command = tap->command;
    struct tap_edge edge = {.topology = topology,
                            .topic = topic,
                            .where = &tap->where,
                            .key = command->key,
                            .partition = command->partition,
                            .count = command->count};

    if (strcmp(command->from, "beginning") != 0 || strcmp(command->to, "end") != 0) {
        return mr_fail(err, MR_CONFIG,
                       "%s is handed over in memory and kept nowhere: --from and --to do not apply",
                       topology->topics[topic].name);
    }
    see_processes_find(&command->addresses, command->state_dir, topology->application,
                       &edge.processes);
    return tap_edge_print(&edge, err);
}

static int run_tap(const struct mr_topology *topology, struct tap *tap, const char *name)
{
    const struct tap_command *command = tap->command;
    struct mr_err err = {0};
    size_t topic = SIZE_MAX;
    enum mr_status status = MR_OK;

    if (command->dump[0] == '\0') {
        status = tap_port_find(topology, name, command->stage, command->port, &topic, &err);
        if (status == MR_OK) {
            status = read_limits(&topology->topics[topic], tap, &err);
        }
        if (status != MR_OK) {
            (void)fprintf(stderr, "millrace tap: %s\n", err.text);
            return EXIT_MISUSE;
        }
    }
    status = topic != SIZE_MAX && !topology->topics[topic].in_log
                 ? tap_memory(topology, topic, tap, &err)
                 : tap_log(topology, topic, tap, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace tap: %s\n", err.text);
    }
    return status == MR_OK ? 0 : EXIT_NO;
}

static int run(int argc, char **argv)
{
    struct tap_command command = {0};
    struct tap tap = {
        .command = &command, .from_ms = INT64_MIN, .to_ms = INT64_MAX, .to_offset = INT64_MAX};
    struct mr_topology *topology;
    struct args args;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    if ((args.positional_count == 1) + (command.stage[0] != '\0') + (command.dump[0] != '\0') !=
            1 ||
        (command.stage[0] != '\0') != (command.port[0] != '\0')) {
        (void)fprintf(stderr,
                      "millrace tap: needs TOPIC or --dump DIR, one of them; STAGE.PORT, or "
                      "--stage with --port, is a topic, too (--help says more)\n");
        return EXIT_MISUSE;
    }
    topology = topology_file_load(command.topology);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    exit_code = run_tap(topology, &tap, args.positional_count == 1 ? args.positionals[0] : "");
    mr_topology_destroy(&topology);
    return exit_code;
}

const struct command command_tap = {
    .name = "tap",
    .summary = "records of a topic as JSON lines",
    .run = run,
};
