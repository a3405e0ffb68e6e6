/*
 * replay_command.c -- `millrace replay --verify`: does the record follow from the record?
 *
 * Exit code 0: every output of the range is on record as this program writes it, and nothing else
 * is; 1: it is not, or it cannot be said.
 */
#include "../args.h"
#include "../commands.h"
#include "../tool_env.h"
#include "millrace/arena.h"
#include "millrace/logger.h"
#include "replay_registry.h"
#include "replay_report.h"
#include "replay_sandbox.h"
#include "runtime/codec/json_text.h"

#include <stdlib.h>

struct replay_command {
    const char *topology;
    const char *from;
    const char *until;
    const char *stage;
    const char *sandbox;
    int64_t differences;
    int64_t memory_bytes;
    int64_t wait_us;
    bool verify;
    bool json;
    bool quiet;
};

static const struct mr_option options[] = {
    {.name = "verify",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct replay_command, verify),
     .fallback = "false",
     .help = "compare what the replay writes with what is on record"},
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct replay_command, topology),
     .fallback = "topology.yaml",
     .help = "the graph, and its servers"},
    {.name = "from",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct replay_command, from),
     .fallback = "",
     .help = "tell differences of transactions from this UTC time on, like 2026-01-31T12:00:00Z, "
             "or so long ago, like 10m"},
    {.name = "to",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct replay_command, until),
     .fallback = "",
     .help = "and before this one"},
    {.name = "stage",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct replay_command, stage),
     .fallback = "",
     .help = "compare only what this stage writes"},
    {.name = "sandbox",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct replay_command, sandbox),
     .fallback = "",
     .help = "directory for the state of the replay, deleted at its end; default: of TMPDIR"},
    {.name = "differences",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct replay_command, differences),
     .fallback = "20",
     .min = 0,
     .max = INT32_MAX,
     .help = "tell so many, count the others"},
    {.name = "memory",
     .type = MR_OPTION_SIZE,
     .offset = offsetof(struct replay_command, memory_bytes),
     .fallback = "256MiB",
     .min = INT64_C(1) << 20,
     .max = INT64_C(1) << 40,
     .help = "of outputs that wait to be compared"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct replay_command, json),
     .fallback = "false",
     .help = "one JSON document"},
    ARGS_QUIET_OPTION(struct replay_command, quiet),
    CONNECT_WAIT_OPTION(struct replay_command, wait_us),
};

static const struct args_spec spec = {
    .command = "replay",
    .summary = "Works recorded input again, in the recorded order, in a sandbox; with --verify "
               "compares the outputs byte for byte with those on record.",
    .positionals = "",
    .options = options,
    .option_count = MR_COUNT(options),
};

/* A time, or so long before now. *us stays as it is when text is empty. */
static bool read_time(const char *name, const char *text, int64_t *us)
{
    int64_t ago_us;
    struct mr_err err;

    if (text[0] == '\0' || mr_json_time_parse(text, us)) {
        return true;
    }
    if (mr_parse_duration_us(text, &ago_us, &err) == MR_OK) {
        *us = mr_clock_wall_us(mr_clock_system()) - ago_us;
        return true;
    }
    (void)fprintf(stderr,
                  "millrace replay: --%s: \"%s\" is neither a UTC time like 2026-01-31T12:00:00Z "
                  "nor so long ago, like 10m\n",
                  name, text);
    return false;
}

static bool read_range(const struct replay_command *command, const struct mr_topology *topology,
                       struct replay_verify_options *options_out)
{
    options_out->from_us = INT64_MIN;
    options_out->until_us = INT64_MAX;
    options_out->stage = MR_UNBOUND;
    if (!read_time("from", command->from, &options_out->from_us) ||
        !read_time("to", command->until, &options_out->until_us)) {
        return false;
    }
    if (command->stage[0] == '\0') {
        return true;
    }
    options_out->stage = mr_topology_find_stage(topology, command->stage);
    if (options_out->stage == MR_UNBOUND) {
        (void)fprintf(stderr, "millrace replay: --stage: %s has no stage \"%s\"\n", topology->file,
                      command->stage);
        return false;
    }
    return true;
}

static enum mr_status verify(const struct load_env *env, const struct replay_command *command,
                             struct replay_verify_options *how, bool *equal, struct mr_err *err)
{
    struct replay_report *report =
        replay_report_create(env, command->json ? NULL : stdout, command->differences);
    struct replay_sandbox *sandbox = NULL;
    struct replay_verify_result result;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    enum mr_status status = replay_sandbox_create(
        command->sandbox, env->topology->defaults.memory_bytes, &sandbox, err);

    how->differs = replay_report_differs;
    how->backend = replay_sandbox_backend;
    how->arg = report;
    how->backend_arg = sandbox;
    how->bytes_max = (size_t)command->memory_bytes;
    status = status == MR_OK ? replay_verify_run(env, how, &result, err) : status;
    if (status == MR_OK) {
        *equal = replay_verify_equal(&result);
        if (command->json) {
            replay_report_json(report, &result, &text);
            *equal = fwrite(text.data, 1, text.len, stdout) == text.len && *equal;
        } else {
            replay_report_summary(report, &result, stdout);
        }
    }
    mr_buffer_fini(&text);
    replay_sandbox_destroy(&sandbox);
    replay_report_destroy(&report);
    return status;
}

/* A registry of its own, so that nothing is registered. */
static enum mr_status in_sandbox(struct tool_env *tool, const struct replay_command *command,
                                 struct replay_verify_options *how, bool *equal, struct mr_err *err)
{
    struct load_env env;
    struct mr_registry *registry;
    enum mr_status status;

    MR_TRY(tool_env_reach(tool, command->wait_us, command->quiet, err));
    env = tool->env;
    registry = replay_registry_create(tool->connection.registry);
    env.codec = mr_codec_create(registry);
    status = verify(&env, command, how, equal, err);
    mr_codec_destroy(&env.codec);
    mr_registry_destroy(&registry);
    return status;
}

static int run(int argc, char **argv)
{
    struct replay_command command = {0};
    struct replay_verify_options how = {0};
    struct tool_env tool;
    struct args args;
    struct mr_err err = {0};
    bool equal = false;
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    if (!command.verify) {
        (void)fprintf(stderr, "millrace replay: say what for: --verify\n");
        return EXIT_MISUSE;
    }
    if (!tool_env_load(&tool, command.topology)) {
        return EXIT_MISUSE;
    }
    if (!read_range(&command, tool.topology, &how)) {
        tool_env_close(&tool);
        return EXIT_MISUSE;
    }
    mr_logger_set_level(MR_LEVEL_ERROR);
    status = in_sandbox(&tool, &command, &how, &equal, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace replay: %s\n", err.text);
    }
    tool_env_close(&tool);
    return status == MR_OK && equal ? 0 : EXIT_NO;
}

const struct command command_replay = {
    .name = "replay",
    .summary = "works recorded input again and compares the outputs with those on record",
    .run = run,
};
