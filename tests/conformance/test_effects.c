/*
 * test_effects.c -- every registered stage does the same thing with the same input, whatever
 * happens on the way.
 *
 * Goal:   outputs, dead letters and stores of a disturbed run equal those of an undisturbed one.
 * Method: the same random input (vocabulary.h), garbage included, through the stage alone: twice;
 *         with one call of the log failing in each way the port allows; with the worker destroyed
 *         after each of its first rounds, with and without its state directory; and over several
 *         partitions. With one record in a transaction everything must be equal to the byte; with
 *         more, what is conflated over a transaction must end in the same values.
 */
#include "stage_world.h"
#include "subjects.h"

#include <check.h>
#include <stdio.h>

#define SEED 11
#define FAULT_N_MAX 6
#define CRASH_ROUNDS 50

/* What by default never ends within STAGE_RECORDS: its end is part of the comparison too. */
static const char *short_option(const struct mr_stage *type)
{
    return strcmp(type->name, "dedupe") == 0 ? "window: 3m" : NULL;
}

static void run(struct mr_world *world, const struct stage_setup *setup,
                struct stage_outcome *outcome)
{
    mr_world_settle(world);
    stage_outcome_read(world, setup->type, outcome);
    mr_world_stop(world);
}

static void undisturbed(const struct stage_setup *setup, uint64_t seed,
                        struct stage_outcome *outcome)
{
    struct mr_world *world = stage_world_create(setup);

    stage_world_feed(world, setup, seed);
    run(world, setup, outcome);
    ck_assert_int_eq(mr_world_restarts(world), 0);
    mr_world_destroy(&world);
}

/* What some run gave, by port and store. */
struct seen {
    size_t outputs[STAGE_PORTS_MAX];
    size_t stores[STAGE_PORTS_MAX];
};

static void count(struct seen *seen, const struct stage_outcome *outcome,
                  const struct mr_stage *type)
{
    for (size_t i = 0; i < type->out_count; i++) {
        seen->outputs[i] += outcome->outputs[i].count;
    }
    for (size_t i = 0; i < type->store_count; i++) {
        seen->stores[i] += outcome->stores[i].count;
    }
}

static void note(struct seen *seen, const struct stage_outcome *outcome,
                 const struct mr_stage *type)
{
    count(seen, outcome, type);
    ck_assert_uint_gt(outcome->dead_letters.count, 0);
    ck_assert_msg(outcome->dead_letters.count < STAGE_RECORDS / 2, "%s: %zu dead letters",
                  type->name, outcome->dead_letters.count);
}

/* Otherwise the comparisons would compare nothing. */
static void check_not_idle(const struct seen *seen, const struct mr_stage *type)
{
    for (size_t i = 0; i < type->out_count; i++) {
        ck_assert_msg(seen->outputs[i] > 0,
                      "%s: nothing came out of %s; teach vocabulary.c what it needs", type->name,
                      type->out[i].name);
    }
    for (size_t i = 0; i < type->store_count; i++) {
        ck_assert_msg(seen->stores[i] > 0,
                      "%s: nothing was stored in %s; teach vocabulary.c what it needs", type->name,
                      type->stores[i].name);
    }
}

/* Twice at each edge of each option: some outputs have their reason only there. */
static void run_at_the_edges(const struct mr_stage *type, struct seen *seen)
{
    for (size_t i = 0; i < 2 * type->option_count; i++) {
        const struct mr_option *option = &type->options[i / 2];
        char text[64];
        char line[160];
        const struct stage_setup setup = {
            .type = type, .partitions = 1, .commit_records = 5, .option = line};
        struct stage_outcome one;
        struct stage_outcome two;

        if (!subject_option_bounded(option)) {
            continue;
        }
        snprintf(line, sizeof(line), "%s: \"%s\"", option->name,
                 subject_option_text(option, i % 2 == 0 ? option->min : option->max, text));
        undisturbed(&setup, SEED, &one);
        undisturbed(&setup, SEED, &two);
        count(seen, &one, type);
        stage_outcome_compare(&one, &two, type, STAGE_EXACT, type->name);
        stage_outcome_fini(&one);
        stage_outcome_fini(&two);
    }
}

START_TEST(the_same_input_gives_the_same_bytes)
{
    static const int commit_records[] = {1, 5, 1000};
    const struct mr_stage *type = subject(_i);
    struct seen seen = {0};

    for (size_t i = 0; i < MR_COUNT(commit_records); i++) {
        const struct stage_setup setup = {.type = type,
                                          .partitions = (int)(2 * i) + 1,
                                          .commit_records = commit_records[i],
                                          .option = short_option(type)};

        for (uint64_t seed = SEED; seed < SEED + 3; seed++) {
            struct stage_outcome one;
            struct stage_outcome two;

            undisturbed(&setup, seed, &one);
            undisturbed(&setup, seed, &two);
            note(&seen, &one, type);
            stage_outcome_compare(&one, &two, type, STAGE_EXACT, type->name);
            stage_outcome_fini(&one);
            stage_outcome_fini(&two);
        }
    }
    run_at_the_edges(type, &seen);
    check_not_idle(&seen, type);
}
END_TEST

START_TEST(the_size_of_transactions_changes_nothing)
{
    const struct mr_stage *type = subject(_i);
    struct stage_setup setup = {
        .type = type, .partitions = 1, .commit_records = 1, .option = short_option(type)};
    struct stage_outcome single;
    struct stage_outcome many;

    undisturbed(&setup, SEED, &single);
    setup.commit_records = 7;
    undisturbed(&setup, SEED, &many);
    stage_outcome_find_loose(&single, &many, type);
    stage_outcome_compare(&single, &many, type, STAGE_CONFLATED, type->name);
    stage_outcome_fini(&single);
    stage_outcome_fini(&many);
}
END_TEST

/* ---- disturbed ------------------------------------------------------------------------------- */

static const struct {
    enum mr_log_call call;
    enum mr_status status;
    bool done;
    const char *why;
} faults[] = {
    {MR_LOG_CALL_COMMIT, MR_TXN_ABORT, false, "the broker asks for an abort"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false, "unknown outcome, not committed"},
    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true, "unknown outcome, committed"},
    {MR_LOG_CALL_COMMIT, MR_FENCED, false, "another owner: it starts again"},
    {MR_LOG_CALL_COMMIT, MR_FENCED, true, "committed, then killed before it knew"},
    {MR_LOG_CALL_COMMIT, MR_TIMEOUT, false, "the commit takes too long"},
    {MR_LOG_CALL_SEND, MR_TIMEOUT, false, "the queue stayed full"},
    {MR_LOG_CALL_SEND, MR_TXN_ABORT, false, "sending asks for an abort"},
    {MR_LOG_CALL_SEND, MR_TXN_ABORT, true, "sent, then an abort"},
    {MR_LOG_CALL_SEND, MR_LOG_FATAL, true, "sent, then the client is finished"},
    {MR_LOG_CALL_BEGIN, MR_LOG_FATAL, false, "no transaction can be begun"},
    {MR_LOG_CALL_BEGIN, MR_LOG_FATAL, true, "begun, but nobody heard of it"},
    {MR_LOG_CALL_POLL, MR_UNAVAILABLE, false, "no broker for a moment"},
    {MR_LOG_CALL_POLL, MR_LOG_FATAL, false, "the consumer is finished"},
    {MR_LOG_CALL_WATERMARKS, MR_UNAVAILABLE, false, "targets cannot be asked for"},
    {MR_LOG_CALL_ABORT, MR_LOG_FATAL, false, "an abort fails, after a forced one"},
    {MR_LOG_CALL_ABORT, MR_LOG_FATAL, true, "aborted, but the answer is a failure"},
    {MR_LOG_CALL_FLUSH, MR_TIMEOUT, false, "nobody flushes inside a transaction"},
};

/* Undisturbed, with the ports marked that depend on transactions (seen with one partition). */
static void reference(const struct stage_setup *setup, struct stage_outcome *outcome)
{
    struct stage_setup one = {
        .type = setup->type, .partitions = 1, .commit_records = 1, .option = setup->option};
    struct stage_outcome single;
    struct stage_outcome many;

    undisturbed(&one, SEED, &single);
    one.commit_records = 7;
    undisturbed(&one, SEED, &many);
    stage_outcome_find_loose(&single, &many, setup->type);
    undisturbed(setup, SEED, outcome);
    memcpy(outcome->loose, single.loose, sizeof(outcome->loose));
    stage_outcome_fini(&single);
    stage_outcome_fini(&many);
}

static void one_fault(const struct stage_setup *setup, size_t fault, int n,
                      const struct stage_outcome *want)
{
    struct mr_world *world = stage_world_create(setup);
    struct stage_outcome got;
    char what[160];

    stage_world_feed(world, setup, SEED);
    if (faults[fault].call == MR_LOG_CALL_ABORT) {
        mr_log_memory_fail(mr_world_log(world), MR_LOG_CALL_COMMIT, n, MR_TXN_ABORT, false);
        mr_log_memory_fail(mr_world_log(world), faults[fault].call, 1, faults[fault].status,
                           faults[fault].done);
    } else {
        mr_log_memory_fail(mr_world_log(world), faults[fault].call, n, faults[fault].status,
                           faults[fault].done);
    }
    run(world, setup, &got);
    snprintf(what, sizeof(what), "%s, call %d: %s", setup->type->name, n, faults[fault].why);
    stage_outcome_compare(want, &got, setup->type,
                          setup->commit_records == 1 ? STAGE_EXACT : STAGE_CONFLATED, what);
    stage_outcome_fini(&got);
    mr_world_destroy(&world);
}

START_TEST(one_fault_changes_nothing)
{
    struct stage_setup setup = {
        .type = subject(_i), .partitions = 1, .option = short_option(subject(_i))};

    for (setup.commit_records = 1; setup.commit_records <= 6; setup.commit_records += 5) {
        struct stage_outcome want;

        reference(&setup, &want);
        for (size_t fault = 0; fault < MR_COUNT(faults); fault++) {
            for (int n = 1; n <= FAULT_N_MAX; n++) {
                /* Most transactions send several records: reach into the later ones too. */
                one_fault(&setup, fault, faults[fault].call == MR_LOG_CALL_SEND ? n * n : n, &want);
            }
        }
        stage_outcome_fini(&want);
    }
}
END_TEST

static void crash_in_round(const struct stage_setup *setup, int round, bool lose_state,
                           const struct stage_outcome *want)
{
    struct mr_world *world = stage_world_create(setup);
    struct stage_outcome got;
    char what[160];

    stage_world_feed(world, setup, SEED);
    mr_world_plan_crash(world, round, 0, lose_state);
    run(world, setup, &got);
    snprintf(what, sizeof(what), "%s, crash in round %d%s", setup->type->name, round,
             lose_state ? ", state lost" : "");
    stage_outcome_compare(want, &got, setup->type,
                          setup->partitions > 1        ? STAGE_UNORDERED
                          : setup->commit_records == 1 ? STAGE_EXACT
                                                       : STAGE_CONFLATED,
                          what);
    stage_outcome_fini(&got);
    mr_world_destroy(&world);
}

START_TEST(a_crash_after_any_round_changes_nothing)
{
    static const struct {
        int partitions;
        int commit_records;
    } variants[] = {{1, 1}, {1, 7}, {3, 7}};

    for (size_t i = 0; i < MR_COUNT(variants); i++) {
        const struct stage_setup setup = {.type = subject(_i),
                                          .partitions = variants[i].partitions,
                                          .commit_records = variants[i].commit_records,
                                          .option = short_option(subject(_i))};
        struct stage_outcome want;

        reference(&setup, &want);
        for (int round = 1; round < CRASH_ROUNDS; round++) {
            crash_in_round(&setup, round, round % 2 == 0, &want);
        }
        stage_outcome_fini(&want);
    }
}
END_TEST

START_TEST(two_crashes_and_a_fault_change_nothing)
{
    const struct stage_setup setup = {.type = subject(_i),
                                      .partitions = 1,
                                      .commit_records = 5,
                                      .option = short_option(subject(_i))};
    struct stage_outcome want;

    reference(&setup, &want);
    for (int first = 3; first < 30; first += 3) {
        struct mr_world *world = stage_world_create(&setup);
        struct stage_outcome got;

        stage_world_feed(world, &setup, SEED);
        mr_world_plan_crash(world, first, 0, first % 2 == 1);
        mr_world_plan_crash(world, first + 1 + first % 4, 0, true);
        mr_log_memory_fail(mr_world_log(world), MR_LOG_CALL_COMMIT, first / 2, MR_INDETERMINATE,
                           first % 2 == 0);
        run(world, &setup, &got);
        stage_outcome_compare(&want, &got, setup.type, STAGE_CONFLATED, setup.type->name);
        stage_outcome_fini(&got);
        mr_world_destroy(&world);
    }
    stage_outcome_fini(&want);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("conformance: effects");
    TCase *tcase = tcase_create("every stage");
    int stages;
    SRunner *runner;
    int failed;

    subjects_init(argc, argv);
    stages = subject_count();
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, the_same_input_gives_the_same_bytes, 0, stages);
    tcase_add_loop_test(tcase, the_size_of_transactions_changes_nothing, 0, stages);
    tcase_add_loop_test(tcase, one_fault_changes_nothing, 0, stages);
    tcase_add_loop_test(tcase, a_crash_after_any_round_changes_nothing, 0, stages);
    tcase_add_loop_test(tcase, two_crashes_and_a_fault_change_nothing, 0, stages);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
