/* risk_fixture.c -- see risk_fixture.h. */
#include "risk_fixture.h"

#include "domain/codes.h"
#include "risk/risk.h"

#include <check.h>

struct mr_driver *risk_driver;

void risk_transfer(const char *id, enum oms_account_action action, const char *asset,
                   const char *value)
{
    const struct oms_account_command command = fixture_transfer(id, "u1", action, asset, value);

    ck_assert_int_eq(mr_driver_push(risk_driver, "accounts", s("u1"), &command), MR_OK);
}

void risk_open(const struct mr_driver_setting *settings, size_t count)
{
    const struct oms_instrument instrument = fixture_instrument();

    mr_driver_destroy(&risk_driver);
    risk_driver = mr_driver_create(&risk_stage, settings, count);
    mr_driver_table_set(risk_driver, "instruments", s("BTCUSDT"), &instrument);
    risk_transfer("d1", OMS_ACCOUNT_ACTION_DEPOSIT, "USDT", "1000");
    risk_transfer("d2", OMS_ACCOUNT_ACTION_DEPOSIT, "BTC", "10");
}

void risk_setup(void)
{
    risk_open(NULL, 0);
}

void risk_teardown(void)
{
    mr_driver_destroy(&risk_driver);
}

void risk_set_price(const char *price)
{
    const struct oms_price_tick tick = fixture_price("BTCUSDT", price);

    mr_driver_table_set(risk_driver, "prices", s("BTCUSDT"), &tick);
}

void risk_push_order(const struct oms_order_command *order)
{
    ck_assert_int_eq(mr_driver_push(risk_driver, "orders", order->user_id, order), MR_OK);
}

void risk_push_limit(const char *id, enum oms_side side, const char *qty, const char *price)
{
    const struct oms_order_command order = fixture_limit(id, "u1", side, qty, price);

    risk_push_order(&order);
}

void risk_push_report(const struct oms_execution_report *report)
{
    ck_assert_msg(mr_driver_push(risk_driver, "executions", report->user_id, report) == MR_OK, "%s",
                  mr_driver_error(risk_driver));
}

/* Code of the newest rejection; CODE_OK when there is none. */
int32_t risk_rejected_with(void)
{
    const struct oms_execution_report *report = mr_driver_emit_last(risk_driver, "rejected");

    return report == NULL ? CODE_OK : report->reject_code;
}

void risk_expect_cash(const char *asset, const char *available, const char *hold)
{
    const struct oms_risk_balance cash = risk_balance_of(risk_driver, "u1", asset);

    ck_assert_msg(cash.available == amount(available) && cash.hold == amount(hold),
                  "%s is not %s and %s", asset, available, hold);
}

struct oms_risk_exposure risk_exposure_of_u1(void)
{
    return risk_exposure_of(risk_driver, "u1", "BTCUSDT");
}

struct oms_risk_account risk_account_of_u1(void)
{
    struct oms_risk_account account = {0};

    ck_assert(mr_driver_store_get(risk_driver, "accounts", s("u1"), &account));
    return account;
}

struct oms_risk_account risk_account_of(struct mr_driver *driver, const char *user)
{
    struct oms_risk_account account = {0};

    if (!mr_driver_store_get(driver, "accounts", s(user), &account)) {
        account = (struct oms_risk_account){0};
    }
    return account;
}

struct oms_risk_exposure risk_exposure_of(struct mr_driver *driver, const char *user,
                                          const char *symbol)
{
    const struct oms_risk_account account = risk_account_of(driver, user);

    for (size_t i = 0; i < account.exposures.count; i++) {
        if (mr_slice_equal(account.exposures.items[i].symbol, s(symbol))) {
            return account.exposures.items[i];
        }
    }
    return (struct oms_risk_exposure){0};
}

struct oms_risk_balance risk_balance_of(struct mr_driver *driver, const char *user,
                                        const char *asset)
{
    const struct oms_risk_account account = risk_account_of(driver, user);

    for (size_t i = 0; i < account.balances.count; i++) {
        if (mr_slice_equal(account.balances.items[i].asset, s(asset))) {
            return account.balances.items[i];
        }
    }
    return (struct oms_risk_balance){0};
}
