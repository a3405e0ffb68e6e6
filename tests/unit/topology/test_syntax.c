/*
 * Goal:   what is no YAML, or YAML we do not take, is named with its position; variables are put
 * in. Method: tables over tree_read and substitute.
 */
#include "substitute.h"

#include <check.h>
#include <stdlib.h>

static const struct row {
    const char *why;
    const char *text;
    int line, column;
    const char *words;
    bool usable; /* a tree comes out all the same */
} rows[] = {
    {"nothing at all", "", 1, 1, "empty", false},
    {"only a comment", "# hello\n", 1, 1, "empty", false},
    {"open bracket", "a: [b\nc: d\n", 2, 2, "not YAML", false},
    {"tab as indent", "a:\n\tb: c\n", 2, 1, "not YAML", false},
    {"no UTF-8", "a: \xff\n", 1, 4, "no UTF-8", false},
    {"alias", "a: &x b\nc: *x\n", 2, 4, "aliases", false},
    {"two documents", "a: b\n---\nc: d\n", 2, 1, "second document", false},
    {"key that is a map", "? {a: b}\n: c\n", 1, 3, "a key must be a plain text", false},
    {"too deep", "[[[[[[[[[[[[[[1]]]]]]]]]]]]]]", 1, 13, "nested deeper than 12", false},
    {"NUL in a text", "a: \"b\\0c\"\n", 1, 4, "NUL", false},
    {"same key twice", "a: b\nc: d\na: e\n", 3, 1, "given twice, first in line 1", true},
};

START_TEST(a_file_we_do_not_take_is_named)
{
    const struct row *row = &rows[_i];
    struct mr_arena *arena = mr_arena_create(4096);
    struct problem_list list = {.file = "t"};
    struct mr_problems problems;
    const struct node *root = tree_read(mr_slice_str(row->text), arena, &list);

    problems_take(&list, &problems);
    ck_assert_msg(problems.count == 1, "%s: %zu problems", row->why, problems.count);
    const struct mr_problem *p = &problems.items[0];
    ck_assert_msg(strstr(p->text, row->words) != NULL, "%s: %s", row->why, p->text);
    ck_assert_msg(p->position.line == row->line && p->position.column == row->column,
                  "%s: at %d:%d", row->why, p->position.line, p->position.column);
    ck_assert_msg((root != NULL) == row->usable, "%s", row->why);
    mr_problems_fini(&problems);
    mr_arena_destroy(&arena);
}
END_TEST

START_TEST(every_node_remembers_its_place)
{
    struct mr_arena *arena = mr_arena_create(4096);
    struct problem_list list = {.file = "t"};
    const struct node *root =
        tree_read(mr_slice_str("a: 1\nb:\n  - x\n  - {c: \"q\"}\nn: ~\n"), arena, &list);

    ck_assert_ptr_nonnull(root);
    const struct node *b = tree_get(root, "b");
    ck_assert_int_eq(b->kind, NODE_LIST);
    ck_assert_uint_eq(b->count, 2);
    ck_assert_int_eq(b->entries[1].value->position.line, 4);
    ck_assert_int_eq(b->entries[1].value->position.column, 5);
    ck_assert_str_eq(tree_get(b->entries[1].value, "c")->text, "q");
    ck_assert(tree_get(root, "n")->nothing);
    ck_assert_ptr_null(tree_get(root, "z"));
    ck_assert_ptr_null(tree_get(b, "a"));
    mr_arena_destroy(&arena);
}
END_TEST

static const struct subst {
    const char *why;
    const char *text;
    const char *result;
} substs[] = {
    {"nothing to do", "a $b {c}", "a $b {c}"},
    {"set", "${MR_TEST_SET}", "value"},
    {"set beats fallback", "x${MR_TEST_SET:-y}z", "xvaluez"},
    {"unset takes fallback", "${MR_TEST_UNSET:-a:b-c}", "a:b-c"},
    {"empty takes fallback, as in a shell", "${MR_TEST_EMPTY:-f}", "f"},
    {"empty fallback", "${MR_TEST_UNSET:-}", ""},
    {"two in one text", "${MR_TEST_SET}${MR_TEST_UNSET:-2}", "value2"},
    {"escaped", "$${MR_TEST_SET}", "${MR_TEST_SET}"},
    {"what came in is not looked at again", "${MR_TEST_NESTED}", "${MR_TEST_SET}"},
};

START_TEST(a_variable_is_put_in)
{
    const struct subst *row = &substs[_i];
    struct mr_arena *arena = mr_arena_create(4096);
    struct problem_list list = {.file = "t"};

    ck_assert_int_eq(setenv("MR_TEST_SET", "value", 1), 0);
    ck_assert_int_eq(setenv("MR_TEST_EMPTY", "", 1), 0);
    ck_assert_int_eq(setenv("MR_TEST_NESTED", "${MR_TEST_SET}", 1), 0);
    ck_assert_int_eq(unsetenv("MR_TEST_UNSET"), 0);
    const char *out =
        substitute(row->text, (struct mr_position){.line = 1, .column = 1}, arena, &list);
    ck_assert_msg(strcmp(out, row->result) == 0, "%s: %s", row->why, out);
    ck_assert_uint_eq(list.count, 0);
    mr_arena_destroy(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology syntax");
    TCase *tcase = tcase_create("syntax");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_file_we_do_not_take_is_named, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, every_node_remembers_its_place);
    tcase_add_loop_test(tcase, a_variable_is_put_in, 0, (int)MR_COUNT(substs));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
