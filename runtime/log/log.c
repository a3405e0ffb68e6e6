/*
 * log.c -- the log port's functions: each one calls its twin in the implementation's table.
 *
 * Why: callers see plain functions and the implementation stays exchangeable.
 * Not: a place for rules. What a call means is the implementation's and the contract suite's.
 */
#include "millrace/log_ops.h"

size_t mr_message_headers(const struct mr_message *message, struct mr_header *headers, size_t max)
{
    return message->ops->message_headers(message, headers, max);
}

void mr_message_release(struct mr_message *message)
{
    message->ops->message_release(message);
}

/* ---- topics ---------------------------------------------------------------------------------- */

enum mr_status mr_log_topic_partitions(struct mr_log *log, const char *topic, int32_t *partitions,
                                       struct mr_err *err)
{
    return log->ops->topic_partitions(log, topic, partitions, err);
}

enum mr_status mr_log_topic_config(struct mr_log *log, const char *topic, const char *name,
                                   char *buffer, size_t bytes, struct mr_err *err)
{
    return log->ops->topic_config(log, topic, name, buffer, bytes, err);
}

enum mr_status mr_log_topic_create(struct mr_log *log, const struct mr_topic_spec *spec,
                                   struct mr_err *err)
{
    return log->ops->topic_create(log, spec, err);
}

enum mr_status mr_log_topic_alter(struct mr_log *log, const struct mr_topic_spec *spec,
                                  struct mr_err *err)
{
    return log->ops->topic_alter(log, spec, err);
}

enum mr_status mr_log_watermarks(struct mr_log *log, const char *topic, int32_t partition,
                                 int64_t *low, int64_t *stable_end, struct mr_err *err)
{
    return log->ops->watermarks(log, topic, partition, low, stable_end, err);
}

enum mr_status mr_log_end(struct mr_log *log, const char *topic, int32_t partition, int64_t *end,
                          struct mr_err *err)
{
    return log->ops->end(log, topic, partition, end, err);
}

enum mr_status mr_log_extents(struct mr_log *log, struct mr_extent *extents, size_t count,
                              struct mr_err *err)
{
    if (log->ops->extents != NULL) {
        return log->ops->extents(log, extents, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        struct mr_extent *at = &extents[i];

        MR_TRY(mr_log_watermarks(log, at->topic, at->partition, &at->low, &at->stable_end, err));
        MR_TRY(mr_log_end(log, at->topic, at->partition, &at->end, err));
    }
    return MR_OK;
}

enum mr_status mr_log_committed(struct mr_log *log, const char *group,
                                struct mr_topic_partition *positions, size_t count,
                                int64_t timeout_us, struct mr_err *err)
{
    return log->ops->committed(log, group, positions, count, timeout_us, err);
}

enum mr_status mr_log_member_present(struct mr_log *log, const char *group, const char *instance,
                                     bool *present, struct mr_err *err)
{
    return log->ops->member_present(log, group, instance, present, err);
}

enum mr_status mr_log_group_members(struct mr_log *log, const char *group, size_t *count,
                                    struct mr_err *err)
{
    return log->ops->group_members(log, group, count, err);
}

enum mr_status mr_log_group_commit(struct mr_log *log, const char *group,
                                   const struct mr_topic_partition *positions, size_t count,
                                   struct mr_err *err)
{
    return log->ops->group_commit(log, group, positions, count, err);
}

enum mr_status mr_log_topic_names(struct mr_log *log, void (*visit)(void *arg, const char *topic),
                                  void *arg, struct mr_err *err)
{
    return log->ops->topic_names(log, visit, arg, err);
}

const char *mr_log_address(const struct mr_log *log)
{
    return log->ops->address(log);
}

void mr_log_close(struct mr_log **log)
{
    if (*log != NULL) {
        (*log)->ops->close(*log);
        *log = NULL;
    }
}

/* ---- producing ------------------------------------------------------------------------------- */

enum mr_status mr_producer_open(struct mr_log *log, const struct mr_producer_options *options,
                                int64_t timeout_us, struct mr_producer **producer,
                                struct mr_err *err)
{
    return log->ops->producer_open(log, options, timeout_us, producer, err);
}

enum mr_status mr_producer_topic(struct mr_producer *producer, const char *name, int *topic,
                                 int32_t *partitions, struct mr_err *err)
{
    return producer->ops->producer_topic(producer, name, topic, partitions, err);
}

enum mr_status mr_producer_expect(struct mr_producer *producer, const char *const *names,
                                  size_t count, struct mr_err *err)
{
    return producer->ops->producer_expect == NULL
               ? MR_OK
               : producer->ops->producer_expect(producer, names, count, err);
}

enum mr_status mr_producer_begin(struct mr_producer *producer, struct mr_err *err)
{
    return producer->ops->producer_begin(producer, err);
}

enum mr_status mr_producer_send(struct mr_producer *producer, const struct mr_outgoing *record,
                                struct mr_err *err)
{
    return producer->ops->producer_send(producer, record, err);
}

enum mr_status mr_producer_commit(struct mr_producer *producer, struct mr_member *member,
                                  const struct mr_topic_partition *offsets, size_t count,
                                  struct mr_err *err)
{
    return producer->ops->producer_commit(producer, member, offsets, count, err);
}

enum mr_status mr_producer_commit_as(struct mr_producer *producer, const char *group,
                                     const struct mr_topic_partition *offsets, size_t count,
                                     struct mr_err *err)
{
    return producer->ops->producer_commit_as(producer, group, offsets, count, err);
}

enum mr_status mr_producer_abort(struct mr_producer *producer, struct mr_err *err)
{
    return producer->ops->producer_abort(producer, err);
}

enum mr_status mr_producer_flush(struct mr_producer *producer, int64_t timeout_us,
                                 struct mr_err *err)
{
    return producer->ops->producer_flush(producer, timeout_us, err);
}

void mr_producer_poll(struct mr_producer *producer)
{
    producer->ops->producer_poll(producer);
}

int64_t mr_producer_delivered(const struct mr_producer *producer, int topic, int32_t partition)
{
    return producer->ops->producer_delivered(producer, topic, partition);
}

void mr_producer_close(struct mr_producer **producer)
{
    if (*producer != NULL) {
        (*producer)->ops->producer_close(*producer);
        *producer = NULL;
    }
}

/* ---- consuming as a member of a group -------------------------------------------------------- */

enum mr_status mr_member_open(struct mr_log *log, const struct mr_member_options *options,
                              struct mr_member **member, struct mr_err *err)
{
    return log->ops->member_open(log, options, member, err);
}

enum mr_status mr_member_poll(struct mr_member *member, int64_t timeout_us,
                              struct mr_message *messages, size_t max, size_t *count,
                              struct mr_err *err)
{
    return member->ops->member_poll(member, timeout_us, messages, max, count, err);
}

enum mr_status mr_member_pause(struct mr_member *member, const char *topic, int32_t partition,
                               struct mr_err *err)
{
    return member->ops->member_pause(member, topic, partition, err);
}

enum mr_status mr_member_resume(struct mr_member *member, const char *topic, int32_t partition,
                                int64_t begin, struct mr_err *err)
{
    return member->ops->member_resume(member, topic, partition, begin, err);
}

enum mr_status mr_member_seek(struct mr_member *member, const char *topic, int32_t partition,
                              int64_t offset, struct mr_err *err)
{
    return member->ops->member_seek(member, topic, partition, offset, err);
}

enum mr_status mr_member_commit(struct mr_member *member, const struct mr_topic_partition *offsets,
                                size_t count, struct mr_err *err)
{
    return member->ops->member_commit(member, offsets, count, err);
}

void mr_member_close(struct mr_member **member)
{
    if (*member != NULL) {
        (*member)->ops->member_close(*member);
        *member = NULL;
    }
}

/* ---- reading without a group ----------------------------------------------------------------- */

enum mr_status mr_reader_open(struct mr_log *log, int64_t idle_wait_us, struct mr_reader **reader,
                              struct mr_err *err)
{
    return log->ops->reader_open(log, idle_wait_us, reader, err);
}

enum mr_status mr_reader_add(struct mr_reader *reader, const char *topic, int32_t partition,
                             int64_t offset, struct mr_err *err)
{
    return reader->ops->reader_add(reader, topic, partition, offset, err);
}

enum mr_status mr_reader_remove(struct mr_reader *reader, const char *topic, int32_t partition,
                                struct mr_err *err)
{
    return reader->ops->reader_remove(reader, topic, partition, err);
}

enum mr_status mr_reader_poll(struct mr_reader *reader, int64_t timeout_us,
                              struct mr_message *messages, size_t max, size_t *count,
                              struct mr_err *err)
{
    return reader->ops->reader_poll(reader, timeout_us, messages, max, count, err);
}

int64_t mr_reader_position(const struct mr_reader *reader, const char *topic, int32_t partition)
{
    return reader->ops->reader_position(reader, topic, partition);
}

void mr_reader_close(struct mr_reader **reader)
{
    if (*reader != NULL) {
        (*reader)->ops->reader_close(*reader);
        *reader = NULL;
    }
}
