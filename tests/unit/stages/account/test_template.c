/*
 * Goal:   the example stage does what its header says, and the stage driver undoes and restarts as
 *         the runtime would.
 * Method: one instance, commands at chosen event times, faults ordered from the driver.
 */
#include "_template/template.h"
#include "account_fixture.h"

#include <check.h>
#include <stdlib.h>

static struct mr_driver *driver;

static void setup(void)
{
    const struct mr_driver_setting settings[] = {{.name = "gap", .text = "10s"}};

    driver = mr_driver_create(&template_stage, settings, MR_COUNT(settings));
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

static enum mr_status push_at(const char *user, int64_t offset_us)
{
    struct oms_order_command order = fixture_limit("o1", user, OMS_SIDE_BUY, "1", "100");

    order.ts_us += offset_us;
    return mr_driver_push(driver, "orders", s(user), &order);
}

static const struct gap_case {
    const char *why;
    int64_t after_us;
    size_t passed;
} gap_cases[] = {
    {"at once", 0, 1},
    {"one microsecond short of the gap", 10 * MR_SECOND_US - 1, 1},
    {"exactly the gap", 10 * MR_SECOND_US, 2},
    {"an older command is not a new one", -MR_SECOND_US, 1},
};

START_TEST(the_next_command_passes_after_the_gap)
{
    const struct gap_case *c = &gap_cases[_i];

    ck_assert_int_eq(push_at("u1", 0), MR_OK);
    ck_assert_int_eq(push_at("u1", c->after_us), MR_OK);
    ck_assert_msg(mr_driver_emit_count(driver, "passed") == c->passed, "%s", c->why);
    ck_assert_uint_eq(mr_driver_counter(driver, "dropped_total"), 2 - c->passed);
}
END_TEST

START_TEST(users_do_not_hinder_each_other)
{
    ck_assert_int_eq(push_at("u1", 0), MR_OK);
    ck_assert_int_eq(push_at("u2", 0), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "passed"), 2);
    ck_assert(mr_slice_equal(mr_driver_emit_key(driver, "passed", 1), s("u2")));
}
END_TEST

START_TEST(a_command_without_user_or_from_before_1970_is_poison)
{
    ck_assert_int_eq(push_at("", 0), MR_MALFORMED);
    ck_assert_int_eq(push_at("u1", -FIXTURE_TS_US - 1), MR_OUT_OF_RANGE);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "passed"), 0);
}
END_TEST

/* A fault in the emit must take the store write back, or the retry would be dropped. */
static const struct fault_case {
    const char *why;
    enum mr_driver_fault fault;
    enum mr_status status;
} fault_cases[] = {
    {"the store cannot be read", MR_DRIVER_FAULT_GET, MR_STORE_IO},
    {"the store cannot be written", MR_DRIVER_FAULT_PUT, MR_STORE_IO},
    {"the log refuses", MR_DRIVER_FAULT_EMIT, MR_TXN_ABORT},
    {"a reader further down calls it poison", MR_DRIVER_FAULT_EMIT_POISON, MR_MALFORMED},
};

START_TEST(a_failed_record_leaves_no_trace)
{
    const struct fault_case *c = &fault_cases[_i];
    const uint64_t before = mr_driver_state_digest(driver);

    mr_driver_fail(driver, c->fault, 1);
    ck_assert_msg(push_at("u1", 0) == c->status, "%s", c->why);
    ck_assert_uint_eq(mr_driver_state_digest(driver), before);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "passed"), 0);
    ck_assert_int_eq(push_at("u1", 0), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "passed"), 1);
}
END_TEST

START_TEST(poison_spares_what_came_before_it_and_abort_does_not)
{
    ck_assert_int_eq(push_at("u1", 0), MR_OK);
    mr_driver_fail(driver, MR_DRIVER_FAULT_EMIT_POISON, 1);
    ck_assert_int_eq(push_at("u2", 0), MR_MALFORMED);
    ck_assert_uint_eq(mr_driver_store_count(driver, "last"), 1);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "passed"), 1);
    mr_driver_fail(driver, MR_DRIVER_FAULT_EMIT, 1);
    ck_assert_int_eq(push_at("u2", 0), MR_TXN_ABORT);
    ck_assert_uint_eq(mr_driver_store_count(driver, "last"), 0);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "passed"), 0);
}
END_TEST

START_TEST(a_restart_keeps_what_was_committed)
{
    ck_assert_int_eq(push_at("u1", 0), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    ck_assert_int_eq(push_at("u2", 0), MR_OK);
    mr_driver_restart(driver);
    ck_assert_uint_eq(mr_driver_store_count(driver, "last"), 1);
    ck_assert_int_eq(push_at("u1", 1), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "passed"), 1);
}
END_TEST

static const struct option_case {
    const char *why;
    const char *name;
    const char *text;
    bool accepted;
} option_cases[] = {
    {"no gap: all pass", "gap", "0s", true},      {"the largest gap", "gap", "24h", true},
    {"below the smallest", "gap", "-1us", false}, {"above the largest", "gap", "25h", false},
    {"not a duration", "gap", "soon", false},     {"no such option", "pause", "1s", false},
};

START_TEST(options_out_of_range_are_refused)
{
    const struct option_case *c = &option_cases[_i];
    const struct mr_driver_setting setting = {.name = c->name, .text = c->text};
    struct mr_err err = {0};
    struct mr_driver *other = mr_driver_open(&template_stage, &setting, 1, &err);

    ck_assert_msg((other != NULL) == c->accepted, "%s: %s", c->why, err.text);
    mr_driver_destroy(&other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("template");
    TCase *tcase = tcase_create("template");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, the_next_command_passes_after_the_gap, 0, (int)MR_COUNT(gap_cases));
    tcase_add_test(tcase, users_do_not_hinder_each_other);
    tcase_add_test(tcase, a_command_without_user_or_from_before_1970_is_poison);
    tcase_add_loop_test(tcase, a_failed_record_leaves_no_trace, 0, (int)MR_COUNT(fault_cases));
    tcase_add_test(tcase, poison_spares_what_came_before_it_and_abort_does_not);
    tcase_add_test(tcase, a_restart_keeps_what_was_committed);
    tcase_add_loop_test(tcase, options_out_of_range_are_refused, 0, (int)MR_COUNT(option_cases));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
