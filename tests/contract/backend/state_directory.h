/*
 * state_directory.h -- a state directory of its own for each test of the RocksDB backend.
 */
#ifndef MILLRACE_TESTS_STATE_DIRECTORY_H
#define MILLRACE_TESTS_STATE_DIRECTORY_H

#include "contract.h"

#define IDENTITY "test.market"
#define MEMORY_BYTES INT64_C(16777216)

/* A new directory for the test, not made yet, and nothing opened in it. */
void state_prepare(void);
/* Opens the backend in a new directory below the working directory. */
struct mr_backend *state_create(void);
struct mr_backend *state_reopen(struct mr_backend *opened);
/* Opens the directory of the test as somebody. */
MR_NODISCARD enum mr_status state_open(const char *identity, struct mr_backend **opened,
                                       struct mr_err *err);
/* Removes the directory of the test. */
void state_remove(void);
/* "directory/name"; lives until the next call. */
const char *state_path(const char *name);
void state_write_file(const char *name, const char *text);

/* Calls visit for every file of the database whose name ends so; returns how many. */
size_t state_each_file(const char *suffix, void (*visit)(const char *path));

TCase *rocksdb_refusal_cases(void);
TCase *rocksdb_process_cases(void); /* without a fixture: nothing is opened before they fork */
TCase *rocksdb_damage_cases(void);

#endif
