/* apply.c -- see apply.h. */
#include "apply.h"

#include "millrace/arena.h"
#include "subject_list.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Creating a topic is mostly waiting for the brokers to agree. */
#define THREADS_MAX 8
#define COMPATIBILITY "BACKWARD"

struct work {
    const struct mr_topology *topology;
    struct mr_log *log;
    struct mr_registry *registry;
    const struct apply_options *options;
    struct apply_report *report;
    atomic_size_t next;
    void (*step)(struct work *work, struct apply_item *item);
};

/* ---- looking */

static void note(struct apply_item *item, const char *name, const char *have, const char *want)
{
    const size_t len = strlen(item->detail);

    (void)snprintf(item->detail + len, sizeof(item->detail) - len, "%s%.60s is %.60s, not %.60s",
                   len == 0 ? "" : "; ", name, have[0] == '\0' ? "unset" : have, want);
}

static enum mr_status compare_configs(struct work *work, struct apply_item *item,
                                      const struct mr_topic *topic)
{
    for (size_t i = 0; i < topic->config_count; i++) {
        char value[256];
        MR_TRY(mr_log_topic_config(work->log, topic->name, topic->configs[i].name, value,
                                   sizeof(value), &item->err));
        if (strcmp(value, topic->configs[i].value) != 0) {
            note(item, topic->configs[i].name, value, topic->configs[i].value);
        }
    }
    return MR_OK;
}

static enum mr_status look_at_topic(struct work *work, struct apply_item *item)
{
    const struct mr_topic *topic = &work->topology->topics[item->topic];
    int32_t partitions = 0;

    MR_TRY(mr_log_topic_partitions(work->log, topic->name, &partitions, &item->err));
    if (partitions == 0) {
        item->action = APPLY_CREATE;
        return MR_OK;
    }
    if (partitions != topic->partitions) {
        item->action = APPLY_REFUSED;
        (void)snprintf(item->detail, sizeof(item->detail),
                       "has %d partitions, not %d: keys would move to other tasks; use a new topic "
                       "or the old number",
                       partitions, topic->partitions);
        return MR_OK;
    }
    MR_TRY(compare_configs(work, item, topic));
    if (item->detail[0] != '\0') {
        item->action = work->options->alter ? APPLY_ALTER : APPLY_REFUSED;
        const size_t len = strlen(item->detail);
        (void)snprintf(item->detail + len, sizeof(item->detail) - len, "%s",
                       work->options->alter ? "" : "; --alter changes it");
    }
    return MR_OK;
}

static enum mr_status look_at_subject(struct work *work, struct apply_item *item)
{
    const char *json = item->schema->json;
    const struct mr_registry_ops *ops = work->registry->ops;
    bool compatible = false;

    const enum mr_status status =
        ops->lookup(work->registry, item->name, json, &item->schema_id, &item->err);
    if (status != MR_SCHEMA_UNKNOWN) {
        return status;
    }
    MR_TRY(ops->compatible(work->registry, item->name, json, &compatible, &item->err));
    item->action = compatible ? APPLY_CREATE : APPLY_REFUSED;
    if (!compatible) {
        (void)snprintf(
            item->detail, sizeof(item->detail),
            "schema %s cannot read what the subject's latest version wrote (" COMPATIBILITY
            "): give new fields defaults, remove none that others need",
            item->schema->name);
    }
    return MR_OK;
}

static void look(struct work *work, struct apply_item *item)
{
    item->status = item->subject ? look_at_subject(work, item) : look_at_topic(work, item);
}

/* ---- doing */

static enum mr_status change_topic(struct work *work, struct apply_item *item)
{
    const struct mr_topic *topic = &work->topology->topics[item->topic];
    const struct mr_topic_spec spec = {
        .name = topic->name,
        .partitions = topic->partitions,
        .replication = topic->replication,
        .configs = topic->configs,
        .config_count = topic->config_count,
    };

    if (item->action == APPLY_ALTER) {
        return mr_log_topic_alter(work->log, &spec, &item->err);
    }
    const enum mr_status status = mr_log_topic_create(work->log, &spec, &item->err);
    /* Another apply at the same time was faster; the next one compares. */
    return status == MR_EXISTS ? MR_OK : status;
}

/* The level after the schema: some registries only know a subject that has one. */
static enum mr_status change_subject(struct work *work, struct apply_item *item)
{
    const char *json = item->schema->json;
    const struct mr_registry_ops *ops = work->registry->ops;

    MR_TRY(ops->register_schema(work->registry, item->name, json, &item->schema_id, &item->err));
    return ops->set_compatibility(work->registry, item->name, COMPATIBILITY, &item->err);
}

static void change(struct work *work, struct apply_item *item)
{
    if (item->action == APPLY_CREATE || item->action == APPLY_ALTER) {
        item->status = item->subject ? change_subject(work, item) : change_topic(work, item);
    }
}

/* ---- all items, a few at a time */

static void *worker(void *arg)
{
    struct work *work = arg;

    for (;;) {
        const size_t at = atomic_fetch_add(&work->next, 1);
        if (at >= work->report->count) {
            return NULL;
        }
        work->step(work, &work->report->items[at]);
    }
}

static enum mr_status for_all(struct work *work,
                              void (*step)(struct work *work, struct apply_item *item),
                              struct mr_err *err)
{
    pthread_t threads[THREADS_MAX - 1];
    size_t started = 0;

    work->step = step;
    atomic_store(&work->next, 0);
    while (started < MR_COUNT(threads) && started + 1 < work->report->count &&
           pthread_create(&threads[started], NULL, worker, work) == 0) {
        started++;
    }
    (void)worker(work); /* this thread too: it works when no other could be started */
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < work->report->count; i++) {
        const struct apply_item *item = &work->report->items[i];
        if (item->status != MR_OK) {
            return mr_fail(err, item->status, "%s %s: %.300s", item->subject ? "subject" : "topic",
                           item->name, item->err.text);
        }
    }
    return MR_OK;
}

static void add_subject(void *arg, const struct subject_of *subject)
{
    struct apply_report *report = arg;

    report->items[report->count++] = (struct apply_item){
        .topic = subject->topic, .name = subject->name, .schema = subject->schema, .subject = true};
}

static void list_items(const struct mr_topology *topology, bool subjects,
                       struct apply_report *report)
{
    const size_t capacity = topology->topic_count + subject_list_max(topology);

    *report = (struct apply_report){0};
    report->items = mr_xcalloc(capacity, sizeof(*report->items));
    for (size_t i = 0; i < topology->topic_count; i++) {
        if (topology->topics[i].in_log) {
            report->items[report->count++] =
                (struct apply_item){.topic = i, .name = topology->topics[i].name};
        }
    }
    if (subjects) {
        subject_list(topology, add_subject, report);
    }
}

static enum mr_status refusal(const struct apply_report *report, struct mr_err *err)
{
    const struct apply_item *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].action == APPLY_REFUSED) {
            first = first == NULL ? &report->items[i] : first;
            count++;
        }
    }
    if (first == NULL) {
        return MR_OK;
    }
    return mr_fail(err, MR_EXISTS, "nothing changed: %zu refused, first %s %s: %.256s", count,
                   first->subject ? "subject" : "topic", first->name, first->detail);
}

enum mr_status apply_look(const struct mr_topology *topology, struct mr_log *log,
                          struct mr_registry *registry, bool alter, struct apply_report *report,
                          struct mr_err *err)
{
    const struct apply_options options = {.alter = alter};
    struct work work = {.topology = topology,
                        .log = log,
                        .registry = registry,
                        .options = &options,
                        .report = report};

    list_items(topology, registry != NULL, report);
    return for_all(&work, look, err);
}

enum mr_status apply_change(const struct mr_topology *topology, struct mr_log *log,
                            struct mr_registry *registry, struct apply_report *report,
                            struct mr_err *err)
{
    struct work work = {.topology = topology, .log = log, .registry = registry, .report = report};

    MR_TRY(for_all(&work, change, err));
    report->changed = true;
    return MR_OK;
}

enum mr_status mr_topology_apply(const struct mr_topology *topology, struct mr_log *log,
                                 struct mr_registry *registry, const struct apply_options *options,
                                 struct apply_report *report, struct mr_err *err)
{
    MR_TRY(apply_look(topology, log, registry, options->alter, report, err));
    MR_TRY(refusal(report, err));
    return options->dry_run ? MR_OK : apply_change(topology, log, registry, report, err);
}
