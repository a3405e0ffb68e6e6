/*
 * test_progress_text.c -- the text beside committed offsets.
 *
 * Goal:   what was written is read; what another version, or nobody, wrote is not taken for it.
 * Method: a table of texts.
 */
#include "progress_text.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *text;
    bool good;
    int64_t sequence, stream_time_us;
    const char *writer;
    const char *timers_of_b;
    const char *why;
} rows[] = {
    {"2 7 1000 w", true, 7, 1000, "w", "", "no timers"},
    {"2 7 1000 w a:1,2 b:3 c:4", true, 7, 1000, "w", "3", "one of three stages"},
    {"2 7 1000 w b:-5,6", true, 7, 1000, "w", "-5,6", "two timers"},
    {"2 0 -9223372036854775808  b:9223372036854775807", true, 0, INT64_MIN, "",
     "9223372036854775807", "nobody has written yet; the bounds"},
    {"2 7 1000 w bb:1 ab:2", true, 7, 1000, "w", "", "names that only look like it"},
    {"1 7 1000 w 3", false, 0, 0, "", "", "the version before"},
    {"3 7 1000 w", false, 0, 0, "", "", "a version to come"},
    {"", false, 0, 0, "", "", "nothing"},
    {"2", false, 0, 0, "", "", "cut"},
    {"2 7", false, 0, 0, "", "", "cut"},
    {"2 x 1000 w", false, 0, 0, "", "", "no number"},
    {"2 - 1000 w", false, 0, 0, "", "", "a sign alone"},
    {"2 9223372036854775808 1000 w", false, 0, 0, "", "", "one above the bound"},
    {"2 -9223372036854775809 1000 w", false, 0, 0, "", "", "one below it"},
    {"2 99999999999999999999 1000 w", false, 0, 0, "", "", "far above it"},
};

START_TEST(texts_are_read)
{
    struct progress_text progress;
    struct mr_slice timers;

    ck_assert_msg(progress_text_read(mr_slice_str(rows[_i].text), &progress) == rows[_i].good, "%s",
                  rows[_i].why);
    if (!rows[_i].good) {
        return;
    }
    ck_assert_int_eq(progress.sequence, rows[_i].sequence);
    ck_assert_int_eq(progress.stream_time_us, rows[_i].stream_time_us);
    ck_assert_msg(mr_slice_equal(progress.writer, mr_slice_str(rows[_i].writer)), "%s",
                  rows[_i].why);
    timers = progress_text_timers(&progress, "b");
    ck_assert_msg(mr_slice_equal(timers, mr_slice_str(rows[_i].timers_of_b)), "%s: %.*s",
                  rows[_i].why, MR_SLICE_ARG(timers));
}
END_TEST

START_TEST(what_is_written_is_read)
{
    const struct progress_text written = {
        .sequence = INT64_MAX, .stream_time_us = INT64_MIN, .writer = mr_slice_str("shop.g.0.1")};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct progress_text read;

    progress_text_write(&text, &written);
    mr_buffer_printf(&text, " b:1,2");
    ck_assert(progress_text_read(mr_buffer_slice(&text), &read));
    ck_assert_int_eq(read.sequence, written.sequence);
    ck_assert_int_eq(read.stream_time_us, written.stream_time_us);
    ck_assert(mr_slice_equal(read.writer, written.writer));
    mr_buffer_fini(&text);
}
END_TEST

START_TEST(timers_are_taken_one_by_one)
{
    struct mr_slice timers = mr_slice_str("1,-2,3");
    int64_t next_us = 0;

    ck_assert(progress_text_next(&timers, &next_us));
    ck_assert_int_eq(next_us, 1);
    ck_assert(progress_text_next(&timers, &next_us));
    ck_assert_int_eq(next_us, -2);
    ck_assert(progress_text_next(&timers, &next_us));
    ck_assert_int_eq(next_us, 3);
    ck_assert(!progress_text_next(&timers, &next_us));
    timers = mr_slice_str("1x,2");
    ck_assert(!progress_text_next(&timers, &next_us));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("progress text");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tcase, texts_are_read, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, what_is_written_is_read);
    tcase_add_test(tcase, timers_are_taken_one_by_one);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
