/*
 * risk_state.h -- what the parts of the risk stage share: its state, and rows of its stores.
 *
 * How: a row is a key and a value. It is read once, changed in memory and written once, before
 *      anything is emitted: an emitted report may come back to this stage in the same call.
 */
#ifndef MILLRACE_STAGES_RISK_STATE_H
#define MILLRACE_STAGES_RISK_STATE_H

#include "avro/account_command.h"
#include "avro/execution_report.h"
#include "avro/risk_balance.h"
#include "avro/risk_event.h"
#include "avro/risk_exposure.h"
#include "avro/risk_order.h"
#include "avro/risk_user.h"
#include "domain/token_bucket.h"
#include "millrace/stage.h"
#include "order_map.h"

#define RISK_MAGIC UINT32_C(0x7269736b)

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
    int64_t velocity_micro; /* option `velocity`: micro-orders per second */
    int64_t burst;          /* option `velocity-burst`: orders */
    int64_t collar_ppm;     /* option `price-collar` */
    int64_t open_orders;    /* option `open-orders` */
    int64_t price_age_us;   /* option `price-age`; 0: any age */
    struct mr_store *users;
    struct mr_store *exposures;
    struct mr_store *balances;
    struct mr_store *orders;
    struct mr_store *transfers;
    struct mr_counter *approved;
    struct mr_counter *rejected;
    struct mr_counter *skipped; /* reports that came twice */
    struct instrument_cache instruments;
};

/* userId -> limits, switches, bucket. The key is the record's userId. */
struct risk_user {
    struct mr_slice id;
    struct oms_risk_user value;
};

/* (userId, symbol) -> position and open quantity. Symbol "" holds the limits for new symbols. */
struct risk_exposure {
    struct mr_key key;
    struct oms_risk_exposure value;
};

/* (userId, asset) -> cash. */
struct risk_cash {
    struct mr_key key;
    struct oms_risk_balance value;
};

struct bucket_rule risk_bucket_rule(const struct risk *risk, const struct oms_risk_user *user);

/* A user that was never seen has no limits of their own and a full bucket at now_us. */
MR_NODISCARD enum mr_status risk_user_get(struct risk *risk, struct mr_slice user_id,
                                          int64_t now_us, struct risk_user *user,
                                          struct mr_err *err);
MR_NODISCARD enum mr_status risk_user_put(struct risk *risk, const struct risk_user *user,
                                          struct mr_err *err);
/* One that was never seen is zero, with the user's limits for all symbols. */
MR_NODISCARD enum mr_status risk_exposure_get(struct risk *risk, struct mr_slice user_id,
                                              struct mr_slice symbol,
                                              struct risk_exposure *exposure, struct mr_err *err);
MR_NODISCARD enum mr_status
risk_exposure_put(struct risk *risk, const struct risk_exposure *exposure, struct mr_err *err);
MR_NODISCARD enum mr_status risk_cash_get(struct risk *risk, struct mr_slice user_id,
                                          struct mr_slice asset, struct risk_cash *cash,
                                          struct mr_err *err);
MR_NODISCARD enum mr_status risk_cash_put(struct risk *risk, const struct risk_cash *cash,
                                          struct mr_err *err);

/* The three inputs. */
MR_NODISCARD enum mr_status risk_order(struct risk *risk, struct mr_ctx *ctx,
                                       const struct mr_record *record, struct mr_err *err);
MR_NODISCARD enum mr_status
risk_report(struct risk *risk, const struct oms_execution_report *report, struct mr_err *err);
MR_NODISCARD enum mr_status risk_account(struct risk *risk, struct mr_ctx *ctx,
                                         const struct mr_record *record, struct mr_err *err);

#endif
