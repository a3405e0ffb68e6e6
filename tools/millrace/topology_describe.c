/* topology_describe.c -- `millrace topology describe FILE|TYPE`: what it means, in words. */
#include "args.h"
#include "catalog.h"
#include "command.h"
#include "describe.h"
#include "describe_type.h"
#include "topology_file.h"

#include <unistd.h>

struct describe_options {
    bool json;
};

static const struct mr_option options[] = {
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct describe_options, json),
     .fallback = "false",
     .help = "as one JSON document"},
};

static const struct args_spec spec = {
    .command = "topology describe",
    .summary = "Says what a topology means: groups, what they consume, what travels in memory, and "
               "every topic; or of a stage or connector type, what it takes, gives and keeps.",
    .positionals = "FILE|TYPE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static bool describe_file(const char *path, bool json, struct mr_buffer *text)
{
    struct mr_topology *topology = topology_file_load(path);

    if (topology == NULL) {
        return false;
    }
    if (json) {
        topology_describe_json(topology, text);
    } else {
        topology_describe_text(topology, text);
    }
    mr_topology_destroy(&topology);
    return true;
}

static bool describe_type(const char *name, bool json, struct mr_buffer *text)
{
    const struct type_found found = type_find(mr_cli_catalog(), name);
    char nearest[256];

    if (found.stage == NULL && found.sink == NULL) {
        (void)fprintf(
            stderr, "millrace topology describe: no file and no stage or connector type \"%s\"%s\n",
            name, type_suggest(mr_cli_catalog(), name, nearest, sizeof(nearest)));
        return false;
    }
    if (json) {
        type_describe_json(&found, text);
    } else {
        type_describe_text(&found, text);
    }
    return true;
}

static int run(int argc, char **argv)
{
    struct describe_options o = {0};
    struct args args;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &o, &args, &exit_code)) {
        return exit_code;
    }
    const char *name = args.positionals[0];
    /* No name of a type has these characters; a file without them is found all the same. */
    const bool file = strpbrk(name, "./") != NULL || access(name, F_OK) == 0;
    if (!(file ? describe_file(name, o.json, &text) : describe_type(name, o.json, &text))) {
        return EXIT_MISUSE;
    }
    return command_print(&text);
}

const struct command command_topology_describe = {
    .name = "topology describe",
    .summary = "what it means, or what a stage or connector type does",
    .run = run,
};
