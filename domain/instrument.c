/*
 * instrument.c -- see instrument.h.
 */
#include "domain/instrument.h"

/* 0 is "no bound", so an upper bound of 0 is above every lower one. */
static bool bounds_fit(dec_t low, dec_t high)
{
    return low >= 0 && high >= 0 && low <= DEC_MAX && high <= DEC_MAX && (high == 0 || low <= high);
}

static bool factor_fits(bool has, dec_t factor)
{
    return !has || (factor > 0 && factor <= DEC_BUSINESS_LIMIT);
}

static const char *increments_defect(const struct instr *instr)
{
    dec_t unit = 0;

    if (instr->tick_size <= 0 || instr->lot_size <= 0 ||
        (instr->has_market_lot_size && instr->market_lot_size <= 0)) {
        return "tick size and lot sizes must be above 0";
    }
    if (!dec_mul_exact(instr->tick_size, instr->lot_size, &unit) ||
        (instr->has_market_lot_size &&
         !dec_mul_exact(instr->tick_size, instr->market_lot_size, &unit))) {
        return "tick size x lot size must have at most 18 decimals";
    }
    return NULL;
}

const char *instr_defect(const struct instr *instr)
{
    const char *defect = increments_defect(instr);

    if (instr->symbol.len == 0 || instr->base_asset.len == 0 || instr->quote_asset.len == 0) {
        return "symbol, base asset and quote asset must not be empty";
    }
    if (defect != NULL) {
        return defect;
    }
    if (!bounds_fit(instr->min_price, instr->max_price) ||
        !bounds_fit(instr->min_qty, instr->max_qty) ||
        !bounds_fit(instr->min_notional, instr->max_notional) ||
        !bounds_fit(instr->has_market_min_qty ? instr->market_min_qty : 0,
                    instr->has_market_max_qty ? instr->market_max_qty : 0)) {
        return "bounds must not be negative, and the lower not above the upper";
    }
    if (instr->taker_fee < 0 || instr->taker_fee > DEC_ONE || instr->maker_fee < -DEC_ONE ||
        instr->maker_fee > instr->taker_fee) {
        return "fees must be fractions, taker not negative, maker not above taker";
    }
    if (!factor_fits(instr->has_bid_up, instr->bid_up) ||
        !factor_fits(instr->has_bid_down, instr->bid_down) ||
        !factor_fits(instr->has_ask_up, instr->ask_up) ||
        !factor_fits(instr->has_ask_down, instr->ask_down)) {
        return "collar factors must be above 0";
    }
    if (instr->initial_margin < 0 || instr->initial_margin > DEC_ONE ||
        instr->maintenance_margin < 0 || instr->maintenance_margin > DEC_ONE) {
        return "margins must be fractions";
    }
    return NULL;
}

enum dom_code instr_takes(const struct instr *instr, enum ord_type type, bool post_only)
{
    bool takes = false;

    switch (instr->state) {
    case INSTR_TRADING:
        takes = true;
        break;
    case INSTR_POST_ONLY:
        takes = post_only;
        break;
    case INSTR_LIMIT_ONLY:
        takes = type == ORD_LIMIT || type == ORD_STOP_LIMIT;
        break;
    case INSTR_HALT:
    case INSTR_CANCEL_ONLY:
    case INSTR_BREAK:
    default:
        break;
    }
    return takes ? CODE_OK : CODE_NOT_TRADING;
}

enum dom_code instr_amends(const struct instr *instr)
{
    return instr->state == INSTR_TRADING || instr->state == INSTR_LIMIT_ONLY ? CODE_OK
                                                                             : CODE_NOT_TRADING;
}

bool instr_collar(const struct instr *instr, enum ord_side side, dec_t reference, dec_t *low,
                  dec_t *high)
{
    const bool buy = side == ORD_BUY;
    dec_t lowest = 0;
    dec_t highest = DEC_MAX;

    if (reference <= 0) {
        return false;
    }
    if (buy ? instr->has_bid_down : instr->has_ask_down) {
        if (!dec_mul(reference, buy ? instr->bid_down : instr->ask_down, DEC_CEIL, &lowest) ||
            !dec_ceil_to(lowest, instr->tick_size, &lowest)) {
            return false;
        }
    }
    if (buy ? instr->has_bid_up : instr->has_ask_up) {
        if (!dec_mul(reference, buy ? instr->bid_up : instr->ask_up, DEC_FLOOR, &highest) ||
            !dec_floor_to(highest, instr->tick_size, &highest)) {
            return false;
        }
    }
    *low = lowest;
    *high = highest;
    return true;
}

/* The worst price before it is put on the tick. */
static bool market_bound(const struct instr *instr, enum ord_side side, dec_t reference,
                         dec_t collar, dec_t *worst)
{
    dec_t low = 0;
    dec_t high = 0;

    if (!instr_collar(instr, side, reference, &low, &high)) {
        return false;
    }
    if (side == ORD_SELL) {
        if (!dec_mul(reference, DEC_ONE - collar, DEC_CEIL, worst)) {
            return false;
        }
        *worst = dec_max(dec_max(*worst, low), instr->min_price);
        return true;
    }
    if (!dec_mul(reference, DEC_ONE + collar, DEC_FLOOR, worst)) {
        return false;
    }
    *worst = dec_min(*worst, high);
    *worst = instr->max_price > 0 ? dec_min(*worst, instr->max_price) : *worst;
    return true;
}

bool instr_market_price(const struct instr *instr, enum ord_side side, dec_t reference,
                        dec_t collar, dec_t *price)
{
    dec_t worst = 0;

    if (collar < 0 || collar > DEC_BUSINESS_LIMIT ||
        !market_bound(instr, side, reference, collar, &worst)) {
        return false;
    }
    const bool on_tick = side == ORD_BUY ? dec_floor_to(worst, instr->tick_size, &worst)
                                         : dec_ceil_to(worst, instr->tick_size, &worst);
    if (!on_tick || worst <= 0) {
        return false;
    }
    *price = worst;
    return true;
}
