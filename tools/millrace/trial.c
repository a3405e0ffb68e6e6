/*
 * trial.c -- `millrace try`: the whole pipeline in this process, on the log in memory.
 *
 * Why: a first look, and work on a stage, without any server. Topology, stages, load and verify are
 *      the ones of `make demo`; only log, registry and state backend stand in memory.
 * How: a world (world/world.h) on the computer's clock, in one thread. Wherever load or verify
 *      would wait, every worker takes a turn.
 * Not: connectors, which have nothing to write to here.
 */
#include "apply.h"
#include "args.h"
#include "commands.h"
#include "dump.h"
#include "load.h"
#include "load_drain.h"
#include "millrace/logger.h"
#include "topology_file.h"
#include "tour.h"
#include "verify.h"
#include "world.h"

#include <stdlib.h>

struct trial_command {
    const char *topology;
    const char *tape;
    const char *instruments;
    const char *report;
    const char *manifest;
    const char *dump;
    const char *tour;
    int64_t patience_us;
    int64_t limit;
    int64_t seed;
    bool plain;
    bool quiet;
};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct trial_command, topology),
     .fallback = "topology.yaml",
     .help = "the graph to try"},
    {.name = "trades",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct trial_command, tape),
     .fallback = "tools/sample/trades.csv.gz",
     .help = "recorded trades"},
    {.name = "instruments",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct trial_command, instruments),
     .fallback = "tools/millrace/instruments/binance.jsonl",
     .help = "Instrument records, JSON lines"},
    {.name = "limit",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct trial_command, limit),
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "play only so many trades; 0: all"},
    {.name = "seed",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct trial_command, seed),
     .fallback = "1",
     .min = 0,
     .max = INT64_MAX,
     .help = "of what is mixed in"},
    {.name = "plain",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct trial_command, plain),
     .fallback = "false",
     .help = "the trades alone, nothing mixed in"},
    {.name = "report",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct trial_command, report),
     .fallback = "build/try/report.json",
     .help = "where to write the result"},
    {.name = "manifest",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct trial_command, manifest),
     .fallback = "build/try/manifest.json",
     .help = "where to write what was sent"},
    {.name = "dump",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct trial_command, dump),
     .fallback = "",
     .help = "directory for all topics as files, as of `tap --dump`"},
    {.name = "tour",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct trial_command, tour),
     .fallback = "",
     .help = "after that, the file of a tour of order types, as of `load tour`"},
    {.name = "patience",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct trial_command, patience_us),
     .fallback = "10s",
     .min = MR_MS_US,
     .max = MR_DAY_US,
     .help = "how long the tour waits for one outcome"},
    ARGS_QUIET_OPTION(struct trial_command, quiet),
};

static const struct args_spec spec = {
    .command = "try",
    .summary = "Runs the topology in this process on a log in memory, plays trades through it "
               "and verifies what comes out. No server is needed.",
    .positionals = "",
    .options = options,
    .option_count = MR_COUNT(options),
};

static enum mr_status turn(void *arg, struct mr_err *err)
{
    struct mr_world *world = arg;

    for (size_t g = 0; g < mr_world_topology(world)->group_count; g++) {
        if (mr_world_step(world, (struct mr_world_at){.group = g}) == MR_WORLD_FAILED) {
            *err = *mr_world_error(world);
            return err->status;
        }
    }
    return MR_OK;
}

static enum mr_status apply(struct mr_world *world, struct mr_err *err)
{
    struct apply_report report = {0};
    const enum mr_status status =
        mr_topology_apply(mr_world_topology(world), mr_world_log(world), mr_world_registry(world),
                          &(struct apply_options){.dry_run = false}, &report, err);

    apply_report_fini(&report);
    return status;
}

static struct load_options load_options_of(const struct trial_command *command)
{
    struct load_options load = {.tape = command->tape,
                                .filter = {.markets = "spot", .limit = command->limit},
                                .instruments = command->instruments,
                                .users_each = 4,
                                .seed = command->seed,
                                .collar_ppm = LOAD_PPM / 10,
                                .wait_us = 20 * MR_SECOND_US};

    if (!command->plain) {
        load.shares = (struct load_shares){.duplicates = LOAD_PPM / 100,
                                           .conflicts = LOAD_PPM / 200,
                                           .invalid = LOAD_PPM / 100,
                                           .unfunded = LOAD_PPM / 100,
                                           .cancels = LOAD_PPM / 100,
                                           .malformed = LOAD_PPM / 200,
                                           .market_takers = LOAD_PPM / 10};
    }
    return load;
}

static enum mr_status play(const struct load_env *env, const struct trial_command *command,
                           struct load_manifest *manifest, struct verify_report *report,
                           struct mr_err *err)
{
    const struct load_options load = load_options_of(command);
    const struct verify_options verify = {.wait_us = 10 * MR_SECOND_US};
    const int64_t start_us = mr_clock_monotonic_us(env->clock);
    int64_t missing = 0;

    MR_TRY(load_run(env, &load, manifest, &missing, err));
    MR_TRY(load_drain(env, false, 10 * MR_SECOND_US, err));
    MR_TRY(load_manifest_write(manifest, command->manifest, err));
    MR_TRY(verify_run(env, manifest, &verify, report, err));
    load_progress_end(env);
    verify_report_print(report, manifest, stdout);
    return verify_report_write(report, manifest, mr_clock_monotonic_us(env->clock) - start_us,
                               command->report, err);
}

static enum mr_status play_tour(const struct load_env *env, const struct trial_command *command,
                                bool *equal, struct mr_err *err)
{
    const struct tour_options tour = {.file = command->tour, .wait_us = command->patience_us};
    struct tour_report *report = NULL;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    enum mr_status status;

    if (tour.file[0] == '\0') {
        return MR_OK;
    }
    status = tour_run(env, &tour, &report, err);
    load_progress_end(env);
    if (report != NULL) {
        tour_report_table(report, &text);
        (void)printf("\n%.*s", (int)text.len, (const char *)text.data);
        *equal = *equal && tour_report_equal(report);
    }
    mr_buffer_fini(&text);
    tour_report_destroy(&report);
    return status;
}

static enum mr_status dump(struct mr_world *world, const struct load_env *env,
                           const char *directory, struct mr_err *err)
{
    int64_t records = 0;

    if (directory[0] == '\0') {
        return MR_OK;
    }
    MR_TRY(mr_world_try_stop(world, err)); /* what is processed is committed then */
    MR_TRY(dump_topics(env, directory, &records, err));
    (void)printf("%" PRId64 " records in %s\n", records, directory);
    return MR_OK;
}

static enum mr_status try_topology(const struct mr_topology *topology,
                                   const struct trial_command *command, bool *equal,
                                   struct mr_err *err)
{
    struct mr_world *world = mr_world_create(
        &(struct mr_world_options){.topology = topology, .clock = mr_clock_system()});
    struct load_manifest *manifest = mr_xcalloc(1, sizeof *manifest);
    struct verify_report *report = verify_report_create();
    enum mr_status status = apply(world, err);
    const struct load_env env = {.topology = topology,
                                 .log = mr_world_log(world),
                                 .codec = mr_world_codec(world),
                                 .clock = mr_clock_system(),
                                 .pump = turn,
                                 .pump_arg = world,
                                 .progress = command->quiet ? NULL : stderr};

    if (status == MR_OK) {
        status = play(&env, command, manifest, report, err);
        *equal = verify_report_equal(report);
    }
    if (status == MR_OK) {
        status = play_tour(&env, command, equal, err);
    }
    if (status == MR_OK) {
        status = dump(world, &env, command->dump, err);
    }
    load_manifest_fini(manifest);
    free(manifest);
    verify_report_destroy(&report);
    mr_world_destroy(&world);
    return status;
}

static int run(int argc, char **argv)
{
    struct trial_command command = {0};
    struct mr_topology *topology;
    struct args args;
    struct mr_err err = {0};
    bool equal = false;
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    if (getenv("MILLRACE_LOG_LEVEL") == NULL) {
        mr_logger_set_level(MR_LEVEL_ERROR); /* dead letters are part of the game */
    }
    topology = topology_file_load(command.topology);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    status = try_topology(topology, &command, &equal, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace try: %s\n", err.text);
    }
    mr_topology_destroy(&topology);
    return status == MR_OK && equal ? 0 : EXIT_NO;
}

const struct command command_try = {
    .name = "try",
    .summary = "the whole pipeline in this process, without servers",
    .run = run,
};
