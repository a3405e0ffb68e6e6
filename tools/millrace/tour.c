/* tour.c -- `millrace load tour`: every order type, and what must come of it. See tour.h. */
#include "tour.h"

#include "args.h"
#include "commands.h"
#include "connect.h"
#include "millrace/arena.h"
#include "topology_file.h"

#include <stdlib.h>

struct tour_command {
    const char *topology;
    const char *run;
    int64_t wait_us;
    int64_t patience_us;
    bool json;
    bool quiet;
};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tour_command, topology),
     .fallback = "topology.yaml",
     .help = "which servers and topics"},
    {.name = "run",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct tour_command, run),
     .fallback = "",
     .help = "prefix of all users, symbols and ids, letters and digits; empty: from the clock"},
    {.name = "patience",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct tour_command, patience_us),
     .fallback = "60s",
     .min = MR_SECOND_US,
     .max = MR_DAY_US,
     .help = "how long to wait for one outcome"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct tour_command, json),
     .fallback = "false",
     .help = "one JSON document instead of a table"},
    ARGS_QUIET_OPTION(struct tour_command, quiet),
    CONNECT_WAIT_OPTION(struct tour_command, wait_us),
};

static const struct args_spec spec = {
    .command = "load tour",
    .summary = "Sends commands of every order type, waits for what comes of each and compares it "
               "with what FILE expects. Exit code 1 when one differs.",
    .positionals = "[FILE]",
    .positional_min = 0,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static bool print(const struct tour_command *command, const struct tour_report *report)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    bool written = false;

    (command->json ? tour_report_json : tour_report_table)(report, &text);
    written = fwrite(text.data, 1, text.len, stdout) == text.len;
    mr_buffer_fini(&text);
    return written;
}

static enum mr_status play(const struct mr_topology *topology, const struct tour_command *command,
                           const char *file, bool *equal, struct mr_err *err)
{
    struct connection connection = {0};
    struct load_env env = {.topology = topology,
                           .clock = mr_clock_system(),
                           .progress = command->quiet ? NULL : stderr};
    const struct tour_options tour = {.file = file,
                                      .run = command->run[0] == '\0' ? NULL : command->run,
                                      .wait_us = command->patience_us};
    struct tour_report *report = NULL;
    enum mr_status status = connection_reach(topology, command->wait_us, &connection, err);

    if (status == MR_OK) {
        env.log = connection.log;
        env.codec = connection.codec;
        status = tour_run(&env, &tour, &report, err);
        load_progress_end(&env);
    }
    if (report != NULL) {
        *equal = print(command, report) && tour_report_equal(report);
    }
    tour_report_destroy(&report);
    connection_close(&connection);
    return status;
}

static int run(int argc, char **argv)
{
    struct tour_command command = {0};
    struct mr_topology *topology;
    struct args args;
    struct mr_err err = {0};
    bool equal = false;
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    if (strlen(command.run) >= TOUR_RUN_BYTES_MAX) {
        (void)fprintf(stderr, "millrace load tour: --run is too long\n");
        return EXIT_MISUSE;
    }
    topology = topology_file_load(command.topology);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    status = play(topology, &command,
                  args.positional_count == 0 ? "tools/sample/tour.jsonl" : args.positionals[0],
                  &equal, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace load tour: %s\n", err.text);
    }
    mr_topology_destroy(&topology);
    return status == MR_OK && equal ? 0 : EXIT_NO;
}

const struct command command_tour = {
    .name = "load tour",
    .summary = "every order type, and what must come of it",
    .run = run,
};
