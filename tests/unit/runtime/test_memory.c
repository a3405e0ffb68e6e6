/*
 * test_memory.c -- every allocation may be the one that fails.
 *
 * Goal:   without memory a process says so in one line and ends with exit code 1, wherever it was:
 *         no crash, no hang, nothing half done that a restart would find.
 * Method: a child runs the toy pipeline through start, processing, commits, a crash, restore and
 *         stop; its n-th allocation fails, n from the first to one that is never reached.
 */
#include "millrace/fault.h"
#include "no_memory.h"
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef MR_FAULTS

#define ORDERS 30
#define ENDS_MAX 20000

static void live(const void *unused)
{
    struct toy toy;

    (void)unused;
    toy_init(&toy, ", commit-records: 5");
    toy_start(&toy);
    for (int i = 0; i < ORDERS; i++) {
        toy_send(&toy, "user-1", i == 7 ? "nobody" : "x");
    }
    (void)toy_run(&toy);
    toy_crash(&toy);
    toy_lose_state(&toy);
    toy_start(&toy);
    (void)toy_run(&toy);
    toy_stop(&toy);
    toy_fini(&toy);
}

START_TEST(without_memory_a_process_says_so_and_ends)
{
    char said[NO_MEMORY_SAID_BYTES];
    long n = 1;
    int code = 1;

    for (; code != 0; n++) {
        ck_assert_int_lt(n, ENDS_MAX);
        code = no_memory_run(live, NULL, n, said);
        ck_assert_int_le(code, 1);
        ck_assert_msg(code == 0 || strstr(said, "out of memory") != NULL, "allocation %ld: %s", n,
                      said);
    }
    ck_assert_int_gt(n, 100); /* or nothing was tried */
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
#ifdef MR_FAULTS
    tcase_add_test(tcase, without_memory_a_process_says_so_and_ends);
#endif
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
