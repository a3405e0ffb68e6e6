/*
 * expiry.c -- orders whose time is up.
 *
 * Why: an order with an end must not trade after it, on no replay and after no restart; so the time
 *      that counts is that of the stream, and what expires goes before the event that moved it.
 * How: each market has its GTD orders in a heap, resting ones and waiting stops alike. due_us is a
 *      bound below all of them, so that a record costs one comparison as long as nothing is due.
 *      Over all markets the earliest expiry goes first; ties go by symbol, then by arrival.
 */
#include "engine.h"

static const struct heap_entry *first_of(const struct market *market)
{
    return heap_first(&market->expiry);
}

/* The market whose first order expires before that of all others. NULL: none expires at all. */
static struct market *next_market(const struct fill *fill)
{
    struct market *next = NULL;

    for (size_t i = 0; i < fill->market_count; i++) { /* ascending by symbol */
        const struct heap_entry *first = first_of(fill->markets[i]);

        if (first != NULL && (next == NULL || first->key < first_of(next)->key)) {
            next = fill->markets[i];
        }
    }
    return next;
}

enum mr_status expiry_advance(struct fill *fill, struct mr_ctx *ctx, int64_t now_us, bool *any,
                              struct mr_err *err)
{
    struct call call = {.fill = fill, .ctx = ctx, .ts_us = now_us, .now_us = now_us};

    *any = false;
    if (now_us < fill->due_us) {
        return MR_OK;
    }
    while ((call.market = next_market(fill)) != NULL && first_of(call.market)->key <= now_us) {
        call.market->touched = true;
        *any = true;
        MR_TRY(order_cancel(&call, first_of(call.market)->item, OMS_CANCEL_REASON_GTD, err));
        MR_TRY(state_put(&call, err));
    }
    fill->due_us = call.market == NULL ? INT64_MAX : (int64_t)first_of(call.market)->key;
    return MR_OK;
}
