/*
 * fees.c -- see fees.h.
 */
#include "domain/fees.h"

#include "domain/wide.h"

#define LIMB_BITS 64

/* 192 bits, two's complement: high carries the sign. */
struct total {
    int64_t high;
    dec_u low;
};

static struct total load(const struct fee_sum *sum)
{
    return (struct total){
        .high = sum->high,
        .low = ((dec_u)(uint64_t)sum->mid << LIMB_BITS) | (uint64_t)sum->low,
    };
}

static bool plus(struct total *total, dec_t rate, dec_t notional)
{
    const struct wide product = wide_mul(wide_magnitude(rate), wide_magnitude(notional));
    dec_u low = ((dec_u)product.limb[1] << LIMB_BITS) | product.limb[0];
    /* |rate| <= 1 and the range of amounts keep the product below 10^56, far from the sign bit */
    int64_t high = (int64_t)product.limb[2];

    if ((rate < 0) != (notional < 0)) {
        low = (dec_u)0 - low;
        high = low == 0 ? -high : ~high;
    }
    const dec_u sum = total->low + low;
    int64_t top = 0;
    if (__builtin_add_overflow(total->high, high, &top) ||
        __builtin_add_overflow(top, sum < low ? 1 : 0, &top)) {
        return false;
    }
    total->high = top;
    total->low = sum;
    return true;
}

/* The sum rounded up to an atom. */
static bool rounded(const struct total *total, dec_t *out)
{
    const bool negative = total->high < 0;
    const dec_u low = negative ? (dec_u)0 - total->low : total->low;
    uint64_t high = (uint64_t)total->high;
    dec_u parts[2] = {0};

    if (negative) {
        high = ~high + (low == 0 ? 1 : 0);
    }
    const struct wide value = {.limb = {(uint64_t)low, (uint64_t)(low >> LIMB_BITS), high, 0}};
    if (!wide_div(value, (dec_u)DEC_ONE, &parts[0], &parts[1])) {
        return false;
    }
    return wide_round(negative, parts, (dec_u)DEC_ONE, DEC_CEIL, out);
}

static bool add_checked(const struct fee_sum *sum, dec_t rate, dec_t notional, struct total *total)
{
    if (rate < -DEC_ONE || rate > DEC_ONE || notional < 0 || notional > DEC_MAX) {
        return false;
    }
    *total = load(sum);
    return plus(total, rate, notional);
}

bool fee_add(struct fee_sum *sum, dec_t rate, dec_t notional, dec_t *charged)
{
    struct total total = {0};
    dec_t paid = 0;
    dec_t fee = 0;

    if (!add_checked(sum, rate, notional, &total) || !rounded(&total, &paid) ||
        !dec_sub(paid, sum->paid, &fee)) {
        return false;
    }
    sum->high = total.high;
    sum->mid = (int64_t)(uint64_t)(total.low >> LIMB_BITS);
    sum->low = (int64_t)(uint64_t)total.low;
    sum->paid = paid;
    *charged = fee;
    return true;
}

bool fee_projected(const struct fee_sum *sum, dec_t rate, dec_t notional, dec_t *total)
{
    struct total projected = {0};

    return add_checked(sum, rate, notional, &projected) && rounded(&projected, total);
}
