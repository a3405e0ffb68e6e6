/*
 * producer.c -- producers: sending, and the states a transaction goes through.
 *
 *   IDLE -- begin --> BEGUN -- commit, abort --> IDLE
 *                       |-- a failure inside the transaction --> MUST_ABORT -- abort --> IDLE
 *                       |-- commit of unknown outcome --> FINISHED (for good)
 *   any  -- the id has a newer epoch --> FENCED (for good)
 *
 * The epoch moves when another producer opens the id, and when a transaction outlives its time.
 */
#include "memory.h"
#include "millrace/fault.h"

#include <stdlib.h>

#define TRANSACTION_TIMEOUT_US INT64_C(60000000) /* when the options give none */

static struct memory_producer *producer_of(struct mr_producer *producer)
{
    return MR_SELF(struct memory_producer, (struct memory_producer *)producer,
                   MEMORY_PRODUCER_MAGIC);
}

enum mr_status memory_producer_open(struct mr_log *base, const struct mr_producer_options *options,
                                    int64_t timeout_us, struct mr_producer **producer,
                                    struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_producer *opened = mr_xcalloc(1, sizeof(*opened));
    struct memory_fault fault;
    bool due;

    (void)timeout_us; /* nothing here has to be waited for */
    opened->base.ops = &memory_ops;
    opened->magic = MEMORY_PRODUCER_MAGIC;
    opened->log = log;
    (void)memory_enter(log);
    due = memory_fault_due(log, MR_LOG_CALL_OPEN, &fault);
    opened->number = ++log->last_producer;
    log->handles++;
    if (options->transactional_id != NULL && (!due || fault.done)) {
        struct memory_id *id = memory_id_get(log, options->transactional_id);

        memory_transaction_end(log, id, false);
        memory_transaction_mark(log, id, MEMORY_FOREVER_US); /* what the caller waits for */
        id->producer = opened->number;
        id->timeout_us = options->transaction_timeout_us > 0 ? options->transaction_timeout_us
                                                             : TRANSACTION_TIMEOUT_US;
        opened->id = id;
        opened->epoch = ++id->epoch;
    }
    memory_leave(log);
    if (due) {
        memory_producer_close(&opened->base);
        return memory_fault_fail(&fault, err);
    }
    *producer = &opened->base;
    return MR_OK;
}

void memory_producer_close(struct mr_producer *base)
{
    struct memory_producer *producer = producer_of(base);

    (void)memory_enter(producer->log);
    producer->log->handles--;
    memory_leave(producer->log);
    for (int i = 0; i < producer->topic_count; i++) {
        free(producer->topics[i].delivered);
        free(producer->topics[i].transaction);
    }
    free(producer->topics);
    producer->magic = 0;
    free(producer);
}

static int topic_add(struct memory_producer *producer, struct memory_topic *topic)
{
    const size_t partitions = (size_t)topic->partition_count;
    struct memory_producer_topic *added;

    producer->topics = mr_xrealloc(producer->topics,
                                   ((size_t)producer->topic_count + 1) * sizeof(*producer->topics));
    added = &producer->topics[producer->topic_count];
    added->topic = topic;
    added->delivered = mr_xcalloc(partitions, sizeof(*added->delivered));
    added->transaction = mr_xcalloc(partitions, sizeof(*added->transaction));
    for (size_t i = 0; i < partitions; i++) {
        added->delivered[i] = MR_OFFSET_NONE;
    }
    return producer->topic_count++;
}

enum mr_status memory_producer_topic(struct mr_producer *base, const char *name, int *topic,
                                     int32_t *partitions, struct mr_err *err)
{
    struct memory_producer *producer = producer_of(base);
    struct memory_topic *found;

    (void)memory_enter(producer->log);
    found = memory_topic_find(producer->log, name);
    memory_leave(producer->log);
    if (found == NULL) {
        return mr_fail(err, MR_CONFIG, "memory: no such topic: %s", name);
    }
    *topic = 0;
    while (*topic < producer->topic_count && producer->topics[*topic].topic != found) {
        (*topic)++;
    }
    if (*topic == producer->topic_count) {
        *topic = topic_add(producer, found);
    }
    if (partitions != NULL) {
        *partitions = found->partition_count;
    }
    return MR_OK;
}

/* What forbids a call inside a transaction; abort is let through with MUST_ABORT. */
static enum mr_status check_state(struct memory_producer *producer, bool aborting,
                                  struct mr_err *err)
{
    if (producer->id == NULL) {
        return mr_fail(err, MR_LOG_FATAL, "memory: the producer has no transactional id");
    }
    if (producer->epoch != producer->id->epoch && !MR_PLANTED(LOG_EPOCH_UNCHECKED)) {
        producer->state = MEMORY_FENCED;
    }
    switch (producer->state) {
    case MEMORY_FENCED:
        return mr_fail(err, MR_FENCED, "memory: transactional id %s has a newer epoch",
                       producer->id->name);
    case MEMORY_FINISHED:
        return mr_fail(err, MR_INDETERMINATE, "memory: the outcome of %s is unknown",
                       producer->id->name);
    case MEMORY_IDLE:
        return mr_fail(err, MR_LOG_FATAL, "memory: %s has not begun a transaction",
                       producer->id->name);
    case MEMORY_MUST_ABORT:
        return aborting ? MR_OK
                        : mr_fail(err, MR_TXN_ABORT, "memory: the transaction of %s has failed",
                                  producer->id->name);
    case MEMORY_BEGUN:
    case MEMORY_BEGUN_UNHEARD:
        break;
    }
    return MR_OK;
}

/* The state after a call was made to fail. */
static void fail_state(struct memory_producer *producer, enum mr_status status)
{
    if (producer->id == NULL) {
        return;
    }
    if (status == MR_FENCED) {
        producer->state = MEMORY_FENCED;
    } else if (status == MR_INDETERMINATE) {
        producer->state = MEMORY_FINISHED;
    } else if (mr_status_class(status) != MR_CLASS_POISON) {
        producer->state = MEMORY_MUST_ABORT;
    }
}

enum mr_status memory_producer_begin(struct mr_producer *base, struct mr_err *err)
{
    struct memory_producer *producer = producer_of(base);
    struct memory_fault fault;
    enum mr_status status = MR_OK;
    bool due;

    (void)memory_enter(producer->log);
    due = memory_fault_due(producer->log, MR_LOG_CALL_BEGIN, &fault);
    if (producer->id != NULL && producer->epoch == producer->id->epoch &&
        (producer->state == MEMORY_IDLE || producer->state == MEMORY_BEGUN_UNHEARD)) {
        if (!due || fault.done) {
            producer->state = due ? MEMORY_BEGUN_UNHEARD : MEMORY_BEGUN;
            producer->transaction++;
        }
        status = due ? memory_fault_fail(&fault, err) : MR_OK;
    } else {
        status = check_state(producer, false, err);
        if (status == MR_OK) {
            status = mr_fail(err, MR_LOG_FATAL, "memory: %s has a transaction already",
                             producer->id->name);
        }
    }
    memory_leave(producer->log);
    return status;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

/* Headers and their bytes, in one piece of the arena. */
static const struct mr_header *copy_headers(struct mr_arena *arena,
                                            const struct mr_outgoing *record)
{
    struct mr_header *headers;

    if (record->header_count == 0) {
        return NULL;
    }
    headers = mr_arena_alloc(arena, record->header_count * sizeof(*headers));
    for (size_t i = 0; i < record->header_count; i++) {
        const size_t name_bytes = strlen(record->headers[i].name) + 1;
        char *name = mr_arena_alloc(arena, name_bytes);

        memcpy(name, record->headers[i].name, name_bytes);
        headers[i] = (struct mr_header){.name = name,
                                        .value = mr_arena_copy(arena, record->headers[i].value)};
    }
    return headers;
}

static void append(struct memory_log *log, struct memory_partition *partition,
                   const struct mr_outgoing *record, uint32_t producer)
{
    const size_t value_bytes = record->has_value ? record->value.len : 0;
    uint8_t *data = mr_arena_alloc(log->arena, record->key.len + value_bytes);
    struct memory_entry *entry = memory_partition_append(partition);

    if (record->key.len > 0) {
        memcpy(data, record->key.data, record->key.len);
    }
    if (value_bytes > 0) {
        memcpy(data + record->key.len, record->value.data, value_bytes);
    }
    *entry = (struct memory_entry){
        .headers = copy_headers(log->arena, record),
        .data = data,
        .timestamp_ms = record->timestamp_ms == MR_TIMESTAMP_NOW
                            ? mr_clock_wall_us(log->clock) / 1000
                            : record->timestamp_ms,
        .key_bytes = (uint32_t)record->key.len,
        .value_bytes = (uint32_t)value_bytes,
        .producer = producer,
        .header_count = (uint16_t)record->header_count,
        .flags = record->has_value ? 0 : MEMORY_TOMBSTONE,
    };
}

static enum mr_status check_record(const struct memory_topic *topic,
                                   const struct mr_outgoing *record, struct mr_err *err)
{
    size_t bytes = record->key.len + (record->has_value ? record->value.len : 0);

    if (record->partition < 0 || record->partition >= topic->partition_count) {
        return memory_unknown(err, topic->name, record->partition);
    }
    if (record->header_count > MR_HEADERS_MAX) {
        return mr_fail(err, MR_TOO_LARGE, "memory: %zu headers for topic %s, at most %d",
                       record->header_count, topic->name, MR_HEADERS_MAX);
    }
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += strlen(record->headers[i].name) + record->headers[i].value.len;
    }
    if (bytes > topic->record_bytes_max) {
        return mr_fail(err, MR_TOO_LARGE, "memory: a record of %zu bytes for topic %s, at most %zu",
                       bytes, topic->name, topic->record_bytes_max);
    }
    return MR_OK;
}

static void send_record(struct memory_producer *producer, struct memory_producer_topic *topic,
                        const struct mr_outgoing *record)
{
    struct memory_partition *partition = &topic->topic->partitions[record->partition];
    struct memory_log *log = producer->log;

    if (producer->id == NULL) {
        memory_changed(log);
    } else if (topic->transaction[record->partition] != producer->transaction) {
        topic->transaction[record->partition] = producer->transaction;
        memory_transaction_write(log, producer->id, partition);
    }
    append(log, partition, record, producer->number);
    topic->delivered[record->partition] = partition->end - 1;
}

enum mr_status memory_producer_send(struct mr_producer *base, const struct mr_outgoing *record,
                                    struct mr_err *err)
{
    struct memory_producer *producer = producer_of(base);
    struct memory_producer_topic *topic;
    struct memory_fault fault;
    enum mr_status status = MR_OK;
    bool due;

    MR_ASSERT(record->topic >= 0);
    MR_ASSERT(record->topic < producer->topic_count);
    topic = &producer->topics[record->topic];
    (void)memory_enter(producer->log);
    due = memory_fault_due(producer->log, MR_LOG_CALL_SEND, &fault);
    if (producer->id != NULL) {
        status = check_state(producer, false, err);
    }
    if (status == MR_OK) {
        status = check_record(topic->topic, record, err);
    }
    if (status == MR_OK && (!due || fault.done)) {
        send_record(producer, topic, record);
    }
    if (status == MR_OK && due) {
        status = memory_fault_fail(&fault, err);
        fail_state(producer, status);
    }
    memory_leave(producer->log);
    return status;
}

/* ---- ending -----------------------------------------------------------------------------------
 */

/* Whose offsets they are: a member's group, or the one that is named. */
struct committer {
    struct mr_member *member;
    const char *group; /* used without a member */
};

static enum mr_status group_of(struct memory_log *log, const struct committer *committer,
                               struct memory_group **group, struct mr_err *err)
{
    const struct memory_member *member;

    if (committer->group != NULL) {
        *group = memory_group_get(log, committer->group);
        return MR_OK;
    }
    member = memory_member_of(committer->member);
    *group = member->group;
    if (memory_member_check(member, err) != MR_OK && !MR_PLANTED(LOG_MEMBER_UNCHECKED)) {
        /* As the broker's answers to a group's former member: the transaction must be aborted. */
        err->status = MR_TXN_ABORT;
        return MR_TXN_ABORT;
    }
    return MR_OK;
}

/* The offsets become part of the transaction. */
static enum mr_status add_offsets(struct memory_producer *producer,
                                  const struct committer *committer,
                                  const struct mr_topic_partition *offsets, size_t count,
                                  struct mr_err *err)
{
    struct memory_group *group = NULL;

    if (count == 0) {
        return MR_OK;
    }
    MR_TRY(group_of(producer->log, committer, &group, err));
    for (size_t i = 0; i < count; i++) {
        const struct memory_pending pending = {
            .group = group,
            .partition =
                memory_partition_find(producer->log, offsets[i].topic, offsets[i].partition),
            .offset = offsets[i].offset,
            .metadata = memory_metadata(offsets[i].metadata),
        };

        if (pending.partition == NULL) {
            free(pending.metadata);
            (void)memory_unknown(err, offsets[i].topic, offsets[i].partition);
            err->status = MR_TXN_ABORT;
            return MR_TXN_ABORT;
        }
        memory_transaction_offset(producer->log, producer->id, &pending);
    }
    return MR_OK;
}

static enum mr_status commit(struct memory_producer *producer, const struct committer *committer,
                             const struct mr_topic_partition *offsets, size_t count,
                             struct mr_err *err)
{
    struct memory_fault fault;
    enum mr_status status;
    bool due;

    (void)memory_enter(producer->log);
    due = memory_fault_due(producer->log, MR_LOG_CALL_COMMIT, &fault);
    status = check_state(producer, false, err);
    if (status == MR_OK) {
        status = add_offsets(producer, committer, offsets, count, err);
        if (status != MR_OK) {
            producer->state = MEMORY_MUST_ABORT;
        }
    }
    if (status == MR_OK && (!due || fault.done)) {
        memory_transaction_end(producer->log, producer->id, true);
        producer->state = MEMORY_IDLE;
    }
    if (status == MR_OK && due) {
        status = memory_fault_fail(&fault, err);
        fail_state(producer, status);
    }
    memory_leave(producer->log);
    return status;
}

enum mr_status memory_producer_commit(struct mr_producer *base, struct mr_member *member,
                                      const struct mr_topic_partition *offsets, size_t count,
                                      struct mr_err *err)
{
    return commit(producer_of(base), &(struct committer){.member = member}, offsets, count, err);
}

enum mr_status memory_producer_commit_as(struct mr_producer *base, const char *group,
                                         const struct mr_topic_partition *offsets, size_t count,
                                         struct mr_err *err)
{
    return commit(producer_of(base), &(struct committer){.group = group}, offsets, count, err);
}

enum mr_status memory_producer_abort(struct mr_producer *base, struct mr_err *err)
{
    struct memory_producer *producer = producer_of(base);
    struct memory_fault fault;
    enum mr_status status;
    bool due;

    (void)memory_enter(producer->log);
    due = memory_fault_due(producer->log, MR_LOG_CALL_ABORT, &fault);
    status = check_state(producer, true, err);
    if (status == MR_OK && (!due || fault.done)) {
        memory_transaction_end(producer->log, producer->id, false);
        producer->state = MEMORY_IDLE;
    }
    if (status == MR_OK && due) {
        status = memory_fault_fail(&fault, err);
        fail_state(producer, status);
    }
    memory_leave(producer->log);
    return status;
}

enum mr_status memory_producer_flush(struct mr_producer *base, int64_t timeout_us,
                                     struct mr_err *err)
{
    struct memory_producer *producer = producer_of(base);
    struct memory_fault fault;
    enum mr_status status = MR_OK;

    (void)timeout_us; /* a record is acknowledged when send returns */
    (void)memory_enter(producer->log);
    if (memory_fault_due(producer->log, MR_LOG_CALL_FLUSH, &fault)) {
        status = memory_fault_fail(&fault, err);
        if (producer->state == MEMORY_BEGUN) {
            fail_state(producer, status);
        }
    }
    memory_leave(producer->log);
    return status;
}

void memory_producer_poll(struct mr_producer *base)
{
    (void)base;
}

int64_t memory_producer_delivered(const struct mr_producer *base, int topic, int32_t partition)
{
    const struct memory_producer *producer = (const struct memory_producer *)base;

    MR_ASSERT(producer->magic == MEMORY_PRODUCER_MAGIC);
    MR_ASSERT(topic >= 0);
    MR_ASSERT(topic < producer->topic_count);
    MR_ASSERT(partition >= 0);
    MR_ASSERT(partition < producer->topics[topic].topic->partition_count);
    return producer->topics[topic].delivered[partition];
}
