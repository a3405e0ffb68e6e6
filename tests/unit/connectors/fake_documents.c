/*
 * fake_documents.c -- see fake_documents.h.
 *
 * A message is a header of four little-endian numbers (length, id, answered id, kind) and
 * documents. The handshake comes as OP_QUERY and is answered with OP_REPLY, everything else is
 * OP_MSG.
 */
#include "fake_documents.h"

#include "millrace/arena.h"
#include "millrace/buffer.h"

#include <arpa/inet.h>
#include <bson/bson.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OP_REPLY 1
#define OP_QUERY 2004
#define OP_MSG 2013
#define HEADER_BYTES 16
#define MESSAGE_BYTES_MAX 1000000

struct fake_documents {
    pthread_t thread;
    pthread_mutex_t mutex; /* connection, stopping and what follows */
    int listener, connection;
    bool stopping;
    char uri[64];
    const char *const *answers;
    size_t answer_count, next_answer;
    struct fake_command commands[FAKE_COMMANDS_MAX];
    size_t command_count;
};

static int32_t number_at(const uint8_t *bytes)
{
    int32_t value;

    memcpy(&value, bytes, sizeof(value));
    return (int32_t)BSON_UINT32_FROM_LE((uint32_t)value);
}

static bool read_all(int fd, uint8_t *out, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t got = recv(fd, out, bytes, 0);

        if (got <= 0) {
            return false;
        }
        out += got;
        bytes -= (size_t)got;
    }
    return true;
}

static void append_number(struct mr_buffer *out, int32_t value)
{
    const uint32_t little = BSON_UINT32_TO_LE((uint32_t)value);

    mr_buffer_append(out, &little, sizeof(little));
}

static void send_document(int fd, const uint8_t *request, const char *json)
{
    const bool query = number_at(request + 12) == OP_QUERY;
    const uint8_t zeros[16] = {0};
    struct mr_buffer out = MR_BUFFER_EMPTY;
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);

    ck_assert_msg(document != NULL, "%s: %s", json, error.message);
    append_number(&out, HEADER_BYTES + (query ? 20 : 5) + (int32_t)document->len);
    append_number(&out, 1);
    append_number(&out, number_at(request + 4));
    append_number(&out, query ? OP_REPLY : OP_MSG);
    if (query) {
        mr_buffer_append(&out, zeros, 16); /* flags, cursor, first */
        append_number(&out, 1);            /* one document */
    } else {
        mr_buffer_append(&out, zeros, 5); /* flags, a section of kind 0 */
    }
    mr_buffer_append(&out, bson_get_data(document), document->len);
    (void)!send(fd, out.data, out.len, MSG_NOSIGNAL);
    bson_destroy(document);
    mr_buffer_fini(&out);
}

static void count_statement(struct fake_command *command, const uint8_t *data, size_t len)
{
    bson_t statement;
    bson_iter_t at;

    ck_assert(bson_init_static(&statement, data, len));
    command->count++;
    command->upserts += bson_iter_init_find(&at, &statement, "upsert") && bson_iter_as_bool(&at);
}

/* Reads the sections behind the flags: the command, and its documents or statements. */
static void read_sections(const uint8_t *at, const uint8_t *end, struct fake_command *command)
{
    while (at < end) {
        const uint8_t kind = *at++;
        const uint8_t *section_end = at + number_at(at);
        bson_iter_t iter;
        bson_t body;

        if (kind == 0) {
            ck_assert(bson_init_static(&body, at, (size_t)number_at(at)));
            ck_assert(bson_iter_init(&iter, &body) && bson_iter_next(&iter));
            snprintf(command->name, sizeof(command->name), "%.15s", bson_iter_key(&iter));
            if (BSON_ITER_HOLDS_UTF8(&iter)) {
                snprintf(command->collection, sizeof(command->collection), "%.31s",
                         bson_iter_utf8(&iter, NULL));
            }
        } else {
            at += 4;
            at += strlen((const char *)at) + 1;
            while (at < section_end) {
                count_statement(command, at, (size_t)number_at(at));
                at += number_at(at);
            }
        }
        at = section_end;
    }
}

/* False: cut the connection. */
static bool answer_write(struct fake_documents *fake, int fd, const uint8_t *request,
                         const struct fake_command *command)
{
    const char *answer = "";
    char written[64];

    pthread_mutex_lock(&fake->mutex);
    ck_assert_uint_lt(fake->command_count, FAKE_COMMANDS_MAX);
    fake->commands[fake->command_count++] = *command;
    if (fake->next_answer < fake->answer_count) {
        answer = fake->answers[fake->next_answer++];
    }
    pthread_mutex_unlock(&fake->mutex);
    if (strcmp(answer, "cut") == 0) {
        return false;
    }
    snprintf(written, sizeof(written), "{\"ok\": 1, \"n\": %zu}", command->count);
    send_document(fd, request, answer[0] == '\0' ? written : answer);
    return true;
}

static bool serve_message(struct fake_documents *fake, int fd)
{
    static const char HELLO[] =
        "{\"ok\": 1, \"ismaster\": true, \"minWireVersion\": 0, \"maxWireVersion\": 8,"
        " \"maxBsonObjectSize\": 16777216, \"maxMessageSizeBytes\": 48000000,"
        " \"maxWriteBatchSize\": 100000}";
    struct fake_command command = {.name = ""};
    uint8_t header[HEADER_BYTES];
    uint8_t *message;
    size_t len;
    bool alive = true;

    if (!read_all(fd, header, sizeof(header))) {
        return false;
    }
    len = (size_t)number_at(header);
    ck_assert(len > HEADER_BYTES && len < MESSAGE_BYTES_MAX);
    message = mr_xcalloc(1, len);
    memcpy(message, header, sizeof(header));
    alive = read_all(fd, message + HEADER_BYTES, len - HEADER_BYTES);
    if (alive && number_at(message + 12) == OP_MSG) {
        read_sections(message + HEADER_BYTES + 4, message + len, &command);
    }
    if (alive && (strcmp(command.name, "insert") == 0 || strcmp(command.name, "update") == 0 ||
                  strcmp(command.name, "delete") == 0)) {
        alive = answer_write(fake, fd, message, &command);
    } else if (alive) {
        send_document(fd, message, HELLO);
    }
    free(message);
    return alive;
}

static void *run(void *arg)
{
    struct fake_documents *fake = arg;

    for (;;) {
        const int fd = accept(fake->listener, NULL, NULL);
        bool stopping;

        pthread_mutex_lock(&fake->mutex);
        stopping = fake->stopping;
        fake->connection = fd;
        pthread_mutex_unlock(&fake->mutex);
        while (!stopping && fd >= 0 && serve_message(fake, fd)) {
        }
        pthread_mutex_lock(&fake->mutex);
        fake->connection = -1;
        pthread_mutex_unlock(&fake->mutex);
        if (fd >= 0) {
            close(fd);
        }
        if (stopping || fd < 0) {
            return NULL;
        }
    }
}

struct fake_documents *fake_documents_start(const char *const *answers, size_t count)
{
    struct fake_documents *fake = mr_xcalloc(1, sizeof(*fake));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);

    fake->answers = answers;
    fake->answer_count = count;
    fake->connection = -1;
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fake->listener, 0);
    ck_assert_int_eq(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fake->listener, 4), 0);
    ck_assert_int_eq(getsockname(fake->listener, (struct sockaddr *)&address, &bytes), 0);
    snprintf(fake->uri, sizeof(fake->uri), "mongodb://127.0.0.1:%d/", ntohs(address.sin_port));
    pthread_mutex_init(&fake->mutex, NULL);
    ck_assert_int_eq(pthread_create(&fake->thread, NULL, run, fake), 0);
    return fake;
}

const char *fake_documents_uri(const struct fake_documents *fake)
{
    return fake->uri;
}

size_t fake_documents_commands(struct fake_documents *fake,
                               struct fake_command commands[FAKE_COMMANDS_MAX])
{
    size_t count;

    pthread_mutex_lock(&fake->mutex);
    count = fake->command_count;
    memcpy(commands, fake->commands, sizeof(fake->commands));
    pthread_mutex_unlock(&fake->mutex);
    return count;
}

void fake_documents_stop(struct fake_documents **out)
{
    struct fake_documents *fake = *out;

    if (fake == NULL) {
        return;
    }
    pthread_mutex_lock(&fake->mutex);
    fake->stopping = true;
    (void)shutdown(fake->listener, SHUT_RDWR);
    if (fake->connection >= 0) {
        (void)shutdown(fake->connection, SHUT_RDWR);
    }
    pthread_mutex_unlock(&fake->mutex);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    pthread_mutex_destroy(&fake->mutex);
    free(fake);
    *out = NULL;
}
