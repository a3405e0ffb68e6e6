/* world_records.c -- see world.h: what goes in and what comes out. */
#include "millrace/changelog.h"
#include "millrace/partition.h"
#include "world_priv.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 * 1024)

/* ---- in -------------------------------------------------------------------------------------- */

void mr_world_put(struct mr_world *world, const char *topic, int32_t partition, struct mr_slice key,
                  const struct mr_slice *value)
{
    struct mr_outgoing record = {
        .partition = partition,
        .timestamp_ms = mr_world_now_us(world) / 1000,
        .key = key,
        .has_value = value != NULL,
    };

    if (value != NULL) {
        record.value = *value;
    }
    WORLD_MUST_MSG(mr_producer_topic(world->producer, topic, &record.topic, NULL, &world->err) ==
                       MR_OK,
                   "%s", world->err.text);
    WORLD_MUST_MSG(mr_producer_send(world->producer, &record, &world->err) == MR_OK, "%s",
                   world->err.text);
    WORLD_MUST_MSG(mr_producer_flush(world->producer, MR_SECOND_US, &world->err) == MR_OK, "%s",
                   world->err.text);
}

static int32_t partition_of(struct mr_world *world, const char *topic, struct mr_slice key)
{
    return mr_partition_of(key, world_topic(world, topic)->partitions);
}

void mr_world_send(struct mr_world *world, const char *topic, struct mr_slice key,
                   struct mr_slice value)
{
    mr_world_put(world, topic, partition_of(world, topic, key), key, &value);
}

void mr_world_send_tombstone(struct mr_world *world, const char *topic, struct mr_slice key)
{
    mr_world_put(world, topic, partition_of(world, topic, key), key, NULL);
}

struct mr_slice mr_world_encode(struct mr_world *world, const char *name, const void *value)
{
    const struct mr_binding binding = mr_world_bind(world, name);

    mr_buffer_clear(&world->encoded);
    world->encoded.len = mr_codec_encode(
        &binding, value,
        mr_buffer_reserve(&world->encoded, mr_codec_framed_bytes_max(&binding, value)));
    return mr_buffer_slice(&world->encoded);
}

static struct mr_slice key_field(const struct mr_topic *topic, const void *value)
{
    struct mr_slice key = {0};

    for (size_t i = 0; i < topic->schema->field_count; i++) {
        const struct mr_schema_field *field = &topic->schema->fields[i];

        if (strcmp(field->name, topic->key) == 0) {
            WORLD_MUST(field->kind == MR_FIELD_STRING);
            memcpy(&key, (const uint8_t *)value + field->offset, sizeof(key));
            return key;
        }
    }
    mr_world_violated(__FILE__, __LINE__, "topic %s has no key field %s", topic->name, topic->key);
}

void mr_world_send_json(struct mr_world *world, const char *name, const char *key, const char *json)
{
    const struct mr_topic *topic = world_topic(world, name);
    struct mr_arena *arena = mr_arena_create(ARENA_BYTES);
    void *value = mr_xcalloc(1, topic->schema->struct_bytes);
    enum mr_status status =
        mr_json_read_record(topic->schema, mr_slice_str(json), arena, value, &world->err);

    WORLD_MUST_MSG(status == MR_OK, "%s: %s", world->err.text, json);
    mr_world_send(world, name, key != NULL ? mr_slice_str(key) : key_field(topic, value),
                  mr_world_encode(world, name, value));
    free(value);
    mr_arena_destroy(&arena);
}

/* ---- out ------------------------------------------------------------------------------------- */

static void decode(struct mr_world *world, const struct mr_binding *binding,
                   struct mr_world_records *records, size_t index, void *value)
{
    enum mr_status status;

    WORLD_MUST(index < records->count);
    status = mr_codec_decode(world->codec, binding, records->items[index].value, records->arena,
                             value, &world->err);
    WORLD_MUST_MSG(status == MR_OK, "%s: %s", binding->schema->name, world->err.text);
}

void mr_world_decode(struct mr_world *world, const char *name, struct mr_world_records *records,
                     size_t index, void *value)
{
    const struct mr_binding binding = mr_world_bind(world, name);

    decode(world, &binding, records, index, value);
}

enum mr_status mr_world_try_json(struct mr_world *world, const char *name, struct mr_slice framed,
                                 struct mr_buffer *out, struct mr_err *err)
{
    const struct mr_topic *topic = world_topic(world, name);
    const struct mr_binding binding = mr_world_bind(world, topic->name);
    struct mr_arena *arena = mr_arena_create(ARENA_BYTES);
    void *value = mr_xcalloc(1, topic->schema->struct_bytes);
    const enum mr_status status =
        mr_codec_decode(world->codec, &binding, framed, arena, value, err);

    if (status == MR_OK) {
        mr_json_write_record(topic->schema, value, out);
    }
    free(value);
    mr_arena_destroy(&arena);
    return status;
}

void mr_world_json(struct mr_world *world, const char *name, struct mr_slice framed,
                   struct mr_buffer *out)
{
    WORLD_MUST_MSG(mr_world_try_json(world, name, framed, out, &world->err) == MR_OK, "%s: %s",
                   name, world->err.text);
}

struct mr_world_record *world_records_add(struct mr_world_records *records)
{
    /* Doubles at each power of two. */
    if ((records->count & (records->count - 1)) == 0) {
        const size_t capacity = records->count == 0 ? 1 : records->count * 2;

        records->items = mr_xrealloc(records->items, capacity * sizeof(*records->items));
    }
    records->items[records->count] = (struct mr_world_record){0};
    return &records->items[records->count++];
}

static void copy_message(struct mr_world_records *records, const struct mr_message *message)
{
    struct mr_world_record *record = world_records_add(records);

    record->partition = message->partition;
    record->offset = message->offset;
    record->timestamp_ms = message->timestamp_ms;
    record->key = mr_arena_copy(records->arena, message->key);
    record->value = mr_arena_copy(records->arena, message->value);
    record->has_value = message->has_value;
    record->header_count = mr_message_headers(message, record->headers, MR_WORLD_HEADERS_MAX);
    WORLD_MUST(record->header_count <= MR_WORLD_HEADERS_MAX);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct mr_slice name =
            mr_slice_of(record->headers[i].name, strlen(record->headers[i].name) + 1);

        record->headers[i].name = (const char *)mr_arena_copy(records->arena, name).data;
        record->headers[i].value = mr_arena_copy(records->arena, record->headers[i].value);
    }
}

static void read_partition(struct mr_world *world, const char *topic, int32_t partition,
                           struct mr_world_records *records)
{
    struct mr_reader *reader;
    int64_t low;
    int64_t end;

    while (mr_log_watermarks(world->log, topic, partition, &low, &end, &world->err) ==
           MR_UNAVAILABLE) {
        /* a fault that no worker came across */
    }
    WORLD_MUST_MSG(mr_reader_open(world->log, MR_READER_FOLLOWS_US, &reader, &world->err) == MR_OK,
                   "%s", world->err.text);
    WORLD_MUST_MSG(mr_reader_add(reader, topic, partition, low, &world->err) == MR_OK, "%s",
                   world->err.text);
    while (mr_reader_position(reader, topic, partition) < end) {
        struct mr_message messages[64];
        size_t count = 0;
        const enum mr_status status =
            mr_reader_poll(reader, 0, messages, MR_COUNT(messages), &count, &world->err);

        /* Otherwise a fault that no worker came across: it is gone now. */
        for (size_t i = 0; status == MR_OK && i < count; i++) {
            copy_message(records, &messages[i]);
            mr_message_release(&messages[i]);
        }
    }
    mr_reader_close(&reader);
}

void mr_world_read(struct mr_world *world, const char *name, struct mr_world_records *records)
{
    const struct mr_topic *topic = world_topic(world, name);

    *records = (struct mr_world_records){.arena = mr_arena_create(ARENA_BYTES)};
    for (int32_t p = 0; topic->in_log && p < topic->partitions; p++) {
        read_partition(world, name, p, records);
    }
}

static const struct mr_stage_node *find_store(struct mr_world *world, const char *stage,
                                              const char *name, size_t *store)
{
    const size_t at = mr_topology_find_stage(world->topology, stage);
    const struct mr_stage_node *node;

    WORLD_MUST_MSG(at != SIZE_MAX, "the topology has no stage %s", stage);
    node = &world->topology->stages[at];
    for (*store = 0; *store < node->type->store_count; ++*store) {
        if (strcmp(node->type->stores[*store].name, name) == 0) {
            return node;
        }
    }
    mr_world_violated(__FILE__, __LINE__, "stage %s has no store %s", stage, name);
}

void mr_world_read_state(struct mr_world *world, const char *stage, const char *name,
                         struct mr_world_records *records)
{
    size_t store;
    const struct mr_stage_node *node = find_store(world, stage, name, &store);
    size_t kept = 0;

    mr_world_read(world, world->topology->topics[node->changelog].name, records);
    for (size_t i = 0; i < records->count; i++) {
        struct mr_world_record record = records->items[i];

        if (mr_changelog_store(node->type, record.key, &record.key) == store) {
            records->items[kept++] = record;
        }
    }
    records->count = kept;
}

void mr_world_decode_state(struct mr_world *world, const char *stage, const char *name,
                           struct mr_world_records *records, size_t index, void *value)
{
    struct mr_binding binding;
    size_t store;
    const struct mr_stage_node *node = find_store(world, stage, name, &store);

    WORLD_MUST_MSG(mr_codec_bind(world->codec, node->type->stores[store].schema,
                                 node->store_subjects[store], &binding, &world->err) == MR_OK,
                   "%s", world->err.text);
    decode(world, &binding, records, index, value);
}

/* ---- folding --------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct mr_world_record *left = a;
    const struct mr_world_record *right = b;
    int order = left->partition - right->partition;

    if (order == 0) {
        order = mr_slice_compare(left->key, right->key);
    }
    return order != 0 ? order : (left->offset > right->offset) - (left->offset < right->offset);
}

void mr_world_latest(struct mr_world_records *records)
{
    size_t kept = 0;

    if (records->count > 0) {
        qsort(records->items, records->count, sizeof(*records->items), by_key);
    }
    for (size_t i = 0; i < records->count; i++) {
        const struct mr_world_record *record = &records->items[i];
        const bool last = i + 1 == records->count || record->partition != record[1].partition ||
                          !mr_slice_equal(record->key, record[1].key);

        if (last && record->has_value) {
            records->items[kept++] = *record;
        }
    }
    records->count = kept;
}

void mr_world_records_fini(struct mr_world_records *records)
{
    mr_arena_destroy(&records->arena);
    free(records->items);
    *records = (struct mr_world_records){0};
}

const struct mr_header *mr_world_header(const struct mr_world_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0) {
            return &record->headers[i];
        }
    }
    return NULL;
}
