/*
 * Goal: every interval turns at its own instant; best bid and ask follow the book, once, in its
 * order, through restarts; five minutes are five minutes. Method: the stage alone; instants around
 * each window's ends, snapshots by hand.
 */
#include "avro/book_snapshot.h"
#include "price-aggregate/price_aggregate.h"
#include "price_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct mr_driver *driver;

static void setup(void)
{
    static const struct mr_driver_setting settings[] = {{"intervals", "1s,1m,5m,15m,1h,4h,1d"}};

    driver = mr_driver_create(&price_aggregate_stage, settings, MR_COUNT(settings));
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

static void push(int64_t id, int64_t ts_us, const char *price, const char *qty)
{
    const struct oms_trade trade = trade_of(id, ts_us, price, qty);

    ck_assert_int_eq(push_trade(driver, &trade), MR_OK);
}

static const struct oms_ticker *ticker(void)
{
    return mr_driver_emit_last(driver, "tickers");
}

/* --- intervals ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t us;
} lengths[] = {
    {"1s", MR_SECOND_US},       {"1m", MR_MINUTE_US}, {"5m", 5 * MR_MINUTE_US},
    {"15m", 15 * MR_MINUTE_US}, {"1h", MR_HOUR_US},   {"4h", 4 * MR_HOUR_US},
    {"1d", MR_DAY_US},
};

/* Starts of windows of every length: the epoch's, a leap day's, and that of the recorded day. */
static const int64_t midnights[] = {0, INT64_C(951782400000000), INT64_C(1723075200000000),
                                    INT64_C(4102444800000000)};

START_TEST(a_window_holds_its_first_and_last_microsecond_and_not_the_next)
{
    const char *name = lengths[_i].name;
    const int64_t us = lengths[_i].us;

    for (size_t m = 0; m < MR_COUNT(midnights); m++) {
        const int64_t start = midnights[m];
        size_t seen = 0;

        teardown();
        setup();
        push(1, start, "10", "1");
        push(2, start + us - 1, "11", "1");
        push(3, start + us, "12", "1");
        for (size_t i = 0; i < mr_driver_emit_count(driver, "candles"); i++) {
            const struct oms_candle *candle = mr_driver_emit(driver, "candles", i);

            if (!mr_slice_equal(candle->interval, mr_slice_str(name))) {
                continue;
            }
            if (candle->last_trade_id == 2) {
                ck_assert_int_eq(candle->open_ts_us, start);
                ck_assert_int_eq(candle->close_ts_us, start + us - 1);
                ck_assert_int_eq(candle->trades, 2);
                seen++;
            }
            if (candle->last_trade_id == 3) {
                ck_assert_int_eq(candle->open_ts_us, start + us);
                ck_assert_int_eq(candle->trades, 1);
                seen += 10;
            }
        }
        ck_assert_msg(seen % 10 > 0 && seen >= 10, "%s from %lld", name, (long long)start);
    }
}
END_TEST

START_TEST(before_1970_is_no_time_of_a_trade)
{
    const struct oms_trade trade = trade_of(1, -1, "10", "1");

    ck_assert_int_eq(push_trade(driver, &trade), MR_OUT_OF_RANGE);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "candles"), 0);
}
END_TEST

START_TEST(short_windows_add_up_to_long_ones)
{
    dec_t minutes = 0;
    dec_t fives = 0;
    int64_t last_minute = -1;
    int64_t last_five = -1;

    for (int64_t i = 0; i < 600; i++) {
        push(i + 1, NOON_US + i * 7 * MR_SECOND_US, "10", i % 3 == 0 ? "2" : "1");
    }
    /* The last version of each window: behind it comes a later one. */
    for (size_t i = mr_driver_emit_count(driver, "candles"); i > 0; i--) {
        const struct oms_candle *candle = mr_driver_emit(driver, "candles", i - 1);

        if (mr_slice_equal(candle->interval, mr_slice_str("1m")) &&
            (last_minute < 0 || candle->open_ts_us < last_minute)) {
            last_minute = candle->open_ts_us;
            minutes += candle->base_volume;
        }
        if (mr_slice_equal(candle->interval, mr_slice_str("5m")) &&
            (last_five < 0 || candle->open_ts_us < last_five)) {
            last_five = candle->open_ts_us;
            fives += candle->base_volume;
        }
    }
    ck_assert(minutes == fives && minutes == dec("800"));
}
END_TEST

/* --- the book ----------------------------------------------------------------------------- */

static void book(int64_t seq, int64_t ts_us, const char *bid, const char *ask)
{
    const struct oms_book_level levels[2] = {
        {.price = bid != NULL ? dec(bid) : 0, .qty = dec("1"), .orders = 1},
        {.price = ask != NULL ? dec(ask) : 0, .qty = dec("1"), .orders = 1}};
    const struct oms_book_snapshot snapshot = {
        .symbol = mr_slice_str("BTCUSDT"),
        .ts_us = ts_us,
        .last_seq = seq,
        .depth = 20,
        .bids = {.items = &levels[0], .count = bid != NULL},
        .asks = {.items = &levels[1], .count = ask != NULL},
    };

    ck_assert_int_eq(mr_driver_push(driver, "book", snapshot.symbol, &snapshot), MR_OK);
}

static void expect_best(const char *bid, const char *ask)
{
    const struct oms_ticker *shown = ticker();

    ck_assert_ptr_nonnull(shown);
    ck_assert(shown->has_best_bid == (bid != NULL) && shown->has_best_ask == (ask != NULL));
    ck_assert(bid == NULL || shown->best_bid == dec(bid));
    ck_assert(ask == NULL || shown->best_ask == dec(ask));
}

START_TEST(the_ticker_shows_the_best_of_the_book)
{
    push(1, NOON_US, "100", "1");
    expect_best(NULL, NULL);
    book(1, NOON_US + 1, "99", "101");
    expect_best("99", "101");
    ck_assert(ticker()->last == dec("100") && ticker()->trades == 1);
    book(2, NOON_US + 2, NULL, "101");
    expect_best(NULL, "101");
    push(2, NOON_US + 3, "100", "1");
    expect_best(NULL, "101");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "tickers"), 4);
}
END_TEST

START_TEST(only_another_best_makes_a_ticker)
{
    push(1, NOON_US, "100", "1");
    book(1, NOON_US, "99", "101");
    book(2, NOON_US, "99", "101");
    book(2, NOON_US, "98", "102"); /* twice the same number: a copy */
    book(5, NOON_US, "98", "101");
    book(1, NOON_US, "99", "101"); /* older */
    ck_assert_uint_eq(mr_driver_emit_count(driver, "tickers"), 4);
    expect_best("98", "101");
}
END_TEST

START_TEST(a_book_before_the_first_trade_waits_for_it)
{
    book(1, NOON_US, "99", "101");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "tickers"), 0);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    mr_driver_restart(driver);
    push(1, NOON_US + 5, "100", "1");
    expect_best("99", "101");
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    mr_driver_restart(driver);
    book(2, NOON_US + 6, "99", "100.5");
    expect_best("99", "100.5");
    mr_driver_abort(driver);
    push(2, NOON_US + 7, "100", "1");
    expect_best("99", "101");
}
END_TEST

START_TEST(what_cannot_be_a_book_is_ignored)
{
    const struct oms_book_level bad = {.price = 0, .qty = dec("1"), .orders = 1};
    struct oms_book_snapshot snapshot = {.symbol = mr_slice_str("BTCUSDT"),
                                         .ts_us = NOON_US,
                                         .last_seq = 9,
                                         .bids = {.items = &bad, .count = 1}};
    const uint64_t before = mr_driver_state_digest(driver);

    ck_assert_int_eq(mr_driver_push(driver, "book", snapshot.symbol, &snapshot), MR_OK);
    snapshot.bids.count = 0;
    ck_assert_int_eq(mr_driver_push(driver, "book", mr_slice_str("OTHER"), &snapshot), MR_OK);
    snapshot.ts_us = -1;
    ck_assert_int_eq(mr_driver_push(driver, "book", snapshot.symbol, &snapshot), MR_OK);
    ck_assert_uint_eq(mr_driver_counter(driver, "books_ignored_total"), 3);
    ck_assert_uint_eq(mr_driver_state_digest(driver), before);
}
END_TEST

START_TEST(a_book_moves_time_on_as_a_trade_does)
{
    push(1, NOON_US, "100", "1");
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    mr_driver_emits_clear(driver);
    book(1, NOON_US + MR_MINUTE_US + 2 * MR_SECOND_US, "99", "101");
    const struct oms_candle *candle = mr_driver_emit_last(driver, "candles");
    ck_assert_ptr_nonnull(candle);
    ck_assert(candle->closed && mr_slice_equal(candle->interval, mr_slice_str("1m")));
}
END_TEST

START_TEST(five_minutes_are_the_current_one_and_four_before)
{
    push(1, NOON_US, "100", "1");
    push(2, NOON_US + MR_MINUTE_US, "110", "1");
    ck_assert(ticker()->has_vwap5m && ticker()->vwap5m == dec("105"));
    push(3, NOON_US + 5 * MR_MINUTE_US - 1, "120", "2");
    ck_assert(ticker()->vwap5m == dec("112.5"));
    push(4, NOON_US + 5 * MR_MINUTE_US, "130", "1");
    ck_assert(ticker()->vwap5m == dec("120")); /* the first minute is over */
    book(1, NOON_US + 20 * MR_MINUTE_US, "99", "101");
    ck_assert(!ticker()->has_vwap5m && ticker()->has_vwap);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("price-aggregate: intervals and book");
    TCase *tcase = tcase_create("book");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_window_holds_its_first_and_last_microsecond_and_not_the_next, 0,
                        (int)MR_COUNT(lengths));
    tcase_add_test(tcase, before_1970_is_no_time_of_a_trade);
    tcase_add_test(tcase, short_windows_add_up_to_long_ones);
    tcase_add_test(tcase, the_ticker_shows_the_best_of_the_book);
    tcase_add_test(tcase, only_another_best_makes_a_ticker);
    tcase_add_test(tcase, a_book_before_the_first_trade_waits_for_it);
    tcase_add_test(tcase, what_cannot_be_a_book_is_ignored);
    tcase_add_test(tcase, a_book_moves_time_on_as_a_trade_does);
    tcase_add_test(tcase, five_minutes_are_the_current_one_and_four_before);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
