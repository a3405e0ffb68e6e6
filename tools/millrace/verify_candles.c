/*
 * verify_candles.c -- candles equal a recomputation.
 *
 * Why from all trades in the topic and not the run's: an earlier run of the same tape filled the
 * same windows, and the pipeline rightly merges both. Which intervals there are is taken from the
 *   candles themselves, so a window without its candle is missed only when a whole interval is
 *   missing; that is a check of its own.
 * Not: ts, closed, revision and vwap, which depend on arrival or are derived.
 */
#include "avro/candle.h"
#include "avro/trade.h"
#include "load_decimal.h"
#include "load_text.h"
#include "millrace/arena.h"
#include "millrace/option.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

#define INTERVALS_MAX 16
#define KEY_BYTES_MAX 128

struct bar { /* of one window, recomputed */
    int64_t first_id, last_id, trades;
    mr_i128 open, high, low, close, base, quote, taker_base, taker_quote;
};

struct seen { /* last candle of a window */
    struct bar bar;
    int64_t close_us, open_us;
    int64_t offset;
    int32_t partition;
};

/* What is kept of a trade until the intervals are known. */
struct kept {
    mr_i128 price, qty, quote;
    int64_t id, ts_us;
    uint32_t symbol;
    bool taker_buys;
};

struct interval {
    char text[24];
    int64_t us;
};

struct verify_candles {
    struct verify *verify;
    struct kept *trades;
    size_t count, capacity;
    struct verify_map *seen; /* by symbol:interval:open */
    struct interval intervals[INTERVALS_MAX];
    size_t interval_count;
    struct verify_check *check;
};

struct verify_candles *verify_candles_create(struct verify *verify)
{
    struct verify_candles *c = mr_xcalloc(1, sizeof *c);

    c->verify = verify;
    c->seen = verify_map_create(sizeof(struct seen));
    c->check = verify_check_open(verify->report, "candles equal a recomputation");
    return c;
}

static bool find_symbol(const struct verify *verify, struct mr_slice name, uint32_t *symbol)
{
    for (size_t s = 0; s < verify->tape.symbol_count; s++) {
        if (mr_slice_equal(name, mr_slice_str(verify->tape.symbols[s].name))) {
            *symbol = (uint32_t)s;
            return true;
        }
    }
    return false;
}

enum mr_status verify_candles_on_trade(void *arg, const struct load_record *record,
                                       struct mr_err *err)
{
    struct verify_candles *c = arg;
    const struct oms_trade *trade = record->value;
    uint32_t symbol = 0;

    (void)err;
    if (trade == NULL || !find_symbol(c->verify, trade->symbol, &symbol)) {
        return MR_OK;
    }
    if (c->count == c->capacity) {
        c->capacity = c->capacity == 0 ? 4096 : 2 * c->capacity;
        c->trades = mr_xrealloc(c->trades, c->capacity * sizeof *c->trades);
    }
    c->trades[c->count] = (struct kept){.price = trade->price,
                                        .qty = trade->qty,
                                        .quote = trade->quote_qty,
                                        .id = trade->trade_id,
                                        .ts_us = trade->ts_us,
                                        .symbol = symbol,
                                        .taker_buys = trade->taker_side == OMS_SIDE_BUY};
    c->count++;
    return MR_OK;
}

static struct mr_slice window_key(char *buffer, const char *symbol, const char *interval,
                                  int64_t open_us)
{
    return load_text(buffer, KEY_BYTES_MAX, "%s:%s:%" PRId64, symbol, interval, open_us);
}

static void note_interval(struct verify_candles *c, struct mr_slice text)
{
    char buffer[24];
    struct mr_err ignored;
    int64_t us = 0;

    (void)load_text(buffer, sizeof buffer, "%.*s", MR_SLICE_ARG(text));
    for (size_t i = 0; i < c->interval_count; i++) {
        if (strcmp(c->intervals[i].text, buffer) == 0) {
            return;
        }
    }
    if (c->interval_count == INTERVALS_MAX ||
        mr_parse_duration_us(buffer, &us, &ignored) != MR_OK || us <= 0) {
        verify_differ(c->check, "interval \"%s\" is none", buffer);
        return;
    }
    memcpy(c->intervals[c->interval_count].text, buffer, sizeof buffer);
    c->intervals[c->interval_count].us = us;
    c->interval_count++;
}

enum mr_status verify_candles_on_candle(void *arg, const struct load_record *record,
                                        struct mr_err *err)
{
    struct verify_candles *c = arg;
    const struct oms_candle *candle = record->value;
    char buffer[KEY_BYTES_MAX], interval[24];
    uint32_t symbol = 0;
    struct seen *seen;

    (void)err;
    if (candle == NULL || candle->synthetic || !find_symbol(c->verify, candle->symbol, &symbol)) {
        return MR_OK;
    }
    note_interval(c, candle->interval);
    (void)load_text(interval, sizeof interval, "%.*s", MR_SLICE_ARG(candle->interval));
    seen = verify_map_put(c->seen, window_key(buffer, c->verify->tape.symbols[symbol].name,
                                              interval, candle->open_ts_us));
    seen->partition = record->partition;
    seen->offset = record->offset;
    seen->open_us = candle->open_ts_us;
    seen->close_us = candle->close_ts_us;
    seen->bar = (struct bar){.first_id = candle->first_trade_id,
                             .last_id = candle->last_trade_id,
                             .trades = candle->trades,
                             .open = candle->open,
                             .high = candle->high,
                             .low = candle->low,
                             .close = candle->close,
                             .base = candle->base_volume,
                             .quote = candle->quote_volume,
                             .taker_base = candle->taker_buy_base,
                             .taker_quote = candle->taker_buy_quote};
    return MR_OK;
}

static void fold(struct bar *bar, const struct kept *trade)
{
    if (bar->trades == 0 || trade->id < bar->first_id) {
        bar->first_id = trade->id;
        bar->open = trade->price;
    }
    if (bar->trades == 0 || trade->id > bar->last_id) {
        bar->last_id = trade->id;
        bar->close = trade->price;
    }
    if (bar->trades == 0 || trade->price > bar->high) {
        bar->high = trade->price;
    }
    if (bar->trades == 0 || trade->price < bar->low) {
        bar->low = trade->price;
    }
    bar->trades++;
    bar->base += trade->qty;
    bar->quote += trade->quote;
    if (trade->taker_buys) {
        bar->taker_base += trade->qty;
        bar->taker_quote += trade->quote;
    }
}

/* The name of the first field that differs; NULL when none does. */
static const char *difference(const struct bar *a, const struct bar *b)
{
    return a->trades != b->trades             ? "trades"
           : a->first_id != b->first_id       ? "firstTradeId"
           : a->last_id != b->last_id         ? "lastTradeId"
           : a->open != b->open               ? "open"
           : a->high != b->high               ? "high"
           : a->low != b->low                 ? "low"
           : a->close != b->close             ? "close"
           : a->base != b->base               ? "baseVolume"
           : a->quote != b->quote             ? "quoteVolume"
           : a->taker_base != b->taker_base   ? "takerBuyBase"
           : a->taker_quote != b->taker_quote ? "takerBuyQuote"
                                              : NULL;
}

static int64_t floor_to(int64_t ts_us, int64_t step_us)
{
    const int64_t rest = ts_us % step_us;

    return ts_us - (rest < 0 ? rest + step_us : rest);
}

static struct verify_map *recompute(const struct verify_candles *c)
{
    struct verify_map *bars = verify_map_create(sizeof(struct bar));
    char buffer[KEY_BYTES_MAX];

    for (size_t i = 0; i < c->interval_count; i++) {
        for (size_t t = 0; t < c->count; t++) {
            const struct kept *trade = &c->trades[t];

            fold(
                verify_map_put(bars, window_key(buffer, c->verify->tape.symbols[trade->symbol].name,
                                                c->intervals[i].text,
                                                floor_to(trade->ts_us, c->intervals[i].us))),
                trade);
        }
    }
    return bars;
}

static int64_t compare(struct verify_candles *c, const struct verify_map *bars)
{
    int64_t equal = 0;

    for (size_t i = 0; i < verify_map_count(bars); i++) {
        struct mr_slice key;
        const struct bar *bar = verify_map_at(bars, i, &key);
        const struct seen *seen = verify_map_get(c->seen, key);
        const char *field = seen == NULL ? "" : difference(bar, &seen->bar);

        if (seen == NULL) {
            verify_differ(c->check, "%.*s: no candle for %" PRId64 " trades", MR_SLICE_ARG(key),
                          bar->trades);
        } else if (field != NULL) {
            verify_differ(c->check, "%.*s at candles/%d@%" PRId64 " differs in %s",
                          MR_SLICE_ARG(key), seen->partition, seen->offset, field);
        } else {
            equal++;
        }
    }
    for (size_t i = 0; i < verify_map_count(c->seen); i++) {
        struct mr_slice key;
        const struct seen *seen = verify_map_at(c->seen, i, &key);

        if (verify_map_get(bars, key) == NULL) {
            verify_differ(c->check, "%.*s at candles/%d@%" PRId64 ": no trade in its window",
                          MR_SLICE_ARG(key), seen->partition, seen->offset);
        }
    }
    return equal;
}

void verify_candles_end(struct verify_candles **candles)
{
    struct verify_candles *c = *candles;
    struct verify_map *bars = recompute(c);
    struct verify_check *intervals =
        verify_check_open(c->verify->report, "candle intervals, at least one");

    verify_check_close(c->check, (int64_t)verify_map_count(bars), compare(c, bars));
    verify_check_close(intervals, 1, c->interval_count > 0 ? 1 : 0);
    verify_report_note(c->verify->report, "candles", (int64_t)verify_map_count(bars));
    verify_map_destroy(&bars);
    verify_map_destroy(&c->seen);
    free(c->trades);
    free(c);
    *candles = NULL;
}
