/* standing.c -- see standing.h. */
#include "standing.h"

#include "millrace/clock.h"
#include "millrace/option.h"
#include "runtime/task/progress_text.h"

#include <stdlib.h>

#define STABLE_WAIT_US (15 * MR_SECOND_US)
#define STABLE_STEP_US (50 * MR_MS_US)

static int64_t position(const struct standing *standing, int32_t partition)
{
    const int64_t offset = standing->offsets[partition];

    return offset == MR_OFFSET_NONE ? 0 : offset;
}

static enum mr_status make(struct mr_log *log, struct mr_arena *arena, const char *topic,
                           struct standing *standing, struct mr_err *err)
{
    MR_TRY(mr_log_topic_partitions(log, topic, &standing->partitions, err));
    standing->offsets =
        mr_arena_alloc(arena, (size_t)(standing->partitions + 1) * sizeof(*standing->offsets));
    for (int32_t p = 0; p < standing->partitions; p++) {
        standing->offsets[p] = MR_OFFSET_NONE;
    }
    return MR_OK;
}

enum mr_status standing_of_group(struct mr_log *log, struct mr_arena *arena, const char *group_id,
                                 const char *topic, struct standing *standing, struct mr_err *err)
{
    struct mr_topic_partition *positions;
    enum mr_status status;

    MR_TRY(make(log, arena, topic, standing, err));
    positions = mr_xcalloc((size_t)standing->partitions + 1, sizeof(*positions));
    for (int32_t p = 0; p < standing->partitions; p++) {
        positions[p] = (struct mr_topic_partition){.topic = topic, .partition = p};
    }
    status = standing->partitions == 0
                 ? MR_OK
                 : mr_log_committed(log, group_id, positions, (size_t)standing->partitions,
                                    STABLE_WAIT_US, err);
    for (int32_t p = 0; p < standing->partitions && status == MR_OK; p++) {
        standing->offsets[p] = positions[p].offset;
    }
    free(positions);
    return status;
}

enum mr_status standing_at_end(struct mr_log *log, struct mr_arena *arena, const char *topic,
                               struct standing *standing, struct mr_err *err)
{
    const struct mr_clock *clock = mr_clock_system();
    const int64_t deadline_us = mr_clock_monotonic_us(clock) + STABLE_WAIT_US;

    MR_TRY(make(log, arena, topic, standing, err));
    for (int32_t p = 0; p < standing->partitions;) {
        struct mr_extent extent = {.topic = topic, .partition = p};

        MR_TRY(mr_log_extents(log, &extent, 1, err));
        if (extent.end > extent.stable_end) {
            if (mr_clock_monotonic_us(clock) > deadline_us) {
                return mr_fail(err, MR_TIMEOUT,
                               "%s[%d]: a transaction that has written to it is "
                               "still open",
                               topic, (int)p);
            }
            mr_clock_wait_us(clock, STABLE_STEP_US);
            continue;
        }
        standing->offsets[p++] = extent.stable_end;
    }
    return MR_OK;
}

bool standing_is_none(const struct standing *standing)
{
    for (int32_t p = 0; p < standing->partitions; p++) {
        if (standing->offsets[p] != MR_OFFSET_NONE) {
            return false;
        }
    }
    return true;
}

bool standing_equal(const struct standing *a, const struct standing *b)
{
    return standing_reaches(a, b) && standing_reaches(b, a);
}

bool standing_reaches(const struct standing *a, const struct standing *b)
{
    for (int32_t p = 0; p < a->partitions && p < b->partitions; p++) {
        if (position(a, p) < position(b, p)) {
            return false;
        }
    }
    return a->partitions == b->partitions;
}

int64_t standing_distance(const struct standing *a, const struct standing *b)
{
    int64_t distance = 0;

    for (int32_t p = 0; p < a->partitions && p < b->partitions; p++) {
        distance += position(b, p) - position(a, p);
    }
    return distance;
}

enum mr_status standing_progress(struct mr_log *log, const struct standing_group *group,
                                 int32_t partition, struct mr_buffer *text, struct mr_err *err)
{
    int64_t newest = INT64_MIN;

    for (size_t i = 0; i < group->topic_count; i++) {
        struct mr_buffer metadata = MR_BUFFER_EMPTY;
        struct mr_topic_partition at = {
            .topic = group->topics[i], .partition = partition, .metadata = &metadata};
        struct progress_text progress;
        const enum mr_status status = mr_log_committed(log, group->id, &at, 1, STABLE_WAIT_US, err);

        if (status == MR_OK && progress_text_read(mr_buffer_slice(&metadata), &progress) &&
            progress.sequence > newest) {
            newest = progress.sequence;
            mr_buffer_clear(text);
            mr_buffer_append(text, metadata.data, metadata.len);
        }
        mr_buffer_fini(&metadata);
        MR_TRY(status);
    }
    return MR_OK;
}
