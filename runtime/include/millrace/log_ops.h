/*
 * log_ops.h -- what an implementation of the log port fills in. Callers use log.h.
 *
 * Every function has the meaning of its mr_log_*, mr_producer_*, mr_member_* or mr_reader_* twin.
 * The first member of each implementation's handle structs is the base struct below.
 */
#ifndef MILLRACE_LOG_OPS_H
#define MILLRACE_LOG_OPS_H

#include "millrace/log.h"

struct mr_log {
    const struct mr_log_ops *ops;
};
struct mr_producer {
    const struct mr_log_ops *ops;
};
struct mr_member {
    const struct mr_log_ops *ops;
};
struct mr_reader {
    const struct mr_log_ops *ops;
};

struct mr_log_ops {
    enum mr_status (*topic_partitions)(struct mr_log *, const char *, int32_t *, struct mr_err *);
    enum mr_status (*topic_config)(struct mr_log *, const char *, const char *, char *, size_t,
                                   struct mr_err *);
    enum mr_status (*topic_create)(struct mr_log *, const struct mr_topic_spec *, struct mr_err *);
    enum mr_status (*topic_alter)(struct mr_log *, const struct mr_topic_spec *, struct mr_err *);
    enum mr_status (*watermarks)(struct mr_log *, const char *, int32_t, int64_t *, int64_t *,
                                 struct mr_err *);
    enum mr_status (*end)(struct mr_log *, const char *, int32_t, int64_t *, struct mr_err *);
    /* NULL: one question after the other will do. */
    enum mr_status (*extents)(struct mr_log *, struct mr_extent *, size_t, struct mr_err *);
    enum mr_status (*committed)(struct mr_log *, const char *, struct mr_topic_partition *, size_t,
                                int64_t, struct mr_err *);
    enum mr_status (*member_present)(struct mr_log *, const char *, const char *, bool *,
                                     struct mr_err *);
    enum mr_status (*group_members)(struct mr_log *, const char *, size_t *, struct mr_err *);
    enum mr_status (*group_commit)(struct mr_log *, const char *, const struct mr_topic_partition *,
                                   size_t, struct mr_err *);
    enum mr_status (*topic_names)(struct mr_log *, void (*)(void *, const char *), void *,
                                  struct mr_err *);
    const char *(*address)(const struct mr_log *);
    void (*close)(struct mr_log *);

    enum mr_status (*producer_open)(struct mr_log *, const struct mr_producer_options *, int64_t,
                                    struct mr_producer **, struct mr_err *);
    enum mr_status (*producer_topic)(struct mr_producer *, const char *, int *, int32_t *,
                                     struct mr_err *);
    enum mr_status (*producer_expect)(struct mr_producer *, const char *const *, size_t,
                                      struct mr_err *); /* NULL: needs none */
    enum mr_status (*producer_begin)(struct mr_producer *, struct mr_err *);
    enum mr_status (*producer_send)(struct mr_producer *, const struct mr_outgoing *,
                                    struct mr_err *);
    enum mr_status (*producer_commit)(struct mr_producer *, struct mr_member *,
                                      const struct mr_topic_partition *, size_t, struct mr_err *);
    enum mr_status (*producer_commit_as)(struct mr_producer *, const char *,
                                         const struct mr_topic_partition *, size_t,
                                         struct mr_err *);
    enum mr_status (*producer_abort)(struct mr_producer *, struct mr_err *);
    enum mr_status (*producer_flush)(struct mr_producer *, int64_t, struct mr_err *);
    void (*producer_poll)(struct mr_producer *);
    int64_t (*producer_delivered)(const struct mr_producer *, int, int32_t);
    void (*producer_close)(struct mr_producer *);

    enum mr_status (*member_open)(struct mr_log *, const struct mr_member_options *,
                                  struct mr_member **, struct mr_err *);
    enum mr_status (*member_poll)(struct mr_member *, int64_t, struct mr_message *, size_t,
                                  size_t *, struct mr_err *);
    enum mr_status (*member_pause)(struct mr_member *, const char *, int32_t, struct mr_err *);
    enum mr_status (*member_resume)(struct mr_member *, const char *, int32_t, int64_t,
                                    struct mr_err *);
    enum mr_status (*member_seek)(struct mr_member *, const char *, int32_t, int64_t,
                                  struct mr_err *);
    enum mr_status (*member_commit)(struct mr_member *, const struct mr_topic_partition *, size_t,
                                    struct mr_err *);
    void (*member_close)(struct mr_member *);

    enum mr_status (*reader_open)(struct mr_log *, int64_t, struct mr_reader **, struct mr_err *);
    enum mr_status (*reader_add)(struct mr_reader *, const char *, int32_t, int64_t,
                                 struct mr_err *);
    enum mr_status (*reader_remove)(struct mr_reader *, const char *, int32_t, struct mr_err *);
    enum mr_status (*reader_poll)(struct mr_reader *, int64_t, struct mr_message *, size_t,
                                  size_t *, struct mr_err *);
    int64_t (*reader_position)(const struct mr_reader *, const char *, int32_t);
    void (*reader_close)(struct mr_reader *);

    size_t (*message_headers)(const struct mr_message *, struct mr_header *, size_t);
    void (*message_release)(struct mr_message *);
};

#endif
