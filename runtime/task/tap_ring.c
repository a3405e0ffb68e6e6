/*
 * tap_ring.c -- records on their way from a worker to whoever taps it: a ring of bytes with one
 * writer and one reader.
 *
 * Why: the worker must neither wait for a listener nor take a lock that one holds.
 * How: head and tail only grow; the writer owns the head, the reader the tail, and each publishes
 *      its own with release after it has touched the bytes. A record is a header and the bytes of
 *      key and value, and may run over the end of the ring.
 */
#include "tap_ring.h"

#include <stdatomic.h>
#include <stdlib.h>

struct header {
    int64_t timestamp_ms;
    int32_t partition;
    uint32_t key_len;
    uint32_t value_len;
};

struct mr_tap_ring {
    _Atomic int holders;
    _Atomic bool left; /* by the listener */
    _Atomic uint64_t dropped;
    _Atomic size_t head; /* bytes ever written */
    _Atomic size_t tail; /* bytes ever read */
    uint8_t bytes[MR_TAP_RING_BYTES];
};

struct mr_tap_ring *mr_tap_ring_create(void)
{
    struct mr_tap_ring *ring = mr_xcalloc(1, sizeof(*ring));

    atomic_init(&ring->holders, 1);
    return ring;
}

struct mr_tap_ring *tap_ring_hold(struct mr_tap_ring *ring)
{
    (void)atomic_fetch_add(&ring->holders, 1);
    return ring;
}

void tap_ring_drop(struct mr_tap_ring **ring)
{
    if (*ring != NULL && atomic_fetch_sub(&(*ring)->holders, 1) == 1) {
        free(*ring);
    }
    *ring = NULL;
}

void mr_tap_ring_leave(struct mr_tap_ring **ring)
{
    if (*ring != NULL) {
        atomic_store(&(*ring)->left, true);
    }
    tap_ring_drop(ring);
}

bool tap_ring_is_left(const struct mr_tap_ring *ring)
{
    return atomic_load(&ring->left);
}

uint64_t mr_tap_ring_dropped(const struct mr_tap_ring *ring)
{
    return atomic_load_explicit(&ring->dropped, memory_order_relaxed);
}

void tap_ring_count_dropped(struct mr_tap_ring *ring, uint64_t records)
{
    (void)atomic_fetch_add_explicit(&ring->dropped, records, memory_order_relaxed);
}

/* Copies in at a position of the endless stream of bytes; returns the position behind. */
static size_t copy_in(struct mr_tap_ring *ring, size_t at, const void *data, size_t len)
{
    const size_t place = at % MR_TAP_RING_BYTES;
    const size_t first = len < MR_TAP_RING_BYTES - place ? len : MR_TAP_RING_BYTES - place;

    if (len > 0) {
        memcpy(ring->bytes + place, data, first);
        memcpy(ring->bytes, (const uint8_t *)data + first, len - first);
    }
    return at + len;
}

static size_t copy_out(const struct mr_tap_ring *ring, size_t at, void *data, size_t len)
{
    const size_t place = at % MR_TAP_RING_BYTES;
    const size_t first = len < MR_TAP_RING_BYTES - place ? len : MR_TAP_RING_BYTES - place;

    if (len > 0) {
        memcpy(data, ring->bytes + place, first);
        memcpy((uint8_t *)data + first, ring->bytes, len - first);
    }
    return at + len;
}

void tap_ring_put(struct mr_tap_ring *ring, const struct mr_tap_record *record)
{
    const struct header header = {
        .timestamp_ms = record->timestamp_ms,
        .partition = record->partition,
        .key_len = (uint32_t)record->key.len,
        .value_len = (uint32_t)record->value.len,
    };
    const size_t need = sizeof(header) + record->key.len + record->value.len;
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

    if (need > MR_TAP_RING_BYTES - (head - tail)) {
        tap_ring_count_dropped(ring, 1);
        return;
    }
    head = copy_in(ring, head, &header, sizeof(header));
    head = copy_in(ring, head, record->key.data, record->key.len);
    head = copy_in(ring, head, record->value.data, record->value.len);
    atomic_store_explicit(&ring->head, head, memory_order_release);
}

bool mr_tap_ring_take(struct mr_tap_ring *ring, struct mr_buffer *scratch,
                      struct mr_tap_record *record)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    struct header header;
    uint8_t *bytes;

    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire)) {
        return false;
    }
    tail = copy_out(ring, tail, &header, sizeof(header));
    mr_buffer_clear(scratch);
    bytes = mr_buffer_reserve(scratch, (size_t)header.key_len + header.value_len);
    tail = copy_out(ring, tail, bytes, (size_t)header.key_len + header.value_len);
    atomic_store_explicit(&ring->tail, tail, memory_order_release);
    *record = (struct mr_tap_record){
        .timestamp_ms = header.timestamp_ms,
        .partition = header.partition,
        .key = mr_slice_of(bytes, header.key_len),
        .value = mr_slice_of(bytes + header.key_len, header.value_len),
    };
    return true;
}
