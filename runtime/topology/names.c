/* names.c -- see names.h. */
#include "names.h"

#include "millrace/status.h"

#define CAPACITY_MIN ((size_t)16)

/* FNV-1a */
static size_t hash(const char *name)
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (const char *c = name; *c != '\0'; c++) {
        value = (value ^ (uint8_t)*c) * UINT64_C(1099511628211);
    }
    return (size_t)(value ^ value >> 32);
}

/* Where the name stands, or the free slot where it would. */
static size_t slot_of(const struct names *names, const char *name)
{
    size_t at = hash(name) & (names->capacity - 1);

    while (names->slots[at].name != NULL && strcmp(names->slots[at].name, name) != 0) {
        at = (at + 1) & (names->capacity - 1);
    }
    return at;
}

static void grow(struct names *names, struct mr_arena *arena)
{
    const struct names old = *names;

    names->capacity = old.capacity == 0 ? CAPACITY_MIN : old.capacity * 2;
    names->slots = mr_arena_alloc(arena, names->capacity * sizeof(*names->slots));
    memset(names->slots, 0, names->capacity * sizeof(*names->slots));
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].name != NULL) {
            names->slots[slot_of(names, old.slots[i].name)] = old.slots[i];
        }
    }
}

void names_add(struct names *names, struct mr_arena *arena, const char *name, size_t value)
{
    if (2 * (names->count + 1) > names->capacity) {
        grow(names, arena);
    }
    struct name_slot *slot = &names->slots[slot_of(names, name)];
    MR_ASSERT(slot->name == NULL);
    *slot = (struct name_slot){.name = name, .value = value};
    names->count++;
}

size_t names_find(const struct names *names, const char *name)
{
    if (names->capacity == 0) {
        return SIZE_MAX;
    }
    const struct name_slot *slot = &names->slots[slot_of(names, name)];
    return slot->name != NULL ? slot->value : SIZE_MAX;
}
