/*
 * committed.c -- the offsets a group has committed, and the wait until they are stable.
 */
#include "memory.h"

#include <stdlib.h>

struct memory_offset *memory_group_offset(struct memory_group *group, size_t index)
{
    if (index >= group->offset_count) {
        const size_t count = index + 1;

        group->offsets = mr_xrealloc(group->offsets, count * sizeof(*group->offsets));
        for (size_t i = group->offset_count; i < count; i++) {
            group->offsets[i] = (struct memory_offset){.offset = MR_OFFSET_NONE};
        }
        group->offset_count = count;
    }
    return &group->offsets[index];
}

void memory_offset_set(struct memory_offset *offset, int64_t value, char *metadata)
{
    free(offset->metadata);
    offset->offset = value;
    offset->metadata = metadata;
}

char *memory_metadata(const struct mr_buffer *metadata)
{
    char *copy;

    if (metadata == NULL || metadata->len == 0) {
        return NULL;
    }
    copy = mr_xcalloc(1, metadata->len + 1);
    memcpy(copy, metadata->data, metadata->len);
    return copy;
}

static void give_metadata(const struct memory_offset *offset, struct mr_buffer *metadata)
{
    if (metadata != NULL) {
        mr_buffer_clear(metadata);
        mr_buffer_append(metadata, offset->metadata,
                         offset->metadata == NULL ? 0 : strlen(offset->metadata));
    }
}

/* Fills what is committed; false when an open transaction may still change one of them. */
static bool read_offsets(struct memory_log *log, struct memory_group *group,
                         struct mr_topic_partition *positions, size_t count)
{
    bool stable = true;

    for (size_t i = 0; i < count; i++) {
        const struct memory_partition *partition =
            memory_partition_find(log, positions[i].topic, positions[i].partition);

        positions[i].offset = MR_OFFSET_NONE;
        if (partition != NULL) {
            const struct memory_offset *offset = memory_group_offset(group, partition->index);

            positions[i].offset = offset->offset;
            give_metadata(offset, positions[i].metadata);
            stable = stable && offset->pending == 0;
        }
    }
    return stable;
}

enum mr_status memory_committed(struct mr_log *base, const char *group_name,
                                struct mr_topic_partition *positions, size_t count,
                                int64_t timeout_us, struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    const int64_t deadline_us = memory_deadline(memory_enter(log), timeout_us);
    struct memory_group *group = memory_group_get(log, group_name);
    struct memory_fault fault;
    enum mr_status status = memory_fault_due(log, MR_LOG_CALL_COMMITTED, &fault)
                                ? memory_fault_fail(&fault, err)
                                : MR_OK;

    while (status == MR_OK && !read_offsets(log, group, positions, count) &&
           timeout_us != MR_UNSTABLE) {
        if (!memory_wait(log, deadline_us)) {
            status = mr_fail(err, MR_TIMEOUT,
                             "memory: an open transaction holds offsets of group %s", group_name);
            break;
        }
    }
    memory_leave(log);
    return status;
}

enum mr_status memory_member_present(struct mr_log *base, const char *group_name,
                                     const char *instance, bool *present, struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    const struct memory_group *group;

    (void)err;
    (void)memory_enter(log); /* ends sessions whose time is up */
    group = memory_group_get(log, group_name);
    *present = false;
    for (size_t i = 0; i < group->place_count; i++) {
        const char *name = group->places[i]->instance;

        *present = *present || (name != NULL && strcmp(name, instance) == 0);
    }
    memory_leave(log);
    return MR_OK;
}

enum mr_status memory_group_members(struct mr_log *base, const char *group_name, size_t *count,
                                    struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);

    (void)err;
    (void)memory_enter(log); /* ends sessions whose time is up */
    *count = memory_group_get(log, group_name)->place_count;
    memory_leave(log);
    return MR_OK;
}

enum mr_status memory_group_commit(struct mr_log *base, const char *group_name,
                                   const struct mr_topic_partition *positions, size_t count,
                                   struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_group *group;
    enum mr_status status = MR_OK;

    (void)memory_enter(log);
    group = memory_group_get(log, group_name);
    if (group->place_count > 0) {
        status = mr_fail(err, MR_EXISTS, "memory: group %s has members", group_name);
    }
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        if (memory_partition_find(log, positions[i].topic, positions[i].partition) == NULL) {
            status = memory_unknown(err, positions[i].topic, positions[i].partition);
        }
    }
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        const struct memory_partition *partition =
            memory_partition_find(log, positions[i].topic, positions[i].partition);

        memory_offset_set(memory_group_offset(group, partition->index), positions[i].offset,
                          memory_metadata(positions[i].metadata));
    }
    memory_leave(log);
    return status;
}
