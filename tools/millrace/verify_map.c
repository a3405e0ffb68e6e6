/*
 * verify_map.c -- open addressing over indices; entries in an arena.
 */
#include "verify_map.h"

#include "load_manifest.h"
#include "millrace/arena.h"

#include <stdlib.h>

#define SLOTS_MIN ((size_t)1024)
#define CHUNK_BYTES ((size_t)256 * 1024)

struct entry {
    uint64_t hash;
    struct mr_slice key;
    void *value;
};

struct verify_map {
    size_t value_bytes;
    struct mr_arena *arena;
    struct entry *entries;
    size_t count, capacity;
    uint32_t *slots; /* index + 1; 0: free */
    size_t slot_count;
};

struct verify_map *verify_map_create(size_t value_bytes)
{
    struct verify_map *map = mr_xcalloc(1, sizeof *map);

    map->value_bytes = value_bytes;
    map->arena = mr_arena_create(CHUNK_BYTES);
    map->slot_count = SLOTS_MIN;
    map->slots = mr_xcalloc(map->slot_count, sizeof *map->slots);
    return map;
}

void verify_map_destroy(struct verify_map **map)
{
    struct verify_map *old = *map;

    if (old == NULL) {
        return;
    }
    mr_arena_destroy(&old->arena);
    free(old->entries);
    free(old->slots);
    free(old);
    *map = NULL;
}

static size_t find_slot(const struct verify_map *map, struct mr_slice key, uint64_t hash)
{
    size_t slot = (size_t)hash & (map->slot_count - 1);

    while (map->slots[slot] != 0) {
        const struct entry *entry = &map->entries[map->slots[slot] - 1];

        if (entry->hash == hash && mr_slice_equal(entry->key, key)) {
            break;
        }
        slot = (slot + 1) & (map->slot_count - 1);
    }
    return slot;
}

static void grow(struct verify_map *map)
{
    free(map->slots);
    map->slot_count *= 2;
    map->slots = mr_xcalloc(map->slot_count, sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++) {
        map->slots[find_slot(map, map->entries[i].key, map->entries[i].hash)] = (uint32_t)(i + 1);
    }
}

void *verify_map_put(struct verify_map *map, struct mr_slice key)
{
    const uint64_t hash = load_hash(key);
    size_t slot = find_slot(map, key, hash);
    struct entry *entry;

    if (map->slots[slot] != 0) {
        return map->entries[map->slots[slot] - 1].value;
    }
    if (map->count == map->capacity) {
        map->capacity = map->capacity == 0 ? SLOTS_MIN : 2 * map->capacity;
        map->entries = mr_xrealloc(map->entries, map->capacity * sizeof *map->entries);
    }
    entry = &map->entries[map->count];
    entry->hash = hash;
    entry->key = mr_arena_copy(map->arena, key);
    entry->value = mr_arena_alloc(map->arena, map->value_bytes);
    memset(entry->value, 0, map->value_bytes);
    map->count++;
    map->slots[slot] = (uint32_t)map->count;
    if (2 * map->count > map->slot_count) {
        grow(map);
    }
    return entry->value;
}

void *verify_map_get(const struct verify_map *map, struct mr_slice key)
{
    const size_t slot = find_slot(map, key, load_hash(key));

    return map->slots[slot] == 0 ? NULL : map->entries[map->slots[slot] - 1].value;
}

size_t verify_map_count(const struct verify_map *map)
{
    return map->count;
}

void *verify_map_at(const struct verify_map *map, size_t index, struct mr_slice *key)
{
    MR_ASSERT(index < map->count);
    if (key != NULL) {
        *key = map->entries[index].key;
    }
    return map->entries[index].value;
}
