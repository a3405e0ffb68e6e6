/*
 * Goal:   what is sent is what is delivered, in order, at the offsets said.
 * Method: one producer, one reader; fields compared one by one.
 */
#include "contract.h"
#include "millrace/arena.h"

#include <stdio.h>
#include <stdlib.h>

#define TIMESTAMP_MS INT64_C(1700000000123)

/* The next message; the caller releases it. */
static struct mr_message read_one(struct mr_reader *reader)
{
    const int64_t deadline_us = now_us() + PATIENCE_US;
    struct mr_message message = {0};
    struct mr_err err = {0};
    size_t count = 0;

    while (count == 0) {
        ck_assert_msg(now_us() < deadline_us, "no record came");
        expect_ok(mr_reader_poll(reader, POLL_US, &message, 1, &count, &err), &err);
    }
    return message;
}

START_TEST(a_record_comes_back_with_key_value_headers_and_timestamp)
{
    const char *topic = topic_new(1);
    const struct mr_header headers[] = {{"traceparent", BYTES("00-ab-cd-01")},
                                        {"empty", BYTES("")},
                                        {"traceparent", BYTES("second\0with zero")}};
    struct mr_producer *producer = producer_new(NULL);
    struct mr_reader *reader = reader_new(topic, 0, 0);
    const struct mr_outgoing record = {.topic = producer_topic(producer, topic),
                                       .partition = 0,
                                       .timestamp_ms = TIMESTAMP_MS,
                                       .key = BYTES("key\0with zero"),
                                       .value = BYTES("\0value"),
                                       .has_value = true,
                                       .headers = headers,
                                       .header_count = MR_COUNT(headers)};
    struct mr_header got[MR_HEADERS_MAX];
    struct mr_message message;
    struct mr_err err = {0};

    expect_ok(mr_producer_send(producer, &record, &err), &err);
    flush(producer);
    message = read_one(reader);
    ck_assert_str_eq(message.topic, topic);
    ck_assert_int_eq(message.partition, 0);
    ck_assert_int_eq(message.offset, 0);
    ck_assert_int_eq(message.timestamp_ms, TIMESTAMP_MS);
    ck_assert(mr_slice_equal(message.key, record.key));
    ck_assert(mr_slice_equal(message.value, record.value));
    ck_assert(message.has_value);
    ck_assert_uint_eq(mr_message_headers(&message, got, MR_HEADERS_MAX), MR_COUNT(headers));
    for (size_t i = 0; i < MR_COUNT(headers); i++) {
        ck_assert_str_eq(got[i].name, headers[i].name);
        ck_assert(mr_slice_equal(got[i].value, headers[i].value));
    }
    mr_message_release(&message);
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_tombstone_is_not_an_empty_value)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct mr_outgoing record = {.topic = producer_topic(producer, topic),
                                 .timestamp_ms = TIMESTAMP_MS,
                                 .key = BYTES("key")};
    struct mr_err err = {0};

    for (int i = 0; i < 2; i++) {
        struct mr_header header;
        struct mr_message message;

        record.has_value = i == 1;
        expect_ok(mr_producer_send(producer, &record, &err), &err);
        flush(producer);
        message = read_one(reader);
        ck_assert_int_eq(message.has_value, i == 1);
        ck_assert_uint_eq(message.value.len, 0);
        ck_assert(mr_slice_equal(message.key, record.key));
        ck_assert_uint_eq(mr_message_headers(&message, &header, 1), 0);
        mr_message_release(&message);
    }
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_record_sent_now_has_the_time_of_now)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    struct mr_reader *reader = reader_new(topic, 0, 0);
    const int64_t before_ms = mr_clock_wall_us(mr_clock_system()) / 1000;
    struct mr_message message;

    send_text(producer, topic, 0, "a");
    flush(producer);
    message = read_one(reader);
    ck_assert_int_ge(message.timestamp_ms, before_ms);
    ck_assert_int_le(message.timestamp_ms, mr_clock_wall_us(mr_clock_system()) / 1000);
    mr_message_release(&message);
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(the_caller_may_change_its_bytes_after_sending)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    char bytes[] = "before";
    const struct mr_header header = {bytes, mr_slice_str(bytes)};
    const struct mr_outgoing record = {.topic = producer_topic(producer, topic),
                                       .timestamp_ms = TIMESTAMP_MS,
                                       .key = mr_slice_str(bytes),
                                       .value = mr_slice_str(bytes),
                                       .has_value = true,
                                       .headers = &header,
                                       .header_count = 1};
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct mr_message message;
    struct mr_header got;
    struct mr_err err = {0};

    expect_ok(mr_producer_send(producer, &record, &err), &err);
    memset(bytes, 'x', sizeof(bytes) - 1);
    flush(producer);
    message = read_one(reader);
    ck_assert(mr_slice_equal(message.key, BYTES("before")));
    ck_assert(mr_slice_equal(message.value, BYTES("before")));
    ck_assert_uint_eq(mr_message_headers(&message, &got, 1), 1);
    ck_assert_str_eq(got.name, "before");
    ck_assert(mr_slice_equal(got.value, BYTES("before")));
    mr_message_release(&message);
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(each_partition_keeps_its_own_order_and_offsets)
{
    const char *topic = topic_new(2);
    struct mr_producer *producer = producer_new(NULL);
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct seen_list seen = {.count = 0};
    struct mr_err err = {0};
    int64_t next[2] = {0, 0};

    expect_ok(mr_reader_add(reader, topic, 1, 0, &err), &err);
    for (int i = 0; i < 40; i++) {
        char value[8];

        (void)snprintf(value, sizeof(value), "%d", i);
        send_text(producer, topic, i % 2, value);
    }
    flush(producer);
    reader_read(reader, &seen, 40);
    for (size_t i = 0; i < seen.count; i++) {
        const struct seen *record = &seen.records[i];
        const int64_t at = next[record->partition]++;

        ck_assert_int_eq(record->offset, at);
        ck_assert_int_eq(strtol(record->value, NULL, 10), at * 2 + record->partition);
    }
    ck_assert_int_eq(next[0], 20);
    ck_assert_int_eq(next[1], 20);
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(delivered_tells_the_last_acknowledged_offset_of_a_partition)
{
    const char *topic = topic_new(2);
    struct mr_producer *producer = producer_new(NULL);
    const int number = producer_topic(producer, topic);

    ck_assert_int_eq(mr_producer_delivered(producer, number, 0), MR_OFFSET_NONE);
    send_text(producer, topic, 0, "a");
    send_text(producer, topic, 0, "b");
    flush(producer);
    ck_assert_int_eq(mr_producer_delivered(producer, number, 0), 1);
    ck_assert_int_eq(mr_producer_delivered(producer, number, 1), MR_OFFSET_NONE);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_record_that_is_too_large_is_refused_and_the_next_one_goes_through)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    const size_t bytes = (size_t)16 * 1024 * 1024;
    uint8_t *value = mr_xcalloc(1, bytes);
    const struct mr_outgoing record = {.topic = producer_topic(producer, topic),
                                       .timestamp_ms = MR_TIMESTAMP_NOW,
                                       .value = mr_slice_of(value, bytes),
                                       .has_value = true};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_producer_send(producer, &record, &err), MR_TOO_LARGE);
    send_text(producer, topic, 0, "small");
    flush(producer);
    ck_assert_str_eq(committed_values(topic, 0), "small");
    free(value);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_reader_starts_where_it_is_told_and_takes_at_most_max)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    struct mr_reader *reader;
    struct mr_message message;

    send_text(producer, topic, 0, "a");
    send_text(producer, topic, 0, "b");
    send_text(producer, topic, 0, "c");
    flush(producer);
    reader = reader_new(topic, 0, 1);
    for (int64_t offset = 1; offset < 3; offset++) {
        message = read_one(reader); /* polls for one at most */
        ck_assert_int_eq(message.offset, offset);
        mr_message_release(&message);
        ck_assert_int_eq(mr_reader_position(reader, topic, 0), offset + 1);
    }
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_removed_partition_is_read_no_more_and_may_be_added_again)
{
    const char *topic = topic_new(2);
    struct mr_producer *producer = producer_new(NULL);
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct seen_list seen = {.count = 0};
    struct mr_err err = {0};

    expect_ok(mr_reader_add(reader, topic, 1, 0, &err), &err);
    expect_ok(mr_reader_remove(reader, topic, 0, &err), &err);
    send_text(producer, topic, 0, "removed");
    flush(producer);
    send_text(producer, topic, 1, "kept");
    flush(producer);
    reader_read(reader, &seen, 1);
    reader_look(reader, &seen);
    ck_assert_str_eq(seen_values(&seen), "kept");
    expect_ok(mr_reader_add(reader, topic, 0, 0, &err), &err);
    reader_read(reader, &seen, 2);
    ck_assert_str_eq(seen_values(&seen), "kept removed");
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(an_offset_that_is_not_in_the_log_is_out_of_range)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    const int64_t deadline_us = now_us() + PATIENCE_US;
    struct mr_reader *reader;
    struct mr_message message;
    struct mr_err err = {0};
    enum mr_status status = MR_OK;
    size_t count = 0;

    send_text(producer, topic, 0, "a");
    flush(producer);
    reader = reader_new(topic, 0, 1000);
    while (status == MR_OK && now_us() < deadline_us) {
        status = mr_reader_poll(reader, POLL_US, &message, 1, &count, &err);
        ck_assert_uint_eq(count, 0);
    }
    ck_assert_msg(status == MR_OUT_OF_RANGE, "%s", mr_status_name(status));
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

TCase *log_record_cases(void)
{
    TCase *tcase = tcase_create("records");

    tcase_add_test(tcase, a_record_comes_back_with_key_value_headers_and_timestamp);
    tcase_add_test(tcase, a_tombstone_is_not_an_empty_value);
    tcase_add_test(tcase, a_record_sent_now_has_the_time_of_now);
    tcase_add_test(tcase, the_caller_may_change_its_bytes_after_sending);
    tcase_add_test(tcase, each_partition_keeps_its_own_order_and_offsets);
    tcase_add_test(tcase, delivered_tells_the_last_acknowledged_offset_of_a_partition);
    tcase_add_test(tcase, a_record_that_is_too_large_is_refused_and_the_next_one_goes_through);
    tcase_add_test(tcase, a_reader_starts_where_it_is_told_and_takes_at_most_max);
    tcase_add_test(tcase, a_removed_partition_is_read_no_more_and_may_be_added_again);
    tcase_add_test(tcase, an_offset_that_is_not_in_the_log_is_out_of_range);
    return tcase;
}
