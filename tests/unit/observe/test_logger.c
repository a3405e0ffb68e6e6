/*
 * Goal:   one event, one line; floods are cut and counted; the JSON form is always JSON.
 * Method: a sink that collects lines and a clock that the test moves.
 */
#include "logger_line.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char last[LOGGER_LINE_BYTES_MAX + 1];
static int lines;
static int64_t now_us;

static void collect(void *arg, const char *line, size_t len)
{
    (void)arg;
    memcpy(last, line, len);
    last[len] = '\0';
    lines++;
}

static int64_t test_clock(void)
{
    return now_us;
}

static void set_up(void)
{
    lines = 0;
    last[0] = '\0';
    now_us = INT64_C(1700000000123456);
    logger_set_sink(collect, NULL);
    logger_set_clock(test_clock);
    logger_set_json(false);
    mr_logger_set_level(MR_LEVEL_INFO);
}

START_TEST(a_line_is_key_value_text)
{
    mr_info("worker.started", "group=%s index=%d", "account", 1);
    ck_assert_str_eq(last, "ts=2023-11-14T22:13:20.123456Z level=info event=worker.started "
                           "group=account index=1\n");
}
END_TEST

START_TEST(a_line_break_in_a_value_does_not_break_the_line)
{
    mr_warn("store.failed", "error=\"%s\"", "a\nb\r\tc");
    ck_assert_ptr_eq(strchr(last, '\n'), last + strlen(last) - 1);
    ck_assert_ptr_nonnull(strstr(last, "error=\"a b  c\""));
}
END_TEST

START_TEST(levels_above_the_chosen_one_are_silent)
{
    mr_debug("quiet", "n=%d", 1);
    ck_assert_int_eq(lines, 0);
    mr_logger_set_level(MR_LEVEL_DEBUG);
    mr_debug("loud", "n=%d", 1);
    ck_assert_int_eq(lines, 1);
    mr_logger_set_level(MR_LEVEL_ERROR);
    mr_warn("quiet", "n=%d", 1);
    ck_assert_int_eq(lines, 1);
}
END_TEST

START_TEST(a_flood_is_cut_at_ten_a_second_and_counted)
{
    for (int i = 0; i < 25; i++) {
        mr_warn("flood", "i=%d", i);
    }
    ck_assert_int_eq(lines, 10);
    mr_warn("other", "i=%d", 1);
    ck_assert_int_eq(lines, 11);
    now_us += 1000000;
    mr_warn("flood", "i=%d", 25);
    ck_assert_int_eq(lines, 12);
    ck_assert_ptr_nonnull(strstr(last, "event=flood suppressed=15 i=25"));
    mr_warn("flood", "i=%d", 26);
    ck_assert_ptr_null(strstr(last, "suppressed"));
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut_and_still_ends)
{
    char *text = calloc(1, 5000);

    memset(text, 'x', 4999);
    mr_error("long", "text=%s", text);
    ck_assert_uint_le(strlen(last), LOGGER_LINE_BYTES_MAX);
    ck_assert_int_eq(last[strlen(last) - 1], '\n');
    logger_set_json(true);
    mr_error("long.json", "text=\"%s\" more=\"%s\"", text, text);
    ck_assert_uint_le(strlen(last), LOGGER_LINE_BYTES_MAX);
    ck_assert_str_eq(last + strlen(last) - 3, "\"}\n");
    free(text);
}
END_TEST

static const struct row {
    const char *why;
    const char *pairs;
    const char *members;
} rows[] = {
    {"no pairs", "", ""},
    {"text and number", "a=b n=12", ",\"a\":\"b\",\"n\":12"},
    {"negative number", "n=-5", ",\"n\":-5"},
    {"leading zeros are text", "n=007", ",\"n\":\"007\""},
    {"a minus alone is text", "n=-", ",\"n\":\"-\""},
    {"too long for a number", "n=1234567890123456789", ",\"n\":\"1234567890123456789\""},
    {"quoted value", "e=\"a b\" n=1", ",\"e\":\"a b\",\"n\":1"},
    {"quoted digits stay text", "e=\"12\"", ",\"e\":\"12\""},
    {"quotes inside", "e=\"say \"hi\" now\" n=1", ",\"e\":\"say \\\"hi\\\" now\",\"n\":1"},
    {"quote that never ends", "e=\"a b", ",\"e\":\"\\\"a\",\"text\":\"b\""},
    {"backslash", "p=a\\b", ",\"p\":\"a\\\\b\""},
    {"control byte", "p=\"a\nb\"", ",\"p\":\"a\\u000ab\""},
    {"no key", "just words", ",\"text\":\"just words\""},
    {"dotted key", "a.b=1", ",\"a.b\":1"},
};

START_TEST(json_members_follow_the_pairs)
{
    const struct row *row = &rows[_i];
    const struct logger_event event = {
        .level = MR_LEVEL_WARN, .name = "e", .pairs = row->pairs, .wall_us = 0};
    char line[LOGGER_LINE_BYTES_MAX];
    char want[512];
    const size_t len = logger_line_json(&event, line, sizeof(line));

    (void)snprintf(
        want, sizeof(want),
        "{\"ts\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"warn\",\"event\":\"e\"%s}\n",
        row->members);
    line[len] = '\0';
    ck_assert_msg(strcmp(line, want) == 0, "%s: %s", row->why, line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("logger");
    TCase *tcase = tcase_create("logger");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_line_is_key_value_text);
    tcase_add_test(tcase, a_line_break_in_a_value_does_not_break_the_line);
    tcase_add_test(tcase, levels_above_the_chosen_one_are_silent);
    tcase_add_test(tcase, a_flood_is_cut_at_ten_a_second_and_counted);
    tcase_add_test(tcase, a_line_that_is_too_long_is_cut_and_still_ends);
    tcase_add_loop_test(tcase, json_members_follow_the_pairs, 0, (int)MR_COUNT(rows));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
