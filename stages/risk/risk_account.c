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
    struct risk_cash cash;
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
    MR_TRY(risk_cash_get(risk, command->user_id, command->asset, &cash, err));
    if (!deposit && cash.value.available < command->amount) {
        return refuse_short(risk, ctx, command, cash.value.available, err);
    }
    if (!dec_add(cash.value.available, deposit ? command->amount : -command->amount,
                 &cash.value.available)) {
        return refuse(risk, ctx, command, check, CODE_OVERFLOW, err);
    }
    first.first_ts_us = command->ts_us;
    MR_TRY(mr_store_put(risk->transfers, mr_key_slice(&seen), &first, err));
    MR_TRY(risk_cash_put(risk, &cash, err));
    return mr_emit(ctx, RISK_OUT_TRANSFERS, command->user_id, command, err);
}

/* --- limits ------------------------------------------------------------------------------- */

struct limit_keys {
    struct mr_arena *arena;
    struct limit_key {
        struct mr_slice key;
        struct limit_key *next;
    } * first;
};

static bool collect_key(void *arg, struct mr_slice key, const void *value)
{
    struct limit_keys *keys = arg;
    struct limit_key *item = mr_arena_alloc(keys->arena, sizeof(*item));

    (void)value;
    item->key = mr_arena_copy(keys->arena, key);
    item->next = keys->first;
    keys->first = item;
    return true;
}

/* The rows that exist, and the row "" that new ones start from. A scan; commands are rare. */
static enum mr_status limit_all_symbols(struct risk *risk, struct mr_ctx *ctx,
                                        const struct oms_account_command *command,
                                        struct mr_err *err)
{
    struct limit_keys keys = {.arena = mr_ctx_arena(ctx)};
    struct risk_exposure all;
    struct mr_key from;
    struct mr_key to;

    MR_TRY(risk_exposure_get(risk, command->user_id, mr_slice_str(""), &all, err));
    all.value.position_limit = command->position_limit;
    all.value.has_position_limit = true;
    MR_TRY(risk_exposure_put(risk, &all, err));
    mr_key_begin(&from);
    mr_key_text(&from, command->user_id);
    mr_key_prefix_end(&from, &to);
    MR_TRY(mr_store_scan(risk->exposures, mr_key_slice(&from), mr_key_slice(&to), collect_key,
                         &keys, err));
    for (const struct limit_key *item = keys.first; item != NULL; item = item->next) {
        struct oms_risk_exposure value;
        bool found = false;

        MR_TRY(mr_store_get(risk->exposures, item->key, &value, &found, err));
        if (found) {
            value.position_limit = command->position_limit;
            value.has_position_limit = true;
            MR_TRY(mr_store_put(risk->exposures, item->key, &value, err));
        }
    }
    return MR_OK;
}

static enum mr_status limit_one_symbol(struct risk *risk, const struct oms_account_command *command,
                                       struct mr_err *err)
{
    struct risk_exposure exposure;

    MR_TRY(risk_exposure_get(risk, command->user_id, command->symbol, &exposure, err));
    exposure.value.position_limit = command->position_limit;
    exposure.value.has_position_limit = true;
    return risk_exposure_put(risk, &exposure, err);
}

static bool limits_valid(const struct oms_account_command *command)
{
    return command->position_limit >= 0 && command->open_orders_max >= 0 &&
           command->velocity_per_second >= 0 && command->velocity_burst >= 0 &&
           command->notional_max >= 0 && command->daily_loss_limit >= 0 &&
           !(command->has_symbol && command->symbol.len == 0);
}

/* Absent limits stay as they are. */
static enum mr_status set_limits(struct risk *risk, struct mr_ctx *ctx,
                                 const struct oms_account_command *command, struct mr_err *err)
{
    struct risk_user user;

    if (!limits_valid(command)) {
        return refuse(risk, ctx, command, "limits", CODE_BAD_ACCOUNT_COMMAND, err);
    }
    MR_TRY(risk_user_get(risk, command->user_id, command->ts_us, &user, err));
    if (command->has_open_orders_max) {
        user.value.open_orders_max = command->open_orders_max;
        user.value.has_open_orders_max = true;
    }
    if (command->has_velocity_per_second) {
        user.value.velocity_per_second = command->velocity_per_second;
        user.value.has_velocity_per_second = true;
    }
    if (command->has_velocity_burst) {
        user.value.velocity_burst = command->velocity_burst;
        user.value.has_velocity_burst = true;
    }
    if (command->has_notional_max) {
        user.value.notional_max = command->notional_max;
        user.value.has_notional_max = true;
    }
    if (command->has_daily_loss_limit) {
        user.value.daily_loss_limit = command->daily_loss_limit;
        user.value.has_daily_loss_limit = true;
    }
    MR_TRY(risk_user_put(risk, &user, err));
    if (!command->has_position_limit) {
        return MR_OK;
    }
    return command->has_symbol ? limit_one_symbol(risk, command, err)
                               : limit_all_symbols(risk, ctx, command, err);
}

/* --- trading state ------------------------------------------------------------------------ */

static enum mr_status set_state(struct risk *risk, struct mr_ctx *ctx,
                                const struct oms_account_command *command, struct mr_err *err)
{
    struct oms_risk_event event =
        account_event(ctx, command, OMS_RISK_EVENT_TYPE_STATE_CHANGE, "state", CODE_OK);

    if (!command->has_trading_state || (command->has_symbol && command->symbol.len == 0)) {
        return refuse(risk, ctx, command, "state", CODE_BAD_ACCOUNT_COMMAND, err);
    }
    if (command->has_symbol) {
        struct risk_exposure exposure;

        MR_TRY(risk_exposure_get(risk, command->user_id, command->symbol, &exposure, err));
        event.state_from = exposure.value.trading_state;
        exposure.value.trading_state = command->trading_state;
        exposure.value.has_trading_state = true;
        MR_TRY(risk_exposure_put(risk, &exposure, err));
    } else {
        struct risk_user user;

        MR_TRY(risk_user_get(risk, command->user_id, command->ts_us, &user, err));
        event.state_from = user.value.trading_state;
        user.value.trading_state = command->trading_state;
        MR_TRY(risk_user_put(risk, &user, err));
    }
    event.has_state_from = true;
    event.state_to = command->trading_state;
    event.has_state_to = true;
    event.text = command->reason;
    event.has_text = command->has_reason;
    return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
}

enum mr_status risk_account(struct risk *risk, struct mr_ctx *ctx, const struct mr_record *record,
                            struct mr_err *err)
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
    }
    return mr_fail(err, MR_MALFORMED, "unknown action");
}
