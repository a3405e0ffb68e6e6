/*
 * book_load.c -- puts loaded orders into their places.
 *
 * Why: a store gives orders by id. A million of them, each put in front of what is newer, is
 *      quadratic in the orders of a level or of a user.
 * How: each queue and each user's list is sorted by sequence once, by merging, which keeps equals
 * in the order they came in; lists that came in order are only looked at.
 */
#include "domain/book_priv.h"

enum link { BY_LEVEL, BY_USER };

static struct book_order **next_of(struct book_order *order, enum link link)
{
    return link == BY_LEVEL ? &order->newer : &order->user_newer;
}

static size_t length(struct book_order *first, enum link link, bool *sorted)
{
    size_t count = 0;

    *sorted = true;
    for (struct book_order *order = first; order != NULL; order = *next_of(order, link)) {
        const struct book_order *next = *next_of(order, link);

        *sorted = *sorted && (next == NULL || order->sequence <= next->sequence);
        count++;
    }
    return count;
}

static struct book_order *merge(struct book_order *a, struct book_order *b, enum link link)
{
    struct book_order *first = NULL;
    struct book_order **end = &first;

    while (a != NULL && b != NULL) {
        struct book_order **taken = a->sequence <= b->sequence ? &a : &b;

        *end = *taken;
        end = next_of(*taken, link);
        *taken = *end;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* The first `count` orders from *rest, which moves behind them. As deep as count has bits. */
static struct book_order *sort(struct book_order **rest, size_t count, enum link link)
{
    struct book_order *a = *rest;

    if (count == 1) {
        *rest = *next_of(a, link);
        *next_of(a, link) = NULL;
        return a;
    }
    a = sort(rest, count / 2, link);
    return merge(a, sort(rest, count - count / 2, link), link);
}

static void sort_level(struct book_level_node *level)
{
    struct book_order *rest = level->oldest;
    struct book_order *older = NULL;
    bool sorted;
    const size_t count = length(rest, BY_LEVEL, &sorted);

    if (sorted) {
        return;
    }
    level->oldest = sort(&rest, count, BY_LEVEL);
    for (struct book_order *order = level->oldest; order != NULL; order = order->newer) {
        order->older = older;
        older = order;
    }
    level->newest = older;
}

/* slot: of the user. */
static void sort_user(struct book_slot *slot)
{
    struct book_order *rest = slot->order;
    struct book_order *older = NULL;
    bool sorted;
    const size_t count = length(rest, BY_USER, &sorted);

    if (sorted) {
        return;
    }
    slot->order = sort(&rest, count, BY_USER);
    for (struct book_order *order = slot->order; order != NULL; order = order->user_newer) {
        order->user_older = older;
        older = order;
    }
    slot->order->user_older = older; /* backwards it is a ring */
}

void book_loaded(struct book *book)
{
    for (size_t s = 0; s < BOOK_SIDES; s++) {
        for (size_t i = 0; i < book->sides[s].keys.count; i++) {
            sort_level(book->sides[s].nodes[i]);
        }
    }
    for (size_t i = 0; i < book->users.capacity; i++) {
        if (book->users.slots[i].order != NULL) {
            sort_user(&book->users.slots[i]);
        }
    }
}
