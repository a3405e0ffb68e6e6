/*
 * verify_map.h -- a hash map from bytes to a fixed-size value, in insertion order.
 *
 * Values stay where they are; keys are copied. Grows, never shrinks.
 */
#ifndef MILLRACE_VERIFY_MAP_H
#define MILLRACE_VERIFY_MAP_H

#include "millrace/slice.h"

struct verify_map;

struct verify_map *verify_map_create(size_t value_bytes);
void verify_map_destroy(struct verify_map **map);
/* The value of the key, zeroed when it is new. */
void *verify_map_put(struct verify_map *map, struct mr_slice key);
/* NULL when absent. */
void *verify_map_get(const struct verify_map *map, struct mr_slice key);
size_t verify_map_count(const struct verify_map *map);
/* index < count, in insertion order. */
void *verify_map_at(const struct verify_map *map, size_t index, struct mr_slice *key);

#endif
