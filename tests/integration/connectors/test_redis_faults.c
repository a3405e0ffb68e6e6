/*
 * Goal:   a Redis that stops, hangs, restarts empty or loses its answers in mid-batch costs nothing
 * that is not in the next batch. Method: a redis-server of the test's own on a free port, SIGSTOP
 * and SIGKILL on it, and a proxy that swallows answers; the test repeats batches as the runner
 * does.
 */
#include "connectors/redis/redis_sink.h"
#include "document_fixture.h"
#include "redis_fixture.h"
#include "tcp_proxy.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { ORDERS = 40, VERSIONS = 5, REPORTS = ORDERS * VERSIONS };

static struct redis_server server;
static struct tcp_proxy *proxy;
static struct sink_fixture sink;
static char proxy_url[64];

static struct oms_execution_report reports[REPORTS];
static struct mr_record records[REPORTS];
static char order_ids[ORDERS][64];
static char exec_ids[REPORTS][64];

static void init_sink(const char *url)
{
    const struct sink_option options[] = {{"url", url}, {"timeout", "500ms"}};

    sink_fixture_init(&sink, &redis_sink, &oms_execution_report_schema, options, MR_COUNT(options));
}

static void set_up(void)
{
    for (size_t i = 0; i < REPORTS; i++) {
        const size_t order = i % ORDERS;

        snprintf(order_ids[order], sizeof(order_ids[order]), "o%zu", order);
        reports[i] = report_of(order_ids[order], (int32_t)(i / ORDERS) + 1,
                               OMS_ORDER_STATUS_ACCEPTED, exec_ids[i]);
        records[i] = record_of(&reports[i], 0, (int64_t)i);
    }
    redis_server_start(&server, NULL);
    proxy = tcp_proxy_start("127.0.0.1", server.port);
    snprintf(proxy_url, sizeof(proxy_url), "redis://127.0.0.1:%d", tcp_proxy_port(proxy));
    sink = (struct sink_fixture){0};
}

static void tear_down(void)
{
    sink_fixture_fini(&sink);
    tcp_proxy_stop(&proxy);
    redis_server_stop(&server);
}

static void expect_everything(void)
{
    char key[80];

    for (size_t i = 0; i < ORDERS; i++) {
        snprintf(key, sizeof(key), "order:%.63s", order_ids[i]);
        ck_assert_str_eq(REDIS_ASK(server.url, "HGET", key, "version"), "5");
        ck_assert_str_eq(REDIS_ASK(server.url, "HGET", key, "cumQty"), "5");
    }
    ck_assert_str_eq(REDIS_ASK(server.url, "DBSIZE"), "40");
}

static void expect_unavailable(enum mr_status status)
{
    ck_assert_msg(status == MR_UNAVAILABLE, "%s: %s", mr_status_name(status), sink.err.text);
    ck_assert_msg(strstr(sink.err.text, "127.0.0.1:") != NULL, "no address in: %s", sink.err.text);
}

START_TEST(a_hanging_server_is_waited_for)
{
    init_sink(server.url);
    sink_must_open(&sink);
    sink_must_write(&sink, records, REPORTS / 2);
    ck_assert_int_eq(kill(server.pid, SIGSTOP), 0);
    expect_unavailable(sink_write(&sink, records + REPORTS / 2, REPORTS / 2));
    expect_unavailable(sink_open(&sink));
    ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
    sink_must_open(&sink);
    sink_must_write(&sink, records + REPORTS / 2, REPORTS / 2);
    expect_everything();
}
END_TEST

START_TEST(a_restarted_server_gets_everything_that_is_handed_over_again)
{
    init_sink(server.url);
    sink_must_open(&sink);
    sink_must_write(&sink, records, REPORTS / 2);
    redis_server_stop(&server);
    expect_unavailable(sink_write(&sink, records + REPORTS / 2, REPORTS / 2));
    expect_unavailable(sink_open(&sink));
    redis_server_restart(&server);
    sink_must_open(&sink);
    sink_must_write(&sink, records + REPORTS / 2, REPORTS / 2);
    expect_everything();
}
END_TEST

START_TEST(a_lost_answer_changes_nothing)
{
    init_sink(proxy_url);
    sink_must_open(&sink);
    tcp_proxy_set(proxy, TCP_DROP_ACKS);
    expect_unavailable(sink_write(&sink, records, REPORTS));
    tcp_proxy_set(proxy, TCP_PASS);
    sink_must_open(&sink);
    sink_must_write(&sink, records, REPORTS);
    expect_everything();
    /* All of it once more, oldest first. */
    for (size_t i = 0; i < REPORTS; i += ORDERS) {
        sink_must_write(&sink, records + i, ORDERS);
    }
    expect_everything();
}
END_TEST

START_TEST(a_refused_connection_names_the_address)
{
    char address[32];

    init_sink(proxy_url);
    tcp_proxy_set(proxy, TCP_REFUSE);
    expect_unavailable(sink_open(&sink));
    snprintf(address, sizeof(address), "127.0.0.1:%d", tcp_proxy_port(proxy));
    ck_assert_str_eq(redis_sink.address(sink.state), address);
}
END_TEST

START_TEST(a_full_server_is_waited_for)
{
    init_sink(server.url);
    sink_must_open(&sink);
    ck_assert_str_eq(REDIS_ASK(server.url, "CONFIG", "SET", "maxmemory", "1"), "OK");
    expect_unavailable(sink_write(&sink, records, REPORTS));
    ck_assert_str_eq(REDIS_ASK(server.url, "CONFIG", "SET", "maxmemory", "0"), "OK");
    sink_must_write(&sink, records, REPORTS);
    expect_everything();
}
END_TEST

START_TEST(credentials_decide_before_anything_is_written)
{
    static const struct {
        const char *why, *login;
        enum mr_class expected;
    } ROWS[] = {
        {"none", "", MR_CLASS_FATAL},
        {"the wrong one", ":wrong@", MR_CLASS_FATAL},
        {"the right one", ":hush@", MR_CLASS_OK},
        {"with a user", "default:hush@", MR_CLASS_OK},
        {"percent-encoded", ":%68ush@", MR_CLASS_OK},
    };
    struct redis_server locked;
    char url[128];

    redis_server_start(&locked, "hush");
    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        enum mr_status status;

        snprintf(url, sizeof(url), "redis://%s127.0.0.1:%d/2", ROWS[i].login, locked.port);
        init_sink(url);
        status = sink_open(&sink);
        ck_assert_msg(mr_status_class(status) == ROWS[i].expected, "%s: %s", ROWS[i].why,
                      sink.err.text);
        ck_assert_ptr_null(strstr(sink.err.text, "hush"));
        sink_fixture_fini(&sink);
    }
    redis_server_stop(&locked);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redis faults");
    TCase *cases = tcase_create("server");
    SRunner *runner;
    int failed;

    (void)signal(SIGPIPE, SIG_IGN);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_hanging_server_is_waited_for);
    tcase_add_test(cases, a_restarted_server_gets_everything_that_is_handed_over_again);
    tcase_add_test(cases, a_lost_answer_changes_nothing);
    tcase_add_test(cases, a_refused_connection_names_the_address);
    tcase_add_test(cases, a_full_server_is_waited_for);
    tcase_add_test(cases, credentials_decide_before_anything_is_written);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
