/*
 * topology_check.c -- `millrace topology check FILE`: is it right? Connects to nothing, except to
 * the registry when --registry asks for it.
 */
#include "args.h"
#include "catalog.h"
#include "command.h"
#include "connect.h"
#include "connectors/registry/registry_http.h"
#include "subjects.h"
#include "topology_file.h"

#include <jansson.h>
#include <stdlib.h>

struct check_options {
    bool registry;
    const char *registry_url;
    bool transitive;
    int64_t wait_us;
    bool json;
};

static const struct mr_option options[] = {
    {.name = "registry",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct check_options, registry),
     .fallback = "false",
     .help = "also: can each schema read what the registry's latest version wrote?"},
    {.name = "registry-url",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct check_options, registry_url),
     .fallback = "",
     .help = "the registry to ask; default: the topology's"},
    {.name = "transitive",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct check_options, transitive),
     .fallback = "false",
     .help = "with --registry: what any version wrote"},
    CONNECT_WAIT_OPTION(struct check_options, wait_us),
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct check_options, json),
     .fallback = "false",
     .help = "the answer as one JSON document on stdout"},
};

static const struct args_spec spec = {
    .command = "topology check",
    .summary = "Prints every problem of the file as file:line:column and exits 2 when there is "
               "one. With --registry, a schema that cannot read registered data is one too.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

struct check {
    const char *path;
    struct mr_topology *topology;
    struct mr_problems problems;
    bool asked; /* the registry has answered */
    struct subject_report subjects;
};

static bool is_right(const struct check *check)
{
    return check->topology != NULL && subjects_count(&check->subjects, SUBJECT_INCOMPATIBLE) == 0;
}

static void print_json(const struct check *check)
{
    json_t *list = json_array();

    for (size_t i = 0; i < check->problems.count; i++) {
        const struct mr_problem *p = &check->problems.items[i];
        (void)json_array_append_new(list, json_pack("{s:s,s:i,s:i,s:s}", "file", p->file, "line",
                                                    p->position.line, "column", p->position.column,
                                                    "text", p->text));
    }
    json_t *root = json_pack("{s:s,s:b,s:o}", "file", check->path, "right", (int)is_right(check),
                             "problems", list);
    if (check->asked) {
        (void)json_object_set_new(root, "subjects",
                                  subjects_json(check->topology, &check->subjects));
    }
    (void)json_dumpf(root, stdout, JSON_COMPACT);
    (void)printf("\n");
    json_decref(root);
}

static void print_text(const struct check *check)
{
    const struct mr_topology *topology = check->topology;

    for (size_t i = 0; i < check->problems.count; i++) {
        topology_problem_print(&check->problems.items[i], stderr);
    }
    if (topology == NULL) {
        (void)fprintf(stderr, "%s: %zu problem%s\n", check->path, check->problems.count,
                      check->problems.count == 1 ? "" : "s");
        return;
    }
    if (check->asked) {
        subjects_print(topology, &check->subjects, is_right(check) ? stdout : stderr);
    }
    if (is_right(check)) {
        (void)printf("%s: right: %zu stages in %zu groups, %zu connectors, %zu topics\n",
                     check->path, topology->stage_count, topology->group_count,
                     topology->connector_count, topology->topic_count);
    }
}

static enum mr_status ask_registry(struct check *check, const struct check_options *o,
                                   struct mr_err *err)
{
    const char *url = o->registry_url[0] != '\0' ? o->registry_url : check->topology->registry_url;
    struct connection connection = {0};

    if (url == NULL) {
        return mr_fail(err, MR_CONFIG, "%s names no registry: {url: ...}; --registry-url does",
                       check->path);
    }
    MR_TRY(mr_registry_http_create(url, &connection.registry, err));
    enum mr_status status =
        connection_wait(&connection, url, o->wait_us, mr_clock_system(), stderr, err);
    if (status == MR_OK) {
        status = subjects_check(check->topology, connection.registry, o->transitive,
                                &check->subjects, err);
        check->asked = status == MR_OK;
    }
    connection_close(&connection);
    return status;
}

static int run(int argc, char **argv)
{
    struct check_options o = {0};
    struct check check = {0};
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &o, &args, &exit_code)) {
        return exit_code;
    }
    o.registry = o.registry || o.registry_url[0] != '\0';
    if (o.transitive && !o.registry) {
        (void)fprintf(stderr, "millrace topology check: --transitive needs --registry\n");
        return EXIT_MISUSE;
    }
    check.path = args.positionals[0];
    enum mr_status status =
        mr_topology_load_file(check.path, mr_cli_catalog(), &check.topology, &check.problems, &err);
    if (status == MR_OK && o.registry) {
        status = ask_registry(&check, &o, &err);
        exit_code = status == MR_OK ? 0 : EXIT_NO;
    }
    if (exit_code != 0) {
        (void)fprintf(stderr, "millrace topology check: %s\n", err.text);
    } else if (o.json) {
        print_json(&check);
    } else {
        print_text(&check);
    }
    if (exit_code == 0 && !is_right(&check)) {
        exit_code = EXIT_MISUSE;
    }
    subjects_fini(&check.subjects);
    mr_problems_fini(&check.problems);
    mr_topology_destroy(&check.topology);
    return exit_code;
}

const struct command command_topology_check = {
    .name = "topology check",
    .summary = "is a topology right? every problem with its place",
    .run = run,
};
