/*
 * contract.h -- the suite that every implementation of millrace/log.h passes.
 *
 * Why one suite: what the runtime is tested on (memory) and what it runs on (Kafka) must mean the
 *   same. An implementation says how it is opened; the cases are the same for all.
 * Timing: nothing is assumed to be quick. What must happen is waited for, up to PATIENCE_US; what
 *   must not happen is shown by something later that did.
 */
#ifndef MILLRACE_TESTS_LOG_CONTRACT_H
#define MILLRACE_TESTS_LOG_CONTRACT_H

#include "millrace/clock.h"
#include "millrace/log.h"

#include <check.h>

#define PATIENCE_US INT64_C(45000000)
#define POLL_US INT64_C(100000)
#define BRIEFLY_US INT64_C(300000) /* a look for something that should not come */
#define TEXT_BYTES 96
#define VALUE_BYTES 32
#define SEEN_MAX 48

typedef struct mr_log *log_opener(void);

/* Runs the contract on logs that open returns; returns what main returns. */
int log_contract_run(const char *name, log_opener *open);

TCase *log_topic_cases(void);
TCase *log_record_cases(void);
TCase *log_transaction_cases(void);
TCase *log_group_cases(void);

/* ---- for cases: each fails the test when a call does not succeed --------------------------------
 */

extern struct mr_log *cluster; /* of the test */

#define BYTES(text) mr_slice_of(text, sizeof(text) - 1)

int64_t now_us(void);
void expect_ok(enum mr_status status, const struct mr_err *err);
/* A name nobody has used on this cluster. Lives as long as the test. */
const char *unique(const char *word);
/* A new topic; the name lives as long as the test. */
const char *topic_new(int32_t partitions);

/* transactional_id NULL: a plain one. */
struct mr_producer *producer_new(const char *transactional_id);
int producer_topic(struct mr_producer *producer, const char *topic);
void begin(struct mr_producer *producer);
/* A record with the value as its key too. */
void send_text(struct mr_producer *producer, const char *topic, int32_t partition,
               const char *value);
void commit(struct mr_producer *producer);
void abort_transaction(struct mr_producer *producer);
void flush(struct mr_producer *producer);
/* All of it: a transaction of one record. */
void commit_text(struct mr_producer *producer, const char *topic, int32_t partition,
                 const char *value);
/* Waits for it: a broker writes the markers after it has answered the commit. */
void expect_stable_end(const char *topic, int32_t partition, int64_t expected);

/* A delivered record, copied. */
struct seen {
    const char *topic;
    int32_t partition;
    int64_t offset;
    char value[VALUE_BYTES];
};

struct seen_list {
    struct seen records[SEEN_MAX];
    size_t count;
};

/* Copies and releases. */
void seen_take(struct seen_list *seen, struct mr_message *messages, size_t count);
/* The values in the order seen, joined by spaces; lives until the next call. */
const char *seen_values(const struct seen_list *seen);

struct mr_reader *reader_new(const char *topic, int32_t partition, int64_t offset);
/* Reads until `count` records were seen in all, or fails. */
void reader_read(struct mr_reader *reader, struct seen_list *seen, size_t count);
/* Reads until the position is there, or fails. */
void reader_read_to(struct mr_reader *reader, const char *topic, int32_t partition,
                    int64_t position, struct seen_list *seen);
/* One short look. */
void reader_look(struct mr_reader *reader, struct seen_list *seen);
/* Everything in a partition that is committed: sends a last record and reads up to that one. */
const char *committed_values(const char *topic, int32_t partition);

#endif
