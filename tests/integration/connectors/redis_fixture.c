/* redis_fixture.c -- see redis_fixture.h. */
#include "redis_fixture.h"

#include "tcp_proxy.h"

#include <check.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void launch(struct redis_server *server, const char *password)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    char port[16];

    snprintf(port, sizeof(port), "%d", server->port);
    server->pid = fork();
    ck_assert_int_ge(server->pid, 0);
    if (server->pid == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
               "--appendonly", "no", "--requirepass", password == NULL ? "" : password,
               (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500; i++) {
        redisContext *link = redisConnect("127.0.0.1", server->port);
        const bool up = link != NULL && link->err == 0;

        redisFree(link);
        if (up) {
            return;
        }
        nanosleep(&pause, NULL);
    }
    ck_abort_msg("redis-server does not start; is it installed?");
}

void redis_server_start(struct redis_server *server, const char *password)
{
    server->port = tcp_free_port();
    snprintf(server->url, sizeof(server->url), "redis://127.0.0.1:%d", server->port);
    launch(server, password);
}

void redis_server_stop(struct redis_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGCONT);
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

void redis_server_restart(struct redis_server *server)
{
    redis_server_stop(server);
    launch(server, NULL);
}

const char *redis_ask(const char *url, size_t argc, const char *const *argv)
{
    static char texts[8][512];
    static size_t next;
    char *text = texts[next++ % 8];
    char host[64];
    int port = 0;
    redisContext *link;
    redisReply *reply;
    const char *words[16];

    ck_assert_uint_le(argc, 16);
    memcpy(words, argv, argc * sizeof(*words));
    ck_assert_int_eq(sscanf(url, "redis://%63[^:]:%d", host, &port), 2);
    link = redisConnect(host, port);
    ck_assert(link != NULL && link->err == 0);
    reply = redisCommandArgv(link, (int)argc, words, NULL);
    ck_assert_ptr_nonnull(reply);
    if (reply->type == REDIS_REPLY_INTEGER) {
        snprintf(text, sizeof(texts[0]), "%lld", reply->integer);
    } else if (reply->type == REDIS_REPLY_ARRAY) {
        snprintf(text, sizeof(texts[0]), "[%zu]", reply->elements);
    } else {
        snprintf(text, sizeof(texts[0]), "%s", reply->str == NULL ? "" : reply->str);
    }
    freeReplyObject(reply);
    redisFree(link);
    return text;
}
