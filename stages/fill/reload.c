/*
 * reload.c -- books and stops from the stores: at the start, and after an undo.
 *
 * How: the first time everything is read. Later only the markets that changed since the last
 *      commit are rebuilt; the others cannot differ from their stores.
 *      Undo of one record and undo of the whole transaction look alike from here, but the levels
 *      that the next delta must name differ. The book sequence tells them apart: after the undo of
 *      a transaction it is what the last committed delta ended with; when it is beyond, earlier
 *      records of this transaction stand, and what they touched is noted as changed once more. So
 *      are the levels of the undone record alone: unchanged, absolute, harmless.
 */
#include "avro/resting_order.h"
#include "engine.h"

struct load {
    struct fill *fill;
    struct market *market; /* of the last order: keys come by symbol */
    const char *defect;
};

static struct live live_of(const struct oms_resting_order *record)
{
    return (struct live){
        .hold = {.side = (enum ord_side)record->side,
                 .price = record->price,
                 .maker_rate = record->fee_maker,
                 .taker_rate = record->fee_taker,
                 .leaves = record->leaves_qty,
                 .hold = record->hold,
                 .fee = {.high = record->fee_high,
                         .mid = record->fee_mid,
                         .low = record->fee_low,
                         .paid = record->fee_paid}},
        .order_qty = record->order_qty,
        .cum_qty = record->cum_qty,
        .cum_quote = record->cum_quote,
        .prevented_qty = record->prevented_qty,
        .stop_price = record->has_stop_price ? record->stop_price : 0,
        .expire_us = record->has_expire_ts_us ? record->expire_ts_us : 0,
        .sequence = record->sequence,
        .version = record->version,
        .type = record->ord_type,
        .tif = record->tif,
        .stp = record->stp_mode,
        .post_only = record->post_only,
        .triggered = record->triggered,
        .command_id = id_of(record->command_id, true),
        .client_order_id = id_of(record->client_order_id, record->has_client_order_id),
        .trace_id = id_of(record->trace_id, record->has_trace_id),
    };
}

/* The data of its place in the book; NULL when it cannot rest. */
static struct live *load_resting(struct market *market, const struct oms_resting_order *record)
{
    const struct book_new order = {
        .id = text_of(record->order_id),
        .user = text_of(record->user_id),
        .side = (enum ord_side)record->side,
        .price = record->price,
        .leaves = record->leaves_qty,
        .sequence = record->sequence,
    };
    struct book_order *out = NULL;
    struct live *live = NULL;

    if (book_load(market->book, &order, &out) == BOOK_OK) {
        live = out->data;
        *live = live_of(record);
        live->resting = out;
    }
    return live;
}

/* The same for a stop that waits. */
static struct live *load_waiting(struct market *market, const struct oms_resting_order *record)
{
    const struct stop_new order = {
        .id = text_of(record->order_id),
        .user = text_of(record->user_id),
        .side = (enum ord_side)record->side,
        .stop_price = record->stop_price,
        .sequence = record->sequence,
    };
    struct stop_order *out = NULL;
    struct live *live = NULL;

    if (stop_book_insert(market->stops, &order, &out) == STOP_OK) {
        live = out->data;
        *live = live_of(record);
        live->waiting = out;
    }
    return live;
}

static bool load_order(void *arg, struct mr_slice key, const void *value)
{
    struct load *load = arg;
    const struct oms_resting_order *record = value;
    struct live *live = NULL;

    (void)key;
    if (load->market == NULL || !mr_slice_equal(market_symbol(load->market), record->symbol)) {
        load->market = markets_find(load->fill, record->symbol);
    }
    if (load->market == NULL || !load->market->listed) {
        load->defect = "an order rests in a symbol that has no instrument";
        return false;
    }
    live = record->has_stop_price && !record->triggered ? load_waiting(load->market, record)
                                                        : load_resting(load->market, record);
    if (live == NULL) {
        load->defect = "an order cannot be put into the book";
        return false;
    }
    order_expires(load->fill, load->market, live);
    return true;
}

static bool load_instrument(void *arg, struct mr_slice key, const void *value)
{
    struct load *load = arg;
    const struct oms_instrument *instrument = value;

    (void)key;
    market_list(markets_add(load->fill, instrument->symbol), instrument);
    return true;
}

static struct mr_slice symbol_key(const struct market *market, struct mr_key *key)
{
    mr_key_begin(key);
    mr_key_text(key, market_symbol(market));
    return mr_key_slice(key);
}

static enum mr_status load_state(struct fill *fill, struct market *market, struct mr_err *err)
{
    struct mr_key key;
    bool found = false;

    MR_TRY(mr_store_get(fill->books, symbol_key(market, &key), &market->state, &found, err));
    if (!found) {
        market->state = (struct oms_book_state){0};
    }
    return MR_OK;
}

static enum mr_status scan_orders(struct fill *fill, struct mr_slice from, struct mr_slice to,
                                  struct mr_err *err)
{
    struct load load = {.fill = fill};

    MR_TRY(mr_store_scan(fill->orders, from, to, load_order, &load, err));
    return load.defect == NULL ? MR_OK : mr_fail(err, MR_CORRUPT, "store orders: %s", load.defect);
}

static enum mr_status load_all(struct fill *fill, struct mr_err *err)
{
    const struct mr_slice all = {0};
    struct load load = {.fill = fill};

    MR_TRY(mr_store_scan(fill->instruments, all, all, load_instrument, &load, err));
    for (size_t i = 0; i < fill->market_count; i++) {
        MR_TRY(load_state(fill, fill->markets[i], err));
    }
    MR_TRY(scan_orders(fill, all, all, err));
    for (size_t i = 0; i < fill->market_count; i++) {
        book_loaded(fill->markets[i]->book);
        book_changes_clear(fill->markets[i]->book);
        fill->markets[i]->published_seq = fill->markets[i]->state.book_seq;
        fill->markets[i]->noted_seq = fill->markets[i]->state.book_seq;
    }
    return MR_OK;
}

/* Copies the names of the touched levels; returns how many. */
static size_t carry(struct fill *fill, const struct book *book)
{
    const size_t bids = book_changes(book, ORD_BUY);
    const size_t total = bids + book_changes(book, ORD_SELL);

    if (total > fill->carried_capacity) {
        fill->carried_capacity = total;
        fill->carried = mr_xrealloc(fill->carried, total * sizeof(*fill->carried));
    }
    for (size_t i = 0; i < total; i++) {
        const enum ord_side side = i < bids ? ORD_BUY : ORD_SELL;
        struct book_level level = {0};

        MR_ASSERT(book_change_at(book, side, i < bids ? i : i - bids, &level));
        fill->carried[i] = (struct level_name){.price = level.price, .side = side};
    }
    return total;
}

/* Lets the book note a level as changed: an order comes and goes. No id holds a '~'. */
static void touch(struct book *book, const struct level_name *name)
{
    const struct book_new probe = {
        .id = dom_text_str("~"),
        .user = dom_text_str("~"),
        .side = name->side,
        .price = name->price,
        .leaves = 1,
        .sequence = INT64_MAX,
    };
    struct book_order *out = NULL;

    MR_ASSERT(book_insert(book, &probe, &out) == BOOK_OK);
    book_remove(book, out);
}

static enum mr_status rebuild(struct fill *fill, struct market *market, struct mr_err *err)
{
    struct oms_instrument instrument;
    struct mr_key from;
    struct mr_key to;
    size_t carried = 0;
    bool found = false;

    MR_TRY(mr_store_get(fill->instruments, symbol_key(market, &from), &instrument, &found, err));
    market->listed = false;
    if (found) {
        market_list(market, &instrument);
    }
    MR_TRY(load_state(fill, market, err));
    if (market->state.book_seq > market->published_seq) {
        carried = carry(fill, market->book);
    } else {
        market->published_seq = market->state.book_seq;
    }
    market->noted_seq = market->state.book_seq;
    book_clear(market->book);
    stop_book_clear(market->stops);
    heap_clear(&market->expiry);
    mr_key_prefix_end(&from, &to);
    MR_TRY(scan_orders(fill, mr_key_slice(&from), mr_key_slice(&to), err));
    book_loaded(market->book);
    book_changes_clear(market->book);
    for (size_t i = 0; i < carried; i++) {
        touch(market->book, &fill->carried[i]);
    }
    return MR_OK;
}

enum mr_status reload_markets(struct fill *fill, struct mr_err *err)
{
    fill->stale = true; /* until it is done */
    fill->flushed = false;
    fill->due_us = INT64_MIN; /* look again on the next occasion */
    if (!fill->loaded) {
        markets_fini(fill);
        MR_TRY(load_all(fill, err));
        fill->loaded = true;
    } else {
        for (size_t i = 0; i < fill->market_count; i++) {
            if (fill->markets[i]->touched) {
                MR_TRY(rebuild(fill, fill->markets[i], err));
            }
        }
    }
    fill->stale = false;
    return MR_OK;
}
