/* topic_key.c -- see topic_key.h. */
#include "topic_key.h"

struct mr_slice topic_key_partitioning(const struct mr_topic *topic, struct mr_slice key)
{
    const uint8_t *colon = key.len == 0 ? NULL : memchr(key.data, ':', key.len);

    return strchr(topic->key, ',') != NULL && colon != NULL
               ? mr_slice_of(key.data, (size_t)(colon - key.data))
               : key;
}
