/*
 * risk_account.c -- limits and trading states, of a user or of all.
 *
 * How: a limit without a symbol goes to every symbol the user has, and to those to come. What is
 *      said of all users, "*", stands in a row of its own in each partition.
 *      With cancelOrders a switch also ends the open orders concerned: of all users that is a scan
 *      of the rows, the one place where this stage reads more than it was asked about; an emergency
 *      stop may take its time.
 */
#include "domain/sha256.h"
#include "order_report.h"
#include "risk_commands.h"

#include <stdio.h>

static enum mr_status refuse(struct risk *risk, struct mr_ctx *ctx,
                             const struct oms_account_command *command, const char *check,
                             struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_account(command);
    const struct risk_result result = {.code = CODE_BAD_ACCOUNT_COMMAND};
    struct oms_risk_event event =
        risk_event_of(mr_ctx_arena(ctx), &cause, "R-", OMS_RISK_EVENT_TYPE_REJECT, check);

    risk_event_result(&event, &result);
    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err);
}

static bool is_all(const struct oms_account_command *command)
{
    return mr_slice_equal(command->user_id, mr_slice_str(RISK_ALL_USERS));
}

/* --- limits ------------------------------------------------------------------------------- */

/* A day's loss and a minute's sum are of a user, not of one of his symbols. */
static bool limits_valid(const struct oms_account_command *command)
{
    const bool of_user = command->has_daily_loss_limit || command->has_notional_window_max;

    return command->position_limit >= 0 && command->open_orders_max >= 0 &&
           command->velocity_per_second >= 0 && command->velocity_burst >= 0 &&
           command->notional_max >= 0 && command->daily_loss_limit >= 0 &&
           command->notional_window_max >= 0 && command->concentration_limit >= 0 &&
           !(command->has_symbol && (command->symbol.len == 0 || of_user));
}

#define TAKE(row, command, name)                                                                   \
    do {                                                                                           \
        if ((command)->has_##name) {                                                               \
            (row)->name = (command)->name;                                                         \
            (row)->has_##name = true;                                                              \
        }                                                                                          \
    } while (0)

static void set_user_limits(struct risk_account *account, const struct oms_account_command *command)
{
    struct oms_risk_account *row = &account->value;

    TAKE(row, command, open_orders_max);
    TAKE(row, command, velocity_per_second);
    TAKE(row, command, velocity_burst);
    TAKE(row, command, notional_max);
    TAKE(row, command, daily_loss_limit);
    TAKE(row, command, notional_window_max);
    TAKE(row, command, concentration_limit);
    if (command->has_position_limit) {
        risk_position_limit_all(account, command->position_limit);
    }
}

static void set_symbol_limits(struct oms_risk_exposure *row,
                              const struct oms_account_command *command)
{
    TAKE(row, command, position_limit);
    TAKE(row, command, open_orders_max);
    TAKE(row, command, velocity_per_second);
    TAKE(row, command, velocity_burst);
    TAKE(row, command, notional_max);
    TAKE(row, command, concentration_limit);
}

static enum mr_status begin_bucket(struct risk *risk, struct risk_account *account,
                                   const struct oms_account_command *command, struct mr_err *err)
{
    struct oms_risk_account all;

    if (is_all(command)) {
        return MR_OK;
    }
    MR_TRY(risk_all_get(risk, &all, err));
    risk_bucket_begin(&risk->settings, &all, &account->value, command->ts_us);
    return MR_OK;
}

/* Absent limits stay as they are. */
static enum mr_status set_limits(struct risk *risk, struct mr_ctx *ctx,
                                 const struct oms_account_command *command, struct mr_err *err)
{
    struct risk_account account;
    struct oms_risk_exposure exposure;

    if (!limits_valid(command)) {
        return refuse(risk, ctx, command, "limits", err);
    }
    MR_TRY(risk_account_get(risk, ctx, command->user_id, &account, err));
    MR_TRY(begin_bucket(risk, &account, command, err));
    if (command->has_symbol) {
        MR_TRY(risk_exposure_get(&account, command->symbol, &exposure, err));
        set_symbol_limits(&exposure, command);
        risk_exposure_set(&account, &exposure);
    } else {
        set_user_limits(&account, command);
    }
    return risk_account_put(risk, &account, err);
}

/* --- the end of open orders --------------------------------------------------------------- */

struct holders {
    struct mr_arena *arena;
    struct mr_slice *users;
    size_t count;
    size_t capacity;
};

static bool note_holder(void *arg, struct mr_slice key, const void *value)
{
    struct holders *holders = arg;
    const struct oms_risk_account *row = value;

    if (row->open_orders == 0) {
        return true;
    }
    if (holders->count == holders->capacity) {
        const size_t capacity = holders->capacity == 0 ? 64 : 2 * holders->capacity;
        struct mr_slice *users = mr_arena_alloc(holders->arena, capacity * sizeof(*users));

        if (holders->count > 0) {
            memcpy(users, holders->users, holders->count * sizeof(*users));
        }
        holders->users = users;
        holders->capacity = capacity;
    }
    holders->users[holders->count++] = mr_arena_copy(holders->arena, key);
    return true;
}

/*
 * An id for each user: reports of the engine name it, and must not be two users' at once. One that
 * is longer than an identifier may be becomes a hash of the two.
 */
static struct mr_slice id_of_user(struct mr_arena *arena, const struct oms_account_command *command,
                                  struct mr_slice user_id)
{
    const struct mr_slice prefix = mr_slice_str("R-");
    const struct mr_slice id = order_report_join(arena, prefix, command->event_id);
    const struct mr_slice both =
        is_all(command)
            ? order_report_join(arena, order_report_join(arena, id, mr_slice_str("-")), user_id)
            : id;
    uint8_t digest[SHA256_BYTES];
    struct sha256 sha;
    char hex[33];

    if (both.len <= ORD_ID_MAX) {
        return both;
    }
    sha256_init(&sha);
    sha256_add(&sha, both.data, both.len);
    sha256_finish(&sha, digest);
    for (size_t i = 0; i < 16; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    return order_report_join(arena, prefix, mr_slice_of(hex, 32));
}

static enum mr_status cancel_orders(struct risk *risk, struct mr_ctx *ctx,
                                    const struct oms_account_command *command, struct mr_err *err)
{
    const struct mr_slice all_keys = {0};
    struct mr_arena *arena = mr_ctx_arena(ctx);
    struct mr_slice single = command->user_id;
    struct holders holders = {.arena = arena};

    if (is_all(command)) {
        MR_TRY(mr_store_scan(risk->accounts, all_keys, all_keys, note_holder, &holders, err));
    } else {
        holders.users = &single;
        holders.count = 1;
    }
    for (size_t i = 0; i < holders.count; i++) {
        const struct mr_slice user = holders.users[i];
        struct risk_account account;

        MR_TRY(risk_account_get(risk, ctx, user, &account, err));
        MR_TRY(risk_cancel_orders(ctx, command, user, id_of_user(arena, command, user),
                                  &account.value, err));
    }
    return MR_OK;
}

/* --- trading state ------------------------------------------------------------------------ */

static enum mr_status set_state(struct risk *risk, struct mr_ctx *ctx,
                                const struct oms_account_command *command, struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_account(command);
    struct oms_risk_event event =
        risk_event_of(mr_ctx_arena(ctx), &cause, "R-", OMS_RISK_EVENT_TYPE_STATE_CHANGE, "state");
    struct risk_account account;
    struct oms_risk_exposure exposure;

    if (!command->has_trading_state || (command->has_symbol && command->symbol.len == 0)) {
        return refuse(risk, ctx, command, "state", err);
    }
    MR_TRY(risk_account_get(risk, ctx, command->user_id, &account, err));
    if (command->has_symbol) {
        MR_TRY(risk_exposure_get(&account, command->symbol, &exposure, err));
        event.state_from = exposure.trading_state;
        exposure.trading_state = command->trading_state;
        risk_exposure_set(&account, &exposure);
    } else {
        MR_TRY(begin_bucket(risk, &account, command, err));
        event.state_from = account.value.trading_state;
        account.value.trading_state = command->trading_state;
    }
    MR_TRY(risk_account_put(risk, &account, err));
    event.has_state_from = true;
    event.state_to = command->trading_state;
    event.has_state_to = true;
    event.text = command->reason;
    event.has_text = command->has_reason;
    MR_TRY(mr_emit(ctx, RISK_OUT_EVENTS, command->user_id, &event, err));
    return command->cancel_orders ? cancel_orders(risk, ctx, command, err) : MR_OK;
}

enum mr_status risk_account_command(struct risk *risk, struct mr_ctx *ctx,
                                    const struct mr_record *record, struct mr_err *err)
{
    const struct oms_account_command *command = record->value;

    /* Of "*" each partition gets a copy, whatever its key hashes to. */
    if (command->user_id.len == 0 || command->event_id.len == 0 ||
        !mr_slice_equal(record->key, command->user_id)) {
        return mr_fail(err, MR_MALFORMED, "account command without ids or under another key");
    }
    switch (command->action) {
    case OMS_ACCOUNT_ACTION_DEPOSIT:
    case OMS_ACCOUNT_ACTION_WITHDRAW:
    case OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN:
    case OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT:
    case OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL:
    case OMS_ACCOUNT_ACTION_REVERSE:
        return risk_move_money(risk, ctx, command, err);
    case OMS_ACCOUNT_ACTION_SET_LIMITS:
        return set_limits(risk, ctx, command, err);
    case OMS_ACCOUNT_ACTION_SET_STATE:
        return set_state(risk, ctx, command, err);
    }
    return mr_fail(err, MR_MALFORMED, "unknown action");
}
