/* load.c -- `millrace load trades FILE`: plays recorded trades as orders. See load.h. */
#include "load.h"

#include "args.h"
#include "commands.h"
#include "connect.h"
#include "load_decimal.h"
#include "millrace/arena.h"
#include "topology_file.h"

#include <inttypes.h>
#include <stdlib.h>

struct load_command {
    struct load_options options;
    const char *topology;
    const char *manifest;
    const char *markets, *symbols, *run, *speed;
    int64_t wait_us;
    bool quiet;
};

#define SHARE(option, field, text)                                                                 \
    {                                                                                              \
        .name = (option), .type = MR_OPTION_RATIO,                                                 \
        .offset = offsetof(struct load_command, options.shares.field), .fallback = "0%", .min = 0, \
        .max = LOAD_PPM, .help = (text)                                                            \
    }

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct load_command, topology),
     .fallback = "topology.yaml",
     .help = "which servers and topics"},
    {.name = "manifest",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct load_command, manifest),
     .fallback = "build/demo/manifest.json",
     .help = "where to write what was sent, for `millrace verify`"},
    {.name = "instruments",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct load_command, options.instruments),
     .fallback = "tools/millrace/instruments/binance.jsonl",
     .help = "Instrument records, JSON lines"},
    {.name = "markets",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct load_command, markets),
     .fallback = "spot",
     .help = "of the file, with commas; usdm is played as <symbol>-PERP"},
    {.name = "symbols",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct load_command, symbols),
     .fallback = "",
     .help = "instruments, with commas; empty: all"},
    {.name = "limit",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct load_command, options.filter.limit),
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "play only so many trades; 0: all"},
    {.name = "rate",
     .type = MR_OPTION_RATE,
     .offset = offsetof(struct load_command, options.rate_micro),
     .fallback = "0/s",
     .min = 0,
     .max = INT64_MAX,
     .help = "commands a second; 0/s: by --speed"},
    {.name = "speed",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct load_command, speed),
     .fallback = "max",
     .help = "of the tape's own pace, for example 10x; max: as fast as it goes"},
    SHARE("duplicates", duplicates, "share of orders sent twice"),
    SHARE("conflicts", conflicts, "share of orders whose key is used again with other content"),
    SHARE("invalid", invalid, "share of orders that break one rule"),
    SHARE("unfunded", unfunded, "share of orders of users without money"),
    SHARE("cancels", cancels, "share of orders that wait (GTC, GTD, stops) and are cancelled"),
    SHARE("malformed", malformed, "share of records that are no OrderCommand"),
    SHARE("market-takers", market_takers, "share of takers that are MARKET orders"),
    {.name = "users",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct load_command, options.users_each),
     .fallback = "4",
     .min = 1,
     .max = (int64_t)LOAD_USERS_EACH_MAX,
     .help = "makers, and as many takers, of each symbol"},
    {.name = "seed",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct load_command, options.seed),
     .fallback = "1",
     .min = 0,
     .max = INT64_MAX,
     .help = "the same seed mixes the same in"},
    {.name = "run",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct load_command, run),
     .fallback = "",
     .help = "prefix of all ids, letters and digits; empty: from the clock"},
    {.name = "collar",
     .type = MR_OPTION_RATIO,
     .offset = offsetof(struct load_command, options.collar_ppm),
     .fallback = "10%",
     .min = 1,
     .max = LOAD_PPM,
     .help = "risk's price-collar, to choose the reference price"},
    {.name = "linger",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct load_command, options.linger_us),
     .fallback = "1ms",
     .min = 0,
     .max = MR_SECOND_US,
     .help = "how long the producer gathers a batch"},
    {.name = "patience",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct load_command, options.wait_us),
     .fallback = "60s",
     .min = MR_SECOND_US,
     .max = MR_DAY_US,
     .help = "how long to wait without any progress of the pipeline"},
    ARGS_QUIET_OPTION(struct load_command, quiet),
    CONNECT_WAIT_OPTION(struct load_command, wait_us),
};

static const struct args_spec spec = {
    .command = "load trades",
    .summary = "Plays recorded trades: each becomes a maker and a taker of exactly its price and "
               "quantity. Writes a manifest of what must come of it.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

/* "max" or "10x", "0.5x" with at most three decimals. */
static bool parse_speed(const char *text, int64_t *ppm)
{
    const size_t len = strlen(text);
    mr_i128 atoms = 0;

    *ppm = 0;
    if (strcmp(text, "max") == 0) {
        return true;
    }
    if (len < 2 || text[len - 1] != 'x' ||
        !load_decimal_parse(mr_slice_of(text, len - 1), &atoms)) {
        return false;
    }
    *ppm = (int64_t)(atoms / (LOAD_DECIMAL_ONE / LOAD_PPM));
    return *ppm > 0;
}

static bool good_run(const char *run)
{
    for (const char *at = run; *at != '\0'; at++) {
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
              (*at >= '0' && *at <= '9'))) {
            return false;
        }
    }
    return strlen(run) < LOAD_RUN_BYTES_MAX;
}

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
    (void)number;
    asked_to_end = 1;
}

/* The first signal ends the playing, not the proof of what was played; the second one ends all. */
static void watch_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static enum mr_status play(const struct mr_topology *topology, struct load_command *command,
                           int64_t *missing, struct mr_err *err)
{
    struct load_manifest *manifest = mr_xcalloc(1, sizeof *manifest);
    struct connection connection = {0};
    struct load_env env = {.topology = topology,
                           .clock = mr_clock_system(),
                           .progress = command->quiet ? NULL : stderr};
    enum mr_status status = connection_reach(topology, command->wait_us, &connection, err);

    if (status == MR_OK) {
        env.log = connection.log;
        env.codec = connection.codec;
        watch_signals();
        command->options.stop = &asked_to_end;
        status = load_run(&env, &command->options, manifest, missing, err);
    }
    if (status == MR_OK) {
        load_progress_end(&env);
        status = load_manifest_write(manifest, command->manifest, err);
    }
    if (status == MR_OK) {
        (void)printf("run %s: %" PRId64 " commands in %.1f s, %" PRId64
                     " without outcome, P50 %.1f ms, P99 %.1f ms; manifest %s\n",
                     manifest->run, manifest->sent, (double)manifest->elapsed_us / 1e6, *missing,
                     (double)manifest->p50_us / 1e3, (double)manifest->p99_us / 1e3,
                     command->manifest);
    }
    load_manifest_fini(manifest);
    free(manifest);
    connection_close(&connection);
    return status;
}

static int run(int argc, char **argv)
{
    struct load_command command = {0};
    struct mr_topology *topology;
    struct args args;
    struct mr_err err = {0};
    int64_t missing = 0;
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    command.options.tape = args.positionals[0];
    command.options.filter.markets = command.markets;
    command.options.filter.symbols = command.symbols[0] == '\0' ? NULL : command.symbols;
    command.options.run = command.run[0] == '\0' ? NULL : command.run;
    if (!parse_speed(command.speed, &command.options.speed_ppm) || !good_run(command.run)) {
        (void)fprintf(stderr, "millrace load trades: --speed is \"max\" or for example \"10x\", "
                              "--run letters and digits\n");
        return EXIT_MISUSE;
    }
    topology = topology_file_load(command.topology);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    status = play(topology, &command, &missing, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace load trades: %s\n", err.text);
    }
    mr_topology_destroy(&topology);
    return status == MR_OK && missing == 0 ? 0 : EXIT_NO;
}

const struct command command_load = {
    .name = "load trades",
    .summary = "plays recorded trades as orders",
    .run = run,
};
