/*
 * test_storm.c -- random traffic, random crashes: the books balance.
 *
 * Goal:   the invariants (invariants.h) hold after any mixture of orders of every type, amendments,
 *         cancels, transfers, switches, duplicates, halts and garbage (traffic.h), in which
 *         processes crash, lose their state directories and are refused, fenced and left in doubt
 *         by the log. When all orders are cancelled then, nothing is held for any.
 * Method: seeded. Commands go out in bursts without waiting, so records of many users and both
 *         symbols are on their way at once; then everything settles and is added up again.
 */
#include "avro/execution_report.h"
#include "invariants.h"
#include "topology_text.h"
#include "traffic.h"

#include <check.h>
#include <stdlib.h>

#define SEEDS 16
#define BURSTS 30
#define BURST_MAX 14

enum disturbance { CALM, CRASHES, FAULTS, BOTH };

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void crash_something(struct traffic *traffic)
{
    const size_t group =
        (size_t)traffic_pick(traffic, mr_world_topology(traffic->world)->group_count);

    mr_world_crash(traffic->world, group);
    if (traffic_pick(traffic, 2) == 0) {
        mr_world_lose_state(traffic->world, group);
    }
}

static void fail_something(struct traffic *traffic)
{
    static const struct {
        enum mr_log_call call;
        enum mr_status status;
        bool done;
    } faults[] = {
        {MR_LOG_CALL_COMMIT, MR_TXN_ABORT, false},    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false},
        {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true}, {MR_LOG_CALL_COMMIT, MR_FENCED, true},
        {MR_LOG_CALL_COMMIT, MR_TIMEOUT, false},      {MR_LOG_CALL_BEGIN, MR_LOG_FATAL, true},
        {MR_LOG_CALL_ABORT, MR_LOG_FATAL, false},     {MR_LOG_CALL_POLL, MR_LOG_FATAL, false},
    };
    const size_t fault = (size_t)traffic_pick(traffic, MR_COUNT(faults));

    mr_log_memory_fail(mr_world_log(traffic->world), faults[fault].call,
                       1 + (int)traffic_pick(traffic, 3), faults[fault].status, faults[fault].done);
}

static void begin(struct traffic *traffic, uint64_t seed, const char *workers)
{
    const struct topology_edit edits[] = {{"${ACCOUNT_WORKERS:-1}", workers},
                                          {"${MARKET_WORKERS:-1}", workers}};
    struct mr_world *world = mr_world_create(
        &(struct mr_world_options){.owned = topology_of_text(NULL, NULL, edits, MR_COUNT(edits))});

    mr_world_start(world);
    traffic_begin(traffic, world, seed);
}

static void count(struct mr_world *world, size_t counts[OMS_EXEC_TYPE_SETTLED + 1])
{
    struct mr_world_records records;

    mr_world_read(world, "executions", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_execution_report report;

        mr_world_decode(world, "executions", &records, i, &report);
        counts[report.exec_type]++;
    }
    mr_world_records_fini(&records);
}

static void blow(struct traffic *traffic, enum disturbance disturbance)
{
    for (int burst = 0; burst < BURSTS; burst++) {
        for (uint64_t i = traffic_pick(traffic, BURST_MAX); i > 0; i--) {
            traffic_send(traffic);
        }
        mr_world_rounds(traffic->world, (int)traffic_pick(traffic, 25));
        if ((disturbance == CRASHES || disturbance == BOTH) && traffic_pick(traffic, 3) == 0) {
            crash_something(traffic);
        }
        if ((disturbance == FAULTS || disturbance == BOTH) && traffic_pick(traffic, 3) == 0) {
            fail_something(traffic);
        }
    }
    mr_world_settle(traffic->world);
}

static void storms(enum disturbance disturbance, uint64_t first_seed, const char *workers)
{
    size_t counts[OMS_EXEC_TYPE_SETTLED + 1] = {0};

    for (uint64_t seed = first_seed; seed < first_seed + SEEDS; seed++) {
        struct traffic storm;

        begin(&storm, seed, workers);
        blow(&storm, disturbance);
        invariants_check(storm.world);
        traffic_end(&storm);
        mr_world_settle(storm.world);
        invariants_check(storm.world);
        invariants_nothing_open(storm.world);
        count(storm.world, counts);
        mr_world_stop(storm.world);
        mr_world_destroy(&storm.world);
    }
    /* It was weather, not silence. */
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_TRADE], SEEDS * 10);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_CANCELED], SEEDS * 5);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_REJECTED], SEEDS * 2);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_CANCEL_REJECTED], SEEDS);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_SETTLED], SEEDS * 5);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_REPLACED], SEEDS);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_TRIGGERED], SEEDS);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_TRADE_PREVENTION], SEEDS / 4);
}

static const struct {
    enum disturbance disturbance;
    const char *workers;
    const char *why;
} weathers[] = {
    {CALM, "1", "the invariants themselves"},
    {CRASHES, "1", "processes die and lose their state"},
    {FAULTS, "1", "the log refuses, fences and leaves in doubt"},
    {BOTH, "1", "all of it"},
    {BOTH, "2", "with two workers a process"},
};

START_TEST(the_books_balance_after_every_storm)
{
    storms(weathers[_i].disturbance, (uint64_t)_i * 1000 + 1, weathers[_i].workers);
}
END_TEST

/* Inputs, tables and changelogs are all polled; none of these waits may end a process. */
START_TEST(a_poll_that_nobody_answers_ends_no_worker)
{
    struct traffic storm;

    begin(&storm, 7, "1");
    for (int n = 1; n <= 12; n++) {
        mr_log_memory_fail(mr_world_log(storm.world), MR_LOG_CALL_POLL, n, MR_UNAVAILABLE, false);
        traffic_send_price(&storm, "BTCUSDT");
        mr_world_rounds(storm.world, 5);
    }
    ck_assert_int_eq(mr_world_restarts(storm.world), 0);
    mr_world_stop(storm.world);
    mr_world_destroy(&storm.world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology: storm");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 180);
    tcase_add_loop_test(tcase, the_books_balance_after_every_storm, 0, (int)MR_COUNT(weathers));
    tcase_add_test(tcase, a_poll_that_nobody_answers_ends_no_worker);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
