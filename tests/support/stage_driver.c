/*
 * stage_driver.c -- life, callbacks and transactions of the stage driver.
 *
 * How: emits are one list with a mark of what is committed; an undo cuts the list and takes store
 *      writes back. What a callback borrowed (record, store and table values) are loans that are
 *      freed when it returns.
 */
#include "stage_driver_state.h"

#include <stdio.h>
#include <stdlib.h>

struct driver_bytes driver_bytes_copy(struct mr_slice bytes)
{
    struct driver_bytes copy = {.data = mr_xcalloc(1, bytes.len + 1), .len = bytes.len};

    if (bytes.len > 0) {
        memcpy(copy.data, bytes.data, bytes.len);
    }
    return copy;
}

struct mr_slice driver_slice(struct driver_bytes bytes)
{
    return mr_slice_of(bytes.data, bytes.len);
}

void *driver_grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    return mr_xrealloc(items, *capacity * item_bytes);
}

void *driver_loan(struct mr_driver *driver, size_t bytes)
{
    void *memory = mr_xcalloc(1, bytes + 1);

    driver->loans = driver_grow(driver->loans, driver->loan_count, &driver->loan_capacity,
                                sizeof(driver->loans[0]));
    driver->loans[driver->loan_count++] = memory;
    return memory;
}

void driver_loans_end(struct mr_driver *driver)
{
    for (size_t i = 0; i < driver->loan_count; i++) {
        free(driver->loans[i]);
    }
    driver->loan_count = 0;
}

enum mr_status driver_decode_loan(struct mr_driver *driver, const struct mr_schema *schema,
                                  struct mr_slice body, void *value, struct mr_err *err)
{
    uint8_t *copy = driver_loan(driver, body.len);

    if (body.len > 0) {
        memcpy(copy, body.data, body.len);
    }
    return schema->decode(mr_slice_of(copy, body.len), driver->scratch, value, err);
}

bool driver_fault_strikes(struct mr_driver *driver, enum mr_driver_fault fault)
{
    if (driver->fault != fault || --driver->fault_in > 0) {
        return false;
    }
    driver->fault = MR_DRIVER_FAULT_NONE;
    return true;
}

void mr_driver_fail(struct mr_driver *driver, enum mr_driver_fault fault, unsigned nth)
{
    MR_ASSERT(nth > 0);
    driver->fault = fault;
    driver->fault_in = nth;
}

bool mr_driver_fault_pending(const struct mr_driver *driver)
{
    return driver->fault != MR_DRIVER_FAULT_NONE;
}

/* --- life --------------------------------------------------------------------------------- */

static const char *setting_text(const struct mr_driver *driver, const struct mr_option *option)
{
    for (size_t i = 0; i < driver->setting_count; i++) {
        if (strcmp(driver->settings[i].name, option->name) == 0) {
            return driver->settings[i].text;
        }
    }
    return option->fallback;
}

static enum mr_status parse_options(struct mr_driver *driver)
{
    const struct mr_stage *stage = driver->stage;

    for (size_t i = 0; i < driver->setting_count; i++) {
        bool known = false;

        for (size_t k = 0; k < stage->option_count; k++) {
            known = known || strcmp(stage->options[k].name, driver->settings[i].name) == 0;
        }
        if (!known) {
            return mr_fail(&driver->err, MR_CONFIG, "unknown option %s", driver->settings[i].name);
        }
    }
    for (size_t i = 0; i < stage->option_count; i++) {
        const char *text = setting_text(driver, &stage->options[i]);

        if (text == NULL) {
            return mr_fail(&driver->err, MR_CONFIG, "option %s is required",
                           stage->options[i].name);
        }
        MR_TRY(mr_option_parse(&stage->options[i], text, driver->self, &driver->err));
    }
    return MR_OK;
}

static enum mr_status reload(struct mr_driver *driver)
{
    enum mr_status status = MR_OK;

    if (driver->stage->reload != NULL) {
        status = driver->stage->reload(driver->self, &driver->ctx, &driver->err);
    }
    mr_arena_reset(driver->scratch);
    driver_loans_end(driver);
    return status;
}

static enum mr_status start(struct mr_driver *driver)
{
    driver->timer_count = 0;
    driver->self = mr_xcalloc(1, driver->stage->state_size == 0 ? 1 : driver->stage->state_size);
    MR_TRY(parse_options(driver));
    if (driver->stage->init != NULL) {
        MR_TRY(driver->stage->init(driver->self, &driver->ctx, &driver->err));
    }
    return reload(driver);
}

static void stop(struct mr_driver *driver)
{
    if (driver->stage->fini != NULL && driver->self != NULL) {
        driver->stage->fini(driver->self);
    }
    free(driver->self);
    driver->self = NULL;
}

static struct mr_driver_setting *settings_copy(const struct mr_driver_setting *settings,
                                               size_t count)
{
    struct mr_driver_setting *copy = mr_xcalloc(count + 1, sizeof(*copy));

    for (size_t i = 0; i < count; i++) {
        copy[i].name = mr_xstrdup(settings[i].name);
        copy[i].text = mr_xstrdup(settings[i].text);
    }
    return copy;
}

struct mr_driver *mr_driver_open(const struct mr_stage *stage,
                                 const struct mr_driver_setting *settings, size_t count,
                                 struct mr_err *err)
{
    struct mr_driver *driver = mr_xcalloc(1, sizeof(*driver));

    driver->ctx.driver = driver;
    driver->stage = stage;
    driver->stream_us = driver->stream_committed_us = INT64_MIN;
    driver->settings = settings_copy(settings, count);
    driver->setting_count = count;
    driver->scratch = mr_arena_create(4096);
    driver->kept = mr_arena_create(4096);
    driver->stores = mr_xcalloc(stage->store_count + 1, sizeof(driver->stores[0]));
    for (size_t i = 0; i < stage->store_count; i++) {
        driver->stores[i].driver = driver;
        driver->stores[i].name = stage->stores[i].name;
        driver->stores[i].schema = stage->stores[i].schema;
    }
    if (start(driver) != MR_OK) {
        *err = driver->err;
        mr_driver_destroy(&driver);
        return NULL;
    }
    return driver;
}

struct mr_driver *mr_driver_create(const struct mr_stage *stage,
                                   const struct mr_driver_setting *settings, size_t count)
{
    struct mr_err err = {0};
    struct mr_driver *driver = mr_driver_open(stage, settings, count, &err);

    if (driver == NULL) {
        (void)fprintf(stderr, "stage %s: %s\n", stage->name, err.text);
    }
    MR_ASSERT(driver != NULL);
    return driver;
}

void driver_emits_cut(struct mr_driver *driver, size_t count)
{
    while (driver->emit_count > count) {
        struct driver_emit *emit = &driver->emits[--driver->emit_count];

        free(emit->key.data);
        free(emit->partition_key.data);
        free(emit->body.data);
        free(emit->value);
    }
}

void mr_driver_destroy(struct mr_driver **driver_ptr)
{
    struct mr_driver *driver = *driver_ptr;

    if (driver == NULL) {
        return;
    }
    stop(driver);
    driver_loans_end(driver);
    free(driver->loans);
    driver_emits_cut(driver, 0);
    free(driver->emits);
    for (size_t i = 0; i < driver->table_count; i++) {
        free(driver->tables[i].key.data);
        free(driver->tables[i].body.data);
    }
    free(driver->tables);
    driver_stores_fini(driver);
    for (size_t i = 0; i < driver->setting_count; i++) {
        free((void *)(uintptr_t)driver->settings[i].name);
        free((void *)(uintptr_t)driver->settings[i].text);
    }
    free((void *)(uintptr_t)driver->settings);
    mr_arena_destroy(&driver->scratch);
    mr_arena_destroy(&driver->kept);
    while (driver->gauges != NULL) {
        struct mr_gauge *gauge = driver->gauges;

        driver->gauges = gauge->next;
        free(gauge->name);
        free(gauge);
    }
    free(driver);
    *driver_ptr = NULL;
}

/* --- transactions ------------------------------------------------------------------------- */

void mr_driver_abort(struct mr_driver *driver)
{
    driver_undo_to(driver, 0);
    driver_emits_cut(driver, driver->emit_committed);
    driver->stream_us = driver->stream_committed_us;
    MR_ASSERT(reload(driver) == MR_OK);
}

/* What the runtime does after a callback: nothing, undo the record, or undo the transaction. */
static enum mr_status settle_callback(struct mr_driver *driver, enum mr_status status,
                                      size_t undo_mark, size_t emit_mark)
{
    mr_arena_reset(driver->scratch);
    driver_loans_end(driver);
    if (status == MR_OK) {
        return status;
    }
    if (mr_status_class(status) == MR_CLASS_POISON) {
        const bool wrote = driver->undo_count > undo_mark;

        driver_undo_to(driver, undo_mark);
        driver_emits_cut(driver, emit_mark);
        if (wrote) {
            MR_ASSERT(reload(driver) == MR_OK);
        }
    } else {
        mr_driver_abort(driver);
    }
    return status;
}

static int64_t event_time(struct mr_driver *driver, const struct mr_schema *schema,
                          const void *value)
{
    if (value != NULL && schema->event_us_offset >= 0) {
        memcpy(&driver->event_us, (const uint8_t *)value + schema->event_us_offset,
               sizeof(driver->event_us));
    }
    return driver->event_us;
}

static void pass_to(struct mr_driver *driver, int64_t event_us)
{
    driver->stream_us = event_us > driver->stream_us ? event_us : driver->stream_us;
}

enum mr_status mr_driver_push(struct mr_driver *driver, const char *port, struct mr_slice key,
                              const void *value)
{
    const size_t index = driver_port(driver->stage->in, driver->stage->in_count, port);
    const struct mr_port *in = &driver->stage->in[index];
    const size_t undo_mark = driver->undo_count;
    const size_t emit_mark = driver->emit_count;
    struct mr_record record = {.topic = port, .offset = driver->offset++};
    uint8_t *key_copy = driver_loan(driver, key.len);
    enum mr_status status;

    MR_ASSERT((in->flags & MR_PORT_TABLE) == 0);
    MR_ASSERT(value != NULL || (in->flags & MR_PORT_TOMBSTONES) != 0);
    if (key.len > 0) {
        memcpy(key_copy, key.data, key.len);
    }
    record.key = mr_slice_of(key_copy, key.len);
    record.event_us = event_time(driver, in->schema, value);
    record.timestamp_ms = record.event_us / MR_MS_US;
    if (value != NULL) {
        struct driver_bytes body = driver_encode(in->schema, value);
        void *decoded = driver_loan(driver, in->schema->struct_bytes);

        MR_ASSERT(driver_decode_loan(driver, in->schema, driver_slice(body), decoded,
                                     &driver->err) == MR_OK);
        free(body.data);
        record.value = decoded;
    }
    status = settle_callback(
        driver, driver->stage->process(driver->self, &driver->ctx, index, &record, &driver->err),
        undo_mark, emit_mark);
    if (status == MR_OK) {
        pass_to(driver, record.event_us);
    }
    return status;
}

enum mr_status mr_driver_punctuate(struct mr_driver *driver, size_t timer, int64_t now_us)
{
    const size_t undo_mark = driver->undo_count;
    const size_t emit_mark = driver->emit_count;

    MR_ASSERT(driver->stage->punctuate != NULL && timer < driver->timer_count);
    if (driver->clocks[timer] == MR_STREAM_TIME) {
        pass_to(driver, now_us); /* a record of another stage of the task has moved it */
    }
    return settle_callback(
        driver, driver->stage->punctuate(driver->self, &driver->ctx, timer, now_us, &driver->err),
        undo_mark, emit_mark);
}

static bool same_key(const struct driver_emit *a, const struct driver_emit *b)
{
    return a->port == b->port && mr_slice_equal(driver_slice(a->key), driver_slice(b->key));
}

/* Keeps of each LATEST key the newest of this transaction, in the place of the newest. */
static void conflate(struct mr_driver *driver)
{
    size_t kept = driver->emit_committed;

    for (size_t i = driver->emit_committed; i < driver->emit_count; i++) {
        struct driver_emit *emit = &driver->emits[i];
        bool superseded = false;

        if ((driver->stage->out[emit->port].flags & MR_PORT_LATEST) != 0) {
            for (size_t k = i + 1; k < driver->emit_count && !superseded; k++) {
                superseded = same_key(emit, &driver->emits[k]);
            }
        }
        if (superseded) {
            free(emit->key.data);
            free(emit->partition_key.data);
            free(emit->body.data);
            free(emit->value);
        } else {
            driver->emits[kept++] = *emit;
        }
    }
    driver->emit_count = kept;
}

enum mr_status mr_driver_commit(struct mr_driver *driver)
{
    enum mr_status status = MR_OK;

    if (driver->stage->flush != NULL) {
        status = driver->stage->flush(driver->self, &driver->ctx, &driver->err);
        mr_arena_reset(driver->scratch);
        driver_loans_end(driver);
    }
    if (status != MR_OK) {
        mr_driver_abort(driver);
        return status;
    }
    conflate(driver);
    driver_undo_forget(driver);
    driver->emit_committed = driver->emit_count;
    driver->stream_committed_us = driver->stream_us;
    return MR_OK;
}

void mr_driver_restart(struct mr_driver *driver)
{
    driver_undo_to(driver, 0);
    driver_emits_cut(driver, driver->emit_committed);
    driver->stream_us = driver->stream_committed_us;
    stop(driver);
    MR_ASSERT(start(driver) == MR_OK);
}
