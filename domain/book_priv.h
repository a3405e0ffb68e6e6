/*
 * book_priv.h -- the parts an order book is made of. Included by book_*.c and order_book*.c only,
 *                and by the test that breaks a book from inside.
 *
 * Why: pool, index and level arrays are each simple and tested through the book; nobody outside
 *      needs them.
 */
#ifndef DOMAIN_BOOK_PRIV_H
#define DOMAIN_BOOK_PRIV_H

#include "domain/order_book.h"

#define BOOK_SIDES 2

/* A price with its queue. Stable address while the level exists. */
struct book_level_node {
    dec_t price;
    dec_t qty;
    struct book_order *oldest;
    struct book_order *newest;
    struct book_level_node *next_free;
    uint64_t touched_epoch; /* equal to the book's: already among the changes */
    int32_t orders;
    enum ord_side side;
};

/* Memory in chunks of doubling size: addresses stay, nothing is returned before the end. */
struct book_pool {
    void **chunks;
    size_t chunk_count;
    size_t chunk_capacity;
    struct book_order *free_orders;
    struct book_level_node *free_levels;
    size_t orders_total;
    size_t levels_total;
    size_t data_bytes;
};

/* Of the index by id: an order. Of the index by user: the user's oldest order. */
struct book_slot {
    uint64_t hash;
    struct book_order *order; /* NULL: empty */
};

/* Open addressing, linear probing, deletion by shifting back: no tombstones to pile up. */
struct book_index {
    struct book_slot *slots;
    size_t capacity; /* power of two, or 0 */
    size_t count;
};

/* A sorted array of keys, highest last. The key of a price is the better the higher. */
struct book_keys {
    dec_t *keys;
    size_t count;
    size_t capacity;
};

struct book_ladder {
    struct book_keys keys;
    struct book_level_node **nodes; /* nodes[i] is the level of keys.keys[i] */
    struct book_keys changes;
};

struct book {
    struct book_ladder sides[BOOK_SIDES]; /* by ord_side of the resting order */
    struct book_index index;
    struct book_index users;
    struct book_pool pool;
    uint64_t epoch;
    size_t orders_max;
};

static inline dec_t book_key(enum ord_side side, dec_t price)
{
    return side == ORD_BUY ? price : -price;
}

/* --- book_pool.c --- */

/* At least this many orders and levels without another malloc. False: no memory. */
bool book_pool_reserve(struct book_pool *pool, size_t orders);
/* NULL when there is no memory. The order's data is zeroed. */
struct book_order *book_pool_order(struct book_pool *pool);
void book_pool_order_free(struct book_pool *pool, struct book_order *order);
struct book_level_node *book_pool_level(struct book_pool *pool);
void book_pool_level_free(struct book_pool *pool, struct book_level_node *level);
void book_pool_fini(struct book_pool *pool);

/* --- book_index.c --- */

uint64_t book_hash(struct dom_text text);
struct book_order *book_index_find(const struct book_index *index, struct dom_text id,
                                   uint64_t hash);
struct book_order *book_index_find_user(const struct book_index *index, struct dom_text user,
                                        uint64_t hash);
/* Room for one more; false: no memory. */
bool book_index_reserve(struct book_index *index, size_t count);
/* The key must not be there and room must have been reserved. */
void book_index_put(struct book_index *index, struct book_order *order, uint64_t hash);
/* The order must be there under this hash. */
void book_index_remove(struct book_index *index, const struct book_order *order, uint64_t hash);
/* `order` takes the slot of `old`, which must be there under this hash. */
void book_index_replace(struct book_index *index, const struct book_order *old,
                        struct book_order *order, uint64_t hash);
void book_index_clear(struct book_index *index);

/* --- book_users.c --- */

/* Into the list of its user, last or by sequence. Room for one more user must have been reserved.
 */
void book_users_put(struct book_index *users, struct book_order *order, bool last);
void book_users_remove(struct book_index *users, struct book_order *order);

/* --- book_levels.c --- */

/* Position of the first key >= key. */
size_t book_keys_position(const struct book_keys *keys, dec_t key);
/* Room for one more level, and for every level to become a change. False: no memory. */
bool book_ladder_reserve(struct book_ladder *ladder);
/* NULL when the price has no level; *position is where it is, or would be. */
struct book_level_node *book_ladder_find(const struct book_ladder *ladder, dec_t key,
                                         size_t *position);
/* The best level or NULL. */
struct book_level_node *book_ladder_best(const struct book_ladder *ladder);
/* At the position that book_ladder_find has told; room must have been reserved. */
void book_ladder_put(struct book_ladder *ladder, size_t position, dec_t key,
                     struct book_level_node *node);
void book_ladder_remove(struct book_ladder *ladder, dec_t key);
/* Notes that the level has changed, once per epoch. */
void book_ladder_touch(struct book_ladder *ladder, struct book_level_node *node, uint64_t epoch);
void book_ladder_fini(struct book_ladder *ladder);

#endif
