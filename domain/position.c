/*
 * position.c -- see position.h.
 */
#include "domain/position.h"

int32_t pos_day(int64_t ts_us)
{
    const int64_t day = ts_us / POS_DAY_US - (ts_us % POS_DAY_US < 0 ? 1 : 0);

    return (int32_t)day; /* 2^63 us are 106 751 991 days */
}

void pos_roll(struct pos *pos, int64_t ts_us)
{
    const int32_t day = pos_day(ts_us);

    if (day > pos->day) {
        pos->day = day;
        pos->realised_day = 0;
    }
}

/* The part of the signed notional that belongs to `part` of the fill's `whole`; the last part takes
 * what is left, so nothing is lost. */
static bool share(dec_t notional, dec_t part, dec_t whole, dec_t *out)
{
    if (part == whole) {
        *out = notional;
        return true;
    }
    return dec_mul_div(notional, part, whole, DEC_TRUNC, out);
}

/*
 * Moves quantity and cost by a signed fill (a sell has both negative); *profit is what closing
 * brought before the fee.
 */
static bool move(struct pos *pos, dec_t qty, dec_t cost, dec_t *profit)
{
    const bool closes = (pos->qty > 0 && qty < 0) || (pos->qty < 0 && qty > 0);
    const dec_t closed = closes ? dec_min(dec_abs(pos->qty), dec_abs(qty)) : 0;
    dec_t cost_closed = 0; /* share of the fill's notional that closes */
    dec_t cost_out = 0;    /* share of the basis that goes */
    dec_t opened = 0;

    if (closed != 0 && (!share(cost, closed, dec_abs(qty), &cost_closed) ||
                        !share(pos->cost_basis, closed, dec_abs(pos->qty), &cost_out))) {
        return false;
    }
    /* Long: sold for -cost_closed what had cost cost_out. Short: bought back, both signs turned. */
    return dec_sub(-cost_closed, cost_out, profit) && dec_sub(cost, cost_closed, &opened) &&
           dec_add(pos->qty, qty, &pos->qty) &&
           dec_sub(pos->cost_basis, cost_out, &pos->cost_basis) &&
           dec_add(pos->cost_basis, opened, &pos->cost_basis);
}

bool pos_apply(struct pos *pos, const struct pos_fill *fill, dec_t *realised)
{
    struct pos next = *pos;
    const bool buy = fill->side == ORD_BUY;
    dec_t profit = 0;

    if (fill->qty <= 0 || fill->notional < 0 || !dec_in_range(fill->qty) ||
        !dec_in_range(fill->notional)) {
        return false;
    }
    if (!move(&next, buy ? fill->qty : -fill->qty, buy ? fill->notional : -fill->notional,
              &profit) ||
        !dec_sub(profit, fill->fee, &profit) ||
        !dec_add(next.realised_total, profit, &next.realised_total) ||
        !dec_add(next.fees_total, fill->fee, &next.fees_total)) {
        return false;
    }
    pos_roll(&next, fill->ts_us);
    if (pos_day(fill->ts_us) == next.day &&
        !dec_add(next.realised_day, profit, &next.realised_day)) {
        return false;
    }
    *pos = next;
    *realised = profit;
    return true;
}

bool pos_average(const struct pos *pos, dec_t *price)
{
    return pos->qty != 0 && dec_div(pos->cost_basis, pos->qty, DEC_HALF_EVEN, price);
}

bool pos_unrealised(const struct pos *pos, dec_t mark, dec_t *profit)
{
    dec_t value = 0;

    return dec_mul(pos->qty, mark, DEC_FLOOR, &value) && dec_sub(value, pos->cost_basis, profit);
}
