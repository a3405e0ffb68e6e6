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

#define CHANGED(defect, why, change)                                                               \
    do {                                                                                           \
        struct instr i = good();                                                                   \
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
    CHANGED(true, "negative bound", i.min_price = -1);
    CHANGED(true, "bounds crossed", (i.min_qty = 2, i.max_qty = 1));
    CHANGED(false, "no upper bound", (i.min_qty = 2, i.max_qty = 0));
    CHANGED(true, "notional crossed", (i.min_notional = 2, i.max_notional = 1));
    CHANGED(true, "maker above taker", i.maker_fee = i.taker_fee + 1);
    CHANGED(false, "maker equal taker", i.maker_fee = i.taker_fee);
    CHANGED(false, "rebate", i.maker_fee = -i.taker_fee);
    CHANGED(true, "negative taker", (i.taker_fee = -1, i.maker_fee = -1));
    CHANGED(true, "fee above one", i.taker_fee = DEC_ONE + 1);
    CHANGED(true, "rebate above one", i.maker_fee = -DEC_ONE - 1);
    CHANGED(true, "collar of nothing", (i.has_bid_up = true, i.bid_up = 0));
    CHANGED(false, "collar", (i.has_bid_up = true, i.bid_up = amount("1.05")));
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
    tcase_add_test(tcase, the_collar_lies_inside_the_factors_and_on_the_tick);
    tcase_add_loop_test(tcase, a_market_order_reaches_as_far_as_the_nearest_bound, 0,
                        (int)(sizeof(market_rows) / sizeof(market_rows[0])));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
