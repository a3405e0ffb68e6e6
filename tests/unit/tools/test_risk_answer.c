/*
 * Goal:   the answer of a dry run says each check with its numbers, as a table and as JSON.
 * Method: a result by hand; the text that comes of it, and what a JSON parser reads.
 */
#include "risk_answer.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

static struct risk_dry_result result;
static struct mr_buffer out;

static void setup(void)
{
    result = (struct risk_dry_result){.allowed = false};
    for (int id = 0; id < (int)RISK_CHECK_COUNT; id++) {
        result.checks[id] = (struct risk_result){.name = risk_check_name((enum risk_check_id)id),
                                                 .passed = id != (int)RISK_CHECK_POSITION};
    }
    result.checks[RISK_CHECK_POSITION].code = CODE_POSITION_LIMIT;
    result.checks[RISK_CHECK_POSITION].limit = (struct risk_limit){true, DEC_ONE * 5};
    result.checks[RISK_CHECK_POSITION].projected = (struct risk_limit){true, DEC_ONE * 11 / 2};
    out = (struct mr_buffer){0};
}

static void teardown(void)
{
    mr_buffer_fini(&out);
}

static bool says(const char *text)
{
    mr_buffer_append(&out, "", 1);
    out.len--;
    return strstr((const char *)out.data, text) != NULL;
}

START_TEST(the_table_has_a_line_for_each_check)
{
    size_t lines = 0;

    risk_answer_table(&result, &out);
    for (size_t i = 0; i < out.len; i++) {
        lines += out.data[i] == '\n' ? 1 : 0;
    }
    ck_assert_uint_eq(lines, RISK_CHECK_COUNT + 2);
    ck_assert(says("3101 POSITION_LIMIT") && says("5.5") && says("\nnot allowed\n"));
}
END_TEST

START_TEST(the_document_has_all_of_it)
{
    json_error_t error;
    json_t *json = NULL;
    const json_t *check = NULL;

    risk_answer_json(&result, 1723075200000000, &out);
    json = json_loadb((const char *)out.data, out.len, 0, &error);
    ck_assert_msg(json != NULL, "%s", error.text);
    ck_assert(json_is_false(json_object_get(json, "allowed")));
    ck_assert(json_integer_value(json_object_get(json, "asOf")) == 1723075200000000);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "checks")), RISK_CHECK_COUNT);
    check = json_array_get(json_object_get(json, "checks"), RISK_CHECK_POSITION);
    ck_assert_str_eq(json_string_value(json_object_get(check, "name")), "position");
    ck_assert_str_eq(json_string_value(json_object_get(check, "limit")), "5");
    ck_assert_str_eq(json_string_value(json_object_get(check, "projected")), "5.5");
    ck_assert(json_is_null(json_object_get(check, "current")));
    ck_assert(json_integer_value(json_object_get(check, "code")) == CODE_POSITION_LIMIT);
    json_decref(json);
}
END_TEST

START_TEST(an_order_that_is_not_valid_has_reasons_and_no_checks)
{
    json_t *json = NULL;

    code_list_add(&result.invalid, CODE_PRICE_TICK);
    risk_answer_json(&result, 0, &out);
    json = json_loadb((const char *)out.data, out.len, 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "checks")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "invalid")), 1);
    json_decref(json);
    mr_buffer_clear(&out);
    risk_answer_table(&result, &out);
    ck_assert(says("1103 PRICE_TICK"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk answer");
    TCase *tcase = tcase_create("risk answer");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_table_has_a_line_for_each_check);
    tcase_add_test(tcase, the_document_has_all_of_it);
    tcase_add_test(tcase, an_order_that_is_not_valid_has_reasons_and_no_checks);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
