/*
 * windows.c -- candles: one state per symbol, interval and window start.
 *
 * Why: trades come in the order of their ids, but their event times may step back. A window stays
 *      open until `grace` after its end; later trades revise it, and a consumer sees that by the
 *      revision. After `retention` the state goes and such a trade is counted as dropped.
 * How: the starts of the kept windows stand in memory, ascending; the closed ones are a prefix,
 *      because time only moves on. So closing and forgetting touch exactly the windows concerned.
 * Not: a candle for a window without trades; readers fill gaps from the previous close.
 */
#include "aggregate.h"
#include "avro/candle.h"
#include "domain/candle.h"

#define TOPIC_KEY_BYTES_MAX (AGGREGATE_SYMBOL_BYTES_MAX + 96)

#include <stdlib.h>

static size_t lower_bound(const struct window_list *list, int64_t start_us)
{
    size_t low = 0;
    size_t high = list->count;

    /* Nearly every trade is in the newest window or after it. */
    if (high > 0 && list->starts_us[high - 1] < start_us) {
        return high;
    }
    if (high > 0 && list->starts_us[high - 1] == start_us) {
        return high - 1;
    }
    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (list->starts_us[mid] < start_us) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

void window_list_insert(struct window_list *list, int64_t start_us, bool closed)
{
    const size_t at = lower_bound(list, start_us);

    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        list->starts_us = mr_xrealloc(list->starts_us, list->capacity * sizeof(int64_t));
    }
    memmove(&list->starts_us[at + 1], &list->starts_us[at],
            (list->count - at) * sizeof(list->starts_us[0]));
    list->starts_us[at] = start_us;
    list->count++;
    list->closed_count += closed;
}

static void drop_oldest(struct window_list *list, size_t count)
{
    memmove(list->starts_us, list->starts_us + count,
            (list->count - count) * sizeof(list->starts_us[0]));
    list->count -= count;
    list->closed_count -= count;
}

static int64_t close_us(const struct aggregate *self, size_t index, int64_t start_us)
{
    return start_us + self->intervals.us[index] + self->grace_us;
}

static struct mr_slice state_key(const struct aggregate *self, const struct symbol *symbol,
                                 size_t index, int64_t start_us, struct mr_key *key)
{
    mr_key_begin(key);
    mr_key_text(key, symbol_name(symbol));
    mr_key_text(key, mr_slice_str(self->interval_names[index]));
    mr_key_i64(key, start_us);
    return mr_key_slice(key);
}

/* Text of a non-negative number at the end of `buffer`; returns its first character. */
static char *digits_before(char *end, int64_t number)
{
    uint64_t rest = (uint64_t)number;

    do {
        *--end = (char)('0' + (char)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    return end;
}

/* symbol ":" interval ":" start: one candle, one key. */
static struct mr_slice topic_key(const struct aggregate *self, const struct symbol *symbol,
                                 size_t index, int64_t start_us, uint8_t *buffer)
{
    const char *interval = self->interval_names[index];
    const size_t interval_len = strlen(interval);
    char digits[24];
    const char *first = digits_before(digits + sizeof(digits), start_us);
    const size_t digit_count = (size_t)(digits + sizeof(digits) - first);
    size_t len = 0;

    memcpy(buffer, symbol->name, symbol->name_len);
    len = symbol->name_len;
    buffer[len++] = ':';
    memcpy(buffer + len, interval, interval_len);
    len += interval_len;
    buffer[len++] = ':';
    memcpy(buffer + len, first, digit_count);
    return mr_slice_of(buffer, len + digit_count);
}

static struct candle candle_of(const struct oms_candle_state *state)
{
    return (struct candle){
        .open_us = state->open_ts_us,
        .ts_us = state->ts_us,
        .open = state->open,
        .high = state->high,
        .low = state->low,
        .close = state->close,
        .base_volume = state->base_volume,
        .quote_volume = state->quote_volume,
        .taker_buy_base = state->taker_buy_base,
        .taker_buy_quote = state->taker_buy_quote,
        .trades = state->trades,
        .first_trade_id = state->first_trade_id,
        .last_trade_id = state->last_trade_id,
        .closed = state->closed,
        .revision = state->revision,
    };
}

static struct oms_candle_state state_of(const struct candle *candle)
{
    return (struct oms_candle_state){
        .open_ts_us = candle->open_us,
        .ts_us = candle->ts_us,
        .open = candle->open,
        .high = candle->high,
        .low = candle->low,
        .close = candle->close,
        .base_volume = candle->base_volume,
        .quote_volume = candle->quote_volume,
        .taker_buy_base = candle->taker_buy_base,
        .taker_buy_quote = candle->taker_buy_quote,
        .trades = candle->trades,
        .first_trade_id = candle->first_trade_id,
        .last_trade_id = candle->last_trade_id,
        .closed = candle->closed,
        .revision = candle->revision,
    };
}

/* Into the store and out to the topic. */
static enum mr_status put_candle(struct aggregate *self, struct mr_ctx *ctx,
                                 const struct symbol *symbol, size_t index,
                                 const struct candle *candle, struct mr_err *err)
{
    const struct oms_candle_state state = state_of(candle);
    uint8_t topic_bytes[TOPIC_KEY_BYTES_MAX];
    struct mr_key key;
    struct oms_candle out = {
        .symbol = symbol_name(symbol),
        .interval = mr_slice_str(self->interval_names[index]),
        .open_ts_us = candle->open_us,
        .close_ts_us = candle->open_us + self->intervals.us[index] - 1,
        .ts_us = candle->ts_us,
        .open = candle->open,
        .high = candle->high,
        .low = candle->low,
        .close = candle->close,
        .base_volume = candle->base_volume,
        .quote_volume = candle->quote_volume,
        .taker_buy_base = candle->taker_buy_base,
        .taker_buy_quote = candle->taker_buy_quote,
        .trades = candle->trades,
        .first_trade_id = candle->first_trade_id,
        .last_trade_id = candle->last_trade_id,
        .closed = candle->closed,
        .revision = candle->revision,
    };

    out.has_vwap = candle_vwap(candle, &out.vwap);
    MR_TRY(mr_store_put(self->candles, state_key(self, symbol, index, candle->open_us, &key),
                        &state, err));
    return mr_emit_by(ctx, AGGREGATE_OUT_CANDLES, symbol_name(symbol),
                      topic_key(self, symbol, index, candle->open_us, topic_bytes), &out, err);
}

/* A window that stands in the list is in the store. */
static enum mr_status get_candle(struct aggregate *self, const struct symbol *symbol, size_t index,
                                 int64_t start_us, struct candle *candle, struct mr_err *err)
{
    struct oms_candle_state state;
    struct mr_key key;
    bool found = false;

    MR_TRY(mr_store_get(self->candles, state_key(self, symbol, index, start_us, &key), &state,
                        &found, err));
    if (!found) {
        return mr_fail(err, MR_CORRUPT, "a window that is known in memory is not in the store");
    }
    *candle = candle_of(&state);
    return MR_OK;
}

enum mr_status window_apply(struct aggregate *self, struct mr_ctx *ctx, struct symbol *symbol,
                            size_t index, const struct oms_trade *trade, struct mr_err *err)
{
    const struct candle_trade added = {
        .trade_id = trade->trade_id,
        .ts_us = trade->ts_us,
        .price = trade->price,
        .qty = trade->qty,
        .quote_qty = trade->quote_qty,
        .taker_side = (enum ord_side)trade->taker_side,
    };
    struct window_list *list = &symbol->windows[index];
    const int64_t start_us = candle_window(trade->ts_us, self->intervals.us[index]);
    const size_t at = lower_bound(list, start_us);
    const bool known = at < list->count && list->starts_us[at] == start_us;
    struct candle candle;

    if (close_us(self, index, start_us) + self->retention_us <= self->now_us) {
        mr_counter_add(self->dropped, 1);
        return MR_OK;
    }
    if (known) {
        MR_TRY(get_candle(self, symbol, index, start_us, &candle, err));
    } else {
        candle_init(&candle, start_us);
    }
    if (candle.closed) {
        mr_counter_add(self->revisions, 1);
    }
    if (!candle_add(&candle, &added)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "volume of a candle is out of range");
    }
    /* The first trade of a window that is over already: its candle was never open to anybody. */
    if (!known && close_us(self, index, start_us) <= self->now_us) {
        (void)candle_close(&candle);
    }
    MR_TRY(put_candle(self, ctx, symbol, index, &candle, err));
    if (!known) {
        window_list_insert(list, start_us, candle.closed);
    }
    return MR_OK;
}

static enum mr_status close_window(struct aggregate *self, struct mr_ctx *ctx,
                                   struct symbol *symbol, size_t index, struct mr_err *err)
{
    struct window_list *list = &symbol->windows[index];
    struct candle candle;

    MR_TRY(get_candle(self, symbol, index, list->starts_us[list->closed_count], &candle, err));
    (void)candle_close(&candle);
    MR_TRY(put_candle(self, ctx, symbol, index, &candle, err));
    list->closed_count++;
    return MR_OK;
}

enum mr_status windows_advance(struct aggregate *self, struct mr_ctx *ctx, struct symbol *symbol,
                               struct mr_err *err)
{
    for (size_t i = 0; i < self->intervals.count; i++) {
        struct window_list *list = &symbol->windows[i];
        size_t forgotten = 0;

        while (list->closed_count < list->count &&
               close_us(self, i, list->starts_us[list->closed_count]) <= self->now_us) {
            MR_TRY(close_window(self, ctx, symbol, i, err));
        }
        while (forgotten < list->closed_count &&
               close_us(self, i, list->starts_us[forgotten]) + self->retention_us <= self->now_us) {
            struct mr_key key;

            MR_TRY(mr_store_delete(
                self->candles, state_key(self, symbol, i, list->starts_us[forgotten], &key), err));
            forgotten++;
        }
        if (forgotten > 0) {
            drop_oldest(list, forgotten);
        }
    }
    return MR_OK;
}

int64_t windows_due_us(const struct aggregate *self, const struct symbol *symbol)
{
    int64_t due_us = AGGREGATE_NEVER_US;

    for (size_t i = 0; i < self->intervals.count; i++) {
        const struct window_list *list = &symbol->windows[i];

        if (list->closed_count < list->count) {
            const int64_t close = close_us(self, i, list->starts_us[list->closed_count]);

            due_us = close < due_us ? close : due_us;
        }
        if (list->closed_count > 0) {
            const int64_t forget = close_us(self, i, list->starts_us[0]) + self->retention_us;

            due_us = forget < due_us ? forget : due_us;
        }
    }
    return due_us;
}
