/*
 * stop_book.h -- one symbol's stop orders that wait for their price.
 *
 * Why: which stops a trade triggers, and in which order, must be the same on every replay and after
 *      every reload; so it follows from price and arrival alone.
 * How: one heap for each side: buys from the lowest stop price up, sells from the highest down,
 *      equal prices by arrival. Orders live in a pool with stable addresses, and are found by id
 *      and by user through hash chains. Memory grows in steps and is kept: after warm-up no order
 *      costs a malloc.
 * Not: does not know what a stop becomes, what it holds or when it expires. One thread.
 *
 * After a command has traded:
 *      while ((stop = stop_book_due(stops, last)) != NULL)
 *          stop_book_remove(stops, stop), and into the caller's queue
 */
#ifndef DOMAIN_STOP_BOOK_H
#define DOMAIN_STOP_BOOK_H

#include "domain/order.h"

struct stop_book;

/* A stop that waits. Fields are the book's: read them, do not write them. */
struct stop_order {
    dec_t stop_price;
    int64_t sequence; /* order of arrival */
    enum ord_side side;
    uint8_t id_len;
    uint8_t user_len;
    char id[ORD_ID_MAX];
    char user[ORD_ID_MAX];
    void *data;   /* the caller's data_bytes, zeroed at insert; NULL when data_bytes is 0 */
    size_t place; /* in the heap of its side */
    uint64_t id_hash;
    uint64_t user_hash;
    struct stop_order *id_next; /* in the chain of its hash; in the list of free ones */
    struct stop_order *user_next;
    struct stop_order *user_before;
};

struct stop_options {
    size_t orders_max;     /* 0: STOP_ORDERS_MAX */
    size_t orders_reserve; /* allocated at creation, so that they cost no malloc later */
    size_t data_bytes;     /* of the caller's own record kept with each order; may be 0 */
};

#define STOP_ORDERS_MAX ((size_t)1000000)

enum stop_result {
    STOP_OK,
    STOP_DUPLICATE, /* an order with this id waits */
    STOP_FULL,      /* orders_max reached: coded reject, never silent */
    STOP_BAD_ORDER, /* price <= 0, id or user empty or longer than ORD_ID_MAX */
    STOP_NO_MEMORY,
};

/* NULL when there is no memory. options may be NULL: defaults. */
struct stop_book *stop_book_create(const struct stop_options *options);
void stop_book_destroy(struct stop_book **stops);

/* Forgets all orders, keeps the memory. */
void stop_book_clear(struct stop_book *stops);

/* A new or a restored stop; texts are copied. */
struct stop_new {
    struct dom_text id;
    struct dom_text user;
    enum ord_side side;
    dec_t stop_price;
    int64_t sequence;
};

/* Lets a stop wait; in any order of arrival. *out (may be NULL): valid until it is removed. */
enum stop_result stop_book_insert(struct stop_book *stops, const struct stop_new *order,
                                  struct stop_order **out);

/* NULL when no such stop waits. */
struct stop_order *stop_book_find(const struct stop_book *stops, struct dom_text id);

/* Takes a stop out. The memory behind `order` keeps its contents until the next insert or clear. */
void stop_book_remove(struct stop_book *stops, struct stop_order *order);

/* Would the last price trigger it? At or above the stop price of a buy, at or below a sell's. */
bool stop_triggers(enum ord_side side, dec_t stop_price, dec_t last_price);

/* The stop that is due next at this last price, NULL when none is. It stays where it is. */
struct stop_order *stop_book_due(const struct stop_book *stops, dec_t last_price);

/* The stops of a user, one after another: `before` is NULL, then what was returned. In no
 * particular order. */
struct stop_order *stop_book_user_next(const struct stop_book *stops, struct dom_text user,
                                       const struct stop_order *before);

size_t stop_book_orders(const struct stop_book *stops);
/* Room for one more? */
bool stop_book_full(const struct stop_book *stops);

static inline struct dom_text stop_order_id(const struct stop_order *order)
{
    return dom_text_of(order->id, order->id_len);
}

static inline struct dom_text stop_order_user(const struct stop_order *order)
{
    return dom_text_of(order->user, order->user_len);
}

/* NULL, or a static text naming the broken invariant. O(n): tests and after a restore. */
const char *stop_book_defect(const struct stop_book *stops);

#endif
