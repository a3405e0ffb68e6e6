/*
 * Goal:   topics are created once, described truly and altered in part.
 * Method: topics of the test's own on the log under test.
 */
#include "contract.h"

static enum mr_status create(const char *name, struct mr_err *err)
{
    const struct mr_topic_config configs[] = {{"retention.ms", "3600000"},
                                              {"cleanup.policy", "compact"}};
    const struct mr_topic_spec spec = {.name = name,
                                       .partitions = 3,
                                       .replication = 1,
                                       .configs = configs,
                                       .config_count = MR_COUNT(configs)};

    return mr_log_topic_create(cluster, &spec, err);
}

static void expect_config(const char *topic, const char *name, const char *expected)
{
    char value[TEXT_BYTES];
    struct mr_err err = {0};

    expect_ok(mr_log_topic_config(cluster, topic, name, value, sizeof(value), &err), &err);
    ck_assert_str_eq(value, expected);
}

START_TEST(a_topic_has_the_partitions_and_configuration_it_was_created_with)
{
    const char *topic = unique("topic");
    struct mr_err err = {0};
    int32_t partitions = -1;

    expect_ok(create(topic, &err), &err);
    expect_ok(mr_log_topic_partitions(cluster, topic, &partitions, &err), &err);
    ck_assert_int_eq(partitions, 3);
    expect_config(topic, "retention.ms", "3600000");
    expect_config(topic, "cleanup.policy", "compact");
}
END_TEST

struct look {
    const char *name;
    int times;
};

static void look_for(void *arg, const char *topic)
{
    struct look *look = arg;

    look->times += strcmp(topic, look->name) == 0;
}

START_TEST(topics_are_listed_by_name)
{
    struct look look = {.name = topic_new(2)};
    struct mr_err err = {0};

    (void)topic_new(1);
    expect_ok(mr_log_topic_names(cluster, look_for, &look, &err), &err);
    ck_assert_int_eq(look.times, 1);
}
END_TEST

START_TEST(a_topic_that_is_not_there_has_no_partitions_and_is_not_made_by_asking)
{
    const char *topic = unique("topic");
    struct mr_err err = {0};

    for (int i = 0; i < 2; i++) {
        int32_t partitions = -1;

        expect_ok(mr_log_topic_partitions(cluster, topic, &partitions, &err), &err);
        ck_assert_int_eq(partitions, 0);
    }
}
END_TEST

START_TEST(creating_a_topic_again_says_that_it_exists)
{
    const char *topic = unique("topic");
    struct mr_err err = {0};

    expect_ok(create(topic, &err), &err);
    ck_assert_int_eq(create(topic, &err), MR_EXISTS);
    ck_assert_int_eq(err.status, MR_EXISTS);
}
END_TEST

START_TEST(altering_a_topic_keeps_what_was_not_named)
{
    const char *topic = unique("topic");
    const struct mr_topic_config config = {"retention.ms", "7200000"};
    const struct mr_topic_spec spec = {.name = topic, .configs = &config, .config_count = 1};
    struct mr_err err = {0};

    expect_ok(create(topic, &err), &err);
    expect_ok(mr_log_topic_alter(cluster, &spec, &err), &err);
    expect_config(topic, "retention.ms", "7200000");
    expect_config(topic, "cleanup.policy", "compact");
}
END_TEST

START_TEST(an_empty_partition_begins_and_ends_at_zero)
{
    const char *topic = topic_new(2);
    struct mr_err err = {0};
    int64_t low = -1;
    int64_t end = -1;

    expect_ok(mr_log_watermarks(cluster, topic, 1, &low, &end, &err), &err);
    ck_assert_int_eq(low, 0);
    ck_assert_int_eq(end, 0);
}
END_TEST

START_TEST(a_partition_that_is_not_there_has_no_watermarks)
{
    const char *topic = topic_new(1);
    struct mr_err err = {0};
    int64_t low;
    int64_t end;

    ck_assert_int_eq(mr_log_watermarks(cluster, topic, 1, &low, &end, &err), MR_CONFIG);
    ck_assert_int_eq(mr_log_watermarks(cluster, unique("none"), 0, &low, &end, &err), MR_CONFIG);
}
END_TEST

START_TEST(a_producer_finds_a_topic_and_its_partitions_but_not_one_that_is_not_there)
{
    const char *topic = topic_new(3);
    struct mr_producer *producer = producer_new(NULL);
    struct mr_err err = {0};
    int32_t partitions = -1;
    int first;
    int again;

    expect_ok(mr_producer_topic(producer, topic, &first, &partitions, &err), &err);
    ck_assert_int_eq(partitions, 3);
    expect_ok(mr_producer_topic(producer, topic, &again, NULL, &err), &err);
    ck_assert_int_eq(first, again);
    ck_assert_int_eq(mr_producer_topic(producer, unique("none"), &again, NULL, &err), MR_CONFIG);
    mr_producer_close(&producer);
}
END_TEST

TCase *log_topic_cases(void)
{
    TCase *tcase = tcase_create("topics");

    tcase_add_test(tcase, a_topic_has_the_partitions_and_configuration_it_was_created_with);
    tcase_add_test(tcase, topics_are_listed_by_name);
    tcase_add_test(tcase, a_topic_that_is_not_there_has_no_partitions_and_is_not_made_by_asking);
    tcase_add_test(tcase, creating_a_topic_again_says_that_it_exists);
    tcase_add_test(tcase, altering_a_topic_keeps_what_was_not_named);
    tcase_add_test(tcase, an_empty_partition_begins_and_ends_at_zero);
    tcase_add_test(tcase, a_partition_that_is_not_there_has_no_watermarks);
    tcase_add_test(tcase,
                   a_producer_finds_a_topic_and_its_partitions_but_not_one_that_is_not_there);
    return tcase;
}
