/*
 * Goal:   consume, transform, produce is exactly once whatever fails: each input has one output.
 * Method: workers of one group copy input to output in transactions, stepped by one thread in an
 *         order drawn from a seed. Calls fail at random in every way, workers die and come back,
 *         transactions and sessions time out. In the end output equals input, partition by
 *         partition, in order.
 */
#include "memory_log_fixture.h"

#define SEEDS 60
#define WORKERS 3
#define RECORDS INT64_C(300)
#define STEPS 1500
#define BATCH 8
#define PARTITIONS 2
#define OUTPUTS_MAX 4096

struct worker {
    const char *name; /* transactional id and instance */
    struct mr_producer *producer;
    struct mr_member *member;
    int64_t next[PARTITIONS]; /* to be committed; MR_OFFSET_NONE: nothing taken */
    bool begun;
};

static struct worker workers[WORKERS] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static void forget(struct worker *worker)
{
    for (size_t i = 0; i < PARTITIONS; i++) {
        worker->next[i] = MR_OFFSET_NONE;
    }
    worker->begun = false;
}

/* As a process that is killed: nothing is committed or aborted on the way out. */
static void kill_worker(struct worker *worker)
{
    forget(worker);
    mr_producer_close(&worker->producer);
    mr_member_close(&worker->member);
}

/* Nothing is committed on revocation: the next owner takes the same inputs again. */
static void on_revoked(void *arg, const struct mr_topic_partition *partitions, size_t count,
                       bool lost)
{
    struct worker *worker = arg;
    struct mr_err err = {0};

    (void)partitions;
    (void)count;
    (void)lost;
    if (worker->begun && mr_producer_abort(worker->producer, &err) != MR_OK) {
        mr_producer_close(&worker->producer); /* the next step opens another */
    }
    forget(worker);
}

static void start_worker(struct worker *worker)
{
    if (worker->producer == NULL) {
        worker->producer = producer_new(worker->name);
    }
    if (worker->member == NULL) {
        worker->member = member_new("group", worker->name,
                                    (struct mr_member_callbacks){NULL, on_revoked, worker});
    }
}

static enum mr_status copy(struct worker *worker, struct mr_message *messages, size_t count,
                           struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (count > 0 && !worker->begun) {
        status = mr_producer_begin(worker->producer, err);
        worker->begun = status == MR_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (status == MR_OK) {
            status = send_number(worker->producer, OUTPUT, messages[i].partition,
                                 number_of(&messages[i]), err);
            worker->next[messages[i].partition] = messages[i].offset + 1;
        }
        mr_message_release(&messages[i]);
    }
    return status;
}

static enum mr_status commit(struct worker *worker, struct mr_err *err)
{
    struct mr_topic_partition offsets[PARTITIONS];
    size_t count = 0;
    enum mr_status status;

    for (int32_t i = 0; i < PARTITIONS; i++) {
        if (worker->next[i] != MR_OFFSET_NONE) {
            offsets[count++] = (struct mr_topic_partition){
                .topic = INPUT, .partition = i, .offset = worker->next[i]};
        }
    }
    status = mr_producer_commit(worker->producer, worker->member, offsets, count, err);
    if (status == MR_OK) {
        forget(worker);
    }
    return status;
}

/* One step of a worker. A failure of any kind is answered in the bluntest way: die. */
static void step(struct worker *worker)
{
    struct mr_message messages[BATCH];
    struct mr_err err = {0};
    enum mr_status status;
    size_t count;

    start_worker(worker);
    status = mr_member_poll(worker->member, 0, messages, BATCH, &count, &err);
    start_worker(worker); /* a callback may have closed the producer */
    if (status == MR_OK) {
        status = copy(worker, messages, count, &err);
    }
    if (status == MR_OK && worker->begun && draw(3) == 0) {
        status = commit(worker, &err);
    }
    if (status != MR_OK) {
        kill_worker(worker);
    }
}

static void fail_something(void)
{
    static const enum mr_status statuses[] = {MR_UNAVAILABLE, MR_TIMEOUT, MR_TXN_ABORT,
                                              MR_INDETERMINATE, MR_FENCED};
    const enum mr_log_call call = (enum mr_log_call)draw(MR_LOG_CALL_FLUSH);

    mr_log_memory_fail(memory_log, call, 1 + (int)draw(3),
                       statuses[draw((uint32_t)MR_COUNT(statuses))], draw(2) == 0);
}

static void disturb(void)
{
    switch (draw(60)) {
    case 0:
        kill_worker(&workers[draw(WORKERS)]);
        break;
    case 1:
        test_clock.us += (int64_t)draw((uint32_t)SESSION_US);
        break;
    case 2:
    case 3:
        fail_something();
        break;
    default:
        test_clock.us += 1000;
        break;
    }
}

static void fill_input(void)
{
    struct mr_producer *source = producer_new(NULL);

    for (int64_t i = 0; i < RECORDS; i++) {
        send_ok(source, INPUT, (int32_t)(i % PARTITIONS), i);
    }
    mr_producer_close(&source);
}

/* Without further disturbance: everything that is left over times out or is taken. */
static void finish(void)
{
    for (int i = 0; i < STEPS; i++) {
        test_clock.us += SECOND_US / 10;
        step(&workers[i % WORKERS]);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        struct mr_err err = {0};

        if (workers[i].begun) {
            expect_ok(commit(&workers[i], &err), &err);
        }
        kill_worker(&workers[i]);
    }
}

START_TEST(each_input_has_exactly_one_output)
{
    static int64_t outputs[OUTPUTS_MAX];

    random_state = (uint64_t)_i + 1;
    fill_input();
    for (size_t i = 0; i < WORKERS; i++) {
        forget(&workers[i]);
    }
    for (int i = 0; i < STEPS; i++) {
        disturb();
        step(&workers[draw(WORKERS)]);
    }
    finish();
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        const size_t count = read_numbers(OUTPUT, partition, outputs, OUTPUTS_MAX);

        ck_assert_uint_eq(count, RECORDS / PARTITIONS);
        for (size_t i = 0; i < count; i++) {
            ck_assert_int_eq(outputs[i], (int64_t)i * PARTITIONS + partition);
        }
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("exactly once");

    tcase_add_loop_test(tcase, each_input_has_exactly_one_output, 0, SEEDS);
    return memory_log_run("memory log: exactly once", tcase);
}
