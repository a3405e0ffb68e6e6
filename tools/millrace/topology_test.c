/* topology_test.c -- `millrace topology test FILE...`: suites of cases, without a broker. */
#include "args.h"
#include "catalog.h"
#include "commands.h"
#include "millrace/logger.h"
#include "report.h"
#include "topology_file.h"

#include <fnmatch.h>
#include <stdlib.h>

struct test_command {
    const char *pattern;
    bool list;
    bool crash_everywhere;
    bool json;
};

static const struct mr_option options[] = {
    {.name = "case",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct test_command, pattern),
     .fallback = "",
     .help = "only cases whose name has this in it; * and ? as in a shell"},
    {.name = "list",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct test_command, list),
     .fallback = "false",
     .help = "says what cases there are and plays none"},
    {.name = "crash-everywhere",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct test_command, crash_everywhere),
     .fallback = "false",
     .help =
         "also with a crash of each group behind each record: nothing may come out differently"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct test_command, json),
     .fallback = "false",
     .help = "the result as one JSON document on stdout"},
};

static const struct args_spec spec = {
    .command = "topology test",
    .summary =
        "Plays the cases of suites on the topology in this process, on a log in memory, and "
        "shows what came out differently. Exits 1 when a case fails, 2 when a file is wrong.",
    .positionals = "FILE...",
    .positional_min = 1,
    .positional_max = ARGS_POSITIONALS_MAX,
    .options = options,
    .option_count = MR_COUNT(options),
};

static bool chosen(const struct test_command *command, const struct suite_case *one)
{
    char pattern[256];

    (void)snprintf(pattern, sizeof(pattern), "*%.250s*", command->pattern);
    return fnmatch(pattern, one->name, 0) == 0;
}

static void play_case(const struct suite *suite, const struct suite_case *one,
                      const struct test_command *command, struct suite_report *report)
{
    const struct suite_play_options undisturbed = {.crash = {.round = -1}};
    struct suite_result result = {0};

    if (command->crash_everywhere) {
        suite_play_everywhere(suite, one, &undisturbed, &result);
    } else {
        struct mr_world *world = suite_play(suite, one, &undisturbed, &result);

        mr_world_destroy(&world);
    }
    suite_report_case(report, one, &result);
    suite_result_fini(&result);
}

/* Returns how many cases were chosen. */
static size_t play_suite(const struct suite *suite, const struct test_command *command,
                         struct suite_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < suite->case_count; i++) {
        const struct suite_case *one = &suite->cases[i];

        if (!chosen(command, one)) {
            continue;
        }
        if (count++ == 0) {
            suite_report_file(report, suite);
        }
        if (command->list) {
            suite_report_case(report, one, NULL);
        } else {
            play_case(suite, one, command, report);
        }
    }
    return count;
}

/* All of them, so that one run names everything that is wrong. */
static bool open_suites(const struct args *args, struct suite **suites)
{
    const struct suite_options how = {.catalog = mr_cli_catalog()};
    bool right = true;

    for (size_t i = 0; i < args->positional_count; i++) {
        struct mr_problems problems = {0};

        if (suite_open(args->positionals[i], &how, &suites[i], &problems) != MR_OK) {
            right = false;
        }
        for (size_t p = 0; p < problems.count; p++) {
            topology_problem_print(&problems.items[p], stderr);
        }
        mr_problems_fini(&problems);
    }
    return right;
}

static int play_suites(struct suite *const *suites, size_t suite_count,
                       const struct test_command *command)
{
    struct suite_report report;
    size_t count = 0;

    suite_report_begin(&report, stdout, command->json);
    for (size_t i = 0; i < suite_count; i++) {
        count += play_suite(suites[i], command, &report);
    }
    suite_report_end(&report);
    if (count == 0) {
        (void)fprintf(stderr, "millrace topology test: no case has \"%s\" in its name\n",
                      command->pattern);
        return EXIT_MISUSE;
    }
    return report.failed == 0 ? 0 : EXIT_NO;
}

static int run(int argc, char **argv)
{
    struct test_command command = {0};
    struct suite **suites;
    struct args args;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    if (getenv("MILLRACE_LOG_LEVEL") == NULL) {
        mr_logger_set_level(MR_LEVEL_ERROR); /* dead letters and crashes are part of the game */
    }
    suites = mr_xcalloc(args.positional_count, sizeof(*suites));
    exit_code = open_suites(&args, suites) ? play_suites(suites, args.positional_count, &command)
                                           : EXIT_MISUSE;
    for (size_t i = 0; i < args.positional_count; i++) {
        suite_close(&suites[i]);
    }
    free(suites);
    return exit_code;
}

const struct command command_topology_test = {
    .name = "topology test",
    .summary = "plays suites of cases on it: records in, records out",
    .run = run,
};
