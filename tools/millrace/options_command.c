/* options_command.c -- `millrace options`: docs/OPTIONS.md on stdout. */
#include "args.h"
#include "catalog.h"
#include "command.h"
#include "options_doc.h"

static const struct args_spec spec = {
    .command = "options",
    .summary = "Prints every option of topology.yaml, of each stage and of each connector as "
               "Markdown. docs/OPTIONS.md is this text.",
    .positionals = "",
};

static int run(int argc, char **argv)
{
    struct args args;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, NULL, &args, &exit_code)) {
        return exit_code;
    }
    options_doc_write(mr_cli_catalog(), &text);
    return command_print(&text);
}

const struct command command_options = {
    .name = "options",
    .summary = "every option, as docs/OPTIONS.md has it",
    .run = run,
};
