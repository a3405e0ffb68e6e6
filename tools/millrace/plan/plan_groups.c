/*
 * plan_groups.c -- from which offset each group goes on, when stages or edges have changed place.
 *
 * A stage goes on exactly where it was. What it read as a member of a group, it goes on reading
 * from that group's offset. What was handed to it in memory, it has worked to the end of the topic,
 * once the group that handed it over has come to rest. What is handed to it in memory from now on,
 * it must have worked to the end before. Stages that are to read a topic together must stand at
 * one place in it.
 */
#include "plan.h"
#include "plan_offsets.h"
#include "standing.h"

#include <stdlib.h>

#define ORIGINS_MAX 16

/* The distinct places from which the stages of a group come to one of its topics. */
struct origins {
    struct origin items[ORIGINS_MAX];
    size_t count;
    const char *newcomer; /* a stage that has not read the topic; NULL: none */
};

static void group_id(const struct plan *plan, const char *group, char id[512])
{
    (void)snprintf(id, 512, "%s.%s", plan->topology->application, group);
}

/* ---- whom it concerns ------------------------------------------------------------------------ */

static enum mr_status must_rest(struct plan *plan, const char *group, struct mr_err *err)
{
    struct plan_rest *rest;
    char id[512];

    for (size_t i = 0; i < plan->rest_count; i++) {
        if (strcmp(plan->rests[i].group, group) == 0) {
            return MR_OK;
        }
    }
    plan->rests = mr_xrealloc(plan->rests, (plan->rest_count + 1) * sizeof(*plan->rests));
    rest = &plan->rests[plan->rest_count++];
    *rest = (struct plan_rest){.group = group};
    group_id(plan, group, id);
    return mr_log_group_members(plan->log, id, &rest->members, err);
}

static bool same_origin(const struct origin *a, const struct origin *b)
{
    return a->kind == b->kind && strcmp(a->group, b->group) == 0;
}

static void add_origin(struct origins *origins, const struct origin *origin, const char *stage)
{
    if (origin->kind == ORIGIN_NONE) {
        origins->newcomer = stage;
        return;
    }
    for (size_t i = 0; i < origins->count; i++) {
        if (same_origin(&origins->items[i], origin)) {
            return;
        }
    }
    MR_ASSERT(origins->count < ORIGINS_MAX);
    origins->items[origins->count++] = *origin;
}

static void find_origins(const struct plan *plan, const char *group, const char *topic,
                         struct origins *origins)
{
    *origins = (struct origins){0};
    for (size_t i = 0; i < plan->after.stage_count; i++) {
        const struct layout_stage *stage = &plan->after.stages[i];
        const struct layout_input *input =
            strcmp(stage->group, group) == 0 ? layout_input_find(stage, topic) : NULL;

        if (input != NULL && !input->in_memory) {
            const struct origin origin = layout_origin(&plan->before, stage->name, topic);

            add_origin(origins, &origin, stage->name);
        }
    }
}

/* ---- one topic of a group -------------------------------------------------------------------- */

static enum mr_status stand_at(struct plan *plan, const struct origin *origin, const char *topic,
                               struct standing *standing, struct mr_err *err)
{
    char id[512];

    if (origin->kind == ORIGIN_END) {
        return standing_at_end(plan->log, plan->arena, topic, standing, err);
    }
    group_id(plan, origin->group, id);
    return standing_of_group(plan->log, plan->arena, id, topic, standing, err);
}

static void describe(const struct origin *origin, char *text, size_t bytes)
{
    (void)snprintf(text, bytes,
                   origin->kind == ORIGIN_END ? "at its end, as group %s leaves it"
                                              : "where group %s stands",
                   origin->group);
}

/* It may have been moved already, by an apply that did not come to its end. */
static enum mr_status look_at_target(struct plan *plan, const char *group, const char *topic,
                                     const struct standing *wanted, bool *there, struct mr_err *err)
{
    struct standing now;
    char id[512];

    group_id(plan, group, id);
    MR_TRY(standing_of_group(plan->log, plan->arena, id, topic, &now, err));
    *there = !standing_is_none(&now) && standing_reaches(&now, wanted);
    if (!*there && !standing_is_none(&now) && !standing_reaches(wanted, &now)) {
        plan_add(plan, PLAN_REFUSE, "offsets", topic,
                 "group %s has offsets of its own here, before those of what moves in some "
                 "partitions and behind them in others",
                 group);
    }
    return MR_OK;
}

/* Origins are at rest, or what is said here is how things are at the moment. */
static enum mr_status move_topic(struct plan *plan, const char *group, const char *topic,
                                 const struct origins *origins, struct plan_offsets *offsets,
                                 struct mr_err *err)
{
    struct standing first;
    char text[200];
    bool there = false;
    bool stays = false; /* some of its stages read it here before */

    for (size_t i = 0; i < origins->count; i++) {
        struct standing other;

        stays = stays || (origins->items[i].kind == ORIGIN_GROUP &&
                          strcmp(origins->items[i].group, group) == 0);

        MR_TRY(must_rest(plan, origins->items[i].group, err));
        MR_TRY(stand_at(plan, &origins->items[i], topic, i == 0 ? &first : &other, err));
        if (i > 0 && plan_members(plan) == 0 && !standing_equal(&first, &other)) {
            plan_add(plan, PLAN_REFUSE, "offsets", topic,
                     "group %s would read it for stages that stand at two places, %lld records "
                     "apart: let them catch up, then stop them",
                     group, llabs((long long)standing_distance(&first, &other)));
            return MR_OK;
        }
    }
    MR_TRY(must_rest(plan, group, err));
    MR_TRY(stays ? MR_OK : look_at_target(plan, group, topic, &first, &there, err));
    describe(&origins->items[0], text, sizeof(text));
    plan_add(plan, there ? PLAN_KEEP : PLAN_MOVE, "offsets", topic, "group %s goes on %s%s%s%s",
             group, text, origins->newcomer == NULL ? "" : "; stage ",
             origins->newcomer == NULL ? "" : origins->newcomer,
             origins->newcomer == NULL ? "" : ", which is new to it, sees nothing before");
    if (!there) {
        plan_offsets_add(offsets, topic, &first);
    }
    return MR_OK;
}

static enum mr_status look_at_input(struct plan *plan, const struct layout_group *group,
                                    const char *topic, struct plan_offsets *offsets,
                                    struct mr_err *err)
{
    struct origins origins;
    bool own = true;

    find_origins(plan, group->name, topic, &origins);
    for (size_t i = 0; i < origins.count; i++) {
        own = own && origins.items[i].kind == ORIGIN_GROUP &&
              strcmp(origins.items[i].group, group->name) == 0;
    }
    if (!own) {
        return move_topic(plan, group->name, topic, &origins, offsets, err);
    }
    if (origins.count == 0) {
        plan_add(plan, PLAN_CREATE, "offsets", topic, "group %s begins at its beginning",
                 group->name);
    } else if (origins.newcomer != NULL) {
        plan_add(plan, PLAN_CHANGE, "offsets", topic,
                 "stage %s joins group %s where it stands, and sees nothing before",
                 origins.newcomer, group->name);
    } else {
        plan_add(plan, PLAN_KEEP, "offsets", topic, "of group %s", group->name);
    }
    return MR_OK;
}

/* ---- what goes into memory ------------------------------------------------------------------- */

/* A stage took the topic from the log and is handed it from now on: it must be through. */
static enum mr_status look_at_memory(struct plan *plan, const struct layout_stage *stage,
                                     const char *topic, struct mr_err *err)
{
    const struct origin origin = layout_origin(&plan->before, stage->name, topic);
    struct standing now;
    struct standing end;
    char loss[320];

    if (origin.kind != ORIGIN_GROUP) {
        return MR_OK;
    }
    MR_TRY(must_rest(plan, origin.group, err));
    MR_TRY(must_rest(plan, stage->group, err));
    MR_TRY(stand_at(plan, &origin, topic, &now, err));
    MR_TRY(standing_at_end(plan->log, plan->arena, topic, &end, err));
    if (standing_reaches(&now, &end) || plan_members(plan) > 0) {
        plan_add(plan, PLAN_MOVE, "offsets", topic,
                 "stage %s is handed it in memory, once group %s has worked what is there",
                 stage->name, origin.group);
        return MR_OK;
    }
    (void)snprintf(loss, sizeof(loss), "offsets:%s/%s", stage->name, topic);
    plan_add_loss(plan, &(struct plan_loss){"offsets", topic, loss, PLAN_MOVE},
                  "stage %s would be handed it in memory and has about %lld records of it still "
                  "to take: let group %s catch up before it is stopped",
                  stage->name, (long long)standing_distance(&now, &end), origin.group);
    return MR_OK;
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* State without offsets: it was made elsewhere, and the group would take everything again. */
static enum mr_status look_at_strays(struct plan *plan, const struct mr_group_node *node,
                                     struct mr_err *err)
{
    struct standing standing;
    bool begun = false;
    char loss[320];
    char id[512];

    group_id(plan, node->name, id);
    for (size_t i = 0; i < node->input_count && !begun; i++) {
        MR_TRY(standing_of_group(plan->log, plan->arena, id,
                                 plan->topology->topics[node->inputs[i]].name, &standing, err));
        begun = !standing_is_none(&standing);
    }
    for (size_t i = 0; i < node->stage_count && !begun; i++) {
        const struct mr_stage_node *stage = &plan->topology->stages[node->stages[i]];
        int64_t records = 0;

        if (stage->changelog == MR_UNBOUND) {
            continue;
        }
        MR_TRY(plan_records(plan, plan->topology->topics[stage->changelog].name, &records, err));
        if (records > 0) {
            (void)snprintf(loss, sizeof(loss), "offsets:%s", node->name);
            plan_add_loss(plan, &(struct plan_loss){"group", node->name, loss, PLAN_CHANGE},
                          "has no offsets, and its stage %s has about %lld records of state: it "
                          "would take everything again. Where it ran before is on no record",
                          stage->name, (long long)records);
            return MR_OK;
        }
    }
    return MR_OK;
}

static enum mr_status look_at_group(struct plan *plan, const struct mr_group_node *node,
                                    struct mr_err *err)
{
    const struct layout_group *group = layout_group_find(&plan->after, node->name);
    const bool was = layout_group_find(&plan->before, node->name) != NULL;
    struct plan_offsets offsets = {.group = group->name};
    enum mr_status status = MR_OK;

    plan_add(plan, was ? PLAN_KEEP : PLAN_CREATE, "group", node->name, "%d tasks",
             (int)node->partitions);
    for (size_t i = 0; i < node->input_count && status == MR_OK; i++) {
        status =
            look_at_input(plan, group, plan->topology->topics[node->inputs[i]].name, &offsets, err);
    }
    if (offsets.count == 0) {
        return status == MR_OK ? look_at_strays(plan, node, err) : status;
    }
    status = status == MR_OK ? plan_offsets_finish(plan, node, &offsets, err) : status;
    plan->offsets = mr_xrealloc(plan->offsets, (plan->offsets_count + 1) * sizeof(offsets));
    plan->offsets[plan->offsets_count++] = offsets;
    return status;
}

enum mr_status plan_groups(struct plan *plan, struct mr_err *err)
{
    const struct mr_topology *topology = plan->topology;

    for (size_t g = 0; g < topology->group_count; g++) {
        MR_TRY(look_at_group(plan, &topology->groups[g], err));
    }
    for (size_t i = 0; i < plan->after.stage_count; i++) {
        const struct layout_stage *stage = &plan->after.stages[i];

        for (size_t k = 0; k < stage->input_count; k++) {
            if (stage->inputs[k].in_memory) {
                MR_TRY(look_at_memory(plan, stage, stage->inputs[k].topic, err));
            }
        }
    }
    for (size_t i = 0; i < plan->before.group_count; i++) {
        if (layout_group_find(&plan->after, plan->before.groups[i].name) == NULL) {
            MR_TRY(must_rest(plan, plan->before.groups[i].name, err));
            plan_add(plan, PLAN_ORPHAN, "group", plan->before.groups[i].name,
                     "its offsets stay, nobody reads for it");
        }
    }
    return MR_OK;
}
