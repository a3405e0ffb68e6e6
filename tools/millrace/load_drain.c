/*
 * load_drain.c -- see load_drain.h.
 */
#include "load_drain.h"

#include "millrace/option.h"

#define COMMITTED_TIMEOUT_US (10 * MR_SECOND_US)
#define LOOK_US (100 * MR_MS_US)
#define GAP_READ_MAX 4096 /* a larger gap is reported as it is */
#define BATCH 64
#define GROUP_BYTES_MAX 256

/* One look at how far the groups are. */
struct look {
    const struct load_env *env;
    struct mr_reader *reader; /* opened for the first gap */
    int64_t lag;
};

/* Counts the records of one partition from an offset to end, markers and aborted ones not. */
static enum mr_status count_gap(struct look *look, const struct mr_topic_partition *from,
                                int64_t end, struct mr_err *err)
{
    const struct load_env *env = look->env;
    const int64_t limit_us = mr_clock_monotonic_us(env->clock) + COMMITTED_TIMEOUT_US;
    int64_t records = 0;

    if (look->reader == NULL) {
        MR_TRY(mr_reader_open(env->log, MR_READER_FOLLOWS_US, &look->reader, err));
    }
    MR_TRY(mr_reader_add(look->reader, from->topic, from->partition, from->offset, err));
    while (mr_reader_position(look->reader, from->topic, from->partition) < end) {
        struct mr_message messages[BATCH];
        size_t count = 0;

        MR_TRY(mr_reader_poll(look->reader, LOOK_US, messages, BATCH, &count, err));
        for (size_t i = 0; i < count; i++) {
            records += messages[i].offset < end;
            mr_message_release(&messages[i]);
        }
        if (records > 0 || mr_clock_monotonic_us(env->clock) > limit_us) {
            break; /* not drained: the exact number does not matter */
        }
    }
    look->lag += records;
    return mr_reader_remove(look->reader, from->topic, from->partition, err);
}

static enum mr_status topic_lag(struct look *look, const char *group, const char *topic,
                                struct mr_err *err)
{
    const struct load_env *env = look->env;
    struct mr_topic_partition positions[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;

    MR_TRY(mr_log_topic_partitions(env->log, topic, &partitions, err));
    if (partitions > LOAD_PARTITIONS_MAX) {
        return mr_fail(err, MR_CONFIG, "topic %s has too many partitions", topic);
    }
    for (int32_t p = 0; p < partitions; p++) {
        positions[p] = (struct mr_topic_partition){.topic = topic, .partition = p};
    }
    MR_TRY(mr_log_committed(env->log, group, positions, (size_t)partitions, COMMITTED_TIMEOUT_US,
                            err));
    for (int32_t p = 0; p < partitions; p++) {
        int64_t low = 0;
        int64_t end = 0;

        MR_TRY(mr_log_watermarks(env->log, topic, p, &low, &end, err));
        if (positions[p].offset < low) { /* none committed, or deleted since */
            positions[p].offset = low;
        }
        if (end - positions[p].offset > GAP_READ_MAX) {
            look->lag += end - positions[p].offset;
        } else if (end > positions[p].offset) {
            MR_TRY(count_gap(look, &positions[p], end, err));
        }
    }
    return MR_OK;
}

static enum mr_status look_at_all(struct look *look, bool connectors, struct mr_err *err)
{
    const struct mr_topology *topology = look->env->topology;
    char group[GROUP_BYTES_MAX];

    for (size_t g = 0; g < topology->group_count; g++) {
        const struct mr_group_node *node = &topology->groups[g];

        (void)snprintf(group, sizeof group, "%s.%s", topology->application, node->name);
        for (size_t i = 0; i < node->input_count; i++) {
            MR_TRY(topic_lag(look, group, topology->topics[node->inputs[i]].name, err));
        }
    }
    for (size_t c = 0; connectors && c < topology->connector_count; c++) {
        const struct mr_connector_node *node = &topology->connectors[c];

        (void)snprintf(group, sizeof group, "%s.%s", topology->application, node->name);
        MR_TRY(topic_lag(look, group, topology->topics[node->topic].name, err));
    }
    return MR_OK;
}

enum mr_status load_lag(const struct load_env *env, bool connectors, int64_t *lag,
                        struct mr_err *err)
{
    struct look look = {.env = env};
    const enum mr_status status = look_at_all(&look, connectors, err);

    mr_reader_close(&look.reader);
    *lag = look.lag;
    return status;
}

enum mr_status load_drain(const struct load_env *env, bool connectors, int64_t timeout_us,
                          struct mr_err *err)
{
    int64_t since_us = mr_clock_monotonic_us(env->clock);
    int64_t shown_us = since_us;
    int64_t lag_before = INT64_MAX;
    int clear = 0;

    while (clear < 2) {
        int64_t lag = 0;
        const enum mr_status status = load_lag(env, connectors, &lag, err);

        if (status != MR_OK && mr_status_class(status) != MR_CLASS_RETRY) {
            return status;
        }
        clear = status == MR_OK && lag == 0 ? clear + 1 : 0;
        if (status == MR_OK && lag < lag_before) {
            lag_before = lag;
            since_us = mr_clock_monotonic_us(env->clock);
        }
        if (clear == 0 &&
            mr_clock_monotonic_us(env->clock) - shown_us >= load_progress_every_us(env)) {
            shown_us = mr_clock_monotonic_us(env->clock);
            load_progress(env, "draining: %lld records behind", (long long)lag);
        }
        if (clear < 2) {
            if (mr_clock_monotonic_us(env->clock) - since_us > timeout_us) {
                return mr_fail(err, MR_TIMEOUT,
                               "not drained: %lld records behind and no progress; are all "
                               "groups%s running?",
                               (long long)lag, connectors ? " and connectors" : "");
            }
            MR_TRY(load_idle(env, LOOK_US, err));
        }
    }
    return MR_OK;
}
