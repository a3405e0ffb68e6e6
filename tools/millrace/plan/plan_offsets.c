/* plan_offsets.c -- see plan_offsets.h. */
#include "plan_offsets.h"

#include "runtime/task/progress_text.h"

#include <stdlib.h>

void plan_offsets_add(struct plan_offsets *offsets, const char *topic,
                      const struct standing *standing)
{
    for (int32_t p = 0; p < standing->partitions; p++) {
        if (standing->offsets[p] == MR_OFFSET_NONE) {
            continue;
        }
        offsets->positions =
            mr_xrealloc(offsets->positions, (offsets->count + 1) * sizeof(*offsets->positions));
        offsets->positions[offsets->count++] = (struct mr_topic_partition){
            .topic = topic, .partition = p, .offset = standing->offsets[p]};
    }
}

static bool has_topic(const struct plan_offsets *offsets, const char *topic)
{
    for (size_t i = 0; i < offsets->count; i++) {
        if (strcmp(offsets->positions[i].topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

static enum mr_status add_others(struct plan *plan, const struct mr_group_node *node,
                                 struct plan_offsets *offsets, struct mr_err *err)
{
    char id[512];

    (void)snprintf(id, sizeof(id), "%s.%s", plan->topology->application, node->name);
    for (size_t i = 0; i < node->input_count; i++) {
        const char *topic = plan->topology->topics[node->inputs[i]].name;
        struct standing own;

        if (!has_topic(offsets, topic)) {
            MR_TRY(standing_of_group(plan->log, plan->arena, id, topic, &own, err));
            plan_offsets_add(offsets, topic, &own);
        }
    }
    return MR_OK;
}

/* ---- what a task knows ----------------------------------------------------------------------- */

/* Adds the topics that the group takes from the log. */
static size_t list_inputs(const struct layout *layout, const char *group, const char **topics,
                          size_t count)
{
    for (size_t i = 0; i < layout->stage_count; i++) {
        const struct layout_stage *stage = &layout->stages[i];

        for (size_t k = 0; strcmp(stage->group, group) == 0 && k < stage->input_count; k++) {
            const struct layout_input *input = &stage->inputs[k];
            bool known = input->table || input->in_memory;

            for (size_t t = 0; t < count; t++) {
                known = known || strcmp(topics[t], input->topic) == 0;
            }
            if (!known) {
                topics[count++] = input->topic;
            }
        }
    }
    return count;
}

/* Of the group as it was, and of what it is to read: nothing when it has not begun. */
static enum mr_status former(struct plan *plan, const char *group, int32_t partition,
                             struct mr_buffer *text, struct mr_err *err)
{
    const struct layout *const layouts[] = {&plan->before, &plan->after};
    const char **topics = mr_arena_alloc(
        plan->arena, (plan->before.topic_count + plan->after.topic_count + 1) * sizeof(*topics));
    size_t count = 0;
    char id[512];

    for (size_t i = 0; i < MR_COUNT(layouts); i++) {
        count = list_inputs(layouts[i], group, topics, count);
    }
    (void)snprintf(id, sizeof(id), "%s.%s", plan->topology->application, group);
    return standing_progress(
        plan->log, &(struct standing_group){.id = id, .topics = topics, .topic_count = count},
        partition, text, err);
}

static void add_timers(struct mr_buffer *text, const struct mr_buffer *from, const char *stage)
{
    struct progress_text progress;
    struct mr_slice timers;

    if (progress_text_read(mr_buffer_slice(from), &progress)) {
        timers = progress_text_timers(&progress, stage);
        if (timers.len > 0) {
            mr_buffer_printf(text, " %s:%.*s", stage, MR_SLICE_ARG(timers));
        }
    }
}

/* One task's text. */
static enum mr_status write_text(struct plan *plan, const struct mr_group_node *node,
                                 int32_t partition, struct mr_buffer *text, struct mr_err *err)
{
    struct mr_buffer own = MR_BUFFER_EMPTY;
    struct mr_buffer timers = MR_BUFFER_EMPTY;
    struct progress_text head = {.stream_time_us = INT64_MIN};
    struct progress_text of;
    enum mr_status status = former(plan, node->name, partition, &own, err);

    if (status == MR_OK && progress_text_read(mr_buffer_slice(&own), &of)) {
        head = of;
    }
    for (size_t i = 0; i < node->stage_count && status == MR_OK; i++) {
        const char *name = plan->topology->stages[node->stages[i]].name;
        const struct layout_stage *was = layout_stage_find(&plan->before, name);
        struct mr_buffer from = MR_BUFFER_EMPTY;

        if (was != NULL) {
            status = former(plan, was->group, partition, &from, err);
            add_timers(&timers, &from, name);
            if (progress_text_read(mr_buffer_slice(&from), &of) &&
                of.stream_time_us > head.stream_time_us) {
                head.stream_time_us = of.stream_time_us;
            }
        }
        mr_buffer_fini(&from);
    }
    progress_text_write(text, &head);
    mr_buffer_append(text, timers.data, timers.len);
    mr_buffer_fini(&timers);
    mr_buffer_fini(&own);
    return status;
}

enum mr_status plan_offsets_finish(struct plan *plan, const struct mr_group_node *node,
                                   struct plan_offsets *offsets, struct mr_err *err)
{
    MR_TRY(add_others(plan, node, offsets, err));
    offsets->metadata = mr_xcalloc(offsets->count, sizeof(*offsets->metadata));
    for (size_t i = 0; i < offsets->count; i++) {
        MR_TRY(write_text(plan, node, offsets->positions[i].partition, &offsets->metadata[i], err));
        offsets->positions[i].metadata = &offsets->metadata[i];
    }
    return MR_OK;
}
