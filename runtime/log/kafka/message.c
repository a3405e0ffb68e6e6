/* message.c -- delivered records, still in librdkafka's buffers. */
#include "kafka.h"
#include "millrace/arena.h"

#include <stdlib.h>

void kafka_message_fill(struct mr_message *out, const char *topic, rd_kafka_message_t *message)
{
    *out = (struct mr_message){
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = mr_slice_of(message->key, message->key_len),
        .value = mr_slice_of(message->payload, message->len),
        .has_value = message->payload != NULL,
        .owner = message,
        .ops = &kafka_ops,
    };
}

size_t kafka_message_headers(const struct mr_message *message, struct mr_header *headers,
                             size_t max)
{
    rd_kafka_headers_t *list;
    size_t count;

    if (rd_kafka_message_headers(message->owner, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return 0;
    }
    count = rd_kafka_header_cnt(list);
    for (size_t i = 0; i < count && i < max; i++) {
        const void *value;
        size_t len;

        if (rd_kafka_header_get_all(list, i, &headers[i].name, &value, &len) != 0) {
            return i;
        }
        headers[i].value = mr_slice_of(value, value == NULL ? 0 : len);
    }
    return count;
}

void kafka_message_release(struct mr_message *message)
{
    rd_kafka_message_destroy(message->owner);
}

const char *kafka_names_intern(struct kafka_names *names, const char *name)
{
    if (names->count > 0 && strcmp(names->names[names->last], name) == 0) {
        return names->names[names->last];
    }
    for (names->last = 0; names->last < names->count; names->last++) {
        if (strcmp(names->names[names->last], name) == 0) {
            return names->names[names->last];
        }
    }
    names->names = mr_xrealloc(names->names, (names->count + 1) * sizeof(char *));
    names->names[names->count] = mr_xstrdup(name);
    return names->names[names->count++];
}

void kafka_names_fini(struct kafka_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (struct kafka_names){0};
}
