/*
 * position.h -- position of a user in a symbol, at average cost or in lots.
 *
 * How: cost_basis is signed as qty is: what was paid for a long, minus what was received for a
 *      short. Closing q of qty takes out cost x q / qty, truncated towards zero, all of it when
 *      q = qty: no dust, a flat position has cost 0. A fill through zero closes, then opens.
 *      The fee of every fill, opening ones too, is realised at once, so realised + (qty x mark -
 *      cost) is exactly the change of equity.
 * Not: no mark, no currency conversion.
 */
#ifndef DOMAIN_POSITION_H
#define DOMAIN_POSITION_H

#include "domain/order.h"

#define POS_DAY_US INT64_C(86400000000)

/* Zero-initialised: never traded. The fields of SettlePosition. */
struct pos {
    dec_t qty;
    dec_t cost_basis;
    dec_t realised_total;
    dec_t realised_day; /* of `day` only */
    dec_t fees_total;
    int32_t day; /* UTC day since the epoch of the newest fill */
};

struct pos_fill {
    enum ord_side side;
    dec_t qty;      /* > 0 */
    dec_t notional; /* price x qty, >= 0 */
    dec_t fee;
    int64_t ts_us; /* event time */
};

/*
 * Applies a fill; *realised is its profit net of the fee.
 *
 * A fill of a newer UTC day starts realised_day afresh. One of an older day counts in
 * realised_total only: a day that has passed is not reopened.
 * Returns false on overflow: the position is unchanged.
 */
bool pos_apply(struct pos *pos, const struct pos_fill *fill, dec_t *realised);

/*
 * First in, first out instead of average cost: the same, but closing takes the cost of the oldest
 * lots. A lot is what one fill opened; quantity and cost have the position's sign, and their sums
 * over the lots are the position's. A fill at the price of the newest lot joins it, which loses
 * nothing. When `room` lots are there, a fill joins the newest whatever its price: the two then
 * have their average, the total stays exact. A lot that is closed in part gives cost x part / lot,
 * truncated towards zero, and all that is left when it is closed whole.
 * A position with quantity and without lots (kept at average cost before) is one lot to begin with.
 */
struct pos_lot {
    dec_t qty;
    dec_t cost;
};

struct pos_lots {
    struct pos_lot *items; /* oldest first; the caller's, room of them */
    size_t count;
    size_t room; /* > 0 */
};

/* Returns false on overflow: position and lots are unchanged. */
bool pos_apply_fifo(struct pos *pos, struct pos_lots *lots, const struct pos_fill *fill,
                    dec_t *realised);

/* UTC day since the epoch; floor, so right before 1970 too. */
int32_t pos_day(int64_t ts_us);

/* Starts a newer day without a fill; an older one changes nothing. */
void pos_roll(struct pos *pos, int64_t ts_us);

/* cost / qty, half-even, for display. False when flat. */
bool pos_average(const struct pos *pos, dec_t *price);

/* qty x mark - cost, floor. False on overflow. */
bool pos_unrealised(const struct pos *pos, dec_t mark, dec_t *profit);

#endif
