/*
 * Goal:   a dump holds every committed record of every topic as a line that is JSON, whatever is in
 *         the record, and says where each partition begins and ends.
 * Method: the production graph on the log in memory, without workers: records are put into its
 * topics by hand, the files are read back with another JSON library than the one that wrote them.
 */
#include "avro/dedupe_entry.h"
#include "avro/price_tick.h"
#include "dump.h"
#include "memory_env.h"
#include "millrace/arena.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define TIMEOUT_US MR_SECOND_US

static struct memory_env memory;
static char directory[40];
static struct mr_err err;

static const char shop[] =
    "application: shop\n"
    "defaults: {partitions: 2, replication: 1}\n"
    "topics:\n"
    "  orders: {key: userId, value: OrderCommand}\n"
    "  unique: {key: userId, value: OrderCommand}\n"
    "  prices: {key: symbol, value: PriceTick, cleanup: compact}\n"
    "  events: {key: userId, value: RiskEvent}\n"
    "stages:\n"
    "  dedupe: {type: dedupe, in: {orders: orders}, out: {unique: unique, events: events}}\n"
    "groups:\n"
    "  account: {stages: [dedupe]}\n";

static void set_up(void)
{
    memory_env_open(&memory, shop);
    (void)snprintf(directory, sizeof directory, "/tmp/millrace-dump-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void tear_down(void)
{
    char path[512];

    for (size_t i = 0; i < memory.topology->topic_count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s.jsonl", directory,
                       memory.topology->topics[i].name);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/topics.json", directory);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(directory), 0);
    memory_env_close(&memory);
}

static void send_value(const char *topic, const char *subject, const struct mr_schema *schema,
                       struct mr_slice key, const void *value)
{
    struct mr_binding binding;

    ck_assert_int_eq(mr_codec_bind(memory.env.codec, schema, subject, &binding, &err), MR_OK);
    memory_env_send_value(
        &memory, topic, &binding,
        &(struct mr_outgoing){.partition = 1, .timestamp_ms = 1723161255342, .key = key}, value);
}

static void dump(int64_t records)
{
    int64_t written = -1;

    ck_assert_msg(dump_topics(&memory.env, directory, &written, &err) == MR_OK, "%s", err.text);
    ck_assert_int_eq(written, records);
}

/* The lines of a topic's file as a list. */
static json_t *lines_of(const char *topic)
{
    char path[512];
    char line[4096];
    json_t *list = json_array();
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s.jsonl", directory, topic);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "no file %s", path);
    while (fgets(line, sizeof line, file) != NULL) {
        json_error_t problem;
        json_t *object = json_loads(line, JSON_ALLOW_NUL, &problem);

        ck_assert_msg(object != NULL, "%s: %s", problem.text, line);
        (void)json_array_append_new(list, object);
    }
    (void)fclose(file);
    return list;
}

static const char *text_at(const json_t *lines, size_t index, const char *name)
{
    return json_string_value(json_object_get(json_array_get(lines, index), name));
}

static json_t *index_of_dump(void)
{
    char path[512];
    json_error_t problem;
    json_t *root;

    (void)snprintf(path, sizeof path, "%s/topics.json", directory);
    root = json_load_file(path, 0, &problem);
    ck_assert_msg(root != NULL, "%s", problem.text);
    return root;
}

START_TEST(a_record_is_a_line)
{
    const struct oms_price_tick tick = {.symbol = mr_slice_str("A\"B"),
                                        .ts_us = 1723161255342000,
                                        .price = (mr_i128)15 * 100000000000000000};
    json_t *lines;

    send_value("prices", "prices-value", &oms_price_tick_schema, mr_slice_str("A\"B"), &tick);
    dump(1);
    lines = lines_of("prices");
    ck_assert_uint_eq(json_array_size(lines), 1);
    ck_assert_str_eq(text_at(lines, 0, "key"), "A\"B");
    ck_assert_str_eq(text_at(lines, 0, "timestamp"), "2024-08-08T23:54:15.342Z");
    ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(lines, 0), "partition")), 1);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_object_get(json_array_get(lines, 0), "value"), "price")),
                     "1.5");
    ck_assert_ptr_null(json_object_get(json_array_get(lines, 0), "headers"));
    json_decref(lines);
}
END_TEST

START_TEST(what_has_no_value_or_cannot_be_read_says_so)
{
    static const uint8_t key[] = {'k', 0, 0xff, '\\'};
    const struct mr_header header = {.name = "trace", .value = mr_slice_of(key, 3)};
    json_t *lines;

    memory_env_send(&memory, "prices", &(struct mr_outgoing){.key = mr_slice_of(key, sizeof key)});
    memory_env_send(&memory, "prices",
                    &(struct mr_outgoing){.key = mr_slice_str("x"),
                                          .value = mr_slice_str("\x07z"),
                                          .has_value = true,
                                          .headers = &header,
                                          .header_count = 1});
    memory_env_send(&memory, "shop.dedupe.dlq", &(struct mr_outgoing){.has_value = true});
    dump(3);
    lines = lines_of("prices");
    ck_assert(json_is_null(json_object_get(json_array_get(lines, 0), "value")));
    ck_assert_ptr_null(json_object_get(json_array_get(lines, 0), "bytes"));
    /* The bytes of a key one by one, as characters: k, NUL, U+00FF, backslash. */
    ck_assert_uint_eq(json_string_length(json_object_get(json_array_get(lines, 0), "key")), 5);
    ck_assert_str_eq(text_at(lines, 1, "bytes"), "077a");
    ck_assert_ptr_nonnull(json_object_get(json_array_get(lines, 1), "headers"));
    json_decref(lines);
    lines = lines_of("shop.dedupe.dlq");
    ck_assert_str_eq(text_at(lines, 0, "bytes"), "");
    ck_assert_ptr_nonnull(json_object_get(json_array_get(lines, 0), "headers"));
    json_decref(lines);
}
END_TEST

START_TEST(a_changelog_names_store_and_key)
{
    const struct oms_dedupe_entry entry = {.order_id = mr_slice_str("o1"),
                                           .command_id = mr_slice_str("c1")};
    static const char stored[] = "seen\0user1";
    json_t *lines;

    send_value("shop-dedupe-changelog", "shop-dedupe-changelog-millrace.oms.DedupeEntry",
               &oms_dedupe_entry_schema, mr_slice_of((const uint8_t *)stored, sizeof stored - 1),
               &entry);
    memory_env_send(&memory, "shop-dedupe-changelog",
                    &(struct mr_outgoing){.key = mr_slice_str("gone")});
    dump(2);
    lines = lines_of("shop-dedupe-changelog");
    ck_assert_uint_eq(json_array_size(lines), 2);
    for (size_t i = 0; i < 2; i++) {
        if (text_at(lines, i, "store") != NULL) {
            ck_assert_str_eq(text_at(lines, i, "store"), "seen");
            ck_assert_str_eq(text_at(lines, i, "key"), "user1");
        } else {
            ck_assert_str_eq(text_at(lines, i, "key"), "gone");
        }
    }
    json_decref(lines);
}
END_TEST

START_TEST(the_index_tells_ends_and_open_transactions)
{
    struct mr_producer *producer = NULL;
    int topic = -1;
    json_t *root;
    const json_t *end;

    memory_env_send(&memory, "orders",
                    &(struct mr_outgoing){.key = mr_slice_str("x"), .has_value = true});
    ck_assert_int_eq(mr_producer_open(memory.env.log,
                                      &(struct mr_producer_options){
                                          .transactional_id = "t",
                                          .transaction_timeout_us = TIMEOUT_US,
                                      },
                                      TIMEOUT_US, &producer, &err),
                     MR_OK);
    ck_assert_int_eq(mr_producer_topic(producer, "orders", &topic, NULL, &err), MR_OK);
    ck_assert_int_eq(mr_producer_begin(producer, &err), MR_OK);
    ck_assert_int_eq(
        mr_producer_send(producer, &(struct mr_outgoing){.topic = topic, .has_value = true}, &err),
        MR_OK);
    dump(1); /* nobody sees what is open */
    root = index_of_dump();
    end = json_array_get(json_object_get(json_object_get(root, "topics"), "orders"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(end, "low")), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(end, "lastStable")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(end, "end")), 2);
    ck_assert_str_eq(json_string_value(json_object_get(root, "log")), "memory");
    ck_assert(json_is_null(json_array_get(
        json_object_get(json_object_get(json_object_get(root, "committed"), "account"), "orders"),
        0)));
    ck_assert(json_is_integer(json_object_get(json_object_get(root, "schemas"), "orders")));
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(root, "topology"), "stages")),
                      1);
    json_decref(root);
    mr_producer_close(&producer);
}
END_TEST

START_TEST(a_directory_that_cannot_be_is_said)
{
    int64_t written = 0;

    ck_assert_int_eq(dump_topics(&memory.env, "/nowhere/at/all", &written, &err), MR_RESOURCE);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dump");
    TCase *tcase = tcase_create("dump");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_record_is_a_line);
    tcase_add_test(tcase, what_has_no_value_or_cannot_be_read_says_so);
    tcase_add_test(tcase, a_changelog_names_store_and_key);
    tcase_add_test(tcase, the_index_tells_ends_and_open_transactions);
    tcase_add_test(tcase, a_directory_that_cannot_be_is_said);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
