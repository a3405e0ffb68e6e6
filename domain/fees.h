/*
 * fees.h -- the fee of an order over its fills: exact numerator, rounded up once.
 *
 * Why: rounding each fill up, or maker and taker shares apart, can charge an atom more than was
 *      reserved. One exact sum F of rate x notional over all fills, rounded as a whole, cannot.
 * How: F is kept unrounded at scale 36 in 192 bits, two's complement, as the three longs a
 *      RestingOrder stores. Fee of fill i = ceil(F_i) - ceil(F_(i-1)). Up is against the user, for
 *      a rebate (negative rate) too.
 */
#ifndef DOMAIN_FEES_H
#define DOMAIN_FEES_H

#include "domain/decimal.h"

/* Zero-initialised: no fill yet. The limbs are RestingOrder's feeHigh, feeMid, feeLow. */
struct fee_sum {
    int64_t high; /* carries the sign */
    int64_t mid;  /* bits 64..127 */
    int64_t low;  /* bits 0..63 */
    dec_t paid;   /* ceil of the sum: what was charged so far (feePaid, feeTotal) */
};

/*
 * Adds a fill.
 *
 * rate      fraction of this fill: the maker or the taker rate, within [-1, 1]
 * notional  price x qty of the fill, >= 0
 * *charged  fee of this fill; negative only with a rebate
 * Returns   false on overflow or a rate out of range: nothing is changed
 */
bool fee_add(struct fee_sum *sum, dec_t rate, dec_t notional, dec_t *charged);

/* ceil(F + rate x notional): what the order would have paid after one more such fill. */
bool fee_projected(const struct fee_sum *sum, dec_t rate, dec_t notional, dec_t *total);

#endif
