/*
 * tap.c -- `millrace tap TOPIC`: decoded records as JSON lines (tap_line.h says what is in one).
 *
 * With --dump DIR: every topic of the topology, a file each (dump.h).
 */
#include "args.h"
#include "commands.h"
#include "connect.h"
#include "dump.h"
#include "tap_line.h"
#include "topology_file.h"

#include <stdio.h>
#include <stdlib.h>

#define STEP_US (100 * MR_MS_US)

struct tap_command {
    const char *topology;
    const char *key;
    const char *from;
    const char *dump;
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
    {.name = "dump",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tap_command, dump),
     .fallback = "",
     .help = "instead of printing one: every topic into files of this directory, and topics.json"},
    CONNECT_WAIT_OPTION(struct tap_command, wait_us),
};

static const struct args_spec spec = {
    .command = "tap",
    .summary =
        "Prints the committed records of a topic as JSON lines, or writes those of all of them.",
    .positionals = "[TOPIC]",
    .positional_min = 0,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

struct tap {
    const struct tap_command *command;
    struct tap_format format;
    int64_t from_ms; /* records before are skipped */
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
    if ((args.positional_count == 1) == (command.dump[0] != '\0')) {
        (void)fprintf(stderr,
                      "millrace tap: needs TOPIC or --dump DIR, one of them (--help says more)\n");
        return EXIT_MISUSE;
    }
    topology = topology_file_load(command.topology);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    status = connection_reach(topology, command.wait_us, &connection, &err);
    if (status == MR_OK) {
        env.topology = topology;
        env.log = connection.log;
        env.codec = connection.codec;
        env.progress = stderr;
        status = command.dump[0] == '\0' ? print_topic(&env, args.positionals[0], &tap, &err)
                                         : write_topics(&env, command.dump, &err);
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
