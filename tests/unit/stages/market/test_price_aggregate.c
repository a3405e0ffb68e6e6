/*
 * Goal: candles and tickers are what the trades say, however late, doubled or interrupted.
 * Method: the stage alone on the stage driver. Windows are one and five minutes, grace 2 s,
 *         retention 1 h; a table of boundary instants; a replay against a naive recomputation.
 */
#include "price-aggregate/price_aggregate.h"
#include "price_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define TIMER ((size_t)0)

static struct mr_driver *driver;

static void open_driver(void)
{
    static const struct mr_driver_setting settings[] = {
        {"intervals", "1m,5m"}, {"grace", "2s"}, {"retention", "1h"}};

    driver = mr_driver_create(&price_aggregate_stage, settings, MR_COUNT(settings));
}

static void close_driver(void)
{
    mr_driver_destroy(&driver);
}

static void push(int64_t id, int64_t ts_us, const char *price, const char *qty)
{
    const struct oms_trade trade = trade_of(id, ts_us, price, qty);

    ck_assert_int_eq(push_trade(driver, &trade), MR_OK);
}

static void ck_assert_dec(mr_i128 actual, const char *expected)
{
    char text[DEC_TEXT_MAX];

    (void)dec_format(actual, text);
    ck_assert_str_eq(text, expected);
}

/* The newest version of a candle, NULL when it was never emitted. */
static const struct oms_candle *newest(const char *interval, int64_t open_us)
{
    for (size_t i = mr_driver_emit_count(driver, "candles"); i > 0; i--) {
        const struct oms_candle *candle = mr_driver_emit(driver, "candles", i - 1);

        if (candle->open_ts_us == open_us &&
            mr_slice_equal(candle->interval, mr_slice_str(interval))) {
            return candle;
        }
    }
    return NULL;
}

static const struct oms_ticker *ticker(void)
{
    return mr_driver_emit_last(driver, "tickers");
}

START_TEST(a_candle_holds_open_high_low_close_and_volume)
{
    const struct oms_candle *candle = NULL;
    struct oms_trade sell = trade_of(4, NOON_US + 4, "102", "1");

    push(1, NOON_US + 1, "100", "2");
    push(2, NOON_US + 2, "105", "1");
    push(3, NOON_US + 3, "95", "1");
    sell.taker_side = OMS_SIDE_SELL;
    ck_assert_int_eq(push_trade(driver, &sell), MR_OK);
    candle = newest("1m", NOON_US);
    ck_assert_ptr_nonnull(candle);
    ck_assert_dec(candle->open, "100");
    ck_assert_dec(candle->high, "105");
    ck_assert_dec(candle->low, "95");
    ck_assert_dec(candle->close, "102");
    ck_assert_dec(candle->base_volume, "5");
    ck_assert_dec(candle->quote_volume, "502");
    ck_assert_dec(candle->taker_buy_base, "4");
    ck_assert_dec(candle->taker_buy_quote, "400");
    ck_assert_dec(candle->vwap, "100.4");
    ck_assert_int_eq(candle->trades, 4);
    ck_assert_int_eq(candle->first_trade_id, 1);
    ck_assert_int_eq(candle->last_trade_id, 4);
    ck_assert_int_eq(candle->close_ts_us, NOON_US + MR_MINUTE_US - 1);
    ck_assert(!candle->closed);
    ck_assert_int_eq(candle->revision, 0);
    ck_assert_int_eq(newest("5m", NOON_US)->trades, 4);
}
END_TEST

static const struct {
    int64_t offset_us;
    int64_t minute_us; /* start of the 1 m window, from noon */
    int64_t five_us;   /* start of the 5 m window, from noon */
    const char *why;
} instants[] = {
    {0, 0, 0, "the first microsecond belongs to the window"},
    {MR_MINUTE_US - 1, 0, 0, "the last microsecond does too"},
    {MR_MINUTE_US, MR_MINUTE_US, 0, "one more is the next minute, the same five"},
    {5 * MR_MINUTE_US - 1, 4 * MR_MINUTE_US, 0, "last of five"},
    {5 * MR_MINUTE_US, 5 * MR_MINUTE_US, 5 * MR_MINUTE_US, "both turn"},
    {-1, -MR_MINUTE_US, -5 * MR_MINUTE_US, "one before is the previous of both"},
    {12 * MR_HOUR_US, 12 * MR_HOUR_US, 12 * MR_HOUR_US, "midnight UTC"},
};

START_TEST(a_boundary_instant_falls_into_one_window)
{
    push(1, NOON_US + instants[_i].offset_us, "10", "1");
    ck_assert_msg(newest("1m", NOON_US + instants[_i].minute_us) != NULL, "%s", instants[_i].why);
    ck_assert_msg(newest("5m", NOON_US + instants[_i].five_us) != NULL, "%s", instants[_i].why);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "candles"), 2);
}
END_TEST

START_TEST(a_candle_key_names_symbol_interval_and_start)
{
    char expected[64];
    struct mr_slice key;

    push(1, NOON_US, "10", "1");
    key = mr_driver_emit_key(driver, "candles", 0);
    (void)snprintf(expected, sizeof(expected), "BTCUSDT:1m:%lld", (long long)NOON_US);
    ck_assert(mr_slice_equal(key, mr_slice_str(expected)));
    ck_assert(mr_slice_equal(mr_driver_emit_partition_key(driver, "candles", 0),
                             mr_slice_str("BTCUSDT")));
}
END_TEST

static const struct {
    int64_t at_us; /* of the trade that moves time on, from noon */
    bool closed;
    const char *why;
} closings[] = {
    {MR_MINUTE_US, false, "ended, but late trades may come"},
    {MR_MINUTE_US + 2 * MR_SECOND_US - 1, false, "the last microsecond of grace"},
    {MR_MINUTE_US + 2 * MR_SECOND_US, true, "grace is over"},
    {MR_HOUR_US, true, "long over"},
};

START_TEST(a_window_closes_when_grace_is_over)
{
    push(1, NOON_US, "10", "1");
    push(2, NOON_US + closings[_i].at_us, "11", "1");
    ck_assert_msg(newest("1m", NOON_US)->closed == closings[_i].closed, "%s", closings[_i].why);
    ck_assert_int_eq(newest("1m", NOON_US)->revision, 0);
}
END_TEST

START_TEST(a_timer_closes_the_window_of_a_quiet_symbol)
{
    push(1, NOON_US, "10", "1");
    ck_assert_int_eq(mr_driver_punctuate(driver, TIMER, NOON_US + MR_MINUTE_US), MR_OK);
    ck_assert(!newest("1m", NOON_US)->closed);
    ck_assert_int_eq(mr_driver_punctuate(driver, TIMER, NOON_US + MR_MINUTE_US + 2 * MR_SECOND_US),
                     MR_OK);
    ck_assert(newest("1m", NOON_US)->closed);
    ck_assert(!newest("5m", NOON_US)->closed);
}
END_TEST

START_TEST(a_trade_of_another_symbol_closes_too)
{
    struct oms_trade other = trade_of(1, NOON_US + MR_HOUR_US, "2000", "1");

    push(1, NOON_US, "10", "1");
    other.symbol = mr_slice_str("ETHUSDT");
    ck_assert_int_eq(push_trade(driver, &other), MR_OK);
    ck_assert(newest("5m", NOON_US)->closed);
}
END_TEST

START_TEST(a_late_trade_within_grace_updates_without_revision)
{
    push(1, NOON_US, "10", "1");
    push(2, NOON_US + MR_MINUTE_US + MR_SECOND_US, "11", "1");
    push(3, NOON_US + MR_MINUTE_US - 1, "9", "1");
    ck_assert_int_eq(newest("1m", NOON_US)->trades, 2);
    ck_assert_int_eq(newest("1m", NOON_US)->revision, 0);
    ck_assert(!newest("1m", NOON_US)->closed);
    ck_assert_dec(newest("1m", NOON_US)->close, "9");
    ck_assert_uint_eq(mr_driver_counter(driver, "candles_revised_total"), 0);
}
END_TEST

START_TEST(a_late_trade_after_closing_revises)
{
    push(1, NOON_US, "10", "1");
    push(2, NOON_US + 10 * MR_MINUTE_US, "11", "1");
    push(3, NOON_US + 1, "9", "1");
    push(4, NOON_US + 2, "12", "1");
    ck_assert_int_eq(newest("1m", NOON_US)->revision, 2);
    ck_assert_int_eq(newest("5m", NOON_US)->revision, 2);
    ck_assert(newest("1m", NOON_US)->closed);
    ck_assert_dec(newest("1m", NOON_US)->high, "12");
    ck_assert_dec(newest("1m", NOON_US)->low, "9");
    ck_assert_dec(newest("1m", NOON_US)->open, "10");
    ck_assert_uint_eq(mr_driver_counter(driver, "candles_revised_total"), 4);
}
END_TEST

START_TEST(a_late_trade_of_an_empty_window_makes_a_closed_candle)
{
    push(1, NOON_US + 10 * MR_MINUTE_US, "11", "1");
    push(2, NOON_US, "10", "1");
    ck_assert(newest("1m", NOON_US)->closed);
    ck_assert_int_eq(newest("1m", NOON_US)->revision, 0);
    ck_assert_int_eq(newest("1m", NOON_US)->trades, 1);
}
END_TEST

START_TEST(a_trade_later_than_retention_is_counted_and_changes_no_candle)
{
    push(1, NOON_US, "10", "1");
    push(2, NOON_US + 3 * MR_HOUR_US, "11", "1");
    mr_driver_commit(driver);
    mr_driver_emits_clear(driver);
    push(3, NOON_US + 1, "9", "1");
    ck_assert_uint_eq(mr_driver_emit_count(driver, "candles"), 0);
    ck_assert_uint_eq(mr_driver_counter(driver, "candles_too_late_total"), 2);
    ck_assert_dec(ticker()->base_volume, "3"); /* but the 24 hours hold it */
}
END_TEST

START_TEST(closed_windows_leave_the_store_after_retention)
{
    push(1, NOON_US, "10", "1");
    ck_assert_uint_eq(mr_driver_store_count(driver, "candles"), 2);
    push(2, NOON_US + MR_MINUTE_US + 2 * MR_SECOND_US + MR_HOUR_US - 1, "10", "1");
    ck_assert_uint_eq(mr_driver_store_count(driver, "candles"), 4);
    push(3, NOON_US + MR_MINUTE_US + 2 * MR_SECOND_US + MR_HOUR_US, "10", "1");
    ck_assert_uint_eq(mr_driver_store_count(driver, "candles"), 3);
}
END_TEST

START_TEST(what_is_forgotten_costs_nothing_more)
{
    size_t before = 0;

    push(1, NOON_US, "10", "1");
    push(2, NOON_US + 3 * MR_HOUR_US, "10", "1");
    before = mr_driver_store_calls(driver);
    push(3, NOON_US + 3 * MR_HOUR_US, "10", "1");
    /* Two candles read and written, the minute and the price written. */
    ck_assert_uint_eq(mr_driver_store_calls(driver) - before, 6);
    ck_assert_uint_eq(mr_driver_scan_calls(driver), 3); /* the first reload */
}
END_TEST

START_TEST(a_restart_does_not_turn_back_what_a_timer_closed)
{
    push(1, NOON_US, "10", "1");
    push(2, NOON_US + 2 * MR_MINUTE_US, "10", "1");
    ck_assert_int_eq(
        mr_driver_punctuate(driver, TIMER, NOON_US + 3 * MR_MINUTE_US + 2 * MR_SECOND_US), MR_OK);
    ck_assert(newest("1m", NOON_US + 2 * MR_MINUTE_US)->closed);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    mr_driver_restart(driver);
    push(3, NOON_US + MR_MINUTE_US, "11", "1"); /* a window between, empty so far */
    ck_assert(newest("1m", NOON_US + MR_MINUTE_US)->closed);
}
END_TEST

START_TEST(a_trade_id_counts_once)
{
    uint64_t digest = 0;

    push(5, NOON_US, "10", "1");
    push(6, NOON_US, "11", "1");
    digest = mr_driver_state_digest(driver);
    push(6, NOON_US, "11", "1");
    push(5, NOON_US + MR_HOUR_US, "10", "1");
    ck_assert(digest == mr_driver_state_digest(driver));
    ck_assert_int_eq(newest("1m", NOON_US)->trades, 2);
    ck_assert_uint_eq(mr_driver_counter(driver, "trades_duplicate_total"), 2);
}
END_TEST

START_TEST(a_ticker_covers_24_hours)
{
    push(1, NOON_US, "10", "1");
    push(2, NOON_US + MR_HOUR_US, "20", "2");
    push(3, NOON_US + 2 * MR_HOUR_US, "15", "1");
    ck_assert_dec(ticker()->open, "10");
    ck_assert_dec(ticker()->high, "20");
    ck_assert_dec(ticker()->low, "10");
    ck_assert_dec(ticker()->last, "15");
    ck_assert_dec(ticker()->change, "5");
    ck_assert_dec(ticker()->change_percent, "50");
    ck_assert_dec(ticker()->base_volume, "4");
    ck_assert_dec(ticker()->quote_volume, "65");
    ck_assert_dec(ticker()->vwap, "16.25");
    ck_assert_int_eq(ticker()->trades, 3);
    ck_assert_int_eq(ticker()->last_trade_id, 3);
}
END_TEST

START_TEST(a_minute_leaves_the_ticker_when_its_day_is_over)
{
    push(1, NOON_US, "10", "1");
    push(2, NOON_US + MR_HOUR_US, "20", "2");
    ck_assert_int_eq(mr_driver_punctuate(driver, TIMER, NOON_US + MR_DAY_US - 1), MR_OK);
    ck_assert_int_eq(ticker()->trades, 2);
    ck_assert_int_eq(mr_driver_punctuate(driver, TIMER, NOON_US + MR_DAY_US), MR_OK);
    ck_assert_int_eq(ticker()->trades, 1);
    ck_assert_dec(ticker()->open, "20");
    ck_assert_dec(ticker()->low, "20");
    ck_assert_dec(ticker()->base_volume, "2");
    ck_assert_int_eq(ticker()->ts_us, NOON_US + MR_DAY_US);
}
END_TEST

START_TEST(a_day_without_trades_leaves_the_last_price)
{
    push(1, NOON_US, "10", "1");
    ck_assert_int_eq(mr_driver_punctuate(driver, TIMER, NOON_US + 2 * MR_DAY_US), MR_OK);
    ck_assert_int_eq(ticker()->trades, 0);
    ck_assert_dec(ticker()->last, "10");
    ck_assert_dec(ticker()->open, "10");
    ck_assert_dec(ticker()->base_volume, "0");
    ck_assert(!ticker()->has_vwap);
    ck_assert_uint_eq(mr_driver_store_count(driver, "minutes"), 0);
}
END_TEST

static void no_symbol(struct oms_trade *trade)
{
    trade->symbol = mr_slice_str("");
}

static void id_zero(struct oms_trade *trade)
{
    trade->trade_id = 0;
}

static void price_zero(struct oms_trade *trade)
{
    trade->price = 0;
}

static void qty_negative(struct oms_trade *trade)
{
    trade->qty = -1;
}

static void before_1970(struct oms_trade *trade)
{
    trade->ts_us = -1;
}

static void far_future(struct oms_trade *trade)
{
    trade->ts_us = INT64_MAX;
}

static void huge_volume(struct oms_trade *trade)
{
    trade->qty = DEC_MAX;
}

static const struct {
    void (*spoil)(struct oms_trade *trade);
    enum mr_status status;
    const char *why;
} bad_trades[] = {
    {no_symbol, MR_MALFORMED, "nothing to file it under"},
    {id_zero, MR_MALFORMED, "ids start at 1"},
    {price_zero, MR_MALFORMED, "nobody pays nothing"},
    {qty_negative, MR_MALFORMED, "nobody trades less than nothing"},
    {before_1970, MR_OUT_OF_RANGE, "time before the epoch"},
    {far_future, MR_OUT_OF_RANGE, "would close everything for ever"},
    {huge_volume, MR_OUT_OF_RANGE, "the sum of the window leaves the range"},
};

START_TEST(a_refused_trade_leaves_no_trace)
{
    struct oms_trade bad = trade_of(2, NOON_US + MR_HOUR_US, "11", "1");
    uint64_t digest = 0;
    size_t emits = 0;

    push(1, NOON_US + MR_HOUR_US, "10", "1");
    digest = mr_driver_state_digest(driver);
    emits = mr_driver_emit_count(driver, "candles");
    bad_trades[_i].spoil(&bad);
    ck_assert_msg(mr_driver_push(driver, "trades", bad.symbol, &bad) == bad_trades[_i].status, "%s",
                  bad_trades[_i].why);
    ck_assert_msg(digest == mr_driver_state_digest(driver), "%s", bad_trades[_i].why);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "candles"), emits);
    push(2, NOON_US + MR_HOUR_US, "11", "1");
    ck_assert_int_eq(newest("1m", NOON_US + MR_HOUR_US)->trades, 2);
}
END_TEST

START_TEST(a_key_that_is_not_the_symbol_is_poison)
{
    const struct oms_trade trade = trade_of(1, NOON_US, "10", "1");

    ck_assert_int_eq(mr_driver_push(driver, "trades", mr_slice_str("ETHUSDT"), &trade),
                     MR_MALFORMED);
}
END_TEST

/* --- random trades --------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* Time mostly moves on, sometimes jumps, sometimes steps back by minutes. */
static struct oms_trade random_trade(uint64_t *seed, int64_t id, int64_t *now_us)
{
    const uint64_t kind = next_random(seed) % 20;
    int64_t ts_us = 0;
    struct oms_trade trade = trade_of(id, 0, "1", "1");

    *now_us += (int64_t)(next_random(seed) % (kind == 0 ? 1200 : 20)) * MR_SECOND_US;
    ts_us = *now_us;
    if (kind == 1) {
        ts_us -= (int64_t)(next_random(seed) % 600) * MR_SECOND_US;
    }
    trade.symbol = mr_slice_str(next_random(seed) % 2 == 0 ? "BTCUSDT" : "ETHUSDT");
    trade.ts_us = ts_us;
    trade.price = dec_of_int((int32_t)(next_random(seed) % 1000) + 1);
    trade.qty = dec_of_int((int32_t)(next_random(seed) % 50) + 1);
    ck_assert(dec_mul_exact(trade.price, trade.qty, &trade.quote_qty));
    return trade;
}

static void compare_emits(struct mr_driver *a, struct mr_driver *b, const char *port)
{
    const size_t count = mr_driver_emit_count(a, port);

    ck_assert_uint_eq(count, mr_driver_emit_count(b, port));
    for (size_t i = 0; i < count; i++) {
        ck_assert(
            mr_slice_equal(mr_driver_emit_bytes(a, port, i), mr_driver_emit_bytes(b, port, i)));
        ck_assert(mr_slice_equal(mr_driver_emit_key(a, port, i), mr_driver_emit_key(b, port, i)));
    }
}

START_TEST(aborts_poison_and_restarts_change_no_byte)
{
    struct mr_driver *plain = mr_driver_create(&price_aggregate_stage, NULL, 0);
    struct mr_driver *shaken = mr_driver_create(&price_aggregate_stage, NULL, 0);
    uint64_t seed = (uint64_t)_i + 1;
    uint64_t fate = (uint64_t)_i + 77;
    int64_t now_us = NOON_US;

    for (int64_t block = 0; block < 40; block++) {
        struct oms_trade trades[10];
        const uint64_t what = next_random(&fate) % 4;

        for (size_t i = 0; i < MR_COUNT(trades); i++) {
            trades[i] = random_trade(&seed, block * 10 + (int64_t)i + 1, &now_us);
        }
        for (size_t i = 0; i < MR_COUNT(trades); i++) {
            ck_assert_int_eq(push_trade(plain, &trades[i]), MR_OK);
        }
        for (size_t i = 0; i < 5 && what == 1; i++) {
            ck_assert_int_eq(push_trade(shaken, &trades[i]), MR_OK);
        }
        if (what == 1) {
            mr_driver_abort(shaken);
        }
        for (size_t i = 0; i < MR_COUNT(trades); i++) {
            if (what == 2 && i == 5) {
                mr_driver_fail(shaken, MR_DRIVER_FAULT_EMIT_POISON, 2);
                ck_assert_int_eq(push_trade(shaken, &trades[i]), MR_MALFORMED);
            }
            ck_assert_int_eq(push_trade(shaken, &trades[i]), MR_OK);
        }
        /* Time that only a timer has seen: a late trade behind it is judged by it. */
        ck_assert_int_eq(mr_driver_punctuate(plain, 0, now_us + 5 * MR_MINUTE_US), MR_OK);
        ck_assert_int_eq(mr_driver_punctuate(shaken, 0, now_us + 5 * MR_MINUTE_US), MR_OK);
        ck_assert_int_eq(mr_driver_commit(plain), MR_OK);
        ck_assert_int_eq(mr_driver_commit(shaken), MR_OK);
        if (what == 3) {
            mr_driver_restart(shaken);
        }
    }
    compare_emits(plain, shaken, "candles");
    compare_emits(plain, shaken, "tickers");
    ck_assert(mr_driver_state_digest(plain) == mr_driver_state_digest(shaken));
    mr_driver_destroy(&plain);
    mr_driver_destroy(&shaken);
}
END_TEST

#define RANDOM_TRADES 400

START_TEST(candles_equal_a_recomputation)
{
    static struct oms_trade trades[RANDOM_TRADES];
    static const int64_t lengths_us[] = {MR_MINUTE_US, 5 * MR_MINUTE_US};
    static const char *const names[] = {"1m", "5m"};
    uint64_t seed = (uint64_t)_i + 1000;
    int64_t now_us = NOON_US;

    mr_driver_destroy(&driver);
    driver = mr_driver_create(&price_aggregate_stage, NULL, 0); /* retention of a day */
    for (int64_t i = 0; i < RANDOM_TRADES; i++) {
        trades[i] = random_trade(&seed, i + 1, &now_us);
        trades[i].symbol = mr_slice_str("BTCUSDT");
        ck_assert_int_eq(push_trade(driver, &trades[i]), MR_OK);
    }
    for (size_t i = 0; i < RANDOM_TRADES; i++) {
        for (size_t k = 0; k < MR_COUNT(names); k++) {
            const int64_t open_us = trades[i].ts_us / lengths_us[k] * lengths_us[k];
            const struct oms_candle *candle = newest(names[k], open_us);
            mr_i128 high = 0;
            mr_i128 quote = 0;
            mr_i128 last = 0;
            int64_t count = 0;

            for (size_t j = 0; j < RANDOM_TRADES; j++) {
                if (trades[j].ts_us / lengths_us[k] * lengths_us[k] == open_us) {
                    high = dec_max(high, trades[j].price);
                    quote += trades[j].quote_qty;
                    last = trades[j].price;
                    count++;
                }
            }
            ck_assert_ptr_nonnull(candle);
            ck_assert(candle->high == high);
            ck_assert(candle->quote_volume == quote);
            ck_assert(candle->close == last);
            ck_assert_int_eq(candle->trades, count);
        }
    }
}
END_TEST

START_TEST(an_option_list_with_one_length_twice_is_refused)
{
    const struct mr_driver_setting setting = {"intervals", "1m,60s"};
    struct mr_err err = {0};

    ck_assert_ptr_null(mr_driver_open(&price_aggregate_stage, &setting, 1, &err));
    ck_assert_int_eq(err.status, MR_CONFIG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("price-aggregate");
    TCase *rules = tcase_create("rules");
    TCase *random = tcase_create("random");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(rules, open_driver, close_driver);
    tcase_add_test(rules, a_candle_holds_open_high_low_close_and_volume);
    tcase_add_loop_test(rules, a_boundary_instant_falls_into_one_window, 0,
                        (int)MR_COUNT(instants));
    tcase_add_test(rules, a_candle_key_names_symbol_interval_and_start);
    tcase_add_loop_test(rules, a_window_closes_when_grace_is_over, 0, (int)MR_COUNT(closings));
    tcase_add_test(rules, a_timer_closes_the_window_of_a_quiet_symbol);
    tcase_add_test(rules, a_trade_of_another_symbol_closes_too);
    tcase_add_test(rules, a_late_trade_within_grace_updates_without_revision);
    tcase_add_test(rules, a_late_trade_after_closing_revises);
    tcase_add_test(rules, a_late_trade_of_an_empty_window_makes_a_closed_candle);
    tcase_add_test(rules, a_trade_later_than_retention_is_counted_and_changes_no_candle);
    tcase_add_test(rules, closed_windows_leave_the_store_after_retention);
    tcase_add_test(rules, what_is_forgotten_costs_nothing_more);
    tcase_add_test(rules, a_restart_does_not_turn_back_what_a_timer_closed);
    tcase_add_test(rules, a_trade_id_counts_once);
    tcase_add_test(rules, a_ticker_covers_24_hours);
    tcase_add_test(rules, a_minute_leaves_the_ticker_when_its_day_is_over);
    tcase_add_test(rules, a_day_without_trades_leaves_the_last_price);
    tcase_add_loop_test(rules, a_refused_trade_leaves_no_trace, 0, (int)MR_COUNT(bad_trades));
    tcase_add_test(rules, a_key_that_is_not_the_symbol_is_poison);
    tcase_add_test(rules, an_option_list_with_one_length_twice_is_refused);
    suite_add_tcase(suite, rules);
    tcase_add_checked_fixture(random, open_driver, close_driver);
    tcase_add_loop_test(random, candles_equal_a_recomputation, 0, 3);
    tcase_add_loop_test(random, aborts_poison_and_restarts_change_no_byte, 0, 5);
    tcase_set_timeout(random, 60);
    suite_add_tcase(suite, random);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
