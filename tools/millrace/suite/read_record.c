/* read_record.c -- records of a suite, tried against the schema of their topic or store. */
#include "millrace/buffer.h"
#include "millrace/option.h"
#include "read.h"
#include "suggest.h"
#include "value.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)8 * 1024)

/* Any moment: what a file says must be right at all of them. */
static const struct suite_clock some_time = {.now_us = 2000000000 * MR_SECOND_US, .sends = 1};

static const struct suite_defaults no_defaults = {{NULL}};

/* What the records of one list are to be. */
struct form {
    const struct mr_schema *schema; /* NULL: texts */
    const char *key;                /* the fields that the topic is keyed by; NULL: $key */
    const struct suite_defaults *defaults;
    enum suite_use use;
};

static void blame(struct suite_reader *reader, const struct suite_blame *blame)
{
    suite_wrong(reader, blame->at, "%s", blame->text);
}

void suite_check_fields(struct suite_reader *reader, size_t topic, const struct node *map)
{
    const struct mr_schema *schema = reader->topology->topics[topic].schema;
    struct suite_blame why;
    json_t *fields;

    if (schema == NULL) {
        suite_wrong(reader, map->position, "topic %s has no schema: nobody sends to it",
                    reader->topology->topics[topic].name);
        return;
    }
    fields = suite_canonical_fields(schema, map, &some_time, &why);
    if (fields == NULL) {
        blame(reader, &why);
    }
    json_decref(fields);
}

/* ---- $key, $raw, $tombstone, $absent --------------------------------------------------------- */

/* A text, or the parts of a composite key (millrace/store.h): texts, and integers as {int: N}. */
static void read_key(struct suite_reader *reader, const struct node *node,
                     struct suite_record *record)
{
    struct mr_key key;

    record->has_key = true; /* a wrong one is reported here, and no reason for more */
    if (node->kind == NODE_SCALAR) {
        record->key = mr_slice_str(node->text);
        return;
    }
    if (!suite_is(reader, node, NODE_LIST, SUITE_KEY)) {
        return;
    }
    mr_key_begin(&key);
    for (size_t i = 0; i < node->count; i++) {
        const struct node *part = node->entries[i].value;
        const struct node *number = tree_get(part, "int");
        struct mr_err err = {0};
        int64_t value = 0;

        if (number != NULL && number->kind == NODE_SCALAR &&
            mr_parse_int(number->text, &value, &err) == MR_OK) {
            mr_key_i64(&key, value);
        } else if (part->kind == NODE_SCALAR) {
            mr_key_text(&key, mr_slice_str(part->text));
        } else {
            suite_wrong(reader, part->position, "a part of a key is a text, or {int: NUMBER}");
        }
    }
    if (key.overflow) {
        suite_wrong(reader, node->position, "the key is longer than %zu bytes", MR_KEY_BYTES_MAX);
    } else {
        record->key = mr_arena_copy(reader->arena, mr_key_slice(&key));
    }
}

static void read_raw(struct suite_reader *reader, const struct node *node,
                     struct suite_record *record)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *bytes;
    size_t len;

    record->has_raw = true;
    if (!suite_is(reader, node, NODE_SCALAR, SUITE_RAW)) {
        return;
    }
    len = strlen(node->text);
    if (len % 2 != 0 || strspn(node->text, digits) != len) {
        suite_wrong(reader, node->position, "%s: \"%s\" is not bytes as pairs of 0-9a-f", SUITE_RAW,
                    node->text);
        return;
    }
    bytes = suite_alloc(reader, len / 2, 1);
    for (size_t i = 0; i < len; i++) {
        const int digit = (int)(strchr(digits, node->text[i]) - digits);

        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
    }
    record->raw = mr_slice_of(bytes, len / 2);
}

static void read_no_value(struct suite_reader *reader, const struct node *node,
                          struct suite_record *record)
{
    record->no_value = true;
    if (node->kind != NODE_SCALAR || strcmp(node->text, "true") != 0) {
        suite_wrong(reader, node->position, "it can only be true");
    }
}

/* What a record may say beside its fields. */
static const struct {
    const char *name;
    bool of[SUITE_USES];
    void (*read)(struct suite_reader *reader, const struct node *node, struct suite_record *record);
} dollars[] = {
    {SUITE_KEY,
     {[SUITE_TO_SEND] = true,
      [SUITE_TO_STORE] = true,
      [SUITE_TO_EXPECT] = true,
      [SUITE_TO_FIND] = true},
     read_key},
    {SUITE_RAW, {[SUITE_TO_SEND] = true}, read_raw},
    {SUITE_TOMBSTONE, {[SUITE_TO_SEND] = true, [SUITE_TO_EXPECT] = true}, read_no_value},
    {SUITE_ABSENT, {[SUITE_TO_FIND] = true}, read_no_value},
};

static void read_dollar(struct suite_reader *reader, const struct form *form,
                        const struct entry *entry, struct suite_record *record)
{
    struct suggest suggest;

    suggest_init(&suggest, entry->name);
    for (size_t i = 0; i < MR_COUNT(dollars); i++) {
        if (!dollars[i].of[form->use]) {
            continue;
        }
        if (strcmp(dollars[i].name, entry->name) == 0) {
            dollars[i].read(reader, entry->value, record);
            return;
        }
        suggest_offer(&suggest, dollars[i].name);
    }
    suite_wrong(reader, entry->position, "no \"%s\" here%s", entry->name, suggest_text(&suggest));
}

/* ---- one record ------------------------------------------------------------------------------ */

/* Whether it can be sent: every field without a default is there. */
static void check_whole(struct suite_reader *reader, const struct form *form,
                        const struct suite_record *record)
{
    struct suite_blame why;
    struct mr_err err = {0};
    json_t *whole = suite_whole(form->schema, record->fields, form->defaults, &some_time, &why);
    struct mr_arena *arena;
    void *value;

    if (whole == NULL) {
        return; /* a default is wrong, which was reported where it stands */
    }
    arena = mr_arena_create(ARENA_BYTES);
    value = mr_xcalloc(1, form->schema->struct_bytes);
    if (suite_struct(form->schema, whole, arena, value, &err) != MR_OK) {
        suite_wrong(reader, record->place.at, "%s", err.text);
    }
    free(value);
    mr_arena_destroy(&arena);
    json_decref(whole);
}

/* Every field of the key must be there: by them what is expected finds what came. */
static void check_key(struct suite_reader *reader, const struct form *form,
                      const struct suite_record *record)
{
    const char *at = form->key;
    char name[SUITE_NAME_MAX];

    if (at == NULL && !record->has_key) {
        suite_wrong(reader, record->place.at, "which one? say its %s", SUITE_KEY);
    }
    while (at != NULL && suite_next_key_field(&at, name)) {
        if (tree_get(record->fields, name) == NULL) {
            suite_wrong(reader, record->place.at, "of whom? say its %s, the key of the topic",
                        name);
        }
    }
}

static size_t count_fields(const struct node *map)
{
    size_t count = 0;

    for (size_t i = 0; i < map->count; i++) {
        count += map->entries[i].name[0] != '$';
    }
    return count;
}

static void read_record(struct suite_reader *reader, const struct form *form,
                        const struct node *map, struct suite_record *record)
{
    const bool sent = form->use == SUITE_TO_SEND || form->use == SUITE_TO_STORE;
    struct suite_blame why;
    json_t *fields;

    record->place = suite_at(reader, map->position);
    record->fields = map;
    if (!suite_is(reader, map, NODE_MAP, "a record")) {
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (map->entries[i].name[0] == '$') {
            read_dollar(reader, form, &map->entries[i], record);
        }
    }
    if (record->has_raw || record->no_value) {
        if (count_fields(map) > 0) {
            suite_wrong(reader, map->position, "it has no value, so it has no fields");
        }
        if (!record->has_key) {
            suite_wrong(reader, map->position, "it has no fields to make a key of: say its %s",
                        SUITE_KEY);
        }
        return;
    }
    fields = suite_canonical_fields(form->schema, map, &some_time, &why);
    if (fields == NULL) {
        blame(reader, &why);
    } else if (sent) {
        check_whole(reader, form, record);
    }
    json_decref(fields);
    if (form->use != SUITE_TO_SEND) {
        check_key(reader, form, record);
    }
}

static void read_list(struct suite_reader *reader, const struct form *form,
                      const struct entry *entry, struct suite_batch *batch)
{
    struct suite_record *records;

    batch->place = suite_at(reader, entry->position);
    batch->entries = -1;
    if (!suite_is(reader, entry->value, NODE_LIST, entry->name)) {
        return;
    }
    records = suite_alloc(reader, entry->value->count, sizeof(*records));
    for (size_t i = 0; i < entry->value->count; i++) {
        read_record(reader, form, entry->value->entries[i].value, &records[i]);
    }
    batch->records = records;
    batch->count = entry->value->count;
}

/* ---- of topics and stores -------------------------------------------------------------------- */

const struct suite_batch *suite_read_topics(struct suite_reader *reader, const struct node *map,
                                            enum suite_use use, size_t *count)
{
    struct suite_batch *batches;

    *count = 0;
    if (!suite_is(reader, map, NODE_MAP, "records by topic")) {
        return NULL;
    }
    batches = suite_alloc(reader, map->count, sizeof(*batches));
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        const size_t topic = suite_find_topic(reader, entry->name, entry->position);
        const struct mr_topic *found;

        if (topic == SIZE_MAX) {
            continue;
        }
        found = &reader->topology->topics[topic];
        if (found->schema == NULL &&
            (use == SUITE_TO_SEND || found->kind != MR_TOPIC_DEAD_LETTER)) {
            suite_wrong(reader, entry->position, "topic %s is the runtime's own", entry->name);
            continue;
        }
        if (!found->in_log) {
            suite_wrong(reader, entry->position,
                        "topic %s is never written: its boundary is memory", entry->name);
            continue;
        }
        batches[*count].topic = topic;
        read_list(reader,
                  &(struct form){.schema = found->schema,
                                 .key = found->schema == NULL ? NULL : found->key,
                                 .defaults = &reader->defaults[topic],
                                 .use = use},
                  entry, &batches[*count]);
        ++*count;
    }
    return batches;
}

static const char *stage_name(const void *topology, size_t index)
{
    return ((const struct mr_topology *)topology)->stages[index].name;
}

static const char *store_name(const void *type, size_t index)
{
    return ((const struct mr_stage *)type)->stores[index].name;
}

static size_t find_stage(struct suite_reader *reader, const struct entry *entry)
{
    return suite_find(reader,
                      &(struct suite_names){.missing = "the topology has no stage",
                                            .of = reader->topology,
                                            .count = reader->topology->stage_count,
                                            .get = stage_name},
                      entry->name, entry->position);
}

static size_t find_store(struct suite_reader *reader, const struct mr_stage_node *stage,
                         const struct entry *entry)
{
    return suite_find(reader,
                      &(struct suite_names){.missing = "the stage has no store",
                                            .of = stage->type,
                                            .count = stage->type->store_count,
                                            .get = store_name},
                      entry->name, entry->position);
}

/* `STORE: [record, ..]`, or to look at `STORE: {count: N}`. */
static void read_store(struct suite_reader *reader, const struct form *form,
                       const struct entry *entry, struct suite_batch *batch)
{
    const struct node *entries = tree_get(entry->value, "count");
    struct mr_err err = {0};

    if (form->use != SUITE_TO_FIND || entries == NULL) {
        read_list(reader, form, entry, batch);
        return;
    }
    batch->place = suite_at(reader, entry->position);
    if (!suite_is(reader, entries, NODE_SCALAR, "count")) {
        return;
    }
    if (mr_parse_int(entries->text, &batch->entries, &err) != MR_OK || batch->entries < 0) {
        suite_wrong(reader, entries->position, "count: \"%s\" is no number of entries",
                    entries->text);
    }
}

const struct suite_batch *suite_read_stores(struct suite_reader *reader, const struct node *map,
                                            enum suite_use use, size_t *count)
{
    struct suite_batch *batches;
    size_t room = 0;

    *count = 0;
    if (!suite_is(reader, map, NODE_MAP, "stores by stage")) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        room += map->entries[i].value->count;
    }
    batches = suite_alloc(reader, room, sizeof(*batches));
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *of_stage = &map->entries[i];
        const size_t stage = find_stage(reader, of_stage);

        if (stage == SIZE_MAX || !suite_is(reader, of_stage->value, NODE_MAP, of_stage->name)) {
            continue;
        }
        for (size_t n = 0; n < of_stage->value->count; n++) {
            const struct entry *entry = &of_stage->value->entries[n];
            const struct mr_stage_node *node = &reader->topology->stages[stage];
            const size_t store = find_store(reader, node, entry);

            if (store != SIZE_MAX) {
                batches[*count].stage = stage;
                batches[*count].store = store;
                read_store(reader,
                           &(struct form){.schema = node->type->stores[store].schema,
                                          .defaults = &no_defaults,
                                          .use = use},
                           entry, &batches[*count]);
                ++*count;
            }
        }
    }
    return batches;
}
