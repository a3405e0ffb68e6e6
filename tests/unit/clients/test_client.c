/*
 * Goal:   the client in C sends an order to its user's partition under the id that the registry
 * has, shows the reports of that order and of no other, old or new, and knows the last one; it
 *         registers nothing, and time that runs out is named.
 * Method: the log and the registry in memory; the test plays the pipeline and writes the reports; a
 *         clock that moves with each question of the client.
 */
#include "client.h"
#include "millrace/log_open.h"
#include "millrace/partition.h"
#include "report.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#define PARTITIONS 3
#define USER "u-1"
#define STEP_US (10 * MR_MS_US)
#define TIMEOUT_US (2 * MR_SECOND_US)

static int64_t now_us;
static struct mr_log *the_log;
static struct mr_registry *registry;
static struct mr_producer *pipeline;
static int executions;

static int64_t test_time_us(void *arg)
{
    (void)arg;
    now_us += STEP_US;
    return now_us;
}

static void test_wait_us(void *arg, int64_t us)
{
    (void)arg;
    now_us += us;
}

static const struct mr_clock clock_of_test = {
    .wall_us = test_time_us, .monotonic_us = test_time_us, .wait_us = test_wait_us};

static void create_topic(const char *name)
{
    const struct mr_topic_spec topic = {.name = name, .partitions = PARTITIONS, .replication = 1};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_log_topic_create(the_log, &topic, &err), MR_OK);
}

static void set_up(void)
{
    const struct mr_producer_options options = {.compression = "none"};
    struct mr_err err = {0};

    now_us = MR_SECOND_US;
    the_log = mr_log_memory_create(&clock_of_test);
    registry = mr_registry_memory_create();
    create_topic("orders");
    create_topic("executions");
    ck_assert_int_eq(mr_producer_open(the_log, &options, TIMEOUT_US, &pipeline, &err), MR_OK);
    ck_assert_int_eq(mr_producer_topic(pipeline, "executions", &executions, NULL, &err), MR_OK);
}

static void tear_down(void)
{
    mr_producer_close(&pipeline);
    mr_registry_destroy(&registry);
    mr_log_close(&the_log);
}

static int32_t register_schema(const char *subject, const char *json)
{
    struct mr_err err = {0};
    int32_t id = 0;

    ck_assert_int_eq(registry->ops->register_schema(registry, subject, json, &id, &err), MR_OK);
    return id;
}

/* The id of reports. */
static int32_t register_both(void)
{
    (void)register_schema("orders-value", oms_order_command_schema.json);
    return register_schema("executions-value", oms_execution_report_schema.json);
}

static enum mr_status open_client(bool from_start, struct client **client, struct mr_err *err)
{
    const struct client_options options = {.log = the_log,
                                           .registry = registry,
                                           .clock = &clock_of_test,
                                           .user = USER,
                                           .timeout_us = TIMEOUT_US};

    return client_open(&options, from_start, client, err);
}

static struct client *opened(bool from_start)
{
    struct client *client = NULL;
    struct mr_err err = {0};

    ck_assert_msg(open_client(from_start, &client, &err) == MR_OK, "%s", err.text);
    return client;
}

static struct oms_execution_report report_of(const char *order, enum oms_exec_type type,
                                             enum oms_order_status status, mr_i128 cum_qty)
{
    return (struct oms_execution_report){.exec_id = mr_slice_str("e"),
                                         .ts_us = INT64_C(1767323045000006),
                                         .order_id = mr_slice_str(order),
                                         .command_id = mr_slice_str("c"),
                                         .user_id = mr_slice_str(USER),
                                         .symbol = mr_slice_str("S"),
                                         .exec_type = type,
                                         .status = status,
                                         .cum_qty = cum_qty,
                                         .version = 2};
}

static void write_framed(const char *key, struct mr_slice framed)
{
    const struct mr_outgoing record = {.topic = executions,
                                       .partition = mr_partition_of(mr_slice_str(USER), PARTITIONS),
                                       .timestamp_ms = 1,
                                       .key = mr_slice_str(key),
                                       .value = framed,
                                       .has_value = true};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_producer_send(pipeline, &record, &err), MR_OK);
    ck_assert_int_eq(mr_producer_flush(pipeline, TIMEOUT_US, &err), MR_OK);
}

static void write_report(const char *key, int32_t id, struct oms_execution_report report)
{
    const struct mr_binding binding = {.schema = &oms_execution_report_schema, .id = id};
    uint8_t *bytes = mr_xcalloc(1, mr_codec_framed_bytes_max(&binding, &report));
    const size_t len = mr_codec_encode(&binding, &report, bytes);

    write_framed(key, mr_slice_of(bytes, len));
    free(bytes);
}

struct shown {
    size_t count;
    enum oms_exec_type types[8];
};

static void show(void *arg, const struct oms_execution_report *report)
{
    struct shown *shown = arg;

    ck_assert_uint_lt(shown->count, MR_COUNT(shown->types));
    shown->types[shown->count++] = report->exec_type;
}

START_TEST(an_order_goes_to_its_users_partition)
{
    const int32_t id = register_schema("orders-value", oms_order_command_schema.json);
    const struct oms_order_command command = {.event_id = mr_slice_str("e-1"),
                                              .order_id = mr_slice_str("o-1"),
                                              .user_id = mr_slice_str(USER),
                                              .symbol = mr_slice_str("S")};
    struct client *client = opened(false);
    struct mr_reader *reader = NULL;
    struct mr_message message;
    struct mr_err err = {0};
    size_t count = 0;
    int32_t found = 0;

    ck_assert_msg(client_send(client, &command, &err) == MR_OK, "%s", err.text);
    client_close(&client);
    ck_assert_int_eq(mr_reader_open(the_log, MR_READER_CATCHES_UP_US, &reader, &err), MR_OK);
    ck_assert_int_eq(
        mr_reader_add(reader, "orders", mr_partition_of(mr_slice_str(USER), PARTITIONS), 0, &err),
        MR_OK);
    ck_assert_int_eq(mr_reader_poll(reader, 0, &message, 1, &count, &err), MR_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert(mr_slice_equal(message.key, mr_slice_str(USER)));
    ck_assert_int_eq(mr_wire_schema_id(message.value, &found, &err), MR_OK);
    ck_assert_int_eq(found, id);
    mr_message_release(&message);
    mr_reader_close(&reader);
}
END_TEST

START_TEST(what_is_not_registered_is_not_sent)
{
    struct client *client = NULL;
    struct mr_err err = {0};

    ck_assert_int_eq(open_client(false, &client, &err), MR_SCHEMA_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(err.text, "topology apply"));
    ck_assert_ptr_null(client);
}
END_TEST

START_TEST(reports_of_this_order_from_here_on)
{
    const struct oms_execution_report old =
        report_of("o-1", OMS_EXEC_TYPE_SETTLED, OMS_ORDER_STATUS_SETTLED, 1);
    enum oms_order_status status = OMS_ORDER_STATUS_NEW;
    struct shown shown = {0};
    struct mr_err err = {0};
    const int32_t id = register_both();
    struct client *client;

    write_report(USER, id, old);
    client = opened(false);
    write_report(USER, id, report_of("o-1", OMS_EXEC_TYPE_NEW, OMS_ORDER_STATUS_ACCEPTED, 0));
    write_report(USER, id, report_of("o-2", OMS_EXEC_TYPE_NEW, OMS_ORDER_STATUS_ACCEPTED, 0));
    write_report("other", id, report_of("o-1", OMS_EXEC_TYPE_NEW, OMS_ORDER_STATUS_ACCEPTED, 0));
    write_report(USER, id, report_of("o-1", OMS_EXEC_TYPE_TRADE, OMS_ORDER_STATUS_FILLED, 1));
    write_report(USER, id, old);
    write_report(USER, id, report_of("o-1", OMS_EXEC_TYPE_NEW, OMS_ORDER_STATUS_ACCEPTED, 0));
    ck_assert_msg(client_follow(client, "o-1", show, &shown, &status, &err) == MR_OK, "%s",
                  err.text);
    ck_assert_int_eq(status, OMS_ORDER_STATUS_SETTLED);
    ck_assert_uint_eq(shown.count, 3);
    ck_assert_int_eq(shown.types[0], OMS_EXEC_TYPE_NEW);
    ck_assert_int_eq(shown.types[1], OMS_EXEC_TYPE_TRADE);
    ck_assert_int_eq(shown.types[2], OMS_EXEC_TYPE_SETTLED);
    client_close(&client);

    client = opened(true);
    shown.count = 0;
    ck_assert_int_eq(client_follow(client, "o-1", show, &shown, &status, &err), MR_OK);
    ck_assert_msg(shown.count == 1, "from the start, the old report is the last one");
    client_close(&client);
}
END_TEST

START_TEST(another_version_is_resolved)
{
    json_t *newer = json_loads(oms_execution_report_schema.json, 0, NULL);
    struct shown shown = {0};
    enum oms_order_status status = OMS_ORDER_STATUS_NEW;
    struct mr_err err = {0};
    struct client *client;
    char *text;

    /* A field in front: read without resolution, every other would be wrong. */
    ck_assert_int_eq(json_array_insert_new(json_object_get(newer, "fields"), 0,
                                           json_pack("{s:s,s:s,s:s}", "name", "venue", "type",
                                                     "string", "default", "")),
                     0);
    text = json_dumps(newer, JSON_COMPACT);
    (void)register_schema("orders-value", oms_order_command_schema.json);
    {
        const int32_t id = register_schema("executions-value", text);
        const struct oms_execution_report report =
            report_of("o-1", OMS_EXEC_TYPE_REJECTED, OMS_ORDER_STATUS_REJECTED, 0);
        const struct mr_binding binding = {.schema = &oms_execution_report_schema, .id = id};
        uint8_t bytes[1024];
        const size_t len = mr_codec_encode(&binding, &report, bytes);

        /* An empty venue is one zero byte behind the header. */
        memmove(bytes + MR_WIRE_HEADER_BYTES + 1, bytes + MR_WIRE_HEADER_BYTES,
                len - MR_WIRE_HEADER_BYTES);
        bytes[MR_WIRE_HEADER_BYTES] = 0;
        client = opened(true);
        write_framed(USER, mr_slice_of(bytes, len + 1));
    }
    ck_assert_msg(client_follow(client, "o-1", show, &shown, &status, &err) == MR_OK, "%s",
                  err.text);
    ck_assert_int_eq(status, OMS_ORDER_STATUS_REJECTED);
    client_close(&client);
    free(text);
    json_decref(newer);
}
END_TEST

START_TEST(time_that_runs_out_is_named)
{
    enum oms_order_status status = OMS_ORDER_STATUS_NEW;
    struct shown shown = {0};
    struct mr_err err = {0};
    const int32_t id = register_both();
    struct client *client;

    client = opened(false);
    write_report(USER, id, report_of("o-1", OMS_EXEC_TYPE_NEW, OMS_ORDER_STATUS_ACCEPTED, 0));
    ck_assert_int_eq(client_follow(client, "o-1", show, &shown, &status, &err), MR_TIMEOUT);
    ck_assert_str_eq(err.text,
                     "order o-1 was not over after 2 s (--timeout); last status: ACCEPTED");
    client_close(&client);
}
END_TEST

static const struct {
    enum oms_exec_type type;
    enum oms_order_status status;
    int cum_qty;
    bool last;
    const char *why;
} endings[] = {
    {OMS_EXEC_TYPE_NEW, OMS_ORDER_STATUS_ACCEPTED, 0, false, "it rests"},
    {OMS_EXEC_TYPE_TRADE, OMS_ORDER_STATUS_FILLED, 1, false, "SETTLED is to come"},
    {OMS_EXEC_TYPE_SETTLED, OMS_ORDER_STATUS_SETTLED, 1, true, "filled and settled"},
    {OMS_EXEC_TYPE_CANCELED, OMS_ORDER_STATUS_CANCELLED, 0, true, "nothing to settle"},
    {OMS_EXEC_TYPE_CANCELED, OMS_ORDER_STATUS_CANCELLED, 1, false, "its fills are to be settled"},
    {OMS_EXEC_TYPE_SETTLED, OMS_ORDER_STATUS_CANCELLED, 1, true, "and now they are"},
    {OMS_EXEC_TYPE_REJECTED, OMS_ORDER_STATUS_REJECTED, 0, true, "never accepted"},
};

START_TEST(which_report_is_the_last)
{
    const struct oms_execution_report report =
        report_of("o", endings[_i].type, endings[_i].status, endings[_i].cum_qty);

    ck_assert_msg(report_is_final(&report) == endings[_i].last, "%s", endings[_i].why);
}
END_TEST

START_TEST(a_line_is_exact_and_leaves_out_what_is_absent)
{
    struct oms_execution_report report =
        report_of("o", OMS_EXEC_TYPE_TRADE, OMS_ORDER_STATUS_FILLED, 0);
    struct mr_buffer line = MR_BUFFER_EMPTY;

    report.last_qty = INT64_C(1500000000000000000);
    report.has_last_qty = true;
    report.fee_amount = -1;
    report.has_fee_amount = true;
    report_line(&report, &line);
    mr_buffer_append(&line, "", 1);
    ck_assert_str_eq((const char *)line.data,
                     "2026-01-02T03:04:05.000006Z execType=TRADE status=FILLED orderId=o symbol=S "
                     "side=BUY lastQty=1.5 feeAmount=-0.000000000000000001 cumQty=0 leavesQty=0 "
                     "cancelledQty=0 version=2 execId=e");
    mr_buffer_fini(&line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client");
    TCase *tests = tcase_create("client");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_order_goes_to_its_users_partition);
    tcase_add_test(tests, what_is_not_registered_is_not_sent);
    tcase_add_test(tests, reports_of_this_order_from_here_on);
    tcase_add_test(tests, another_version_is_resolved);
    tcase_add_test(tests, time_that_runs_out_is_named);
    tcase_add_loop_test(tests, which_report_is_the_last, 0, (int)MR_COUNT(endings));
    tcase_add_test(tests, a_line_is_exact_and_leaves_out_what_is_absent);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
