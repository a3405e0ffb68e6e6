/*
 * Goal:   a misspelt name is answered with the one that was meant, a wrong one with what there is.
 * Method: a table of wanted names against a fixed set.
 */
#include "millrace/status.h"
#include "suggest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *why;
    const char *wanted;
    const char *text;
} rows[] = {
    {"one letter missing", "ordrs", ", did you mean \"orders\"?"},
    {"two letters swapped", "odrers", ", did you mean \"orders\"?"},
    {"other case", "Trades", ", did you mean \"trades\"?"},
    {"nothing near", "balances", "; known: orders, trades, book"},
    {"short names are not all alike", "xy", "; known: orders, trades, book"},
    {"empty", "", "; known: orders, trades, book"},
};

START_TEST(the_nearest_name_is_offered)
{
    const struct row *row = &rows[_i];
    struct suggest suggest;

    suggest_init(&suggest, row->wanted);
    suggest_offer(&suggest, "orders");
    suggest_offer(&suggest, "trades");
    suggest_offer(&suggest, "book");
    ck_assert_msg(strcmp(suggest_text(&suggest), row->text) == 0, "%s: %s", row->why, suggest.text);
}
END_TEST

START_TEST(no_candidates_give_no_words)
{
    struct suggest suggest;

    suggest_init(&suggest, "a");
    ck_assert_str_eq(suggest_text(&suggest), "");
}
END_TEST

START_TEST(many_candidates_are_cut)
{
    struct suggest suggest;

    suggest_init(&suggest, "zzzzzzzz");
    for (int i = 0; i < 100; i++) {
        suggest_offer(&suggest, "candidate");
    }
    const char *text = suggest_text(&suggest);
    ck_assert_str_eq(text + strlen(text) - 5, ", ...");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("suggest");
    TCase *tcase = tcase_create("suggest");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, the_nearest_name_is_offered, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, no_candidates_give_no_words);
    tcase_add_test(tcase, many_candidates_are_cut);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
