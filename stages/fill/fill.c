/*
 * fill.c -- the matching stage: approved orders against the book of their symbol.
 *
 * Why: one owner per symbol, so that price-time priority is simply the order of the input.
 * How: a record is checked for what would make it poison before anything changes; then what expires
 *      ends, the engine works the command, and the stops that its trades triggered follow. Reports
 *      and trades go out as they arise, deltas and snapshots at the end of the transaction.
 * Instruments are events of the same partition: a halt takes effect between two orders, on every
 * replay between the same two. Orders that rest while the tick or lot size changes stay as they
 * are; new ones are checked against the new sizes by validate. A deleted instrument halts its
 * symbol: what rests can still be canceled. Not: funds, limits and fields of an order, which
 * validate and risk have decided before.
 */
#include "fill.h"

#include "avro/book_delta.h"
#include "avro/book_snapshot.h"
#include "avro/resting_order.h"
#include "avro/trade.h"
#include "engine.h"

#include <stdlib.h>

static const struct mr_port in_ports[] = {
    [FILL_IN_ORDERS] = {.name = "orders",
                        .schema = &oms_order_command_schema,
                        .help = "approved by risk, keyed by symbol"},
    [FILL_IN_INSTRUMENTS] = {.name = "instruments",
                             .schema = &oms_instrument_schema,
                             .flags = MR_PORT_TOMBSTONES,
                             .help = "keyed by symbol, same partitions as orders"},
};

static const struct mr_port out_ports[] = {
    [FILL_OUT_EXECUTIONS] = {.name = "executions",
                             .schema = &oms_execution_report_schema,
                             .help = "one report per order leg, keyed by userId"},
    [FILL_OUT_TRADES] = {.name = "trades",
                         .schema = &oms_trade_schema,
                         .help = "one per match, gapless ids per symbol"},
    [FILL_OUT_BOOK] = {.name = "book",
                       .schema = &oms_book_delta_schema,
                       .flags = MR_PORT_OPTIONAL,
                       .help = "levels that changed, once per transaction and symbol"},
    [FILL_OUT_SNAPSHOTS] = {.name = "snapshots",
                            .schema = &oms_book_snapshot_schema,
                            .flags = MR_PORT_OPTIONAL | MR_PORT_LATEST,
                            .help = "the top of a book that changed"},
};

static const struct mr_store_spec stores[] = {
    [FILL_STORE_ORDERS] = {.name = "orders",
                           .schema = &oms_resting_order_schema,
                           .help = "resting orders and stops that wait: symbol, orderId"},
    [FILL_STORE_BOOKS] = {.name = "books",
                          .schema = &oms_book_state_schema,
                          .help = "counters of a book: symbol"},
    [FILL_STORE_INSTRUMENTS] = {.name = "instruments",
                                .schema = &oms_instrument_schema,
                                .help = "last instrument seen: symbol"},
};

static enum mr_status fill_init(void *state, struct mr_ctx *ctx, struct mr_err *err)
{
    struct fill *fill = state;
    size_t timer = 0;

    (void)err;
    fill->magic = FILL_MAGIC;
    fill->orders = mr_ctx_store(ctx, FILL_STORE_ORDERS);
    fill->books = mr_ctx_store(ctx, FILL_STORE_BOOKS);
    fill->instruments = mr_ctx_store(ctx, FILL_STORE_INSTRUMENTS);
    fill->trades = mr_ctx_counter(ctx, "trades_total");
    fill->rejects = mr_ctx_counter(ctx, "rejects_total");
    mr_ctx_schedule(ctx, MR_STREAM_TIME, MR_SECOND_US, &timer);
    return MR_OK;
}

static enum mr_status fill_reload(void *state, struct mr_ctx *ctx, struct mr_err *err)
{
    (void)ctx;
    return reload_markets(MR_SELF(struct fill, state, FILL_MAGIC), err);
}

static bool is_name(struct mr_slice text, size_t bytes_max)
{
    return text.len > 0 && text.len <= bytes_max && memchr(text.data, 0, text.len) == NULL;
}

/* Without these nobody could be told anything. */
static enum mr_status check_identity(const struct oms_order_command *command,
                                     const struct mr_record *record, struct mr_err *err)
{
    if (!is_name(command->symbol, SYMBOL_BYTES_MAX) ||
        !mr_slice_equal(command->symbol, record->key)) {
        return mr_fail(err, MR_MALFORMED, "symbol of an order is not its key");
    }
    if (!is_name(command->order_id, ORD_ID_MAX) || !is_name(command->user_id, ORD_ID_MAX) ||
        !is_name(command->event_id, ORD_ID_MAX)) {
        return mr_fail(err, MR_MALFORMED, "orderId, userId and eventId take 1 to %d bytes",
                       ORD_ID_MAX);
    }
    return MR_OK;
}

/*
 * Stream time with this event. The task's counts too: it survives a restart and goes back with an
 * abort, and an event that comes late must not turn time back.
 */
static int64_t time_with(const struct mr_ctx *ctx, int64_t event_us)
{
    const int64_t stream_us = mr_ctx_stream_time_us(ctx);

    return event_us > stream_us ? event_us : stream_us;
}

/* Books that have changed carry the time of it; only when the record is through, so that an undone
 * one leaves no time behind. */
static void note_changes(struct fill *fill, int64_t us)
{
    for (size_t i = 0; i < fill->market_count; i++) {
        struct market *market = fill->markets[i];

        if (market->state.book_seq != market->noted_seq) {
            market->noted_seq = market->state.book_seq;
            market->changed_us = us;
        }
    }
}

static enum mr_status work(struct call *call, struct mr_err *err)
{
    switch (call->command->action) {
    case OMS_ACTION_NEW:
        MR_TRY(engine_new(call, err));
        break;
    case OMS_ACTION_AMEND:
        MR_TRY(engine_amend(call, err));
        break;
    case OMS_ACTION_CANCEL_ALL:
        MR_TRY(engine_cancel_all(call, err));
        break;
    case OMS_ACTION_CANCEL:
    default:
        MR_TRY(engine_cancel(call, err));
        break;
    }
    if (call->market == NULL) {
        return MR_OK;
    }
    MR_TRY(stops_trigger(call, err));
    return state_put(call, err);
}

static enum mr_status process_order(struct fill *fill, struct mr_ctx *ctx,
                                    const struct mr_record *record, struct mr_err *err)
{
    const struct oms_order_command *command = record->value;
    const struct cause cause = {.command_id = command->event_id,
                                .trace_id = command->trace_id,
                                .has_trace_id = command->has_trace_id};
    struct call call = {.fill = fill,
                        .ctx = ctx,
                        .command = command,
                        .cause = &cause,
                        .ts_us = record->event_us,
                        .now_us = time_with(ctx, record->event_us)};
    int64_t book_seq = 0;
    bool expired = false;

    MR_TRY(check_identity(command, record, err));
    fill->stale = true;
    MR_TRY(expiry_advance(fill, ctx, call.now_us, &expired, err));
    call.market = markets_find(fill, command->symbol);
    if (call.market != NULL && !call.market->listed) {
        call.market = NULL;
    }
    if (call.market != NULL) {
        call.market->touched = true;
        book_seq = call.market->state.book_seq;
    }
    MR_TRY(work(&call, err));
    fill->stale = false;
    if (call.market != NULL && call.market->state.book_seq != book_seq) {
        call.market->noted_seq = call.market->state.book_seq;
        call.market->changed_us = record->event_us;
    }
    if (expired) {
        note_changes(fill, call.now_us);
    }
    return MR_OK;
}

static enum mr_status list_instrument(struct fill *fill, const struct mr_record *record,
                                      struct mr_err *err)
{
    const struct oms_instrument *given = record->value;
    struct oms_instrument instrument;
    struct market *market = NULL;
    struct mr_key key;
    bool found = false;

    if (!is_name(record->key, SYMBOL_BYTES_MAX)) {
        return mr_fail(err, MR_MALFORMED, "key of an instrument is not a symbol");
    }
    mr_key_begin(&key);
    mr_key_text(&key, record->key);
    if (given == NULL) {
        MR_TRY(mr_store_get(fill->instruments, mr_key_slice(&key), &instrument, &found, err));
        if (!found) {
            return MR_OK;
        }
        instrument.state = OMS_SYMBOL_STATE_HALT;
    } else {
        instrument = *given;
    }
    if (!mr_slice_equal(instrument.symbol, record->key) ||
        !is_name(instrument.base_asset, ASSET_BYTES_MAX) ||
        !is_name(instrument.quote_asset, ASSET_BYTES_MAX)) {
        return mr_fail(err, MR_MALFORMED, "instrument without symbol or assets");
    }
    MR_TRY(mr_store_put(fill->instruments, mr_key_slice(&key), &instrument, err));
    market = markets_find(fill, record->key);
    if (market == NULL) {
        market = markets_add(fill, record->key);
    }
    market->touched = true;
    market_list(market, &instrument);
    return MR_OK;
}

static enum mr_status process_instrument(struct fill *fill, struct mr_ctx *ctx,
                                         const struct mr_record *record, struct mr_err *err)
{
    const int64_t now_us = time_with(ctx, record->event_us);
    bool expired = false;

    fill->stale = true;
    MR_TRY(expiry_advance(fill, ctx, now_us, &expired, err));
    MR_TRY(list_instrument(fill, record, err));
    fill->stale = false;
    if (expired) {
        note_changes(fill, now_us);
    }
    return MR_OK;
}

/* Before anything else that a callback does. */
static enum mr_status begin(struct fill *fill, struct mr_err *err)
{
    if (fill->stale) {
        MR_TRY(reload_markets(fill, err));
    }
    if (fill->flushed) {
        /* A record after a flush means that the flush was committed. */
        for (size_t i = 0; i < fill->market_count; i++) {
            fill->markets[i]->touched = false;
        }
        fill->flushed = false;
    }
    return MR_OK;
}

static enum mr_status fill_process(void *state, struct mr_ctx *ctx, size_t port,
                                   const struct mr_record *record, struct mr_err *err)
{
    struct fill *fill = MR_SELF(struct fill, state, FILL_MAGIC);

    MR_TRY(begin(fill, err));
    return port == FILL_IN_ORDERS ? process_order(fill, ctx, record, err)
                                  : process_instrument(fill, ctx, record, err);
}

static enum mr_status fill_punctuate(void *state, struct mr_ctx *ctx, size_t timer, int64_t now_us,
                                     struct mr_err *err)
{
    struct fill *fill = MR_SELF(struct fill, state, FILL_MAGIC);

    bool expired = false;

    (void)timer;
    MR_TRY(begin(fill, err));
    fill->stale = true;
    MR_TRY(expiry_advance(fill, ctx, time_with(ctx, now_us), &expired, err));
    fill->stale = false;
    if (expired) {
        note_changes(fill, time_with(ctx, now_us));
    }
    return MR_OK;
}

static enum mr_status fill_flush(void *state, struct mr_ctx *ctx, struct mr_err *err)
{
    struct fill *fill = MR_SELF(struct fill, state, FILL_MAGIC);

    if (fill->stale) {
        MR_TRY(reload_markets(fill, err));
    }
    fill->flushed = true;
    return snapshot_flush(fill, ctx, err);
}

static void fill_fini(void *state)
{
    struct fill *fill = state;

    markets_fini(fill);
    free(fill->levels[ORD_BUY]);
    free(fill->levels[ORD_SELL]);
    free(fill->carried);
    free((void *)fill->picked);
}

const struct mr_stage fill_stage = {
    .name = "fill",
    .help = "price-time priority matching: LIMIT, MARKET, stops, GTD, amend, cancel, cancel-all",
    .state_size = sizeof(struct fill),
    .in = in_ports,
    .in_count = MR_COUNT(in_ports),
    .out = out_ports,
    .out_count = MR_COUNT(out_ports),
    .stores = stores,
    .store_count = MR_COUNT(stores),
    .init = fill_init,
    .reload = fill_reload,
    .process = fill_process,
    .punctuate = fill_punctuate,
    .flush = fill_flush,
    .fini = fill_fini,
};
