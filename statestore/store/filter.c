/* filter.c -- see filter.h. Ten bits a key, five probes inside one 64-byte line: about 1.5 % false.
 */
#include "filter.h"

#include "millrace/arena.h"

#include <stdlib.h>

#define LINE_BYTES ((size_t)64)
#define LINE_BITS (LINE_BYTES * 8)
#define FIRST_LINES ((size_t)1024) /* 64 KiB: about 52,000 keys */
#define BITS_PER_KEY ((size_t)10)
#define PROBES 5

struct filter_layer {
    struct filter_layer *older;
    size_t lines; /* a power of two */
    size_t keys;
    uint8_t bits[];
};

static struct filter_layer *layer_create(struct filter_layer *older)
{
    const size_t lines = older == NULL ? FIRST_LINES : older->lines * 2;
    struct filter_layer *layer = mr_xcalloc(1, sizeof(*layer) + lines * LINE_BYTES);

    layer->older = older;
    layer->lines = lines;
    return layer;
}

static bool layer_maybe(const struct filter_layer *layer, uint64_t hash)
{
    const uint8_t *line = layer->bits + (hash & (layer->lines - 1)) * LINE_BYTES;
    uint64_t probes = hash * UINT64_C(0x9E3779B97F4A7C15);

    for (int i = 0; i < PROBES; i++) {
        if ((line[(probes & 511) / 8] & (1u << (probes & 7))) == 0) {
            return false;
        }
        probes >>= 9;
    }
    return true;
}

bool filter_maybe(const struct filter *filter, uint64_t hash)
{
    for (const struct filter_layer *layer = filter->newest; layer != NULL; layer = layer->older) {
        if (layer_maybe(layer, hash)) {
            return true;
        }
    }
    return false;
}

void filter_add(struct filter *filter, uint64_t hash)
{
    struct filter_layer *layer = filter->newest;
    uint8_t *line;
    uint64_t probes = hash * UINT64_C(0x9E3779B97F4A7C15);

    if (filter_maybe(filter, hash)) {
        return; /* keys come and go for ever; only new ones take room */
    }
    if (layer == NULL || layer->keys >= layer->lines * LINE_BITS / BITS_PER_KEY) {
        layer = layer_create(layer);
        filter->newest = layer;
    }
    layer->keys++;
    line = layer->bits + (hash & (layer->lines - 1)) * LINE_BYTES;
    for (int i = 0; i < PROBES; i++) {
        line[(probes & 511) / 8] |= (uint8_t)(1u << (probes & 7));
        probes >>= 9;
    }
}

size_t filter_bytes(const struct filter *filter)
{
    size_t bytes = 0;

    for (const struct filter_layer *layer = filter->newest; layer != NULL; layer = layer->older) {
        bytes += layer->lines * LINE_BYTES;
    }
    return bytes;
}

void filter_fini(struct filter *filter)
{
    while (filter->newest != NULL) {
        struct filter_layer *layer = filter->newest;

        filter->newest = layer->older;
        free(layer);
    }
}
