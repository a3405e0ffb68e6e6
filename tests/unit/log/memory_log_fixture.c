/* memory_log_fixture.c -- see memory_log_fixture.h. */
#include "memory_log_fixture.h"

#include <stdlib.h>

#define NUMBERS_MAX 4096
#define PARTITIONS 2

static int64_t read_clock(void *arg)
{
    const struct test_clock *clock = arg;

    return clock->us;
}

static void wait_on_clock(void *arg, int64_t us)
{
    struct test_clock *clock = arg;

    clock->us += us;
    clock->waited_us += us;
}

struct test_clock test_clock = {
    .clock = {.wall_us = read_clock,
              .monotonic_us = read_clock,
              .wait_us = wait_on_clock,
              .arg = &test_clock},
};
struct mr_log *memory_log;

static void setup(void)
{
    static const char *const topics[] = {INPUT, OUTPUT};
    struct mr_err err = {0};

    test_clock.us = 1000 * SECOND_US;
    test_clock.waited_us = 0;
    memory_log = mr_log_memory_create(&test_clock.clock);
    for (size_t i = 0; i < MR_COUNT(topics); i++) {
        const struct mr_topic_spec spec = {
            .name = topics[i], .partitions = PARTITIONS, .replication = 1};

        expect_ok(mr_log_topic_create(memory_log, &spec, &err), &err);
    }
}

static void teardown(void)
{
    mr_log_close(&memory_log);
}

int memory_log_run(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void expect_ok(enum mr_status status, const struct mr_err *err)
{
    ck_assert_msg(status == MR_OK, "%s: %s", mr_status_name(status), err->text);
}

struct mr_producer *producer_new(const char *transactional_id)
{
    const struct mr_producer_options options = {.transactional_id = transactional_id,
                                                .transaction_timeout_us = TRANSACTION_US};
    struct mr_producer *producer;
    struct mr_err err = {0};

    expect_ok(mr_producer_open(memory_log, &options, SECOND_US, &producer, &err), &err);
    return producer;
}

enum mr_status send_number(struct mr_producer *producer, const char *topic, int32_t partition,
                           int64_t number, struct mr_err *err)
{
    struct mr_outgoing record = {.partition = partition,
                                 .timestamp_ms = MR_TIMESTAMP_NOW,
                                 .key = mr_slice_of(&number, sizeof(number)),
                                 .value = mr_slice_of(&number, sizeof(number)),
                                 .has_value = true};

    expect_ok(mr_producer_topic(producer, topic, &record.topic, NULL, err), err);
    return mr_producer_send(producer, &record, err);
}

void send_ok(struct mr_producer *producer, const char *topic, int32_t partition, int64_t number)
{
    struct mr_err err = {0};

    expect_ok(send_number(producer, topic, partition, number, &err), &err);
}

void begin_ok(struct mr_producer *producer)
{
    struct mr_err err = {0};

    expect_ok(mr_producer_begin(producer, &err), &err);
}

void commit_ok(struct mr_producer *producer)
{
    struct mr_err err = {0};

    expect_ok(mr_producer_commit(producer, NULL, NULL, 0, &err), &err);
}

int64_t stable_end(const char *topic, int32_t partition)
{
    struct mr_err err = {0};
    int64_t low;
    int64_t end;

    expect_ok(mr_log_watermarks(memory_log, topic, partition, &low, &end, &err), &err);
    return end;
}

int64_t number_of(const struct mr_message *message)
{
    int64_t number;

    ck_assert_uint_eq(message->value.len, sizeof(number));
    memcpy(&number, message->value.data, sizeof(number));
    return number;
}

size_t read_numbers(const char *topic, int32_t partition, int64_t *numbers, size_t max)
{
    const int64_t end = stable_end(topic, partition);
    struct mr_reader *reader;
    struct mr_message message;
    struct mr_err err = {0};
    size_t count;
    size_t seen = 0;

    expect_ok(mr_reader_open(memory_log, MR_READER_FOLLOWS_US, &reader, &err), &err);
    expect_ok(mr_reader_add(reader, topic, partition, 0, &err), &err);
    while (mr_reader_position(reader, topic, partition) < end) {
        expect_ok(mr_reader_poll(reader, 0, &message, 1, &count, &err), &err);
        if (count == 1) {
            ck_assert_uint_lt(seen, max);
            numbers[seen++] = number_of(&message);
            mr_message_release(&message);
        }
    }
    mr_reader_close(&reader);
    return seen;
}

void expect_numbers(const char *topic, int32_t partition, const int64_t *numbers, size_t count)
{
    static int64_t seen[NUMBERS_MAX];

    ck_assert_uint_eq(read_numbers(topic, partition, seen, NUMBERS_MAX), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(seen[i], numbers[i]);
    }
}

struct mr_member *member_new(const char *group, const char *instance,
                             struct mr_member_callbacks callbacks)
{
    static const char *const topics[] = {INPUT};
    const struct mr_member_options options = {.group = group,
                                              .instance = instance,
                                              .topics = topics,
                                              .topic_count = 1,
                                              .session_timeout_us = SESSION_US,
                                              .callbacks = callbacks};
    struct mr_member *member;
    struct mr_err err = {0};

    expect_ok(mr_member_open(memory_log, &options, &member, &err), &err);
    return member;
}
