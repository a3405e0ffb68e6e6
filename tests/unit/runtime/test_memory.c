/*
 * test_memory.c -- every allocation may be the one that fails.
 *
 * Goal:   without memory a process says so in one line and ends with exit code 1, wherever it was:
 *         no crash, no hang, nothing half done that a restart would find.
 * Method: a child runs the toy pipeline through start, processing, commits, a crash, restore and
 *         stop; its n-th allocation fails, n from the first to one that is never reached.
 */
#include "millrace/fault.h"
#include "toy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef MR_FAULTS

#define ORDERS 30
#define ENDS_MAX 20000

static void live(void)
{
    struct toy toy;

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

/* The child's exit code; whatever it says on the way is not ours. */
static int run_child(long n, char *said, size_t bytes)
{
    int ends[2];
    int status = 0;
    size_t len = 0;
    ssize_t got;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        mr_fail_allocation(n);
        live();
        _exit(0);
    }
    (void)close(ends[1]);
    while (len + 1 < bytes && (got = read(ends[0], said + len, bytes - len - 1)) > 0) {
        len += (size_t)got;
    }
    said[len] = '\0';
    (void)close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "allocation %ld: the process was ended by signal %d", n,
                  WTERMSIG(status));
    return WEXITSTATUS(status);
}

START_TEST(without_memory_a_process_says_so_and_ends)
{
    char said[4096];
    long n = 1;
    int code = 1;

    for (; code != 0; n++) {
        ck_assert_int_lt(n, ENDS_MAX);
        code = run_child(n, said, sizeof(said));
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
