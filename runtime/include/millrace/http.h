/*
 * http.h -- what a process says about itself: GET /health, /ready, /metrics, and what its owner
 * adds.
 *
 * /health answers 200 as long as the process can answer, unless its callback says no;
 * /ready  answers 200 when its callback says yes, else 503: assigned and restored;
 * /metrics is Prometheus text. Other paths are the handler's; what it does not know is 404. Another
 * method than GET and HEAD is 405.
 *
 * Thread: each connection has one, so that an answer that takes long holds up no probe. Callbacks
 * run on them, several at a time, until mr_http_stop returns.
 * Not: the gateway. This serves operators and probes, and has no bodies to read.
 */
#ifndef MILLRACE_HTTP_H
#define MILLRACE_HTTP_H

#include "millrace/buffer.h"

struct mr_http;
struct mr_http_request;

/* Appends one JSON object that says why; true: 200, false: 503. */
typedef bool mr_http_probe(void *arg, struct mr_buffer *body);

/* An answer that comes bit by bit. */
struct mr_http_stream {
    /*
     * Appends what there is, having waited for it at most a few tens of milliseconds; nothing is
     * fine. False: that was the end. After a second of nothing the client is sent an empty line,
     * which is how one that has gone is noticed.
     */
    bool (*next)(void *state, struct mr_buffer *out);
    void (*close)(void *state);
    void *state;
};

struct mr_http_answer {
    unsigned status;  /* 200 unless changed */
    const char *type; /* application/json unless changed */
    struct mr_buffer body;
    struct mr_http_stream stream; /* next NULL: the body is all */
};

/* The path without its query. */
const char *mr_http_path(const struct mr_http_request *request);
/* A parameter of the query, decoded; NULL: not given. */
const char *mr_http_query(const struct mr_http_request *request, const char *name);
/* A body {"error": text} with the status; text is quoted. */
void mr_http_refuse(struct mr_http_answer *answer, unsigned status, const char *text);

struct mr_http_options {
    const char *address;   /* IPv4 to listen on; NULL: 127.0.0.1; 0.0.0.0: everywhere */
    uint16_t port;         /* 0: any free one */
    mr_http_probe *health; /* NULL: always yes */
    mr_http_probe *ready;  /* NULL: always yes */
    void (*metrics)(void *arg, struct mr_buffer *body); /* NULL: 404 */
    /* False: no such path. NULL: there are no others. */
    bool (*handle)(void *arg, const struct mr_http_request *request, struct mr_http_answer *answer);
    void *arg;
};

/* *port: the one that is listened on. MR_CONFIG: not an address; MR_RESOURCE: cannot listen. */
MR_NODISCARD enum mr_status mr_http_start(const struct mr_http_options *options,
                                          struct mr_http **http, uint16_t *port,
                                          struct mr_err *err);
/* Finishes open answers, ends streams and stops listening. */
void mr_http_stop(struct mr_http **http);

#endif
