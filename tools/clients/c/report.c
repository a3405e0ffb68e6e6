/* report.c -- see report.h. The codec's JSON has every value as text already: exact, and in UTC. */
#include "report.h"

#include "millrace/codec.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static const char *const shown[] = {
    "execType",     "status",     "orderId",    "symbol",   "side",   "lastQty",   "lastPx",
    "tradeId",      "liquidity",  "feeAmount",  "feeAsset", "cumQty", "leavesQty", "cancelledQty",
    "cancelReason", "rejectCode", "rejectText", "version",  "execId",
};

static void append_text(struct mr_buffer *out, const char *text)
{
    mr_buffer_append(out, text, strlen(text));
}

static void append_value(struct mr_buffer *out, const json_t *value)
{
    char number[24];

    if (json_is_string(value)) {
        append_text(out, json_string_value(value));
        return;
    }
    MR_ASSERT(json_is_integer(value));
    (void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    append_text(out, number);
}

void report_line(const struct oms_execution_report *report, struct mr_buffer *out)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    json_t *fields = NULL;

    mr_json_write_record(&oms_execution_report_schema, report, &text);
    fields = json_loadb((const char *)text.data, text.len, JSON_ALLOW_NUL, NULL);
    MR_ASSERT(fields != NULL);
    append_value(out, json_object_get(fields, "ts"));
    for (size_t i = 0; i < MR_COUNT(shown); i++) {
        const json_t *value = json_object_get(fields, shown[i]);

        if (!json_is_null(value)) {
            append_text(out, " ");
            append_text(out, shown[i]);
            append_text(out, "=");
            append_value(out, value);
        }
    }
    json_decref(fields);
    mr_buffer_fini(&text);
}

bool report_is_final(const struct oms_execution_report *report)
{
    switch (report->status) {
    case OMS_ORDER_STATUS_SETTLED:
    case OMS_ORDER_STATUS_REJECTED:
        return true;
    case OMS_ORDER_STATUS_CANCELLED:
        return report->cum_qty == 0 || report->exec_type == OMS_EXEC_TYPE_SETTLED;
    case OMS_ORDER_STATUS_NEW:
    case OMS_ORDER_STATUS_ACCEPTED:
    case OMS_ORDER_STATUS_FILLED:
        return false;
    }
    return false;
}
