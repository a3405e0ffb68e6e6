/*
 * hold.h -- what stays reserved for an open order, and what each fill gives back.
 *
 * Why: a hold that is an atom short fails in the middle of a fill, one that is an atom long stays
 *      locked for ever. With one fee accumulator (fees.h) both are impossible as long as
 *      the maker rate is at most the taker rate and buys trade at most at their limit.
 * How: buy, in quote:  hold = P x leaves + ceil(F + rT x P x leaves) - feePaid
 *      sell, in base:  hold = leaves; the fee comes out of the proceeds.
 *      release of a fill = hold before - hold after - spent, never negative; hold is 0 at leaves 0.
 *      P is the limit; for a MARKET order, and for a STOP, the collar price.
 *      An order by amount A in quote: a buy holds A + ceil(F + rT x A) - feePaid for what is left
 * of A; a sell the base that A takes at the collar, rounded up to a lot, less what was sold. An
 * amendment from P, L to P', L' needs at most D = max(P'L' - PL, P'(L' - L), 0) more, and ceil(rT x
 * D), whatever trades before it is made: after fills that leave l of L the open notional changes by
 * P'(l + L' - L) - Pl, which is linear in l, so one of l = L and l = 0 is the most; and ceil(a + b)
 * <= ceil(a) + ceil(b).
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
    bool by_quote; /* a MARKET order by amount: leaves stays 0 */
    dec_t amount;  /* by_quote: what is left of it, in quote */
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

/*
 * The hold of a MARKET order by amount that has not traded.
 *
 * amount, collar, lot > 0; taker_rate in [0, 1]. A sell holds base, rounded up to a lot. Returns
 * false when the result is out of range.
 */
bool hold_by_quote(const struct hold_order *order, dec_t lot, dec_t *hold);

/* The hold the formula gives for the order as it stands; equals order->hold at all times. */
bool hold_now(const struct hold_order *order, dec_t *hold);

/*
 * Applies a fill of qty at price: moves leaves, hold and fee of the order.
 *
 * qty        1..leaves, by amount what is left of it buys; price not beyond the limit for a buy
 * Returns    false when it cannot be (overflow, inexact notional, qty > leaves, price beyond the
 *            limit, negative release): the order is unchanged
 */
bool hold_apply(struct hold_order *order, enum ord_liquidity liquidity, dec_t price, dec_t qty,
                struct hold_fill *fill);

/* Lowers what is open without a trade (self-trade prevention): an order of qty by qty, one by
 * amount by price x qty. False when it cannot be: the order is unchanged. */
bool hold_reduce(struct hold_order *order, dec_t price, dec_t qty);

/* --- amendments --- */

struct hold_amendment {
    dec_t price;  /* new limit */
    dec_t leaves; /* new open quantity, > 0 */
};

/*
 * The most that an amendment of the order may need in addition to its hold, whatever of it trades
 * before the amendment is made: what risk reserves. False when it is out of range.
 */
bool hold_amend_reserve(const struct hold_order *order, const struct hold_amendment *to,
                        dec_t *reserve);

enum hold_amended {
    HOLD_AMENDED,
    HOLD_SHORT,    /* hold and reserve together do not cover the new hold */
    HOLD_OVERFLOW, /* the new notional is not exact, or out of range */
};

/* Gives the order its new limit and quantity and the hold that follows; unchanged when it cannot
 * be. reserved is what is held in addition to order->hold. */
enum hold_amended hold_amend(struct hold_order *order, const struct hold_amendment *to,
                             dec_t reserved);

/* Ends the order: returns all that is held, once; hold, leaves and amount are 0 afterwards. */
dec_t hold_release(struct hold_order *order);

#endif
