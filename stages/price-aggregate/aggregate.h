/*
 * aggregate.h -- what the files of price-aggregate share: its state, windows and the ticker.
 *
 *   price_aggregate.c   table, options, one trade, time
 *   windows.c           candles: which windows exist, when they close, when they are forgotten
 *   ticker.c            the rolling 24 hours in minute buckets
 *   best.c              best bid and ask
 *   symbols.c           symbols in memory, rebuilt from the stores
 *
 * The stores are the truth. In memory stand only indexes and sums that make an event cheap: the
 * starts of the windows that are kept, and the minute buckets with their totals.
 */
#ifndef MILLRACE_STAGES_AGGREGATE_H
#define MILLRACE_STAGES_AGGREGATE_H

#include "avro/book_snapshot.h"
#include "avro/candle_state.h"
#include "avro/minute_bucket.h"
#include "avro/trade.h"
#include "millrace/stage.h"

#define AGGREGATE_MAGIC UINT32_C(0x9a66e047)
#define AGGREGATE_SYMBOL_BYTES_MAX ((size_t)64)
#define AGGREGATE_NEVER_US INT64_MAX
/* The last microsecond of the year 9999: event times beyond it are nonsense, and sums stay small.
 */
#define AGGREGATE_EVENT_US_MAX INT64_C(253402300799999999)
#define TICKER_MINUTES INT64_C(1440)
/* Of Ticker.vwap5m. */
#define TICKER_RECENT_MINUTES INT64_C(5)

enum aggregate_in { AGGREGATE_IN_TRADES, AGGREGATE_IN_BOOK };
enum aggregate_out { AGGREGATE_OUT_CANDLES, AGGREGATE_OUT_TICKERS };
enum aggregate_store { AGGREGATE_CANDLES, AGGREGATE_MINUTES, AGGREGATE_PRICES };

/* Starts of the windows in store `candles`, ascending; the first closed_count are closed. */
struct window_list {
    int64_t *starts_us;
    size_t count;
    size_t capacity;
    size_t closed_count;
};

/* A MinuteBucket and where it stands. */
struct minute {
    struct oms_minute_bucket bucket;
    int64_t minute; /* since the epoch */
};

/* The minutes of the last 24 hours that saw a trade, ascending, and their totals. */
struct ticker {
    struct minute *minutes;
    size_t count;
    size_t capacity;
    mr_i128 base_volume;
    mr_i128 quote_volume;
    mr_i128 high;
    mr_i128 low;
    int64_t trades;
};

struct symbol {
    uint8_t name[AGGREGATE_SYMBOL_BYTES_MAX];
    size_t name_len;
    int64_t last_trade_id; /* 0: none yet */
    int64_t last_us;       /* largest event time of a trade */
    mr_i128 last;          /* price of the newest trade */
    mr_i128 best[2];       /* by enum ord_side */
    bool has_best[2];
    int64_t book_seq; /* of the snapshot that last changed them */
    struct window_list windows[MR_DURATIONS_MAX];
    struct ticker ticker;
};

struct aggregate {
    uint32_t magic;
    bool stale; /* a callback failed half-way and nothing has reloaded since */
    struct mr_durations intervals;
    int64_t grace_us;
    int64_t retention_us;
    char interval_names[MR_DURATIONS_MAX][64];
    struct mr_store *candles;
    struct mr_store *minutes;
    struct mr_store *prices;
    struct mr_counter *duplicates;
    struct mr_counter *revisions;
    struct mr_counter *dropped;
    struct mr_counter *books_ignored;
    struct symbol **symbols; /* ascending by name, so that time passes in the same order always */
    size_t symbol_count;
    size_t symbol_capacity;
    int64_t loaded_us; /* time was there at least, say the stores */
    int64_t now_us;    /* of the callback: stream time, or the record's own */
    int64_t due_us;    /* nothing closes, is forgotten or leaves the 24 hours before this time */
};

static inline struct mr_slice symbol_name(const struct symbol *symbol)
{
    return mr_slice_of(symbol->name, symbol->name_len);
}

/*
 * price_aggregate.c: lets time pass up to now_us: closes, forgets, and shows tickers that lost
 * minutes.
 */
MR_NODISCARD enum mr_status aggregate_advance(struct aggregate *self, struct mr_ctx *ctx,
                                              int64_t now_us, struct mr_err *err);
/* May the text be a symbol of this record? */
bool aggregate_symbol_fits(struct mr_slice name, const struct mr_record *record);

/*
 * best.c: the best levels of a snapshot into the ticker. What cannot be a book is counted and
 * ignored: it comes while a transaction ends, where nothing can be refused.
 */
MR_NODISCARD enum mr_status best_apply(struct aggregate *self, struct mr_ctx *ctx,
                                       const struct mr_record *record, struct mr_err *err);

/* symbols.c: NULL when absent. */
struct symbol *symbols_find(const struct aggregate *self, struct mr_slice name);
struct symbol *symbols_add(struct aggregate *self, struct mr_slice name);
void symbols_clear(struct aggregate *self);
/* The symbol's row in store `prices`. */
MR_NODISCARD enum mr_status symbols_put(struct aggregate *self, const struct symbol *symbol,
                                        struct mr_err *err);
/* Memory equal to the stores. MR_STORE_IO | MR_CORRUPT. */
MR_NODISCARD enum mr_status symbols_load(struct aggregate *self, struct mr_err *err);

/*
 * windows.c
 * window_apply: the trade into the candle of interval `index`; store and emit.
 * MR_OUT_OF_RANGE (volume overflows) before anything is written.
 */
MR_NODISCARD enum mr_status window_apply(struct aggregate *self, struct mr_ctx *ctx,
                                         struct symbol *symbol, size_t index,
                                         const struct oms_trade *trade, struct mr_err *err);
/* Closes and forgets what now_us asks for. */
MR_NODISCARD enum mr_status windows_advance(struct aggregate *self, struct mr_ctx *ctx,
                                            struct symbol *symbol, struct mr_err *err);
/* Earliest time at which windows_advance has something to do. */
int64_t windows_due_us(const struct aggregate *self, const struct symbol *symbol);
void window_list_insert(struct window_list *list, int64_t start_us, bool closed);

/*
 * ticker.c
 * ticker_apply: the trade into its minute; MR_OUT_OF_RANGE before anything is written.
 */
MR_NODISCARD enum mr_status ticker_apply(struct aggregate *self, struct symbol *symbol,
                                         const struct oms_trade *trade, struct mr_err *err);
/* Drops minutes that left the 24 hours; *changed says whether there were any. */
MR_NODISCARD enum mr_status ticker_advance(struct aggregate *self, struct symbol *symbol,
                                           bool *changed, struct mr_err *err);
MR_NODISCARD enum mr_status ticker_emit(const struct aggregate *self, struct mr_ctx *ctx,
                                        const struct symbol *symbol, int64_t ts_us,
                                        struct mr_err *err);
int64_t ticker_due_us(const struct symbol *symbol);
/* A stored minute into memory, in ascending order. False: the totals overflow. */
bool ticker_load(struct ticker *ticker, int64_t minute, const struct oms_minute_bucket *bucket);

#endif
