/*
 * kafka.h -- what the files of the Kafka log share. The only home of librdkafka's header.
 */
#ifndef MILLRACE_LOG_KAFKA_H
#define MILLRACE_LOG_KAFKA_H

#include "millrace/log_ops.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#define KAFKA_MAGIC 0x4B41464Bu

/* A client for questions that the common one cannot answer: about a group, or behind the LSO. */
struct kafka_special_client {
    char *group;    /* "": none */
    bool committed; /* reads committed, and stable offsets */
    rd_kafka_t *client;
    struct kafka_special_client *next;
};

struct kafka_log {
    struct mr_log base;
    uint32_t magic;
    struct mr_topic_config *properties; /* the user's, for every client */
    size_t property_count;
    char *address;
    rd_kafka_t *client;   /* questions and topic administration; thread-safe */
    pthread_mutex_t lock; /* of special_clients */
    struct kafka_special_client *special_clients;
};

extern const struct mr_log_ops kafka_ops;

static inline struct kafka_log *kafka_log_of(struct mr_log *log)
{
    return MR_SELF(struct kafka_log, (struct kafka_log *)log, KAFKA_MAGIC);
}

/* ---- config.c: a client is its configuration ------------------------------------------------- */

/* A configuration with the user's properties and what every client has; NULL is impossible. */
rd_kafka_conf_t *kafka_conf_create(const struct kafka_log *log);
/* Settings of a client that the user's properties win over. */
void kafka_conf_tune(rd_kafka_conf_t *conf, const struct kafka_log *log,
                     const struct mr_topic_config *settings, size_t count);
/* A name librdkafka does not know, or a value it does not take, is MR_CONFIG with its own words. */
MR_NODISCARD enum mr_status kafka_conf_set(rd_kafka_conf_t *conf, const char *name,
                                           const char *value, struct mr_err *err);
MR_NODISCARD enum mr_status kafka_conf_set_all(rd_kafka_conf_t *conf,
                                               const struct mr_topic_config *settings, size_t count,
                                               struct mr_err *err);
MR_NODISCARD enum mr_status kafka_conf_set_ms(rd_kafka_conf_t *conf, const char *name, int64_t us,
                                              struct mr_err *err);
/* Takes conf over, also on failure. */
MR_NODISCARD enum mr_status kafka_client_create(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                                rd_kafka_t **client, struct mr_err *err);

/* ---- member.c: offsets to commit, with their metadata; the caller destroys the list ---------- */

rd_kafka_topic_partition_list_t *kafka_offset_list(const struct mr_topic_partition *offsets,
                                                   size_t count);

/* ---- error.c --------------------------------------------------------------------------------- */

/* What a code means to us; text names the operation. */
enum mr_status kafka_fail(struct mr_err *err, rd_kafka_resp_err_t code, const char *operation,
                          const char *address);
/* The same for the error objects of the transactional calls, which carry their own flags; frees it.
 */
enum mr_status kafka_fail_error(struct mr_err *err, rd_kafka_error_t *error, const char *operation,
                                const char *address);

/* ---- cluster.c, topics.c --------------------------------------------------------------------- */

#define KAFKA_ANSWER_MS 10000
/* The client for questions about a group, "": about none; not committed: looks behind the LSO. */
enum mr_status kafka_special_client(struct kafka_log *log, const char *group, bool committed,
                                    rd_kafka_t **client, struct mr_err *err);

enum mr_status kafka_watermarks(struct mr_log *, const char *, int32_t, int64_t *, int64_t *,
                                struct mr_err *);
enum mr_status kafka_end(struct mr_log *, const char *, int32_t, int64_t *, struct mr_err *);
enum mr_status kafka_extents(struct mr_log *, struct mr_extent *, size_t, struct mr_err *);

enum mr_status kafka_topic_partitions(struct mr_log *, const char *, int32_t *, struct mr_err *);
enum mr_status kafka_topic_config(struct mr_log *, const char *, const char *, char *, size_t,
                                  struct mr_err *);
enum mr_status kafka_topic_create(struct mr_log *, const struct mr_topic_spec *, struct mr_err *);
enum mr_status kafka_topic_alter(struct mr_log *, const struct mr_topic_spec *, struct mr_err *);

enum mr_status kafka_topic_names(struct mr_log *, void (*)(void *, const char *), void *,
                                 struct mr_err *);

/* ---- groups.c -------------------------------------------------------------------------------- */

enum mr_status kafka_committed(struct mr_log *, const char *, struct mr_topic_partition *, size_t,
                               int64_t, struct mr_err *);
enum mr_status kafka_member_present(struct mr_log *, const char *, const char *, bool *,
                                    struct mr_err *);
enum mr_status kafka_group_members(struct mr_log *, const char *, size_t *, struct mr_err *);
enum mr_status kafka_group_commit(struct mr_log *, const char *, const struct mr_topic_partition *,
                                  size_t, struct mr_err *);

/* ---- message.c ------------------------------------------------------------------------------- */

void kafka_message_fill(struct mr_message *out, const char *topic, rd_kafka_message_t *message);
size_t kafka_message_headers(const struct mr_message *, struct mr_header *, size_t);
void kafka_message_release(struct mr_message *);

/* Topic names that live as long as a handle. */
struct kafka_names {
    char **names;
    size_t count;
    size_t last;
};
const char *kafka_names_intern(struct kafka_names *names, const char *name);
void kafka_names_fini(struct kafka_names *names);

/* ---- producer.c, member.c, reader.c ---------------------------------------------------------- */

enum mr_status kafka_producer_open(struct mr_log *, const struct mr_producer_options *, int64_t,
                                   struct mr_producer **, struct mr_err *);
enum mr_status kafka_producer_topic(struct mr_producer *, const char *, int *, int32_t *,
                                    struct mr_err *);
enum mr_status kafka_producer_expect(struct mr_producer *, const char *const *, size_t,
                                     struct mr_err *);
enum mr_status kafka_producer_begin(struct mr_producer *, struct mr_err *);
enum mr_status kafka_producer_send(struct mr_producer *, const struct mr_outgoing *,
                                   struct mr_err *);
enum mr_status kafka_producer_commit(struct mr_producer *, struct mr_member *,
                                     const struct mr_topic_partition *, size_t, struct mr_err *);
enum mr_status kafka_producer_commit_as(struct mr_producer *, const char *,
                                        const struct mr_topic_partition *, size_t, struct mr_err *);
enum mr_status kafka_producer_abort(struct mr_producer *, struct mr_err *);
enum mr_status kafka_producer_flush(struct mr_producer *, int64_t, struct mr_err *);
void kafka_producer_poll(struct mr_producer *);
int64_t kafka_producer_delivered(const struct mr_producer *, int, int32_t);
void kafka_producer_close(struct mr_producer *);

enum mr_status kafka_member_open(struct mr_log *, const struct mr_member_options *,
                                 struct mr_member **, struct mr_err *);
enum mr_status kafka_member_poll(struct mr_member *, int64_t, struct mr_message *, size_t, size_t *,
                                 struct mr_err *);
enum mr_status kafka_member_pause(struct mr_member *, const char *, int32_t, struct mr_err *);
enum mr_status kafka_member_resume(struct mr_member *, const char *, int32_t, int64_t,
                                   struct mr_err *);
enum mr_status kafka_member_seek(struct mr_member *, const char *, int32_t, int64_t,
                                 struct mr_err *);
enum mr_status kafka_member_commit(struct mr_member *, const struct mr_topic_partition *, size_t,
                                   struct mr_err *);
void kafka_member_close(struct mr_member *);
/* The group metadata for a transaction's offsets: read when it is needed, on the owner's thread.
 * NULL when the member is not in the group (any more): its offsets must not be committed. */
rd_kafka_consumer_group_metadata_t *kafka_member_metadata(struct mr_member *member);

enum mr_status kafka_reader_open(struct mr_log *, int64_t, struct mr_reader **, struct mr_err *);
enum mr_status kafka_reader_add(struct mr_reader *, const char *, int32_t, int64_t,
                                struct mr_err *);
enum mr_status kafka_reader_remove(struct mr_reader *, const char *, int32_t, struct mr_err *);
enum mr_status kafka_reader_poll(struct mr_reader *, int64_t, struct mr_message *, size_t, size_t *,
                                 struct mr_err *);
int64_t kafka_reader_position(const struct mr_reader *, const char *, int32_t);
void kafka_reader_close(struct mr_reader *);

#endif
