/*
 * member.c -- a static member of a consumer group, eager range assignment.
 *
 * Messages are taken one by one from the consumer queue: librdkafka 2.0.2's batch call can return
 * records of partitions that a rebalance inside the same call has taken away.
 */
#include "kafka.h"
#include "millrace/arena.h"
#include "millrace/logger.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMBER_MAGIC 0x4B4D454Du
#define SEEK_MS 10000
#define QUEUE_BYTES_MAX (INT64_C(48) << 20)
#define COMMIT_MAX_POLL_MS "300000"

struct kafka_member {
    struct mr_member base;
    uint32_t magic;
    struct kafka_log *log;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    struct mr_member_callbacks callbacks;
    struct kafka_names names;
    bool lost_input; /* a rebalance took partitions during this poll */
    bool brokers_down;
    enum mr_status fatal;
    struct mr_err fatal_err;
};

static struct kafka_member *self_of(struct mr_member *base)
{
    return MR_SELF(struct kafka_member, (struct kafka_member *)base, MEMBER_MAGIC);
}

static struct mr_topic_partition *to_ours(struct kafka_member *self,
                                          const rd_kafka_topic_partition_list_t *list)
{
    struct mr_topic_partition *ours = mr_xcalloc((size_t)list->cnt, sizeof(*ours));

    for (int i = 0; i < list->cnt; i++) {
        ours[i] = (struct mr_topic_partition){
            .topic = kafka_names_intern(&self->names, list->elems[i].topic),
            .partition = list->elems[i].partition,
            .offset = list->elems[i].offset,
        };
    }
    return ours;
}

/* librdkafka keeps a partition paused over its loss and its return; the port's members do not. */
static void resume_all(rd_kafka_t *client, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *copy = rd_kafka_topic_partition_list_copy(list);

    (void)rd_kafka_resume_partitions(client, copy);
    rd_kafka_topic_partition_list_destroy(copy);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_member *self = opaque;
    struct mr_topic_partition *ours = to_ours(self, list);
    const size_t count = (size_t)list->cnt;

    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_assign(client, list);
        resume_all(client, list);
        self->callbacks.assigned(self->callbacks.arg, ours, count);
    } else {
        self->lost_input = true;
        self->callbacks.revoked(self->callbacks.arg, ours, count,
                                rd_kafka_assignment_lost(client) != 0);
        rd_kafka_assign(client, NULL);
    }
    free(ours);
}

/* The client is finished; the reason is kept for the next answer of poll. */
static void note_fatal(struct kafka_member *self)
{
    char text[256];
    const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(self->client, text, sizeof(text));

    self->fatal = kafka_fail(&self->fatal_err, fatal, text, self->log->address);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct kafka_member *self = opaque;

    (void)client;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        self->brokers_down = true;
    }
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        note_fatal(self);
    } else {
        mr_debug("kafka_member", "error=\"%s\"", reason);
    }
}

static enum mr_status settings(rd_kafka_conf_t *conf, const struct kafka_log *log,
                               const struct mr_member_options *options, struct mr_err *err)
{
    char queue_kbytes[24];
    /*
     * Above either bound on what is queued librdkafka 2.0.2 fetches nothing for a second, so a
     * queue must last longer than that: bytes are the bound that is meant. A heartbeat's answer is
     * what tells a member that another one is gone.
     */
    const struct mr_topic_config tuning[] = {
        {"heartbeat.interval.ms", "300"},  {"max.poll.interval.ms", COMMIT_MAX_POLL_MS},
        {"fetch.wait.max.ms", "50"},       {"fetch.error.backoff.ms", "5"},
        {"queued.min.messages", "100000"}, {"queued.max.messages.kbytes", queue_kbytes},
    };
    static const struct mr_topic_config required[] = {
        {"isolation.level", "read_committed"},      {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},      {"auto.offset.reset", "earliest"},
        {"partition.assignment.strategy", "range"},
    };

    (void)snprintf(
        queue_kbytes, sizeof(queue_kbytes), "%lld",
        (long long)(options->queue_bytes_max == 0 ? QUEUE_BYTES_MAX : options->queue_bytes_max) /
            1024);
    kafka_conf_tune(conf, log, tuning, MR_COUNT(tuning));
    MR_TRY(kafka_conf_set_all(conf, required, MR_COUNT(required), err));
    MR_TRY(kafka_conf_set(conf, "group.id", options->group, err));
    if (options->instance != NULL) {
        MR_TRY(kafka_conf_set(conf, "group.instance.id", options->instance, err));
    }
    return kafka_conf_set_ms(conf, "session.timeout.ms", options->session_timeout_us, err);
}

enum mr_status kafka_member_open(struct mr_log *base, const struct mr_member_options *options,
                                 struct mr_member **out, struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    struct kafka_member *self = mr_xcalloc(1, sizeof(*self));
    rd_kafka_conf_t *conf = kafka_conf_create(log);
    rd_kafka_topic_partition_list_t *topics;
    rd_kafka_resp_err_t code;
    enum mr_status status;

    self->base.ops = &kafka_ops;
    self->magic = MEMBER_MAGIC;
    self->log = log;
    self->callbacks = options->callbacks;
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    status = settings(conf, self->log, options, err);
    if (status != MR_OK) {
        rd_kafka_conf_destroy(conf);
        free(self);
        return status;
    }
    status = kafka_client_create(RD_KAFKA_CONSUMER, conf, &self->client, err);
    if (status != MR_OK) {
        free(self);
        return status;
    }
    rd_kafka_poll_set_consumer(self->client);
    self->queue = rd_kafka_queue_get_consumer(self->client);
    topics = rd_kafka_topic_partition_list_new((int)options->topic_count);
    for (size_t i = 0; i < options->topic_count; i++) {
        rd_kafka_topic_partition_list_add(topics, options->topics[i], RD_KAFKA_PARTITION_UA);
    }
    code = rd_kafka_subscribe(self->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        status = kafka_fail(err, code, "subscribing", log->address);
        kafka_member_close(&self->base);
        return status;
    }
    *out = &self->base;
    return MR_OK;
}

static void release_all(struct mr_message *messages, size_t *count)
{
    while (*count > 0) {
        mr_message_release(&messages[--*count]);
    }
}

/* An error in place of a message: most heal by themselves and were said by on_error. */
static enum mr_status on_error_message(struct kafka_member *self, rd_kafka_message_t *message,
                                       struct mr_err *err)
{
    const rd_kafka_resp_err_t code = message->err;
    enum mr_status status = MR_OK;

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        note_fatal(self);
    } else if (code == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
        mr_warn("kafka_member", "error=\"%s\"", rd_kafka_message_errstr(message));
    } else if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
               code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
               code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        status = kafka_fail(err, code, rd_kafka_message_errstr(message), self->log->address);
    }
    rd_kafka_message_destroy(message);
    return status;
}

enum mr_status kafka_member_poll(struct mr_member *base, int64_t timeout_us,
                                 struct mr_message *messages, size_t max, size_t *count,
                                 struct mr_err *err)
{
    struct kafka_member *self = self_of(base);
    int wait_ms = (int)((timeout_us + 999) / 1000);

    *count = 0;
    while (*count < max) {
        rd_kafka_message_t *message;

        self->lost_input = false;
        message = rd_kafka_consume_queue(self->queue, wait_ms);
        if (self->lost_input) {
            release_all(messages, count);
        }
        if (message == NULL) {
            break;
        }
        wait_ms = 0;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            MR_TRY(on_error_message(self, message, err));
            continue;
        }
        self->brokers_down = false;
        kafka_message_fill(&messages[*count],
                           kafka_names_intern(&self->names, rd_kafka_topic_name(message->rkt)),
                           message);
        (*count)++;
    }
    if (self->fatal != MR_OK) {
        release_all(messages, count);
        *err = self->fatal_err;
        return self->fatal;
    }
    if (*count == 0 && self->brokers_down) {
        self->brokers_down = false;
        return mr_fail(err, MR_UNAVAILABLE, "kafka %s: no broker can be reached",
                       self->log->address);
    }
    return MR_OK;
}

static rd_kafka_topic_partition_list_t *one(const char *topic, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    return list;
}

/* Takes the list over; the per-partition error decides when the call itself went well. */
static enum mr_status finish(const struct kafka_member *self, rd_kafka_resp_err_t code,
                             rd_kafka_topic_partition_list_t *list, const char *operation,
                             struct mr_err *err)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = list->elems[0].err;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_fail(err, code, operation, self->log->address);
}

enum mr_status kafka_member_pause(struct mr_member *base, const char *topic, int32_t partition,
                                  struct mr_err *err)
{
    struct kafka_member *self = self_of(base);
    rd_kafka_topic_partition_list_t *list = one(topic, partition, 0);

    return finish(self, rd_kafka_pause_partitions(self->client, list), list, "pausing", err);
}

/*
 * librdkafka 2.0.2 does not wake the broker's thread to resume: while all of a broker's partitions
 * are paused it looks again after a second. A seek does wake it, so one follows, to where reading
 * goes on anyway. It is not waited for: when the partition is not being fetched yet it fails, and
 * the beginning of the fetch wakes the thread as well.
 */
enum mr_status kafka_member_resume(struct mr_member *base, const char *topic, int32_t partition,
                                   int64_t begin, struct mr_err *err)
{
    struct kafka_member *self = self_of(base);
    rd_kafka_topic_partition_list_t *list = one(topic, partition, 0);

    MR_TRY(finish(self, rd_kafka_resume_partitions(self->client, list), list, "resuming", err));
    list = one(topic, partition, RD_KAFKA_OFFSET_INVALID);
    if (rd_kafka_position(self->client, list) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        list->elems[0].offset < 0) {
        list->elems[0].offset = begin;
    }
    if (list->elems[0].offset >= 0) {
        rd_kafka_error_t *error = rd_kafka_seek_partitions(self->client, list, 0);

        if (error != NULL) {
            rd_kafka_error_destroy(error);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return MR_OK;
}

enum mr_status kafka_member_seek(struct mr_member *base, const char *topic, int32_t partition,
                                 int64_t offset, struct mr_err *err)
{
    struct kafka_member *self = self_of(base);
    rd_kafka_topic_partition_list_t *list = one(topic, partition, offset);
    rd_kafka_error_t *error = rd_kafka_seek_partitions(self->client, list, SEEK_MS);

    if (error != NULL) {
        rd_kafka_topic_partition_list_destroy(list);
        return kafka_fail_error(err, error, "seeking", self->log->address);
    }
    return finish(self, RD_KAFKA_RESP_ERR_NO_ERROR, list, "seeking", err);
}

rd_kafka_topic_partition_list_t *kafka_offset_list(const struct mr_topic_partition *offsets,
                                                   size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition);

        element->offset = offsets[i].offset;
        if (offsets[i].metadata != NULL && offsets[i].metadata->len > 0) {
            /* The list frees it. */
            element->metadata_size = offsets[i].metadata->len;
            element->metadata = malloc(element->metadata_size);
            MR_ASSERT(element->metadata != NULL);
            memcpy(element->metadata, offsets[i].metadata->data, element->metadata_size);
        }
    }
    return list;
}

enum mr_status kafka_member_commit(struct mr_member *base, const struct mr_topic_partition *offsets,
                                   size_t count, struct mr_err *err)
{
    struct kafka_member *self = self_of(base);
    rd_kafka_topic_partition_list_t *list = kafka_offset_list(offsets, count);

    return finish(self, rd_kafka_commit(self->client, list, 0), list, "committing offsets", err);
}

rd_kafka_consumer_group_metadata_t *kafka_member_metadata(struct mr_member *base)
{
    struct kafka_member *self = self_of(base);
    char *member = rd_kafka_memberid(self->client);
    const bool joined = member != NULL && member[0] != '\0';

    if (member != NULL) {
        rd_kafka_mem_free(self->client, member);
    }
    return joined ? rd_kafka_consumer_group_metadata(self->client) : NULL;
}

void kafka_member_close(struct mr_member *base)
{
    struct kafka_member *self = self_of(base);

    if (self->queue != NULL) {
        rd_kafka_queue_destroy(self->queue);
    }
    rd_kafka_consumer_close(self->client);
    rd_kafka_destroy(self->client);
    kafka_names_fini(&self->names);
    free(self);
}
