/* arena.c -- chunks in a list; allocation moves a pointer, reset rewinds to the first chunk. */
#include "millrace/arena.h"

#include "millrace/fault.h"
#include "millrace/status.h"

#include <stdlib.h>

#define ALIGNMENT ((size_t)16)

struct chunk {
    struct chunk *next;
    size_t capacity;
    size_t used;
    _Alignas(16) uint8_t data[];
};

struct mr_arena {
    struct chunk *first;
    struct chunk *current;
    size_t chunk_bytes;
    size_t total_bytes;
};

void *mr_xcalloc(size_t count, size_t bytes)
{
    void *memory =
        MR_ALLOCATION_FAILS() ? NULL : calloc(count == 0 ? 1 : count, bytes == 0 ? 1 : bytes);

    if (memory == NULL) {
        mr_out_of_memory(count * bytes);
    }
    return memory;
}

void *mr_xrealloc(void *old, size_t bytes)
{
    void *memory = MR_ALLOCATION_FAILS() ? NULL : realloc(old, bytes == 0 ? 1 : bytes);

    if (memory == NULL) {
        mr_out_of_memory(bytes);
    }
    return memory;
}

char *mr_xstrdup(const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = mr_xcalloc(1, bytes);

    memcpy(copy, text, bytes);
    return copy;
}

static struct chunk *chunk_create(struct mr_arena *arena, size_t capacity)
{
    struct chunk *chunk = mr_xrealloc(NULL, sizeof(*chunk) + capacity);

    chunk->next = NULL;
    chunk->capacity = capacity;
    chunk->used = 0;
    arena->total_bytes += capacity;
    return chunk;
}

struct mr_arena *mr_arena_create(size_t chunk_bytes)
{
    struct mr_arena *arena = mr_xcalloc(1, sizeof(*arena));

    MR_ASSERT(chunk_bytes >= ALIGNMENT);
    arena->chunk_bytes = chunk_bytes;
    arena->first = chunk_create(arena, chunk_bytes);
    arena->current = arena->first;
    return arena;
}

void mr_arena_destroy(struct mr_arena **arena)
{
    if (*arena == NULL) {
        return;
    }
    struct chunk *chunk = (*arena)->first;
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(*arena);
    *arena = NULL;
}

/* The next chunk that holds `bytes`: one kept from before, else a new one behind the current. */
static void advance(struct mr_arena *arena, size_t bytes)
{
    while (arena->current->next != NULL) {
        arena->current = arena->current->next;
        arena->current->used = 0;
        if (arena->current->capacity >= bytes) {
            return;
        }
    }
    arena->current->next =
        chunk_create(arena, bytes > arena->chunk_bytes ? bytes : arena->chunk_bytes);
    arena->current = arena->current->next;
}

void *mr_arena_alloc(struct mr_arena *arena, size_t bytes)
{
    const size_t rounded = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

    MR_ASSERT(rounded >= bytes);
    if (arena->current->capacity - arena->current->used < rounded) {
        advance(arena, rounded);
    }
    void *memory = arena->current->data + arena->current->used;
    arena->current->used += rounded;
    return memory;
}

struct mr_slice mr_arena_copy(struct mr_arena *arena, struct mr_slice bytes)
{
    if (bytes.len == 0) {
        return (struct mr_slice){0};
    }
    void *copy = mr_arena_alloc(arena, bytes.len);
    memcpy(copy, bytes.data, bytes.len);
    return mr_slice_of(copy, bytes.len);
}

void mr_arena_reset(struct mr_arena *arena)
{
    arena->current = arena->first;
    arena->first->used = 0;
}

size_t mr_arena_bytes(const struct mr_arena *arena)
{
    return arena->total_bytes;
}
