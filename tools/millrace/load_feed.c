/*
 * load_feed.c -- see load_feed.h.
 */
#include "load_feed.h"

#include "millrace/arena.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define TOPICS_MAX 16
#define BATCH 128
#define POLL_US (100 * 1000)
#define SHOW_TERMINAL_US (300 * 1000)
#define SHOW_LOG_US (5 * 1000 * 1000)
#define ARENA_BYTES ((size_t)64 * 1024)
#define SUBJECT_BYTES_MAX 256

struct feed_topic {
    char *name;
    int32_t partitions;
    bool decode;
    struct mr_binding binding;
    load_visit *visit;
    void *arg;
    uint8_t *value;                    /* struct_bytes */
    int64_t ends[LOAD_PARTITIONS_MAX]; /* of load_feed_mark */
};

struct load_feed {
    const struct load_env *env;
    struct mr_reader *reader;
    struct mr_arena *arena;
    struct feed_topic topics[TOPICS_MAX];
    size_t topic_count;
};

enum mr_status load_idle(const struct load_env *env, int64_t wait_us, struct mr_err *err)
{
    if (env->pump != NULL) {
        return env->pump(env->pump_arg, err);
    }
    mr_clock_wait_us(env->clock, wait_us);
    return MR_OK;
}

static bool on_terminal(const struct load_env *env)
{
    return env->progress != NULL && isatty(fileno(env->progress)) != 0;
}

static void show(const struct load_env *env, const char *fmt, va_list args) MR_PRINTF(2, 0);

static void show(const struct load_env *env, const char *fmt, va_list args)
{
    char line[160];

    (void)vsnprintf(line, sizeof line, fmt, args);
    if (on_terminal(env)) {
        (void)fprintf(env->progress, "\r\033[K%s", line);
    } else {
        (void)fprintf(env->progress, "%s\n", line);
    }
    (void)fflush(env->progress);
}

void load_progress(const struct load_env *env, const char *fmt, ...)
{
    va_list args;

    if (env->progress != NULL) {
        va_start(args, fmt);
        show(env, fmt, args);
        va_end(args);
    }
}

void load_progress_detail(const struct load_env *env, const char *fmt, ...)
{
    va_list args;

    if (on_terminal(env)) {
        va_start(args, fmt);
        show(env, fmt, args);
        va_end(args);
    }
}

int64_t load_progress_every_us(const struct load_env *env)
{
    return on_terminal(env) ? SHOW_TERMINAL_US : SHOW_LOG_US;
}

void load_progress_end(const struct load_env *env)
{
    if (on_terminal(env)) {
        (void)fprintf(env->progress, "\r\033[K");
        (void)fflush(env->progress);
    }
}

enum mr_status load_feed_open(const struct load_env *env, struct load_feed **feed,
                              struct mr_err *err)
{
    struct load_feed *made = mr_xcalloc(1, sizeof *made);
    enum mr_status status = mr_reader_open(env->log, MR_READER_FOLLOWS_US, &made->reader, err);

    *feed = NULL;
    if (status != MR_OK) {
        free(made);
        return status;
    }
    made->env = env;
    made->arena = mr_arena_create(ARENA_BYTES);
    *feed = made;
    return MR_OK;
}

enum mr_status load_feed_add(struct load_feed *feed, const struct load_source *source,
                             struct mr_err *err)
{
    const struct mr_schema *schema = source->schema;
    const char *topic = source->topic;
    struct feed_topic *entry = &feed->topics[feed->topic_count];
    char subject[SUBJECT_BYTES_MAX];
    int32_t partitions = 0;

    MR_ASSERT(feed->topic_count < TOPICS_MAX);
    *entry = (struct feed_topic){.visit = source->visit, .arg = source->arg};
    MR_TRY(mr_log_topic_partitions(feed->env->log, topic, &partitions, err));
    if (partitions == 0 || partitions > LOAD_PARTITIONS_MAX) {
        return mr_fail(err, MR_CONFIG, "topic %s does not exist; run `millrace topology apply`",
                       topic);
    }
    if (schema != NULL) {
        (void)snprintf(subject, sizeof subject, "%s-value", topic);
        MR_TRY(mr_codec_bind(feed->env->codec, schema, subject, &entry->binding, err));
        entry->decode = true;
        entry->value = mr_xcalloc(1, schema->struct_bytes);
    }
    entry->name = mr_xstrdup(topic);
    entry->partitions = partitions;
    feed->topic_count++;
    for (int32_t p = 0; p < partitions; p++) {
        int64_t low = 0;
        int64_t end = 0;

        MR_TRY(mr_log_watermarks(feed->env->log, topic, p, &low, &end, err));
        if (source->offsets != NULL && source->offsets[p] > low) {
            low = source->offsets[p];
        }
        MR_TRY(mr_reader_add(feed->reader, entry->name, p, low, err));
    }
    return MR_OK;
}

static struct feed_topic *find_topic(struct load_feed *feed, const char *name)
{
    for (size_t i = 0; i < feed->topic_count; i++) {
        if (strcmp(feed->topics[i].name, name) == 0) {
            return &feed->topics[i];
        }
    }
    return NULL;
}

static enum mr_status deliver(struct load_feed *feed, const struct mr_message *message,
                              struct mr_err *err)
{
    struct feed_topic *topic = find_topic(feed, message->topic);
    struct load_record record = {.topic = message->topic,
                                 .partition = message->partition,
                                 .offset = message->offset,
                                 .key = message->key,
                                 .bytes = message->value,
                                 .message = message};

    if (topic == NULL) {
        return MR_OK;
    }
    mr_arena_reset(feed->arena);
    if (topic->decode && message->has_value) {
        const enum mr_status status = mr_codec_decode(
            feed->env->codec, &topic->binding, message->value, feed->arena, topic->value, err);

        if (status == MR_OK) {
            record.value = topic->value;
        } else if (mr_status_class(status) != MR_CLASS_POISON) {
            return status;
        }
    }
    return topic->visit(topic->arg, &record, err);
}

enum mr_status load_feed_step(struct load_feed *feed, int64_t timeout_us, size_t *delivered,
                              struct mr_err *err)
{
    struct mr_message messages[BATCH];
    size_t count = 0;
    enum mr_status status;

    *delivered = 0;
    status = mr_reader_poll(feed->reader, timeout_us, messages, BATCH, &count, err);
    if (status == MR_UNAVAILABLE || status == MR_TIMEOUT) {
        return MR_OK; /* the caller's own time limit decides */
    }
    for (size_t i = 0; i < count; i++) {
        if (status == MR_OK) {
            status = deliver(feed, &messages[i], err);
            *delivered += 1;
        }
        mr_message_release(&messages[i]);
    }
    return status;
}

enum mr_status load_feed_mark(struct load_feed *feed, struct mr_err *err)
{
    for (size_t t = 0; t < feed->topic_count; t++) {
        int32_t partitions = 0;

        MR_TRY(load_ends(feed->env, feed->topics[t].name, feed->topics[t].ends, &partitions, err));
    }
    return MR_OK;
}

bool load_feed_caught_up(const struct load_feed *feed)
{
    for (size_t t = 0; t < feed->topic_count; t++) {
        const struct feed_topic *topic = &feed->topics[t];

        for (int32_t p = 0; p < topic->partitions; p++) {
            if (mr_reader_position(feed->reader, topic->name, p) < topic->ends[p]) {
                return false;
            }
        }
    }
    return true;
}

enum mr_status load_feed_catch_up(struct load_feed *feed, int64_t timeout_us, struct mr_err *err)
{
    int64_t since_us = mr_clock_monotonic_us(feed->env->clock);

    MR_TRY(load_feed_mark(feed, err));
    while (!load_feed_caught_up(feed)) {
        size_t delivered = 0;

        MR_TRY(load_feed_step(feed, POLL_US, &delivered, err));
        if (delivered > 0) {
            since_us = mr_clock_monotonic_us(feed->env->clock);
        } else if (mr_clock_monotonic_us(feed->env->clock) - since_us > timeout_us) {
            return mr_fail(err, MR_TIMEOUT, "%s gives no more records though there are some",
                           mr_log_address(feed->env->log));
        }
    }
    return MR_OK;
}

void load_feed_close(struct load_feed **feed)
{
    struct load_feed *old = *feed;

    if (old == NULL) {
        return;
    }
    mr_reader_close(&old->reader);
    mr_arena_destroy(&old->arena);
    for (size_t i = 0; i < old->topic_count; i++) {
        free(old->topics[i].name);
        free(old->topics[i].value);
    }
    free(old);
    *feed = NULL;
}

enum mr_status load_ends(const struct load_env *env, const char *topic, int64_t *offsets,
                         int32_t *partitions, struct mr_err *err)
{
    MR_TRY(mr_log_topic_partitions(env->log, topic, partitions, err));
    if (*partitions > LOAD_PARTITIONS_MAX) {
        return mr_fail(err, MR_CONFIG, "topic %s has more than %d partitions", topic,
                       LOAD_PARTITIONS_MAX);
    }
    for (int32_t p = 0; p < *partitions; p++) {
        int64_t low = 0;

        MR_TRY(mr_log_watermarks(env->log, topic, p, &low, &offsets[p], err));
    }
    return MR_OK;
}
