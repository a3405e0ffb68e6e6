/*
 * tcp_proxy.c -- see tcp_proxy.h. One thread, one poll loop; a pipe wakes it.
 */
#include "tcp_proxy.h"

#include "millrace/arena.h"
#include "millrace/status.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX 32
#define CHUNK_BYTES 65536

struct pair {
    int client, server; /* -1: free */
};

struct tcp_proxy {
    pthread_t thread;
    pthread_mutex_t mutex; /* one turn of the loop, or one change from outside */
    _Atomic bool stopping;
    enum tcp_fault fault;
    struct sockaddr_in target;
    int listener;
    int port;
    int wake[2];
    struct pair pairs[PAIRS_MAX];
};

static int loopback_listener(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int tcp_free_port(void)
{
    int port = 0;

    close(loopback_listener(&port));
    return port;
}

static void cut(struct pair *pair)
{
    if (pair->client >= 0) {
        close(pair->client);
        close(pair->server);
    }
    pair->client = -1;
    pair->server = -1;
}

static void take_client(struct tcp_proxy *proxy)
{
    const int client = accept(proxy->listener, NULL, NULL);
    int server;

    if (client < 0) {
        return;
    }
    server = proxy->fault == TCP_REFUSE ? -1 : socket(AF_INET, SOCK_STREAM, 0);
    if (server >= 0 &&
        connect(server, (struct sockaddr *)&proxy->target, sizeof(proxy->target)) == 0) {
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            if (proxy->pairs[i].client < 0) {
                proxy->pairs[i] = (struct pair){.client = client, .server = server};
                return;
            }
        }
    }
    if (server >= 0) {
        close(server);
    }
    close(client);
}

/* False: the connection is over. */
static bool move_bytes(int from, int to)
{
    static char chunk[CHUNK_BYTES];
    const ssize_t got = recv(from, chunk, sizeof(chunk), 0);

    for (ssize_t sent = 0; sent < got;) {
        const ssize_t some = send(to, chunk + sent, (size_t)(got - sent), MSG_NOSIGNAL);

        if (some <= 0) {
            return false;
        }
        sent += some;
    }
    return got > 0;
}

static void serve_pair(struct tcp_proxy *proxy, struct pair *pair, const struct pollfd *polled)
{
    bool alive = true;

    if (pair->client < 0) {
        return;
    }
    if (polled[0].fd == pair->client && polled[0].revents != 0) {
        alive = move_bytes(pair->client, pair->server);
    }
    if (alive && polled[1].fd == pair->server && polled[1].revents != 0) {
        alive = proxy->fault != TCP_DROP_ACKS && move_bytes(pair->server, pair->client);
    }
    if (!alive) {
        cut(pair);
    }
}

static void *run(void *arg)
{
    struct tcp_proxy *proxy = arg;
    struct pollfd polled[2 + 2 * PAIRS_MAX];
    char byte;

    while (!atomic_load(&proxy->stopping)) {
        pthread_mutex_lock(&proxy->mutex);
        polled[0] = (struct pollfd){.fd = proxy->wake[0], .events = POLLIN};
        polled[1] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            const bool stalled = proxy->fault == TCP_STALL;

            polled[2 + 2 * i] =
                (struct pollfd){.fd = stalled ? -1 : proxy->pairs[i].client, .events = POLLIN};
            polled[3 + 2 * i] =
                (struct pollfd){.fd = stalled ? -1 : proxy->pairs[i].server, .events = POLLIN};
        }
        pthread_mutex_unlock(&proxy->mutex);
        if (poll(polled, MR_COUNT(polled), -1) < 0) {
            continue;
        }
        if (polled[0].revents != 0) {
            /* The table above may be of before a change: ask again. */
            (void)!read(proxy->wake[0], &byte, 1);
            continue;
        }
        pthread_mutex_lock(&proxy->mutex);
        for (size_t i = 0; i < PAIRS_MAX && proxy->fault != TCP_STALL; i++) {
            serve_pair(proxy, &proxy->pairs[i], &polled[2 + 2 * i]);
        }
        if (polled[1].revents != 0) {
            take_client(proxy);
        }
        pthread_mutex_unlock(&proxy->mutex);
    }
    return NULL;
}

struct tcp_proxy *tcp_proxy_start(const char *host, int port)
{
    struct tcp_proxy *proxy = mr_xcalloc(1, sizeof(*proxy));

    proxy->target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    ck_assert_int_eq(inet_pton(AF_INET, host, &proxy->target.sin_addr), 1);
    proxy->listener = loopback_listener(&proxy->port);
    ck_assert_int_eq(pipe(proxy->wake), 0);
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        proxy->pairs[i] = (struct pair){.client = -1, .server = -1};
    }
    pthread_mutex_init(&proxy->mutex, NULL);
    ck_assert_int_eq(pthread_create(&proxy->thread, NULL, run, proxy), 0);
    return proxy;
}

static void wake_up(struct tcp_proxy *proxy)
{
    ck_assert_int_eq(write(proxy->wake[1], "x", 1), 1);
}

void tcp_proxy_set(struct tcp_proxy *proxy, enum tcp_fault fault)
{
    pthread_mutex_lock(&proxy->mutex);
    proxy->fault = fault;
    for (size_t i = 0; i < PAIRS_MAX && fault == TCP_REFUSE; i++) {
        cut(&proxy->pairs[i]);
    }
    pthread_mutex_unlock(&proxy->mutex);
    wake_up(proxy);
}

int tcp_proxy_port(const struct tcp_proxy *proxy)
{
    return proxy->port;
}

void tcp_proxy_stop(struct tcp_proxy **out)
{
    struct tcp_proxy *proxy = *out;

    if (proxy == NULL) {
        return;
    }
    atomic_store(&proxy->stopping, true);
    wake_up(proxy);
    pthread_join(proxy->thread, NULL);
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        cut(&proxy->pairs[i]);
    }
    close(proxy->listener);
    close(proxy->wake[0]);
    close(proxy->wake[1]);
    pthread_mutex_destroy(&proxy->mutex);
    free(proxy);
    *out = NULL;
}
