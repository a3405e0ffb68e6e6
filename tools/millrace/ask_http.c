/* ask_http.c -- libcurl behind ask_http.h. */
#include "ask_http.h"

#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#define CONNECT_TIMEOUT_MS 2000L
#define ANSWER_TIMEOUT_MS 10000L
#define ANSWER_BYTES_MAX ((size_t)64 << 20)
#define HTTP_OK 200

struct request {
    CURL *curl;
    const char *address;
    struct mr_buffer url;
    struct mr_buffer body; /* of an answer, or the end of a stream that is no whole line yet */
    const struct ask_http_stream *stream;
    bool enough;
    char failure[CURL_ERROR_SIZE];
};

static void start_curl(void)
{
    MR_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static long code_of(CURL *curl)
{
    long code = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/* Hands over whole lines; what is left waits for the rest of its line. */
static void hand_over_lines(struct request *request)
{
    size_t from = 0;

    for (size_t i = 0; i < request->body.len && !request->enough; i++) {
        if (request->body.data[i] == '\n') {
            const struct mr_slice line = mr_slice_of(request->body.data + from, i - from);

            from = i + 1;
            request->enough = line.len > 0 && !request->stream->visit(request->stream->arg, line);
        }
    }
    if (from > 0) {
        request->body.len -= from;
        memmove(request->body.data, request->body.data + from, request->body.len);
    }
}

/* A short count ends the transfer. */
static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct request *request = arg;
    const size_t bytes = size * count;

    if (bytes > ANSWER_BYTES_MAX - request->body.len) {
        return 0;
    }
    mr_buffer_append(&request->body, data, bytes);
    if (request->stream != NULL && code_of(request->curl) == HTTP_OK) {
        hand_over_lines(request);
    }
    return request->enough ? 0 : bytes;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct request *request = arg;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    request->enough = request->enough || !request->stream->tick(request->stream->arg);
    return request->enough;
}

static void open_request(struct request *request, const char *path)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CURL *curl;

    MR_ASSERT(pthread_once(&once, start_curl) == 0);
    curl = request->curl = curl_easy_init();
    MR_ASSERT(curl != NULL);
    mr_buffer_printf(&request->url, "http://%s%s", request->address, path);
    mr_buffer_append(&request->url, "", 1);
    (void)curl_easy_setopt(curl, CURLOPT_URL, (const char *)request->url.data);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, request->failure);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (request->stream == NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_TIMEOUT_MS);
    } else {
        (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request);
        (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    }
}

static enum mr_status refused(const struct request *request, long code, struct mr_err *err)
{
    json_t *answer = json_loadb((const char *)request->body.data, request->body.len, 0, NULL);
    const char *text = json_string_value(json_object_get(answer, "error"));
    const enum mr_status status =
        mr_fail(err, code >= 500 ? MR_UNAVAILABLE : MR_CONFIG, "%s: %.300s", request->address,
                text != NULL ? text : "refused without a word");

    json_decref(answer);
    return status;
}

static enum mr_status perform(struct request *request, const char *path, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    CURLcode rc;

    open_request(request, path);
    rc = curl_easy_perform(request->curl);
    if (rc != CURLE_OK && !request->enough) {
        status = mr_fail(err, MR_UNAVAILABLE, "%s does not answer: %.200s", request->address,
                         request->failure[0] != '\0' ? request->failure : curl_easy_strerror(rc));
    } else if (!request->enough && code_of(request->curl) != HTTP_OK) {
        status = refused(request, code_of(request->curl), err);
    }
    curl_easy_cleanup(request->curl);
    mr_buffer_fini(&request->url);
    return status;
}

enum mr_status ask_http(const char *address, const char *path, struct mr_buffer *body,
                        struct mr_err *err)
{
    struct request request = {.address = address};
    const enum mr_status status = perform(&request, path, err);

    if (status == MR_OK) {
        mr_buffer_append(body, request.body.data, request.body.len);
    }
    mr_buffer_fini(&request.body);
    return status;
}

enum mr_status ask_http_lines(const char *address, const char *path,
                              const struct ask_http_stream *stream, struct mr_err *err)
{
    struct request request = {.address = address, .stream = stream};
    const enum mr_status status = perform(&request, path, err);

    mr_buffer_fini(&request.body);
    return status;
}

void ask_http_escape(const char *text, struct mr_buffer *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                           (*c >= '0' && *c <= '9') || *c == '.' || *c == '-' || *c == '_';

        mr_buffer_printf(out, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
}
