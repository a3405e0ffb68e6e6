/*
 * place.c -- places in a group, and which partitions each gets.
 *
 * Why range: the subscribers of every topic stand in one order and get neighbouring partitions, so
 *   the same partition number of topics that have the same subscribers and partition counts lands
 *   on the same member. A task needs its inputs together.
 */
#include "memory.h"

#include <stdlib.h>

char **memory_names_copy(const char *const *names, size_t count)
{
    char **copy = mr_xcalloc(count, sizeof(char *));

    for (size_t i = 0; i < count; i++) {
        copy[i] = mr_xstrdup(names[i]);
    }
    return copy;
}

void memory_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

struct memory_place *memory_place_create(const struct memory_member *member, int64_t now_us)
{
    struct memory_place *place = mr_xcalloc(1, sizeof(*place));

    place->instance = member->instance == NULL ? NULL : mr_xstrdup(member->instance);
    place->member = member->number;
    place->topics = memory_names_copy((const char *const *)member->topics, member->topic_count);
    place->topic_count = member->topic_count;
    place->session_timeout_us = member->session_timeout_us;
    place->last_poll_us = now_us;
    place->held = true;
    place->joined = true;
    return place;
}

void memory_place_destroy(struct memory_place *place)
{
    memory_names_free(place->topics, place->topic_count);
    free(place->instance);
    free(place->assignment);
    free(place);
}

bool memory_place_subscribes(const struct memory_place *place, const char *topic)
{
    for (size_t i = 0; i < place->topic_count; i++) {
        if (strcmp(place->topics[i], topic) == 0) {
            return true;
        }
    }
    return false;
}

bool memory_place_same_topics(const struct memory_place *place, char *const *topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!memory_place_subscribes(place, topics[i])) {
            return false;
        }
    }
    return place->topic_count == count;
}

int memory_place_compare(const struct memory_place *a, const struct memory_place *b)
{
    if (a->instance != NULL && b->instance != NULL) {
        return strcmp(a->instance, b->instance);
    }
    if (a->instance != NULL || b->instance != NULL) {
        return a->instance != NULL ? -1 : 1;
    }
    return a->member < b->member ? -1 : a->member > b->member;
}

static void give(struct memory_place *place, struct memory_partition *partition)
{
    place->assignment = memory_grow(place->assignment, place->assignment_count,
                                    &place->assignment_capacity, sizeof(struct memory_partition *));
    place->assignment[place->assignment_count++] = partition;
}

static void assign_topic(struct memory_topic *topic, struct memory_place **places, size_t count)
{
    const size_t partitions = (size_t)topic->partition_count;
    size_t subscribers = 0;
    size_t next = 0;
    size_t seen = 0;

    for (size_t i = 0; i < count; i++) {
        subscribers += memory_place_subscribes(places[i], topic->name) ? 1 : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (memory_place_subscribes(places[i], topic->name)) {
            size_t share = partitions / subscribers + (seen < partitions % subscribers ? 1 : 0);

            for (; share > 0; share--) {
                give(places[i], &topic->partitions[next++]);
            }
            seen++;
        }
    }
}

void memory_places_assign(struct memory_log *log, struct memory_place **places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        places[i]->assignment_count = 0;
    }
    for (size_t i = 0; i < log->topic_count; i++) {
        assign_topic(log->topics[i], places, count);
    }
}
