/*
 * price_aggregate.c -- candles of every interval and a rolling 24 hour ticker from trades.
 *
 * Why: clients draw candles; deriving them from the trade tape in one place, exactly once, gives
 *      everyone the same ones, and a late trade corrects them visibly.
 * How: one trade updates one window per interval and one minute bucket. Time is the largest event
 *      time seen, moved on by a stream timer when a symbol is quiet; it closes windows `grace`
 *      after their end and lets minutes leave the ticker.
 *      Trade ids of a symbol rise without gaps, so an id that is not above the last one is a copy.
 *      The optional book gives the ticker best bid and ask.
 * Not: proration of the oldest minute of the ticker; candles of empty windows.
 */
#include "price_aggregate.h"

#include "aggregate.h"
#include "avro/candle.h"
#include "avro/price_state.h"
#include "avro/ticker.h"

#include <stdlib.h>

static const struct mr_port in_ports[] = {
    [AGGREGATE_IN_TRADES] = {.name = "trades",
                             .schema = &oms_trade_schema,
                             .help = "matches, keyed by symbol"},
    [AGGREGATE_IN_BOOK] = {.name = "book",
                           .schema = &oms_book_snapshot_schema,
                           .flags = MR_PORT_OPTIONAL,
                           .help = "books, keyed by symbol: best bid and ask of the tickers"},
};

static const struct mr_port out_ports[] = {
    [AGGREGATE_OUT_CANDLES] = {.name = "candles",
                               .schema = &oms_candle_schema,
                               .flags = MR_PORT_LATEST,
                               .help = "one record per candle and change, by symbol"},
    [AGGREGATE_OUT_TICKERS] = {.name = "tickers",
                               .schema = &oms_ticker_schema,
                               .flags = MR_PORT_LATEST,
                               .help = "the last 24 hours of a symbol"},
};

static const struct mr_store_spec stores[] = {
    [AGGREGATE_CANDLES] = {.name = "candles",
                           .schema = &oms_candle_state_schema,
                           .help = "symbol, interval, start of the window"},
    [AGGREGATE_MINUTES] = {.name = "minutes",
                           .schema = &oms_minute_bucket_schema,
                           .help = "symbol, minute since the epoch"},
    [AGGREGATE_PRICES] = {.name = "prices", .schema = &oms_price_state_schema, .help = "symbol"},
};

static const struct mr_option options[] = {
    {.name = "intervals",
     .type = MR_OPTION_DURATIONS,
     .offset = offsetof(struct aggregate, intervals),
     .fallback = "1m,5m",
     .min = MR_SECOND_US,
     .max = 7 * MR_DAY_US,
     .help = "lengths of the candles; windows are aligned to the epoch, UTC"},
    {.name = "grace",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct aggregate, grace_us),
     .fallback = "2s",
     .min = 0,
     .max = MR_HOUR_US,
     .help = "how long after its end a candle stays open for late trades"},
    {.name = "retention",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct aggregate, retention_us),
     .fallback = "24h",
     .min = MR_MINUTE_US,
     .max = 30 * MR_DAY_US,
     .help = "how long a closed candle can still be revised by a late trade"},
};

static enum mr_status aggregate_init(void *state, struct mr_ctx *ctx, struct mr_err *err)
{
    struct aggregate *self = state;
    size_t timer = 0;

    self->magic = AGGREGATE_MAGIC;
    if (self->intervals.count == 0) {
        return mr_fail(err, MR_CONFIG, "option intervals is empty");
    }
    for (size_t i = 0; i < self->intervals.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (self->intervals.us[k] == self->intervals.us[i]) {
                return mr_fail(err, MR_CONFIG, "option intervals names one length twice");
            }
        }
        (void)mr_format_duration(self->intervals.us[i], self->interval_names[i],
                                 sizeof(self->interval_names[i]));
    }
    self->candles = mr_ctx_store(ctx, AGGREGATE_CANDLES);
    self->minutes = mr_ctx_store(ctx, AGGREGATE_MINUTES);
    self->prices = mr_ctx_store(ctx, AGGREGATE_PRICES);
    self->duplicates = mr_ctx_counter(ctx, "trades_duplicate_total");
    self->revisions = mr_ctx_counter(ctx, "candles_revised_total");
    self->dropped = mr_ctx_counter(ctx, "candles_too_late_total");
    self->books_ignored = mr_ctx_counter(ctx, "books_ignored_total");
    self->loaded_us = INT64_MIN;
    mr_ctx_schedule(ctx, MR_STREAM_TIME, MR_SECOND_US, &timer);
    return MR_OK;
}

static enum mr_status aggregate_reload(void *state, struct mr_ctx *ctx, struct mr_err *err)
{
    struct aggregate *self = MR_SELF(struct aggregate, state, AGGREGATE_MAGIC);

    (void)ctx;
    MR_TRY(symbols_load(self, err));
    self->stale = false;
    return MR_OK;
}

/*
 * The task's stream time counts too, which survives a restart and goes back with an abort: what
 * this instance has seen itself would not.
 */
enum mr_status aggregate_advance(struct aggregate *self, struct mr_ctx *ctx, int64_t now_us,
                                 struct mr_err *err)
{
    const int64_t stream_us = mr_ctx_stream_time_us(ctx);
    int64_t due_us = AGGREGATE_NEVER_US;

    self->now_us = now_us > stream_us ? now_us : stream_us;
    self->now_us = self->now_us > self->loaded_us ? self->now_us : self->loaded_us;
    if (self->now_us < self->due_us) {
        return MR_OK;
    }
    for (size_t i = 0; i < self->symbol_count; i++) {
        struct symbol *symbol = self->symbols[i];
        const int64_t ticker_us = ticker_due_us(symbol);
        bool changed = false;

        if (ticker_us <= self->now_us) {
            MR_TRY(ticker_advance(self, symbol, &changed, err));
        }
        if (changed) {
            MR_TRY(ticker_emit(self, ctx, symbol, self->now_us, err));
        }
        MR_TRY(windows_advance(self, ctx, symbol, err));
        due_us = windows_due_us(self, symbol) < due_us ? windows_due_us(self, symbol) : due_us;
        due_us = ticker_due_us(symbol) < due_us ? ticker_due_us(symbol) : due_us;
    }
    self->due_us = due_us;
    return MR_OK;
}

bool aggregate_symbol_fits(struct mr_slice name, const struct mr_record *record)
{
    return name.len > 0 && name.len <= AGGREGATE_SYMBOL_BYTES_MAX &&
           memchr(name.data, 0, name.len) == NULL && mr_slice_equal(name, record->key);
}

static enum mr_status check(const struct oms_trade *trade, const struct mr_record *record,
                            struct mr_err *err)
{
    if (!aggregate_symbol_fits(trade->symbol, record)) {
        return mr_fail(err, MR_MALFORMED, "symbol of a trade is not its key");
    }
    if (trade->trade_id <= 0 || trade->price <= 0 || trade->qty <= 0 || trade->quote_qty < 0) {
        return mr_fail(err, MR_MALFORMED, "trade without id, price or quantity");
    }
    if (trade->ts_us < 0 || trade->ts_us > AGGREGATE_EVENT_US_MAX) {
        return mr_fail(err, MR_OUT_OF_RANGE, "time of a trade is not between 1970 and 9999");
    }
    return MR_OK;
}

static enum mr_status apply(struct aggregate *self, struct mr_ctx *ctx, struct symbol *symbol,
                            const struct oms_trade *trade, struct mr_err *err)
{
    for (size_t i = 0; i < self->intervals.count; i++) {
        MR_TRY(window_apply(self, ctx, symbol, i, trade, err));
    }
    MR_TRY(ticker_apply(self, symbol, trade, err));
    symbol->last_trade_id = trade->trade_id;
    symbol->last = trade->price;
    symbol->last_us = trade->ts_us > symbol->last_us ? trade->ts_us : symbol->last_us;
    MR_TRY(symbols_put(self, symbol, err));
    return ticker_emit(self, ctx, symbol, trade->ts_us, err);
}

static enum mr_status aggregate_process(void *state, struct mr_ctx *ctx, size_t port,
                                        const struct mr_record *record, struct mr_err *err)
{
    struct aggregate *self = MR_SELF(struct aggregate, state, AGGREGATE_MAGIC);
    const struct oms_trade *trade = record->value;
    struct symbol *symbol = NULL;

    if (port == AGGREGATE_IN_TRADES) {
        MR_TRY(check(trade, record, err));
    }
    if (self->stale) {
        MR_TRY(aggregate_reload(self, ctx, err));
    }
    if (port == AGGREGATE_IN_BOOK) {
        return best_apply(self, ctx, record, err);
    }
    symbol = symbols_find(self, trade->symbol);
    if (symbol != NULL && trade->trade_id <= symbol->last_trade_id) {
        mr_counter_add(self->duplicates, 1);
        return MR_OK;
    }
    self->stale = true;
    MR_TRY(aggregate_advance(self, ctx, trade->ts_us, err));
    if (symbol == NULL) {
        symbol = symbols_add(self, trade->symbol);
        symbol->last_us = trade->ts_us;
    }
    MR_TRY(apply(self, ctx, symbol, trade, err));
    /* The trade may have opened what falls due before anything known so far. */
    if (windows_due_us(self, symbol) < self->due_us) {
        self->due_us = windows_due_us(self, symbol);
    }
    if (ticker_due_us(symbol) < self->due_us) {
        self->due_us = ticker_due_us(symbol);
    }
    self->stale = false;
    return MR_OK;
}

static enum mr_status aggregate_punctuate(void *state, struct mr_ctx *ctx, size_t timer,
                                          int64_t now_us, struct mr_err *err)
{
    struct aggregate *self = MR_SELF(struct aggregate, state, AGGREGATE_MAGIC);

    (void)timer;
    if (self->stale) {
        MR_TRY(aggregate_reload(self, ctx, err));
    }
    self->stale = true;
    MR_TRY(aggregate_advance(self, ctx, now_us, err));
    self->stale = false;
    return MR_OK;
}

static void aggregate_fini(void *state)
{
    struct aggregate *self = state;

    symbols_clear(self);
    free(self->symbols);
    self->symbols = NULL;
}

const struct mr_stage price_aggregate_stage = {
    .name = "price-aggregate",
    .help = "candles and 24 hour tickers from trades; late trades revise their candle",
    .state_size = sizeof(struct aggregate),
    .in = in_ports,
    .in_count = MR_COUNT(in_ports),
    .out = out_ports,
    .out_count = MR_COUNT(out_ports),
    .stores = stores,
    .store_count = MR_COUNT(stores),
    .options = options,
    .option_count = MR_COUNT(options),
    .init = aggregate_init,
    .reload = aggregate_reload,
    .process = aggregate_process,
    .punctuate = aggregate_punctuate,
    .fini = aggregate_fini,
};
