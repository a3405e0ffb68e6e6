/*
 * Goal:   each rule of the validate stage refuses what it is there for with its own code, and what
 *         nobody can be told about is poison.
 * Method: one valid command, one change per row of a table; the code of the report decides.
 */
#include "account_fixture.h"
#include "domain/codes.h"
#include "order_map.h"
#include "validate/validate.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct mr_driver *driver;

static void setup(void)
{
    const struct oms_instrument instrument = fixture_instrument();

    driver = mr_driver_create(&validate_stage, NULL, 0);
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

/* One change of a valid command, by name: the table says which and to what. */
enum field {
    NOTHING,
    PRICE,
    PRICE_AND_LARGEST_QTY,
    NO_PRICE,
    QTY,
    NO_QTY,
    QUOTE_QTY,
    STOP_PRICE,
    DISPLAY_QTY,
    MARKET,
    MARKET_WITH_PRICE,
    MARKET_POST_ONLY,
    MARKET_GTC,
    TYPE_STOP,
    TIF_GTD,
    POST_ONLY_IOC,
    REDUCE_ONLY,
    STP_DECREMENT,
    SYMBOL,
    ORDER_ID,
    CLIENT_ID,
    IDEMPOTENCY_KEY,
    AMEND,
    CANCEL_ALL,
    CANCEL,
    CANCEL_NO_TARGET,
    CANCEL_UNKNOWN_SYMBOL,
    TIF_IOC,
    TIF_FOK,
    POST_ONLY,
};

static void be_market(struct oms_order_command *o)
{
    o->ord_type = OMS_ORDER_TYPE_MARKET;
    o->tif = OMS_TIME_IN_FORCE_IOC;
    o->has_price = false;
    o->price = 0;
}

static void be_cancel(struct oms_order_command *o)
{
    *o = fixture_cancel("c1", "u1", "o1");
}

static void change_shape(struct oms_order_command *o, enum field field)
{
    const bool market = field == MARKET || field == MARKET_WITH_PRICE ||
                        field == MARKET_POST_ONLY || field == MARKET_GTC;

    if (market) {
        be_market(o);
    }
    if (field == CANCEL || field == CANCEL_NO_TARGET || field == CANCEL_UNKNOWN_SYMBOL) {
        be_cancel(o);
    }
    o->has_target_order_id = o->has_target_order_id && field != CANCEL_NO_TARGET;
    o->post_only = field == MARKET_POST_ONLY || field == POST_ONLY_IOC || field == POST_ONLY;
    o->reduce_only = field == REDUCE_ONLY;
    if (field == MARKET_GTC) {
        o->tif = OMS_TIME_IN_FORCE_GTC;
    } else if (field == TIF_GTD) {
        o->tif = OMS_TIME_IN_FORCE_GTD;
    } else if (field == POST_ONLY_IOC || field == TIF_IOC) {
        o->tif = OMS_TIME_IN_FORCE_IOC;
    } else if (field == TIF_FOK) {
        o->tif = OMS_TIME_IN_FORCE_FOK;
    } else if (field == TYPE_STOP) {
        o->ord_type = OMS_ORDER_TYPE_STOP;
    } else if (field == STP_DECREMENT) {
        o->stp_mode = OMS_STP_MODE_DECREMENT;
    } else if (field == AMEND) {
        o->action = OMS_ACTION_AMEND;
    } else if (field == CANCEL_ALL) {
        o->action = OMS_ACTION_CANCEL_ALL;
    } else if (field == CANCEL_UNKNOWN_SYMBOL) {
        o->symbol = s("NOSUCH");
    }
}

static void change_value(struct oms_order_command *o, enum field field, const char *text)
{
    if (field == PRICE) {
        o->price = amount(text);
    } else if (field == PRICE_AND_LARGEST_QTY) {
        o->price = amount(text);
        o->qty = amount("100");
    } else if (field == NO_PRICE) {
        o->has_price = false;
    } else if (field == QTY || (field == MARKET && text != NULL)) {
        o->qty = amount(text);
    } else if (field == NO_QTY) {
        o->has_qty = false;
    } else if (field == QUOTE_QTY) {
        o->quote_qty = amount(text);
        o->has_quote_qty = true;
    } else if (field == STOP_PRICE) {
        o->stop_price = amount(text);
        o->has_stop_price = true;
    } else if (field == DISPLAY_QTY) {
        o->display_qty = amount(text);
        o->has_display_qty = true;
    } else if (field == MARKET_WITH_PRICE) {
        o->price = amount(text);
        o->has_price = true;
    } else if (field == SYMBOL) {
        o->symbol = s(text);
    } else if (field == ORDER_ID) {
        o->order_id = s(text);
    } else if (field == CLIENT_ID) {
        o->client_order_id = s(text);
        o->has_client_order_id = true;
    } else if (field == IDEMPOTENCY_KEY) {
        o->idempotency_key = s(text);
        o->has_idempotency_key = true;
    }
}

#define ID_64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct rule_case {
    const char *why;
    enum field field;
    const char *text;
    enum dom_code code;
} rule_cases[] = {
    {"a plain limit order", NOTHING, NULL, CODE_OK},
    {"IOC", TIF_IOC, NULL, CODE_OK},
    {"FOK", TIF_FOK, NULL, CODE_OK},
    {"post-only", POST_ONLY, NULL, CODE_OK},
    {"a market order", MARKET, NULL, CODE_OK},
    {"a cancel", CANCEL, NULL, CODE_OK},
    {"lowest price", PRICE, "10", CODE_OK},
    {"below the lowest price", PRICE, "0.99", CODE_PRICE_TOO_LOW},
    {"highest price", PRICE, "100000", CODE_OK},
    {"above the highest price", PRICE, "100000.01", CODE_PRICE_TOO_HIGH},
    {"half a tick", PRICE, "100.005", CODE_PRICE_TICK},
    {"an atom beside the tick", PRICE, "100.000000000000000001", CODE_PRICE_TICK},
    {"price zero", PRICE, "0", CODE_BAD_NUMBER},
    {"negative price", PRICE, "-1", CODE_BAD_NUMBER},
    {"price at the business bound", PRICE, "10000000000000000", CODE_OVERFLOW},
    {"limit without price", NO_PRICE, NULL, CODE_MISSING},
    {"smallest quantity that makes the notional", QTY, "0.1", CODE_OK},
    {"below the smallest quantity", QTY, "0.0005", CODE_QTY_TOO_LOW},
    {"largest quantity", QTY, "100", CODE_OK},
    {"above the largest quantity", QTY, "100.001", CODE_QTY_TOO_HIGH},
    {"half a lot", QTY, "1.0005", CODE_QTY_STEP},
    {"quantity zero", QTY, "0", CODE_BAD_NUMBER},
    {"no quantity", NO_QTY, NULL, CODE_MISSING},
    {"above the largest notional", PRICE_AND_LARGEST_QTY, "10000.01", CODE_NOTIONAL_TOO_HIGH},
    {"the largest notional", PRICE_AND_LARGEST_QTY, "10000", CODE_OK},
    {"a lot below the smallest notional", QTY, "0.099", CODE_NOTIONAL_TOO_LOW},
    {"quoteQty beside qty", QUOTE_QTY, "100", CODE_NOT_ALLOWED},
    {"stop price of a limit order", STOP_PRICE, "100", CODE_NOT_ALLOWED},
    {"market with a price", MARKET_WITH_PRICE, "100", CODE_NOT_ALLOWED},
    {"market post-only", MARKET_POST_ONLY, NULL, CODE_NOT_ALLOWED},
    {"market that would rest", MARKET_GTC, NULL, CODE_BAD_TIF},
    {"a stop needs its stop price", TYPE_STOP, NULL, CODE_MISSING},
    {"GTD needs its expiry", TIF_GTD, NULL, CODE_MISSING},
    {"post-only must be able to rest", POST_ONLY_IOC, NULL, CODE_BAD_TIF},
    {"reduce-only is risk's to judge", REDUCE_ONLY, NULL, CODE_OK},
    {"decrement", STP_DECREMENT, NULL, CODE_OK},
    {"icebergs are not taken", DISPLAY_QTY, "0.5", CODE_NOT_ALLOWED},
    {"unknown symbol", SYMBOL, "NOSUCH", CODE_UNKNOWN_SYMBOL},
    {"no symbol", SYMBOL, "", CODE_MISSING},
    {"blank in the order id", ORDER_ID, "o 1", CODE_BAD_ID},
    {"longest order id", ORDER_ID, ID_64, CODE_OK},
    {"order id one too long", ORDER_ID, ID_64 "x", CODE_BAD_ID},
    {"every character of a client id", CLIENT_ID, "aZ09._:-", CODE_OK},
    {"slash in the client id", CLIENT_ID, "a/b", CODE_BAD_ID},
    {"longest idempotency key", IDEMPOTENCY_KEY, ID_64, CODE_OK},
    {"idempotency key one too long", IDEMPOTENCY_KEY, ID_64 "x", CODE_BAD_ID},
    {"amend of nothing", AMEND, NULL, CODE_MISSING},
    {"cancel-all", CANCEL_ALL, NULL, CODE_OK},
    {"cancel of nothing", CANCEL_NO_TARGET, NULL, CODE_MISSING},
    {"cancel in an unknown symbol", CANCEL_UNKNOWN_SYMBOL, NULL, CODE_UNKNOWN_SYMBOL},
};

/* Where the text holds the word; -1 when nowhere. */
static long find_word(struct mr_slice text, const char *word)
{
    const size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, word, len) == 0) {
            return (long)i;
        }
    }
    return -1;
}

static void expect(const struct oms_order_command *order, enum dom_code code, const char *why)
{
    const struct oms_execution_report *report = NULL;

    ck_assert_msg(mr_driver_push(driver, "orders", order->user_id, order) == MR_OK, "%s: %s", why,
                  mr_driver_error(driver));
    report = mr_driver_emit_last(driver, "rejected");
    if (code == CODE_OK) {
        ck_assert_msg(report == NULL, "%s: rejected", why);
        ck_assert_msg(mr_driver_emit_count(driver, "valid") == 1, "%s", why);
        return;
    }
    ck_assert_msg(report != NULL, "%s: not rejected", why);
    ck_assert_msg(mr_driver_emit_count(driver, "valid") == 0, "%s", why);
    ck_assert_msg(report->reject_code == (int32_t)code, "%s: code %d", why, report->reject_code);
    ck_assert(report->status == OMS_ORDER_STATUS_REJECTED);
}

START_TEST(each_rule_has_its_code)
{
    const struct rule_case *c = &rule_cases[_i];
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");

    change_shape(&order, c->field);
    change_value(&order, c->field, c->text);
    expect(&order, c->code, c->why);
}
END_TEST

static const struct state_case {
    const char *why;
    enum oms_symbol_state state;
    enum field field;
    enum dom_code code;
} state_cases[] = {
    {"halted: no new order", OMS_SYMBOL_STATE_HALT, NOTHING, CODE_NOT_TRADING},
    {"halted: cancels go on", OMS_SYMBOL_STATE_HALT, CANCEL, CODE_OK},
    {"break: no new order", OMS_SYMBOL_STATE_BREAK, NOTHING, CODE_NOT_TRADING},
    {"cancel-only: no new order", OMS_SYMBOL_STATE_CANCEL_ONLY, NOTHING, CODE_NOT_TRADING},
    {"cancel-only: cancels go on", OMS_SYMBOL_STATE_CANCEL_ONLY, CANCEL, CODE_OK},
    {"post-only: not this one", OMS_SYMBOL_STATE_POST_ONLY, NOTHING, CODE_NOT_TRADING},
    {"post-only: this one", OMS_SYMBOL_STATE_POST_ONLY, POST_ONLY, CODE_OK},
    {"limit-only: a limit order", OMS_SYMBOL_STATE_LIMIT_ONLY, NOTHING, CODE_OK},
    {"limit-only: no market order", OMS_SYMBOL_STATE_LIMIT_ONLY, MARKET, CODE_NOT_TRADING},
};

START_TEST(the_state_of_the_symbol_decides_what_it_takes)
{
    const struct state_case *c = &state_cases[_i];
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");
    struct oms_instrument instrument = fixture_instrument();

    instrument.state = c->state;
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
    change_shape(&order, c->field);
    expect(&order, c->code, c->why);
}
END_TEST

static const struct market_case {
    const char *why;
    const char *qty;
    enum dom_code code;
} market_cases[] = {
    {"the market lot is coarser", "1.001", CODE_QTY_STEP},
    {"on the market lot", "1.01", CODE_OK},
    {"below the market minimum", "0.01", CODE_QTY_TOO_LOW},
    {"above the market maximum", "5.01", CODE_QTY_TOO_HIGH},
};

START_TEST(market_orders_have_their_own_lot)
{
    const struct market_case *c = &market_cases[_i];
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");
    struct oms_instrument instrument = fixture_instrument();

    instrument.market_lot_size = amount("0.01");
    instrument.has_market_lot_size = true;
    instrument.market_min_qty = amount("0.1");
    instrument.has_market_min_qty = true;
    instrument.market_max_qty = amount("5");
    instrument.has_market_max_qty = true;
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
    change_shape(&order, MARKET);
    order.qty = amount(c->qty);
    expect(&order, c->code, c->why);
}
END_TEST

START_TEST(a_report_of_rejection_says_everything)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_SELL, "1.0005", "100.005");
    const struct oms_execution_report *report = NULL;

    order.client_order_id = s("mine");
    order.has_client_order_id = true;
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    report = mr_driver_emit_last(driver, "rejected");
    ck_assert_ptr_nonnull(report);
    ck_assert(report->exec_type == OMS_EXEC_TYPE_REJECTED);
    ck_assert(mr_slice_equal(report->exec_id, s("V-o1")));
    ck_assert(mr_slice_equal(report->command_id, order.event_id));
    ck_assert(mr_slice_equal(report->client_order_id, s("mine")));
    ck_assert(mr_slice_equal(report->trace_id, s("trace-1")));
    ck_assert(mr_slice_equal(mr_driver_emit_key(driver, "rejected", 0), s("u1")));
    ck_assert_int_eq(report->ts_us, order.ts_us);
    ck_assert_int_eq(report->version, 1);
    ck_assert_int_eq(report->engine_seq, 0);
    ck_assert_int_eq(report->reject_code, CODE_PRICE_TICK);
    ck_assert(report->order_qty == report->cancelled_qty && report->leaves_qty == 0);
    /* Both errors are in the text, the deciding one first. */
    ck_assert_int_eq(find_word(report->reject_text, "1103"), 0);
    ck_assert_int_gt(find_word(report->reject_text, "1113"), 0);
}
END_TEST

START_TEST(a_refused_cancel_names_its_target)
{
    struct oms_order_command order = fixture_cancel("c1", "u1", "o1");
    const struct oms_execution_report *report = NULL;

    order.symbol = s("NOSUCH");
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    report = mr_driver_emit_last(driver, "rejected");
    ck_assert_ptr_nonnull(report);
    ck_assert(report->exec_type == OMS_EXEC_TYPE_CANCEL_REJECTED);
    ck_assert(mr_slice_equal(report->order_id, s("c1")));
    ck_assert(report->has_target_order_id);
    ck_assert(mr_slice_equal(report->target_order_id, s("o1")));
}
END_TEST

static const struct poison_case {
    const char *why;
    const char *key;
    const char *user;
    const char *order_id;
    const char *event_id;
    int64_t ts_us;
} poison_cases[] = {
    {"no user to report to", "", "", "o1", "e1", 0},
    {"no order to report on", "u1", "u1", "", "e1", 0},
    {"no command to name", "u1", "u1", "o1", "", 0},
    {"another user's key", "u2", "u1", "o1", "e1", 0},
    {"no key", "", "u1", "o1", "e1", 0},
    {"before 1970", "u1", "u1", "o1", "e1", -1},
};

START_TEST(what_nobody_can_be_told_about_is_poison)
{
    const struct poison_case *c = &poison_cases[_i];
    struct oms_order_command order = fixture_limit(c->order_id, c->user, OMS_SIDE_BUY, "1", "100");
    enum mr_status status = MR_OK;

    order.event_id = s(c->event_id);
    order.ts_us = c->ts_us;
    status = mr_driver_push(driver, "orders", s(c->key), &order);
    ck_assert_msg(mr_status_class(status) == MR_CLASS_POISON, "%s", c->why);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "valid"), 0);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "rejected"), 0);
}
END_TEST

START_TEST(a_new_version_of_the_instrument_counts_at_once)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100.01");
    struct oms_instrument instrument = fixture_instrument();

    expect(&order, CODE_OK, "on the old tick");
    instrument.tick_size = amount("0.1");
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "rejected"), 1);
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), NULL);
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "rejected"), 2);
}
END_TEST

START_TEST(symbols_that_share_a_cache_slot_keep_their_own_rules)
{
    struct oms_instrument instrument = fixture_instrument();
    char names[200][8];

    /* More symbols than slots: some must collide. Odd ones have a tick of 1. */
    for (int i = 0; i < 200; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "S%d", i);
        instrument.symbol = s(names[i]);
        instrument.tick_size = amount(i % 2 == 1 ? "1" : "0.01");
        mr_driver_table_set(driver, "instruments", s(names[i]), &instrument);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100.01");

            order.symbol = s(names[i]);
            ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
        }
    }
    ck_assert_uint_eq(mr_driver_emit_count(driver, "valid"), 200);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "rejected"), 200);
}
END_TEST

/* Versions are offsets: two symbols of different partitions may have the same. */
START_TEST(the_cache_tells_symbols_of_one_version_apart)
{
    static struct instrument_cache cache;
    struct oms_instrument instrument = fixture_instrument();

    for (int i = 0; i < 200; i++) {
        char name[8];
        const struct instrument_facts *facts = NULL;

        (void)snprintf(name, sizeof(name), "S%d", i);
        instrument.symbol = s(name);
        facts = instrument_cache_get(&cache, &instrument, 7);
        ck_assert(mr_slice_equal(slice_of(facts->instr.symbol), s(name)));
        ck_assert_ptr_null(facts->defect);
    }
}
END_TEST

START_TEST(a_defective_instrument_takes_cancels_only)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");
    const struct oms_order_command cancel = fixture_cancel("c1", "u1", "o1");
    struct oms_instrument instrument = fixture_instrument();
    const struct oms_execution_report *report = NULL;

    instrument.maker_fee = amount("0.5"); /* above the taker fee: holds would not suffice */
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    report = mr_driver_emit_last(driver, "rejected");
    ck_assert_ptr_nonnull(report);
    ck_assert_int_eq(report->reject_code, CODE_NOT_TRADING);
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &cancel), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "valid"), 1);
}
END_TEST

/* The new parts of a command reach the rules: one good and one bad of each. */
START_TEST(a_stop_an_expiry_and_an_amendment_are_read)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");

    order.ord_type = OMS_ORDER_TYPE_STOP_LIMIT;
    order.stop_price = amount("100.005");
    order.has_stop_price = true;
    order.tif = OMS_TIME_IN_FORCE_GTD;
    order.expire_ts_us = order.ts_us;
    order.has_expire_ts_us = true;
    expect(&order, CODE_EXPIRE_PAST, "expires with its own time");
    order.expire_ts_us++;
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    ck_assert_int_eq(
        ((const struct oms_execution_report *)mr_driver_emit_last(driver, "rejected"))->reject_code,
        CODE_PRICE_TICK);
    order.stop_price = amount("100");
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "valid"), 1);
    order = fixture_limit("a1", "u1", OMS_SIDE_BUY, "1", "100");
    order.action = OMS_ACTION_AMEND;
    order.target_order_id = s("o1");
    order.has_target_order_id = true;
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "valid"), 2);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "rejected"), 2);
}
END_TEST

START_TEST(a_defective_instrument_takes_no_amendment)
{
    struct oms_order_command order = fixture_limit("a1", "u1", OMS_SIDE_BUY, "1", "100");
    struct oms_instrument instrument = fixture_instrument();

    instrument.tick_size = 0;
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
    order.action = OMS_ACTION_AMEND;
    order.target_order_id = s("o1");
    order.has_target_order_id = true;
    expect(&order, CODE_NOT_TRADING, "nothing can be checked");
}
END_TEST

START_TEST(an_old_client_clock_is_stale_when_a_window_is_set)
{
    const struct mr_driver_setting setting = {.name = "recv-window", .text = "5s"};
    const struct oms_instrument instrument = fixture_instrument();
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");

    mr_driver_destroy(&driver);
    driver = mr_driver_create(&validate_stage, &setting, 1);
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
    order.has_client_ts_us = true;
    order.client_ts_us = order.ts_us - 5 * MR_SECOND_US;
    expect(&order, CODE_OK, "exactly at the window");
    mr_driver_destroy(&driver);
    driver = mr_driver_create(&validate_stage, &setting, 1);
    mr_driver_table_set(driver, "instruments", s("BTCUSDT"), &instrument);
    order.client_ts_us--;
    expect(&order, CODE_STALE, "a microsecond older");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("validate");
    TCase *tcase = tcase_create("validate");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, each_rule_has_its_code, 0, (int)MR_COUNT(rule_cases));
    tcase_add_loop_test(tcase, the_state_of_the_symbol_decides_what_it_takes, 0,
                        (int)MR_COUNT(state_cases));
    tcase_add_loop_test(tcase, market_orders_have_their_own_lot, 0, (int)MR_COUNT(market_cases));
    tcase_add_test(tcase, a_report_of_rejection_says_everything);
    tcase_add_test(tcase, a_refused_cancel_names_its_target);
    tcase_add_loop_test(tcase, what_nobody_can_be_told_about_is_poison, 0,
                        (int)MR_COUNT(poison_cases));
    tcase_add_test(tcase, a_new_version_of_the_instrument_counts_at_once);
    tcase_add_test(tcase, symbols_that_share_a_cache_slot_keep_their_own_rules);
    tcase_add_test(tcase, the_cache_tells_symbols_of_one_version_apart);
    tcase_add_test(tcase, a_defective_instrument_takes_cancels_only);
    tcase_add_test(tcase, a_stop_an_expiry_and_an_amendment_are_read);
    tcase_add_test(tcase, a_defective_instrument_takes_no_amendment);
    tcase_add_test(tcase, an_old_client_clock_is_stale_when_a_window_is_set);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
