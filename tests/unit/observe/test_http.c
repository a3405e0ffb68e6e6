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

/* /echo?x=.. says it; /lines streams three lines and then waits for its client to go. */
static _Atomic int lines_left;
static _Atomic int closed;

static bool next_line(void *state, struct mr_buffer *out)
{
    if (lines_left > 0) {
        mr_buffer_printf(out, "line %d\n", lines_left--);
        return true;
    }
    return state != NULL;
}

static void close_lines(void *state)
{
    (void)state;
    closed++;
}

static bool handle(void *arg, const struct mr_http_request *request, struct mr_http_answer *answer)
{
    if (strcmp(mr_http_path(request), "/lines") == 0) {
        /* for ever, unless they are to end */
        answer->stream =
            (struct mr_http_stream){.next = next_line,
                                    .close = close_lines,
                                    .state = mr_http_query(request, "end") != NULL ? NULL : arg};
        return true;
    }
    if (strcmp(mr_http_path(request), "/echo") != 0) {
        return false;
    }
    if (mr_http_query(request, "x") == NULL) {
        mr_http_refuse(answer, 400, "say \"x\"\n");
    } else {
        answer->type = "text/plain";
        mr_buffer_printf(&answer->body, "x is %s", mr_http_query(request, "x"));
    }
    return true;
}

static void set_up(void)
{
    static int value = 42;
    struct mr_err err = {0};
    const struct mr_http_options options = {
        .ready = ready, .metrics = write_metrics, .handle = handle, .arg = &value};

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
    {"a parameter, decoded", "GET", "/echo?y=1&x=a%20b%3D", false, "200", "x is a b="},
    {"its type", "GET", "/echo?x=1", false, "200", "Content-Type: text/plain"},
    {"a parameter is missing", "GET", "/echo", false, "400", "{\"error\":\"say \\\"x\\\" \"}"},
    {"a stream to its end", "GET", "/lines?end=1", false, "200", "line 1"},
    {"head has no body", "HEAD", "/health", false, "200", "Content-Length: 12"},
};

START_TEST(a_request_is_answered)
{
    const struct row *row = &rows[_i];
    char answer[4096];
    char status[32];

    ready_now = row->ready;
    lines_left = 3;
    ask(row->method, row->path, answer, sizeof(answer));
    (void)snprintf(status, sizeof(status), "HTTP/1.1 %s ", row->status);
    ck_assert_msg(strncmp(answer, status, strlen(status)) == 0, "%s: %s", row->why, answer);
    ck_assert_msg(strstr(answer, row->holds) != NULL, "%s: %s", row->why, answer);
}
END_TEST

static int open_stream(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const char request[] = "GET /lines HTTP/1.1\r\nHost: t\r\n\r\n";

    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    ck_assert_int_eq(write(fd, request, sizeof(request) - 1), (ssize_t)sizeof(request) - 1);
    return fd;
}

static void read_until(int fd, const char *what)
{
    char text[4096];
    size_t got = 0;

    text[0] = '\0';
    while (strstr(text, what) == NULL) {
        const ssize_t n = read(fd, text + got, sizeof(text) - got - 1);

        ck_assert_msg(n > 0, "%s", text);
        got += (size_t)n;
        text[got] = '\0';
    }
}

/* A stream that does not end holds up neither a probe nor the end of the server. */
START_TEST(a_stream_is_beside_everything_else)
{
    char answer[1024];
    const int fd = open_stream();

    lines_left = 1;
    closed = 0;
    read_until(fd, "line 1");
    ask("GET", "/health", answer, sizeof(answer));
    ck_assert_ptr_nonnull(strstr(answer, "200"));
    mr_http_stop(&http);
    ck_assert_int_eq(closed, 1);
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(a_listener_that_has_gone_is_noticed)
{
    const int fd = open_stream();

    lines_left = 1;
    closed = 0;
    read_until(fd, "line 1");
    ck_assert_int_eq(close(fd), 0);
    while (closed == 0) { /* the case's time limit ends it */
    }
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
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_stream_is_beside_everything_else);
    tcase_add_test(tcase, a_listener_that_has_gone_is_noticed);
    tcase_add_test(tcase, a_wrong_address_and_a_taken_port_are_named);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
