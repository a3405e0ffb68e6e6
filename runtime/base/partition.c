/* partition.c -- murmur2 with Java's seed and Kafka's positive mask. See millrace/partition.h. */
#include "millrace/partition.h"

#include "millrace/status.h"

#define SEED UINT32_C(0x9747b28c)
#define MULTIPLIER UINT32_C(0x5bd1e995)

static uint32_t murmur2(const uint8_t *data, size_t len)
{
    uint32_t hash = SEED ^ (uint32_t)len;
    size_t i = 0;

    for (; i + 4 <= len; i += 4) {
        uint32_t word = (uint32_t)data[i] | (uint32_t)data[i + 1] << 8 |
                        (uint32_t)data[i + 2] << 16 | (uint32_t)data[i + 3] << 24;
        word *= MULTIPLIER;
        word ^= word >> 24;
        word *= MULTIPLIER;
        hash *= MULTIPLIER;
        hash ^= word;
    }
    if (i < len) {
        for (size_t rest = len - i; rest > 0; rest--) {
            hash ^= (uint32_t)data[i + rest - 1] << (8 * (rest - 1));
        }
        hash *= MULTIPLIER;
    }
    hash ^= hash >> 13;
    hash *= MULTIPLIER;
    hash ^= hash >> 15;
    return hash;
}

int32_t mr_partition_of(struct mr_slice key, int32_t partitions)
{
    MR_ASSERT(partitions >= 1);
    return (int32_t)(murmur2(key.data, key.len) & UINT32_C(0x7fffffff)) % partitions;
}
