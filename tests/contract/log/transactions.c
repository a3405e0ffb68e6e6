/*
 * Goal:   only what was committed is ever read, and only its holder writes under an id.
 * Method: transactional producers, and readers that look before and after the end.
 */
#include "contract.h"
#include "group_fixture.h"
#include "millrace/arena.h"

#include <stdlib.h>

START_TEST(records_are_visible_after_the_commit_and_not_before)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct seen_list seen = {.count = 0};

    begin(producer);
    send_text(producer, topic, 0, "a");
    send_text(producer, topic, 0, "b");
    flush(producer);
    reader_look(reader, &seen);
    ck_assert_str_eq(seen_values(&seen), "");
    expect_stable_end(topic, 0, 0);
    commit(producer);
    reader_read(reader, &seen, 2);
    ck_assert_str_eq(seen_values(&seen), "a b");
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(aborted_records_are_never_delivered)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct seen_list seen = {.count = 0};

    commit_text(producer, topic, 0, "before");
    begin(producer);
    send_text(producer, topic, 0, "aborted");
    flush(producer);
    abort_transaction(producer);
    commit_text(producer, topic, 0, "after");
    reader_read(reader, &seen, 2);
    ck_assert_str_eq(seen_values(&seen), "before after");
    /* The marker of the first, the aborted record and its marker each have an offset. */
    ck_assert_int_eq(seen.records[1].offset, 4);
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_transaction_without_records_is_nothing)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));

    begin(producer);
    commit(producer);
    begin(producer);
    abort_transaction(producer);
    expect_stable_end(topic, 0, 0);
    commit_text(producer, topic, 0, "a");
    ck_assert_str_eq(committed_values(topic, 0), "a");
    mr_producer_close(&producer);
}
END_TEST

START_TEST(nothing_behind_an_open_transaction_is_delivered)
{
    const char *topic = topic_new(1);
    struct mr_producer *slow = producer_new(unique("slow"));
    struct mr_producer *quick = producer_new(unique("quick"));
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct seen_list seen = {.count = 0};

    commit_text(quick, topic, 0, "first");
    begin(slow);
    send_text(slow, topic, 0, "slow");
    flush(slow);
    commit_text(quick, topic, 0, "quick");
    reader_read(reader, &seen, 1);
    reader_look(reader, &seen);
    ck_assert_str_eq(seen_values(&seen), "first");
    expect_stable_end(topic, 0, 2);
    commit(slow);
    reader_read(reader, &seen, 3);
    ck_assert_str_eq(seen_values(&seen), "first slow quick");
    mr_reader_close(&reader);
    mr_producer_close(&slow);
    mr_producer_close(&quick);
}
END_TEST

START_TEST(the_oldest_open_transaction_bounds_what_is_stable)
{
    const char *topic = topic_new(1);
    struct mr_producer *oldest = producer_new(unique("oldest"));
    struct mr_producer *newer = producer_new(unique("newer"));

    begin(oldest);
    send_text(oldest, topic, 0, "oldest");
    flush(oldest);
    begin(newer);
    send_text(newer, topic, 0, "newer");
    flush(newer);
    expect_stable_end(topic, 0, 0);
    commit(oldest);
    expect_stable_end(topic, 0, 1);
    commit(newer);
    expect_stable_end(topic, 0, 4);
    ck_assert_str_eq(committed_values(topic, 0), "oldest newer");
    mr_producer_close(&oldest);
    mr_producer_close(&newer);
}
END_TEST

START_TEST(a_transaction_spans_topics_and_partitions)
{
    const char *topics[] = {topic_new(2), topic_new(1)};
    struct mr_producer *producer = producer_new(unique("id"));

    begin(producer);
    send_text(producer, topics[0], 0, "a");
    send_text(producer, topics[0], 1, "b");
    send_text(producer, topics[1], 0, "c");
    abort_transaction(producer);
    begin(producer);
    send_text(producer, topics[0], 0, "d");
    send_text(producer, topics[1], 0, "e");
    commit(producer);
    ck_assert_str_eq(committed_values(topics[0], 0), "d");
    ck_assert_str_eq(committed_values(topics[0], 1), "");
    ck_assert_str_eq(committed_values(topics[1], 0), "e");
    mr_producer_close(&producer);
}
END_TEST

START_TEST(the_position_of_a_reader_passes_markers_and_aborted_records_at_the_end)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_reader *reader = reader_new(topic, 0, 0);
    struct seen_list seen = {.count = 0};

    commit_text(producer, topic, 0, "a");
    begin(producer);
    send_text(producer, topic, 0, "aborted");
    flush(producer);
    abort_transaction(producer);
    expect_stable_end(topic, 0, 4); /* a, marker, aborted, marker */
    reader_read_to(reader, topic, 0, 4, &seen);
    ck_assert_str_eq(seen_values(&seen), "a");
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(the_end_is_behind_the_records_of_an_open_transaction)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_err err = {0};
    int64_t end = 0;

    commit_text(producer, topic, 0, "a");
    expect_stable_end(topic, 0, 2); /* a, marker */
    begin(producer);
    send_text(producer, topic, 0, "open");
    flush(producer);
    ck_assert_int_eq(mr_log_end(cluster, topic, 0, &end, &err), MR_OK);
    ck_assert_int_eq(end, 3);
    expect_stable_end(topic, 0, 2);
    commit(producer);
    expect_stable_end(topic, 0, 4);
    ck_assert_int_eq(mr_log_end(cluster, topic, 0, &end, &err), MR_OK);
    ck_assert_int_eq(end, 4);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(delivered_covers_the_transaction_after_its_commit)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));
    const int number = producer_topic(producer, topic);

    begin(producer);
    send_text(producer, topic, 0, "a");
    send_text(producer, topic, 0, "b");
    commit(producer);
    ck_assert_int_eq(mr_producer_delivered(producer, number, 0), 1);
    commit_text(producer, topic, 0, "c");
    ck_assert_int_eq(mr_producer_delivered(producer, number, 0), 3);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_record_that_is_too_large_leaves_its_transaction_alone)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));
    const size_t bytes = (size_t)16 * 1024 * 1024;
    uint8_t *value = mr_xcalloc(1, bytes);
    const struct mr_outgoing record = {.topic = producer_topic(producer, topic),
                                       .timestamp_ms = MR_TIMESTAMP_NOW,
                                       .value = mr_slice_of(value, bytes),
                                       .has_value = true};
    struct mr_err err = {0};

    begin(producer);
    send_text(producer, topic, 0, "a");
    ck_assert_int_eq(mr_producer_send(producer, &record, &err), MR_TOO_LARGE);
    send_text(producer, topic, 0, "b");
    commit(producer);
    ck_assert_str_eq(committed_values(topic, 0), "a b");
    free(value);
    mr_producer_close(&producer);
}
END_TEST

/* ---- fencing ----------------------------------------------------------------------------------
 */

START_TEST(opening_an_id_again_aborts_what_its_former_holder_left_open)
{
    const char *topic = topic_new(1);
    const char *id = unique("id");
    struct mr_producer *former = producer_new(id);
    struct mr_producer *holder;

    begin(former);
    send_text(former, topic, 0, "left open");
    flush(former);
    holder = producer_new(id);
    expect_stable_end(topic, 0, 2); /* the record and the marker of its abort */
    commit_text(holder, topic, 0, "after");
    ck_assert_str_eq(committed_values(topic, 0), "after");
    mr_producer_close(&former);
    mr_producer_close(&holder);
}
END_TEST

START_TEST(the_commit_of_a_fenced_producer_is_refused_and_nothing_of_it_is_seen)
{
    const char *topic = topic_new(1);
    const char *id = unique("id");
    struct mr_producer *zombie = producer_new(id);
    struct mr_producer *holder;
    struct mr_err err = {0};

    begin(zombie);
    send_text(zombie, topic, 0, "zombie");
    flush(zombie);
    holder = producer_new(id);
    ck_assert_int_eq(mr_producer_commit(zombie, NULL, NULL, 0, &err), MR_FENCED);
    commit_text(holder, topic, 0, "holder");
    ck_assert_str_eq(committed_values(topic, 0), "holder");
    mr_producer_close(&zombie);
    mr_producer_close(&holder);
}
END_TEST

START_TEST(a_fenced_producer_does_not_get_a_later_transaction_through)
{
    const char *topic = topic_new(1);
    const char *id = unique("id");
    struct mr_producer *zombie = producer_new(id);
    struct mr_producer *holder;
    struct mr_err err = {0};
    enum mr_status status;

    commit_text(zombie, topic, 0, "in time");
    holder = producer_new(id);
    /* It may learn of it at any of the three, at the latest at the commit. */
    status = mr_producer_begin(zombie, &err);
    if (status == MR_OK) {
        const struct mr_outgoing record = {.topic = producer_topic(zombie, topic),
                                           .timestamp_ms = MR_TIMESTAMP_NOW,
                                           .value = BYTES("zombie"),
                                           .has_value = true};

        status = mr_producer_send(zombie, &record, &err);
    }
    if (status == MR_OK) {
        status = mr_producer_commit(zombie, NULL, NULL, 0, &err);
    }
    ck_assert_msg(status == MR_FENCED, "%s: %s", mr_status_name(status), err.text);
    commit_text(holder, topic, 0, "holder");
    ck_assert_str_eq(committed_values(topic, 0), "in time holder");
    mr_producer_close(&zombie);
    mr_producer_close(&holder);
}
END_TEST

START_TEST(other_ids_are_not_fenced)
{
    const char *topic = topic_new(1);
    struct mr_producer *one = producer_new(unique("one"));
    struct mr_producer *other = producer_new(unique("other"));

    commit_text(one, topic, 0, "a");
    commit_text(other, topic, 0, "b");
    commit_text(one, topic, 0, "c");
    ck_assert_str_eq(committed_values(topic, 0), "a b c");
    mr_producer_close(&one);
    mr_producer_close(&other);
}
END_TEST

/* ---- offsets without a member ---------------------------------------------------------------- */

START_TEST(offsets_of_a_group_without_members_count_with_the_transaction)
{
    const char *topic = topic_new(2);
    const char *group = unique("group");
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_buffer metadata = MR_BUFFER_EMPTY;
    struct mr_topic_partition offset = {
        .topic = topic, .partition = 1, .offset = 7, .metadata = &metadata};
    struct mr_err err = {0};

    mr_buffer_printf(&metadata, "place");
    begin(producer);
    send_text(producer, topic, 0, "aborted");
    abort_transaction(producer);
    begin(producer);
    send_text(producer, topic, 0, "committed");
    expect_ok(mr_producer_commit_as(producer, group, &offset, 1, &err), &err);
    expect_committed(group, topic, 0, MR_OFFSET_NONE);
    expect_committed(group, topic, 1, 7);
    begin(producer);
    offset.offset = 3; /* a place may go back */
    expect_ok(mr_producer_commit_as(producer, group, &offset, 1, &err), &err);
    expect_committed(group, topic, 1, 3);
    ck_assert_str_eq(committed_values(topic, 0), "committed");
    mr_buffer_fini(&metadata);
    mr_producer_close(&producer);
}
END_TEST

TCase *log_transaction_cases(void)
{
    TCase *tcase = tcase_create("transactions");

    tcase_add_test(tcase, records_are_visible_after_the_commit_and_not_before);
    tcase_add_test(tcase, aborted_records_are_never_delivered);
    tcase_add_test(tcase, a_transaction_without_records_is_nothing);
    tcase_add_test(tcase, nothing_behind_an_open_transaction_is_delivered);
    tcase_add_test(tcase, the_oldest_open_transaction_bounds_what_is_stable);
    tcase_add_test(tcase, a_transaction_spans_topics_and_partitions);
    tcase_add_test(tcase, the_end_is_behind_the_records_of_an_open_transaction);
    tcase_add_test(tcase, the_position_of_a_reader_passes_markers_and_aborted_records_at_the_end);
    tcase_add_test(tcase, delivered_covers_the_transaction_after_its_commit);
    tcase_add_test(tcase, a_record_that_is_too_large_leaves_its_transaction_alone);
    tcase_add_test(tcase, opening_an_id_again_aborts_what_its_former_holder_left_open);
    tcase_add_test(tcase, the_commit_of_a_fenced_producer_is_refused_and_nothing_of_it_is_seen);
    tcase_add_test(tcase, a_fenced_producer_does_not_get_a_later_transaction_through);
    tcase_add_test(tcase, other_ids_are_not_fenced);
    tcase_add_test(tcase, offsets_of_a_group_without_members_count_with_the_transaction);
    return tcase;
}
