/* export_command.c -- `millrace archive export TOPIC... --out DIR`. */
#include "archive_export.h"
#include "args.h"
#include "commands.h"
#include "tool_env.h"

#include <inttypes.h>

struct export_command {
    const char *topology;
    const char *out;
    const char *from;
    const char *to;
    const char *partitions;
    int codec;
    bool raw;
    bool json;
    bool quiet;
    int64_t wait_us;
};

static const char *const codecs[] = {[OCF_NULL] = "null", [OCF_DEFLATE] = "deflate", NULL};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct export_command, topology),
     .fallback = "topology.yaml",
     .help = "which servers and schemas"},
    {.name = "out",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct export_command, out),
     .help = "directory of the files; one without manifest.json is gone on with"},
    {.name = "from",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct export_command, from),
     .fallback = "",
     .help = "first offset, or a UTC time like 2026-01-31T12:00:00Z; else the beginning"},
    {.name = "to",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct export_command, to),
     .fallback = "",
     .help = "offset or time to stop before; else what is committed now"},
    {.name = "partitions",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct export_command, partitions),
     .fallback = "",
     .help = "only these, like 0,3,5-7"},
    {.name = "codec",
     .type = MR_OPTION_ENUM,
     .offset = offsetof(struct export_command, codec),
     .fallback = "deflate",
     .symbols = codecs,
     .help = "of the blocks"},
    {.name = "raw",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct export_command, raw),
     .fallback = "false",
     .help = "values as bytes with their schema id, not as records"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct export_command, json),
     .fallback = "false",
     .help = "the manifest on stdout"},
    ARGS_QUIET_OPTION(struct export_command, quiet),
    CONNECT_WAIT_OPTION(struct export_command, wait_us),
};

static const struct args_spec spec = {
    .command = "archive export",
    .summary = "Writes the committed records of topics into Avro object container files, one a "
               "partition, and manifest.json.",
    .positionals = "TOPIC [TOPIC...]",
    .positional_min = 1,
    .positional_max = ARGS_POSITIONALS_MAX,
    .options = options,
    .option_count = MR_COUNT(options),
};

static void report(const struct archive_export *export, bool json)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    int64_t records = 0;
    int64_t bytes = 0;
    int64_t kept = 0;
    int64_t resolved = 0;
    int64_t unreadable = 0;

    if (json) {
        archive_manifest_text(export, &text);
        (void)fwrite(text.data, 1, text.len, stdout);
        mr_buffer_fini(&text);
        return;
    }
    for (size_t i = 0; i < export->file_count; i++) {
        const struct archive_written *file = &export->files[i];

        records += file->counts.records;
        resolved += file->counts.resolved;
        unreadable += file->counts.unreadable;
        bytes += file->bytes;
        kept += file->kept ? 1 : 0;
    }
    (void)printf("%" PRId64 " records in %zu files of %s, %" PRId64 " bytes\n", records,
                 export->file_count, export->options->directory, bytes);
    if (kept > 0) {
        (void)printf("%" PRId64 " files were there already, of an export that did not finish\n",
                     kept);
    }
    if (resolved > 0) {
        (void)printf("%" PRId64 " values had another schema and were read as the topology's\n",
                     resolved);
    }
    if (unreadable > 0) {
        (void)printf("%" PRId64 " values could not be decoded and are in the files as bytes\n",
                     unreadable);
    }
}

static int finish(enum mr_status status, const struct mr_err *err)
{
    if (status == MR_OK) {
        return 0;
    }
    (void)fprintf(stderr, "millrace archive export: %s\n", err->text);
    return status == MR_CONFIG || status == MR_EXISTS ? EXIT_MISUSE : EXIT_NO;
}

static int run(int argc, char **argv)
{
    struct export_command command = {0};
    bool partitions[LOAD_PARTITIONS_MAX];
    struct archive_export_options export_options = {.partitions = partitions};
    struct tool_env tool;
    struct archive_export export = {.env = &tool.env, .options = &export_options};
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    export_options.directory = command.out;
    export_options.codec = (enum ocf_codec)command.codec;
    export_options.raw = command.raw;
    if (archive_bound_parse("from", command.from, &export_options.from, &err) != MR_OK ||
        archive_bound_parse("to", command.to, &export_options.to, &err) != MR_OK ||
        archive_partitions_parse(command.partitions, partitions, &err) != MR_OK) {
        return finish(MR_CONFIG, &err);
    }
    if (!tool_env_load(&tool, command.topology)) {
        return EXIT_MISUSE;
    }
    status = tool_env_reach(&tool, command.wait_us, command.quiet, &err);
    if (status == MR_OK) {
        status = archive_export_run(&export, args.positionals, args.positional_count, &err);
    }
    if (status == MR_OK) {
        report(&export, command.json);
    }
    archive_export_fini(&export);
    tool_env_close(&tool);
    return finish(status, &err);
}

const struct command command_archive_export = {
    .name = "archive export",
    .summary = "committed records of topics into Avro files",
    .run = run,
};
