/*
 * Goal:   what was exported comes back record by record, once, whatever happens on the way; what is
 *         not whole or does not fit is refused before anything is written.
 * Method: topics on the log in memory compared as text; files changed byte by byte; each commit of
 * an import failing in turn, done or not, and the import run again.
 */
#include "archive_export.h"
#include "archive_import.h"
#include "archive_world.h"
#include "millrace/log_open.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT 20
#define MANY 5000 /* more than two transactions */

static bool partitions[LOAD_PARTITIONS_MAX];
static struct archive_import_options options;
static struct archive_import import;
static const char *paths[PARTITIONS + 1];
static char out[400];
static struct mr_err err;

static void set_up(void)
{
    world_set_up();
    ck_assert_int_eq(archive_partitions_parse("", partitions, &err), MR_OK);
    (void)snprintf(out, sizeof out, "%s", at("out"));
    paths[0] = out;
    options =
        (struct archive_import_options){.paths = paths, .path_count = 1, .topic = "copy", .id = ""};
    import = (struct archive_import){.env = &world.env, .options = &options};
}

static void tear_down(void)
{
    archive_import_fini(&import);
    world_tear_down();
}

static void export_topic(const char *topic, bool raw)
{
    const struct archive_export_options how = {
        .directory = out, .partitions = partitions, .codec = OCF_DEFLATE, .raw = raw};
    struct archive_export export = {.env = &world.env, .options = &how};

    ck_assert_msg(archive_export_run(&export, &topic, 1, &err) == MR_OK, "%s", err.text);
    archive_export_fini(&export);
}

static enum mr_status run(void)
{
    enum mr_status status;

    archive_import_fini(&import);
    import = (struct archive_import){.env = &world.env, .options = &options};
    status = archive_import_check(&import, &err);
    return status == MR_OK ? archive_import_send(&import, &err) : status;
}

static void run_ok(void)
{
    ck_assert_msg(run() == MR_OK, "%s", err.text);
}

static void expect_same(const char *a, const char *b)
{
    char *left = topic_text(a);
    char *right = topic_text(b);

    ck_assert_uint_gt(strlen(left), 100);
    ck_assert_str_eq(left, right);
    free(left);
    free(right);
}

static void expect_refused(const char *text)
{
    const enum mr_status status = run();

    ck_assert_msg(status == MR_CORRUPT || status == MR_EXISTS || status == MR_CONFIG, "%s",
                  mr_status_name(status));
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    ck_assert_int_eq(topic_count("copy"), 0);
}

START_TEST(what_was_exported_comes_back)
{
    fill("prices", COUNT);
    export_topic("prices", _i == 1);
    run_ok();
    expect_same("prices", "copy");
    ck_assert_int_eq(import.sent, 3 * COUNT);
    ck_assert_int_eq(import.expired, 3 * COUNT); /* they are of 2024, and kept for a week */
    ck_assert_int_eq(import.bytes_values, _i == 1 ? 3 * (COUNT - 1) : 3);
}
END_TEST

START_TEST(the_same_import_again_writes_nothing)
{
    fill("prices", COUNT);
    export_topic("prices", false);
    run_ok();
    options.append = true;
    run_ok();
    ck_assert_int_eq(import.resumed_at, 3 * COUNT);
    ck_assert_int_eq(topic_count("copy"), 3 * COUNT);
    options.id = "another";
    run_ok();
    ck_assert_int_eq(topic_count("copy"), 6 * COUNT);
    options.append = false;
    options.id = "third";
    ck_assert_int_eq(run(), MR_EXISTS);
    ck_assert_msg(strstr(err.text, "--append") != NULL, "%s", err.text);
}
END_TEST

/* Each of the first commits fails; whether it was done is not told. Then the command is run again.
 */
START_TEST(an_import_that_was_cut_off_goes_on)
{
    for (int commit = 1; commit <= 3; commit++) {
        for (int done = 0; done < 2; done++) {
            char id[16];
            int64_t before = topic_count("copy");

            (void)snprintf(id, sizeof id, "c%d-%d", commit, done);
            if (before == 0) {
                fill("prices", MANY / 3);
                export_topic("prices", false);
            }
            options.append = true;
            options.id = id;
            mr_log_memory_fail(world.env.log, MR_LOG_CALL_COMMIT, commit, MR_LOG_FATAL, done == 1);
            ck_assert_int_eq(run(), MR_LOG_FATAL);
            ck_assert_int_le(topic_count("copy") - before, 3 * (MANY / 3));
            mr_log_memory_calm(world.env.log);
            run_ok();
            ck_assert_int_eq(import.resumed_at > 0, commit > 1 || done == 1);
            ck_assert_int_eq(topic_count("copy") - before, 3 * (MANY / 3));
        }
    }
}
END_TEST

START_TEST(what_may_pass_is_gone_on_with_at_once)
{
    static const enum mr_status statuses[] = {MR_INDETERMINATE, MR_INDETERMINATE, MR_TXN_ABORT};

    fill("prices", MANY / 3);
    export_topic("prices", false);
    for (int i = 0; i < (int)MR_COUNT(statuses); i++) {
        mr_log_memory_fail(world.env.log, MR_LOG_CALL_COMMIT, i + 1, statuses[i], i == 1);
    }
    run_ok();
    expect_same("prices", "copy");
}
END_TEST

START_TEST(an_aborted_beginning_leaves_the_topic_empty)
{
    fill("prices", COUNT);
    export_topic("prices", false);
    mr_log_memory_fail(world.env.log, MR_LOG_CALL_COMMIT, 1, MR_LOG_FATAL, false);
    ck_assert_int_eq(run(), MR_LOG_FATAL);
    mr_log_memory_calm(world.env.log);
    run_ok();
    ck_assert_int_eq(import.resumed_at, 0);
    expect_same("prices", "copy");
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------
 */

static long size_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    (void)fclose(file);
    return size;
}

START_TEST(a_file_that_is_cut_anywhere_is_refused)
{
    const char *path;
    char copy[400];

    fill("prices", 4);
    export_topic("prices", false);
    ck_assert_int_eq(unlink(at("out/manifest.json")), 0); /* the files alone must tell */
    (void)snprintf(copy, sizeof copy, "%s", at("out/prices-00002.avro"));
    path = copy;
    for (long size = size_of(path) - 1; size >= 0; size--) {
        ck_assert_int_eq(truncate(path, size), 0);
        expect_refused("prices-00002.avro: ");
    }
}
END_TEST

START_TEST(a_changed_byte_is_refused_by_the_manifest_at_the_latest)
{
    char path[400];
    long size;

    fill("prices", 2);
    export_topic("prices", false);
    (void)snprintf(path, sizeof path, "%s", at("out/prices-00001.avro"));
    size = size_of(path);
    for (long i = 0; i < size; i += 7) {
        FILE *file = fopen(path, "r+b");
        int c;

        ck_assert_ptr_nonnull(file);
        (void)fseek(file, i, SEEK_SET);
        c = fgetc(file);
        (void)fseek(file, i, SEEK_SET);
        (void)fputc(c ^ 1, file);
        (void)fclose(file);
        expect_refused("");
        file = fopen(path, "r+b");
        (void)fseek(file, i, SEEK_SET);
        (void)fputc(c, file);
        (void)fclose(file);
    }
    run_ok();
}
END_TEST

START_TEST(what_does_not_fit_the_topic_is_refused)
{
    fill("prices", COUNT);
    export_topic("prices", false);
    options.topic = "orders";
    expect_refused("is millrace.oms.PriceTick, and the topic takes millrace.oms.OrderCommand");
    options.topic = "shop.dedupe.dlq";
    expect_refused("and the topic takes bytes");
    options.topic = "wide";
    expect_refused("of a topic with 3 partitions, and wide has 2");
    options.topic = "nowhere";
    expect_refused("has no topic nowhere");
    options.topic = "";
    ck_assert_int_eq(run(), MR_EXISTS); /* prices itself, which has records */
    options.topic = "copy";
    ck_assert_int_eq(unlink(at("out/prices-00001.avro")), 0);
    expect_refused("prices-00001.avro");
    paths[0] = "/nowhere/at/all";
    expect_refused("/nowhere/at/all");
}
END_TEST

START_TEST(the_same_records_twice_are_refused)
{
    static char again[500];

    fill("prices", COUNT);
    export_topic("prices", false);
    (void)snprintf(again, sizeof again, "%s/prices-00001.avro", out);
    paths[1] = again;
    options.path_count = 2;
    expect_refused("field offset: 0 of partition 1 stands behind 38 of");
}
END_TEST

START_TEST(keys_go_where_they_belong_with_repartition)
{
    fill("prices", COUNT);
    export_topic("prices", false);
    options.topic = "wide";
    options.repartition = true;
    run_ok();
    ck_assert_int_eq(topic_count("wide"), 3 * COUNT);
    options.topic = "copy";
    run_ok();
    ck_assert_int_eq(topic_count("copy"), 3 * COUNT);
}
END_TEST

START_TEST(the_rate_is_kept_to)
{
    int64_t since_us = mr_clock_monotonic_us(world.env.clock);

    fill("prices", COUNT);
    export_topic("prices", false);
    options.rate_micro = 200 * MR_SECOND_US; /* 200/s: 60 records take 0.3 s */
    run_ok();
    ck_assert_int_ge(mr_clock_monotonic_us(world.env.clock) - since_us, 250 * MR_MS_US);
    expect_same("prices", "copy");
}
END_TEST

START_TEST(dead_letters_come_back_as_bytes)
{
    memory_env_send(&world, "shop.dedupe.dlq",
                    &(struct mr_outgoing){.value = mr_slice_str("\x07 garbage"),
                                          .key = mr_slice_str("k"),
                                          .timestamp_ms = 5,
                                          .has_value = true});
    export_topic("shop.dedupe.dlq", false);
    options.topic = "shop.dedupe.dlq";
    options.append = true;
    run_ok();
    ck_assert_int_eq(import.bytes_values, 0);
    ck_assert_int_eq(topic_count("shop.dedupe.dlq"), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("import");
    TCase *tcase = tcase_create("import");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, what_was_exported_comes_back, 0, 2);
    tcase_add_test(tcase, the_same_import_again_writes_nothing);
    tcase_add_test(tcase, an_import_that_was_cut_off_goes_on);
    tcase_add_test(tcase, what_may_pass_is_gone_on_with_at_once);
    tcase_add_test(tcase, an_aborted_beginning_leaves_the_topic_empty);
    tcase_add_test(tcase, a_file_that_is_cut_anywhere_is_refused);
    tcase_add_test(tcase, a_changed_byte_is_refused_by_the_manifest_at_the_latest);
    tcase_add_test(tcase, what_does_not_fit_the_topic_is_refused);
    tcase_add_test(tcase, the_same_records_twice_are_refused);
    tcase_add_test(tcase, keys_go_where_they_belong_with_repartition);
    tcase_add_test(tcase, the_rate_is_kept_to);
    tcase_add_test(tcase, dead_letters_come_back_as_bytes);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
