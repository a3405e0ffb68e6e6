/* replay_command.c -- `millrace dlq replay STAGE`: says what it would send, or sends it. */
#include "commands.h"
#include "dlq_commands.h"
#include "dlq_replay.h"

#include <errno.h>
#include <inttypes.h>

#define EDIT_BYTES_MAX (4 * MR_RECORD_BYTES_MAX)

struct replay_command {
    const char *topology;
    const char *offset;
    const char *stage;
    const char *code;
    const char *to;
    const char *edit;
    bool all;
    bool again;
    bool yes;
    bool json;
    bool quiet;
    int64_t wait_us;
};

static const struct mr_option options[] = {
    DLQ_TOPOLOGY_OPTION(struct replay_command, topology),
    DLQ_OFFSET_OPTION(struct replay_command, offset),
    DLQ_STAGE_OPTION(struct replay_command, stage),
    DLQ_CODE_OPTION(struct replay_command, code),
    {.name = "all",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct replay_command, all),
     .fallback = "false",
     .help = "every letter, instead of choosing some"},
    {.name = "to",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct replay_command, to),
     .fallback = "",
     .help = "topic to send to; else the one that each record came from"},
    {.name = "edit",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct replay_command, edit),
     .fallback = "",
     .help = "file with a JSON value that is sent instead of the one letter's"},
    {.name = "again",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct replay_command, again),
     .fallback = "false",
     .help = "also letters that were replayed before"},
    {.name = "yes",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct replay_command, yes),
     .fallback = "false",
     .help = "send; without it nothing is written"},
    DLQ_JSON_OPTION(struct replay_command, json),
    ARGS_QUIET_OPTION(struct replay_command, quiet),
    CONNECT_WAIT_OPTION(struct replay_command, wait_us),
};

static const struct args_spec spec = {
    .command = "dlq replay",
    .summary = "Sends dead letters back to the topic and partition they came from, with key, own "
               "headers and timestamp, each once however often it is called. Says only what it "
               "would send, unless --yes.",
    .positionals = "STAGE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

struct telling {
    const struct replay_command *command;
    int64_t told;
};

static void tell(void *arg, const struct dlq_letter *letter, const char *topic, int32_t partition)
{
    struct telling *telling = arg;

    if (telling->command->json) {
        (void)printf("%s{\"partition\":%" PRId32 ",\"offset\":%" PRId64
                     ",\"to\":\"%s\",\"toPartition\":%" PRId32 "}",
                     telling->told == 0 ? "{\"letters\":[" : ",\n", letter->message->partition,
                     letter->message->offset, topic, partition);
    } else if (!telling->command->quiet) {
        (void)printf("%" PRId32 ":%" PRId64 " %s of %s -> %s, partition %" PRId32 "\n",
                     letter->message->partition, letter->message->offset,
                     letter->is_letter ? letter->code : "record",
                     letter->is_letter ? letter->stage : "nobody", topic, partition);
    }
    telling->told++;
}

static void report(const struct telling *telling, const struct dlq_replay_result *result)
{
    const bool yes = telling->command->yes;

    if (telling->command->json) {
        (void)printf("%s],\"chosen\":%" PRId64 ",\"replayedBefore\":%" PRId64 ",\"sent\":%" PRId64
                     "}\n",
                     telling->told == 0 ? "{\"letters\":[" : "", result->chosen, result->before,
                     yes ? result->sent : 0);
        return;
    }
    (void)printf("%" PRId64 " letters%s sent", result->sent, yes ? "" : " would be");
    if (result->before > 0) {
        (void)printf(", %" PRId64 " were sent before (--again sends them too)", result->before);
    }
    (void)printf("%s\n", yes ? "" : "; --yes sends them");
}

static enum mr_status read_edit(const char *path, struct mr_buffer *text, struct mr_err *err)
{
    FILE *file = fopen(path, "rb");
    size_t got = 1;

    if (file == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s", path, strerror(errno));
    }
    while (got > 0 && text->len <= EDIT_BYTES_MAX) {
        got = fread(mr_buffer_reserve(text, 4096), 1, 4096, file);
        text->len += got;
    }
    (void)fclose(file);
    mr_buffer_append(text, "", 1);
    return text->len <= EDIT_BYTES_MAX && strlen((const char *)text->data) + 1 == text->len
               ? MR_OK
               : mr_fail(err, MR_CONFIG, "%s: is too long, or no text", path);
}

/* MR_CONFIG when no letter is chosen, or in no way that can be. */
static enum mr_status take_options(const struct replay_command *command,
                                   struct dlq_replay_options *replay, struct mr_buffer *edit,
                                   struct mr_err *err)
{
    const bool some =
        command->offset[0] != '\0' || command->stage[0] != '\0' || command->code[0] != '\0';

    if (some == command->all) {
        return mr_fail(err, MR_CONFIG,
                       "choose letters with --offset, --stage, --code, or take --all");
    }
    *replay =
        (struct dlq_replay_options){.filter = {.stage = command->stage, .code = command->code},
                                    .to = command->to,
                                    .again = command->again,
                                    .yes = command->yes};
    MR_TRY(dlq_filter_place(command->offset, &replay->filter, err));
    if (command->edit[0] != '\0') {
        MR_TRY(read_edit(command->edit, edit, err));
        replay->edit = (const char *)edit->data;
    }
    return MR_OK;
}

static enum mr_status replay_letters(const struct load_env *env, struct dlq_replay_options *replay,
                                     const char *name, struct telling *telling, struct mr_err *err)
{
    struct dlq_replay_result result;

    MR_TRY(dlq_find(env->topology, name, &replay->letters, err));
    MR_TRY(dlq_replay_run(env, replay, tell, telling, &result, err));
    report(telling, &result);
    return MR_OK;
}

static int finish(enum mr_status status, const struct mr_err *err)
{
    if (status == MR_OK) {
        return 0;
    }
    (void)fprintf(stderr, "millrace dlq replay: %s\n", err->text);
    return status == MR_CONFIG ? EXIT_MISUSE : EXIT_NO;
}

static int run(int argc, char **argv)
{
    struct replay_command command = {0};
    struct telling telling = {.command = &command};
    struct dlq_replay_options replay;
    struct mr_buffer edit = MR_BUFFER_EMPTY;
    struct tool_env tool;
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    status = take_options(&command, &replay, &edit, &err);
    if (status == MR_OK) {
        if (!tool_env_load(&tool, command.topology)) {
            mr_buffer_fini(&edit);
            return EXIT_MISUSE;
        }
        status = tool_env_reach(&tool, command.wait_us, command.quiet, &err);
        if (status == MR_OK) {
            status = replay_letters(&tool.env, &replay, args.positionals[0], &telling, &err);
        }
        tool_env_close(&tool);
    }
    mr_buffer_fini(&edit);
    return finish(status, &err);
}

const struct command command_dlq_replay = {
    .name = "dlq replay",
    .summary = "dead letters back to where they came from, each once",
    .run = run,
};
