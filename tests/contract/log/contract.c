/* contract.c -- see contract.h. */
#include "contract.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAMES_MAX 32
#define BATCH 16
#define TIMEOUT_SECONDS 120

struct mr_log *cluster;
static log_opener *opener;
static size_t names_used;

static void setup(void)
{
    names_used = 0;
    cluster = opener();
    ck_assert_ptr_nonnull(cluster);
}

static void teardown(void)
{
    mr_log_close(&cluster);
    ck_assert_ptr_null(cluster);
}

int log_contract_run(const char *name, log_opener *open)
{
    TCase *const tcases[] = {log_topic_cases(), log_record_cases(), log_transaction_cases(),
                             log_group_cases()};
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    opener = open;
    for (size_t i = 0; i < MR_COUNT(tcases); i++) {
        tcase_add_checked_fixture(tcases[i], setup, teardown);
        tcase_set_timeout(tcases[i], TIMEOUT_SECONDS);
        suite_add_tcase(suite, tcases[i]);
    }
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int64_t now_us(void)
{
    return mr_clock_monotonic_us(mr_clock_system());
}

void expect_ok(enum mr_status status, const struct mr_err *err)
{
    ck_assert_msg(status == MR_OK, "%s: %s", mr_status_name(status), err->text);
}

const char *unique(const char *word)
{
    static char names[NAMES_MAX][TEXT_BYTES];

    ck_assert_uint_lt(names_used, NAMES_MAX);
    (void)snprintf(names[names_used], TEXT_BYTES, "contract-%" PRId64 "-%ld-%zu-%s",
                   mr_clock_wall_us(mr_clock_system()), (long)getpid(), names_used, word);
    return names[names_used++];
}

const char *topic_new(int32_t partitions)
{
    const struct mr_topic_spec spec = {
        .name = unique("topic"), .partitions = partitions, .replication = 1};
    struct mr_err err = {0};

    expect_ok(mr_log_topic_create(cluster, &spec, &err), &err);
    return spec.name;
}

/* ---- producing --------------------------------------------------------------------------------
 */

struct mr_producer *producer_new(const char *transactional_id)
{
    const struct mr_producer_options options = {.transactional_id = transactional_id,
                                                .transaction_timeout_us = 30000000,
                                                .compression = "none"};
    struct mr_producer *producer;
    struct mr_err err = {0};

    expect_ok(mr_producer_open(cluster, &options, PATIENCE_US, &producer, &err), &err);
    return producer;
}

int producer_topic(struct mr_producer *producer, const char *topic)
{
    struct mr_err err = {0};
    int number;

    expect_ok(mr_producer_topic(producer, topic, &number, NULL, &err), &err);
    return number;
}

void begin(struct mr_producer *producer)
{
    struct mr_err err = {0};

    expect_ok(mr_producer_begin(producer, &err), &err);
}

void send_text(struct mr_producer *producer, const char *topic, int32_t partition,
               const char *value)
{
    const struct mr_outgoing record = {
        .topic = producer_topic(producer, topic),
        .partition = partition,
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = mr_slice_str(value),
        .value = mr_slice_str(value),
        .has_value = true,
    };
    struct mr_err err = {0};

    expect_ok(mr_producer_send(producer, &record, &err), &err);
}

void commit(struct mr_producer *producer)
{
    struct mr_err err = {0};

    expect_ok(mr_producer_commit(producer, NULL, NULL, 0, &err), &err);
}

void abort_transaction(struct mr_producer *producer)
{
    struct mr_err err = {0};

    expect_ok(mr_producer_abort(producer, &err), &err);
}

void flush(struct mr_producer *producer)
{
    struct mr_err err = {0};

    expect_ok(mr_producer_flush(producer, PATIENCE_US, &err), &err);
}

void commit_text(struct mr_producer *producer, const char *topic, int32_t partition,
                 const char *value)
{
    begin(producer);
    send_text(producer, topic, partition, value);
    commit(producer);
}

static int64_t stable_end(const char *topic, int32_t partition)
{
    struct mr_err err = {0};
    int64_t low;
    int64_t end;

    expect_ok(mr_log_watermarks(cluster, topic, partition, &low, &end, &err), &err);
    ck_assert_int_le(low, end);
    return end;
}

void expect_stable_end(const char *topic, int32_t partition, int64_t expected)
{
    const int64_t deadline_us = now_us() + PATIENCE_US;
    int64_t end = stable_end(topic, partition);

    while (end < expected && now_us() < deadline_us) {
        mr_clock_wait_us(mr_clock_system(), POLL_US / 10);
        end = stable_end(topic, partition);
    }
    ck_assert_int_eq(end, expected);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

void seen_take(struct seen_list *seen, struct mr_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct seen *record = &seen->records[seen->count];

        ck_assert_uint_lt(seen->count, SEEN_MAX);
        ck_assert_uint_lt(messages[i].value.len, VALUE_BYTES);
        record->topic = messages[i].topic;
        record->partition = messages[i].partition;
        record->offset = messages[i].offset;
        if (messages[i].value.len > 0) {
            memcpy(record->value, messages[i].value.data, messages[i].value.len);
        }
        record->value[messages[i].value.len] = '\0';
        mr_message_release(&messages[i]);
        seen->count++;
    }
}

const char *seen_values(const struct seen_list *seen)
{
    static char text[SEEN_MAX * VALUE_BYTES];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < seen->count; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : " ",
                                 seen->records[i].value);
    }
    return text;
}

struct mr_reader *reader_new(const char *topic, int32_t partition, int64_t offset)
{
    struct mr_reader *reader;
    struct mr_err err = {0};

    expect_ok(mr_reader_open(cluster, MR_READER_FOLLOWS_US, &reader, &err), &err);
    expect_ok(mr_reader_add(reader, topic, partition, offset, &err), &err);
    return reader;
}

static void reader_poll(struct mr_reader *reader, int64_t timeout_us, size_t max,
                        struct seen_list *seen)
{
    struct mr_message messages[BATCH];
    struct mr_err err = {0};
    size_t count;

    expect_ok(mr_reader_poll(reader, timeout_us, messages, max, &count, &err), &err);
    ck_assert_uint_le(count, max);
    seen_take(seen, messages, count);
}

void reader_read(struct mr_reader *reader, struct seen_list *seen, size_t count)
{
    const int64_t deadline_us = now_us() + PATIENCE_US;

    while (seen->count < count) {
        const size_t wanted = count - seen->count;

        ck_assert_msg(now_us() < deadline_us, "only %zu of %zu came", seen->count, count);
        reader_poll(reader, POLL_US, wanted < BATCH ? wanted : BATCH, seen);
    }
}

void reader_read_to(struct mr_reader *reader, const char *topic, int32_t partition,
                    int64_t position, struct seen_list *seen)
{
    const int64_t deadline_us = now_us() + PATIENCE_US;

    while (mr_reader_position(reader, topic, partition) < position) {
        ck_assert_msg(now_us() < deadline_us, "the position stays at %" PRId64 ", not %" PRId64,
                      mr_reader_position(reader, topic, partition), position);
        reader_poll(reader, POLL_US, BATCH, seen);
    }
}

void reader_look(struct mr_reader *reader, struct seen_list *seen)
{
    reader_poll(reader, BRIEFLY_US, BATCH, seen);
}

const char *committed_values(const char *topic, int32_t partition)
{
    static const char last[] = "(last)";
    struct mr_producer *producer = producer_new(NULL);
    struct mr_reader *reader = reader_new(topic, partition, 0);
    struct seen_list seen = {.count = 0};

    send_text(producer, topic, partition, last);
    flush(producer);
    do {
        reader_read(reader, &seen, seen.count + 1);
    } while (strcmp(seen.records[seen.count - 1].value, last) != 0);
    seen.count--;
    mr_reader_close(&reader);
    mr_producer_close(&producer);
    return seen_values(&seen);
}
