/*
 * config.c -- what every Kafka client of ours is configured with.
 *
 * Why: librdkafka 2.0.2's defaults (Nagle on, 100 ms retry back-off) cost tens of milliseconds in
 *      the commit path. The user's own properties win over these and over a client's tuning, never
 *      over what the guarantees depend on, which a client sets last.
 */
#include "kafka.h"
#include "millrace/logger.h"

#include <stdio.h>

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    if (level <= 3) {
        mr_warn("kafka_client", "facility=%s text=\"%s\"", facility, text);
    } else {
        mr_debug("kafka_client", "facility=%s text=\"%s\"", facility, text);
    }
}

rd_kafka_conf_t *kafka_conf_create(const struct kafka_log *log)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    static const struct mr_topic_config common[] = {
        {"client.id", "millrace"},
        {"socket.nagle.disable", "true"},
        {"retry.backoff.ms", "5"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        {"topic.metadata.refresh.fast.interval.ms", "50"},
        {"log.connection.close", "false"},
    };

    rd_kafka_conf_set_log_cb(conf, on_log);
    kafka_conf_tune(conf, log, common, MR_COUNT(common));
    return conf;
}

void kafka_conf_tune(rd_kafka_conf_t *conf, const struct kafka_log *log,
                     const struct mr_topic_config *settings, size_t count)
{
    struct mr_err err;

    MR_ASSERT(kafka_conf_set_all(conf, settings, count, &err) == MR_OK);
    /* Checked once when the log was opened. */
    MR_ASSERT(kafka_conf_set_all(conf, log->properties, log->property_count, &err) == MR_OK);
}

enum mr_status kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                              struct mr_err *err)
{
    char text[256];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
        return mr_fail(err, MR_CONFIG, "kafka property %s: %s", name, text);
    }
    return MR_OK;
}

enum mr_status kafka_conf_set_all(rd_kafka_conf_t *conf, const struct mr_topic_config *settings,
                                  size_t count, struct mr_err *err)
{
    for (size_t i = 0; i < count; i++) {
        MR_TRY(kafka_conf_set(conf, settings[i].name, settings[i].value, err));
    }
    return MR_OK;
}

enum mr_status kafka_conf_set_ms(rd_kafka_conf_t *conf, const char *name, int64_t us,
                                 struct mr_err *err)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)(us / 1000));
    return kafka_conf_set(conf, name, text, err);
}

enum mr_status kafka_client_create(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **client,
                                   struct mr_err *err)
{
    char text[256];

    *client = rd_kafka_new(type, conf, text, sizeof(text));
    if (*client == NULL) {
        rd_kafka_conf_destroy(conf);
        return mr_fail(err, MR_CONFIG, "kafka client: %s", text);
    }
    return MR_OK;
}
