/*
 * row_entries.h -- the arrays inside a row: sorted by name, found by halving, changed by copying.
 *
 * Why: a user may have hundreds of symbols, and the row is read with every order. Sorted, the same
 *      content is the same bytes, whatever came first.
 * How: what a store returned is borrowed and may not be written, so each change copies the array
 *      into the arena of the record in hand; beside the decoding of the row that is little.
 */
#ifndef MILLRACE_STAGES_ROW_ENTRIES_H
#define MILLRACE_STAGES_ROW_ENTRIES_H

#include "millrace/arena.h"

/* An array of a generated struct, whichever it is. */
struct entries {
    const void *items;
    size_t count;
    size_t item_bytes;
    size_t name_offset; /* of the struct mr_slice in an item that they are sorted by */
};

/* NULL when there is none of that name. */
const void *entries_find(const struct entries *entries, struct mr_slice name);
/* In place of the one of the same name, or in between. */
void entries_put(struct entries *entries, struct mr_arena *arena, const void *item);
/* An absent one is fine. */
void entries_drop(struct entries *entries, struct mr_arena *arena, struct mr_slice name);

#endif
