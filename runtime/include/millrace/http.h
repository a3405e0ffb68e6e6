/*
 * http.h -- what a process says about itself: GET /health, /ready and /metrics.
 *
 * /health answers 200 as long as the process can answer, unless its callback says no;
 * /ready  answers 200 when its callback says yes, else 503: assigned and restored;
 * /metrics is Prometheus text. Anything else is 404, another method than GET and HEAD 405.
 *
 * Thread: callbacks run on the server's own thread, one at a time, until mr_http_stop returns.
 * Not: the gateway. This serves operators and probes, and has no bodies to read.
 */
#ifndef MILLRACE_HTTP_H
#define MILLRACE_HTTP_H

#include "millrace/buffer.h"

struct mr_http;

/* Appends one JSON object that says why; true: 200, false: 503. */
typedef bool mr_http_probe(void *arg, struct mr_buffer *body);

struct mr_http_options {
    const char *address;   /* IPv4 to listen on; NULL: 127.0.0.1; 0.0.0.0: everywhere */
    uint16_t port;         /* 0: any free one */
    mr_http_probe *health; /* NULL: always yes */
    mr_http_probe *ready;  /* NULL: always yes */
    void (*metrics)(void *arg, struct mr_buffer *body); /* NULL: 404 */
    void *arg;
};

/* *port: the one that is listened on. MR_CONFIG: not an address; MR_RESOURCE: cannot listen. */
MR_NODISCARD enum mr_status mr_http_start(const struct mr_http_options *options,
                                          struct mr_http **http, uint16_t *port,
                                          struct mr_err *err);
/* Finishes open answers and stops listening. */
void mr_http_stop(struct mr_http **http);

#endif
