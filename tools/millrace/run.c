/*
 * run.c -- `millrace run FILE`: runs a group, connectors, or both, until SIGTERM.
 *
 * SIGTERM and SIGINT finish what is open, commit and exit 0; a second one ends at once. A process
 * that cannot go on says why in one line and exits 1, so that whatever started it starts it again.
 */
#include "run.h"

#include "args.h"
#include "command.h"
#include "commands.h"
#include "connect.h"
#include "millrace/logger.h"
#include "run_see.h"
#include "see_processes.h"
#include "topology_file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_MS 100
/* Damaged state is given up and the process begins anew; not for ever. */
#define STARTS_MAX 3

struct run_options {
    const char *group;
    const char *connectors;
    const char *instance;
    const char *state_dir;
    const char *http;
    const char *http_port_file;
    int inspect;
    int64_t wait_us;
    bool accept_lost_changelog;
    bool accept_lost_offsets;
};

enum { INSPECT_LOCAL, INSPECT_ON, INSPECT_OFF };
static const char *const inspect_names[] = {"local", "on", "off", NULL};

static const struct mr_option options[] = {
    {.name = "group",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct run_options, group),
     .fallback = "",
     .help = "group to run, or all"},
    {.name = "connectors",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct run_options, connectors),
     .fallback = "",
     .help = "connectors to run, with commas, or all"},
    {.name = "instance",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct run_options, instance),
     .fallback = "0",
     .help = "stable name of this instance, for example the pod's ordinal"},
    {.name = "state-dir",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct run_options, state_dir),
     .fallback = "state",
     .help = "where local state is kept"},
    {.name = "http",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct run_options, http),
     .fallback = "127.0.0.1:0",
     .help = "address to look at: /health, /ready, /metrics, a page; port 0: any free one"},
    {.name = "http-port-file",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct run_options, http_port_file),
     .fallback = "",
     .help = "file that receives the port"},
    {.name = "inspect",
     .type = MR_OPTION_ENUM,
     .offset = offsetof(struct run_options, inspect),
     .fallback = "local",
     .symbols = inspect_names,
     .help = "show stores and records over --http; local: where that is an address 127.*"},
    {.name = "accept-lost-changelog",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct run_options, accept_lost_changelog),
     .fallback = "false",
     .help = "give up local state whose changelog was cut or made again"},
    {.name = "accept-lost-offsets",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct run_options, accept_lost_offsets),
     .fallback = "false",
     .help = "begin at the beginning of the inputs although stages have state"},
    CONNECT_WAIT_OPTION(struct run_options, wait_us),
};

static const struct args_spec spec = {
    .command = "run",
    .summary = "Runs a group of stages, connectors, or both, until SIGTERM.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

static int fail(const char *text)
{
    (void)fprintf(stderr, "millrace run: %s\n", text);
    return EXIT_NO;
}

/* Other threads inherit the mask: only this one takes the signals. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Who this process is, for those on this machine who look for it (see_processes.h). */
static struct see_process announced(const struct run_options *given,
                                    const struct mr_topology *topology)
{
    return (struct see_process){.application = topology->application,
                                .part = given->group[0] != '\0' ? given->group : "connectors",
                                .instance = given->instance};
}

static void announce(const struct run_options *given, const struct run_process *process,
                     const char *address, uint16_t port)
{
    struct mr_err err;

    if (see_process_announce(given->state_dir, announced(given, process->topology), address, port,
                             &err) != MR_OK) {
        mr_info("not_announced", "error=\"%s\"", err.text);
    }
}

static enum mr_status start_http(const struct run_options *given, struct run_process *process,
                                 struct mr_http **http, struct mr_err *err)
{
    struct mr_http_options http_options = {.health = run_report_health,
                                           .ready = run_report_ready,
                                           .metrics = run_report_metrics,
                                           .handle = run_see_handle,
                                           .arg = process};
    const char *colon = strrchr(given->http, ':');
    char address[64];
    int64_t wanted;
    uint16_t port;

    if (colon == NULL || colon == given->http || (size_t)(colon - given->http) >= sizeof(address) ||
        mr_parse_int(colon + 1, &wanted, err) != MR_OK || wanted < 0 || wanted > UINT16_MAX) {
        return mr_fail(err, MR_CONFIG, "--http %s: HOST:PORT is wanted", given->http);
    }
    memcpy(address, given->http, (size_t)(colon - given->http));
    address[colon - given->http] = '\0';
    process->shows_records = given->inspect == INSPECT_ON ||
                             (given->inspect == INSPECT_LOCAL && strncmp(address, "127.", 4) == 0);
    http_options.address = address;
    http_options.port = (uint16_t)wanted;
    MR_TRY(mr_http_start(&http_options, http, &port, err));
    announce(given, process, address, port);
    mr_info("listening", "http=%s:%u", address, (unsigned)port);
    if (given->http_port_file[0] != '\0') {
        FILE *file = fopen(given->http_port_file, "w");

        if (file == NULL || fprintf(file, "%u\n", (unsigned)port) < 0 || fclose(file) != 0) {
            return mr_fail(err, MR_CONFIG, "cannot write %s", given->http_port_file);
        }
    }
    return MR_OK;
}

/* Until a signal asks for the end or a unit has failed. */
static void watch(struct run_process *process, const sigset_t *signals)
{
    const struct timespec look = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    const struct mr_clock *clock = mr_clock_system();
    int64_t measured_us = mr_clock_monotonic_us(clock);

    while (!run_process_failed(process)) {
        const int got = sigtimedwait(signals, NULL, &look);

        if (got > 0) {
            mr_info("stopping", "signal=%d", got);
            return;
        }
        if (mr_clock_monotonic_us(clock) >= run_lag_due_us(&process->lag, measured_us)) {
            run_lag_measure(&process->lag);
            measured_us = mr_clock_monotonic_us(clock);
        }
    }
}

/* The units finish on their own threads; a second signal does not wait for them. */
static void await_end(struct run_process *process, const sigset_t *signals)
{
    const struct timespec look = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    bool all = false;

    while (!all) {
        all = true;
        for (size_t i = 0; i < process->unit_count; i++) {
            all = all && atomic_load(&process->units[i].ended);
        }
        if (!all && sigtimedwait(signals, NULL, &look) > 0) {
            (void)fprintf(stderr, "millrace run: second signal: ends at once\n");
            _exit(EXIT_NO);
        }
    }
}

/* Until the end; MR_CORRUPT: local state was found damaged, and is empty at the next start. */
static enum mr_status run_topology(const struct run_options *given,
                                   const struct mr_topology *topology, struct mr_err *err)
{
    struct connection connection = {0};
    struct run_process process = {
        .topology = topology,
        .instance = given->instance,
        .state_dir = given->state_dir,
        .accept_lost_changelog = given->accept_lost_changelog,
        .accept_lost_offsets = given->accept_lost_offsets,
    };
    struct mr_http *http = NULL;
    sigset_t signals;
    enum mr_status status;

    block_signals(&signals);
    process.metrics = mr_metrics_create();
    status = connection_reach(topology, given->wait_us, &connection, err);
    if (status == MR_OK) {
        process.log = connection.log;
        process.codec = connection.codec;
        status = run_process_open(&process, given->group[0] == '\0' ? NULL : given->group,
                                  given->connectors[0] == '\0' ? NULL : given->connectors, err);
    }
    if (status == MR_OK) {
        status = start_http(given, &process, &http, err);
    }
    if (status == MR_OK) {
        status = run_process_start(&process, err);
    }
    if (status == MR_OK) {
        watch(&process, &signals);
        run_process_stop(&process);
        await_end(&process, &signals);
        status = run_process_join(&process, err);
    }
    mr_http_stop(&http);
    see_process_forget(given->state_dir, announced(given, topology));
    run_process_close(&process);
    connection_close(&connection);
    mr_metrics_destroy(&process.metrics);
    return status;
}

static int run_command(int argc, char **argv)
{
    struct run_options given = {0};
    struct mr_topology *topology;
    struct mr_err err = {0};
    struct args args;
    enum mr_status status = MR_OK;
    int exit_code;

    if (!args_parse(&spec, argc, argv, &given, &args, &exit_code)) {
        return exit_code;
    }
    if (given.group[0] == '\0' && given.connectors[0] == '\0') {
        (void)fprintf(stderr, "millrace run: give --group or --connectors (see --help)\n");
        return EXIT_MISUSE;
    }
    topology = topology_file_load(args.positionals[0]);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    for (int starts = 0; starts < STARTS_MAX; starts++) {
        status = run_topology(&given, topology, &err);
        if (status != MR_CORRUPT) {
            break;
        }
        mr_warn("starts_again", "reason=\"%s\"", err.text);
    }
    mr_topology_destroy(&topology);
    return status == MR_OK ? 0 : fail(err.text);
}

const struct command command_run = {
    .name = "run", .summary = "run a group or connectors", .run = run_command};
