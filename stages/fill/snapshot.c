/*
 * snapshot.c -- the book as others see it, once per transaction.
 *
 * Why: a level that changed forty times in ten milliseconds is one line for everyone outside.
 * How: the book remembers which levels were touched. A delta carries them with absolute quantities
 *      and the range of book sequences it stands for: firstSeq is the previous lastSeq plus one,
 *      so a reader sees a gap. A level that came back to what it was is in it too; that is
 *      harmless. The snapshot, the top of the same book, carries the same lastSeq and checksum.
 */
#include "avro/book_delta.h"
#include "avro/book_snapshot.h"
#include "engine.h"

static struct oms_book_level *room_for(struct fill *fill, enum ord_side side, size_t count)
{
    if (count > fill->level_capacity[side]) {
        fill->level_capacity[side] = count * 2;
        fill->levels[side] = mr_xrealloc(fill->levels[side],
                                         fill->level_capacity[side] * sizeof(*fill->levels[side]));
    }
    return fill->levels[side];
}

static struct oms_book_level level_record(const struct book_level *level)
{
    return (struct oms_book_level){
        .price = level->price, .qty = level->qty, .orders = level->orders};
}

static struct oms_book_level_items changed(struct fill *fill, const struct book *book,
                                           enum ord_side side)
{
    const size_t count = book_changes(book, side);
    struct oms_book_level *levels = room_for(fill, side, count);

    for (size_t i = 0; i < count; i++) {
        struct book_level level = {0};

        MR_ASSERT(book_change_at(book, side, i, &level));
        levels[i] = level_record(&level);
    }
    return (struct oms_book_level_items){.items = levels, .count = count};
}

static struct oms_book_level_items top(struct fill *fill, const struct book *book,
                                       enum ord_side side)
{
    struct oms_book_level *levels = room_for(fill, side, SNAPSHOT_LEVELS);
    struct book_level level = {0};
    size_t count = 0;

    while (count < SNAPSHOT_LEVELS && book_level_at(book, side, count, &level)) {
        levels[count++] = level_record(&level);
    }
    return (struct oms_book_level_items){.items = levels, .count = count};
}

static enum mr_status publish(struct fill *fill, struct mr_ctx *ctx, struct market *market,
                              struct mr_err *err)
{
    const struct mr_slice symbol = market_symbol(market);
    const int64_t checksum = (int64_t)book_checksum(market->book);
    const struct oms_book_delta delta = {
        .symbol = symbol,
        .ts_us = market->changed_us,
        .first_seq = market->published_seq + 1,
        .last_seq = market->state.book_seq,
        .bids = changed(fill, market->book, ORD_BUY),
        .asks = changed(fill, market->book, ORD_SELL),
        .has_checksum = true,
        .checksum = checksum,
    };
    struct oms_book_snapshot snapshot = {
        .symbol = symbol,
        .ts_us = market->changed_us,
        .last_seq = market->state.book_seq,
        .depth = (int32_t)SNAPSHOT_LEVELS,
        .checksum = checksum,
    };

    MR_TRY(mr_emit(ctx, FILL_OUT_BOOK, symbol, &delta, err));
    /* The same scratch memory, after the delta was encoded. */
    snapshot.bids = top(fill, market->book, ORD_BUY);
    snapshot.asks = top(fill, market->book, ORD_SELL);
    return mr_emit(ctx, FILL_OUT_SNAPSHOTS, symbol, &snapshot, err);
}

enum mr_status snapshot_flush(struct fill *fill, struct mr_ctx *ctx, struct mr_err *err)
{
    for (size_t i = 0; i < fill->market_count; i++) {
        struct market *market = fill->markets[i];

        if (!market->touched || market->state.book_seq == market->published_seq) {
            continue;
        }
        MR_TRY(publish(fill, ctx, market, err));
        book_changes_clear(market->book);
        market->published_seq = market->state.book_seq;
    }
    return MR_OK;
}
