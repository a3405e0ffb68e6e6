/*
 * recorded_run.c -- see recorded_run.h.
 */
#include "recorded_run.h"

#include "apply.h"
#include "avro/catalog.h"
#include "load.h"
#include "load_drain.h"
#include "millrace/arena.h"
#include "millrace/log_open.h"
#include "millrace/logger.h"
#include "millrace/runtime.h"
#include "stages/registry.h"
#include "verify.h"
#include "verify_books.h"

#include <check.h>
#include <stdlib.h>

#define GROUPS_MAX 8
#define WAIT_US (20 * MR_SECOND_US)
#define SOURCE(path) MR_SOURCE_DIR "/" path

static const struct mr_catalog *catalog(void)
{
    static struct mr_catalog all;

    all = (struct mr_catalog){.stages = mr_stages,
                              .stage_count = mr_stage_count,
                              .schemas = oms_schemas,
                              .schema_count = oms_schema_count};
    return &all;
}

/* The production graph without its connectors, which have nothing to write to here. */
static struct mr_topology *load_topology(void)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};
    char chunk[4096];
    char *connectors;
    size_t got;
    FILE *file = fopen(SOURCE("topology.yaml"), "r");

    ck_assert_ptr_nonnull(file);
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        mr_buffer_append(&text, chunk, got);
    }
    (void)fclose(file);
    mr_buffer_append(&text, "", 1);
    connectors = strstr((char *)text.data, "\nconnectors:");
    ck_assert_ptr_nonnull(connectors);
    ck_assert_msg(
        mr_topology_load_text("topology.yaml",
                              mr_slice_of(text.data, (size_t)(connectors - (char *)text.data) + 1),
                              catalog(), &topology, &problems, &err) == MR_OK,
        "%s", err.text);
    mr_problems_fini(&problems);
    mr_buffer_fini(&text);
    return topology;
}

static void apply_to(const struct recorded_run *run, struct mr_log *log)
{
    struct apply_report report = {0};
    struct mr_err err = {0};

    ck_assert_msg(mr_topology_apply(run->topology, log, run->registry, &(struct apply_options){0},
                                    &report, &err) == MR_OK,
                  "%s", err.text);
    apply_report_fini(&report);
}

struct pipeline {
    struct mr_worker *workers[GROUPS_MAX];
    size_t count;
};

static enum mr_status turn(void *arg, struct mr_err *err)
{
    struct pipeline *pipeline = arg;

    for (size_t i = 0; i < pipeline->count; i++) {
        bool busy = false;

        MR_TRY(mr_worker_step(pipeline->workers[i], 0, &busy, err));
    }
    return MR_OK;
}

static struct mr_slice copy(struct mr_slice bytes)
{
    uint8_t *data = mr_xcalloc(1, bytes.len + 1);

    if (bytes.len > 0) {
        memcpy(data, bytes.data, bytes.len);
    }
    return mr_slice_of(data, bytes.len);
}

static enum mr_status keep_record(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct recorded_run *run = arg;
    struct recorded_record *kept;
    struct mr_header headers[MR_HEADERS_MAX];

    (void)err;
    run->records = mr_xrealloc(run->records, (run->count + 1) * sizeof *run->records);
    kept = &run->records[run->count];
    run->count++;
    kept->topic = mr_topology_find_topic(run->topology, record->topic);
    kept->partition = record->partition;
    kept->has_value = record->message->has_value;
    kept->key = copy(record->key);
    kept->value = copy(record->bytes);
    kept->header_count = mr_message_headers(record->message, headers, MR_HEADERS_MAX);
    kept->headers = mr_xcalloc(kept->header_count + 1, sizeof *kept->headers);
    for (size_t i = 0; i < kept->header_count; i++) {
        kept->headers[i].name = mr_xstrdup(headers[i].name);
        kept->headers[i].value = copy(headers[i].value);
    }
    return MR_OK;
}

static void keep_topics(struct recorded_run *run, const struct load_env *env)
{
    for (size_t i = 0; i < run->manifest.start_count; i++) {
        struct load_start *start = &run->manifest.starts[i];
        struct load_feed *feed = NULL;
        struct mr_err err = {0};

        ck_assert_int_eq(load_feed_open(env, &feed, &err), MR_OK);
        ck_assert_int_eq(load_feed_add(feed,
                                       &(struct load_source){.topic = start->topic,
                                                             .schema = NULL,
                                                             .offsets = start->offsets,
                                                             .visit = keep_record,
                                                             .arg = run},
                                       &err),
                         MR_OK);
        ck_assert_int_eq(load_feed_catch_up(feed, WAIT_US, &err), MR_OK);
        load_feed_close(&feed);
        memset(start->offsets, 0, (size_t)start->partitions * sizeof *start->offsets);
    }
}

static void play(struct recorded_run *run, const struct load_env *env, int64_t trades)
{
    const struct load_options options = {.tape = SOURCE("tools/sample/trades.csv.gz"),
                                         .filter = {.markets = "spot", .limit = trades},
                                         .instruments =
                                             SOURCE("tools/millrace/instruments/binance.jsonl"),
                                         .run = "recorded",
                                         .shares = {.duplicates = LOAD_PPM / 20,
                                                    .conflicts = LOAD_PPM / 20,
                                                    .invalid = LOAD_PPM / 10,
                                                    .unfunded = LOAD_PPM / 20,
                                                    .cancels = LOAD_PPM / 20,
                                                    .malformed = LOAD_PPM / 20,
                                                    .market_takers = LOAD_PPM / 10},
                                         .users_each = 2,
                                         .seed = 5,
                                         .collar_ppm = LOAD_PPM / 10,
                                         .wait_us = WAIT_US};
    struct mr_err err = {0};
    int64_t missing = -1;

    ck_assert_msg(load_run(env, &options, &run->manifest, &missing, &err) == MR_OK, "%s", err.text);
    ck_assert_int_eq(missing, 0);
    ck_assert_msg(load_drain(env, false, WAIT_US, &err) == MR_OK, "%s", err.text);
    keep_topics(run, env);
}

static void bind_topics(struct recorded_run *run)
{
    struct mr_err err = {0};

    run->bindings = mr_xcalloc(run->topology->topic_count, sizeof *run->bindings);
    for (size_t t = 0; t < run->topology->topic_count; t++) {
        const struct mr_topic *topic = &run->topology->topics[t];

        if (topic->schema != NULL) {
            ck_assert_int_eq(
                mr_codec_bind(run->codec, topic->schema, topic->subject, &run->bindings[t], &err),
                MR_OK);
        }
    }
}

struct recorded_run *recorded_run_create(int64_t trades)
{
    struct recorded_run *run = mr_xcalloc(1, sizeof *run);
    const struct mr_clock *clock = mr_clock_system();
    struct pipeline pipeline = {.count = 0};
    struct mr_process process;
    struct load_env env;

    mr_logger_set_level(MR_LEVEL_ERROR);
    run->topology = load_topology();
    run->registry = mr_registry_memory_create();
    run->codec = mr_codec_create(run->registry);
    process = (struct mr_process){.topology = run->topology,
                                  .log = mr_log_memory_create(clock),
                                  .codec = run->codec,
                                  .backend = mr_backend_memory_create(),
                                  .metrics = mr_metrics_create(),
                                  .clock = clock,
                                  .instance = "test"};
    apply_to(run, process.log);
    for (size_t g = 0; g < run->topology->group_count; g++) {
        pipeline.workers[g] = mr_worker_create(&process, g, 0);
        pipeline.count++;
    }
    env = (struct load_env){.topology = run->topology,
                            .log = process.log,
                            .codec = run->codec,
                            .clock = clock,
                            .pump = turn,
                            .pump_arg = &pipeline};
    play(run, &env, trades);
    bind_topics(run);
    for (size_t g = 0; g < pipeline.count; g++) {
        mr_worker_destroy(&pipeline.workers[g]);
    }
    mr_metrics_destroy(&process.metrics);
    mr_backend_close(&process.backend);
    mr_log_close(&process.log);
    return run;
}

void recorded_run_destroy(struct recorded_run **run)
{
    struct recorded_run *old = *run;

    for (size_t i = 0; i < old->count; i++) {
        free((void *)(uintptr_t)old->records[i].key.data);
        free((void *)(uintptr_t)old->records[i].value.data);
        for (size_t h = 0; h < old->records[i].header_count; h++) {
            free((void *)(uintptr_t)old->records[i].headers[h].name);
            free((void *)(uintptr_t)old->records[i].headers[h].value.data);
        }
        free(old->records[i].headers);
    }
    free(old->records);
    free(old->bindings);
    load_manifest_fini(&old->manifest);
    mr_codec_destroy(&old->codec);
    mr_registry_destroy(&old->registry);
    mr_topology_destroy(&old->topology);
    free(old);
    *run = NULL;
}

/* ---- replaying ---- */

struct replay {
    const struct recorded_run *run;
    const struct mutation *mutation;
    struct mr_producer *producer;
    struct mr_arena *arena;
    size_t victim; /* SIZE_MAX: none */
    struct mr_buffer changed;
};

static void decode(const struct replay *replay, const struct recorded_record *record, void *value)
{
    struct mr_err err = {0};

    ck_assert_msg(mr_codec_decode(replay->run->codec, &replay->run->bindings[record->topic],
                                  record->value, replay->arena, value, &err) == MR_OK,
                  "%s", err.text);
}

static void find_victim(struct replay *replay)
{
    const struct mutation *mutation = replay->mutation;

    replay->victim = SIZE_MAX;
    for (size_t i = 0; mutation->kind != MUTATE_NOTHING && i < replay->run->count; i++) {
        const struct recorded_record *record = &replay->run->records[i];
        const struct mr_topic *topic = &replay->run->topology->topics[record->topic];
        bool picked = mutation->pick == NULL;

        if (strcmp(topic->name, mutation->topic) != 0) {
            continue;
        }
        if (!picked) {
            void *value = mr_xcalloc(1, topic->schema->struct_bytes);

            decode(replay, record, value);
            picked = mutation->pick(value);
            free(value);
        }
        if (picked) {
            replay->victim = i;
        }
    }
    ck_assert_msg(mutation->kind == MUTATE_NOTHING || replay->victim != SIZE_MAX,
                  "no record of %s to mutate", mutation->topic);
}

/* The victim's new bytes. */
static struct mr_slice change(struct replay *replay, const struct recorded_record *record)
{
    const struct mr_topic *topic = &replay->run->topology->topics[record->topic];
    const struct mr_binding *binding = &replay->run->bindings[record->topic];
    void *value;

    if (replay->mutation->change == NULL) {
        mr_buffer_append(&replay->changed, record->value.data, record->value.len);
        replay->changed.data[replay->changed.len - 1] ^= 1;
        return mr_buffer_slice(&replay->changed);
    }
    value = mr_xcalloc(1, topic->schema->struct_bytes);
    decode(replay, record, value);
    replay->mutation->change(value);
    (void)mr_buffer_reserve(&replay->changed, mr_codec_framed_bytes_max(binding, value));
    replay->changed.len = mr_codec_encode(binding, value, replay->changed.data);
    free(value);
    return mr_buffer_slice(&replay->changed);
}

static void send(struct replay *replay, const struct recorded_record *record, struct mr_slice value)
{
    const char *name = replay->run->topology->topics[record->topic].name;
    const bool headless =
        replay->mutation->kind == MUTATE_BEHEAD && record == &replay->run->records[replay->victim];
    struct mr_outgoing outgoing = {.partition = record->partition,
                                   .timestamp_ms = MR_TIMESTAMP_NOW,
                                   .key = record->key,
                                   .value = value,
                                   .has_value = record->has_value,
                                   .headers = record->headers,
                                   .header_count = headless ? 0 : record->header_count};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_producer_topic(replay->producer, name, &outgoing.topic, NULL, &err), MR_OK);
    ck_assert_int_eq(mr_producer_send(replay->producer, &outgoing, &err), MR_OK);
}

static void replay_all(struct replay *replay, struct mr_log *log)
{
    const struct mr_producer_options options = {.compression = "none"};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_producer_open(log, &options, WAIT_US, &replay->producer, &err), MR_OK);
    for (size_t i = 0; i < replay->run->count; i++) {
        const struct recorded_record *record = &replay->run->records[i];

        if (i != replay->victim || replay->mutation->kind == MUTATE_BEHEAD) {
            send(replay, record, record->value);
        } else if (replay->mutation->kind == MUTATE_DOUBLE) {
            send(replay, record, record->value);
            send(replay, record, record->value);
        } else if (replay->mutation->kind == MUTATE_CHANGE) {
            send(replay, record, change(replay, record));
        }
    }
    ck_assert_int_eq(mr_producer_flush(replay->producer, WAIT_US, &err), MR_OK);
    mr_producer_close(&replay->producer);
}

/* A log of its own with the records of the run, one of them mutated; the caller closes it. */
static struct mr_log *replay_log(const struct recorded_run *run, const struct mutation *mutation)
{
    struct replay replay = {
        .run = run, .mutation = mutation, .arena = mr_arena_create((size_t)64 * 1024)};
    struct mr_log *log = mr_log_memory_create(mr_clock_system());

    apply_to(run, log);
    find_victim(&replay);
    replay_all(&replay, log);
    mr_buffer_fini(&replay.changed);
    mr_arena_destroy(&replay.arena);
    return log;
}

struct verify_report *recorded_run_verify(const struct recorded_run *run,
                                          const struct mutation *mutation,
                                          const struct verify_documents *documents,
                                          const struct verify_keys *keys)
{
    struct mr_log *log = replay_log(run, mutation);
    const struct load_env env = {
        .topology = run->topology, .log = log, .codec = run->codec, .clock = mr_clock_system()};
    const struct verify_options options = {
        .wait_us = WAIT_US, .documents = documents, .keys = keys};
    struct verify_report *report = verify_report_create();
    struct mr_err err = {0};

    ck_assert_msg(verify_run(&env, &run->manifest, &options, report, &err) == MR_OK, "%s",
                  err.text);
    mr_log_close(&log);
    return report;
}

struct verify_report *recorded_run_books(const struct recorded_run *run,
                                         const struct mutation *mutation, bool live,
                                         struct verify_books **books)
{
    struct mr_log *log = replay_log(run, mutation);
    const struct load_env env = {
        .topology = run->topology, .log = log, .codec = run->codec, .clock = mr_clock_system()};
    const struct verify_books_options options = {.wait_us = WAIT_US, .live = live};
    struct verify_report *report = verify_report_create();
    struct mr_err err = {0};

    ck_assert_msg(verify_books_run(&env, &options, report, books, &err) == MR_OK, "%s", err.text);
    mr_log_close(&log);
    return report;
}
