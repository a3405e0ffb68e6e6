/* show_command.c -- `millrace dlq show STAGE`. */
#include "commands.h"
#include "dlq_commands.h"
#include "dlq_show.h"

struct show_command {
    const char *topology;
    const char *offset;
    const char *stage;
    const char *code;
    int64_t count;
    bool json;
    int64_t wait_us;
};

static const struct mr_option options[] = {
    DLQ_TOPOLOGY_OPTION(struct show_command, topology),
    DLQ_OFFSET_OPTION(struct show_command, offset),
    DLQ_STAGE_OPTION(struct show_command, stage),
    DLQ_CODE_OPTION(struct show_command, code),
    {.name = "count",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct show_command, count),
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "so many at most; 0: all"},
    DLQ_JSON_OPTION(struct show_command, json),
    CONNECT_WAIT_OPTION(struct show_command, wait_us),
};

static const struct args_spec spec = {
    .command = "dlq show",
    .summary = "Prints dead letters: where each record came from, what was wrong with it, and its "
               "value, decoded or as bytes with the place where decoding fails.",
    .positionals = "STAGE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

struct show {
    const struct load_env *env;
    const struct show_command *command;
    struct dlq_filter filter;
    int64_t shown;
    struct mr_buffer text;
};

static enum mr_status on_letter(void *arg, const struct dlq_letter *letter, struct mr_err *err)
{
    struct show *show = arg;
    const bool json = show->command->json;

    if (!dlq_filter_takes(&show->filter, letter) ||
        (show->command->count > 0 && show->shown == show->command->count)) {
        return MR_OK;
    }
    mr_buffer_clear(&show->text);
    if (json) {
        mr_buffer_printf(&show->text, "%s", show->shown == 0 ? "{\"letters\":[" : ",\n");
        MR_TRY(dlq_show_json(show->env, letter, &show->text, err));
    } else {
        MR_TRY(dlq_show_text(show->env, letter, &show->text, err));
    }
    show->shown++;
    return fwrite(show->text.data, 1, show->text.len, stdout) == show->text.len
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot write to stdout");
}

static enum mr_status print_letters(struct show *show, const char *name, struct mr_err *err)
{
    const struct mr_topic *topic = NULL;

    MR_TRY(dlq_find(show->env->topology, name, &topic, err));
    MR_TRY(dlq_each(show->env, topic->name, on_letter, show, err));
    if (show->command->json) {
        (void)printf("%s]}\n", show->shown == 0 ? "{\"letters\":[" : "");
    } else if (show->shown == 0) {
        (void)printf("%s has no such letter\n", topic->name);
    }
    return MR_OK;
}

static int run(int argc, char **argv)
{
    struct show_command command = {0};
    struct tool_env tool;
    struct show show = {.env = &tool.env, .command = &command};
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    show.filter = (struct dlq_filter){.stage = command.stage, .code = command.code};
    if (dlq_filter_place(command.offset, &show.filter, &err) != MR_OK) {
        (void)fprintf(stderr, "millrace dlq show: %s\n", err.text);
        return EXIT_MISUSE;
    }
    if (!tool_env_load(&tool, command.topology)) {
        return EXIT_MISUSE;
    }
    status = tool_env_reach(&tool, command.wait_us, true, &err);
    if (status == MR_OK) {
        status = print_letters(&show, args.positionals[0], &err);
    }
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace dlq show: %s\n", err.text);
    }
    mr_buffer_fini(&show.text);
    tool_env_close(&tool);
    return status == MR_OK ? 0 : status == MR_CONFIG ? EXIT_MISUSE : EXIT_NO;
}

const struct command command_dlq_show = {
    .name = "dlq show",
    .summary = "dead letters, decoded as far as they can be",
    .run = run,
};
