/*
 * reserve.h -- what risk must hold before a command goes to the engine, where hold.h has no single
 * price and quantity: orders by amount, and amendments that meet fills on their way.
 *
 * Why: between the decision and the engine anything may trade, and the hold must be enough then
 * too. How: by amount, buy, in quote:  A + ceil(rT x A); fees round up once, so no fill needs more.
 *      by amount, sell, in base:  A / P up to the lot: at P or above no trade takes more.
 *      amendment, buy, in quote:  N + ceil(rT x N) with N = max(P'L' - PL, P'(L' - L), 0). Each
 *      unit that trades on the way lowers both P'L' and PL; at most L trade, so the two ends of the
 *      line are enough. ceil(x + y) <= ceil(x) + ceil(y) covers the fees.
 *      amendment, sell, in base:  max(L' - L, 0).
 */
#ifndef DOMAIN_RESERVE_H
#define DOMAIN_RESERVE_H

#include "domain/order.h"

/* amount > 0, taker_rate in [0, 1]. False when it overflows. */
bool reserve_buy_amount(dec_t amount, dec_t taker_rate, dec_t *hold);

/* amount, price, lot > 0. False when it overflows. */
bool reserve_sell_amount(dec_t amount, dec_t price, dec_t lot, dec_t *qty);

struct reserve_amend {
    enum ord_side side;
    dec_t price; /* of the hold as it is: limit, or collar of a stop */
    dec_t leaves;
    dec_t new_price;
    dec_t new_leaves; /* below 0 counts as 0: the rest is cancelled */
    dec_t taker_rate;
};

/* In addition to what the order holds. False when it overflows or a notional is not exact. */
bool reserve_amend(const struct reserve_amend *amend, dec_t *reserve);

#endif
