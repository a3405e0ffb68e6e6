/*
 * Goal:   a missing server is waited for, named, and given up after the time that was asked for.
 * Method: a log and a registry that answer after a number of questions, and a clock of the test's
 * own.
 */
#include "connect.h"
#include "millrace/log_ops.h"

#include <check.h>
#include <stdlib.h>

static int64_t now_us;
static int log_refusals;
static int registry_refusals;
static enum mr_status refusal;

static int64_t test_time(void *arg)
{
    (void)arg;
    return now_us;
}

static void test_wait(void *arg, int64_t us)
{
    (void)arg;
    now_us += us;
}

static const struct mr_clock test_clock = {
    .wall_us = test_time, .monotonic_us = test_time, .wait_us = test_wait};

static enum mr_status answer(int *refusals, enum mr_status good, struct mr_err *err)
{
    if (*refusals > 0) {
        (*refusals)--;
        return mr_fail(err, refusal, "connection refused");
    }
    return good;
}

static enum mr_status topic_partitions(struct mr_log *log, const char *topic, int32_t *partitions,
                                       struct mr_err *err)
{
    (void)log;
    (void)topic;
    *partitions = 0;
    return answer(&log_refusals, MR_OK, err);
}

static const char *address(const struct mr_log *log)
{
    (void)log;
    return "127.0.0.1:9092";
}

static enum mr_status schema_by_id(struct mr_registry *registry, int32_t id, char **json,
                                   struct mr_err *err)
{
    (void)registry;
    (void)id;
    (void)json;
    return answer(&registry_refusals, MR_SCHEMA_UNKNOWN, err);
}

static const struct mr_log_ops log_ops = {.topic_partitions = topic_partitions, .address = address};
static const struct mr_registry_ops registry_ops = {.schema_by_id = schema_by_id};

static const struct row {
    const char *why;
    int log_refusals, registry_refusals;
    enum mr_status refusal;
    int64_t wait_us;
    enum mr_status status;
    const char *err;
    const char *said;
} rows[] = {
    {"both are there", 0, 0, MR_UNAVAILABLE, 0, MR_OK, "", ""},
    {"log comes", 3, 0, MR_UNAVAILABLE, 5000000, MR_OK, "",
     "waiting for log 127.0.0.1:9092, at most 5s\n"},
    {"registry comes", 0, 3, MR_TIMEOUT, 5000000, MR_OK, "",
     "waiting for schema registry http://r:8081/x, at most 5s\n"},
    {"log never comes", 999, 0, MR_UNAVAILABLE, 5000000, MR_UNAVAILABLE,
     "log 127.0.0.1:9092 did not answer within 5s: connection refused",
     "waiting for log 127.0.0.1:9092, at most 5s\n"},
    {"registry never comes, its password is not said", 0, 999, MR_UNAVAILABLE, 1000000,
     MR_UNAVAILABLE, "schema registry http://r:8081/x did not answer within 1s",
     "waiting for schema registry http://r:8081/x, at most 1s\n"},
    {"no waiting asked for", 1, 0, MR_UNAVAILABLE, 0, MR_UNAVAILABLE, "did not answer within 0s",
     ""},
    {"what waiting does not cure", 1, 0, MR_CONFIG, 5000000, MR_CONFIG, "connection refused", ""},
};

START_TEST(a_server_is_waited_for)
{
    const struct row *row = &rows[_i];
    struct mr_log log = {.ops = &log_ops};
    struct mr_registry registry = {.ops = &registry_ops};
    const struct connection connection = {.log = &log, .registry = &registry};
    struct mr_err err = {0};
    char said[512] = "";
    FILE *progress = fmemopen(said, sizeof(said), "w");

    ck_assert_ptr_nonnull(progress);
    now_us = 77;
    log_refusals = row->log_refusals;
    registry_refusals = row->registry_refusals;
    refusal = row->refusal;
    const enum mr_status status = connection_wait(&connection, "http://user:secret@r:8081/x",
                                                  row->wait_us, &test_clock, progress, &err);
    ck_assert_int_eq(fclose(progress), 0);
    ck_assert_msg(status == row->status, "%s: %s %s", row->why, mr_status_name(status), err.text);
    ck_assert_msg(strstr(err.text, row->err) != NULL, "%s: %s", row->why, err.text);
    ck_assert_msg(strcmp(said, row->said) == 0, "%s: %s", row->why, said);
    ck_assert_msg(now_us - 77 <= row->wait_us + 250000, "%s: waited too long", row->why);
    ck_assert_ptr_null(strstr(err.text, "secret"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connect");
    TCase *tcase = tcase_create("connect");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_server_is_waited_for, 0, (int)MR_COUNT(rows));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
