/*
 * Goal:   an export has every committed record of the part that was asked for, says so in its
 *         manifest, and goes on where one that was cut off had come to.
 * Method: topics on the log in memory; files are read back record by record; a run that fails at
 * one of its partitions, and one after it.
 */
#include "archive_export.h"
#include "archive_import.h"
#include "archive_world.h"
#include "millrace/log_open.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT 20

static bool partitions[LOAD_PARTITIONS_MAX];
static struct archive_export_options options;
static struct archive_export export;
static struct mr_err err;
static char out[400];

static void into(const char *name)
{
    (void)snprintf(out, sizeof out, "%s", at(name));
    options.directory = out;
}

static void set_up(void)
{
    world_set_up();
    ck_assert_int_eq(archive_partitions_parse("", partitions, &err), MR_OK);
    options = (struct archive_export_options){.partitions = partitions, .codec = OCF_DEFLATE};
    into("out");
    export = (struct archive_export){.env = &world.env, .options = &options};
}

static void tear_down(void)
{
    archive_export_fini(&export);
    world_tear_down();
}

static enum mr_status run(const char *topic)
{
    archive_export_fini(&export);
    return archive_export_run(&export, &topic, 1, &err);
}

static void run_ok(const char *topic)
{
    ck_assert_msg(run(topic) == MR_OK, "%s", err.text);
}

static int64_t records(void)
{
    int64_t sum = 0;

    for (size_t i = 0; i < export.file_count; i++) {
        sum += export.files[i].counts.records;
    }
    return sum;
}

START_TEST(every_committed_record_is_in_its_file)
{
    fill("prices", COUNT);
    run_ok("prices");
    ck_assert_uint_eq(export.file_count, PARTITIONS);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        struct archive_source source;
        struct archive_entry entry;
        bool end = false;
        char name[64];
        int i = 0;

        (void)snprintf(name, sizeof name, "out/prices-%05d.avro", (int)p);
        ck_assert_str_eq(export.files[p].name, name + 4);
        ck_assert_msg(archive_source_open(&source, at(name), &oms_price_tick_schema, &err) == MR_OK,
                      "%s", err.text);
        for (;; i++) {
            struct oms_price_tick tick;

            ck_assert_msg(archive_source_next(&source, &entry, &end, &err) == MR_OK, "%s",
                          err.text);
            if (end) {
                break;
            }
            ck_assert_int_eq(entry.partition, p);
            ck_assert_int_eq(entry.offset, 2 * i); /* a marker between two */
            ck_assert_int_eq(entry.has_key, i != 2);
            ck_assert_uint_eq(entry.header_count, (size_t)i % 3);
            ck_assert_int_eq(entry.kind, i == 1   ? ARCHIVE_TOMBSTONE
                                         : i == 3 ? ARCHIVE_BYTES
                                                  : ARCHIVE_RECORD);
            if (entry.kind == ARCHIVE_RECORD) {
                ck_assert_int_eq(archive_source_decode(&source, &entry, &tick, &err), MR_OK);
                ck_assert(tick.price == i + 1);
            }
        }
        ck_assert_int_eq(i, COUNT);
        archive_source_close(&source);
        ck_assert_int_eq(export.files[p].counts.unreadable, 1);
        ck_assert_int_eq(export.files[p].counts.first_offset, 0);
        ck_assert_int_eq(export.files[p].counts.last_offset, 2 * (COUNT - 1));
    }
}
END_TEST

START_TEST(the_manifest_has_each_file)
{
    json_error_t problem;
    json_t *root;
    const json_t *file;
    char hex[ARCHIVE_HEX_BYTES];
    int64_t size = 0;

    fill("prices", COUNT);
    run_ok("prices");
    root = json_load_file(at("out/manifest.json"), 0, &problem);
    ck_assert_msg(root != NULL, "%s", problem.text);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "files")), PARTITIONS);
    file = json_array_get(json_object_get(root, "files"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(file, "file")), "prices-00001.avro");
    ck_assert_int_eq(json_integer_value(json_object_get(file, "records")), COUNT);
    ck_assert_int_eq(archive_digest(at("out/prices-00001.avro"), hex, &size, &err), MR_OK);
    ck_assert_str_eq(json_string_value(json_object_get(file, "sha256")), hex);
    ck_assert_int_eq(json_integer_value(json_object_get(file, "bytes")), size);
    json_decref(root);
    ck_assert_int_eq(run("prices"), MR_EXISTS);
}
END_TEST

START_TEST(a_range_is_kept_to)
{
    static const struct {
        const char *from;
        const char *to;
        const char *partitions;
        int64_t records;
    } rows[] = {
        {"", "", "", 3 * COUNT},
        {"4", "", "", 3 * (COUNT - 2)},
        {"", "4", "1", 2},
        {"4", "8", "0,2", 4},
        {"8", "4", "", 0},
        {"", "99999", "0-1", 2 * COUNT},
        /* Record i has the time 2024-08-08T23:54:15.342Z and i milliseconds. */
        {"2024-08-08T23:54:15.350Z", "", "", 3 * (COUNT - 8)},
        {"", "2024-08-08T23:54:15.343Z", "", 3},
        {"2024-08-08T23:54:15.345Z", "2024-08-08T23:54:15.347Z", "2", 2},
    };

    fill("prices", COUNT);
    for (size_t i = 0; i < MR_COUNT(rows); i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "range%zu", i);
        into(name);
        ck_assert_int_eq(archive_bound_parse("from", rows[i].from, &options.from, &err), MR_OK);
        ck_assert_int_eq(archive_bound_parse("to", rows[i].to, &options.to, &err), MR_OK);
        ck_assert_int_eq(archive_partitions_parse(rows[i].partitions, partitions, &err), MR_OK);
        run_ok("prices");
        ck_assert_msg(records() == rows[i].records, "row %zu: %d", i, (int)records());
    }
}
END_TEST

START_TEST(a_list_or_a_bound_that_is_none_is_refused)
{
    static const char *const lists[] = {"a", "1,", ",1", "3-1", "-1", "1-", "256", "1 2", "0-256"};
    static const char *const bounds[] = {"-1", "soon", "2024-08-08", "1.5"};
    struct archive_bound bound;

    for (size_t i = 0; i < MR_COUNT(lists); i++) {
        ck_assert_msg(archive_partitions_parse(lists[i], partitions, &err) == MR_CONFIG, "%s",
                      lists[i]);
    }
    for (size_t i = 0; i < MR_COUNT(bounds); i++) {
        ck_assert_msg(archive_bound_parse("from", bounds[i], &bound, &err) == MR_CONFIG, "%s",
                      bounds[i]);
    }
    ck_assert_int_eq(run("nothing"), MR_CONFIG);
    ck_assert_int_eq(access(at("out"), F_OK), -1);
}
END_TEST

START_TEST(an_export_that_was_cut_off_goes_on)
{
    char whole[ARCHIVE_HEX_BYTES];

    fill("prices", COUNT);
    /* Partition 0 takes two polls: one with its records, one that finds the end. */
    mr_log_memory_fail(world.env.log, MR_LOG_CALL_POLL, 2, MR_LOG_FATAL, false);
    ck_assert_int_eq(run("prices"), MR_LOG_FATAL);
    mr_log_memory_calm(world.env.log);
    ck_assert_int_eq(access(at("out/manifest.json"), F_OK), -1);
    ck_assert_int_eq(access(at("out/prices-00000.avro"), F_OK), 0);
    ck_assert_int_eq(access(at("out/prices-00001.avro"), F_OK), -1);
    ck_assert_int_eq(access(at("out/prices-00001.avro.tmp"), F_OK), -1);
    send_tick("prices", 0, 50); /* what came since is for the next export */
    run_ok("prices");
    ck_assert(export.files[0].kept && !export.files[1].kept && !export.files[2].kept);
    ck_assert_int_eq(records(), 3 * COUNT);
    ck_assert_int_eq(export.files[0].counts.unreadable, 1);
    memcpy(whole, export.files[1].sha256, sizeof whole);
    /* The same records are the same file. */
    into("again");
    run_ok("prices");
    ck_assert_str_eq(export.files[1].sha256, whole);
    ck_assert_int_eq(records(), 3 * COUNT + 1);
}
END_TEST

START_TEST(a_file_of_another_export_is_written_anew)
{
    fill("prices", COUNT);
    run_ok("prices");
    ck_assert_int_eq(unlink(at("out/manifest.json")), 0);
    options.raw = true;
    run_ok("prices");
    for (size_t i = 0; i < export.file_count; i++) {
        ck_assert(!export.files[i].kept);
        ck_assert_int_eq(export.files[i].counts.unreadable, 0);
    }
    ck_assert_int_eq(unlink(at("out/manifest.json")), 0);
    ck_assert_int_eq(archive_bound_parse("from", "4", &options.from, &err), MR_OK);
    run_ok("prices");
    ck_assert(!export.files[0].kept);
}
END_TEST

START_TEST(values_of_another_schema_become_the_topics)
{
    /* A producer that has one field more than we do. */
    static const char newer[] =
        "{\"type\":\"record\",\"name\":\"PriceTick\",\"namespace\":\"millrace.oms\",\"fields\":["
        "{\"name\":\"more\",\"type\":\"int\",\"default\":1},";
    const char *fields = strstr(oms_price_tick_schema.json, "\"fields\"");
    struct mr_buffer json = MR_BUFFER_EMPTY;
    struct oms_price_tick tick = {.symbol = mr_slice_str("X"), .ts_us = 5, .price = 77};
    uint8_t bytes[256] = {0};
    size_t len;
    int32_t id = 0;
    struct archive_source source;
    struct archive_entry entry;
    bool end = false;

    mr_buffer_printf(&json, "%s%s", newer, strchr(fields, '[') + 1);
    ck_assert_int_eq(world.registry->ops->register_schema(world.registry, "other-value",
                                                          (const char *)json.data, &id, &err),
                     MR_OK);
    bytes[4] = (uint8_t)id;
    bytes[5] = 2; /* more: 1 */
    len = 6 + oms_price_tick_schema.encode(&tick, bytes + 6);
    memory_env_send(&world, "prices",
                    &(struct mr_outgoing){.value = mr_slice_of(bytes, len), .has_value = true});
    run_ok("prices");
    ck_assert_int_eq(export.files[0].counts.resolved, 1);
    ck_assert_int_eq(export.files[0].counts.unreadable, 0);
    ck_assert_int_eq(
        archive_source_open(&source, at("out/prices-00000.avro"), &oms_price_tick_schema, &err),
        MR_OK);
    ck_assert_int_eq(archive_source_next(&source, &entry, &end, &err), MR_OK);
    ck_assert_int_eq(archive_source_decode(&source, &entry, &tick, &err), MR_OK);
    ck_assert(tick.price == 77);
    archive_source_close(&source);
    mr_buffer_fini(&json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("export");
    TCase *tcase = tcase_create("export");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_committed_record_is_in_its_file);
    tcase_add_test(tcase, the_manifest_has_each_file);
    tcase_add_test(tcase, a_range_is_kept_to);
    tcase_add_test(tcase, a_list_or_a_bound_that_is_none_is_refused);
    tcase_add_test(tcase, an_export_that_was_cut_off_goes_on);
    tcase_add_test(tcase, a_file_of_another_export_is_written_anew);
    tcase_add_test(tcase, values_of_another_schema_become_the_topics);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
