/*
 * order_book.c -- see order_book.h.
 */
#include "domain/book_priv.h"

#include <stdlib.h>

static struct book_ladder *ladder_of(struct book *book, enum ord_side side)
{
    return &book->sides[side == ORD_BUY ? 0 : 1];
}

static const struct book_ladder *ladder_in(const struct book *book, enum ord_side side)
{
    return &book->sides[side == ORD_BUY ? 0 : 1];
}

struct book *book_create(const struct book_options *options)
{
    static const struct book_options defaults = {0};
    const struct book_options *opt = options == NULL ? &defaults : options;
    struct book *book = calloc(1, sizeof(*book));

    if (book == NULL) {
        return NULL;
    }
    book->epoch = 1; /* a new level's 0 is "not touched" */
    book->orders_max = opt->orders_max == 0 ? BOOK_ORDERS_MAX : opt->orders_max;
    book->pool.data_bytes = opt->data_bytes;
    if (!book_pool_reserve(&book->pool, opt->orders_reserve) ||
        !book_index_reserve(&book->index, opt->orders_reserve) ||
        !book_index_reserve(&book->users, opt->orders_reserve)) {
        book_destroy(&book);
    }
    return book;
}

void book_destroy(struct book **book)
{
    if (book == NULL || *book == NULL) {
        return;
    }
    book_pool_fini(&(*book)->pool);
    free((*book)->index.slots);
    free((*book)->users.slots);
    book_ladder_fini(&(*book)->sides[0]);
    book_ladder_fini(&(*book)->sides[1]);
    free(*book);
    *book = NULL;
}

void book_clear(struct book *book)
{
    for (size_t s = 0; s < BOOK_SIDES; s++) {
        struct book_ladder *ladder = &book->sides[s];
        for (size_t i = 0; i < ladder->keys.count; i++) {
            struct book_order *order = ladder->nodes[i]->oldest;
            while (order != NULL) {
                struct book_order *newer = order->newer;
                book_pool_order_free(&book->pool, order);
                order = newer;
            }
            book_pool_level_free(&book->pool, ladder->nodes[i]);
        }
        ladder->keys.count = 0;
        ladder->changes.count = 0;
    }
    book_index_clear(&book->index);
    book_index_clear(&book->users);
}

/* --- resting orders --- */

static bool takes(const struct book_new *order)
{
    return order->price > 0 && order->leaves > 0 && order->price <= DEC_MAX &&
           order->leaves <= DEC_MAX && order->id.len > 0 && order->id.len <= ORD_ID_MAX &&
           order->user.len > 0 && order->user.len <= ORD_ID_MAX;
}

/* The level of a price, made when it is missing; NULL: no memory. */
static struct book_level_node *need_level(struct book *book, enum ord_side side, dec_t price)
{
    struct book_ladder *ladder = ladder_of(book, side);
    const dec_t key = book_key(side, price);
    size_t position = 0;
    struct book_level_node *level = book_ladder_find(ladder, key, &position);

    if (level != NULL) {
        return level;
    }
    if (!book_ladder_reserve(ladder)) {
        return NULL;
    }
    level = book_pool_level(&book->pool);
    if (level != NULL) {
        level->price = price;
        level->side = side;
        book_ladder_put(ladder, position, key, level);
    }
    return level;
}

static void drop_level_if_empty(struct book *book, struct book_level_node *level)
{
    if (level->orders == 0) {
        book_ladder_remove(ladder_of(book, level->side), book_key(level->side, level->price));
        book_pool_level_free(&book->pool, level);
    }
}

/* Behind all with a lower or equal sequence. */
static struct book_order *place_of(const struct book_level_node *level, int64_t sequence)
{
    struct book_order *before = level->newest;

    while (before != NULL && before->sequence > sequence) {
        before = before->older;
    }
    return before;
}

/* Into the queue behind `before`; NULL: in front of all. */
static void enqueue(struct book_level_node *level, struct book_order *before,
                    struct book_order *order)
{
    order->older = before;
    order->newer = before == NULL ? level->oldest : before->newer;
    if (order->newer == NULL) {
        level->newest = order;
    } else {
        order->newer->older = order;
    }
    if (before == NULL) {
        level->oldest = order;
    } else {
        before->newer = order;
    }
    order->level = level;
    level->qty += order->leaves;
    level->orders++;
}

static void fill_order(struct book_order *order, const struct book_new *from, uint64_t hash)
{
    order->price = from->price;
    order->leaves = from->leaves;
    order->sequence = from->sequence;
    order->side = from->side;
    order->id_len = (uint8_t)from->id.len;
    order->user_len = (uint8_t)from->user.len;
    memcpy(order->id, from->id.data, from->id.len);
    memcpy(order->user, from->user.data, from->user.len);
    order->hash = hash;
    order->user_hash = book_hash(from->user);
}

/* load: behind what is there; book_loaded sorts. */
static enum book_result put(struct book *book, const struct book_new *order, bool load,
                            struct book_order **out)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (!takes(order)) {
        return BOOK_BAD_ORDER;
    }
    const uint64_t hash = book_hash(order->id);
    if (book_index_find(&book->index, order->id, hash) != NULL) {
        return BOOK_DUPLICATE;
    }
    if (book->index.count >= book->orders_max) {
        return BOOK_FULL;
    }
    if (!book_index_reserve(&book->index, book->index.count + 1) ||
        !book_index_reserve(&book->users, book->users.count + 1)) {
        return BOOK_NO_MEMORY;
    }
    struct book_level_node *level = need_level(book, order->side, order->price);
    if (level == NULL) {
        return BOOK_NO_MEMORY;
    }
    if (level->qty > DEC_MAX - order->leaves) { /* the sum must fit the wire */
        return BOOK_FULL;
    }
    struct book_order *resting = book_pool_order(&book->pool);
    if (resting == NULL) {
        drop_level_if_empty(book, level);
        return BOOK_NO_MEMORY;
    }
    fill_order(resting, order, hash);
    enqueue(level, load ? level->newest : place_of(level, order->sequence), resting);
    book_index_put(&book->index, resting, hash);
    book_users_put(&book->users, resting, load);
    book_ladder_touch(ladder_of(book, order->side), level, book->epoch);
    if (out != NULL) {
        *out = resting;
    }
    return BOOK_OK;
}

enum book_result book_insert(struct book *book, const struct book_new *order,
                             struct book_order **out)
{
    return put(book, order, false, out);
}

enum book_result book_load(struct book *book, const struct book_new *order, struct book_order **out)
{
    return put(book, order, true, out);
}

struct book_order *book_find(const struct book *book, struct dom_text id)
{
    return book_index_find(&book->index, id, book_hash(id));
}

struct book_order *book_user_first(const struct book *book, struct dom_text user)
{
    return book_index_find_user(&book->users, user, book_hash(user));
}

void book_remove(struct book *book, struct book_order *order)
{
    struct book_level_node *level = order->level;

    book_ladder_touch(ladder_of(book, order->side), level, book->epoch);
    if (order->older == NULL) {
        level->oldest = order->newer;
    } else {
        order->older->newer = order->newer;
    }
    if (order->newer == NULL) {
        level->newest = order->older;
    } else {
        order->newer->older = order->older;
    }
    level->qty -= order->leaves;
    level->orders--;
    book_index_remove(&book->index, order, order->hash);
    book_users_remove(&book->users, order);
    drop_level_if_empty(book, level);
    book_pool_order_free(&book->pool, order);
}

bool book_reduce(struct book *book, struct book_order *order, dec_t qty)
{
    if (qty <= 0 || qty > order->leaves) {
        return false;
    }
    order->leaves -= qty;
    order->level->qty -= qty;
    if (order->leaves == 0) {
        book_remove(book, order);
    } else {
        book_ladder_touch(ladder_of(book, order->side), order->level, book->epoch);
    }
    return true;
}

size_t book_orders(const struct book *book)
{
    return book->index.count;
}

/* --- matching --- */

/* The best level of the other side, when its price is within the limit. */
static struct book_level_node *reachable(const struct book *book, enum ord_side side, dec_t limit,
                                         enum book_step *why_not)
{
    const enum ord_side other = ord_opposite(side);
    struct book_level_node *level = book_ladder_best(ladder_in(book, other));

    if (level == NULL) {
        *why_not = BOOK_EMPTY;
        return NULL;
    }
    if (book_key(other, level->price) < book_key(other, limit)) {
        *why_not = BOOK_LIMIT;
        return NULL;
    }
    return level;
}

static bool own(const struct book_taker *taker, const struct book_order *maker)
{
    return dom_text_equal(taker->user, book_order_user(maker));
}

enum book_step book_peek(const struct book *book, const struct book_taker *taker,
                         struct book_match *match)
{
    enum book_step why_not = BOOK_EMPTY;

    match->maker = NULL;
    if (taker->leaves <= 0) {
        return BOOK_FILLED;
    }
    struct book_level_node *level = reachable(book, taker->side, taker->limit, &why_not);
    if (level == NULL) {
        return why_not;
    }
    match->maker = level->oldest;
    match->price = level->price;
    match->qty = dec_min(taker->leaves, level->oldest->leaves);
    return taker->stp != ORD_STP_NONE && own(taker, level->oldest) ? BOOK_SELF : BOOK_MATCH;
}

void book_fill(struct book *book, struct book_taker *taker, const struct book_match *match)
{
    taker->leaves -= match->qty;
    (void)book_reduce(book, match->maker, match->qty); /* book_peek has bounded the quantity */
}

bool book_crosses(const struct book *book, enum ord_side side, dec_t price)
{
    enum book_step why_not = BOOK_EMPTY;

    return reachable(book, side, price, &why_not) != NULL;
}

/* Takes one level off what is wanted. False: an own order ends the walk. */
static bool take_level(const struct book_taker *taker, const struct book_level_node *level,
                       dec_t *wanted)
{
    for (const struct book_order *maker = level->oldest; maker != NULL && *wanted > 0;
         maker = maker->newer) {
        if (taker->stp != ORD_STP_NONE && own(taker, maker)) {
            if (taker->stp != ORD_STP_EXPIRE_MAKER) {
                return false;
            }
            continue;
        }
        *wanted -= dec_min(*wanted, maker->leaves);
    }
    return true;
}

bool book_can_fill(const struct book *book, const struct book_taker *taker)
{
    const enum ord_side other = ord_opposite(taker->side);
    const struct book_ladder *ladder = ladder_in(book, other);
    const dec_t bound = book_key(other, taker->limit);
    dec_t wanted = taker->leaves;

    for (size_t i = ladder->keys.count; i > 0 && wanted > 0; i--) {
        if (ladder->keys.keys[i - 1] < bound || !take_level(taker, ladder->nodes[i - 1], &wanted)) {
            return false;
        }
    }
    return wanted <= 0;
}

/* --- levels --- */

size_t book_levels(const struct book *book, enum ord_side side)
{
    return ladder_in(book, side)->keys.count;
}

/* Level number index from the best, or NULL. */
static const struct book_level_node *node_at(const struct book *book, enum ord_side side,
                                             size_t index)
{
    const struct book_ladder *ladder = ladder_in(book, side);

    return index < ladder->keys.count ? ladder->nodes[ladder->keys.count - 1 - index] : NULL;
}

bool book_level_at(const struct book *book, enum ord_side side, size_t index,
                   struct book_level *level)
{
    const struct book_level_node *node = node_at(book, side, index);

    if (node == NULL) {
        return false;
    }
    *level = (struct book_level){.price = node->price, .qty = node->qty, .orders = node->orders};
    return true;
}

void book_level_find(const struct book *book, enum ord_side side, dec_t price,
                     struct book_level *level)
{
    size_t position = 0;
    const struct book_level_node *node =
        book_ladder_find(ladder_in(book, side), book_key(side, price), &position);

    level->price = price;
    level->qty = node == NULL ? 0 : node->qty;
    level->orders = node == NULL ? 0 : node->orders;
}

const struct book_order *book_level_orders(const struct book *book, enum ord_side side,
                                           size_t index)
{
    const struct book_level_node *node = node_at(book, side, index);

    return node == NULL ? NULL : node->oldest;
}

/* --- changes --- */

size_t book_changes(const struct book *book, enum ord_side side)
{
    return ladder_in(book, side)->changes.count;
}

bool book_change_at(const struct book *book, enum ord_side side, size_t index,
                    struct book_level *level)
{
    const struct book_keys *changes = &ladder_in(book, side)->changes;

    if (index >= changes->count) {
        return false;
    }
    const dec_t key = changes->keys[changes->count - 1 - index];
    book_level_find(book, side, side == ORD_BUY ? key : -key, level);
    return true;
}

void book_changes_clear(struct book *book)
{
    book->sides[0].changes.count = 0;
    book->sides[1].changes.count = 0;
    book->epoch++;
}
