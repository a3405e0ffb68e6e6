/*
 * arena.h -- memory that is freed all at once.
 *
 * Why: a record's decoded arrays and scratch keys live exactly as long as the record or the
 *      transaction. An arena hands them out by moving a pointer and takes them all back with one
 *      reset; after warm-up it never calls malloc.
 * Thread: one owner.
 */
#ifndef MILLRACE_ARENA_H
#define MILLRACE_ARENA_H

#include "millrace/api.h"
#include "millrace/slice.h"

MR_API_BEGIN

struct mr_arena;

struct mr_arena *mr_arena_create(size_t chunk_bytes);
void mr_arena_destroy(struct mr_arena **arena);

/* Aligned to 16 bytes, not zeroed. Aborts when memory is exhausted; callers bound `bytes` first. */
void *mr_arena_alloc(struct mr_arena *arena, size_t bytes);
/* Copy of the bytes, living until the next reset. */
struct mr_slice mr_arena_copy(struct mr_arena *arena, struct mr_slice bytes);
/* Everything handed out becomes invalid; chunks are kept for reuse. */
void mr_arena_reset(struct mr_arena *arena);
size_t mr_arena_bytes(const struct mr_arena *arena);

/* malloc family that aborts instead of returning NULL: for set-up, never sized by outside input. */
void *mr_xcalloc(size_t count, size_t bytes);
void *mr_xrealloc(void *old, size_t bytes);
char *mr_xstrdup(const char *text);

MR_API_END

#endif
