/*
 * book_users.c -- the resting orders of each user, oldest first.
 *
 * Why: to end all orders of a user without looking at those of the others.
 * How: the index by user holds the user's oldest order, the orders hold the list. Backwards the
 *      list is a ring, so the newest is one step from the oldest and needs no place of its own.
 */
#include "domain/book_priv.h"

/* Between `older` and the one that follows it now. */
static void link_behind(struct book_order *oldest, struct book_order *older,
                        struct book_order *order)
{
    struct book_order *newer = older->user_newer;

    order->user_older = older;
    order->user_newer = newer;
    older->user_newer = order;
    if (newer == NULL) {
        oldest->user_older = order;
    } else {
        newer->user_older = order;
    }
}

void book_users_put(struct book_index *users, struct book_order *order, bool last)
{
    struct book_order *oldest =
        book_index_find_user(users, book_order_user(order), order->user_hash);

    if (oldest == NULL) {
        order->user_older = order;
        order->user_newer = NULL;
        book_index_put(users, order, order->user_hash);
        return;
    }
    if (last) {
        link_behind(oldest, oldest->user_older, order);
        return;
    }
    if (oldest->sequence > order->sequence) {
        order->user_older = oldest->user_older;
        order->user_newer = oldest;
        oldest->user_older = order;
        book_index_replace(users, oldest, order, order->user_hash);
        return;
    }
    struct book_order *older = oldest->user_older;
    while (older->sequence > order->sequence) { /* ends at the oldest */
        older = older->user_older;
    }
    link_behind(oldest, older, order);
}

void book_users_remove(struct book_index *users, struct book_order *order)
{
    struct book_order *older = order->user_older;
    struct book_order *newer = order->user_newer;

    if (older == order) {
        book_index_remove(users, order, order->user_hash);
        return;
    }
    if (older->user_newer == NULL) { /* the newest is before it: it is the oldest */
        newer->user_older = older;
        book_index_replace(users, order, newer, order->user_hash);
        return;
    }
    older->user_newer = newer;
    if (newer != NULL) {
        newer->user_older = older;
        return;
    }
    /* The newest goes: the oldest must name the one before it. */
    book_index_find_user(users, book_order_user(order), order->user_hash)->user_older = older;
}
