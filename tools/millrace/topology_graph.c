/*
 * topology_graph.c -- `millrace topology graph FILE`: draws it; --live: with what running processes
 * say about it.
 */
#include "args.h"
#include "command.h"
#include "graph.h"
#include "graph_figures.h"
#include "millrace/arena.h"
#include "millrace/clock.h"
#include "topology_file.h"

#include <stdlib.h>

#define MEASURE_US (2 * MR_SECOND_US)

struct graph_options {
    int format;
    bool all;
    bool live;
    const char *state_dir;
    struct args_texts addresses;
};

enum { FORMAT_MERMAID, FORMAT_DOT, FORMAT_SVG };
static const char *const formats[] = {"mermaid", "dot", "svg", NULL};

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
     .help = "changelog and dead-letter topics as well; not as svg"},
    {.name = "live",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct graph_options, live),
     .fallback = "false",
     .help = "with rates and lags of running processes, as SVG"},
    SEE_STATE_DIR_OPTION(struct graph_options, state_dir),
};

static const struct args_repeat repeats[] = {SEE_ADDRESS_REPEAT(struct graph_options, addresses)};

static const struct args_spec spec = {
    .command = "topology graph",
    .summary = "Draws the declared graph on stdout. Thick arrows travel in memory, dotted ones are "
               "tables.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
    .repeats = repeats,
    .repeat_count = MR_COUNT(repeats),
};

static int fail(const char *text)
{
    (void)fprintf(stderr, "millrace topology graph: %s\n", text);
    return EXIT_NO;
}

/* Asks twice: a rate is a difference. */
static int draw_live(const struct graph_options *o, const struct mr_topology *topology,
                     struct mr_buffer *text)
{
    struct see_status *statuses = mr_xcalloc(2, sizeof(*statuses));
    struct see_processes processes;
    struct graph_figures figures;
    int exit_code = 0;

    see_processes_find(&o->addresses, o->state_dir, topology->application, &processes);
    if (processes.count > 0 && see_status_ask(&processes, &statuses[0]) > 0) {
        mr_clock_wait_us(mr_clock_system(), MEASURE_US);
    }
    if (processes.count == 0) {
        exit_code = fail("no process is known: --address HOST:PORT or --state-dir DIR say where");
    } else if (see_status_ask(&processes, &statuses[1]) == 0) {
        exit_code = fail(statuses[1].documents[0].error);
    } else {
        graph_figures_make(topology, &statuses[0], &statuses[1], &figures);
        graph_svg_write(topology, &figures, text);
        graph_figures_fini(&figures);
    }
    see_status_fini(&statuses[0]);
    see_status_fini(&statuses[1]);
    free(statuses);
    return exit_code;
}

static int draw(const struct graph_options *o, const struct mr_topology *topology,
                struct mr_buffer *text)
{
    if (o->live) {
        return draw_live(o, topology, text);
    }
    if (o->format == FORMAT_SVG) {
        graph_svg_write(topology, NULL, text);
    } else {
        topology_graph_write(topology, o->format == FORMAT_MERMAID ? GRAPH_MERMAID : GRAPH_DOT,
                             o->all, text);
    }
    return 0;
}

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
    exit_code = draw(&o, topology, &text);
    mr_topology_destroy(&topology);
    if (exit_code != 0) {
        mr_buffer_fini(&text);
        return exit_code;
    }
    return command_print(&text);
}

const struct command command_topology_graph = {
    .name = "topology graph",
    .summary = "draws it, as Mermaid, DOT or SVG; --live with rates and lags",
    .run = run,
};
