/* import_command.c -- `millrace archive import FILE...`. */
#include "archive_import.h"
#include "args.h"
#include "commands.h"
#include "tool_env.h"

#include <inttypes.h>

struct import_command {
    const char *topology;
    const char *topic;
    const char *id;
    bool append;
    bool repartition;
    bool check;
    bool json;
    bool quiet;
    int64_t rate;
    int64_t wait_us;
};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct import_command, topology),
     .fallback = "topology.yaml",
     .help = "which servers and schemas"},
    {.name = "topic",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct import_command, topic),
     .fallback = "",
     .help = "where to; else the topic that the files name"},
    {.name = "append",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct import_command, append),
     .fallback = "false",
     .help = "also to a topic that has records"},
    {.name = "repartition",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct import_command, repartition),
     .fallback = "false",
     .help = "to the partition that the key belongs to, not to the one a record was in"},
    {.name = "id",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct import_command, id),
     .fallback = "",
     .help = "of the import, which goes on where one of the same id ended; else made of the files"},
    {.name = "check",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct import_command, check),
     .fallback = "false",
     .help = "only check, write nothing"},
    {.name = "rate",
     .type = MR_OPTION_RATE,
     .offset = offsetof(struct import_command, rate),
     .fallback = "0/s",
     .help = "records at most, like 5000/s; 0/s: as fast as it goes"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct import_command, json),
     .fallback = "false",
     .help = "what was done as one JSON document on stdout"},
    ARGS_QUIET_OPTION(struct import_command, quiet),
    CONNECT_WAIT_OPTION(struct import_command, wait_us),
};

static const struct args_spec spec = {
    .command = "archive import",
    .summary = "Writes archive files (or those of a directory) into a topic, after all of them "
               "were checked: keys, headers, timestamps and partitions as they were, each record "
               "once. Run again, it goes on where it ended.",
    .positionals = "FILE [FILE...]",
    .positional_min = 1,
    .positional_max = ARGS_POSITIONALS_MAX,
    .options = options,
    .option_count = MR_COUNT(options),
};

static void report(const struct archive_import *import, const struct import_command *command)
{
    const char *topic = import->topic->name;

    if (command->json) {
        (void)printf("{\"topic\":\"%s\",\"group\":\"%s\",\"files\":%zu,\"records\":%" PRId64
                     ",\"before\":%" PRId64 ",\"written\":%" PRId64 ",\"bytesValues\":%" PRId64
                     ",\"expired\":%" PRId64 "}\n",
                     topic, import->group, import->file_count, import->total, import->resumed_at,
                     import->sent - import->resumed_at, import->bytes_values, import->expired);
        return;
    }
    if (command->check) {
        (void)printf("%" PRId64 " records in %zu files are good for %s\n", import->total,
                     import->file_count, topic);
    } else if (import->resumed_at == import->total) {
        (void)printf("all %" PRId64 " records are in %s already (%s)\n", import->total, topic,
                     import->group);
    } else {
        (void)printf("%" PRId64 " records of %zu files written to %s\n",
                     import->sent - import->resumed_at, import->file_count, topic);
    }
    if (!command->check && import->resumed_at > 0 && import->resumed_at < import->total) {
        (void)printf("%" PRId64 " were there already, of an import that did not finish\n",
                     import->resumed_at);
    }
    if (import->bytes_values > 0) {
        (void)printf("%" PRId64 " values are bytes and went as they are\n", import->bytes_values);
    }
    if (import->expired > 0) {
        (void)printf("%" PRId64 " records are older than the topic's retention: Kafka removes them "
                     "soon, unless it is longer\n",
                     import->expired);
    }
}

static int run(int argc, char **argv)
{
    struct import_command command = {0};
    struct archive_import_options import_options = {0};
    struct tool_env tool;
    struct archive_import import = {.env = &tool.env, .options = &import_options};
    struct args args;
    struct mr_err err = {0};
    bool refused = false;
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    import_options = (struct archive_import_options){.paths = args.positionals,
                                                     .path_count = args.positional_count,
                                                     .topic = command.topic,
                                                     .id = command.id,
                                                     .append = command.append,
                                                     .repartition = command.repartition,
                                                     .rate_micro = command.rate};
    if (!tool_env_load(&tool, command.topology)) {
        return EXIT_MISUSE;
    }
    status = tool_env_reach(&tool, command.wait_us, command.quiet, &err);
    if (status == MR_OK) {
        status = archive_import_check(&import, &err);
        refused = status == MR_CORRUPT || status == MR_EXISTS || status == MR_CONFIG;
    }
    if (status == MR_OK && !command.check) {
        status = archive_import_send(&import, &err);
    }
    if (status == MR_OK) {
        report(&import, &command);
    } else {
        (void)fprintf(stderr, "millrace archive import: %s%s\n", err.text,
                      refused ? "; nothing was written" : "");
    }
    archive_import_fini(&import);
    tool_env_close(&tool);
    return status == MR_OK ? 0 : refused ? EXIT_MISUSE : EXIT_NO;
}

const struct command command_archive_import = {
    .name = "archive import",
    .summary = "Avro files into a topic",
    .run = run,
};
