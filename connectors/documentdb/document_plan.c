/* document_plan.c -- see document_plan.h. One table per schema; typed access to what identifies it.
 */
#include "document_plan.h"

#include "avro/balance.h"
#include "avro/candle.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "avro/order_command.h"
#include "avro/position.h"

#include <inttypes.h>

/* Guard of a candle: revision, then trades, then whether it is closed, in one number. */
#define REVISION_SHIFT 40
#define TRADES_MAX ((INT64_C(1) << (REVISION_SHIFT - 1)) - 1)

const char *const document_schemas[] = {
    "OrderCommand", "ExecutionReport", "Position", "LedgerEntry", "Candle", "Balance", NULL};

static void append(struct mr_buffer *out, struct mr_slice text)
{
    mr_buffer_append(out, text.data, text.len);
}

/* "first:second"; nothing when either is empty, so that no two pairs meet in ":x". */
static void append_pair(struct mr_buffer *out, struct mr_slice first, struct mr_slice second)
{
    if (first.len > 0 && second.len > 0) {
        append(out, first);
        mr_buffer_append(out, ":", 1);
        append(out, second);
    }
}

/* ---- orders ---- */

/* A cancel is not an order; what it does shows in its target. */
static bool is_order(const void *record)
{
    const struct oms_order_command *command = record;

    return command->action == OMS_ACTION_NEW;
}

static void command_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_order_command *command = record;

    append(out, command->order_id);
}

static int64_t command_us(const void *record)
{
    const struct oms_order_command *command = record;

    return command->ts_us;
}

static const struct document_index ORDER_INDEXES[] = {
    {.name = "user_created", .keys = {{"userId", 1}, {"createdAt", -1}}},
    {.name = "symbol_status", .keys = {{"symbol", 1}, {"status", 1}}},
};

/* ---- executions ---- */

static void report_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_execution_report *report = record;

    append(out, report->exec_id);
}

/* The refusal of a cancel is a report about the command that asked, not about an order. */
static bool is_about_order(const void *record)
{
    const struct oms_execution_report *report = record;

    return report->exec_type != OMS_EXEC_TYPE_CANCEL_REJECTED;
}

static void report_order(const void *record, struct mr_buffer *out)
{
    const struct oms_execution_report *report = record;

    append(out, report->order_id);
}

static int64_t report_version(const void *record)
{
    const struct oms_execution_report *report = record;

    return report->version;
}

static int64_t report_us(const void *record)
{
    const struct oms_execution_report *report = record;

    return report->ts_us;
}

static const char *const STATE_FIELDS[] = {
    "status",       "version",      "cumQty",       "leavesQty", "cumQuote",
    "preventedQty", "cancelledQty", "feeTotal",     "feeAsset",  "holdAfter",
    "rejectCode",   "rejectText",   "cancelReason", "settled",   NULL,
};
static const char *const STATE_IDENTITY_FIELDS[] = {"orderId", "userId", "symbol", "side", NULL};

static const struct document_index EXECUTION_INDEXES[] = {
    {.name = "exec_id", .keys = {{"execId", 1}}, .unique = true},
    {.name = "order_version", .keys = {{"orderId", 1}, {"version", 1}}},
    {.name = "user_ts", .keys = {{"userId", 1}, {"ts", -1}}},
};

/* ---- positions, balances, ledger, candles ---- */

static void position_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_position *position = record;

    append_pair(out, position->user_id, position->symbol);
}

static int64_t position_version(const void *record)
{
    const struct oms_position *position = record;

    return position->version;
}

static void balance_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_balance *balance = record;

    append_pair(out, balance->user_id, balance->asset);
}

static int64_t balance_version(const void *record)
{
    const struct oms_balance *balance = record;

    return balance->version;
}

static void entry_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_ledger_entry *entry = record;

    append(out, entry->journal_id);
}

static void candle_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_candle *candle = record;

    if (candle->symbol.len > 0 && candle->interval.len > 0) {
        append_pair(out, candle->symbol, candle->interval);
        mr_buffer_printf(out, ":%" PRId64, candle->open_ts_us);
    }
}

static int64_t candle_guard(const void *record)
{
    const struct oms_candle *candle = record;
    const int64_t trades = candle->trades < TRADES_MAX ? candle->trades : TRADES_MAX;

    /* Only a small revision fits; it counts corrections of one closed candle. */
    return (int64_t)(candle->revision & 0x3fffff) * (INT64_C(1) << REVISION_SHIFT) +
           (trades > 0 ? trades * 2 : 0) + (candle->closed ? 1 : 0);
}

static const struct document_index USER_INDEXES[] = {{.name = "user", .keys = {{"userId", 1}}}};
static const struct document_index LEDGER_INDEXES[] = {
    {.name = "user_seq", .keys = {{"userId", 1}, {"seq", 1}}},
    {.name = "order", .keys = {{"orderId", 1}}},
};
static const struct document_index CANDLE_INDEXES[] = {
    {.name = "symbol_interval_open", .keys = {{"symbol", 1}, {"interval", 1}, {"openTs", -1}}},
};

/* ---- the table ---- */

static const struct document_shape SHAPES[] = {
    {.schema = &oms_order_command_schema,
     .plan_count = 1,
     .plans = {{.collection = "orders",
                .mode = DOCUMENT_COMMAND,
                .wanted = is_order,
                .identity = command_identity,
                .event_us = command_us,
                .indexes = ORDER_INDEXES,
                .index_count = MR_COUNT(ORDER_INDEXES)}}},
    {.schema = &oms_execution_report_schema,
     .plan_count = 2,
     .plans = {{.collection = "executions",
                .mode = DOCUMENT_ONCE,
                .identity = report_identity,
                .indexes = EXECUTION_INDEXES,
                .index_count = MR_COUNT(EXECUTION_INDEXES)},
               {.collection = "orders",
                .mode = DOCUMENT_STATE,
                .wanted = is_about_order,
                .identity = report_order,
                .guard = report_version,
                .fields = STATE_FIELDS,
                .identity_fields = STATE_IDENTITY_FIELDS,
                .event_us = report_us,
                .indexes = ORDER_INDEXES,
                .index_count = MR_COUNT(ORDER_INDEXES)}}},
    {.schema = &oms_position_schema,
     .plan_count = 1,
     .plans = {{.collection = "positions",
                .mode = DOCUMENT_LATEST,
                .identity = position_identity,
                .guard = position_version,
                .indexes = USER_INDEXES,
                .index_count = MR_COUNT(USER_INDEXES)}}},
    {.schema = &oms_ledger_entry_schema,
     .plan_count = 1,
     .plans = {{.collection = "ledger",
                .mode = DOCUMENT_ONCE,
                .identity = entry_identity,
                .indexes = LEDGER_INDEXES,
                .index_count = MR_COUNT(LEDGER_INDEXES)}}},
    {.schema = &oms_candle_schema,
     .plan_count = 1,
     .plans = {{.collection = "candles",
                .mode = DOCUMENT_LATEST,
                .identity = candle_identity,
                .guard = candle_guard,
                .indexes = CANDLE_INDEXES,
                .index_count = MR_COUNT(CANDLE_INDEXES)}}},
    {.schema = &oms_balance_schema,
     .plan_count = 1,
     .plans = {{.collection = "balances",
                .mode = DOCUMENT_LATEST,
                .identity = balance_identity,
                .guard = balance_version,
                .indexes = USER_INDEXES,
                .index_count = MR_COUNT(USER_INDEXES)}}},
};

const struct document_shape *document_shape_find(const struct mr_schema *schema)
{
    for (size_t i = 0; i < MR_COUNT(SHAPES); i++) {
        if (SHAPES[i].schema == schema) {
            return &SHAPES[i];
        }
    }
    return NULL;
}
