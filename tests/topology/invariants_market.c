/* invariants_market.c -- see invariants.h: trades, positions, candles, books. */
#include "avro/book_delta.h"
#include "avro/book_snapshot.h"
#include "avro/candle.h"
#include "avro/execution_report.h"
#include "avro/position.h"
#include "avro/trade.h"
#include "invariants.h"
#include "millrace/option.h"
#include "tally.h"

#include <check.h>
#include <stdio.h>

#define SNAPSHOT_LEVELS 20

/* ---- trades ---------------------------------------------------------------------------------- */

static void take_legs(struct mr_world *world, struct tally *legs, struct tally *positions)
{
    struct mr_world_records records;

    mr_world_read(world, "executions", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_execution_report report;
        struct tally_item *leg;

        mr_world_decode(world, "executions", &records, i, &report);
        if (report.exec_type != OMS_EXEC_TYPE_TRADE) {
            continue;
        }
        leg = tally_at(legs, "%.*s %lld", MR_SLICE_ARG(report.symbol), (long long)report.trade_id);
        leg->sum += report.last_qty;
        leg->count++;
        tally_at(positions, "%.*s %.*s", MR_SLICE_ARG(report.user_id), MR_SLICE_ARG(report.symbol))
            ->sum += report.side == OMS_SIDE_BUY ? report.last_qty : -report.last_qty;
    }
    mr_world_records_fini(&records);
}

static void add_to_candles(struct tally *candles, const struct oms_trade *trade)
{
    static const struct {
        const char *name;
        int64_t us;
    } intervals[] = {{"1m", MR_MINUTE_US}, {"5m", 5 * MR_MINUTE_US}};

    for (size_t i = 0; i < MR_COUNT(intervals); i++) {
        const int64_t open_us = trade->ts_us - trade->ts_us % intervals[i].us;
        struct tally_item *item = tally_at(candles, "%.*s %s %lld", MR_SLICE_ARG(trade->symbol),
                                           intervals[i].name, (long long)open_us);

        item->sum += trade->qty;
        item->count++;
    }
}

static void check_candles(struct mr_world *world, struct tally *candles)
{
    struct mr_world_records records;
    size_t known = 0;

    mr_world_read(world, "candles", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_candle candle;
        const struct tally_item *item;

        mr_world_decode(world, "candles", &records, i, &candle);
        item = tally_at(candles, "%.*s %.*s %lld", MR_SLICE_ARG(candle.symbol),
                        MR_SLICE_ARG(candle.interval), (long long)candle.open_ts_us);
        WORLD_MUST_MSG(item->sum == candle.base_volume && item->count == candle.trades,
                       "candle %s: not the sum of its trades", item->name);
        WORLD_MUST(candle.low <= candle.open && candle.open <= candle.high &&
                   candle.low <= candle.close && candle.close <= candle.high);
    }
    for (size_t i = 0; i < candles->capacity; i++) {
        known += candles->items[i].name[0] != '\0';
    }
    WORLD_MUST(known == records.count);
    mr_world_records_fini(&records);
}

static void check_positions(struct mr_world *world, struct tally *positions)
{
    struct mr_world_records records;

    mr_world_read(world, "positions", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_position position;
        struct tally_item *item;

        mr_world_decode(world, "positions", &records, i, &position);
        item = tally_at(positions, "%.*s %.*s", MR_SLICE_ARG(position.user_id),
                        MR_SLICE_ARG(position.symbol));
        WORLD_MUST_MSG(item->sum == position.qty, "position %s is not the sum of its fills",
                       item->name);
        item->count = 1;
    }
    for (size_t i = 0; i < positions->capacity; i++) {
        WORLD_MUST_MSG(positions->items[i].name[0] == '\0' || positions->items[i].count == 1,
                       "%s has traded and has no position", positions->items[i].name);
    }
    mr_world_records_fini(&records);
}

void invariants_trades(struct mr_world *world)
{
    struct mr_world_records records;
    struct tally legs = {0};
    struct tally positions = {0};
    struct tally candles = {0};
    struct tally ids = {0};

    take_legs(world, &legs, &positions);
    mr_world_read(world, "trades", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_trade trade;
        struct tally_item *leg;

        mr_world_decode(world, "trades", &records, i, &trade);
        WORLD_MUST_MSG(++tally_at(&ids, "%.*s", MR_SLICE_ARG(trade.symbol))->count ==
                           trade.trade_id,
                       "trades of %.*s are not numbered without gaps", MR_SLICE_ARG(trade.symbol));
        leg = tally_at(&legs, "%.*s %lld", MR_SLICE_ARG(trade.symbol), (long long)trade.trade_id);
        WORLD_MUST_MSG(leg->count == 2 && leg->sum == 2 * trade.qty,
                       "trade %s has not two legs of its quantity", leg->name);
        add_to_candles(&candles, &trade);
    }
    WORLD_MUST(legs.count == records.count);
    check_positions(world, &positions);
    check_candles(world, &candles);
    tally_fini(&legs);
    tally_fini(&positions);
    tally_fini(&candles);
    tally_fini(&ids);
    mr_world_records_fini(&records);
}

/* ---- book ------------------------------------------------------------------------------------ */

/* Prices are whole numbers of 10^-8 here: enough for every tick of these tests. */
static long long price_of(mr_i128 price)
{
    const mr_i128 unit = (mr_i128)10000000000;

    WORLD_MUST(price % unit == 0);
    return (long long)(price / unit);
}

static struct tally_item *level_at(struct tally *levels, struct mr_slice symbol, bool bid,
                                   mr_i128 price)
{
    return tally_at(levels, "%.*s %s %lld", MR_SLICE_ARG(symbol), bid ? "bid" : "ask",
                    price_of(price));
}

static void set_levels(struct tally *levels, struct mr_slice symbol, bool bid,
                       const struct oms_book_level_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        struct tally_item *level = level_at(levels, symbol, bid, items->items[i].price);

        WORLD_MUST((items->items[i].qty == 0) == (items->items[i].orders == 0));
        level->sum = items->items[i].qty;
        level->count = items->items[i].orders;
    }
}

/* Levels as the deltas leave them. */
static void fold_deltas(struct mr_world *world, struct tally *levels, struct tally *sequences)
{
    struct mr_world_records records;

    mr_world_read(world, "book", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_book_delta delta;
        struct tally_item *sequence;

        mr_world_decode(world, "book", &records, i, &delta);
        sequence = tally_at(sequences, "%.*s", MR_SLICE_ARG(delta.symbol));
        WORLD_MUST_MSG(delta.first_seq == sequence->count + 1 && delta.last_seq >= delta.first_seq,
                       "%s: a delta from %lld follows %lld", sequence->name,
                       (long long)delta.first_seq, (long long)sequence->count);
        sequence->count = delta.last_seq;
        set_levels(levels, delta.symbol, true, &delta.bids);
        set_levels(levels, delta.symbol, false, &delta.asks);
    }
    mr_world_records_fini(&records);
}

/* A stop that has not been triggered stands in no level. */
static bool waits(const struct oms_execution_report *report, struct tally *triggered)
{
    struct tally_item *item = tally_at(triggered, "%.*s", MR_SLICE_ARG(report->order_id));

    item->count += report->exec_type == OMS_EXEC_TYPE_TRIGGERED;
    return report->has_stop_price && item->count == 0;
}

static void add_to_level(struct tally *levels, const struct oms_execution_report *report,
                         mr_i128 price, mr_i128 qty, int64_t orders)
{
    struct tally_item *level =
        level_at(levels, report->symbol, report->side == OMS_SIDE_BUY, price);

    level->sum += qty;
    level->count += orders;
}

/* Levels as the open orders' last reports say: each replaces what the one before it has said. */
static void fold_orders(struct mr_world *world, struct tally *levels)
{
    struct mr_world_records records;
    struct tally leaves = {0};
    struct tally prices = {0};
    struct tally triggered = {0};

    mr_world_read(world, "executions", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_execution_report report;
        struct tally_item *open;
        struct tally_item *price;

        mr_world_decode(world, "executions", &records, i, &report);
        if (report.engine_seq == 0 || !report.has_price ||
            report.exec_type == OMS_EXEC_TYPE_REJECTED ||
            report.exec_type == OMS_EXEC_TYPE_CANCEL_REJECTED ||
            report.exec_type == OMS_EXEC_TYPE_SETTLED || waits(&report, &triggered)) {
            continue;
        }
        open = tally_at(&leaves, "%.*s", MR_SLICE_ARG(report.order_id));
        price = tally_at(&prices, "%.*s", MR_SLICE_ARG(report.order_id));
        add_to_level(levels, &report, price->sum, -open->sum, -(open->sum > 0));
        open->sum = report.leaves_qty;
        price->sum = report.price;
        add_to_level(levels, &report, price->sum, open->sum, open->sum > 0);
    }
    tally_fini(&leaves);
    tally_fini(&prices);
    tally_fini(&triggered);
    mr_world_records_fini(&records);
}

static void check_side(struct tally *levels, const struct oms_book_snapshot *snapshot, bool bid)
{
    const struct oms_book_level_items *items = bid ? &snapshot->bids : &snapshot->asks;
    char prefix[80] = "";
    size_t there = 0;

    WORLD_MUST(snapshot->symbol.len < (sizeof(prefix) - 8));
    memcpy(prefix, snapshot->symbol.data, snapshot->symbol.len);
    memcpy(prefix + snapshot->symbol.len, bid ? " bid " : " ask ", 6);
    for (size_t i = 0; i < levels->capacity; i++) {
        there +=
            strncmp(levels->items[i].name, prefix, strlen(prefix)) == 0 && levels->items[i].sum > 0;
    }
    WORLD_MUST(items->count == (there < SNAPSHOT_LEVELS ? there : SNAPSHOT_LEVELS));
    for (size_t i = 0; i < items->count; i++) {
        const struct tally_item *level =
            level_at(levels, snapshot->symbol, bid, items->items[i].price);

        WORLD_MUST_MSG(level->sum == items->items[i].qty && level->count == items->items[i].orders,
                       "level %s: the snapshot says otherwise", level->name);
        WORLD_MUST(i == 0 || (bid ? items->items[i].price < items->items[i - 1].price
                                  : items->items[i].price > items->items[i - 1].price));
    }
    WORLD_MUST((snapshot->bids.count > 0 && snapshot->asks.count > 0 &&
                snapshot->bids.items[0].price >= snapshot->asks.items[0].price) == 0);
}

void invariants_book(struct mr_world *world)
{
    struct mr_world_records records;
    struct tally levels = {0};
    struct tally wanted = {0};
    struct tally sequences = {0};

    fold_deltas(world, &levels, &sequences);
    fold_orders(world, &wanted);
    for (size_t i = 0; i < wanted.capacity; i++) {
        const struct tally_item *want = &wanted.items[i];

        if (want->name[0] != '\0') {
            const struct tally_item *got = tally_at(&levels, "%s", want->name);

            WORLD_MUST_MSG(got->sum == want->sum && got->count == want->count,
                           "level %s: deltas and open orders disagree", want->name);
        }
    }
    mr_world_read(world, "book.snapshots", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_book_snapshot snapshot;

        mr_world_decode(world, "book.snapshots", &records, i, &snapshot);
        WORLD_MUST(snapshot.last_seq ==
                   (tally_at(&sequences, "%.*s", MR_SLICE_ARG(snapshot.symbol))->count));
        check_side(&levels, &snapshot, true);
        check_side(&levels, &snapshot, false);
    }
    WORLD_MUST(records.count == sequences.count);
    tally_fini(&levels);
    tally_fini(&wanted);
    tally_fini(&sequences);
    mr_world_records_fini(&records);
}
