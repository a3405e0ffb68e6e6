/* replay_log.c -- see replay_log.h. */
#include "replay_log.h"

#include "millrace/arena.h"

#include <stdlib.h>

struct replay_producer {
    struct mr_producer base;
    struct replay_log *log;
    struct mr_producer *inner;
};

struct replay_member {
    struct mr_member base;
    struct replay_log *log;
    struct mr_topic_partition *partitions;
    size_t count;
    struct mr_member_callbacks callbacks;
    bool assigned;
};

struct replay_reader {
    struct mr_reader base;
    struct replay_log *log;
};

static struct replay_log *log_of(struct mr_log *base)
{
    return (struct replay_log *)base;
}

static void append(struct mr_message **list, size_t *count, const struct mr_message *message)
{
    *list = mr_xrealloc(*list, (*count + 1) * sizeof(**list));
    (*list)[(*count)++] = *message;
}

void replay_log_input(struct replay_log *log, const struct mr_message *message)
{
    append(&log->inputs, &log->input_count, message);
}

void replay_log_table(struct replay_log *log, const struct mr_message *message)
{
    append(&log->tables, &log->table_count, message);
}

struct replay_position *replay_log_position(struct replay_log *log, const char *topic,
                                            int32_t partition)
{
    struct replay_position *position;

    for (size_t i = 0; i < log->position_count; i++) {
        position = &log->positions[i];
        if (position->partition == partition && strcmp(position->topic, topic) == 0) {
            return position;
        }
    }
    log->positions =
        mr_xrealloc(log->positions, (log->position_count + 1) * sizeof(*log->positions));
    position = &log->positions[log->position_count++];
    *position = (struct replay_position){.topic = topic, .partition = partition};
    return position;
}

/* ---- topics: the outputs' -------------------------------------------------------------------- */

static enum mr_status topic_partitions(struct mr_log *base, const char *topic, int32_t *partitions,
                                       struct mr_err *err)
{
    return mr_log_topic_partitions(log_of(base)->outputs, topic, partitions, err);
}

static enum mr_status watermarks(struct mr_log *base, const char *topic, int32_t partition,
                                 int64_t *low, int64_t *stable_end, struct mr_err *err)
{
    return mr_log_watermarks(log_of(base)->outputs, topic, partition, low, stable_end, err);
}

static enum mr_status end(struct mr_log *base, const char *topic, int32_t partition, int64_t *at,
                          struct mr_err *err)
{
    return mr_log_end(log_of(base)->outputs, topic, partition, at, err);
}

static enum mr_status committed(struct mr_log *base, const char *group,
                                struct mr_topic_partition *positions, size_t count,
                                int64_t timeout_us, struct mr_err *err)
{
    return mr_log_committed(log_of(base)->outputs, group, positions, count, timeout_us, err);
}

static enum mr_status member_present(struct mr_log *base, const char *group, const char *instance,
                                     bool *present, struct mr_err *err)
{
    (void)base;
    (void)group;
    (void)instance;
    (void)err;
    *present = false;
    return MR_OK;
}

static const char *address(const struct mr_log *base)
{
    (void)base;
    return "replay";
}

/* ---- producing ------------------------------------------------------------------------------- */

static struct replay_producer *producer_of(struct mr_producer *base)
{
    return (struct replay_producer *)base;
}

static enum mr_status producer_open(struct mr_log *base, const struct mr_producer_options *options,
                                    int64_t timeout_us, struct mr_producer **producer,
                                    struct mr_err *err)
{
    struct replay_producer *opened = mr_xcalloc(1, sizeof(*opened));

    opened->base.ops = base->ops;
    opened->log = log_of(base);
    *producer = &opened->base;
    return mr_producer_open(opened->log->outputs, options, timeout_us, &opened->inner, err);
}

static enum mr_status producer_topic(struct mr_producer *base, const char *name, int *topic,
                                     int32_t *partitions, struct mr_err *err)
{
    return mr_producer_topic(producer_of(base)->inner, name, topic, partitions, err);
}

static enum mr_status producer_begin(struct mr_producer *base, struct mr_err *err)
{
    return mr_producer_begin(producer_of(base)->inner, err);
}

static enum mr_status producer_send(struct mr_producer *base, const struct mr_outgoing *record,
                                    struct mr_err *err)
{
    return mr_producer_send(producer_of(base)->inner, record, err);
}

static enum mr_status producer_commit(struct mr_producer *base, struct mr_member *member,
                                      const struct mr_topic_partition *offsets, size_t count,
                                      struct mr_err *err)
{
    (void)member;
    (void)offsets;
    (void)count;
    return producer_of(base)->log->may_commit
               ? mr_producer_commit(producer_of(base)->inner, NULL, NULL, 0, err)
               : mr_fail(err, MR_TXN_ABORT, "replay: the journal says that there is more");
}

static enum mr_status producer_abort(struct mr_producer *base, struct mr_err *err)
{
    return mr_producer_abort(producer_of(base)->inner, err);
}

static enum mr_status producer_flush(struct mr_producer *base, int64_t timeout_us,
                                     struct mr_err *err)
{
    return mr_producer_flush(producer_of(base)->inner, timeout_us, err);
}

static void producer_poll(struct mr_producer *base)
{
    (void)base;
}

static int64_t producer_delivered(const struct mr_producer *base, int topic, int32_t partition)
{
    return mr_producer_delivered(((const struct replay_producer *)base)->inner, topic, partition);
}

static void producer_close(struct mr_producer *base)
{
    mr_producer_close(&producer_of(base)->inner);
    free(base);
}

/* ---- consuming ------------------------------------------------------------------------------- */

static enum mr_status member_open(struct mr_log *base, const struct mr_member_options *options,
                                  struct mr_member **member, struct mr_err *err)
{
    struct replay_member *opened = mr_xcalloc(1, sizeof(*opened));

    (void)err;
    opened->base.ops = base->ops;
    opened->log = log_of(base);
    opened->callbacks = options->callbacks;
    opened->count = options->topic_count;
    opened->partitions = mr_xcalloc(options->topic_count, sizeof(*opened->partitions));
    for (size_t i = 0; i < options->topic_count; i++) {
        opened->partitions[i] = (struct mr_topic_partition){.topic = options->topics[i],
                                                            .partition = opened->log->partition};
    }
    *member = &opened->base;
    return MR_OK;
}

static enum mr_status member_poll(struct mr_member *base, int64_t timeout_us,
                                  struct mr_message *messages, size_t max, size_t *count,
                                  struct mr_err *err)
{
    struct replay_member *member = (struct replay_member *)base;
    struct replay_log *log = member->log;

    (void)timeout_us;
    (void)err;
    if (!member->assigned) {
        member->assigned = true;
        member->callbacks.assigned(member->callbacks.arg, member->partitions, member->count);
    }
    MR_ASSERT(log->input_count <= max);
    *count = log->input_count;
    for (size_t i = 0; i < log->input_count; i++) {
        messages[i] = log->inputs[i];
    }
    log->input_count = 0;
    return MR_OK;
}

static enum mr_status member_pause(struct mr_member *base, const char *topic, int32_t partition,
                                   struct mr_err *err)
{
    (void)base;
    (void)topic;
    (void)partition;
    (void)err;
    return MR_OK;
}

static enum mr_status member_resume(struct mr_member *base, const char *topic, int32_t partition,
                                    int64_t begin, struct mr_err *err)
{
    (void)begin;
    return member_pause(base, topic, partition, err);
}

static void member_close(struct mr_member *base)
{
    free(((struct replay_member *)base)->partitions);
    free(base);
}

static enum mr_status reader_open(struct mr_log *base, int64_t idle_wait_us,
                                  struct mr_reader **reader, struct mr_err *err)
{
    struct replay_reader *opened = mr_xcalloc(1, sizeof(*opened));

    (void)err;
    (void)idle_wait_us;
    opened->base.ops = base->ops;
    opened->log = log_of(base);
    *reader = &opened->base;
    return MR_OK;
}

static enum mr_status reader_add(struct mr_reader *base, const char *topic, int32_t partition,
                                 int64_t offset, struct mr_err *err)
{
    (void)err;
    replay_log_position(((struct replay_reader *)base)->log, topic, partition)->next = offset;
    return MR_OK;
}

static enum mr_status reader_remove(struct mr_reader *base, const char *topic, int32_t partition,
                                    struct mr_err *err)
{
    (void)base;
    (void)topic;
    (void)partition;
    (void)err;
    return MR_OK;
}

static enum mr_status reader_poll(struct mr_reader *base, int64_t timeout_us,
                                  struct mr_message *messages, size_t max, size_t *count,
                                  struct mr_err *err)
{
    struct replay_log *log = ((struct replay_reader *)base)->log;

    (void)timeout_us;
    (void)err;
    MR_ASSERT(log->table_count <= max);
    *count = log->table_count;
    for (size_t i = 0; i < log->table_count; i++) {
        messages[i] = log->tables[i];
    }
    log->table_count = 0;
    return MR_OK;
}

static int64_t reader_position(const struct mr_reader *base, const char *topic, int32_t partition)
{
    struct replay_log *log = ((const struct replay_reader *)base)->log;

    return replay_log_position(log, topic, partition)->next;
}

static void reader_close(struct mr_reader *base)
{
    free(base);
}

void replay_log_init(struct replay_log *log, struct mr_log *outputs)
{
    /* What a worker never calls is not there. */
    static const struct mr_log_ops ops = {
        .topic_partitions = topic_partitions,
        .watermarks = watermarks,
        .end = end,
        .committed = committed,
        .member_present = member_present,
        .address = address,
        .producer_open = producer_open,
        .producer_topic = producer_topic,
        .producer_begin = producer_begin,
        .producer_send = producer_send,
        .producer_commit = producer_commit,
        .producer_abort = producer_abort,
        .producer_flush = producer_flush,
        .producer_poll = producer_poll,
        .producer_delivered = producer_delivered,
        .producer_close = producer_close,
        .member_open = member_open,
        .member_poll = member_poll,
        .member_pause = member_pause,
        .member_resume = member_resume,
        .member_close = member_close,
        .reader_open = reader_open,
        .reader_add = reader_add,
        .reader_remove = reader_remove,
        .reader_poll = reader_poll,
        .reader_position = reader_position,
        .reader_close = reader_close,
    };

    *log = (struct replay_log){.base.ops = &ops, .outputs = outputs};
}

void replay_log_fini(struct replay_log *log)
{
    free(log->inputs);
    free(log->tables);
    free(log->positions);
    *log = (struct replay_log){0};
}
