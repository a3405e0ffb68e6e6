/*
 * Goal:   a file laid over others says what it says and keeps the rest; every position names the
 * file in which the thing stands; an include that cannot be is named where it is written.
 * Method: files in a directory of the test's own: a base, and a table of overlays with the problem
 * that must come out, or what a value became.
 */
#include "fake_catalog.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char base[] = "application: shop\n"
                           "defaults: {partitions: 4, replication: 3}\n"
                           "topics:\n"
                           "  orders: {key: userId, value: Order}\n"
                           "  good: {key: userId, value: Order}\n"
                           "  prices: {key: symbol, value: Price, cleanup: compact}\n"
                           "  fills: {key: userId, value: Fill}\n"
                           "stages:\n"
                           "  check:\n"
                           "    type: check\n"
                           "    in: {orders: orders, prices: {table: prices}}\n"
                           "    out: {good: good}\n"
                           "    options: {window: 1h, intervals: [1m, 5m]}\n"
                           "  book: {type: book, in: {orders: good}, out: {fills: fills}}\n"
                           "groups:\n"
                           "  all: {stages: [check, book]}\n"
                           "connectors:\n"
                           "  shelf-fills: {type: shelf, in: fills, options: {uri: x}}\n";

static char directory[] = "/tmp/millrace-include-XXXXXX";
static struct mr_topology *topology;
static struct mr_problems problems;
static struct mr_err err;

static const char *in_directory(const char *name)
{
    static char path[4][160];
    static size_t next = 0;

    next = (next + 1) % MR_COUNT(path);
    (void)snprintf(path[next], sizeof(path[next]), "%s/%s", directory, name);
    return path[next];
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_directory(name), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
    (void)snprintf(directory, sizeof(directory), "/tmp/millrace-include-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(mkdir(in_directory("sub"), 0700), 0);
    write_file("base.yaml", base);
}

static void tear_down(void)
{
    char command[128];

    mr_problems_fini(&problems);
    mr_topology_destroy(&topology);
    (void)snprintf(command, sizeof(command), "rm -r -- %.60s", directory);
    ck_assert_int_eq(system(command), 0);
}

static enum mr_status load(const char *name)
{
    mr_problems_fini(&problems);
    mr_topology_destroy(&topology);
    return mr_topology_load_file(in_directory(name), &fake_catalog, &topology, &problems, &err);
}

static void load_good(const char *name)
{
    ck_assert_msg(load(name) == MR_OK, "%s", err.text);
}

static const struct mr_topic *topic(const char *name)
{
    const size_t at = mr_topology_find_topic(topology, name);

    ck_assert_msg(at != SIZE_MAX, "no topic %s", name);
    return &topology->topics[at];
}

static bool ends_in(const char *text, const char *end)
{
    const size_t len = strlen(text);

    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

START_TEST(the_including_file_wins)
{
    write_file("t.yaml", "include: base.yaml\n"
                         "application: other\n"
                         "defaults: {replication: 1}\n"
                         "topics: {fills: {retention: 1h}, more: {key: userId, value: Fill}}\n"
                         "stages: {check: {options: {intervals: [1h]}}}\n"
                         "connectors: {shelf-fills: ~}\n");
    load_good("t.yaml");
    ck_assert_str_eq(topology->application, "other");
    ck_assert_int_eq(topology->defaults.replication, 1);
    ck_assert_int_eq(topology->defaults.partitions, 4);
    ck_assert_int_eq(topic("fills")->retention_us, MR_HOUR_US);
    ck_assert_str_eq(topic("fills")->key, "userId");
    ck_assert_uint_eq(topology->connector_count, 0);
    const struct mr_stage_node *check = &topology->stages[0];
    const struct fake_check_options *options = check->options;
    ck_assert_str_eq(check->name, "check");
    ck_assert_uint_eq(options->intervals.count, 1); /* a list is replaced, not merged */
    ck_assert_int_eq(options->window_us, MR_HOUR_US);
    /* The base's order, then what is new. */
    ck_assert_str_eq(topology->topics[0].name, "orders");
    ck_assert_str_eq(topology->topics[4].name, "more");
}
END_TEST

START_TEST(a_part_keeps_the_place_that_says_it)
{
    write_file("t.yaml", "include: base.yaml\ntopics:\n  more: {key: userId, value: Fill}\n"
                         "  fills: {retention: 1h}\n");
    load_good("t.yaml");
    ck_assert(ends_in(topology->file, "/t.yaml"));
    ck_assert(ends_in(topic("more")->position.file, "/t.yaml"));
    ck_assert_int_eq(topic("more")->position.line, 3);
    ck_assert(ends_in(topic("fills")->position.file, "/base.yaml"));
    ck_assert_int_eq(topic("fills")->position.line, 7);
}
END_TEST

START_TEST(later_files_win_and_paths_start_where_they_stand)
{
    write_file("sub/mid.yaml",
               "include: ../base.yaml\ndefaults: {partitions: 5, replication: 2}\n");
    write_file("sub/late.yaml", "defaults: {partitions: 7}\n");
    write_file("t.yaml", "include: [sub/mid.yaml, sub/late.yaml]\n");
    load_good("t.yaml");
    ck_assert_int_eq(topology->defaults.partitions, 7);
    ck_assert_int_eq(topology->defaults.replication, 2);
    ck_assert_int_eq(setenv("MR_TEST_BASE", "sub/mid", 1), 0);
    write_file("t.yaml", "include: \"${MR_TEST_BASE}.yaml\"\n");
    load_good("t.yaml");
    ck_assert_int_eq(topology->defaults.partitions, 5);
}
END_TEST

START_TEST(a_text_includes_from_its_names_directory)
{
    ck_assert_msg(mr_topology_load_text(in_directory("none.yaml"),
                                        mr_slice_str("include: base.yaml\napplication: text\n"),
                                        &fake_catalog, &topology, &problems, &err) == MR_OK,
                  "%s", err.text);
    ck_assert_str_eq(topology->application, "text");
}
END_TEST

/* Overlays in t.yaml that are wrong, with the file and the place that must be named. */
static const struct row {
    const char *why;
    const char *text;
    const char *file;
    int line, column;
    const char *words;
} rows[] = {
    {"no such file", "include: bas.yaml\n", "t.yaml", 1, 10, "there is no file"},
    {"a directory", "include: sub\n", "t.yaml", 1, 10, "is no file"},
    {"not a path", "include: {a: b}\n", "t.yaml", 1, 10, "include is the path of a file"},
    {"nothing", "include:\n", "t.yaml", 1, 9, "include is the path of a file"},
    {"one of a list", "include: [base.yaml, [a]]\n", "t.yaml", 1, 22, "is the path of a file"},
    {"itself", "include: t.yaml\n", "t.yaml", 1, 10, "a circle: "},
    {"itself by another name", "include: sub/../t.yaml\n", "t.yaml", 1, 10, "a circle: "},
    {"a circle of two", "include: circle.yaml\n", "circle.yaml", 2, 10, "a circle: "},
    {"no YAML in it", "include: broken.yaml\n", "broken.yaml", 2, 1, "not YAML"},
    {"a list in it", "include: list.yaml\n", "list.yaml", 1, 1, "a list and must be a map"},
    {"the base's own mistake", "include: base.yaml\ntopics: {good: {value: Fill}}\n", "base.yaml",
     12, 17, "port good carries Order, topic good carries Fill"},
    {"the overlay's mistake", "include: base.yaml\ntopics: {good: {value: Ordr}}\n", "t.yaml", 2,
     24, "did you mean \"Order\"?"},
    {"a key nobody knows", "include: base.yaml\nstage: {}\n", "t.yaml", 2, 1,
     "unknown key \"stage\" of a topology, did you mean \"stages\"?"},
    {"include misspelt", "inclde: base.yaml\n", "t.yaml", 1, 1, "did you mean \"include\"?"},
    {"a stage misspelt", "include: base.yaml\nstages: {chek: {options: {window: 2h}}}\n", "t.yaml",
     2, 10, "the stage has no \"type\", did you mean \"check\"?"},
    {"a topic misspelt", "include: base.yaml\ntopics: {fils: {retention: 1h}}\n", "t.yaml", 2, 10,
     "the topic has no \"key\", did you mean \"fills\"?"},
    {"a group misspelt", "include: base.yaml\ngroups: {al: {workers: 2}}\n", "t.yaml", 2, 10,
     "stages: [a, b], did you mean \"all\"?"},
    {"a connector misspelt", "include: base.yaml\nconnectors: {shelf-fils: {in: fills}}\n",
     "t.yaml", 2, 14, "did you mean \"shelf-fills\"?"},
    {"what is not there cannot go", "include: base.yaml\nstages: {chek: ~}\n", "t.yaml", 2, 10,
     "removes nothing: no included file has it here, did you mean \"check\"?"},
    {"neither kept nor removed", "include: base.yaml\nconnectors:\n  shelf-fills:\n", "t.yaml", 3,
     3, "write ~ to remove it"},
    {"a stage removed that a group names", "include: base.yaml\nstages: {book: null}\n",
     "base.yaml", 16, 25, "no stage \"book\" under stages: "},
    {"a topic removed that a stage writes", "include: base.yaml\ntopics: {fills: ~}\n", "base.yaml",
     14, 55, "no topic \"fills\" under topics: "},
};

START_TEST(a_mistake_is_named_in_its_file)
{
    const struct row *row = &rows[_i];
    bool found = false;

    write_file("circle.yaml", "# a comment\ninclude: t.yaml\n");
    write_file("broken.yaml", "a: b\n\tc: d\n");
    write_file("list.yaml", "[a]\n");
    write_file("t.yaml", row->text);
    ck_assert_msg(load("t.yaml") == MR_CONFIG, "%s: accepted", row->why);
    for (size_t i = 0; i < problems.count; i++) {
        const struct mr_problem *p = &problems.items[i];
        found = found || (ends_in(p->file, row->file) && p->position.line == row->line &&
                          p->position.column == row->column && strstr(p->text, row->words) != NULL);
    }
    ck_assert_msg(found, "%s: first of %zu: %s", row->why, problems.count, err.text);
}
END_TEST

START_TEST(how_deep_and_how_many_is_bounded)
{
    char name[32];
    char text[64];

    for (int i = 0; i < 9; i++) {
        (void)snprintf(name, sizeof(name), "deep%d.yaml", i);
        (void)snprintf(text, sizeof(text), "include: deep%d.yaml\n", i + 1);
        write_file(name, text);
    }
    write_file("deep7.yaml", "include: base.yaml\n");
    ck_assert_int_eq(load("deep0.yaml"), MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "deep7.yaml:1:10: included through more than 8 files"));
    load_good("deep1.yaml");

    /* Each level twice is 2^6 files. */
    for (int i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof(name), "deep%d.yaml", i);
        (void)snprintf(text, sizeof(text), "include: [deep%d.yaml, deep%d.yaml]\n", i + 1, i + 1);
        write_file(name, text);
    }
    write_file("deep6.yaml", base);
    ck_assert_int_eq(load("deep0.yaml"), MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "more than 32 files are included"));
    load_good("deep3.yaml"); /* the same file twice is no circle */
}
END_TEST

START_TEST(bytes_of_all_files_count_together)
{
    FILE *file = fopen(in_directory("large.yaml"), "w");

    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 3 << 20; i += 32) {
        ck_assert_int_ge(fputs("# thirty-two bytes of a comment\n", file), 0);
    }
    ck_assert_int_ge(fputs("defaults: {partitions: 2}\n", file), 0);
    ck_assert_int_eq(fclose(file), 0);
    write_file("t.yaml", "include: [base.yaml, large.yaml]\n");
    load_good("t.yaml");
    write_file("t.yaml", "include: [large.yaml, base.yaml, large.yaml]\n");
    ck_assert_int_eq(load("t.yaml"), MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "t.yaml:1:34: with "));
    ck_assert_ptr_nonnull(strstr(err.text, "more than 4194304 bytes altogether"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology includes");
    TCase *tcase = tcase_create("include");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_including_file_wins);
    tcase_add_test(tcase, a_part_keeps_the_place_that_says_it);
    tcase_add_test(tcase, later_files_win_and_paths_start_where_they_stand);
    tcase_add_test(tcase, a_text_includes_from_its_names_directory);
    tcase_add_loop_test(tcase, a_mistake_is_named_in_its_file, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, how_deep_and_how_many_is_bounded);
    tcase_add_test(tcase, bytes_of_all_files_count_together);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
