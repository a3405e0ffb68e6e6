/* scenario.c -- see scenario.h: reading a file, sending, time. */
#include "scenario.h"

#include "expect.h"
#include "invariants.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES_MAX 64
#define RAW_BYTES_MAX 4096
#define SENDS_MAX 256
#define FIRST_TS_US INT64_C(1723075200000000) /* 2024-08-08T00:00:00Z */

struct story {
    const char *path;
    int line;
    struct mr_world *world;
    struct expectations *expectations;
    int sends;
    int64_t passed_us;
};

static int send_rounds[SENDS_MAX];
static size_t send_round_count;

static const struct {
    const char *topic;
    const char *json;
} plain[] = {
    {"orders", "{\"action\": \"NEW\", \"symbol\": \"BTCUSDT\", \"side\": \"BUY\","
               " \"ordType\": \"LIMIT\", \"tif\": \"GTC\", \"postOnly\": false,"
               " \"reduceOnly\": false, \"stpMode\": \"EXPIRE_TAKER\", \"source\": \"test\"}"},
    {"accounts", "{\"action\": \"DEPOSIT\", \"asset\": \"USDT\"}"},
    {"prices", "{\"symbol\": \"BTCUSDT\", \"kind\": \"LAST\", \"seq\": 1, \"source\": \"test\"}"},
    {"instruments", "{\"symbol\": \"BTCUSDT\", \"baseAsset\": \"BTC\", \"quoteAsset\": \"USDT\","
                    " \"state\": \"TRADING\", \"tickSize\": \"0.01\", \"lotSize\": \"0.001\","
                    " \"minPrice\": \"0.01\", \"maxPrice\": \"1000000\", \"minQty\": \"0.001\","
                    " \"maxQty\": \"9000\", \"minNotional\": \"5\", \"maxNotional\": \"9000000\","
                    " \"makerFee\": \"0.0002\", \"takerFee\": \"0.001\", \"version\": 1}"},
};

/* ---- files ----------------------------------------------------------------------------------- */

static char paths[FILES_MAX][SCENARIO_PATH_MAX];
static size_t path_count;

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t scenario_count(void)
{
    DIR *directory;
    const struct dirent *entry;

    if (path_count > 0) {
        return path_count;
    }
    directory = opendir(MR_SCENARIOS);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        const size_t len = strlen(entry->d_name);

        if (len > 6 && strcmp(entry->d_name + len - 6, ".jsonl") == 0 && path_count < FILES_MAX) {
            snprintf(paths[path_count++], SCENARIO_PATH_MAX, "%s/%.200s", MR_SCENARIOS,
                     entry->d_name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    qsort(paths, path_count, sizeof(paths[0]), by_name);
    return path_count;
}

const int *scenario_send_rounds(size_t *count)
{
    *count = send_round_count;
    return send_rounds;
}

const char *scenario_path(size_t index)
{
    WORLD_MUST(index < scenario_count());
    return paths[index];
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool has_field(const struct story *story, const char *topic, const char *name)
{
    const struct mr_topology *topology = mr_world_topology(story->world);
    const size_t index = mr_topology_find_topic(topology, topic);

    WORLD_MUST_MSG(index != SIZE_MAX, "%s:%d: no topic %s", story->path, story->line, topic);
    for (size_t i = 0; i < topology->topics[index].schema->field_count; i++) {
        if (strcmp(topology->topics[index].schema->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *completed(struct story *story, const char *topic, json_t *given)
{
    json_t *value = json_object();
    char id[32];

    for (size_t i = 0; i < MR_COUNT(plain); i++) {
        if (strcmp(plain[i].topic, topic) == 0) {
            json_decref(value);
            value = json_loads(plain[i].json, 0, NULL);
        }
    }
    snprintf(id, sizeof(id), "c%d", story->sends);
    if (has_field(story, topic, "eventId")) {
        json_object_set_new(value, "eventId", json_string(id));
    }
    json_object_set_new(
        value, "ts", json_integer(FIRST_TS_US + story->passed_us + story->sends * INT64_C(1000)));
    json_object_update(value, given);
    return value;
}

static void send_raw(struct story *story, const char *topic, const char *key, const char *hex)
{
    uint8_t bytes[RAW_BYTES_MAX];
    const size_t len = strlen(hex) / 2;

    WORLD_MUST(len <= sizeof(bytes));
    for (size_t i = 0; i < len; i++) {
        unsigned byte;

        WORLD_MUST(sscanf(hex + 2 * i, "%2x", &byte) == 1);
        bytes[i] = (uint8_t)byte;
    }
    mr_world_send(story->world, topic, mr_slice_str(key), mr_slice_of(bytes, len));
}

static void play_send(struct story *story, json_t *line)
{
    const char *topic = json_string_value(json_object_get(line, "send"));
    const char *key = json_string_value(json_object_get(line, "key"));
    const char *raw = json_string_value(json_object_get(line, "raw"));

    story->sends++;
    WORLD_MUST(send_round_count < SENDS_MAX);
    send_rounds[send_round_count++] = mr_world_round(story->world);
    if (raw != NULL) {
        send_raw(story, topic, key, raw);
    } else {
        json_t *value = completed(story, topic, json_object_get(line, "value"));
        char *text = json_dumps(value, JSON_COMPACT);

        mr_world_send_json(story->world, topic, key, text);
        free(text);
        json_decref(value);
    }
    mr_world_pass_us(story->world, MR_MS_US);
    if (!json_is_true(json_object_get(line, "together"))) {
        mr_world_settle(story->world);
    }
}

static void play_line(struct story *story, json_t *line)
{
    const char *expect = json_string_value(json_object_get(line, "expect"));
    const char *last = json_string_value(json_object_get(line, "last"));
    const char *ignore = json_string_value(json_object_get(line, "ignore"));

    if (json_object_get(line, "send") != NULL) {
        play_send(story, line);
    } else if (json_object_get(line, "pass") != NULL) {
        const int64_t us = json_integer_value(json_object_get(line, "pass")) * MR_SECOND_US;

        story->passed_us += us;
        mr_world_pass_us(story->world, us);
    } else if (expect != NULL) {
        expect_records(story->expectations, story->world, expect, json_object_get(line, "records"));
    } else if (ignore != NULL) {
        expect_anything(story->expectations, story->world, ignore);
    } else {
        WORLD_MUST_MSG(last != NULL, "%s:%d: neither send, pass, expect, last nor ignore",
                       story->path, story->line);
        expect_last(story->world, last, json_object_get(line, "records"));
    }
}

static void play_file(struct story *story)
{
    FILE *file = fopen(story->path, "r");
    char *text = mr_xcalloc(1, 16384);

    WORLD_MUST_MSG(file != NULL, "cannot open %s", story->path);
    while (fgets(text, 16384, file) != NULL) {
        json_error_t problem;
        json_t *line;

        story->line++;
        if (text[0] == '#' || text[0] == '\n') {
            continue;
        }
        line = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
        WORLD_MUST_MSG(json_is_object(line), "%s:%d: %s", story->path, story->line, problem.text);
        expect_place(story->path, story->line);
        play_line(story, line);
        json_decref(line);
    }
    fclose(file);
    free(text);
}

struct mr_world *scenario_play(const char *path, const struct scenario_run *run)
{
    struct story story = {.path = path, .world = mr_world_create(&run->options)};

    story.expectations = expectations_create();
    send_round_count = 0;
    if (run->crash_round >= 0) {
        mr_world_plan_crash(story.world, run->crash_round, run->crash_group, run->lose_state);
    }
    mr_world_start(story.world);
    play_file(&story);
    expect_nothing_left(story.expectations, story.world);
    expectations_destroy(&story.expectations);
    WORLD_MUST(mr_world_restarts(story.world) == 0);
    invariants_check(story.world);
    return story.world;
}
