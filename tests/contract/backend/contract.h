/*
 * contract.h -- the suite that every implementation of millrace/backend.h passes.
 *
 * An implementation says how it is opened and what closing and opening again keeps; the cases are
 * the same for all.
 */
#ifndef MILLRACE_TESTS_BACKEND_CONTRACT_H
#define MILLRACE_TESTS_BACKEND_CONTRACT_H

#include "millrace/backend.h"

#include <check.h>

struct backend_fixture {
    struct mr_backend *(*open)(void); /* an empty one */
    /* Closes and opens again with what was written; NULL: nothing outlives this backend. */
    struct mr_backend *(*reopen)(struct mr_backend *backend);
    void (*clean)(void); /* after the backend was closed; may be NULL */
};

/* Adds the contract's cases. The fixture must outlive the run. */
void backend_contract_add(Suite *suite, const struct backend_fixture *fixture);
/* Runs the suite; returns what main returns. */
int backend_contract_run(Suite *suite);

/* ---- for cases: each fails the test when the backend answers with an error ---------------------
 */

extern struct mr_backend *backend;
extern const struct backend_fixture *backend_fixture;

TCase *backend_cases(void);
TCase *backend_model_cases(void);

#define BYTES(text) mr_slice_of(text, sizeof(text) - 1)

struct mr_space *space_open(const char *name, int32_t partition);
void put(struct mr_space *space, struct mr_slice key, struct mr_slice value);
void put_meta(struct mr_space *space, struct mr_slice key, struct mr_slice value);
void erase(struct mr_space *space, struct mr_slice key);
void write_batch(const struct mr_backend_write *writes, size_t write_count,
                 const struct mr_backend_write *metas, size_t meta_count);
void wipe(struct mr_space *space);
/* expected NULL: absent. */
void expect(struct mr_space *space, struct mr_slice key, const struct mr_slice *expected);
void expect_text(struct mr_space *space, const char *key, const char *expected);
void expect_meta(struct mr_space *space, const char *key, const char *expected);
/* The keys in [from, to), joined by spaces; the caller frees it. */
char *scan_keys(struct mr_space *space, struct mr_slice from, struct mr_slice to);

#endif
