/* topology_check.c -- `millrace topology check FILE`: is it right? Connects to nothing. */
#include "args.h"
#include "catalog.h"
#include "command.h"
#include "topology_file.h"

#include <jansson.h>
#include <stdlib.h>

struct check_options {
    bool json;
};

static const struct mr_option options[] = {
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct check_options, json),
     .fallback = "false",
     .help = "the answer as one JSON document on stdout"},
};

static const struct args_spec spec = {
    .command = "topology check",
    .summary =
        "Prints every problem of the file as file:line:column and exits 2 when there is one.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static void print_json(const char *path, const struct mr_problems *problems)
{
    json_t *list = json_array();

    for (size_t i = 0; i < problems->count; i++) {
        const struct mr_problem *p = &problems->items[i];
        (void)json_array_append_new(list, json_pack("{s:i,s:i,s:s}", "line", p->position.line,
                                                    "column", p->position.column, "text", p->text));
    }
    json_t *root =
        json_pack("{s:s,s:b,s:o}", "file", path, "right", problems->count == 0, "problems", list);
    (void)json_dumpf(root, stdout, JSON_COMPACT);
    (void)printf("\n");
    json_decref(root);
}

static void print_text(const char *path, const struct mr_topology *topology,
                       const struct mr_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        topology_problem_print(&problems->items[i], stderr);
    }
    if (topology != NULL) {
        (void)printf("%s: right: %zu stages in %zu groups, %zu connectors, %zu topics\n", path,
                     topology->stage_count, topology->group_count, topology->connector_count,
                     topology->topic_count);
    } else {
        (void)fprintf(stderr, "%s: %zu problem%s\n", path, problems->count,
                      problems->count == 1 ? "" : "s");
    }
}

static int run(int argc, char **argv)
{
    struct check_options o = {0};
    struct args args;
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &o, &args, &exit_code)) {
        return exit_code;
    }
    const char *path = args.positionals[0];
    const enum mr_status status =
        mr_topology_load_file(path, mr_cli_catalog(), &topology, &problems, &err);
    if (o.json) {
        print_json(path, &problems);
    } else {
        print_text(path, topology, &problems);
    }
    mr_problems_fini(&problems);
    mr_topology_destroy(&topology);
    return status == MR_OK ? 0 : EXIT_MISUSE;
}

const struct command command_topology_check = {
    .name = "topology check",
    .summary = "is a topology right? every problem with its place",
    .run = run,
};
