/*
 * pool.h -- memory for entries and values of one store: sizes in classes, free lists, no headers.
 *
 * Why: a store allocates and frees a value with every put; malloc costs more than the hash lookup.
 * How: multiples of 32 bytes up to 1 KiB, then powers of two up to 64 KiB, carved from chunks that
 *      live as long as the pool; larger ones come from malloc.
 * Not: thread-safe. Under AddressSanitizer it is malloc, so that it hides no error.
 */
#ifndef MILLRACE_STATESTORE_POOL_H
#define MILLRACE_STATESTORE_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_create(void);
void pool_destroy(struct pool **pool);
/* Not zeroed, aligned to 16. */
void *pool_alloc(struct pool *pool, size_t bytes);
/* bytes: as given to pool_alloc. */
void pool_free(struct pool *pool, void *memory, size_t bytes);

#endif
