/* expect.c -- see expect.h: records of topics. */
#include "expect.h"

#include "millrace/log.h"

#include <stdlib.h>

#define SHOWN_MAX 5

/* A list of records as JSON. */
struct list {
    json_t **items;
    size_t count;
};

static void list_add(struct list *list, json_t *item)
{
    list->items = mr_xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = item;
}

static void list_fini(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        json_decref(list->items[i]);
    }
    free(list->items);
    *list = (struct list){0};
}

/* ---- how far was looked ---------------------------------------------------------------------- */

void suite_looks_init(struct suite_run *run)
{
    const struct mr_topology *topology = run->suite->topology;

    run->watched = mr_xcalloc(topology->topic_count, sizeof(*run->watched));
    run->next = mr_xcalloc(topology->topic_count, sizeof(*run->next));
    for (size_t i = 0; i < topology->topic_count; i++) {
        run->next[i] = mr_xcalloc((size_t)topology->topics[i].partitions, sizeof(**run->next));
    }
}

void suite_looks_fini(struct suite_run *run)
{
    for (size_t i = 0; i < run->suite->topology->topic_count; i++) {
        free(run->next[i]);
    }
    free(run->next);
    free(run->watched);
}

static void look_past(struct suite_run *run, size_t topic)
{
    const struct mr_topic *of = &run->suite->topology->topics[topic];

    for (int32_t p = 0; of->in_log && p < of->partitions; p++) {
        struct mr_err err = {0};
        int64_t low;

        WORLD_MUST_MSG(mr_log_watermarks(mr_world_log(run->world), of->name, p, &low,
                                         &run->next[topic][p], &err) == MR_OK,
                       "%s", err.text);
    }
}

void suite_ignore(struct suite_run *run, size_t topic)
{
    run->watched[topic] = true;
    look_past(run, topic);
}

void suite_ignore_all(struct suite_run *run)
{
    for (size_t i = 0; i < run->suite->topology->topic_count; i++) {
        if (run->suite->topology->topics[i].kind == MR_TOPIC_DECLARED) {
            look_past(run, i);
        }
    }
}

/* ---- records as JSON ------------------------------------------------------------------------- */

/* Its fields, or of a dead letter its headers; and its key. */
static json_t *came_json(struct suite_run *run, const struct mr_topic *topic,
                         const struct mr_world_record *record)
{
    json_t *object = json_object();
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_err err = {0};

    (void)json_object_set_new(object, SUITE_KEY, suite_key_json(record->key));
    if (!record->has_value) {
        (void)json_object_set_new(object, SUITE_TOMBSTONE, json_true());
    }
    for (size_t i = 0; topic->schema == NULL && i < record->header_count; i++) {
        (void)json_object_set_new(object, record->headers[i].name,
                                  suite_key_json(record->headers[i].value));
    }
    if (topic->schema != NULL && record->has_value &&
        mr_world_try_json(run->world, topic->name, record->value, &text, &err) == MR_OK) {
        json_t *fields = json_loadb((const char *)text.data, text.len, 0, NULL);

        (void)json_object_update(object, fields);
        json_decref(fields);
    } else if (topic->schema != NULL && record->has_value) {
        (void)json_object_set_new(object, SUITE_RAW, suite_key_json(record->value));
    }
    mr_buffer_fini(&text);
    return object;
}

static json_t *wanted_json(struct suite_run *run, const struct mr_topic *topic,
                           const struct suite_record *record)
{
    struct suite_blame blame;
    json_t *object = suite_canonical_fields(topic->schema, record->fields, &run->clock, &blame);

    WORLD_MUST_MSG(object != NULL, "%s", blame.text); /* it was tried when it was read */
    if (record->has_key) {
        (void)json_object_set_new(object, SUITE_KEY, suite_key_json(record->key));
    }
    if (record->no_value) {
        (void)json_object_set_new(object, SUITE_TOMBSTONE, json_true());
    }
    return object;
}

/* Do both speak of the same key? By the fields that the topic is keyed by, where there are any. */
static bool same_key(const struct mr_topic *topic, json_t *want, json_t *got)
{
    const bool by_fields = topic->schema != NULL && json_object_get(want, SUITE_TOMBSTONE) == NULL;
    const char *at = by_fields ? topic->key : SUITE_KEY;
    char name[SUITE_NAME_MAX];

    while (suite_next_key_field(&at, name)) {
        json_t *value = json_object_get(want, name);

        if (value == NULL || json_equal(value, json_object_get(got, name)) != 1) {
            return false;
        }
    }
    return true;
}

/* ---- failing --------------------------------------------------------------------------------- */

void suite_failed(struct suite_run *run, struct suite_place place)
{
    if (run->result->passed) {
        run->result->passed = false;
        run->result->place = place;
    }
}

static void show(struct suite_run *run, const struct suite_batch *batch, const char *topic,
                 const struct suite_pair *pair, size_t *shown)
{
    const struct suite_place place = pair->record != NULL ? pair->record->place : batch->place;

    suite_failed(run, place);
    if (*shown < SHOWN_MAX) {
        suite_diff(&run->result->text, place, topic, pair->want, pair->got);
    } else if (*shown == SHOWN_MAX) {
        mr_buffer_printf(&run->result->text, "and more of %s\n", topic);
    }
    ++*shown;
}

/* ---- everything since the last look ---------------------------------------------------------- */

static void take_fresh(struct suite_run *run, size_t index, struct list *list)
{
    const struct mr_topic *topic = &run->suite->topology->topics[index];
    struct mr_world_records records;

    mr_world_read(run->world, topic->name, &records);
    for (size_t i = 0; i < records.count; i++) {
        int64_t *next = &run->next[index][records.items[i].partition];

        if (records.items[i].offset >= *next) {
            *next = records.items[i].offset + 1;
            list_add(list, came_json(run, topic, &records.items[i]));
        }
    }
    mr_world_records_fini(&records);
}

/* The items from `from` on that have the key of `key`, in out; taken[i]: they were. */
static struct list of_key(const struct mr_topic *topic, const struct list *list, json_t *key,
                          bool *taken)
{
    struct list out = {0};

    for (size_t i = 0; i < list->count; i++) {
        if (!taken[i] && same_key(topic, key, list->items[i])) {
            taken[i] = true;
            list_add(&out, json_incref(list->items[i]));
        }
    }
    return out;
}

static const struct suite_record *record_of(const struct suite_batch *batch,
                                            const struct list *wanted, json_t *want)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (wanted->items[i] == want) {
            return &batch->records[i];
        }
    }
    return NULL;
}

/* Two lists of records in order, key by key. */
static void compare_lists(struct suite_run *run, const struct suite_batch *batch,
                          const struct list *wanted, const struct list *came)
{
    const struct mr_topic *topic = &run->suite->topology->topics[batch->topic];
    bool *want_taken = mr_xcalloc(wanted->count + 1, sizeof(*want_taken));
    bool *got_taken = mr_xcalloc(came->count + 1, sizeof(*got_taken));
    size_t shown = 0;

    for (size_t i = 0; i < wanted->count; i++) {
        struct list want;
        struct list got;
        struct suite_pair *pairs;
        size_t count;

        if (want_taken[i]) {
            continue;
        }
        got = of_key(topic, came, wanted->items[i], got_taken);
        want = of_key(topic, wanted, wanted->items[i], want_taken);
        pairs = mr_xcalloc(want.count + got.count, sizeof(*pairs));
        count = suite_align(want.items, want.count, got.items, got.count, pairs);
        for (size_t p = 0; p < count; p++) {
            pairs[p].record = record_of(batch, wanted, pairs[p].want);
            if (pairs[p].want == NULL || pairs[p].got == NULL ||
                suite_differences(pairs[p].want, pairs[p].got) > 0) {
                show(run, batch, topic->name, &pairs[p], &shown);
            }
        }
        free(pairs);
        list_fini(&want);
        list_fini(&got);
    }
    for (size_t i = 0; i < came->count; i++) {
        if (!got_taken[i]) {
            show(run, batch, topic->name, &(struct suite_pair){.got = came->items[i]}, &shown);
        }
    }
    free(want_taken);
    free(got_taken);
}

bool suite_expect(struct suite_run *run, const struct suite_batch *batch)
{
    const struct mr_topic *topic = &run->suite->topology->topics[batch->topic];
    struct list wanted = {0};
    struct list came = {0};

    run->watched[batch->topic] = true;
    for (size_t i = 0; i < batch->count; i++) {
        list_add(&wanted, wanted_json(run, topic, &batch->records[i]));
    }
    take_fresh(run, batch->topic, &came);
    compare_lists(run, batch, &wanted, &came);
    list_fini(&wanted);
    list_fini(&came);
    return run->result->passed;
}

bool suite_expect_nothing_left(struct suite_run *run)
{
    const struct mr_topology *topology = run->suite->topology;

    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct suite_batch nothing = {.place = run->played->place, .topic = i};

        if (run->watched[i] || topology->topics[i].kind == MR_TOPIC_DEAD_LETTER) {
            (void)suite_expect(run, &nothing);
        }
    }
    return run->result->passed;
}

/* ---- the last of each key -------------------------------------------------------------------- */

/* Keys may be finer than the topic's fields (a candle's): the last that fits, else the nearest. */
static json_t *nearest(const struct mr_topic *topic, const struct list *latest, json_t *want)
{
    json_t *found = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < latest->count; i++) {
        if (same_key(topic, want, latest->items[i])) {
            const size_t differ = suite_differences(want, latest->items[i]);

            if (differ <= least) {
                least = differ;
                found = latest->items[i];
            }
        }
    }
    return found;
}

bool suite_expect_last(struct suite_run *run, const struct suite_batch *batch)
{
    const struct mr_topic *topic = &run->suite->topology->topics[batch->topic];
    struct mr_world_records records;
    struct list latest = {0};
    size_t shown = 0;

    mr_world_read(run->world, topic->name, &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        list_add(&latest, came_json(run, topic, &records.items[i]));
    }
    for (size_t i = 0; i < batch->count; i++) {
        struct suite_pair pair = {.record = &batch->records[i],
                                  .want = wanted_json(run, topic, &batch->records[i])};

        pair.got = nearest(topic, &latest, pair.want);
        if (batch->records[i].no_value
                ? pair.got != NULL
                : pair.got == NULL || suite_differences(pair.want, pair.got) > 0) {
            show(run, batch, topic->name, &pair, &shown);
        }
        json_decref(pair.want);
    }
    list_fini(&latest);
    mr_world_records_fini(&records);
    return run->result->passed;
}
