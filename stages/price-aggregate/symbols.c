/*
 * symbols.c -- the symbols of this partition in memory, and how they come back from the stores.
 *
 * How: three scans, each in key order, so windows and minutes arrive ascending.
 */
#include "aggregate.h"
#include "avro/price_state.h"
#include "domain/order.h"

#include <stdlib.h>

static size_t lower_bound(const struct aggregate *self, struct mr_slice name)
{
    size_t low = 0;
    size_t high = self->symbol_count;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (mr_slice_compare(symbol_name(self->symbols[mid]), name) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

struct symbol *symbols_find(const struct aggregate *self, struct mr_slice name)
{
    const size_t at = lower_bound(self, name);

    if (at < self->symbol_count && mr_slice_equal(symbol_name(self->symbols[at]), name)) {
        return self->symbols[at];
    }
    return NULL;
}

struct symbol *symbols_add(struct aggregate *self, struct mr_slice name)
{
    const size_t at = lower_bound(self, name);
    struct symbol *symbol = mr_xcalloc(1, sizeof(*symbol));

    MR_ASSERT(name.len > 0 && name.len <= sizeof(symbol->name));
    memcpy(symbol->name, name.data, name.len);
    symbol->name_len = name.len;
    if (self->symbol_count == self->symbol_capacity) {
        self->symbol_capacity = self->symbol_capacity == 0 ? 16 : 2 * self->symbol_capacity;
        self->symbols =
            mr_xrealloc(self->symbols, self->symbol_capacity * sizeof(self->symbols[0]));
    }
    memmove(&self->symbols[at + 1], &self->symbols[at],
            (self->symbol_count - at) * sizeof(self->symbols[0]));
    self->symbols[at] = symbol;
    self->symbol_count++;
    return symbol;
}

void symbols_clear(struct aggregate *self)
{
    for (size_t i = 0; i < self->symbol_count; i++) {
        struct symbol *symbol = self->symbols[i];

        for (size_t k = 0; k < MR_COUNT(symbol->windows); k++) {
            free(symbol->windows[k].starts_us);
        }
        free(symbol->ticker.minutes);
        free(symbol);
    }
    self->symbol_count = 0;
}

enum mr_status symbols_put(struct aggregate *self, const struct symbol *symbol, struct mr_err *err)
{
    const struct oms_price_state price = {.last_trade_id = symbol->last_trade_id,
                                          .last_ts_us = symbol->last_us,
                                          .last = symbol->last,
                                          .has_best_bid = symbol->has_best[ORD_BUY],
                                          .best_bid = symbol->best[ORD_BUY],
                                          .has_best_ask = symbol->has_best[ORD_SELL],
                                          .best_ask = symbol->best[ORD_SELL],
                                          .book_seq = symbol->book_seq};
    struct mr_key key;

    mr_key_begin(&key);
    mr_key_text(&key, symbol_name(symbol));
    return mr_store_put(self->prices, mr_key_slice(&key), &price, err);
}

struct load {
    struct aggregate *self;
    bool corrupt;
};

/* The text part of a composite key that starts at *at; moves *at behind it. */
static bool key_text(struct mr_slice key, size_t *at, struct mr_slice *text)
{
    const uint8_t *start = key.data + *at;
    const uint8_t *end = memchr(start, 0, key.len - *at);

    if (end == NULL) {
        return false;
    }
    *text = mr_slice_of(start, (size_t)(end - start));
    *at += text->len + 1;
    return true;
}

static int64_t key_i64(const uint8_t *bytes)
{
    uint64_t ordered = 0;

    for (size_t i = 0; i < sizeof(ordered); i++) {
        ordered = ordered << 8 | bytes[i];
    }
    return (int64_t)(ordered ^ (UINT64_C(1) << 63));
}

static bool load_price(void *arg, struct mr_slice key, const void *value)
{
    struct load *load = arg;
    const struct oms_price_state *state = value;
    struct mr_slice name = {0};
    struct symbol *symbol = NULL;
    size_t at = 0;

    if (!key_text(key, &at, &name) || name.len == 0 || name.len > AGGREGATE_SYMBOL_BYTES_MAX) {
        load->corrupt = true;
        return false;
    }
    symbol = symbols_add(load->self, name);
    symbol->last_trade_id = state->last_trade_id;
    symbol->last_us = state->last_ts_us;
    symbol->last = state->last;
    symbol->has_best[ORD_BUY] = state->has_best_bid;
    symbol->best[ORD_BUY] = state->has_best_bid ? state->best_bid : 0;
    symbol->has_best[ORD_SELL] = state->has_best_ask;
    symbol->best[ORD_SELL] = state->has_best_ask ? state->best_ask : 0;
    symbol->book_seq = state->book_seq;
    if (symbol->last_us > load->self->loaded_us) {
        load->self->loaded_us = symbol->last_us;
    }
    return true;
}

static bool load_candle(void *arg, struct mr_slice key, const void *value)
{
    struct load *load = arg;
    struct aggregate *self = load->self;
    const struct oms_candle_state *state = value;
    struct mr_slice name = {0};
    struct mr_slice interval = {0};
    struct symbol *symbol = NULL;
    size_t at = 0;

    if (!key_text(key, &at, &name) || !key_text(key, &at, &interval) ||
        (symbol = symbols_find(self, name)) == NULL) {
        load->corrupt = true;
        return false;
    }
    for (size_t i = 0; i < self->intervals.count; i++) {
        if (mr_slice_equal(interval, mr_slice_str(self->interval_names[i]))) {
            const int64_t closed_us = state->open_ts_us + self->intervals.us[i] + self->grace_us;

            window_list_insert(&symbol->windows[i], state->open_ts_us, state->closed);
            /* A timer may have closed it: time has been there, and closed windows are a prefix. */
            if (state->closed && closed_us > self->loaded_us) {
                self->loaded_us = closed_us;
            }
        }
    }
    return true;
}

static bool load_minute(void *arg, struct mr_slice key, const void *value)
{
    struct load *load = arg;
    struct mr_slice name = {0};
    struct symbol *symbol = NULL;
    size_t at = 0;

    load->corrupt = true;
    if (!key_text(key, &at, &name) || key.len - at != sizeof(int64_t) ||
        (symbol = symbols_find(load->self, name)) == NULL ||
        !ticker_load(&symbol->ticker, key_i64(key.data + at), value)) {
        return false;
    }
    load->corrupt = false;
    return true;
}

enum mr_status symbols_load(struct aggregate *self, struct mr_err *err)
{
    const struct mr_slice all = {0};
    struct load load = {.self = self};

    symbols_clear(self);
    self->loaded_us = INT64_MIN;
    self->due_us = INT64_MIN; /* look at everything on the next occasion */
    MR_TRY(mr_store_scan(self->prices, all, all, load_price, &load, err));
    if (!load.corrupt) {
        MR_TRY(mr_store_scan(self->candles, all, all, load_candle, &load, err));
    }
    if (!load.corrupt) {
        MR_TRY(mr_store_scan(self->minutes, all, all, load_minute, &load, err));
    }
    if (load.corrupt) {
        return mr_fail(err, MR_CORRUPT, "stores of price-aggregate contradict each other");
    }
    return MR_OK;
}
