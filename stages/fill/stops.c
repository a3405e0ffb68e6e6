/*
 * stops.c -- what a trade triggers.
 *
 * Why: a stop promises to become an order when its price is seen, in an order that everybody can
 *      work out from the prices and the arrival of the stops alone.
 * How: after each command, when the order that traded is through, all stops that are due leave
 *      their place and are queued: buys from the lowest stop price up, sells from the highest down.
 *      Each is worked to its end before the next; those that it triggers go to the end of the
 *      queue, until none is due. Nothing enters the stops meanwhile, so what was queued stays
 *      readable.
 *      Its reports name the command that placed the stop, not the one whose trade triggered it.
 */
#include "engine.h"

static bool stops_run(enum instr_state state)
{
    return state == INSTR_TRADING || state == INSTR_POST_ONLY || state == INSTR_LIMIT_ONLY;
}

static enum mr_status queue_due(struct call *call, struct mr_err *err)
{
    const struct market *market = call->market;
    struct stop_order *stop = NULL;

    while ((stop = stop_book_due(market->stops, market->state.last_price)) != NULL) {
        pick(call->fill, stop->data);
        MR_TRY(order_remove(call, stop->data, err));
    }
    return MR_OK;
}

static enum mr_status trigger(struct call *call, struct live *live, struct mr_err *err)
{
    struct mover mover;
    struct party order = mover_begin(&mover, live);
    const struct cause cause = {.command_id = order.command_id,
                                .trace_id = order.trace_id,
                                .has_trace_id = order.has_trace_id};
    const struct cause *before = call->cause;
    enum mr_status status = MR_OK;

    mover.live.triggered = true;
    MR_TRY(report_state(call, &order, OMS_EXEC_TYPE_TRIGGERED, err));
    call->cause = &cause;
    status = match_work(call, &order, err);
    call->cause = before;
    return status;
}

enum mr_status stops_trigger(struct call *call, struct mr_err *err)
{
    struct fill *fill = call->fill;

    if (!call->market->state.has_last_price || !stops_run(call->market->trading)) {
        return MR_OK;
    }
    fill->picked_count = 0;
    MR_TRY(queue_due(call, err));
    for (size_t i = 0; i < fill->picked_count; i++) {
        MR_TRY(trigger(call, fill->picked[i], err));
        MR_TRY(queue_due(call, err));
    }
    return MR_OK;
}
