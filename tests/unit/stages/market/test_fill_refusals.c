/*
 * Goal: what fill does not take: rejected with a code, or poison, and never with a trace.
 * Method: one good order, spoiled in one field by each row of a table.
 */
#include "fill_fixture.h"

static struct mr_driver *driver;

static void open_driver(void)
{
    driver = mr_driver_create(&fill_stage, NULL, 0);
    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
}

static void close_driver(void)
{
    mr_driver_destroy(&driver);
}

/* --- orders that are refused ---------------------------------------------------------------- */

static void stop_without_price(struct oms_order_command *o)
{
    o->ord_type = OMS_ORDER_TYPE_STOP_LIMIT;
}
static void stop_at_nothing(struct oms_order_command *o)
{
    o->ord_type = OMS_ORDER_TYPE_STOP_LIMIT;
    o->has_stop_price = true;
}
static void stop_without_collar(struct oms_order_command *o)
{
    o->ord_type = OMS_ORDER_TYPE_STOP;
    o->has_stop_price = true;
    o->stop_price = o->price;
}
static void stop_ioc(struct oms_order_command *o)
{
    stop_without_collar(o);
    o->tif = OMS_TIME_IN_FORCE_IOC;
}
static void post_only_stop(struct oms_order_command *o)
{
    stop_at_nothing(o);
    o->post_only = true;
}
static void gtd_without_end(struct oms_order_command *o)
{
    o->tif = OMS_TIME_IN_FORCE_GTD;
}
static void gtd_past(struct oms_order_command *o)
{
    gtd_without_end(o);
    o->has_expire_ts_us = true;
    o->expire_ts_us = o->ts_us;
}
static void market_gtc(struct oms_order_command *o)
{
    o->ord_type = OMS_ORDER_TYPE_MARKET;
    o->has_collar_px = true;
    o->collar_px = o->price;
}
static void amount_and_quantity(struct oms_order_command *o)
{
    market_gtc(o);
    o->tif = OMS_TIME_IN_FORCE_IOC;
    o->has_quote_qty = true;
    o->quote_qty = o->price;
}
static void amount_zero(struct oms_order_command *o)
{
    amount_and_quantity(o);
    o->has_qty = false;
    o->quote_qty = 0;
}
static void display(struct oms_order_command *o)
{
    o->has_display_qty = true;
}
static void no_price(struct oms_order_command *o)
{
    o->has_price = false;
}
static void no_reserve(struct oms_order_command *o)
{
    o->has_reserved = false;
}
static void short_reserve(struct oms_order_command *o)
{
    o->reserved--;
}
static void qty_zero(struct oms_order_command *o)
{
    o->qty = 0;
}
static void maker_above_taker(struct oms_order_command *o)
{
    o->fee_maker = o->fee_taker + 1;
}
static void too_large(struct oms_order_command *o)
{
    o->qty = DEC_MAX;
    o->price = DEC_MAX;
}
static void post_only_ioc(struct oms_order_command *o)
{
    o->post_only = true;
    o->tif = OMS_TIME_IN_FORCE_IOC;
}

static const struct {
    void (*spoil)(struct oms_order_command *order);
    enum dom_code code;
    const char *why;
} refused_orders[] = {
    {stop_without_price, CODE_MISSING, "a stop has a stop price"},
    {stop_at_nothing, CODE_BAD_NUMBER, "above 0"},
    {stop_without_collar, CODE_MISSING, "a STOP has a collar, from risk"},
    {stop_ioc, CODE_BAD_TIF, "a STOP waits"},
    {post_only_stop, CODE_NOT_ALLOWED, "a stop takes when it triggers"},
    {gtd_without_end, CODE_MISSING, "GTD has an end"},
    {gtd_past, CODE_EXPIRE_PAST, "which lies ahead"},
    {market_gtc, CODE_BAD_TIF, "MARKET never rests"},
    {amount_and_quantity, CODE_NOT_ALLOWED, "one or the other"},
    {amount_zero, CODE_BAD_NUMBER, "an amount of nothing"},
    {display, CODE_NOT_ALLOWED, "nothing is hidden"},
    {post_only_ioc, CODE_NOT_ALLOWED, "makes only and never rests"},
    {no_price, CODE_MISSING, "LIMIT without price"},
    {no_reserve, CODE_MISSING, "did not come through risk"},
    {qty_zero, CODE_BAD_NUMBER, "nothing to trade"},
    {maker_above_taker, CODE_NOT_ALLOWED, "the hold would not cover it"},
    {too_large, CODE_OVERFLOW, "notional out of range"},
    {short_reserve, CODE_INSUFFICIENT_FUNDS, "an atom short"},
};

START_TEST(an_order_that_cannot_be_worked_is_rejected)
{
    struct oms_order_command order = limit_of("b", "u2", 'B', "100", "1");

    add(driver, "a", "u1", 'S', "100", "1");
    refused_orders[_i].spoil(&order);
    ck_assert_int_eq(push(driver, order), MR_OK);
    ck_assert_msg(last_report(driver)->reject_code == (int32_t)refused_orders[_i].code, "%s: %d",
                  refused_orders[_i].why, last_report(driver)->reject_code);
    ck_assert_int_eq(last_report(driver)->exec_type, OMS_EXEC_TYPE_REJECTED);
    ck_assert_int_eq(last_report(driver)->version, 1);
    ck_assert_uint_eq(trades(driver), 0);
    ck_assert_uint_eq(mr_driver_store_count(driver, "orders"), 1);
}
END_TEST

START_TEST(a_reduce_only_order_is_taken_on_risks_word)
{
    struct oms_order_command order = limit_of("b", "u2", 'B', "100", "1");

    order.reduce_only = true;
    ck_assert_int_eq(push(driver, order), MR_OK);
    ck_assert_int_eq(last_report(driver)->status, OMS_ORDER_STATUS_ACCEPTED);
}
END_TEST

static void no_order_id(struct oms_order_command *o)
{
    o->order_id.len = 0;
}
static void no_user(struct oms_order_command *o)
{
    o->user_id.len = 0;
}
static void no_event(struct oms_order_command *o)
{
    o->event_id.len = 0;
}
static void long_id(struct oms_order_command *o)
{
    o->order_id = mr_slice_str("0123456789012345678901234567890123456789012345678901234567890123x");
}

static const struct {
    void (*spoil)(struct oms_order_command *order);
    const char *why;
} poisons[] = {
    {no_order_id, "nothing to report about"},
    {no_user, "nobody to report to"},
    {no_event, "no command to name"},
    {long_id, "longer than any index takes"},
};

START_TEST(a_record_without_identity_is_poison_and_leaves_no_trace)
{
    struct oms_order_command order = limit_of("b", "u2", 'B', "100", "1");
    uint64_t digest = 0;

    add(driver, "a", "u1", 'S', "100", "1");
    digest = mr_driver_state_digest(driver);
    poisons[_i].spoil(&order);
    ck_assert_msg(push(driver, order) == MR_MALFORMED, "%s", poisons[_i].why);
    ck_assert(digest == mr_driver_state_digest(driver));
    ck_assert_uint_eq(reports(driver), 1);
    add(driver, "c", "u2", 'B', "100", "1");
    ck_assert_uint_eq(trades(driver), 1);
}
END_TEST

START_TEST(a_key_that_is_not_the_symbol_is_poison)
{
    const struct oms_order_command order = limit_of("a", "u1", 'B', "100", "1");

    ck_assert_int_eq(mr_driver_push(driver, "orders", mr_slice_str("u1"), &order), MR_MALFORMED);
}
END_TEST

START_TEST(an_instrument_without_assets_is_poison)
{
    struct oms_instrument bad = instrument_of(SYMBOL, OMS_SYMBOL_STATE_HALT);

    bad.quote_asset = mr_slice_str("");
    ck_assert_int_eq(mr_driver_push(driver, "instruments", bad.symbol, &bad), MR_MALFORMED);
    add(driver, "a", "u1", 'B', "100", "1");
    ck_assert_int_eq(last_report(driver)->status, OMS_ORDER_STATUS_ACCEPTED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill refusals");
    TCase *refusals = tcase_create("refusals");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(refusals, open_driver, close_driver);
    tcase_add_loop_test(refusals, an_order_that_cannot_be_worked_is_rejected, 0,
                        (int)MR_COUNT(refused_orders));
    tcase_add_test(refusals, a_reduce_only_order_is_taken_on_risks_word);
    tcase_add_loop_test(refusals, a_record_without_identity_is_poison_and_leaves_no_trace, 0,
                        (int)MR_COUNT(poisons));
    tcase_add_test(refusals, a_key_that_is_not_the_symbol_is_poison);
    tcase_add_test(refusals, an_instrument_without_assets_is_poison);
    suite_add_tcase(suite, refusals);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
