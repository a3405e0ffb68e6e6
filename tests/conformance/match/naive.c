/*
 * naive.c -- the rules once more, on a list without any order, searched whole for everything.
 *
 * Why: what is too simple to be wrong shows what is wrong in the book.
 * Not: shares nothing with the book but the numbers' types.
 */
#include "flow.h"

#include <stdlib.h>

static struct naive_order *find(const struct naive_book *book, int64_t id)
{
    for (size_t i = 0; i < book->count; i++) {
        if (book->orders[i].id == id) {
            return &book->orders[i];
        }
    }
    return NULL;
}

static bool before(const struct naive_order *a, const struct naive_order *b)
{
    if (a->price != b->price) {
        return (a->side == ORD_BUY) == (a->price > b->price);
    }
    return a->arrival < b->arrival;
}

static bool reaches(enum ord_side taker_side, dec_t limit, dec_t price)
{
    return taker_side == ORD_BUY ? price <= limit : price >= limit;
}

/* Of the orders that a taker reaches and that come after `last` (NULL: all), the one it meets
 * first. */
static struct naive_order *next(const struct naive_book *book, const struct flow_command *command,
                                const struct naive_order *last)
{
    struct naive_order *best = NULL;

    for (size_t i = 0; i < book->count; i++) {
        struct naive_order *order = &book->orders[i];
        if (order->side != command->side &&
            reaches(command->side, command->price * FLOW_TICK, order->price) &&
            (last == NULL || before(last, order)) && (best == NULL || before(order, best))) {
            best = order;
        }
    }
    return best;
}

static void add(struct flow_reports *reports, enum flow_type type, int64_t seq, int64_t id)
{
    flow_report_add(reports, &(struct flow_report){.type = type, .seq = seq, .id = id});
}

static void add_order(struct flow_reports *reports, enum flow_type type, int64_t seq,
                      const struct naive_order *order)
{
    flow_report_add(reports,
                    &(struct flow_report){.type = type,
                                          .seq = seq,
                                          .side = order->side,
                                          .id = order->id,
                                          .price = order->price,
                                          .qty = type == FLOW_CANCEL_ACK ? 0 : order->leaves});
}

static void drop(struct naive_book *book, struct naive_order *order)
{
    *order = book->orders[--book->count];
}

static bool fills(const struct naive_book *book, const struct flow_command *command, int64_t user)
{
    const struct naive_order *maker = NULL;
    dec_t wanted = command->qty * FLOW_LOT;

    while (wanted > 0 && (maker = next(book, command, maker)) != NULL) {
        if (command->stp == ORD_STP_NONE || maker->user != user) {
            wanted -= maker->leaves;
        } else if (command->stp != ORD_STP_EXPIRE_MAKER) {
            return false;
        }
    }
    return wanted <= 0;
}

static void end(struct naive_book *book, struct naive_order *order, int64_t seq,
                struct flow_reports *reports)
{
    add_order(reports, FLOW_CANCEL_ACK, seq, order);
    drop(book, order);
}

/* One step against a maker. False: the taker is over. */
static bool meet(struct naive_book *book, const struct flow_command *command,
                 struct naive_order *taker, struct naive_order *maker, struct flow_reports *reports)
{
    const bool self = command->stp != ORD_STP_NONE && maker->user == taker->user;

    if (self && command->stp == ORD_STP_EXPIRE_TAKER) {
        return false;
    }
    if (self && command->stp != ORD_STP_DECREMENT) {
        end(book, maker, command->seq, reports);
        return command->stp == ORD_STP_EXPIRE_MAKER;
    }
    const dec_t qty = taker->leaves < maker->leaves ? taker->leaves : maker->leaves;
    flow_report_add(reports, &(struct flow_report){.type = self ? FLOW_PREVENTED : FLOW_TRADE,
                                                   .seq = command->seq,
                                                   .id = taker->id,
                                                   .maker = maker->id,
                                                   .price = maker->price,
                                                   .qty = qty});
    taker->leaves -= qty;
    maker->leaves -= qty;
    if (maker->leaves == 0 && self) {
        end(book, maker, command->seq, reports);
    } else if (maker->leaves == 0) {
        drop(book, maker);
    }
    return !self || taker->leaves > 0;
}

static void put(struct naive_book *book, struct naive_order order)
{
    if (book->count == book->capacity) {
        book->capacity = book->capacity == 0 ? 64 : book->capacity * 2;
        book->orders = realloc(book->orders, book->capacity * sizeof(order));
        if (book->orders == NULL) {
            abort();
        }
    }
    order.arrival = book->arrivals++;
    book->orders[book->count++] = order;
}

static void work(struct naive_book *book, const struct flow_command *command,
                 struct naive_order taker, struct flow_reports *reports)
{
    const struct naive_order whole = taker;
    struct naive_order *maker = NULL;
    bool alive = true;

    while (alive && taker.leaves > 0 && (maker = next(book, command, NULL)) != NULL) {
        alive = meet(book, command, &taker, maker, reports);
    }
    if (command->msg == FLOW_MODIFY || command->msg == FLOW_AMEND) {
        add_order(reports, FLOW_MODIFY_ACK, command->seq, &whole);
    }
    if (alive && taker.leaves > 0 && !command->ioc && command->msg != FLOW_FOK) {
        put(book, taker);
    } else if (!alive || taker.leaves > 0) {
        add_order(reports, FLOW_CANCEL_ACK, command->seq, &taker);
    }
}

static bool possible(const struct flow_command *command)
{
    return command->qty > 0 && command->price > 0 && command->price <= FLOW_PRICE_MAX;
}

static void take_new(struct naive_book *book, const struct flow_command *command,
                     struct flow_reports *reports)
{
    const struct naive_order order = {.id = command->id,
                                      .user = command->user,
                                      .side = command->side,
                                      .price = command->price * FLOW_TICK,
                                      .leaves = command->qty * FLOW_LOT};

    if (!possible(command) || find(book, command->id) != NULL ||
        (command->msg == FLOW_POST && next(book, command, NULL) != NULL)) {
        add(reports, FLOW_REJECT, command->seq, command->id);
        return;
    }
    add_order(reports, FLOW_ACK, command->seq, &order);
    if (command->msg == FLOW_FOK && !fills(book, command, command->user)) {
        add_order(reports, FLOW_CANCEL_ACK, command->seq, &order);
        return;
    }
    work(book, command, order, reports);
}

static void modify(struct naive_book *book, const struct flow_command *command,
                   struct flow_reports *reports)
{
    struct naive_order *old = find(book, command->id);

    if (old == NULL || !possible(command)) {
        add(reports, FLOW_MODIFY_REJECT, command->seq, command->id);
        return;
    }
    struct naive_order order = *old;
    struct flow_command again = *command;
    again.side = old->side;
    order.price = command->price * FLOW_TICK;
    order.leaves = command->qty * FLOW_LOT;
    if (command->msg == FLOW_AMEND && order.price == old->price && order.leaves < old->leaves) {
        old->leaves = order.leaves;
        add_order(reports, FLOW_MODIFY_ACK, command->seq, old);
        return;
    }
    drop(book, old);
    work(book, &again, order, reports);
}

static void cancel_all(struct naive_book *book, const struct flow_command *command,
                       struct flow_reports *reports)
{
    const size_t count = book->count;
    bool more = true;

    while (more) {
        struct naive_order *oldest = NULL;
        for (size_t i = 0; i < book->count; i++) {
            struct naive_order *order = &book->orders[i];
            if (order->user == command->user &&
                (oldest == NULL || order->arrival < oldest->arrival)) {
                oldest = order;
            }
        }
        more = oldest != NULL;
        if (more) {
            end(book, oldest, command->seq, reports);
        }
    }
    if (book->count == count) {
        add(reports, FLOW_CANCEL_REJECT, command->seq, command->id);
    }
}

void naive_apply(struct naive_book *book, const struct flow_command *command,
                 struct flow_reports *reports)
{
    struct naive_order *order = find(book, command->id);

    switch (command->msg) {
    case FLOW_NEW:
    case FLOW_FOK:
    case FLOW_POST:
        take_new(book, command, reports);
        break;
    case FLOW_CANCEL:
        if (order == NULL) {
            add(reports, FLOW_CANCEL_REJECT, command->seq, command->id);
        } else {
            end(book, order, command->seq, reports);
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
