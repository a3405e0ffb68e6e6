/*
 * cancel.c -- CANCEL of one order, CANCEL_ALL of a user's orders in this symbol.
 *
 * Why: a client that has lost its way must be able to get out, in every state of the symbol.
 * How: the book and the stops know the orders of a user; they are collected, put in the order of
 *      their arrival and ended one after another. Somebody else's order is as unknown as none: its
 *      existence is not told.
 */
#include "engine.h"

#include <stdlib.h>

enum mr_status engine_cancel(struct call *call, struct mr_err *err)
{
    const struct oms_order_command *command = call->command;
    struct live *live = NULL;

    if (call->market != NULL && command->has_target_order_id) {
        live = order_find(call->market, command->target_order_id, command->user_id);
    }
    return live == NULL ? report_rejected(call, CODE_UNKNOWN_ORDER, err)
                        : order_cancel(call, live, OMS_CANCEL_REASON_USER, err);
}

static int by_arrival(const void *a, const void *b)
{
    const struct live *left = *(struct live *const *)a;
    const struct live *right = *(struct live *const *)b;

    return left->sequence < right->sequence ? -1 : left->sequence > right->sequence ? 1 : 0;
}

static void pick_orders_of(struct fill *fill, const struct market *market, struct dom_text user)
{
    struct stop_order *stop = NULL;

    for (struct book_order *order = book_user_first(market->book, user); order != NULL;
         order = order->user_newer) {
        pick(fill, order->data);
    }
    while ((stop = stop_book_user_next(market->stops, user, stop)) != NULL) {
        pick(fill, stop->data);
    }
    if (fill->picked_count > 1) {
        qsort((void *)fill->picked, fill->picked_count, sizeof(struct live *), by_arrival);
    }
}

enum mr_status engine_cancel_all(struct call *call, struct mr_err *err)
{
    const struct oms_order_command *command = call->command;
    struct fill *fill = call->fill;
    const enum oms_cancel_reason reason =
        command->has_cancel_reason ? command->cancel_reason : OMS_CANCEL_REASON_USER;

    fill->picked_count = 0;
    if (call->market != NULL) {
        pick_orders_of(fill, call->market, text_of(command->user_id));
    }
    if (fill->picked_count == 0) {
        return report_rejected(call, CODE_UNKNOWN_ORDER, err);
    }
    for (size_t i = 0; i < fill->picked_count; i++) {
        MR_TRY(order_cancel(call, fill->picked[i], reason, err));
    }
    return MR_OK;
}
