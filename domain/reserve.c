/* reserve.c -- see reserve.h. */
#include "domain/reserve.h"

#include "domain/fees.h"

/* A notional and the taker fee on it. */
static bool with_fee(dec_t notional, dec_t taker_rate, dec_t *hold)
{
    const struct fee_sum none = {0};
    dec_t fee = 0;

    return fee_projected(&none, taker_rate, notional, &fee) && dec_add(notional, fee, hold);
}

bool reserve_buy_amount(dec_t amount, dec_t taker_rate, dec_t *hold)
{
    return amount > 0 && with_fee(amount, taker_rate, hold);
}

bool reserve_sell_amount(dec_t amount, dec_t price, dec_t lot, dec_t *qty)
{
    dec_t exact = 0;

    return amount > 0 && price > 0 && dec_div(amount, price, DEC_CEIL, &exact) &&
           dec_ceil_to(exact, lot, qty);
}

bool reserve_amend(const struct reserve_amend *amend, dec_t *reserve)
{
    const dec_t leaves = dec_max(amend->new_leaves, 0);
    dec_t before = 0;
    dec_t after = 0;
    dec_t dearer = 0;
    dec_t longer = 0;

    if (amend->side == ORD_SELL) {
        *reserve = dec_max(leaves - amend->leaves, 0);
        return true;
    }
    if (!dec_mul_exact(amend->price, amend->leaves, &before) ||
        !dec_mul_exact(amend->new_price, leaves, &after) || !dec_sub(after, before, &dearer) ||
        !dec_mul_exact(amend->new_price, leaves - amend->leaves, &longer)) {
        return false;
    }
    return with_fee(dec_max(dec_max(dearer, longer), 0), amend->taker_rate, reserve);
}
