/*
 * test_candle.c
 *
 * Goal:   a candle is the same whatever the order of its trades, and a correction is visible.
 * Method: boundary tables of windows; one set of trades folded in many orders and partitions.
 */
#include "domain/candle.h"
#include "domain_test.h"

#define MINUTE INT64_C(60000000)

static const struct {
    int64_t ts_us;
    int64_t interval_us;
    int64_t start_us;
    const char *why;
} window_rows[] = {
    {0, MINUTE, 0, "the epoch"},
    {MINUTE - 1, MINUTE, 0, "last microsecond"},
    {MINUTE, MINUTE, MINUTE, "first of the next"},
    {-1, MINUTE, -MINUTE, "before the epoch"},
    {-MINUTE, MINUTE, -MINUTE, "its first"},
    {1723075200000000, 86400 * INT64_C(1000000), 1723075200000000, "midnight UTC"},
    {INT64_MIN, MINUTE, INT64_MIN, "no window starts before time"},
};

START_TEST(a_time_falls_into_one_window)
{
    ck_assert_msg(candle_window(window_rows[_i].ts_us, window_rows[_i].interval_us) ==
                      window_rows[_i].start_us,
                  "%s", window_rows[_i].why);
}
END_TEST

START_TEST(windows_of_every_length_meet_without_gap)
{
    static const int64_t lengths_us[] = {
        INT64_C(1000000),    INT64_C(60000000),    INT64_C(300000000),  INT64_C(900000000),
        INT64_C(3600000000), INT64_C(14400000000), INT64_C(86400000000)};
    const int64_t length_us = lengths_us[_i];

    /* Around the epoch, a day before it, and the recorded day: UTC days, whatever the host's. */
    for (int64_t day = -2; day <= 19943; day += day < 1 ? 1 : 19942) {
        const int64_t start_us = day * INT64_C(86400000000);

        ck_assert_int_eq(candle_window(start_us, length_us), start_us);
        ck_assert_int_eq(candle_window(start_us + length_us - 1, length_us), start_us);
        ck_assert_int_eq(candle_window(start_us + length_us, length_us), start_us + length_us);
        ck_assert_int_eq(candle_window(start_us - 1, length_us), start_us - length_us);
    }
}
END_TEST

static struct candle_trade trade(int64_t id, const char *price, const char *qty, int64_t ts_us)
{
    struct candle_trade t = {.trade_id = id,
                             .ts_us = ts_us,
                             .price = amount(price),
                             .qty = amount(qty),
                             .taker_side = id % 2 == 0 ? ORD_BUY : ORD_SELL};

    ck_assert(dec_mul_exact(t.price, t.qty, &t.quote_qty));
    return t;
}

static void assert_same(const struct candle *a, const struct candle *b)
{
    assert_amount(a->open, b->open, "open");
    assert_amount(a->high, b->high, "high");
    assert_amount(a->low, b->low, "low");
    assert_amount(a->close, b->close, "close");
    assert_amount(a->base_volume, b->base_volume, "base");
    assert_amount(a->quote_volume, b->quote_volume, "quote");
    assert_amount(a->taker_buy_base, b->taker_buy_base, "taker buy base");
    assert_amount(a->taker_buy_quote, b->taker_buy_quote, "taker buy quote");
    ck_assert_int_eq(a->trades, b->trades);
    ck_assert_int_eq(a->first_trade_id, b->first_trade_id);
    ck_assert_int_eq(a->last_trade_id, b->last_trade_id);
    ck_assert_int_eq(a->ts_us, b->ts_us);
}

START_TEST(trades_make_a_candle)
{
    struct candle candle;
    dec_t vwap = 0;
    const struct candle_trade trades[] = {trade(11, "10", "1", 5), trade(12, "14", "2", 6),
                                          trade(13, "8", "1", 7), trade(14, "9", "1", 8)};

    candle_init(&candle, 0);
    ck_assert_msg(!candle_vwap(&candle, &vwap), "nothing traded, no average");
    for (size_t i = 0; i < 4; i++) {
        ck_assert(candle_add(&candle, &trades[i]));
    }
    assert_amount(candle.open, amount("10"), "open");
    assert_amount(candle.high, amount("14"), "high");
    assert_amount(candle.low, amount("8"), "low");
    assert_amount(candle.close, amount("9"), "close");
    assert_amount(candle.base_volume, amount("5"), "base");
    assert_amount(candle.quote_volume, amount("55"), "quote");
    assert_amount(candle.taker_buy_base, amount("3"), "ids 12 and 14");
    assert_amount(candle.taker_buy_quote, amount("37"), "28 + 9");
    ck_assert(candle_vwap(&candle, &vwap));
    assert_amount(vwap, amount("11"), "55 / 5");
    ck_assert_int_eq(candle.ts_us, 8);
    candle.base_volume = 1;
    candle.quote_volume = 3;
    ck_assert(candle_vwap(&candle, &vwap));
    assert_amount(vwap, amount("3"), "of an atom");
}
END_TEST

START_TEST(the_order_of_adding_and_joining_does_not_matter)
{
    struct candle_trade trades[30];
    struct candle ordered;
    uint64_t seed = 2;

    candle_init(&ordered, 0);
    for (int i = 0; i < 30; i++) {
        char price[16];
        snprintf(price, sizeof(price), "%d", 1 + (int)random_below(&seed, 50));
        trades[i] = trade(i + 1, price, "0.5", (int64_t)random_below(&seed, 1000));
        ck_assert(candle_add(&ordered, &trades[i]));
    }
    for (int run = 0; run < 500; run++) {
        struct candle parts[3];
        for (size_t i = 0; i < 3; i++) {
            candle_init(&parts[i], 0);
        }
        for (size_t i = 30; i > 1; i--) {
            const size_t k = (size_t)random_below(&seed, i);
            const struct candle_trade swap = trades[i - 1];
            trades[i - 1] = trades[k];
            trades[k] = swap;
        }
        for (size_t i = 0; i < 30; i++) {
            ck_assert(candle_add(&parts[random_below(&seed, 3)], &trades[i]));
        }
        ck_assert(candle_merge(&parts[2], &parts[1]));
        ck_assert(candle_merge(&parts[0], &parts[2]));
        assert_same(&parts[0], &ordered);
    }
}
END_TEST

START_TEST(buckets_without_ids_join_by_time)
{
    struct candle day;
    const struct candle late = {.open_us = MINUTE,
                                .ts_us = MINUTE,
                                .open = 5,
                                .high = 6,
                                .low = 4,
                                .close = 6,
                                .base_volume = 1,
                                .trades = 1};
    const struct candle early = {
        .open_us = 0, .open = 2, .high = 3, .low = 1, .close = 3, .base_volume = 1, .trades = 1};
    const struct candle middle = {.open_us = MINUTE / 2,
                                  .ts_us = MINUTE / 2,
                                  .open = 9,
                                  .high = 9,
                                  .low = 9,
                                  .close = 9,
                                  .base_volume = 1,
                                  .trades = 1};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const struct candle *const parts[] = {&early, &middle, &late};

    for (size_t i = 0; i < 6; i++) {
        candle_init(&day, parts[orders[i][0]]->open_us);
        for (size_t k = 0; k < 3; k++) {
            ck_assert(candle_merge(&day, parts[orders[i][k]]));
        }
        ck_assert_msg(day.open == 2 && day.close == 6, "order %zu: open and close by time", i);
        ck_assert_msg(day.high == 9 && day.low == 1 && day.trades == 3, "extremes");
        ck_assert_int_eq(day.open_us, 0);
    }
}
END_TEST

START_TEST(a_correction_of_a_closed_candle_is_counted)
{
    struct candle candle;
    const struct candle_trade first = trade(5, "10", "1", 5);
    const struct candle_trade late = trade(9, "12", "1", 6);

    candle_init(&candle, 0);
    ck_assert(candle_add(&candle, &first));
    ck_assert(candle_close(&candle));
    ck_assert_msg(!candle_close(&candle), "closed once");
    ck_assert_int_eq(candle.revision, 0);
    ck_assert(candle_add(&candle, &late));
    ck_assert_int_eq(candle.revision, 1);
    ck_assert(candle.closed);
    assert_amount(candle.close, amount("12"), "corrected");
}
END_TEST

START_TEST(a_window_is_due_after_its_grace)
{
    struct candle candle;

    candle_init(&candle, MINUTE);
    ck_assert(!candle_due(&candle, MINUTE, 2000000, 2 * MINUTE + 1999999));
    ck_assert(candle_due(&candle, MINUTE, 2000000, 2 * MINUTE + 2000000));
    candle_init(&candle, INT64_MAX - 5);
    ck_assert_msg(!candle_due(&candle, MINUTE, 0, INT64_MAX), "the end of time is never reached");
}
END_TEST

START_TEST(an_overflow_leaves_the_candle_as_it_was)
{
    struct candle candle;
    struct candle_trade t = trade(1, "10", "1", 5);

    candle_init(&candle, 0);
    t.qty = DEC_MAX;
    ck_assert(candle_add(&candle, &t));
    t.trade_id = 2;
    t.price = amount("99");
    ck_assert(!candle_add(&candle, &t));
    assert_amount(candle.high, amount("10"), "high");
    ck_assert_int_eq(candle.trades, 1);
}
END_TEST

START_TEST(the_change_is_in_percent_of_the_first)
{
    dec_t percent = 0;

    ck_assert(candle_change_percent(amount("80"), amount("100"), &percent));
    assert_amount(percent, amount("25"), "up");
    ck_assert(candle_change_percent(amount("100"), amount("80"), &percent));
    assert_amount(percent, amount("-20"), "down");
    ck_assert(!candle_change_percent(0, amount("80"), &percent));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("candle");
    TCase *tcase = tcase_create("candle");

    tcase_add_loop_test(tcase, a_time_falls_into_one_window, 0,
                        (int)(sizeof(window_rows) / sizeof(window_rows[0])));
    tcase_add_loop_test(tcase, windows_of_every_length_meet_without_gap, 0, 7);
    tcase_add_test(tcase, trades_make_a_candle);
    tcase_add_test(tcase, the_order_of_adding_and_joining_does_not_matter);
    tcase_add_test(tcase, buckets_without_ids_join_by_time);
    tcase_add_test(tcase, a_correction_of_a_closed_candle_is_counted);
    tcase_add_test(tcase, a_window_is_due_after_its_grace);
    tcase_add_test(tcase, an_overflow_leaves_the_candle_as_it_was);
    tcase_add_test(tcase, the_change_is_in_percent_of_the_first);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
