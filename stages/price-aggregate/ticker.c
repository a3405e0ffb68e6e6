/*
 * ticker.c -- the rolling 24 hours of a symbol, in minutes.
 *
 * Why: a window that moves with every trade would need every trade. 1440 minute buckets need 1440
 *      rows, and what leaves the window leaves as a whole minute.
 * How: volumes are running sums. High and low are looked for again only when a minute leaves.
 * Not: exact to the microsecond at the old end: the window is 24 hours in whole minutes, the
 *      current one included. A ticker comes with a trade, another best price, and when a minute
 *      leaves the 24 hours; vwap5m is that of its closeTs and not shown anew as it grows old.
 */
#include "avro/ticker.h"

#include "aggregate.h"
#include "domain/candle.h"

static int64_t minute_of(int64_t us)
{
    return candle_window(us, MR_MINUTE_US) / MR_MINUTE_US;
}

static int64_t first_minute(const struct aggregate *self)
{
    return minute_of(self->now_us) - (TICKER_MINUTES - 1);
}

static struct mr_slice minute_key(const struct symbol *symbol, int64_t minute, struct mr_key *key)
{
    mr_key_begin(key);
    mr_key_text(key, symbol_name(symbol));
    mr_key_i64(key, minute);
    return mr_key_slice(key);
}

static void seek_extremes(struct ticker *ticker)
{
    for (size_t i = 0; i < ticker->count; i++) {
        const struct oms_minute_bucket *bucket = &ticker->minutes[i].bucket;

        ticker->high = i == 0 || bucket->high > ticker->high ? bucket->high : ticker->high;
        ticker->low = i == 0 || bucket->low < ticker->low ? bucket->low : ticker->low;
    }
}

/* Index of the first minute that is not before `minute`: from the end, where trades are. */
static size_t lower_bound(const struct ticker *ticker, int64_t minute)
{
    size_t at = ticker->count;

    while (at > 0 && ticker->minutes[at - 1].minute >= minute) {
        at--;
    }
    return at;
}

static struct minute *insert_minute(struct ticker *ticker, size_t at)
{
    if (ticker->count == ticker->capacity) {
        ticker->capacity = ticker->capacity == 0 ? 16 : 2 * ticker->capacity;
        ticker->minutes =
            mr_xrealloc(ticker->minutes, ticker->capacity * sizeof(ticker->minutes[0]));
    }
    memmove(&ticker->minutes[at + 1], &ticker->minutes[at],
            (ticker->count - at) * sizeof(ticker->minutes[0]));
    ticker->count++;
    return &ticker->minutes[at];
}

bool ticker_load(struct ticker *ticker, int64_t minute, const struct oms_minute_bucket *bucket)
{
    struct minute *slot = NULL;

    if (!dec_add(ticker->base_volume, bucket->base_volume, &ticker->base_volume) ||
        __builtin_add_overflow(ticker->quote_volume, bucket->quote_volume, &ticker->quote_volume)) {
        return false;
    }
    slot = insert_minute(ticker, ticker->count);
    *slot = (struct minute){.bucket = *bucket, .minute = minute};
    ticker->trades += bucket->trades;
    seek_extremes(ticker);
    return true;
}

enum mr_status ticker_apply(struct aggregate *self, struct symbol *symbol,
                            const struct oms_trade *trade, struct mr_err *err)
{
    struct ticker *ticker = &symbol->ticker;
    const int64_t minute = minute_of(trade->ts_us);
    const size_t at = lower_bound(ticker, minute);
    const bool known = at < ticker->count && ticker->minutes[at].minute == minute;
    struct oms_minute_bucket bucket = {
        .open = trade->price, .high = trade->price, .low = trade->price};
    mr_i128 base = 0;
    mr_i128 quote = 0;
    struct mr_key key;

    if (minute < first_minute(self)) {
        return MR_OK; /* older than the window; its candle still counts it */
    }
    if (known) {
        bucket = ticker->minutes[at].bucket;
    }
    /* A minute is part of the total, so it fits when the total does. */
    if (!dec_add(ticker->base_volume, trade->qty, &base) ||
        !dec_add(ticker->quote_volume, trade->quote_qty, &quote)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "24 h volume overflows");
    }
    bucket.base_volume += trade->qty;
    bucket.quote_volume += trade->quote_qty;
    bucket.high = trade->price > bucket.high ? trade->price : bucket.high;
    bucket.low = trade->price < bucket.low ? trade->price : bucket.low;
    bucket.close = trade->price;
    bucket.trades++;
    MR_TRY(mr_store_put(self->minutes, minute_key(symbol, minute, &key), &bucket, err));

    ticker->high = ticker->count == 0 || trade->price > ticker->high ? trade->price : ticker->high;
    ticker->low = ticker->count == 0 || trade->price < ticker->low ? trade->price : ticker->low;
    ticker->base_volume = base;
    ticker->quote_volume = quote;
    ticker->trades++;
    if (!known) {
        (void)insert_minute(ticker, at);
    }
    ticker->minutes[at] = (struct minute){.bucket = bucket, .minute = minute};
    return MR_OK;
}

enum mr_status ticker_advance(struct aggregate *self, struct symbol *symbol, bool *changed,
                              struct mr_err *err)
{
    struct ticker *ticker = &symbol->ticker;
    size_t gone = 0;

    while (gone < ticker->count && ticker->minutes[gone].minute < first_minute(self)) {
        const struct minute *old = &ticker->minutes[gone];
        struct mr_key key;

        MR_TRY(mr_store_delete(self->minutes, minute_key(symbol, old->minute, &key), err));
        ticker->base_volume -= old->bucket.base_volume;
        ticker->quote_volume -= old->bucket.quote_volume;
        ticker->trades -= old->bucket.trades;
        gone++;
    }
    *changed = gone > 0;
    if (gone > 0) {
        memmove(ticker->minutes, ticker->minutes + gone,
                (ticker->count - gone) * sizeof(ticker->minutes[0]));
        ticker->count -= gone;
        seek_extremes(ticker);
    }
    return MR_OK;
}

int64_t ticker_due_us(const struct symbol *symbol)
{
    return symbol->ticker.count == 0
               ? AGGREGATE_NEVER_US
               : (symbol->ticker.minutes[0].minute + TICKER_MINUTES) * MR_MINUTE_US;
}

/* Of the last five minutes; false when nothing was traded in them. */
static bool recent_vwap(const struct aggregate *self, const struct ticker *ticker, mr_i128 *vwap)
{
    const int64_t first = minute_of(self->now_us) - (TICKER_RECENT_MINUTES - 1);
    mr_i128 base = 0;
    mr_i128 quote = 0;

    for (size_t i = ticker->count; i > 0 && ticker->minutes[i - 1].minute >= first; i--) {
        /* Parts of the 24 h totals, which fit. */
        base += ticker->minutes[i - 1].bucket.base_volume;
        quote += ticker->minutes[i - 1].bucket.quote_volume;
    }
    return base > 0 && dec_div(quote, base, DEC_HALF_EVEN, vwap);
}

enum mr_status ticker_emit(const struct aggregate *self, struct mr_ctx *ctx,
                           const struct symbol *symbol, int64_t ts_us, struct mr_err *err)
{
    const struct ticker *ticker = &symbol->ticker;
    const bool quiet = ticker->count == 0;
    struct oms_ticker out = {
        .symbol = symbol_name(symbol),
        .ts_us = ts_us,
        .open_ts_us = first_minute(self) * MR_MINUTE_US,
        .close_ts_us = self->now_us,
        /* Nothing traded for a day: the last price stands still. */
        .open = quiet ? symbol->last : ticker->minutes[0].bucket.open,
        .high = quiet ? symbol->last : ticker->high,
        .low = quiet ? symbol->last : ticker->low,
        .last = symbol->last,
        .base_volume = ticker->base_volume,
        .quote_volume = ticker->quote_volume,
        .trades = ticker->trades,
        .last_trade_id = symbol->last_trade_id,
        .has_best_bid = symbol->has_best[ORD_BUY],
        .best_bid = symbol->best[ORD_BUY],
        .has_best_ask = symbol->has_best[ORD_SELL],
        .best_ask = symbol->best[ORD_SELL],
    };

    out.change = out.last - out.open;
    out.has_change_percent = candle_change_percent(out.open, out.last, &out.change_percent);
    out.has_vwap = ticker->base_volume > 0 &&
                   dec_div(ticker->quote_volume, ticker->base_volume, DEC_HALF_EVEN, &out.vwap);
    out.has_vwap5m = recent_vwap(self, ticker, &out.vwap5m);
    return mr_emit(ctx, AGGREGATE_OUT_TICKERS, symbol_name(symbol), &out, err);
}
