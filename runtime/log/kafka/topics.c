/*
 * topics.c -- topic administration: how many partitions, which configuration, create, alter.
 *
 * librdkafka 2.0.2 knows AlterConfigs only, which replaces a topic's whole configuration, so an
 * alteration first reads what is set and sends it along.
 */
#include "kafka.h"

#include <stdio.h>

#define ANSWER_MS 10000
/* Also what a process waits for between two words about a missing broker. */
#define METADATA_MS 2000
#define USABLE_MS 15000
#define USABLE_STEP_MS 50

/* The topic's own part of a metadata answer: unknown is an answer, anything else is not one yet. */
static enum mr_status partitions_of(const struct kafka_log *log,
                                    const struct rd_kafka_metadata *metadata, int32_t *partitions,
                                    struct mr_err *err)
{
    const struct rd_kafka_metadata_topic *topic = &metadata->topics[0];

    if (metadata->topic_cnt != 1) {
        return mr_fail(err, MR_LOG_FATAL, "kafka %s: %d topics in an answer about one",
                       log->address, metadata->topic_cnt);
    }
    if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR || topic->partition_cnt > 0) {
        *partitions = topic->partition_cnt;
        return MR_OK;
    }
    return topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
               ? MR_OK
               : kafka_fail(err, topic->err, topic->topic, log->address);
}

enum mr_status kafka_topic_partitions(struct mr_log *base, const char *topic, int32_t *partitions,
                                      struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(log->client, topic, NULL);
    rd_kafka_resp_err_t code;
    enum mr_status status;

    if (handle == NULL) {
        return kafka_fail(err, rd_kafka_last_error(), topic, log->address);
    }
    *partitions = 0;
    code = rd_kafka_metadata(log->client, 0, handle, &metadata, METADATA_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        status = partitions_of(log, metadata, partitions, err);
        rd_kafka_metadata_destroy(metadata);
    } else {
        status = kafka_fail(err, code, "asking for metadata", log->address);
    }
    rd_kafka_topic_destroy(handle);
    return status;
}

enum mr_status kafka_topic_names(struct mr_log *base, void (*visit)(void *arg, const char *topic),
                                 void *arg, struct mr_err *err)
{
    const struct kafka_log *log = kafka_log_of(base);
    const struct rd_kafka_metadata *metadata;
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(log->client, 1, NULL, &metadata, KAFKA_ANSWER_MS);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(err, code, "asking for all topics", log->address);
    }
    for (int i = 0; i < metadata->topic_cnt; i++) {
        visit(arg, metadata->topics[i].topic);
    }
    rd_kafka_metadata_destroy(metadata);
    return MR_OK;
}

/* Waits for the answer to the admin request on queue; the caller destroys *event. */
static enum mr_status await_answer(struct kafka_log *log, rd_kafka_queue_t *queue,
                                   const char *operation, rd_kafka_event_t **event,
                                   struct mr_err *err)
{
    *event = rd_kafka_queue_poll(queue, ANSWER_MS + 1000);
    if (*event == NULL) {
        return kafka_fail(err, RD_KAFKA_RESP_ERR__TIMED_OUT, operation, log->address);
    }
    if (rd_kafka_event_error(*event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const enum mr_status status =
            kafka_fail(err, rd_kafka_event_error(*event), operation, log->address);

        rd_kafka_event_destroy(*event);
        *event = NULL;
        return status;
    }
    return MR_OK;
}

/* The topic's resource in an answer, or what went wrong with it. */
static enum mr_status resource_of(struct kafka_log *log, const rd_kafka_ConfigResource_t **list,
                                  size_t count, const rd_kafka_ConfigResource_t **resource,
                                  const char *operation, struct mr_err *err)
{
    if (count != 1) {
        return mr_fail(err, MR_LOG_FATAL, "kafka %s: %s: %zu answers instead of one", log->address,
                       operation, count);
    }
    *resource = list[0];
    if (rd_kafka_ConfigResource_error(list[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(err, rd_kafka_ConfigResource_error(list[0]), operation, log->address);
    }
    return MR_OK;
}

/* Asks for the configuration of a topic; entries live as long as *event, which the caller destroys.
 */
static enum mr_status describe(struct kafka_log *log, const char *topic, rd_kafka_event_t **event,
                               const rd_kafka_ConfigEntry_t ***entries, size_t *count,
                               struct mr_err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(log->client);
    rd_kafka_ConfigResource_t *ask = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    const rd_kafka_ConfigResource_t **list;
    const rd_kafka_ConfigResource_t *resource = NULL;
    enum mr_status status;
    size_t found = 0;

    rd_kafka_DescribeConfigs(log->client, &ask, 1, NULL, queue);
    status = await_answer(log, queue, "asking for a topic's configuration", event, err);
    if (status == MR_OK) {
        list = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(*event), &found);
        status = resource_of(log, list, found, &resource, topic, err);
        if (status == MR_OK) {
            *entries = rd_kafka_ConfigResource_configs(resource, count);
        } else {
            rd_kafka_event_destroy(*event);
        }
    }
    rd_kafka_ConfigResource_destroy(ask);
    rd_kafka_queue_destroy(queue);
    return status;
}

enum mr_status kafka_topic_config(struct mr_log *base, const char *topic, const char *name,
                                  char *buffer, size_t bytes, struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    const rd_kafka_ConfigEntry_t **entries;
    rd_kafka_event_t *event;
    size_t count;

    MR_TRY(describe(log, topic, &event, &entries, &count, err));
    buffer[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);

        if (value != NULL && strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0) {
            snprintf(buffer, bytes, "%s", value);
        }
    }
    rd_kafka_event_destroy(event);
    return MR_OK;
}

/* The metadata name a leader before it serves its partition; this asks the leader itself. */
static bool leaders_serve(struct kafka_log *log, const struct mr_topic_spec *spec)
{
    bool serve = true;

    for (int32_t i = 0; serve && i < spec->partitions; i++) {
        int64_t low;
        int64_t high;

        serve = rd_kafka_query_watermark_offsets(log->client, spec->name, i, &low, &high,
                                                 METADATA_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return serve;
}

/*
 * A topic that was created is not everywhere at once: wait until each partition's leader serves it.
 * Produced any earlier, an idempotent producer's first batch may be refused and its second accepted
 * (the broker knows nothing of this producer yet); the first, sent again, then counts as a
 * duplicate and is lost with an acknowledgement.
 */
static enum mr_status await_usable(struct kafka_log *log, const struct mr_topic_spec *spec,
                                   struct mr_err *err)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(log->client, spec->name, NULL);
    bool usable = false;
    int left_ms = USABLE_MS;

    while (handle != NULL && !usable && left_ms > 0) {
        const struct rd_kafka_metadata *metadata;

        if (rd_kafka_metadata(log->client, 0, handle, &metadata, ANSWER_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            const struct rd_kafka_metadata_topic *topic = &metadata->topics[0];

            usable = topic->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                     topic->partition_cnt == spec->partitions;
            for (int i = 0; usable && i < topic->partition_cnt; i++) {
                usable = topic->partitions[i].leader >= 0;
            }
            rd_kafka_metadata_destroy(metadata);
        }
        usable = usable && leaders_serve(log, spec);
        if (!usable) {
            rd_kafka_poll(log->client, USABLE_STEP_MS);
            left_ms -= USABLE_STEP_MS;
        }
    }
    if (handle != NULL) {
        rd_kafka_topic_destroy(handle);
    }
    return usable ? MR_OK
                  : mr_fail(err, MR_TIMEOUT,
                            "kafka %s: topic %s was created but has no leaders after %d s",
                            log->address, spec->name, USABLE_MS / 1000);
}

static enum mr_status request_creation(struct kafka_log *log, rd_kafka_NewTopic_t *topic,
                                       const char *name, struct mr_err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(log->client);
    const rd_kafka_topic_result_t **results;
    rd_kafka_event_t *event;
    enum mr_status status;
    size_t count;

    rd_kafka_CreateTopics(log->client, &topic, 1, NULL, queue);
    status = await_answer(log, queue, "creating a topic", &event, err);
    if (status == MR_OK) {
        results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        if (count == 1 && rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            status = kafka_fail(err, rd_kafka_topic_result_error(results[0]), name, log->address);
        }
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return status;
}

enum mr_status kafka_topic_create(struct mr_log *base, const struct mr_topic_spec *spec,
                                  struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    char text[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(spec->name, spec->partitions, spec->replication, text, sizeof(text));
    enum mr_status status;

    if (topic == NULL) {
        return mr_fail(err, MR_CONFIG, "topic %s: %s", spec->name, text);
    }
    for (size_t i = 0; i < spec->config_count; i++) {
        MR_ASSERT(
            rd_kafka_NewTopic_set_config(topic, spec->configs[i].name, spec->configs[i].value) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    status = request_creation(log, topic, spec->name, err);
    rd_kafka_NewTopic_destroy(topic);
    return status == MR_OK ? await_usable(log, spec, err) : status;
}

static bool is_given(const struct mr_topic_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->config_count; i++) {
        if (strcmp(spec->configs[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

enum mr_status kafka_topic_alter(struct mr_log *base, const struct mr_topic_spec *spec,
                                 struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_ConfigResource_t *wanted;
    const rd_kafka_ConfigResource_t *resource;
    const rd_kafka_ConfigResource_t **list;
    const rd_kafka_ConfigEntry_t **entries;
    rd_kafka_event_t *event;
    rd_kafka_queue_t *queue;
    enum mr_status status;
    size_t count;

    MR_TRY(describe(log, spec->name, &event, &entries, &count, err));
    wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, spec->name);
    for (size_t i = 0; i < count; i++) {
        if (rd_kafka_ConfigEntry_source(entries[i]) ==
                RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
            !is_given(spec, rd_kafka_ConfigEntry_name(entries[i]))) {
            rd_kafka_ConfigResource_set_config(wanted, rd_kafka_ConfigEntry_name(entries[i]),
                                               rd_kafka_ConfigEntry_value(entries[i]));
        }
    }
    rd_kafka_event_destroy(event);
    for (size_t i = 0; i < spec->config_count; i++) {
        rd_kafka_ConfigResource_set_config(wanted, spec->configs[i].name, spec->configs[i].value);
    }
    queue = rd_kafka_queue_new(log->client);
    rd_kafka_AlterConfigs(log->client, &wanted, 1, NULL, queue);
    status = await_answer(log, queue, "altering a topic", &event, err);
    if (status == MR_OK) {
        list = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event),
                                                      &count);
        status = resource_of(log, list, count, &resource, spec->name, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(wanted);
    return status;
}
