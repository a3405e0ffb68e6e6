/*
 * Goal: candles and tickers of recorded trades are those that the trades themselves add up to.
 * Method: binance-2024-08-08/trades_all.csv.gz beside the repository (MILLRACE_DATA, else
 *         ../shared/data) through the stage, in transactions of a thousand; a second reading that
 * knows no windows that stay open, no buckets and no state: it sorts the trades by window and adds
 *         them up. Where the data is missing the test says so and counts as skipped.
 *
 *   market,symbol,trade_id,price,qty,trade_time_ms,event_time_ms,recv_time_ns,is_buyer_maker,...
 */
#include "price-aggregate/price_aggregate.h"
#include "price_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define SKIPPED 77
#define TRANSACTION 1000
#define SYMBOLS_MAX 16
#define NAME_BYTES 32

static const char *const names[] = {"1s", "1m", "5m", "15m", "1h", "4h", "1d"};
static const int64_t lengths_us[] = {MR_SECOND_US,      MR_MINUTE_US, 5 * MR_MINUTE_US,
                                     15 * MR_MINUTE_US, MR_HOUR_US,   4 * MR_HOUR_US,
                                     MR_DAY_US};

struct recorded {
    size_t symbol;
    int64_t id, ts_us;
    dec_t price, qty, quote;
    bool buy;
};

struct emitted {
    size_t symbol, interval, order;
    struct oms_candle candle; /* numbers only */
};

static char symbols[SYMBOLS_MAX][NAME_BYTES];
static size_t symbol_count;
static struct recorded *tape;
static size_t tape_count, tape_room;
static struct emitted *emits;
static size_t emit_count, emit_room;
static struct oms_ticker tickers[SYMBOLS_MAX]; /* the newest of each */

/* --- the tape ----------------------------------------------------------------------------- */

static gzFile open_tape(void)
{
    const char *root = getenv("MILLRACE_DATA");
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/binance-2024-08-08/trades_all.csv.gz",
                   root != NULL ? root : MILLRACE_DATA_DEFAULT);
    return gzopen(path, "rb");
}

static size_t symbol_index(const char *name)
{
    for (size_t i = 0; i < symbol_count; i++) {
        if (strcmp(symbols[i], name) == 0) {
            return i;
        }
    }
    ck_assert_uint_lt(symbol_count, SYMBOLS_MAX);
    (void)snprintf(symbols[symbol_count], NAME_BYTES, "%s", name);
    return symbol_count++;
}

static void take_line(char *line)
{
    char *fields[9] = {NULL};
    char name[NAME_BYTES];
    struct recorded *trade = NULL;
    char *rest = line;

    for (size_t i = 0; i < MR_COUNT(fields); i++) {
        fields[i] = rest;
        rest += strcspn(rest, ",\n");
        ck_assert(*rest != '\0');
        *rest++ = '\0';
    }
    if (tape_count == tape_room) {
        tape_room = tape_room == 0 ? 4096 : 2 * tape_room;
        tape = mr_xrealloc(tape, tape_room * sizeof(*tape));
    }
    (void)snprintf(name, sizeof(name), "%.10s.%.20s", fields[0], fields[1]);
    trade = &tape[tape_count++];
    *trade = (struct recorded){.symbol = symbol_index(name),
                               .id = strtoll(fields[2], NULL, 10),
                               .ts_us = strtoll(fields[5], NULL, 10) * MR_MS_US,
                               .price = dec(fields[3]),
                               .qty = dec(fields[4]),
                               .buy = strcmp(fields[8], "false") == 0};
    ck_assert(dec_mul_exact(trade->price, trade->qty, &trade->quote));
}

static bool tape_is_there(void)
{
    gzFile file = open_tape();

    if (file != NULL) {
        (void)gzclose(file);
    }
    return file != NULL;
}

static void read_tape(void)
{
    char line[512];
    gzFile file = open_tape();

    ck_assert_ptr_nonnull(gzgets(file, line, (int)sizeof(line)));
    while (gzgets(file, line, (int)sizeof(line)) != NULL) {
        take_line(line);
    }
    (void)gzclose(file);
    ck_assert_uint_gt(tape_count, 10000);
}

/* --- through the stage -------------------------------------------------------------------- */

static size_t index_of(struct mr_slice text, const char *const *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (mr_slice_equal(text, mr_slice_str(all[i]))) {
            return i;
        }
    }
    ck_abort_msg("unknown name %.*s", MR_SLICE_ARG(text));
    return 0;
}

static size_t symbol_of(struct mr_slice text)
{
    const char *all[SYMBOLS_MAX];

    for (size_t i = 0; i < symbol_count; i++) {
        all[i] = symbols[i];
    }
    return index_of(text, all, symbol_count);
}

static void collect(struct mr_driver *driver)
{
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    for (size_t i = 0; i < mr_driver_emit_count(driver, "candles"); i++) {
        const struct oms_candle *candle = mr_driver_emit(driver, "candles", i);

        if (emit_count == emit_room) {
            emit_room = emit_room == 0 ? 4096 : 2 * emit_room;
            emits = mr_xrealloc(emits, emit_room * sizeof(*emits));
        }
        emits[emit_count] = (struct emitted){
            .symbol = symbol_of(candle->symbol),
            .interval = index_of(candle->interval, names, MR_COUNT(names)),
            .order = emit_count,
            .candle = *candle,
        };
        emit_count++;
    }
    for (size_t i = 0; i < mr_driver_emit_count(driver, "tickers"); i++) {
        const struct oms_ticker *ticker = mr_driver_emit(driver, "tickers", i);

        tickers[symbol_of(ticker->symbol)] = *ticker;
    }
    mr_driver_emits_clear(driver);
}

static void setup(void)
{
    static const struct mr_driver_setting settings[] = {{"intervals", "1s,1m,5m,15m,1h,4h,1d"},
                                                        {"retention", "30d"}};
    struct mr_driver *driver =
        mr_driver_create(&price_aggregate_stage, settings, MR_COUNT(settings));

    read_tape();
    for (size_t i = 0; i < tape_count; i++) {
        struct oms_trade trade = trade_of(tape[i].id, tape[i].ts_us, "1", "1");

        trade.symbol = mr_slice_str(symbols[tape[i].symbol]);
        trade.price = tape[i].price;
        trade.qty = tape[i].qty;
        trade.quote_qty = tape[i].quote;
        trade.taker_side = tape[i].buy ? OMS_SIDE_BUY : OMS_SIDE_SELL;
        ck_assert_int_eq(push_trade(driver, &trade), MR_OK);
        if (i % TRANSACTION == TRANSACTION - 1) {
            collect(driver);
        }
    }
    collect(driver);
    ck_assert_uint_eq(mr_driver_counter(driver, "candles_too_late_total"), 0);
    mr_driver_destroy(&driver);
}

static void teardown(void)
{
    free(tape);
    free(emits);
}

/* --- the same by sorting ------------------------------------------------------------------ */

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_symbol_and_id(const void *left, const void *right)
{
    const struct recorded *a = left;
    const struct recorded *b = right;
    const int order = compare_numbers((int64_t)a->symbol, (int64_t)b->symbol);

    return order != 0 ? order : compare_numbers(a->id, b->id);
}

static int64_t sort_length_us;

static int by_window(const void *left, const void *right)
{
    const struct recorded *a = left;
    const struct recorded *b = right;
    int order = compare_numbers((int64_t)a->symbol, (int64_t)b->symbol);

    order =
        order != 0 ? order : compare_numbers(a->ts_us / sort_length_us, b->ts_us / sort_length_us);
    return order != 0 ? order : compare_numbers(a->id, b->id);
}

static int by_candle(const void *left, const void *right)
{
    const struct emitted *a = left;
    const struct emitted *b = right;
    int order = compare_numbers((int64_t)a->interval, (int64_t)b->interval);

    order = order != 0 ? order : compare_numbers((int64_t)a->symbol, (int64_t)b->symbol);
    order = order != 0 ? order : compare_numbers(a->candle.open_ts_us, b->candle.open_ts_us);
    return order != 0 ? order : compare_numbers((int64_t)a->order, (int64_t)b->order);
}

/* The candle of the trades from..end, which are of one window. */
static struct oms_candle added_up(const struct recorded *from, const struct recorded *end,
                                  int64_t length_us)
{
    struct oms_candle sum = {.open_ts_us = from->ts_us / length_us * length_us,
                             .open = from->price,
                             .high = from->price,
                             .low = from->price,
                             .close = end[-1].price,
                             .first_trade_id = from->id,
                             .last_trade_id = end[-1].id};

    for (const struct recorded *trade = from; trade < end; trade++) {
        sum.high = dec_max(sum.high, trade->price);
        sum.low = dec_min(sum.low, trade->price);
        sum.base_volume += trade->qty;
        sum.quote_volume += trade->quote;
        sum.taker_buy_base += trade->buy ? trade->qty : 0;
        sum.taker_buy_quote += trade->buy ? trade->quote : 0;
        sum.trades++;
    }
    return sum;
}

static void expect_equal(const struct oms_candle *got, const struct oms_candle *want,
                         const char *where)
{
    ck_assert_int_eq(got->open_ts_us, want->open_ts_us);
    ck_assert_msg(got->open == want->open && got->high == want->high && got->low == want->low &&
                      got->close == want->close,
                  "prices of %s", where);
    ck_assert_msg(got->base_volume == want->base_volume &&
                      got->quote_volume == want->quote_volume &&
                      got->taker_buy_base == want->taker_buy_base &&
                      got->taker_buy_quote == want->taker_buy_quote,
                  "volumes of %s", where);
    ck_assert_msg(got->trades == want->trades && got->first_trade_id == want->first_trade_id &&
                      got->last_trade_id == want->last_trade_id,
                  "trades of %s", where);
    ck_assert_msg(got->low <= got->vwap && got->vwap <= got->high && got->has_vwap, "vwap of %s",
                  where);
}

/* Candles and groups of trades stand in the same order: walk both. */
static void check_interval(size_t interval, size_t *at)
{
    dec_t volume = 0;
    int64_t trades = 0;
    char where[64];

    sort_length_us = lengths_us[interval];
    qsort(tape, tape_count, sizeof(*tape), by_window);
    for (size_t from = 0, end = 0; from < tape_count; from = end) {
        struct oms_candle want;

        while (end < tape_count && tape[end].symbol == tape[from].symbol &&
               tape[end].ts_us / sort_length_us == tape[from].ts_us / sort_length_us) {
            end++;
        }
        want = added_up(&tape[from], &tape[end], sort_length_us);
        (void)snprintf(where, sizeof(where), "%s %s %lld", symbols[tape[from].symbol],
                       names[interval], (long long)want.open_ts_us);
        while (*at + 1 < emit_count && emits[*at + 1].interval == interval &&
               emits[*at + 1].symbol == tape[from].symbol &&
               emits[*at + 1].candle.open_ts_us == emits[*at].candle.open_ts_us) {
            ++*at; /* an older version */
        }
        ck_assert_msg(*at < emit_count && emits[*at].interval == interval &&
                          emits[*at].symbol == tape[from].symbol,
                      "no candle %s", where);
        expect_equal(&emits[*at].candle, &want, where);
        volume += emits[*at].candle.quote_volume;
        trades += emits[*at].candle.trades;
        ++*at;
    }
    /* The windows of each interval share the trades out among them. */
    ck_assert_int_eq(trades, (int64_t)tape_count);
    for (size_t i = 0; i < tape_count; i++) {
        volume -= tape[i].quote;
    }
    ck_assert(volume == 0);
}

START_TEST(candles_are_what_the_trades_add_up_to)
{
    size_t at = 0;

    qsort(emits, emit_count, sizeof(*emits), by_candle);
    for (size_t interval = 0; interval < MR_COUNT(names); interval++) {
        check_interval(interval, &at);
    }
    ck_assert_uint_eq(at, emit_count); /* and no candle more */
}
END_TEST

START_TEST(tickers_are_what_the_trades_add_up_to)
{
    size_t end = 0;

    qsort(tape, tape_count, sizeof(*tape), by_symbol_and_id);
    for (size_t from = 0; from < tape_count; from = end) {
        const struct oms_ticker *ticker = &tickers[tape[from].symbol];
        const int64_t recent_us = (ticker->close_ts_us / MR_MINUTE_US - 4) * MR_MINUTE_US;
        dec_t base = 0;
        dec_t quote = 0;
        dec_t vwap = 0;
        struct oms_candle want;

        for (end = from; end < tape_count && tape[end].symbol == tape[from].symbol; end++) {
            base += tape[end].ts_us >= recent_us ? tape[end].qty : 0;
            quote += tape[end].ts_us >= recent_us ? tape[end].quote : 0;
        }
        want = added_up(&tape[from], &tape[end], 1); /* all within a day */
        ck_assert(ticker->open == want.open && ticker->high == want.high);
        ck_assert(ticker->low == want.low && ticker->last == want.close);
        ck_assert(ticker->base_volume == want.base_volume);
        ck_assert(ticker->quote_volume == want.quote_volume);
        ck_assert_int_eq(ticker->trades, want.trades);
        ck_assert_int_eq(ticker->last_trade_id, want.last_trade_id);
        ck_assert(ticker->has_vwap5m == (base > 0));
        ck_assert(base == 0 ||
                  (dec_div(quote, base, DEC_HALF_EVEN, &vwap) && ticker->vwap5m == vwap));
    }
}
END_TEST

int main(void)
{
    Suite *suite = NULL;
    TCase *tcase = NULL;
    SRunner *runner = NULL;
    int failed = 0;

    if (!tape_is_there()) {
        (void)printf("SKIP: no binance-2024-08-08/trades_all.csv.gz in MILLRACE_DATA or %s\n",
                     MILLRACE_DATA_DEFAULT);
        return SKIPPED;
    }
    suite = suite_create("price-aggregate: recorded trades");
    tcase = tcase_create("recorded");
    runner = srunner_create(suite);
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, candles_are_what_the_trades_add_up_to);
    tcase_add_test(tcase, tickers_are_what_the_trades_add_up_to);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
