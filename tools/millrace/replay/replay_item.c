/* replay_item.c -- see replay_item.h. */
#include "replay_item.h"

#include "millrace/arena.h"

#include <stdlib.h>

/* ---- headers as bytes ------------------------------------------------------------------------ */

static size_t header_bytes(const struct mr_header *headers, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += strlen(headers[i].name) + 1 + sizeof(headers[i].value.len) + headers[i].value.len;
    }
    return bytes;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
    if (len > 0) {
        memcpy(at, bytes, len);
    }
    return at + len;
}

static uint8_t *put_headers(uint8_t *at, const struct mr_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        at = put(at, headers[i].name, strlen(headers[i].name) + 1);
        at = put(at, &headers[i].value.len, sizeof(headers[i].value.len));
        at = put(at, headers[i].value.data, headers[i].value.len);
    }
    return at;
}

/* ---- hash ------------------------------------------------------------------------------------ */

/* Eight bytes at a time; what is left over stands alone. */
static uint64_t mix(uint64_t hash, struct mr_slice bytes)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t word = 0;

    while (bytes.len >= sizeof(word)) {
        memcpy(&word, bytes.data, sizeof(word));
        hash = (hash ^ word) * factor;
        hash ^= hash >> 29;
        bytes = mr_slice_of(bytes.data + sizeof(word), bytes.len - sizeof(word));
    }
    for (word = bytes.len; bytes.len > 0; bytes.len--) {
        word = word << 8 | bytes.data[bytes.len - 1];
    }
    hash = (hash ^ word) * factor;
    return hash ^ (hash >> 29);
}

uint64_t replay_hash(struct mr_slice key, struct mr_slice value)
{
    return mix(mix(0, key), value);
}

/* ---- items ----------------------------------------------------------------------------------- */

struct replay_item *replay_item_create(const struct mr_replay_transaction *transaction,
                                       const struct mr_replay_output *output, size_t source)
{
    const size_t headers = header_bytes(output->headers, output->header_count);
    const size_t bytes = sizeof(struct replay_item) + output->key.len + output->value.len + headers;
    struct replay_item *item = mr_xcalloc(1, bytes);
    uint8_t *const key = (uint8_t *)(item + 1);
    uint8_t *const value = put(key, output->key.data, output->key.len);
    uint8_t *const tail = put(value, output->value.data, output->value.len);

    (void)put_headers(tail, output->headers, output->header_count);
    *item = (struct replay_item){
        .bytes = bytes,
        .source = source,
        .stage = output->stage,
        .topic = output->topic,
        .partition = output->partition,
        .sequence = transaction->sequence,
        .committed_us = transaction->committed_us,
        .timestamp_ms = output->timestamp_ms,
        .hash = replay_hash(output->key, output->value),
        .key = mr_slice_of(key, output->key.len),
        .value = mr_slice_of(value, output->value.len),
        .headers = mr_slice_of(tail, headers),
        .has_value = output->has_value,
    };
    return item;
}

void replay_item_destroy(struct replay_item **item)
{
    free(*item);
    *item = NULL;
}

static bool headers_equal(const struct replay_item *item, const struct mr_message *message)
{
    struct mr_header headers[MR_HEADERS_MAX];
    const size_t count = mr_message_headers(message, headers, MR_HEADERS_MAX);
    uint8_t *bytes;
    size_t len;
    bool equal;

    if (count == 0 || count > MR_HEADERS_MAX) {
        return count == 0 && item->headers.len == 0;
    }
    len = header_bytes(headers, count);
    bytes = mr_xcalloc(1, len);
    (void)put_headers(bytes, headers, count);
    equal = mr_slice_equal(mr_slice_of(bytes, len), item->headers);
    free(bytes);
    return equal;
}

bool replay_item_equals(const struct replay_item *item, const struct mr_message *message)
{
    return item->has_value == message->has_value && mr_slice_equal(item->key, message->key) &&
           mr_slice_equal(item->value, message->value) &&
           (item->timestamp_ms == MR_TIMESTAMP_NOW ||
            item->timestamp_ms == message->timestamp_ms) &&
           headers_equal(item, message);
}

/* ---- lists ----------------------------------------------------------------------------------- */

void replay_list_push(struct replay_list *list, struct replay_item *item)
{
    item->next = NULL;
    *(list->first == NULL ? &list->first : list->end) = item;
    list->end = &item->next;
    list->count++;
    list->bytes += item->bytes;
}

struct replay_item *replay_list_pop(struct replay_list *list)
{
    struct replay_item *item = list->first;

    if (item != NULL) {
        list->first = item->next;
        list->count--;
        list->bytes -= item->bytes;
    }
    return item;
}

void replay_list_fini(struct replay_list *list)
{
    struct replay_item *item;

    while ((item = replay_list_pop(list)) != NULL) {
        replay_item_destroy(&item);
    }
}
