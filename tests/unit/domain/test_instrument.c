/*
 * test_instrument.c
 *
 * Goal:   an instrument that would break an invariant is named; collars are on the tick and inside.
 * Method: boundary tables over one good instrument.
 */
#include "domain/instrument.h"
#include "domain_test.h"

static struct instr good(void)
{
    return (struct instr){
        .symbol = dom_text_str("BTC-USD"),
        .base_asset = dom_text_str("BTC"),
        .quote_asset = dom_text_str("USD"),
        .tick_size = amount("0.01"),
        .lot_size = amount("0.00001"),
        .maker_fee = amount("0.0005"),
        .taker_fee = amount("0.001"),
    };
}

static void assert_defect(const struct instr *instr, bool defect, const char *why)
{
    ck_assert_msg((instr_defect(instr) != NULL) == defect, "%s", why);
}

/* Of one for each change clang would lay all side by side on the stack. */
static void renew(struct instr *instr)
{
    *instr = good();
}

#define CHANGED(defect, why, change)                                                               \
    do {                                                                                           \
        static struct instr i;                                                                     \
        renew(&i);                                                                                 \
        change;                                                                                    \
        assert_defect(&i, defect, why);                                                            \
    } while (0)

START_TEST(a_defect_is_named)
{
    CHANGED(false, "good", (void)0);
    CHANGED(true, "no symbol", i.symbol.len = 0);
    CHANGED(true, "no base", i.base_asset.len = 0);
    CHANGED(true, "no quote", i.quote_asset.len = 0);
    CHANGED(true, "tick 0", i.tick_size = 0);
    CHANGED(true, "lot 0", i.lot_size = 0);
    CHANGED(true, "negative lot", i.lot_size = -1);
    CHANGED(false, "one atom in all",
            (i.tick_size = amount("0.000000001"), i.lot_size = amount("0.000000001")));
    CHANGED(true, "a tenth of an atom",
            (i.tick_size = amount("0.000000001"), i.lot_size = amount("0.0000000001")));
    CHANGED(true, "market lot too fine", (i.has_market_lot_size = true, i.market_lot_size = 1));
    CHANGED(false, "a tick of one atom", (i.tick_size = 1, i.lot_size = DEC_ONE));
    CHANGED(false, "a lot of one atom", (i.tick_size = DEC_ONE, i.lot_size = 1));
    CHANGED(true, "market lot 0", (i.has_market_lot_size = true, i.market_lot_size = 0));
    CHANGED(false, "a market lot of one atom",
            (i.has_market_lot_size = true, i.tick_size = DEC_ONE, i.market_lot_size = 1));
    CHANGED(false, "a market lot that is not set", i.market_lot_size = 1);
    CHANGED(true, "negative bound", i.min_price = -1);
    CHANGED(false, "one price only", (i.min_price = 2, i.max_price = 2));
    CHANGED(false, "the largest bounds", (i.min_qty = DEC_MAX, i.max_qty = DEC_MAX));
    CHANGED(true, "a lower bound that is no amount", i.min_qty = DEC_MAX + 1);
    CHANGED(true, "an upper bound that is no amount", i.max_qty = DEC_MAX + 1);
    CHANGED(true, "market bounds crossed",
            (i.has_market_min_qty = i.has_market_max_qty = true, i.market_min_qty = 2,
             i.market_max_qty = 1));
    CHANGED(false, "only an upper market bound",
            (i.has_market_max_qty = true, i.market_min_qty = 2, i.market_max_qty = 1));
    CHANGED(false, "only a lower market bound",
            (i.has_market_min_qty = true, i.market_min_qty = 2, i.market_max_qty = 1));
    CHANGED(true, "bounds crossed", (i.min_qty = 2, i.max_qty = 1));
    CHANGED(false, "no upper bound", (i.min_qty = 2, i.max_qty = 0));
    CHANGED(true, "notional crossed", (i.min_notional = 2, i.max_notional = 1));
    CHANGED(true, "maker above taker", i.maker_fee = i.taker_fee + 1);
    CHANGED(false, "maker equal taker", i.maker_fee = i.taker_fee);
    CHANGED(false, "rebate", i.maker_fee = -i.taker_fee);
    CHANGED(true, "negative taker", (i.taker_fee = -1, i.maker_fee = -1));
    CHANGED(true, "fee above one", i.taker_fee = DEC_ONE + 1);
    CHANGED(true, "rebate above one", i.maker_fee = -DEC_ONE - 1);
    CHANGED(false, "no fees", i.taker_fee = i.maker_fee = 0);
    CHANGED(false, "a fee of everything", i.taker_fee = DEC_ONE);
    CHANGED(false, "a rebate of everything", i.maker_fee = -DEC_ONE);
    CHANGED(true, "collar of nothing", (i.has_bid_up = true, i.bid_up = 0));
    CHANGED(true, "bid down of nothing", i.has_bid_down = true);
    CHANGED(true, "ask up of nothing", i.has_ask_up = true);
    CHANGED(true, "ask down of nothing", i.has_ask_down = true);
    CHANGED(false, "collar", (i.has_bid_up = true, i.bid_up = amount("1.05")));
    CHANGED(false, "a factor of one atom", (i.has_bid_down = true, i.bid_down = 1));
    CHANGED(false, "the largest factor", (i.has_ask_up = true, i.ask_up = DEC_BUSINESS_LIMIT));
    CHANGED(true, "beyond it", (i.has_ask_up = true, i.ask_up = DEC_BUSINESS_LIMIT + 1));
    CHANGED(false, "all of it as margin", i.initial_margin = i.maintenance_margin = DEC_ONE);
    CHANGED(true, "negative initial margin", i.initial_margin = -1);
    CHANGED(true, "negative maintenance margin", i.maintenance_margin = -1);
    CHANGED(true, "initial margin above one", i.initial_margin = DEC_ONE + 1);
    CHANGED(true, "maintenance margin above one", i.maintenance_margin = DEC_ONE + 1);
}
END_TEST

static const struct {
    enum instr_state state;
    bool limit;
    bool post_only;
    bool market;
    bool stop;
    bool stop_limit;
    bool amends;
} state_rows[] = {
    {INSTR_TRADING, true, true, true, true, true, true},
    {INSTR_HALT, false, false, false, false, false, false},
    {INSTR_CANCEL_ONLY, false, false, false, false, false, false},
    {INSTR_POST_ONLY, false, true, false, false, false, false},
    {INSTR_LIMIT_ONLY, true, true, false, false, true, true},
    {INSTR_BREAK, false, false, false, false, false, false},
};

static enum dom_code code_if(bool may)
{
    return may ? CODE_OK : CODE_NOT_TRADING;
}

START_TEST(the_state_says_what_may_enter)
{
    struct instr i = good();

    i.state = state_rows[_i].state;
    ck_assert_int_eq(instr_takes(&i, ORD_LIMIT, false), code_if(state_rows[_i].limit));
    ck_assert_int_eq(instr_takes(&i, ORD_LIMIT, true), code_if(state_rows[_i].post_only));
    ck_assert_int_eq(instr_takes(&i, ORD_MARKET, false), code_if(state_rows[_i].market));
    ck_assert_int_eq(instr_takes(&i, ORD_STOP, false), code_if(state_rows[_i].stop));
    ck_assert_int_eq(instr_takes(&i, ORD_STOP_LIMIT, false), code_if(state_rows[_i].stop_limit));
    ck_assert_int_eq(instr_amends(&i), code_if(state_rows[_i].amends));
}
END_TEST

START_TEST(the_collar_lies_inside_the_factors_and_on_the_tick)
{
    struct instr i = good();
    dec_t low = -1;
    dec_t high = -1;

    ck_assert(instr_collar(&i, ORD_BUY, amount("99.99"), &low, &high));
    assert_amount(low, 0, "no lower bound");
    assert_amount(high, DEC_MAX, "no upper bound");
    i.has_bid_down = i.has_bid_up = i.has_ask_up = true;
    i.bid_down = amount("0.95");
    i.bid_up = amount("1.05");
    i.ask_up = amount("2");
    ck_assert(instr_collar(&i, ORD_BUY, amount("99.99"), &low, &high));
    assert_amount(low, amount("95"), "94.9905 up to the tick");
    assert_amount(high, amount("104.98"), "104.9895 down to the tick");
    ck_assert(instr_collar(&i, ORD_SELL, amount("99.99"), &low, &high));
    assert_amount(low, 0, "asks have their own factors");
    assert_amount(high, amount("199.98"), "asks have their own factors");
    ck_assert(instr_collar(&i, ORD_BUY, amount("0.001"), &low, &high));
    assert_amount(high, 0, "a reference below the tick leaves no price, not every price");
    ck_assert(!instr_collar(&i, ORD_BUY, 0, &low, &high));
    ck_assert_msg(instr_collar(&i, ORD_SELL, 1, &low, &high), "an atom is a reference");
    i.bid_up = amount("2");
    ck_assert_msg(!instr_collar(&i, ORD_BUY, DEC_MAX, &low, &high), "above the largest amount");
    i.has_bid_up = false;
    i.bid_down = amount("2");
    ck_assert_msg(!instr_collar(&i, ORD_BUY, DEC_MAX, &low, &high), "above it, from below");
}
END_TEST

static const struct {
    enum ord_side side;
    const char *reference;
    const char *collar;
    const char *price; /* NULL: none */
    const char *why;
} market_rows[] = {
    {ORD_BUY, "100", "0.05", "104", "the factor 1.04 is nearer than the collar"},
    {ORD_BUY, "100", "0.03", "103", "the collar is nearer"},
    {ORD_BUY, "99.99", "0.03", "102.98", "down to the tick"},
    {ORD_BUY, "1990", "0.04", "2000", "the highest price bounds it"},
    {ORD_BUY, "0.009", "0.03", NULL, "no tick fits below"},
    {ORD_SELL, "100", "0.05", "95", "no factor for asks"},
    {ORD_SELL, "99.99", "0.05", "95", "up to the tick"},
    {ORD_SELL, "2", "0.9", "1", "the lowest price bounds it"},
    {ORD_SELL, "100", "1", "1", "a collar of everything still has a price"},
    {ORD_BUY, "100", "-0.01", NULL, "negative collar"},
    {ORD_BUY, "0", "0.01", NULL, "no reference"},
};

START_TEST(a_market_order_without_bounds)
{
    struct instr i = good();
    dec_t price = -9;

    i.tick_size = 1;
    i.lot_size = DEC_ONE;
    ck_assert_msg(instr_market_price(&i, ORD_BUY, 1, 0, &price), "no collar at all");
    assert_amount(price, 1, "an atom is a price");
    ck_assert(instr_market_price(&i, ORD_SELL, 1, 0, &price));
    assert_amount(price, 1, "and for a sell");
    i.max_price = 1;
    ck_assert(instr_market_price(&i, ORD_BUY, 9, 0, &price));
    assert_amount(price, 1, "a bound of an atom is a bound");
    i.max_price = 0;
    ck_assert(instr_market_price(&i, ORD_BUY, 1, DEC_BUSINESS_LIMIT, &price));
    assert_amount(price, 1 + DEC_BUSINESS_LIMIT / DEC_ONE, "the widest collar");
    price = -9;
    ck_assert(!instr_market_price(&i, ORD_BUY, 1, DEC_BUSINESS_LIMIT + 1, &price));
    ck_assert_msg(!instr_market_price(&i, ORD_BUY, DEC_MAX, DEC_ONE, &price), "out of range");
    ck_assert_msg(!instr_market_price(&i, ORD_SELL, DEC_MAX, amount("3"), &price),
                  "a sell at less than nothing");
    i.has_bid_up = true;
    i.bid_up = amount("2");
    ck_assert_msg(!instr_market_price(&i, ORD_BUY, DEC_MAX, 0, &price), "the factor out of range");
    assert_amount(price, -9, "not written");
}
END_TEST

START_TEST(a_market_order_reaches_as_far_as_the_nearest_bound)
{
    struct instr i = good();
    dec_t price = -9;

    i.has_bid_up = true;
    i.bid_up = amount("1.04");
    i.max_price = amount("2000");
    i.min_price = amount("1");
    const bool found =
        instr_market_price(&i, market_rows[_i].side, amount(market_rows[_i].reference),
                           amount(market_rows[_i].collar), &price);
    ck_assert_msg(found == (market_rows[_i].price != NULL), "%s", market_rows[_i].why);
    assert_amount(price, found ? amount(market_rows[_i].price) : -9, market_rows[_i].why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("instrument");
    TCase *tcase = tcase_create("instrument");

    tcase_add_test(tcase, a_defect_is_named);
    tcase_add_loop_test(tcase, the_state_says_what_may_enter, 0,
                        (int)(sizeof(state_rows) / sizeof(state_rows[0])));
    tcase_add_test(tcase, a_market_order_without_bounds);
    tcase_add_test(tcase, the_collar_lies_inside_the_factors_and_on_the_tick);
    tcase_add_loop_test(tcase, a_market_order_reaches_as_far_as_the_nearest_bound, 0,
                        (int)(sizeof(market_rows) / sizeof(market_rows[0])));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
