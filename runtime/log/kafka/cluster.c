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
    .group_members = kafka_group_members,
    .group_commit = kafka_group_commit,
    .topic_names = kafka_topic_names,
    .address = kafka_address,
    .close = kafka_close,
    .producer_open = kafka_producer_open,
    .producer_topic = kafka_producer_topic,
    .producer_expect = kafka_producer_expect,
    .producer_begin = kafka_producer_begin,
    .producer_send = kafka_producer_send,
    .producer_commit = kafka_producer_commit,
    .producer_commit_as = kafka_producer_commit_as,
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
