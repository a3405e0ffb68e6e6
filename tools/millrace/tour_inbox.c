/* tour_inbox.c -- see tour_inbox.h. */
#include "tour_inbox.h"

#include "avro/balance.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "avro/position.h"
#include "avro/risk_event.h"
#include "millrace/arena.h"
#include "millrace/buffer.h"

#include <stdlib.h>

#define POLL_US (20 * 1000)
#define TOPIC_COUNT 5

/* Reports of an order come in order; of a user's orders settle's may overtake each other. */
static const struct {
    const char *name;
    const struct mr_schema *schema;
    const char *key[2];
    bool counts; /* each record must be expected, or it is a difference */
} topics[TOPIC_COUNT] = {
    {"executions", &oms_execution_report_schema, {"orderId", NULL}, true},
    {"risk-events", &oms_risk_event_schema, {"userId", NULL}, true},
    {"ledger", &oms_ledger_entry_schema, {"userId", NULL}, false},
    {"balances", &oms_balance_schema, {"userId", "asset"}, false},
    {"positions", &oms_position_schema, {"userId", "symbol"}, false},
};

struct came {
    size_t topic;
    json_t *value;
    bool taken;
};

struct source {
    struct tour_inbox *inbox;
    size_t topic;
};

struct tour_inbox {
    const struct load_env *env;
    const char *prefix;
    struct load_feed *feed;
    struct source sources[TOPIC_COUNT];
    struct came *items;
    size_t count, capacity;
};

static size_t find_topic(const char *name)
{
    for (size_t t = 0; t < TOPIC_COUNT; t++) {
        if (strcmp(topics[t].name, name) == 0) {
            return t;
        }
    }
    return SIZE_MAX;
}

bool tour_inbox_has(const char *topic)
{
    return find_topic(topic) != SIZE_MAX;
}

/* The fields that begin with the prefix, without it. */
static void strip(const struct tour_inbox *inbox, json_t *object)
{
    const size_t len = strlen(inbox->prefix);
    const char *name;
    json_t *field;
    void *next;

    json_object_foreach_safe(object, next, name, field)
    {
        const char *text = json_string_value(field);

        if (text != NULL && strncmp(text, inbox->prefix, len) == 0) {
            (void)json_object_set_new(object, name, json_string(text + len));
        }
    }
}

static enum mr_status on_record(void *arg, const struct load_record *record, struct mr_err *err)
{
    const struct source *source = arg;
    struct tour_inbox *inbox = source->inbox;
    struct mr_buffer text = MR_BUFFER_EMPTY;
    const struct mr_slice prefix = mr_slice_str(inbox->prefix);
    json_t *value;

    /* All of these topics are keyed by the user first. */
    if (record->value == NULL || record->key.len < prefix.len ||
        memcmp(record->key.data, prefix.data, prefix.len) != 0) {
        return MR_OK;
    }
    mr_json_write_record(topics[source->topic].schema, record->value, &text);
    value = json_loadb((const char *)text.data, text.len, 0, NULL);
    mr_buffer_fini(&text);
    if (value == NULL) {
        return mr_fail(err, MR_MALFORMED, "a record of %s is no JSON", record->topic);
    }
    strip(inbox, value);
    if (inbox->count == inbox->capacity) {
        inbox->capacity = inbox->capacity == 0 ? 256 : 2 * inbox->capacity;
        inbox->items = mr_xrealloc(inbox->items, inbox->capacity * sizeof(*inbox->items));
    }
    inbox->items[inbox->count++] = (struct came){.topic = source->topic, .value = value};
    return MR_OK;
}

static enum mr_status add_topics(struct tour_inbox *inbox, struct mr_err *err)
{
    for (size_t t = 0; t < TOPIC_COUNT; t++) {
        int64_t ends[LOAD_PARTITIONS_MAX];
        int32_t partitions = 0;

        inbox->sources[t] = (struct source){.inbox = inbox, .topic = t};
        MR_TRY(load_ends(inbox->env, topics[t].name, ends, &partitions, err));
        MR_TRY(load_feed_add(inbox->feed,
                             &(struct load_source){.topic = topics[t].name,
                                                   .schema = topics[t].schema,
                                                   .offsets = ends,
                                                   .visit = on_record,
                                                   .arg = &inbox->sources[t]},
                             err));
    }
    return MR_OK;
}

enum mr_status tour_inbox_open(const struct load_env *env, const char *prefix,
                               struct tour_inbox **inbox, struct mr_err *err)
{
    struct tour_inbox *made = mr_xcalloc(1, sizeof(*made));
    enum mr_status status;

    made->env = env;
    made->prefix = prefix;
    status = load_feed_open(env, &made->feed, err);
    if (status == MR_OK) {
        status = add_topics(made, err);
    }
    *inbox = made;
    if (status != MR_OK) {
        tour_inbox_close(inbox);
    }
    return status;
}

enum mr_status tour_inbox_step(struct tour_inbox *inbox, struct mr_err *err)
{
    size_t delivered = 0;

    MR_TRY(load_feed_step(inbox->feed, inbox->env->pump == NULL ? POLL_US : 0, &delivered, err));
    return delivered > 0 ? MR_OK : load_idle(inbox->env, 0, err);
}

enum mr_status tour_inbox_catch_up(struct tour_inbox *inbox, int64_t wait_us, struct mr_err *err)
{
    return load_feed_catch_up(inbox->feed, wait_us, err);
}

void tour_inbox_close(struct tour_inbox **inbox)
{
    struct tour_inbox *old = *inbox;

    if (old == NULL) {
        return;
    }
    load_feed_close(&old->feed);
    for (size_t i = 0; i < old->count; i++) {
        json_decref(old->items[i].value);
    }
    free(old->items);
    free(old);
    *inbox = NULL;
}

/* Absent and null are the same. */
static bool one_matches(const json_t *want, const json_t *got)
{
    if (json_is_null(want)) {
        return got == NULL || json_is_null(got);
    }
    return got != NULL && json_equal(want, got) == 1;
}

bool tour_matches(const json_t *want, const json_t *got)
{
    json_t *fields = json_incref((json_t *)(uintptr_t)want);
    const char *name;
    json_t *field;
    bool matches = true;

    json_object_foreach(fields, name, field)
    {
        matches = matches && one_matches(field, json_object_get(got, name));
    }
    json_decref(fields);
    return matches;
}

static bool same_key(size_t topic, const json_t *want, const json_t *got)
{
    for (size_t k = 0; k < MR_COUNT(topics[topic].key) && topics[topic].key[k] != NULL; k++) {
        const char *name = topics[topic].key[k];

        if (!one_matches(json_object_get(want, name), json_object_get(got, name))) {
            return false;
        }
    }
    return true;
}

json_t *tour_inbox_next(struct tour_inbox *inbox, const char *topic, const json_t *want)
{
    const size_t t = find_topic(topic);

    for (size_t i = 0; i < inbox->count; i++) {
        const struct came *came = &inbox->items[i];

        if (came->topic == t && !came->taken && same_key(t, want, came->value)) {
            return came->value;
        }
    }
    return NULL;
}

json_t *tour_inbox_last(struct tour_inbox *inbox, const char *topic, const json_t *want)
{
    const size_t t = find_topic(topic);
    json_t *last = NULL;

    for (size_t i = 0; i < inbox->count; i++) {
        if (inbox->items[i].topic == t && same_key(t, want, inbox->items[i].value)) {
            last = inbox->items[i].value;
        }
    }
    return last;
}

void tour_inbox_take(struct tour_inbox *inbox, const json_t *record)
{
    for (size_t i = 0; i < inbox->count; i++) {
        if (inbox->items[i].value == record) {
            inbox->items[i].taken = true;
        }
    }
}

json_t *tour_inbox_left(struct tour_inbox *inbox, const char **topic)
{
    for (size_t i = 0; i < inbox->count; i++) {
        struct came *came = &inbox->items[i];

        if (!came->taken && topics[came->topic].counts) {
            came->taken = true;
            *topic = topics[came->topic].name;
            return came->value;
        }
    }
    return NULL;
}
