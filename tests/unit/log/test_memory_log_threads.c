/*
 * Goal:   handles of one log are used from several threads, and a waiting poll sleeps.
 * Method: producers and group members on threads of their own, on the machine's clock.
 */
#include "memory_log_fixture.h"

#include <pthread.h>
#include <time.h>

#define THREADS 3
#define RECORDS 20000
#define RECORDS_PER_TRANSACTION 100
#define BATCH 64
#define PATIENCE_US (30 * SECOND_US)

static struct mr_log *shared; /* on the machine's clock */

static void open_shared(void)
{
    const struct mr_topic_spec spec = {.name = INPUT, .partitions = THREADS, .replication = 1};
    struct mr_err err = {0};

    shared = mr_log_memory_create(mr_clock_system());
    expect_ok(mr_log_topic_create(shared, &spec, &err), &err);
}

struct worker {
    pthread_t thread;
    int32_t number;
    int64_t seen;
    int64_t last[THREADS];
    bool in_order;
    enum mr_status status;
};

/* Sends its numbers into its own partition, every third transaction aborted and sent again. */
static enum mr_status produce(struct worker *worker, struct mr_producer *producer,
                              struct mr_err *err)
{
    struct mr_outgoing record = {
        .partition = worker->number, .timestamp_ms = MR_TIMESTAMP_NOW, .has_value = true};

    MR_TRY(mr_producer_topic(producer, INPUT, &record.topic, NULL, err));
    for (int64_t first = 0, turn = 0; first < RECORDS; turn++) {
        MR_TRY(mr_producer_begin(producer, err));
        for (int64_t i = first; i < first + RECORDS_PER_TRANSACTION; i++) {
            record.value = mr_slice_of(&i, sizeof(i));
            MR_TRY(mr_producer_send(producer, &record, err));
        }
        if (turn % 3 == 2) {
            MR_TRY(mr_producer_abort(producer, err));
        } else {
            MR_TRY(mr_producer_commit(producer, NULL, NULL, 0, err));
            first += RECORDS_PER_TRANSACTION;
        }
    }
    return MR_OK;
}

static void *run_producer(void *arg)
{
    static const char *const ids[THREADS] = {"id-0", "id-1", "id-2"};
    struct worker *worker = arg;
    const struct mr_producer_options options = {.transactional_id = ids[worker->number],
                                                .transaction_timeout_us = PATIENCE_US};
    struct mr_producer *producer = NULL;
    struct mr_err err = {0};

    worker->status = mr_producer_open(shared, &options, 0, &producer, &err);
    if (worker->status == MR_OK) {
        worker->status = produce(worker, producer, &err);
    }
    mr_producer_close(&producer);
    return NULL;
}

static void *run_reader(void *arg)
{
    struct worker *worker = arg;
    const int64_t deadline_us = mr_clock_monotonic_us(mr_clock_system()) + PATIENCE_US;
    struct mr_message messages[BATCH];
    struct mr_reader *reader = NULL;
    struct mr_err err = {0};
    size_t count;

    worker->in_order = true;
    worker->status = mr_reader_open(shared, MR_READER_FOLLOWS_US, &reader, &err);
    for (int32_t i = 0; i < THREADS && worker->status == MR_OK; i++) {
        worker->last[i] = -1;
        worker->status = mr_reader_add(reader, INPUT, i, 0, &err);
    }
    while (worker->status == MR_OK && worker->seen < (int64_t)THREADS * RECORDS &&
           mr_clock_monotonic_us(mr_clock_system()) < deadline_us) {
        worker->status = mr_reader_poll(reader, SECOND_US, messages, BATCH, &count, &err);
        for (size_t i = 0; i < count; i++) {
            int64_t *last = &worker->last[messages[i].partition];
            int64_t number;

            memcpy(&number, messages[i].value.data, sizeof(number));
            worker->in_order = worker->in_order && number == *last + 1;
            *last = number;
            mr_message_release(&messages[i]);
        }
        worker->seen += (int64_t)count;
    }
    mr_reader_close(&reader);
    return NULL;
}

START_TEST(readers_see_each_committed_record_once_in_order_while_producers_write)
{
    struct worker producers[THREADS] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct worker readers[THREADS] = {{.number = 0}, {.number = 1}, {.number = 2}};

    open_shared();
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]), 0);
        ck_assert_int_eq(pthread_create(&producers[i].thread, NULL, run_producer, &producers[i]),
                         0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(producers[i].thread, NULL), 0);
        ck_assert_int_eq(pthread_join(readers[i].thread, NULL), 0);
        ck_assert_int_eq(producers[i].status, MR_OK);
        ck_assert_int_eq(readers[i].status, MR_OK);
        ck_assert_int_eq(readers[i].seen, (int64_t)THREADS * RECORDS);
        ck_assert(readers[i].in_order);
    }
    mr_log_close(&shared);
}
END_TEST

static int64_t thread_cpu_us(void)
{
    struct timespec time;

    ck_assert_int_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
    return (int64_t)time.tv_sec * SECOND_US + time.tv_nsec / 1000;
}

START_TEST(a_waiting_poll_uses_no_processor)
{
    const int64_t wait_us = SECOND_US / 5;
    const int64_t before_us = mr_clock_monotonic_us(mr_clock_system());
    struct mr_reader *reader;
    struct mr_message message;
    struct mr_err err = {0};
    int64_t cpu_us;
    size_t count;

    open_shared();
    expect_ok(mr_reader_open(shared, MR_READER_FOLLOWS_US, &reader, &err), &err);
    expect_ok(mr_reader_add(reader, INPUT, 0, 0, &err), &err);
    cpu_us = thread_cpu_us();
    expect_ok(mr_reader_poll(reader, wait_us, &message, 1, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_ge(mr_clock_monotonic_us(mr_clock_system()) - before_us, wait_us);
    ck_assert_int_lt(thread_cpu_us() - cpu_us, wait_us / 4);
    mr_reader_close(&reader);
    mr_log_close(&shared);
}
END_TEST

static void *wait_for_one(void *arg)
{
    struct worker *worker = arg;
    struct mr_message message;
    struct mr_reader *reader = NULL;
    struct mr_err err = {0};
    size_t count = 0;

    worker->status = mr_reader_open(shared, MR_READER_FOLLOWS_US, &reader, &err);
    if (worker->status == MR_OK) {
        worker->status = mr_reader_add(reader, INPUT, 0, 0, &err);
    }
    if (worker->status == MR_OK) {
        worker->status = mr_reader_poll(reader, PATIENCE_US, &message, 1, &count, &err);
    }
    worker->seen = (int64_t)count;
    mr_reader_close(&reader);
    return NULL;
}

static const char *const wakers[] = {NULL, "id"}; /* transactional ids */

START_TEST(a_waiting_poll_is_woken_by_a_record_and_by_a_commit)
{
    const struct mr_producer_options options = {.transactional_id = wakers[_i]};
    const int64_t before_us = mr_clock_monotonic_us(mr_clock_system());
    struct worker worker = {.number = 0};
    struct mr_producer *producer;
    struct mr_outgoing record = {.has_value = true};
    struct mr_err err = {0};

    open_shared();
    expect_ok(mr_producer_open(shared, &options, 0, &producer, &err), &err);
    expect_ok(mr_producer_topic(producer, INPUT, &record.topic, NULL, &err), &err);
    if (wakers[_i] != NULL) {
        begin_ok(producer);
    }
    ck_assert_int_eq(pthread_create(&worker.thread, NULL, wait_for_one, &worker), 0);
    mr_clock_wait_us(mr_clock_system(), SECOND_US / 20); /* most likely it waits by now */
    expect_ok(mr_producer_send(producer, &record, &err), &err);
    if (wakers[_i] != NULL) {
        commit_ok(producer);
    }
    ck_assert_int_eq(pthread_join(worker.thread, NULL), 0);
    ck_assert_int_eq(worker.status, MR_OK);
    ck_assert_int_eq(worker.seen, 1);
    ck_assert_int_lt(mr_clock_monotonic_us(mr_clock_system()) - before_us, PATIENCE_US / 2);
    mr_producer_close(&producer);
    mr_log_close(&shared);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("threads");

    tcase_add_test(tcase, readers_see_each_committed_record_once_in_order_while_producers_write);
    tcase_add_test(tcase, a_waiting_poll_uses_no_processor);
    tcase_add_loop_test(tcase, a_waiting_poll_is_woken_by_a_record_and_by_a_commit, 0,
                        (int)MR_COUNT(wakers));
    return memory_log_run("memory log: threads", tcase);
}
