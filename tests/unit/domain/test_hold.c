/*
 * test_hold.c
 *
 * Goal:   what is reserved always suffices, and every atom of it comes back or is spent.
 * Method: worked examples; random orders of deliberately tiny numbers, where each rounding shows,
 *         filled in random pieces as maker and taker: no release below zero, nothing left at the
 * end, fees equal to the exact sum rounded up once.
 */
#include "domain/hold.h"
#include "domain/reserve.h"
#include "domain_test.h"

START_TEST(a_buy_reserves_notional_and_taker_fee_rounded_up)
{
    dec_t hold = 0;

    ck_assert(hold_initial(ORD_BUY, amount("60000"), amount("0.5"), amount("0.001"), &hold));
    assert_amount(hold, amount("30030"), "30000 + 0.1 %");
    ck_assert(hold_initial(ORD_BUY, 1 * DEC_ONE, 1, amount("0.001"), &hold));
    assert_amount(hold, 2, "one atom and a fee of a thousandth of it: rounded up to one");
    ck_assert(hold_initial(ORD_SELL, amount("60000"), amount("0.5"), amount("0.001"), &hold));
    assert_amount(hold, amount("0.5"), "a sell holds what it sells");
    ck_assert(hold_initial(ORD_SELL, 0, amount("0.5"), 0, &hold));
    ck_assert(hold_initial(ORD_BUY, 1, amount("3"), 0, &hold));
    assert_amount(hold, 3, "an atom is a price");
}
END_TEST

static const struct {
    enum ord_side side;
    dec_t price;
    dec_t qty;
    dec_t rate;
    const char *why;
} impossible_rows[] = {
    {ORD_BUY, DEC_ONE, 0, 0, "no quantity"},
    {ORD_BUY, 0, DEC_ONE, 0, "a buy without a price"},
    {ORD_BUY, DEC_ONE, DEC_ONE, -1, "negative taker rate"},
    {ORD_BUY, DEC_ONE, DEC_ONE, DEC_ONE + 1, "rate above one"},
    {ORD_BUY, 1, 1, 0, "notional below an atom is not exact"},
    {ORD_BUY, DEC_MAX, DEC_ONE * 2, 0, "notional out of range"},
    {ORD_BUY, DEC_MAX, DEC_ONE, 1, "notional fits, the fee does not"},
};

START_TEST(an_impossible_hold_is_refused)
{
    dec_t hold = -5;

    ck_assert_msg(!hold_initial(impossible_rows[_i].side, impossible_rows[_i].price,
                                impossible_rows[_i].qty, impossible_rows[_i].rate, &hold),
                  "%s", impossible_rows[_i].why);
}
END_TEST

START_TEST(a_better_price_gives_the_difference_back)
{
    struct hold_order order = {.side = ORD_BUY,
                               .price = amount("100"),
                               .maker_rate = amount("0.0005"),
                               .taker_rate = amount("0.001"),
                               .leaves = amount("2")};
    struct hold_fill fill = {0};

    ck_assert(hold_now(&order, &order.hold));
    assert_amount(order.hold, amount("200.2"), "reserved");
    ck_assert(hold_apply(&order, ORD_TAKER, amount("90"), amount("1"), &fill));
    assert_amount(fill.notional, amount("90"), "notional");
    assert_amount(fill.fee, amount("0.09"), "taker fee");
    assert_amount(fill.spent, amount("90.09"), "spent");
    assert_amount(fill.release, amount("10.01"), "price improvement with its fee");
    assert_amount(fill.proceeds, amount("1"), "what was bought");
    assert_amount(order.hold, amount("100.1"), "half is still open");
    ck_assert(hold_apply(&order, ORD_MAKER, amount("100"), amount("1"), &fill));
    assert_amount(fill.fee, amount("0.05"), "maker fee");
    assert_amount(fill.release, amount("0.05"), "taker fee was reserved");
    assert_amount(order.hold, 0, "nothing is held at the end");
    assert_amount(order.fee.paid, amount("0.14"), "fees of the order");
}
END_TEST

START_TEST(a_sell_pays_its_fee_from_the_proceeds)
{
    struct hold_order order = {.side = ORD_SELL,
                               .price = amount("100"),
                               .taker_rate = amount("0.001"),
                               .leaves = amount("2"),
                               .hold = amount("2")};
    struct hold_fill fill = {0};

    ck_assert(hold_apply(&order, ORD_TAKER, amount("110"), amount("0.5"), &fill));
    assert_amount(fill.spent, amount("0.5"), "base leaves the hold");
    assert_amount(fill.proceeds, amount("54.945"), "55 - 0.055");
    assert_amount(fill.release, 0, "nothing surplus");
    assert_amount(order.hold, amount("1.5"), "still held");
    assert_amount(hold_release(&order), amount("1.5"), "all of the rest");
    assert_amount(order.leaves, 0, "nothing is open");
    assert_amount(hold_release(&order), 0, "once");
}
END_TEST

START_TEST(an_atom_is_a_price_and_nothing_is_none)
{
    const struct hold_order open = {
        .side = ORD_SELL, .price = 1, .leaves = DEC_ONE, .hold = DEC_ONE};
    struct hold_order order = open;
    struct hold_amendment to = {.price = 0, .leaves = DEC_ONE};
    struct hold_fill fill = {0};

    ck_assert(!hold_apply(&order, ORD_MAKER, 0, DEC_ONE, &fill));
    ck_assert_int_eq(hold_amend(&order, &to, 0), HOLD_OVERFLOW);
    ck_assert_msg(!hold_reduce(&order, 1, DEC_ONE + 1), "more than is open");
    assert_amount(order.price, open.price, "as before");
    assert_amount(order.leaves, open.leaves, "as before");
    assert_amount(order.hold, open.hold, "as before");
    to.price = 1;
    ck_assert_int_eq(hold_amend(&order, &to, 0), HOLD_AMENDED);
    ck_assert(hold_apply(&order, ORD_MAKER, 1, DEC_ONE, &fill));
    assert_amount(fill.proceeds, 1, "sold for an atom");
}
END_TEST

START_TEST(a_fill_that_cannot_be_changes_nothing)
{
    struct hold_order order = {
        .side = ORD_BUY, .price = amount("100"), .leaves = amount("1"), .hold = amount("100")};
    const struct hold_order before = order;
    struct hold_fill fill = {0};

    ck_assert_msg(!hold_apply(&order, ORD_TAKER, amount("100.01"), amount("1"), &fill),
                  "beyond the limit");
    ck_assert_msg(!hold_apply(&order, ORD_TAKER, amount("100"), amount("1.01"), &fill),
                  "more than is open");
    ck_assert_msg(!hold_apply(&order, ORD_TAKER, amount("100"), 0, &fill), "nothing");
    ck_assert_msg(!hold_apply(&order, ORD_TAKER, 1, 1, &fill), "notional not exact");
    order.maker_rate = amount("-0.5");
    ck_assert_msg(!hold_apply(&order, ORD_MAKER, amount("101"), amount("1"), &fill),
                  "beyond the limit, though a rebate would pay for it");
    order.side = ORD_SELL;
    ck_assert_msg(!hold_apply(&order, ORD_TAKER, amount("100"), amount("1.01"), &fill),
                  "a sell of more than is open");
    order.side = ORD_BUY;
    order.hold = amount("99");
    ck_assert_msg(!hold_apply(&order, ORD_TAKER, amount("100"), amount("1"), &fill),
                  "less is held than the fill takes");
    order.hold = before.hold;
    assert_amount(order.leaves, before.leaves, "leaves");
    assert_amount(order.fee.paid, 0, "fee");
}
END_TEST

/* Exact fee numerator kept by the test: tiny numbers fit 128 bits. */
static dec_t ceil_div(dec_t value, dec_t by)
{
    return value >= 0 ? (value + by - 1) / by : -(-value / by);
}

START_TEST(no_release_is_ever_negative_and_nothing_stays)
{
    uint64_t seed = 7;

    for (int i = 0; i < 30000; i++) {
        /* atoms: price is whole units so that the notional is exact, quantity a few atoms */
        const dec_t price = (dec_t)(1 + random_below(&seed, 20)) * DEC_ONE;
        const dec_t taker = (dec_t)random_below(&seed, 1000) * (DEC_ONE / 1000);
        const dec_t below = (dec_t)random_below(&seed, 1500) * (DEC_ONE / 1000);
        struct hold_order order = {
            .side = (enum ord_side)random_below(&seed, 2),
            .price = price,
            .taker_rate = taker,
            .maker_rate = dec_max(taker - below, -DEC_ONE), /* negative: a rebate */
            .leaves = (dec_t)(1 + random_below(&seed, 30)),
        };
        const bool buy = order.side == ORD_BUY;
        dec_t numerator = 0;
        dec_t returned = 0;
        ck_assert(hold_initial(order.side, price, order.leaves, taker, &order.hold));
        const dec_t reserved = order.hold;
        while (order.leaves > 0) {
            const enum ord_liquidity liquidity = (enum ord_liquidity)random_below(&seed, 2);
            const dec_t at =
                buy ? (dec_t)(1 + random_below(&seed, (uint64_t)(price / DEC_ONE))) * DEC_ONE
                    : price + (dec_t)random_below(&seed, 5) * DEC_ONE;
            const dec_t qty = (dec_t)(1 + random_below(&seed, (uint64_t)order.leaves));
            const dec_t held = order.hold;
            struct hold_fill fill = {0};
            dec_t formula = 0;
            ck_assert_msg(hold_apply(&order, liquidity, at, qty, &fill), "order %d", i);
            numerator += (liquidity == ORD_MAKER ? order.maker_rate : taker) * fill.notional;
            assert_amount(order.fee.paid, ceil_div(numerator, DEC_ONE), "one rounding in all");
            assert_amount(held, order.hold + fill.spent + fill.release, "every atom has a place");
            ck_assert(hold_now(&order, &formula));
            assert_amount(order.hold, formula, "hold follows the formula");
            ck_assert(fill.release >= 0 && order.hold >= 0);
            returned += fill.spent + fill.release;
        }
        assert_amount(order.hold, 0, "nothing is held at the end");
        assert_amount(returned, reserved, "all of the hold was spent or released");
    }
}
END_TEST

/* --- amounts in quote ------------------------------------------------------------------------ */

START_TEST(an_amount_holds_itself_and_its_fee_or_the_base_it_takes)
{
    struct hold_order order = {.side = ORD_BUY,
                               .price = amount("110"),
                               .taker_rate = amount("0.001"),
                               .by_quote = true,
                               .amount = amount("1000")};
    struct hold_fill fill = {0};
    dec_t hold = 0;

    ck_assert(hold_by_quote(&order, amount("0.1"), &hold));
    assert_amount(hold, amount("1001"), "a buy: the amount and 0.1 %");
    order.hold = hold;
    ck_assert(hold_apply(&order, ORD_TAKER, amount("100"), amount("3"), &fill));
    assert_amount(fill.spent, amount("300.3"), "spent");
    assert_amount(fill.release, 0, "nothing is surplus: the amount is spent at any price");
    assert_amount(order.amount, amount("700"), "left");
    assert_amount(order.hold, amount("700.7"), "held");
    ck_assert_msg(!hold_apply(&order, ORD_TAKER, amount("100"), amount("7.1"), &fill),
                  "more than is left");
    ck_assert_msg(!hold_apply(&order, ORD_TAKER, amount("111"), amount("1"), &fill),
                  "beyond the collar");
    ck_assert(hold_reduce(&order, amount("100"), amount("2")));
    assert_amount(order.amount, amount("500"), "lowered by price x quantity");
    assert_amount(order.hold, amount("500.5"), "and so the hold");
    assert_amount(hold_release(&order), amount("500.5"), "the rest");
    assert_amount(order.amount, 0, "over");

    order = (struct hold_order){.side = ORD_SELL,
                                .price = amount("90"),
                                .taker_rate = amount("0.001"),
                                .by_quote = true,
                                .amount = amount("1000")};
    ck_assert(hold_by_quote(&order, amount("0.1"), &hold));
    assert_amount(hold, amount("11.2"), "a sell: 11.111... at the collar, rounded up to a lot");
    order.hold = hold;
    ck_assert(hold_apply(&order, ORD_TAKER, amount("100"), amount("4"), &fill));
    assert_amount(order.hold, amount("7.2"), "base leaves the hold");
    assert_amount(fill.proceeds, amount("399.6"), "400 less the fee");
    ck_assert(!hold_apply(&order, ORD_TAKER, amount("80"), amount("7.3"), &fill));
}
END_TEST

static const struct {
    enum ord_side side;
    dec_t amount;
    dec_t price;
    dec_t rate;
    dec_t lot;
    bool holds;
    const char *why;
} amount_rows[] = {
    {ORD_BUY, 5, 1, 0, 1, true, "of a buy a price and a lot of one atom do"},
    {ORD_SELL, 1, 1, 0, 1, true, "and of a sell"},
    {ORD_BUY, 0, 1, 0, 1, false, "no amount"},
    {ORD_BUY, DEC_MAX, 1, 0, 1, true, "the largest amount"},
    {ORD_BUY, DEC_MAX + 1, 1, 0, 1, false, "more than any amount"},
    {ORD_SELL, DEC_MAX + 1, DEC_ONE *DEC_ONE, 0, 1, false, "though the base for it would be one"},
    {ORD_BUY, 5, 0, 0, 1, false, "no collar"},
    {ORD_BUY, 5, -1, 0, 1, false, "negative collar"},
    {ORD_BUY, 5, 1, 0, 0, false, "no lot"},
    {ORD_SELL, 5, 1, 0, 0, false, "no lot"},
    {ORD_BUY, 5, 1, 0, -1, false, "negative lot"},
    {ORD_BUY, 5, 1, -1, 1, false, "negative rate"},
    {ORD_SELL, 5, 1, -1, 1, false, "negative rate"},
};

START_TEST(an_amount_that_is_none_is_not_held)
{
    const struct hold_order order = {.side = amount_rows[_i].side,
                                     .price = amount_rows[_i].price,
                                     .taker_rate = amount_rows[_i].rate,
                                     .by_quote = true,
                                     .amount = amount_rows[_i].amount};
    dec_t hold = 0;

    ck_assert_msg(hold_by_quote(&order, amount_rows[_i].lot, &hold) == amount_rows[_i].holds, "%s",
                  amount_rows[_i].why);
}
END_TEST

/* Is the base that is held for an amount always enough, whole lots at the collar or above? */
START_TEST(a_sell_by_amount_never_runs_out_of_base)
{
    uint64_t seed = 17;

    for (int i = 0; i < 10000; i++) {
        const dec_t lot = (dec_t)(1 + random_below(&seed, 4));
        const dec_t collar = (dec_t)(1 + random_below(&seed, 9)) * DEC_ONE;
        struct hold_order order = {.side = ORD_SELL,
                                   .price = collar,
                                   .by_quote = true,
                                   .amount = (dec_t)(1 + random_below(&seed, 100))};
        struct hold_fill fill = {0};

        ck_assert(hold_by_quote(&order, lot, &order.hold));
        for (;;) {
            const dec_t price = collar + (dec_t)random_below(&seed, 4) * DEC_ONE;
            dec_t qty = 0;

            ck_assert(dec_div(order.amount, price, DEC_FLOOR, &qty));
            ck_assert(dec_floor_to(qty, lot, &qty));
            if (qty == 0) {
                break;
            }
            qty = 1 + (dec_t)random_below(&seed, (uint64_t)qty); /* makers of any quantity */
            ck_assert_msg(hold_apply(&order, ORD_TAKER, price, qty, &fill), "case %d", i);
        }
        ck_assert(order.hold >= 0);
    }
}
END_TEST

/* --- amendments ------------------------------------------------------------------------------ */

START_TEST(an_amendment_that_is_not_covered_changes_nothing)
{
    struct hold_order order = {
        .side = ORD_BUY, .price = amount("100"), .leaves = amount("1"), .hold = amount("100")};
    struct hold_amendment to = {.price = amount("101"), .leaves = amount("1")};

    ck_assert_int_eq(hold_amend(&order, &to, amount("1") - 1), HOLD_SHORT);
    assert_amount(order.price, amount("100"), "an atom short");
    ck_assert_int_eq(hold_amend(&order, &to, amount("1")), HOLD_AMENDED);
    assert_amount(order.hold, amount("101"), "exactly");
    to.leaves = 0;
    ck_assert_int_eq(hold_amend(&order, &to, 0), HOLD_OVERFLOW);
    to = (struct hold_amendment){.price = 1, .leaves = 1};
    ck_assert_msg(hold_amend(&order, &to, 0) == HOLD_OVERFLOW, "notional below an atom");
    to = (struct hold_amendment){.price = DEC_MAX, .leaves = amount("2")};
    ck_assert_int_eq(hold_amend(&order, &to, 0), HOLD_OVERFLOW);
    assert_amount(order.leaves, amount("1"), "leaves");
}
END_TEST

static dec_t units(uint64_t *seed, uint64_t bound)
{
    return (dec_t)(1 + random_below(seed, bound)) * DEC_ONE;
}

/* A fill, or a part that self-trade prevention takes; a taker's may be better than the limit. */
static void lose_some(struct hold_order *order, uint64_t *seed)
{
    const dec_t qty = (dec_t)(1 + random_below(seed, (uint64_t)order->leaves));
    const bool taker = random_below(seed, 3) == 0;
    const dec_t better = units(seed, (uint64_t)(order->price / DEC_ONE));
    struct hold_fill fill = {0};

    if (random_below(seed, 8) == 0) {
        must(hold_reduce(order, order->price, qty), "prevented");
        return;
    }
    must(hold_apply(order, taker ? ORD_TAKER : ORD_MAKER,
                    taker && order->side == ORD_BUY ? better : order->price, qty, &fill),
         "filled");
    must(fill.release >= 0, "a release below zero");
}

START_TEST(what_is_reserved_for_an_amendment_always_suffices)
{
    uint64_t seed = (uint64_t)_i + 100;
    size_t exact = 0;

    for (int i = 0; i < 250000; i++) {
        const dec_t taker = (dec_t)random_below(&seed, 1000) * (DEC_ONE / 1000);
        struct hold_order order = {
            .side = random_below(&seed, 4) == 0 ? ORD_SELL : ORD_BUY,
            .price = units(&seed, 12),
            .taker_rate = taker,
            .maker_rate =
                dec_max(taker - (dec_t)random_below(&seed, 1500) * (DEC_ONE / 1000), -DEC_ONE),
            .leaves = (dec_t)(1 + random_below(&seed, 12)),
        };
        struct hold_amendment to = {.price = units(&seed, 12)};
        struct reserve_amend amend;
        dec_t reserve = 0;
        dec_t more = 0;

        must(hold_now(&order, &order.hold), "held");
        while (random_below(&seed, 3) == 0 && order.leaves > 0) {
            lose_some(&order, &seed); /* it may have traded before */
        }
        more = (dec_t)random_below(&seed, 20) - order.leaves;
        to.leaves = order.leaves + more;
        amend = (struct reserve_amend){.side = order.side,
                                       .price = order.price,
                                       .leaves = order.leaves,
                                       .new_price = to.price,
                                       .new_leaves = to.leaves,
                                       .taker_rate = order.taker_rate};
        must(reserve_amend(&amend, &reserve) && reserve >= 0, "reserved");
        while (random_below(&seed, 3) > 0 && order.leaves > 0) {
            lose_some(&order, &seed); /* on its way to the engine */
        }
        to.leaves = order.leaves + more;
        if (order.leaves == 0 || to.leaves <= 0) {
            continue; /* over, or the amendment cancels the rest */
        }
        const dec_t held = order.hold;
        must(hold_amend(&order, &to, reserve) == HOLD_AMENDED, "the reserve covers it");
        exact += reserve > 0 && order.hold == held + reserve;
        while (order.leaves > 0) {
            lose_some(&order, &seed);
        }
        must(order.hold == 0, "nothing is held at the end");
    }
    ck_assert_msg(exact > 10000, "the bound is reached: it is no larger than it must be");
}
END_TEST

START_TEST(the_numerator_survives_large_amounts_and_its_record)
{
    struct fee_sum fee = {0};
    dec_t charged = 0;
    dec_t total = 0;
    const dec_t huge = DEC_BUSINESS_LIMIT - 1;

    for (int i = 0; i < 1000; i++) {
        /* through the three longs of a record */
        const struct fee_sum stored = {
            .high = fee.high, .mid = fee.mid, .low = fee.low, .paid = fee.paid};
        fee = stored;
        ck_assert(fee_add(&fee, DEC_ONE / 3, huge, &charged));
        total += charged;
    }
    /* 1000 x (1/3 - a third of an atom) x (10^34 - 1) atoms, rounded up */
    dec_t should = 0;
    ck_assert(dec_mul_div(huge, (DEC_ONE / 3) * 1000, DEC_ONE, DEC_CEIL, &should));
    assert_amount(fee.paid, should, "as one product");
    assert_amount(total, fee.paid, "sum of what was charged");
    ck_assert_msg(fee.high != 0, "the test reaches the highest limb");
    ck_assert(fee_projected(&fee, -DEC_ONE / 3, huge, &total));
    ck_assert(fee_add(&fee, -(DEC_ONE / 3), huge, &charged));
    assert_amount(fee.paid, total, "projection and deed agree");
}
END_TEST

START_TEST(a_negative_product_with_an_empty_low_half_is_kept)
{
    struct fee_sum fee = {0};
    dec_t charged = 0;
    const dec_t rate = (dec_t)1 << 59;
    const dec_t notional = (dec_t)1 << 69; /* rate x notional = 2^128: all of it in the high limb */

    ck_assert(fee_add(&fee, -rate, notional, &charged));
    ck_assert_int_eq(fee.high, -1);
    ck_assert_msg(fee.mid == 0 && fee.low == 0, "low limbs");
    assert_amount(charged, -amount("340.282366920938463463"), "2^128 of 10^-36");
    ck_assert(fee_add(&fee, rate, notional, &charged));
    ck_assert_msg(fee.high == 0 && fee.paid == 0, "back to nothing");
}
END_TEST

START_TEST(a_rebate_is_rounded_against_the_user_too)
{
    struct fee_sum fee = {0};
    dec_t charged = 0;

    ck_assert(fee_add(&fee, -(DEC_ONE / 2), 3, &charged));
    assert_amount(charged, -1, "-1.5 rounds up to -1");
    ck_assert(fee_add(&fee, -(DEC_ONE / 2), 1, &charged));
    assert_amount(charged, -1, "-2 in all");
    ck_assert(fee_add(&fee, DEC_ONE, 2, &charged));
    assert_amount(fee.paid, 0, "through zero");
    ck_assert_msg(fee.high == 0 && fee.mid == 0 && fee.low == 0, "exactly zero");
    ck_assert(fee_add(&fee, 1 - DEC_ONE, 1, &charged));
    assert_amount(charged, 0, "a little less than one rounds up to none");
    ck_assert(fee_add(&fee, -1, 1, &charged));
    assert_amount(charged, -1, "with that little it is one");
    ck_assert(!fee_add(&fee, DEC_ONE + 1, 1, &charged));
    ck_assert(!fee_add(&fee, 1, -1, &charged));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hold");
    TCase *tcase = tcase_create("hold");

    tcase_add_test(tcase, a_buy_reserves_notional_and_taker_fee_rounded_up);
    tcase_add_loop_test(tcase, an_impossible_hold_is_refused, 0,
                        (int)(sizeof(impossible_rows) / sizeof(impossible_rows[0])));
    tcase_add_test(tcase, a_better_price_gives_the_difference_back);
    tcase_add_test(tcase, a_sell_pays_its_fee_from_the_proceeds);
    tcase_add_test(tcase, an_atom_is_a_price_and_nothing_is_none);
    tcase_add_loop_test(tcase, an_amount_that_is_none_is_not_held, 0,
                        (int)(sizeof(amount_rows) / sizeof(amount_rows[0])));
    tcase_add_test(tcase, a_fill_that_cannot_be_changes_nothing);
    tcase_add_test(tcase, no_release_is_ever_negative_and_nothing_stays);
    tcase_add_test(tcase, an_amount_holds_itself_and_its_fee_or_the_base_it_takes);
    tcase_add_test(tcase, a_sell_by_amount_never_runs_out_of_base);
    tcase_add_test(tcase, an_amendment_that_is_not_covered_changes_nothing);
    tcase_add_loop_test(tcase, what_is_reserved_for_an_amendment_always_suffices, 0, 4);
    tcase_add_test(tcase, the_numerator_survives_large_amounts_and_its_record);
    tcase_add_test(tcase, a_negative_product_with_an_empty_low_half_is_kept);
    tcase_add_test(tcase, a_rebate_is_rounded_against_the_user_too);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
