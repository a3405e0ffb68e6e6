/*
 * fake_server.c -- as much HTTP as a test of the client needs.
 *
 * A pipe ends the thread: poll waits on it together with the sockets, so nothing waits by time.
 */
#include "fake_server.h"

#include "millrace/arena.h"
#include "millrace/status.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake_server {
    int listener;
    int stop[2];
    pthread_t thread;
    pthread_mutex_t mutex; /* protects what follows url */
    char url[64];
    char request[FAKE_TEXT_MAX];
    char line[FAKE_TEXT_MAX];
    char body[FAKE_TEXT_MAX];
    size_t connections;
    const struct fake_answer *answers;
    size_t answer_count;
    size_t next;
};

/* False when the thread must end or the socket has nothing more. */
static bool wait_readable(const struct fake_server *server, int socket)
{
    struct pollfd fds[2] = {{.fd = socket, .events = POLLIN},
                            {.fd = server->stop[0], .events = POLLIN}};

    while (poll(fds, 2, -1) < 0) {
    }
    return fds[1].revents == 0;
}

static size_t content_length(const char *head)
{
    const char *at = strchr(head, '\n');

    while (at != NULL) {
        if (strncasecmp(at + 1, "content-length:", 15) == 0) {
            return (size_t)strtoul(at + 16, NULL, 10);
        }
        at = strchr(at + 1, '\n');
    }
    return 0;
}

/* Reads one request into server->request; false at the end of the connection. */
static bool read_request(struct fake_server *server, int socket, char *buffer)
{
    size_t len = 0;

    for (;;) {
        const char *end = NULL;
        ssize_t got = 0;

        buffer[len] = '\0';
        end = strstr(buffer, "\r\n\r\n");
        if (end != NULL && len >= (size_t)(end - buffer) + 4 + content_length(buffer)) {
            return true;
        }
        if (!wait_readable(server, socket)) {
            return false;
        }
        got = read(socket, buffer + len, FAKE_TEXT_MAX - 1 - len);
        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
    }
}

/* A NUL-terminated copy of the first len bytes; both buffers have FAKE_TEXT_MAX. */
static void copy_text(char *to, const char *from, size_t len)
{
    MR_ASSERT(len < FAKE_TEXT_MAX);
    memcpy(to, from, len);
    to[len] = '\0';
}

static void remember(struct fake_server *server, const char *buffer)
{
    const char *end = strstr(buffer, "\r\n\r\n");

    MR_ASSERT(end != NULL);
    MR_ASSERT(pthread_mutex_lock(&server->mutex) == 0);
    copy_text(server->request, buffer, (size_t)(end - buffer));
    copy_text(server->line, buffer, strcspn(buffer, "\r"));
    copy_text(server->body, end + 4, strlen(end + 4));
    MR_ASSERT(pthread_mutex_unlock(&server->mutex) == 0);
}

static void write_all(int socket, const char *data, size_t len)
{
    while (len > 0) {
        const ssize_t sent = send(socket, data, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return;
        }
        data += sent;
        len -= (size_t)sent;
    }
}

static void write_answer(int socket, const struct fake_answer *answer)
{
    const char *body = answer->body == NULL ? "" : answer->body;
    char head[256];
    char spaces[4096];
    size_t padding = answer->padding;
    const int len = snprintf(head, sizeof(head),
                             "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n\r\n",
                             answer->code, strlen(body) + padding);

    memset(spaces, ' ', sizeof(spaces));
    write_all(socket, head, (size_t)len);
    write_all(socket, body, strlen(body));
    while (padding > 0) {
        const size_t part = padding < sizeof(spaces) ? padding : sizeof(spaces);

        write_all(socket, spaces, part);
        padding -= part;
    }
}

static void serve(struct fake_server *server, int socket)
{
    char *buffer = mr_xcalloc(1, FAKE_TEXT_MAX);

    while (server->next < server->answer_count && read_request(server, socket, buffer)) {
        const struct fake_answer *answer = &server->answers[server->next++];

        remember(server, buffer);
        if (answer->code == 0) {
            break;
        }
        write_answer(socket, answer);
    }
    free(buffer);
}

static void *run(void *arg)
{
    struct fake_server *server = arg;

    while (server->next < server->answer_count && wait_readable(server, server->listener)) {
        const int socket = accept(server->listener, NULL, NULL);
        const int on = 1;

        /* Head and body are two writes: without this the second waits for an acknowledgement. */
        (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        MR_ASSERT(pthread_mutex_lock(&server->mutex) == 0);
        server->connections++;
        MR_ASSERT(pthread_mutex_unlock(&server->mutex) == 0);
        serve(server, socket);
        (void)close(socket);
    }
    return NULL;
}

struct fake_server *fake_server_start(const struct fake_answer *answers, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct fake_server *server = mr_xcalloc(1, sizeof(*server));

    server->answers = answers;
    server->answer_count = count;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    MR_ASSERT(bind(server->listener, (struct sockaddr *)&address, len) == 0);
    MR_ASSERT(listen(server->listener, 16) == 0);
    MR_ASSERT(getsockname(server->listener, (struct sockaddr *)&address, &len) == 0);
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u",
                   (unsigned)ntohs(address.sin_port));
    MR_ASSERT(pipe(server->stop) == 0);
    MR_ASSERT(pthread_mutex_init(&server->mutex, NULL) == 0);
    MR_ASSERT(pthread_create(&server->thread, NULL, run, server) == 0);
    return server;
}

void fake_server_stop(struct fake_server **server)
{
    struct fake_server *s = *server;

    MR_ASSERT(write(s->stop[1], "x", 1) == 1);
    MR_ASSERT(pthread_join(s->thread, NULL) == 0);
    (void)close(s->listener);
    (void)close(s->stop[0]);
    (void)close(s->stop[1]);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
    *server = NULL;
}

const char *fake_server_url(const struct fake_server *server)
{
    return server->url;
}

/* The answer arrived after remember() let go of the mutex, so taking it once orders the reads. */
static const char *ordered(struct fake_server *server, const char *text)
{
    MR_ASSERT(pthread_mutex_lock(&server->mutex) == 0);
    MR_ASSERT(pthread_mutex_unlock(&server->mutex) == 0);
    return text;
}

const char *fake_server_line(struct fake_server *server)
{
    return ordered(server, server->line);
}

const char *fake_server_body(struct fake_server *server)
{
    return ordered(server, server->body);
}

const char *fake_server_head(struct fake_server *server)
{
    return ordered(server, server->request);
}

size_t fake_server_connections(struct fake_server *server)
{
    (void)ordered(server, server->url);
    return server->connections;
}
