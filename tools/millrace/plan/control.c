/* control.c -- see control.h. */
#include "control.h"

#include "millrace/arena.h"
#include "millrace/option.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define LEASE_US (2 * MR_MINUTE_US)
#define TRANSACTION_US (30 * MR_SECOND_US)
#define OPEN_US (30 * MR_SECOND_US)
#define READ_MAX ((size_t)64)
#define KEY_TOPOLOGY "topology"
#define KEY_LOCK "lock"

struct control {
    struct mr_log *log;
    const struct mr_clock *clock;
    char topic[256];
    char transactional_id[256];
    char holder[128];
    struct mr_producer *producer;
    int number; /* of the topic, the producer's */
};

struct control *control_create(struct mr_log *log, const struct mr_clock *clock,
                               const char *application)
{
    struct control *control = mr_xcalloc(1, sizeof(*control));
    char host[64] = "?";

    control->log = log;
    control->clock = clock;
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(control->topic, sizeof(control->topic), "%s-control", application);
    (void)snprintf(control->transactional_id, sizeof(control->transactional_id), "%s.control",
                   application);
    (void)snprintf(control->holder, sizeof(control->holder), "%s:%ld", host, (long)getpid());
    return control;
}

void control_destroy(struct control **out)
{
    struct control *control = *out;

    if (control == NULL) {
        return;
    }
    mr_producer_close(&control->producer);
    free(control);
    *out = NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void take(struct control_state *state, const struct mr_message *message)
{
    json_t *json = !message->has_value
                       ? NULL
                       : json_loadb((const char *)message->value.data, message->value.len, 0, NULL);

    if (mr_slice_equal(message->key, mr_slice_str(KEY_LOCK))) {
        const char *holder = json_string_value(json_object_get(json, "holder"));

        (void)snprintf(state->holder, sizeof(state->holder), "%s", holder == NULL ? "" : holder);
        state->until_us = json_integer_value(json_object_get(json, "untilUs"));
    } else if (mr_slice_equal(message->key, mr_slice_str(KEY_TOPOLOGY))) {
        char *text = json_dumps(json_object_get(json, "topology"), JSON_COMPACT);

        mr_buffer_clear(&state->topology);
        mr_buffer_append(&state->topology, text, text == NULL ? 0 : strlen(text));
        free(text);
    }
    json_decref(json);
}

static enum mr_status read_all(struct control *control, struct mr_reader *reader, int64_t end,
                               struct control_state *state, struct mr_err *err)
{
    struct mr_message messages[READ_MAX];

    while (mr_reader_position(reader, control->topic, 0) < end) {
        size_t count = 0;

        MR_TRY(mr_reader_poll(reader, 100 * MR_MS_US, messages, READ_MAX, &count, err));
        for (size_t i = 0; i < count; i++) {
            take(state, &messages[i]);
            mr_message_release(&messages[i]);
        }
    }
    return MR_OK;
}

enum mr_status control_read(struct control *control, struct control_state *state,
                            struct mr_err *err)
{
    struct mr_reader *reader = NULL;
    enum mr_status status;
    int32_t partitions = 0;
    int64_t low = 0;
    int64_t end = 0;

    *state = (struct control_state){0};
    MR_TRY(mr_log_topic_partitions(control->log, control->topic, &partitions, err));
    if (partitions == 0) {
        return MR_OK;
    }
    MR_TRY(mr_log_watermarks(control->log, control->topic, 0, &low, &end, err));
    MR_TRY(mr_reader_open(control->log, MR_READER_CATCHES_UP_US, &reader, err));
    status = mr_reader_add(reader, control->topic, 0, low, err);
    status = status == MR_OK ? read_all(control, reader, end, state, err) : status;
    mr_reader_close(&reader);
    return status;
}

void control_state_fini(struct control_state *state)
{
    mr_buffer_fini(&state->topology);
    *state = (struct control_state){0};
}

/* ---- writing --------------------------------------------------------------------------------- */

/* value NULL: a tombstone. Takes it over. */
static enum mr_status write_json(struct control *control, const char *key, json_t *value,
                                 struct mr_err *err)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT);
    const struct mr_outgoing record = {
        .topic = control->number,
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = mr_slice_str(key),
        .value = mr_slice_of(text, text == NULL ? 0 : strlen(text)),
        .has_value = text != NULL,
    };
    enum mr_status status = mr_producer_begin(control->producer, err);

    status = status == MR_OK ? mr_producer_send(control->producer, &record, err) : status;
    status = status == MR_OK ? mr_producer_commit(control->producer, NULL, NULL, 0, err) : status;
    free(text);
    json_decref(value);
    return status;
}

static enum mr_status create_topic(struct control *control, int32_t replication, struct mr_err *err)
{
    static const struct mr_topic_config configs[] = {{"cleanup.policy", "compact"}};
    const struct mr_topic_spec spec = {
        .name = control->topic,
        .partitions = 1,
        .replication = replication,
        .configs = configs,
        .config_count = MR_COUNT(configs),
    };
    const enum mr_status status = mr_log_topic_create(control->log, &spec, err);

    return status == MR_EXISTS ? MR_OK : status;
}

static enum mr_status check_free(struct control *control, struct mr_err *err)
{
    struct control_state state;
    enum mr_status status = control_read(control, &state, err);
    const int64_t left_us = state.until_us - mr_clock_wall_us(control->clock);

    if (status == MR_OK && state.holder[0] != '\0' && left_us > 0) {
        status = mr_fail(err, MR_EXISTS,
                         "%s is applying a topology; its lock lasts another %" PRId64
                         " s unless it ends before (--break-lock takes it)",
                         state.holder, left_us / MR_SECOND_US + 1);
    }
    control_state_fini(&state);
    return status;
}

enum mr_status control_renew(struct control *control, struct mr_err *err)
{
    return write_json(control, KEY_LOCK,
                      json_pack("{s:s, s:I}", "holder", control->holder, "untilUs",
                                (json_int_t)(mr_clock_wall_us(control->clock) + LEASE_US)),
                      err);
}

/* Looked at twice: opening the producer fences whoever took the lock in between. */
enum mr_status control_lock(struct control *control, int32_t replication, bool force,
                            struct mr_err *err)
{
    const struct mr_producer_options options = {.transactional_id = control->transactional_id,
                                                .transaction_timeout_us = TRANSACTION_US,
                                                .compression = "none"};

    MR_TRY(create_topic(control, replication, err));
    MR_TRY(force ? MR_OK : check_free(control, err));
    MR_TRY(mr_producer_open(control->log, &options, OPEN_US, &control->producer, err));
    MR_TRY(mr_producer_topic(control->producer, control->topic, &control->number, NULL, err));
    MR_TRY(force ? MR_OK : check_free(control, err));
    return control_renew(control, err);
}

enum mr_status control_publish(struct control *control, struct mr_slice topology,
                               struct mr_err *err)
{
    json_t *json = json_loadb((const char *)topology.data, topology.len, 0, NULL);

    MR_ASSERT(json != NULL);
    return write_json(control, KEY_TOPOLOGY,
                      json_pack("{s:I, s:o}", "appliedUs",
                                (json_int_t)mr_clock_wall_us(control->clock), "topology", json),
                      err);
}

enum mr_status control_unlock(struct control *control, struct mr_err *err)
{
    return write_json(control, KEY_LOCK, NULL, err);
}
