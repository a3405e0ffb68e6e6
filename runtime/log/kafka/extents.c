/*
 * extents.c -- where partitions begin and end.
 *
 * Why: a task that opens wants to know this of each of its changelogs, and a table of each of its
 *      partitions; asked one by one, under load, that is most of the time of a restart.
 * How: a question for offsets by time takes a list, and the times that mean "first" and "last" as
 *      well; a read_committed client is told the LSO as the last.
 */
#include "kafka.h"

#define LEADER_TRIES 50
#define LEADER_PAUSE_MS 20

/* The leader of a new topic may not know of it for some milliseconds. */
static enum mr_status query_offsets(const struct kafka_log *log, rd_kafka_t *client,
                                    const struct mr_topic_partition *at, int64_t *low,
                                    int64_t *high, struct mr_err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(client, at->topic, at->partition,
                                                                low, high, KAFKA_ANSWER_MS);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION && i < LEADER_TRIES; i++) {
        rd_kafka_poll(client, LEADER_PAUSE_MS);
        code = rd_kafka_query_watermark_offsets(client, at->topic, at->partition, low, high,
                                                KAFKA_ANSWER_MS);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_fail(err, code, "asking for watermarks", log->address);
}

/* A read_committed client is told the LSO as the high watermark. */
enum mr_status kafka_watermarks(struct mr_log *base, const char *topic, int32_t partition,
                                int64_t *low, int64_t *stable_end, struct mr_err *err)
{
    const struct mr_topic_partition at = {.topic = topic, .partition = partition};
    struct kafka_log *log = kafka_log_of(base);

    return query_offsets(log, log->client, &at, low, stable_end, err);
}

enum mr_status kafka_end(struct mr_log *base, const char *topic, int32_t partition, int64_t *end,
                         struct mr_err *err)
{
    const struct mr_topic_partition at = {.topic = topic, .partition = partition};
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_t *client;
    int64_t low;

    MR_TRY(kafka_special_client(log, "", false, &client, err));
    return query_offsets(log, client, &at, &low, end, err);
}

/* ---- many ------------------------------------------------------------------------------------ */

static rd_kafka_resp_err_t ask(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list,
                               int64_t time)
{
    rd_kafka_resp_err_t code;

    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = time;
        list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    code = rd_kafka_offsets_for_times(client, list, KAFKA_ANSWER_MS);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    return code;
}

/* Answers stay in the list, in its order. */
static enum mr_status ask_until_led(const struct kafka_log *log, rd_kafka_t *client,
                                    rd_kafka_topic_partition_list_t *list, int64_t time,
                                    struct mr_err *err)
{
    rd_kafka_resp_err_t code = ask(client, list, time);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION && i < LEADER_TRIES; i++) {
        rd_kafka_poll(client, LEADER_PAUSE_MS);
        code = ask(client, list, time);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_fail(err, code, "asking where partitions end", log->address);
}

static enum mr_status ask_all(const struct kafka_log *log, rd_kafka_t *looks_behind,
                              rd_kafka_topic_partition_list_t *list, struct mr_extent *extents,
                              size_t count, struct mr_err *err)
{
    MR_TRY(ask_until_led(log, log->client, list, RD_KAFKA_OFFSET_BEGINNING, err));
    for (size_t i = 0; i < count; i++) {
        extents[i].low = list->elems[i].offset;
    }
    MR_TRY(ask_until_led(log, log->client, list, RD_KAFKA_OFFSET_END, err));
    for (size_t i = 0; i < count; i++) {
        extents[i].stable_end = list->elems[i].offset;
    }
    MR_TRY(ask_until_led(log, looks_behind, list, RD_KAFKA_OFFSET_END, err));
    for (size_t i = 0; i < count; i++) {
        extents[i].end = list->elems[i].offset;
    }
    return MR_OK;
}

enum mr_status kafka_extents(struct mr_log *base, struct mr_extent *extents, size_t count,
                             struct mr_err *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_topic_partition_list_t *list;
    enum mr_status status;
    rd_kafka_t *looks_behind;

    if (count == 0) {
        return MR_OK;
    }
    MR_TRY(kafka_special_client(log, "", false, &looks_behind, err));
    list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, extents[i].topic, extents[i].partition);
    }
    status = ask_all(log, looks_behind, list, extents, count, err);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}
