/*
 * risk_account.c -- deposits, withdrawals, limits and trading states of users.
 *
 * How: a transfer counts here first and is then forwarded, so money is available to orders exactly
 *      when the ledger has it, or before. Store "transfers" keeps the ids of transfers for ever: a
 *      deposit that is sent twice is money once.
 *      A limit without a symbol goes to every symbol the user has, and to those to come.
 */
#include "avro/dedupe_expiry.h"
#include "order_report.h"
#include "risk_state.h"

static struct oms_risk_event account_event(struct mr_ctx *ctx,
                                           const struct oms_account_command *command,
                                           enum oms_risk_event_type type, const char *check,
                                           enum dom_code code)
{
    return (struct oms_risk_event){
        .event_id = order_report_join(mr_ctx_arena(ctx), mr_slice_str("R-"), command->event_id),
        .ts_us = command->ts_us,
        .trace_id = command->trace_id,
        .has_trace_id = command->has_trace_id,
        .user_id = command->user_id,
        .command_id = command->event_id,
        .has_command_id = true,
        .symbol = command->symbol,
        .has_symbol = command->has_symbol,
        .type = type,
        .check = mr_slice_str(check),
        .code = (int32_t)code,
        .text = mr_slice_str(code_text((int32_t)code)),
        .has_text = code != CODE_OK,
    };
}

static enum mr_status refuse(struct risk *risk, struct mr_ctx *ctx,
                             const struct oms_account_command *command, const char *check,
                             enum dom_code code, struct mr_err *err)
{
    const struct oms_risk_event event =
        account_event(ctx, command, OMS_RISK_EVENT_TYPE_REJECT, check, code);

    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
}

static enum mr_status refuse_short(struct risk *risk, struct mr_ctx *ctx,
                                   const struct oms_account_command *command, dec_t available,
                                   struct mr_err *err)
{
    struct oms_risk_event event = account_event(ctx, command, OMS_RISK_EVENT_TYPE_REJECT,
                                                "withdraw", CODE_INSUFFICIENT_FUNDS);

    event.current = available;
    event.has_current = true;
    event.projected = available - command->amount;
    event.has_projected = true;
    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
}

/* --- transfers ---------------------------------------------------------------------------- */

static enum mr_status transfer(struct risk *risk, struct mr_ctx *ctx,
                               const struct oms_account_command *command, struct mr_err *err)
{
    const bool deposit = command->action == OMS_ACCOUNT_ACTION_DEPOSIT;
    const char *check = deposit ? "deposit" : "withdraw";
    struct oms_dedupe_expiry first = {0};
    struct mr_key seen;
    struct risk_account account;
    struct oms_risk_balance balance;
    bool found = false;

    if (!command->has_asset || !ord_id_valid(text_of(command->asset)) || !command->has_amount ||
        command->amount <= 0 || command->amount >= DEC_BUSINESS_LIMIT) {
        return refuse(risk, ctx, command, check, CODE_BAD_ACCOUNT_COMMAND, err);
    }
    mr_key_begin(&seen);
    mr_key_text(&seen, command->user_id);
    mr_key_text(&seen, command->event_id);
    if (seen.overflow) {
        return mr_fail(err, MR_MALFORMED, "userId and eventId are too long");
    }
    MR_TRY(mr_store_get(risk->transfers, mr_key_slice(&seen), &first, &found, err));
    if (found) {
        const struct oms_risk_event event =
            account_event(ctx, command, OMS_RISK_EVENT_TYPE_DUPLICATE, check, CODE_OK);

        return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
    }
    MR_TRY(risk_account_get(risk, ctx, command->user_id, &account, err));
    MR_TRY(risk_balance_get(&account, command->asset, &balance, err));
    if (!deposit && balance.available < command->amount) {
        return refuse_short(risk, ctx, command, balance.available, err);
    }
    if (!dec_add(balance.available, deposit ? command->amount : -command->amount,
                 &balance.available)) {
        return refuse(risk, ctx, command, check, CODE_OVERFLOW, err);
    }
    first.first_ts_us = command->ts_us;
    MR_TRY(mr_store_put(risk->transfers, mr_key_slice(&seen), &first, err));
    risk_balance_set(&account, &balance);
    MR_TRY(risk_account_put(risk, &account, err));
    return mr_emit(ctx, RISK_OUT_TRANSFERS, command->user_id, command, err);
}

/* --- limits ------------------------------------------------------------------------------- */

static bool limits_valid(const struct oms_account_command *command)
{
    return command->position_limit >= 0 && command->open_orders_max >= 0 &&
           command->velocity_per_second >= 0 && command->velocity_burst >= 0 &&
           command->notional_max >= 0 && command->daily_loss_limit >= 0 &&
           !(command->has_symbol && command->symbol.len == 0);
}

static void set_user_limits(struct oms_risk_account *user,
                            const struct oms_account_command *command)
{
    if (command->has_open_orders_max) {
        user->open_orders_max = command->open_orders_max;
        user->has_open_orders_max = true;
    }
    if (command->has_velocity_per_second) {
        user->velocity_per_second = command->velocity_per_second;
        user->has_velocity_per_second = true;
    }
    if (command->has_velocity_burst) {
        user->velocity_burst = command->velocity_burst;
        user->has_velocity_burst = true;
    }
    if (command->has_notional_max) {
        user->notional_max = command->notional_max;
        user->has_notional_max = true;
    }
    if (command->has_daily_loss_limit) {
        user->daily_loss_limit = command->daily_loss_limit;
        user->has_daily_loss_limit = true;
    }
}

/* Absent limits stay as they are. */
static enum mr_status set_limits(struct risk *risk, struct mr_ctx *ctx,
                                 const struct oms_account_command *command, struct mr_err *err)
{
    struct risk_account account;

    if (!limits_valid(command)) {
        return refuse(risk, ctx, command, "limits", CODE_BAD_ACCOUNT_COMMAND, err);
    }
    MR_TRY(risk_account_get(risk, ctx, command->user_id, &account, err));
    risk_bucket_begin(risk, &account, command->ts_us);
    set_user_limits(&account.value, command);
    if (command->has_position_limit && command->has_symbol) {
        struct oms_risk_exposure exposure;

        MR_TRY(risk_exposure_get(&account, command->symbol, &exposure, err));
        exposure.position_limit = command->position_limit;
        exposure.has_position_limit = true;
        risk_exposure_set(&account, &exposure);
    } else if (command->has_position_limit) {
        risk_position_limit_all(&account, command->position_limit);
    }
    return risk_account_put(risk, &account, err);
}

/* --- trading state ------------------------------------------------------------------------ */

static enum mr_status set_state(struct risk *risk, struct mr_ctx *ctx,
                                const struct oms_account_command *command, struct mr_err *err)
{
    struct oms_risk_event event =
        account_event(ctx, command, OMS_RISK_EVENT_TYPE_STATE_CHANGE, "state", CODE_OK);
    struct risk_account account;

    if (!command->has_trading_state || (command->has_symbol && command->symbol.len == 0)) {
        return refuse(risk, ctx, command, "state", CODE_BAD_ACCOUNT_COMMAND, err);
    }
    MR_TRY(risk_account_get(risk, ctx, command->user_id, &account, err));
    if (command->has_symbol) {
        struct oms_risk_exposure exposure;

        MR_TRY(risk_exposure_get(&account, command->symbol, &exposure, err));
        event.state_from = exposure.trading_state;
        exposure.trading_state = command->trading_state;
        risk_exposure_set(&account, &exposure);
    } else {
        risk_bucket_begin(risk, &account, command->ts_us);
        event.state_from = account.value.trading_state;
        account.value.trading_state = command->trading_state;
    }
    MR_TRY(risk_account_put(risk, &account, err));
    event.has_state_from = true;
    event.state_to = command->trading_state;
    event.has_state_to = true;
    event.text = command->reason;
    event.has_text = command->has_reason;
    return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
}

enum mr_status risk_account_command(struct risk *risk, struct mr_ctx *ctx,
                                    const struct mr_record *record, struct mr_err *err)
{
    const struct oms_account_command *command = record->value;

    if (command->user_id.len == 0 || command->event_id.len == 0 ||
        !mr_slice_equal(record->key, command->user_id)) {
        return mr_fail(err, MR_MALFORMED, "account command without ids or under another key");
    }
    switch (command->action) {
    case OMS_ACCOUNT_ACTION_DEPOSIT:
    case OMS_ACCOUNT_ACTION_WITHDRAW:
        return transfer(risk, ctx, command, err);
    case OMS_ACCOUNT_ACTION_SET_LIMITS:
        return set_limits(risk, ctx, command, err);
    case OMS_ACCOUNT_ACTION_SET_STATE:
        return set_state(risk, ctx, command, err);
    case OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN:
    case OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT:
    case OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL:
    case OMS_ACCOUNT_ACTION_REVERSE:
        return refuse(risk, ctx, command, "action", CODE_BAD_ACCOUNT_COMMAND, err);
    }
    return mr_fail(err, MR_MALFORMED, "unknown action");
}
