/*
 * recorded_stores.c -- a document store and a Redis that hold what the topics say.
 */
#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "load_decimal.h"
#include "load_text.h"
#include "millrace/arena.h"
#include "recorded_run.h"
#include "verify_map.h"

#include <check.h>
#include <stdlib.h>

#define NAME_BYTES_MAX 256

struct stored {
    char *json;
};

struct recorded_stores {
    struct verify_map *documents; /* collection/identity */
    struct verify_map *keys;
    struct verify_documents each;
    struct verify_keys fetch;
};

static void put(struct verify_map *map, const char *name, struct mr_slice json)
{
    struct stored *stored = verify_map_put(map, mr_slice_str(name));

    free(stored->json);
    stored->json = mr_xcalloc(1, json.len + 1);
    memcpy(stored->json, json.data, json.len);
}

static void put_record(struct recorded_stores *stores, const char *name,
                       const struct mr_schema *schema, const void *value)
{
    struct mr_buffer json = MR_BUFFER_EMPTY;

    mr_json_write_record(schema, value, &json);
    put(stores->documents, name, mr_buffer_slice(&json));
    mr_buffer_fini(&json);
}

static void put_key(struct recorded_stores *stores, const char *key, const char *status,
                    mr_i128 qty, int64_t version)
{
    char json[NAME_BYTES_MAX], text[LOAD_DECIMAL_TEXT_MAX];

    put(stores->keys, key,
        load_text(json, sizeof json, "{\"version\":\"%lld\",\"%s\":\"%s\"}", (long long)version,
                  status == NULL ? "qty" : "status",
                  status == NULL ? load_decimal_format(qty, text) : status));
}

static const char *string_field(const struct mr_schema *schema, const void *value, const char *name,
                                char *buffer)
{
    for (size_t f = 0; f < schema->field_count; f++) {
        if (strcmp(schema->fields[f].name, name) == 0) {
            struct mr_slice text;

            memcpy(&text, (const uint8_t *)value + schema->fields[f].offset, sizeof text);
            (void)load_text(buffer, NAME_BYTES_MAX, "%.*s", MR_SLICE_ARG(text));
            return buffer;
        }
    }
    ck_abort_msg("%s has no field %s", schema->name, name);
    return NULL;
}

static void store_order(struct recorded_stores *stores, const struct oms_order_command *command,
                        bool unique)
{
    char name[NAME_BYTES_MAX];

    if (unique) {
        (void)load_text(name, sizeof name, "idempotency:%.*s:%.*s", MR_SLICE_ARG(command->user_id),
                        MR_SLICE_ARG(command->idempotency_key));
        put_key(stores, name, "seen", 0, 1);
    } else if (command->action == OMS_ACTION_NEW) {
        (void)load_text(name, sizeof name, "orders/%.*s", MR_SLICE_ARG(command->order_id));
        if (verify_map_get(stores->documents, mr_slice_str(name)) == NULL) {
            put_record(stores, name, &oms_order_command_schema, command);
        }
    }
}

static void store(struct recorded_stores *stores, const char *topic, const struct mr_schema *schema,
                  const void *value)
{
    char name[NAME_BYTES_MAX], a[NAME_BYTES_MAX], b[NAME_BYTES_MAX];

    if (strcmp(topic, "orders") == 0 || strcmp(topic, "orders.unique") == 0) {
        store_order(stores, value, strcmp(topic, "orders.unique") == 0);
    } else if (strcmp(topic, "executions") == 0) {
        const struct oms_execution_report *report = value;

        (void)load_text(name, sizeof name, "executions/%.*s", MR_SLICE_ARG(report->exec_id));
        put_record(stores, name, schema, value);
        (void)load_text(name, sizeof name, "order:%.*s", MR_SLICE_ARG(report->order_id));
        put_key(stores, name, oms_order_status_symbols[report->status], 0, report->version);
    } else if (strcmp(topic, "positions") == 0) {
        const struct oms_position *position = value;

        (void)load_text(a, 100, "%.*s", MR_SLICE_ARG(position->user_id));
        (void)load_text(b, 100, "%.*s", MR_SLICE_ARG(position->symbol));
        (void)load_text(name, sizeof name, "positions/%s:%s", a, b);
        put_record(stores, name, schema, value);
        (void)load_text(name, sizeof name, "position:%s:%s", a, b);
        put_key(stores, name, NULL, position->qty, position->version);
    } else if (strcmp(topic, "ledger") == 0) {
        (void)load_text(name, sizeof name, "ledger/%s",
                        string_field(schema, value, "journalId", a));
        put_record(stores, name, schema, value);
    } else if (strcmp(topic, "candles") == 0) {
        int64_t open_us = 0;

        for (size_t f = 0; f < schema->field_count; f++) {
            if (strcmp(schema->fields[f].name, "openTs") == 0) {
                memcpy(&open_us, (const uint8_t *)value + schema->fields[f].offset, sizeof open_us);
            }
        }
        (void)load_text(name, sizeof name, "candles/%s:%s:%lld",
                        string_field(schema, value, "symbol", a),
                        string_field(schema, value, "interval", b), (long long)open_us);
        put_record(stores, name, schema, value);
    }
}

static enum mr_status each_document(void *arg, const struct verify_query *query,
                                    verify_document_visit *visit, void *visit_arg,
                                    struct mr_err *err)
{
    const struct recorded_stores *stores = arg;
    const size_t len = strlen(query->collection);

    for (size_t i = 0; i < verify_map_count(stores->documents); i++) {
        struct mr_slice name;
        const struct stored *stored = verify_map_at(stores->documents, i, &name);

        if (stored->json != NULL && name.len > len &&
            memcmp(name.data, query->collection, len) == 0 && name.data[len] == '/') {
            MR_TRY(visit(visit_arg, mr_slice_str(stored->json), err));
        }
    }
    return MR_OK;
}

static enum mr_status fetch_keys(void *arg, const char *const *keys, size_t count,
                                 verify_key_visit *visit, void *visit_arg, struct mr_err *err)
{
    const struct recorded_stores *stores = arg;

    for (size_t i = 0; i < count; i++) {
        const struct stored *stored = verify_map_get(stores->keys, mr_slice_str(keys[i]));
        const bool found = stored != NULL && stored->json != NULL;

        MR_TRY(visit(visit_arg, i, found, found ? mr_slice_str(stored->json) : mr_slice_of(NULL, 0),
                     err));
    }
    return MR_OK;
}

/* Leaves it out, or swaps a digit of its text. */
static void damage(struct recorded_stores *stores, const char *name, bool drop)
{
    struct stored *stored = verify_map_get(stores->documents, mr_slice_str(name));
    char *digit;

    if (stored == NULL) {
        stored = verify_map_get(stores->keys, mr_slice_str(name));
    }
    ck_assert_msg(stored != NULL, "%s is not in the stores", name);
    if (drop) {
        free(stored->json);
        stored->json = NULL;
        return;
    }
    digit = strstr(stored->json, "\"version\":");
    digit = digit == NULL ? strpbrk(strchr(stored->json, ':'), "123456789")
                          : strpbrk(digit, "0123456789");
    ck_assert_ptr_nonnull(digit);
    *digit = *digit == '9' ? '8' : (char)(*digit + 1);
}

struct recorded_stores *recorded_stores_create(const struct recorded_run *run, const char *damaged,
                                               bool drop)
{
    struct recorded_stores *stores = mr_xcalloc(1, sizeof *stores);
    struct mr_arena *arena = mr_arena_create((size_t)64 * 1024);

    stores->documents = verify_map_create(sizeof(struct stored));
    stores->keys = verify_map_create(sizeof(struct stored));
    stores->each = (struct verify_documents){.arg = stores, .each = each_document};
    stores->fetch = (struct verify_keys){.arg = stores, .fetch = fetch_keys};
    for (size_t i = 0; i < run->count; i++) {
        const struct recorded_record *record = &run->records[i];
        const struct mr_topic *topic = &run->topology->topics[record->topic];
        struct mr_err err = {0};
        void *value;

        if (topic->schema == NULL) {
            continue;
        }
        value = mr_xcalloc(1, topic->schema->struct_bytes);
        mr_arena_reset(arena);
        if (mr_codec_decode(run->codec, &run->bindings[record->topic], record->value, arena, value,
                            &err) == MR_OK) {
            store(stores, topic->name, topic->schema, value);
        }
        free(value);
    }
    mr_arena_destroy(&arena);
    if (damaged != NULL) {
        damage(stores, damaged, drop);
    }
    return stores;
}

void recorded_stores_destroy(struct recorded_stores **stores)
{
    struct verify_map *maps[2] = {(*stores)->documents, (*stores)->keys};

    for (size_t m = 0; m < 2; m++) {
        for (size_t i = 0; i < verify_map_count(maps[m]); i++) {
            free(((struct stored *)verify_map_at(maps[m], i, NULL))->json);
        }
        verify_map_destroy(&maps[m]);
    }
    free(*stores);
    *stores = NULL;
}

const struct verify_documents *recorded_stores_documents(struct recorded_stores *stores)
{
    return &stores->each;
}

const struct verify_keys *recorded_stores_keys(struct recorded_stores *stores)
{
    return &stores->fetch;
}

const char *recorded_stores_name(const struct recorded_stores *stores, const char *prefix)
{
    static char name[NAME_BYTES_MAX];
    const struct verify_map *maps[2] = {stores->documents, stores->keys};

    for (size_t m = 0; m < 2; m++) {
        for (size_t i = 0; i < verify_map_count(maps[m]); i++) {
            struct mr_slice key;

            (void)verify_map_at(maps[m], i, &key);
            if (key.len > strlen(prefix) && memcmp(key.data, prefix, strlen(prefix)) == 0) {
                (void)load_text(name, sizeof name, "%.*s", MR_SLICE_ARG(key));
                return name;
            }
        }
    }
    ck_abort_msg("nothing begins with %s", prefix);
    return NULL;
}
