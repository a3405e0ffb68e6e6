/*
 * account_fixture.h -- the records that tests of the account stages start from.
 *
 * Texts are borrowed: pass literals or buffers that outlive the record.
 */
#ifndef MILLRACE_TESTS_ACCOUNT_FIXTURE_H
#define MILLRACE_TESTS_ACCOUNT_FIXTURE_H

#include "avro/account_command.h"
#include "avro/execution_report.h"
#include "avro/instrument.h"
#include "avro/order_command.h"
#include "avro/price_tick.h"
#include "avro/settle_account.h"
#include "domain/decimal.h"
#include "stage_driver.h"

#define FIXTURE_TS_US INT64_C(1723075200000000) /* 2024-08-08T00:00:00Z */

/* "1.5", "-0.001"; anything else is an assertion. */
dec_t amount(const char *text);

static inline struct mr_slice s(const char *text)
{
    return mr_slice_str(text);
}

/* (a, b) as a composite store key; valid until the next call. */
struct mr_slice key2(const char *a, const char *b);

/* BTCUSDT: tick 0.01, lot 0.001, notional 10..1000000, fees 0.1 % and 0.2 %, TRADING. */
struct oms_instrument fixture_instrument(void);
struct oms_price_tick fixture_price(const char *symbol, const char *price);

/* LIMIT GTC on BTCUSDT at FIXTURE_TS_US. eventId equals orderId. */
struct oms_order_command fixture_limit(const char *order_id, const char *user, enum oms_side side,
                                       const char *qty, const char *price);
struct oms_order_command fixture_cancel(const char *order_id, const char *user, const char *target);
struct oms_account_command fixture_transfer(const char *event_id, const char *user,
                                            enum oms_account_action action, const char *asset,
                                            const char *value);

/* What settle has of a user's asset; false and zero when it never met it. Valid as a store value.
 */
bool fixture_settle_balance(struct mr_driver *driver, const char *user, const char *asset,
                            struct oms_settle_balance *balance);

/* Reports of the engine on BTCUSDT; engineSeq rises with each report made. */
struct oms_execution_report fixture_accepted(const char *order_id, const char *user,
                                             enum oms_side side, const char *qty, const char *hold);
/* A fill of an order accepted before; the caller sets status where the order is filled. */
struct oms_execution_report fixture_fill(const struct oms_execution_report *before,
                                         const char *exec_id, const char *qty, const char *price,
                                         const char *fee, const char *hold_after);
struct oms_execution_report fixture_canceled(const struct oms_execution_report *before,
                                             const char *exec_id);

#endif
