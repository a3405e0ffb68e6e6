/*
 * candle.h -- open, high, low, close and volume of a window of trades.
 *
 * How: windows are half-open [start, start + interval) in UTC. Open is the trade with the lowest
 *      id, close the one with the highest, so the order of adding does not matter. Volumes are
 *      exact sums; VWAP is divided when it is read.
 * Why: late trades revise the window they belong to; after it was closed each one raises
 *      `revision`, so a reader knows a correction from a first version.
 */
#ifndef DOMAIN_CANDLE_H
#define DOMAIN_CANDLE_H

#include "domain/order.h"

/* The fields of CandleState. trades = 0: empty, prices without meaning. */
struct candle {
    int64_t open_us; /* start of the window */
    int64_t ts_us;   /* newest event time in it */
    dec_t open;
    dec_t high;
    dec_t low;
    dec_t close;
    dec_t base_volume;
    dec_t quote_volume;
    dec_t taker_buy_base;
    dec_t taker_buy_quote;
    int64_t trades;
    int64_t first_trade_id;
    int64_t last_trade_id;
    bool closed;
    int32_t revision;
};

struct candle_trade {
    int64_t trade_id;
    int64_t ts_us;
    dec_t price;
    dec_t qty;
    dec_t quote_qty;
    enum ord_side taker_side;
};

/* Start of the window a time falls into: floor, for times before 1970 too. interval_us > 0. */
int64_t candle_window(int64_t ts_us, int64_t interval_us);

/* An empty candle of the window that starts at open_us. */
void candle_init(struct candle *candle, int64_t open_us);

/* Adds a trade of this window; a closed candle gains a revision. False on overflow: unchanged. */
bool candle_add(struct candle *candle, const struct candle_trade *trade);

/*
 * Joins other into candle: the earlier open_us and the later ts_us stay; open and close by trade
 * id, or where ids are missing (0, minute buckets) open by open_us and close by ts_us: a bucket
 * without a time of its own sets both to its start. Commutative for parts that share no trade.
 * False on overflow: unchanged.
 */
bool candle_merge(struct candle *candle, const struct candle *other);

/* Has the window ended for a stream that has come to now_us? start + interval + grace <= now. */
bool candle_due(const struct candle *candle, int64_t interval_us, int64_t grace_us, int64_t now_us);

/* Marks it closed; true when it was open. */
bool candle_close(struct candle *candle);

/* quote / base, half-even. False when nothing was traded. */
bool candle_vwap(const struct candle *candle, dec_t *price);

/* (last - first) x 100 / first, half-even: the change of a ticker. False when first <= 0. */
bool candle_change_percent(dec_t first, dec_t last, dec_t *percent);

#endif
