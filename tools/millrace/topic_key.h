/* topic_key.h -- which part of a record's key decides its partition. */
#ifndef MILLRACE_TOPIC_KEY_H
#define MILLRACE_TOPIC_KEY_H

#include "millrace/topology.h"

/* A key of several fields, "user:symbol", partitions by its first, as the stages do. */
struct mr_slice topic_key_partitioning(const struct mr_topic *topic, struct mr_slice key);

#endif
