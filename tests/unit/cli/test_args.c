/*
 * Goal:   arguments reach their fields with units; every misuse is refused with exit code 2.
 * Method: a table of command lines over one option table.
 */
#include "args.h"
#include "command.h"

#include <check.h>
#include <stdlib.h>

struct target {
    int64_t wait_us;
    int64_t count;
    bool json;
    const char *name;
    int format;
    struct args_texts wheres;
};

static const struct args_repeat repeats[] = {
    {.name = "where", .offset = offsetof(struct target, wheres), .help = "a condition"}};

static const char *const formats[] = {"text", "dot", NULL};

static const struct mr_option options[] = {
    {.name = "wait",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct target, wait_us),
     .fallback = "30s",
     .max = MR_HOUR_US,
     .help = "how long"},
    {.name = "count",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct target, count),
     .fallback = "1",
     .min = 1,
     .max = 9,
     .help = "how many"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct target, json),
     .fallback = "false",
     .help = "as JSON"},
    {.name = "name",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct target, name),
     .help = "of what"},
    {.name = "format",
     .type = MR_OPTION_ENUM,
     .offset = offsetof(struct target, format),
     .fallback = "text",
     .symbols = formats,
     .help = "how"},
};

static const struct args_spec spec = {
    .command = "test it",
    .summary = "Tests it.",
    .positionals = "FILE [MORE]",
    .positional_min = 1,
    .positional_max = 2,
    .options = options,
    .option_count = MR_COUNT(options),
    .repeats = repeats,
    .repeat_count = MR_COUNT(repeats),
};

#define ARGS_MAX 8

static const struct row {
    const char *why;
    const char *argv[ARGS_MAX];
    bool go_on;
    int exit_code;
    int64_t wait_us, count;
    bool json;
    size_t positionals;
} rows[] = {
    {"the least", {"--name", "x", "f"}, true, 0, 30000000, 1, false, 1},
    {"everything",
     {"--name=x", "f", "--wait", "2m", "--count=9", "--json", "g"},
     true,
     0,
     120000000,
     9,
     true,
     2},
    {"a flag takes no next argument", {"--json", "f", "--name=x"}, true, 0, 30000000, 1, true, 1},
    {"a flag may be said no", {"--json=false", "f", "--name=x"}, true, 0, 30000000, 1, false, 1},
    {"the last one counts",
     {"--count=2", "--count=3", "f", "--name=x"},
     true,
     0,
     30000000,
     3,
     false,
     1},
    {"after -- all are arguments",
     {"--name=x", "--", "--json", "-f"},
     true,
     0,
     30000000,
     1,
     false,
     2},
    {"a dash alone is an argument", {"--name=x", "-"}, true, 0, 30000000, 1, false, 1},
    {"an empty value is a value", {"--name=", "f"}, true, 0, 30000000, 1, false, 1},
    {"help ends with 0", {"--help"}, false, 0, 0, 0, false, 0},
    {"no file", {"--name=x"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"one file too many", {"--name=x", "f", "g", "h"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"required option missing", {"f"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"no such option", {"--nmae=x", "f"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"a prefix is not enough", {"--na=x", "f"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"short option", {"-n", "f"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"no value", {"f", "--name"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"wrong unit", {"--name=x", "--wait=5", "f"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"out of range", {"--name=x", "--count=10", "f"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"no such choice", {"--name=x", "--format=png", "f"}, false, EXIT_MISUSE, 0, 0, false, 0},
    {"neither true nor false",
     {"--name=x", "--json=maybe", "f"},
     false,
     EXIT_MISUSE,
     0,
     0,
     false,
     0},
};

START_TEST(a_command_line_is_read_or_refused)
{
    const struct row *row = &rows[_i];
    char words[ARGS_MAX + 1][32] = {"it"};
    char *argv[ARGS_MAX + 2] = {words[0]};
    struct target target = {0};
    struct args args;
    int exit_code = -1;
    int argc = 1;

    for (; row->argv[argc - 1] != NULL; argc++) {
        (void)snprintf(words[argc], sizeof(words[argc]), "%s", row->argv[argc - 1]);
        argv[argc] = words[argc];
    }
    const bool go_on = args_parse(&spec, argc, argv, &target, &args, &exit_code);
    ck_assert_msg(go_on == row->go_on, "%s", row->why);
    if (!go_on) {
        ck_assert_msg(exit_code == row->exit_code, "%s: exit %d", row->why, exit_code);
        return;
    }
    ck_assert_msg(target.wait_us == row->wait_us, "%s", row->why);
    ck_assert_msg(target.count == row->count, "%s", row->why);
    ck_assert_msg(target.json == row->json, "%s", row->why);
    ck_assert_msg(args.positional_count == row->positionals, "%s", row->why);
}
END_TEST

START_TEST(help_lists_every_option)
{
    char text[2048] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");

    ck_assert_ptr_nonnull(out);
    args_help(&spec, out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(text, "usage: millrace test it [OPTIONS] FILE [MORE]\n"));
    ck_assert_ptr_nonnull(strstr(text, "--wait <duration>          how long (default 30s)\n"));
    ck_assert_ptr_nonnull(strstr(text, "--name <text>              of what (required)\n"));
    ck_assert_ptr_nonnull(strstr(text, "--json                     as JSON\n"));
    ck_assert_ptr_nonnull(strstr(text, "how: text, dot (default text)\n"));
}
END_TEST

static int ran;

static int run_first(int argc, char **argv)
{
    ran = 10 + argc;
    ck_assert_str_eq(argv[0], "run");
    return 7;
}

static int run_second(int argc, char **argv)
{
    ran = 20 + argc;
    ck_assert_str_eq(argv[0], "check");
    return 8;
}

START_TEST(a_command_is_found_by_its_words)
{
    static const struct command first = {"run", "runs", run_first};
    static const struct command second = {"topology check", "checks", run_second};
    static const struct command *const commands[] = {&first, &second};
    char program[] = "millrace";
    char run[] = "run";
    char topology[] = "topology";
    char check[] = "check";
    char file[] = "f";
    char help[] = "--help";

    ck_assert_int_eq(command_dispatch(commands, 2, 3, (char *[]){program, run, file, NULL}), 7);
    ck_assert_int_eq(ran, 12);
    ck_assert_int_eq(
        command_dispatch(commands, 2, 4, (char *[]){program, topology, check, file, NULL}), 8);
    ck_assert_int_eq(ran, 22);
    ran = 0;
    ck_assert_int_eq(command_dispatch(commands, 2, 2, (char *[]){program, topology, NULL}),
                     EXIT_MISUSE);
    ck_assert_int_eq(command_dispatch(commands, 2, 2, (char *[]){program, file, NULL}),
                     EXIT_MISUSE);
    ck_assert_int_eq(command_dispatch(commands, 2, 1, (char *[]){program, NULL}), EXIT_MISUSE);
    ck_assert_int_eq(command_dispatch(commands, 2, 2, (char *[]){program, help, NULL}), 0);
    ck_assert_int_eq(ran, 0);
}
END_TEST

START_TEST(an_option_is_given_again_and_again)
{
    char words[][16] = {"it",     "--where", "a=1",     "F",     "--where=b=2",
                        "--name", "n",       "--where", "--json"};
    char *argv[MR_COUNT(words)];
    struct target target = {0};
    struct args args;
    int exit_code = -1;

    for (size_t i = 0; i < MR_COUNT(words); i++) {
        argv[i] = words[i];
    }
    ck_assert(args_parse(&spec, 9, argv, &target, &args, &exit_code));
    ck_assert_uint_eq(target.wheres.count, 3);
    ck_assert_str_eq(target.wheres.items[0], "a=1");
    ck_assert_str_eq(target.wheres.items[1], "b=2");
    ck_assert_str_eq(target.wheres.items[2], "--json");
    ck_assert_uint_eq(args.positional_count, 1);
    ck_assert(!args_parse(&spec, 8, argv, &target, &args, &exit_code)); /* its value is missing */
    ck_assert_int_eq(exit_code, EXIT_MISUSE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("args");
    TCase *tcase = tcase_create("args");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_command_line_is_read_or_refused, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, help_lists_every_option);
    tcase_add_test(tcase, a_command_is_found_by_its_words);
    tcase_add_test(tcase, an_option_is_given_again_and_again);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
