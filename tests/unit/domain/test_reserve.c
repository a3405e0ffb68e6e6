/*
 * test_reserve.c
 *
 * Goal:   what is reserved is never an atom short: for an amendment whatever trades on its way, for
 *         an order by amount whatever it trades; and never more than the rule says.
 * Method: tables at the bounds; then random orders of few atoms, so that every rounding shows,
 *         filled at random before the amendment takes effect.
 */
#include "domain/hold.h"
#include "domain/reserve.h"
#include "domain_test.h"

#define ROUNDS 20000
#define UNIT "0.000000001" /* a price times a quantity of these is one atom */

static const struct amend_case {
    enum ord_side side;
    const char *price, *leaves, *new_price, *new_leaves, *reserve, *why;
} amend_cases[] = {
    {ORD_BUY, "100", "2", "100", "3", "100.1", "a lot more at the same price, with its fee"},
    {ORD_BUY, "100", "2", "110", "2", "20.02", "dearer"},
    {ORD_BUY, "100", "2", "90", "2", "0", "cheaper needs nothing"},
    {ORD_BUY, "100", "2", "100", "1", "0", "less needs nothing"},
    {ORD_BUY, "100", "2", "50", "3", "50.05", "cheaper but longer: all of the old may trade first"},
    {ORD_BUY, "100", "2", "300", "1", "100.1", "shorter but dearer"},
    {ORD_BUY, "100", "2", "300", "-1", "0", "the rest is cancelled"},
    {ORD_SELL, "100", "2", "1", "3", "1", "a sell holds the quantity, whatever the price"},
    {ORD_SELL, "100", "2", "500", "2", "0", "a price alone needs nothing"},
    {ORD_SELL, "100", "2", "100", "1", "0", "less needs nothing"},
};

START_TEST(an_amendment_reserves_what_the_rule_says)
{
    const struct amend_case *c = &amend_cases[_i];
    const struct reserve_amend amend = {.side = c->side,
                                        .price = amount(c->price),
                                        .leaves = amount(c->leaves),
                                        .new_price = amount(c->new_price),
                                        .new_leaves = amount(c->new_leaves),
                                        .taker_rate = amount("0.001")};
    dec_t reserve = -1;

    ck_assert(reserve_amend(&amend, &reserve));
    assert_amount(reserve, amount(c->reserve), c->why);
}
END_TEST

START_TEST(an_amount_holds_its_fee_or_its_lots)
{
    dec_t hold = 0;

    ck_assert(reserve_buy_amount(amount("100"), amount("0.001"), &hold));
    assert_amount(hold, amount("100.1"), "amount and fee");
    ck_assert(reserve_buy_amount(1, amount("0.001"), &hold));
    assert_amount(hold, 2, "the fee is rounded up");
    ck_assert(reserve_sell_amount(amount("100"), amount("90"), amount("0.01"), &hold));
    assert_amount(hold, amount("1.12"), "1.111... up to the lot");
    ck_assert(reserve_sell_amount(amount("90"), amount("90"), amount("0.01"), &hold));
    assert_amount(hold, amount("1"), "exactly");
    ck_assert(!reserve_sell_amount(amount("90"), 0, amount("0.01"), &hold));
    ck_assert(!reserve_sell_amount(DEC_MAX, 1, amount("0.01"), &hold));
    ck_assert(!reserve_buy_amount(0, 0, &hold));
    ck_assert(!reserve_buy_amount(DEC_MAX, amount("0.001"), &hold));
}
END_TEST

static dec_t few(uint64_t *random, uint64_t bound)
{
    return amount(UNIT) * (dec_t)(1 + random_below(random, bound));
}

/* Fills some of the order, at its price or better. */
static void trade(uint64_t *random, struct hold_order *order)
{
    struct hold_fill fill;

    while (order->leaves > 0 && random_below(random, 3) != 0) {
        const dec_t qty = dec_min(few(random, 9), order->leaves);
        const dec_t price = order->side == ORD_BUY ? dec_min(few(random, 40), order->price)
                                                   : order->price + few(random, 5);

        ck_assert(hold_apply(order, random_below(random, 2) == 0 ? ORD_MAKER : ORD_TAKER, price,
                             qty, &fill));
        ck_assert(fill.release >= 0);
    }
}

START_TEST(the_reserve_is_enough_whatever_trades_on_the_way)
{
    uint64_t random = 42;

    for (int i = 0; i < ROUNDS; i++) {
        struct hold_order order = {.side = random_below(&random, 4) == 0 ? ORD_SELL : ORD_BUY,
                                   .price = few(&random, 40),
                                   .leaves = few(&random, 40),
                                   .maker_rate = amount("0.00123"),
                                   .taker_rate = amount("0.0037")};
        struct reserve_amend amend;
        dec_t reserve = 0;
        dec_t traded = 0;
        dec_t after = 0;

        ck_assert(hold_now(&order, &order.hold));
        trade(&random, &order);
        amend = (struct reserve_amend){.side = order.side,
                                       .price = order.price,
                                       .leaves = order.leaves,
                                       .new_price = few(&random, 40),
                                       .new_leaves = few(&random, 60),
                                       .taker_rate = order.taker_rate};
        ck_assert(reserve_amend(&amend, &reserve));
        trade(&random, &order);
        traded = amend.leaves - order.leaves;
        reserve += order.hold;
        order.price = amend.new_price;
        order.leaves = dec_max(amend.new_leaves - traded, 0);
        ck_assert(hold_now(&order, &after));
        ck_assert_msg(after <= reserve, "round %d", i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reserve");
    TCase *tcase = tcase_create("reserve");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, an_amendment_reserves_what_the_rule_says, 0,
                        (int)(sizeof(amend_cases) / sizeof(amend_cases[0])));
    tcase_add_test(tcase, an_amount_holds_its_fee_or_its_lots);
    tcase_add_test(tcase, the_reserve_is_enough_whatever_trades_on_the_way);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
