/*
 * producer.c -- producing, and the transaction as Kafka has it.
 *
 * The commit order is measured: offsets are sent right after the last record, so that they travel
 * beside it; our own delivery reports are drained before rd_kafka_commit_transaction, whose flush
 * would otherwise sleep in steps of 10 ms.
 */
#include "kafka.h"
#include "millrace/arena.h"
#include "millrace/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PRODUCER_MAGIC 0x4B50524Fu
#define METADATA_MS 10000
#define SETTLE_FIRST_MS 40
#define AGAIN_MS 5

struct topic {
    char *name;
    rd_kafka_topic_t *handle;
    int32_t partitions;
    int64_t *delivered; /* last acknowledged offset of each partition */
};

struct kafka_producer {
    struct mr_producer base;
    uint32_t magic;
    struct kafka_log *log;
    rd_kafka_t *client;
    bool transactional;
    int64_t transaction_timeout_us;
    struct topic *topics;
    size_t topic_count;
    rd_kafka_resp_err_t delivery_error; /* first since begin or flush */
};

static struct kafka_producer *self_of(struct mr_producer *base)
{
    return MR_SELF(struct kafka_producer, (struct kafka_producer *)base, PRODUCER_MAGIC);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int left_ms(int64_t deadline_us)
{
    const int64_t left = deadline_us - now_us();

    return left <= 0 ? 0 : (int)(left / 1000);
}

/* Is another attempt due? A call may ask for it at once: a pause in between. */
static bool again(const struct kafka_producer *self, enum mr_status status, int64_t deadline_us)
{
    if (status != MR_TIMEOUT || left_ms(deadline_us) == 0) {
        return false;
    }
    rd_kafka_poll(self->client, AGAIN_MS);
    return true;
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_producer *self = opaque;
    struct topic *topic = &self->topics[(uintptr_t)message->_private];

    (void)client;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (self->delivery_error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            self->delivery_error = message->err;
        }
    } else if (message->offset > topic->delivered[message->partition]) {
        topic->delivered[message->partition] = message->offset;
    }
}

static enum mr_status settings(rd_kafka_conf_t *conf, const struct kafka_log *log,
                               const struct mr_producer_options *options, struct mr_err *err)
{
    static const struct mr_topic_config tuning[] = {
        {"queue.buffering.max.messages", "500000"},
        {"queue.buffering.max.kbytes", "262144"},
        {"batch.num.messages", "20000"},
        /* The broker judges the compressed batch; the client would judge the plain record. */
        {"message.max.bytes", "8388608"},
    };
    static const struct mr_topic_config required[] = {
        {"acks", "all"},
        {"enable.idempotence", "true"},
    };
    const bool transactional = options->transactional_id != NULL;

    kafka_conf_tune(conf, log, tuning, MR_COUNT(tuning));
    MR_TRY(kafka_conf_set_all(conf, required, MR_COUNT(required), err));
    MR_TRY(kafka_conf_set(conf, "compression.codec",
                          options->compression == NULL ? "none" : options->compression, err));
    MR_TRY(kafka_conf_set_ms(conf, "linger.ms", transactional ? 0 : options->linger_us, err));
    if (transactional) {
        MR_TRY(kafka_conf_set(conf, "transactional.id", options->transactional_id, err));
        MR_TRY(kafka_conf_set_ms(conf, "transaction.timeout.ms", options->transaction_timeout_us,
                                 err));
        /* Delivery must have failed before the transaction times out. */
        MR_TRY(kafka_conf_set_ms(conf, "message.timeout.ms",
                                 options->transaction_timeout_us * 8 / 10, err));
        MR_TRY(kafka_conf_set_ms(conf, "socket.timeout.ms",
                                 options->transaction_timeout_us * 8 / 10, err));
    }
    return MR_OK;
}

/*
 * Settles what an earlier holder of the id left open. While the coordinator is still ending that
 * transaction it sends the question away, and the client asks again after half a second; a new
 * client asks at once. So the first ones are given little time.
 */
static enum mr_status open_settled(struct kafka_producer *self, const rd_kafka_conf_t *conf,
                                   int64_t timeout_us, struct mr_err *err)
{
    const int64_t deadline_us = now_us() + timeout_us;
    int patience_ms = SETTLE_FIRST_MS;

    for (;;) {
        const int left = left_ms(deadline_us);
        rd_kafka_error_t *error;
        enum mr_status status;

        MR_TRY(kafka_client_create(RD_KAFKA_PRODUCER, rd_kafka_conf_dup(conf), &self->client, err));
        error = rd_kafka_init_transactions(self->client, patience_ms < left ? patience_ms : left);
        if (error == NULL) {
            return MR_OK;
        }
        status = kafka_fail_error(err, error, "settling the last transaction", self->log->address);
        if (status != MR_TIMEOUT || patience_ms >= left) {
            return status;
        }
        rd_kafka_destroy(self->client);
        self->client = NULL;
        patience_ms *= 2;
    }
}

enum mr_status kafka_producer_open(struct mr_log *base, const struct mr_producer_options *options,
                                   int64_t timeout_us, struct mr_producer **out, struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    struct kafka_producer *self = mr_xcalloc(1, sizeof(*self));
    rd_kafka_conf_t *conf = kafka_conf_create(log);
    enum mr_status status;

    self->base.ops = &kafka_ops;
    self->magic = PRODUCER_MAGIC;
    self->log = log;
    self->transactional = options->transactional_id != NULL;
    self->transaction_timeout_us = options->transaction_timeout_us;
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    status = settings(conf, log, options, err);
    if (status != MR_OK) {
        rd_kafka_conf_destroy(conf);
        free(self);
        return status;
    }
    if (self->transactional) {
        status = open_settled(self, conf, timeout_us, err);
        rd_kafka_conf_destroy(conf);
    } else {
        status = kafka_client_create(RD_KAFKA_PRODUCER, conf, &self->client, err);
    }
    if (status != MR_OK) {
        kafka_producer_close(&self->base);
        return status;
    }
    *out = &self->base;
    return MR_OK;
}

void kafka_producer_close(struct mr_producer *base)
{
    struct kafka_producer *self = self_of(base);

    for (size_t i = 0; i < self->topic_count; i++) {
        rd_kafka_topic_destroy(self->topics[i].handle);
    }
    if (self->client != NULL) {
        /* What was not committed or flushed is given up, as the port says. */
        rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_poll(self->client, 0);
        rd_kafka_destroy(self->client);
    }
    for (size_t i = 0; i < self->topic_count; i++) {
        free(self->topics[i].name);
        free(self->topics[i].delivered);
    }
    free(self->topics);
    free(self);
}

static const struct topic *find_topic(const struct kafka_producer *self, const char *name, int *at)
{
    for (size_t i = 0; i < self->topic_count; i++) {
        if (strcmp(self->topics[i].name, name) == 0) {
            *at = (int)i;
            return &self->topics[i];
        }
    }
    return NULL;
}

/* Takes the handle over. */
static void add_topic(struct kafka_producer *self, const char *name, rd_kafka_topic_t *handle,
                      int32_t partitions)
{
    struct topic *added;

    self->topics = mr_xrealloc(self->topics, (self->topic_count + 1) * sizeof(*self->topics));
    added = &self->topics[self->topic_count++];
    *added = (struct topic){.name = mr_xstrdup(name), .handle = handle, .partitions = partitions};
    added->delivered = mr_xcalloc((size_t)partitions, sizeof(*added->delivered));
    for (int32_t i = 0; i < partitions; i++) {
        added->delivered[i] = MR_OFFSET_NONE;
    }
}

/* 0: there is no such topic. */
static int32_t partitions_in(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        if (strcmp(topic->topic, name) == 0) {
            return topic->err == RD_KAFKA_RESP_ERR_NO_ERROR ? topic->partition_cnt : 0;
        }
    }
    return 0;
}

/* The client asks about all topics that it has handles of. */
enum mr_status kafka_producer_expect(struct mr_producer *base, const char *const *names,
                                     size_t count, struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);
    rd_kafka_topic_t **handles = mr_xcalloc(count + 1, sizeof(rd_kafka_topic_t *));
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < count; i++) {
        handles[i] = rd_kafka_topic_new(self->client, names[i], NULL);
    }
    code = rd_kafka_metadata(self->client, 0, NULL, &metadata, METADATA_MS);
    for (size_t i = 0; i < count; i++) {
        const int32_t partitions =
            code == RD_KAFKA_RESP_ERR_NO_ERROR ? partitions_in(metadata, names[i]) : 0;
        int known = 0;

        if (handles[i] != NULL && partitions > 0 && find_topic(self, names[i], &known) == NULL) {
            add_topic(self, names[i], handles[i], partitions);
        } else if (handles[i] != NULL) {
            rd_kafka_topic_destroy(handles[i]);
        }
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
    }
    free(handles);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_fail(err, code, "asking for topics", self->log->address);
}

enum mr_status kafka_producer_topic(struct mr_producer *base, const char *name, int *topic,
                                    int32_t *partitions, struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);
    const struct topic *known = find_topic(self, name, topic);

    if (known == NULL) {
        MR_TRY(kafka_producer_expect(base, &name, 1, err));
        known = find_topic(self, name, topic);
    }
    if (known == NULL) {
        return mr_fail(err, MR_CONFIG, "kafka %s: there is no topic %s", self->log->address, name);
    }
    if (partitions != NULL) {
        *partitions = known->partitions;
    }
    return MR_OK;
}

enum mr_status kafka_producer_begin(struct mr_producer *base, struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);
    rd_kafka_error_t *error;

    self->delivery_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!self->transactional) {
        return MR_OK;
    }
    error = rd_kafka_begin_transaction(self->client);
    return error == NULL
               ? MR_OK
               : kafka_fail_error(err, error, "beginning a transaction", self->log->address);
}

static rd_kafka_headers_t *make_headers(const struct mr_outgoing *record)
{
    rd_kafka_headers_t *headers;

    if (record->header_count == 0) {
        return NULL;
    }
    headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        rd_kafka_header_add(headers, record->headers[i].name, -1, record->headers[i].value.data,
                            (ssize_t)record->headers[i].value.len);
    }
    return headers;
}

/* One attempt; the headers are librdkafka's when it succeeds. librdkafka copies key and value. */
static rd_kafka_resp_err_t produce(struct kafka_producer *self, const struct mr_outgoing *record,
                                   rd_kafka_headers_t *headers)
{
    static char empty[1]; /* an empty value is not a tombstone: its address must not be NULL */
    void *bytes = record->value.len == 0 ? empty : (void *)(uintptr_t)record->value.data;
    void *value = record->has_value ? bytes : NULL;
    const rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = self->topics[record->topic].handle},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
         .u.i64 = record->timestamp_ms == MR_TIMESTAMP_NOW ? 0 : record->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {(void *)(uintptr_t)record->key.data, record->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {value, record->has_value ? record->value.len : 0}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)record->topic},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    const size_t count = MR_COUNT(arguments) - (headers == NULL ? 1 : 0);
    rd_kafka_error_t *error = rd_kafka_produceva(self->client, arguments, count);
    rd_kafka_resp_err_t code;

    if (error == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

enum mr_status kafka_producer_send(struct mr_producer *base, const struct mr_outgoing *record,
                                   struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);
    rd_kafka_headers_t *headers = make_headers(record);
    rd_kafka_resp_err_t code = produce(self, record, headers);

    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        const int64_t deadline_us = now_us() + self->transaction_timeout_us;

        while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && left_ms(deadline_us) > 0) {
            rd_kafka_poll(self->client, 1);
            code = produce(self, record, headers);
        }
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return MR_OK;
    }
    if (headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    if (self->transactional && code == RD_KAFKA_RESP_ERR__STATE) {
        /* A record before this one could not be delivered; librdkafka takes no more. */
        return mr_fail(err, MR_TXN_ABORT, "kafka %s: the transaction has failed: %s",
                       self->log->address, rd_kafka_err2str(self->delivery_error));
    }
    return kafka_fail(err, code, self->topics[record->topic].name, self->log->address);
}

/* What became of the records is only the consequence of what became of the client; while that is
 * well, a transaction is aborted whatever the reason. */
static enum mr_status undelivered(const struct kafka_producer *self, struct mr_err *err)
{
    char text[200];
    const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(self->client, text, sizeof(text));

    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(err, fatal, text, self->log->address);
    }
    return self->transactional
               ? mr_fail(err, MR_TXN_ABORT, "kafka %s: delivering records: %s", self->log->address,
                         rd_kafka_err2str(self->delivery_error))
               : kafka_fail(err, self->delivery_error, "delivering records", self->log->address);
}

/* Waits for every delivery report; the first failure asks for an abort. */
static enum mr_status drain(struct kafka_producer *self, int64_t deadline_us, struct mr_err *err)
{
    while (rd_kafka_outq_len(self->client) > 0) {
        if (left_ms(deadline_us) == 0) {
            return mr_fail(err, MR_TIMEOUT, "kafka %s: %d records were not acknowledged in time",
                           self->log->address, rd_kafka_outq_len(self->client));
        }
        rd_kafka_poll(self->client, 1);
    }
    return self->delivery_error == RD_KAFKA_RESP_ERR_NO_ERROR ? MR_OK : undelivered(self, err);
}

/*
 * Offsets refused means the group has moved on: always a reason to abort, never to go on.
 * Destroys group.
 */
static enum mr_status send_offsets(struct kafka_producer *self,
                                   rd_kafka_consumer_group_metadata_t *group,
                                   const struct mr_topic_partition *offsets, size_t count,
                                   int64_t deadline_us, struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_error_t *error;
    enum mr_status status = MR_OK;

    if (group == NULL) {
        return mr_fail(err, MR_TXN_ABORT, "not a member of the group at the moment of commit");
    }
    list = kafka_offset_list(offsets, count);
    do {
        error = rd_kafka_send_offsets_to_transaction(self->client, list, group,
                                                     left_ms(deadline_us) + 1);
        status = error == NULL
                     ? MR_OK
                     : kafka_fail_error(err, error, "sending offsets", self->log->address);
    } while (again(self, status, deadline_us));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_group_metadata_destroy(group);
    return status;
}

static bool is_abortable(enum mr_status status)
{
    return mr_status_class(status) == MR_CLASS_RETRY || status == MR_TXN_ABORT;
}

/* Takes group, whose the offsets are; NULL with count 0, and for a member that is none any more. */
static enum mr_status commit(struct kafka_producer *self, rd_kafka_consumer_group_metadata_t *group,
                             const struct mr_topic_partition *offsets, size_t count,
                             struct mr_err *err)
{
    const int64_t deadline_us = now_us() + self->transaction_timeout_us;
    enum mr_status status = MR_OK;

    if (count > 0) {
        status = send_offsets(self, group, offsets, count, deadline_us, err);
    }
    if (status == MR_OK) {
        status = drain(self, deadline_us, err);
    }
    if (status == MR_OK) {
        MR_MARK(OFFSETS_SENT);
        MR_MARK_LATER(END_TXN_SENT);
    }
    if (status != MR_OK) {
        /* EndTxn has not been sent: the transaction is not committed, whatever went wrong. */
        if (is_abortable(status)) {
            err->status = MR_TXN_ABORT;
            return MR_TXN_ABORT;
        }
        return status;
    }
    do {
        rd_kafka_error_t *error =
            rd_kafka_commit_transaction(self->client, left_ms(deadline_us) + 1);

        if (error == NULL) {
            return MR_OK;
        }
        status = kafka_fail_error(err, error, "committing", self->log->address);
    } while (again(self, status, deadline_us));
    if (status != MR_TXN_ABORT && status != MR_FENCED) {
        err->status = status = MR_INDETERMINATE;
    }
    return status;
}

enum mr_status kafka_producer_commit(struct mr_producer *base, struct mr_member *member,
                                     const struct mr_topic_partition *offsets, size_t count,
                                     struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);

    if (!self->transactional) {
        MR_TRY(drain(self, now_us() + self->transaction_timeout_us, err));
        return count == 0 ? MR_OK : kafka_member_commit(member, offsets, count, err);
    }
    return commit(self, count == 0 ? NULL : kafka_member_metadata(member), offsets, count, err);
}

/* Without generation and member id the broker takes the offsets of any group. */
enum mr_status kafka_producer_commit_as(struct mr_producer *base, const char *group,
                                        const struct mr_topic_partition *offsets, size_t count,
                                        struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);

    MR_ASSERT(self->transactional);
    return commit(self, count == 0 ? NULL : rd_kafka_consumer_group_metadata_new(group), offsets,
                  count, err);
}

enum mr_status kafka_producer_abort(struct mr_producer *base, struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);
    const int64_t deadline_us = now_us() + self->transaction_timeout_us;
    enum mr_status status = MR_OK;

    if (!self->transactional) {
        return MR_OK;
    }
    do {
        rd_kafka_error_t *error =
            rd_kafka_abort_transaction(self->client, left_ms(deadline_us) + 1);

        status =
            error == NULL ? MR_OK : kafka_fail_error(err, error, "aborting", self->log->address);
    } while (again(self, status, deadline_us));
    return status;
}

enum mr_status kafka_producer_flush(struct mr_producer *base, int64_t timeout_us,
                                    struct mr_err *err)
{
    struct kafka_producer *self = self_of(base);
    enum mr_status status;

    /* Ends the linger of what is queued; the reports come through drain. */
    rd_kafka_flush(self->client, 0);
    status = drain(self, now_us() + timeout_us, err);
    self->delivery_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    return status;
}

void kafka_producer_poll(struct mr_producer *base)
{
    rd_kafka_poll(self_of(base)->client, 0);
}

int64_t kafka_producer_delivered(const struct mr_producer *base, int topic, int32_t partition)
{
    const struct kafka_producer *self = (const struct kafka_producer *)base;

    return self->topics[topic].delivered[partition];
}
