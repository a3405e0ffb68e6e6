/* toy.c -- see toy.h. */
#include "toy.h"

#include "avro/balance.h"
#include "avro/order_command.h"
#include "avro/price_state.h"
#include "millrace/partition.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer than state may be behind. */
#define QUIET_STEPS 600
#define STEPS_MAX 200000

static const char text_head[] = "application: toy\n"
                                "kafka: {bootstrap.servers: memory}\n"
                                "registry: {url: \"http://127.0.0.1:1\"}\n"
                                "defaults: {partitions: 2, replication: 1";
/* As far as what the group is to have of options. */
#define PIPELINE_GRAPH PIPELINE_WITH("")
#define PIPELINE_WITH(boundary)                                                                    \
    "topics:\n"                                                                                    \
    "  orders: {key: userId, value: OrderCommand}\n"                                               \
    "  passed: {key: userId, value: OrderCommand" boundary "}\n"                                   \
    "  totals: {key: userId, value: Balance, cleanup: compact}\n"                                  \
    "stages:\n"                                                                                    \
    "  gate: {type: gate, in: {orders: orders}, out: {passed: passed}}\n"                          \
    "  tally: {type: tally, in: {orders: passed}, out: {totals: totals}}\n"                        \
    "groups:\n"                                                                                    \
    "  toy: {stages: [gate, tally]"

static const char pipeline_graph[] = PIPELINE_GRAPH "}\n";
const char toy_pair_graph[] = PIPELINE_GRAPH ", replicas: 2}\n";
const char toy_memory_graph[] = PIPELINE_WITH(", boundary: memory") "}\n";
const char toy_standby_graph[] = PIPELINE_GRAPH ", replicas: 2, standby: true}\n";

const char toy_clockwork_graph[] =
    "topics:\n"
    "  orders: {key: userId, value: OrderCommand}\n"
    "  ticks: {key: userId, value: Balance}\n"
    "stages:\n"
    "  clockwork: {type: clockwork, in: {orders: orders}, out: {ticks: ticks}}\n"
    "groups:\n"
    "  toy: {stages: [clockwork]}\n";

static int64_t now_us(void *arg)
{
    return ((struct toy *)arg)->now_us;
}

static void wait_us(void *arg, int64_t us)
{
    ((struct toy *)arg)->now_us += us;
}

static void load_topology(struct toy *toy, const char *extra_defaults, const char *graph)
{
    static const struct mr_stage *const stages[] = {&toy_gate, &toy_tally, &toy_clockwork,
                                                    &toy_clerk};
    static const struct mr_sink_type *const sinks[] = {&toy_sink};
    static const struct mr_schema *const schemas[] = {&oms_order_command_schema,
                                                      &oms_balance_schema, &oms_price_state_schema};
    static const struct mr_catalog catalog = {.stages = stages,
                                              .stage_count = MR_COUNT(stages),
                                              .sinks = sinks,
                                              .sink_count = MR_COUNT(sinks),
                                              .schemas = schemas,
                                              .schema_count = MR_COUNT(schemas)};
    char text[2048];

    snprintf(text, sizeof(text), "%s%s%s}\n%s", text_head,
             strstr(extra_defaults, "commit-interval") == NULL ? ", commit-interval: 1ms" : "",
             extra_defaults, graph);
    ck_assert_msg(mr_topology_load_text("toy.yaml", mr_slice_str(text), &catalog, &toy->topology,
                                        &toy->problems, &toy->err) == MR_OK,
                  "%s", toy->err.text);
}

static void create_topics(struct toy *toy)
{
    for (size_t i = 0; i < toy->topology->topic_count; i++) {
        const struct mr_topic *topic = &toy->topology->topics[i];
        const struct mr_topic_spec spec = {
            .name = topic->name,
            .partitions = topic->partitions,
            .replication = 1,
            .configs = topic->configs,
            .config_count = topic->config_count,
        };

        if (topic->in_log) {
            ck_assert_int_eq(mr_log_topic_create(toy->log, &spec, &toy->err), MR_OK);
        }
    }
}

void toy_init(struct toy *toy, const char *extra_defaults)
{
    toy_init_graph(toy, extra_defaults, pipeline_graph);
}

void toy_init_graph(struct toy *toy, const char *extra_defaults, const char *graph)
{
    const struct mr_producer_options outside = {.transaction_timeout_us = MR_SECOND_US};

    *toy = (struct toy){.now_us = 1700000000 * MR_SECOND_US};
    toy->clock = (struct mr_clock){
        .wall_us = now_us, .monotonic_us = now_us, .wait_us = wait_us, .arg = toy};
    toy->log = mr_log_memory_create(&toy->clock);
    toy->registry = mr_registry_memory_create();
    toy->codec = mr_codec_create(toy->registry);
    toy->backend = mr_backend_memory_create();
    toy->metrics = mr_metrics_create();
    load_topology(toy, extra_defaults, graph);
    create_topics(toy);
    ck_assert_int_eq(mr_codec_bind(toy->codec, &oms_order_command_schema, "orders-value",
                                   &toy->order, &toy->err),
                     MR_OK);
    ck_assert_int_eq(mr_producer_open(toy->log, &outside, MR_SECOND_US, &toy->producer, &toy->err),
                     MR_OK);
}

void toy_fini(struct toy *toy)
{
    mr_worker_destroy(&toy->worker);
    mr_producer_close(&toy->producer);
    mr_log_close(&toy->log);
    mr_topology_destroy(&toy->topology);
    mr_problems_fini(&toy->problems);
    mr_metrics_destroy(&toy->metrics);
    mr_backend_close(&toy->backend);
    mr_codec_destroy(&toy->codec);
    mr_registry_destroy(&toy->registry);
}

struct mr_worker *toy_worker(struct toy *toy, const char *instance, struct mr_backend *backend)
{
    const struct mr_process process = {
        .topology = toy->topology,
        .log = toy->log,
        .codec = toy->codec,
        .backend = backend,
        .metrics = toy->metrics,
        .clock = &toy->clock,
        .instance = instance,
        .accept_lost_changelog = toy->accept_lost_changelog,
        .accept_lost_offsets = toy->accept_lost_offsets,
    };

    return mr_worker_create(&process, 0, 0);
}

void toy_start(struct toy *toy)
{
    toy->worker = toy_worker(toy, "0", toy->backend);
}

bool toy_step(struct toy *toy, struct mr_worker *worker)
{
    bool busy;

    ck_assert_msg(mr_worker_step(worker, 0, &busy, &toy->err) == MR_OK, "%s", toy->err.text);
    toy->now_us += MR_MS_US;
    return busy;
}

void toy_run_for(struct toy *toy, struct mr_worker *worker, int steps)
{
    for (int i = 0; i < steps; i++) {
        (void)toy_step(toy, worker);
    }
}

void toy_run_all(struct toy *toy, struct mr_worker *const *workers, size_t count)
{
    int quiet = 0;

    for (int step = 0; quiet < QUIET_STEPS; step++) {
        bool busy = false;

        ck_assert_int_lt(step, STEPS_MAX);
        for (size_t i = 0; i < count; i++) {
            busy = toy_step(toy, workers[i]) || busy;
        }
        quiet = busy ? 0 : quiet + 1;
    }
}

void toy_crash(struct toy *toy)
{
    mr_worker_destroy(&toy->worker);
}

void toy_stop(struct toy *toy)
{
    struct mr_worker_status status = {0};
    bool busy;

    mr_worker_stop(toy->worker);
    for (int i = 0; i < STEPS_MAX && status.state != MR_WORKER_CLOSED; i++) {
        ck_assert_msg(mr_worker_step(toy->worker, 0, &busy, &toy->err) == MR_OK, "%s",
                      toy->err.text);
        mr_worker_status(toy->worker, &status);
        toy->now_us += MR_MS_US;
    }
    ck_assert_int_eq(status.state, MR_WORKER_CLOSED);
    mr_worker_destroy(&toy->worker);
}

void toy_lose_state(struct toy *toy)
{
    mr_backend_close(&toy->backend);
    toy->backend = mr_backend_memory_create();
}

int32_t toy_partition(const char *user)
{
    return mr_partition_of(mr_slice_str(user), TOY_PARTITIONS);
}

static void send_record(struct toy *toy, const char *user, struct mr_outgoing record)
{
    record.partition = toy_partition(user);
    record.timestamp_ms = toy->now_us / 1000;
    record.key = mr_slice_str(user);
    ck_assert_int_eq(mr_producer_topic(toy->producer, "orders", &record.topic, NULL, &toy->err),
                     MR_OK);
    ck_assert_int_eq(mr_producer_send(toy->producer, &record, &toy->err), MR_OK);
    ck_assert_int_eq(mr_producer_flush(toy->producer, MR_SECOND_US, &toy->err), MR_OK);
}

void toy_send_bytes(struct toy *toy, const char *user, const void *bytes, size_t len)
{
    send_record(toy, user,
                (struct mr_outgoing){.value = mr_slice_of(bytes, len), .has_value = true});
}

void toy_send_headers(struct toy *toy, const char *user, const struct mr_header *headers,
                      size_t count)
{
    send_record(toy, user,
                (struct mr_outgoing){.value = mr_slice_str("garbage"),
                                     .has_value = true,
                                     .headers = headers,
                                     .header_count = count});
}

void toy_send_tombstone(struct toy *toy, const char *user)
{
    send_record(toy, user, (struct mr_outgoing){.has_value = false});
}

void toy_send(struct toy *toy, const char *user, const char *id)
{
    const struct oms_order_command order = {
        .event_id = mr_slice_str(id),
        .ts_us = toy->now_us,
        .user_id = mr_slice_str(user),
        .has_client_order_id = true,
        .client_order_id = mr_slice_str(id),
    };
    uint8_t bytes[1024];

    ck_assert_uint_le(mr_codec_framed_bytes_max(&toy->order, &order), sizeof(bytes));
    toy_send_bytes(toy, user, bytes, mr_codec_encode(&toy->order, &order, bytes));
}

int toy_run(struct toy *toy)
{
    int restarts = 0;
    int quiet = 0;

    for (int step = 0; quiet < QUIET_STEPS; step++) {
        bool busy;

        ck_assert_int_lt(step, STEPS_MAX);
        if (mr_worker_step(toy->worker, 0, &busy, &toy->err) != MR_OK) {
            restarts++;
            toy_crash(toy);
            toy_start(toy);
            busy = true;
        }
        quiet = busy ? 0 : quiet + 1;
        toy->now_us += MR_MS_US;
    }
    return restarts;
}

static void copy_text(char text[32], struct mr_slice from)
{
    ck_assert_uint_lt(from.len, 32);
    memcpy(text, from.data, from.len);
    text[from.len] = '\0';
}

static void read_record(struct toy *toy, const struct mr_schema *schema, const char *subject,
                        const struct mr_message *message, struct toy_record *record)
{
    union {
        struct oms_order_command order;
        struct oms_balance balance;
    } value;
    struct mr_binding binding;

    copy_text(record->key, message->key);
    record->partition = message->partition;
    record->readable = schema != NULL;
    if (schema == NULL) {
        return;
    }
    ck_assert_int_eq(mr_codec_bind(toy->codec, schema, subject, &binding, &toy->err), MR_OK);
    ck_assert_int_eq(mr_codec_decode(toy->codec, &binding, message->value, NULL, &value, &toy->err),
                     MR_OK);
    if (schema == &oms_order_command_schema) {
        copy_text(record->id, value.order.client_order_id);
    } else {
        record->total = value.balance.version;
    }
}

size_t toy_read(struct toy *toy, const char *topic, struct toy_record records[TOY_READ_MAX])
{
    const struct mr_topic *spec =
        &toy->topology->topics[mr_topology_find_topic(toy->topology, topic)];
    size_t total = 0;

    for (int32_t p = 0; p < spec->partitions; p++) {
        struct mr_reader *reader;
        int64_t low;
        int64_t end;

        while (mr_log_watermarks(toy->log, topic, p, &low, &end, &toy->err) == MR_UNAVAILABLE) {
            /* a fault that the worker did not get to */
        }
        ck_assert_int_eq(mr_reader_open(toy->log, MR_READER_FOLLOWS_US, &reader, &toy->err), MR_OK);
        ck_assert_int_eq(mr_reader_add(reader, topic, p, low, &toy->err), MR_OK);
        while (mr_reader_position(reader, topic, p) < end) {
            struct mr_message message;
            size_t count;

            ck_assert_int_eq(mr_reader_poll(reader, 0, &message, 1, &count, &toy->err), MR_OK);
            if (count == 1) {
                ck_assert_uint_lt(total, TOY_READ_MAX);
                read_record(toy, spec->schema, spec->subject, &message, &records[total++]);
                mr_message_release(&message);
            }
        }
        mr_reader_close(&reader);
    }
    return total;
}

int64_t toy_total(struct toy *toy, const char *user)
{
    static struct toy_record records[TOY_READ_MAX];
    const size_t count = toy_read(toy, "totals", records);
    int64_t total = 0;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(records[i].key, user) == 0) {
            ck_assert_int_gt(records[i].total, total);
            total = records[i].total;
        }
    }
    return total;
}

int64_t toy_ticks(struct toy *toy, const char *name)
{
    static struct toy_record records[TOY_READ_MAX];
    const size_t count = toy_read(toy, "ticks", records);
    int64_t last = 0;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(records[i].key, name) == 0) {
            ck_assert_int_eq(records[i].total, ++last);
        }
    }
    return last;
}
