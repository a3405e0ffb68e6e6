/*
 * message.c -- a delivered record: pointers into the log, which never moves or frees one.
 */
#include "memory.h"

void memory_message_fill(struct mr_message *message, const struct memory_partition *partition,
                         struct memory_entry *entry, int64_t offset)
{
    *message = (struct mr_message){
        .topic = partition->topic,
        .partition = partition->number,
        .offset = offset,
        .timestamp_ms = entry->timestamp_ms,
        .key = {.data = entry->key_bytes == 0 ? NULL : entry->data, .len = entry->key_bytes},
        .value = {.data = entry->value_bytes == 0 ? NULL : entry->data + entry->key_bytes,
                  .len = entry->value_bytes},
        .has_value = (entry->flags & MEMORY_TOMBSTONE) == 0,
        .owner = entry,
        .ops = &memory_ops,
    };
}

size_t memory_message_headers(const struct mr_message *message, struct mr_header *headers,
                              size_t max)
{
    const struct memory_entry *entry = message->owner;
    const size_t count = entry->header_count < max ? entry->header_count : max;

    if (count > 0) {
        memcpy(headers, entry->headers, count * sizeof(*headers));
    }
    return entry->header_count;
}

void memory_message_release(struct mr_message *message)
{
    message->owner = NULL;
}
