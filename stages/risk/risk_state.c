/* risk_state.c -- rows of the risk stage's stores. See risk_state.h. */
#include "risk_state.h"

static enum mr_status pair_key(struct mr_key *key, struct mr_slice user_id, struct mr_slice second,
                               struct mr_err *err)
{
    mr_key_begin(key);
    mr_key_text(key, user_id);
    mr_key_text(key, second);
    if (key->overflow || user_id.len == 0) {
        return mr_fail(err, MR_MALFORMED, "userId, symbol or asset is empty or too long");
    }
    return MR_OK;
}

struct bucket_rule risk_bucket_rule(const struct risk *risk, const struct oms_risk_user *user)
{
    return (struct bucket_rule){
        .per_second = user->has_velocity_per_second
                          ? user->velocity_per_second
                          : (int32_t)(risk->velocity_micro / BUCKET_TOKEN),
        .burst = user->has_velocity_burst ? user->velocity_burst : (int32_t)risk->burst,
    };
}

enum mr_status risk_user_get(struct risk *risk, struct mr_slice user_id, int64_t now_us,
                             struct risk_user *user, struct mr_err *err)
{
    bool found = false;

    if (user_id.len == 0 || user_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "userId is empty or too long");
    }
    user->id = user_id;
    MR_TRY(mr_store_get(risk->users, user_id, &user->value, &found, err));
    if (!found) {
        struct bucket bucket;

        user->value = (struct oms_risk_user){.trading_state = OMS_TRADING_STATE_ACTIVE};
        bucket_fill(&bucket, risk_bucket_rule(risk, &user->value), now_us);
        user->value.bucket_micro_tokens = bucket.micro_tokens;
        user->value.bucket_ts_us = bucket.ts_us;
    }
    return MR_OK;
}

enum mr_status risk_user_put(struct risk *risk, const struct risk_user *user, struct mr_err *err)
{
    return mr_store_put(risk->users, user->id, &user->value, err);
}

enum mr_status risk_exposure_get(struct risk *risk, struct mr_slice user_id, struct mr_slice symbol,
                                 struct risk_exposure *exposure, struct mr_err *err)
{
    struct oms_risk_exposure all = {0};
    struct mr_key all_key;
    bool found = false;

    MR_TRY(pair_key(&exposure->key, user_id, symbol, err));
    MR_TRY(
        mr_store_get(risk->exposures, mr_key_slice(&exposure->key), &exposure->value, &found, err));
    if (found) {
        return MR_OK;
    }
    exposure->value = (struct oms_risk_exposure){0};
    MR_TRY(pair_key(&all_key, user_id, mr_slice_str(""), err));
    MR_TRY(mr_store_get(risk->exposures, mr_key_slice(&all_key), &all, &found, err));
    if (found) {
        exposure->value.position_limit = all.position_limit;
        exposure->value.has_position_limit = all.has_position_limit;
    }
    return MR_OK;
}

enum mr_status risk_exposure_put(struct risk *risk, const struct risk_exposure *exposure,
                                 struct mr_err *err)
{
    return mr_store_put(risk->exposures, mr_key_slice(&exposure->key), &exposure->value, err);
}

enum mr_status risk_cash_get(struct risk *risk, struct mr_slice user_id, struct mr_slice asset,
                             struct risk_cash *cash, struct mr_err *err)
{
    bool found = false;

    if (asset.len == 0) {
        return mr_fail(err, MR_MALFORMED, "asset is empty");
    }
    MR_TRY(pair_key(&cash->key, user_id, asset, err));
    MR_TRY(mr_store_get(risk->balances, mr_key_slice(&cash->key), &cash->value, &found, err));
    if (!found) {
        cash->value = (struct oms_risk_balance){0};
    }
    return MR_OK;
}

enum mr_status risk_cash_put(struct risk *risk, const struct risk_cash *cash, struct mr_err *err)
{
    return mr_store_put(risk->balances, mr_key_slice(&cash->key), &cash->value, err);
}
