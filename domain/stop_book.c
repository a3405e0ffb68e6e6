/*
 * stop_book.c -- see stop_book.h.
 */
#include "domain/stop_book.h"

#include "domain/heap.h"

#include <stdlib.h>

#define CHUNK_MIN ((size_t)64)
#define CHUNKS_MAX 48 /* each doubles what there is */
/* Data records hold 128-bit integers. */
#define DATA_ALIGN ((size_t)16)

struct stop_chunk {
    struct stop_order *orders;
    char *data;
};

struct stop_book {
    struct heap sides[2]; /* by ord_side */
    struct stop_order **by_id;
    struct stop_order **by_user;
    size_t buckets; /* of both tables: a power of two, or 0 */
    size_t count;
    struct stop_chunk chunks[CHUNKS_MAX];
    size_t chunk_count;
    size_t orders_total;
    struct stop_order *unused;
    size_t orders_max;
    size_t data_stride;
    size_t data_bytes;
};

/* FNV-1a: ids are short, and a stop is looked up once or twice in its life. */
static uint64_t hash_of(struct dom_text text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash ^ (hash >> 32);
}

static struct stop_order **bucket(struct stop_order **table, const struct stop_book *stops,
                                  uint64_t hash)
{
    return &table[hash & (stops->buckets - 1)];
}

/* --- memory --- */

static bool grow_orders(struct stop_book *stops, size_t count)
{
    struct stop_chunk chunk = {.orders = calloc(count, sizeof(*chunk.orders))};

    if (stops->data_stride > 0) {
        chunk.data = calloc(count, stops->data_stride);
    }
    if (chunk.orders == NULL || (stops->data_stride > 0 && chunk.data == NULL) ||
        stops->chunk_count == CHUNKS_MAX) {
        free(chunk.orders);
        free(chunk.data);
        return false;
    }
    for (size_t i = count; i > 0; i--) { /* backwards: the list hands out ascending addresses */
        struct stop_order *order = &chunk.orders[i - 1];

        order->data = chunk.data == NULL ? NULL : chunk.data + (i - 1) * stops->data_stride;
        order->id_next = stops->unused;
        stops->unused = order;
    }
    stops->chunks[stops->chunk_count++] = chunk;
    stops->orders_total += count;
    return true;
}

static void link_order(struct stop_book *stops, struct stop_order *order)
{
    struct stop_order **id = bucket(stops->by_id, stops, order->id_hash);
    struct stop_order **user = bucket(stops->by_user, stops, order->user_hash);

    order->id_next = *id;
    *id = order;
    order->user_before = NULL;
    order->user_next = *user;
    if (*user != NULL) {
        (*user)->user_before = order;
    }
    *user = order;
}

static void relink(struct stop_book *stops)
{
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < stops->sides[side].count; i++) {
            link_order(stops, stops->sides[side].entries[i].item);
        }
    }
}

static bool grow_tables(struct stop_book *stops, size_t count)
{
    size_t buckets = stops->buckets == 0 ? CHUNK_MIN : stops->buckets;
    struct stop_order **by_id = NULL;
    struct stop_order **by_user = NULL;

    if (count <= stops->buckets) {
        return true;
    }
    while (buckets < count) {
        buckets *= 2;
    }
    by_id = calloc(buckets, sizeof(struct stop_order *));
    by_user = calloc(buckets, sizeof(struct stop_order *));
    if (by_id == NULL || by_user == NULL) {
        free((void *)by_id);
        free((void *)by_user);
        return false;
    }
    free((void *)stops->by_id);
    free((void *)stops->by_user);
    stops->by_id = by_id;
    stops->by_user = by_user;
    stops->buckets = buckets;
    relink(stops);
    return true;
}

static bool reserve(struct stop_book *stops, size_t count)
{
    const size_t more = stops->orders_total < CHUNK_MIN ? CHUNK_MIN : stops->orders_total;
    const size_t missing = count > stops->orders_total ? count - stops->orders_total : 0;

    return (missing == 0 || grow_orders(stops, missing > more ? missing : more)) &&
           grow_tables(stops, count) && heap_reserve(&stops->sides[ORD_BUY], count) &&
           heap_reserve(&stops->sides[ORD_SELL], count);
}

struct stop_book *stop_book_create(const struct stop_options *options)
{
    static const struct stop_options defaults = {0};
    const struct stop_options *opt = options == NULL ? &defaults : options;
    struct stop_book *stops = calloc(1, sizeof(*stops));

    if (stops == NULL) {
        return NULL;
    }
    stops->orders_max = opt->orders_max == 0 ? STOP_ORDERS_MAX : opt->orders_max;
    stops->data_bytes = opt->data_bytes;
    stops->data_stride = (opt->data_bytes + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN;
    if (opt->orders_reserve > 0 && !reserve(stops, opt->orders_reserve)) {
        stop_book_destroy(&stops);
    }
    return stops;
}

void stop_book_destroy(struct stop_book **stops)
{
    if (stops == NULL || *stops == NULL) {
        return;
    }
    for (size_t i = 0; i < (*stops)->chunk_count; i++) {
        free((*stops)->chunks[i].orders);
        free((*stops)->chunks[i].data);
    }
    free((void *)(*stops)->by_id);
    free((void *)(*stops)->by_user);
    heap_fini(&(*stops)->sides[ORD_BUY]);
    heap_fini(&(*stops)->sides[ORD_SELL]);
    free(*stops);
    *stops = NULL;
}

void stop_book_clear(struct stop_book *stops)
{
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < stops->sides[side].count; i++) {
            struct stop_order *order = stops->sides[side].entries[i].item;

            order->place = 0;
            order->id_next = stops->unused;
            stops->unused = order;
        }
        heap_clear(&stops->sides[side]);
    }
    if (stops->buckets > 0) {
        memset((void *)stops->by_id, 0, stops->buckets * sizeof(struct stop_order *));
        memset((void *)stops->by_user, 0, stops->buckets * sizeof(struct stop_order *));
    }
    stops->count = 0;
}

/* --- orders --- */

static bool takes(const struct stop_new *order)
{
    return order->stop_price > 0 && order->stop_price <= DEC_MAX && order->id.len > 0 &&
           order->id.len <= ORD_ID_MAX && order->user.len > 0 && order->user.len <= ORD_ID_MAX;
}

static void fill_order(const struct stop_book *stops, struct stop_order *order,
                       const struct stop_new *from)
{
    order->stop_price = from->stop_price;
    order->sequence = from->sequence;
    order->side = from->side;
    order->id_len = (uint8_t)from->id.len;
    order->user_len = (uint8_t)from->user.len;
    memcpy(order->id, from->id.data, from->id.len);
    memcpy(order->user, from->user.data, from->user.len);
    order->id_hash = hash_of(from->id);
    order->user_hash = hash_of(from->user);
    if (order->data != NULL) {
        memset(order->data, 0, stops->data_bytes);
    }
}

enum stop_result stop_book_insert(struct stop_book *stops, const struct stop_new *order,
                                  struct stop_order **out)
{
    struct stop_order *waiting = NULL;

    if (out != NULL) {
        *out = NULL;
    }
    if (!takes(order)) {
        return STOP_BAD_ORDER;
    }
    if (stop_book_find(stops, order->id) != NULL) {
        return STOP_DUPLICATE;
    }
    if (stop_book_full(stops)) {
        return STOP_FULL;
    }
    if (!reserve(stops, stops->count + 1)) {
        return STOP_NO_MEMORY;
    }
    waiting = stops->unused;
    stops->unused = waiting->id_next;
    fill_order(stops, waiting, order);
    link_order(stops, waiting);
    /* The first of a heap is its lowest key: of sells that is the highest price. */
    const struct heap_entry entry = {
        .key = order->side == ORD_BUY ? order->stop_price : -order->stop_price,
        .sequence = order->sequence,
        .item = waiting,
        .place = &waiting->place,
    };
    (void)heap_push(&stops->sides[order->side], &entry); /* room was reserved */
    stops->count++;
    if (out != NULL) {
        *out = waiting;
    }
    return STOP_OK;
}

struct stop_order *stop_book_find(const struct stop_book *stops, struct dom_text id)
{
    const uint64_t hash = hash_of(id);
    struct stop_order *order = NULL;

    if (stops->count == 0) {
        return NULL;
    }
    order = *bucket(stops->by_id, stops, hash);
    while (order != NULL && (order->id_hash != hash || !dom_text_equal(stop_order_id(order), id))) {
        order = order->id_next;
    }
    return order;
}

void stop_book_remove(struct stop_book *stops, struct stop_order *order)
{
    struct stop_order **link = bucket(stops->by_id, stops, order->id_hash);

    while (*link != order) {
        link = &(*link)->id_next;
    }
    *link = order->id_next;
    if (order->user_before == NULL) {
        *bucket(stops->by_user, stops, order->user_hash) = order->user_next;
    } else {
        order->user_before->user_next = order->user_next;
    }
    if (order->user_next != NULL) {
        order->user_next->user_before = order->user_before;
    }
    heap_remove(&stops->sides[order->side], &order->place);
    order->id_next = stops->unused;
    stops->unused = order;
    stops->count--;
}

bool stop_triggers(enum ord_side side, dec_t stop_price, dec_t last_price)
{
    return side == ORD_BUY ? last_price >= stop_price : last_price <= stop_price;
}

struct stop_order *stop_book_due(const struct stop_book *stops, dec_t last_price)
{
    for (size_t side = 0; side < 2; side++) { /* buys, then sells */
        const struct heap_entry *first = heap_first(&stops->sides[side]);
        struct stop_order *order = first == NULL ? NULL : first->item;

        if (order != NULL && stop_triggers(order->side, order->stop_price, last_price)) {
            return order;
        }
    }
    return NULL;
}

struct stop_order *stop_book_user_next(const struct stop_book *stops, struct dom_text user,
                                       const struct stop_order *before)
{
    const uint64_t hash = hash_of(user);
    struct stop_order *order = NULL;

    if (stops->count == 0) {
        return NULL;
    }
    order = before == NULL ? *bucket(stops->by_user, stops, hash) : before->user_next;
    while (order != NULL &&
           (order->user_hash != hash || !dom_text_equal(stop_order_user(order), user))) {
        order = order->user_next;
    }
    return order;
}

size_t stop_book_orders(const struct stop_book *stops)
{
    return stops->count;
}

bool stop_book_full(const struct stop_book *stops)
{
    return stops->count >= stops->orders_max;
}

/* --- self-check --- */

static size_t chained(const struct stop_book *stops)
{
    size_t count = 0;

    for (size_t i = 0; i < stops->buckets; i++) {
        const struct stop_order *before = NULL;

        for (const struct stop_order *order = stops->by_user[i]; order != NULL;
             order = order->user_next) {
            count += order->user_before == before;
            before = order;
        }
    }
    return count;
}

const char *stop_book_defect(const struct stop_book *stops)
{
    const char *defect = heap_defect(&stops->sides[ORD_BUY]);

    defect = defect == NULL ? heap_defect(&stops->sides[ORD_SELL]) : defect;
    if (defect != NULL) {
        return defect;
    }
    if (stops->sides[ORD_BUY].count + stops->sides[ORD_SELL].count != stops->count) {
        return "the number of stops is not that of both sides";
    }
    if (chained(stops) != stops->count) {
        return "not every stop is among its user's";
    }
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < stops->sides[side].count; i++) {
            const struct stop_order *order = stops->sides[side].entries[i].item;

            if ((size_t)order->side != side ||
                stop_book_find(stops, stop_order_id(order)) != order) {
                return "a stop is not found by its id";
            }
        }
    }
    return NULL;
}
