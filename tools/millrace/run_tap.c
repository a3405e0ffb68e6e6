/*
 * run_tap.c -- /tap?topic=NAME: committed records of an edge in memory, a line of JSON each.
 *
 * A line is as tap prints it, without the offset that such a record does not have. Records that
 * came faster than they were read are dropped by the worker; {"dropped":N} says how many so far.
 */
#include "line_text.h"
#include "run_see.h"

#include <inttypes.h>
#include <stdlib.h>

#define ATTACH_WAIT_US (2 * MR_SECOND_US)
#define PAUSE_US (20 * MR_MS_US)
#define LINES_MAX 512 /* at once */
#define ARENA_BYTES ((size_t)16 * 1024)

struct tap {
    const struct mr_topic *topic;
    struct mr_tap_ring **rings; /* of each worker of the group */
    size_t ring_count;
    uint64_t dropped; /* said */
    struct mr_buffer scratch;
    struct mr_arena *arena;
    void *value;
};

static void write_record(struct tap *tap, const struct mr_tap_record *record, struct mr_buffer *out)
{
    const struct mr_schema *schema = tap->topic->schema;
    const struct mr_slice body = mr_slice_of(record->value.data + MR_WIRE_HEADER_BYTES,
                                             record->value.len - MR_WIRE_HEADER_BYTES);
    struct mr_err ignored;

    mr_buffer_printf(out,
                     "{\"topic\":\"%s\",\"partition\":%" PRId32 ",\"timestamp\":", tap->topic->name,
                     record->partition);
    line_time_append(out, record->timestamp_ms);
    mr_buffer_printf(out, ",\"key\":");
    line_text_append(out, record->key);
    mr_buffer_printf(out, ",\"value\":");
    mr_arena_reset(tap->arena);
    memset(tap->value, 0, schema->struct_bytes);
    if (schema->decode(body, tap->arena, tap->value, &ignored) == MR_OK) {
        mr_json_write_record(schema, tap->value, out);
    } else {
        mr_buffer_printf(out, "null");
    }
    mr_buffer_printf(out, "}\n");
}

static void say_dropped(struct tap *tap, struct mr_buffer *out)
{
    uint64_t dropped = 0;

    for (size_t i = 0; i < tap->ring_count; i++) {
        dropped += mr_tap_ring_dropped(tap->rings[i]);
    }
    if (dropped > tap->dropped) {
        tap->dropped = dropped;
        mr_buffer_printf(out, "{\"dropped\":%" PRIu64 "}\n", dropped);
    }
}

static bool next(void *state, struct mr_buffer *out)
{
    struct tap *tap = state;
    struct mr_tap_record record;

    for (size_t i = 0; i < tap->ring_count; i++) {
        for (int lines = 0;
             lines < LINES_MAX && mr_tap_ring_take(tap->rings[i], &tap->scratch, &record);
             lines++) {
            write_record(tap, &record, out);
        }
    }
    say_dropped(tap, out);
    if (out->len == 0) {
        mr_clock_wait_us(mr_clock_system(), PAUSE_US);
    }
    return true;
}

static void close_tap(void *state)
{
    struct tap *tap = state;

    for (size_t i = 0; i < tap->ring_count; i++) {
        mr_tap_ring_leave(&tap->rings[i]);
    }
    mr_buffer_fini(&tap->scratch);
    mr_arena_destroy(&tap->arena);
    free(tap->value);
    free(tap->rings);
    free(tap);
}

static bool writes(const struct mr_topology *topology, size_t group, size_t topic)
{
    for (size_t s = 0; s < topology->stage_count; s++) {
        const struct mr_stage_node *stage = &topology->stages[s];

        for (size_t o = 0; stage->group == group && o < stage->type->out_count; o++) {
            if (stage->out[o].topic == topic) {
                return true;
            }
        }
    }
    return false;
}

static enum mr_status attach(struct run_process *process, size_t topic, struct tap *tap,
                             struct mr_err *err)
{
    for (size_t i = 0; i < process->unit_count; i++) {
        const struct run_unit *unit = &process->units[i];
        struct mr_tap_ring *ring;
        struct mr_answer *answer = NULL;

        if (unit->worker == NULL || !writes(process->topology, unit->group, topic)) {
            continue;
        }
        ring = mr_tap_ring_create();
        tap->rings[tap->ring_count++] = ring;
        MR_TRY(mr_worker_ask(
            unit->worker, &(struct mr_question){.kind = MR_ASK_TAP, .topic = topic, .ring = ring},
            ATTACH_WAIT_US, &answer, err));
        mr_answer_destroy(&answer);
    }
    return tap->ring_count > 0 ? MR_OK
                               : mr_fail(err, MR_CONFIG, "no stage of this process writes %s",
                                         process->topology->topics[topic].name);
}

void run_tap_open(struct run_process *process, const struct mr_http_request *request,
                  struct mr_http_answer *answer)
{
    const char *name = mr_http_query(request, "topic");
    const size_t topic = name == NULL ? SIZE_MAX : mr_topology_find_topic(process->topology, name);
    struct tap *tap;
    struct mr_err err;

    if (topic == SIZE_MAX) {
        mr_http_refuse(answer, 400, "topic= one of the topology is wanted");
        return;
    }
    tap = mr_xcalloc(1, sizeof(*tap));
    tap->topic = &process->topology->topics[topic];
    tap->rings = mr_xcalloc(process->unit_count + 1, sizeof(struct mr_tap_ring *));
    tap->arena = mr_arena_create(ARENA_BYTES);
    tap->value = mr_xcalloc(1, tap->topic->schema == NULL ? 1 : tap->topic->schema->struct_bytes);
    if (tap->topic->in_log) {
        mr_http_refuse(answer, 400, "this topic is in the log: millrace tap reads it there");
    } else if (attach(process, topic, tap, &err) != MR_OK) {
        mr_http_refuse(answer, err.status == MR_CONFIG ? 404 : 503, err.text);
    } else {
        answer->type = "application/x-ndjson";
        answer->stream = (struct mr_http_stream){.next = next, .close = close_tap, .state = tap};
        return;
    }
    close_tap(tap);
}
