/*
 * Goal:   probes and metrics are answered with the right status, type and body.
 * Method: a server on a free port and a client of a few socket calls.
 */
#include "millrace/http.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct mr_http *http;
static uint16_t port;
static bool ready_now;

static bool ready(void *arg, struct mr_buffer *body)
{
    (void)arg;
    mr_buffer_printf(body, "{\"state\":\"%s\"}\n", ready_now ? "running" : "restoring");
    return ready_now;
}

static void write_metrics(void *arg, struct mr_buffer *body)
{
    mr_buffer_printf(body, "x_total %d\n", *(const int *)arg);
}

static void set_up(void)
{
    static int value = 42;
    struct mr_err err = {0};
    const struct mr_http_options options = {
        .ready = ready, .metrics = write_metrics, .arg = &value};

    ready_now = false;
    ck_assert_int_eq(mr_http_start(&options, &http, &port, &err), MR_OK);
    ck_assert_uint_gt(port, 0);
}

static void tear_down(void)
{
    mr_http_stop(&http);
    ck_assert_ptr_null(http);
    mr_http_stop(&http);
}

static void ask(const char *method, const char *path, char *answer, size_t bytes)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    char request[256];
    size_t got = 0;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    const int len =
        snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
                 method, path);
    ck_assert_int_eq(write(fd, request, (size_t)len), len);
    for (;;) {
        const ssize_t n = read(fd, answer + got, bytes - got - 1);
        if (n <= 0) {
            break;
        }
        got += (size_t)n;
    }
    answer[got] = '\0';
    ck_assert_int_eq(close(fd), 0);
}

static const struct row {
    const char *why;
    const char *method;
    const char *path;
    bool ready;
    const char *status;
    const char *holds;
} rows[] = {
    {"alive without a callback", "GET", "/health", false, "200", "{\"ok\":true}"},
    {"not ready", "GET", "/ready", false, "503", "{\"state\":\"restoring\"}"},
    {"ready", "GET", "/ready", true, "200", "{\"state\":\"running\"}"},
    {"metrics", "GET", "/metrics", false, "200", "x_total 42\n"},
    {"metrics' type", "GET", "/metrics", false, "200", "text/plain; version=0.0.4"},
    {"type of a probe", "GET", "/ready", true, "200", "application/json"},
    {"query is ignored", "GET", "/health?verbose=1", false, "200", "ok"},
    {"no such path", "GET", "/", false, "404", "try /health"},
    {"not a prefix match", "GET", "/healthz", false, "404", "try /health"},
    {"no writing", "DELETE", "/health", false, "405", "GET, HEAD"},
    {"head has no body", "HEAD", "/health", false, "200", "Content-Length: 12"},
};

START_TEST(a_request_is_answered)
{
    const struct row *row = &rows[_i];
    char answer[4096];
    char status[32];

    ready_now = row->ready;
    ask(row->method, row->path, answer, sizeof(answer));
    (void)snprintf(status, sizeof(status), "HTTP/1.1 %s ", row->status);
    ck_assert_msg(strncmp(answer, status, strlen(status)) == 0, "%s: %s", row->why, answer);
    ck_assert_msg(strstr(answer, row->holds) != NULL, "%s: %s", row->why, answer);
}
END_TEST

START_TEST(a_wrong_address_and_a_taken_port_are_named)
{
    struct mr_http *other = NULL;
    struct mr_err err = {0};
    uint16_t unused = 0;

    ck_assert_int_eq(
        mr_http_start(&(struct mr_http_options){.address = "localhost"}, &other, &unused, &err),
        MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "\"localhost\" is not an IPv4 address"));
    ck_assert_int_eq(mr_http_start(&(struct mr_http_options){.port = port}, &other, &unused, &err),
                     MR_RESOURCE);
    ck_assert_ptr_nonnull(strstr(err.text, "is the port in use?"));
    ck_assert_ptr_null(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tcase = tcase_create("http");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_request_is_answered, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, a_wrong_address_and_a_taken_port_are_named);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
