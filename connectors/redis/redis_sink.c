/*
 * redis_sink.c -- see redis_sink.h.
 *
 * How: the batch is coalesced by key; each key becomes one EVALSHA of a script that compares and
 * sets in one step; all go out in one pipeline and all answers are read: one round trip for a
 * batch. A server that was restarted forgot the scripts (NOSCRIPT): they are loaded and the whole
 * batch goes out again, which the guards make harmless.
 */
#include "redis_sink.h"

#include "coalesce.h"
#include "millrace/arena.h"
#include "redis_layout.h"
#include "redis_link.h"

#include <inttypes.h>
#include <stdlib.h>

#define SHA_BYTES 41
#define SEQ_SUFFIX ":seq"

struct redis {
    redisContext *link;
    const struct redis_shape *shape;
    struct coalesce *coalesce;
    struct mr_buffer identity;
    struct redis_args args;
    char sha[SHA_BYTES];
    size_t *origins; /* of each command sent: the record behind it */
    size_t sent, capacity;
};

struct redis_state {
    const char *url_text;
    const char *key_prefix;
    int64_t lives_us[REDIS_LIVES]; /* KEPT: 0 */
    int64_t timeout_us;
    struct redis *open;
    struct redis_url url;
};

#define LIFE_OFFSET(life) (offsetof(struct redis_state, lives_us) + (life) * sizeof(int64_t))

static const struct mr_option OPTIONS[] = {
    {.name = "url",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct redis_state, url_text),
     .help = "redis://[user[:password]@]host[:port][/number]"},
    {.name = "key-prefix",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct redis_state, key_prefix),
     .fallback = "",
     .help = "Put before every key"},
    {.name = "order-ttl",
     .type = MR_OPTION_DURATION,
     .offset = LIFE_OFFSET(REDIS_ORDER_LIFE),
     .fallback = "1h",
     .min = MR_SECOND_US,
     .max = 365 * MR_DAY_US,
     .help = "Life of order:{id} after its last change"},
    {.name = "request-ttl",
     .type = MR_OPTION_DURATION,
     .offset = LIFE_OFFSET(REDIS_REQUEST_LIFE),
     .fallback = "24h",
     .min = MR_SECOND_US,
     .max = 365 * MR_DAY_US,
     .help = "Life of idempotency:{user}:{key} after it is written; the window of stage dedupe"},
    {.name = "book-ttl",
     .type = MR_OPTION_DURATION,
     .offset = LIFE_OFFSET(REDIS_BOOK_LIFE),
     .fallback = "1s",
     .min = 100 * MR_MS_US,
     .max = 365 * MR_DAY_US,
     .help = "Life of orderbook:{symbol} after its last change; orderbook:{symbol}:seq stays"},
    {.name = "timeout",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct redis_state, timeout_us),
     .fallback = "5s",
     .min = 100 * MR_MS_US,
     .max = 5 * MR_MINUTE_US,
     .help = "How long one answer may take before the batch is sent again"},
};

/* ---- opening ---- */

static void redis_close(void *state)
{
    struct redis_state *self = state;
    struct redis *open = self->open;

    if (open == NULL) {
        return;
    }
    redis_link_close(&open->link);
    coalesce_destroy(&open->coalesce);
    mr_buffer_fini(&open->identity);
    redis_args_fini(&open->args);
    free(open->origins);
    free(open);
    self->open = NULL;
}

static enum mr_status load_script(struct redis_state *self, struct mr_err *err)
{
    struct redis *open = self->open;
    const char *script = open->shape->kind == REDIS_BOOK ? redis_book_script : redis_hash_script;
    const char *command[] = {"SCRIPT", "LOAD", script};
    redisReply *reply = redisCommandArgv(open->link, (int)MR_COUNT(command), command, NULL);
    enum mr_status status = MR_OK;

    if (reply == NULL) {
        return redis_link_fail(open->link, self->url.address, err);
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        status = redis_refusal(reply->str, self->url.address, err);
    } else if (reply->type != REDIS_REPLY_STRING || strlen(reply->str) != SHA_BYTES - 1) {
        status =
            mr_fail(err, MR_CONFIG, "redis %s: SCRIPT LOAD returned no name", self->url.address);
    } else {
        memcpy(open->sha, reply->str, SHA_BYTES);
    }
    freeReplyObject(reply);
    return status;
}

static enum mr_status redis_open(void *state, const struct mr_sink_env *env, struct mr_err *err)
{
    struct redis_state *self = state;
    const struct redis_shape *shape = redis_shape_find(env->schema);

    redis_close(self);
    if (shape == NULL) {
        return mr_fail(err, MR_CONFIG, "no key for records %s", env->schema->name);
    }
    MR_TRY(redis_url_parse(self->url_text, &self->url, err));
    self->open = mr_xcalloc(1, sizeof(*self->open));
    self->open->shape = shape;
    self->open->coalesce = coalesce_create();
    MR_TRY(redis_link_open(&self->url, self->timeout_us, &self->open->link, err));
    return load_script(self, err);
}

/* ---- the batch by key ---- */

static enum mr_status gather_one(struct redis *open, const struct mr_record *record, size_t index,
                                 struct mr_err *err)
{
    const struct redis_shape *shape = open->shape;
    int64_t guard = 0;

    mr_buffer_clear(&open->identity);
    if (record->value == NULL) {
        if (shape->keyed) {
            mr_buffer_append(&open->identity, record->key.data, record->key.len);
        }
    } else if (shape->wanted != NULL && !shape->wanted(record->value)) {
        return MR_OK;
    } else {
        shape->identity(record->value, &open->identity);
        guard = shape->guard(record->value);
    }
    if (open->identity.len == 0) {
        return mr_fail(err, MR_MALFORMED, "the record has no identity for a key %s",
                       shape->key_prefix);
    }
    if (guard < 0) {
        return mr_fail(err, MR_OUT_OF_RANGE, "field %s is negative: %" PRId64, shape->guard_field,
                       guard);
    }
    if (record->value == NULL) {
        coalesce_tombstone(open->coalesce, mr_buffer_slice(&open->identity), index);
    } else {
        coalesce_value(open->coalesce, mr_buffer_slice(&open->identity), guard, index);
    }
    return MR_OK;
}

/* ---- commands ---- */

static void add_key(const struct redis_state *self, struct mr_slice identity, const char *suffix)
{
    struct redis_args *args = &self->open->args;

    mr_buffer_printf(&args->text, "%s%s", self->key_prefix, self->open->shape->key_prefix);
    mr_buffer_append(&args->text, identity.data, identity.len);
    mr_buffer_append(&args->text, suffix, strlen(suffix));
    redis_args_close(args);
}

/* Into the output buffer; goes out with the first answer that is waited for. */
static enum mr_status queue(const struct redis_state *self, size_t origin, struct mr_err *err)
{
    struct redis *open = self->open;
    const struct redis_args *args = &open->args;
    const char *pointers[REDIS_ARGS_MAX];
    size_t lengths[REDIS_ARGS_MAX];

    for (size_t i = 0; i < args->count; i++) {
        pointers[i] = (const char *)args->text.data + args->begins[i];
        lengths[i] = args->begins[i + 1] - args->begins[i];
    }
    if (redisAppendCommandArgv(open->link, (int)args->count, pointers, lengths) != REDIS_OK) {
        return redis_link_fail(open->link, self->url.address, err);
    }
    open->origins[open->sent++] = origin;
    return MR_OK;
}

static enum mr_status queue_delete(const struct redis_state *self, const struct coalesced *entry,
                                   struct mr_err *err)
{
    struct redis_args *args = &self->open->args;

    redis_args_clear(args);
    redis_args_add(args, mr_slice_str("DEL"));
    add_key(self, entry->id, "");
    if (self->open->shape->kind == REDIS_BOOK) {
        add_key(self, entry->id, SEQ_SUFFIX);
    }
    return queue(self, entry->tombstone, err);
}

static void add_book(const struct redis_state *self, const struct coalesced *entry,
                     const struct mr_record *record)
{
    struct redis_args *args = &self->open->args;

    redis_args_number(args, 2);
    add_key(self, entry->id, "");
    add_key(self, entry->id, SEQ_SUFFIX);
    redis_args_number(args, entry->version);
    redis_args_number(args, self->lives_us[REDIS_BOOK_LIFE] / MR_MS_US);
    redis_append_json(&args->text, self->open->shape->schema, record->value);
    redis_args_close(args);
    redis_args_number(args, redis_book_checksum(record->value));
    redis_args_number(args, record->event_us);
}

static enum mr_status queue_value(const struct redis_state *self, const struct coalesced *entry,
                                  const struct mr_record *record, struct mr_err *err)
{
    const struct redis_shape *shape = self->open->shape;
    struct redis_args *args = &self->open->args;

    redis_args_clear(args);
    redis_args_add(args, mr_slice_str("EVALSHA"));
    redis_args_add(args, mr_slice_str(self->open->sha));
    if (shape->kind == REDIS_BOOK) {
        add_book(self, entry, record);
    } else {
        redis_args_number(args, 1);
        add_key(self, entry->id, "");
        redis_args_add(args, mr_slice_str(shape->guard_field));
        redis_args_number(args, entry->version);
        redis_args_number(args, self->lives_us[shape->life] / MR_MS_US);
        redis_add_fields(args, shape, record->value);
    }
    return queue(self, entry->value, err);
}

static enum mr_status queue_all(const struct redis_state *self, const struct mr_record *records,
                                struct mr_err *err)
{
    struct redis *open = self->open;
    const size_t count = coalesce_count(open->coalesce);

    open->sent = 0;
    if (2 * count > open->capacity) { /* a deletion and a value each */
        open->capacity = 2 * count;
        open->origins = mr_xrealloc(open->origins, open->capacity * sizeof(*open->origins));
    }
    for (size_t i = 0; i < count; i++) {
        const struct coalesced *entry = coalesce_at(open->coalesce, i);

        if (entry->tombstone != COALESCE_NONE) {
            MR_TRY(queue_delete(self, entry, err));
        }
        if (entry->value != COALESCE_NONE) {
            MR_TRY(queue_value(self, entry, &records[entry->value], err));
        }
    }
    return MR_OK;
}

/* ---- answers ---- */

/*
 * Reads every answer, so that the next batch does not read this one's.
 * The gravest decides: broken connection or outage, then a record that cannot be written.
 */
static enum mr_status read_answers(const struct redis_state *self, bool *forgotten, size_t *bad,
                                   struct mr_err *err)
{
    struct redis *open = self->open;
    enum mr_status status = MR_OK;

    *forgotten = false;
    for (size_t i = 0; i < open->sent; i++) {
        void *answer = NULL;
        const redisReply *reply;

        if (redisGetReply(open->link, &answer) != REDIS_OK) {
            return redis_link_fail(open->link, self->url.address, err);
        }
        reply = answer;
        if (reply->type == REDIS_REPLY_ERROR) {
            if (redis_fault_of(reply->str) == REDIS_NO_SCRIPT) {
                *forgotten = true;
            } else if (status == MR_OK || mr_status_class(status) == MR_CLASS_POISON) {
                const bool first = status == MR_OK;
                struct mr_err other;
                const enum mr_status next = redis_refusal(reply->str, self->url.address, &other);

                if (first || mr_status_class(next) != MR_CLASS_POISON) {
                    status = next;
                    *err = other;
                    *bad = open->origins[i];
                }
            }
        }
        freeReplyObject(answer);
    }
    return status;
}

static enum mr_status redis_write(void *state, const struct mr_record *records, size_t count,
                                  size_t *bad, struct mr_err *err)
{
    struct redis_state *self = state;
    bool forgotten = false;

    coalesce_clear(self->open->coalesce);
    for (size_t i = 0; i < count; i++) {
        *bad = i;
        MR_TRY(gather_one(self->open, &records[i], i, err));
    }
    MR_TRY(queue_all(self, records, err));
    MR_TRY(read_answers(self, &forgotten, bad, err));
    if (!forgotten) {
        return MR_OK;
    }
    MR_TRY(load_script(self, err));
    MR_TRY(queue_all(self, records, err));
    MR_TRY(read_answers(self, &forgotten, bad, err));
    return forgotten ? mr_fail(err, MR_UNAVAILABLE, "redis %s does not keep its scripts",
                               self->url.address)
                     : MR_OK;
}

static const char *redis_address(const void *state)
{
    const struct redis_state *self = state;

    return self->url.address;
}

const struct mr_sink_type redis_sink = {
    .name = "redis",
    .help = "The newest state of orders, positions, books and requests as Redis keys",
    .state_size = sizeof(struct redis_state),
    .options = OPTIONS,
    .option_count = MR_COUNT(OPTIONS),
    .schemas = redis_schemas,
    .open = redis_open,
    .write = redis_write,
    .close = redis_close,
    .address = redis_address,
};
