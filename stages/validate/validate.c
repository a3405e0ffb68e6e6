/*
 * validate -- every check of a command that needs no more than the command and its instrument.
 *
 * Why: what is wrong in itself must be refused before it costs a user's idempotency key, a token
 *      or a hold, and with all its errors at once.
 * How: instruments are a global table, converted once per version. domain/validate.h has the
 *      rules; a refused command becomes a REJECTED (or CANCEL_REJECTED) report with the deciding
 *      code and a text that lists all of them.
 * Not: a place for records that nobody can be told about: without userId, orderId or eventId, or
 *      under another user's key, a record is malformed and goes to the dead letters.
 */
#include "validate.h"

#include "domain/validate.h"
#include "order_map.h"
#include "order_report.h"

#define VALIDATE_MAGIC UINT32_C(0x76616c69)

struct validate {
    uint32_t magic;
    int64_t recv_window_us; /* option `recv-window` */
    struct mr_counter *passed;
    struct mr_counter *rejected;
    struct instrument_cache instruments;
};

enum { VALIDATE_IN_ORDERS, VALIDATE_IN_INSTRUMENTS };
enum { VALIDATE_OUT_VALID, VALIDATE_OUT_REJECTED };

static enum mr_status validate_identity(const struct mr_record *record,
                                        const struct oms_order_command *order, struct mr_err *err)
{
    if (order->user_id.len == 0 || order->order_id.len == 0 || order->event_id.len == 0) {
        return mr_fail(err, MR_MALFORMED, "command without userId, orderId or eventId");
    }
    if (!mr_slice_equal(record->key, order->user_id)) {
        return mr_fail(err, MR_MALFORMED, "key of the record is not its userId");
    }
    if (order->ts_us < 0) {
        return mr_fail(err, MR_OUT_OF_RANGE, "event time before 1970");
    }
    return MR_OK;
}

static enum mr_status validate_reject(struct validate *v, struct mr_ctx *ctx,
                                      const struct oms_order_command *order,
                                      const struct code_list *codes, struct mr_err *err)
{
    struct mr_arena *arena = mr_ctx_arena(ctx);
    char *text = mr_arena_alloc(arena, CODE_LIST_TEXT_MAX);
    const size_t len = code_list_text(codes, text, CODE_LIST_TEXT_MAX);
    struct oms_execution_report report;

    order_report_reject(&report, arena, order, "V-", (int32_t)code_list_first(codes),
                        mr_slice_of(text, len));
    mr_counter_add(v->rejected, 1);
    return mr_emit(ctx, VALIDATE_OUT_REJECTED, order->user_id, &report, err);
}

/* NULL: the symbol is unknown. *usable: the record says nothing impossible. */
static const struct instr *find_instrument(struct validate *v, struct mr_ctx *ctx,
                                           struct mr_slice symbol, bool *usable)
{
    int64_t version = 0;
    const struct oms_instrument *record =
        mr_table_get(ctx, VALIDATE_IN_INSTRUMENTS, symbol, &version);
    const struct instrument_facts *facts = NULL;

    *usable = true;
    if (record == NULL) {
        return NULL;
    }
    facts = instrument_cache_get(&v->instruments, record, version);
    *usable = facts->defect == NULL;
    return &facts->instr;
}

static enum mr_status validate_process(void *self, struct mr_ctx *ctx, size_t port,
                                       const struct mr_record *record, struct mr_err *err)
{
    struct validate *v = MR_SELF(struct validate, self, VALIDATE_MAGIC);
    const struct oms_order_command *order = record->value;
    const struct validate_env env = {.now_us = record->event_us,
                                     .recv_window_us = v->recv_window_us};
    const struct instr *instr = NULL;
    struct ord_command command;
    struct code_list codes;
    bool usable = false;

    (void)port;
    MR_TRY(validate_identity(record, order, err));
    order_map_command(order, &command);
    instr = find_instrument(v, ctx, order->symbol, &usable);
    (void)validate_order(&command, instr, &env, &codes);
    /* A cancel needs nothing of a defective instrument but its name. */
    if (!usable && (order->action == OMS_ACTION_NEW || order->action == OMS_ACTION_AMEND)) {
        code_list_add(&codes, CODE_NOT_TRADING);
    }
    if (codes.count > 0) {
        return validate_reject(v, ctx, order, &codes, err);
    }
    mr_counter_add(v->passed, 1);
    return mr_emit(ctx, VALIDATE_OUT_VALID, order->user_id, order, err);
}

static enum mr_status validate_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct validate *v = self;

    (void)err;
    v->magic = VALIDATE_MAGIC;
    v->passed = mr_ctx_counter(ctx, "passed_total");
    v->rejected = mr_ctx_counter(ctx, "rejected_total");
    return MR_OK;
}

static const struct mr_port validate_in[] = {
    [VALIDATE_IN_ORDERS] = {.name = "orders",
                            .schema = &oms_order_command_schema,
                            .help = "commands from outside, keyed by userId"},
    [VALIDATE_IN_INSTRUMENTS] = {.name = "instruments",
                                 .schema = &oms_instrument_schema,
                                 .flags = MR_PORT_TABLE,
                                 .help = "increments, bounds and state of each symbol"},
};
static const struct mr_port validate_out[] = {
    [VALIDATE_OUT_VALID] = {.name = "valid",
                            .schema = &oms_order_command_schema,
                            .help = "commands that passed, unchanged"},
    [VALIDATE_OUT_REJECTED] = {.name = "rejected",
                               .schema = &oms_execution_report_schema,
                               .help = "commands that did not, with code and all errors"},
};
static const struct mr_option validate_options[] = {
    {.name = "recv-window",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct validate, recv_window_us),
     .fallback = "0s",
     .min = 0,
     .max = MR_HOUR_US,
     .help = "oldest clientTs taken, against the event time; 0s takes any"},
};

const struct mr_stage validate_stage = {
    .name = "validate",
    .help = "checks each command on its own and against its instrument",
    .state_size = sizeof(struct validate),
    .in = validate_in,
    .in_count = MR_COUNT(validate_in),
    .out = validate_out,
    .out_count = MR_COUNT(validate_out),
    .options = validate_options,
    .option_count = MR_COUNT(validate_options),
    .init = validate_init,
    .process = validate_process,
};
