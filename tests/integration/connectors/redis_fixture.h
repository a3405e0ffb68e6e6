/*
 * redis_fixture.h -- a redis-server of the test's own, and what stands in it.
 */
#ifndef TESTS_REDIS_FIXTURE_H
#define TESTS_REDIS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server {
    pid_t pid;
    int port;
    char url[64];
};

/* password: NULL without one. On a free loopback port, nothing on disk; answers when this returns.
 */
void redis_server_start(struct redis_server *server, const char *password);
/* The same port again, empty. */
void redis_server_restart(struct redis_server *server);
void redis_server_stop(struct redis_server *server);

/* The reply to one command as text; "" for nil, "[n]" for a list of n. Valid until the next few
 * calls. */
const char *redis_ask(const char *url, size_t argc, const char *const *argv);
#define REDIS_ASK(url, ...)                                                                        \
    redis_ask((url), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *),            \
              (const char *const[]){__VA_ARGS__})

#endif
