/* topology_graph.c -- `millrace topology graph FILE`: draws it. */
#include "args.h"
#include "command.h"
#include "graph.h"
#include "topology_file.h"

struct graph_options {
    int format;
    bool all;
};

static const char *const formats[] = {"mermaid", "dot", NULL};

static const struct mr_option options[] = {
    {.name = "format",
     .type = MR_OPTION_ENUM,
     .offset = offsetof(struct graph_options, format),
     .fallback = "mermaid",
     .symbols = formats,
     .help = "language of the drawing"},
    {.name = "all",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct graph_options, all),
     .fallback = "false",
     .help = "changelog and dead-letter topics as well"},
};

static const struct args_spec spec = {
    .command = "topology graph",
    .summary = "Draws the declared graph on stdout. Thick arrows travel in memory, dotted ones are "
               "tables.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static int run(int argc, char **argv)
{
    struct graph_options o = {0};
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
    topology_graph_write(topology, o.format == 0 ? GRAPH_MERMAID : GRAPH_DOT, o.all, &text);
    mr_topology_destroy(&topology);
    return command_print(&text);
}

const struct command command_topology_graph = {
    .name = "topology graph",
    .summary = "draws it, as Mermaid or DOT",
    .run = run,
};
