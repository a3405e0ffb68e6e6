/*
 * risk_cancel.c -- the end of all open orders of a user, wherever they are.
 *
 * How: the engine knows the orders of one symbol only, so one command becomes one for each symbol
 * in which the user has open orders, all with the same ids: they are the same command.
 */
#include "risk_commands.h"

static bool concerns(const struct oms_risk_exposure *exposure, struct mr_slice symbol)
{
    return exposure->open_orders > 0 &&
           (symbol.len == 0 || mr_slice_equal(exposure->symbol, symbol));
}

static enum mr_status fan_out(struct mr_ctx *ctx, const struct oms_order_command *command,
                              const struct oms_risk_account *row, size_t *count, struct mr_err *err)
{
    *count = 0;
    for (size_t i = 0; i < row->exposures.count; i++) {
        struct oms_order_command out = *command;

        if (concerns(&row->exposures.items[i], command->symbol)) {
            out.symbol = row->exposures.items[i].symbol;
            *count += 1;
            MR_TRY(mr_emit(ctx, RISK_OUT_APPROVED, out.symbol, &out, err));
        }
    }
    return MR_OK;
}

enum mr_status risk_cancel_all(struct risk *risk, struct mr_ctx *ctx,
                               const struct oms_order_command *order, struct mr_err *err)
{
    struct risk_account account;
    size_t count = 0;

    MR_TRY(risk_account_get(risk, ctx, order->user_id, &account, err));
    MR_TRY(fan_out(ctx, order, &account.value, &count, err));
    return count > 0 ? MR_OK : risk_reject(risk, ctx, order, CODE_UNKNOWN_ORDER, err);
}

enum mr_status risk_cancel_orders(struct mr_ctx *ctx, const struct oms_account_command *cause,
                                  struct mr_slice user_id, struct mr_slice id,
                                  const struct oms_risk_account *row, struct mr_err *err)
{
    const struct oms_order_command command = {
        .event_id = id,
        .ts_us = cause->ts_us,
        .trace_id = cause->trace_id,
        .has_trace_id = cause->has_trace_id,
        .action = OMS_ACTION_CANCEL_ALL,
        .order_id = id,
        .user_id = user_id,
        .symbol = cause->symbol,
        .source = mr_slice_str("risk"),
        .cancel_reason = OMS_CANCEL_REASON_RISK,
        .has_cancel_reason = true,
    };
    size_t count = 0;

    return fan_out(ctx, &command, row, &count, err);
}
