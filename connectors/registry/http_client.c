/*
 * http_client.c -- libcurl, with every way a request can fail mapped to a status.
 *
 * Why: a server that is away must read as MR_UNAVAILABLE with its address, so that the process
 * waits and says for whom. How: one easy handle, so that the connection is kept; a mutex around it.
 * Not: retries. Whoever calls knows how long it may wait.
 */
#include "http_client.h"

#include "millrace/arena.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 3000L
#define TOTAL_TIMEOUT_MS 15000L
#define ANSWER_BYTES_MAX ((size_t)4 << 20)
#define MEDIA_TYPE "application/vnd.schemaregistry.v1+json"

struct http_client {
    pthread_mutex_t mutex; /* protects curl and failure */
    CURL *curl;
    struct curl_slist *headers;
    char *url;     /* as given, without a slash at the end */
    char *address; /* url without user and password */
    char failure[CURL_ERROR_SIZE];
};

static void start_curl(void)
{
    MR_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

/* "http://user:secret@host/x" -> "http://host/x" */
static char *without_user(const char *url)
{
    char *copy = mr_xstrdup(url);
    char *host = strstr(copy, "://") + 3;
    const size_t authority = strcspn(host, "/?#");
    size_t user = 0;

    for (size_t i = 0; i < authority; i++) {
        user = host[i] == '@' ? i + 1 : user;
    }
    memmove(host, host + user, strlen(host + user) + 1);
    return copy;
}

enum mr_status http_client_create(const char *url, struct http_client **client, struct mr_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_client *c = NULL;
    const char *host = strstr(url, "://");
    size_t len = strlen(url);

    *client = NULL;
    if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || host[3] == '\0' ||
        host[3] == '/') {
        return mr_fail(err, MR_CONFIG,
                       "schema registry: its address must look like http://host:8081");
    }
    MR_ASSERT(pthread_once(&once, start_curl) == 0);
    c = mr_xcalloc(1, sizeof(*c));
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    c->url = mr_xcalloc(len + 1, 1);
    memcpy(c->url, url, len);
    c->address = without_user(c->url);
    c->curl = curl_easy_init();
    c->headers = curl_slist_append(NULL, "Content-Type: " MEDIA_TYPE);
    c->headers = curl_slist_append(c->headers, "Accept: " MEDIA_TYPE ", application/json");
    /* Without this, curl asks before it sends a larger body and may wait a second for the answer.
     */
    c->headers = curl_slist_append(c->headers, "Expect:");
    MR_ASSERT(c->curl != NULL && c->headers != NULL);
    MR_ASSERT(pthread_mutex_init(&c->mutex, NULL) == 0);
    *client = c;
    return MR_OK;
}

void http_client_destroy(struct http_client **client)
{
    struct http_client *c = *client;

    if (c == NULL) {
        return;
    }
    curl_slist_free_all(c->headers);
    curl_easy_cleanup(c->curl);
    (void)pthread_mutex_destroy(&c->mutex);
    free(c->url);
    free(c->address);
    free(c);
    *client = NULL;
}

const char *http_client_address(const struct http_client *client)
{
    return client->address;
}

char *http_client_escape(struct http_client *client, const char *text)
{
    char *escaped = NULL;
    char *copy = NULL;

    MR_ASSERT(pthread_mutex_lock(&client->mutex) == 0);
    escaped = curl_easy_escape(client->curl, text, 0);
    MR_ASSERT(escaped != NULL);
    copy = mr_xstrdup(escaped);
    curl_free(escaped);
    MR_ASSERT(pthread_mutex_unlock(&client->mutex) == 0);
    return copy;
}

/* libcurl's write callback; a short count makes it fail with CURLE_WRITE_ERROR. */
static size_t take_answer(char *data, size_t size, size_t count, void *arg)
{
    struct mr_buffer *answer = arg;
    const size_t bytes = size * count;

    if (bytes > ANSWER_BYTES_MAX - answer->len) {
        return 0;
    }
    mr_buffer_append(answer, data, bytes);
    return bytes;
}

static void set_options(struct http_client *c, const char *url, const struct http_request *request,
                        struct mr_buffer *answer)
{
    curl_easy_reset(c->curl);
    c->failure[0] = '\0';
    (void)curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->failure);
    (void)curl_easy_setopt(c->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, request->method);
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, answer);
    (void)curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, TOTAL_TIMEOUT_MS);
    /* No SIGALRM: there are other threads. */
    (void)curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    if (request->body != NULL) {
        (void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, request->body);
    }
}

static enum mr_status transport_error(const struct http_client *c, CURLcode rc, struct mr_err *err)
{
    const char *text = c->failure[0] == '\0' ? curl_easy_strerror(rc) : c->failure;

    if (rc == CURLE_WRITE_ERROR) {
        return mr_fail(err, MR_CONFIG, "schema registry %s: answer beyond %zu bytes", c->address,
                       ANSWER_BYTES_MAX);
    }
    if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL) {
        return mr_fail(err, MR_CONFIG, "schema registry %s: not an address", c->address);
    }
    return mr_fail(err, MR_UNAVAILABLE, "schema registry %s does not answer: %.200s", c->address,
                   text);
}

enum mr_status http_client_call(struct http_client *client, const struct http_request *request,
                                struct mr_buffer *answer, long *code, struct mr_err *err)
{
    struct mr_buffer url = MR_BUFFER_EMPTY;
    enum mr_status status = MR_OK;
    CURLcode rc = CURLE_OK;

    mr_buffer_printf(&url, "%s%s", client->url, request->path);
    mr_buffer_append(&url, "", 1);
    *code = 0;
    MR_ASSERT(pthread_mutex_lock(&client->mutex) == 0);
    set_options(client, (const char *)url.data, request, answer);
    rc = curl_easy_perform(client->curl);
    if (rc != CURLE_OK) {
        status = transport_error(client, rc, err);
    } else {
        (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, code);
    }
    MR_ASSERT(pthread_mutex_unlock(&client->mutex) == 0);
    mr_buffer_fini(&url);
    if (status == MR_OK && (*code >= 500 || *code == 429)) {
        status = mr_fail(err, MR_UNAVAILABLE, "schema registry %s: %s %s: HTTP %ld",
                         client->address, request->method, request->path, *code);
    }
    return status;
}
