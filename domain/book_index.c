/*
 * book_index.c -- resting orders by id, and a user's oldest by user.
 */
#include "domain/book_priv.h"

#include <stdlib.h>

#define SLOTS_MIN ((size_t)256)
/* Odd constants with about half of their bits set. */
#define MIX_A UINT64_C(0x9e3779b97f4a7c15)
#define MIX_B UINT64_C(0xd6e8feb86659fd93)

/* Both halves of the product, folded: each bit of the input reaches the whole result. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    const dec_u product = (dec_u)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* One to eight bytes as a number; all of them count. */
static uint64_t few_bytes(const char *at, size_t count)
{
    uint32_t head = 0;
    uint32_t tail = 0;

    if (count == sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, at, sizeof(word));
        return word;
    }
    if (count >= sizeof(head)) { /* two words that overlap */
        memcpy(&head, at, sizeof(head));
        memcpy(&tail, at + count - sizeof(tail), sizeof(tail));
        return (uint64_t)head << 32 | tail;
    }
    head = (uint8_t)at[0];
    tail = (uint32_t)(uint8_t)at[count / 2] << 8 | (uint8_t)at[count - 1];
    return (uint64_t)head << 32 | tail;
}

uint64_t book_hash(struct dom_text text)
{
    uint64_t hash = fold((uint64_t)text.len ^ MIX_A, MIX_B);
    size_t at = 0;

    /* Loads of a fixed size: copying "what is left" would be a call for every word. */
    for (; text.len - at > sizeof(uint64_t); at += sizeof(uint64_t)) {
        hash = fold(hash ^ few_bytes(text.data + at, sizeof(uint64_t)), MIX_B) + MIX_A;
    }
    if (text.len > 0) {
        hash = fold(hash ^ few_bytes(text.data + at, text.len - at), MIX_B) + MIX_A;
    }
    return fold(hash, MIX_A); /* once more: one product alone lets some bytes reach few bits */
}

/* by_user is the caller's constant: each of the two searches below is compiled for its own text. */
static inline struct book_order *find(const struct book_index *index, struct dom_text text,
                                      uint64_t hash, bool by_user)
{
    if (index->capacity == 0) {
        return NULL;
    }
    const size_t mask = index->capacity - 1;
    size_t at = (size_t)hash & mask;

    while (index->slots[at].order != NULL) {
        const struct book_slot *slot = &index->slots[at];
        if (slot->hash == hash &&
            dom_text_equal(by_user ? book_order_user(slot->order) : book_order_id(slot->order),
                           text)) {
            return slot->order;
        }
        at = (at + 1) & mask;
    }
    return NULL;
}

struct book_order *book_index_find(const struct book_index *index, struct dom_text id,
                                   uint64_t hash)
{
    return find(index, id, hash, false);
}

struct book_order *book_index_find_user(const struct book_index *index, struct dom_text user,
                                        uint64_t hash)
{
    return find(index, user, hash, true);
}

static void put_slot(struct book_index *index, struct book_slot slot)
{
    const size_t mask = index->capacity - 1;
    size_t at = (size_t)slot.hash & mask;

    while (index->slots[at].order != NULL) {
        at = (at + 1) & mask;
    }
    index->slots[at] = slot;
}

bool book_index_reserve(struct book_index *index, size_t count)
{
    struct book_index grown = {.capacity =
                                   index->capacity < SLOTS_MIN ? SLOTS_MIN : index->capacity,
                               .count = index->count};

    while (grown.capacity / 2 < count) { /* at most half full: short probes */
        grown.capacity *= 2;
    }
    if (grown.capacity == index->capacity) {
        return true;
    }
    grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        if (index->slots[i].order != NULL) {
            put_slot(&grown, index->slots[i]);
        }
    }
    free(index->slots);
    *index = grown;
    return true;
}

void book_index_put(struct book_index *index, struct book_order *order, uint64_t hash)
{
    put_slot(index, (struct book_slot){.hash = hash, .order = order});
    index->count++;
}

/* Where an order is that is there. */
static size_t slot_of(const struct book_index *index, const struct book_order *order, uint64_t hash)
{
    const size_t mask = index->capacity - 1;
    size_t at = (size_t)hash & mask;

    while (index->slots[at].order != order) {
        at = (at + 1) & mask;
    }
    return at;
}

void book_index_remove(struct book_index *index, const struct book_order *order, uint64_t hash)
{
    const size_t mask = index->capacity - 1;
    size_t hole = slot_of(index, order, hash);

    /* Everything behind the hole that may not be found any more moves into it. */
    for (size_t at = (hole + 1) & mask; index->slots[at].order != NULL; at = (at + 1) & mask) {
        const size_t home = (size_t)index->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole] = (struct book_slot){0};
    index->count--;
}

void book_index_replace(struct book_index *index, const struct book_order *old,
                        struct book_order *order, uint64_t hash)
{
    index->slots[slot_of(index, old, hash)].order = order;
}

void book_index_clear(struct book_index *index)
{
    if (index->count > 0) {
        memset(index->slots, 0, index->capacity * sizeof(index->slots[0]));
        index->count = 0;
    }
}
