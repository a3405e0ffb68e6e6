/*
 * Goal:   check, graph, describe and options print what the topology and the tables say, and end
 * with the right code. Method: files in a directory of the test's own; stdout and stderr are read
 * back from files there.
 */
#include "catalog.h"
#include "codes_doc.h"
#include "command.h"
#include "editor_schema.h"
#include "fake_catalog.h"
#include "graph.h"
#include "options_doc.h"

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct mr_catalog *mr_cli_catalog(void)
{
    return &fake_catalog;
}

static const char good[] = "application: shop\n"
                           "defaults: {partitions: 3, replication: 1}\n"
                           "topics:\n"
                           "  orders: {key: userId, value: Order}\n"
                           "  good: {key: userId, value: Order}\n"
                           "  prices: {key: symbol, value: Price, cleanup: compact}\n"
                           "  fills: {key: userId, value: Fill}\n"
                           "stages:\n"
                           "  first: {type: check, in: {orders: orders, prices: {table: prices}},\n"
                           "          out: {good: good}}\n"
                           "  book: {type: book, in: {orders: good}, out: {fills: fills}}\n"
                           "groups:\n"
                           "  all: {stages: [first, book]}\n"
                           "connectors:\n"
                           "  shelf-fills: {type: shelf, in: fills, options: {uri: u}}\n";

static char directory[32];
static char file[64];
static char out_path[64];
static char text[16384];

static void set_up(void)
{
    (void)snprintf(directory, sizeof(directory), "/tmp/millrace-cli-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(file, sizeof(file), "%s/t.yaml", directory);
    (void)snprintf(out_path, sizeof(out_path), "%s/out", directory);
}

static void tear_down(void)
{
    (void)unlink(file);
    (void)unlink(out_path);
    ck_assert_int_eq(rmdir(directory), 0);
}

static void write_file(const char *content)
{
    FILE *f = fopen(file, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(content, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

/* Runs a command on the file; what it printed stands in `text`. */
static int run(const struct command *command, const char *option)
{
    char word[32] = "x";
    char more[32];
    char *argv[] = {word, file, more, NULL};
    const int saved_out = dup(STDOUT_FILENO);
    const int saved_err = dup(STDERR_FILENO);
    const int fd = open(out_path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    (void)snprintf(more, sizeof(more), "%s", option != NULL ? option : "");
    (void)fflush(stdout);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    const int code = command->run(option != NULL ? 3 : 2, argv);
    (void)fflush(stdout);
    (void)dup2(saved_out, STDOUT_FILENO);
    (void)dup2(saved_err, STDERR_FILENO);
    const ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(got, 0);
    text[got] = '\0';
    ck_assert_int_eq(close(fd) | close(saved_out) | close(saved_err), 0);
    return code;
}

START_TEST(a_right_file_is_called_right)
{
    write_file(good);
    ck_assert_int_eq(run(&command_topology_check, NULL), 0);
    ck_assert_ptr_nonnull(
        strstr(text, "t.yaml: right: 2 stages in 1 groups, 1 connectors, 9 topics"));
}
END_TEST

START_TEST(every_problem_is_printed_and_the_code_is_two)
{
    write_file("application: shop\ntopics: {a: {key: x, value: Ordr}}\nnix: 1\n");
    ck_assert_int_eq(run(&command_topology_check, NULL), EXIT_MISUSE);
    ck_assert_ptr_nonnull(strstr(text, "t.yaml:2:29: no schema \"Ordr\", did you mean \"Order\"?"));
    ck_assert_ptr_nonnull(strstr(text, "t.yaml:3:1: unknown key \"nix\""));
    ck_assert_ptr_nonnull(strstr(text, "t.yaml: 4 problems\n"));
}
END_TEST

START_TEST(problems_as_json_are_json)
{
    json_error_t error;

    write_file("application: shop\ntopics: {a: {key: x, value: Ordr}}\nnix: 1\n");
    ck_assert_int_eq(run(&command_topology_check, "--json"), EXIT_MISUSE);
    json_t *root = json_loads(text, 0, &error);
    ck_assert_ptr_nonnull(root);
    ck_assert(json_is_false(json_object_get(root, "right")));
    const json_t *problems = json_object_get(root, "problems");
    ck_assert_uint_eq(json_array_size(problems), 4);
    const json_t *schema = json_array_get(problems, 2);
    ck_assert_int_eq(json_integer_value(json_object_get(schema, "line")), 2);
    ck_assert_str_eq(json_string_value(json_object_get(schema, "file")), file);
    ck_assert_ptr_null(json_object_get(root, "subjects")); /* nothing was asked */
    json_decref(root);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_a_problem)
{
    ck_assert_int_eq(run(&command_topology_graph, NULL), EXIT_MISUSE);
    ck_assert_ptr_nonnull(strstr(text, "t.yaml: cannot be read"));
}
END_TEST

START_TEST(mermaid_shows_every_declared_edge)
{
    static const char *const lines[] = {
        "flowchart LR\n",
        "t0[(\"orders<br/><small>Order</small>\")]",
        "subgraph g0[\"group all\"]",
        "s0[\"first\"]",
        "t0 -->|orders| s0",  /* from the log */
        "t2 -.->|prices| s0", /* a table */
        "s0 ==>|good| t1",    /* in memory */
        "t1 ==>|orders| s1",
        "s1 -->|fills| t3",
        "c0{{\"shelf-fills\"}}",
        "t3 -->|shelf| c0",
    };

    write_file(good);
    ck_assert_int_eq(run(&command_topology_graph, NULL), 0);
    for (size_t i = 0; i < MR_COUNT(lines); i++) {
        ck_assert_msg(strstr(text, lines[i]) != NULL, "no %s in\n%s", lines[i], text);
    }
    ck_assert_ptr_null(strstr(text, "changelog"));
    ck_assert_ptr_null(strstr(text, "dlq"));
    ck_assert_int_eq(run(&command_topology_graph, "--all"), 0);
    ck_assert_ptr_nonnull(strstr(text, "shop-book-changelog"));
    ck_assert_ptr_nonnull(strstr(text, "shop.shelf-fills.dlq"));
}
END_TEST

START_TEST(dot_shows_the_same)
{
    write_file(good);
    ck_assert_int_eq(run(&command_topology_graph, "--format=dot"), 0);
    ck_assert_ptr_nonnull(strstr(text, "digraph \"shop\" {\n"));
    ck_assert_ptr_nonnull(strstr(text, "subgraph cluster_g0 {"));
    ck_assert_ptr_nonnull(strstr(text, "t2 -> s0 [label=\"prices\", style=dotted];"));
    ck_assert_ptr_nonnull(strstr(text, "s0 -> t1 [label=\"good\", style=bold];"));
    ck_assert_str_eq(text + strlen(text) - 2, "}\n");
}
END_TEST

START_TEST(describe_tells_what_runs_where)
{
    json_error_t error;

    write_file(good);
    ck_assert_int_eq(run(&command_topology_describe, NULL), 0);
    ck_assert_ptr_nonnull(strstr(text, "application shop: exactly once, commit interval 10ms\n"));
    ck_assert_ptr_nonnull(strstr(text, "group all: 3 tasks, 1 replicas x 1 workers\n"
                                       "  consumes orders\n"
                                       "  tables   prices\n"
                                       "  stage first (check)\n"));
    ck_assert_ptr_nonnull(strstr(text, "in  orders         good (in memory)\n"));
    ck_assert_int_eq(run(&command_topology_describe, "--json"), 0);
    json_t *root = json_loads(text, 0, &error);
    ck_assert_ptr_nonnull(root);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "topics")), 9);
    const json_t *first = json_array_get(json_object_get(root, "stages"), 0);
    const json_t *options = json_object_get(first, "options");
    const json_t *out = json_array_get(json_object_get(first, "out"), 0);
    const json_t *reader = json_array_get(json_object_get(out, "readers"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(first, "name")), "first");
    ck_assert_str_eq(json_string_value(json_object_get(first, "changelog")),
                     "shop-first-changelog");
    ck_assert_int_eq(json_integer_value(json_object_get(options, "window")), 24 * MR_HOUR_US);
    ck_assert_int_eq(json_integer_value(json_object_get(options, "velocity")), 50000000);
    ck_assert(json_is_true(json_object_get(options, "strict")));
    ck_assert_str_eq(json_string_value(json_object_get(options, "mode")), "fast");
    ck_assert_uint_eq(json_array_size(json_object_get(options, "intervals")), 1);
    ck_assert_str_eq(json_string_value(json_object_get(reader, "stage")), "book");
    ck_assert_str_eq(json_string_value(json_object_get(reader, "port")), "orders");
    const json_t *at = json_object_get(first, "position");
    ck_assert_str_eq(json_string_value(json_object_get(at, "file")), file);
    ck_assert_int_eq(json_integer_value(json_object_get(at, "line")), 9);
    const json_t *derived = json_array_get(json_object_get(root, "topics"), 8);
    ck_assert(json_is_null(json_object_get(derived, "position")));
    json_decref(root);
}
END_TEST

START_TEST(options_lists_every_table)
{
    struct mr_buffer out = MR_BUFFER_EMPTY;

    options_doc_write(&fake_catalog, &out);
    mr_buffer_append(&out, "", 1);
    const char *doc = (const char *)out.data;
    ck_assert_ptr_nonnull(strstr(doc, "## `defaults`\n"));
    ck_assert_ptr_nonnull(strstr(doc, "| `commit-interval` | duration | 10ms | 1ms .. 1m |"));
    ck_assert_ptr_nonnull(strstr(doc, "| `commit-bytes` | size | 16MiB | 1KiB .. 1GiB |"));
    ck_assert_ptr_nonnull(strstr(doc, "## stage type `check`\n\nlets good orders pass\n"));
    ck_assert_ptr_nonnull(strstr(doc, "- in `prices`: Price, a table\n"));
    ck_assert_ptr_nonnull(strstr(doc, "| `mode` | choice | fast | fast, careful |"));
    ck_assert_ptr_nonnull(strstr(doc, "| `uri` | text | required |  | where it stands |"));
    mr_buffer_fini(&out);
}
END_TEST

/* What run_words printed on stdout stands in `text`. */
static int run_words(const struct command *command, int argc, const char *const *words)
{
    char copies[4][32];
    char *argv[5] = {NULL};
    const int saved_out = dup(STDOUT_FILENO);
    const int fd = open(out_path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (int i = 0; i < argc; i++) {
        (void)snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
        argv[i] = copies[i];
    }
    (void)fflush(stdout);
    (void)dup2(fd, STDOUT_FILENO);
    const int code = command->run(argc, argv);
    (void)fflush(stdout);
    (void)dup2(saved_out, STDOUT_FILENO);
    const ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(got, 0);
    text[got] = '\0';
    ck_assert_int_eq(close(fd) | close(saved_out), 0);
    return code;
}

START_TEST(a_type_is_described_without_a_file)
{
    ck_assert_int_eq(run_words(&command_topology_describe, 2, (const char *[]){"d", "check"}), 0);
    ck_assert_ptr_nonnull(strstr(text, "stage type check: lets good orders pass\n"));
    ck_assert_ptr_nonnull(strstr(text, "  prices             Price              table"));
    ck_assert_ptr_nonnull(strstr(text, "  bad                Fill               stream, optional"));
    ck_assert_ptr_nonnull(strstr(text, "stores\n  seen               State "));
    ck_assert_ptr_nonnull(
        strstr(text, "  window             duration           default 24h, 1s .. 7d\n"));
    ck_assert_int_eq(run_words(&command_topology_describe, 2, (const char *[]){"d", "shelf"}), 0);
    ck_assert_ptr_nonnull(strstr(text, "connector type shelf: puts records on a shelf\n"));
    ck_assert_ptr_nonnull(strstr(text, "writes\n  Order, Fill\n"));
    ck_assert_ptr_nonnull(strstr(text, "  uri                text               required\n"));
    ck_assert_int_eq(run_words(&command_topology_describe, 2, (const char *[]){"d", "chek"}),
                     EXIT_MISUSE);
}
END_TEST

START_TEST(a_type_as_json_has_the_same)
{
    json_error_t error;

    ck_assert_int_eq(
        run_words(&command_topology_describe, 3, (const char *[]){"d", "check", "--json"}), 0);
    json_t *root = json_loads(text, 0, &error);
    ck_assert_msg(root != NULL, "%s", error.text);
    const json_t *in = json_array_get(json_object_get(root, "in"), 1);
    const json_t *window = json_array_get(json_object_get(root, "options"), 0);
    const json_t *mode = json_array_get(json_object_get(root, "options"), 6);
    ck_assert_str_eq(json_string_value(json_object_get(root, "kind")), "stage");
    ck_assert(json_is_true(json_object_get(in, "table")));
    ck_assert_int_eq(json_integer_value(json_object_get(window, "min")), MR_SECOND_US);
    ck_assert_str_eq(json_string_value(json_object_get(window, "default")), "24h");
    ck_assert_uint_eq(json_array_size(json_object_get(mode, "choices")), 2);
    json_decref(root);
    ck_assert_int_eq(
        run_words(&command_topology_describe, 3, (const char *[]){"d", "shelf", "--json"}), 0);
    root = json_loads(text, 0, &error);
    ck_assert_str_eq(json_string_value(json_object_get(root, "kind")), "connector");
    ck_assert_uint_eq(json_array_size(json_object_get(root, "schemas")), 2);
    json_decref(root);
}
END_TEST

/* That the loader agrees with it: tests/topology/test_files.py, on the program's own catalog. */
START_TEST(the_schema_for_editors_has_every_type)
{
    struct mr_buffer out = MR_BUFFER_EMPTY;
    json_error_t error;

    editor_schema_write(&fake_catalog, &out);
    json_t *root = json_loadb((const char *)out.data, out.len, 0, &error);
    ck_assert_msg(root != NULL, "%s", error.text);
    const json_t *whole = json_object_get(json_object_get(root, "definitions"), "whole");
    const json_t *sections = json_object_get(whole, "properties");
    const json_t *stage =
        json_object_get(json_object_get(sections, "stages"), "additionalProperties");
    ck_assert_uint_eq(json_array_size(json_object_get(stage, "allOf")), fake_catalog.stage_count);
    ck_assert_uint_eq(json_array_size(json_object_get(whole, "required")), 4);
    ck_assert_ptr_null(json_object_get(sections, "include"));
    mr_buffer_fini(&out);
    json_decref(root);
}
END_TEST

START_TEST(versions_before_the_latest_need_a_registry)
{
    write_file(good);
    ck_assert_int_eq(run(&command_topology_check, "--transitive"), EXIT_MISUSE);
    ck_assert_ptr_nonnull(strstr(text, "--transitive needs --registry"));
    ck_assert_int_eq(run(&command_topology_check, "--registry"), EXIT_NO);
    ck_assert_ptr_nonnull(strstr(text, "names no registry: {url: ...}"));
}
END_TEST

START_TEST(a_code_is_found_by_number_and_by_name)
{
    static const char *const same[] = {"1103", "PRICE_TICK", "price_tick"};

    for (size_t i = 0; i < MR_COUNT(same); i++) {
        ck_assert_int_eq(run_words(&command_codes, 2, (const char *[]){"codes", same[i]}), 0);
        ck_assert_ptr_nonnull(strstr(text, "1103   PRICE_TICK            validate  price is not"));
        ck_assert_ptr_nonnull(strstr(text, "-> round the price to tickSize\n"));
        ck_assert_ptr_null(strstr(text, "1101"));
    }
    ck_assert_int_eq(run_words(&command_codes, 2, (const char *[]){"codes", "stp"}), 0);
    ck_assert_ptr_nonnull(strstr(text, "STP "));
    ck_assert_int_eq(run_words(&command_codes, 2, (const char *[]){"codes", "1104"}), EXIT_NO);
    ck_assert_int_eq(
        run_words(&command_codes, 3, (const char *[]){"codes", "--json", "--markdown"}),
        EXIT_MISUSE);
}
END_TEST

START_TEST(all_codes_are_listed_and_json_has_the_same)
{
    const struct codes_choice all = codes_all();
    json_error_t error;

    ck_assert_int_eq(run_words(&command_codes, 1, (const char *[]){"codes"}), 0);
    for (size_t i = 0; i < all.code_count; i++) {
        ck_assert_ptr_nonnull(strstr(text, all.codes[i].name));
    }
    ck_assert_int_eq(run_words(&command_codes, 2, (const char *[]){"codes", "--json"}), 0);
    json_t *root = json_loads(text, 0, &error);
    ck_assert_msg(root != NULL, "%s", error.text);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "codes")), all.code_count);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "cancelReasons")), all.reason_count);
    json_decref(root);
    ck_assert_int_eq(run_words(&command_codes, 2, (const char *[]){"codes", "--markdown"}), 0);
    ck_assert_ptr_nonnull(strstr(text, "| 4105 | STOP_TRIGGERS | fill | "));
    ck_assert_ptr_nonnull(strstr(text, "| PRICE_RANGE | "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("commands");
    TCase *tcase = tcase_create("commands");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_right_file_is_called_right);
    tcase_add_test(tcase, every_problem_is_printed_and_the_code_is_two);
    tcase_add_test(tcase, problems_as_json_are_json);
    tcase_add_test(tcase, a_file_that_is_not_there_is_a_problem);
    tcase_add_test(tcase, mermaid_shows_every_declared_edge);
    tcase_add_test(tcase, dot_shows_the_same);
    tcase_add_test(tcase, describe_tells_what_runs_where);
    tcase_add_test(tcase, options_lists_every_table);
    tcase_add_test(tcase, a_type_is_described_without_a_file);
    tcase_add_test(tcase, a_type_as_json_has_the_same);
    tcase_add_test(tcase, the_schema_for_editors_has_every_type);
    tcase_add_test(tcase, versions_before_the_latest_need_a_registry);
    tcase_add_test(tcase, a_code_is_found_by_number_and_by_name);
    tcase_add_test(tcase, all_codes_are_listed_and_json_has_the_same);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
