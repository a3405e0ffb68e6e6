/*
 * sim.c -- millrace-sim: many seeds, and what became of them.
 *
 * usage: millrace-sim [--seeds=N] [--first=N] [--jobs=N] [--dir=DIR] [--planted=NAME] [--trace]
 * A violated seed is run again with a trace, DIR/seed-N.trace. DIR/report.json has the sums.
 */
#include "sim_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHOWN_MAX 20 /* violations that get a trace */

struct run {
    uint64_t seeds, first;
    int jobs;
    const char *dir;
    enum mr_planted planted;
    uint64_t done, violations;
    struct sim_result sum;
    uint64_t violated[SHOWN_MAX];
    struct timespec began;
    bool terminal;
    bool trace;
};

static const char help[] =
    "usage: millrace-sim [--seeds=N] [--first=N] [--jobs=N] [--dir=DIR] [--planted=NAME] "
    "[--trace]\n"
    "\n"
    "The whole pipeline on the log in memory, with a simulated clock, under load and faults that\n"
    "each seed draws. Exit 1 when a seed violates an invariant; each is repeated by its number:\n"
    "  make sim FIRST_SEED=123 SEEDS=1\n"
    "\n"
    "  --seeds=N       how many (100)\n"
    "  --first=N       the first of them (1)\n"
    "  --jobs=N        at a time (2)\n"
    "  --dir=DIR       report.json and seed-N.trace (build/sim)\n"
    "  --planted=NAME  with a mistake of millrace/fault.h switched on, STATE_BEFORE_COMMIT\n"
    "  --trace         a trace of every seed, one after the other\n";

static double seconds_since(const struct timespec *began)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static bool number(const char *text, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static const char *value_of(const char *argument, const char *name)
{
    const size_t len = strlen(name);

    return strncmp(argument, name, len) == 0 && argument[len] == '=' ? argument + len + 1 : NULL;
}

static bool read_argument(struct run *run, const char *argument)
{
    const char *value;
    uint64_t count;

    if ((value = value_of(argument, "--seeds")) != NULL) {
        return number(value, &run->seeds);
    }
    if ((value = value_of(argument, "--first")) != NULL) {
        return number(value, &run->first);
    }
    if ((value = value_of(argument, "--jobs")) != NULL) {
        run->jobs = number(value, &count) && count > 0 && count < 1000 ? (int)count : 0;
        return run->jobs > 0;
    }
    if ((value = value_of(argument, "--dir")) != NULL) {
        run->dir = value;
        return true;
    }
    if ((value = value_of(argument, "--planted")) != NULL) {
        run->planted = sim_planted_find(value);
        return run->planted != MR_PLANTED_COUNT;
    }
    run->trace = strcmp(argument, "--trace") == 0;
    return run->trace;
}

/* ---- results --------------------------------------------------------------------------------- */

static void show_progress(const struct run *run)
{
    if (run->terminal) {
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " violations, %.0f s ",
                      run->done, run->seeds, run->violations, seconds_since(&run->began));
    }
}

static bool traced(const struct run *run, uint64_t seed, struct sim_result *result)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%.500s/seed-%" PRIu64 ".trace", run->dir, seed);
    if (!sim_pool_trace(run->planted, seed, path, result)) {
        (void)fprintf(stderr, "millrace-sim: %s: %s\n", path, strerror(errno));
        return false;
    }
    (void)printf("  trace:  %s\n", path);
    return true;
}

/* Again, with a trace; the same must happen. */
static void show_violation(const struct run *run, const struct sim_result *result)
{
    struct sim_result again;

    (void)printf(
        "%sseed %" PRIu64 " violates %s: %s\n  again:  make sim FIRST_SEED=%" PRIu64 " SEEDS=1\n",
        run->terminal ? "\r" : "", result->seed, result->check, result->text, result->seed);
    if (!run->trace && traced(run, result->seed, &again) && !again.violated) {
        (void)printf("  it did not happen again: the seed does not decide everything\n");
    }
    (void)fflush(stdout);
}

static bool seed_done(void *arg, const struct sim_result *result)
{
    struct run *run = arg;

    run->done++;
    run->sum.orders += result->orders;
    run->sum.records += result->records;
    run->sum.replayed += result->replayed;
    run->sum.rounds += result->rounds;
    run->sum.restarts += result->restarts;
    run->sum.commits += result->commits;
    run->sum.aborts += result->aborts;
    run->sum.hash ^= result->hash * (2 * result->seed + 1);
    for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
        run->sum.faults[i] += result->faults[i];
    }
    if (result->violated && run->violations++ < SHOWN_MAX) {
        show_violation(run, result);
        run->violated[run->violations - 1] = result->seed;
    }
    show_progress(run);
    return true;
}

static void print_sums(const struct run *run, double seconds)
{
    (void)printf("%s%-22s %12" PRIu64 "\n", run->terminal ? "\r\033[K" : "", "seeds", run->done);
    (void)printf("%-22s %12" PRIu64 "\n", "orders", run->sum.orders);
    (void)printf("%-22s %12" PRIu64 "\n", "records sent", run->sum.records);
    (void)printf("%-22s %12" PRIu64 "\n", "records replayed", run->sum.replayed);
    for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
        (void)printf("fault %-16s %12" PRIu64 "\n", sim_fault_name((enum sim_fault)i),
                     run->sum.faults[i]);
    }
    (void)printf("%-22s %12" PRIu64 "\n", "processes ended", run->sum.restarts);
    (void)printf("%-22s %12" PRIu64 "\n", "commits", run->sum.commits);
    (void)printf("%-22s %12" PRIu64 "\n", "aborts", run->sum.aborts);
    (void)printf("%-22s %12" PRIu64 "\n", "violations", run->violations);
    (void)printf("%-22s %12.1f\n", "seconds", seconds);
    (void)printf("%-22s %12.1f\n", "seeds a second", (double)run->done / seconds);
}

static bool write_report(const struct run *run, double seconds)
{
    char path[600];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%.500s/report.json", run->dir);
    file = fopen(path, "w");
    if (file == NULL) {
        (void)fprintf(stderr, "millrace-sim: %s: %s\n", path, strerror(errno));
        return false;
    }
    (void)fprintf(file,
                  "{\n  \"first_seed\": %" PRIu64 ",\n  \"seeds\": %" PRIu64
                  ",\n  \"orders\": %" PRIu64 ",\n  \"records\": %" PRIu64
                  ",\n  \"replayed\": %" PRIu64 ",\n  \"processes_ended\": %" PRIu64
                  ",\n  \"commits\": %" PRIu64 ",\n  \"aborts\": %" PRIu64
                  ",\n  \"hash\": \"%016" PRIx64 "\",\n  \"faults\": {",
                  run->first, run->done, run->sum.orders, run->sum.records, run->sum.replayed,
                  run->sum.restarts, run->sum.commits, run->sum.aborts, run->sum.hash);
    for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
        (void)fprintf(file, "%s\n    \"%s\": %" PRIu64, i == 0 ? "" : ",",
                      sim_fault_name((enum sim_fault)i), run->sum.faults[i]);
    }
    (void)fprintf(file, "\n  },\n  \"violations\": %" PRIu64 ",\n  \"violated_seeds\": [",
                  run->violations);
    for (uint64_t i = 0; i < run->violations && i < SHOWN_MAX; i++) {
        (void)fprintf(file, "%s%" PRIu64, i == 0 ? "" : ", ", run->violated[i]);
    }
    (void)fprintf(file, "],\n  \"seconds\": %.1f\n}\n", seconds);
    return fclose(file) == 0;
}

/* With the directories on the way to it. */
static void make_directory(const char *path)
{
    char part[600];

    for (size_t i = 1; path[i - 1] != '\0' && i < sizeof(part); i++) {
        if (path[i] == '/' || path[i] == '\0') {
            memcpy(part, path, i);
            part[i] = '\0';
            (void)mkdir(part, 0777);
        }
    }
}

int main(int argc, char **argv)
{
    struct run run = {.seeds = 100,
                      .first = 1,
                      .jobs = 2,
                      .dir = "build/sim",
                      .terminal = isatty(STDERR_FILENO) == 1};
    struct sim_pool pool = {.done = seed_done, .arg = &run};
    double seconds;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            (void)fputs(help, stdout);
            return 0;
        }
        if (!read_argument(&run, argv[i])) {
            (void)fprintf(stderr, "millrace-sim: \"%s\" is not understood\n%s", argv[i], help);
            return 2;
        }
    }
    make_directory(run.dir);
    (void)clock_gettime(CLOCK_MONOTONIC, &run.began);
    pool.jobs = run.jobs;
    pool.planted = run.planted;
    for (uint64_t i = 0; run.trace && i < run.seeds; i++) {
        struct sim_result result;

        if (traced(&run, run.first + i, &result)) {
            (void)seed_done(&run, &result);
        }
    }
    if (!run.trace) {
        sim_pool_run(&pool, run.first, run.seeds);
    }
    seconds = seconds_since(&run.began);
    print_sums(&run, seconds);
    return write_report(&run, seconds) && run.violations == 0 ? 0 : 1;
}
