/* risk_fixture.c -- see risk_fixture.h. */
#include "risk_fixture.h"

#include "avro/risk_balance.h"
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
    struct oms_risk_balance cash = {0};

    ck_assert(mr_driver_store_get(risk_driver, "balances", key2("u1", asset), &cash));
    ck_assert_msg(cash.available == amount(available) && cash.hold == amount(hold),
                  "%s is not %s and %s", asset, available, hold);
}

struct oms_risk_exposure risk_exposure_of_u1(void)
{
    struct oms_risk_exposure value = {0};

    ck_assert(mr_driver_store_get(risk_driver, "exposures", key2("u1", "BTCUSDT"), &value));
    return value;
}

struct oms_risk_user risk_user_of_u1(void)
{
    struct oms_risk_user value = {0};

    ck_assert(mr_driver_store_get(risk_driver, "users", s("u1"), &value));
    return value;
}
