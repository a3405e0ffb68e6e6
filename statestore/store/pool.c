/* pool.c -- see pool.h. */
#include "pool.h"

#include "millrace/arena.h"

#include <stdlib.h>

#define STEP ((size_t)32)
#define SMALL_MAX ((size_t)1024)
#define LARGE_MAX ((size_t)65536)
#define SMALL_CLASSES (SMALL_MAX / STEP)
#define LARGE_CLASSES ((size_t)6) /* 2 KiB .. 64 KiB */
#define CHUNK_BYTES ((size_t)256 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define POOL_IS_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_IS_MALLOC 1
#endif
#endif
#ifndef POOL_IS_MALLOC
#define POOL_IS_MALLOC 0
#endif

struct cell {
    struct cell *next;
};

struct chunk {
    struct chunk *next;
    _Alignas(16) unsigned char data[];
};

struct pool {
    struct cell *free[SMALL_CLASSES + LARGE_CLASSES];
    struct chunk *chunks;
    unsigned char *room;
    size_t room_bytes;
};

static size_t class_of(size_t bytes, size_t *class_bytes)
{
    size_t class = SMALL_CLASSES;

    if (bytes <= SMALL_MAX) {
        const size_t steps = bytes == 0 ? 1 : (bytes + STEP - 1) / STEP;

        *class_bytes = steps * STEP;
        return steps - 1;
    }
    for (*class_bytes = SMALL_MAX * 2; *class_bytes < bytes; *class_bytes *= 2) {
        class ++;
    }
    return class;
}

struct pool *pool_create(void)
{
    return mr_xcalloc(1, sizeof(struct pool));
}

void pool_destroy(struct pool **pool)
{
    if (*pool == NULL) {
        return;
    }
    while ((*pool)->chunks != NULL) {
        struct chunk *chunk = (*pool)->chunks;

        (*pool)->chunks = chunk->next;
        free(chunk);
    }
    free(*pool);
    *pool = NULL;
}

static void *carve(struct pool *pool, size_t bytes)
{
    void *memory;

    if (pool->room_bytes < bytes) {
        struct chunk *chunk = mr_xrealloc(NULL, sizeof(*chunk) + CHUNK_BYTES);

        chunk->next = pool->chunks;
        pool->chunks = chunk;
        pool->room = chunk->data;
        pool->room_bytes = CHUNK_BYTES;
    }
    memory = pool->room;
    pool->room += bytes;
    pool->room_bytes -= bytes;
    return memory;
}

void *pool_alloc(struct pool *pool, size_t bytes)
{
    size_t class_bytes;
    size_t class;
    struct cell *cell;

    if (POOL_IS_MALLOC || bytes > LARGE_MAX) {
        return mr_xrealloc(NULL, bytes);
    }
    class = class_of(bytes, &class_bytes);
    cell = pool->free[class];
    if (cell != NULL) {
        pool->free[class] = cell->next;
        return cell;
    }
    return carve(pool, class_bytes);
}

void pool_free(struct pool *pool, void *memory, size_t bytes)
{
    size_t class_bytes;
    size_t class;
    struct cell *cell = memory;

    if (POOL_IS_MALLOC || bytes > LARGE_MAX) {
        free(memory);
        return;
    }
    class = class_of(bytes, &class_bytes);
    cell->next = pool->free[class];
    pool->free[class] = cell;
}
