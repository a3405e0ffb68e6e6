/*
 * groups.c -- what a consumer group has committed and who is in it, asked and set from outside.
 */
#include "kafka.h"

/* ---- offsets --------------------------------------------------------------------------------- */

enum mr_status kafka_committed(struct mr_log *base, const char *group,
                               struct mr_topic_partition *positions, size_t count,
                               int64_t timeout_us, struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
    rd_kafka_t *client;

    MR_TRY(kafka_special_client(log, group, timeout_us != MR_UNSTABLE, &client, err));
    timeout_us = timeout_us == MR_UNSTABLE ? KAFKA_ANSWER_MS * INT64_C(1000) : timeout_us;
    list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition);
    }
    code = rd_kafka_committed(client, list, (int)(timeout_us / 1000));
    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < count; i++) {
        code = list->elems[i].err;
        positions[i].offset = list->elems[i].offset >= 0 ? list->elems[i].offset : MR_OFFSET_NONE;
        if (positions[i].metadata != NULL) {
            mr_buffer_clear(positions[i].metadata);
            mr_buffer_append(positions[i].metadata, list->elems[i].metadata,
                             list->elems[i].metadata_size);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_fail(err, code, "asking for committed offsets", log->address);
}

/* As a member of no generation, which the broker takes only of a group that has no members. */
enum mr_status kafka_group_commit(struct mr_log *base, const char *group,
                                  const struct mr_topic_partition *positions, size_t count,
                                  struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
    rd_kafka_t *client;

    MR_TRY(kafka_special_client(log, group, true, &client, err));
    list = kafka_offset_list(positions, count);
    code = rd_kafka_commit(client, list, 0);
    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < count; i++) {
        code = list->elems[i].err;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
        code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
        code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS) {
        return mr_fail(err, MR_EXISTS, "kafka %s: group %s has members", log->address, group);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_fail(err, code, "setting committed offsets", log->address);
}

/* ---- members --------------------------------------------------------------------------------- */

/* What is asked of a description. */
struct question {
    const char *instance; /* NULL: only the count */
    bool present;
    size_t count;
};

static void read_members(const rd_kafka_ConsumerGroupDescription_t *group,
                         struct question *question)
{
    question->count = rd_kafka_ConsumerGroupDescription_member_count(group);
    for (size_t i = 0; question->instance != NULL && i < question->count; i++) {
        const char *name = rd_kafka_MemberDescription_group_instance_id(
            rd_kafka_ConsumerGroupDescription_member(group, i));

        question->present =
            question->present || (name != NULL && strcmp(name, question->instance) == 0);
    }
}

static enum mr_status read_description(const struct kafka_log *log, rd_kafka_event_t *event,
                                       struct question *question, struct mr_err *err)
{
    const rd_kafka_ConsumerGroupDescription_t **groups;
    const rd_kafka_error_t *error;
    size_t count = 0;

    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(
            err, event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event),
            "describing a group", log->address);
    }
    groups = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    MR_ASSERT(count == 1);
    error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    if (error != NULL) {
        return kafka_fail(err, rd_kafka_error_code(error), "describing a group", log->address);
    }
    read_members(groups[0], question);
    return MR_OK;
}

static enum mr_status ask(struct kafka_log *log, const char *group, struct question *question,
                          struct mr_err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(log->client);
    rd_kafka_event_t *event;
    enum mr_status status;

    rd_kafka_DescribeConsumerGroups(log->client, &group, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, KAFKA_ANSWER_MS);
    status = read_description(log, event, question, err);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return status;
}

enum mr_status kafka_member_present(struct mr_log *base, const char *group, const char *instance,
                                    bool *present, struct mr_err *err)
{
    struct question question = {.instance = instance};
    const enum mr_status status = ask(kafka_log_of(base), group, &question, err);

    *present = question.present;
    return status;
}

enum mr_status kafka_group_members(struct mr_log *base, const char *group, size_t *count,
                                   struct mr_err *err)
{
    struct question question = {.instance = NULL};
    const enum mr_status status = ask(kafka_log_of(base), group, &question, err);

    *count = question.count;
    return status;
}
