/*
 * stage_driver_ctx.c -- the functions of stage.h that a stage calls, and the test's view of what
 * came of them: emits, tables, counters.
 */
#include "stage_driver_state.h"

#include <stdlib.h>

size_t driver_port(const struct mr_port *ports, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ports[i].name, name) == 0) {
            return i;
        }
    }
    mr_assert_fail("unknown port", __FILE__, __LINE__, __func__);
}

static size_t out_index(const struct mr_driver *driver, const char *name)
{
    return driver_port(driver->stage->out, driver->stage->out_count, name);
}

struct driver_bytes driver_encode(const struct mr_schema *schema, const void *value)
{
    const size_t bytes_max = schema->encoded_bytes_max(value);
    struct driver_bytes body = {.data = mr_xcalloc(1, bytes_max + 1)};

    body.len = schema->encode(value, body.data);
    MR_ASSERT(body.len <= bytes_max);
    return body;
}

enum mr_status mr_emit_by(struct mr_ctx *ctx, size_t port, struct mr_slice partition_key,
                          struct mr_slice key, const void *value, struct mr_err *err)
{
    struct mr_driver *driver = ctx->driver;
    const struct mr_schema *schema = NULL;
    struct driver_emit emit = {.port = port};

    MR_ASSERT(port < driver->stage->out_count);
    if (driver_fault_strikes(driver, MR_DRIVER_FAULT_EMIT)) {
        return mr_fail(err, MR_TXN_ABORT, "ordered fault in emit");
    }
    if (driver_fault_strikes(driver, MR_DRIVER_FAULT_EMIT_POISON)) {
        return mr_fail(err, MR_MALFORMED, "ordered poison in emit");
    }
    schema = driver->stage->out[port].schema;
    emit.key = driver_bytes_copy(key);
    emit.partition_key = driver_bytes_copy(partition_key);
    emit.body = driver_encode(schema, value);
    emit.value = mr_xcalloc(1, schema->struct_bytes);
    MR_ASSERT(schema->decode(driver_slice(emit.body), driver->kept, emit.value, &driver->err) ==
              MR_OK);
    driver->emits = driver_grow(driver->emits, driver->emit_count, &driver->emit_capacity,
                                sizeof(driver->emits[0]));
    driver->emits[driver->emit_count++] = emit;
    return MR_OK;
}

enum mr_status mr_emit(struct mr_ctx *ctx, size_t port, struct mr_slice key, const void *value,
                       struct mr_err *err)
{
    return mr_emit_by(ctx, port, key, key, value, err);
}

struct mr_store *mr_ctx_store(struct mr_ctx *ctx, size_t index)
{
    MR_ASSERT(index < ctx->driver->stage->store_count);
    return &ctx->driver->stores[index];
}

const void *mr_table_get(struct mr_ctx *ctx, size_t port, struct mr_slice key, int64_t *version)
{
    struct mr_driver *driver = ctx->driver;
    void *value = NULL;

    MR_ASSERT(port < driver->stage->in_count);
    MR_ASSERT((driver->stage->in[port].flags & MR_PORT_TABLE) != 0);
    for (size_t i = 0; i < driver->table_count; i++) {
        const struct driver_table_entry *entry = &driver->tables[i];

        if (entry->port == port && entry->present &&
            mr_slice_equal(driver_slice(entry->key), key)) {
            const struct mr_schema *schema = driver->stage->in[port].schema;

            value = driver_loan(driver, schema->struct_bytes);
            MR_ASSERT(driver_decode_loan(driver, schema, driver_slice(entry->body), value,
                                         &driver->err) == MR_OK);
            if (version != NULL) {
                *version = entry->version;
            }
        }
    }
    return value;
}

int64_t mr_ctx_stream_time_us(const struct mr_ctx *ctx)
{
    return ctx->driver->stream_us;
}

int32_t mr_ctx_partition(const struct mr_ctx *ctx)
{
    (void)ctx;
    return 0;
}

struct mr_arena *mr_ctx_arena(struct mr_ctx *ctx)
{
    return ctx->driver->scratch;
}

struct mr_counter *mr_ctx_counter(struct mr_ctx *ctx, const char *name)
{
    struct mr_driver *driver = ctx->driver;
    struct mr_counter *counter = NULL;

    for (size_t i = 0; i < driver->counter_count; i++) {
        if (strcmp(driver->counters[i].name, name) == 0) {
            return &driver->counters[i];
        }
    }
    MR_ASSERT(driver->counter_count < DRIVER_COUNTERS_MAX);
    MR_ASSERT(strlen(name) < sizeof(counter->name));
    counter = &driver->counters[driver->counter_count++];
    memcpy(counter->name, name, strlen(name) + 1);
    return counter;
}

void mr_counter_add(struct mr_counter *counter, uint64_t delta)
{
    counter->value += delta;
}

uint64_t mr_counter_value(const struct mr_counter *counter)
{
    return counter->value;
}

struct mr_gauge *mr_ctx_gauge(struct mr_ctx *ctx, const char *name, const struct mr_label *labels,
                              size_t label_count)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_gauge *gauge = NULL;

    mr_buffer_printf(&text, "%s", name);
    for (size_t i = 0; i < label_count; i++) {
        mr_label_write(&labels[i], &text);
    }
    mr_buffer_append(&text, "", 1);
    for (gauge = ctx->driver->gauges; gauge != NULL; gauge = gauge->next) {
        if (strcmp(gauge->name, (const char *)text.data) == 0) {
            mr_buffer_fini(&text);
            return gauge;
        }
    }
    gauge = mr_xcalloc(1, sizeof(*gauge));
    gauge->name = mr_xstrdup((const char *)text.data);
    gauge->next = ctx->driver->gauges;
    ctx->driver->gauges = gauge;
    mr_buffer_fini(&text);
    return gauge;
}

void mr_label_write(const struct mr_label *label, struct mr_buffer *out)
{
    mr_buffer_printf(out, ",%s=\"%.*s\"", label->name, MR_SLICE_ARG(label->value));
}

void mr_gauge_set(struct mr_gauge *gauge, int64_t value)
{
    gauge->value = value;
}

int64_t mr_gauge_value(const struct mr_gauge *gauge)
{
    return gauge->value;
}

int64_t mr_driver_gauge(const struct mr_driver *driver, const char *name)
{
    for (const struct mr_gauge *gauge = driver->gauges; gauge != NULL; gauge = gauge->next) {
        if (strcmp(gauge->name, name) == 0) {
            return gauge->value;
        }
    }
    return 0;
}

void mr_ctx_schedule(struct mr_ctx *ctx, enum mr_timer_clock clock, int64_t interval_us,
                     size_t *timer)
{
    MR_ASSERT(interval_us > 0);
    MR_ASSERT(clock == MR_STREAM_TIME || clock == MR_WALL_CLOCK);
    MR_ASSERT(ctx->driver->timer_count < DRIVER_TIMERS_MAX);
    *timer = ctx->driver->timer_count++;
    ctx->driver->clocks[*timer] = clock;
}

/* --- looking in --------------------------------------------------------------------------- */

const char *mr_driver_error(const struct mr_driver *driver)
{
    return driver->err.text;
}

void *mr_driver_self(struct mr_driver *driver)
{
    return driver->self;
}

void mr_driver_table_set(struct mr_driver *driver, const char *port, struct mr_slice key,
                         const void *value)
{
    const size_t index = driver_port(driver->stage->in, driver->stage->in_count, port);
    struct driver_table_entry *entry = NULL;

    for (size_t i = 0; i < driver->table_count; i++) {
        if (driver->tables[i].port == index &&
            mr_slice_equal(driver_slice(driver->tables[i].key), key)) {
            entry = &driver->tables[i];
        }
    }
    if (entry == NULL) {
        driver->tables = driver_grow(driver->tables, driver->table_count, &driver->table_capacity,
                                     sizeof(driver->tables[0]));
        entry = &driver->tables[driver->table_count++];
        *entry = (struct driver_table_entry){.port = index, .key = driver_bytes_copy(key)};
    }
    free(entry->body.data);
    entry->body = (struct driver_bytes){0};
    entry->present = value != NULL;
    entry->version = ++driver->table_version;
    if (value != NULL) {
        entry->body = driver_encode(driver->stage->in[index].schema, value);
    }
}

static const struct driver_emit *nth_emit(const struct mr_driver *driver, const char *port,
                                          size_t index)
{
    const size_t wanted = out_index(driver, port);
    size_t seen = 0;

    for (size_t i = 0; i < driver->emit_count; i++) {
        if (driver->emits[i].port == wanted && seen++ == index) {
            return &driver->emits[i];
        }
    }
    return NULL;
}

size_t mr_driver_emit_count(const struct mr_driver *driver, const char *port)
{
    const size_t wanted = out_index(driver, port);
    size_t count = 0;

    for (size_t i = 0; i < driver->emit_count; i++) {
        count += driver->emits[i].port == wanted;
    }
    return count;
}

const void *mr_driver_emit(const struct mr_driver *driver, const char *port, size_t index)
{
    const struct driver_emit *emit = nth_emit(driver, port, index);

    MR_ASSERT(emit != NULL);
    return emit->value;
}

const void *mr_driver_emit_last(const struct mr_driver *driver, const char *port)
{
    const size_t count = mr_driver_emit_count(driver, port);

    return count == 0 ? NULL : mr_driver_emit(driver, port, count - 1);
}

struct mr_slice mr_driver_emit_key(const struct mr_driver *driver, const char *port, size_t index)
{
    const struct driver_emit *emit = nth_emit(driver, port, index);

    MR_ASSERT(emit != NULL);
    return driver_slice(emit->key);
}

struct mr_slice mr_driver_emit_partition_key(const struct mr_driver *driver, const char *port,
                                             size_t index)
{
    const struct driver_emit *emit = nth_emit(driver, port, index);

    MR_ASSERT(emit != NULL);
    return driver_slice(emit->partition_key);
}

struct mr_slice mr_driver_emit_bytes(const struct mr_driver *driver, const char *port, size_t index)
{
    const struct driver_emit *emit = nth_emit(driver, port, index);

    MR_ASSERT(emit != NULL);
    return driver_slice(emit->body);
}

void mr_driver_emits_clear(struct mr_driver *driver)
{
    MR_ASSERT(driver->emit_committed == driver->emit_count);
    driver_emits_cut(driver, 0);
    driver->emit_committed = 0;
    mr_arena_reset(driver->kept);
}

size_t mr_driver_store_calls(const struct mr_driver *driver)
{
    return driver->store_calls;
}

size_t mr_driver_scan_calls(const struct mr_driver *driver)
{
    return driver->scan_calls;
}

uint64_t mr_driver_counter(const struct mr_driver *driver, const char *name)
{
    for (size_t i = 0; i < driver->counter_count; i++) {
        if (strcmp(driver->counters[i].name, name) == 0) {
            return driver->counters[i].value;
        }
    }
    mr_assert_fail("unknown counter", __FILE__, __LINE__, __func__);
}
