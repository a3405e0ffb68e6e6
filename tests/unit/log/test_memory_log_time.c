/*
 * Goal:   transactions and sessions end on the given clock, and waiting is waiting on that clock.
 * Method: a clock that the test moves; boundaries one microsecond before and at the end.
 */
#include "memory_log_fixture.h"

struct owner {
    int assigned;
    int revoked;
    int lost;
    int32_t first; /* partition */
};

static void on_assigned(void *arg, const struct mr_topic_partition *partitions, size_t count)
{
    struct owner *owner = arg;

    owner->first = partitions[0].partition;
    owner->assigned += (int)count;
}

static void on_revoked(void *arg, const struct mr_topic_partition *partitions, size_t count,
                       bool lost)
{
    struct owner *owner = arg;

    (void)partitions;
    owner->assigned -= (int)count;
    owner->revoked++;
    owner->lost += lost ? 1 : 0;
}

static struct mr_member *owner_new(struct owner *owner, const char *instance)
{
    return member_new("group", instance,
                      (struct mr_member_callbacks){on_assigned, on_revoked, owner});
}

static size_t poll_once(struct mr_member *member)
{
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;

    expect_ok(mr_member_poll(member, 0, &message, 1, &count, &err), &err);
    return count;
}

/* ---- transactions -----------------------------------------------------------------------------
 */

START_TEST(a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_err err = {0};

    begin_ok(producer);
    test_clock.us += TRANSACTION_US; /* the time starts with the first record */
    send_ok(producer, OUTPUT, 0, 1);
    test_clock.us += TRANSACTION_US - 1;
    send_ok(producer, OUTPUT, 0, 2);
    ck_assert_int_eq(stable_end(OUTPUT, 0), 0);
    test_clock.us += 1;
    ck_assert_int_eq(stable_end(OUTPUT, 0), 3); /* two records and a marker */
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_FENCED);
    ck_assert_int_eq(mr_producer_begin(producer, &err), MR_FENCED);
    expect_numbers(OUTPUT, 0, NULL, 0);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(the_transaction_of_a_closed_producer_stays_open_until_its_time_is_up)
{
    struct mr_producer *producer = producer_new("id");

    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    mr_producer_close(&producer);
    ck_assert_int_eq(stable_end(OUTPUT, 0), 0);
    test_clock.us += TRANSACTION_US;
    ck_assert_int_eq(stable_end(OUTPUT, 0), 2);
    expect_numbers(OUTPUT, 0, NULL, 0);
}
END_TEST

START_TEST(a_transaction_that_ended_in_time_has_no_time_left_to_run_out)
{
    struct mr_producer *producer = producer_new("id");

    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    commit_ok(producer);
    test_clock.us += 10 * TRANSACTION_US;
    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 2);
    commit_ok(producer);
    expect_numbers(OUTPUT, 0, (const int64_t[]){1, 2}, 2);
    mr_producer_close(&producer);
}
END_TEST

/* ---- sessions ---------------------------------------------------------------------------------
 */

START_TEST(a_member_that_does_not_poll_loses_its_partitions_to_the_others)
{
    struct owner silent = {0};
    struct owner alive = {0};
    struct mr_member *members[] = {owner_new(&silent, "a"), owner_new(&alive, "b")};

    for (int i = 0; i < 3; i++) {
        (void)poll_once(members[0]);
        (void)poll_once(members[1]);
    }
    ck_assert_int_eq(silent.assigned, 1);
    ck_assert_int_eq(alive.assigned, 1);
    test_clock.us += SESSION_US - 1;
    (void)poll_once(members[1]);
    ck_assert_int_eq(alive.assigned, 1);
    test_clock.us += 1;
    (void)poll_once(members[1]);
    ck_assert_int_eq(alive.assigned, 2);
    ck_assert_int_eq(alive.lost, 0);
    /* It comes back: what it had is lost, and it is shared out again. */
    (void)poll_once(members[0]);
    ck_assert_int_eq(silent.lost, 1);
    for (int i = 0; i < 3; i++) {
        (void)poll_once(members[1]);
        (void)poll_once(members[0]);
    }
    ck_assert_int_eq(silent.assigned, 1);
    ck_assert_int_eq(alive.assigned, 1);
    mr_member_close(&members[0]);
    mr_member_close(&members[1]);
}
END_TEST

START_TEST(offsets_of_a_member_whose_session_is_over_are_refused)
{
    struct owner owner = {0};
    struct mr_member *member = owner_new(&owner, "a");
    struct mr_producer *producer = producer_new("id");
    struct mr_topic_partition offset = {.topic = INPUT, .partition = 0, .offset = 5};
    struct mr_err err = {0};

    (void)poll_once(member);
    test_clock.us += SESSION_US;
    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    ck_assert_int_eq(mr_producer_commit(producer, member, &offset, 1, &err), MR_TXN_ABORT);
    ck_assert_int_eq(err.status, MR_TXN_ABORT);
    expect_ok(mr_producer_abort(producer, &err), &err);
    ck_assert_int_eq(mr_member_commit(member, &offset, 1, &err), MR_TXN_ABORT);
    expect_ok(mr_log_committed(memory_log, "group", &offset, 1, 0, &err), &err);
    ck_assert_int_eq(offset.offset, MR_OFFSET_NONE);
    expect_numbers(OUTPUT, 0, NULL, 0);
    mr_producer_close(&producer);
    mr_member_close(&member);
}
END_TEST

START_TEST(a_closed_static_member_keeps_its_partitions_until_its_session_ends)
{
    struct owner closed = {0};
    struct owner other = {0};
    struct mr_member *first = owner_new(&closed, "a");
    struct mr_member *second = owner_new(&other, "b");

    for (int i = 0; i < 3; i++) {
        (void)poll_once(first);
        (void)poll_once(second);
    }
    mr_member_close(&first);
    ck_assert_int_eq(closed.assigned, 0);
    ck_assert_int_eq(closed.lost, 0);
    test_clock.us += SESSION_US - 1;
    (void)poll_once(second);
    ck_assert_int_eq(other.assigned, 1);
    test_clock.us += 1;
    (void)poll_once(second);
    ck_assert_int_eq(other.assigned, 2);
    mr_member_close(&second);
}
END_TEST

START_TEST(instances_get_their_partitions_in_the_order_of_their_names)
{
    struct owner owners[2] = {{0}, {0}};
    struct mr_member *late = owner_new(&owners[1], "b");
    struct mr_member *early = owner_new(&owners[0], "a");

    for (int i = 0; i < 3; i++) {
        (void)poll_once(late);
        (void)poll_once(early);
    }
    ck_assert_int_eq(owners[0].first, 0);
    ck_assert_int_eq(owners[1].first, 1);
    mr_member_close(&late);
    mr_member_close(&early);
}
END_TEST

START_TEST(a_rebalance_does_not_wait_for_a_closed_static_member)
{
    struct owner closed = {0};
    struct owner other = {0};
    struct mr_member *first = owner_new(&closed, "a");
    struct mr_member *second;

    (void)poll_once(first);
    mr_member_close(&first);
    second = owner_new(&other, "b");
    (void)poll_once(second);
    ck_assert_int_eq(other.assigned, 1); /* the other partition is kept for the closed one */
    mr_member_close(&second);
}
END_TEST

START_TEST(offsets_of_a_former_generation_are_refused)
{
    struct owner slow = {0};
    struct owner quick = {0};
    struct mr_member *first = owner_new(&slow, "a");
    struct mr_member *second = owner_new(&quick, "b");
    struct mr_member *third;
    const struct mr_topic_partition offset = {.topic = INPUT, .partition = 0, .offset = 5};
    struct mr_err err = {0};

    (void)poll_once(first);
    (void)poll_once(second);
    (void)poll_once(first);
    ck_assert_int_eq(mr_member_commit(first, &offset, 1, &err), MR_OK);
    third = owner_new(&quick, "c");
    (void)poll_once(first); /* revoked, and joined for the next generation */
    ck_assert_int_eq(slow.revoked, 1);
    ck_assert_int_eq(mr_member_commit(first, &offset, 1, &err), MR_OK);
    (void)poll_once(second); /* the last one to join: the next generation begins */
    ck_assert_int_eq(mr_member_commit(first, &offset, 1, &err), MR_TXN_ABORT);
    (void)poll_once(first);
    ck_assert_int_eq(mr_member_commit(first, &offset, 1, &err), MR_OK);
    mr_member_close(&first);
    mr_member_close(&second);
    mr_member_close(&third);
}
END_TEST

START_TEST(a_closed_dynamic_member_hands_its_partitions_over_at_once)
{
    struct owner closed = {0};
    struct owner other = {0};
    struct mr_member *first = owner_new(&closed, NULL);
    struct mr_member *second = owner_new(&other, NULL);

    for (int i = 0; i < 3; i++) {
        (void)poll_once(first);
        (void)poll_once(second);
    }
    ck_assert_int_eq(other.assigned, 1);
    mr_member_close(&first);
    (void)poll_once(second);
    ck_assert_int_eq(other.assigned, 2);
    mr_member_close(&second);
}
END_TEST

/* ---- waiting ----------------------------------------------------------------------------------
 */

START_TEST(a_poll_with_nothing_there_waits_its_time_on_the_clock)
{
    struct owner owner = {0};
    struct mr_member *member = owner_new(&owner, "a");
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;

    (void)poll_once(member);
    ck_assert_int_eq(test_clock.waited_us, 0);
    expect_ok(mr_member_poll(member, SECOND_US, &message, 1, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(test_clock.waited_us, SECOND_US);
    mr_member_close(&member);
}
END_TEST

START_TEST(polling_for_longer_than_the_session_is_being_alive)
{
    struct owner owner = {0};
    struct mr_member *member = owner_new(&owner, "a");
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;

    expect_ok(mr_member_poll(member, 3 * SESSION_US, &message, 1, &count, &err), &err);
    ck_assert_int_eq(test_clock.waited_us, 3 * SESSION_US);
    ck_assert_int_eq(owner.revoked, 0);
    ck_assert_int_eq(owner.assigned, 2);
    mr_member_close(&member);
}
END_TEST

START_TEST(a_reader_that_passes_a_marker_returns_without_waiting)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_reader *reader;
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;

    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    expect_ok(mr_producer_abort(producer, &err), &err);
    expect_ok(mr_reader_open(memory_log, MR_READER_FOLLOWS_US, &reader, &err), &err);
    expect_ok(mr_reader_add(reader, OUTPUT, 0, 0, &err), &err);
    expect_ok(mr_reader_poll(reader, SECOND_US, &message, 1, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(mr_reader_position(reader, OUTPUT, 0), 2);
    ck_assert_int_eq(test_clock.waited_us, 0);
    mr_reader_close(&reader);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_poll_sees_what_a_timed_out_transaction_held_back)
{
    struct owner owner = {0};
    struct mr_member *member = owner_new(&owner, "a");
    struct mr_producer *slow = producer_new("slow");
    struct mr_producer *quick = producer_new("quick");
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;

    begin_ok(slow);
    send_ok(slow, INPUT, 0, 1);
    begin_ok(quick);
    send_ok(quick, INPUT, 0, 2);
    commit_ok(quick);
    expect_ok(mr_member_poll(member, 2 * TRANSACTION_US, &message, 1, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(number_of(&message), 2);
    ck_assert_int_eq(test_clock.waited_us, TRANSACTION_US);
    mr_message_release(&message);
    mr_producer_close(&slow);
    mr_producer_close(&quick);
    mr_member_close(&member);
}
END_TEST

START_TEST(committed_offsets_are_waited_for_while_a_transaction_holds_them)
{
    struct owner owner = {0};
    struct mr_member *member = owner_new(&owner, "a");
    struct mr_producer *producer = producer_new("id");
    struct mr_topic_partition offset = {.topic = INPUT, .partition = 0, .offset = 5};
    struct mr_err err = {0};

    (void)poll_once(member);
    begin_ok(producer);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_COMMIT, 1, MR_INDETERMINATE, false);
    ck_assert_int_eq(mr_producer_commit(producer, member, &offset, 1, &err), MR_INDETERMINATE);
    ck_assert_int_eq(mr_log_committed(memory_log, "group", &offset, 1, SECOND_US, &err),
                     MR_TIMEOUT);
    ck_assert_int_eq(test_clock.waited_us, SECOND_US);
    expect_ok(mr_log_committed(memory_log, "group", &offset, 1, TRANSACTION_US, &err), &err);
    ck_assert_int_eq(offset.offset, MR_OFFSET_NONE);
    ck_assert_int_eq(test_clock.waited_us, TRANSACTION_US);
    mr_producer_close(&producer);
    mr_member_close(&member);
}
END_TEST

START_TEST(a_member_does_not_read_a_partition_whose_offset_is_not_stable)
{
    struct owner owner = {0};
    struct mr_member *member = owner_new(&owner, "a");
    struct mr_producer *source = producer_new(NULL);
    struct mr_producer *producer = producer_new("id");
    const struct mr_topic_partition offset = {.topic = INPUT, .partition = 0, .offset = 1};
    struct mr_err err = {0};

    send_ok(source, INPUT, 0, 1);
    ck_assert_uint_eq(poll_once(member), 1);
    begin_ok(producer);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_COMMIT, 1, MR_INDETERMINATE, false);
    ck_assert_int_eq(mr_producer_commit(producer, member, &offset, 1, &err), MR_INDETERMINATE);
    mr_member_close(&member);
    member = owner_new(&owner, "a");
    ck_assert_uint_eq(poll_once(member), 0);
    ck_assert_int_eq(owner.assigned, 2);
    mr_producer_close(&producer);
    producer = producer_new("id"); /* settles it */
    ck_assert_uint_eq(poll_once(member), 1);
    mr_producer_close(&producer);
    mr_producer_close(&source);
    mr_member_close(&member);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("time");

    tcase_add_test(tcase, a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced);
    tcase_add_test(tcase, the_transaction_of_a_closed_producer_stays_open_until_its_time_is_up);
    tcase_add_test(tcase, a_transaction_that_ended_in_time_has_no_time_left_to_run_out);
    tcase_add_test(tcase, a_member_that_does_not_poll_loses_its_partitions_to_the_others);
    tcase_add_test(tcase, offsets_of_a_member_whose_session_is_over_are_refused);
    tcase_add_test(tcase, a_closed_static_member_keeps_its_partitions_until_its_session_ends);
    tcase_add_test(tcase, instances_get_their_partitions_in_the_order_of_their_names);
    tcase_add_test(tcase, a_rebalance_does_not_wait_for_a_closed_static_member);
    tcase_add_test(tcase, offsets_of_a_former_generation_are_refused);
    tcase_add_test(tcase, polling_for_longer_than_the_session_is_being_alive);
    tcase_add_test(tcase, a_reader_that_passes_a_marker_returns_without_waiting);
    tcase_add_test(tcase, a_closed_dynamic_member_hands_its_partitions_over_at_once);
    tcase_add_test(tcase, a_poll_with_nothing_there_waits_its_time_on_the_clock);
    tcase_add_test(tcase, a_poll_sees_what_a_timed_out_transaction_held_back);
    tcase_add_test(tcase, committed_offsets_are_waited_for_while_a_transaction_holds_them);
    tcase_add_test(tcase, a_member_does_not_read_a_partition_whose_offset_is_not_stable);
    return memory_log_run("memory log: time", tcase);
}
