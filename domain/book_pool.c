/*
 * book_pool.c -- orders and levels from chunks with stable addresses.
 *
 * How: each chunk at least doubles the pool, so the number of mallocs grows with the logarithm of
 *      the book's largest size. A free order keeps its contents: the caller may still read what it
 *      has just removed.
 */
#include "domain/book_priv.h"

#include <stdlib.h>

#define CHUNK_MIN ((size_t)256)
/* Data records hold 128-bit integers. */
#define DATA_ALIGN ((size_t)16)

static bool keep_chunk(struct book_pool *pool, void *chunk)
{
    if (pool->chunk_count == pool->chunk_capacity) {
        const size_t capacity = pool->chunk_capacity == 0 ? 16 : pool->chunk_capacity * 2;
        void **grown = realloc(pool->chunks, capacity * sizeof(*grown));
        if (grown == NULL) {
            return false;
        }
        pool->chunks = grown;
        pool->chunk_capacity = capacity;
    }
    pool->chunks[pool->chunk_count++] = chunk;
    return true;
}

/* Zeroed memory that the pool owns from here on. */
static void *take_chunk(struct book_pool *pool, size_t count, size_t bytes)
{
    void *chunk = calloc(count, bytes);

    if (chunk != NULL && !keep_chunk(pool, chunk)) {
        free(chunk);
        return NULL;
    }
    return chunk;
}

static bool grow_orders(struct book_pool *pool, size_t count)
{
    const size_t stride = (pool->data_bytes + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN;
    struct book_order *orders = take_chunk(pool, count, sizeof(*orders));
    char *data = NULL;

    if (orders == NULL) {
        return false;
    }
    if (stride > 0) {
        data = take_chunk(pool, count, stride);
        if (data == NULL) {
            return false; /* the orders' chunk stays owned and unused */
        }
    }
    for (size_t i = count; i > 0; i--) { /* backwards: the list hands out ascending addresses */
        orders[i - 1].data = data == NULL ? NULL : data + (i - 1) * stride;
        orders[i - 1].newer = pool->free_orders;
        pool->free_orders = &orders[i - 1];
    }
    pool->orders_total += count;
    return true;
}

static bool grow_levels(struct book_pool *pool, size_t count)
{
    struct book_level_node *levels = take_chunk(pool, count, sizeof(*levels));

    if (levels == NULL) {
        return false;
    }
    for (size_t i = count; i > 0; i--) {
        levels[i - 1].next_free = pool->free_levels;
        pool->free_levels = &levels[i - 1];
    }
    pool->levels_total += count;
    return true;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

bool book_pool_reserve(struct book_pool *pool, size_t orders)
{
    return (pool->orders_total >= orders || grow_orders(pool, orders - pool->orders_total)) &&
           (pool->levels_total >= orders || grow_levels(pool, orders - pool->levels_total));
}

struct book_order *book_pool_order(struct book_pool *pool)
{
    if (pool->free_orders == NULL && !grow_orders(pool, larger(CHUNK_MIN, pool->orders_total))) {
        return NULL;
    }
    struct book_order *order = pool->free_orders;
    pool->free_orders = order->newer;
    if (order->data != NULL) {
        memset(order->data, 0, pool->data_bytes);
    }
    return order;
}

void book_pool_order_free(struct book_pool *pool, struct book_order *order)
{
    order->newer = pool->free_orders;
    pool->free_orders = order;
}

struct book_level_node *book_pool_level(struct book_pool *pool)
{
    if (pool->free_levels == NULL && !grow_levels(pool, larger(CHUNK_MIN, pool->levels_total))) {
        return NULL;
    }
    struct book_level_node *level = pool->free_levels;
    pool->free_levels = level->next_free;
    *level = (struct book_level_node){0};
    return level;
}

void book_pool_level_free(struct book_pool *pool, struct book_level_node *level)
{
    level->next_free = pool->free_levels;
    pool->free_levels = level;
}

void book_pool_fini(struct book_pool *pool)
{
    for (size_t i = 0; i < pool->chunk_count; i++) {
        free(pool->chunks[i]);
    }
    free(pool->chunks);
    *pool = (struct book_pool){0};
}
