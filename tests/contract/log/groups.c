/*
 * Goal:   partitions are shared out, read from the committed offsets on, and handed over cleanly.
 * Method: members polled in turn by one thread; what they own comes from their callbacks.
 */
#include "group_fixture.h"

/* ---- offsets ----------------------------------------------------------------------------------
 */

START_TEST(a_new_group_reads_from_the_beginning_and_a_reopened_one_from_its_offsets)
{
    const char *topic = topic_new(1);
    const char *group = unique("group");
    const char *instance = unique("instance");
    struct mr_producer *producer = producer_new(NULL);
    const struct mr_topic_partition offset = {.topic = topic, .partition = 0, .offset = 2};
    struct group_member first = {0};
    struct group_member second = {0};
    struct mr_err err = {0};

    send_text(producer, topic, 0, "a");
    send_text(producer, topic, 0, "b");
    send_text(producer, topic, 0, "c");
    flush(producer);
    expect_committed(group, topic, 0, MR_OFFSET_NONE);
    member_open(&first, group, instance, &topic, 1);
    member_read(&first, 3);
    ck_assert_str_eq(seen_values(&first.seen), "a b c");
    expect_ok(mr_member_commit(first.member, &offset, 1, &err), &err);
    expect_committed(group, topic, 0, 2);
    mr_member_close(&first.member);
    ck_assert_uint_eq(first.owned_count, 0); /* close has revoked */
    member_open(&second, group, instance, &topic, 1);
    member_read(&second, 1);
    ck_assert_str_eq(seen_values(&second.seen), "c");
    mr_member_close(&second.member);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(offsets_of_a_transaction_count_when_it_commits_and_not_when_it_aborts)
{
    const char *topic = topic_new(1);
    const char *output = topic_new(1);
    const char *group = unique("group");
    struct mr_producer *source = producer_new(NULL);
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_topic_partition offset = {.topic = topic, .partition = 0, .offset = 1};
    struct group_member member = {0};
    struct mr_err err = {0};

    send_text(source, topic, 0, "a");
    send_text(source, topic, 0, "b");
    flush(source);
    member_open(&member, group, NULL, &topic, 1);
    member_read(&member, 2);
    begin(producer);
    send_text(producer, output, 0, "aborted");
    abort_transaction(producer);
    expect_committed(group, topic, 0, MR_OFFSET_NONE);
    begin(producer);
    send_text(producer, output, 0, "committed");
    expect_ok(mr_producer_commit(producer, member.member, &offset, 1, &err), &err);
    expect_committed(group, topic, 0, 1);
    begin(producer); /* offsets alone make a transaction too */
    offset.offset = 2;
    expect_ok(mr_producer_commit(producer, member.member, &offset, 1, &err), &err);
    expect_committed(group, topic, 0, 2);
    ck_assert_str_eq(committed_values(output, 0), "committed");
    mr_member_close(&member.member);
    mr_producer_close(&producer);
    mr_producer_close(&source);
}
END_TEST

/* ---- what the member reads --------------------------------------------------------------------
 */

static void expect_metadata(const char *group, const char *topic, const char *text)
{
    struct mr_buffer metadata = MR_BUFFER_EMPTY;
    struct mr_topic_partition position = {.topic = topic, .metadata = &metadata};
    struct mr_err err = {0};

    mr_buffer_printf(&metadata, "what was there before");
    expect_ok(mr_log_committed(cluster, group, &position, 1, PATIENCE_US, &err), &err);
    ck_assert_uint_eq(metadata.len, strlen(text));
    ck_assert(text[0] == '\0' || memcmp(metadata.data, text, metadata.len) == 0);
    mr_buffer_fini(&metadata);
}

START_TEST(a_text_is_kept_with_an_offset)
{
    const char *topic = topic_new(1);
    const char *group = unique("group");
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_buffer metadata = MR_BUFFER_EMPTY;
    struct mr_topic_partition offset = {.topic = topic, .offset = 1, .metadata = &metadata};
    struct group_member member = {0};
    struct mr_err err = {0};

    member_open(&member, group, NULL, &topic, 1);
    member_await_owned(&member, 1);
    expect_metadata(group, topic, "");
    mr_buffer_printf(&metadata, "1 2 three");
    begin(producer);
    expect_ok(mr_producer_commit(producer, member.member, &offset, 1, &err), &err);
    expect_metadata(group, topic, "1 2 three");
    offset.offset = 2;
    mr_buffer_clear(&metadata);
    while (metadata.len < MR_OFFSET_METADATA_MAX) {
        mr_buffer_append(&metadata, "0123456789abcdef", 16);
    }
    expect_ok(mr_member_commit(member.member, &offset, 1, &err), &err);
    mr_buffer_append(&metadata, "", 1);
    expect_metadata(group, topic, (const char *)metadata.data);
    offset.metadata = NULL;
    begin(producer);
    expect_ok(mr_producer_commit(producer, member.member, &offset, 1, &err), &err);
    expect_metadata(group, topic, "");
    mr_buffer_fini(&metadata);
    mr_member_close(&member.member);
    mr_producer_close(&producer);
}
END_TEST

static bool is_present(const char *group, const char *instance)
{
    struct mr_err err = {0};
    bool present = false;

    expect_ok(mr_log_member_present(cluster, group, instance, &present, &err), &err);
    return present;
}

START_TEST(a_static_member_is_present_until_its_session_ends)
{
    const char *topic = topic_new(1);
    const char *group = unique("group");
    struct group_member member = {0};

    ck_assert(!is_present(group, "one"));
    member_open(&member, group, "one", &topic, 1);
    member_await_owned(&member, 1);
    ck_assert(is_present(group, "one"));
    ck_assert(!is_present(group, "on"));
    ck_assert(!is_present(unique("another"), "one"));
    mr_member_close(&member.member);
    ck_assert(is_present(group, "one")); /* it may come back to its place */
}
END_TEST

static size_t members_of(const char *group)
{
    struct mr_err err = {0};
    size_t count = 99;

    expect_ok(mr_log_group_members(cluster, group, &count, &err), &err);
    return count;
}

START_TEST(offsets_of_a_group_without_members_can_be_set)
{
    const char *topic = topic_new(2);
    const char *group = unique("group");
    struct mr_buffer metadata = MR_BUFFER_EMPTY;
    const struct mr_topic_partition offsets[] = {
        {.topic = topic, .partition = 0, .offset = 3, .metadata = &metadata},
        {.topic = topic, .partition = 1, .offset = 0}};
    struct mr_topic_partition at[] = {{.topic = topic, .partition = 0},
                                      {.topic = topic, .partition = 1}};
    struct group_member member = {0};
    struct mr_err err = {0};

    mr_buffer_printf(&metadata, "from elsewhere");
    ck_assert_uint_eq(members_of(group), 0);
    expect_ok(mr_log_group_commit(cluster, group, offsets, 2, &err), &err);
    expect_ok(mr_log_committed(cluster, group, at, 2, MR_SECOND_US, &err), &err);
    ck_assert_int_eq(at[0].offset, 3);
    ck_assert_int_eq(at[1].offset, 0);
    expect_metadata(group, topic, "from elsewhere");
    member_open(&member, group, NULL, &topic, 1);
    member_await_owned(&member, 2);
    ck_assert_uint_eq(members_of(group), 1);
    ck_assert_int_eq(mr_log_group_commit(cluster, group, offsets, 2, &err), MR_EXISTS);
    ck_assert_msg(strstr(err.text, group) != NULL, "%s", err.text);
    mr_member_close(&member.member);
    mr_buffer_fini(&metadata);
}
END_TEST

/* Who must not wait is told what is committed, open transaction or not. */
START_TEST(unstable_offsets_do_not_wait)
{
    const char *topic = topic_new(1);
    const char *group = unique("group");
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_topic_partition offset = {.topic = topic, .offset = 5};
    struct mr_topic_partition at = {.topic = topic, .offset = 77};
    struct group_member member = {0};
    struct mr_err err = {0};

    expect_ok(mr_log_committed(cluster, group, &at, 1, MR_UNSTABLE, &err), &err);
    ck_assert_int_eq(at.offset, MR_OFFSET_NONE);
    member_open(&member, group, NULL, &topic, 1);
    member_await_owned(&member, 1);
    begin(producer);
    expect_ok(mr_producer_commit(producer, member.member, &offset, 1, &err), &err);
    expect_committed(group, topic, 0, 5); /* its markers are written */
    expect_ok(mr_log_committed(cluster, group, &at, 1, MR_UNSTABLE, &err), &err);
    ck_assert_int_eq(at.offset, 5);
    mr_member_close(&member.member);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_member_reads_committed_records_only)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(unique("id"));
    struct group_member member = {0};

    begin(producer);
    send_text(producer, topic, 0, "aborted");
    flush(producer);
    abort_transaction(producer);
    commit_text(producer, topic, 0, "committed");
    member_open(&member, unique("group"), NULL, &topic, 1);
    member_read(&member, 1);
    ck_assert_str_eq(seen_values(&member.seen), "committed");
    mr_member_close(&member.member);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_member_does_not_read_behind_an_open_transaction)
{
    const char *topic = topic_new(1);
    struct mr_producer *slow = producer_new(unique("slow"));
    struct mr_producer *quick = producer_new(unique("quick"));
    struct group_member member = {0};
    struct mr_err err = {0};

    commit_text(quick, topic, 0, "first");
    begin(slow);
    send_text(slow, topic, 0, "slow");
    flush(slow);
    commit_text(quick, topic, 0, "quick");
    member_open(&member, unique("group"), NULL, &topic, 1);
    member_read(&member, 1);
    expect_ok(member_poll(&member, BRIEFLY_US, &err), &err);
    ck_assert_str_eq(seen_values(&member.seen), "first");
    abort_transaction(slow);
    member_read(&member, 2);
    ck_assert_str_eq(seen_values(&member.seen), "first quick");
    mr_member_close(&member.member);
    mr_producer_close(&slow);
    mr_producer_close(&quick);
}
END_TEST

START_TEST(seeking_delivers_from_that_offset_next)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    struct group_member member = {0};
    struct mr_err err = {0};

    send_text(producer, topic, 0, "a");
    send_text(producer, topic, 0, "b");
    send_text(producer, topic, 0, "c");
    flush(producer);
    member_open(&member, unique("group"), NULL, &topic, 1);
    member_read(&member, 3);
    expect_ok(mr_member_seek(member.member, topic, 0, 1, &err), &err);
    member_read(&member, 5);
    ck_assert_str_eq(seen_values(&member.seen), "a b c b c");
    mr_member_close(&member.member);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_paused_partition_waits_and_loses_nothing)
{
    const char *topic = topic_new(2);
    struct mr_producer *producer = producer_new(NULL);
    struct group_member member = {0};
    struct mr_err err = {0};

    member_open(&member, unique("group"), NULL, &topic, 1);
    member_await_owned(&member, 2);
    expect_ok(mr_member_pause(member.member, topic, 0, &err), &err);
    send_text(producer, topic, 0, "paused");
    flush(producer);
    send_text(producer, topic, 1, "flowing");
    flush(producer);
    member_read(&member, 1);
    expect_ok(member_poll(&member, BRIEFLY_US, &err), &err);
    ck_assert_str_eq(seen_values(&member.seen), "flowing");
    expect_ok(mr_member_resume(member.member, topic, 0, 0, &err), &err);
    member_read(&member, 2);
    ck_assert_str_eq(seen_values(&member.seen), "flowing paused");
    mr_member_close(&member.member);
    mr_producer_close(&producer);
}
END_TEST

static void pause_all(struct group_member *self)
{
    struct mr_err err = {0};

    for (size_t i = 0; i < self->owned_count; i++) {
        expect_ok(
            mr_member_pause(self->member, self->owned[i].topic, self->owned[i].partition, &err),
            &err);
    }
}

START_TEST(partitions_paused_when_they_are_assigned_deliver_nothing_until_resumed)
{
    const char *topic = topic_new(1);
    struct mr_producer *producer = producer_new(NULL);
    struct group_member member = {.on_assigned = pause_all};
    struct mr_err err = {0};

    send_text(producer, topic, 0, "a");
    flush(producer);
    member_open(&member, unique("group"), NULL, &topic, 1);
    member_await_owned(&member, 1);
    expect_ok(member_poll(&member, BRIEFLY_US, &err), &err);
    ck_assert_uint_eq(member.seen.count, 0);
    expect_ok(mr_member_resume(member.member, topic, 0, 0, &err), &err);
    member_read(&member, 1);
    mr_member_close(&member.member);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(what_a_member_does_not_own_it_cannot_seek_or_pause)
{
    const char *topic = topic_new(1);
    const char *other = topic_new(1);
    struct group_member member = {0};
    struct mr_err err = {0};

    member_open(&member, unique("group"), NULL, &topic, 1);
    member_await_owned(&member, 1);
    ck_assert_int_ne(mr_member_seek(member.member, other, 0, 0, &err), MR_OK);
    ck_assert_int_ne(mr_member_pause(member.member, other, 0, &err), MR_OK);
    mr_member_close(&member.member);
}
END_TEST

/* ---- rebalance --------------------------------------------------------------------------------
 */

/* Polls both in turn until each owns so many. */
static void await_shares(struct group_member *a, size_t a_count, struct group_member *b,
                         size_t b_count)
{
    const int64_t deadline_us = now_us() + PATIENCE_US;
    struct mr_err err = {0};

    while (a->owned_count != a_count || b->owned_count != b_count) {
        ck_assert_msg(now_us() < deadline_us, "%zu and %zu partitions, not %zu and %zu",
                      a->owned_count, b->owned_count, a_count, b_count);
        expect_ok(member_poll(a, POLL_US / 2, &err), &err);
        expect_ok(member_poll(b, POLL_US / 2, &err), &err);
    }
}

START_TEST(two_members_share_the_partitions_and_inputs_stay_together)
{
    const char *const topics[] = {topic_new(4), topic_new(4)};
    const char *group = unique("group");
    struct group_member a = {0};
    struct group_member b = {0};

    member_open(&a, group, NULL, topics, 2);
    member_await_owned(&a, 8);
    member_open(&b, group, NULL, topics, 2);
    await_shares(&a, 4, &b, 4);
    for (int32_t partition = 0; partition < 4; partition++) {
        ck_assert_int_eq(member_owns(&a, topics[0], partition),
                         member_owns(&a, topics[1], partition));
        ck_assert_int_ne(member_owns(&a, topics[0], partition),
                         member_owns(&b, topics[0], partition));
        ck_assert_int_eq(member_owns(&b, topics[0], partition),
                         member_owns(&b, topics[1], partition));
    }
    ck_assert_int_eq(a.revocations, 1);
    ck_assert_int_eq(a.losses, 0);
    ck_assert_int_eq(b.revocations, 0);
    mr_member_close(&a.member);
    mr_member_close(&b.member);
}
END_TEST

START_TEST(a_partition_that_was_paused_and_comes_back_is_not_paused)
{
    const char *topic = topic_new(2);
    const char *group = unique("group");
    struct mr_producer *producer = producer_new(NULL);
    struct group_member a = {0};
    struct group_member b = {0};
    struct mr_err err = {0};

    member_open(&a, group, NULL, &topic, 1);
    member_await_owned(&a, 2);
    expect_ok(mr_member_pause(a.member, topic, 0, &err), &err);
    expect_ok(mr_member_pause(a.member, topic, 1, &err), &err);
    member_open(&b, group, NULL, &topic, 1);
    await_shares(&a, 1, &b, 1);
    send_text(producer, topic, a.owned[0].partition, "back");
    flush(producer);
    member_read(&a, 1);
    ck_assert_str_eq(seen_values(&a.seen), "back");
    mr_member_close(&a.member);
    mr_member_close(&b.member);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(what_does_not_divide_evenly_goes_to_the_first_members_one_each)
{
    const char *topic = topic_new(5);
    const char *group = unique("group");
    const int64_t deadline_us = now_us() + PATIENCE_US;
    struct group_member members[3] = {{0}};
    struct mr_err err = {0};

    for (size_t i = 0; i < MR_COUNT(members); i++) {
        member_open(&members[i], group, NULL, &topic, 1);
    }
    while (members[0].owned_count != 2 || members[1].owned_count != 2 ||
           members[2].owned_count != 1) {
        ck_assert_msg(now_us() < deadline_us, "%zu, %zu and %zu partitions", members[0].owned_count,
                      members[1].owned_count, members[2].owned_count);
        for (size_t i = 0; i < MR_COUNT(members); i++) {
            expect_ok(member_poll(&members[i], POLL_US / 2, &err), &err);
        }
    }
    ck_assert(member_owns(&members[0], topic, 0));
    ck_assert(member_owns(&members[1], topic, 3));
    ck_assert(member_owns(&members[2], topic, 4));
    for (size_t i = 0; i < MR_COUNT(members); i++) {
        mr_member_close(&members[i].member);
    }
}
END_TEST

struct handover {
    struct mr_producer *producer;
    const char *input;
    const char *output;
};

/* What a worker does when its partitions go: commits what it has taken. */
static void commit_handover(struct group_member *self)
{
    const struct handover *handover = self->arg;
    const struct mr_topic_partition offset = {
        .topic = handover->input, .partition = 0, .offset = (int64_t)self->seen.count};
    struct mr_err err = {0};

    if (handover->producer == NULL) {
        return;
    }
    expect_ok(mr_producer_commit(handover->producer, self->member, &offset, 1, &err), &err);
    self->on_revoked = NULL;
}

START_TEST(a_transaction_committed_while_revoking_counts_and_the_next_owner_goes_on_behind_it)
{
    const char *input = topic_new(1);
    const char *group = unique("group");
    struct mr_producer *source = producer_new(NULL);
    struct handover handover = {
        .producer = producer_new(unique("id")), .input = input, .output = topic_new(1)};
    struct group_member a = {.on_revoked = commit_handover, .arg = &handover};
    struct group_member b = {0};
    const int64_t deadline_us = now_us() + PATIENCE_US;
    struct mr_err err = {0};

    send_text(source, input, 0, "a");
    send_text(source, input, 0, "b");
    flush(source);
    member_open(&a, group, NULL, &input, 1);
    member_read(&a, 2);
    begin(handover.producer);
    send_text(handover.producer, handover.output, 0, "made of a and b");
    member_open(&b, group, NULL, &input, 1);
    while (a.revocations == 0) {
        ck_assert_msg(now_us() < deadline_us, "nothing was revoked");
        expect_ok(member_poll(&a, POLL_US / 2, &err), &err);
        expect_ok(member_poll(&b, POLL_US / 2, &err), &err);
    }
    ck_assert(a.on_revoked == NULL); /* it has committed */
    expect_committed(group, input, 0, 2);
    send_text(source, input, 0, "c");
    flush(source);
    while (a.seen.count + b.seen.count < 3) {
        ck_assert_msg(now_us() < deadline_us, "the third record did not come");
        expect_ok(member_poll(&a, POLL_US / 2, &err), &err);
        expect_ok(member_poll(&b, POLL_US / 2, &err), &err);
    }
    ck_assert_str_eq(seen_values(a.seen.count == 3 ? &a.seen : &b.seen),
                     a.seen.count == 3 ? "a b c" : "c");
    mr_member_close(&a.member);
    mr_member_close(&b.member);
    mr_producer_close(&handover.producer);
    mr_producer_close(&source);
}
END_TEST

/* ---- static membership ------------------------------------------------------------------------
 */

START_TEST(an_instance_opened_again_takes_over_without_a_rebalance_of_the_others)
{
    const char *topic = topic_new(2);
    const char *group = unique("group");
    const char *instance = unique("instance");
    struct group_member a = {0};
    struct group_member b = {0};
    struct group_member again = {0};
    int revocations;

    member_open(&a, group, instance, &topic, 1);
    member_open(&b, group, NULL, &topic, 1);
    await_shares(&a, 1, &b, 1);
    revocations = b.revocations;
    mr_member_close(&a.member);
    member_open(&again, group, instance, &topic, 1);
    await_shares(&again, 1, &b, 1);
    ck_assert_int_eq(b.revocations, revocations);
    mr_member_close(&again.member);
    mr_member_close(&b.member);
}
END_TEST

START_TEST(the_former_holder_of_an_instance_is_fenced_and_its_offsets_are_refused)
{
    const char *topic = topic_new(1);
    const char *group = unique("group");
    const char *instance = unique("instance");
    const int64_t deadline_us = now_us() + PATIENCE_US;
    const struct mr_topic_partition offset = {.topic = topic, .partition = 0, .offset = 1};
    struct mr_producer *producer = producer_new(unique("id"));
    struct mr_producer *source = producer_new(NULL);
    struct group_member zombie = {0};
    struct group_member holder = {0};
    struct mr_err err = {0};
    enum mr_status status = MR_OK;

    send_text(source, topic, 0, "a");
    flush(source);
    member_open(&zombie, group, instance, &topic, 1);
    member_read(&zombie, 1);
    begin(producer);
    member_open(&holder, group, instance, &topic, 1);
    member_read(&holder, 1);
    status = mr_producer_commit(producer, zombie.member, &offset, 1, &err);
    ck_assert_msg(status == MR_TXN_ABORT || status == MR_FENCED, "%s: %s", mr_status_name(status),
                  err.text);
    expect_committed(group, topic, 0, MR_OFFSET_NONE);
    status = MR_OK;
    while (status == MR_OK && now_us() < deadline_us) {
        status = member_poll(&zombie, POLL_US, &err);
    }
    ck_assert_msg(status == MR_FENCED, "%s: %s", mr_status_name(status), err.text);
    mr_member_close(&zombie.member);
    mr_member_close(&holder.member);
    mr_producer_close(&producer);
    mr_producer_close(&source);
}
END_TEST

TCase *log_group_cases(void)
{
    TCase *tcase = tcase_create("groups");

    tcase_add_test(tcase, a_new_group_reads_from_the_beginning_and_a_reopened_one_from_its_offsets);
    tcase_add_test(tcase, offsets_of_a_transaction_count_when_it_commits_and_not_when_it_aborts);
    tcase_add_test(tcase, a_text_is_kept_with_an_offset);
    tcase_add_test(tcase, a_static_member_is_present_until_its_session_ends);
    tcase_add_test(tcase, offsets_of_a_group_without_members_can_be_set);
    tcase_add_test(tcase, unstable_offsets_do_not_wait);
    tcase_add_test(tcase, a_member_reads_committed_records_only);
    tcase_add_test(tcase, a_member_does_not_read_behind_an_open_transaction);
    tcase_add_test(tcase, partitions_paused_when_they_are_assigned_deliver_nothing_until_resumed);
    tcase_add_test(tcase, what_a_member_does_not_own_it_cannot_seek_or_pause);
    tcase_add_test(tcase, seeking_delivers_from_that_offset_next);
    tcase_add_test(tcase, a_paused_partition_waits_and_loses_nothing);
    tcase_add_test(tcase, two_members_share_the_partitions_and_inputs_stay_together);
    tcase_add_test(tcase, a_partition_that_was_paused_and_comes_back_is_not_paused);
    tcase_add_test(tcase, what_does_not_divide_evenly_goes_to_the_first_members_one_each);
    tcase_add_test(
        tcase, a_transaction_committed_while_revoking_counts_and_the_next_owner_goes_on_behind_it);
    tcase_add_test(tcase, an_instance_opened_again_takes_over_without_a_rebalance_of_the_others);
    tcase_add_test(tcase, the_former_holder_of_an_instance_is_fenced_and_its_offsets_are_refused);
    return tcase;
}
