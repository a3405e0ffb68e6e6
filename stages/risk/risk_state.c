/* risk_state.c -- the row of a user. See risk_state.h. */
#include "risk_state.h"

#include "domain/position.h"
#include "risk_facts.h"
#include "row_entries.h"

/* --- the row ------------------------------------------------------------------------------ */

enum mr_status risk_account_get(struct risk *risk, struct mr_ctx *ctx, struct mr_slice user_id,
                                struct risk_account *account, struct mr_err *err)
{
    bool found = false;

    if (user_id.len == 0 || user_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "userId is empty or too long");
    }
    account->user_id = user_id;
    account->arena = mr_ctx_arena(ctx);
    MR_TRY(mr_store_get(risk->accounts, user_id, &account->value, &found, err));
    if (!found) {
        account->value = (struct oms_risk_account){.trading_state = OMS_TRADING_STATE_ACTIVE};
    }
    return MR_OK;
}

enum mr_status risk_account_put(struct risk *risk, const struct risk_account *account,
                                struct mr_err *err)
{
    return mr_store_put(risk->accounts, account->user_id, &account->value, err);
}

enum mr_status risk_all_get(struct risk *risk, struct oms_risk_account *all, struct mr_err *err)
{
    bool found = false;

    MR_TRY(mr_store_get(risk->accounts, mr_slice_str(RISK_ALL_USERS), all, &found, err));
    if (!found) {
        *all = (struct oms_risk_account){.trading_state = OMS_TRADING_STATE_ACTIVE};
    }
    return MR_OK;
}

/*
 * Money makes a row before there is an order. The time of a deposit is not that of the orders: a
 * bucket that began with one stamped later than they are would not be refilled until then.
 */
void risk_bucket_begin(const struct risk_settings *settings, const struct oms_risk_account *all,
                       struct oms_risk_account *user, int64_t now_us)
{
    struct bucket bucket;

    if (!user->has_bucket_ts_us) {
        bucket_fill(&bucket, risk_bucket_rule(settings, user, all), now_us);
        user->bucket_micro_tokens = bucket.micro_tokens;
        user->bucket_ts_us = bucket.ts_us;
        user->has_bucket_ts_us = true;
    }
}

enum mr_status risk_client_key(struct mr_key *key, struct mr_slice user_id,
                               struct mr_slice client_order_id, struct mr_err *err)
{
    mr_key_begin(key);
    mr_key_text(key, user_id);
    mr_key_text(key, client_order_id);
    return key->overflow ? mr_fail(err, MR_MALFORMED, "userId and clientOrderId are too long")
                         : MR_OK;
}

/* --- its arrays --------------------------------------------------------------------------- */

/*
 * Commands bring names from outside, and the row keeps them: together not longer than a composite
 * key of the two, each with its separator.
 */
static enum mr_status check_names(const struct risk_account *account, struct mr_slice second,
                                  struct mr_err *err)
{
    if (account->user_id.len + second.len + 2 > MR_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "userId, symbol or asset is empty or too long");
    }
    return MR_OK;
}

static struct entries exposures_of(const struct risk_account *account)
{
    return (struct entries){.items = account->value.exposures.items,
                            .count = account->value.exposures.count,
                            .item_bytes = sizeof(struct oms_risk_exposure),
                            .name_offset = offsetof(struct oms_risk_exposure, symbol)};
}

static struct entries balances_of(const struct risk_account *account)
{
    return (struct entries){.items = account->value.balances.items,
                            .count = account->value.balances.count,
                            .item_bytes = sizeof(struct oms_risk_balance),
                            .name_offset = offsetof(struct oms_risk_balance, asset)};
}

/* Is it more than what risk_exposure_get makes of an absent one? */
static bool exposure_says_something(const struct oms_risk_exposure *e)
{
    return e->position != 0 || e->open_buy != 0 || e->open_sell != 0 || e->open_orders != 0 ||
           e->has_position_limit || e->trading_state != OMS_TRADING_STATE_ACTIVE ||
           e->has_cost_basis || e->has_open_orders_max || e->has_notional_max ||
           e->has_concentration_limit || e->has_velocity_per_second || e->has_velocity_burst ||
           e->has_bucket_ts_us;
}

enum mr_status risk_exposure_get(const struct risk_account *account, struct mr_slice symbol,
                                 struct oms_risk_exposure *exposure, struct mr_err *err)
{
    const struct entries entries = exposures_of(account);
    const struct oms_risk_exposure *found = entries_find(&entries, symbol);

    MR_TRY(check_names(account, symbol, err));
    *exposure = found != NULL ? *found
                              : (struct oms_risk_exposure){
                                    .symbol = symbol, .trading_state = OMS_TRADING_STATE_ACTIVE};
    return MR_OK;
}

void risk_exposure_set(struct risk_account *account, const struct oms_risk_exposure *exposure)
{
    struct entries entries = exposures_of(account);

    if (exposure_says_something(exposure)) {
        entries_put(&entries, account->arena, exposure);
    } else {
        entries_drop(&entries, account->arena, exposure->symbol);
    }
    account->value.exposures.items = entries.items;
    account->value.exposures.count = entries.count;
}

enum mr_status risk_balance_get(const struct risk_account *account, struct mr_slice asset,
                                struct oms_risk_balance *balance, struct mr_err *err)
{
    const struct entries entries = balances_of(account);
    const struct oms_risk_balance *found = entries_find(&entries, asset);

    if (asset.len == 0) {
        return mr_fail(err, MR_MALFORMED, "asset is empty");
    }
    MR_TRY(check_names(account, asset, err));
    *balance = found != NULL ? *found : (struct oms_risk_balance){.asset = asset};
    return MR_OK;
}

void risk_balance_set(struct risk_account *account, const struct oms_risk_balance *balance)
{
    struct entries entries = balances_of(account);

    if (balance->available != 0 || balance->hold != 0 || balance->has_realised_day) {
        entries_put(&entries, account->arena, balance);
    } else {
        entries_drop(&entries, account->arena, balance->asset);
    }
    account->value.balances.items = entries.items;
    account->value.balances.count = entries.count;
}

/* A symbol's own limit goes before the user's, so the old ones of all symbols go. */
void risk_position_limit_all(struct risk_account *account, mr_i128 limit)
{
    const struct oms_risk_exposure_items before = account->value.exposures;
    struct oms_risk_exposure *after =
        mr_arena_alloc(account->arena, (before.count + 1) * sizeof(*after));
    size_t count = 0;

    for (size_t i = 0; i < before.count; i++) {
        after[count] = before.items[i];
        after[count].position_limit = 0;
        after[count].has_position_limit = false;
        count += exposure_says_something(&after[count]) ? 1 : 0;
    }
    account->value.exposures.items = after;
    account->value.exposures.count = count;
    account->value.position_limit = limit;
    account->value.has_position_limit = true;
}

/* Begins the day in a copy of the balances; those of nothing go. */
static void drop_profits(struct risk_account *account)
{
    const struct oms_risk_balance_items before = account->value.balances;
    struct oms_risk_balance *after =
        mr_arena_alloc(account->arena, (before.count + 1) * sizeof(*after));
    size_t count = 0;

    for (size_t i = 0; i < before.count; i++) {
        after[count] = before.items[i];
        after[count].realised_day = 0;
        after[count].has_realised_day = false;
        count += after[count].available != 0 || after[count].hold != 0 ? 1 : 0;
    }
    account->value.balances.items = after;
    account->value.balances.count = count;
}

void risk_day_roll(struct risk_account *account, int64_t ts_us)
{
    const int32_t day = pos_day(ts_us);

    if (day > account->value.day) {
        account->value.day = day;
        account->value.loss_breached = false;
        drop_profits(account);
    }
}
