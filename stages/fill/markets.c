/*
 * markets.c -- the symbols of this partition: book, stops, counters, facts of the instrument.
 */
#include "engine.h"

#include <stdlib.h>

static size_t lower_bound(const struct fill *fill, struct mr_slice symbol)
{
    size_t low = 0;
    size_t high = fill->market_count;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (mr_slice_compare(market_symbol(fill->markets[mid]), symbol) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

struct market *markets_find(struct fill *fill, struct mr_slice symbol)
{
    size_t at = 0;

    /* Orders of one symbol come in runs. */
    if (fill->last_market != NULL && mr_slice_equal(market_symbol(fill->last_market), symbol)) {
        return fill->last_market;
    }
    at = lower_bound(fill, symbol);
    if (at < fill->market_count && mr_slice_equal(market_symbol(fill->markets[at]), symbol)) {
        fill->last_market = fill->markets[at];
        return fill->last_market;
    }
    return NULL;
}

struct market *markets_add(struct fill *fill, struct mr_slice symbol)
{
    const struct book_options options = {.data_bytes = sizeof(struct live)};
    const struct stop_options stop_options = {.data_bytes = sizeof(struct live)};
    const size_t at = lower_bound(fill, symbol);
    struct market *market = mr_xcalloc(1, sizeof(*market));

    MR_ASSERT(symbol.len > 0 && symbol.len <= sizeof(market->symbol));
    memcpy(market->symbol, symbol.data, symbol.len);
    market->symbol_len = symbol.len;
    market->book = book_create(&options);
    market->stops = stop_book_create(&stop_options);
    MR_ASSERT(market->book != NULL && market->stops != NULL);
    if (fill->market_count == fill->market_capacity) {
        fill->market_capacity = fill->market_capacity == 0 ? 16 : 2 * fill->market_capacity;
        fill->markets = mr_xrealloc(fill->markets, fill->market_capacity * sizeof(*fill->markets));
    }
    memmove(&fill->markets[at + 1], &fill->markets[at],
            (fill->market_count - at) * sizeof(*fill->markets));
    fill->markets[at] = market;
    fill->market_count++;
    return market;
}

void market_list(struct market *market, const struct oms_instrument *instrument)
{
    MR_ASSERT(instrument->base_asset.len > 0 && instrument->base_asset.len <= ASSET_BYTES_MAX);
    MR_ASSERT(instrument->quote_asset.len > 0 && instrument->quote_asset.len <= ASSET_BYTES_MAX);
    market->listed = true;
    market->trading = (enum instr_state)instrument->state;
    market->base_len = instrument->base_asset.len;
    market->quote_len = instrument->quote_asset.len;
    market->market_lot =
        instrument->has_market_lot_size ? instrument->market_lot_size : instrument->lot_size;
    market->has_range_up = instrument->has_range_up;
    market->has_range_down = instrument->has_range_down;
    market->range_up = instrument->range_up;
    market->range_down = instrument->range_down;
    memcpy(market->base_asset, instrument->base_asset.data, market->base_len);
    memcpy(market->quote_asset, instrument->quote_asset.data, market->quote_len);
}

void markets_fini(struct fill *fill)
{
    for (size_t i = 0; i < fill->market_count; i++) {
        book_destroy(&fill->markets[i]->book);
        stop_book_destroy(&fill->markets[i]->stops);
        heap_fini(&fill->markets[i]->expiry);
        free(fill->markets[i]);
    }
    free(fill->markets);
    fill->markets = NULL;
    fill->market_count = 0;
    fill->market_capacity = 0;
    fill->last_market = NULL;
}
