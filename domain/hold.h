/*
 * hold.h -- what stays reserved for an open order, and what each fill gives back.
 *
 * Why: a hold that is an atom short fails in the middle of a fill, one that is an atom long stays
 *      locked for ever. With one fee accumulator (fees.h) both are impossible as long as
 *      the maker rate is at most the taker rate and buys trade at most at their limit.
 * How: buy, in quote:  hold = P x leaves + ceil(F + rT x P x leaves) - feePaid
 *      sell, in base:  hold = leaves; the fee comes out of the proceeds.
 *      release of a fill = hold before - hold after - spent, never negative; hold is 0 at leaves 0.
 *      P is the limit; for a MARKET order the collar price.
 */
#ifndef DOMAIN_HOLD_H
#define DOMAIN_HOLD_H

#include "domain/fees.h"
#include "domain/order.h"

/* The part of an open order that decides its hold. Plain state: a stage copies it from and to its
 * own record. */
struct hold_order {
    enum ord_side side;
    dec_t price; /* limit, or collar price of a MARKET order */
    dec_t maker_rate;
    dec_t taker_rate;
    dec_t leaves;
    dec_t hold; /* of the whole order, now */
    struct fee_sum fee;
};

/* What one fill did. */
struct hold_fill {
    dec_t notional; /* price x qty, in quote */
    dec_t fee;      /* of this fill, in quote; negative is a rebate */
    dec_t spent;    /* leaves the hold for good: buy notional + fee (quote), sell qty (base) */
    dec_t release;  /* back from hold to available, >= 0; 0 for a sell */
    dec_t proceeds; /* into available: buy qty (base), sell notional - fee (quote) */
};

/*
 * The hold of an order that has not traded: what risk reserves.
 *
 * price, qty > 0; taker_rate in [0, 1]. Returns false when the notional is not exact or overflows.
 */
bool hold_initial(enum ord_side side, dec_t price, dec_t qty, dec_t taker_rate, dec_t *hold);

/* The hold the formula gives for the order as it stands; equals order->hold at all times. */
bool hold_now(const struct hold_order *order, dec_t *hold);

/*
 * Applies a fill of qty at price: moves leaves, hold and fee of the order.
 *
 * qty        1..leaves; price not beyond the limit for a buy
 * Returns    false when it cannot be (overflow, inexact notional, qty > leaves, price beyond the
 *            limit, negative release): the order is unchanged
 */
bool hold_apply(struct hold_order *order, enum ord_liquidity liquidity, dec_t price, dec_t qty,
                struct hold_fill *fill);

/* Ends the order: returns all that is held, once; hold and leaves are 0 afterwards. */
dec_t hold_release(struct hold_order *order);

#endif
