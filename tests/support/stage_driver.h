/*
 * stage_driver.h -- one stage instance with no runtime: no log, no disk, no clock, no threads.
 *
 * Why: the rules of a stage are tested in microseconds, through the very contract that the runtime
 *      keeps (millrace/stage.h, millrace/store.h), faults included.
 * How: this library defines mr_emit, mr_store_*, mr_table_get, mr_ctx_*, mr_counter_* and
 * mr_gauge_* over plain memory. Values cross the border as encoded Avro, so nothing a stage kept by
 * pointer survives: inputs, table values and store values live in memory that is freed when the
 * callback returns, where a sanitizer sees a late reader. One transaction is open all the time. A
 * POISON status undoes what the record wrote, any other failure undoes the transaction, and reload
 * follows as the runtime promises. mr_driver_commit flushes and ends it; mr_driver_abort is a
 * transaction that the log refused. Not: linked together with the runtime's task library, which
 * defines the same functions.
 *
 * Build: target_link_libraries(test_x PRIVATE mr_stage_driver mr_stage_<name> PkgConfig::CHECK).
 *        In tests/unit/stages a test is one line: mr_add_stage_test(test_fill fill).
 *
 * Names (ports, stores, counters, options) are those of the stage's tables; an unknown one fails an
 * MR_ASSERT. Keys are slices: mr_slice_str("u1"), mr_key_slice(&key). Thread: one.
 */
#ifndef MILLRACE_TESTS_STAGE_DRIVER_H
#define MILLRACE_TESTS_STAGE_DRIVER_H

#include "millrace/stage.h"

struct mr_driver;

/* One option as topology.yaml would give it. Options that are not given take their fallback. */
struct mr_driver_setting {
    const char *name;
    const char *text;
};

/*
 * Allocates the state, parses options, runs init and the first reload.
 * settings may be NULL when count is 0. Returns NULL when init or an option failed (see err).
 */
struct mr_driver *mr_driver_open(const struct mr_stage *stage,
                                 const struct mr_driver_setting *settings, size_t count,
                                 struct mr_err *err);
/* The same; a failure is an assertion. */
struct mr_driver *mr_driver_create(const struct mr_stage *stage,
                                   const struct mr_driver_setting *settings, size_t count);
void mr_driver_destroy(struct mr_driver **driver);

/*
 * One record into a stream port. value: struct of the port's schema, NULL for a tombstone. Event
 * time is the value's `ts` where the schema has one, otherwise the last one pushed (or 0).
 * Returns what process returned, with the undo that the class asks for already done.
 */
enum mr_status mr_driver_push(struct mr_driver *driver, const char *port, struct mr_slice key,
                              const void *value);
/* A timer is due. Not fired by itself: the test says when. */
enum mr_status mr_driver_punctuate(struct mr_driver *driver, size_t timer, int64_t now_us);
/* flush, then commit. What LATEST ports wrote is conflated per key. A failing flush aborts. */
enum mr_status mr_driver_commit(struct mr_driver *driver);
/* Everything since the last commit is undone, then reload. */
void mr_driver_abort(struct mr_driver *driver);
/* Death and restart: uncommitted work is lost, state is zeroed, init and reload run again. */
void mr_driver_restart(struct mr_driver *driver);
/* Text of the last failure; "" before the first. */
const char *mr_driver_error(const struct mr_driver *driver);

/* What a global table shows from now on; each set gets a new version. NULL value: absent. */
void mr_driver_table_set(struct mr_driver *driver, const char *port, struct mr_slice key,
                         const void *value);

/*
 * What came out of a port, uncommitted included, oldest first; undone ones are gone, and after a
 * commit a LATEST port shows only the last value per key and transaction. Values are deep copies
 * that live until mr_driver_emits_clear or destroy.
 */
size_t mr_driver_emit_count(const struct mr_driver *driver, const char *port);
const void *mr_driver_emit(const struct mr_driver *driver, const char *port, size_t index);
/* The newest; NULL when there is none. */
const void *mr_driver_emit_last(const struct mr_driver *driver, const char *port);
struct mr_slice mr_driver_emit_key(const struct mr_driver *driver, const char *port, size_t index);
struct mr_slice mr_driver_emit_partition_key(const struct mr_driver *driver, const char *port,
                                             size_t index);
/* The Avro body, for byte-for-byte comparison of a replay. */
struct mr_slice mr_driver_emit_bytes(const struct mr_driver *driver, const char *port,
                                     size_t index);
/* Forgets all emits of all ports. Only right after a commit or abort. */
void mr_driver_emits_clear(struct mr_driver *driver);

/* Look into a store. value: struct of the store's schema, borrowed until the next driver call. */
bool mr_driver_store_get(struct mr_driver *driver, const char *store, struct mr_slice key,
                         void *value);
size_t mr_driver_store_count(const struct mr_driver *driver, const char *store);
/* For filling state by hand and for scans in assertions with mr_store_*. */
struct mr_store *mr_driver_store(struct mr_driver *driver, const char *store);
/* One number for the content of all stores: equal states, equal digests. */
uint64_t mr_driver_state_digest(const struct mr_driver *driver);
/* Store calls (get, put, delete, scan) since create, to hold a stage to few of them. */
size_t mr_driver_store_calls(const struct mr_driver *driver);
size_t mr_driver_scan_calls(const struct mr_driver *driver);

uint64_t mr_driver_counter(const struct mr_driver *driver, const char *name);
/* By its name and labels, as mr_label_write has them: `name,asset="BTC"`. Unknown: 0. */
int64_t mr_driver_gauge(const struct mr_driver *driver, const char *name);
/* The stage's state struct. */
void *mr_driver_self(struct mr_driver *driver);

/* The nth call of the kind from now on (1: the next) fails once. */
enum mr_driver_fault {
    MR_DRIVER_FAULT_NONE,
    MR_DRIVER_FAULT_GET,         /* MR_STORE_IO, scans too */
    MR_DRIVER_FAULT_PUT,         /* MR_STORE_IO, deletes too */
    MR_DRIVER_FAULT_SCAN,        /* MR_STORE_IO */
    MR_DRIVER_FAULT_EMIT,        /* MR_TXN_ABORT */
    MR_DRIVER_FAULT_EMIT_POISON, /* MR_MALFORMED, as from a reader further down */
};
void mr_driver_fail(struct mr_driver *driver, enum mr_driver_fault fault, unsigned nth);
/* It was ordered and has not struck yet. */
bool mr_driver_fault_pending(const struct mr_driver *driver);

#endif
