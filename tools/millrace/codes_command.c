/* codes_command.c -- `millrace codes`: what a reject code or the reason of a cancel means. */
#include "args.h"
#include "codes_doc.h"
#include "command.h"

struct codes_options {
    bool json;
    bool markdown;
};

static const struct mr_option options[] = {
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct codes_options, json),
     .fallback = "false",
     .help = "as one JSON document"},
    {.name = "markdown",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct codes_options, markdown),
     .fallback = "false",
     .help = "as docs/CODES.md"},
};

static const struct args_spec spec = {
    .command = "codes",
    .summary =
        "Says what reject codes and the reasons of a cancel mean and what to do: all, or the "
        "one of that number or name.",
    .positionals = "[NUMBER|NAME]",
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static int run(int argc, char **argv)
{
    struct codes_options o = {0};
    struct codes_choice choice = codes_all();
    struct args args;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &o, &args, &exit_code)) {
        return exit_code;
    }
    if (o.markdown && (o.json || args.positional_count > 0)) {
        (void)fprintf(stderr, "codes: --markdown prints all of it and goes with nothing else\n");
        return EXIT_MISUSE;
    }
    if (args.positional_count > 0 && !codes_find(args.positionals[0], &choice)) {
        (void)fprintf(stderr, "codes: no code or reason \"%s\"\n", args.positionals[0]);
        return EXIT_NO;
    }
    if (o.markdown) {
        codes_write_markdown(&text);
    } else if (o.json) {
        codes_write_json(&choice, &text);
    } else {
        codes_write_table(&choice, &text);
    }
    return command_print(&text);
}

const struct command command_codes = {
    .name = "codes",
    .summary = "what a reject code or a cancel reason means",
    .run = run,
};
