/* tally.c -- see tally.h: a hash table that only grows. */
#include "tally.h"

#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static size_t place_of(const struct tally *tally, const char *name)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    size_t at;

    for (const char *c = name; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    }
    at = (size_t)(hash % tally->capacity);
    while (tally->items[at].name[0] != '\0' && strcmp(tally->items[at].name, name) != 0) {
        at = (at + 1) % tally->capacity;
    }
    return at;
}

static void grow(struct tally *tally)
{
    const struct tally old = *tally;

    tally->capacity = old.capacity == 0 ? 64 : old.capacity * 2;
    tally->items = mr_xcalloc(tally->capacity, sizeof(*tally->items));
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.items[i].name[0] != '\0') {
            tally->items[place_of(tally, old.items[i].name)] = old.items[i];
        }
    }
    free(old.items);
}

struct tally_item *tally_at(struct tally *tally, const char *format, ...)
{
    char name[TALLY_NAME_MAX];
    struct tally_item *item;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    WORLD_MUST(len > 0);
    WORLD_MUST(len < TALLY_NAME_MAX);
    if (2 * tally->count >= tally->capacity) {
        grow(tally);
    }
    item = &tally->items[place_of(tally, name)];
    if (item->name[0] == '\0') {
        memcpy(item->name, name, (size_t)len + 1);
        tally->count++;
    }
    return item;
}

void tally_fini(struct tally *tally)
{
    free(tally->items);
    *tally = (struct tally){0};
}
