/*
 * plan_states.c -- stages that come, go and move, and what becomes of their state.
 *
 * State belongs to the stage's name: its changelog is named after it, wherever it runs. A stage in
 * another group reads its changelog into that group's processes; one that is gone, or has another
 * name now, leaves its state behind, and that is refused unless somebody says so.
 */
#include "plan.h"

#include <stdlib.h>

/* What a restore does at least (docs/PERFORMANCE.md, "Restart and takeover"). */
#define RESTORE_PER_SECOND 200000
/* To know how large a record is. */
#define SAMPLE_RECORDS ((size_t)100)

enum mr_status plan_records(struct plan *plan, const char *topic, int64_t *records,
                            struct mr_err *err)
{
    int32_t partitions = 0;

    *records = 0;
    MR_TRY(mr_log_topic_partitions(plan->log, topic, &partitions, err));
    for (int32_t p = 0; p < partitions; p++) {
        struct mr_extent extent = {.topic = topic, .partition = p};

        MR_TRY(mr_log_extents(plan->log, &extent, 1, err));
        *records += extent.stable_end - extent.low;
    }
    return MR_OK;
}

/* Of the first records of one partition; 0 when there are none. */
static enum mr_status sample(struct plan *plan, const char *topic, int32_t partition,
                             int64_t *bytes_each, struct mr_err *err)
{
    struct mr_message messages[SAMPLE_RECORDS];
    struct mr_extent extent = {.topic = topic, .partition = partition};
    struct mr_reader *reader = NULL;
    int64_t bytes = 0;
    size_t count = 0;
    enum mr_status status;

    *bytes_each = 0;
    MR_TRY(mr_log_extents(plan->log, &extent, 1, err));
    if (extent.low == extent.stable_end) {
        return MR_OK;
    }
    MR_TRY(mr_reader_open(plan->log, MR_READER_CATCHES_UP_US, &reader, err));
    status = mr_reader_add(reader, topic, partition, extent.low, err);
    while (status == MR_OK && count == 0 &&
           mr_reader_position(reader, topic, partition) < extent.stable_end) {
        status = mr_reader_poll(reader, 100 * MR_MS_US, messages, SAMPLE_RECORDS, &count, err);
    }
    for (size_t i = 0; i < count; i++) {
        bytes += (int64_t)(messages[i].key.len + messages[i].value.len);
        mr_message_release(&messages[i]);
    }
    *bytes_each = count == 0 ? 0 : bytes / (int64_t)count;
    mr_reader_close(&reader);
    return status;
}

static enum mr_status add_rebuild(struct plan *plan, const char *changelog, int64_t records,
                                  struct mr_err *err)
{
    const int64_t seconds = records / RESTORE_PER_SECOND + 1;
    int64_t bytes_each = 0;
    int32_t partitions = 0;

    MR_TRY(mr_log_topic_partitions(plan->log, changelog, &partitions, err));
    for (int32_t p = 0; p < partitions && bytes_each == 0; p++) {
        MR_TRY(sample(plan, changelog, p, &bytes_each, err));
    }
    plan_add(plan, PLAN_REBUILD, "state", changelog,
             "about %lld records, %lld KiB, are read into the new group's processes: %lld %s",
             (long long)records, (long long)(records * bytes_each / 1024),
             (long long)(seconds < 120 ? seconds : seconds / 60), seconds < 120 ? "s" : "min");
    return MR_OK;
}

static enum mr_status look_at_stage(struct plan *plan, const struct layout_stage *stage,
                                    struct mr_err *err)
{
    const struct layout_stage *was = layout_stage_find(&plan->before, stage->name);
    int64_t records = 0;

    if (stage->changelog != NULL) {
        MR_TRY(plan_records(plan, stage->changelog, &records, err));
    }
    if (was == NULL) {
        plan_add(plan, PLAN_CREATE, "stage", stage->name, "in group %s%s", stage->group,
                 records > 0 ? "; a stage of this name has left its state, which it takes over"
                             : "");
        return MR_OK;
    }
    if (strcmp(was->type, stage->type) != 0) {
        char loss[320];

        (void)snprintf(loss, sizeof(loss), "state:%s", stage->name);
        plan_add_loss(plan, &(struct plan_loss){"stage", stage->name, loss, PLAN_CHANGE},
                      "is of type %s now, was %s: its state is the other type's; use a new name",
                      stage->type, was->type);
        return MR_OK;
    }
    if (strcmp(was->group, stage->group) == 0) {
        plan_add(plan, PLAN_KEEP, "stage", stage->name, "in group %s", stage->group);
        return MR_OK;
    }
    plan_add(plan, PLAN_MOVE, "stage", stage->name, "from group %s to %s", was->group,
             stage->group);
    return records > 0 ? add_rebuild(plan, stage->changelog, records, err) : MR_OK;
}

/* One that is new, of the same type: it may have been meant to be the one that is gone. */
static const char *heir_of(const struct plan *plan, const struct layout_stage *gone)
{
    for (size_t i = 0; i < plan->after.stage_count; i++) {
        const struct layout_stage *stage = &plan->after.stages[i];

        if (strcmp(stage->type, gone->type) == 0 &&
            layout_stage_find(&plan->before, stage->name) == NULL) {
            return stage->name;
        }
    }
    return NULL;
}

static enum mr_status look_at_gone(struct plan *plan, const struct layout_stage *gone,
                                   struct mr_err *err)
{
    const char *heir = heir_of(plan, gone);
    int64_t records = 0;
    char loss[320];

    if (gone->changelog != NULL) {
        MR_TRY(plan_records(plan, gone->changelog, &records, err));
    }
    if (records == 0) {
        plan_add(plan, PLAN_ORPHAN, "stage", gone->name, "is gone; it had no state");
        return MR_OK;
    }
    (void)snprintf(loss, sizeof(loss), "state:%s", gone->name);
    plan_add_loss(plan, &(struct plan_loss){"stage", gone->name, loss, PLAN_ORPHAN},
                  "is gone, and about %lld records of its state with it (%s)%s%s%s",
                  (long long)records, gone->changelog,
                  heir == NULL ? "" : "; if it is meant to be ", heir == NULL ? "" : heir,
                  heir == NULL ? "" : ": state belongs to the name, keep it");
    return MR_OK;
}

enum mr_status plan_states(struct plan *plan, struct mr_err *err)
{
    for (size_t i = 0; i < plan->after.stage_count; i++) {
        MR_TRY(look_at_stage(plan, &plan->after.stages[i], err));
    }
    for (size_t i = 0; i < plan->before.stage_count; i++) {
        if (layout_stage_find(&plan->after, plan->before.stages[i].name) == NULL) {
            MR_TRY(look_at_gone(plan, &plan->before.stages[i], err));
        }
    }
    return MR_OK;
}
