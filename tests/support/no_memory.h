/*
 * no_memory.h -- what a process does when its n-th allocation fails (MR_FAULTS builds).
 *
 * A child runs `live` with that fault; whatever it does to memory, files or globals ends with it.
 */
#ifndef MILLRACE_TESTS_NO_MEMORY_H
#define MILLRACE_TESTS_NO_MEMORY_H

#include <stddef.h>

#define NO_MEMORY_SAID_BYTES 4096

/*
 * Returns the child's exit code, 0 when it came to its end; said: what it wrote to stderr. A child
 * that dies of a signal fails the test.
 */
int no_memory_run(void (*live)(const void *arg), const void *arg, long n,
                  char said[NO_MEMORY_SAID_BYTES]);

#endif
