/*
 * test_tasks.c -- tasks come, catch up, go: graceful stop, restore from the changelog, two members.
 */
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

START_TEST(a_stop_commits_what_was_processed)
{
    struct mr_worker_status status;
    struct toy toy;
    bool busy;

    /* An interval far away: only the stop commits. */
    toy_init(&toy, ", session-timeout: 30s");
    toy_start(&toy);
    toy_run(&toy);
    toy_send(&toy, "user-1", "a");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mr_worker_step(toy.worker, 0, &busy, &toy.err), MR_OK);
    }
    mr_worker_status(toy.worker, &status);
    ck_assert_uint_eq(status.tasks, TOY_PARTITIONS);
    ck_assert_uint_eq(status.tasks_ready, TOY_PARTITIONS);
    toy_stop(&toy);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 1);
    toy_fini(&toy);
}
END_TEST

START_TEST(an_empty_state_directory_comes_back_complete)
{
    struct mr_worker_status status;
    struct toy toy;

    toy_init(&toy, "");
    toy_start(&toy);
    for (int i = 0; i < 50; i++) {
        toy_send(&toy, i % 2 == 0 ? "user-1" : "user-2", "x");
    }
    toy_run(&toy);
    toy_stop(&toy);
    toy_lose_state(&toy);
    toy_start(&toy);
    toy_send(&toy, "user-1", "y");
    toy_run(&toy);
    mr_worker_status(toy.worker, &status);
    ck_assert_uint_gt(status.restored_records, 0);
    ck_assert_int_eq(status.restore_left, 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 26);
    ck_assert_int_eq(toy_total(&toy, "user-2"), 25);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

START_TEST(state_that_is_there_is_not_read_again)
{
    struct mr_worker_status status;
    struct toy toy;

    toy_init(&toy, "");
    toy_start(&toy);
    for (int i = 0; i < 50; i++) {
        toy_send(&toy, "user-1", "x");
    }
    toy_run(&toy);
    toy_run(&toy); /* long enough for the backend to be brought up */
    toy_crash(&toy);
    toy_start(&toy);
    toy_send(&toy, "user-1", "y");
    toy_run(&toy);
    mr_worker_status(toy.worker, &status);
    ck_assert_uint_eq(status.restored_records, 0);
    ck_assert_int_eq(toy_total(&toy, "user-1"), 51);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

/* The sum of gate's gauge over both partitions, as the text says it. */
static int seen(struct toy *toy)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    int sum = 0;

    mr_metrics_write(toy->metrics, &text);
    mr_buffer_append(&text, "", 1);
    for (int partition = 0; partition < TOY_PARTITIONS; partition++) {
        char series[128];
        const char *at;

        (void)snprintf(series, sizeof(series),
                       "\nmillrace_stage_seen{stage=\"gate\",partition=\"%d\",kind=\"a\\\"b\\n\"} ",
                       partition);
        at = strstr((const char *)text.data, series);
        ck_assert_msg(at != NULL, "no%s in %s", series, (const char *)text.data);
        sum += (int)strtol(at + strlen(series), NULL, 10);
    }
    mr_buffer_fini(&text);
    return sum;
}

START_TEST(a_gauge_of_a_stage_is_gone_with_its_task_and_comes_back_with_it)
{
    struct toy toy;

    toy_init(&toy, "");
    toy_start(&toy);
    for (int i = 0; i < 5; i++) {
        toy_send(&toy, i % 2 == 0 ? "user-1" : "user-2", "x");
    }
    toy_send(&toy, "user-1", "bad"); /* undone: it does not count */
    toy_run(&toy);
    ck_assert_int_eq(seen(&toy), 5);
    toy_stop(&toy);
    ck_assert_int_eq(seen(&toy), 0);
    toy_start(&toy);
    toy_run(&toy);
    ck_assert_int_eq(seen(&toy), 5);
    toy_stop(&toy);
    toy_fini(&toy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tasks");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_stop_commits_what_was_processed);
    tcase_add_test(tcase, an_empty_state_directory_comes_back_complete);
    tcase_add_test(tcase, state_that_is_there_is_not_read_again);
    tcase_add_test(tcase, a_gauge_of_a_stage_is_gone_with_its_task_and_comes_back_with_it);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
