/*
 * load_out.c -- see load_out.h.
 */
#include "load_out.h"

#include "avro/account_command.h"
#include "avro/instrument.h"
#include "avro/order_command.h"
#include "avro/price_tick.h"
#include "millrace/option.h"
#include "millrace/partition.h"

#define OPEN_TIMEOUT_US (30 * MR_SECOND_US)
#define FLUSH_TIMEOUT_US (60 * MR_SECOND_US)

enum mr_status load_out_open(const struct load_env *env, int64_t linger_us, struct load_out *out,
                             struct mr_err *err)
{
    static const char *const names[LOAD_TOPIC_COUNT] = {"orders", "accounts", "prices",
                                                        "instruments"};
    const struct mr_schema *const schemas[LOAD_TOPIC_COUNT] = {
        &oms_order_command_schema, &oms_account_command_schema, &oms_price_tick_schema,
        &oms_instrument_schema};
    const struct mr_producer_options options = {.linger_us = linger_us,
                                                .compression = env->topology->defaults.compression};

    *out = (struct load_out){0};
    MR_TRY(mr_producer_open(env->log, &options, OPEN_TIMEOUT_US, &out->producer, err));
    for (size_t i = 0; i < LOAD_TOPIC_COUNT; i++) {
        struct load_port *port = &out->ports[i];
        char subject[64];

        port->name = names[i];
        MR_TRY(mr_producer_topic(out->producer, names[i], &port->topic, &port->partitions, err));
        (void)snprintf(subject, sizeof subject, "%s-value", names[i]);
        MR_TRY(mr_codec_bind(env->codec, schemas[i], subject, &port->binding, err));
    }
    return MR_OK;
}

enum mr_status load_out_send(struct load_out *out, enum load_topic topic, struct mr_slice key,
                             const void *value, struct mr_err *err)
{
    const struct load_port *port = &out->ports[topic];

    mr_buffer_clear(&out->buffer);
    (void)mr_buffer_reserve(&out->buffer, mr_codec_framed_bytes_max(&port->binding, value));
    out->buffer.len = mr_codec_encode(&port->binding, value, out->buffer.data);
    return load_out_send_bytes(out, topic, key, mr_buffer_slice(&out->buffer), err);
}

enum mr_status load_out_send_bytes(struct load_out *out, enum load_topic topic, struct mr_slice key,
                                   struct mr_slice bytes, struct mr_err *err)
{
    const struct load_port *port = &out->ports[topic];
    const struct mr_outgoing record = {.topic = port->topic,
                                       .partition = mr_partition_of(key, port->partitions),
                                       .timestamp_ms = MR_TIMESTAMP_NOW,
                                       .key = key,
                                       .value = bytes,
                                       .has_value = true};

    return mr_producer_send(out->producer, &record, err);
}

enum mr_status load_out_flush(struct load_out *out, struct mr_err *err)
{
    return mr_producer_flush(out->producer, FLUSH_TIMEOUT_US, err);
}

void load_out_close(struct load_out *out)
{
    if (out->producer != NULL) {
        mr_producer_close(&out->producer);
    }
    mr_buffer_fini(&out->buffer);
}
