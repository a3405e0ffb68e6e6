/*
 * partition.h -- which partition a key belongs to: murmur2, as Java's default partitioner and
 * librdkafka's `murmur2`. Computed by us and always produced to explicitly, so that every client
 * agrees whatever its default.
 */
#ifndef MILLRACE_PARTITION_H
#define MILLRACE_PARTITION_H

#include "millrace/slice.h"

/* partitions >= 1. */
int32_t mr_partition_of(struct mr_slice key, int32_t partitions);

#endif
