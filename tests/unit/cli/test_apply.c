/*
 * Goal:   apply creates what is missing, is idempotent, refuses what differs and then changes
 * nothing. Method: the log and the registry in memory, and small topologies that differ in one
 * place.
 */
#include "apply.h"
#include "fake_catalog.h"
#include "millrace/codec.h"
#include "millrace/log_open.h"

#include <check.h>
#include <stdlib.h>

#define TEXT(partitions, retention, schema)                                                        \
    "application: shop\n"                                                                          \
    "defaults: {partitions: " partitions ", replication: 1}\n"                                     \
    "topics:\n"                                                                                    \
    "  in: {key: userId, value: Order, retention: " retention "}\n"                                \
    "  mid: {key: userId, value: Order, boundary: memory}\n"                                       \
    "  end: {key: userId, value: " schema "}\n"                                                    \
    "stages:\n"                                                                                    \
    "  a: {type: pass, in: {orders: in}, out: {orders: mid}}\n"                                    \
    "  b: {type: book, in: {orders: mid}, out: {fills: end}}\n"                                    \
    "groups:\n"                                                                                    \
    "  g: {stages: [a, b]}\n"

/*
 * in, end, a changelog, two dead-letter topics; the one handed over in memory is not created. Both
 * stores hold the same schema.
 */
#define TOPICS 5u
#define SUBJECTS 3u

static struct mr_log *l;
static struct mr_registry *r;
static struct apply_report report;
static struct mr_err err;

static void set_up(void)
{
    l = mr_log_memory_create(mr_clock_system());
    r = mr_registry_memory_create();
}

static void tear_down(void)
{
    apply_report_fini(&report);
    mr_registry_destroy(&r);
    mr_log_close(&l);
}

static enum mr_status apply(const char *text, struct apply_options options)
{
    struct mr_topology *topology = fake_load_good(text);

    apply_report_fini(&report);
    const enum mr_status status = mr_topology_apply(topology, l, r, &options, &report, &err);
    /* The report's names live in the topology: look at numbers only from here on. */
    mr_topology_destroy(&topology);
    return status;
}

static int32_t partitions(const char *topic)
{
    int32_t count = -1;

    ck_assert_int_eq(mr_log_topic_partitions(l, topic, &count, &err), MR_OK);
    return count;
}

static void check_config(const char *topic, const char *name, const char *value)
{
    char have[128];

    ck_assert_int_eq(mr_log_topic_config(l, topic, name, have, sizeof(have), &err), MR_OK);
    ck_assert_str_eq(have, value);
}

START_TEST(everything_missing_is_created)
{
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){0}), MR_OK);
    ck_assert(report.changed);
    ck_assert_uint_eq(apply_report_count(&report, false, APPLY_CREATE), TOPICS);
    ck_assert_uint_eq(apply_report_count(&report, true, APPLY_CREATE), SUBJECTS);
    ck_assert_int_eq(partitions("in"), 3);
    ck_assert_int_eq(partitions("mid"), 0);
    ck_assert_int_eq(partitions("shop-b-changelog"), 3);
    ck_assert_int_eq(partitions("shop.b.dlq"), 3);
    check_config("in", "retention.ms", "3600000");
    check_config("shop-b-changelog", "cleanup.policy", "compact");
    for (size_t i = 0; i < report.count; i++) {
        ck_assert_int_eq(report.items[i].status, MR_OK);
        ck_assert(report.items[i].subject == (report.items[i].schema_id > 0));
    }
}
END_TEST

START_TEST(a_second_time_changes_nothing)
{
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){0}), MR_OK);
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){0}), MR_OK);
    ck_assert_uint_eq(apply_report_count(&report, false, APPLY_SAME), TOPICS);
    ck_assert_uint_eq(apply_report_count(&report, true, APPLY_SAME), SUBJECTS);
}
END_TEST

START_TEST(a_dry_run_looks_and_changes_nothing)
{
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){.dry_run = true}),
                     MR_OK);
    ck_assert(!report.changed);
    ck_assert_uint_eq(apply_report_count(&report, false, APPLY_CREATE), TOPICS);
    ck_assert_int_eq(partitions("in"), 0);
}
END_TEST

START_TEST(other_configuration_is_refused_until_told)
{
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){0}), MR_OK);
    ck_assert_int_eq(apply(TEXT("3", "2h", "Fill"), (struct apply_options){0}), MR_EXISTS);
    ck_assert(!report.changed);
    ck_assert_ptr_nonnull(
        strstr(err.text, "topic in: retention.ms is 3600000, not 7200000; --alter changes it"));
    check_config("in", "retention.ms", "3600000");

    ck_assert_int_eq(apply(TEXT("3", "2h", "Fill"), (struct apply_options){.alter = true}), MR_OK);
    ck_assert_uint_eq(apply_report_count(&report, false, APPLY_ALTER), 1);
    check_config("in", "retention.ms", "7200000");
}
END_TEST

START_TEST(another_number_of_partitions_is_always_refused)
{
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){0}), MR_OK);
    ck_assert_int_eq(apply(TEXT("4", "1h", "Fill"), (struct apply_options){.alter = true}),
                     MR_EXISTS);
    ck_assert_ptr_nonnull(strstr(err.text, "5 refused, first topic in: has 3 partitions, not 4"));
    ck_assert_int_eq(partitions("in"), 3);
}
END_TEST

START_TEST(a_refusal_leaves_what_is_missing_missing)
{
    const struct mr_topic_spec spec = {.name = "end", .partitions = 9, .replication = 1};

    ck_assert_int_eq(mr_log_topic_create(l, &spec, &err), MR_OK);
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){.alter = true}),
                     MR_EXISTS);
    ck_assert_int_eq(partitions("in"), 0);
}
END_TEST

START_TEST(an_incompatible_schema_is_refused)
{
    int32_t id = 0;

    /* What stands in the registry: another record than the topology's. */
    ck_assert_int_eq(
        r->ops->register_schema(r, "end-value",
                                "{\"type\":\"record\",\"namespace\":\"fake\",\"name\":\"Other\","
                                "\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}",
                                &id, &err),
        MR_OK);
    ck_assert_int_eq(r->ops->set_compatibility(r, "end-value", "BACKWARD", &err), MR_OK);
    ck_assert_int_eq(apply(TEXT("3", "1h", "Fill"), (struct apply_options){0}), MR_EXISTS);
    ck_assert_ptr_nonnull(strstr(err.text, "subject end-value: schema Fill cannot read"));
    ck_assert_int_eq(partitions("in"), 0);
}
END_TEST

START_TEST(without_a_registry_only_topics_are_applied)
{
    struct mr_topology *topology = fake_load_good(TEXT("3", "1h", "Fill"));

    ck_assert_int_eq(
        mr_topology_apply(topology, l, NULL, &(struct apply_options){0}, &report, &err), MR_OK);
    ck_assert_uint_eq(report.count, TOPICS);
    mr_topology_destroy(&topology);
}
END_TEST

START_TEST(the_report_says_what_was_done)
{
    struct mr_topology *topology = fake_load_good(TEXT("3", "1h", "Fill"));
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(mr_topology_apply(topology, l, r, &(struct apply_options){0}, &report, &err),
                     MR_OK);
    apply_report_text(&report, out);
    apply_report_json(&report, out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(text, "created         topic in\n"));
    ck_assert_ptr_nonnull(strstr(text, "registered      subject end-value\n"));
    ck_assert_ptr_nonnull(strstr(text, "topics: 5 created, 0 altered, 0 as declared, 0 refused\n"));
    ck_assert_ptr_nonnull(strstr(text, "\"changed\": true"));
    mr_topology_destroy(&topology);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("apply");
    TCase *tcase = tcase_create("apply");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, everything_missing_is_created);
    tcase_add_test(tcase, a_second_time_changes_nothing);
    tcase_add_test(tcase, a_dry_run_looks_and_changes_nothing);
    tcase_add_test(tcase, other_configuration_is_refused_until_told);
    tcase_add_test(tcase, another_number_of_partitions_is_always_refused);
    tcase_add_test(tcase, a_refusal_leaves_what_is_missing_missing);
    tcase_add_test(tcase, an_incompatible_schema_is_refused);
    tcase_add_test(tcase, without_a_registry_only_topics_are_applied);
    tcase_add_test(tcase, the_report_says_what_was_done);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
