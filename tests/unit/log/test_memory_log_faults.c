/*
 * Goal:   every call fails as it is told: at its turn, with or without its effect.
 * Method: one fault at a time, then a look at what the log holds.
 */
#include "memory_log_fixture.h"

static const struct mr_member_callbacks quiet;

START_TEST(only_the_nth_call_fails)
{
    struct mr_producer *producer = producer_new(NULL);
    struct mr_err err = {0};

    mr_log_memory_fail(memory_log, MR_LOG_CALL_SEND, 2, MR_UNAVAILABLE, false);
    send_ok(producer, OUTPUT, 0, 1);
    ck_assert_int_eq(send_number(producer, OUTPUT, 0, 2, &err), MR_UNAVAILABLE);
    send_ok(producer, OUTPUT, 0, 3);
    expect_numbers(OUTPUT, 0, (const int64_t[]){1, 3}, 2);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_send_whose_answer_is_lost_is_in_the_log)
{
    struct mr_producer *producer = producer_new(NULL);
    struct mr_err err = {0};

    mr_log_memory_fail(memory_log, MR_LOG_CALL_SEND, 1, MR_TIMEOUT, true);
    ck_assert_int_eq(send_number(producer, OUTPUT, 0, 1, &err), MR_TIMEOUT);
    expect_numbers(OUTPUT, 0, (const int64_t[]){1}, 1);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_failed_send_inside_a_transaction_must_be_aborted)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_err err = {0};

    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_SEND, 1, MR_TIMEOUT, false);
    ck_assert_int_eq(send_number(producer, OUTPUT, 0, 2, &err), MR_TIMEOUT);
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_TXN_ABORT);
    expect_ok(mr_producer_abort(producer, &err), &err);
    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 3);
    commit_ok(producer);
    expect_numbers(OUTPUT, 0, (const int64_t[]){3}, 1);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_poisonous_record_leaves_its_transaction_alone)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_err err = {0};

    begin_ok(producer);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_SEND, 1, MR_TOO_LARGE, false);
    ck_assert_int_eq(send_number(producer, OUTPUT, 0, 1, &err), MR_TOO_LARGE);
    send_ok(producer, OUTPUT, 0, 2);
    commit_ok(producer);
    expect_numbers(OUTPUT, 0, (const int64_t[]){2}, 1);
    mr_producer_close(&producer);
}
END_TEST

static const struct {
    const char *why;
    bool done;
} lost[] = {{"nothing had happened", false}, {"it had happened", true}};

START_TEST(begin_may_be_called_again_after_it_failed)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_err err = {0};

    mr_log_memory_fail(memory_log, MR_LOG_CALL_BEGIN, 1, MR_UNAVAILABLE, lost[_i].done);
    ck_assert_int_eq(mr_producer_begin(producer, &err), MR_UNAVAILABLE);
    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    commit_ok(producer);
    expect_numbers(OUTPUT, 0, (const int64_t[]){1}, 1);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(an_unknown_commit_finishes_the_producer_and_the_next_one_finds_the_outcome)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_member *member = member_new("group", "a", quiet);
    struct mr_topic_partition offset = {.topic = INPUT, .partition = 0, .offset = 5};
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;

    expect_ok(mr_member_poll(member, 0, &message, 1, &count, &err), &err);
    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_COMMIT, 1, MR_INDETERMINATE, lost[_i].done);
    ck_assert_int_eq(mr_producer_commit(producer, member, &offset, 1, &err), MR_INDETERMINATE);
    ck_assert_int_eq(mr_producer_abort(producer, &err), MR_INDETERMINATE);
    ck_assert_int_eq(mr_producer_begin(producer, &err), MR_INDETERMINATE);
    mr_producer_close(&producer);
    producer = producer_new("id");
    expect_ok(mr_log_committed(memory_log, "group", &offset, 1, 0, &err), &err);
    ck_assert_int_eq(offset.offset, lost[_i].done ? 5 : MR_OFFSET_NONE);
    expect_numbers(OUTPUT, 0, (const int64_t[]){1}, lost[_i].done ? 1 : 0);
    mr_producer_close(&producer);
    mr_member_close(&member);
}
END_TEST

START_TEST(a_commit_that_asks_for_an_abort_is_aborted_and_done_again)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_err err = {0};

    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_COMMIT, 1, MR_TXN_ABORT, false);
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_TXN_ABORT);
    ck_assert_int_eq(send_number(producer, OUTPUT, 0, 2, &err), MR_TXN_ABORT);
    expect_ok(mr_producer_abort(producer, &err), &err);
    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    commit_ok(producer);
    expect_numbers(OUTPUT, 0, (const int64_t[]){1}, 1);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_commit_told_to_be_fenced_stays_fenced)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_err err = {0};

    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_COMMIT, 1, MR_FENCED, false);
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_FENCED);
    ck_assert_int_eq(mr_producer_abort(producer, &err), MR_FENCED);
    ck_assert_int_eq(mr_producer_begin(producer, &err), MR_FENCED);
    expect_numbers(OUTPUT, 0, NULL, 0);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(an_abort_may_be_called_again_after_it_failed)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_err err = {0};

    begin_ok(producer);
    send_ok(producer, OUTPUT, 0, 1);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_ABORT, 1, MR_TIMEOUT, lost[_i].done);
    ck_assert_int_eq(mr_producer_abort(producer, &err), MR_TIMEOUT);
    expect_ok(mr_producer_abort(producer, &err), &err);
    ck_assert_int_eq(stable_end(OUTPUT, 0), 2); /* one marker only */
    expect_numbers(OUTPUT, 0, NULL, 0);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_failed_poll_loses_no_record)
{
    struct mr_producer *producer = producer_new(NULL);
    struct mr_member *member = member_new("group", "a", quiet);
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;

    send_ok(producer, INPUT, 0, 1);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_POLL, 1, MR_UNAVAILABLE, lost[_i].done);
    ck_assert_int_eq(mr_member_poll(member, 0, &message, 1, &count, &err), MR_UNAVAILABLE);
    ck_assert_uint_eq(count, 0);
    expect_ok(mr_member_poll(member, 0, &message, 1, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(number_of(&message), 1);
    mr_message_release(&message);
    mr_member_close(&member);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(flush_and_watermarks_fail_once)
{
    struct mr_producer *producer = producer_new(NULL);
    struct mr_err err = {0};
    int64_t low;
    int64_t end;

    mr_log_memory_fail(memory_log, MR_LOG_CALL_FLUSH, 1, MR_TIMEOUT, false);
    mr_log_memory_fail(memory_log, MR_LOG_CALL_WATERMARKS, 1, MR_UNAVAILABLE, false);
    ck_assert_int_eq(mr_producer_flush(producer, 0, &err), MR_TIMEOUT);
    expect_ok(mr_producer_flush(producer, 0, &err), &err);
    ck_assert_int_eq(mr_log_watermarks(memory_log, OUTPUT, 0, &low, &end, &err), MR_UNAVAILABLE);
    expect_ok(mr_log_watermarks(memory_log, OUTPUT, 0, &low, &end, &err), &err);
    mr_producer_close(&producer);
}
END_TEST

/* ---- misuse: told apart from failure -----------------------------------------------------------
 */

START_TEST(calls_out_of_order_are_fatal)
{
    struct mr_producer *producer = producer_new("id");
    struct mr_producer *plain = producer_new(NULL);
    struct mr_err err = {0};

    ck_assert_int_eq(send_number(producer, OUTPUT, 0, 1, &err), MR_LOG_FATAL);
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_LOG_FATAL);
    ck_assert_int_eq(mr_producer_abort(producer, &err), MR_LOG_FATAL);
    begin_ok(producer);
    ck_assert_int_eq(mr_producer_begin(producer, &err), MR_LOG_FATAL);
    ck_assert_int_eq(mr_producer_begin(plain, &err), MR_LOG_FATAL);
    mr_producer_close(&producer);
    mr_producer_close(&plain);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("faults");

    tcase_add_test(tcase, only_the_nth_call_fails);
    tcase_add_test(tcase, a_send_whose_answer_is_lost_is_in_the_log);
    tcase_add_test(tcase, a_failed_send_inside_a_transaction_must_be_aborted);
    tcase_add_test(tcase, a_poisonous_record_leaves_its_transaction_alone);
    tcase_add_loop_test(tcase, begin_may_be_called_again_after_it_failed, 0, (int)MR_COUNT(lost));
    tcase_add_loop_test(tcase,
                        an_unknown_commit_finishes_the_producer_and_the_next_one_finds_the_outcome,
                        0, (int)MR_COUNT(lost));
    tcase_add_test(tcase, a_commit_that_asks_for_an_abort_is_aborted_and_done_again);
    tcase_add_test(tcase, a_commit_told_to_be_fenced_stays_fenced);
    tcase_add_loop_test(tcase, an_abort_may_be_called_again_after_it_failed, 0,
                        (int)MR_COUNT(lost));
    tcase_add_loop_test(tcase, a_failed_poll_loses_no_record, 0, (int)MR_COUNT(lost));
    tcase_add_test(tcase, flush_and_watermarks_fail_once);
    tcase_add_test(tcase, calls_out_of_order_are_fatal);
    return memory_log_run("memory log: faults", tcase);
}
