/* http.c -- libmicrohttpd with one polling thread behind millrace/http.h. */
#include "millrace/http.h"

#include "millrace/arena.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 64u
#define IDLE_SECONDS 10u

struct mr_http {
    struct mr_http_options options;
    struct MHD_Daemon *daemon;
    struct mr_buffer body; /* of the server's thread */
};

static unsigned answer(struct mr_http *http, const char *path, const char **type)
{
    const struct mr_http_options *o = &http->options;
    mr_http_probe *probe = NULL;

    mr_buffer_clear(&http->body);
    *type = "application/json";
    if (strcmp(path, "/metrics") == 0 && o->metrics != NULL) {
        *type = "text/plain; version=0.0.4; charset=utf-8";
        o->metrics(o->arg, &http->body);
        return MHD_HTTP_OK;
    }
    if (strcmp(path, "/health") == 0) {
        probe = o->health;
    } else if (strcmp(path, "/ready") == 0) {
        probe = o->ready;
    } else {
        mr_buffer_printf(&http->body, "{\"error\":\"try /health, /ready or /metrics\"}\n");
        return MHD_HTTP_NOT_FOUND;
    }
    const bool yes = probe == NULL || probe(o->arg, &http->body);
    if (http->body.len == 0) {
        mr_buffer_printf(&http->body, "{\"ok\":%s}\n", yes ? "true" : "false");
    }
    return yes ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result serve(void *arg, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_bytes, void **state)
{
    struct mr_http *http = arg;
    const char *type = "application/json";
    unsigned status = MHD_HTTP_METHOD_NOT_ALLOWED;

    (void)version;
    (void)upload;
    (void)state;
    *upload_bytes = 0;
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
        status = answer(http, path, &type);
    } else {
        mr_buffer_clear(&http->body);
        mr_buffer_printf(&http->body, "{\"error\":\"GET or HEAD\"}\n");
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(http->body.len, http->body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result queued = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (queued == MHD_YES && status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        queued = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    if (queued == MHD_YES) {
        queued = MHD_queue_response(connection, status, response);
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
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, options->port, NULL, NULL, &serve, self,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&where, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
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
    MHD_stop_daemon((*http)->daemon);
    mr_buffer_fini(&(*http)->body);
    free(*http);
    *http = NULL;
}
