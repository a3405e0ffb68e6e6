/*
 * redis_read.c -- see redis_read.h.
 *
 * How: a pipeline of TYPE, then a pipeline of HGETALL or GET, PIPELINE keys at a time. A key may
 * expire between the two: then it is not there.
 */
#include "redis_read.h"

#include "millrace/arena.h"
#include "millrace/option.h"
#include "redis_link.h"

#include <jansson.h>
#include <stdlib.h>

#define PIPELINE ((size_t)256)
#define TIMEOUT_US (20 * MR_SECOND_US)

struct redis_reader {
    redisContext *link;
    struct redis_url url;
    redisReply *types[PIPELINE];
};

enum mr_status redis_reader_open(const char *url, struct redis_reader **reader, struct mr_err *err)
{
    struct redis_reader *made = mr_xcalloc(1, sizeof(*made));
    enum mr_status status = redis_url_parse(url, &made->url, err);

    if (status == MR_OK) {
        status = redis_link_open(&made->url, TIMEOUT_US, &made->link, err);
    }
    *reader = made;
    if (status != MR_OK) {
        redis_reader_close(reader);
    }
    return status;
}

void redis_reader_close(struct redis_reader **reader)
{
    if (*reader != NULL) {
        redis_link_close(&(*reader)->link);
        free(*reader);
        *reader = NULL;
    }
}

static enum mr_status ask(struct redis_reader *reader, const char *command, const char *key,
                          struct mr_err *err)
{
    const char *words[] = {command, key};

    return redisAppendCommandArgv(reader->link, (int)MR_COUNT(words), words, NULL) == REDIS_OK
               ? MR_OK
               : redis_link_fail(reader->link, reader->url.address, err);
}

/* *reply is NULL unless MR_OK. */
static enum mr_status answer(struct redis_reader *reader, redisReply **reply, struct mr_err *err)
{
    void *got = NULL;
    enum mr_status status = MR_OK;

    *reply = NULL;
    if (redisGetReply(reader->link, &got) != REDIS_OK) {
        return redis_link_fail(reader->link, reader->url.address, err);
    }
    *reply = got;
    if ((*reply)->type == REDIS_REPLY_ERROR) {
        status = redis_refusal((*reply)->str, reader->url.address, err);
        freeReplyObject(*reply);
        *reply = NULL;
    }
    return status;
}

static bool is_type(const redisReply *type, const char *name)
{
    return strcmp(type->str, name) == 0;
}

/* The key at hand and who wants to see it. */
struct seen {
    const char *key;
    size_t index;
    redis_visit *visit;
    void *arg;
};

static enum mr_status visit_hash(const redisReply *reply, const struct seen *seen,
                                 struct mr_err *err)
{
    json_t *object = json_object();
    enum mr_status status = MR_OK;
    char *text = NULL;

    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *value = reply->element[i + 1];

        if (json_object_set_new(object, reply->element[i]->str,
                                json_stringn(value->str, (size_t)value->len)) != 0) {
            status = mr_fail(err, MR_CORRUPT, "redis key %s: field %s is not UTF-8", seen->key,
                             reply->element[i]->str);
            goto out;
        }
    }
    text = json_dumps(object, JSON_COMPACT);
    status = seen->visit(seen->arg, seen->index, true, mr_slice_str(text), err);
out:
    free(text);
    json_decref(object);
    return status;
}

static enum mr_status visit_reply(const redisReply *reply, const struct seen *seen,
                                  struct mr_err *err)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0) {
        return visit_hash(reply, seen, err);
    }
    if (reply->type == REDIS_REPLY_STRING) {
        return seen->visit(seen->arg, seen->index, true,
                           mr_slice_of(reply->str, (size_t)reply->len), err);
    }
    /* Expired since its type was asked. */
    return seen->visit(seen->arg, seen->index, false, mr_slice_of(NULL, 0), err);
}

static enum mr_status fetch_some(struct redis_reader *reader, const char *const *keys, size_t count,
                                 struct mr_err *err)
{
    for (size_t i = 0; i < count; i++) {
        MR_TRY(ask(reader, "TYPE", keys[i], err));
    }
    for (size_t i = 0; i < count; i++) {
        MR_TRY(answer(reader, &reader->types[i], err));
    }
    for (size_t i = 0; i < count; i++) {
        if (is_type(reader->types[i], "hash")) {
            MR_TRY(ask(reader, "HGETALL", keys[i], err));
        } else if (is_type(reader->types[i], "string")) {
            MR_TRY(ask(reader, "GET", keys[i], err));
        } else if (!is_type(reader->types[i], "none")) {
            return mr_fail(err, MR_CORRUPT, "redis key %s is a %s", keys[i], reader->types[i]->str);
        }
    }
    return MR_OK;
}

static enum mr_status visit_some(struct redis_reader *reader, const char *const *keys, size_t count,
                                 struct seen *seen, struct mr_err *err)
{
    const size_t first = seen->index;
    enum mr_status status = MR_OK;

    for (size_t i = 0; i < count && status == MR_OK; i++) {
        redisReply *reply = NULL;

        seen->key = keys[i];
        seen->index = first + i;
        if (is_type(reader->types[i], "none")) {
            status = seen->visit(seen->arg, seen->index, false, mr_slice_of(NULL, 0), err);
            continue;
        }
        status = answer(reader, &reply, err);
        if (status == MR_OK) {
            status = visit_reply(reply, seen, err);
            freeReplyObject(reply);
        }
    }
    return status;
}

static void forget_types(struct redis_reader *reader)
{
    for (size_t i = 0; i < PIPELINE; i++) {
        if (reader->types[i] != NULL) {
            freeReplyObject(reader->types[i]);
            reader->types[i] = NULL;
        }
    }
}

enum mr_status redis_reader_fetch(struct redis_reader *reader, const char *const *keys,
                                  size_t count, redis_visit *visit, void *visit_arg,
                                  struct mr_err *err)
{
    struct seen seen = {.visit = visit, .arg = visit_arg};
    enum mr_status status = MR_OK;

    for (size_t i = 0; i < count && status == MR_OK; i += PIPELINE) {
        const size_t some = count - i < PIPELINE ? count - i : PIPELINE;

        seen.index = i;
        status = fetch_some(reader, keys + i, some, err);
        if (status == MR_OK) {
            status = visit_some(reader, keys + i, some, &seen, err);
        }
        forget_types(reader);
    }
    return status;
}
