/*
 * hold.c -- see hold.h.
 */
#include "domain/hold.h"

/* Of a buy: the open notional and what fees may still come to, less those that are paid. */
static bool held_for(const struct hold_order *order, dec_t notional, dec_t *hold)
{
    dec_t fees = 0;
    dec_t sum = 0;

    return fee_projected(&order->fee, order->taker_rate, notional, &fees) &&
           dec_add(notional, fees, &sum) && dec_sub(sum, order->fee.paid, hold);
}

bool hold_now(const struct hold_order *order, dec_t *hold)
{
    dec_t notional = 0;

    if (order->side == ORD_SELL) {
        /* What an amount takes at the collar is known once; from there on it only falls. */
        *hold = order->by_quote ? order->hold : order->leaves;
        return true;
    }
    if (order->by_quote) {
        return held_for(order, order->amount, hold);
    }
    return dec_mul_exact(order->price, order->leaves, &notional) && held_for(order, notional, hold);
}

bool hold_initial(enum ord_side side, dec_t price, dec_t qty, dec_t taker_rate, dec_t *hold)
{
    const struct hold_order order = {
        .side = side, .price = price, .taker_rate = taker_rate, .leaves = qty};

    if (qty <= 0 || !dec_in_range(qty) || taker_rate < 0 || (side == ORD_BUY && price <= 0)) {
        return false;
    }
    return hold_now(&order, hold);
}

bool hold_by_quote(const struct hold_order *order, dec_t lot, dec_t *hold)
{
    dec_t base = 0;

    if (order->amount <= 0 || !dec_in_range(order->amount) || order->price <= 0 || lot <= 0 ||
        order->taker_rate < 0) {
        return false;
    }
    if (order->side == ORD_BUY) {
        return held_for(order, order->amount, hold);
    }
    return dec_div(order->amount, order->price, DEC_CEIL, &base) && dec_ceil_to(base, lot, hold);
}

/* What leaves the hold and what comes in, once fee and new hold are known. */
static bool settle_fill(const struct hold_order *before, const struct hold_order *after, dec_t qty,
                        struct hold_fill *fill)
{
    dec_t freed = 0;

    if (before->side == ORD_SELL) {
        fill->spent = qty;
        fill->release = 0;
        return dec_sub(fill->notional, fill->fee, &fill->proceeds);
    }
    fill->proceeds = qty;
    return dec_add(fill->notional, fill->fee, &fill->spent) &&
           dec_sub(before->hold, after->hold, &freed) &&
           dec_sub(freed, fill->spent, &fill->release) && fill->release >= 0;
}

static bool can_fill(const struct hold_order *order, dec_t price, dec_t qty)
{
    const dec_t open = !order->by_quote          ? order->leaves
                       : order->side == ORD_SELL ? order->hold
                                                 : DEC_MAX;

    return qty > 0 && qty <= open && price > 0 &&
           (order->side == ORD_SELL || price <= order->price);
}

/* Takes qty for notional off what is open. */
static bool lower(struct hold_order *order, dec_t qty, dec_t notional)
{
    if (!order->by_quote) {
        order->leaves -= qty;
        return true;
    }
    order->amount -= notional;
    order->hold -= order->side == ORD_SELL ? qty : 0;
    return order->amount >= 0;
}

bool hold_apply(struct hold_order *order, enum ord_liquidity liquidity, dec_t price, dec_t qty,
                struct hold_fill *fill)
{
    struct hold_order after = *order;
    struct hold_fill result = {0};
    const dec_t rate = liquidity == ORD_MAKER ? order->maker_rate : order->taker_rate;

    if (!can_fill(order, price, qty) || !dec_mul_exact(price, qty, &result.notional) ||
        !fee_add(&after.fee, rate, result.notional, &result.fee) ||
        !lower(&after, qty, result.notional) || !hold_now(&after, &after.hold) ||
        !settle_fill(order, &after, qty, &result)) {
        return false;
    }
    *order = after;
    *fill = result;
    return true;
}

bool hold_reduce(struct hold_order *order, dec_t price, dec_t qty)
{
    struct hold_order after = *order;
    dec_t notional = 0;

    if (!can_fill(order, price, qty) ||
        (order->by_quote && !dec_mul_exact(price, qty, &notional)) ||
        !lower(&after, qty, notional) || !hold_now(&after, &after.hold)) {
        return false;
    }
    *order = after;
    return true;
}

/* --- amendments --- */

bool hold_amend_reserve(const struct hold_order *order, const struct hold_amendment *to,
                        dec_t *reserve)
{
    dec_t more_qty = 0;
    dec_t open = 0;
    dec_t open_then = 0;
    dec_t at_once = 0;
    dec_t at_last = 0;
    dec_t fee = 0;
    const struct fee_sum none = {0};

    if (!dec_sub(to->leaves, order->leaves, &more_qty)) {
        return false;
    }
    if (order->side == ORD_SELL) {
        *reserve = dec_max(more_qty, 0);
        return true;
    }
    if (!dec_mul_exact(order->price, order->leaves, &open) ||
        !dec_mul_exact(to->price, to->leaves, &open_then) || !dec_sub(open_then, open, &at_once) ||
        !dec_mul_exact(to->price, more_qty, &at_last)) {
        return false;
    }
    at_once = dec_max(dec_max(at_once, at_last), 0);
    return fee_projected(&none, order->taker_rate, at_once, &fee) && dec_add(at_once, fee, reserve);
}

enum hold_amended hold_amend(struct hold_order *order, const struct hold_amendment *to,
                             dec_t reserved)
{
    struct hold_order after = *order;
    dec_t covered = 0;

    after.price = to->price;
    after.leaves = to->leaves;
    if (to->price <= 0 || to->leaves <= 0 || !dec_in_range(to->leaves) ||
        !hold_now(&after, &after.hold) || !dec_add(order->hold, reserved, &covered)) {
        return HOLD_OVERFLOW;
    }
    if (after.hold > covered) {
        return HOLD_SHORT;
    }
    *order = after;
    return HOLD_AMENDED;
}

dec_t hold_release(struct hold_order *order)
{
    const dec_t released = order->hold;

    order->hold = 0;
    order->leaves = 0;
    order->amount = 0;
    return released;
}
