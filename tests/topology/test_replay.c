/*
 * test_replay.c -- what came out of a storm follows from what went in, byte for byte.
 *
 * Goal:   the journal tells enough: whatever crashed, was refused or left in doubt, each output on
 *         record is the one that the same program writes again from the recorded input. And a
 *         replay sees what is not so: another program, a record that nobody wrote, one that is
 *         gone, an input that is no longer there.
 * Method: traffic.h's random commands over the production topology on the log in memory, then
 *         replay_verify.h over that log. For the second half the record, or the topology that is
 *         replayed, is changed in one place.
 */
#include "replay_registry.h"
#include "replay_verify.h"
#include "topology_text.h"
#include "traffic.h"

#include <check.h>
#include <stdlib.h>

#define SEEDS 3
#define BURSTS 20
#define BURST_MAX 12

static enum mr_status memory_backend(void *arg, size_t group, struct mr_backend **backend,
                                     struct mr_err *err)
{
    (void)arg;
    (void)group;
    (void)err;
    *backend = mr_backend_memory_create();
    return MR_OK;
}

/* The last difference, as coordinates. */
struct seen {
    size_t count;
    size_t stage; /* MR_UNBOUND: of a record that was not replayed */
    char topic[64];
};

static void note(void *arg, const struct replay_difference *difference)
{
    struct seen *seen = arg;

    seen->count++;
    seen->stage = difference->replayed == NULL ? MR_UNBOUND : difference->replayed->stage;
    if (difference->recorded != NULL) {
        (void)snprintf(seen->topic, sizeof(seen->topic), "%s", difference->recorded->topic);
    }
}

/* topology: NULL: the world's own. */
static enum mr_status replay(struct mr_world *world, const struct mr_topology *topology,
                             const struct replay_verify_options *given,
                             struct replay_verify_result *result, struct seen *seen,
                             struct mr_err *err)
{
    struct mr_registry *registry = replay_registry_create(mr_world_registry(world));
    struct mr_codec *codec = mr_codec_create(registry);
    const struct load_env env = {
        .topology = topology == NULL ? mr_world_topology(world) : topology,
        .log = mr_world_log(world),
        .codec = codec,
        .clock = mr_clock_system(),
    };
    struct replay_verify_options how = *given;
    enum mr_status status;

    how.backend = memory_backend;
    how.differs = note;
    how.arg = seen;
    how.bytes_max = how.bytes_max == 0 ? (size_t)64 << 20 : how.bytes_max;
    status = replay_verify_run(&env, &how, result, err);
    mr_codec_destroy(&codec);
    mr_registry_destroy(&registry);
    return status;
}

static const struct replay_verify_options everything = {
    .from_us = INT64_MIN, .until_us = INT64_MAX, .stage = MR_UNBOUND};

static struct mr_world *begin(struct traffic *traffic, uint64_t seed, const char *workers,
                              int instances)
{
    const struct topology_edit edits[] = {{"${ACCOUNT_WORKERS:-1}", workers},
                                          {"${MARKET_WORKERS:-1}", workers}};
    struct mr_world *world = mr_world_create(&(struct mr_world_options){
        .owned = topology_of_text(NULL, NULL, edits, MR_COUNT(edits)), .instances = instances});

    mr_world_start(world);
    traffic_begin(traffic, world, seed);
    return world;
}

static void blow(struct traffic *traffic, bool disturbed)
{
    struct mr_world *world = traffic->world;

    for (int burst = 0; burst < BURSTS; burst++) {
        for (uint64_t i = traffic_pick(traffic, BURST_MAX); i > 0; i--) {
            traffic_send(traffic);
        }
        mr_world_rounds(world, (int)traffic_pick(traffic, 25));
        if (disturbed && traffic_pick(traffic, 3) == 0) {
            const size_t group =
                (size_t)traffic_pick(traffic, mr_world_topology(world)->group_count);

            mr_world_crash(world, group);
            if (traffic_pick(traffic, 2) == 0) {
                mr_world_lose_state(world, group);
            }
        }
        if (disturbed && traffic_pick(traffic, 3) == 0) {
            mr_log_memory_fail(mr_world_log(world), MR_LOG_CALL_COMMIT,
                               1 + (int)traffic_pick(traffic, 3), MR_INDETERMINATE,
                               traffic_pick(traffic, 2) == 0);
        }
    }
    mr_world_settle(world);
}

static const struct {
    bool disturbed;
    const char *workers;
    int instances;
    size_t bytes_max; /* 0: enough */
    const char *why;
} weathers[] = {
    {false, "1", 1, 0, "one worker a group"},
    {true, "1", 1, 0, "crashes, lost state, commits in doubt"},
    {true, "2", 1, 0, "a task's journal is in the partition of whichever worker has it"},
    {true, "1", 3, 0, "and goes from process to process"},
    {true, "2", 2, 20000, "with little room for what waits to be compared"},
};

START_TEST(the_record_follows_from_the_record)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct replay_verify_options how = everything;
        struct replay_verify_result result;
        struct seen seen = {0};
        struct traffic traffic;
        struct mr_world *world = begin(&traffic, (uint64_t)_i * 100 + seed, weathers[_i].workers,
                                       weathers[_i].instances);
        struct mr_err err = {0};

        blow(&traffic, weathers[_i].disturbed);
        how.bytes_max = weathers[_i].bytes_max;
        ck_assert_msg(replay(world, NULL, &how, &result, &seen, &err) == MR_OK, "%s: %s",
                      weathers[_i].why, err.text);
        ck_assert_msg(seen.count == 0, "%s, seed %llu: %zu differences, the last in %s",
                      weathers[_i].why, (unsigned long long)seed, seen.count, seen.topic);
        ck_assert_uint_gt(result.equal, 200);
        ck_assert_uint_eq(result.gone, 0);
        mr_world_stop(world);
        mr_world_destroy(&world);
    }
}
END_TEST

/* ---- what is not so -------------------------------------------------------------------------- */

static struct mr_world *calm(struct traffic *traffic)
{
    struct mr_world *world = begin(traffic, 42, "1", 1);

    blow(traffic, false);
    mr_world_stop(world);
    return world;
}

START_TEST(another_option_is_seen_where_it_matters)
{
    const struct topology_edit edit = {"intervals: [1m, 5m]", "intervals: [1m, 3m]"};
    struct replay_verify_result result;
    struct seen seen = {0};
    struct traffic traffic;
    struct mr_world *world = calm(&traffic);
    struct mr_topology *topology = topology_of_text(NULL, NULL, &edit, 1);
    struct replay_verify_options how = everything;
    struct mr_err err = {0};

    ck_assert_msg(replay(world, topology, &how, &result, &seen, &err) == MR_OK, "%s", err.text);
    ck_assert_uint_gt(result.only_recorded, 0);
    ck_assert_uint_gt(result.only_replayed, 0);
    ck_assert_uint_eq(result.only_recorded + result.only_replayed + result.differ, seen.count);
    ck_assert_str_eq(seen.topic, "candles");
    /* What fill writes does not depend on it. */
    seen = (struct seen){0};
    how.stage = mr_topology_find_stage(topology, "fill");
    ck_assert_msg(replay(world, topology, &how, &result, &seen, &err) == MR_OK, "%s", err.text);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_uint_gt(result.equal, 0);
    mr_topology_destroy(&topology);
    mr_world_destroy(&world);
}
END_TEST

START_TEST(a_record_that_nobody_wrote_is_seen)
{
    struct replay_verify_result result;
    struct seen seen = {0};
    struct traffic traffic;
    struct mr_world *world = calm(&traffic);
    struct mr_world_records records;
    struct mr_err err = {0};

    /* The first execution once more: right bytes, and not at their place. */
    mr_world_read(world, "executions", &records);
    mr_world_send(world, "executions", records.items[0].key, records.items[0].value);
    mr_world_records_fini(&records);
    ck_assert_msg(replay(world, NULL, &everything, &result, &seen, &err) == MR_OK, "%s", err.text);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(result.only_recorded, 1);
    ck_assert_str_eq(seen.topic, "executions");
    mr_world_destroy(&world);
}
END_TEST

START_TEST(compacted_outputs_are_no_differences)
{
    struct replay_verify_result result;
    struct seen seen = {0};
    struct traffic traffic;
    struct mr_world *world = calm(&traffic);
    struct mr_err err = {0};

    mr_log_memory_compact(mr_world_log(world), "balances", 0);
    mr_log_memory_compact(mr_world_log(world), "book.snapshots", 0);
    ck_assert_msg(replay(world, NULL, &everything, &result, &seen, &err) == MR_OK, "%s", err.text);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_uint_gt(result.gone, 0);
    mr_world_destroy(&world);
}
END_TEST

START_TEST(inputs_that_are_gone_are_named)
{
    struct replay_verify_result result;
    struct seen seen = {0};
    struct traffic traffic;
    struct mr_world *world = calm(&traffic);
    struct mr_err err = {0};

    mr_log_memory_compact(mr_world_log(world), "orders", 0);
    ck_assert_int_eq(replay(world, NULL, &everything, &result, &seen, &err), MR_OUT_OF_RANGE);
    ck_assert_msg(strstr(err.text, "orders[") != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, "no longer retained") != NULL, "%s", err.text);
    mr_world_destroy(&world);
}
END_TEST

START_TEST(a_journal_that_is_gone_is_named)
{
    struct replay_verify_result result;
    struct seen seen = {0};
    struct traffic traffic;
    struct mr_world *world = calm(&traffic);
    struct mr_err err = {0};

    mr_log_memory_compact(mr_world_log(world), "crypto-oms-market-journal", 0);
    ck_assert_int_eq(replay(world, NULL, &everything, &result, &seen, &err), MR_OUT_OF_RANGE);
    ck_assert_msg(strstr(err.text, "journal of group market") != NULL, "%s", err.text);
    mr_world_destroy(&world);
}
END_TEST

/* Half of the run: nothing behind it is compared, and nothing of it is left out. */
START_TEST(a_range_ends_where_it_is_said_to)
{
    struct replay_verify_options how = everything;
    struct replay_verify_result whole;
    struct replay_verify_result half;
    struct seen seen = {0};
    struct traffic traffic;
    struct mr_world *world = begin(&traffic, 5, "1", 1);
    struct mr_err err = {0};

    blow(&traffic, false);
    how.until_us = mr_world_now_us(world);
    mr_world_pass_us(world, 2 * MR_MINUTE_US);
    blow(&traffic, false);
    mr_world_stop(world);
    ck_assert_msg(replay(world, NULL, &everything, &whole, &seen, &err) == MR_OK, "%s", err.text);
    ck_assert_msg(replay(world, NULL, &how, &half, &seen, &err) == MR_OK, "%s", err.text);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_uint_gt(half.equal, 0);
    ck_assert_uint_lt(half.transactions, whole.transactions);
    mr_world_destroy(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology: replay");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 180);
    tcase_add_loop_test(tcase, the_record_follows_from_the_record, 0, (int)MR_COUNT(weathers));
    tcase_add_test(tcase, another_option_is_seen_where_it_matters);
    tcase_add_test(tcase, a_record_that_nobody_wrote_is_seen);
    tcase_add_test(tcase, compacted_outputs_are_no_differences);
    tcase_add_test(tcase, inputs_that_are_gone_are_named);
    tcase_add_test(tcase, a_journal_that_is_gone_is_named);
    tcase_add_test(tcase, a_range_ends_where_it_is_said_to);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
