/*
 * risk_state.h -- what the parts of the risk stage share: its state, and the row of a user.
 *
 * How: a row is a key and a value. It is read once, changed in memory and written once, before
 *      anything is emitted: an emitted report may come back to this stage in the same call.
 *      All that an order is checked against is one row, store "accounts": one read for a check, one
 *      changelog message for a user and transaction, and checks over all symbols of a user stay
 *      possible. Exposures and balances are arrays in it; one is taken out as a copy, changed, and
 *      set again. An entry that says no more than its absence is left out, or a row would only
 *      grow. The row of user "*" has limits and switches of all users; it has no money.
 */
#ifndef MILLRACE_STAGES_RISK_STATE_H
#define MILLRACE_STAGES_RISK_STATE_H

#include "avro/account_command.h"
#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "avro/risk_account.h"
#include "avro/risk_client_id.h"
#include "avro/risk_event.h"
#include "avro/risk_order.h"
#include "domain/token_bucket.h"
#include "millrace/stage.h"
#include "order_map.h"
#include "risk_settings.h"

#define RISK_MAGIC UINT32_C(0x7269736b)
/* The user whose row has what is said of all users. No order can be his: not an identifier. */
#define RISK_ALL_USERS "*"

enum {
    RISK_IN_ORDERS,
    RISK_IN_EXECUTIONS,
    RISK_IN_ACCOUNTS,
    RISK_IN_PRICES,
    RISK_IN_INSTRUMENTS,
};
enum { RISK_OUT_APPROVED, RISK_OUT_TRANSFERS, RISK_OUT_REJECTED, RISK_OUT_EVENTS };

struct risk {
    uint32_t magic;
    struct risk_settings settings;
    struct mr_store *accounts;
    struct mr_store *orders;
    struct mr_store *transfers;
    struct mr_store *client_ids;
    struct mr_counter *approved;
    struct mr_counter *rejected;
    struct mr_counter *skipped; /* reports that came twice */
    struct instrument_cache instruments;
};

/* userId -> what the user may do, has open and has. The key is the record's userId. */
struct risk_account {
    struct mr_slice user_id;
    struct oms_risk_account value;
    struct mr_arena *arena; /* of the record in hand: where arrays grow */
};

/* One that was never seen has nothing, and no limits of its own. */
MR_NODISCARD enum mr_status risk_account_get(struct risk *risk, struct mr_ctx *ctx,
                                             struct mr_slice user_id, struct risk_account *account,
                                             struct mr_err *err);
MR_NODISCARD enum mr_status risk_account_put(struct risk *risk, const struct risk_account *account,
                                             struct mr_err *err);
/* What is said of all users. */
MR_NODISCARD enum mr_status risk_all_get(struct risk *risk, struct oms_risk_account *all,
                                         struct mr_err *err);

/* A bucket that was not used yet is full at now_us; another stays as it is. */
void risk_bucket_begin(const struct risk_settings *settings, const struct oms_risk_account *all,
                       struct oms_risk_account *user, int64_t now_us);

/* One that was never seen is zero. Fails when the names are too long to be kept. */
MR_NODISCARD enum mr_status risk_exposure_get(const struct risk_account *account,
                                              struct mr_slice symbol,
                                              struct oms_risk_exposure *exposure,
                                              struct mr_err *err);
void risk_exposure_set(struct risk_account *account, const struct oms_risk_exposure *exposure);
MR_NODISCARD enum mr_status risk_balance_get(const struct risk_account *account,
                                             struct mr_slice asset,
                                             struct oms_risk_balance *balance, struct mr_err *err);
void risk_balance_set(struct risk_account *account, const struct oms_risk_balance *balance);

/* For every symbol the user has, and for those to come. Replaces the limits of single symbols. */
void risk_position_limit_all(struct risk_account *account, mr_i128 limit);

/*
 * The day of the row is that of the newest event: a newer one begins with no profit, no loss and no
 * breach, an older one changes nothing.
 */
void risk_day_roll(struct risk_account *account, int64_t ts_us);

/* The key of a client's name for an order. Fails when it does not fit. */
MR_NODISCARD enum mr_status risk_client_key(struct mr_key *key, struct mr_slice user_id,
                                            struct mr_slice client_order_id, struct mr_err *err);

/* Open quantity of a side. */
static inline mr_i128 *risk_open_of(struct oms_risk_exposure *exposure, enum oms_side side)
{
    return side == OMS_SIDE_BUY ? &exposure->open_buy : &exposure->open_sell;
}

/* The three inputs. */
MR_NODISCARD enum mr_status risk_order(struct risk *risk, struct mr_ctx *ctx,
                                       const struct mr_record *record, struct mr_err *err);
MR_NODISCARD enum mr_status risk_report(struct risk *risk, struct mr_ctx *ctx,
                                        const struct oms_execution_report *report,
                                        struct mr_err *err);
/* The part of the accounts that moves money. */
MR_NODISCARD enum mr_status risk_move_money(struct risk *risk, struct mr_ctx *ctx,
                                            const struct oms_account_command *command,
                                            struct mr_err *err);
MR_NODISCARD enum mr_status risk_account_command(struct risk *risk, struct mr_ctx *ctx,
                                                 const struct mr_record *record,
                                                 struct mr_err *err);

#endif
