/*
 * test_kafka_producer.c -- what a failing broker makes of a transaction, in the port's words.
 *
 * Goal:   a record that cannot be delivered costs its transaction and nothing more; only a producer
 *         that is really finished says so.
 * Method: librdkafka's mock cluster inside this process answers with the errors it is told.
 */
#include "millrace/log_open.h"
#include "millrace/option.h"

#include <check.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

#define TOPIC "output"
#define PRODUCE 0 /* Kafka's number of the request */
#define END_TXN 26

static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;
static struct mr_log *broker_log;
static struct mr_producer *producer;
static struct mr_err err;
static int topic;

static void ok(enum mr_status status)
{
    ck_assert_msg(status == MR_OK, "%s: %s", mr_status_name(status), err.text);
}

static void set_up(void)
{
    const struct mr_producer_options options = {.transactional_id = "id",
                                                .transaction_timeout_us = 3 * MR_SECOND_US};
    struct mr_topic_config property = {.name = "bootstrap.servers"};
    char text[256];

    host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof(text));
    ck_assert_ptr_nonnull(host);
    cluster = rd_kafka_mock_cluster_new(host, 1);
    ck_assert_ptr_nonnull(cluster);
    ck_assert_int_eq(rd_kafka_mock_topic_create(cluster, TOPIC, 1, 1), 0);
    property.value = rd_kafka_mock_cluster_bootstraps(cluster);
    ok(mr_log_kafka_open(&property, 1, &broker_log, &err));
    ok(mr_producer_open(broker_log, &options, 10 * MR_SECOND_US, &producer, &err));
    ok(mr_producer_topic(producer, TOPIC, &topic, NULL, &err));
}

static void tear_down(void)
{
    mr_producer_close(&producer);
    mr_log_close(&broker_log);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
}

static enum mr_status send_one(void)
{
    const struct mr_outgoing record = {.topic = topic,
                                       .timestamp_ms = MR_TIMESTAMP_NOW,
                                       .value = mr_slice_str("value"),
                                       .has_value = true};

    return mr_producer_send(producer, &record, &err);
}

static void one_transaction_commits(void)
{
    ok(mr_producer_begin(producer, &err));
    ok(send_one());
    ok(mr_producer_commit(producer, NULL, NULL, 0, &err));
}

/* After a refusal the broker misses a sequence number: one more abort, and a new epoch. */
static void the_second_at_most_commits(void)
{
    enum mr_status status;

    ok(mr_producer_begin(producer, &err));
    ok(send_one());
    status = mr_producer_commit(producer, NULL, NULL, 0, &err);
    if (status == MR_TXN_ABORT) {
        ok(mr_producer_abort(producer, &err));
        one_transaction_commits();
    } else {
        ok(status);
    }
}

static const struct {
    rd_kafka_resp_err_t code;
    const char *why;
} refusals[] = {
    {RD_KAFKA_RESP_ERR_INVALID_MSG, "damaged on the way"},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "too large for the broker"},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, "a code the port does not know"},
};

START_TEST(a_record_that_is_refused_costs_its_transaction)
{
    one_transaction_commits();
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, refusals[_i].code);
    ok(mr_producer_begin(producer, &err));
    ok(send_one());
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_TXN_ABORT);
    ok(mr_producer_abort(producer, &err));
    the_second_at_most_commits();
}
END_TEST

/* librdkafka takes no record of a transaction that has failed already. */
START_TEST(sending_after_a_refusal_asks_for_an_abort)
{
    enum mr_status status = MR_OK;

    one_transaction_commits();
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, refusals[_i].code);
    ok(mr_producer_begin(producer, &err));
    for (int i = 0; i < 3000 && status == MR_OK; i++) {
        status = send_one();
        rd_kafka_poll(host, 1);
        mr_producer_poll(producer);
    }
    ck_assert_int_eq(status, MR_TXN_ABORT);
    ok(mr_producer_abort(producer, &err));
    the_second_at_most_commits();
}
END_TEST

START_TEST(an_unanswered_end_is_of_unknown_outcome)
{
    one_transaction_commits();
    ok(mr_producer_begin(producer, &err));
    ok(send_one());
    rd_kafka_mock_push_request_errors(cluster, END_TXN, 3, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
                                      RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
                                      RD_KAFKA_RESP_ERR_INVALID_TXN_STATE);
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_INDETERMINATE);
}
END_TEST

START_TEST(a_fenced_producer_says_so)
{
    one_transaction_commits();
    ok(mr_producer_begin(producer, &err));
    ok(send_one());
    rd_kafka_mock_push_request_errors(cluster, END_TXN, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    ck_assert_int_eq(mr_producer_commit(producer, NULL, NULL, 0, &err), MR_FENCED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka producer");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_record_that_is_refused_costs_its_transaction, 0,
                        (int)MR_COUNT(refusals));
    tcase_add_loop_test(tcase, sending_after_a_refusal_asks_for_an_abort, 0,
                        (int)MR_COUNT(refusals));
    tcase_add_test(tcase, an_unanswered_end_is_of_unknown_outcome);
    tcase_add_test(tcase, a_fenced_producer_says_so);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
