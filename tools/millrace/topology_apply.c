/* topology_apply.c -- `millrace topology apply FILE`: creates its topics and subjects. */
#include "apply.h"
#include "args.h"
#include "command.h"
#include "connect.h"
#include "topology_file.h"

struct command_options_apply {
    bool dry_run;
    bool alter;
    bool json;
    int64_t wait_us;
};

static const struct mr_option options[] = {
    {.name = "dry-run",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct command_options_apply, dry_run),
     .fallback = "false",
     .help = "look and say, change nothing"},
    {.name = "alter",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct command_options_apply, alter),
     .fallback = "false",
     .help = "change the configuration of topics that exist and differ"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct command_options_apply, json),
     .fallback = "false",
     .help = "the report as one JSON document on stdout"},
    CONNECT_WAIT_OPTION(struct command_options_apply, wait_us),
};

static const struct args_spec spec = {
    .command = "topology apply",
    .summary =
        "Creates the topics and registers the subjects (compatibility BACKWARD) of a topology. "
        "What exists as declared is left alone; what differs is refused, and then nothing is "
        "changed.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static enum mr_status apply(const struct mr_topology *topology,
                            const struct command_options_apply *o, struct mr_err *err)
{
    struct connection connection = {0};
    struct apply_report report = {0};
    enum mr_status status = connection_reach(topology, o->wait_us, &connection, err);

    if (status != MR_OK) {
        goto out;
    }
    status = mr_topology_apply(topology, connection.log, connection.registry,
                               &(struct apply_options){.dry_run = o->dry_run, .alter = o->alter},
                               &report, err);
    if (o->json) {
        apply_report_json(&report, stdout);
    } else if (status == MR_OK || status == MR_EXISTS) {
        apply_report_text(&report, stdout);
    }
out:
    apply_report_fini(&report);
    connection_close(&connection);
    return status;
}

static int run(int argc, char **argv)
{
    struct command_options_apply o = {0};
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &o, &args, &exit_code)) {
        return exit_code;
    }
    struct mr_topology *topology = topology_file_load(args.positionals[0]);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    const enum mr_status status = apply(topology, &o, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace topology apply: %s\n", err.text);
    }
    mr_topology_destroy(&topology);
    return status == MR_OK ? 0 : EXIT_NO;
}

const struct command command_topology_apply = {
    .name = "topology apply",
    .summary = "creates its topics and registers its subjects",
    .run = run,
};
