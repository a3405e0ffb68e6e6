/*
 * load_out.h -- sends records of the pipeline's input topics.
 */
#ifndef MILLRACE_LOAD_OUT_H
#define MILLRACE_LOAD_OUT_H

#include "load_feed.h"
#include "millrace/buffer.h"

enum load_topic { LOAD_ORDERS, LOAD_ACCOUNTS, LOAD_PRICES, LOAD_INSTRUMENTS, LOAD_TOPIC_COUNT };

struct load_port {
    const char *name;
    int topic;
    int32_t partitions;
    struct mr_binding binding;
};

struct load_out {
    struct mr_producer *producer;
    struct load_port ports[LOAD_TOPIC_COUNT];
    struct mr_buffer buffer;
};

MR_NODISCARD enum mr_status load_out_open(const struct load_env *env, int64_t linger_us,
                                          struct load_out *out, struct mr_err *err);
/* value: struct of the topic's schema. To the partition its key hashes to. */
MR_NODISCARD enum mr_status load_out_send(struct load_out *out, enum load_topic topic,
                                          struct mr_slice key, const void *value,
                                          struct mr_err *err);
MR_NODISCARD enum mr_status load_out_send_bytes(struct load_out *out, enum load_topic topic,
                                                struct mr_slice key, struct mr_slice bytes,
                                                struct mr_err *err);
MR_NODISCARD enum mr_status load_out_flush(struct load_out *out, struct mr_err *err);
void load_out_close(struct load_out *out);

#endif
