/* topology_schema.c -- `millrace topology schema`: JSON Schema of topology.yaml, for editors. */
#include "args.h"
#include "catalog.h"
#include "command.h"
#include "editor_schema.h"

static const struct args_spec spec = {
    .command = "topology schema",
    .summary = "Prints the JSON Schema (draft 7) of topology.yaml with the stages, connectors and "
               "schemas of this program. docs/topology.schema.json is this text; a line "
               "`# yaml-language-server: $schema=FILE` gives it to an editor.",
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
    editor_schema_write(mr_cli_catalog(), &text);
    return command_print(&text);
}

const struct command command_topology_schema = {
    .name = "topology schema",
    .summary = "its JSON Schema, for editors",
    .run = run,
};
