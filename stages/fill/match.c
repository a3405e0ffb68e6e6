/*
 * match.c -- an order walks the other side of the book.
 *
 * How: one trade after another as book_peek shows them, until something stops the walk; what is
 *      left then rests, or is canceled by that reason. MARKET and triggered STOP orders are IOC
 *      orders whose limit is the collar. The execution range is asked before each step, own orders
 *      included: beyond it the walk is over whoever the next maker is.
 *      An order by amount has no quantity; at each price it takes the whole lots that the rest of
 *      its amount buys there.
 */
#include "engine.h"

enum walk_end {
    WALK_OVER,  /* filled, or ended and reported on the way */
    WALK_EMPTY, /* nothing on the other side */
    WALK_LIMIT, /* the best price is beyond the limit */
    WALK_RANGE, /* or beyond the execution range */
    WALK_SELF,  /* an own order stands there */
    WALK_SHORT, /* the rest of the amount buys less than a lot */
};

struct walk {
    struct book_taker book;
    mr_i128 low; /* execution range */
    mr_i128 high;
};

static struct walk walk_of(const struct market *market, const struct party *taker)
{
    const struct live *live = taker->live;
    const mr_i128 last = market->state.last_price;
    struct walk walk = {
        .book = {.user = text_of(taker->user_id),
                 .side = live->hold.side,
                 .stp = (enum ord_stp)live->stp,
                 .limit = live->hold.price,
                 .leaves = live->hold.by_quote ? DEC_MAX : live->hold.leaves},
        .high = DEC_MAX,
    };

    if (!market->state.has_last_price) {
        return walk;
    }
    if (market->has_range_up && !dec_mul(last, market->range_up, DEC_FLOOR, &walk.high)) {
        walk.high = DEC_MAX;
    }
    if (market->has_range_down && !dec_mul(last, market->range_down, DEC_CEIL, &walk.low)) {
        walk.low = DEC_MAX;
    }
    return walk;
}

/* Lowers the match to the lots that the rest of an amount buys; false: less than one. */
static bool bound_by_amount(const struct market *market, const struct live *live,
                            struct book_match *match)
{
    mr_i128 lots = 0;

    if (!dec_div(live->hold.amount, match->price, DEC_FLOOR, &lots)) {
        return true; /* more than any maker has */
    }
    if (!dec_floor_to(lots, market->market_lot, &lots) || lots == 0) {
        return false;
    }
    match->qty = dec_min(match->qty, lots);
    return true;
}

/* Shows what comes next: true with a match or an own order, else *end. */
static bool next(const struct market *market, const struct live *live, const struct walk *walk,
                 struct book_match *match, enum walk_end *end)
{
    switch (book_peek(market->book, &walk->book, match)) {
    case BOOK_FILLED:
        *end = WALK_OVER;
        return false;
    case BOOK_EMPTY:
        *end = WALK_EMPTY;
        return false;
    case BOOK_LIMIT:
        *end = WALK_LIMIT;
        return false;
    case BOOK_SELF:
        *end = WALK_SELF;
        break;
    case BOOK_MATCH:
    default:
        *end = WALK_OVER;
        break;
    }
    if (match->price < walk->low || match->price > walk->high) {
        *end = WALK_RANGE;
        return false;
    }
    if (live->hold.by_quote && !bound_by_amount(market, live, match)) {
        *end = WALK_SHORT;
        return false;
    }
    return true;
}

/* The taker's mode decides; *end is WALK_SELF when the walk is over. */
static enum mr_status meet_own(struct call *call, struct party *taker, struct walk *walk,
                               const struct book_match *match, enum walk_end *end,
                               struct mr_err *err)
{
    const enum oms_stp_mode mode = taker->live->stp;

    if (mode == OMS_STP_MODE_DECREMENT) {
        *end = WALK_OVER;
        return prevent(call, taker, &walk->book, match, err);
    }
    if (mode == OMS_STP_MODE_EXPIRE_MAKER || mode == OMS_STP_MODE_EXPIRE_BOTH) {
        MR_TRY(order_cancel(call, match->maker->data, OMS_CANCEL_REASON_STP, err));
    }
    *end = mode == OMS_STP_MODE_EXPIRE_MAKER ? WALK_OVER : WALK_SELF;
    return MR_OK;
}

/* Trades until nothing more is possible; *end says why it ended. */
static enum mr_status match_all(struct call *call, struct party *taker, struct walk *walk,
                                enum walk_end *end, struct mr_err *err)
{
    struct book_match match = {0};

    while (next(call->market, taker->live, walk, &match, end)) {
        if (*end == WALK_SELF) {
            MR_TRY(meet_own(call, taker, walk, &match, end, err));
        } else {
            MR_TRY(execute(call, taker, &walk->book, &match, err));
        }
        if (*end == WALK_SELF || live_over(taker->live)) {
            return MR_OK;
        }
    }
    return MR_OK;
}

static bool is_limit(const struct live *live)
{
    return live->type == OMS_ORDER_TYPE_LIMIT || live->type == OMS_ORDER_TYPE_STOP_LIMIT;
}

/* All or nothing, known before the first trade: within the limit, then within the range too. */
static bool fills_whole(const struct market *market, const struct walk *walk,
                        enum oms_cancel_reason *reason)
{
    struct book_taker bounded = walk->book;
    struct book_match match = {0};

    *reason = OMS_CANCEL_REASON_FOK;
    if (!book_can_fill(market->book, &bounded)) {
        return false;
    }
    *reason = OMS_CANCEL_REASON_PRICE_RANGE;
    bounded.limit = bounded.side == ORD_BUY ? dec_min(bounded.limit, walk->high)
                                            : dec_max(bounded.limit, walk->low);
    (void)book_peek(market->book, &walk->book, &match);
    return match.price >= walk->low && match.price <= walk->high &&
           book_can_fill(market->book, &bounded);
}

static enum oms_cancel_reason reason_of(const struct live *live, enum walk_end end)
{
    if (end == WALK_SELF) {
        return OMS_CANCEL_REASON_STP;
    }
    if (end == WALK_RANGE || (end == WALK_LIMIT && !is_limit(live))) {
        return OMS_CANCEL_REASON_PRICE_RANGE;
    }
    if (!is_limit(live)) {
        return OMS_CANCEL_REASON_INSUFFICIENT_LIQUIDITY;
    }
    /* The whole of a FOK was seen before: it only comes here behind own orders that it ended. */
    return live->tif == OMS_TIME_IN_FORCE_FOK ? OMS_CANCEL_REASON_FOK : OMS_CANCEL_REASON_IOC;
}

enum mr_status match_work(struct call *call, struct party *taker, struct mr_err *err)
{
    const struct live *live = taker->live;
    struct walk walk = walk_of(call->market, taker);
    enum oms_cancel_reason reason = OMS_CANCEL_REASON_FOK;
    enum walk_end end = WALK_OVER;

    if (is_limit(live) && live->tif == OMS_TIME_IN_FORCE_FOK &&
        !fills_whole(call->market, &walk, &reason)) {
        return report_canceled(call, taker, reason, err);
    }
    MR_TRY(match_all(call, taker, &walk, &end, err));
    if (live_over(live)) {
        return MR_OK;
    }
    if (is_limit(live) && (end == WALK_EMPTY || end == WALK_LIMIT) &&
        (live->tif == OMS_TIME_IN_FORCE_GTC || live->tif == OMS_TIME_IN_FORCE_GTD)) {
        return order_rest(call, taker, err);
    }
    return report_canceled(call, taker, reason_of(live, end), err);
}
