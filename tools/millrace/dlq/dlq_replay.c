/* dlq_replay.c -- see dlq_replay.h. */
#include "dlq_replay.h"

#include "exact_send.h"
#include "millrace/arena.h"
#include "millrace/partition.h"
#include "topic_key.h"

#include <inttypes.h>
#include <stdlib.h>

#define COMMITTED_US (30 * MR_SECOND_US)
#define ARENA_BYTES ((size_t)64 * 1024)

/*
 * Every letter is looked at before the first is sent. What is sent again loses its mark first, so
 * that sending it is like sending any other.
 */
enum pass { LOOK, FORGET, SEND };

/* A topic that letters go to. */
struct target {
    const struct mr_topic *topic; /* NULL: not of the topology */
    char name[DLQ_TEXT_BYTES];
    int32_t partitions;
    int number; /* of the producer of this attempt */
};

struct replay {
    const struct load_env *env;
    const struct dlq_replay_options *options;
    struct dlq_replay_result *result;
    dlq_told *told;
    void *told_arg;
    enum pass pass;
    char group[DLQ_GROUP_BYTES];
    struct exact_sender sender;
    struct target *targets;
    size_t target_count;
    struct dlq_marks marks[LOAD_PARTITIONS_MAX];
    int64_t last[LOAD_PARTITIONS_MAX]; /* letter before; -1: none */
    int64_t ends[LOAD_PARTITIONS_MAX]; /* behind the last letter that was looked at */
    bool moved[LOAD_PARTITIONS_MAX];   /* by the open transaction */
    int64_t sent;
    struct mr_buffer value;
};

static enum mr_status letter_fail(const struct dlq_letter *letter, struct mr_err *err,
                                  const char *what)
{
    return mr_fail(err, MR_CONFIG, "letter %" PRId32 ":%" PRId64 ": %s", letter->message->partition,
                   letter->message->offset, what);
}

/* ---- where to ---------------------------------------------------------------------------------
 */

static enum mr_status find_target(struct replay *replay, const struct dlq_letter *letter,
                                  size_t *index, struct mr_err *err)
{
    const char *name = replay->options->to[0] != '\0' ? replay->options->to : letter->source_topic;
    const struct mr_topology *topology = replay->env->topology;
    struct target *target;
    size_t topic;

    for (*index = 0; *index < replay->target_count; *index += 1) {
        if (strcmp(replay->targets[*index].name, name) == 0) {
            return MR_OK;
        }
    }
    replay->targets =
        mr_xrealloc(replay->targets, (replay->target_count + 1) * sizeof *replay->targets);
    target = &replay->targets[replay->target_count];
    *target = (struct target){.number = -1};
    (void)snprintf(target->name, sizeof target->name, "%s", name);
    topic = mr_topology_find_topic(topology, name);
    target->topic = topic == SIZE_MAX ? NULL : &topology->topics[topic];
    MR_TRY(mr_log_topic_partitions(replay->env->log, name, &target->partitions, err));
    if (target->partitions == 0) {
        return mr_fail(err, MR_CONFIG, "letter %" PRId32 ":%" PRId64 ": there is no topic %.200s",
                       letter->message->partition, letter->message->offset, name);
    }
    replay->target_count++;
    return MR_OK;
}

/* The one it was read from, where there is such a one; else where its key belongs. */
static int32_t partition_of(const struct replay *replay, const struct target *target,
                            const struct dlq_letter *letter)
{
    struct mr_slice key = letter->message->key;

    if (letter->is_letter && letter->source_partition < target->partitions &&
        (replay->options->to[0] == '\0' || strcmp(replay->options->to, letter->source_topic) == 0 ||
         key.len == 0)) {
        return letter->source_partition;
    }
    key = target->topic == NULL ? key : topic_key_partitioning(target->topic, key);
    return mr_partition_of(key, target->partitions);
}

/* ---- what -------------------------------------------------------------------------------------
 */

static enum mr_status encode_edit(struct replay *replay, const struct target *target,
                                  struct mr_err *err)
{
    const struct mr_topic *topic = target->topic;
    struct mr_binding binding;
    struct mr_arena *arena;
    void *record;
    enum mr_status status;

    if (topic == NULL || topic->schema == NULL) {
        return mr_fail(err, MR_CONFIG, "topic %s has no schema: --edit has nothing to encode with",
                       target->name);
    }
    MR_TRY(mr_codec_bind(replay->env->codec, topic->schema, topic->subject, &binding, err));
    arena = mr_arena_create(ARENA_BYTES);
    record = mr_xcalloc(1, topic->schema->struct_bytes);
    status =
        mr_json_read_record(topic->schema, mr_slice_str(replay->options->edit), arena, record, err);
    if (status == MR_OK) {
        mr_buffer_clear(&replay->value);
        (void)mr_buffer_reserve(&replay->value, mr_codec_framed_bytes_max(&binding, record));
        replay->value.len = mr_codec_encode(&binding, record, replay->value.data);
    } else {
        err->status = MR_CONFIG;
        status = MR_CONFIG;
    }
    free(record);
    mr_arena_destroy(&arena);
    return status;
}

/* The letter's bytes, or what stands for them. */
static enum mr_status take_value(struct replay *replay, const struct target *target,
                                 const struct dlq_letter *letter, struct mr_slice *value,
                                 struct mr_err *err)
{
    *value = letter->message->value;
    if (replay->options->edit != NULL) {
        MR_TRY(encode_edit(replay, target, err));
        *value = mr_buffer_slice(&replay->value);
    } else if (letter->left_out > 0) {
        MR_TRY(dlq_source_value(replay->env, letter, &replay->value, err));
        *value = mr_buffer_slice(&replay->value);
    }
    return MR_OK;
}

/* The record's own headers, without that of an earlier replay, and the letter's coordinates. */
static size_t take_headers(const struct dlq_letter *letter, const char *coordinates,
                           struct mr_header *headers)
{
    size_t count = 0;

    for (size_t i = 0; i < letter->own_count && count < MR_HEADERS_MAX - 1; i++) {
        if (strcmp(letter->headers[i].name, DLQ_REPLAY_HEADER) != 0) {
            headers[count++] = letter->headers[i];
        }
    }
    headers[count++] =
        (struct mr_header){.name = DLQ_REPLAY_HEADER, .value = mr_slice_str(coordinates)};
    return count;
}

static enum mr_status send_letter(struct replay *replay, struct target *target,
                                  const struct dlq_letter *letter, struct mr_err *err)
{
    const struct mr_message *message = letter->message;
    struct mr_header headers[MR_HEADERS_MAX];
    char coordinates[DLQ_TEXT_BYTES + 40];
    struct mr_outgoing record = {.partition = partition_of(replay, target, letter),
                                 .timestamp_ms = message->timestamp_ms,
                                 .key = message->key,
                                 .has_value = message->has_value || replay->options->edit != NULL,
                                 .headers = headers};

    MR_TRY(take_value(replay, target, letter, &record.value, err));
    if (replay->pass == LOOK) {
        replay->told(replay->told_arg, letter, target->name, record.partition);
        return MR_OK;
    }
    (void)snprintf(coordinates, sizeof coordinates, "%.255s/%" PRId32 "/%" PRId64, message->topic,
                   message->partition, message->offset);
    record.header_count = take_headers(letter, coordinates, headers);
    if (target->number < 0) {
        MR_TRY(
            mr_producer_topic(replay->sender.producer, target->name, &target->number, NULL, err));
    }
    record.topic = target->number;
    return exact_send(&replay->sender, &record, err);
}

/* ---- what has been sent -----------------------------------------------------------------------
 */

enum mr_status dlq_replayed(const struct load_env *env, const struct mr_topic *letters,
                            struct dlq_marks *marks, struct mr_err *err)
{
    char group[DLQ_GROUP_BYTES];
    int32_t partitions = 0;

    (void)snprintf(group, sizeof group, "%s.replay", letters->name);
    MR_TRY(mr_log_topic_partitions(env->log, letters->name, &partitions, err));
    if (partitions == 0 || partitions > LOAD_PARTITIONS_MAX) {
        return mr_fail(err, MR_CONFIG, "topic %s does not exist; run `millrace topology apply`",
                       letters->name);
    }
    for (int32_t p = 0; p < partitions; p++) {
        struct mr_buffer text = MR_BUFFER_EMPTY;
        struct mr_topic_partition place = {
            .topic = letters->name, .partition = p, .metadata = &text};
        enum mr_status status = mr_log_committed(env->log, group, &place, 1, COMMITTED_US, err);

        if (status == MR_OK) {
            status = dlq_marks_read(&marks[p], place.offset, mr_buffer_slice(&text), err);
        }
        mr_buffer_fini(&text);
        MR_TRY(status);
    }
    return MR_OK;
}

static enum mr_status commit(struct replay *replay, struct mr_err *err)
{
    struct mr_topic_partition places[LOAD_PARTITIONS_MAX];
    struct mr_buffer *texts = mr_xcalloc(LOAD_PARTITIONS_MAX, sizeof *texts);
    size_t count = 0;
    enum mr_status status = MR_OK;

    for (int32_t p = 0; status == MR_OK && p < LOAD_PARTITIONS_MAX; p++) {
        if (replay->moved[p]) {
            places[count] = (struct mr_topic_partition){
                .topic = replay->options->letters->name, .partition = p, .metadata = &texts[count]};
            status = dlq_marks_write(&replay->marks[p], &places[count].offset, &texts[count], err);
            count++;
        }
    }
    if (status == MR_OK) {
        status = exact_commit(&replay->sender, places, count, err);
    }
    if (status == MR_OK) {
        memset(replay->moved, 0, sizeof replay->moved);
        replay->result->sent = replay->sent;
    }
    for (size_t i = 0; i < LOAD_PARTITIONS_MAX; i++) {
        mr_buffer_fini(&texts[i]);
    }
    free(texts);
    return status;
}

/* ---- the passes -------------------------------------------------------------------------------
 */

static enum mr_status on_letter(void *arg, const struct dlq_letter *letter, struct mr_err *err)
{
    struct replay *replay = arg;
    const int32_t partition = letter->message->partition;
    struct dlq_marks *marks = &replay->marks[partition];
    const int64_t before = replay->last[partition];
    size_t target = 0;

    replay->last[partition] = letter->message->offset;
    if (replay->pass == LOOK) {
        replay->ends[partition] = letter->message->offset + 1;
    }
    if (letter->message->offset >= replay->ends[partition] ||
        !dlq_filter_takes(&replay->options->filter, letter)) {
        return MR_OK;
    }
    if (replay->pass == FORGET) {
        dlq_marks_remove(marks, before + 1, letter->message->offset + 1);
        replay->moved[partition] = true;
        return MR_OK;
    }
    replay->result->chosen += replay->pass == LOOK ? 1 : 0;
    if (dlq_marks_have(marks, letter->message->offset) &&
        !(replay->options->again && replay->pass == LOOK)) {
        replay->result->before += replay->pass == LOOK ? 1 : 0;
        return MR_OK;
    }
    if (!letter->is_letter && replay->options->to[0] == '\0') {
        return letter_fail(letter, err, "does not say where it came from: give --to");
    }
    MR_TRY(find_target(replay, letter, &target, err));
    MR_TRY(send_letter(replay, &replay->targets[target], letter, err));
    replay->sent++;
    dlq_marks_add(marks, before + 1, letter->message->offset + 1);
    if (replay->pass == LOOK) {
        return MR_OK;
    }
    replay->moved[partition] = true;
    return exact_full(&replay->sender) ? commit(replay, err) : MR_OK;
}

static enum mr_status go_through(struct replay *replay, struct mr_err *err)
{
    const struct mr_topic *letters = replay->options->letters;

    for (size_t p = 0; p < LOAD_PARTITIONS_MAX; p++) {
        replay->last[p] = -1;
        replay->moved[p] = false;
    }
    MR_TRY(dlq_replayed(replay->env, letters, replay->marks, err));
    return dlq_each(replay->env, letters->name, on_letter, replay, err);
}

/* Whether what will be sent can be noted, asked before anything is. */
static enum mr_status check_marks(const struct replay *replay, struct mr_err *err)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    enum mr_status status = MR_OK;

    for (size_t p = 0; status == MR_OK && p < LOAD_PARTITIONS_MAX; p++) {
        int64_t offset = 0;

        status = dlq_marks_write(&replay->marks[p], &offset, &text, err);
    }
    mr_buffer_fini(&text);
    return status;
}

static enum mr_status attempt(void *arg, struct mr_err *err)
{
    struct replay *replay = arg;
    enum mr_status status = exact_open(&replay->sender, replay->env, replay->group, err);

    for (size_t i = 0; i < replay->target_count; i++) {
        replay->targets[i].number = -1;
    }
    replay->sent = replay->result->sent;
    if (status == MR_OK) {
        status = go_through(replay, err);
    }
    if (status == MR_OK) {
        status = commit(replay, err);
    }
    exact_close(&replay->sender);
    return status;
}

enum mr_status dlq_replay_run(const struct load_env *env, const struct dlq_replay_options *options,
                              dlq_told *told, void *arg, struct dlq_replay_result *result,
                              struct mr_err *err)
{
    struct replay *replay = mr_xcalloc(1, sizeof *replay);
    int64_t chosen;
    enum mr_status status;

    *result = (struct dlq_replay_result){0};
    replay->env = env;
    replay->options = options;
    replay->result = result;
    replay->told = told;
    replay->told_arg = arg;
    (void)snprintf(replay->group, sizeof replay->group, "%s.replay", options->letters->name);
    status = go_through(replay, err);
    chosen = replay->sent;
    if (status == MR_OK) {
        status = check_marks(replay, err);
    }
    if (status == MR_OK && options->edit != NULL && chosen > 1) {
        status =
            mr_fail(err, MR_CONFIG, "--edit is for one letter, and %" PRId64 " are chosen", chosen);
    }
    if (status == MR_OK && options->yes && options->again && chosen > 0) {
        replay->pass = FORGET;
        status = exact_retry(env, attempt, replay, &result->sent, err);
    }
    if (status == MR_OK && options->yes && chosen > 0) {
        replay->pass = SEND;
        status = exact_retry(env, attempt, replay, &result->sent, err);
    } else if (status == MR_OK) {
        result->sent = chosen;
    }
    for (size_t p = 0; p < LOAD_PARTITIONS_MAX; p++) {
        dlq_marks_fini(&replay->marks[p]);
    }
    mr_buffer_fini(&replay->value);
    free(replay->targets);
    free(replay);
    return status;
}
