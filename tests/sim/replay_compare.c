/* replay_compare.c -- see sim_replay.c: what the replay wrote against what is committed. */
#include "replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- who wrote what -------------------------------------------------------------------------- */

static size_t partitions_of(const struct mr_topology *topology)
{
    size_t count = 0;

    for (size_t t = 0; t < topology->topic_count; t++) {
        count += (size_t)topology->topics[t].partitions;
    }
    return count;
}

void replay_note_ends(struct replay *replay)
{
    const struct mr_topology *topology = mr_world_topology(replay->sim->world);
    const size_t width = partitions_of(topology);
    int64_t *ends;
    size_t at = 0;

    replay->ends = mr_xrealloc(replay->ends, (replay->task_count + 1) * width * sizeof(int64_t));
    ends = replay->ends + replay->task_count++ * width;
    for (size_t t = 0; t < topology->topic_count; t++) {
        for (int32_t p = 0; p < topology->topics[t].partitions; p++, at++) {
            struct mr_err err;

            ends[at] = 0;
            WORLD_MUST(!topology->topics[t].in_log ||
                       mr_log_end(replay->outputs, topology->topics[t].name, p, &ends[at], &err) ==
                           MR_OK);
        }
    }
}

/* ---- records --------------------------------------------------------------------------------- */

struct replay_list replay_read(struct mr_log *log, const char *topic, int32_t partition)
{
    struct replay_list list = {0};
    struct mr_reader *reader;
    struct mr_err err;
    int64_t low;
    int64_t end;

    WORLD_MUST(mr_log_watermarks(log, topic, partition, &low, &end, &err) == MR_OK);
    WORLD_MUST(mr_reader_open(log, MR_READER_FOLLOWS_US, &reader, &err) == MR_OK);
    WORLD_MUST(mr_reader_add(reader, topic, partition, low, &err) == MR_OK);
    while (mr_reader_position(reader, topic, partition) < end) {
        size_t count = 0;

        list.messages = mr_xrealloc(list.messages, (list.count + 256) * sizeof(struct mr_message));
        WORLD_MUST(mr_reader_poll(reader, 0, list.messages + list.count, 256, &count, &err) ==
                   MR_OK);
        list.count += count;
    }
    mr_reader_close(&reader);
    return list;
}

static bool same_headers(const struct mr_message *a, const struct mr_message *b)
{
    struct mr_header left[MR_HEADERS_MAX];
    struct mr_header right[MR_HEADERS_MAX];
    const size_t count = mr_message_headers(a, left, MR_HEADERS_MAX);

    if (mr_message_headers(b, right, MR_HEADERS_MAX) != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(left[i].name, right[i].name) != 0 ||
            !mr_slice_equal(left[i].value, right[i].value)) {
            return false;
        }
    }
    return true;
}

/* What is stamped at the commit has another time in a replay. */
static bool same(const struct mr_message *there, const struct mr_message *replayed)
{
    return mr_slice_equal(there->key, replayed->key) && there->has_value == replayed->has_value &&
           mr_slice_equal(there->value, replayed->value) &&
           (replayed->timestamp_ms >= replay_start_ms() ||
            there->timestamp_ms == replayed->timestamp_ms) &&
           same_headers(there, replayed);
}

/* What one task wrote to the partition, and how far it has been found there. */
struct strand {
    size_t next, end;
};

/* For the trace. */
static void show(struct replay *replay, const char *what, const struct mr_message *message)
{
    const struct mr_topology *topology = mr_world_topology(replay->sim->world);
    const size_t topic = mr_topology_find_topic(topology, message->topic);
    struct mr_buffer json = MR_BUFFER_EMPTY;

    if (replay->sim->trace != NULL && topology->topics[topic].schema != NULL) {
        mr_world_json(replay->sim->world, message->topic, message->value, &json);
        (void)fprintf(replay->sim->trace, "%s offset=%" PRId64 " ts=%" PRId64 " %.*s\n", what,
                      message->offset, message->timestamp_ms, (int)json.len,
                      (const char *)json.data);
        mr_buffer_fini(&json);
    }
}

static void show_strands(struct replay *replay, const struct mr_message *there,
                         const struct replay_list *replayed, const struct strand *strands)
{
    show(replay, "there:", there);
    for (size_t i = 0; i < replay->task_count; i++) {
        if (strands[i].next < strands[i].end) {
            show(replay, "replay:", &replayed->messages[strands[i].next]);
        }
    }
}

/* Each record that is there is the next one of one of the tasks; in the end nothing is left. */
static void compare_partition(struct replay *replay, const char *topic, int32_t partition,
                              size_t column)
{
    const size_t width = partitions_of(mr_world_topology(replay->sim->world));
    struct replay_list there = replay_read(mr_world_log(replay->sim->world), topic, partition);
    struct replay_list replayed = replay_read(replay->outputs, topic, partition);
    struct strand *strands = mr_xcalloc(replay->task_count, sizeof(*strands));
    size_t at = 0;

    for (size_t i = 0; i < replay->task_count; i++) {
        strands[i].next = at;
        while (at < replayed.count &&
               replayed.messages[at].offset < replay->ends[i * width + column]) {
            at++;
        }
        strands[i].end = at;
    }
    for (size_t r = 0; r < there.count; r++) {
        size_t i = 0;

        while (i < replay->task_count &&
               (strands[i].next == strands[i].end ||
                !same(&there.messages[r], &replayed.messages[strands[i].next]))) {
            i++;
        }
        if (i == replay->task_count) {
            show_strands(replay, &there.messages[r], &replayed, strands);
        }
        WORLD_MUST_MSG(i < replay->task_count,
                       "%s[%d] offset %" PRId64 " (record %zu of %zu, key %.*s): no replay of the "
                       "journals writes this there",
                       topic, (int)partition, there.messages[r].offset, r, there.count,
                       MR_SLICE_ARG(there.messages[r].key));
        strands[i].next++;
    }
    for (size_t i = 0; i < replay->task_count; i++) {
        WORLD_MUST_MSG(strands[i].next == strands[i].end,
                       "%s[%d]: a replay of the journals writes %zu records more, first key %.*s",
                       topic, (int)partition, strands[i].end - strands[i].next,
                       MR_SLICE_ARG(replayed.messages[strands[i].next].key));
    }
    free(strands);
    free(there.messages);
    free(replayed.messages);
}

/* ---- state ----------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct mr_message *left = a;
    const struct mr_message *right = b;
    const int order = mr_slice_compare(left->key, right->key);

    return order != 0 ? order : (left->offset > right->offset) - (left->offset < right->offset);
}

static void fold(struct replay_list *list)
{
    size_t kept = 0;

    if (list->count > 0) {
        qsort(list->messages, list->count, sizeof(*list->messages), by_key);
    }
    for (size_t i = 0; i < list->count; i++) {
        if ((i + 1 == list->count ||
             !mr_slice_equal(list->messages[i].key, list->messages[i + 1].key)) &&
            list->messages[i].has_value) {
            list->messages[kept++] = list->messages[i];
        }
    }
    list->count = kept;
}

static void compare_state(struct replay *replay, const char *topic, int32_t partition)
{
    struct replay_list there = replay_read(mr_world_log(replay->sim->world), topic, partition);
    struct replay_list replayed = replay_read(replay->outputs, topic, partition);

    fold(&there);
    fold(&replayed);
    for (size_t i = 0; i < there.count && i < replayed.count; i++) {
        WORLD_MUST_MSG(mr_slice_equal(there.messages[i].key, replayed.messages[i].key) &&
                           mr_slice_equal(there.messages[i].value, replayed.messages[i].value),
                       "%s[%d]: entry %zu is not what a replay of the journal comes to", topic,
                       (int)partition, i);
    }
    WORLD_MUST_MSG(there.count == replayed.count,
                   "%s[%d]: %zu entries, and a replay of the journal comes to %zu", topic,
                   (int)partition, there.count, replayed.count);
    free(there.messages);
    free(replayed.messages);
}

/* ---- all topics ------------------------------------------------------------------------------ */

enum kind { OUTPUT, STATE, JOURNAL, FOREIGN };

static enum kind kind_of(const struct mr_topology *topology, size_t topic)
{
    enum kind kind = FOREIGN; /* written from outside */

    for (size_t s = 0; s < topology->stage_count; s++) {
        const struct mr_stage_node *stage = &topology->stages[s];

        for (size_t o = 0; o < stage->type->out_count; o++) {
            kind = stage->out[o].topic == topic && stage->out[o].written ? OUTPUT : kind;
        }
        kind = stage->dead_letter == topic ? OUTPUT : kind;
        kind = stage->changelog == topic ? STATE : kind;
    }
    for (size_t g = 0; g < topology->group_count; g++) {
        kind = topology->groups[g].journal == topic ? JOURNAL : kind;
    }
    return kind;
}

void replay_compare(struct replay *replay)
{
    const struct mr_topology *topology = mr_world_topology(replay->sim->world);
    size_t column = 0;

    for (size_t t = 0; t < topology->topic_count; t++) {
        const struct mr_topic *topic = &topology->topics[t];
        const enum kind kind = kind_of(topology, t);

        for (int32_t p = 0; p < topic->partitions; p++, column++) {
            if (topic->in_log && kind == OUTPUT) {
                compare_partition(replay, topic->name, p, column);
            } else if (topic->in_log && kind == STATE) {
                compare_state(replay, topic->name, p);
            } else if (kind == JOURNAL && p == 0) {
                replay_compare_journal(replay, topic);
            }
        }
    }
}
