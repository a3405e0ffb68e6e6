/*
 * Goal:   durations, sizes, rates and ratios mean what they say, exactly, or are refused.
 * Method: one boundary table per parser; formatting must parse back.
 */
#include "millrace/option.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

typedef enum mr_status parser(const char *text, int64_t *value, struct mr_err *err);

static const struct row {
    const char *why;
    parser *parse;
    const char *text;
    bool good;
    int64_t value;
} rows[] = {
    {"milliseconds", mr_parse_duration_us, "10ms", true, 10000},
    {"m is a minute, ms is not", mr_parse_duration_us, "1m", true, 60000000},
    {"compound", mr_parse_duration_us, "1m30s", true, 90000000},
    {"day and week", mr_parse_duration_us, "1w1d", true, 8 * MR_DAY_US},
    {"fraction", mr_parse_duration_us, "1.5s", true, 1500000},
    {"fraction down to the microsecond", mr_parse_duration_us, "0.000001s", true, 1},
    {"fraction below it", mr_parse_duration_us, "0.5us", false, 0},
    {"nothing", mr_parse_duration_us, "0s", true, 0},
    {"no unit", mr_parse_duration_us, "10", false, 0},
    {"no number", mr_parse_duration_us, "ms", false, 0},
    {"empty", mr_parse_duration_us, "", false, 0},
    {"space", mr_parse_duration_us, "10 ms", false, 0},
    {"negative", mr_parse_duration_us, "-1s", false, 0},
    {"unknown unit", mr_parse_duration_us, "1y", false, 0},
    {"rest behind it", mr_parse_duration_us, "1s ", false, 0},
    {"too many decimals", mr_parse_duration_us, "1.1234567s", false, 0},
    {"point without digits", mr_parse_duration_us, "1.s", false, 0},
    {"overflow", mr_parse_duration_us, "9000000000000w", false, 0},
    {"overflow of a sum", mr_parse_duration_us, "100000000d100000000d", false, 0},

    {"bytes", mr_parse_bytes, "512", true, 512},
    {"with unit", mr_parse_bytes, "512B", true, 512},
    {"binary", mr_parse_bytes, "64MiB", true, INT64_C(64) << 20},
    {"decimal", mr_parse_bytes, "10MB", true, 10000000},
    {"half a KiB", mr_parse_bytes, "0.5KiB", true, 512},
    {"half a byte", mr_parse_bytes, "0.5", false, 0},
    {"unknown", mr_parse_bytes, "1mb", false, 0},
    {"two of them", mr_parse_bytes, "1MiB1B", false, 0},

    {"per second", mr_parse_rate_micro, "50/s", true, 50000000},
    {"per minute", mr_parse_rate_micro, "3000/min", true, 50000000},
    {"per hour", mr_parse_rate_micro, "3600/h", true, 1000000},
    {"fraction", mr_parse_rate_micro, "0.5/s", true, 500000},
    {"no unit", mr_parse_rate_micro, "50", false, 0},
    {"other unit", mr_parse_rate_micro, "50/ms", false, 0},

    {"percent", mr_parse_ppm, "10%", true, 100000},
    {"half a percent", mr_parse_ppm, "0.5%", true, 5000},
    {"smallest", mr_parse_ppm, "0.0001%", true, 1},
    {"below it", mr_parse_ppm, "0.00001%", false, 0},
    {"no percent", mr_parse_ppm, "0.1", false, 0},
    {"rest", mr_parse_ppm, "1%%", false, 0},

    {"zero", mr_parse_int, "0", true, 0},
    {"negative", mr_parse_int, "-5", true, -5},
    {"plus", mr_parse_int, "+5", false, 0},
    {"fraction", mr_parse_int, "5.0", false, 0},
    {"hexadecimal", mr_parse_int, "0x10", false, 0},
    {"empty", mr_parse_int, "", false, 0},
    {"minus alone", mr_parse_int, "-", false, 0},
    {"overflow", mr_parse_int, "99999999999999999999", false, 0},
    {"an offset or a time in us", mr_parse_int, "1732160000000000", true, 1732160000000000},
    {"largest", mr_parse_int, "9223372036854775807", true, INT64_MAX},
    {"one above", mr_parse_int, "9223372036854775808", false, 0},
    {"smallest", mr_parse_int, "-9223372036854775808", true, INT64_MIN},
    {"one below", mr_parse_int, "-9223372036854775809", false, 0},
};

START_TEST(a_text_is_a_value_or_refused)
{
    const struct row *row = &rows[_i];
    struct mr_err err = {0};
    int64_t value = -77;
    const enum mr_status status = row->parse(row->text, &value, &err);

    ck_assert_msg((status == MR_OK) == row->good, "%s: \"%s\"", row->why, row->text);
    if (row->good) {
        ck_assert_msg(value == row->value, "%s: %" PRId64, row->why, value);
    } else {
        ck_assert_int_eq(status, MR_CONFIG);
        ck_assert_msg(strstr(err.text, row->text) != NULL, "%s: %s", row->why, err.text);
    }
}
END_TEST

static const struct format {
    int64_t us;
    const char *text;
} formats[] = {
    {0, "0s"},           {1, "1us"},        {1500, "1ms500us"},
    {90000000, "1m30s"}, {MR_DAY_US, "1d"}, {8 * MR_DAY_US + 1, "8d1us"},
};

START_TEST(a_formatted_duration_parses_back)
{
    char text[64];
    int64_t us = -1;
    struct mr_err err = {0};

    ck_assert_str_eq(mr_format_duration(formats[_i].us, text, sizeof(text)), formats[_i].text);
    ck_assert_int_eq(mr_parse_duration_us(text, &us, &err), MR_OK);
    ck_assert_int_eq(us, formats[_i].us);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("units");
    TCase *tcase = tcase_create("units");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_text_is_a_value_or_refused, 0, (int)MR_COUNT(rows));
    tcase_add_loop_test(tcase, a_formatted_duration_parses_back, 0, (int)MR_COUNT(formats));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
