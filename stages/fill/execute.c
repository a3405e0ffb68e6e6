/*
 * execute.c -- one trade; an order enters or leaves the book and the store.
 *
 * How: both holds are computed on copies first, so a trade that cannot be (an amount out of range)
 *      is refused before it touched anything. The book then takes the match, the maker's record is
 *      written or deleted, and the reports follow: maker, taker, trade.
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

struct party party_of(struct book_order *order)
{
    struct live *live = order->data;

    return (struct party){
        .order_id = slice_of(book_order_id(order)),
        .user_id = slice_of(book_order_user(order)),
        .command_id = id_text(&live->command_id),
        .client_order_id = id_text(&live->client_order_id),
        .trace_id = id_text(&live->trace_id),
        .has_client_order_id = live->client_order_id.present,
        .has_trace_id = live->trace_id.present,
        .live = live,
    };
}

static struct mr_slice store_key(const struct market *market, struct mr_slice order_id,
                                 struct mr_key *key)
{
    mr_key_begin(key);
    mr_key_text(key, market_symbol(market));
    mr_key_text(key, order_id);
    return mr_key_slice(key);
}

static enum mr_status resting_put(struct call *call, const struct party *order, int64_t sequence,
                                  struct mr_err *err)
{
    const struct live *live = order->live;
    const struct oms_resting_order record = {
        .symbol = market_symbol(call->market),
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
        .order_qty = live->order_qty,
        .leaves_qty = live->hold.leaves,
        .cum_qty = live->cum_qty,
        .cum_quote = live->cum_quote,
        .prevented_qty = live->prevented_qty,
        .fee_maker = live->hold.maker_rate,
        .fee_taker = live->hold.taker_rate,
        .fee_high = live->hold.fee.high,
        .fee_mid = live->hold.fee.mid,
        .fee_low = live->hold.fee.low,
        .fee_paid = live->hold.fee.paid,
        .hold = live->hold.hold,
        .sequence = sequence,
        .version = live->version,
    };
    struct mr_key key;

    return mr_store_put(call->fill->orders, store_key(call->market, order->order_id, &key), &record,
                        err);
}

static enum mr_status resting_delete(struct call *call, struct mr_slice order_id,
                                     struct mr_err *err)
{
    struct mr_key key;

    return mr_store_delete(call->fill->orders, store_key(call->market, order_id, &key), err);
}

enum mr_status state_put(struct call *call, struct mr_err *err)
{
    struct mr_key key;

    mr_key_begin(&key);
    mr_key_text(&key, market_symbol(call->market));
    return mr_store_put(call->fill->books, mr_key_slice(&key), &call->market->state, err);
}

/* Applies one leg to a copy of the order; the copy replaces it when both legs are possible. */
static bool leg_of(const struct live *live, enum ord_liquidity liquidity,
                   const struct book_match *match, struct live *after, struct hold_fill *fill)
{
    *after = *live;
    return hold_apply(&after->hold, liquidity, match->price, match->qty, fill) &&
           dec_add(after->cum_qty, match->qty, &after->cum_qty) &&
           dec_add(after->cum_quote, fill->notional, &after->cum_quote);
}

enum mr_status execute(struct call *call, struct party *taker, struct book_taker *walker,
                       const struct book_match *match, struct mr_err *err)
{
    struct execution execution = {.price = match->price, .qty = match->qty};
    struct party maker = party_of(match->maker);
    const int64_t sequence = match->maker->sequence;
    struct live maker_after;
    struct live taker_after;

    if (!leg_of(maker.live, ORD_MAKER, match, &maker_after, &execution.maker) ||
        !leg_of(taker->live, ORD_TAKER, match, &taker_after, &execution.taker)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "amounts of a trade of order %.*s are out of range",
                       MR_SLICE_ARG(taker->order_id));
    }
    *maker.live = maker_after;
    *taker->live = taker_after;
    /* A filled maker leaves the book here; its memory stays readable until the next insert. */
    book_fill(call->market->book, walker, match);
    call->market->state.book_seq++;
    MR_TRY(report_trade(call, taker, &maker, &execution, err));
    return maker_after.hold.leaves > 0 ? resting_put(call, &maker, sequence, err)
                                       : resting_delete(call, maker.order_id, err);
}

enum mr_status order_rest(struct call *call, const struct party *taker, struct mr_err *err)
{
    struct market *market = call->market;
    const struct book_new order = {
        .id = text_of(taker->order_id),
        .user = text_of(taker->user_id),
        .side = taker->live->hold.side,
        .price = taker->live->hold.price,
        .leaves = taker->live->hold.leaves,
        .sequence = ++market->state.arrival_seq,
    };
    struct book_order *out = NULL;

    if (book_insert(market->book, &order, &out) != BOOK_OK) {
        return mr_fail(err, MR_OUT_OF_RANGE, "order %.*s cannot rest in the book",
                       MR_SLICE_ARG(taker->order_id));
    }
    *(struct live *)out->data = *taker->live;
    market->state.book_seq++;
    return resting_put(call, taker, order.sequence, err);
}

enum mr_status order_cancel(struct call *call, struct book_order *order,
                            enum oms_cancel_reason reason, struct mr_err *err)
{
    struct party party = party_of(order);

    /* The report belongs to the command that ends the order, not to the one that began it. */
    party.command_id = call->command->event_id;
    party.has_trace_id = call->command->has_trace_id;
    party.trace_id = call->command->trace_id;
    book_remove(call->market->book, order);
    call->market->state.book_seq++;
    MR_TRY(report_canceled(call, &party, reason, err));
    return resting_delete(call, party.order_id, err);
}
