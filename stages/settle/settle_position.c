/*
 * settle_position.c -- the position that a fill moves, at average cost or first in, first out.
 *
 * How: domain/position.h does the sums; here they meet the row. The lots of all symbols are one
 * array of the row, those of one symbol together, oldest first. Changing the option takes effect
 * with the next fill of a symbol: going to lots, the position so far is one lot; going back, the
 * lots are dropped, and the cost of the position is their sum.
 */
#include "settle_state.h"

static struct pos pos_of(const struct oms_settle_position *stored)
{
    return (struct pos){.qty = stored->qty,
                        .cost_basis = stored->cost_basis,
                        .realised_total = stored->realised_total,
                        .realised_day = stored->realised_day,
                        .fees_total = stored->fees_total,
                        .day = stored->day};
}

static struct oms_settle_position known_position(const struct settle_account *account,
                                                 struct mr_slice symbol)
{
    const struct oms_settle_position *known = settle_account_position(account, symbol);

    return known != NULL ? *known : (struct oms_settle_position){.symbol = symbol};
}

static bool apply_fifo(const struct settle *s, struct settle_account *account, struct pos *pos,
                       const struct pos_fill *fill, struct mr_slice symbol)
{
    const struct oms_settle_lot *stored = NULL;
    const size_t count = settle_account_lots(account, symbol, &stored);
    const size_t room = (size_t)s->lots_max;
    struct pos_lots lots = {.room = room, .count = count};
    dec_t realised = 0;

    /* The bound may have been higher when they were written. */
    lots.items =
        mr_arena_alloc(account->arena, (room > count ? room : count) * sizeof(*lots.items));
    for (size_t i = 0; i < count; i++) {
        lots.items[i] = (struct pos_lot){.qty = stored[i].qty, .cost = stored[i].cost};
    }
    if (!pos_apply_fifo(pos, &lots, fill, &realised)) {
        return false;
    }
    settle_account_set_lots(account, symbol, lots.items, lots.count);
    return true;
}

enum mr_status settle_position(const struct settle *s, struct settle_account *account,
                               const struct oms_execution_report *report, dec_t notional,
                               struct oms_position *out, struct mr_err *err)
{
    const struct pos_fill fill = {.side = (enum ord_side)report->side,
                                  .qty = report->last_qty,
                                  .notional = notional,
                                  .fee = report->fee_amount,
                                  .ts_us = report->ts_us};
    struct oms_settle_position stored = known_position(account, report->symbol);
    struct pos pos = pos_of(&stored);
    dec_t realised = 0;
    bool done = false;

    if (!settle_name_fits(report->user_id, report->symbol)) {
        return mr_fail(err, MR_MALFORMED, "userId and symbol are too long");
    }
    if (s->cost_basis == SETTLE_FIFO) {
        done = apply_fifo(s, account, &pos, &fill, report->symbol);
    } else {
        done = pos_apply(&pos, &fill, &realised);
        settle_account_set_lots(account, report->symbol, NULL, 0);
    }
    if (!done) {
        return mr_fail(err, MR_OUT_OF_RANGE, "position out of range");
    }
    *out = (struct oms_position){.user_id = report->user_id,
                                 .symbol = report->symbol,
                                 .ts_us = report->ts_us,
                                 .qty = pos.qty,
                                 .cost_basis = pos.cost_basis,
                                 .realised_total = pos.realised_total,
                                 .realised_day = pos.realised_day,
                                 .day = pos.day,
                                 .fees_total = pos.fees_total,
                                 .version = stored.version + 1};
    stored.qty = pos.qty;
    stored.cost_basis = pos.cost_basis;
    stored.realised_total = pos.realised_total;
    stored.realised_day = pos.realised_day;
    stored.day = pos.day;
    stored.fees_total = pos.fees_total;
    stored.version++;
    settle_account_set_position(account, &stored);
    return MR_OK;
}

enum mr_status settle_position_ended(struct settle_account *account,
                                     const struct oms_execution_report *report, struct mr_err *err)
{
    struct oms_settle_position stored = known_position(account, report->symbol);

    if (!settle_name_fits(report->user_id, report->symbol)) {
        return mr_fail(err, MR_MALFORMED, "userId and symbol are too long");
    }
    if (report->engine_seq > stored.ended_seq) {
        stored.ended_seq = report->engine_seq;
        settle_account_set_position(account, &stored);
    }
    return MR_OK;
}

bool settle_position_is_past(const struct settle_account *account,
                             const struct oms_execution_report *report)
{
    const struct oms_settle_position *known = settle_account_position(account, report->symbol);

    return known != NULL && report->engine_seq > 0 && report->engine_seq <= known->ended_seq;
}
