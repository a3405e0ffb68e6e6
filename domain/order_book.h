/*
 * order_book.h -- one symbol's book: price-time priority, matched step by step.
 *
 * Why: the caller writes reports, fees and stores between two trades and may have to stop before
 *      one; so the book shows the next match first (book_peek, changes nothing) and takes it only
 *      when told (book_fill).
 * How: per side a sorted array of levels with the best at its end, each level a queue of orders by
 *      sequence; orders live in a pool with stable addresses, a hash table finds them by id. Memory
 *      grows in steps and is kept: after warm-up no order costs a malloc. Prices and quantities
 *      are atoms: the book knows no tick, so orders from before a change of the tick stay valid.
 *      The same calls give the same book, always.
 *      A new level moves the array's part that lies nearer to the best: nothing near the top,
 *      some microseconds in the depth of a side with tens of thousands of levels.
 * Not: no fees, no holds, no stop orders, no expiry, no sequence counters, no I/O. One thread.
 *
 * A new order:
 *      if (book_find(book, id) != NULL)                          reject DUPLICATE_ORDER
 *      if (post_only && book_crosses(book, side, limit))         reject POST_ONLY_CROSSES
 *      if (tif == FOK && !book_can_fill(book, &taker))           cancel, reason FOK
 *      while (book_peek(book, &taker, &match) == BOOK_MATCH) {
 *          ... reports of match.maker and the taker ...
 *          book_fill(book, &taker, &match);
 *      }
 *      then rest (book_insert with taker.leaves) or cancel by what the last book_peek returned.
 */
#ifndef DOMAIN_ORDER_BOOK_H
#define DOMAIN_ORDER_BOOK_H

#include "domain/order.h"

struct book;

/* An order that rests in the book. Fields are the book's: read them, do not write them. */
struct book_order {
    /* What a trade reads and writes comes first, together. */
    dec_t price;
    dec_t leaves;
    int64_t sequence; /* order of arrival: decides within a level */
    struct book_level_node *level;
    struct book_order *older; /* in the level's queue */
    struct book_order *newer;
    struct book_order *user_newer; /* the same user's next, by sequence */
    struct book_order *user_older; /* the one before; of the oldest: the newest */
    uint64_t hash;                 /* of the id */
    uint64_t user_hash;            /* of the user */
    void *data; /* the caller's data_bytes, zeroed at insert; NULL when data_bytes is 0 */
    enum ord_side side;
    uint8_t id_len;
    uint8_t user_len;
    char id[ORD_ID_MAX];
    char user[ORD_ID_MAX];
};

struct book_options {
    size_t orders_max;     /* 0: BOOK_ORDERS_MAX */
    size_t orders_reserve; /* allocated at creation, so that they cost no malloc later */
    size_t data_bytes;     /* of the caller's own record kept with each order; may be 0 */
};

#define BOOK_ORDERS_MAX ((size_t)4000000)

enum book_result {
    BOOK_OK,
    BOOK_DUPLICATE, /* an order with this id rests */
    BOOK_FULL,      /* orders_max reached: coded reject, never silent */
    BOOK_BAD_ORDER, /* price or leaves <= 0, id or user empty or longer than ORD_ID_MAX */
    BOOK_NO_MEMORY,
};

/* NULL when there is no memory. options may be NULL: defaults. */
struct book *book_create(const struct book_options *options);
void book_destroy(struct book **book);

/* Forgets all orders and changes, keeps the memory. */
void book_clear(struct book *book);

/* --- resting orders ------------------------------------------------------------------------ */

/* A new or a restored order; texts are copied. */
struct book_new {
    struct dom_text id;
    struct dom_text user;
    enum ord_side side;
    dec_t price;
    dec_t leaves;
    int64_t sequence;
};

/*
 * Puts an order to rest. Its place within the level is by sequence, so restored orders may come
 * in any order. Does not match: a caller that inserts a crossing order has a crossed book.
 *
 * *out  the order, valid until it is removed; may be NULL
 */
enum book_result book_insert(struct book *book, const struct book_new *order,
                             struct book_order **out);

/*
 * The same for a whole book in any order, as at a start, where book_insert would walk past what is
 * newer each time. Until book_loaded has put all into their places nothing else may be asked of
 * the book.
 */
enum book_result book_load(struct book *book, const struct book_new *order,
                           struct book_order **out);
void book_loaded(struct book *book);

/* NULL when no such order rests. */
struct book_order *book_find(const struct book *book, struct dom_text id);

/*
 * The oldest resting order of a user, NULL when there is none; go on with order->user_newer, which
 * is to be read before the order is removed. Both sides, by sequence; the oldest goes first also
 * when they were inserted in another order (that insert walks past the user's newer ones).
 */
struct book_order *book_user_first(const struct book *book, struct dom_text user);

/* Takes an order out (cancel). The memory behind `order` keeps its contents until the next
 * book_insert or book_clear. */
void book_remove(struct book *book, struct book_order *order);

/* Lowers leaves and keeps the place in the queue (amend down, DECREMENT); removes at 0.
 * 0 < qty <= leaves, else false and nothing happens. */
bool book_reduce(struct book *book, struct book_order *order, dec_t qty);

size_t book_orders(const struct book *book);

static inline struct dom_text book_order_id(const struct book_order *order)
{
    return dom_text_of(order->id, order->id_len);
}

static inline struct dom_text book_order_user(const struct book_order *order)
{
    return dom_text_of(order->user, order->user_len);
}

/* --- matching ------------------------------------------------------------------------------ */

struct book_taker {
    struct dom_text user; /* borrowed */
    enum ord_side side;
    enum ord_stp stp;
    dec_t limit;  /* worst price taken; a MARKET order's collar */
    dec_t leaves; /* book_fill lowers it */
};

struct book_match {
    struct book_order *maker; /* BOOK_MATCH and BOOK_SELF */
    dec_t price;              /* the maker's */
    dec_t qty;                /* min of both leaves */
};

enum book_step {
    BOOK_MATCH,  /* a trade is possible: *match tells it */
    BOOK_FILLED, /* taker.leaves is 0 */
    BOOK_EMPTY,  /* nothing on the other side */
    BOOK_LIMIT,  /* the best price is beyond the taker's limit */
    BOOK_SELF,   /* the next maker is the taker's own and stp is not NONE: *match.maker is it */
};

/*
 * The next step of a taker; changes nothing. After BOOK_SELF the caller acts by the taker's mode:
 * EXPIRE_TAKER ends the taker; EXPIRE_MAKER removes the maker and peeks again; EXPIRE_BOTH does
 * both; DECREMENT reduces both by match.qty and peeks again.
 */
enum book_step book_peek(const struct book *book, const struct book_taker *taker,
                         struct book_match *match);

/*
 * Takes the match that book_peek has just shown: lowers both leaves, removes a maker that is
 * filled. match->maker stays readable until the next book_insert or book_clear.
 */
void book_fill(struct book *book, struct book_taker *taker, const struct book_match *match);

/* Would an order of this side and price trade at once? */
bool book_crosses(const struct book *book, enum ord_side side, dec_t price);

/*
 * FOK: can the taker be filled whole, at its limit or better, without meeting what its STP mode
 * forbids? Own orders count under NONE, are passed over under EXPIRE_MAKER, and end the count
 * under the other modes.
 */
bool book_can_fill(const struct book *book, const struct book_taker *taker);

/* --- levels -------------------------------------------------------------------------------- */

struct book_level {
    dec_t price;
    dec_t qty;      /* sum of leaves */
    int32_t orders; /* how many */
};

size_t book_levels(const struct book *book, enum ord_side side);

/* Level number index, 0 is the best. False beyond the last. O(1). */
bool book_level_at(const struct book *book, enum ord_side side, size_t index,
                   struct book_level *level);

/* The level of a price; qty 0 and orders 0 when there is none (price is filled in). */
void book_level_find(const struct book *book, enum ord_side side, dec_t price,
                     struct book_level *level);

/* Oldest order of level number index (NULL beyond the last); go on with order->newer. */
const struct book_order *book_level_orders(const struct book *book, enum ord_side side,
                                           size_t index);

/* CRC32 (IEEE) over the text "price:qty;" of the ten best asks, best first, then of the ten best
 * bids; numbers in canonical decimal text. */
uint32_t book_checksum(const struct book *book);

/* --- changes since the last book_changes_clear, for deltas ---------------------------------- */

/* Levels touched on this side, each price once. */
size_t book_changes(const struct book *book, enum ord_side side);

/* Touched level number index, best price first, with what it is now (qty 0: gone). */
bool book_change_at(const struct book *book, enum ord_side side, size_t index,
                    struct book_level *level);

void book_changes_clear(struct book *book);

/* --- self-check ---------------------------------------------------------------------------- */

/* NULL, or a static text naming the broken invariant: levels sorted and not crossed, sums and
 * counts right, queues and users' orders by sequence, indexes complete. O(n): tests and after a
 * restore. */
const char *book_defect(const struct book *book);

#endif
