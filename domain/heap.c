/*
 * heap.c -- see heap.h.
 */
#include "domain/heap.h"

#include <stdlib.h>

#define CAPACITY_MIN ((size_t)64)

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

static void put(struct heap *heap, size_t place, const struct heap_entry *entry)
{
    heap->entries[place - 1] = *entry;
    *entry->place = place;
}

static void rise(struct heap *heap, size_t place)
{
    const struct heap_entry entry = heap->entries[place - 1];

    while (place > 1 && before(&entry, &heap->entries[place / 2 - 1])) {
        put(heap, place, &heap->entries[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, &entry);
}

static void sink(struct heap *heap, size_t place)
{
    const struct heap_entry entry = heap->entries[place - 1];
    size_t child = 2 * place;

    while (child <= heap->count) {
        if (child < heap->count && before(&heap->entries[child], &heap->entries[child - 1])) {
            child++;
        }
        if (!before(&heap->entries[child - 1], &entry)) {
            break;
        }
        put(heap, place, &heap->entries[child - 1]);
        place = child;
        child = 2 * place;
    }
    put(heap, place, &entry);
}

bool heap_reserve(struct heap *heap, size_t count)
{
    size_t capacity = heap->capacity == 0 ? CAPACITY_MIN : heap->capacity;
    struct heap_entry *grown = NULL;

    if (count <= heap->capacity) {
        return true;
    }
    while (capacity < count) {
        capacity *= 2;
    }
    grown = realloc(heap->entries, capacity * sizeof(*grown));
    if (grown == NULL) {
        return false;
    }
    heap->entries = grown;
    heap->capacity = capacity;
    return true;
}

bool heap_push(struct heap *heap, const struct heap_entry *entry)
{
    if (!heap_reserve(heap, heap->count + 1)) {
        return false;
    }
    heap->entries[heap->count++] = *entry;
    rise(heap, heap->count);
    return true;
}

const struct heap_entry *heap_first(const struct heap *heap)
{
    return heap->count == 0 ? NULL : &heap->entries[0];
}

void heap_remove(struct heap *heap, size_t *place)
{
    const size_t at = *place;
    struct heap_entry last;

    if (at == 0) {
        return;
    }
    *place = 0;
    last = heap->entries[--heap->count];
    if (at > heap->count) {
        return; /* it was the last itself */
    }
    put(heap, at, &last);
    rise(heap, at);
    sink(heap, *last.place);
}

void heap_clear(struct heap *heap)
{
    heap->count = 0;
}

void heap_fini(struct heap *heap)
{
    free(heap->entries);
    *heap = (struct heap){0};
}

const char *heap_defect(const struct heap *heap)
{
    for (size_t place = 1; place <= heap->count; place++) {
        const struct heap_entry *entry = &heap->entries[place - 1];

        if (*entry->place != place) {
            return "an entry does not know its place";
        }
        if (place > 1 && !before(&heap->entries[place / 2 - 1], entry)) {
            return "an entry comes before the one above it";
        }
    }
    return NULL;
}
