/*
 * client.c -- see client.h.
 *
 * We write and read by the schemas this program was compiled with. Their ids are looked up; a
 * report that a newer or older pipeline wrote has another id, and the codec resolves it to ours.
 */
#include "client.h"

#include "millrace/partition.h"
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>

#define POLL_US (100 * MR_MS_US)
#define BATCH 64
#define ARENA_BYTES ((size_t)16 * 1024)
#define ID_UNKNOWN (-1) /* no record has it: all are resolved by their own */

struct client {
    struct client_options options;
    struct mr_codec *codec;
    struct mr_reader *reader;
    struct mr_arena *arena;
    struct mr_binding orders;
    struct mr_binding executions;
    int64_t deadline_us;
};

static int64_t left_us(const struct client *client)
{
    const int64_t left = client->deadline_us - mr_clock_monotonic_us(client->options.clock);

    return left > 0 ? left : 0;
}

static enum mr_status look_up(struct client *client, const char *subject,
                              const struct mr_schema *schema, struct mr_binding *binding,
                              struct mr_err *err)
{
    struct mr_registry *registry = client->options.registry;

    *binding = (struct mr_binding){.schema = schema, .id = ID_UNKNOWN};
    return registry->ops->lookup(registry, subject, schema->json, &binding->id, err);
}

static enum mr_status find_schemas(struct client *client, struct mr_err *err)
{
    enum mr_status status =
        look_up(client, "orders-value", &oms_order_command_schema, &client->orders, err);

    if (status == MR_SCHEMA_UNKNOWN) {
        return mr_fail(err, status,
                       "the registry does not have this client's OrderCommand under "
                       "orders-value: `millrace topology apply` registers it");
    }
    MR_TRY(status);
    status =
        look_up(client, "executions-value", &oms_execution_report_schema, &client->executions, err);
    return status == MR_SCHEMA_UNKNOWN ? MR_OK : status;
}

static enum mr_status open_executions(struct client *client, bool from_start, struct mr_err *err)
{
    struct mr_log *log = client->options.log;
    int32_t partitions = 0;
    int32_t partition = 0;
    int64_t low = 0;
    int64_t end = 0;

    MR_TRY(mr_log_topic_partitions(log, "executions", &partitions, err));
    if (partitions == 0) {
        return mr_fail(err, MR_CONFIG, "%s has no topic executions", mr_log_address(log));
    }
    partition = mr_partition_of(mr_slice_str(client->options.user), partitions);
    MR_TRY(mr_log_watermarks(log, "executions", partition, &low, &end, err));
    MR_TRY(mr_reader_open(log, MR_READER_FOLLOWS_US, &client->reader, err));
    return mr_reader_add(client->reader, "executions", partition, from_start ? low : end, err);
}

enum mr_status client_open(const struct client_options *options, bool from_start,
                           struct client **out, struct mr_err *err)
{
    struct client *client = mr_xcalloc(1, sizeof(*client));
    enum mr_status status;

    client->options = *options;
    client->codec = mr_codec_create(options->registry);
    client->arena = mr_arena_create(ARENA_BYTES);
    client->deadline_us = mr_clock_monotonic_us(options->clock) + options->timeout_us;
    status = find_schemas(client, err);
    if (status == MR_OK) {
        status = open_executions(client, from_start, err);
    }
    if (status != MR_OK) {
        client_close(&client);
    }
    *out = client;
    return status;
}

void client_close(struct client **client)
{
    struct client *c = *client;

    if (c == NULL) {
        return;
    }
    if (c->reader != NULL) {
        mr_reader_close(&c->reader);
    }
    mr_arena_destroy(&c->arena);
    mr_codec_destroy(&c->codec);
    free(c);
    *client = NULL;
}

static enum mr_status send_framed(struct client *client, struct mr_producer *producer,
                                  struct mr_slice key, struct mr_slice framed, struct mr_err *err)
{
    struct mr_outgoing record = {
        .timestamp_ms = MR_TIMESTAMP_NOW, .key = key, .value = framed, .has_value = true};
    int32_t partitions = 0;

    MR_TRY(mr_producer_topic(producer, "orders", &record.topic, &partitions, err));
    record.partition = mr_partition_of(key, partitions);
    MR_TRY(mr_producer_send(producer, &record, err));
    return mr_producer_flush(producer, left_us(client), err);
}

enum mr_status client_send(struct client *client, const struct oms_order_command *command,
                           struct mr_err *err)
{
    /* Without a transactional id it is idempotent: a retry of the client library is no second
     * record. */
    const struct mr_producer_options options = {.compression = "snappy"};
    struct mr_producer *producer = NULL;
    uint8_t *bytes = mr_xcalloc(1, mr_codec_framed_bytes_max(&client->orders, command));
    const size_t len = mr_codec_encode(&client->orders, command, bytes);
    enum mr_status status =
        mr_producer_open(client->options.log, &options, left_us(client), &producer, err);

    if (status == MR_OK) {
        status = send_framed(client, producer, mr_slice_str(client->options.user),
                             mr_slice_of(bytes, len), err);
        mr_producer_close(&producer);
    }
    free(bytes);
    return status;
}

/* What one message means to the follower. */
struct follower {
    struct client *client;
    struct mr_slice order_id;
    client_report_fn *show;
    void *arg;
    bool any;
    bool final;
    enum oms_order_status status;
};

static enum mr_status take(struct follower *follower, const struct mr_message *message,
                           struct mr_err *err)
{
    struct client *client = follower->client;
    struct oms_execution_report report = {0};

    if (!mr_slice_equal(message->key, mr_slice_str(client->options.user)) || !message->has_value) {
        return MR_OK;
    }
    mr_arena_reset(client->arena);
    MR_TRY(mr_codec_decode(client->codec, &client->executions, message->value, client->arena,
                           &report, err));
    if (mr_slice_equal(report.order_id, follower->order_id)) {
        follower->show(follower->arg, &report);
        follower->any = true;
        follower->status = report.status;
        follower->final = report_is_final(&report);
    }
    return MR_OK;
}

/* One batch; what stands behind the last report is not looked at. */
static enum mr_status take_batch(struct follower *follower, struct mr_err *err)
{
    struct mr_message messages[BATCH];
    size_t count = 0;
    enum mr_status status =
        mr_reader_poll(follower->client->reader, POLL_US, messages, BATCH, &count, err);

    for (size_t i = 0; i < count; i++) {
        if (status == MR_OK && !follower->final) {
            status = take(follower, &messages[i], err);
        }
        mr_message_release(&messages[i]);
    }
    return status == MR_UNAVAILABLE ? MR_OK : status; /* the time that is left decides */
}

enum mr_status client_follow(struct client *client, const char *order_id, client_report_fn *show,
                             void *arg, enum oms_order_status *status, struct mr_err *err)
{
    struct follower follower = {
        .client = client, .order_id = mr_slice_str(order_id), .show = show, .arg = arg};

    while (!follower.final) {
        if (left_us(client) == 0) {
            return mr_fail(err, MR_TIMEOUT,
                           "order %s was not over after %" PRId64 " s (--timeout); last status: %s",
                           order_id, client->options.timeout_us / MR_SECOND_US,
                           follower.any ? oms_order_status_symbols[follower.status] : "none");
        }
        MR_TRY(take_batch(&follower, err));
    }
    *status = follower.status;
    return MR_OK;
}
