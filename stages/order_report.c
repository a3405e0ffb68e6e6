/* order_report.c -- see order_report.h. */
#include "order_report.h"

struct mr_slice order_report_join(struct mr_arena *arena, struct mr_slice a, struct mr_slice b)
{
    uint8_t *text = mr_arena_alloc(arena, a.len + b.len + 1);

    if (a.len > 0) {
        memcpy(text, a.data, a.len);
    }
    if (b.len > 0) {
        memcpy(text + a.len, b.data, b.len);
    }
    return mr_slice_of(text, a.len + b.len);
}

void order_report_reject(struct oms_execution_report *report, struct mr_arena *arena,
                         const struct oms_order_command *command, const char *exec_prefix,
                         int32_t code, struct mr_slice text)
{
    const bool is_new = command->action == OMS_ACTION_NEW;

    *report = (struct oms_execution_report){
        .exec_id = order_report_join(arena, mr_slice_str(exec_prefix), command->event_id),
        .ts_us = command->ts_us,
        .trace_id = command->trace_id,
        .has_trace_id = command->has_trace_id,
        .exec_type = is_new ? OMS_EXEC_TYPE_REJECTED : OMS_EXEC_TYPE_CANCEL_REJECTED,
        .status = OMS_ORDER_STATUS_REJECTED,
        .order_id = command->order_id,
        .command_id = command->event_id,
        .client_order_id = command->client_order_id,
        .has_client_order_id = command->has_client_order_id,
        .user_id = command->user_id,
        .symbol = command->symbol,
        .side = command->side,
        .ord_type = command->ord_type,
        .tif = command->tif,
        .price = command->price,
        .has_price = command->has_price,
        .stop_price = command->stop_price,
        .has_stop_price = command->has_stop_price,
        .order_qty = command->qty,
        .has_order_qty = command->has_qty,
        .cancelled_qty = command->has_qty ? command->qty : 0,
        .reject_code = code,
        .has_reject_code = true,
        .reject_text = text,
        .has_reject_text = text.len > 0,
        .version = 1,
        .order_quote_qty = command->quote_qty,
        .has_order_quote_qty = command->has_quote_qty,
        .expire_ts_us = command->expire_ts_us,
        .has_expire_ts_us = command->has_expire_ts_us,
        .target_order_id = command->target_order_id,
        .has_target_order_id = command->has_target_order_id,
    };
}
