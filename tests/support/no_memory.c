/* no_memory.c -- see no_memory.h. */
#include "no_memory.h"

#include "millrace/fault.h"

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef MR_FAULTS

int no_memory_run(void (*live)(const void *arg), const void *arg, long n,
                  char said[NO_MEMORY_SAID_BYTES])
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
        live(arg);
        _exit(0);
    }
    (void)close(ends[1]);
    while (len + 1 < NO_MEMORY_SAID_BYTES &&
           (got = read(ends[0], said + len, NO_MEMORY_SAID_BYTES - len - 1)) > 0) {
        len += (size_t)got;
    }
    said[len] = '\0';
    (void)close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "allocation %ld: the process was ended by signal %d", n,
                  WTERMSIG(status));
    return WEXITSTATUS(status);
}

#endif
