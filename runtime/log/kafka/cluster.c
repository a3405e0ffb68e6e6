/*
 * cluster.c -- opening the Kafka log, and the questions that need no group of their own.
 */
#include "kafka.h"
#include "millrace/arena.h"
#include "millrace/log_open.h"

#include <stdlib.h>

static enum mr_status question_client(const struct kafka_log *log, const char *group,
                                      const char *isolation, rd_kafka_t **client,
                                      struct mr_err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_create(log);

    MR_ASSERT(kafka_conf_set(conf, "isolation.level", isolation, err) == MR_OK);
    MR_ASSERT(kafka_conf_set(conf, "enable.auto.commit", "false", err) == MR_OK);
    if (group != NULL) {
        MR_ASSERT(kafka_conf_set(conf, "group.id", group, err) == MR_OK);
    }
    return kafka_client_create(RD_KAFKA_CONSUMER, conf, client, err);
}

enum mr_status kafka_special_client(struct kafka_log *log, const char *group, bool committed,
                                    rd_kafka_t **client, struct mr_err *err)
{
    const char *isolation = committed ? "read_committed" : "read_uncommitted";
    struct kafka_special_client *found;
    enum mr_status status = MR_OK;

    pthread_mutex_lock(&log->lock);
    for (found = log->special_clients; found != NULL; found = found->next) {
        if (found->committed == committed && strcmp(found->group, group) == 0) {
            break;
        }
    }
    if (found == NULL) {
        status = question_client(log, group[0] == '\0' ? NULL : group, isolation, client, err);
        if (status == MR_OK) {
            found = mr_xcalloc(1, sizeof(*found));
            found->group = mr_xstrdup(group);
            found->committed = committed;
            found->client = *client;
            found->next = log->special_clients;
            log->special_clients = found;
        }
    } else {
        *client = found->client;
    }
    pthread_mutex_unlock(&log->lock);
    return status;
}

static enum mr_status kafka_committed(struct mr_log *base, const char *group,
                                      struct mr_topic_partition *positions, size_t count,
                                      int64_t timeout_us, struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
    rd_kafka_t *client;

    MR_TRY(kafka_special_client(log, group, timeout_us != MR_UNSTABLE, &client, err));
    timeout_us = timeout_us == MR_UNSTABLE ? KAFKA_ANSWER_MS * INT64_C(1000) : timeout_us;
    list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition);
    }
    code = rd_kafka_committed(client, list, (int)(timeout_us / 1000));
    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < count; i++) {
        code = list->elems[i].err;
        positions[i].offset = list->elems[i].offset >= 0 ? list->elems[i].offset : MR_OFFSET_NONE;
        if (positions[i].metadata != NULL) {
            mr_buffer_clear(positions[i].metadata);
            mr_buffer_append(positions[i].metadata, list->elems[i].metadata,
                             list->elems[i].metadata_size);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_fail(err, code, "asking for committed offsets", log->address);
}

static bool has_instance(const rd_kafka_ConsumerGroupDescription_t *group, const char *instance)
{
    const size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);

    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_MemberDescription_group_instance_id(
            rd_kafka_ConsumerGroupDescription_member(group, i));

        if (name != NULL && strcmp(name, instance) == 0) {
            return true;
        }
    }
    return false;
}

static enum mr_status read_description(const struct kafka_log *log, rd_kafka_event_t *event,
                                       const char *instance, bool *present, struct mr_err *err)
{
    const rd_kafka_ConsumerGroupDescription_t **groups;
    const rd_kafka_error_t *error;
    size_t count = 0;

    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(
            err, event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event),
            "describing a group", log->address);
    }
    groups = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    MR_ASSERT(count == 1);
    error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    if (error != NULL) {
        return kafka_fail(err, rd_kafka_error_code(error), "describing a group", log->address);
    }
    *present = has_instance(groups[0], instance);
    return MR_OK;
}

static enum mr_status kafka_member_present(struct mr_log *base, const char *group,
                                           const char *instance, bool *present, struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(log->client);
    rd_kafka_event_t *event;
    enum mr_status status;

    rd_kafka_DescribeConsumerGroups(log->client, &group, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, KAFKA_ANSWER_MS);
    status = read_description(log, event, instance, present, err);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return status;
}

static const char *kafka_address(const struct mr_log *base)
{
    return ((const struct kafka_log *)base)->address;
}

static void kafka_close(struct mr_log *base)
{
    struct kafka_log *log = kafka_log_of(base);

    while (log->special_clients != NULL) {
        struct kafka_special_client *client = log->special_clients;

        log->special_clients = client->next;
        rd_kafka_destroy(client->client);
        free(client->group);
        free(client);
    }
    if (log->client != NULL) {
        rd_kafka_destroy(log->client);
    }
    for (size_t i = 0; i < log->property_count; i++) {
        free((void *)(uintptr_t)log->properties[i].name);
        free((void *)(uintptr_t)log->properties[i].value);
    }
    free(log->properties);
    free(log->address);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

/* Finds a wrong name or value before any client is made of it. */
static enum mr_status check_properties(const struct mr_topic_config *properties, size_t count,
                                       struct mr_err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const enum mr_status status = kafka_conf_set_all(conf, properties, count, err);

    rd_kafka_conf_destroy(conf);
    return status;
}

enum mr_status mr_log_kafka_open(const struct mr_topic_config *properties, size_t count,
                                 struct mr_log **out, struct mr_err *err)
{
    struct kafka_log *log;
    enum mr_status status;
    const char *address = "(no bootstrap.servers)";

    MR_TRY(check_properties(properties, count, err));
    log = mr_xcalloc(1, sizeof(*log));
    log->base.ops = &kafka_ops;
    log->magic = KAFKA_MAGIC;
    pthread_mutex_init(&log->lock, NULL);
    log->properties = mr_xcalloc(count, sizeof(*log->properties));
    log->property_count = count;
    for (size_t i = 0; i < count; i++) {
        log->properties[i].name = mr_xstrdup(properties[i].name);
        log->properties[i].value = mr_xstrdup(properties[i].value);
        if (strcmp(properties[i].name, "bootstrap.servers") == 0) {
            address = properties[i].value;
        }
    }
    log->address = mr_xstrdup(address);
    status = question_client(log, NULL, "read_committed", &log->client, err);
    if (status != MR_OK) {
        kafka_close(&log->base);
        return status;
    }
    *out = &log->base;
    return MR_OK;
}

const struct mr_log_ops kafka_ops = {
    .topic_partitions = kafka_topic_partitions,
    .topic_config = kafka_topic_config,
    .topic_create = kafka_topic_create,
    .topic_alter = kafka_topic_alter,
    .watermarks = kafka_watermarks,
    .end = kafka_end,
    .extents = kafka_extents,
    .committed = kafka_committed,
    .member_present = kafka_member_present,
    .address = kafka_address,
    .close = kafka_close,
    .producer_open = kafka_producer_open,
    .producer_topic = kafka_producer_topic,
    .producer_expect = kafka_producer_expect,
    .producer_begin = kafka_producer_begin,
    .producer_send = kafka_producer_send,
    .producer_commit = kafka_producer_commit,
    .producer_abort = kafka_producer_abort,
    .producer_flush = kafka_producer_flush,
    .producer_poll = kafka_producer_poll,
    .producer_delivered = kafka_producer_delivered,
    .producer_close = kafka_producer_close,
    .member_open = kafka_member_open,
    .member_poll = kafka_member_poll,
    .member_pause = kafka_member_pause,
    .member_resume = kafka_member_resume,
    .member_seek = kafka_member_seek,
    .member_commit = kafka_member_commit,
    .member_close = kafka_member_close,
    .reader_open = kafka_reader_open,
    .reader_add = kafka_reader_add,
    .reader_remove = kafka_reader_remove,
    .reader_poll = kafka_reader_poll,
    .reader_position = kafka_reader_position,
    .reader_close = kafka_reader_close,
    .message_headers = kafka_message_headers,
    .message_release = kafka_message_release,
};
