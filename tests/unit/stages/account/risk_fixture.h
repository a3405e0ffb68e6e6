/*
 * risk_fixture.h -- the risk stage with one user, u1, who has 1000 USDT and 10 BTC; and what is in
 * a user's row.
 */
#ifndef MILLRACE_TESTS_RISK_FIXTURE_H
#define MILLRACE_TESTS_RISK_FIXTURE_H

#include "account_fixture.h"
#include "avro/risk_account.h"

extern struct mr_driver *risk_driver;

void risk_transfer(const char *id, enum oms_account_action action, const char *asset,
                   const char *value);
void risk_open(const struct mr_driver_setting *settings, size_t count);
void risk_setup(void);
void risk_teardown(void);
void risk_set_price(const char *price);
void risk_push_order(const struct oms_order_command *order);
void risk_push_limit(const char *id, enum oms_side side, const char *qty, const char *price);
void risk_push_report(const struct oms_execution_report *report);
/* Code of the newest rejection; CODE_OK when there is none. */
int32_t risk_rejected_with(void);
void risk_expect_cash(const char *asset, const char *available, const char *hold);
/* On BTCUSDT. */
struct oms_risk_exposure risk_exposure_of_u1(void);
struct oms_risk_account risk_account_of_u1(void);

/* Of any instance of the stage. What is not there is zero. Borrowed until the next driver call. */
struct oms_risk_account risk_account_of(struct mr_driver *driver, const char *user);
struct oms_risk_exposure risk_exposure_of(struct mr_driver *driver, const char *user,
                                          const char *symbol);
struct oms_risk_balance risk_balance_of(struct mr_driver *driver, const char *user,
                                        const char *asset);

#endif
