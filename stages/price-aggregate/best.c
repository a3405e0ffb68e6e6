/*
 * best.c -- best bid and ask of a symbol, as its book's snapshots tell them.
 *
 * Why: a ticker without the spread sends everybody to the book for two numbers.
 * How: a snapshot stands for a whole transaction of the engine. When it has another best price, and
 *      is newer than the one that had the last, the row and the ticker change. A symbol that
 * nothing was traded in has no ticker yet; its best prices wait in its row.
 */
#include "aggregate.h"
#include "domain/order.h"

static bool level_is_sane(const struct oms_book_level_items *levels)
{
    return levels->count == 0 || (levels->items[0].price > 0 && levels->items[0].qty > 0);
}

static bool is_sane(const struct oms_book_snapshot *snapshot, const struct mr_record *record)
{
    return aggregate_symbol_fits(snapshot->symbol, record) && snapshot->ts_us >= 0 &&
           snapshot->ts_us <= AGGREGATE_EVENT_US_MAX && level_is_sane(&snapshot->bids) &&
           level_is_sane(&snapshot->asks);
}

/* False when there is nothing new. */
static bool take(struct symbol *symbol, enum ord_side side,
                 const struct oms_book_level_items *levels)
{
    const bool has = levels->count > 0;
    const mr_i128 price = has ? levels->items[0].price : 0;
    const bool changed = symbol->has_best[side] != has || symbol->best[side] != price;

    symbol->has_best[side] = has;
    symbol->best[side] = price;
    return changed;
}

enum mr_status best_apply(struct aggregate *self, struct mr_ctx *ctx,
                          const struct mr_record *record, struct mr_err *err)
{
    const struct oms_book_snapshot *snapshot = record->value;
    struct symbol *symbol = NULL;
    struct symbol now;
    bool changed = false;

    if (!is_sane(snapshot, record)) {
        mr_counter_add(self->books_ignored, 1);
        return MR_OK;
    }
    symbol = symbols_find(self, snapshot->symbol);
    now = symbol != NULL ? *symbol : (struct symbol){0};
    if (snapshot->last_seq <= now.book_seq) {
        return MR_OK;
    }
    changed = take(&now, ORD_BUY, &snapshot->bids);
    changed = take(&now, ORD_SELL, &snapshot->asks) || changed;
    if (!changed) {
        return MR_OK;
    }
    self->stale = true;
    MR_TRY(aggregate_advance(self, ctx, snapshot->ts_us, err));
    symbol = symbol != NULL ? symbol : symbols_add(self, snapshot->symbol);
    memcpy(symbol->best, now.best, sizeof(now.best));
    memcpy(symbol->has_best, now.has_best, sizeof(now.has_best));
    symbol->book_seq = snapshot->last_seq;
    MR_TRY(symbols_put(self, symbol, err));
    if (symbol->last_trade_id > 0) {
        MR_TRY(ticker_emit(self, ctx, symbol, snapshot->ts_us, err));
    }
    self->stale = false;
    return MR_OK;
}
