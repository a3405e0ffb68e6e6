/* verify.c -- `millrace verify`: is what came out what must come of what went in? See verify.h. */
#include "verify.h"

#include "args.h"
#include "commands.h"
#include "connect.h"
#include "load_drain.h"
#include "millrace/arena.h"
#include "topology_file.h"
#include "verify_books.h"
#include "verify_stores.h"

#include <stdlib.h>

struct verify_command {
    const char *topology;
    const char *manifest;
    const char *report;
    int64_t wait_us;
    int64_t patience_us;
    bool stores;
    bool quiet;
    bool ledger;
    bool live;
    bool json;
};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct verify_command, topology),
     .fallback = "topology.yaml",
     .help = "which servers and topics"},
    {.name = "manifest",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct verify_command, manifest),
     .fallback = "build/demo/manifest.json",
     .help = "what `millrace load` sent"},
    {.name = "report",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct verify_command, report),
     .fallback = "build/demo/report.json",
     .help = "where to write the result"},
    {.name = "stores",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct verify_command, stores),
     .fallback = "true",
     .help = "check document store and Redis too (and wait for the connectors)"},
    {.name = "patience",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct verify_command, patience_us),
     .fallback = "60s",
     .min = 0,
     .max = MR_DAY_US,
     .help = "how long to wait without any progress until everything is processed"},
    ARGS_QUIET_OPTION(struct verify_command, quiet),
    {.name = "ledger",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct verify_command, ledger),
     .fallback = "false",
     .help = "the books alone, of everything that was ever posted; needs no run of load"},
    {.name = "live",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct verify_command, live),
     .fallback = "false",
     .help = "with --ledger: the pipeline is at work, what is on its way is no difference"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct verify_command, json),
     .fallback = "false",
     .help = "with --ledger: as one JSON document"},
    CONNECT_WAIT_OPTION(struct verify_command, wait_us),
};

static const struct args_spec spec = {
    .command = "verify",
    .summary = "Waits until everything is processed, reads the topics, the document store and "
               "Redis back and compares them with what was sent.",
    .positionals = "",
    .options = options,
    .option_count = MR_COUNT(options),
};

/* A pipeline that is not drained is a difference, not an error: what is there is compared all the
 * same. */
static enum mr_status drain(const struct load_env *env, const struct verify_command *command,
                            bool connectors, struct verify_report *report, struct mr_err *err)
{
    struct verify_check *check = verify_check_open(report, "records not processed");
    const enum mr_status status = load_drain(env, connectors, command->patience_us, err);
    int64_t lag = 0;

    if (status == MR_TIMEOUT) {
        verify_differ(check, "%s", err->text);
        MR_TRY(load_lag(env, connectors, &lag, err));
    } else if (status != MR_OK) {
        return status;
    }
    verify_check_close(check, 0, lag);
    return MR_OK;
}

static enum mr_status prove(const struct load_env *env, const struct verify_command *command,
                            bool *equal, struct mr_err *err)
{
    struct load_manifest *manifest = mr_xcalloc(1, sizeof *manifest);
    struct verify_report *report = verify_report_create();
    struct verify_stores stores = {.has_documents = false};
    struct verify_options verify = {.wait_us = command->patience_us};
    const int64_t start_us = mr_clock_monotonic_us(env->clock);
    enum mr_status status = load_manifest_read(command->manifest, manifest, err);

    if (status == MR_OK && command->stores) {
        status = verify_stores_open(env->topology, &stores, err);
    }
    if (status == MR_OK) {
        verify.documents = stores.has_documents ? &stores.documents : NULL;
        verify.keys = stores.has_keys ? &stores.keys : NULL;
        status = drain(env, command, command->stores, report, err);
    }
    if (status == MR_OK) {
        status = verify_run(env, manifest, &verify, report, err);
    }
    if (status == MR_OK) {
        load_progress_end(env);
        verify_report_print(report, manifest, stdout);
        *equal = verify_report_equal(report);
        status = verify_report_write(report, manifest, mr_clock_monotonic_us(env->clock) - start_us,
                                     command->report, err);
    }
    verify_stores_close(&stores);
    verify_report_destroy(&report);
    load_manifest_fini(manifest);
    free(manifest);
    return status;
}

static enum mr_status books(const struct load_env *env, const struct verify_command *command,
                            bool *equal, struct mr_err *err)
{
    const struct verify_books_options how = {.wait_us = command->patience_us,
                                             .live = command->live};
    struct verify_report *report = verify_report_create();
    struct verify_books *found = NULL;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    const enum mr_status status = verify_books_run(env, &how, report, &found, err);

    if (status == MR_OK) {
        load_progress_end(env);
        *equal = verify_report_equal(report);
        (command->json ? verify_books_json : verify_books_table)(found, &text);
        *equal = fwrite(text.data, 1, text.len, stdout) == text.len && *equal;
    }
    mr_buffer_fini(&text);
    verify_books_destroy(&found);
    verify_report_destroy(&report);
    return status;
}

static int run(int argc, char **argv)
{
    struct verify_command command = {0};
    struct connection connection = {0};
    struct load_env env = {.clock = mr_clock_system()};
    struct mr_topology *topology;
    struct args args;
    struct mr_err err = {0};
    bool equal = false;
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    topology = topology_file_load(command.topology);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    status = connection_reach(topology, command.wait_us, &connection, &err);
    if (status == MR_OK) {
        env.topology = topology;
        env.log = connection.log;
        env.codec = connection.codec;
        env.progress = command.quiet ? NULL : stderr;
        status = command.ledger ? books(&env, &command, &equal, &err)
                                : prove(&env, &command, &equal, &err);
    }
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace verify: %s\n", err.text);
    }
    connection_close(&connection);
    mr_topology_destroy(&topology);
    return status == MR_OK && equal ? 0 : EXIT_NO;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "proves that what came out is what must",
    .run = run,
};
