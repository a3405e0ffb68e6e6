/*
 * heap.h -- what comes first by key, and among equal keys by arrival; any entry can be taken out.
 *
 * Why: stops wait by price and orders expire by time, both are found by "who is next" and leave
 *      early when their order is canceled. Entries that are only marked as gone would pile up for
 *      as long as an expiry lies ahead.
 * How: a binary heap in an array. The owner of an entry keeps its place (0: not in the heap), and
 *      the heap writes it with each move. Memory grows in steps and is kept.
 * Not: no order of iteration, no ownership of the items. One thread.
 */
#ifndef DOMAIN_HEAP_H
#define DOMAIN_HEAP_H

#include "domain/decimal.h"

struct heap_entry {
    dec_t key;
    int64_t sequence; /* decides between equal keys; unique among them */
    void *item;
    size_t *place; /* in the owner's memory, stable while the entry is in the heap */
};

/* Zero-initialised: empty. */
struct heap {
    struct heap_entry *entries; /* entries[place - 1] */
    size_t count;
    size_t capacity;
};

/* Room for so many entries without another malloc. False: no memory. */
bool heap_reserve(struct heap *heap, size_t count);

/* False when there is no memory: nothing has changed. *entry->place must be 0. */
bool heap_push(struct heap *heap, const struct heap_entry *entry);

/* NULL when empty. */
const struct heap_entry *heap_first(const struct heap *heap);

/* Takes the entry with this place out and sets its place to 0; nothing when *place is 0. */
void heap_remove(struct heap *heap, size_t *place);

/* Forgets all entries, keeps the memory. The places in the owners' memory are not written: they
 * may be gone. */
void heap_clear(struct heap *heap);
void heap_fini(struct heap *heap);

/* NULL, or a static text naming the broken invariant. O(n): tests. */
const char *heap_defect(const struct heap *heap);

#endif
