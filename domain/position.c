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

/* A signed fill against a position: what of it closes, and what that costs. */
struct motion {
    dec_t qty;
    dec_t cost;        /* signed as qty */
    dec_t closed;      /* >= 0 */
    dec_t cost_closed; /* share of the fill's notional that closes */
};

static bool motion_of(const struct pos *pos, const struct pos_fill *fill, struct motion *motion)
{
    const bool buy = fill->side == ORD_BUY;

    if (fill->qty <= 0 || fill->notional < 0 || !dec_in_range(fill->qty) ||
        !dec_in_range(fill->notional)) {
        return false;
    }
    *motion = (struct motion){.qty = buy ? fill->qty : -fill->qty,
                              .cost = buy ? fill->notional : -fill->notional};
    if ((pos->qty > 0 && !buy) || (pos->qty < 0 && buy)) {
        motion->closed = dec_min(dec_abs(pos->qty), fill->qty);
        return share(motion->cost, motion->closed, fill->qty, &motion->cost_closed);
    }
    return true;
}

/* Moves quantity and cost; *profit is what closing brought before the fee. */
static bool move(struct pos *pos, const struct motion *motion, dec_t cost_out, dec_t *profit)
{
    dec_t opened = 0;

    /* Long: sold for -cost_closed what had cost cost_out. Short: bought back, both signs turned. */
    return dec_sub(-motion->cost_closed, cost_out, profit) &&
           dec_sub(motion->cost, motion->cost_closed, &opened) &&
           dec_add(pos->qty, motion->qty, &pos->qty) &&
           dec_sub(pos->cost_basis, cost_out, &pos->cost_basis) &&
           dec_add(pos->cost_basis, opened, &pos->cost_basis);
}

/* What is the same for every way to find cost_out. */
static bool apply(struct pos *pos, const struct motion *motion, dec_t cost_out,
                  const struct pos_fill *fill, dec_t *realised)
{
    struct pos next = *pos;
    dec_t profit = 0;

    if (!move(&next, motion, cost_out, &profit) || !dec_sub(profit, fill->fee, &profit) ||
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

bool pos_apply(struct pos *pos, const struct pos_fill *fill, dec_t *realised)
{
    struct motion motion;
    dec_t cost_out = 0;

    return motion_of(pos, fill, &motion) &&
           (motion.closed == 0 ||
            share(pos->cost_basis, motion.closed, dec_abs(pos->qty), &cost_out)) &&
           apply(pos, &motion, cost_out, fill, realised);
}

/* What closing `closed` takes out of the oldest lots: whole ones, then a part of the next. */
struct lots_out {
    size_t whole;
    struct pos_lot part; /* what is left of the next one, when `split` */
    bool split;
    dec_t cost;
};

static bool take_oldest(const struct pos_lots *lots, dec_t closed, struct lots_out *out)
{
    *out = (struct lots_out){0};
    for (; closed > 0 && out->whole < lots->count; out->whole++) {
        const struct pos_lot *lot = &lots->items[out->whole];
        const dec_t size = dec_abs(lot->qty);
        dec_t cost = 0;

        if (!share(lot->cost, dec_min(closed, size), size, &cost) ||
            !dec_add(out->cost, cost, &out->cost)) {
            return false;
        }
        if (closed < size) {
            out->split = true;
            out->part = (struct pos_lot){.qty = lot->qty + (lot->qty > 0 ? -closed : closed),
                                         .cost = lot->cost - cost};
            return true;
        }
        closed -= size;
    }
    return closed == 0; /* else the lots are not the position's */
}

/* Do two lots have one price? Then the share of a part is the same, whichever it comes from. */
static bool same_price(const struct pos_lot *a, const struct pos_lot *b)
{
    dec_t of_a = 0;
    dec_t of_b = 0;

    return dec_div(a->cost, a->qty, DEC_TRUNC, &of_a) && dec_mul_exact(of_a, a->qty, &of_b) &&
           of_b == a->cost && dec_mul_exact(of_a, b->qty, &of_b) && of_b == b->cost;
}

static bool open_lot(struct pos_lots *lots, const struct pos_lot *added)
{
    struct pos_lot *newest = lots->count > 0 ? &lots->items[lots->count - 1] : NULL;

    if (newest == NULL || (lots->count < lots->room && !same_price(newest, added))) {
        lots->items[lots->count++] = *added;
        return true;
    }
    return dec_add(newest->qty, added->qty, &newest->qty) &&
           dec_add(newest->cost, added->cost, &newest->cost);
}

bool pos_apply_fifo(struct pos *pos, struct pos_lots *lots, const struct pos_fill *fill,
                    dec_t *realised)
{
    const size_t known = lots->count;
    struct lots_out out;
    struct motion motion;

    if (pos->qty != 0 && known == 0) {
        lots->items[lots->count++] = (struct pos_lot){.qty = pos->qty, .cost = pos->cost_basis};
    }
    if (!motion_of(pos, fill, &motion) || !take_oldest(lots, motion.closed, &out) ||
        !apply(pos, &motion, out.cost, fill, realised)) {
        lots->count = known;
        return false;
    }
    if (out.whole > 0) {
        memmove(lots->items, lots->items + out.whole,
                (lots->count - out.whole) * sizeof(*lots->items));
        lots->count -= out.whole;
    }
    if (out.split) {
        lots->items[0] = out.part;
    }
    if (motion.closed == fill->qty) {
        return true;
    }
    /* Cannot overflow: the position, their sum, did not. */
    return open_lot(lots, &(struct pos_lot){
                              .qty = motion.qty + (motion.qty > 0 ? -motion.closed : motion.closed),
                              .cost = motion.cost - motion.cost_closed});
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
