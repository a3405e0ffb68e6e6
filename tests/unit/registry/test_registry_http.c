/*
 * Goal:   the HTTP client asks what the Confluent API wants and turns every answer into one status.
 * Method: a scripted server on a free loopback port, in a thread of the test.
 */
#include "connectors/registry/registry_http.h"
#include "fake_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fake_server *server;
static struct mr_registry *registry;
static struct mr_err err;
static int32_t id;

static void start(const struct fake_answer *answers, size_t count)
{
    server = fake_server_start(answers, count);
    ck_assert_int_eq(mr_registry_http_create(fake_server_url(server), &registry, &err), MR_OK);
}

static void set_up(void)
{
    server = NULL;
    registry = NULL;
    err = (struct mr_err){0};
    id = 0;
}

static void tear_down(void)
{
    mr_registry_destroy(&registry);
    if (server != NULL) {
        fake_server_stop(&server);
    }
}

START_TEST(registering_posts_the_schema_under_its_subject)
{
    static const struct fake_answer ANSWERS[] = {{.code = 200, .body = "{\"id\":7}"}};

    start(ANSWERS, 1);
    ck_assert_int_eq(
        registry->ops->register_schema(registry, "a b/c-value", "{ \"type\": \"int\" }", &id, &err),
        MR_OK);
    ck_assert_int_eq(id, 7);
    ck_assert_str_eq(fake_server_line(server), "POST /subjects/a%20b%2Fc-value/versions HTTP/1.1");
    ck_assert_str_eq(fake_server_body(server), "{\"schema\":\"{\\\"type\\\":\\\"int\\\"}\"}");
    ck_assert_ptr_nonnull(
        strstr(fake_server_head(server), "Content-Type: application/vnd.schemaregistry.v1+json"));
}
END_TEST

START_TEST(looking_up_posts_to_the_subject_itself)
{
    static const struct fake_answer ANSWERS[] = {
        {.code = 200, .body = "{\"subject\":\"s\",\"id\":8,\"version\":1}"}};

    start(ANSWERS, 1);
    ck_assert_int_eq(registry->ops->lookup(registry, "s", "\"int\"", &id, &err), MR_OK);
    ck_assert_int_eq(id, 8);
    ck_assert_str_eq(fake_server_line(server), "POST /subjects/s HTTP/1.1");
}
END_TEST

START_TEST(a_schema_is_fetched_by_its_id)
{
    static const struct fake_answer ANSWERS[] = {
        {.code = 200, .body = "{\"schema\":\"\\\"int\\\"\"}"}};
    char *json = NULL;

    start(ANSWERS, 1);
    ck_assert_int_eq(registry->ops->schema_by_id(registry, 12, &json, &err), MR_OK);
    ck_assert_str_eq(json, "\"int\"");
    free(json);
    ck_assert_str_eq(fake_server_line(server), "GET /schemas/ids/12 HTTP/1.1");
}
END_TEST

START_TEST(compatibility_is_asked_and_set)
{
    static const struct fake_answer ANSWERS[] = {
        {.code = 200, .body = "{\"is_compatible\":false}"},
        {.code = 200, .body = "{\"is_compatible\":true}"},
        {.code = 404, .body = "{\"error_code\":40401,\"message\":\"no subject\"}"},
        {.code = 200, .body = "{\"compatibility\":\"BACKWARD\"}"},
    };
    bool compatible = true;

    start(ANSWERS, 4);
    ck_assert_int_eq(registry->ops->compatible(registry, "s", "\"int\"", &compatible, &err), MR_OK);
    ck_assert(!compatible);
    ck_assert_str_eq(fake_server_line(server),
                     "POST /compatibility/subjects/s/versions/latest HTTP/1.1");
    ck_assert_int_eq(registry->ops->compatible(registry, "s", "\"int\"", &compatible, &err), MR_OK);
    ck_assert(compatible);
    compatible = false;
    ck_assert_int_eq(registry->ops->compatible(registry, "s", "\"int\"", &compatible, &err), MR_OK);
    ck_assert(compatible);
    ck_assert_int_eq(registry->ops->set_compatibility(registry, "s", "BACKWARD", &err), MR_OK);
    ck_assert_str_eq(fake_server_line(server), "PUT /config/s HTTP/1.1");
    ck_assert_str_eq(fake_server_body(server), "{\"compatibility\":\"BACKWARD\"}");
    ck_assert_uint_eq(fake_server_connections(server), 1);
}
END_TEST

START_TEST(versions_are_asked_for_and_put_in_order)
{
    static const struct fake_answer ANSWERS[] = {
        {.code = 200, .body = "[10,9,2]"},
        {.code = 404, .body = "{\"error_code\":40401,\"message\":\"no subject\"}"},
        {.code = 200, .body = "[1,\"2\"]"},
        {.code = 200, .body = "{\"version\":9,\"schema\":\"\\\"int\\\"\"}"},
    };
    int32_t *versions = NULL;
    size_t count = 0;
    char *json = NULL;

    start(ANSWERS, 4);
    ck_assert_int_eq(registry->ops->versions(registry, "a b", &versions, &count, &err), MR_OK);
    ck_assert_str_eq(fake_server_line(server), "GET /subjects/a%20b/versions HTTP/1.1");
    ck_assert_uint_eq(count, 3);
    ck_assert(versions[0] == 2 && versions[1] == 9 && versions[2] == 10);
    free(versions);
    ck_assert_int_eq(registry->ops->versions(registry, "s", &versions, &count, &err), MR_OK);
    ck_assert_uint_eq(count, 0);
    free(versions);
    ck_assert_int_eq(registry->ops->versions(registry, "s", &versions, &count, &err), MR_CONFIG);
    ck_assert_ptr_null(versions);
    ck_assert_int_eq(registry->ops->schema_of_version(registry, "s", 9, &json, &err), MR_OK);
    ck_assert_str_eq(fake_server_line(server), "GET /subjects/s/versions/9 HTTP/1.1");
    ck_assert_str_eq(json, "\"int\"");
    free(json);
}
END_TEST

struct answer_case {
    struct fake_answer answer;
    enum mr_status want;
    const char *says;
    const char *why;
};

static const struct answer_case CASES[] = {
    {{404, "{\"error_code\":40403,\"message\":\"Schema not found\"}", 0},
     MR_SCHEMA_UNKNOWN,
     "Schema not found",
     "unknown id or subject"},
    {{409, "{\"error_code\":409,\"message\":\"incompatible\"}", 0},
     MR_EXISTS,
     "incompatible",
     "refused as incompatible"},
    {{422, "{\"error_code\":42201,\"message\":\"Invalid schema\"}", 0},
     MR_CONFIG,
     "Invalid schema",
     "does not parse"},
    {{401, NULL, 0}, MR_CONFIG, "HTTP 401", "credentials are configuration"},
    {{500, "{\"message\":\"oops\"}", 0}, MR_UNAVAILABLE, "HTTP 500", "the server is in trouble"},
    {{503, "<html>", 0}, MR_UNAVAILABLE, "HTTP 503", "a proxy speaks for it"},
    {{429, NULL, 0}, MR_UNAVAILABLE, "HTTP 429", "too many requests: later"},
    {{200, "<html>hello</html>", 0}, MR_CONFIG, "HTTP 200", "not a registry at all"},
    {{200, "{\"id\":\"7\"}", 0}, MR_CONFIG, "HTTP 200", "an id that is no number"},
    {{200, "{\"id\":2147483648}", 0}, MR_CONFIG, "HTTP 200", "an id beyond four bytes"},
    {{200, "{\"id\":-1}", 0}, MR_CONFIG, "HTTP 200", "a negative id"},
    {{200, NULL, 0}, MR_CONFIG, "HTTP 200", "no body"},
    {{200, "{\"id\":7}", (size_t)5 << 20}, MR_CONFIG, "beyond", "an answer without end"},
    {{0, NULL, 0}, MR_UNAVAILABLE, "does not answer", "the connection ends without an answer"},
};

START_TEST(an_answer_becomes_one_status)
{
    const struct answer_case *c = &CASES[_i];
    /* curl asks once more when a kept connection dies; the first request has none. */
    enum mr_status got = MR_OK;

    start(&c->answer, 1);
    got = registry->ops->register_schema(registry, "s", "\"int\"", &id, &err);
    ck_assert_msg(got == c->want, "%s: %s (%s)", c->why, mr_status_name(got), err.text);
    ck_assert_msg(strstr(err.text, c->says) != NULL, "%s: %s", c->why, err.text);
    ck_assert_msg(strstr(err.text, fake_server_url(server)) != NULL, "%s: %s", c->why, err.text);
}
END_TEST

/* A port that was free a moment ago: bound, never listened on. */
START_TEST(an_absent_server_is_named_with_its_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    const int bound = socket(AF_INET, SOCK_STREAM, 0);
    char url[64];

    ck_assert_int_eq(bind(bound, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(bound, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    ck_assert_int_eq(mr_registry_http_create(url, &registry, &err), MR_OK);
    ck_assert_int_eq(registry->ops->lookup(registry, "s", "\"int\"", &id, &err), MR_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.text, url));
    ck_assert_int_eq(mr_status_class(err.status), MR_CLASS_RETRY);
    (void)close(bound);
}
END_TEST

START_TEST(a_password_is_used_and_never_printed)
{
    static const struct fake_answer ANSWERS[] = {{.code = 403, .body = "{}"}};
    char url[128];

    server = fake_server_start(ANSWERS, 1);
    (void)snprintf(url, sizeof(url), "http://me:secret@%s/base/", fake_server_url(server) + 7);
    ck_assert_int_eq(mr_registry_http_create(url, &registry, &err), MR_OK);
    ck_assert_int_eq(registry->ops->lookup(registry, "s", "\"int\"", &id, &err), MR_CONFIG);
    ck_assert_ptr_null(strstr(err.text, "secret"));
    ck_assert_ptr_nonnull(strstr(err.text, fake_server_url(server)));
    ck_assert_str_eq(fake_server_line(server), "POST /base/subjects/s HTTP/1.1");
    /* me:secret */
    ck_assert_ptr_nonnull(strstr(fake_server_head(server), "Authorization: Basic bWU6c2VjcmV0"));
}
END_TEST

static const char *const BAD_URLS[] = {"",        "localhost:8081", "ftp://host",
                                       "http://", "http:///x",      "file:///etc/passwd"};

START_TEST(what_is_no_http_address_is_refused)
{
    ck_assert_int_eq(mr_registry_http_create(BAD_URLS[_i], &registry, &err), MR_CONFIG);
    ck_assert_ptr_null(registry);
}
END_TEST

#define THREADS 4
#define CALLS 25

static void *call_often(void *arg)
{
    int *ok = arg;

    for (int i = 0; i < CALLS; i++) {
        struct mr_err own = {0};
        int32_t got = 0;

        *ok += registry->ops->lookup(registry, "s", "\"int\"", &got, &own) == MR_OK && got == 3;
    }
    return NULL;
}

START_TEST(threads_may_call_at_once)
{
    static struct fake_answer answers[THREADS * CALLS];
    pthread_t threads[THREADS];
    int ok[THREADS] = {0};

    for (size_t i = 0; i < MR_COUNT(answers); i++) {
        answers[i] = (struct fake_answer){.code = 200, .body = "{\"id\":3}"};
    }
    start(answers, MR_COUNT(answers));
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, &ok[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(ok[i], CALLS);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry_http");
    TCase *tcase = tcase_create("http");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, registering_posts_the_schema_under_its_subject);
    tcase_add_test(tcase, looking_up_posts_to_the_subject_itself);
    tcase_add_test(tcase, a_schema_is_fetched_by_its_id);
    tcase_add_test(tcase, compatibility_is_asked_and_set);
    tcase_add_test(tcase, versions_are_asked_for_and_put_in_order);
    tcase_add_loop_test(tcase, an_answer_becomes_one_status, 0, (int)MR_COUNT(CASES));
    tcase_add_test(tcase, an_absent_server_is_named_with_its_address);
    tcase_add_test(tcase, a_password_is_used_and_never_printed);
    tcase_add_loop_test(tcase, what_is_no_http_address_is_refused, 0, (int)MR_COUNT(BAD_URLS));
    tcase_add_test(tcase, threads_may_call_at_once);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
