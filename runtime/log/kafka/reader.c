/*
 * reader.c -- reading partitions without a group: tables, restore, tap, verify.
 *
 * Position: after a record, the offset behind it; at the end of a partition, where the end is. The
 * end-of-partition event carries the last stable offset, so markers and aborted tails are passed.
 */
#include "kafka.h"
#include "millrace/arena.h"

#include <stdlib.h>

/* Taken from librdkafka at once. */
#define BATCH_MAX ((size_t)256)
#define METADATA_MS 2000
#define READER_MAGIC 0x4B524541u

struct place {
    const char *topic;
    int32_t partition;
    int64_t position;
};

struct kafka_reader {
    struct mr_reader base;
    uint32_t magic;
    struct kafka_log *log;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    struct kafka_names names;
    struct place *places;
    size_t place_count;
    size_t last_place; /* consecutive records come from the same one */
};

static struct kafka_reader *self_of(struct mr_reader *base)
{
    return MR_SELF(struct kafka_reader, (struct kafka_reader *)base, READER_MAGIC);
}

static struct place *find(const struct kafka_reader *self, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < self->place_count; i++) {
        struct place *place = &self->places[(self->last_place + i) % self->place_count];

        if (place->partition == partition && strcmp(place->topic, topic) == 0) {
            return place;
        }
    }
    return NULL;
}

enum mr_status kafka_reader_open(struct mr_log *base, int64_t idle_wait_us, struct mr_reader **out,
                                 struct mr_err *err)
{
    /* As in member.c: a queue over its bounds is not filled for a second. */
    static const struct mr_topic_config tuning[] = {
        {"fetch.error.backoff.ms", "5"},
        {"queued.min.messages", "1000000"},
        {"queued.max.messages.kbytes", "65536"},
    };
    static const struct mr_topic_config required[] = {
        /* assign() wants a group's name; the reader never joins it and commits nothing. */
        {"group.id", "millrace-reader"},  {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"},  {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"}, {"auto.offset.reset", "error"},
    };
    struct kafka_log *log = kafka_log_of(base);
    struct kafka_reader *self = mr_xcalloc(1, sizeof(*self));
    rd_kafka_conf_t *conf = kafka_conf_create(log);
    enum mr_status status;

    self->base.ops = &kafka_ops;
    self->magic = READER_MAGIC;
    self->log = log;
    MR_ASSERT(kafka_conf_set_ms(conf, "fetch.wait.max.ms", idle_wait_us, err) == MR_OK);
    kafka_conf_tune(conf, log, tuning, MR_COUNT(tuning));
    MR_ASSERT(kafka_conf_set_all(conf, required, MR_COUNT(required), err) == MR_OK);
    status = kafka_client_create(RD_KAFKA_CONSUMER, conf, &self->client, err);
    if (status != MR_OK) {
        free(self);
        return status;
    }
    rd_kafka_poll_set_consumer(self->client);
    self->queue = rd_kafka_queue_get_consumer(self->client);
    *out = &self->base;
    return MR_OK;
}

static enum mr_status change(struct kafka_reader *self, const char *topic, int32_t partition,
                             int64_t offset, bool add, struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_error_t *error;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    error = add ? rd_kafka_incremental_assign(self->client, list)
                : rd_kafka_incremental_unassign(self->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error == NULL ? MR_OK
                         : kafka_fail_error(err, error,
                                            add ? "adding a partition to a reader"
                                                : "removing a partition from a reader",
                                            self->log->address);
}

/* A client that is asked for a partition before its first broker is up notices the topic only with
 * its one-second timer; asking for the topic's metadata first waits for the broker instead. */
static enum mr_status learn_leaders(struct kafka_reader *self, const char *topic,
                                    struct mr_err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle;
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < self->place_count; i++) {
        if (strcmp(self->places[i].topic, topic) == 0) {
            return MR_OK;
        }
    }
    handle = rd_kafka_topic_new(self->client, topic, NULL);
    if (handle == NULL) {
        return kafka_fail(err, rd_kafka_last_error(), topic, self->log->address);
    }
    code = rd_kafka_metadata(self->client, 0, handle, &metadata, METADATA_MS);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(err, code, "asking for metadata", self->log->address);
    }
    rd_kafka_metadata_destroy(metadata);
    return MR_OK;
}

enum mr_status kafka_reader_add(struct mr_reader *base, const char *topic, int32_t partition,
                                int64_t offset, struct mr_err *err)
{
    struct kafka_reader *self = self_of(base);

    MR_TRY(learn_leaders(self, topic, err));
    MR_TRY(change(self, topic, partition, offset, true, err));
    self->places = mr_xrealloc(self->places, (self->place_count + 1) * sizeof(*self->places));
    self->places[self->place_count++] =
        (struct place){.topic = kafka_names_intern(&self->names, topic),
                       .partition = partition,
                       .position = offset};
    return MR_OK;
}

enum mr_status kafka_reader_remove(struct mr_reader *base, const char *topic, int32_t partition,
                                   struct mr_err *err)
{
    struct kafka_reader *self = self_of(base);
    struct place *place = self->place_count == 0 ? NULL : find(self, topic, partition);

    if (place == NULL) {
        return MR_OK;
    }
    MR_TRY(change(self, topic, partition, RD_KAFKA_OFFSET_INVALID, false, err));
    *place = self->places[--self->place_count];
    self->last_place = 0;
    return MR_OK;
}

/* *kept: the message is handed on; otherwise it has been destroyed. */
static enum mr_status sort_out(struct kafka_reader *self, rd_kafka_message_t *message,
                               const char **topic, bool *kept, struct mr_err *err)
{
    const rd_kafka_resp_err_t code = message->err;
    struct place *place = NULL;
    enum mr_status status = MR_OK;

    *kept = false;
    if (message->rkt != NULL && self->place_count > 0) {
        *topic = kafka_names_intern(&self->names, rd_kafka_topic_name(message->rkt));
        place = find(self, *topic, message->partition);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && place != NULL) {
        place->position = message->offset + 1;
        self->last_place = (size_t)(place - self->places);
        *kept = true;
        return MR_OK;
    }
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF && place != NULL) {
        if (message->offset > place->position) {
            place->position = message->offset;
        }
    } else if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
               code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE ||
               code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        status =
            kafka_fail(err, code, place == NULL ? "reading" : place->topic, self->log->address);
    }
    rd_kafka_message_destroy(message);
    return status;
}

/* The first is waited for; a batch would be waited for until it is full. */
static size_t take(const struct kafka_reader *self, int wait_ms, rd_kafka_message_t **taken,
                   size_t max)
{
    ssize_t more;

    taken[0] = rd_kafka_consume_queue(self->queue, wait_ms);
    if (taken[0] == NULL) {
        return 0;
    }
    more = rd_kafka_consume_batch_queue(self->queue, 0, taken + 1, max - 1);
    return 1 + (more > 0 ? (size_t)more : 0);
}

enum mr_status kafka_reader_poll(struct mr_reader *base, int64_t timeout_us,
                                 struct mr_message *messages, size_t max, size_t *count,
                                 struct mr_err *err)
{
    struct kafka_reader *self = self_of(base);
    rd_kafka_message_t *taken[BATCH_MAX];
    int wait_ms = (int)((timeout_us + 999) / 1000);
    enum mr_status status = MR_OK;
    size_t got = 1;

    *count = 0;
    while (*count < max && got > 0 && status == MR_OK) {
        got = take(self, wait_ms, taken, max - *count < BATCH_MAX ? max - *count : BATCH_MAX);
        wait_ms = 0;
        for (size_t i = 0; i < got; i++) {
            const char *topic = NULL;
            bool kept = false;

            if (status != MR_OK) {
                rd_kafka_message_destroy(taken[i]);
                continue;
            }
            status = sort_out(self, taken[i], &topic, &kept, err);
            if (kept) {
                kafka_message_fill(&messages[(*count)++], topic, taken[i]);
            }
        }
    }
    while (status != MR_OK && *count > 0) {
        mr_message_release(&messages[--*count]);
    }
    return status;
}

int64_t kafka_reader_position(const struct mr_reader *base, const char *topic, int32_t partition)
{
    const struct kafka_reader *self = (const struct kafka_reader *)base;
    const struct place *place = self->place_count == 0 ? NULL : find(self, topic, partition);

    return place == NULL ? MR_OFFSET_NONE : place->position;
}

void kafka_reader_close(struct mr_reader *base)
{
    struct kafka_reader *self = self_of(base);

    rd_kafka_queue_destroy(self->queue);
    rd_kafka_consumer_close(self->client);
    rd_kafka_destroy(self->client);
    kafka_names_fini(&self->names);
    free(self->places);
    free(self);
}
