/* http.c -- libmicrohttpd with a thread for each connection behind millrace/http.h. */
#include "millrace/http.h"

#include "millrace/arena.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define CONNECTIONS_MAX 64u
#define IDLE_SECONDS 10u
#define STREAM_BLOCK_BYTES ((size_t)16 * 1024)
#define HEARTBEAT_SECONDS 1

struct mr_http {
    struct mr_http_options options;
    struct MHD_Daemon *daemon;
    _Atomic bool stopping;
};

struct mr_http_request {
    struct MHD_Connection *connection;
    const char *path;
};

const char *mr_http_path(const struct mr_http_request *request)
{
    return request->path;
}

const char *mr_http_query(const struct mr_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void mr_http_refuse(struct mr_http_answer *answer, unsigned status, const char *text)
{
    answer->status = status;
    mr_buffer_clear(&answer->body);
    mr_buffer_printf(&answer->body, "{\"error\":\"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            mr_buffer_append(&answer->body, "\\", 1);
        }
        mr_buffer_append(&answer->body, (uint8_t)*c < 0x20 ? " " : c, 1);
    }
    mr_buffer_printf(&answer->body, "\"}\n");
}

/* ---- what is answered ------------------------------------------------------------------------ */

static void ask_probe(const struct mr_http *http, mr_http_probe *probe,
                      struct mr_http_answer *answer)
{
    const bool yes = probe == NULL || probe(http->options.arg, &answer->body);

    if (answer->body.len == 0) {
        mr_buffer_printf(&answer->body, "{\"ok\":%s}\n", yes ? "true" : "false");
    }
    answer->status = yes ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static void answer_path(const struct mr_http *http, const struct mr_http_request *request,
                        struct mr_http_answer *answer)
{
    const struct mr_http_options *o = &http->options;

    if (strcmp(request->path, "/metrics") == 0 && o->metrics != NULL) {
        answer->type = "text/plain; version=0.0.4; charset=utf-8";
        o->metrics(o->arg, &answer->body);
    } else if (strcmp(request->path, "/health") == 0) {
        ask_probe(http, o->health, answer);
    } else if (strcmp(request->path, "/ready") == 0) {
        ask_probe(http, o->ready, answer);
    } else if (o->handle == NULL || !o->handle(o->arg, request, answer)) {
        mr_http_refuse(answer, MHD_HTTP_NOT_FOUND, "try /health, /ready or /metrics");
    }
}

/* ---- streams --------------------------------------------------------------------------------- */

struct streaming {
    struct mr_http *http;
    struct mr_http_stream stream;
    struct mr_buffer waiting; /* appended, not yet sent */
    size_t sent;
    bool ended;
};

static int64_t now_s(void)
{
    struct timespec now;

    MR_ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec;
}

static ssize_t read_stream(void *arg, uint64_t position, char *buffer, size_t max)
{
    struct streaming *s = arg;
    const int64_t since_s = now_s();
    size_t bytes;

    (void)position;
    if (s->sent == s->waiting.len) {
        mr_buffer_clear(&s->waiting);
        s->sent = 0;
    }
    while (s->waiting.len == 0 && !s->ended) {
        if (atomic_load(&s->http->stopping)) {
            return MHD_CONTENT_READER_END_OF_STREAM;
        }
        s->ended = !s->stream.next(s->stream.state, &s->waiting);
        if (s->waiting.len == 0 && !s->ended && now_s() - since_s > HEARTBEAT_SECONDS) {
            mr_buffer_append(&s->waiting, "\n", 1);
        }
    }
    if (s->waiting.len == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    bytes = s->waiting.len - s->sent < max ? s->waiting.len - s->sent : max;
    memcpy(buffer, s->waiting.data + s->sent, bytes);
    s->sent += bytes;
    return (ssize_t)bytes;
}

static void close_stream(void *arg)
{
    struct streaming *s = arg;

    s->stream.close(s->stream.state);
    mr_buffer_fini(&s->waiting);
    free(s);
}

static struct MHD_Response *make_response(struct mr_http *http, struct mr_http_answer *answer)
{
    struct streaming *s;

    if (answer->stream.next == NULL) {
        return MHD_create_response_from_buffer(answer->body.len, answer->body.data,
                                               MHD_RESPMEM_MUST_COPY);
    }
    s = mr_xcalloc(1, sizeof(*s));
    s->http = http;
    s->stream = answer->stream;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, s,
                                             close_stream);
}

/* ---- libmicrohttpd --------------------------------------------------------------------------- */

static enum MHD_Result serve(void *arg, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_bytes, void **state)
{
    struct mr_http *http = arg;
    const struct mr_http_request request = {.connection = connection, .path = path};
    struct mr_http_answer answer = {.status = MHD_HTTP_OK, .type = "application/json"};
    struct MHD_Response *response;
    enum MHD_Result queued;

    (void)version;
    (void)upload;
    (void)state;
    *upload_bytes = 0;
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
        answer_path(http, &request, &answer);
    } else {
        mr_http_refuse(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD");
    }
    response = make_response(http, &answer);
    mr_buffer_fini(&answer.body);
    if (response == NULL) {
        return MHD_NO;
    }
    queued = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
    if (queued == MHD_YES && answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        queued = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    if (queued == MHD_YES) {
        queued = MHD_queue_response(connection, answer.status, response);
    }
    MHD_destroy_response(response);
    return queued;
}

enum mr_status mr_http_start(const struct mr_http_options *options, struct mr_http **http,
                             uint16_t *port, struct mr_err *err)
{
    const char *address = options->address != NULL ? options->address : "127.0.0.1";
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(options->port)};

    *http = NULL;
    if (inet_pton(AF_INET, address, &where.sin_addr) != 1) {
        return mr_fail(err, MR_CONFIG, "\"%s\" is not an IPv4 address to listen on", address);
    }
    struct mr_http *self = mr_xcalloc(1, sizeof(*self));
    self->options = *options;
    self->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_AUTO,
        options->port, NULL, NULL, &serve, self, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&where,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_END);
    if (self->daemon == NULL) {
        free(self);
        return mr_fail(err, MR_RESOURCE, "cannot listen on %s:%u: is the port in use?", address,
                       (unsigned)options->port);
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_BIND_PORT);
    MR_ASSERT(info != NULL);
    *port = info->port;
    *http = self;
    return MR_OK;
}

void mr_http_stop(struct mr_http **http)
{
    if (*http == NULL) {
        return;
    }
    atomic_store(&(*http)->stopping, true);
    MHD_stop_daemon((*http)->daemon);
    free(*http);
    *http = NULL;
}
