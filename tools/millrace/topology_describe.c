/* topology_describe.c -- `millrace topology describe FILE`: what it means, in words. */
#include "args.h"
#include "command.h"
#include "describe.h"
#include "topology_file.h"

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
               "every topic.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static int run(int argc, char **argv)
{
    struct describe_options o = {0};
    struct args args;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &o, &args, &exit_code)) {
        return exit_code;
    }
    struct mr_topology *topology = topology_file_load(args.positionals[0]);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    if (o.json) {
        topology_describe_json(topology, &text);
    } else {
        topology_describe_text(topology, &text);
    }
    const bool written = fwrite(text.data, 1, text.len, stdout) == text.len;
    mr_buffer_fini(&text);
    mr_topology_destroy(&topology);
    return written ? 0 : EXIT_NO;
}

const struct command command_topology_describe = {
    .name = "topology describe",
    .summary = "what it means, in words or JSON",
    .run = run,
};
