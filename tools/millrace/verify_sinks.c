/*
 * verify_sinks.c -- document store and Redis equal the topics.
 *
 * How: of each record only a hash of its canonical text (verify_canonical.h) is kept, with its
 *   place in the topic; each document is hashed the same way and looked up by its identity.
 * Not: orderbook:{symbol}, which lives for one second.
 */
#include "avro/candle.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "load_decimal.h"
#include "load_text.h"
#include "millrace/arena.h"
#include "verify.h"
#include "verify_canonical.h"

#include <inttypes.h>
#include <stdlib.h>

#define KEY_BYTES_MAX 192
#define KEYS_BATCH 256
#define ORDER_FIELDS "orderId,userId,symbol,side,ordType,price,qty"

enum collection { ORDERS, EXECUTIONS, POSITIONS, LEDGER, CANDLES, COLLECTION_COUNT };

static const char *const collection_names[COLLECTION_COUNT] = {"orders", "executions", "positions",
                                                               "ledger", "candles"};

struct kept { /* by identity in the collection */
    uint64_t hash;
    int64_t offset;
    int32_t partition;
    int32_t version;
    int64_t documents;
    const char *status; /* orders: of the last report */
    /* Must be in the store. Not: orders of suppressed commands; candles that only earlier runs
     * made. */
    bool required;
};

struct held { /* by position:{user}:{symbol} */
    mr_i128 qty;
    int64_t version;
};

struct verify_sinks {
    struct verify *verify;
    bool documents, keys;
    struct verify_map *kept[COLLECTION_COUNT];
    struct verify_map *positions;   /* redis key -> held */
    struct verify_map *idempotency; /* redis key -> nothing */
    struct mr_buffer text;
    /* While a store is read. */
    enum collection collection;
    struct verify_check *check;
    int64_t equal;
    size_t first; /* index of keys[0] of the batch */
};

struct verify_sinks *verify_sinks_create(struct verify *verify)
{
    struct verify_sinks *s = mr_xcalloc(1, sizeof *s);

    s->verify = verify;
    s->documents = verify->options->documents != NULL;
    s->keys = verify->options->keys != NULL;
    for (size_t i = 0; i < COLLECTION_COUNT; i++) {
        s->kept[i] = verify_map_create(sizeof(struct kept));
    }
    s->positions = verify_map_create(sizeof(struct held));
    s->idempotency = verify_map_create(sizeof(char));
    return s;
}

static bool idle(const struct verify_sinks *s)
{
    return !s->documents && !s->keys;
}

static const struct mr_schema *schema_of(enum collection collection)
{
    const struct mr_schema *const schemas[COLLECTION_COUNT] = {
        &oms_order_command_schema, &oms_execution_report_schema, &oms_position_schema,
        &oms_ledger_entry_schema, &oms_candle_schema};

    return schemas[collection];
}

static const char *fields_of(enum collection collection)
{
    return collection == ORDERS ? ORDER_FIELDS : NULL;
}

/* Remembers the record; a later one of the same identity replaces it. */
static struct kept *keep(struct verify_sinks *s, enum collection collection, struct mr_slice id,
                         const struct load_record *record)
{
    struct kept *kept = verify_map_put(s->kept[collection], id);

    mr_buffer_clear(&s->text);
    verify_canonical_record(schema_of(collection), record->value, fields_of(collection), &s->text);
    kept->hash = load_hash(mr_buffer_slice(&s->text));
    kept->partition = record->partition;
    kept->offset = record->offset;
    return kept;
}

enum mr_status verify_sinks_on_order(void *arg, const struct load_record *record,
                                     struct mr_err *err)
{
    struct verify_sinks *s = arg;
    const struct oms_order_command *command = record->value;

    (void)err;
    if (idle(s) || command == NULL || command->action != OMS_ACTION_NEW ||
        !verify_is_user(s->verify, command->user_id) ||
        verify_map_get(s->kept[ORDERS], command->order_id) != NULL) {
        return MR_OK; /* a duplicate repeats the first */
    }
    (void)keep(s, ORDERS, command->order_id, record);
    return MR_OK;
}

enum mr_status verify_sinks_on_execution(void *arg, const struct load_record *record,
                                         struct mr_err *err)
{
    struct verify_sinks *s = arg;
    const struct oms_execution_report *report = record->value;
    struct kept *order;

    (void)err;
    if (idle(s) || report == NULL || !verify_is_user(s->verify, report->user_id)) {
        return MR_OK;
    }
    keep(s, EXECUTIONS, report->exec_id, record)->required = true;
    order = verify_map_get(s->kept[ORDERS], report->order_id);
    if (order != NULL) {
        order->required = true;
        order->version = report->version;
        order->status = oms_order_status_symbols[report->status];
    }
    return MR_OK;
}

enum mr_status verify_sinks_on_entry(void *arg, const struct load_record *record,
                                     struct mr_err *err)
{
    struct verify_sinks *s = arg;
    const struct oms_ledger_entry *entry = record->value;

    (void)err;
    if (!idle(s) && entry != NULL && verify_is_user(s->verify, entry->user_id)) {
        keep(s, LEDGER, entry->journal_id, record)->required = true;
    }
    return MR_OK;
}

enum mr_status verify_sinks_on_position(void *arg, const struct load_record *record,
                                        struct mr_err *err)
{
    struct verify_sinks *s = arg;
    const struct oms_position *position = record->value;
    struct held *held;
    char text[KEY_BYTES_MAX];
    struct mr_slice key;

    (void)err;
    if (idle(s) || position == NULL || !verify_is_user(s->verify, position->user_id)) {
        return MR_OK;
    }
    key = load_text(text, sizeof text, "position:%.*s:%.*s", MR_SLICE_ARG(position->user_id),
                    MR_SLICE_ARG(position->symbol));
    held = verify_map_put(s->positions, key);
    held->qty = position->qty;
    held->version = position->version;
    keep(s, POSITIONS, mr_slice_of(key.data + 9, key.len - 9), record)->required = true;
    return MR_OK;
}

static struct mr_slice candle_id(char *buffer, const char *symbol, const char *interval,
                                 const char *open_ms)
{
    return load_text(buffer, KEY_BYTES_MAX, "%s:%s:%s", symbol, interval, open_ms);
}

enum mr_status verify_sinks_on_candle(void *arg, const struct load_record *record,
                                      struct mr_err *err)
{
    struct verify_sinks *s = arg;
    const struct oms_candle *candle = record->value;
    char key[KEY_BYTES_MAX], symbol[64], interval[24], open_ms[24];

    (void)err;
    if (idle(s) || candle == NULL) {
        return MR_OK;
    }
    (void)load_text(symbol, sizeof symbol, "%.*s", MR_SLICE_ARG(candle->symbol));
    (void)load_text(interval, sizeof interval, "%.*s", MR_SLICE_ARG(candle->interval));
    (void)load_text(open_ms, sizeof open_ms, "%" PRId64, candle->open_ts_us / 1000);
    keep(s, CANDLES, candle_id(key, symbol, interval, open_ms), record)->required =
        verify_in_run(s->verify, record);
    return MR_OK;
}

enum mr_status verify_sinks_on_unique(void *arg, const struct load_record *record,
                                      struct mr_err *err)
{
    struct verify_sinks *s = arg;
    const struct oms_order_command *command = record->value;
    char key[KEY_BYTES_MAX];

    (void)err;
    if (!s->keys || command == NULL || !command->has_idempotency_key ||
        !verify_is_user(s->verify, command->user_id)) {
        return MR_OK;
    }
    (void)verify_map_put(s->idempotency, load_text(key, sizeof key, "idempotency:%.*s:%.*s",
                                                   MR_SLICE_ARG(command->user_id),
                                                   MR_SLICE_ARG(command->idempotency_key)));
    return MR_OK;
}

/* ---- the document store ---- */

static const char *text_of(const json_t *document, const char *name)
{
    const char *text = json_string_value(json_object_get(document, name));

    return text == NULL ? "" : text;
}

static struct mr_slice identity(const struct verify_sinks *s, const json_t *document, char *buffer)
{
    const struct mr_schema_field open_field = {.name = "openTs", .kind = MR_FIELD_TIMESTAMP_US};
    struct mr_buffer open_text = MR_BUFFER_EMPTY;
    struct mr_slice id;

    switch (s->collection) {
    case EXECUTIONS:
        return mr_slice_str(text_of(document, "execId"));
    case LEDGER:
        return mr_slice_str(text_of(document, "journalId"));
    case POSITIONS:
        return load_text(buffer, KEY_BYTES_MAX, "%s:%s", text_of(document, "userId"),
                         text_of(document, "symbol"));
    case CANDLES:
        (void)verify_canonical_value(&open_field, document, &open_text);
        mr_buffer_append(&open_text, "", 1);
        id = candle_id(buffer, text_of(document, "symbol"), text_of(document, "interval"),
                       (const char *)open_text.data);
        mr_buffer_fini(&open_text);
        return id;
    case ORDERS:
    case COLLECTION_COUNT:
    default:
        return mr_slice_str(text_of(document, "orderId"));
    }
}

static bool same(struct verify_sinks *s, const struct kept *kept, const json_t *document)
{
    const char *status = text_of(document, "status");

    mr_buffer_clear(&s->text);
    verify_canonical_document(schema_of(s->collection), document, fields_of(s->collection),
                              &s->text);
    if (s->collection == ORDERS && status[0] != '\0' && kept->status != NULL &&
        strcmp(status, kept->status) != 0) {
        return false;
    }
    return load_hash(mr_buffer_slice(&s->text)) == kept->hash;
}

static enum mr_status on_document(void *arg, struct mr_slice json, struct mr_err *err)
{
    struct verify_sinks *s = arg;
    json_t *document = json_loadb((const char *)json.data, json.len, 0, NULL);
    char buffer[KEY_BYTES_MAX];
    struct mr_slice id;
    struct kept *kept;

    if (document == NULL) {
        return mr_fail(err, MR_CORRUPT, "collection %s: a document is no JSON",
                       collection_names[s->collection]);
    }
    id = identity(s, document, buffer);
    kept = verify_map_get(s->kept[s->collection], id);
    if (kept == NULL) {
        if (s->collection != CANDLES &&
            verify_is_user(s->verify, mr_slice_str(text_of(document, "userId")))) {
            verify_differ(s->check, "document %.*s is in no topic", MR_SLICE_ARG(id));
        }
    } else {
        kept->documents++;
        if (kept->documents > 1) {
            verify_differ(s->check, "%.*s stands twice", MR_SLICE_ARG(id));
        } else if (same(s, kept, document)) {
            s->equal++;
        } else {
            verify_differ(s->check, "%.*s differs from %d@%" PRId64, MR_SLICE_ARG(id),
                          kept->partition, kept->offset);
        }
    }
    json_decref(document);
    return MR_OK;
}

/* A store that does not answer is a difference like any other: the rest is compared all the same.
 */
static enum mr_status judge(struct verify_sinks *s, enum mr_status status, struct mr_err *err)
{
    if (mr_status_class(status) != MR_CLASS_RETRY) {
        return status;
    }
    verify_differ(s->check, "%s", err->text);
    return MR_OK;
}

static enum mr_status check_collection(struct verify_sinks *s, enum collection collection,
                                       struct mr_err *err)
{
    const struct verify_documents *documents = s->verify->options->documents;
    const bool by_user = collection != CANDLES;
    char name[64], prefix[64];
    const struct verify_query query = {.collection = collection_names[collection],
                                       .field = by_user ? "userId" : "symbol",
                                       .prefix = by_user ? prefix : ""};
    int64_t expected = 0;

    (void)load_text(name, sizeof name, "document store: %s", collection_names[collection]);
    (void)load_text(prefix, sizeof prefix, "%s.", s->verify->manifest->run);
    load_progress(s->verify->env, "verify: document store, %s", collection_names[collection]);
    s->collection = collection;
    s->check = verify_check_open(s->verify->report, name);
    s->equal = 0;
    MR_TRY(judge(s, documents->each(documents->arg, &query, on_document, s, err), err));
    for (size_t i = 0; i < verify_map_count(s->kept[collection]); i++) {
        struct mr_slice id;
        const struct kept *kept = verify_map_at(s->kept[collection], i, &id);

        if (!kept->required) {
            expected += kept->documents > 0;
            continue;
        }
        expected++;
        if (kept->documents == 0) {
            verify_differ(s->check, "%.*s (%d@%" PRId64 ") is missing", MR_SLICE_ARG(id),
                          kept->partition, kept->offset);
        }
    }
    verify_check_close(s->check, expected, s->equal);
    return MR_OK;
}

/* ---- Redis ---- */

/* A number of a value, plain or as text; false: the field is not there. */
static bool number_of(const json_t *value, const char *name, int64_t *number)
{
    const json_t *field = json_object_get(value, name);

    if (json_is_string(field)) {
        *number = strtoll(json_string_value(field), NULL, 10);
        return true;
    }
    *number = json_integer_value(field);
    return json_is_integer(field);
}

static void compare_order(struct verify_sinks *s, const struct kept *kept, struct mr_slice id,
                          const json_t *value)
{
    const char *status = text_of(value, "status");
    int64_t version = 0;

    if (number_of(value, "version", &version) && version == kept->version &&
        (status[0] == '\0' || strcmp(status, kept->status) == 0)) {
        s->equal++;
    } else {
        verify_differ(s->check, "order:%.*s has version %" PRId64 " %s, the topic %d %s",
                      MR_SLICE_ARG(id), version, status, kept->version, kept->status);
    }
}

static void compare_position(struct verify_sinks *s, const struct held *held, struct mr_slice key,
                             const json_t *value)
{
    const char *qty = text_of(value, "qty");
    int64_t version = 0;
    mr_i128 atoms = 0;

    if (number_of(value, "version", &version) && version == held->version &&
        (qty[0] == '\0' || (load_decimal_parse(mr_slice_str(qty), &atoms) && atoms == held->qty))) {
        s->equal++;
    } else {
        verify_differ(s->check, "%.*s has version %" PRId64 " qty %s, the topic version %" PRId64,
                      MR_SLICE_ARG(key), version, qty, held->version);
    }
}

static enum mr_status on_key(struct verify_sinks *s, struct verify_map *map, size_t index,
                             bool found, struct mr_slice json)
{
    struct mr_slice key;
    const void *expected = verify_map_at(map, s->first + index, &key);
    json_t *value;

    if (!found) {
        verify_differ(s->check, "%.*s is missing", MR_SLICE_ARG(key));
        return MR_OK;
    }
    value = json_loadb((const char *)json.data, json.len, JSON_DECODE_ANY, NULL);
    if (map == s->kept[ORDERS]) {
        compare_order(s, expected, key, value);
    } else if (map == s->positions) {
        compare_position(s, expected, key, value);
    } else {
        s->equal++;
    }
    json_decref(value);
    return MR_OK;
}

struct key_reading {
    struct verify_sinks *s;
    struct verify_map *map;
    const size_t *indices; /* of the batch, in the map */
};

static enum mr_status on_fetched(void *arg, size_t index, bool found, struct mr_slice json,
                                 struct mr_err *err)
{
    struct key_reading *reading = arg;

    (void)err;
    reading->s->first = reading->indices[index];
    return on_key(reading->s, reading->map, 0, found, json);
}

static enum mr_status fetch(struct verify_sinks *s, struct verify_map *map, const size_t *indices,
                            char (*names)[KEY_BYTES_MAX], size_t count, struct mr_err *err)
{
    const struct verify_keys *keys = s->verify->options->keys;
    const char *list[KEYS_BATCH];
    struct key_reading reading = {.s = s, .map = map, .indices = indices};

    for (size_t i = 0; i < count; i++) {
        list[i] = names[i];
    }
    return count == 0 ? MR_OK : keys->fetch(keys->arg, list, count, on_fetched, &reading, err);
}

static enum mr_status check_keys(struct verify_sinks *s, struct verify_map *map, const char *prefix,
                                 const char *name, struct mr_err *err)
{
    char(*names)[KEY_BYTES_MAX] = mr_xcalloc(KEYS_BATCH, sizeof *names);
    size_t indices[KEYS_BATCH];
    size_t count = 0;
    int64_t expected = 0;
    enum mr_status status = MR_OK;

    load_progress(s->verify->env, "verify: %s", name);
    s->check = verify_check_open(s->verify->report, name);
    s->equal = 0;
    for (size_t i = 0; i < verify_map_count(map) && status == MR_OK; i++) {
        struct mr_slice key;
        const void *value = verify_map_at(map, i, &key);

        if (map == s->kept[ORDERS] && !((const struct kept *)value)->required) {
            continue;
        }
        (void)load_text(names[count], KEY_BYTES_MAX, "%s%.*s", prefix, MR_SLICE_ARG(key));
        indices[count] = i;
        count++;
        expected++;
        if (count == KEYS_BATCH) {
            status = fetch(s, map, indices, names, count, err);
            count = 0;
        }
    }
    if (status == MR_OK) {
        status = fetch(s, map, indices, names, count, err);
    }
    status = judge(s, status, err);
    verify_check_close(s->check, expected, s->equal);
    free(names);
    return status;
}

static enum mr_status check_all(struct verify_sinks *s, struct mr_err *err)
{
    for (size_t i = 0; s->documents && i < COLLECTION_COUNT; i++) {
        MR_TRY(check_collection(s, (enum collection)i, err));
    }
    if (!s->keys) {
        return MR_OK;
    }
    MR_TRY(check_keys(s, s->kept[ORDERS], "order:", "redis: order:{id}", err));
    MR_TRY(check_keys(s, s->positions, "", "redis: position:{user}:{symbol}", err));
    return check_keys(s, s->idempotency, "", "redis: idempotency:{user}:{key}", err);
}

enum mr_status verify_sinks_end(struct verify_sinks **sinks, struct mr_err *err)
{
    struct verify_sinks *s = *sinks;
    const enum mr_status status = check_all(s, err);

    for (size_t i = 0; i < COLLECTION_COUNT; i++) {
        verify_map_destroy(&s->kept[i]);
    }
    verify_map_destroy(&s->positions);
    verify_map_destroy(&s->idempotency);
    mr_buffer_fini(&s->text);
    free(s);
    *sinks = NULL;
    return status;
}
