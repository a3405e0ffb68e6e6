/*
 * Goal:   a file that is no topology, or is meant to do harm, is refused at its place, soon and
 * without much memory. Method: a table of texts that are written by a function, because they are
 * large or hold bytes that C strings cannot; each row in a process of its own with a bound on its
 * CPU time (a quadratic step takes many seconds on these) and on its memory.
 */
#include "fake_catalog.h"
#include "millrace/buffer.h"
#include "tree.h"

#include <check.h>
#include <stdlib.h>
#include <sys/resource.h>

#define CPU_SECONDS_MAX 10 /* a sanitizer needs one or two of them */
#define SECONDS_MAX 100
#define MEMORY_KB_MAX (512L << 10) /* a sanitizer takes its share of it */

static void add(struct mr_buffer *out, const char *text)
{
    mr_buffer_append(out, text, strlen(text));
}

static void ten_megabytes(struct mr_buffer *out)
{
    while (out->len < (size_t)10 << 20) {
        add(out, "# ten megabytes of nothing\n");
    }
}

static void anchor_bomb(struct mr_buffer *out)
{
    add(out, "a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (char c = 'b'; c < 'j'; c++) {
        mr_buffer_printf(out, "%c: &%c [*%c, *%c, *%c, *%c, *%c]\n", c, c, c - 1, c - 1, c - 1,
                         c - 1, c - 1);
    }
}

static void deep_lists(struct mr_buffer *out)
{
    for (int i = 0; i < 1000000; i++) {
        add(out, "[");
    }
}

static void deep_blocks(struct mr_buffer *out)
{
    for (int i = 0; i < 100000; i++) {
        add(out, "- ");
    }
}

static void many_keys(struct mr_buffer *out)
{
    for (int i = 0; i < 90000; i++) {
        mr_buffer_printf(out, "key-number-%d: 1\n", i);
    }
}

static void the_same_key(struct mr_buffer *out)
{
    for (int i = 0; i < 50000; i++) {
        add(out, "a: 1\n");
    }
}

static void many_values(struct mr_buffer *out)
{
    add(out, "a: [");
    for (int i = 0; i < 1000000; i++) {
        add(out, "1,");
    }
    add(out, "]\n");
}

static void many_stages(struct mr_buffer *out)
{
    add(out, "application: x\nstages:\n");
    for (int i = 0; i < 20000; i++) {
        mr_buffer_printf(out, "  stage-number-%d: {type: nothing}\n", i);
    }
}

static void many_wrong_references(struct mr_buffer *out)
{
    add(out, "application: x\ntopics:\n");
    for (int i = 0; i < 9000; i++) {
        mr_buffer_printf(out, "  topic-number-%d: {key: userId, value: Order}\n", i);
    }
    add(out, "stages:\n");
    for (int i = 0; i < 1000; i++) {
        mr_buffer_printf(
            out, "  s%d: {type: book, in: {orders: topic-nomber-%d}, out: {fills: x}}\n", i, i);
    }
    add(out, "groups: {g: {stages: [s0]}}\n");
}

static void many_directives(struct mr_buffer *out)
{
    for (int i = 0; i < 200000; i++) {
        mr_buffer_printf(out, "%%TAG !%d! x\n", i);
    }
}

static void many_variables(struct mr_buffer *out)
{
    add(out, "a: \"");
    for (int i = 0; i < 500000; i++) {
        add(out, "${PATH}");
    }
    add(out, "\"\n");
}

static void one_long_value(struct mr_buffer *out)
{
    add(out, "application: ");
    for (int i = 0; i < 3000000; i++) {
        add(out, "x");
    }
}

static void one_long_key(struct mr_buffer *out)
{
    add(out, "? ");
    for (int i = 0; i < 3000000; i++) {
        add(out, "k");
    }
    add(out, "\n: 1\n");
}

static void nul_byte(struct mr_buffer *out)
{
    mr_buffer_append(out, "a: b\nc: \0d\n", 11);
}

static void half_a_character(struct mr_buffer *out)
{
    add(out, "a: b\nname: caf\xc3");
}

static void overlong(struct mr_buffer *out)
{
    add(out, "a: \xc0\xaf\n");
}

static void utf16(struct mr_buffer *out)
{
    mr_buffer_append(out,
                     "\xff\xfe"
                     "a\0:\0 \0b\0",
                     10);
}

static void escape_sequence(struct mr_buffer *out)
{
    add(out, "a: b\nx: \x1b[2J\n");
}

static void escaped_escape_sequence(struct mr_buffer *out)
{
    add(out, "application: x\n\"\\e[2Jhello\": 1\ntopics: {}\nstages: {}\ngroups: {}\n");
}

static void tab_in_crlf(struct mr_buffer *out)
{
    add(out, "application: x\r\ntopics:\r\n\torders: {}\r\n");
}

static void wrong_kinds(struct mr_buffer *out)
{
    add(out, "application: [x]\nkafka: 1\nregistry: [a]\ndefaults: x\ntopics: [a]\nstages: 1\n"
             "groups: x\nconnectors: [1]\n");
}

static void unclosed(struct mr_buffer *out)
{
    add(out, "application: x\ntopics: {a: {key: b,\nstages:\n");
}

static void a_colon_in_a_value(struct mr_buffer *out)
{
    add(out, "application: x\nregistry:\n  url: a: b\n");
}

static const struct row {
    const char *why;
    void (*write)(struct mr_buffer *out);
    int line, column;
    const char *words;
} rows[] = {
    {"more bytes than any topology", ten_megabytes, 1, 1, "larger than 4194304 bytes"},
    {"lists of lists by alias would be millions", anchor_bomb, 2, 8, "aliases (*name)"},
    {"a million open lists", deep_lists, 1, 13, "nested deeper than 12 levels"},
    {"the same in blocks", deep_blocks, 1, 25, "nested deeper than 12 levels"},
    {"each key compared with each before", many_keys, 1, 1, "unknown key \"key-number-0\""},
    {"and told each time", the_same_key, 2, 1, "given twice, first in line 1"},
    {"a tree of a million nodes", many_values, 1, 200001, "more than 100000 values"},
    {"each stage compared with each", many_stages, 1003, 22, "more than 1000 stages"},
    {"each wrong name compared with each right one", many_wrong_references, 9004, 33,
     "no topic \"topic-nomber-0\" under topics, did you mean \"topic-number-0\"?"},
    {"libyaml compares each with each", many_directives, 1, 1, "a directive (%) is not accepted"},
    {"a few bytes stand for kilobytes", many_variables, 1, 5, "longer than 65536 bytes"},
    {"a value of megabytes", one_long_value, 1, 14, "longer than 65536 bytes"},
    {"a name of megabytes, cut in the message", one_long_key, 1, 3, "unknown key \"kkkk"},
    {"a NUL ends a C string", nul_byte, 2, 4, "a NUL byte: remove it"},
    {"a character that is cut off", half_a_character, 2, 10, "no UTF-8: save the file as UTF-8"},
    {"a slash in two bytes", overlong, 1, 4, "no UTF-8"},
    {"what Windows calls Unicode", utf16, 1, 1, "UTF-16: save the file as UTF-8"},
    {"bytes that command a terminal", escape_sequence, 2, 4, "a control character"},
    {"the same through YAML's escapes", escaped_escape_sequence, 2, 1, "unknown key \"?[2Jhello\""},
    {"a tab behind a line that ends in CRLF", tab_in_crlf, 3, 1, "a tab: indent with spaces"},
    {"every section of a wrong kind", wrong_kinds, 2, 8, "kafka is a value and must be a map"},
    {"a bracket that stays open", unclosed, 4, 1, "or a [ or { before it is not closed"},
    {"a colon that makes a map", a_colon_in_a_value, 3, 9, "put the value in quotes"},
};

START_TEST(it_is_refused_at_its_place)
{
    const struct row *row = &rows[_i];
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};
    const struct rlimit cpu = {.rlim_cur = CPU_SECONDS_MAX, .rlim_max = CPU_SECONDS_MAX};
    struct rusage usage;
    bool found = false;

    ck_assert_int_eq(setrlimit(RLIMIT_CPU, &cpu), 0);
    row->write(&text);
    ck_assert_msg(mr_topology_load_text("t.yaml", mr_buffer_slice(&text), &fake_catalog, &topology,
                                        &problems, &err) == MR_CONFIG,
                  "%s: accepted", row->why);
    for (size_t i = 0; i < problems.count; i++) {
        const struct mr_problem *p = &problems.items[i];
        found = found || (p->position.line == row->line && p->position.column == row->column &&
                          strstr(p->text, row->words) != NULL);
    }
    ck_assert_msg(found, "%s: of %zu the first is %d:%d: %.200s", row->why, problems.count,
                  problems.items[0].position.line, problems.items[0].position.column,
                  problems.items[0].text);
    ck_assert_msg(problems.count <= 200, "%s: %zu problems", row->why, problems.count);
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    ck_assert_msg(usage.ru_maxrss < MEMORY_KB_MAX, "%s: %ld KiB", row->why, usage.ru_maxrss);
    mr_problems_fini(&problems);
    mr_buffer_fini(&text);
}
END_TEST

START_TEST(how_lines_end_and_a_mark_change_nothing)
{
    static const char *const texts[] = {"a: b\nc:\n  d: e\n", "a: b\r\nc:\r\n  d: e\r\n",
                                        "\xef\xbb\xbf"
                                        "a: b\nc:\n  d: e\n",
                                        "\xef\xbb\xbf"
                                        "a: b\r\nc:\r\n  d: e"};

    for (size_t i = 0; i < MR_COUNT(texts); i++) {
        struct mr_arena *arena = mr_arena_create(4096);
        struct problem_list list = {.file = "t"};
        const struct node *root = tree_read(mr_slice_str(texts[i]), arena, &list);
        ck_assert_ptr_nonnull(root);
        ck_assert_uint_eq(list.count, 0);
        const struct node *c = tree_get(root, "c");
        ck_assert_str_eq(tree_get(c, "d")->text, "e");
        ck_assert_int_eq(c->entries[0].position.line, 3);
        ck_assert_int_eq(c->entries[0].position.column, 3);
        ck_assert_int_eq(root->entries[0].position.column, 1);
        mr_arena_destroy(&arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile topologies");
    TCase *tcase = tcase_create("hostile");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(tcase, SECONDS_MAX);
    tcase_add_loop_test(tcase, it_is_refused_at_its_place, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, how_lines_end_and_a_mark_change_nothing);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
