/* coalesce.c -- see coalesce.h. Open addressing over the entries; identities in an arena. */
#include "coalesce.h"

#include "millrace/arena.h"
#include "millrace/status.h"

#include <stdlib.h>

#define SLOTS_MIN ((size_t)2048)
#define ARENA_BYTES ((size_t)64 * 1024)
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

struct coalesce {
    struct mr_arena *arena;
    struct coalesced *entries;
    size_t count, capacity;
    size_t *slots; /* index + 1; 0: free */
    size_t slot_count;
};

struct coalesce *coalesce_create(void)
{
    struct coalesce *coalesce = mr_xcalloc(1, sizeof(*coalesce));

    coalesce->arena = mr_arena_create(ARENA_BYTES);
    coalesce->slot_count = SLOTS_MIN;
    coalesce->slots = mr_xcalloc(coalesce->slot_count, sizeof(*coalesce->slots));
    return coalesce;
}

void coalesce_destroy(struct coalesce **coalesce)
{
    struct coalesce *old = *coalesce;

    if (old == NULL) {
        return;
    }
    mr_arena_destroy(&old->arena);
    free(old->entries);
    free(old->slots);
    free(old);
    *coalesce = NULL;
}

void coalesce_clear(struct coalesce *coalesce)
{
    memset(coalesce->slots, 0, coalesce->slot_count * sizeof(*coalesce->slots));
    coalesce->count = 0;
    mr_arena_reset(coalesce->arena);
}

static uint64_t hash_of(struct mr_slice id)
{
    uint64_t hash = FNV_OFFSET;

    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ id.data[i]) * FNV_PRIME;
    }
    return hash;
}

static size_t find_slot(const struct coalesce *coalesce, struct mr_slice id)
{
    size_t slot = (size_t)hash_of(id) & (coalesce->slot_count - 1);

    while (coalesce->slots[slot] != 0 &&
           !mr_slice_equal(coalesce->entries[coalesce->slots[slot] - 1].id, id)) {
        slot = (slot + 1) & (coalesce->slot_count - 1);
    }
    return slot;
}

static void grow_slots(struct coalesce *coalesce)
{
    free(coalesce->slots);
    coalesce->slot_count *= 2;
    coalesce->slots = mr_xcalloc(coalesce->slot_count, sizeof(*coalesce->slots));
    for (size_t i = 0; i < coalesce->count; i++) {
        coalesce->slots[find_slot(coalesce, coalesce->entries[i].id)] = i + 1;
    }
}

static struct coalesced *entry_of(struct coalesce *coalesce, struct mr_slice id)
{
    size_t slot = find_slot(coalesce, id);
    struct coalesced *entry;

    if (coalesce->slots[slot] != 0) {
        return &coalesce->entries[coalesce->slots[slot] - 1];
    }
    if (2 * (coalesce->count + 1) > coalesce->slot_count) {
        grow_slots(coalesce);
        slot = find_slot(coalesce, id);
    }
    if (coalesce->count == coalesce->capacity) {
        coalesce->capacity = coalesce->capacity == 0 ? SLOTS_MIN / 2 : 2 * coalesce->capacity;
        coalesce->entries =
            mr_xrealloc(coalesce->entries, coalesce->capacity * sizeof(*coalesce->entries));
    }
    entry = &coalesce->entries[coalesce->count];
    *entry = (struct coalesced){
        .id = mr_arena_copy(coalesce->arena, id),
        .value = COALESCE_NONE,
        .tombstone = COALESCE_NONE,
    };
    coalesce->count++;
    coalesce->slots[slot] = coalesce->count;
    return entry;
}

void coalesce_value(struct coalesce *coalesce, struct mr_slice id, int64_t version, size_t record)
{
    struct coalesced *entry = entry_of(coalesce, id);

    if (entry->value == COALESCE_NONE || version > entry->version) {
        entry->value = record;
        entry->version = version;
    }
}

void coalesce_tombstone(struct coalesce *coalesce, struct mr_slice id, size_t record)
{
    struct coalesced *entry = entry_of(coalesce, id);

    entry->value = COALESCE_NONE;
    entry->tombstone = record;
}

size_t coalesce_count(const struct coalesce *coalesce)
{
    return coalesce->count;
}

const struct coalesced *coalesce_at(const struct coalesce *coalesce, size_t index)
{
    MR_ASSERT(index < coalesce->count);
    return &coalesce->entries[index];
}
