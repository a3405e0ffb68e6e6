/*
 * template -- let a user's next command pass only when `gap` has gone by since the last one.
 *
 * Why: the smallest stage that shows every part of the contract: two ports, a store, an option, a
 *      counter and a precondition.
 * How: store "last" maps userId -> event time of the last command that passed. The write, the
 *      forwarded record and the input offset commit together, so a crash repeats all or none.
 * Not: a rejection, which would be a record of its own: what does not pass is only counted. And no
 *      rate limit by the wall clock. Time is that of the records, so a replay decides the same.
 */
#include "template.h"

#include "avro/dedupe_expiry.h"
#include "avro/order_command.h"

#define TEMPLATE_MAGIC UINT32_C(0x746d706c)

struct template_self {
    uint32_t magic;
    int64_t gap_us;             /* option `gap` */
    struct mr_store *last;      /* borrowed from the task */
    struct mr_counter *dropped; /* borrowed from the task */
};

enum { TEMPLATE_IN_ORDERS };
enum { TEMPLATE_OUT_PASSED };
enum { TEMPLATE_STORE_LAST };

static enum mr_status template_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct template_self *t = self;

    (void)err;
    t->magic = TEMPLATE_MAGIC;
    t->last = mr_ctx_store(ctx, TEMPLATE_STORE_LAST);
    t->dropped = mr_ctx_counter(ctx, "dropped_total");
    return MR_OK;
}

static enum mr_status template_process(void *self, struct mr_ctx *ctx, size_t port,
                                       const struct mr_record *record, struct mr_err *err)
{
    struct template_self *t = MR_SELF(struct template_self, self, TEMPLATE_MAGIC);
    const struct oms_order_command *order = record->value;
    struct oms_dedupe_expiry last = {0};
    bool found = false;

    (void)port;
    if (order->user_id.len == 0 || order->user_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "userId has %zu bytes", order->user_id.len);
    }
    if (record->event_us < 0) { /* so that no distance below overflows */
        return mr_fail(err, MR_OUT_OF_RANGE, "ts is before 1970");
    }
    MR_TRY(mr_store_get(t->last, order->user_id, &last, &found, err));
    if (found && t->gap_us > 0 && record->event_us - last.first_ts_us < t->gap_us) {
        mr_counter_add(t->dropped, 1);
        return MR_OK;
    }
    last.first_ts_us = record->event_us;
    MR_TRY(mr_store_put(t->last, order->user_id, &last, err));
    return mr_emit(ctx, TEMPLATE_OUT_PASSED, record->key, order, err);
}

static const struct mr_port template_in[] = {
    [TEMPLATE_IN_ORDERS] = {.name = "orders",
                            .schema = &oms_order_command_schema,
                            .help = "commands of users, keyed by userId"},
};
static const struct mr_port template_out[] = {
    [TEMPLATE_OUT_PASSED] = {.name = "passed",
                             .schema = &oms_order_command_schema,
                             .help = "commands that kept the distance"},
};
static const struct mr_store_spec template_stores[] = {
    [TEMPLATE_STORE_LAST] = {.name = "last",
                             .schema = &oms_dedupe_expiry_schema,
                             .help = "userId -> event time of the last command that passed"},
};
static const struct mr_option template_options[] = {
    {.name = "gap",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct template_self, gap_us),
     .fallback = "0s",
     .min = 0,
     .max = MR_DAY_US,
     .help = "smallest distance in event time between two commands of a user; 0s lets all pass"},
};

const struct mr_stage template_stage = {
    .name = "template",
    .help = "example: lets a user's command pass when `gap` has gone by since the last one",
    .state_size = sizeof(struct template_self),
    .in = template_in,
    .in_count = MR_COUNT(template_in),
    .out = template_out,
    .out_count = MR_COUNT(template_out),
    .stores = template_stores,
    .store_count = MR_COUNT(template_stores),
    .options = template_options,
    .option_count = MR_COUNT(template_options),
    .init = template_init,
    .process = template_process,
};
