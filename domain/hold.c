/*
 * hold.c -- see hold.h.
 */
#include "domain/hold.h"

bool hold_now(const struct hold_order *order, dec_t *hold)
{
    dec_t notional = 0;
    dec_t fees = 0;
    dec_t sum = 0;

    if (order->side == ORD_SELL) {
        *hold = order->leaves;
        return true;
    }
    return dec_mul_exact(order->price, order->leaves, &notional) &&
           fee_projected(&order->fee, order->taker_rate, notional, &fees) &&
           dec_add(notional, fees, &sum) && dec_sub(sum, order->fee.paid, hold);
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

bool hold_apply(struct hold_order *order, enum ord_liquidity liquidity, dec_t price, dec_t qty,
                struct hold_fill *fill)
{
    struct hold_order after = *order;
    struct hold_fill result = {0};
    const dec_t rate = liquidity == ORD_MAKER ? order->maker_rate : order->taker_rate;

    if (qty <= 0 || qty > order->leaves || price <= 0 ||
        (order->side == ORD_BUY && price > order->price)) {
        return false;
    }
    after.leaves -= qty;
    if (!dec_mul_exact(price, qty, &result.notional) ||
        !fee_add(&after.fee, rate, result.notional, &result.fee) ||
        !hold_now(&after, &after.hold) || !settle_fill(order, &after, qty, &result)) {
        return false;
    }
    *order = after;
    *fill = result;
    return true;
}

dec_t hold_release(struct hold_order *order)
{
    const dec_t released = order->hold;

    order->hold = 0;
    order->leaves = 0;
    return released;
}
