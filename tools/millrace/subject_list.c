/* subject_list.c -- see subject_list.h. */
#include "subject_list.h"

size_t subject_list_max(const struct mr_topology *topology)
{
    size_t count = topology->topic_count;

    for (size_t i = 0; i < topology->stage_count; i++) {
        count += topology->stages[i].type->store_count;
    }
    return count;
}

/* An earlier store of the stage holds the same schema. */
static bool is_listed(const struct mr_stage_node *stage, size_t store)
{
    for (size_t s = 0; s < store; s++) {
        if (strcmp(stage->store_subjects[s], stage->store_subjects[store]) == 0) {
            return true;
        }
    }
    return false;
}

void subject_list(const struct mr_topology *topology,
                  void (*visit)(void *arg, const struct subject_of *subject), void *arg)
{
    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct mr_topic *topic = &topology->topics[i];

        if (topic->in_log && topic->schema != NULL) {
            visit(arg, &(struct subject_of){topic->subject, i, topic->schema, topic->position});
        }
    }
    for (size_t i = 0; i < topology->stage_count; i++) {
        const struct mr_stage_node *stage = &topology->stages[i];

        for (size_t s = 0; s < stage->type->store_count; s++) {
            if (!is_listed(stage, s)) {
                visit(arg, &(struct subject_of){stage->store_subjects[s], stage->changelog,
                                                stage->type->stores[s].schema, stage->position});
            }
        }
    }
}
