/* histogram.c -- see histogram.h. */
#include "histogram.h"

#include <stddef.h>

#define KEPT_BITS 7 /* below the highest bit */
#define PER_POWER (1 << KEPT_BITS)

/* The first 128 values have a bucket each; from there on every power of two has 128. */
static size_t bucket_of(int64_t value_us)
{
    int shift = 0;

    while ((value_us >> shift) >= 2 * PER_POWER) {
        shift++;
    }
    return (size_t)shift * PER_POWER + (size_t)(value_us >> shift);
}

static int64_t upper_end(size_t bucket)
{
    const size_t shift = bucket < PER_POWER ? 0 : bucket / PER_POWER - 1;
    const int64_t top = (int64_t)(bucket - shift * PER_POWER);

    return ((top + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, int64_t value_us)
{
    const int64_t positive = value_us < 0 ? 0 : value_us;
    const int64_t value = positive > HISTOGRAM_VALUE_MAX ? HISTOGRAM_VALUE_MAX : positive;

    histogram->count++;
    histogram->buckets[bucket_of(value)]++;
    if (value > histogram->max_us) {
        histogram->max_us = value;
    }
}

int64_t histogram_at(const struct histogram *histogram, int per_mille)
{
    /* The rank of the sample, counted from 1: the smallest that has per_mille at or below it. */
    const int64_t rank = (histogram->count * per_mille + 999) / 1000;
    int64_t seen = 0;

    for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen > 0 && seen >= rank) {
            const int64_t end = upper_end(bucket);

            return end < histogram->max_us ? end : histogram->max_us;
        }
    }
    return 0;
}
