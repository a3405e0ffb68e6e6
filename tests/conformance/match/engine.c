/*
 * engine.c -- commands of a flow worked on the domain's order book, as the fill stage does it.
 */
#include "flow.h"

#include <inttypes.h>
#include <stdlib.h>

struct flow_data {
    int64_t id; /* so that a report needs no number from a text */
    int64_t user;
};

struct book *flow_book(void)
{
    return book_create(&(struct book_options){.data_bytes = sizeof(struct flow_data)});
}

static int64_t id_of(const struct book_order *order)
{
    return ((const struct flow_data *)order->data)->id;
}

static struct dom_text command_id(const struct flow_command *command)
{
    return dom_text_of(command->id_text, command->id_len);
}

static void say(struct flow_reports *reports, const struct flow_command *command,
                enum flow_type type, int64_t id)
{
    flow_report_add(reports, &(struct flow_report){.type = type, .seq = command->seq, .id = id});
}

static void say_order(struct flow_reports *reports, const struct flow_command *command,
                      enum flow_type type)
{
    flow_report_add(reports, &(struct flow_report){
                                 .type = type,
                                 .side = command->side,
                                 .seq = command->seq,
                                 .id = command->id,
                                 .price = command->price * FLOW_TICK,
                                 .qty = type == FLOW_CANCEL_ACK ? 0 : command->qty * FLOW_LOT});
}

static void cancel(struct book *book, struct book_order *order, int64_t seq,
                   struct flow_reports *reports)
{
    flow_report_add(reports, &(struct flow_report){.type = FLOW_CANCEL_ACK,
                                                   .side = order->side,
                                                   .seq = seq,
                                                   .id = id_of(order),
                                                   .price = order->price});
    book_remove(book, order);
}

static void say_match(struct flow_reports *reports, const struct flow_command *command,
                      const struct book_match *match, enum flow_type type)
{
    flow_report_add(reports, &(struct flow_report){.type = type,
                                                   .seq = command->seq,
                                                   .id = command->id,
                                                   .maker = id_of(match->maker),
                                                   .price = match->price,
                                                   .qty = match->qty});
}

/* What self-trade prevention does about match->maker. True: the taker goes on. */
static bool prevent(struct book *book, const struct flow_command *command, struct book_taker *taker,
                    const struct book_match *match, struct flow_reports *reports)
{
    if (taker->stp == ORD_STP_DECREMENT) {
        const bool gone = match->qty == match->maker->leaves;
        say_match(reports, command, match, FLOW_PREVENTED);
        taker->leaves -= match->qty;
        if (gone) {
            cancel(book, match->maker, command->seq, reports);
        } else {
            (void)book_reduce(book, match->maker, match->qty);
        }
        return taker->leaves > 0;
    }
    if (taker->stp != ORD_STP_EXPIRE_TAKER) {
        cancel(book, match->maker, command->seq, reports);
    }
    return taker->stp == ORD_STP_EXPIRE_MAKER;
}

/* Trades as far as it goes. False: self-trade prevention has ended the taker. */
static bool trade(struct book *book, const struct flow_command *command, struct book_taker *taker,
                  struct flow_reports *reports)
{
    struct book_match match;
    enum book_step step;

    while ((step = book_peek(book, taker, &match)) == BOOK_MATCH || step == BOOK_SELF) {
        if (step == BOOK_SELF) {
            if (!prevent(book, command, taker, &match, reports)) {
                return false;
            }
            continue;
        }
        say_match(reports, command, &match, FLOW_TRADE);
        book_fill(book, taker, &match);
    }
    return true;
}

static bool rest(struct book *book, const struct flow_command *command, dec_t leaves)
{
    struct book_order *order = NULL;

    if (book_insert(book,
                    &(struct book_new){.id = command_id(command),
                                       .user = dom_text_of(command->user_text, command->user_len),
                                       .side = command->side,
                                       .price = command->price * FLOW_TICK,
                                       .leaves = leaves,
                                       .sequence = command->seq},
                    &order) != BOOK_OK) {
        return false;
    }
    *(struct flow_data *)order->data = (struct flow_data){.id = command->id, .user = command->user};
    return true;
}

static struct book_taker taker_of(const struct flow_command *command)
{
    return (struct book_taker){.user = dom_text_of(command->user_text, command->user_len),
                               .side = command->side,
                               .stp = command->stp,
                               .limit = command->price * FLOW_TICK,
                               .leaves = command->qty * FLOW_LOT};
}

/* Trades, then rests or ends; `done` is said between the two. */
static void work(struct book *book, const struct flow_command *command, struct book_taker *taker,
                 const enum flow_type *done, struct flow_reports *reports)
{
    const bool alive = trade(book, command, taker, reports);
    const bool rests = !command->ioc && command->msg != FLOW_FOK;

    if (done != NULL) {
        say_order(reports, command, *done);
    }
    if (!alive || (taker->leaves > 0 && !rests) ||
        (taker->leaves > 0 && !rest(book, command, taker->leaves))) {
        say_order(reports, command, FLOW_CANCEL_ACK);
    }
}

static void take_new(struct book *book, const struct flow_command *command,
                     struct flow_reports *reports)
{
    struct book_taker taker = taker_of(command);

    if (command->qty <= 0 || command->price <= 0 || command->price > FLOW_PRICE_MAX ||
        book_find(book, command_id(command)) != NULL ||
        (command->msg == FLOW_POST && book_crosses(book, command->side, taker.limit))) {
        say(reports, command, FLOW_REJECT, command->id);
        return;
    }
    say_order(reports, command, FLOW_ACK);
    if (command->msg == FLOW_FOK && !book_can_fill(book, &taker)) {
        say_order(reports, command, FLOW_CANCEL_ACK);
        return;
    }
    work(book, command, &taker, NULL, reports);
}

static void modify(struct book *book, const struct flow_command *command,
                   struct flow_reports *reports)
{
    static const enum flow_type done = FLOW_MODIFY_ACK;
    struct book_order *order = book_find(book, command_id(command));

    if (order == NULL || command->qty <= 0 || command->price <= 0 ||
        command->price > FLOW_PRICE_MAX) {
        say(reports, command, FLOW_MODIFY_REJECT, command->id);
        return;
    }
    struct flow_command again = *command;
    again.side = order->side;
    again.user = ((const struct flow_data *)order->data)->user;
    again.user_len = order->user_len;
    memcpy(again.user_text, order->user, order->user_len);
    const dec_t less = order->leaves - command->qty * FLOW_LOT;
    if (command->msg == FLOW_AMEND && order->price == command->price * FLOW_TICK && less > 0) {
        (void)book_reduce(book, order, less);
        say_order(reports, &again, done);
        return;
    }
    book_remove(book, order);
    struct book_taker taker = taker_of(&again);
    work(book, &again, &taker, &done, reports);
}

static void cancel_all(struct book *book, const struct flow_command *command,
                       struct flow_reports *reports)
{
    struct book_order *order =
        book_user_first(book, dom_text_of(command->user_text, command->user_len));

    if (order == NULL) {
        say(reports, command, FLOW_CANCEL_REJECT, command->id);
    }
    while (order != NULL) {
        struct book_order *next = order->user_newer;
        cancel(book, order, command->seq, reports);
        order = next;
    }
}

void flow_apply(struct book *book, const struct flow_command *command, struct flow_reports *reports)
{
    struct book_order *order = NULL;

    switch (command->msg) {
    case FLOW_NEW:
    case FLOW_FOK:
    case FLOW_POST:
        take_new(book, command, reports);
        break;
    case FLOW_CANCEL:
        order = book_find(book, command_id(command));
        if (order == NULL) {
            say(reports, command, FLOW_CANCEL_REJECT, command->id);
        } else {
            cancel(book, order, command->seq, reports);
        }
        break;
    case FLOW_MODIFY:
    case FLOW_AMEND:
        modify(book, command, reports);
        break;
    case FLOW_ALL:
        cancel_all(book, command, reports);
        break;
    }
}

void flow_print_book(const struct book *book, FILE *out)
{
    for (int side = ORD_BUY; side <= ORD_SELL; side++) {
        for (size_t i = 0; i < book_levels(book, (enum ord_side)side); i++) {
            for (const struct book_order *order = book_level_orders(book, (enum ord_side)side, i);
                 order != NULL; order = order->newer) {
                (void)fprintf(out, "%c,%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
                              side == ORD_BUY ? 'B' : 'S', id_of(order),
                              (int64_t)(order->price / FLOW_TICK),
                              (int64_t)(order->leaves / FLOW_LOT));
            }
        }
    }
}
