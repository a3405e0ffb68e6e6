/*
 * member.c -- a member of a group: what its poll does beside delivering records.
 *
 * How: the owner's thread learns of everything in poll. It first settles its membership (fenced,
 *   put out, asked to join again, a new generation) and calls back with the lock released, so that
 *   a callback may commit, pause or seek; then it takes records.
 */
#include "memory.h"

#include <stdlib.h>

struct memory_member *memory_member_of(struct mr_member *member)
{
    return MR_SELF(struct memory_member, (struct memory_member *)member, MEMORY_MEMBER_MAGIC);
}

enum mr_status memory_member_open(struct mr_log *base, const struct mr_member_options *options,
                                  struct mr_member **member, struct mr_err *err)
{
    struct memory_log *log = memory_log_of(base);
    struct memory_member *opened;

    if (options->group == NULL || options->topic_count == 0 || options->session_timeout_us <= 0) {
        return mr_fail(err, MR_CONFIG, "memory: a member needs a group, topics and a session");
    }
    opened = mr_xcalloc(1, sizeof(*opened));
    opened->base.ops = &memory_ops;
    opened->magic = MEMORY_MEMBER_MAGIC;
    opened->log = log;
    opened->instance = options->instance == NULL ? NULL : mr_xstrdup(options->instance);
    opened->topics = memory_names_copy(options->topics, options->topic_count);
    opened->topic_count = options->topic_count;
    opened->session_timeout_us = options->session_timeout_us;
    opened->callbacks = options->callbacks;
    (void)memory_enter(log);
    log->handles++;
    opened->number = ++log->last_member;
    opened->group = memory_group_get(log, options->group);
    memory_group_join(log, opened);
    memory_leave(log);
    *member = &opened->base;
    return MR_OK;
}

/* ---- membership -------------------------------------------------------------------------------
 */

enum mr_status memory_member_check(const struct memory_member *member, struct mr_err *err)
{
    const struct memory_group *group = member->group;

    if (memory_group_find(group, member->number) == NULL) {
        return memory_group_has_instance(group, member->instance)
                   ? mr_fail(err, MR_FENCED, "memory: instance %s of group %s has a newer member",
                             member->instance, group->name)
                   : mr_fail(err, MR_TXN_ABORT, "memory: group %s has put this member out",
                             group->name);
    }
    if (member->generation != group->generation) {
        return mr_fail(err, MR_TXN_ABORT, "memory: group %s has a newer generation", group->name);
    }
    return MR_OK;
}

/* Calls `revoked` or `assigned` with all partitions the member has, the lock released meanwhile. */
static void call_back(struct memory_member *member,
                      void (*call)(void *, const struct mr_topic_partition *, size_t, bool),
                      bool lost)
{
    const size_t count = member->cursor_count;
    struct mr_topic_partition *partitions = mr_xcalloc(count, sizeof(*partitions));
    struct memory_place *place = memory_group_find(member->group, member->number);

    for (size_t i = 0; i < count; i++) {
        partitions[i] = (struct mr_topic_partition){
            .topic = member->cursors[i].partition->topic,
            .partition = member->cursors[i].partition->number,
            .offset = member->cursors[i].position,
        };
    }
    if (place != NULL && place->polling) {
        place->polling = false; /* a callback that does not return ends the session */
        place->last_poll_us = mr_clock_monotonic_us(member->log->clock);
        memory_expect(member->log, memory_deadline(place->last_poll_us, place->session_timeout_us));
    }
    memory_leave(member->log);
    if (call != NULL) {
        call(member->callbacks.arg, partitions, count, lost);
    } else if (member->callbacks.assigned != NULL) {
        member->callbacks.assigned(member->callbacks.arg, partitions, count);
    }
    (void)memory_enter(member->log);
    free(partitions);
}

static void revoke(struct memory_member *member, bool lost)
{
    if (member->cursor_count > 0 && member->callbacks.revoked != NULL) {
        call_back(member, member->callbacks.revoked, lost);
    }
    member->cursor_count = 0;
    member->turn = 0;
}

static void assign(struct memory_member *member, const struct memory_place *place)
{
    member->generation = member->group->generation;
    member->cursor_count = place->assignment_count;
    member->cursors = mr_xrealloc(member->cursors, member->cursor_count * sizeof(*member->cursors));
    for (size_t i = 0; i < member->cursor_count; i++) {
        member->cursors[i] =
            (struct memory_cursor){.partition = place->assignment[i], .position = MR_OFFSET_NONE};
    }
    if (member->cursor_count > 0) {
        call_back(member, NULL, false);
    }
}

/* Brings the member up to date with its group; may release the lock meanwhile. */
static enum mr_status settle(struct memory_member *member, struct mr_err *err)
{
    struct memory_group *group = member->group;

    for (;;) {
        struct memory_place *place = memory_group_find(group, member->number);

        if (place == NULL) {
            revoke(member, true);
            if (memory_group_has_instance(group, member->instance)) {
                return memory_member_check(member, err);
            }
            member->generation = 0;
            memory_group_join(member->log, member);
        } else if (group->rebalancing && !place->joined) {
            revoke(member, false);
            place = memory_group_find(group, member->number);
            if (place != NULL && group->rebalancing) {
                place->joined = true;
                memory_group_complete(member->log, group);
            }
        } else if (!group->rebalancing && member->generation != group->generation) {
            revoke(member, false);
            place = memory_group_find(group, member->number);
            if (place != NULL && !group->rebalancing) {
                assign(member, place);
            }
        } else {
            place->polling = true;
            return MR_OK;
        }
    }
}

/* A partition starts at the committed offset, as soon as no open transaction holds it. */
static void resolve_positions(struct memory_member *member)
{
    for (size_t i = 0; i < member->cursor_count; i++) {
        struct memory_cursor *cursor = &member->cursors[i];

        if (cursor->position == MR_OFFSET_NONE) {
            const struct memory_offset *offset =
                memory_group_offset(member->group, cursor->partition->index);

            if (offset->pending == 0) {
                /* None, or not in the log: from the beginning. */
                cursor->position = offset->offset < 0 || offset->offset > cursor->partition->end
                                       ? 0
                                       : offset->offset;
            }
        }
    }
}

static void leave_poll(struct memory_member *member)
{
    struct memory_place *place = memory_group_find(member->group, member->number);

    if (place != NULL) {
        place->polling = false;
        place->last_poll_us = mr_clock_monotonic_us(member->log->clock);
        memory_expect(member->log, memory_deadline(place->last_poll_us, place->session_timeout_us));
    }
    memory_leave(member->log);
}

enum mr_status memory_member_poll(struct mr_member *base, int64_t timeout_us,
                                  struct mr_message *messages, size_t max, size_t *count,
                                  struct mr_err *err)
{
    struct memory_member *member = memory_member_of(base);
    struct memory_log *log = member->log;
    const int64_t deadline_us = memory_deadline(memory_enter(log), timeout_us);
    struct memory_fault fault;
    enum mr_status status = MR_OK;
    const bool due = memory_fault_due(log, MR_LOG_CALL_POLL, &fault);

    *count = 0;
    if (due && !fault.done) {
        status = memory_fault_fail(&fault, err);
    }
    while (status == MR_OK) {
        status = settle(member, err);
        if (status == MR_OK && due) {
            status = memory_fault_fail(&fault, err); /* what is read is not lost with the answer */
        }
        if (status != MR_OK) {
            break;
        }
        resolve_positions(member);
        *count = memory_take(member->cursors, member->cursor_count, &member->turn, messages, max);
        if (*count > 0 || !memory_wait(log, deadline_us)) {
            break;
        }
    }
    leave_poll(member);
    return status;
}

/* ---- the member's partitions ------------------------------------------------------------------
 */

static enum mr_status cursor_find(struct memory_member *member, const char *topic,
                                  int32_t partition, struct memory_cursor **cursor,
                                  struct mr_err *err)
{
    for (size_t i = 0; i < member->cursor_count; i++) {
        const struct memory_partition *at = member->cursors[i].partition;

        if (at->number == partition && (at->topic == topic || strcmp(at->topic, topic) == 0)) {
            *cursor = &member->cursors[i];
            return MR_OK;
        }
    }
    return mr_fail(err, MR_CONFIG, "memory: %s [%d] is not assigned to this member", topic,
                   partition);
}

enum mr_status memory_member_pause(struct mr_member *base, const char *topic, int32_t partition,
                                   struct mr_err *err)
{
    struct memory_cursor *cursor;

    MR_TRY(cursor_find(memory_member_of(base), topic, partition, &cursor, err));
    cursor->paused = true;
    return MR_OK;
}

enum mr_status memory_member_resume(struct mr_member *base, const char *topic, int32_t partition,
                                    int64_t begin, struct mr_err *err)
{
    struct memory_cursor *cursor;

    (void)begin; /* it knows */
    MR_TRY(cursor_find(memory_member_of(base), topic, partition, &cursor, err));
    cursor->paused = false;
    return MR_OK;
}

enum mr_status memory_member_seek(struct mr_member *base, const char *topic, int32_t partition,
                                  int64_t offset, struct mr_err *err)
{
    struct memory_member *member = memory_member_of(base);
    struct memory_cursor *cursor;

    MR_TRY(cursor_find(member, topic, partition, &cursor, err));
    (void)memory_enter(member->log);
    /* Outside of the log: from the beginning, as a consumer that resets to the earliest. */
    cursor->position = offset < 0 || offset > cursor->partition->end ? 0 : offset;
    memory_leave(member->log);
    return MR_OK;
}

enum mr_status memory_member_commit(struct mr_member *base,
                                    const struct mr_topic_partition *offsets, size_t count,
                                    struct mr_err *err)
{
    struct memory_member *member = memory_member_of(base);
    enum mr_status status;

    (void)memory_enter(member->log);
    status = memory_member_check(member, err);
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        if (memory_partition_find(member->log, offsets[i].topic, offsets[i].partition) == NULL) {
            status = memory_unknown(err, offsets[i].topic, offsets[i].partition);
        }
    }
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        const struct memory_partition *partition =
            memory_partition_find(member->log, offsets[i].topic, offsets[i].partition);

        memory_offset_set(memory_group_offset(member->group, partition->index), offsets[i].offset,
                          memory_metadata(offsets[i].metadata));
    }
    memory_leave(member->log);
    return status;
}

void memory_member_close(struct mr_member *base)
{
    struct memory_member *member = memory_member_of(base);

    (void)memory_enter(member->log);
    revoke(member, memory_group_find(member->group, member->number) == NULL);
    memory_group_leave(member->log, member);
    member->log->handles--;
    memory_leave(member->log);
    memory_names_free(member->topics, member->topic_count);
    free(member->instance);
    free(member->cursors);
    member->magic = 0;
    free(member);
}
