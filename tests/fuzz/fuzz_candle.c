/*
 * fuzz_candle -- trades of a window, added and merged in any grouping and order.
 *
 * How: the trades are split into parts; the merge of the parts, forwards and backwards, must be
 *      the candle of all trades, and low <= open, close <= high. What does not fit changes nothing.
 */
#include "domain/candle.h"
#include "fuzz.h"

#define TRADES_MAX 48
#define PARTS 4

static bool equal(const struct candle *a, const struct candle *b)
{
    return a->open_us == b->open_us && a->ts_us == b->ts_us && a->open == b->open &&
           a->high == b->high && a->low == b->low && a->close == b->close &&
           a->base_volume == b->base_volume && a->quote_volume == b->quote_volume &&
           a->taker_buy_base == b->taker_buy_base && a->taker_buy_quote == b->taker_buy_quote &&
           a->trades == b->trades && a->first_trade_id == b->first_trade_id &&
           a->last_trade_id == b->last_trade_id && a->closed == b->closed &&
           a->revision == b->revision;
}

static void check_shape(const struct candle *candle)
{
    dec_t vwap = 0;

    if (candle->trades == 0) {
        return;
    }
    FUZZ_CHECK(candle->low <= candle->open && candle->open <= candle->high);
    FUZZ_CHECK(candle->low <= candle->close && candle->close <= candle->high);
    FUZZ_CHECK(candle->first_trade_id <= candle->last_trade_id);
    FUZZ_CHECK(candle->taker_buy_base <= candle->base_volume);
    FUZZ_CHECK(candle_vwap(candle, &vwap) || candle->base_volume <= 0 ||
               candle->quote_volume > DEC_ONE);
}

/* Adds it, or finds the candle untouched. */
static bool add(struct candle *candle, const struct candle_trade *trade)
{
    const struct candle before = *candle;

    if (candle_add(candle, trade)) {
        return true;
    }
    FUZZ_CHECK(equal(candle, &before));
    return false;
}

static void merge(struct candle *sum, const struct candle *part, bool *fits)
{
    const struct candle before = *sum;

    if (!candle_merge(sum, part)) {
        FUZZ_CHECK(equal(sum, &before));
        *fits = false;
    }
}

static void windows(struct fuzz_input *in)
{
    const int64_t ts_us = (int64_t)fuzz_bytes(in, 8);
    const int64_t interval_us = 1 + (int64_t)(fuzz_bytes(in, 8) >> 1) % INT64_C(86400000000);
    const int64_t start = candle_window(ts_us, interval_us);

    FUZZ_CHECK(start <= ts_us);
    FUZZ_CHECK(start == INT64_MIN || (start % interval_us == 0 && ts_us - start < interval_us));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {.at = data, .left = size};
    struct candle all;
    struct candle parts[PARTS];
    bool fits = true;

    windows(&in);
    candle_init(&all, 1000);
    for (int i = 0; i < PARTS; i++) {
        candle_init(&parts[i], 1000);
    }
    for (int64_t i = 0; i < TRADES_MAX && in.left > 0; i++) {
        const uint8_t where = fuzz_byte(&in);
        const dec_t qty = fuzz_amount(&in);
        /* Ids differ and come in any order; times follow the ids. */
        const int64_t id = 1 + (i * 17 + where / PARTS) % 64 * TRADES_MAX + i;
        const struct candle_trade trade = {
            .trade_id = id,
            .ts_us = 1000 + id,
            .price = 1 + (dec_t)fuzz_bytes(&in, 3) * (DEC_ONE / 100),
            .qty = qty < 0 ? -qty : qty,
            .quote_qty = (dec_t)fuzz_bytes(&in, 8),
            .taker_side = (where & 0x80) != 0 ? ORD_BUY : ORD_SELL,
        };
        fits = add(&parts[where % PARTS], &trade) && fits;
        fits = add(&all, &trade) && fits;
        check_shape(&all);
    }
    struct candle forwards = parts[0];
    struct candle backwards = parts[PARTS - 1];
    for (int i = 1; i < PARTS; i++) {
        merge(&forwards, &parts[i], &fits);
        merge(&backwards, &parts[PARTS - 1 - i], &fits);
    }
    if (fits) {
        FUZZ_CHECK(equal(&forwards, &all));
        FUZZ_CHECK(equal(&backwards, &all));
    }
    return 0;
}
