/*
 * memory_log_fixture.h -- an in-memory log on a clock of the test's own, and short ways to use it.
 */
#ifndef MILLRACE_TESTS_MEMORY_LOG_FIXTURE_H
#define MILLRACE_TESTS_MEMORY_LOG_FIXTURE_H

#include "millrace/log_open.h"

#include <check.h>

#define SECOND_US INT64_C(1000000)
#define TRANSACTION_US (5 * SECOND_US)
#define SESSION_US (6 * SECOND_US)
#define INPUT "input"
#define OUTPUT "output"

/* A clock that moves when it is told, or when somebody waits on it. */
struct test_clock {
    struct mr_clock clock;
    int64_t us;
    int64_t waited_us;
};

extern struct test_clock test_clock;
extern struct mr_log *memory_log; /* of the test, with topics INPUT and OUTPUT of two partitions */

/* Runs the test case with a fresh log for each test; returns what main returns. */
int memory_log_run(const char *name, TCase *tcase);

void expect_ok(enum mr_status status, const struct mr_err *err);
struct mr_producer *producer_new(const char *transactional_id);
/* What the call says, to be looked at by the test. */
enum mr_status send_number(struct mr_producer *producer, const char *topic, int32_t partition,
                           int64_t number, struct mr_err *err);
void send_ok(struct mr_producer *producer, const char *topic, int32_t partition, int64_t number);
void begin_ok(struct mr_producer *producer);
void commit_ok(struct mr_producer *producer);
int64_t stable_end(const char *topic, int32_t partition);
/* The numbers that a committed reader sees in a partition. */
size_t read_numbers(const char *topic, int32_t partition, int64_t *numbers, size_t max);
void expect_numbers(const char *topic, int32_t partition, const int64_t *numbers, size_t count);
/* The number a message carries. */
int64_t number_of(const struct mr_message *message);

struct mr_member *member_new(const char *group, const char *instance,
                             struct mr_member_callbacks callbacks);

#endif
