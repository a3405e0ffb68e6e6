/*
 * execute.c -- one trade between two orders, or one that is prevented.
 *
 * How: both holds are computed on copies first, so a trade that cannot be (an amount out of range)
 *      is refused before it touched anything. The book then takes the match, the maker's record is
 *      written or deleted, and the reports follow: maker, taker, trade.
 */
#include "engine.h"

bool live_over(const struct live *live)
{
    return live->hold.by_quote ? live->done : live->hold.leaves == 0;
}

/* Does what is left of an amount buy less than a lot at this price? */
static bool less_than_a_lot(const struct market *market, const struct live *live, mr_i128 price)
{
    mr_i128 lot = 0;

    return !dec_mul(price, market->market_lot, DEC_CEIL, &lot) || live->hold.amount < lot;
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

static enum mr_status out_of_range(const struct party *taker, struct mr_err *err)
{
    return mr_fail(err, MR_OUT_OF_RANGE, "amounts of a trade of order %.*s are out of range",
                   MR_SLICE_ARG(taker->order_id));
}

/* The maker has lost quantity in the book already; what is left of it is written. */
static enum mr_status maker_put(struct call *call, struct live *maker, struct mr_err *err)
{
    return maker->hold.leaves > 0 ? order_put(call, maker, err) : order_forget(call, maker, err);
}

enum mr_status execute(struct call *call, struct party *taker, struct book_taker *walker,
                       const struct book_match *match, struct mr_err *err)
{
    struct execution execution = {.price = match->price, .qty = match->qty};
    struct party maker = party_of(match->maker->data);
    struct live maker_after;
    struct live taker_after;

    if (!leg_of(maker.live, ORD_MAKER, match, &maker_after, &execution.maker) ||
        !leg_of(taker->live, ORD_TAKER, match, &taker_after, &execution.taker)) {
        return out_of_range(taker, err);
    }
    if (taker_after.hold.by_quote && less_than_a_lot(call->market, &taker_after, match->price)) {
        taker_after.done = true;
        (void)hold_release(&taker_after.hold);
    }
    *maker.live = maker_after;
    *taker->live = taker_after;
    /* A filled maker leaves the book here; its memory stays readable until the next insert. */
    book_fill(call->market->book, walker, match);
    call->market->state.book_seq++;
    MR_TRY(report_trade(call, taker, &maker, &execution, err));
    return maker_put(call, maker.live, err);
}

/* The same quantity goes from both, without a trade. */
static bool reduce(struct live *live, const struct book_match *match)
{
    if (!hold_reduce(&live->hold, match->price, match->qty)) {
        return false;
    }
    return live->hold.by_quote || dec_add(live->prevented_qty, match->qty, &live->prevented_qty);
}

enum mr_status prevent(struct call *call, struct party *taker, struct book_taker *walker,
                       const struct book_match *match, struct mr_err *err)
{
    struct party maker = party_of(match->maker->data);
    struct live maker_after = *maker.live;
    struct live taker_after = *taker->live;

    if (!reduce(&maker_after, match) || !reduce(&taker_after, match)) {
        return out_of_range(taker, err);
    }
    *maker.live = maker_after;
    *taker->live = taker_after;
    taker->live->done =
        taker_after.hold.by_quote && less_than_a_lot(call->market, &taker_after, match->price);
    book_fill(call->market->book, walker, match);
    call->market->state.book_seq++;
    MR_TRY(report_prevented(call, taker, &maker, err));
    if (maker_after.hold.leaves == 0) {
        /* It ends by the taker's command. */
        party_cause(&maker, call->cause);
        MR_TRY(report_canceled(call, &maker, OMS_CANCEL_REASON_STP, err));
    }
    MR_TRY(maker_put(call, maker.live, err));
    return live_over(taker->live) ? report_canceled(call, taker, OMS_CANCEL_REASON_STP, err)
                                  : MR_OK;
}
