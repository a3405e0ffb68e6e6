/*
 * play.c -- a script of records, rounds, crashes and faults on the whole pipeline in memory, and
 * what the log holds then as a dump.
 *
 *   oracle_play TOPOLOGY SCRIPT DIR
 *
 * A line of the script is a JSON object:
 *   {"send": TOPIC, "key": TEXT, "value": {...} | null | "bytes": HEX}   null is a tombstone
 *   {"rounds": N}   {"pass": MICROSECONDS}   {"settle": true}
 *   {"crash": GROUP, "lose": BOOL}
 *   {"fail": CALL, "status": STATUS, "nth": N, "done": BOOL}
 */
#include "dump.h"
#include "millrace/arena.h"
#include "millrace/log_open.h"
#include "millrace/logger.h"
#include "topology_text.h"
#include "world_priv.h"

#include <jansson.h>
#include <stdlib.h>

static const struct {
    const char *name;
    enum mr_log_call call;
} calls[] = {
    {"commit", MR_LOG_CALL_COMMIT},
    {"begin", MR_LOG_CALL_BEGIN},
    {"abort", MR_LOG_CALL_ABORT},
    {"poll", MR_LOG_CALL_POLL},
};

static const char *text_in(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));

    WORLD_MUST_MSG(text != NULL, "the script needs \"%s\" as text", name);
    return text;
}

static char *read_file(const char *path)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    FILE *file = fopen(path, "rb");
    size_t got = 1;

    WORLD_MUST_MSG(file != NULL, "cannot open %s", path);
    while (got > 0) {
        got = fread(mr_buffer_reserve(&text, 65536), 1, 65536, file);
        text.len += got;
    }
    (void)fclose(file);
    mr_buffer_append(&text, "", 1);
    return (char *)text.data;
}

static void send_bytes(struct mr_world *world, const char *topic, struct mr_slice key,
                       const char *hex)
{
    const size_t len = strlen(hex) / 2;
    uint8_t *bytes = mr_xcalloc(1, len + 1);

    for (size_t i = 0; i < len; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    mr_world_send(world, topic, key, mr_slice_of(bytes, len));
    free(bytes);
}

static void send(struct mr_world *world, const json_t *line)
{
    const char *topic = text_in(line, "send");
    const json_t *value = json_object_get(line, "value");

    if (json_object_get(line, "bytes") != NULL) {
        send_bytes(world, topic, mr_slice_str(text_in(line, "key")), text_in(line, "bytes"));
    } else if (json_is_null(value)) {
        mr_world_send_tombstone(world, topic, mr_slice_str(text_in(line, "key")));
    } else {
        char *text = json_dumps(value, JSON_COMPACT);

        WORLD_MUST(text != NULL);
        mr_world_send_json(world, topic, text_in(line, "key"), text);
        free(text);
    }
}

static void crash(struct mr_world *world, const json_t *line)
{
    const size_t group = mr_topology_find_group(mr_world_topology(world), text_in(line, "crash"));

    WORLD_MUST(group != SIZE_MAX);
    mr_world_crash(world, group);
    if (json_is_true(json_object_get(line, "lose"))) {
        mr_world_lose_state(world, group);
    }
}

static enum mr_status status_of(const char *name)
{
    static const enum mr_status known[] = {MR_TXN_ABORT, MR_INDETERMINATE, MR_FENCED, MR_TIMEOUT,
                                           MR_LOG_FATAL};

    for (size_t i = 0; i < MR_COUNT(known); i++) {
        if (strcmp(mr_status_name(known[i]), name) == 0) {
            return known[i];
        }
    }
    mr_world_violated(__FILE__, __LINE__, "the script names a status %s", name);
}

static void disturb(struct mr_world *world, const json_t *line)
{
    const char *name = text_in(line, "fail");

    for (size_t i = 0; i < MR_COUNT(calls); i++) {
        if (strcmp(calls[i].name, name) == 0) {
            mr_log_memory_fail(mr_world_log(world), calls[i].call,
                               (int)json_integer_value(json_object_get(line, "nth")),
                               status_of(text_in(line, "status")),
                               json_is_true(json_object_get(line, "done")));
        }
    }
}

static void obey(struct mr_world *world, const json_t *line)
{
    if (json_object_get(line, "send") != NULL) {
        send(world, line);
    } else if (json_object_get(line, "rounds") != NULL) {
        mr_world_rounds(world, (int)json_integer_value(json_object_get(line, "rounds")));
    } else if (json_object_get(line, "pass") != NULL) {
        mr_world_pass_us(world, json_integer_value(json_object_get(line, "pass")));
    } else if (json_object_get(line, "settle") != NULL) {
        mr_world_settle(world);
    } else if (json_object_get(line, "crash") != NULL) {
        crash(world, line);
    } else {
        disturb(world, line);
    }
}

static void play(struct mr_world *world, const char *path)
{
    char *script = read_file(path);
    char *rest = script;
    char *line;

    while ((line = strtok_r(rest, "\n", &rest)) != NULL) {
        json_error_t problem;
        json_t *object = json_loads(line, 0, &problem);

        WORLD_MUST_MSG(json_is_object(object), "%s: %s", line, problem.text);
        obey(world, object);
        json_decref(object);
    }
    free(script);
}

int main(int argc, char **argv)
{
    struct mr_world *world;
    struct load_env env;
    struct mr_err err = {0};
    int64_t records = 0;
    enum mr_status status;
    char *text;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: oracle_play TOPOLOGY SCRIPT DIR\n");
        return 2;
    }
    mr_logger_set_level(MR_LEVEL_ERROR);
    text = read_file(argv[1]);
    world =
        mr_world_create(&(struct mr_world_options){.owned = topology_of_text(text, NULL, NULL, 0)});
    free(text);
    mr_world_start(world);
    play(world, argv[2]);
    mr_world_settle(world);
    mr_world_stop(world);
    env = (struct load_env){.topology = world->topology,
                            .log = world->log,
                            .codec = world->codec,
                            .clock = &world->clock};
    status = dump_topics(&env, argv[3], &records, &err);
    if (status != MR_OK) {
        (void)fprintf(stderr, "oracle_play: %s\n", err.text);
    }
    mr_world_destroy(&world);
    return status == MR_OK ? 0 : 1;
}
