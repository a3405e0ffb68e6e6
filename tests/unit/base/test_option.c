/*
 * Goal:   an option's text reaches its field, bounds are inclusive and refuse, nothing else is
 * touched. Method: one table of options and texts; the target is compared byte by byte around the
 * field.
 */
#include "millrace/option.h"

#include <check.h>
#include <stdlib.h>

struct target {
    int64_t before;
    int64_t number;
    bool flag;
    const char *text;
    int choice;
    struct mr_durations list;
    int64_t after;
};

static const char *const symbols[] = {"red", "green", NULL};

#define AT(field) .offset = offsetof(struct target, field)
static const struct mr_option bounded = {
    .name = "n", .type = MR_OPTION_INT, AT(number), .min = 1, .max = 3};
static const struct mr_option free_number = {.name = "n", .type = MR_OPTION_INT, AT(number)};
static const struct mr_option span = {
    .name = "d", .type = MR_OPTION_DURATION, AT(number), .min = MR_SECOND_US, .max = MR_MINUTE_US};
static const struct mr_option flag = {.name = "f", .type = MR_OPTION_BOOL, AT(flag)};
static const struct mr_option text_option = {.name = "t", .type = MR_OPTION_STRING, AT(text)};
static const struct mr_option choice = {
    .name = "c", .type = MR_OPTION_ENUM, AT(choice), .symbols = symbols};
static const struct mr_option list = {
    .name = "l", .type = MR_OPTION_DURATIONS, AT(list), .min = MR_SECOND_US, .max = MR_HOUR_US};

static const struct row {
    const char *why;
    const struct mr_option *option;
    const char *text;
    bool good;
    int64_t value; /* number, flag, choice, or count of the list */
} rows[] = {
    {"at min", &bounded, "1", true, 1},
    {"at max", &bounded, "3", true, 3},
    {"below min", &bounded, "0", false, 0},
    {"above max", &bounded, "4", false, 0},
    {"both bounds 0: unbounded", &free_number, "-1000000", true, -1000000},
    {"duration at min", &span, "1s", true, 1000000},
    {"duration at max", &span, "60s", true, 60000000},
    {"duration above max", &span, "61s", false, 0},
    {"true", &flag, "true", true, 1},
    {"false", &flag, "false", true, 0},
    {"yes is not true", &flag, "yes", false, 0},
    {"second choice", &choice, "green", true, 1},
    {"no choice", &choice, "blue", false, 0},
    {"case counts", &choice, "Red", false, 0},
    {"one in a list", &list, "1m", true, 1},
    {"three", &list, "1m,5m,1h", true, 3},
    {"one out of range", &list, "1m,2h", false, 0},
    {"a hole", &list, "1m,,5m", false, 0},
    {"seventeen are too many", &list, "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s", false,
     0},
    {"sixteen are not", &list, "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s", true, 16},
};

START_TEST(a_text_reaches_its_field_or_is_refused)
{
    const struct row *row = &rows[_i];
    struct target target = {.before = 11, .after = 22};
    struct mr_err err = {0};
    const enum mr_status status = mr_option_parse(row->option, row->text, &target, &err);
    int64_t value = target.number;

    ck_assert_msg((status == MR_OK) == row->good, "%s", row->why);
    ck_assert_int_eq(target.before, 11);
    ck_assert_int_eq(target.after, 22);
    if (!row->good) {
        ck_assert_int_eq(status, MR_CONFIG);
        ck_assert_msg(err.text[0] != '\0', "%s", row->why);
        return;
    }
    if (row->option == &flag) {
        value = target.flag;
    } else if (row->option == &choice) {
        value = target.choice;
    } else if (row->option == &list) {
        value = (int64_t)target.list.count;
    }
    ck_assert_msg(value == row->value, "%s", row->why);
}
END_TEST

START_TEST(a_string_is_kept_by_pointer)
{
    static const char text[] = "kept";
    struct target target = {0};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_option_parse(&text_option, text, &target, &err), MR_OK);
    ck_assert_ptr_eq(target.text, text);
}
END_TEST

START_TEST(a_refusal_names_the_option_and_the_range)
{
    struct target target = {0};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_option_parse(&span, "61s", &target, &err), MR_CONFIG);
    ck_assert_str_eq(err.text, "option d: \"61s\" is out of range 1s .. 1m");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("option");
    TCase *tcase = tcase_create("option");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_text_reaches_its_field_or_is_refused, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, a_string_is_kept_by_pointer);
    tcase_add_test(tcase, a_refusal_names_the_option_and_the_range);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
