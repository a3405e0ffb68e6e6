/* global_table.c -- see global_table.h: chained hashing over whole decoded values. */
#include "global_table.h"

#include "millrace/logger.h"

#include <stdlib.h>

#define FIRST_BUCKETS ((size_t)64)
#define VALUE_ARENA_BYTES ((size_t)256)

struct value {
    struct value *next;
    uint64_t hash;
    uint8_t *bytes; /* key, then the framed value that the struct borrows from */
    size_t key_len;
    int64_t version;
    uint64_t start; /* of the table, which it was read after */
    struct mr_arena *arena;
    void *record;        /* NULL: the key was deleted; only in a history */
    int32_t partition;   /* of the topic */
    struct value *older; /* what it took the place of, in a history */
};

struct global_table {
    const char *topic;
    struct mr_codec *codec;
    struct mr_binding binding;
    int64_t *targets; /* what start saw as the end of each partition */
    int32_t partitions;
    uint64_t starts;
    struct value **buckets;
    size_t bucket_count, count;
    bool keeps_history;
    const int64_t *moment; /* of each partition; NULL: the newest */
};

static uint64_t hash_of(struct mr_slice key)
{
    uint64_t hash = UINT64_C(1469598103934665603);

    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ key.data[i]) * UINT64_C(1099511628211);
    }
    return hash ^ (hash >> 31);
}

struct global_table *global_table_create(const char *topic, struct mr_codec *codec,
                                         struct mr_binding binding)
{
    struct global_table *table = mr_xcalloc(1, sizeof(*table));

    *table = (struct global_table){
        .topic = topic, .codec = codec, .binding = binding, .bucket_count = FIRST_BUCKETS};
    table->buckets = mr_xcalloc(FIRST_BUCKETS, sizeof(struct value *));
    return table;
}

static void value_free(struct value *value)
{
    mr_arena_destroy(&value->arena);
    free(value->bytes);
    free(value->record);
    free(value);
}

static void free_history(struct value *value)
{
    while (value != NULL) {
        struct value *older = value->older;

        value_free(value);
        value = older;
    }
}

void global_table_destroy(struct global_table **out)
{
    struct global_table *table = *out;

    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->bucket_count; i++) {
        while (table->buckets[i] != NULL) {
            struct value *value = table->buckets[i];

            table->buckets[i] = value->next;
            free_history(value);
        }
    }
    free(table->buckets);
    free(table->targets);
    free(table);
    *out = NULL;
}

/* The targets are where the topic ends now; reader: given its partitions, unless it is NULL. */
static enum mr_status aim(struct global_table *table, struct mr_log *log, struct mr_reader *reader,
                          struct mr_err *err)
{
    struct mr_extent *extents = mr_xcalloc((size_t)table->partitions, sizeof(*extents));
    enum mr_status status;

    for (int32_t i = 0; i < table->partitions; i++) {
        extents[i] = (struct mr_extent){.topic = table->topic, .partition = i};
    }
    status = mr_log_extents(log, extents, (size_t)table->partitions, err);
    for (int32_t i = 0; i < table->partitions && status == MR_OK; i++) {
        table->targets[i] = extents[i].stable_end;
        status =
            reader == NULL ? MR_OK : mr_reader_add(reader, table->topic, i, extents[i].low, err);
    }
    free(extents);
    return status;
}

enum mr_status global_table_start(struct global_table *table, struct mr_log *log,
                                  struct mr_reader *reader, struct mr_err *err)
{
    MR_TRY(mr_log_topic_partitions(log, table->topic, &table->partitions, err));
    if (table->partitions == 0) {
        return mr_fail(err, MR_CONFIG, "there is no topic %s (table); run `topology apply`",
                       table->topic);
    }
    free(table->targets);
    table->targets = mr_xcalloc((size_t)table->partitions, sizeof(int64_t));
    table->starts++;
    return aim(table, log, reader, err);
}

enum mr_status global_table_aim(struct global_table *table, struct mr_log *log, struct mr_err *err)
{
    return aim(table, log, NULL, err);
}

bool global_table_ready(const struct global_table *table, const struct mr_reader *reader)
{
    for (int32_t i = 0; i < table->partitions; i++) {
        if (mr_reader_position(reader, table->topic, i) < table->targets[i]) {
            return false;
        }
    }
    return true;
}

int32_t global_table_partitions(const struct global_table *table)
{
    return table->partitions;
}

bool global_table_is(const struct global_table *table, const char *topic)
{
    return strcmp(table->topic, topic) == 0;
}

static struct value **find(const struct global_table *table, uint64_t hash, struct mr_slice key)
{
    struct value **link = &table->buckets[hash & (table->bucket_count - 1)];

    while (*link != NULL && ((*link)->hash != hash ||
                             !mr_slice_equal(mr_slice_of((*link)->bytes, (*link)->key_len), key))) {
        link = &(*link)->next;
    }
    return link;
}

static void grow(struct global_table *table)
{
    struct value **old = table->buckets;
    const size_t old_count = table->bucket_count;

    table->bucket_count *= 2;
    table->buckets = mr_xcalloc(table->bucket_count, sizeof(struct value *));
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct value *value = old[i];
            struct value **head = &table->buckets[value->hash & (table->bucket_count - 1)];

            old[i] = value->next;
            value->next = *head;
            *head = value;
        }
    }
    free(old);
}

/* A value of its own memory, without its record. */
static struct value *value_create(const struct global_table *table,
                                  const struct mr_message *message, uint64_t hash)
{
    struct value *value = mr_xcalloc(1, sizeof(*value));

    value->hash = hash;
    value->bytes = mr_xcalloc(1, message->key.len + message->value.len);
    value->key_len = message->key.len;
    value->version = message->offset;
    value->partition = message->partition;
    value->start = table->starts;
    memcpy(value->bytes, message->key.data, message->key.len);
    if (message->value.len > 0) {
        memcpy(value->bytes + message->key.len, message->value.data, message->value.len);
    }
    return value;
}

/* NULL when the record cannot be read. */
static struct value *decode(const struct global_table *table, const struct mr_message *message,
                            uint64_t hash)
{
    struct value *value = value_create(table, message, hash);
    struct mr_slice framed;
    struct mr_err err;

    value->arena = mr_arena_create(VALUE_ARENA_BYTES);
    value->record = mr_xcalloc(1, table->binding.schema->struct_bytes);
    framed = mr_slice_of(value->bytes + message->key.len, message->value.len);
    if (mr_codec_decode(table->codec, &table->binding, framed, value->arena, value->record, &err) !=
        MR_OK) {
        mr_warn("table_record_unreadable", "topic=%s partition=%d offset=%lld error=\"%s\"",
                message->topic, (int)message->partition, (long long)message->offset, err.text);
        value_free(value);
        return NULL;
    }
    return value;
}

/* Takes the key's place; NULL: the key is gone. */
static void put(struct global_table *table, struct value *value, uint64_t hash, struct mr_slice key)
{
    struct value **link = find(table, hash, key);

    if (*link != NULL) {
        struct value *old = *link;

        *link = old->next;
        table->count--;
        if (table->keeps_history && value != NULL) {
            value->older = old;
        } else {
            free_history(old);
        }
    }
    if (value != NULL) {
        if (table->count >= table->bucket_count) {
            grow(table);
        }
        link = &table->buckets[hash & (table->bucket_count - 1)];
        value->next = *link;
        *link = value;
        table->count++;
    }
}

void global_table_apply(struct global_table *table, const struct mr_message *message)
{
    const uint64_t hash = hash_of(message->key);
    struct value *value = NULL;

    if (message->key.len == 0) {
        mr_warn("table_record_without_key", "topic=%s partition=%d offset=%lld", message->topic,
                (int)message->partition, (long long)message->offset);
        return;
    }
    if (message->has_value) {
        value = decode(table, message, hash);
        if (value == NULL) {
            return;
        }
    } else if (table->keeps_history) {
        value = value_create(table, message, hash);
    }
    put(table, value, hash, message->key);
}

const void *global_table_get(const struct global_table *table, struct mr_slice key,
                             int64_t *version)
{
    const struct value *value = *find(table, hash_of(key), key);

    while (value != NULL && table->moment != NULL &&
           value->version >= table->moment[value->partition]) {
        value = value->older;
    }
    if (version != NULL) {
        *version = value == NULL || value->record == NULL ? MR_OFFSET_NONE : value->version;
    }
    return value == NULL ? NULL : value->record;
}

void global_table_drop_former(struct global_table *table)
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        struct value **link = &table->buckets[i];

        while (*link != NULL) {
            struct value *value = *link;

            if (value->start == table->starts) {
                link = &value->next;
            } else {
                *link = value->next;
                value_free(value);
                table->count--;
            }
        }
    }
}

/* ---- history --------------------------------------------------------------------------------- */

void global_table_keep_history(struct global_table *table)
{
    table->keeps_history = true;
}

void global_table_look_at(struct global_table *table, const int64_t *positions)
{
    table->moment = positions;
}

void global_table_forget(struct global_table *table, const int64_t *positions)
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct value *value = table->buckets[i]; value != NULL; value = value->next) {
            struct value *seen = value;

            while (seen != NULL && seen->version >= positions[seen->partition]) {
                seen = seen->older;
            }
            if (seen != NULL) {
                free_history(seen->older);
                seen->older = NULL;
            }
        }
    }
}
