/*
 * Goal:   a document store that stops, hangs or loses its answers in mid-batch costs nothing and
 * doubles nothing. Method: a proxy between the sink and the real server breaks what the server or
 * the network would; the test does what the runner does: the same batch again after opening again.
 */
#include "connectors/documentdb/documentdb.h"
#include "document_fixture.h"
#include "tcp_proxy.h"

#include <check.h>
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ORDERS = 50, VERSIONS = 4, REPORTS = ORDERS * VERSIONS };

static const char *uri;
static char database[64];
static char proxy_uri[128];
static char proxy_address[64];
static struct tcp_proxy *proxy;
static struct sink_fixture sink;

static struct oms_execution_report reports[REPORTS];
static struct mr_record records[REPORTS];
static char order_ids[ORDERS][64];
static char exec_ids[REPORTS][64];

static void make_reports(void)
{
    for (size_t i = 0; i < REPORTS; i++) {
        const size_t order = i % ORDERS;

        snprintf(order_ids[order], sizeof(order_ids[order]), "o%zu", order);
        reports[i] = report_of(order_ids[order], (int32_t)(i / ORDERS) + 1,
                               OMS_ORDER_STATUS_ACCEPTED, exec_ids[i]);
        records[i] = record_of(&reports[i], 0, (int64_t)i);
    }
}

static void init_sink(struct sink_fixture *fixture, const char *address, const char *timeout)
{
    const struct sink_option options[] = {
        {"uri", address}, {"database", database}, {"timeout", timeout}};

    sink_fixture_init(fixture, &documentdb_sink, &oms_execution_report_schema, options,
                      MR_COUNT(options));
}

static void expect_everything(void)
{
    json_t *executions = documents_read(uri, database, "executions");
    json_t *orders = documents_read(uri, database, "orders");

    ck_assert_uint_eq(json_object_size(executions), REPORTS);
    ck_assert_uint_eq(json_object_size(orders), ORDERS);
    for (size_t i = 0; i < ORDERS; i++) {
        ck_assert_str_eq(document_text(orders, order_ids[i], "version"), "4");
        ck_assert_str_eq(document_text(orders, order_ids[i], "cumQty"), "4");
    }
    json_decref(executions);
    json_decref(orders);
}

static void set_up(void)
{
    mongoc_uri_t *parsed;
    const mongoc_host_list_t *host;

    uri = sink_environment("DOCUMENTDB_URI");
    parsed = mongoc_uri_new(uri);
    ck_assert_ptr_nonnull(parsed);
    host = mongoc_uri_get_hosts(parsed);
    proxy = tcp_proxy_start(host->host, host->port);
    mongoc_uri_destroy(parsed);
    snprintf(proxy_address, sizeof(proxy_address), "127.0.0.1:%d", tcp_proxy_port(proxy));
    snprintf(proxy_uri, sizeof(proxy_uri), "mongodb://%s/", proxy_address);
    sink_unique("sinkfault", database, sizeof(database));
    make_reports();
    init_sink(&sink, proxy_uri, "1s");
}

static void tear_down(void)
{
    sink_fixture_fini(&sink);
    tcp_proxy_stop(&proxy);
    database_drop(uri, database);
}

/* ---- one fault in mid-stream ---- */

static const struct {
    const char *why;
    enum tcp_fault fault;
} FAULTS[] = {
    {"the server hangs: nothing of the batch arrives", TCP_STALL},
    {"the batch is applied, its answer is lost", TCP_DROP_ACKS},
    {"the server is gone", TCP_REFUSE},
};

START_TEST(a_batch_survives_the_fault)
{
    const size_t half = REPORTS / 2;

    sink_must_open(&sink);
    sink_must_write(&sink, records, half);
    tcp_proxy_set(proxy, FAULTS[_i].fault);
    ck_assert_msg(sink_write(&sink, records + half, half) == MR_UNAVAILABLE, "%s: %s",
                  FAULTS[_i].why, sink.err.text);
    ck_assert_msg(strstr(sink.err.text, proxy_address) != NULL, "no address in: %s", sink.err.text);
    ck_assert_int_eq(sink_open(&sink), MR_UNAVAILABLE);
    ck_assert_msg(strstr(sink.err.text, proxy_address) != NULL, "no address in: %s", sink.err.text);
    tcp_proxy_set(proxy, TCP_PASS);
    sink_must_open(&sink);
    sink_must_write(&sink, records + half, half);
    expect_everything();
}
END_TEST

START_TEST(a_server_that_never_was_there_is_named_and_waited_for)
{
    tcp_proxy_set(proxy, TCP_REFUSE);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sink_open(&sink), MR_UNAVAILABLE);
        ck_assert_ptr_nonnull(strstr(sink.err.text, proxy_address));
    }
    tcp_proxy_set(proxy, TCP_PASS);
    sink_must_open(&sink);
    sink_must_write(&sink, records, REPORTS);
    expect_everything();
}
END_TEST

/* ---- a server that comes and goes ---- */

static _Atomic bool disturbing;

static void rest_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000 * 1000};

    nanosleep(&pause, NULL);
}

static void *disturb(void *arg)
{
    static const enum tcp_fault FAULT[] = {TCP_DROP_ACKS, TCP_REFUSE};

    (void)arg;
    for (size_t i = 0; atomic_load(&disturbing); i++) {
        rest_ms(60);
        tcp_proxy_set(proxy, FAULT[i % MR_COUNT(FAULT)]);
        rest_ms(10);
        tcp_proxy_set(proxy, TCP_PASS);
    }
    return NULL;
}

/* As the runner: the same batch until it is acknowledged. Counts the attempts that failed. */
static size_t deliver(struct sink_fixture *fixture, const struct mr_record *batch, size_t count)
{
    bool is_open = true;

    for (size_t failed = 0; failed < 5000; failed++) {
        enum mr_status status = is_open ? MR_OK : sink_open(fixture);

        if (status == MR_OK) {
            is_open = true;
            status = sink_write(fixture, batch, count);
        }
        if (status == MR_OK) {
            return failed;
        }
        ck_assert_msg(mr_status_class(status) == MR_CLASS_RETRY, "%s", fixture->err.text);
        is_open = false;
        rest_ms(2);
    }
    ck_abort_msg("never acknowledged: %s", fixture->err.text);
    return 0;
}

START_TEST(nothing_is_lost_or_doubled_while_the_connection_comes_and_goes)
{
    pthread_t thread;
    size_t failed = 0;

    sink_must_open(&sink);
    atomic_store(&disturbing, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, disturb, NULL), 0);
    /* Until it was disturbed often enough, each time from the beginning. */
    for (int round = 0; round < 3 || failed < 5; round++) {
        for (size_t i = 0; i < REPORTS; i += 20) {
            failed += deliver(&sink, records + i, 20);
        }
    }
    atomic_store(&disturbing, false);
    pthread_join(thread, NULL);
    expect_everything();
}
END_TEST

/* ---- two writers: the owner of a partition and its predecessor that did not notice yet ---- */

struct rival {
    struct sink_fixture sink;
    bool backwards;
};

static void *write_all(void *arg)
{
    struct rival *rival = arg;

    for (size_t i = 0; i < REPORTS; i += 10) {
        const size_t at = rival->backwards ? REPORTS - 10 - i : i;

        if (sink_write(&rival->sink, records + at, 10) != MR_OK) {
            return rival;
        }
    }
    return NULL;
}

START_TEST(two_writers_end_with_the_newest)
{
    struct rival rivals[3] = {{.backwards = false}, {.backwards = true}, {.backwards = false}};
    pthread_t threads[3];

    for (size_t i = 0; i < 3; i++) {
        init_sink(&rivals[i].sink, uri, "10s");
        sink_must_open(&rivals[i].sink);
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_all, &rivals[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        void *failed = NULL;

        pthread_join(threads[i], &failed);
        ck_assert_msg(failed == NULL, "%s", rivals[i].sink.err.text);
    }
    for (size_t i = 0; i < 3; i++) {
        sink_fixture_fini(&rivals[i].sink);
    }
    expect_everything();
}
END_TEST

/* ---- what no waiting can help ---- */

START_TEST(wrong_addresses_stop_the_process)
{
    static const struct {
        const char *why, *uri;
    } ROWS[] = {
        {"no scheme", "127.0.0.1:27017"},
        {"another scheme", "redis://127.0.0.1:27017"},
        {"no host", "mongodb://"},
        {"an option that is none of its kind", "mongodb://127.0.0.1/?tls=maybe"},
    };

    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        struct sink_fixture wrong;

        init_sink(&wrong, ROWS[i].uri, "1s");
        ck_assert_msg(mr_status_class(sink_open(&wrong)) == MR_CLASS_FATAL, "%s: %s", ROWS[i].why,
                      wrong.err.text);
        sink_fixture_fini(&wrong);
    }
}
END_TEST

START_TEST(no_message_shows_the_password)
{
    struct sink_fixture secret;
    char with_password[128];

    tcp_proxy_set(proxy, TCP_REFUSE);
    snprintf(with_password, sizeof(with_password), "mongodb://somebody:hush@%s/", proxy_address);
    init_sink(&secret, with_password, "1s");
    ck_assert_int_ne(sink_open(&secret), MR_OK);
    ck_assert_ptr_null(strstr(secret.err.text, "hush"));
    ck_assert_str_eq(documentdb_sink.address(secret.state), proxy_address);
    sink_fixture_fini(&secret);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("documentdb faults");
    TCase *cases = tcase_create("proxy");
    SRunner *runner;
    int failed;

    (void)signal(SIGPIPE, SIG_IGN);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, a_batch_survives_the_fault, 0, (int)MR_COUNT(FAULTS));
    tcase_add_test(cases, a_server_that_never_was_there_is_named_and_waited_for);
    tcase_add_test(cases, nothing_is_lost_or_doubled_while_the_connection_comes_and_goes);
    tcase_add_test(cases, two_writers_end_with_the_newest);
    tcase_add_test(cases, wrong_addresses_stop_the_process);
    tcase_add_test(cases, no_message_shows_the_password);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
