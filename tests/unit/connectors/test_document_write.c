/*
 * Goal:   whatever a document store answers, the sink says the right thing about the batch:
 * written, this record never, or all of it again. Method: a store that answers from a script; it
 * also tells what it was asked. What a real server does only in a race or in a failover happens
 * here each time.
 */
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "connectors/documentdb/documentdb.h"
#include "fake_documents.h"
#include "sink_fixture.h"

#include <check.h>
#include <stdlib.h>

enum { COUNT = 4 };

static struct fake_documents *fake;
static struct sink_fixture sink;
static struct oms_position positions[COUNT];
static struct mr_record records[COUNT];
static struct fake_command commands[FAKE_COMMANDS_MAX];

static void open_sink(const struct mr_schema *schema, const char *const *answers, size_t count)
{
    struct sink_option options[] = {{"uri", NULL}, {"timeout", "2s"}};

    fake = fake_documents_start(answers, count);
    options[0].text = fake_documents_uri(fake);
    sink_fixture_init(&sink, &documentdb_sink, schema, options, MR_COUNT(options));
    sink_must_open(&sink);
}

static void close_sink(void)
{
    sink_fixture_fini(&sink);
    fake_documents_stop(&fake);
}

static void set_up(void)
{
    static const char *const USERS[COUNT] = {"u0", "u1", "u2", "u3"};

    fake = NULL;
    sink = (struct sink_fixture){0};
    for (size_t i = 0; i < COUNT; i++) {
        positions[i] = (struct oms_position){
            .user_id = mr_slice_str(USERS[i]), .symbol = mr_slice_str("S"), .version = 7};
        records[i] = (struct mr_record){.value = &positions[i], .offset = (int64_t)i};
    }
}

START_TEST(an_answer_means)
{
    static const struct {
        const char *why, *answer;
        enum mr_status status;
        size_t bad;
    } ROWS[] = {
        {"everything written", "", MR_OK, SIZE_MAX},
        {"one document refused",
         "{\"ok\":1,\"n\":3,\"writeErrors\":[{\"index\":2,\"code\":121,\"errmsg\":\"no\"}]}",
         MR_MALFORMED, 2},
        {"two documents refused: the first is named",
         "{\"ok\":1,\"n\":2,\"writeErrors\":[{\"index\":1,\"code\":121,\"errmsg\":\"no\"},"
         "{\"index\":3,\"code\":121,\"errmsg\":\"no\"}]}",
         MR_MALFORMED, 1},
        {"an outage outweighs a refused document",
         "{\"ok\":1,\"n\":2,\"writeErrors\":[{\"index\":1,\"code\":121,\"errmsg\":\"no\"},"
         "{\"index\":3,\"code\":189,\"errmsg\":\"stepped down\"}]}",
         MR_UNAVAILABLE, SIZE_MAX},
        {"an unknown code is no dead letter",
         "{\"ok\":1,\"n\":3,\"writeErrors\":[{\"index\":1,\"code\":98765,\"errmsg\":\"?\"}]}",
         MR_UNAVAILABLE, SIZE_MAX},
        {"no rights", "{\"ok\":0,\"code\":13,\"errmsg\":\"not authorized\"}", MR_CONFIG, SIZE_MAX},
        {"not primary", "{\"ok\":0,\"code\":10107,\"errmsg\":\"not primary\"}", MR_UNAVAILABLE,
         SIZE_MAX},
        {"written, but the majority did not say so",
         "{\"ok\":1,\"n\":4,\"writeConcernError\":{\"code\":64,\"errmsg\":\"timeout\"}}",
         MR_UNAVAILABLE, SIZE_MAX},
        {"an answer about fewer documents", "{\"ok\":1,\"n\":3}", MR_UNAVAILABLE, SIZE_MAX},
        {"no answer", "cut", MR_UNAVAILABLE, SIZE_MAX},
    };
    enum mr_status status;

    open_sink(&oms_position_schema, &ROWS[_i].answer, 1);
    status = sink_write(&sink, records, COUNT);
    ck_assert_msg(status == ROWS[_i].status, "%s: %s %s", ROWS[_i].why, mr_status_name(status),
                  sink.err.text);
    ck_assert_msg(mr_status_class(status) != MR_CLASS_POISON || sink.bad == ROWS[_i].bad,
                  "%s: record %zu", ROWS[_i].why, sink.bad);
    close_sink();
}
END_TEST

/* Between the filter and the insert another writer put an older version there. */
START_TEST(a_taken_identity_is_tried_again_without_inserting)
{
    static const char *const ANSWERS[] = {
        "{\"ok\":1,\"n\":2,\"writeErrors\":[{\"index\":0,\"code\":11000,\"errmsg\":\"dup\"},"
        "{\"index\":3,\"code\":11000,\"errmsg\":\"dup\"}]}"};

    open_sink(&oms_position_schema, ANSWERS, 1);
    sink_must_write(&sink, records, COUNT);
    ck_assert_uint_eq(fake_documents_commands(fake, commands), 2);
    ck_assert_str_eq(commands[0].name, "update");
    ck_assert_uint_eq(commands[0].count, COUNT);
    ck_assert_int_eq(commands[0].upserts, COUNT);
    ck_assert_str_eq(commands[1].name, "update");
    ck_assert_uint_eq(commands[1].count, 2);
    ck_assert_int_eq(commands[1].upserts, 0);
    close_sink();
}
END_TEST

START_TEST(a_failure_of_the_second_try_is_a_failure)
{
    static const char *const ANSWERS[] = {
        "{\"ok\":1,\"n\":2,\"writeErrors\":[{\"index\":0,\"code\":11000,\"errmsg\":\"dup\"},"
        "{\"index\":3,\"code\":11000,\"errmsg\":\"dup\"}]}"};
    static const struct {
        const char *why, *answer;
        enum mr_status status;
        size_t bad;
    } ROWS[] = {
        {"newer ones stand there", "{\"ok\":1,\"n\":0}", MR_OK, SIZE_MAX},
        {"the server went away", "cut", MR_UNAVAILABLE, SIZE_MAX},
        {"the second of the two is refused",
         "{\"ok\":1,\"n\":1,\"writeErrors\":[{\"index\":1,\"code\":121,\"errmsg\":\"no\"}]}",
         MR_MALFORMED, 3},
    };
    const char *const answers[] = {ANSWERS[0], ROWS[_i].answer};

    open_sink(&oms_position_schema, answers, 2);
    ck_assert_msg(sink_write(&sink, records, COUNT) == ROWS[_i].status, "%s: %s", ROWS[_i].why,
                  sink.err.text);
    if (mr_status_class(ROWS[_i].status) == MR_CLASS_POISON) {
        ck_assert_uint_eq(sink.bad, ROWS[_i].bad);
    }
    close_sink();
}
END_TEST

START_TEST(what_never_changes_is_inserted_once_and_not_asked_about_again)
{
    static const char *const ANSWERS[] = {
        "{\"ok\":1,\"n\":0,\"writeErrors\":[{\"index\":0,\"code\":11000,\"errmsg\":\"dup\"}]}"};
    const struct oms_ledger_entry entry = {.journal_id = mr_slice_str("j"),
                                           .user_id = mr_slice_str("u")};
    const struct mr_record record = {.value = &entry};

    open_sink(&oms_ledger_entry_schema, ANSWERS, 1);
    sink_must_write(&sink, &record, 1);
    ck_assert_uint_eq(fake_documents_commands(fake, commands), 1);
    ck_assert_str_eq(commands[0].name, "insert");
    close_sink();
}
END_TEST

START_TEST(a_batch_goes_out_in_few_commands)
{
    static const struct oms_execution_report REPORT = {.version = 1};
    struct oms_execution_report reports[COUNT];
    struct mr_record batch[COUNT];
    static const char *const EXEC_IDS[COUNT] = {"e0", "e1", "e2", "e3"};

    for (size_t i = 0; i < COUNT; i++) {
        reports[i] = REPORT;
        reports[i].exec_id = mr_slice_str(EXEC_IDS[i]);
        reports[i].order_id = mr_slice_str(i < 2 ? "o0" : "o1");
        reports[i].version = (int32_t)i;
        batch[i] = (struct mr_record){.value = &reports[i]};
    }
    open_sink(&oms_execution_report_schema, NULL, 0);
    sink_must_write(&sink, batch, COUNT);
    ck_assert_uint_eq(fake_documents_commands(fake, commands), 2);
    ck_assert_str_eq(commands[0].name, "insert");
    ck_assert_str_eq(commands[0].collection, "executions");
    ck_assert_uint_eq(commands[0].count, COUNT);
    ck_assert_str_eq(commands[1].name, "update");
    ck_assert_str_eq(commands[1].collection, "orders");
    ck_assert_uint_eq(commands[1].count, 2);
    close_sink();
}
END_TEST

START_TEST(deletions_go_before_what_comes_after_them)
{
    const struct mr_record batch[] = {
        {.value = &positions[0], .offset = 1},
        {.key = mr_slice_str("u0:S"), .offset = 2},
        {.value = &positions[0], .offset = 3},
        {.key = mr_slice_str("u1:S"), .offset = 4},
    };

    open_sink(&oms_position_schema, NULL, 0);
    sink_must_write(&sink, batch, MR_COUNT(batch));
    ck_assert_uint_eq(fake_documents_commands(fake, commands), 2);
    ck_assert_str_eq(commands[0].name, "delete");
    ck_assert_uint_eq(commands[0].count, 2);
    ck_assert_str_eq(commands[1].name, "update");
    ck_assert_uint_eq(commands[1].count, 1);
    close_sink();
}
END_TEST

START_TEST(nothing_to_write_asks_nothing)
{
    struct oms_order_command cancel = {.order_id = mr_slice_str("o"), .action = OMS_ACTION_CANCEL};
    const struct mr_record record = {.value = &cancel};

    open_sink(&oms_order_command_schema, NULL, 0);
    sink_must_write(&sink, &record, 1);
    ck_assert_uint_eq(fake_documents_commands(fake, commands), 0);
    close_sink();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document write");
    TCase *cases = tcase_create("script");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_loop_test(cases, an_answer_means, 0, 10);
    tcase_add_test(cases, a_taken_identity_is_tried_again_without_inserting);
    tcase_add_loop_test(cases, a_failure_of_the_second_try_is_a_failure, 0, 3);
    tcase_add_test(cases, what_never_changes_is_inserted_once_and_not_asked_about_again);
    tcase_add_test(cases, a_batch_goes_out_in_few_commands);
    tcase_add_test(cases, deletions_go_before_what_comes_after_them);
    tcase_add_test(cases, nothing_to_write_asks_nothing);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
