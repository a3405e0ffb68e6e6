/* outbox.c -- see outbox.h. */
#include "outbox.h"

#include "millrace/fault.h"

#include <stdlib.h>

#define ARENA_CHUNK_BYTES ((size_t)1 << 20)
#define FIRST_LATEST ((size_t)256)

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){.arena = mr_arena_create(ARENA_CHUNK_BYTES)};
}

void outbox_fini(struct outbox *outbox)
{
    mr_arena_destroy(&outbox->arena);
    free(outbox->items);
    free(outbox->latest);
    free(outbox->scratch);
    *outbox = (struct outbox){0};
}

uint8_t *outbox_scratch(struct outbox *outbox, size_t bytes)
{
    if (bytes > outbox->scratch_bytes) {
        outbox->scratch_bytes = bytes * 2;
        outbox->scratch = mr_xrealloc(outbox->scratch, outbox->scratch_bytes);
    }
    return outbox->scratch;
}

static const struct mr_header *copy_headers(struct mr_arena *arena, const struct mr_header *headers,
                                            size_t count)
{
    struct mr_header *copies = mr_arena_alloc(arena, count * sizeof(*copies));

    for (size_t i = 0; i < count; i++) {
        const struct mr_slice name = mr_slice_of(headers[i].name, strlen(headers[i].name) + 1);

        copies[i].name = (const char *)mr_arena_copy(arena, name).data;
        copies[i].value = mr_arena_copy(arena, headers[i].value);
    }
    return copies;
}

void outbox_add(struct outbox *outbox, const struct outbox_item *item)
{
    struct outbox_item *added;

    if (outbox->count == outbox->capacity) {
        outbox->capacity = outbox->capacity == 0 ? 1024 : outbox->capacity * 2;
        outbox->items = mr_xrealloc(outbox->items, outbox->capacity * sizeof(*outbox->items));
    }
    added = &outbox->items[outbox->count++];
    *added = *item;
    added->superseded = false;
    added->key = mr_arena_copy(outbox->arena, item->key);
    added->value = mr_arena_copy(outbox->arena, item->value);
    if (item->header_count > 0) {
        added->headers = copy_headers(outbox->arena, item->headers, item->header_count);
    }
    outbox->bytes += item->key.len + item->value.len;
}

/* ---- last value of a key --------------------------------------------------------------------- */

static size_t hash_of(const struct outbox_item *item)
{
    uint64_t hash = UINT64_C(1469598103934665603) ^ item->topic;

    for (size_t i = 0; i < item->key.len; i++) {
        hash = (hash ^ item->key.data[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ (hash >> 29));
}

static bool same_key(const struct outbox_item *a, const struct outbox_item *b)
{
    return a->topic == b->topic && a->partition == b->partition && mr_slice_equal(a->key, b->key);
}

static size_t *latest_slot(struct outbox *outbox, const struct outbox_item *item)
{
    size_t at = hash_of(item) & (outbox->latest_capacity - 1);

    while (outbox->latest[at] != 0 && !same_key(&outbox->items[outbox->latest[at] - 1], item)) {
        at = (at + 1) & (outbox->latest_capacity - 1);
    }
    return &outbox->latest[at];
}

static void latest_grow(struct outbox *outbox)
{
    size_t *old = outbox->latest;
    const size_t old_capacity = outbox->latest_capacity;

    outbox->latest_capacity = old_capacity == 0 ? FIRST_LATEST : old_capacity * 2;
    outbox->latest = mr_xcalloc(outbox->latest_capacity, sizeof(size_t));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i] != 0) {
            *latest_slot(outbox, &outbox->items[old[i] - 1]) = old[i];
        }
    }
    free(old);
}

static void supersede(struct outbox *outbox, size_t index)
{
    size_t *slot;

    if ((outbox->latest_count + 1) * 2 > outbox->latest_capacity) {
        latest_grow(outbox);
    }
    slot = latest_slot(outbox, &outbox->items[index]);
    if (*slot != 0 && MR_PLANTED(LATEST_KEEPS_FIRST)) {
        outbox->items[index].superseded = true;
        return;
    }
    if (*slot != 0) {
        outbox->items[*slot - 1].superseded = true;
    } else {
        outbox->latest_count++;
    }
    *slot = index + 1;
}

void outbox_keep(struct outbox *outbox)
{
    for (size_t i = outbox->kept; i < outbox->count; i++) {
        if (outbox->items[i].latest) {
            supersede(outbox, i);
        }
    }
    outbox->kept = outbox->count;
}

void outbox_drop(struct outbox *outbox)
{
    outbox->count = outbox->kept;
}

void outbox_clear(struct outbox *outbox)
{
    outbox->count = outbox->kept = outbox->sent = outbox->bytes = 0;
    if (outbox->latest_count > 0) {
        memset(outbox->latest, 0, outbox->latest_capacity * sizeof(size_t));
        outbox->latest_count = 0;
    }
    mr_arena_reset(outbox->arena);
}

static enum mr_status send_item(const struct outbox_item *item, struct mr_producer *producer,
                                const int *topics, struct mr_err *err)
{
    const struct mr_outgoing record = {
        .topic = topics[item->topic],
        .partition = item->partition,
        .timestamp_ms = item->timestamp_ms,
        .key = item->key,
        .value = item->value,
        .has_value = item->has_value,
        .headers = item->headers,
        .header_count = item->header_count,
    };

    /* Below 0: handed over in memory only, and somebody taps it (flow.h). */
    return record.topic < 0 ? MR_OK : mr_producer_send(producer, &record, err);
}

enum mr_status outbox_send(struct outbox *outbox, struct mr_producer *producer, const int *topics,
                           bool final, struct mr_err *err)
{
    while (outbox->sent < outbox->kept) {
        if (!outbox->items[outbox->sent].latest) {
            MR_TRY(send_item(&outbox->items[outbox->sent], producer, topics, err));
        }
        outbox->sent++;
    }
    for (size_t i = 0; final && outbox->latest_count > 0 && i < outbox->kept; i++) {
        if (outbox->items[i].latest && !outbox->items[i].superseded) {
            MR_TRY(send_item(&outbox->items[i], producer, topics, err));
        }
    }
    return MR_OK;
}
