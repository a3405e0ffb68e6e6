/* http_client.h -- small JSON requests to one server. Private to connectors/registry. */
#ifndef CONNECTORS_REGISTRY_HTTP_CLIENT_H
#define CONNECTORS_REGISTRY_HTTP_CLIENT_H

#include "millrace/buffer.h"
#include "millrace/status.h"

struct http_client;

struct http_request {
    const char *method;
    const char *path; /* escaped, begins with a slash */
    const char *body; /* JSON text, or NULL */
};

/* Returns MR_OK | MR_CONFIG for what is no http or https address. */
MR_NODISCARD enum mr_status http_client_create(const char *url, struct http_client **client,
                                               struct mr_err *err);
void http_client_destroy(struct http_client **client);
/* For messages: the address without user and password. Lives as long as the client. */
const char *http_client_address(const struct http_client *client);
/* Percent-escaped for a path; the caller's to free. Any thread. */
char *http_client_escape(struct http_client *client, const char *text);

/*
 * answer  the body, appended
 * *code   status of the answer, below 500 and not 429
 * Returns MR_OK | MR_UNAVAILABLE (no answer, too late, 5xx, 429) | MR_CONFIG (answer too large)
 * Thread: any; calls run one after the other over one connection.
 */
MR_NODISCARD enum mr_status http_client_call(struct http_client *client,
                                             const struct http_request *request,
                                             struct mr_buffer *answer, long *code,
                                             struct mr_err *err);

#endif
