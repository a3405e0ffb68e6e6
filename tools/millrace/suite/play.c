/* play.c -- see play.h: the steps of a case, one after the other. */
#include "play.h"

#include "expect.h"
#include "millrace/codec.h"
#include "millrace/partition.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 * 1024)
#define RECORD_US MR_MS_US

void suite_result_fini(struct suite_result *result)
{
    mr_buffer_fini(&result->text);
    free(result->sent_in);
    *result = (struct suite_result){0};
}

/* The topology does not go on. */
static void stopped(struct suite_run *run, struct suite_place place, const struct mr_err *err)
{
    suite_failed(run, place);
    mr_buffer_printf(&run->result->text, "%s:%d:%d: %s\n", place.file, place.at.line,
                     place.at.column, err->text);
}

static bool rest(struct suite_run *run, struct suite_place place)
{
    struct mr_err err = {0};

    if (!run->at_rest && mr_world_try_settle(run->world, &err) != MR_OK) {
        stopped(run, place, &err);
    }
    run->at_rest = true;
    return run->result->passed;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void note_round(struct suite_run *run)
{
    struct suite_result *result = run->result;

    result->sent_in =
        mr_xrealloc(result->sent_in, (result->sent_count + 1) * sizeof(*result->sent_in));
    result->sent_in[result->sent_count++] = mr_world_round(run->world);
}

/* The key from the fields that the topic names, joined; *first: the bytes of the first. */
static void make_key(const struct mr_topic *topic, const json_t *value, struct mr_buffer *key,
                     size_t *first)
{
    const char *at = topic->key;
    char name[SUITE_NAME_MAX];

    while (suite_next_key_field(&at, name)) {
        const json_t *field = json_object_get(value, name);

        mr_buffer_append(key, ":", key->len > 0 ? 1 : 0);
        mr_buffer_append(key, json_is_string(field) ? json_string_value(field) : "",
                         json_string_length(field));
        *first = *first == 0 ? key->len : *first;
    }
}

/* A key of several fields partitions by its first, as the stages do. */
static size_t first_part(const struct mr_topic *topic, struct mr_slice key)
{
    const uint8_t *colon = key.len == 0 ? NULL : memchr(key.data, ':', key.len);

    return strchr(topic->key, ',') != NULL && colon != NULL ? (size_t)(colon - key.data) : key.len;
}

static void put(struct suite_run *run, const struct mr_topic *topic, struct mr_slice key,
                size_t first, const struct mr_slice *value)
{
    mr_world_put(run->world, topic->name,
                 mr_partition_of(mr_slice_of(key.data, first), topic->partitions), key, value);
}

struct mr_buffer suite_framed(struct suite_run *run, const struct mr_binding *binding,
                              const struct suite_defaults *defaults,
                              const struct suite_record *record, json_t **whole)
{
    struct suite_blame blame;
    json_t *object = suite_whole(binding->schema, record->fields, defaults, &run->clock, &blame);
    struct mr_arena *arena = mr_arena_create(ARENA_BYTES);
    void *value = mr_xcalloc(1, binding->schema->struct_bytes);
    struct mr_buffer out = MR_BUFFER_EMPTY;
    struct mr_err err = {0};

    WORLD_MUST_MSG(object != NULL, "%s", blame.text);
    WORLD_MUST_MSG(suite_struct(binding->schema, object, arena, value, &err) == MR_OK, "%s",
                   err.text);
    out.len = mr_codec_encode(binding, value,
                              mr_buffer_reserve(&out, mr_codec_framed_bytes_max(binding, value)));
    free(value);
    mr_arena_destroy(&arena);
    if (whole != NULL) {
        *whole = object;
    } else {
        json_decref(object);
    }
    return out;
}

static void send_value(struct suite_run *run, size_t index, const struct suite_record *record)
{
    const struct mr_topic *topic = &run->suite->topology->topics[index];
    const struct mr_binding binding = mr_world_bind(run->world, topic->name);
    struct mr_buffer key = MR_BUFFER_EMPTY;
    size_t first = 0;
    json_t *whole;
    struct mr_buffer framed =
        suite_framed(run, &binding, &run->suite->defaults[index], record, &whole);
    const struct mr_slice bytes = mr_buffer_slice(&framed);

    if (record->has_key) {
        put(run, topic, record->key, first_part(topic, record->key), &bytes);
    } else {
        make_key(topic, whole, &key, &first);
        put(run, topic, mr_buffer_slice(&key), first, &bytes);
    }
    mr_buffer_fini(&key);
    mr_buffer_fini(&framed);
    json_decref(whole);
}

static void send_record(struct suite_run *run, size_t index, const struct suite_record *record)
{
    const struct mr_topic *topic = &run->suite->topology->topics[index];

    run->clock.sends++;
    note_round(run);
    if (record->has_raw || record->no_value) {
        put(run, topic, record->key, first_part(topic, record->key),
            record->has_raw ? &record->raw : NULL);
    } else {
        send_value(run, index, record);
    }
    run->clock.now_us += RECORD_US;
    mr_world_pass_us(run->world, RECORD_US);
    run->at_rest = false;
}

static void play_send(struct suite_run *run, const struct suite_step *step)
{
    if (!rest(run, step->place)) {
        return;
    }
    for (size_t b = 0; b < step->batch_count; b++) {
        const struct suite_batch *batch = &step->batches[b];

        for (size_t i = 0; i < batch->count; i++) {
            if (!step->together && !rest(run, batch->records[i].place)) {
                return;
            }
            send_record(run, batch->topic, &batch->records[i]);
        }
    }
    if (step->kind == SUITE_GIVEN && rest(run, step->place)) {
        suite_ignore_all(run);
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void play_crash(struct suite_run *run, const struct suite_step *step)
{
    struct mr_err err = {0};

    if (mr_world_try_rounds(run->world, (int)(step->duration_us / MR_MS_US), &err) != MR_OK) {
        stopped(run, step->place, &err);
        return;
    }
    mr_world_crash(run->world, step->group);
    if (step->lose_state) {
        mr_world_lose_state(run->world, step->group);
    }
    run->at_rest = false;
}

static void look(struct suite_run *run, const struct suite_step *step)
{
    for (size_t b = 0; b < step->batch_count; b++) {
        const struct suite_batch *batch = &step->batches[b];

        if (step->kind == SUITE_EXPECT) {
            (void)suite_expect(run, batch);
        } else if (step->kind == SUITE_LAST) {
            (void)suite_expect_last(run, batch);
        } else if (step->kind == SUITE_EXPECT_STORE) {
            (void)suite_expect_store(run, batch);
        } else {
            suite_ignore(run, batch->topic);
        }
    }
}

static void play_step(struct suite_run *run, const struct suite_step *step)
{
    switch (step->kind) {
    case SUITE_GIVEN:
    case SUITE_SEND:
        play_send(run, step);
        break;
    case SUITE_CRASH:
        play_crash(run, step);
        break;
    case SUITE_PASS:
        if (rest(run, step->place)) {
            run->clock.now_us += step->duration_us;
            mr_world_pass_us(run->world, step->duration_us);
            run->at_rest = false;
        }
        break;
    case SUITE_EXPECT:
    case SUITE_LAST:
    case SUITE_IGNORE:
    case SUITE_EXPECT_STORE:
        if (rest(run, step->place)) {
            look(run, step);
        }
        break;
    }
}

static void check_restarts(struct suite_run *run)
{
    const struct suite_place place = run->played->place;

    if (run->result->passed && mr_world_restarts(run->world) > 0) {
        suite_failed(run, place);
        mr_buffer_printf(&run->result->text,
                         "%s:%d:%d: a worker failed %d times, and went on: %s\n", place.file,
                         place.at.line, place.at.column, mr_world_restarts(run->world),
                         mr_world_error(run->world)->text);
    }
}

struct mr_world *suite_play(const struct suite *suite, const struct suite_case *played,
                            const struct suite_play_options *options, struct suite_result *result)
{
    const int64_t begun_us = mr_clock_monotonic_us(mr_clock_system());
    struct suite_run run = {
        .suite = suite,
        .played = played,
        .clock = {.now_us = suite->start_us},
        .result = result,
        .world = mr_world_create(&(struct mr_world_options){
            .topology = suite->topology, .lent = suite->registry, .start_us = suite->start_us}),
    };

    result->passed = true;
    result->sent_count = 0;
    suite_looks_init(&run);
    if (options->crash.round >= 0) {
        mr_world_plan_crash(run.world, options->crash.round, options->crash.group,
                            options->crash.lose_state);
    }
    suite_fill_stores(&run);
    mr_world_start(run.world);
    for (size_t i = 0; i < played->step_count && result->passed; i++) {
        play_step(&run, &played->steps[i]);
    }
    if (result->passed && rest(&run, played->place) && suite_expect_nothing_left(&run)) {
        check_restarts(&run);
    }
    suite_looks_fini(&run);
    if (result->passed && options->check != NULL) {
        options->check(options->arg, played, run.world);
    }
    result->plays++;
    result->us += mr_clock_monotonic_us(mr_clock_system()) - begun_us;
    return run.world;
}
