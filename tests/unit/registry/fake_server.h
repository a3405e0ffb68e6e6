/* fake_server.h -- an HTTP server on a free port of the loopback, one thread, scripted answers. */
#ifndef TESTS_REGISTRY_FAKE_SERVER_H
#define TESTS_REGISTRY_FAKE_SERVER_H

#include <stddef.h>

#define FAKE_TEXT_MAX 8192

struct fake_answer {
    int code;         /* 0: close the connection without a word */
    const char *body; /* NULL: none */
    size_t padding;   /* spaces behind the body */
};

struct fake_server;

/* Gives the answers in order, one for each request; borrowed, and must outlive the server. */
struct fake_server *fake_server_start(const struct fake_answer *answers, size_t count);
/* Ends the thread; may be called before every answer was fetched. */
void fake_server_stop(struct fake_server **server);

/* "http://127.0.0.1:PORT" */
const char *fake_server_url(const struct fake_server *server);
/* First line, then head and body of the last request; call after the answer arrived. */
const char *fake_server_line(struct fake_server *server);
const char *fake_server_body(struct fake_server *server);
const char *fake_server_head(struct fake_server *server);
/* Connections accepted so far. */
size_t fake_server_connections(struct fake_server *server);

#endif
