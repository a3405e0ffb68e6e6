/* list_command.c -- `millrace dlq list`. */
#include "commands.h"
#include "dlq_commands.h"
#include "dlq_list.h"

#include <stdlib.h>

struct list_command {
    const char *topology;
    bool json;
    int64_t wait_us;
};

static const struct mr_option options[] = {
    DLQ_TOPOLOGY_OPTION(struct list_command, topology),
    DLQ_JSON_OPTION(struct list_command, json),
    CONNECT_WAIT_OPTION(struct list_command, wait_us),
};

static const struct args_spec spec = {
    .command = "dlq list",
    .summary =
        "Says of each dead-letter topic (or those named) how many letters it has, from when, "
        "of which errors and stages, and how many have been replayed.",
    .positionals = "[STAGE...]",
    .positional_min = 0,
    .positional_max = ARGS_POSITIONALS_MAX,
    .options = options,
    .option_count = MR_COUNT(options),
};

static enum mr_status add(const struct load_env *env, const struct mr_topic *topic, bool json,
                          struct mr_buffer *out, struct mr_err *err)
{
    struct dlq_summary *summary = malloc(sizeof *summary);
    enum mr_status status;

    MR_ASSERT(summary != NULL);
    status = dlq_summarize(env, topic, summary, err);
    if (status == MR_OK && json) {
        mr_buffer_printf(out, "%s", out->len == 0 ? "{\"topics\":[" : ",\n");
        dlq_summary_json(summary, out);
    } else if (status == MR_OK) {
        dlq_summary_text(summary, out);
    }
    free(summary);
    return status;
}

static enum mr_status list(const struct load_env *env, const struct args *args, bool json,
                           struct mr_buffer *out, struct mr_err *err)
{
    for (size_t i = 0; i < args->positional_count; i++) {
        const struct mr_topic *topic = NULL;

        MR_TRY(dlq_find(env->topology, args->positionals[i], &topic, err));
        MR_TRY(add(env, topic, json, out, err));
    }
    for (size_t i = 0; args->positional_count == 0 && i < env->topology->topic_count; i++) {
        if (env->topology->topics[i].kind == MR_TOPIC_DEAD_LETTER) {
            MR_TRY(add(env, &env->topology->topics[i], json, out, err));
        }
    }
    if (json) {
        mr_buffer_printf(out, "%s]}\n", out->len == 0 ? "{\"topics\":[" : "");
    }
    return MR_OK;
}

static int run(int argc, char **argv)
{
    struct list_command command = {0};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct tool_env tool;
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    if (!tool_env_load(&tool, command.topology)) {
        return EXIT_MISUSE;
    }
    status = tool_env_reach(&tool, command.wait_us, true, &err);
    if (status == MR_OK) {
        status = list(&tool.env, &args, command.json, &text, &err);
    }
    if (status == MR_OK) {
        (void)fwrite(text.data, 1, text.len, stdout);
    } else {
        (void)fprintf(stderr, "millrace dlq list: %s\n", err.text);
    }
    mr_buffer_fini(&text);
    tool_env_close(&tool);
    return status == MR_OK ? 0 : status == MR_CONFIG ? EXIT_MISUSE : EXIT_NO;
}

const struct command command_dlq_list = {
    .name = "dlq list",
    .summary = "how many dead letters there are, and why",
    .run = run,
};
