/*
 * topics.c -- topics and their configuration, and how far a partition may be read.
 */
#include "memory.h"

#include <stdlib.h>

#define NAME_BYTES_MAX ((size_t)249) /* Kafka's */
#define PARTITIONS_MAX 10000
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

struct memory_topic *memory_topic_find(const struct memory_log *log, const char *name)
{
    for (size_t i = 0; i < log->topic_count; i++) {
        /* Callers mostly pass a name that this log handed out. */
        if (log->topics[i]->name == name || strcmp(log->topics[i]->name, name) == 0) {
            return log->topics[i];
        }
    }
    return NULL;
}

struct memory_partition *memory_partition_find(const struct memory_log *log, const char *topic,
                                               int32_t partition)
{
    struct memory_topic *found = memory_topic_find(log, topic);

    if (found == NULL || partition < 0 || partition >= found->partition_count) {
        return NULL;
    }
    return &found->partitions[partition];
}

enum mr_status memory_unknown(struct mr_err *err, const char *topic, int32_t partition)
{
    return mr_fail(err, MR_CONFIG, "memory: no such topic or partition: %s [%d]", topic, partition);
}

static struct memory_config *config_find(const struct memory_topic *topic, const char *name)
{
    for (size_t i = 0; i < topic->config_count; i++) {
        if (strcmp(topic->configs[i].name, name) == 0) {
            return &topic->configs[i];
        }
    }
    return NULL;
}

static void config_set(struct memory_topic *topic, const struct mr_topic_config *config)
{
    struct memory_config *old = config_find(topic, config->name);

    if (old == NULL) {
        topic->configs =
            mr_xrealloc(topic->configs, (topic->config_count + 1) * sizeof(*topic->configs));
        old = &topic->configs[topic->config_count++];
        *old = (struct memory_config){.name = mr_xstrdup(config->name)};
    }
    free(old->value);
    old->value = mr_xstrdup(config->value);
}

/* The limit of a record: the topic's own, or a broker's default. */
static void apply_limit(struct memory_topic *topic)
{
    const struct memory_config *limit = config_find(topic, "max.message.bytes");

    topic->record_bytes_max = MEMORY_RECORD_BYTES_MAX;
    if (limit != NULL) {
        topic->record_bytes_max = (size_t)strtoull(limit->value, NULL, 10);
    }
}

static void set_all(struct memory_topic *topic, const struct mr_topic_spec *spec)
{
    for (size_t i = 0; i < spec->config_count; i++) {
        config_set(topic, &spec->configs[i]);
    }
    apply_limit(topic);
}

static enum mr_status check_spec(const struct mr_topic_spec *spec, struct mr_err *err)
{
    const size_t bytes = strlen(spec->name);

    if (bytes == 0 || bytes > NAME_BYTES_MAX || strspn(spec->name, NAME_CHARACTERS) != bytes) {
        return mr_fail(err, MR_CONFIG, "memory: not a topic name: '%s'", spec->name);
    }
    if (spec->partitions < 1 || spec->partitions > PARTITIONS_MAX) {
        return mr_fail(err, MR_CONFIG, "memory: topic %s: %d partitions, 1 to %d are possible",
                       spec->name, spec->partitions, PARTITIONS_MAX);
    }
    return MR_OK;
}

static void topic_add(struct memory_log *log, const struct mr_topic_spec *spec)
{
    struct memory_topic *topic = mr_xcalloc(1, sizeof(*topic));

    topic->name = mr_xstrdup(spec->name);
    topic->partition_count = spec->partitions;
    topic->partitions = mr_xcalloc((size_t)spec->partitions, sizeof(*topic->partitions));
    for (int32_t i = 0; i < spec->partitions; i++) {
        topic->partitions[i].topic = topic->name;
        topic->partitions[i].number = i;
        topic->partitions[i].index = log->partition_count++;
        topic->partitions[i].hidden = &log->hidden;
    }
    set_all(topic, spec);
    log->topics = mr_xrealloc(log->topics, (log->topic_count + 1) * sizeof(struct memory_topic *));
    log->topics[log->topic_count++] = topic;
}

static void partition_fini(struct memory_partition *partition)
{
    const size_t blocks =
        ((size_t)partition->end + MEMORY_BLOCK_ENTRIES - 1) / MEMORY_BLOCK_ENTRIES;

    for (size_t i = 0; i < blocks; i++) {
        free(partition->blocks[i]);
    }
    free(partition->blocks);
    free(partition->open);
}

void memory_topic_destroy(struct memory_topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++) {
        partition_fini(&topic->partitions[i]);
    }
    for (size_t i = 0; i < topic->config_count; i++) {
        free(topic->configs[i].name);
        free(topic->configs[i].value);
    }
    free(topic->partitions);
    free(topic->configs);
    free(topic->name);
    free(topic);
}

/* Groups take a new topic of theirs in: whoever subscribes to it joins again. */
static void rebalance_subscribers(struct memory_log *log, const char *topic)
{
    for (size_t i = 0; i < log->group_count; i++) {
        struct memory_group *group = log->groups[i];
        bool subscribed = false;

        for (size_t k = 0; k < group->place_count; k++) {
            subscribed = subscribed || memory_place_subscribes(group->places[k], topic);
        }
        if (subscribed) {
            memory_group_rebalance(log, group);
        }
    }
}

enum mr_status memory_topic_create(struct mr_log *base, const struct mr_topic_spec *spec,
                                   struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    enum mr_status status = MR_OK;

    MR_TRY(check_spec(spec, err));
    (void)memory_enter(log);
    if (memory_topic_find(log, spec->name) != NULL) {
        status = mr_fail(err, MR_EXISTS, "memory: topic %s exists", spec->name);
    } else {
        topic_add(log, spec);
        rebalance_subscribers(log, spec->name);
    }
    memory_leave(log);
    return status;
}

enum mr_status memory_topic_alter(struct mr_log *base, const struct mr_topic_spec *spec,
                                  struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_topic *topic;
    enum mr_status status = MR_OK;

    (void)memory_enter(log);
    topic = memory_topic_find(log, spec->name);
    if (topic == NULL) {
        status = memory_unknown(err, spec->name, 0);
    } else {
        set_all(topic, spec);
    }
    memory_leave(log);
    return status;
}

enum mr_status memory_topic_partitions(struct mr_log *base, const char *name, int32_t *partitions,
                                       struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    const struct memory_topic *topic;

    (void)err;
    (void)memory_enter(log);
    topic = memory_topic_find(log, name);
    *partitions = topic == NULL ? 0 : topic->partition_count;
    memory_leave(log);
    return MR_OK;
}

enum mr_status memory_topic_config(struct mr_log *base, const char *name, const char *config_name,
                                   char *buffer, size_t bytes, struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    const struct memory_topic *topic;
    const struct memory_config *config;
    enum mr_status status = MR_OK;

    MR_ASSERT(bytes > 0);
    buffer[0] = '\0';
    (void)memory_enter(log);
    topic = memory_topic_find(log, name);
    if (topic == NULL) {
        status = memory_unknown(err, name, 0);
    } else {
        config = config_find(topic, config_name);
        if (config != NULL && strlen(config->value) >= bytes) {
            status = mr_fail(err, MR_TOO_LARGE, "memory: %s of topic %s does not fit %zu bytes",
                             config_name, name, bytes);
        } else if (config != NULL) {
            memcpy(buffer, config->value, strlen(config->value) + 1);
        }
    }
    memory_leave(log);
    return status;
}

enum mr_status memory_watermarks(struct mr_log *base, const char *topic, int32_t partition,
                                 int64_t *low, int64_t *stable_end, struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    const struct memory_partition *found;
    struct memory_fault fault;
    enum mr_status status = MR_OK;

    (void)memory_enter(log);
    found = memory_partition_find(log, topic, partition);
    if (memory_fault_due(log, MR_LOG_CALL_WATERMARKS, &fault)) {
        status = memory_fault_fail(&fault, err);
    } else if (found == NULL) {
        status = memory_unknown(err, topic, partition);
    } else {
        *low = 0;
        *stable_end = memory_partition_stable(found);
    }
    memory_leave(log);
    return status;
}

enum mr_status memory_end(struct mr_log *base, const char *topic, int32_t partition, int64_t *end,
                          struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    const struct memory_partition *found;
    struct memory_fault fault;
    enum mr_status status = MR_OK;

    (void)memory_enter(log);
    found = memory_partition_find(log, topic, partition);
    if (memory_fault_due(log, MR_LOG_CALL_LAST, &fault)) {
        status = memory_fault_fail(&fault, err);
    } else if (found == NULL) {
        status = memory_unknown(err, topic, partition);
    } else {
        *end = found->end;
    }
    memory_leave(log);
    return status;
}

enum mr_status memory_topic_names(struct mr_log *base, void (*visit)(void *arg, const char *topic),
                                  void *arg, struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);

    (void)err;
    (void)memory_enter(log);
    for (size_t i = 0; i < log->topic_count; i++) {
        visit(arg, log->topics[i]->name);
    }
    memory_leave(log);
    return MR_OK;
}
