/*
 * engine.c -- what a NEW and a CANCEL do to a book.
 *
 * How: everything that can refuse an order is asked before it is accepted. Then ACCEPTED, then one
 *      trade after another as book_peek shows them, then what is left rests or is canceled by the
 *      reason that stopped the walk. A MARKET order is an IOC whose limit is the collar.
 * Not: STOP and GTD orders, amendments, cancel of everything: refused with a code.
 */
#include "engine.h"

/* CODE_OK: this kind of order is one fill can work. */
static enum dom_code check_kind(const struct oms_order_command *command)
{
    const bool market = command->ord_type == OMS_ORDER_TYPE_MARKET;

    if (!market && command->ord_type != OMS_ORDER_TYPE_LIMIT) {
        return CODE_BAD_TYPE;
    }
    if (command->tif == OMS_TIME_IN_FORCE_GTD) {
        return CODE_BAD_TIF;
    }
    if (command->stp_mode == OMS_STP_MODE_DECREMENT || command->has_quote_qty ||
        command->has_display_qty || command->reduce_only) {
        return CODE_NOT_ALLOWED;
    }
    if (command->post_only && (market || command->tif != OMS_TIME_IN_FORCE_GTC)) {
        return CODE_NOT_ALLOWED;
    }
    if (!command->has_qty || (market ? !command->has_collar_px : !command->has_price) ||
        !command->has_fee_maker || !command->has_fee_taker || !command->has_reserved) {
        return CODE_MISSING;
    }
    return CODE_OK;
}

/* The order as it is when it is accepted; CODE_OK when its amounts hold together. */
static enum dom_code begin(const struct oms_order_command *command, struct live *live)
{
    const bool market = command->ord_type == OMS_ORDER_TYPE_MARKET;
    mr_i128 hold = 0;

    *live = (struct live){
        .hold = {.side = (enum ord_side)command->side,
                 .price = market ? command->collar_px : command->price,
                 .maker_rate = command->fee_maker,
                 .taker_rate = command->fee_taker,
                 .leaves = command->qty,
                 .hold = command->reserved},
        .order_qty = command->qty,
        .type = command->ord_type,
        .tif = command->tif,
        .stp = command->stp_mode,
        .post_only = command->post_only,
        .command_id = id_of(command->event_id, true),
        .client_order_id = id_of(command->client_order_id, command->has_client_order_id),
        .trace_id = id_of(command->trace_id, command->has_trace_id),
    };
    if (command->qty <= 0 || live->hold.price <= 0) {
        return CODE_BAD_NUMBER;
    }
    /* What is held covers every fill only under these; risk and the instrument ensure them. */
    if (command->fee_taker < 0 || command->fee_maker > command->fee_taker) {
        return CODE_NOT_ALLOWED;
    }
    if (!hold_initial(live->hold.side, live->hold.price, command->qty, command->fee_taker, &hold)) {
        return CODE_OVERFLOW;
    }
    if (live->hold.side == ORD_SELL) {
        live->hold.hold = hold; /* what a sell holds is its quantity, by definition */
    }
    return command->reserved < hold ? CODE_INSUFFICIENT_FUNDS : CODE_OK;
}

static enum dom_code check_book(const struct call *call, const struct live *live)
{
    const struct oms_order_command *command = call->command;
    const struct book *book = call->market->book;

    if (book_find(book, text_of(command->order_id)) != NULL) {
        return CODE_DUPLICATE_ORDER;
    }
    if (command->post_only && book_crosses(book, live->hold.side, live->hold.price)) {
        return CODE_POST_ONLY_CROSSES;
    }
    return book_orders(book) >= BOOK_ORDERS_MAX ? CODE_BOOK_FULL : CODE_OK;
}

static enum dom_code check_new(const struct call *call, struct live *live)
{
    const struct oms_order_command *command = call->command;
    struct instr instrument = {0};
    enum dom_code code = CODE_OK;

    if (call->market == NULL || !call->market->listed) {
        return CODE_UNKNOWN_SYMBOL;
    }
    instrument.state = call->market->trading;
    code = instr_takes(&instrument, (enum ord_type)command->ord_type, command->post_only);
    if (code == CODE_OK) {
        code = check_kind(command);
    }
    if (code == CODE_OK) {
        code = begin(command, live);
    }
    return code == CODE_OK ? check_book(call, live) : code;
}

static enum oms_cancel_reason reason_of(const struct live *live, enum book_step step)
{
    if (step == BOOK_SELF) {
        return OMS_CANCEL_REASON_STP;
    }
    if (live->tif == OMS_TIME_IN_FORCE_FOK) {
        return OMS_CANCEL_REASON_FOK;
    }
    if (live->type == OMS_ORDER_TYPE_MARKET) {
        return step == BOOK_LIMIT ? OMS_CANCEL_REASON_PRICE_RANGE
                                  : OMS_CANCEL_REASON_INSUFFICIENT_LIQUIDITY;
    }
    return OMS_CANCEL_REASON_IOC;
}

/* Trades until nothing more is possible; *step says why it ended. */
static enum mr_status match_all(struct call *call, struct party *taker, struct book_taker *walker,
                                enum book_step *step, struct mr_err *err)
{
    struct book *book = call->market->book;

    for (;;) {
        struct book_match match = {0};

        *step = book_peek(book, walker, &match);
        if (*step == BOOK_MATCH) {
            MR_TRY(execute(call, taker, walker, &match, err));
            continue;
        }
        if (*step != BOOK_SELF || taker->live->stp == OMS_STP_MODE_EXPIRE_TAKER) {
            return MR_OK;
        }
        /* EXPIRE_MAKER goes on behind it, EXPIRE_BOTH ends there. */
        MR_TRY(order_cancel(call, match.maker, OMS_CANCEL_REASON_STP, err));
        if (taker->live->stp == OMS_STP_MODE_EXPIRE_BOTH) {
            return MR_OK;
        }
    }
}

static enum mr_status work(struct call *call, struct party *taker, struct mr_err *err)
{
    struct live *live = taker->live;
    struct book_taker walker = {
        .user = text_of(taker->user_id),
        .side = live->hold.side,
        .stp = (enum ord_stp)live->stp,
        .limit = live->hold.price,
        .leaves = live->hold.leaves,
    };
    enum book_step step = BOOK_EMPTY;

    if (live->tif == OMS_TIME_IN_FORCE_FOK && !book_can_fill(call->market->book, &walker)) {
        return report_canceled(call, taker, OMS_CANCEL_REASON_FOK, err);
    }
    MR_TRY(match_all(call, taker, &walker, &step, err));
    if (live->hold.leaves == 0) {
        return MR_OK;
    }
    if (live->type == OMS_ORDER_TYPE_LIMIT && live->tif == OMS_TIME_IN_FORCE_GTC &&
        step != BOOK_SELF) {
        return order_rest(call, taker, err);
    }
    return report_canceled(call, taker, reason_of(live, step), err);
}

enum mr_status engine_new(struct call *call, struct mr_err *err)
{
    const struct oms_order_command *command = call->command;
    struct live live = {0};
    struct party taker = {
        .order_id = command->order_id,
        .user_id = command->user_id,
        .command_id = command->event_id,
        .client_order_id = command->client_order_id,
        .trace_id = command->trace_id,
        .has_client_order_id = command->has_client_order_id,
        .has_trace_id = command->has_trace_id,
        .live = &live,
    };
    const enum dom_code code = check_new(call, &live);

    if (code != CODE_OK) {
        MR_TRY(report_rejected(call, code, err));
        return call->market == NULL ? MR_OK : state_put(call, err);
    }
    MR_TRY(report_accepted(call, &taker, err));
    MR_TRY(work(call, &taker, err));
    return state_put(call, err);
}

enum mr_status engine_cancel(struct call *call, struct mr_err *err)
{
    const struct oms_order_command *command = call->command;
    struct book_order *order = NULL;

    if (call->market != NULL && command->has_target_order_id) {
        order = book_find(call->market->book, text_of(command->target_order_id));
    }
    /* Somebody else's order is as unknown as none: its existence is not told. */
    if (order == NULL || !dom_text_equal(book_order_user(order), text_of(command->user_id))) {
        MR_TRY(report_rejected(call, CODE_UNKNOWN_ORDER, err));
    } else {
        MR_TRY(order_cancel(call, order, OMS_CANCEL_REASON_USER, err));
    }
    return call->market == NULL ? MR_OK : state_put(call, err);
}
