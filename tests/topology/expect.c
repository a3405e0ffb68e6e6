/* expect.c -- see expect.h. */
#include "expect.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define TOPICS_MAX 64
#define PARTITIONS_MAX 16

/* Up to where a topic has been looked at. */
struct seen {
    const char *topic; /* of the topology */
    int64_t next[PARTITIONS_MAX];
};

struct expectations {
    struct seen topics[TOPICS_MAX];
    size_t count;
};

static char place[600];

struct expectations *expectations_create(void)
{
    return mr_xcalloc(1, sizeof(struct expectations));
}

void expectations_destroy(struct expectations **expectations)
{
    free(*expectations);
    *expectations = NULL;
}

void expect_place(const char *path, int line)
{
    const char *name = strrchr(path, '/');

    snprintf(place, sizeof(place), "%.300s:%d", name == NULL ? path : name + 1, line);
}

static struct seen *seen_of(struct expectations *expectations, const char *topic)
{
    for (size_t i = 0; i < expectations->count; i++) {
        if (strcmp(expectations->topics[i].topic, topic) == 0) {
            return &expectations->topics[i];
        }
    }
    WORLD_MUST(expectations->count < TOPICS_MAX);
    expectations->topics[expectations->count] = (struct seen){.topic = topic};
    return &expectations->topics[expectations->count++];
}

static const struct mr_topic *topic_of(struct mr_world *world, const char *name)
{
    const struct mr_topology *topology = mr_world_topology(world);
    const size_t index = mr_topology_find_topic(topology, name);

    WORLD_MUST_MSG(index != SIZE_MAX, "%s: no topic %s", place, name);
    return &topology->topics[index];
}

/* ---- records as JSON ------------------------------------------------------------------------- */

static json_t *text_json(struct mr_slice text)
{
    return json_stringn(text.data == NULL ? "" : (const char *)text.data, text.len);
}

static json_t *record_json(struct mr_world *world, const struct mr_topic *topic,
                           const struct mr_world_record *record)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    json_t *value;

    if (topic->schema == NULL) {
        value = json_object();
        json_object_set_new(value, "key", text_json(record->key));
        for (size_t i = 0; i < record->header_count; i++) {
            json_object_set_new(value, record->headers[i].name,
                                text_json(record->headers[i].value));
        }
        return value;
    }
    mr_world_json(world, topic->name, record->value, &text);
    value = json_loadb((const char *)text.data, text.len, 0, NULL);
    WORLD_MUST_MSG(value != NULL, "%s: %s: unreadable JSON", place, topic->name);
    mr_buffer_fini(&text);
    return value;
}

/* Is everything that `want` says true of `got`? */
static bool one_matches(json_t *want, json_t *got)
{
    if (json_is_null(want)) {
        return got == NULL || json_is_null(got);
    }
    return got != NULL && json_equal(want, got) == 1;
}

static bool object_matches(json_t *want, json_t *got)
{
    const char *name;
    json_t *field;

    json_object_foreach(want, name, field)
    {
        if (!one_matches(field, json_object_get(got, name))) {
            return false;
        }
    }
    return true;
}

/* Fields that are arrays of objects are matched item by item, in order. */
static bool matches(json_t *want, json_t *got)
{
    const char *name;
    json_t *field;

    json_object_foreach(want, name, field)
    {
        json_t *value = json_object_get(got, name);

        if (!json_is_array(field)) {
            if (!one_matches(field, value)) {
                return false;
            }
            continue;
        }
        if (json_array_size(field) != json_array_size(value)) {
            return false;
        }
        for (size_t i = 0; i < json_array_size(field); i++) {
            if (!object_matches(json_array_get(field, i), json_array_get(value, i))) {
                return false;
            }
        }
    }
    return true;
}

/* Do both speak of the same key? By the fields that the topic is keyed by. */
static bool same_key(const struct mr_topic *topic, json_t *want, json_t *got)
{
    const char *at = topic->schema == NULL ? "key" : topic->key;

    while (*at != '\0') {
        char name[64];
        const size_t len = strcspn(at, ", ");
        json_t *value;

        WORLD_MUST(len < sizeof(name));
        memcpy(name, at, len);
        name[len] = '\0';
        value = json_object_get(want, name);
        WORLD_MUST_MSG(value != NULL, "%s: a record of %s must say its %s", place, topic->name,
                       name);
        if (!one_matches(value, json_object_get(got, name))) {
            return false;
        }
        at += len;
        at += strspn(at, ", ");
    }
    return true;
}

static void mismatch(const char *what, json_t *want, json_t *got)
{
    char *wanted = want == NULL ? NULL : json_dumps(want, JSON_COMPACT | JSON_SORT_KEYS);
    char *gotten = got == NULL ? NULL : json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);

    ck_abort_msg("%s: %s\n  expected %s\n  got      %s", place, what,
                 wanted == NULL ? "nothing" : wanted, gotten == NULL ? "nothing" : gotten);
}

/* ---- expecting ------------------------------------------------------------------------------- */

/* What came since the last look, as JSON; it is looked at now. */
static json_t *fresh(struct expectations *expectations, struct mr_world *world,
                     const struct mr_topic *topic)
{
    struct seen *seen = seen_of(expectations, topic->name);
    json_t *list = json_array();
    struct mr_world_records records;

    WORLD_MUST(topic->partitions <= PARTITIONS_MAX);
    mr_world_read(world, topic->name, &records);
    for (size_t i = 0; i < records.count; i++) {
        int64_t *next = &seen->next[records.items[i].partition];

        if (records.items[i].offset >= *next) {
            *next = records.items[i].offset + 1;
            json_array_append_new(list, record_json(world, topic, &records.items[i]));
        }
    }
    mr_world_records_fini(&records);
    return list;
}

void expect_records(struct expectations *expectations, struct mr_world *world, const char *name,
                    json_t *wanted)
{
    const struct mr_topic *topic = topic_of(world, name);
    json_t *got;

    mr_world_settle(world);
    got = fresh(expectations, world, topic);
    for (size_t w = 0; w < json_array_size(wanted); w++) {
        json_t *want = json_array_get(wanted, w);
        json_t *first = NULL;
        size_t at = 0;

        for (; at < json_array_size(got) && first == NULL; at++) {
            if (same_key(topic, want, json_array_get(got, at))) {
                first = json_array_get(got, at);
            }
        }
        if (first == NULL || !matches(want, first)) {
            mismatch(name, want, first);
        }
        json_array_remove(got, at - 1);
    }
    if (json_array_size(got) > 0) {
        mismatch(name, NULL, json_array_get(got, 0));
    }
    json_decref(got);
}

void expect_anything(struct expectations *expectations, struct mr_world *world, const char *name)
{
    mr_world_settle(world);
    json_decref(fresh(expectations, world, topic_of(world, name)));
}

void expect_last(struct mr_world *world, const char *name, json_t *wanted)
{
    const struct mr_topic *topic = topic_of(world, name);
    struct mr_world_records records;

    mr_world_settle(world);
    mr_world_read(world, name, &records);
    mr_world_latest(&records);
    for (size_t w = 0; w < json_array_size(wanted); w++) {
        json_t *want = json_array_get(wanted, w);
        json_t *got = NULL;

        for (size_t i = 0; i < records.count; i++) {
            json_t *value = record_json(world, topic, &records.items[i]);

            /* Keys finer than the topic's fields (a candle's): the last one that fits. */
            if (same_key(topic, want, value) && (got == NULL || matches(want, value))) {
                json_decref(got);
                got = json_incref(value);
            }
            json_decref(value);
        }
        if (got == NULL || !matches(want, got)) {
            mismatch(name, want, got);
        }
        json_decref(got);
    }
    mr_world_records_fini(&records);
}

void expect_nothing_left(struct expectations *expectations, struct mr_world *world)
{
    const struct mr_topology *topology = mr_world_topology(world);

    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct mr_topic *topic = &topology->topics[i];
        const size_t before = expectations->count;

        if (topic->kind == MR_TOPIC_CHANGELOG) {
            continue;
        }
        (void)seen_of(expectations, topic->name);
        if (expectations->count == before || topic->kind == MR_TOPIC_DEAD_LETTER) {
            json_t *nothing = json_array();

            expect_records(expectations, world, topic->name, nothing);
            json_decref(nothing);
        }
    }
}
