/*
 * test_lots.c
 *
 * Goal:   first in, first out: the oldest cost leaves first, nothing is lost at the bound, and the
 *         lots are the position at all times.
 * Method: worked examples; random fills against a list of single units, each with its own cost,
 *         which needs no shares; the change of cash, which knows no rounding.
 */
#include "domain/position.h"
#include "domain_test.h"

#define ROOM 8
#define UNITS_MAX 4096

static struct pos_lot items[ROOM];
static struct pos_lots lots;
static struct pos pos;

static void set_up(void)
{
    lots = (struct pos_lots){.items = items, .room = ROOM};
    pos = (struct pos){0};
}

static dec_t trade(enum ord_side side, const char *qty, const char *notional)
{
    dec_t realised = 0;

    ck_assert(pos_apply_fifo(
        &pos, &lots,
        &(struct pos_fill){.side = side, .qty = amount(qty), .notional = amount(notional)},
        &realised));
    return realised;
}

static void expect_lot(size_t index, const char *qty, const char *cost)
{
    ck_assert_uint_lt(index, lots.count);
    assert_amount(lots.items[index].qty, amount(qty), "quantity of a lot");
    assert_amount(lots.items[index].cost, amount(cost), "cost of a lot");
}

START_TEST(the_oldest_lot_goes_first)
{
    trade(ORD_BUY, "1", "100");
    trade(ORD_BUY, "2", "240");
    assert_amount(trade(ORD_SELL, "2", "260"), amount("40"), "260 - 100 - 120");
    ck_assert_uint_eq(lots.count, 1);
    expect_lot(0, "1", "120");
    assert_amount(pos.cost_basis, amount("120"), "basis");
    assert_amount(trade(ORD_SELL, "1", "100"), amount("-20"), "100 - 120");
    ck_assert_uint_eq(lots.count, 0);
    assert_amount(pos.cost_basis, 0, "flat");
}
END_TEST

START_TEST(a_short_has_lots_too_and_a_flip_opens_the_rest)
{
    trade(ORD_SELL, "1", "100");
    trade(ORD_SELL, "1", "120");
    assert_amount(trade(ORD_BUY, "1", "90"), amount("10"), "100 - 90");
    expect_lot(0, "-1", "-120");
    assert_amount(trade(ORD_BUY, "3", "330"), amount("10"), "120 - 110");
    ck_assert_uint_eq(lots.count, 1);
    expect_lot(0, "2", "220");
    assert_amount(pos.qty, amount("2"), "long now");
}
END_TEST

START_TEST(a_lot_closed_in_parts_leaves_no_dust)
{
    trade(ORD_BUY, "0.000000000000000003", "0.000000000000000010");
    assert_amount(trade(ORD_SELL, "0.000000000000000001", "0"), amount("-0.000000000000000003"),
                  "10 / 3, truncated");
    expect_lot(0, "0.000000000000000002", "0.000000000000000007");
    trade(ORD_SELL, "0.000000000000000001", "0");
    assert_amount(trade(ORD_SELL, "0.000000000000000001", "0"), amount("-0.000000000000000004"),
                  "all that is left");
    assert_amount(pos.realised_total, amount("-0.00000000000000001"), "what it cost");
}
END_TEST

START_TEST(one_price_is_one_lot)
{
    for (int i = 0; i < 100; i++) {
        trade(ORD_BUY, "0.5", "50");
    }
    ck_assert_uint_eq(lots.count, 1);
    expect_lot(0, "50", "5000");
    trade(ORD_BUY, "0.5", "50.5");
    ck_assert_uint_eq(lots.count, 2);
}
END_TEST

START_TEST(at_the_bound_the_newest_lot_takes_what_comes)
{
    char notional[16];

    for (int i = 1; i <= ROOM + 2; i++) {
        (void)snprintf(notional, sizeof(notional), "%d", i);
        trade(ORD_BUY, "1", notional);
    }
    ck_assert_uint_eq(lots.count, ROOM);
    expect_lot(0, "1", "1");
    expect_lot(ROOM - 2, "1", "7");
    expect_lot(ROOM - 1, "3", "27"); /* 8 + 9 + 10 */
    assert_amount(pos.cost_basis, amount("55"), "nothing is lost");
}
END_TEST

START_TEST(a_position_without_lots_is_one)
{
    dec_t realised = 0;

    ck_assert(pos_apply(
        &pos, &(struct pos_fill){.side = ORD_BUY, .qty = amount("4"), .notional = amount("40")},
        &realised));
    assert_amount(trade(ORD_SELL, "1", "15"), amount("5"), "15 - 10");
    expect_lot(0, "3", "30");
}
END_TEST

START_TEST(what_overflows_changes_nothing)
{
    dec_t realised = 0;

    trade(ORD_BUY, "1", "100");
    ck_assert(!pos_apply_fifo(&pos, &lots,
                              &(struct pos_fill){.side = ORD_BUY, .qty = DEC_MAX, .notional = 1},
                              &realised));
    ck_assert(!pos_apply_fifo(
        &pos, &lots, &(struct pos_fill){.side = ORD_SELL, .qty = 0, .notional = 1}, &realised));
    ck_assert_uint_eq(lots.count, 1);
    expect_lot(0, "1", "100");
    assert_amount(pos.qty, amount("1"), "as before");
}
END_TEST

/* A queue of single atoms: the naive model. */
struct units {
    dec_t cost[UNITS_MAX];
    size_t first, count;
    int sign;
};

START_TEST(lots_agree_with_single_units)
{
    static struct units u;
    uint64_t seed = (uint64_t)_i + 1;
    dec_t cash = 0;
    dec_t fees = 0;

    u.first = u.count = 0;
    lots.room = ROOM;
    for (int step = 0; step < 400; step++) {
        const bool buy = random_below(&seed, 2) == 0;
        const int sign = buy ? 1 : -1;
        const dec_t price = 1 + (dec_t)random_below(&seed, 4);
        const dec_t qty = 1 + (dec_t)random_below(&seed, 6);
        const dec_t fee = (dec_t)random_below(&seed, 4) - 1;
        dec_t profit = -fee;
        dec_t realised = 0;
        dec_t sum_qty = 0;
        dec_t sum_cost = 0;

        ck_assert(pos_apply_fifo(
            &pos, &lots,
            &(struct pos_fill){
                .side = buy ? ORD_BUY : ORD_SELL, .qty = qty, .notional = price * qty, .fee = fee},
            &realised));
        for (dec_t i = 0; i < qty; i++) {
            if (u.count > 0 && u.sign != sign) {
                profit += buy ? u.cost[u.first] - price : price - u.cost[u.first];
                u.first = (u.first + 1) % UNITS_MAX;
                u.count--;
            } else {
                u.sign = sign;
                u.cost[(u.first + u.count) % UNITS_MAX] = price;
                u.count++;
                ck_assert_uint_lt(u.count, UNITS_MAX);
            }
        }
        for (size_t i = 0; i < lots.count; i++) {
            sum_qty += lots.items[i].qty;
            sum_cost += lots.items[i].cost;
        }
        ck_assert_msg(sum_qty == pos.qty && sum_cost == pos.cost_basis, "seed %d step %d", _i + 1,
                      step);
        ck_assert(pos.qty == (dec_t)u.count * u.sign);
        ck_assert_msg(lots.count == ROOM || realised == profit, "seed %d step %d", _i + 1, step);
        cash += (buy ? -price : price) * qty;
        fees += fee;
        ck_assert(pos.realised_total - pos.cost_basis == cash - fees);
        /* Beyond the bound the units are no model any more: start anew. */
        if (lots.count == ROOM) {
            set_up();
            u.count = 0;
            cash = fees = 0;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lots");
    TCase *tcase = tcase_create("lots");

    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, the_oldest_lot_goes_first);
    tcase_add_test(tcase, a_short_has_lots_too_and_a_flip_opens_the_rest);
    tcase_add_test(tcase, a_lot_closed_in_parts_leaves_no_dust);
    tcase_add_test(tcase, one_price_is_one_lot);
    tcase_add_test(tcase, at_the_bound_the_newest_lot_takes_what_comes);
    tcase_add_test(tcase, a_position_without_lots_is_one);
    tcase_add_test(tcase, what_overflows_changes_nothing);
    tcase_add_loop_test(tcase, lots_agree_with_single_units, 0, 50);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
