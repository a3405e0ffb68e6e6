/*
 * amend.c -- a new total quantity, a new price, or both, for an order that is open.
 *
 * Why: cancel and new is two commands, loses the place in the queue when the order only shrinks,
 *      and leaves the client without an order in between.
 * How: all checks are made on a copy; refused, nothing has changed. A quantity lowered at the same
 *      price keeps its place. Anything else leaves the book, is reported as replaced and is worked
 *      like a new order: a price that crosses trades at once. A stop that waits keeps its place,
 *      which its stop price and its arrival decide.
 *      What is traded and what was prevented counts as used up. A total that leaves nothing open
 *      cancels the rest.
 */
#include "engine.h"

static bool takes_amend(enum instr_state state)
{
    return state == INSTR_TRADING || state == INSTR_LIMIT_ONLY;
}

static enum dom_code check_fields(const struct call *call, const struct live *live)
{
    const struct oms_order_command *command = call->command;

    if (!takes_amend(call->market->trading)) {
        return CODE_NOT_TRADING;
    }
    if (command->has_stop_price || command->has_quote_qty ||
        (command->has_price && live->type == OMS_ORDER_TYPE_STOP)) {
        return CODE_NOT_ALLOWED;
    }
    if (!command->has_qty && !command->has_price) {
        return CODE_MISSING;
    }
    return (command->has_qty && command->qty <= 0) || (command->has_price && command->price <= 0)
               ? CODE_BAD_NUMBER
               : CODE_OK;
}

/* The order with its new limit, quantity and hold. leaves <= 0: nothing of it stays open. */
static enum dom_code check_amend(const struct call *call, struct live *after)
{
    const struct oms_order_command *command = call->command;
    const mr_i128 total = command->has_qty ? command->qty : after->order_qty;
    const struct hold_amendment to = {
        .price = command->has_price ? command->price : after->hold.price,
        .leaves = total - after->cum_qty - after->prevented_qty,
    };
    enum hold_amended amended = HOLD_AMENDED;

    if (to.leaves <= 0) {
        after->hold.leaves = 0;
        return CODE_OK;
    }
    amended = hold_amend(&after->hold, &to, command->has_reserved ? command->reserved : 0);
    if (amended != HOLD_AMENDED) {
        return amended == HOLD_SHORT ? CODE_AMEND_UNFUNDED : CODE_OVERFLOW;
    }
    after->order_qty = total;
    if (after->post_only && command->has_price &&
        book_crosses(call->market->book, after->hold.side, to.price)) {
        return CODE_POST_ONLY_CROSSES;
    }
    return CODE_OK;
}

static enum mr_status replaced(struct call *call, struct party *order, struct mr_err *err)
{
    party_cause(order, call->cause);
    return report_state(call, order, OMS_EXEC_TYPE_REPLACED, err);
}

/* Where it is: the stop waits on, the order in the book has only become smaller. */
static enum mr_status amend_in_place(struct call *call, struct live *live, const struct live *after,
                                     struct mr_err *err)
{
    struct party order;

    if (live->resting != NULL) {
        MR_ASSERT(
            book_reduce(call->market->book, live->resting, live->hold.leaves - after->hold.leaves));
        call->market->state.book_seq++;
    }
    *live = *after;
    order = party_of(live);
    MR_TRY(replaced(call, &order, err));
    return order_put(call, live, err);
}

static enum mr_status amend_and_work(struct call *call, struct live *live, const struct live *after,
                                     struct mr_err *err)
{
    struct mover mover;
    struct party order;

    MR_TRY(order_remove(call, live, err));
    order = mover_begin(&mover, live);
    mover.live.hold = after->hold;
    mover.live.order_qty = after->order_qty;
    MR_TRY(replaced(call, &order, err));
    return match_work(call, &order, err);
}

enum mr_status engine_amend(struct call *call, struct mr_err *err)
{
    const struct oms_order_command *command = call->command;
    enum dom_code code = CODE_UNKNOWN_ORDER;
    struct live *live = NULL;
    struct live after;

    if (call->market != NULL && command->has_target_order_id) {
        live = order_find(call->market, command->target_order_id, command->user_id);
    }
    if (live != NULL) {
        after = *live;
        code = check_fields(call, live);
        code = code == CODE_OK ? check_amend(call, &after) : code;
    }
    if (code != CODE_OK) {
        return report_rejected(call, code, err);
    }
    if (after.hold.leaves == 0) {
        return order_cancel(call, live, OMS_CANCEL_REASON_USER, err);
    }
    if (live->waiting != NULL ||
        (after.hold.price == live->hold.price && after.hold.leaves < live->hold.leaves)) {
        return amend_in_place(call, live, &after, err);
    }
    return amend_and_work(call, live, &after, err);
}
