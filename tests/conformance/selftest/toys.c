/*
 * toys.c -- stages with one mistake each, in the place of stages/registry.c.
 *
 * All do the same: the time of a user's last command is kept, and every command is passed on.
 * `good` does it right; each other one does one thing that a stage must not do. selftest.py says
 * which test finds which.
 */
#include "avro/dedupe_expiry.h"
#include "avro/order_command.h"
#include "registry.h"

#include <stdlib.h>

#define TOY_MAGIC UINT32_C(0x00746f79)

struct toy {
    uint32_t magic;
    int64_t pause_us; /* option */
    int64_t passed;   /* memory of its own, for the toys that misuse it */
    struct mr_store *last;
};

static enum mr_status toy_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct toy *toy = self;

    (void)err;
    toy->magic = TOY_MAGIC;
    toy->last = mr_ctx_store(ctx, 0);
    return MR_OK;
}

static enum mr_status check_user(const struct oms_order_command *order, struct mr_err *err)
{
    if (order->user_id.len == 0 || order->user_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "userId has %zu bytes", order->user_id.len);
    }
    return MR_OK;
}

static enum mr_status keep(struct toy *toy, const struct mr_record *record, struct mr_err *err)
{
    const struct oms_order_command *order = record->value;
    struct oms_dedupe_expiry last = {0};
    bool found = false;

    MR_TRY(mr_store_get(toy->last, order->user_id, &last, &found, err));
    last.first_ts_us = record->event_us;
    return mr_store_put(toy->last, order->user_id, &last, err);
}

static enum mr_status good(void *self, struct mr_ctx *ctx, size_t port,
                           const struct mr_record *record, struct mr_err *err)
{
    struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);

    (void)port;
    MR_TRY(check_user(record->value, err));
    MR_TRY(keep(toy, record, err));
    return mr_emit(ctx, 0, record->key, record->value, err);
}

/* Memory from malloc for each record. */
static enum mr_status allocates(void *self, struct mr_ctx *ctx, size_t port,
                                const struct mr_record *record, struct mr_err *err)
{
    char *volatile scratch = malloc(64);

    free(scratch);
    return good(self, ctx, port, record, err);
}

/* Counts in its own memory, has no reload, and lets the count be seen. */
static enum mr_status remembers(void *self, struct mr_ctx *ctx, size_t port,
                                const struct mr_record *record, struct mr_err *err)
{
    struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);
    struct oms_order_command order = *(const struct oms_order_command *)record->value;

    (void)port;
    MR_TRY(check_user(&order, err));
    MR_TRY(keep(toy, record, err));
    order.client_ts_us = ++toy->passed;
    return mr_emit(ctx, 0, record->key, &order, err);
}

/* The same input gives something else the next time: it has a global. */
static enum mr_status wavers(void *self, struct mr_ctx *ctx, size_t port,
                             const struct mr_record *record, struct mr_err *err)
{
    static int64_t calls;
    struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);
    struct oms_order_command order = *(const struct oms_order_command *)record->value;

    (void)port;
    MR_TRY(check_user(&order, err));
    MR_TRY(keep(toy, record, err));
    order.client_ts_us = ++calls;
    return mr_emit(ctx, 0, record->key, &order, err);
}

/* A write that failed does not disturb it. */
static enum mr_status swallows(void *self, struct mr_ctx *ctx, size_t port,
                               const struct mr_record *record, struct mr_err *err)
{
    struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);

    (void)port;
    MR_TRY(check_user(record->value, err));
    if (keep(toy, record, err) != MR_OK) {
        *err = (struct mr_err){0};
    }
    return mr_emit(ctx, 0, record->key, record->value, err);
}

/* A failure of the log becomes one of the record: the record would be lost. */
static enum mr_status relabels(void *self, struct mr_ctx *ctx, size_t port,
                               const struct mr_record *record, struct mr_err *err)
{
    const enum mr_status status = good(self, ctx, port, record, err);

    return status == MR_OK ? MR_OK : mr_fail(err, MR_MALFORMED, "something failed");
}

/* What a record says is asserted. */
static enum mr_status asserts(void *self, struct mr_ctx *ctx, size_t port,
                              const struct mr_record *record, struct mr_err *err)
{
    const struct oms_order_command *order = record->value;

    MR_ASSERT(order->qty >= 0);
    return good(self, ctx, port, record, err);
}

/* A strange record ends the process. */
static enum mr_status dies(void *self, struct mr_ctx *ctx, size_t port,
                           const struct mr_record *record, struct mr_err *err)
{
    const struct oms_order_command *order = record->value;

    if (order->has_price && order->price < 0) {
        return mr_fail(err, MR_CORRUPT, "a negative price");
    }
    return good(self, ctx, port, record, err);
}

/* What it says depends on how many records were in a transaction. */
static enum mr_status batches(void *self, struct mr_ctx *ctx, size_t port,
                              const struct mr_record *record, struct mr_err *err)
{
    struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);

    toy->passed++;
    return good(self, ctx, port, record, err);
}

static enum mr_status batches_flush(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);
    const struct oms_dedupe_expiry passed = {.first_ts_us = toy->passed};

    (void)ctx;
    toy->passed = 0;
    return mr_store_put(toy->last, mr_slice_str("passed"), &passed, err);
}

/* Nothing ever comes out. */
static enum mr_status sleeps(void *self, struct mr_ctx *ctx, size_t port,
                             const struct mr_record *record, struct mr_err *err)
{
    struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);

    (void)ctx;
    (void)port;
    MR_TRY(check_user(record->value, err));
    return keep(toy, record, err);
}

/* An edge of its option that it takes and cannot live with. */
static enum mr_status divides(void *self, struct mr_ctx *ctx, size_t port,
                              const struct mr_record *record, struct mr_err *err)
{
    const struct toy *toy = MR_SELF(struct toy, self, TOY_MAGIC);

    MR_ASSERT(toy->pause_us != 0);
    return good(self, ctx, port, record, err);
}

static const struct mr_port in[] = {{.name = "orders",
                                     .schema = &oms_order_command_schema,
                                     .help = "commands of users, keyed by userId"}};
static const struct mr_port out[] = {
    {.name = "passed", .schema = &oms_order_command_schema, .help = "the same commands"}};
static const struct mr_store_spec stores[] = {
    {.name = "last", .schema = &oms_dedupe_expiry_schema, .help = "userId -> its last command"}};

#define OPTION(low, high, given)                                                                   \
    {                                                                                              \
        .name = "pause", .type = MR_OPTION_DURATION, .offset = offsetof(struct toy, pause_us),     \
        .fallback = (given), .min = (low), .max = (high), .help = "how long nothing happens"       \
    }
static const struct mr_option options[] = {OPTION(0, MR_DAY_US, "1s")};
static const struct mr_option crossed_options[] = {OPTION(MR_SECOND_US, MR_DAY_US, "1ms")};

#define TOY(label, about, table, ...)                                                              \
    {                                                                                              \
        .name = (label), .help = (about), .state_size = sizeof(struct toy), .in = in,              \
        .in_count = 1, .out = out, .out_count = 1, .stores = stores, .store_count = 1,             \
        .options = (table), .option_count = 1, .init = toy_init, __VA_ARGS__                       \
    }

static const struct mr_stage toys[] = {
    TOY("good", "passes commands on", options, .process = good),
    TOY("allocates", "passes commands on", options, .process = allocates),
    TOY("remembers", "passes commands on", options, .process = remembers),
    TOY("wavers", "passes commands on", options, .process = wavers),
    TOY("swallows", "passes commands on", options, .process = swallows),
    TOY("relabels", "passes commands on", options, .process = relabels),
    TOY("asserts", "passes commands on", options, .process = asserts),
    TOY("dies", "passes commands on", options, .process = dies),
    TOY("batches", "passes commands on", options, .process = batches, .flush = batches_flush),
    TOY("sleeps", "passes commands on", options, .process = sleeps),
    TOY("divides", "passes commands on", options, .process = divides),
    TOY("crossed", "passes commands on", crossed_options, .process = good),
    TOY("mute", NULL, options, .process = good),
};

const struct mr_stage *const mr_stages[] = {
    &toys[0], &toys[1], &toys[2], &toys[3],  &toys[4],  &toys[5],  &toys[6],
    &toys[7], &toys[8], &toys[9], &toys[10], &toys[11], &toys[12],
};
const size_t mr_stage_count = MR_COUNT(mr_stages);
