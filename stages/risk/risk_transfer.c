/*
 * risk_transfer.c -- money in and out.
 *
 * How: a transfer counts here first and is then forwarded, so money is available to orders exactly
 *      when the ledger has it, or before. Store "transfers" keeps the ids of transfers for ever: a
 *      deposit that is sent twice is money once. A withdrawal in two steps holds the amount from
 *      BEGIN until COMMIT pays it out or CANCEL gives it back; REVERSE undoes a DEPOSIT or a
 *      WITHDRAW, once. Those that name an earlier transfer are forwarded with its asset and amount;
 *      the amount of a REVERSE is what it adds to the user: below 0 for a deposit.
 */
#include "avro/risk_transfer.h"

#include "risk_notice.h"

static const char *check_of(enum oms_account_action action)
{
    switch (action) {
    case OMS_ACCOUNT_ACTION_DEPOSIT:
        return "deposit";
    case OMS_ACCOUNT_ACTION_WITHDRAW:
        return "withdraw";
    case OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN:
        return "withdraw-begin";
    case OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT:
        return "withdraw-commit";
    case OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL:
        return "withdraw-cancel";
    case OMS_ACCOUNT_ACTION_REVERSE:
        return "reverse";
    case OMS_ACCOUNT_ACTION_SET_LIMITS:
    case OMS_ACCOUNT_ACTION_SET_STATE:
        break;
    }
    return "transfer";
}

static enum mr_status refuse(struct risk *risk, struct mr_ctx *ctx,
                             const struct oms_account_command *command, const char *check,
                             enum dom_code code, struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_account(command);
    const struct risk_result result = {.code = code};
    struct oms_risk_event event =
        risk_event_of(mr_ctx_arena(ctx), &cause, "R-", OMS_RISK_EVENT_TYPE_REJECT, check);

    risk_event_result(&event, &result);
    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
}

static enum mr_status refuse_short(struct risk *risk, struct mr_ctx *ctx,
                                   const struct oms_account_command *command, dec_t available,
                                   dec_t amount, struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_account(command);
    const struct risk_result result = {
        .code = CODE_INSUFFICIENT_FUNDS,
        .current = {.has = true, .value = available},
        .projected = {.has = true, .value = available - amount},
    };
    struct oms_risk_event event = risk_event_of(
        mr_ctx_arena(ctx), &cause, "R-", OMS_RISK_EVENT_TYPE_REJECT, check_of(command->action));

    risk_event_result(&event, &result);
    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
}

static enum mr_status transfer_key(struct mr_key *key, struct mr_slice user_id, struct mr_slice id,
                                   struct mr_err *err)
{
    mr_key_begin(key);
    mr_key_text(key, user_id);
    mr_key_text(key, id);
    return key->overflow ? mr_fail(err, MR_MALFORMED, "userId and eventId are too long") : MR_OK;
}

static bool names_amount(const struct oms_account_command *command)
{
    return command->has_asset && ord_id_valid(text_of(command->asset)) && command->has_amount &&
           command->amount > 0 && command->amount < DEC_BUSINESS_LIMIT;
}

/* What a transfer does to the two halves of a balance. */
struct movement {
    dec_t available;
    dec_t hold;
    enum oms_transfer_state state; /* of the transfer's own row */
};

static struct movement movement_of(enum oms_account_action action, dec_t amount)
{
    switch (action) {
    case OMS_ACCOUNT_ACTION_WITHDRAW:
        return (struct movement){.available = -amount};
    case OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN:
        return (struct movement){
            .available = -amount, .hold = amount, .state = OMS_TRANSFER_STATE_BEGUN};
    case OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT:
        return (struct movement){.hold = -amount};
    case OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL:
        return (struct movement){.available = amount, .hold = -amount};
    case OMS_ACCOUNT_ACTION_DEPOSIT:
    case OMS_ACCOUNT_ACTION_REVERSE: /* the amount has its sign */
    case OMS_ACCOUNT_ACTION_SET_LIMITS:
    case OMS_ACCOUNT_ACTION_SET_STATE:
        break;
    }
    return (struct movement){.available = amount};
}

/*
 * The transfer that is named, and what becomes of it. False: there is none, or it is over.
 */
static bool follows(const struct oms_account_command *command, struct oms_risk_transfer *meant)
{
    const bool done = meant->state == OMS_TRANSFER_STATE_DONE;
    const bool money =
        meant->action == OMS_ACCOUNT_ACTION_DEPOSIT || meant->action == OMS_ACCOUNT_ACTION_WITHDRAW;

    if (!meant->has_amount) {
        return false; /* of a version that did not remember what it moved */
    }
    if (command->action == OMS_ACCOUNT_ACTION_REVERSE) {
        meant->state = OMS_TRANSFER_STATE_REVERSED;
        return done && money;
    }
    if (meant->state != OMS_TRANSFER_STATE_BEGUN) {
        return false;
    }
    meant->state = command->action == OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT
                       ? OMS_TRANSFER_STATE_COMMITTED
                       : OMS_TRANSFER_STATE_CANCELLED;
    return true;
}

/* A transfer that can be written: its row's key, and the transfer it names, if any. */
struct step {
    const struct oms_account_command *command; /* with asset and amount */
    struct mr_key key;
    bool follows;
    struct mr_key meant_key;
    struct oms_risk_transfer meant; /* as it is afterwards */
};

/* Writes the rows and lets the transfer through. */
static enum mr_status count(struct risk *risk, struct mr_ctx *ctx, const struct step *step,
                            struct mr_err *err)
{
    const struct oms_account_command *command = step->command;
    const struct movement move = movement_of(command->action, command->amount);
    const char *check = check_of(command->action);
    const struct oms_risk_transfer row = {.first_ts_us = command->ts_us,
                                          .action = command->action,
                                          .asset = command->asset,
                                          .amount = command->amount,
                                          .has_amount = true,
                                          .state = move.state};
    struct risk_account account;
    struct oms_risk_balance balance;

    MR_TRY(risk_account_get(risk, ctx, command->user_id, &account, err));
    MR_TRY(risk_balance_get(&account, command->asset, &balance, err));
    if (move.available < 0 && balance.available < -move.available) {
        return refuse_short(risk, ctx, command, balance.available, -move.available, err);
    }
    if (!dec_add(balance.available, move.available, &balance.available) ||
        !dec_add(balance.hold, move.hold, &balance.hold)) {
        return refuse(risk, ctx, command, check, CODE_OVERFLOW, err);
    }
    MR_TRY(mr_store_put(risk->transfers, mr_key_slice(&step->key), &row, err));
    if (step->follows) {
        MR_TRY(mr_store_put(risk->transfers, mr_key_slice(&step->meant_key), &step->meant, err));
    }
    risk_balance_set(&account, &balance);
    MR_TRY(risk_account_put(risk, &account, err));
    return mr_emit(ctx, RISK_OUT_TRANSFERS, command->user_id, command, err);
}

/* COMMIT, CANCEL and REVERSE: what they are about was said by the transfer they name. */
static enum mr_status follow_up(struct risk *risk, struct mr_ctx *ctx, struct step *step,
                                struct mr_err *err)
{
    const struct oms_account_command *command = step->command;
    struct oms_account_command complete = *command;
    bool found = false;

    if (command->transfer_id.len == 0) {
        return refuse(risk, ctx, command, check_of(command->action), CODE_BAD_ACCOUNT_COMMAND, err);
    }
    MR_TRY(transfer_key(&step->meant_key, command->user_id, command->transfer_id, err));
    MR_TRY(
        mr_store_get(risk->transfers, mr_key_slice(&step->meant_key), &step->meant, &found, err));
    if (!found || !follows(command, &step->meant)) {
        return refuse(risk, ctx, command, check_of(command->action), CODE_UNKNOWN_TRANSFER, err);
    }
    complete.asset = step->meant.asset;
    complete.has_asset = true;
    complete.amount = command->action == OMS_ACCOUNT_ACTION_REVERSE &&
                              step->meant.action == OMS_ACCOUNT_ACTION_DEPOSIT
                          ? -step->meant.amount
                          : step->meant.amount;
    complete.has_amount = true;
    step->command = &complete;
    step->follows = true;
    return count(risk, ctx, step, err);
}

static bool is_follow_up(enum oms_account_action action)
{
    return action == OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT ||
           action == OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL || action == OMS_ACCOUNT_ACTION_REVERSE;
}

enum mr_status risk_move_money(struct risk *risk, struct mr_ctx *ctx,
                               const struct oms_account_command *command, struct mr_err *err)
{
    struct step step = {.command = command};
    struct oms_risk_transfer first;
    bool found = false;

    if (mr_slice_equal(command->user_id, mr_slice_str(RISK_ALL_USERS)) ||
        (!is_follow_up(command->action) && !names_amount(command))) {
        return refuse(risk, ctx, command, check_of(command->action), CODE_BAD_ACCOUNT_COMMAND, err);
    }
    MR_TRY(transfer_key(&step.key, command->user_id, command->event_id, err));
    MR_TRY(mr_store_get(risk->transfers, mr_key_slice(&step.key), &first, &found, err));
    if (found) {
        const struct risk_cause cause = risk_cause_of_account(command);
        const struct oms_risk_event event =
            risk_event_of(mr_ctx_arena(ctx), &cause, "R-", OMS_RISK_EVENT_TYPE_DUPLICATE,
                          check_of(command->action));

        return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
    }
    return is_follow_up(command->action) ? follow_up(risk, ctx, &step, err)
                                         : count(risk, ctx, &step, err);
}
