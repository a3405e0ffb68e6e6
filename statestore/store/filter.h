/*
 * filter.h -- which keys may be outside memory: a Bloom filter that grows by layers.
 *
 * Why: most lookups of a busy store are for keys that never existed (a new order id). As long as
 *      everything that left memory is in the filter, a miss that it does not know needs no RocksDB.
 * Not: it forgets nothing; a key that came back or was deleted stays "maybe".
 */
#ifndef MILLRACE_STATESTORE_FILTER_H
#define MILLRACE_STATESTORE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter_layer;
struct filter {
    struct filter_layer *newest;
};

void filter_add(struct filter *filter, uint64_t hash);
bool filter_maybe(const struct filter *filter, uint64_t hash);
size_t filter_bytes(const struct filter *filter);
void filter_fini(struct filter *filter);

#endif
