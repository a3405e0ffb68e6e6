/*
 * test_position.c
 *
 * Goal:   average cost without dust, profit on every partial close, days that stay closed.
 * Method: worked examples; random fills checked against the change of cash, which knows no
 * rounding.
 */
#include "domain/position.h"
#include "domain_test.h"

static dec_t trade(struct pos *pos, enum ord_side side, const char *qty, const char *notional,
                   int64_t ts_us)
{
    dec_t realised = 0;

    ck_assert(pos_apply(
        pos,
        &(struct pos_fill){
            .side = side, .qty = amount(qty), .notional = amount(notional), .ts_us = ts_us},
        &realised));
    return realised;
}

START_TEST(a_partial_close_realises_its_share)
{
    struct pos pos = {0};
    dec_t price = 0;

    ck_assert_msg(!pos_average(&pos, &price), "flat has no average");
    assert_amount(trade(&pos, ORD_BUY, "2", "200", 0), 0, "opening realises nothing");
    assert_amount(trade(&pos, ORD_BUY, "2", "240", 0), 0, "nor does adding");
    ck_assert(pos_average(&pos, &price));
    assert_amount(price, amount("110"), "average cost");
    assert_amount(trade(&pos, ORD_SELL, "1", "150", 0), amount("40"), "150 - 110");
    assert_amount(pos.cost_basis, amount("330"), "the rest keeps its cost");
    assert_amount(trade(&pos, ORD_SELL, "3", "300", 0), amount("-30"), "300 - 330");
    assert_amount(pos.cost_basis, 0, "flat costs nothing");
    assert_amount(pos.realised_total, amount("10"), "in all");
}
END_TEST

START_TEST(a_short_earns_when_it_falls)
{
    struct pos pos = {0};

    trade(&pos, ORD_SELL, "2", "200", 0);
    assert_amount(pos.cost_basis, amount("-200"), "received");
    assert_amount(trade(&pos, ORD_BUY, "1", "80", 0), amount("20"), "100 - 80");
    dec_t profit = 0;
    ck_assert(pos_unrealised(&pos, amount("90"), &profit));
    assert_amount(profit, amount("10"), "short one at 100, mark 90");
}
END_TEST

START_TEST(a_fill_through_zero_closes_then_opens)
{
    struct pos pos = {0};
    dec_t price = 0;

    trade(&pos, ORD_BUY, "1", "100", 0);
    assert_amount(trade(&pos, ORD_SELL, "3", "360", 0), amount("20"), "one closed at 120");
    assert_amount(pos.qty, amount("-2"), "two sold short");
    assert_amount(pos.cost_basis, amount("-240"), "at 120");
    ck_assert(pos_average(&pos, &price));
    assert_amount(price, amount("120"), "average of a short");
}
END_TEST

START_TEST(every_fee_is_realised_at_once)
{
    struct pos pos = {0};
    dec_t realised = 0;
    const struct pos_fill fill = {
        .side = ORD_BUY, .qty = DEC_ONE, .notional = DEC_ONE, .fee = amount("0.1")};

    ck_assert(pos_apply(&pos, &fill, &realised));
    assert_amount(realised, amount("-0.1"), "opening pays its fee");
    assert_amount(pos.fees_total, amount("0.1"), "counted");
}
END_TEST

static const struct {
    int64_t ts_us;
    int32_t day;
    const char *why;
} day_rows[] = {
    {0, 0, "the epoch"},
    {POS_DAY_US - 1, 0, "last microsecond of the day"},
    {POS_DAY_US, 1, "midnight"},
    {-1, -1, "before the epoch"},
    {-POS_DAY_US, -1, "midnight before"},
    {-POS_DAY_US - 1, -2, "and one before that"},
};

START_TEST(a_day_is_utc_and_floored)
{
    ck_assert_msg(pos_day(day_rows[_i].ts_us) == day_rows[_i].day, "%s", day_rows[_i].why);
}
END_TEST

START_TEST(a_new_day_starts_at_nothing_and_an_old_one_stays_closed)
{
    struct pos pos = {0};

    trade(&pos, ORD_BUY, "4", "400", 5 * POS_DAY_US);
    trade(&pos, ORD_SELL, "1", "110", 5 * POS_DAY_US + 1);
    assert_amount(pos.realised_day, amount("10"), "today");
    trade(&pos, ORD_SELL, "1", "120", 6 * POS_DAY_US);
    assert_amount(pos.realised_day, amount("20"), "only the new day");
    trade(&pos, ORD_SELL, "1", "130", 5 * POS_DAY_US + 2);
    assert_amount(pos.realised_day, amount("20"), "a late fill does not reopen its day");
    ck_assert_int_eq(pos.day, 6);
    assert_amount(pos.realised_total, amount("60"), "but counts in the total");
    pos_roll(&pos, 7 * POS_DAY_US);
    assert_amount(pos.realised_day, 0, "rolled");
    pos_roll(&pos, 6 * POS_DAY_US);
    ck_assert_int_eq(pos.day, 7);
}
END_TEST

START_TEST(an_impossible_fill_changes_nothing)
{
    struct pos pos = {.qty = DEC_MAX, .cost_basis = 5};
    dec_t realised = 3;
    struct pos_fill fill = {.side = ORD_BUY, .qty = 1, .notional = 1};

    ck_assert(!pos_apply(&pos, &fill, &realised));
    fill.side = ORD_SELL;
    fill.qty = 0;
    ck_assert(!pos_apply(&pos, &fill, &realised));
    fill.qty = 1;
    fill.notional = -1;
    ck_assert(!pos_apply(&pos, &fill, &realised));
    ck_assert_msg(pos.qty == DEC_MAX && pos.cost_basis == 5 && realised == 3, "untouched");
}
END_TEST

START_TEST(profit_is_exactly_the_change_of_cash)
{
    uint64_t seed = 11;

    for (int run = 0; run < 2000; run++) {
        struct pos pos = {0};
        dec_t cash = 0;
        for (int i = 0; i < 40; i++) {
            /* atoms: every truncation of a share shows */
            const struct pos_fill fill = {.side = (enum ord_side)random_below(&seed, 2),
                                          .qty = (dec_t)(1 + random_below(&seed, 9)),
                                          .notional = (dec_t)random_below(&seed, 100),
                                          .fee = (dec_t)random_below(&seed, 3) - 1};
            dec_t realised = 0;
            ck_assert(pos_apply(&pos, &fill, &realised));
            cash -= fill.fee + (fill.side == ORD_BUY ? fill.notional : -fill.notional);
            /* equity at any mark: cash + qty x mark = realised + qty x mark - cost */
            assert_amount(pos.realised_total - pos.cost_basis, cash, "exact");
            ck_assert_msg(pos.qty != 0 || pos.cost_basis == 0, "no dust");
            ck_assert_msg((pos.qty >= 0 && pos.cost_basis >= 0) ||
                              (pos.qty <= 0 && pos.cost_basis <= 0),
                          "cost has the sign of the position");
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("position");
    TCase *tcase = tcase_create("position");

    tcase_add_test(tcase, a_partial_close_realises_its_share);
    tcase_add_test(tcase, a_short_earns_when_it_falls);
    tcase_add_test(tcase, a_fill_through_zero_closes_then_opens);
    tcase_add_test(tcase, every_fee_is_realised_at_once);
    tcase_add_loop_test(tcase, a_day_is_utc_and_floored, 0,
                        (int)(sizeof(day_rows) / sizeof(day_rows[0])));
    tcase_add_test(tcase, a_new_day_starts_at_nothing_and_an_old_one_stays_closed);
    tcase_add_test(tcase, an_impossible_fill_changes_nothing);
    tcase_add_test(tcase, profit_is_exactly_the_change_of_cash);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
