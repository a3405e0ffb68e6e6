/*
 * names.h -- names to numbers: where in a list the part with this name stands.
 *
 * Why: a topology of hundreds of stages looks its topics up thousands of times, and a file with a
 *      hundred thousand keys must not take minutes to be refused.
 * How: open addressing in the arena; a name is added once and never removed.
 */
#ifndef MILLRACE_TOPOLOGY_NAMES_H
#define MILLRACE_TOPOLOGY_NAMES_H

#include "millrace/arena.h"

struct name_slot {
    const char *name; /* NULL: free */
    size_t value;
};

struct names {
    struct name_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* name: borrowed, and not in there yet. */
void names_add(struct names *names, struct mr_arena *arena, const char *name, size_t value);
/* SIZE_MAX when absent. */
size_t names_find(const struct names *names, const char *name);

#endif
