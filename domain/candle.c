/*
 * candle.c -- see candle.h.
 */
#include "domain/candle.h"

int64_t candle_window(int64_t ts_us, int64_t interval_us)
{
    int64_t rest = ts_us % interval_us;
    int64_t start = 0;

    rest += rest < 0 ? interval_us : 0;
    /* The first window of representable time starts where time does. */
    return __builtin_sub_overflow(ts_us, rest, &start) ? INT64_MIN : start;
}

void candle_init(struct candle *candle, int64_t open_us)
{
    *candle = (struct candle){.open_us = open_us};
}

/* Is a's first trade before b's? Ids decide; without ids the start of the window does. */
static bool opens_before(const struct candle *a, const struct candle *b)
{
    return a->first_trade_id != b->first_trade_id ? a->first_trade_id < b->first_trade_id
                                                  : a->open_us < b->open_us;
}

/* Is a's last trade behind b's? Not by the window's start: a joined candle keeps the earliest. */
static bool closes_after(const struct candle *a, const struct candle *b)
{
    return a->last_trade_id != b->last_trade_id ? a->last_trade_id > b->last_trade_id
                                                : a->ts_us > b->ts_us;
}

static bool add_volumes(struct candle *sum, const struct candle *a, const struct candle *b)
{
    return dec_add(a->base_volume, b->base_volume, &sum->base_volume) &&
           dec_add(a->quote_volume, b->quote_volume, &sum->quote_volume) &&
           dec_add(a->taker_buy_base, b->taker_buy_base, &sum->taker_buy_base) &&
           dec_add(a->taker_buy_quote, b->taker_buy_quote, &sum->taker_buy_quote) &&
           !__builtin_add_overflow(a->trades, b->trades, &sum->trades);
}

bool candle_merge(struct candle *candle, const struct candle *other)
{
    struct candle sum = *candle;

    sum.open_us = other->open_us < candle->open_us ? other->open_us : candle->open_us;
    if (other->trades == 0) {
        candle->open_us = sum.open_us;
        return true;
    }
    if (!add_volumes(&sum, candle, other)) {
        return false;
    }
    if (candle->trades == 0 || opens_before(other, candle)) {
        sum.open = other->open;
        sum.first_trade_id = other->first_trade_id;
    }
    if (candle->trades == 0 || closes_after(other, candle)) {
        sum.close = other->close;
        sum.last_trade_id = other->last_trade_id;
    }
    sum.high = candle->trades == 0 ? other->high : dec_max(candle->high, other->high);
    sum.low = candle->trades == 0 ? other->low : dec_min(candle->low, other->low);
    sum.ts_us = candle->trades == 0 || other->ts_us > candle->ts_us ? other->ts_us : candle->ts_us;
    *candle = sum;
    return true;
}

bool candle_add(struct candle *candle, const struct candle_trade *trade)
{
    const bool buy = trade->taker_side == ORD_BUY;
    const struct candle one = {
        .open_us = candle->open_us,
        .ts_us = trade->ts_us,
        .open = trade->price,
        .high = trade->price,
        .low = trade->price,
        .close = trade->price,
        .base_volume = trade->qty,
        .quote_volume = trade->quote_qty,
        .taker_buy_base = buy ? trade->qty : 0,
        .taker_buy_quote = buy ? trade->quote_qty : 0,
        .trades = 1,
        .first_trade_id = trade->trade_id,
        .last_trade_id = trade->trade_id,
    };

    if (!candle_merge(candle, &one)) {
        return false;
    }
    candle->revision += candle->closed ? 1 : 0;
    return true;
}

bool candle_due(const struct candle *candle, int64_t interval_us, int64_t grace_us, int64_t now_us)
{
    int64_t end_us = 0;

    return !__builtin_add_overflow(candle->open_us, interval_us, &end_us) &&
           !__builtin_add_overflow(end_us, grace_us, &end_us) && end_us <= now_us;
}

bool candle_close(struct candle *candle)
{
    const bool was_open = !candle->closed;

    candle->closed = true;
    return was_open;
}

bool candle_vwap(const struct candle *candle, dec_t *price)
{
    return candle->base_volume > 0 &&
           dec_div(candle->quote_volume, candle->base_volume, DEC_HALF_EVEN, price);
}

bool candle_change_percent(dec_t first, dec_t last, dec_t *percent)
{
    dec_t change = 0;

    return first > 0 && dec_sub(last, first, &change) &&
           dec_mul_div(change, dec_of_int(100), first, DEC_HALF_EVEN, percent);
}
