/*
 * orders.c -- an order takes its place in book or stops, in the store and among what expires, and
 * leaves it.
 */
#include "avro/resting_order.h"
#include "engine.h"

struct id id_of(struct mr_slice text, bool present)
{
    struct id id = {.present = present && text.len <= ORD_ID_MAX};

    if (id.present && text.len > 0) {
        memcpy(id.bytes, text.data, text.len);
        id.len = (uint8_t)text.len;
    }
    return id;
}

static struct mr_slice id_text(const struct id *id)
{
    return mr_slice_of(id->bytes, id->len);
}

static struct party party_named(struct live *live, struct mr_slice order_id, struct mr_slice user)
{
    return (struct party){
        .order_id = order_id,
        .user_id = user,
        .command_id = id_text(&live->command_id),
        .client_order_id = id_text(&live->client_order_id),
        .trace_id = id_text(&live->trace_id),
        .has_client_order_id = live->client_order_id.present,
        .has_trace_id = live->trace_id.present,
        .live = live,
    };
}

struct party party_of(struct live *live)
{
    return live->waiting != NULL ? party_named(live, slice_of(stop_order_id(live->waiting)),
                                               slice_of(stop_order_user(live->waiting)))
                                 : party_named(live, slice_of(book_order_id(live->resting)),
                                               slice_of(book_order_user(live->resting)));
}

void party_cause(struct party *party, const struct cause *cause)
{
    if (cause != NULL) {
        party->command_id = cause->command_id;
        party->trace_id = cause->trace_id;
        party->has_trace_id = cause->has_trace_id;
    }
}

struct party mover_begin(struct mover *mover, struct live *live)
{
    const struct party old = party_of(live);

    mover->live = *live;
    mover->live.resting = NULL;
    mover->live.waiting = NULL;
    mover->order_id = id_of(old.order_id, true);
    mover->user_id = id_of(old.user_id, true);
    return party_named(&mover->live, id_text(&mover->order_id), id_text(&mover->user_id));
}

void pick(struct fill *fill, struct live *live)
{
    if (fill->picked_count == fill->picked_capacity) {
        fill->picked_capacity = fill->picked_capacity == 0 ? 64 : 2 * fill->picked_capacity;
        fill->picked =
            mr_xrealloc((void *)fill->picked, fill->picked_capacity * sizeof(struct live *));
    }
    fill->picked[fill->picked_count++] = live;
}

/* --- by id ---------------------------------------------------------------------------------- */

static struct live *live_at(const struct market *market, struct dom_text id)
{
    const struct book_order *resting = book_find(market->book, id);
    const struct stop_order *waiting = NULL;

    if (resting != NULL) {
        return resting->data;
    }
    waiting = stop_book_find(market->stops, id);
    return waiting == NULL ? NULL : waiting->data;
}

bool order_is_live(const struct market *market, struct mr_slice id)
{
    return live_at(market, text_of(id)) != NULL;
}

struct live *order_find(const struct market *market, struct mr_slice id, struct mr_slice user)
{
    struct live *live = live_at(market, text_of(id));

    return live != NULL && mr_slice_equal(party_of(live).user_id, user) ? live : NULL;
}

/* --- the store ------------------------------------------------------------------------------ */

static struct mr_slice store_key(const struct market *market, struct mr_slice order_id,
                                 struct mr_key *key)
{
    mr_key_begin(key);
    mr_key_text(key, market_symbol(market));
    mr_key_text(key, order_id);
    return mr_key_slice(key);
}

static struct oms_resting_order row_of(const struct market *market, const struct party *order)
{
    const struct live *live = order->live;

    return (struct oms_resting_order){
        .symbol = market_symbol(market),
        .order_id = order->order_id,
        .command_id = order->command_id,
        .user_id = order->user_id,
        .has_client_order_id = order->has_client_order_id,
        .client_order_id = order->client_order_id,
        .has_trace_id = order->has_trace_id,
        .trace_id = order->trace_id,
        .side = (enum oms_side)live->hold.side,
        .ord_type = live->type,
        .tif = live->tif,
        .stp_mode = live->stp,
        .post_only = live->post_only,
        .price = live->hold.price,
        .has_stop_price = live->stop_price != 0,
        .stop_price = live->stop_price,
        .order_qty = live->order_qty,
        .leaves_qty = live->hold.leaves,
        .cum_qty = live->cum_qty,
        .cum_quote = live->cum_quote,
        .prevented_qty = live->prevented_qty,
        .has_expire_ts_us = live->tif == OMS_TIME_IN_FORCE_GTD,
        .expire_ts_us = live->expire_us,
        .fee_maker = live->hold.maker_rate,
        .fee_taker = live->hold.taker_rate,
        .fee_high = live->hold.fee.high,
        .fee_mid = live->hold.fee.mid,
        .fee_low = live->hold.fee.low,
        .fee_paid = live->hold.fee.paid,
        .hold = live->hold.hold,
        .sequence = live->sequence,
        .version = live->version,
        .triggered = live->triggered,
    };
}

enum mr_status order_put(struct call *call, struct live *live, struct mr_err *err)
{
    const struct party order = party_of(live);
    const struct oms_resting_order row = row_of(call->market, &order);
    struct mr_key key;

    return mr_store_put(call->fill->orders, store_key(call->market, order.order_id, &key), &row,
                        err);
}

enum mr_status state_put(struct call *call, struct mr_err *err)
{
    struct mr_key key;

    mr_key_begin(&key);
    mr_key_text(&key, market_symbol(call->market));
    return mr_store_put(call->fill->books, mr_key_slice(&key), &call->market->state, err);
}

/* --- places --------------------------------------------------------------------------------- */

void order_expires(struct fill *fill, struct market *market, struct live *live)
{
    const struct heap_entry entry = {.key = live->expire_us,
                                     .sequence = live->sequence,
                                     .item = live,
                                     .place = &live->expiry_place};

    if (live->tif != OMS_TIME_IN_FORCE_GTD) {
        return;
    }
    MR_ASSERT(heap_push(&market->expiry, &entry));
    fill->due_us = live->expire_us < fill->due_us ? live->expire_us : fill->due_us;
}

enum mr_status order_rest(struct call *call, const struct party *party, struct mr_err *err)
{
    struct market *market = call->market;
    const struct book_new order = {
        .id = text_of(party->order_id),
        .user = text_of(party->user_id),
        .side = party->live->hold.side,
        .price = party->live->hold.price,
        .leaves = party->live->hold.leaves,
        .sequence = ++market->state.arrival_seq,
    };
    struct book_order *out = NULL;
    struct live *live = NULL;

    if (book_insert(market->book, &order, &out) != BOOK_OK) {
        return mr_fail(err, MR_OUT_OF_RANGE, "order %.*s cannot rest in the book",
                       MR_SLICE_ARG(party->order_id));
    }
    live = out->data;
    *live = *party->live;
    live->resting = out;
    live->sequence = order.sequence;
    order_expires(call->fill, market, live);
    market->state.book_seq++;
    return order_put(call, live, err);
}

enum mr_status order_wait(struct call *call, const struct party *party, struct mr_err *err)
{
    struct market *market = call->market;
    const struct stop_new order = {
        .id = text_of(party->order_id),
        .user = text_of(party->user_id),
        .side = party->live->hold.side,
        .stop_price = party->live->stop_price,
        .sequence = ++market->state.arrival_seq,
    };
    struct stop_order *out = NULL;
    struct live *live = NULL;

    if (stop_book_insert(market->stops, &order, &out) != STOP_OK) {
        return mr_fail(err, MR_OUT_OF_RANGE, "order %.*s cannot wait as a stop",
                       MR_SLICE_ARG(party->order_id));
    }
    live = out->data;
    *live = *party->live;
    live->waiting = out;
    live->sequence = order.sequence;
    order_expires(call->fill, market, live);
    return order_put(call, live, err);
}

enum mr_status order_forget(struct call *call, struct live *live, struct mr_err *err)
{
    struct mr_key key;

    heap_remove(&call->market->expiry, &live->expiry_place);
    return mr_store_delete(call->fill->orders,
                           store_key(call->market, party_of(live).order_id, &key), err);
}

enum mr_status order_remove(struct call *call, struct live *live, struct mr_err *err)
{
    struct market *market = call->market;

    if (live->waiting != NULL) {
        stop_book_remove(market->stops, live->waiting);
    } else {
        book_remove(market->book, live->resting);
        market->state.book_seq++;
    }
    return order_forget(call, live, err);
}

enum mr_status order_cancel(struct call *call, struct live *live, enum oms_cancel_reason reason,
                            struct mr_err *err)
{
    struct party party = party_of(live);

    /* The report belongs to the command that ends the order, not to the one that began it. */
    party_cause(&party, call->cause);
    MR_TRY(order_remove(call, live, err));
    return report_canceled(call, &party, reason, err);
}
