/* table.c -- see table.h: chained hashing, doubled when there are as many entries as buckets. */
#include "table.h"

#include "millrace/arena.h"

#include <stdlib.h>

#define FIRST_BUCKETS ((size_t)256)

struct block block_absent = {0};

static uint64_t mix(uint64_t a, uint64_t b)
{
    const mr_u128 product = (mr_u128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const uint8_t *data, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, data, len);
    return word;
}

/* Eight bytes at a time through a 128-bit product: keys are ids of 10 to 80 bytes. */
uint64_t table_hash(struct mr_slice key)
{
    uint64_t hash = UINT64_C(0xA0761D6478BD642F) ^ key.len;
    size_t at = 0;

    for (; at + 8 <= key.len; at += 8) {
        hash = mix(hash ^ load(key.data + at, 8), UINT64_C(0xE7037ED1A0B428DB));
    }
    if (at < key.len) {
        hash = mix(hash ^ load(key.data + at, key.len - at), UINT64_C(0x8EBC6AF09C88C6E3));
    }
    return mix(hash, UINT64_C(0x589965CC75374CC3));
}

void table_init(struct table *table, size_t *total)
{
    *table = (struct table){.bucket_count = FIRST_BUCKETS, .pool = pool_create(), .total = total};
    table->buckets = mr_xcalloc(FIRST_BUCKETS, sizeof(struct entry *));
}

void table_fini(struct table *table)
{
    for (size_t i = 0; table->buckets != NULL && i < table->bucket_count; i++) {
        while (table->buckets[i] != NULL) {
            table_remove(table, table->buckets[i]);
        }
    }
    free(table->buckets);
    pool_destroy(&table->pool);
    *table = (struct table){0};
}

struct entry *table_find(const struct table *table, uint64_t hash, struct mr_slice key)
{
    struct entry *entry = table->buckets[hash & (table->bucket_count - 1)];

    while (entry != NULL && (entry->hash != hash || !mr_slice_equal(entry_key(entry), key))) {
        entry = entry->next;
    }
    return entry;
}

static void grow(struct table *table)
{
    const size_t count = table->bucket_count * 2;
    struct entry **buckets = mr_xcalloc(count, sizeof(struct entry *));

    for (size_t i = 0; i < table->bucket_count; i++) {
        while (table->buckets[i] != NULL) {
            struct entry *entry = table->buckets[i];
            struct entry **head = &buckets[entry->hash & (count - 1)];

            table->buckets[i] = entry->next;
            entry->next = *head;
            *head = entry;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
    table->hand = 0;
}

struct entry *table_add(struct table *table, uint64_t hash, struct mr_slice key)
{
    const size_t bytes = sizeof(struct entry) + key.len;
    struct entry *entry = pool_alloc(table->pool, bytes);
    struct entry **head;

    if (table->entry_count >= table->bucket_count) {
        grow(table);
    }
    head = &table->buckets[hash & (table->bucket_count - 1)];
    *entry = (struct entry){.next = *head, .hash = hash, .key_len = key.len};
    memcpy(entry->key, key.data, key.len);
    *head = entry;
    table->entry_count++;
    table->bytes += bytes;
    *table->total += bytes;
    return entry;
}

void table_remove(struct table *table, struct entry *entry)
{
    const size_t bytes = sizeof(struct entry) + entry->key_len;
    struct entry **link = &table->buckets[entry->hash & (table->bucket_count - 1)];

    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    table_set_committed(table, entry, NULL);
    table_block_free(table, entry->pending);
    table->entry_count--;
    table->bytes -= bytes;
    *table->total -= bytes;
    pool_free(table->pool, entry, bytes);
}

struct block *table_block(struct table *table, struct mr_slice value)
{
    struct block *block = pool_alloc(table->pool, sizeof(*block) + value.len);

    block->len = value.len;
    memcpy(block->data, value.data, value.len);
    return block;
}

static bool is_block(const struct block *block)
{
    return block != NULL && block != &block_absent;
}

void table_block_free(struct table *table, struct block *block)
{
    if (is_block(block)) {
        pool_free(table->pool, block, sizeof(*block) + block->len);
    }
}

void table_set_committed(struct table *table, struct entry *entry, struct block *block)
{
    if (is_block(entry->committed)) {
        table->bytes -= sizeof(*block) + entry->committed->len;
        *table->total -= sizeof(*block) + entry->committed->len;
    }
    if (is_block(block)) {
        table->bytes += sizeof(*block) + block->len;
        *table->total += sizeof(*block) + block->len;
    }
    table_block_free(table, entry->committed);
    entry->committed = block;
}
