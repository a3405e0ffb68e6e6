/*
 * disk_fault.h -- the n-th call that would change a file fails.
 *
 * How: the program defines open, write, pwrite, fsync, fdatasync, ftruncate and rename itself, so
 *      the libraries it is linked with call these; they go to the kernel, or fail when it is time.
 * Not: for reads. A block that cannot be read or reads as something else is what the contract tests
 *      of the backend do.
 */
#ifndef MILLRACE_TESTS_DISK_FAULT_H
#define MILLRACE_TESTS_DISK_FAULT_H

#include <stdbool.h>

/* From the next call on: call number n fails with error; for_good: all after it as well. */
void disk_fault_arm(long n, int error, bool for_good);
/* Has it been reached? */
bool disk_fault_disarm(void);

#endif
