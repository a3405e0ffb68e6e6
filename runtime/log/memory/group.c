/*
 * group.c -- consumer groups: places, rebalances, generations, sessions.
 *
 * How: when a member comes or goes, every member gives up its partitions and joins again (eager).
 *   A member joins in its own poll, after its `revoked` callback has returned. When all have joined
 *   the next generation starts, and each finds its new partitions in its next poll.
 * Static members: closing one leaves its place, with its partitions, until its session ends. The
 *   next member of that instance takes the place over as it is; the former holder is fenced.
 */
#include "memory.h"

#include <stdlib.h>

struct memory_group *memory_group_get(struct memory_log *log, const char *name)
{
    struct memory_group *group;

    for (size_t i = 0; i < log->group_count; i++) {
        if (strcmp(log->groups[i]->name, name) == 0) {
            return log->groups[i];
        }
    }
    group = mr_xcalloc(1, sizeof(*group));
    group->name = mr_xstrdup(name);
    log->groups = mr_xrealloc(log->groups, (log->group_count + 1) * sizeof(struct memory_group *));
    log->groups[log->group_count++] = group;
    return group;
}

void memory_group_destroy(struct memory_group *group)
{
    for (size_t i = 0; i < group->place_count; i++) {
        memory_place_destroy(group->places[i]);
    }
    free(group->places);
    for (size_t i = 0; i < group->offset_count; i++) {
        free(group->offsets[i].metadata);
    }
    free(group->offsets);
    free(group->name);
    free(group);
}

struct memory_place *memory_group_find(const struct memory_group *group, uint64_t member)
{
    for (size_t i = 0; i < group->place_count; i++) {
        if (group->places[i]->member == member) {
            return group->places[i];
        }
    }
    return NULL;
}

static struct memory_place *find_instance(const struct memory_group *group, const char *instance)
{
    for (size_t i = 0; i < group->place_count; i++) {
        if (group->places[i]->instance != NULL &&
            strcmp(group->places[i]->instance, instance) == 0) {
            return group->places[i];
        }
    }
    return NULL;
}

bool memory_group_has_instance(const struct memory_group *group, const char *instance)
{
    return instance != NULL && find_instance(group, instance) != NULL;
}

void memory_group_complete(struct memory_log *log, struct memory_group *group)
{
    if (!group->rebalancing) {
        return;
    }
    for (size_t i = 0; i < group->place_count; i++) {
        if (group->places[i]->held && !group->places[i]->joined) {
            return;
        }
    }
    memory_places_assign(log, group->places, group->place_count);
    group->generation++;
    group->rebalancing = false;
    memory_changed(log);
}

void memory_group_rebalance(struct memory_log *log, struct memory_group *group)
{
    if (!group->rebalancing) {
        group->rebalancing = true;
        for (size_t i = 0; i < group->place_count; i++) {
            group->places[i]->joined = false;
        }
    }
    memory_group_complete(log, group);
    memory_changed(log);
}

static void insert(struct memory_group *group, struct memory_place *place)
{
    size_t at = group->place_count;

    group->places =
        mr_xrealloc(group->places, (group->place_count + 1) * sizeof(struct memory_place *));
    while (at > 0 && memory_place_compare(place, group->places[at - 1]) < 0) {
        group->places[at] = group->places[at - 1];
        at--;
    }
    group->places[at] = place;
    group->place_count++;
}

static void take_over(struct memory_place *place, const struct memory_member *member,
                      int64_t now_us)
{
    place->member = member->number;
    place->session_timeout_us = member->session_timeout_us;
    place->last_poll_us = now_us;
    place->held = true;
    place->polling = false;
    place->joined = true;
}

void memory_group_join(struct memory_log *log, struct memory_member *member)
{
    const int64_t now_us = mr_clock_monotonic_us(log->clock);
    struct memory_group *group = member->group;
    struct memory_place *place =
        member->instance == NULL ? NULL : find_instance(group, member->instance);

    memory_expect(log, memory_deadline(now_us, member->session_timeout_us));
    if (place != NULL && memory_place_same_topics(place, member->topics, member->topic_count)) {
        take_over(place, member, now_us);
        memory_group_complete(log, group);
        memory_changed(log);
        return;
    }
    if (place != NULL) {
        take_over(place, member, now_us);
        memory_names_free(place->topics, place->topic_count);
        place->topics = memory_names_copy((const char *const *)member->topics, member->topic_count);
        place->topic_count = member->topic_count;
        memory_group_rebalance(log, group);
    } else {
        /* First everybody else is asked to join again, then the newcomer has joined. */
        if (!group->rebalancing && group->place_count > 0) {
            memory_group_rebalance(log, group);
        }
        insert(group, memory_place_create(member, now_us));
        group->rebalancing = true;
    }
    place = memory_group_find(group, member->number);
    MR_ASSERT(place != NULL);
    place->joined = true;
    memory_group_complete(log, group);
}

void memory_group_remove(struct memory_log *log, struct memory_group *group, size_t place)
{
    memory_place_destroy(group->places[place]);
    group->place_count--;
    memmove(&group->places[place], &group->places[place + 1],
            (group->place_count - place) * sizeof(struct memory_place *));
    memory_group_rebalance(log, group);
}

void memory_group_leave(struct memory_log *log, struct memory_member *member)
{
    struct memory_group *group = member->group;

    for (size_t i = 0; i < group->place_count; i++) {
        struct memory_place *place = group->places[i];

        if (place->member == member->number) {
            if (place->instance == NULL) {
                memory_group_remove(log, group, i);
                return;
            }
            place->held = false;
            place->polling = false;
            memory_expect(log, memory_deadline(place->last_poll_us, place->session_timeout_us));
            memory_group_complete(log, group);
        }
    }
}

void memory_group_expire(struct memory_log *log, struct memory_group *group, int64_t now_us)
{
    size_t i = 0;

    while (i < group->place_count) {
        const struct memory_place *place = group->places[i];
        const int64_t deadline_us = memory_deadline(place->last_poll_us, place->session_timeout_us);

        if (!place->polling && deadline_us <= now_us) {
            memory_group_remove(log, group, i);
        } else {
            if (!place->polling) {
                memory_expect(log, deadline_us);
            }
            i++;
        }
    }
}
