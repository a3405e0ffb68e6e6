/*
 * stage_driver_state.h -- what the two halves of the stage driver share: transactions and emits in
 * stage_driver.c, stores in stage_driver_store.c.
 */
#ifndef MILLRACE_TESTS_STAGE_DRIVER_STATE_H
#define MILLRACE_TESTS_STAGE_DRIVER_STATE_H

#include "stage_driver.h"

#define DRIVER_COUNTERS_MAX 32
#define DRIVER_TIMERS_MAX 8

struct driver_bytes {
    uint8_t *data;
    size_t len;
};

struct driver_entry {
    struct driver_bytes key;
    struct driver_bytes value;
};

struct mr_store {
    struct mr_driver *driver;
    const char *name;
    const struct mr_schema *schema;
    struct driver_entry *entries; /* sorted by key */
    size_t count;
    size_t capacity;
};

/* How to take one store write back. */
struct driver_undo {
    struct mr_store *store;
    struct driver_bytes key;
    struct driver_bytes value;
    bool present;
};

struct driver_emit {
    size_t port;
    struct driver_bytes key;
    struct driver_bytes partition_key;
    struct driver_bytes body;
    void *value; /* struct of the port's schema, borrowing from body */
};

struct driver_table_entry {
    size_t port;
    struct driver_bytes key;
    struct driver_bytes body;
    bool present;
    int64_t version;
};

struct mr_counter {
    char name[64];
    uint64_t value;
};

struct mr_gauge {
    char *name; /* with its labels: name,label="value" */
    int64_t value;
    struct mr_gauge *next;
};

struct mr_ctx {
    struct mr_driver *driver;
};

struct mr_driver {
    struct mr_ctx ctx;
    const struct mr_stage *stage;
    const struct mr_driver_setting *settings; /* owned copy */
    size_t setting_count;
    void *self;
    struct mr_arena *scratch; /* the stage's, reset after each record */
    struct mr_arena *kept;    /* arrays of emitted values */

    struct mr_store *stores;
    struct driver_undo *undo;
    size_t undo_count, undo_capacity;
    struct driver_emit *emits;
    size_t emit_count, emit_capacity, emit_committed;
    struct driver_table_entry *tables;
    size_t table_count, table_capacity;
    void **loans; /* freed when the callback has returned */
    size_t loan_count, loan_capacity;

    struct mr_counter counters[DRIVER_COUNTERS_MAX];
    size_t counter_count;
    struct mr_gauge *gauges;
    size_t timer_count;
    enum mr_timer_clock clocks[DRIVER_TIMERS_MAX]; /* of the timers */
    int64_t stream_us, stream_committed_us, event_us, offset, table_version;
    size_t store_calls, scan_calls;
    enum mr_driver_fault fault;
    unsigned fault_in;
    struct mr_err err;
};

struct driver_bytes driver_bytes_copy(struct mr_slice bytes);
struct mr_slice driver_slice(struct driver_bytes bytes);
struct driver_bytes driver_encode(const struct mr_schema *schema, const void *value);
/* Index of a port by name; an unknown name is an assertion. */
size_t driver_port(const struct mr_port *ports, size_t count, const char *name);
/* Memory that dies when the callback returns. */
void *driver_loan(struct mr_driver *driver, size_t bytes);
void driver_loans_end(struct mr_driver *driver);
/* Decodes a copy of body that dies with the callback. */
enum mr_status driver_decode_loan(struct mr_driver *driver, const struct mr_schema *schema,
                                  struct mr_slice body, void *value, struct mr_err *err);
/* True when the ordered fault of this kind strikes now. */
bool driver_fault_strikes(struct mr_driver *driver, enum mr_driver_fault fault);
void *driver_grow(void *items, size_t count, size_t *capacity, size_t item_bytes);
/* Takes back store writes down to `mark`. */
void driver_undo_to(struct mr_driver *driver, size_t mark);
void driver_undo_forget(struct mr_driver *driver);
/* Drops the newest emits down to `count`. */
void driver_emits_cut(struct mr_driver *driver, size_t count);
void driver_stores_fini(struct mr_driver *driver);

#endif
