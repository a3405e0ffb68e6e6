/*
 * test_plan.c -- from where groups go on when stages and edges change their place.
 *
 * Goal:   what moves goes on exactly where it was, with the time and the timers of its stage; what
 *         would take something twice, or leave something out, is refused by name; a second time
 *         nothing is left to do.
 * Method: the log in memory, with records and offsets as a pipeline would have left them; small
 *         topologies that differ in who runs where.
 */
#include "describe.h"
#include "fake_catalog.h"
#include "millrace/log_open.h"
#include "plan.h"

#include <check.h>
#include <stdlib.h>

#define TEXT(options, groups)                                                                      \
    "application: shop\n"                                                                          \
    "defaults: {partitions: 2, replication: 1}\n"                                                  \
    "topics:\n"                                                                                    \
    "  in: {key: userId, value: Order}\n"                                                          \
    "  mid: {key: userId, value: Order}\n"                                                         \
    "  end: {key: userId, value: Fill}\n"                                                          \
    "  sold: {key: userId, value: Fill}\n"                                                         \
    "stages:\n"                                                                                    \
    "  a: {type: pass, in: {orders: in}, out: {orders: mid}}\n"                                    \
    "  b: {type: book, in: {orders: mid}, out: {fills: end}}\n"                                    \
    "  c: {type: book, in: {orders: mid}, out: {fills: sold}}\n" options "groups:\n" groups

static const char together[] = TEXT("", "  g: {stages: [a, b, c]}\n");
static const char apart[] = TEXT("", "  g: {stages: [a, c]}\n  h: {stages: [b]}\n");
static const char all_apart[] =
    TEXT("", "  g: {stages: [a]}\n  h: {stages: [b]}\n  k: {stages: [c]}\n");
static const char paired[] = TEXT("", "  g: {stages: [a]}\n  h: {stages: [b, c]}\n");
static const char with_newcomer[] = TEXT(
    "  d: {type: pass, in: {orders: in}, out: {orders: mid}}\n", "  g: {stages: [a, b, c, d]}\n");
static const char without_b[] = "application: shop\n"
                                "defaults: {partitions: 2, replication: 1}\n"
                                "topics:\n"
                                "  in: {key: userId, value: Order}\n"
                                "  mid: {key: userId, value: Order}\n"
                                "  sold: {key: userId, value: Fill}\n"
                                "stages:\n"
                                "  a: {type: pass, in: {orders: in}, out: {orders: mid}}\n"
                                "  c: {type: book, in: {orders: mid}, out: {fills: sold}}\n"
                                "groups:\n"
                                "  g: {stages: [a, c]}\n";

static struct mr_log *l;
static struct mr_registry *r;
static struct mr_err err;
static struct mr_topology *topology;
static struct plan plan;

static void set_up(void)
{
    l = mr_log_memory_create(mr_clock_system());
    r = mr_registry_memory_create();
}

static void tear_down(void)
{
    plan_fini(&plan);
    mr_topology_destroy(&topology);
    mr_registry_destroy(&r);
    mr_log_close(&l);
}

/* The plan from one text to another; before NULL: nothing was ever applied. loss: allowed, or NULL.
 */
static void make(const char *before, const char *after, const char *loss)
{
    static const char *allowed[1];
    static struct plan_options options;
    struct mr_buffer json = MR_BUFFER_EMPTY;
    struct plan_world world = {.log = l, .registry = r};

    if (before != NULL) {
        struct mr_topology *was = fake_load_good(before);

        topology_describe_json(was, &json);
        mr_topology_destroy(&was);
    }
    if (topology != NULL) {
        plan_fini(&plan);
        mr_topology_destroy(&topology);
    }
    allowed[0] = loss;
    options = (struct plan_options){.allow_loss = allowed, .allow_loss_count = loss != NULL};
    topology = fake_load_good(after);
    world.topology = topology;
    world.before = mr_buffer_slice(&json);
    ck_assert_msg(plan_make(&plan, &world, &options, &err) == MR_OK, "%s", err.text);
    mr_buffer_fini(&json);
}

static void carry_out(const char *before, const char *after)
{
    make(before, after, NULL);
    ck_assert_msg(plan_do(&plan, r, &err) == MR_OK, "%s", err.text);
}

static const struct plan_item *item(enum plan_action action, const char *kind, const char *name)
{
    for (size_t i = 0; i < plan.item_count; i++) {
        const struct plan_item *at = &plan.items[i];

        if (at->action == action && strcmp(at->kind, kind) == 0 && strcmp(at->name, name) == 0) {
            return at;
        }
    }
    return NULL;
}

/* So many records in one partition, by nobody in particular. */
static void write_some(const char *topic, int32_t partition, int count)
{
    const struct mr_producer_options options = {.compression = "none"};
    struct mr_outgoing record = {.partition = partition,
                                 .timestamp_ms = MR_TIMESTAMP_NOW,
                                 .key = mr_slice_str("k"),
                                 .value = mr_slice_str("v"),
                                 .has_value = true};
    struct mr_producer *producer;

    ck_assert_int_eq(mr_producer_open(l, &options, MR_SECOND_US, &producer, &err), MR_OK);
    ck_assert_int_eq(mr_producer_topic(producer, topic, &record.topic, NULL, &err), MR_OK);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(mr_producer_send(producer, &record, &err), MR_OK);
    }
    ck_assert_int_eq(mr_producer_flush(producer, MR_SECOND_US, &err), MR_OK);
    mr_producer_close(&producer);
}

static void stand(const char *group, const char *topic, int64_t offset, const char *text)
{
    struct mr_buffer metadata = MR_BUFFER_EMPTY;
    const struct mr_topic_partition at = {
        .topic = topic, .partition = 1, .offset = offset, .metadata = &metadata};

    mr_buffer_append(&metadata, text, strlen(text));
    ck_assert_msg(mr_log_group_commit(l, group, &at, 1, &err) == MR_OK, "%s", err.text);
    mr_buffer_fini(&metadata);
}

static void expect_stand(const char *group, const char *topic, int64_t offset, const char *text)
{
    struct mr_buffer metadata = MR_BUFFER_EMPTY;
    struct mr_topic_partition at = {.topic = topic, .partition = 1, .metadata = &metadata};

    ck_assert_int_eq(mr_log_committed(l, group, &at, 1, MR_SECOND_US, &err), MR_OK);
    ck_assert_int_eq(at.offset, offset);
    ck_assert_msg(mr_slice_equal(mr_buffer_slice(&metadata), mr_slice_str(text)), "%.*s",
                  (int)metadata.len, (const char *)metadata.data);
    mr_buffer_fini(&metadata);
}

/* a, b and c in one group, which has worked 5 records. */
static void begin_together(void)
{
    carry_out(NULL, together);
    write_some("in", 1, 5);
    write_some("mid", 1, 4);
    write_some("shop-b-changelog", 1, 3);
    stand("shop.g", "in", 5, "2 7 1000 writer b:11,12 c:13");
}

START_TEST(nothing_changes_nothing)
{
    begin_together();
    make(together, together, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 0);
}
END_TEST

START_TEST(a_stage_goes_on_at_the_end_of_what_it_was_handed)
{
    begin_together();
    make(together, apart, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 1);
    ck_assert_ptr_nonnull(item(PLAN_MOVE, "stage", "b"));
    ck_assert_ptr_nonnull(item(PLAN_REBUILD, "state", "shop-b-changelog"));
    ck_assert_ptr_nonnull(item(PLAN_MOVE, "offsets", "mid"));
    ck_assert_ptr_nonnull(item(PLAN_KEEP, "offsets", "in"));
    carry_out(together, apart);
    expect_stand("shop.h", "mid", 4, "2 0 1000  b:11,12");
    expect_stand("shop.g", "in", 5, "2 7 1000 writer b:11,12 c:13");
    /* An apply that ended before it was on record is run again. */
    make(together, apart, NULL);
    ck_assert_ptr_null(item(PLAN_MOVE, "offsets", "mid"));
    ck_assert_ptr_nonnull(item(PLAN_KEEP, "offsets", "mid"));
    make(apart, apart, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 0);
}
END_TEST

START_TEST(what_it_has_not_worked_is_not_left_out)
{
    begin_together();
    carry_out(together, apart);
    write_some("mid", 1, 2);
    make(apart, together, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 2);
    ck_assert_str_eq(item(PLAN_REFUSE, "offsets", "mid")->loss, "offsets:b/mid");
    ck_assert_ptr_nonnull(strstr(item(PLAN_REFUSE, "offsets", "mid")->detail, "2 records"));
    make(apart, together, "offsets:c/mid");
    ck_assert_int_eq(plan_exit_code(&plan), 2);
    make(apart, together, "offsets:b/mid");
    ck_assert_int_eq(plan_exit_code(&plan), 1);
    stand("shop.h", "mid", 6, "2 3 1700 other b:21,22");
    make(apart, together, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 1);
}
END_TEST

START_TEST(stages_that_read_together_must_stand_together)
{
    begin_together();
    carry_out(together, all_apart);
    write_some("mid", 1, 5);
    stand("shop.h", "mid", 8, "2 3 1700 hers b:21,22");
    stand("shop.k", "mid", 9, "2 4 1800 his c:33");
    make(all_apart, paired, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 2);
    ck_assert_ptr_nonnull(strstr(item(PLAN_REFUSE, "offsets", "mid")->detail, "two places"));
    ck_assert_str_eq(item(PLAN_REFUSE, "offsets", "mid")->loss, "");
    stand("shop.h", "mid", 9, "2 3 1700 hers b:21,22");
    carry_out(all_apart, paired);
    /* h's own sequence and writer, the later time, the timers of both. */
    expect_stand("shop.h", "mid", 9, "2 3 1800 hers b:21,22 c:33");
    ck_assert_ptr_nonnull(item(PLAN_ORPHAN, "group", "k"));
}
END_TEST

START_TEST(offsets_of_a_former_life_are_replaced)
{
    begin_together();
    stand("shop.h", "mid", 2, "2 40 500 hers b:1,1");
    carry_out(together, apart);
    expect_stand("shop.h", "mid", 4, "2 40 1000 hers b:11,12");
}
END_TEST

START_TEST(groups_must_be_at_rest)
{
    const char *topics[] = {"in"};
    const struct mr_member_options options = {.group = "shop.g",
                                              .topics = topics,
                                              .topic_count = 1,
                                              .session_timeout_us = 10 * MR_SECOND_US};
    struct mr_member *member;
    struct mr_message message;
    size_t count;

    begin_together();
    ck_assert_int_eq(mr_member_open(l, &options, &member, &err), MR_OK);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(mr_member_poll(member, 0, &message, 1, &count, &err), MR_OK);
        if (count > 0) {
            mr_message_release(&message);
        }
    }
    make(together, together, NULL);
    ck_assert_uint_eq(plan_members(&plan), 0); /* nothing moves: nobody need stop */
    make(together, apart, NULL);
    ck_assert_uint_eq(plan_members(&plan), 1);
    ck_assert_str_eq(plan_resting(&plan), "g");
    mr_member_close(&member);
    make(together, apart, NULL);
    ck_assert_uint_eq(plan_members(&plan), 0);
}
END_TEST

START_TEST(a_stage_that_joins_is_told_what_it_will_not_see)
{
    begin_together();
    make(together, with_newcomer, NULL);
    ck_assert_ptr_nonnull(item(PLAN_CREATE, "stage", "d"));
    ck_assert_ptr_nonnull(strstr(item(PLAN_CHANGE, "offsets", "in")->detail, "stage d joins"));
}
END_TEST

START_TEST(state_of_a_stage_that_is_gone_is_not_given_up_in_silence)
{
    begin_together();
    make(together, without_b, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 2);
    ck_assert_str_eq(item(PLAN_REFUSE, "stage", "b")->loss, "state:b");
    make(together, without_b, "state:b");
    ck_assert_int_eq(plan_exit_code(&plan), 0);
    ck_assert_ptr_nonnull(item(PLAN_ORPHAN, "stage", "b"));
    ck_assert_ptr_nonnull(item(PLAN_ORPHAN, "topic", "shop-b-changelog"));
    ck_assert_ptr_nonnull(item(PLAN_ORPHAN, "topic", "end"));
}
END_TEST

/* Moved by hand, or by a program that kept no record. */
START_TEST(state_without_offsets_is_refused)
{
    begin_together();
    make(NULL, apart, NULL);
    ck_assert_int_eq(plan_exit_code(&plan), 2);
    ck_assert_str_eq(item(PLAN_REFUSE, "group", "h")->loss, "offsets:h");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_changes_nothing);
    tcase_add_test(tcase, a_stage_goes_on_at_the_end_of_what_it_was_handed);
    tcase_add_test(tcase, what_it_has_not_worked_is_not_left_out);
    tcase_add_test(tcase, stages_that_read_together_must_stand_together);
    tcase_add_test(tcase, offsets_of_a_former_life_are_replaced);
    tcase_add_test(tcase, groups_must_be_at_rest);
    tcase_add_test(tcase, a_stage_that_joins_is_told_what_it_will_not_see);
    tcase_add_test(tcase, state_of_a_stage_that_is_gone_is_not_given_up_in_silence);
    tcase_add_test(tcase, state_without_offsets_is_refused);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
