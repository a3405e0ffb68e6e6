/*
 * Goal:   a right file becomes the graph it describes, with everything derived.
 * Method: load small topologies and look at the result field by field.
 */
#include "fake_catalog.h"

#include <check.h>
#include <stdlib.h>

static const char text[] =
    "application: shop\n"
    "kafka: {bootstrap.servers: \"${MR_TEST_BROKER:-127.0.0.1:9092}\", client.id: me}\n"
    "registry: {url: \"http://r\"}\n"
    "defaults: {partitions: 4, replication: 3, retention: 2d, compression: lz4, acks: all,\n"
    "           commit-interval: 20ms, guarantee: at-least-once}\n"
    "topics:\n"
    "  orders: {key: userId, value: Order}\n"
    "  good: {key: userId, value: Order, retention: 1h, config: {segment.ms: 9}}\n"
    "  prices: {key: symbol, value: Price, cleanup: compact, replication: 1, partitions: 2}\n"
    "  fills: {key: \"userId, symbol\", value: Fill, cleanup: \"compact,delete\"}\n"
    "stages:\n"
    "  late: {type: book, in: {orders: good}, out: {fills: fills}}\n"
    "  early:\n"
    "    type: check\n"
    "    in: {orders: orders, prices: {table: prices}}\n"
    "    out: {good: good}\n"
    "    options: {window: 1h, intervals: [1m, 5m], label: \"a b\", mode: careful, strict: false}\n"
    "groups:\n"
    "  all: {stages: [late, early], replicas: 3, workers: \"${MR_TEST_WORKERS:-2}\"}\n"
    "connectors:\n"
    "  out: {type: shelf, in: fills, options: {uri: \"${MR_TEST_URI:-shelf://a}\"}}\n";

static struct mr_topology *t;

static void set_up(void)
{
    ck_assert_int_eq(setenv("MR_TEST_URI", "shelf://b", 1), 0);
    t = fake_load_good(text);
}

static void tear_down(void)
{
    mr_topology_destroy(&t);
}

static const char *config(const char *topic, const char *name)
{
    const struct mr_topic *found = &t->topics[mr_topology_find_topic(t, topic)];

    for (size_t i = 0; i < found->config_count; i++) {
        if (strcmp(found->configs[i].name, name) == 0) {
            return found->configs[i].value;
        }
    }
    return "(unset)";
}

START_TEST(head_and_defaults_are_read)
{
    ck_assert_str_eq(t->file, "t.yaml");
    ck_assert_str_eq(t->application, "shop");
    ck_assert_uint_eq(t->kafka_count, 2);
    ck_assert_str_eq(t->kafka[0].name, "bootstrap.servers");
    ck_assert_str_eq(t->kafka[0].value, "127.0.0.1:9092");
    ck_assert_str_eq(t->registry_url, "http://r");
    ck_assert_int_eq(t->defaults.guarantee, MR_AT_LEAST_ONCE);
    ck_assert_int_eq(t->defaults.commit_interval_us, 20000);
    ck_assert_int_eq(t->defaults.retention_us, 2 * MR_DAY_US);
    ck_assert_str_eq(t->defaults.compression, "lz4");
    ck_assert_int_eq(t->defaults.session_timeout_us, 6 * MR_SECOND_US);
}
END_TEST

START_TEST(options_stand_in_the_state_image)
{
    const struct mr_stage_node *stage = &t->stages[mr_topology_find_stage(t, "early")];
    const struct fake_check_options *options = stage->options;

    ck_assert_int_eq(options->window_us, MR_HOUR_US);
    ck_assert_int_eq(options->open_max, 200);
    ck_assert_int_eq(options->collar_ppm, 100000);
    ck_assert(!options->strict);
    ck_assert_str_eq(options->label, "a b");
    ck_assert_int_eq(options->mode, 1);
    ck_assert_uint_eq(options->intervals.count, 2);
    ck_assert_int_eq(options->intervals.us[1], 5 * MR_MINUTE_US);
    const char *const *uri = t->connectors[0].options;
    ck_assert_str_eq(*uri, "shelf://b");
}
END_TEST

START_TEST(topics_carry_their_configuration)
{
    const struct mr_topic *good = &t->topics[mr_topology_find_topic(t, "good")];

    ck_assert_int_eq(good->kind, MR_TOPIC_DECLARED);
    ck_assert_str_eq(good->subject, "good-value");
    ck_assert_int_eq(good->partitions, 4);
    ck_assert_int_eq(good->position.line, 8);
    ck_assert_int_eq(good->position.column, 3);
    ck_assert_str_eq(config("good", "cleanup.policy"), "delete");
    ck_assert_str_eq(config("good", "retention.ms"), "3600000");
    ck_assert_str_eq(config("good", "min.insync.replicas"), "2");
    ck_assert_str_eq(config("good", "segment.ms"), "9");
    ck_assert_str_eq(config("orders", "retention.ms"), "172800000");
    ck_assert_str_eq(config("prices", "cleanup.policy"), "compact");
    ck_assert_str_eq(config("prices", "retention.ms"), "(unset)");
    ck_assert_str_eq(config("prices", "min.insync.replicas"), "(unset)");
    ck_assert_str_eq(config("fills", "cleanup.policy"), "compact,delete");
    ck_assert_str_eq(config("fills", "retention.ms"), "172800000");
}
END_TEST

START_TEST(changelogs_and_dead_letters_are_derived)
{
    const struct mr_stage_node *late = &t->stages[mr_topology_find_stage(t, "late")];
    const struct mr_topic *state = &t->topics[late->changelog];
    const struct mr_topic *dlq = &t->topics[late->dead_letter];

    /* One for both of its stores, whose schemas have subjects of their own. */
    ck_assert_str_eq(state->name, "shop-late-changelog");
    ck_assert_int_eq(state->kind, MR_TOPIC_CHANGELOG);
    ck_assert_ptr_null(state->schema);
    ck_assert_ptr_null(state->subject);
    ck_assert_str_eq(late->store_subjects[0], "shop-late-changelog-fake.State");
    ck_assert_str_eq(late->store_subjects[1], "shop-late-changelog-fake.State");
    ck_assert_int_eq(state->partitions, 4);
    ck_assert_int_eq(state->replication, 3);
    ck_assert_int_eq(state->position.line, 0);
    ck_assert_str_eq(config(state->name, "cleanup.policy"), "compact");
    ck_assert_str_eq(dlq->name, "shop.late.dlq");
    ck_assert_int_eq(dlq->kind, MR_TOPIC_DEAD_LETTER);
    ck_assert_ptr_null(dlq->schema);
    ck_assert_ptr_null(dlq->subject);
    ck_assert_str_eq(t->topics[t->connectors[0].dead_letter].name, "shop.out.dlq");
    /* 4 declared, 2 changelogs, 3 dead-letter topics. */
    ck_assert_uint_eq(t->topic_count, 9);
}
END_TEST

START_TEST(a_group_knows_what_it_consumes_and_in_which_order_it_runs)
{
    const struct mr_group_node *g = &t->groups[0];

    ck_assert_int_eq(g->partitions, 4);
    ck_assert_int_eq(g->replicas, 3);
    ck_assert_int_eq(g->workers, 2);
    ck_assert_uint_eq(g->input_count, 1);
    ck_assert_str_eq(t->topics[g->inputs[0]].name, "orders");
    ck_assert_uint_eq(g->table_count, 1);
    ck_assert_str_eq(t->topics[g->tables[0]].name, "prices");
    /* The file lists the reader first. */
    ck_assert_str_eq(t->stages[g->stages[0]].name, "early");
    ck_assert_str_eq(t->stages[g->stages[1]].name, "late");
}
END_TEST

START_TEST(an_edge_inside_a_group_travels_in_memory_and_is_written)
{
    const size_t early = mr_topology_find_stage(t, "early");
    const size_t late = mr_topology_find_stage(t, "late");
    const struct mr_out_binding *good = &t->stages[early].out[0];

    ck_assert(t->stages[late].in[0].in_memory);
    ck_assert(good->written);
    ck_assert_uint_eq(good->reader_count, 1);
    ck_assert_uint_eq(good->readers[0].stage, late);
    ck_assert_uint_eq(good->readers[0].port, 0);
    ck_assert_uint_eq(t->stages[early].out[1].topic, MR_UNBOUND);
    ck_assert(!t->stages[early].out[1].written);
    ck_assert(!t->stages[early].in[1].in_memory);
    ck_assert(t->stages[early].in[1].table);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    ck_assert_uint_eq(mr_topology_find_topic(t, "nix"), SIZE_MAX);
    ck_assert_uint_eq(mr_topology_find_stage(t, "nix"), SIZE_MAX);
    ck_assert_uint_eq(mr_topology_find_group(t, "nix"), SIZE_MAX);
    ck_assert_uint_eq(mr_topology_find_connector(t, "nix"), SIZE_MAX);
    ck_assert_uint_eq(mr_topology_find_group(t, "all"), 0);
    ck_assert_uint_eq(mr_topology_find_connector(t, "out"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology graph");
    TCase *tcase = tcase_create("graph");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, head_and_defaults_are_read);
    tcase_add_test(tcase, options_stand_in_the_state_image);
    tcase_add_test(tcase, topics_carry_their_configuration);
    tcase_add_test(tcase, changelogs_and_dead_letters_are_derived);
    tcase_add_test(tcase, a_group_knows_what_it_consumes_and_in_which_order_it_runs);
    tcase_add_test(tcase, an_edge_inside_a_group_travels_in_memory_and_is_written);
    tcase_add_test(tcase, what_is_not_there_is_not_found);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
