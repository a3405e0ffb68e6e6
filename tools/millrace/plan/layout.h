/*
 * layout.h -- which stage runs in which group and takes what from where; and what differs between
 * two layouts.
 *
 * Why: offsets belong to a group, state to a stage. When a stage changes its group, or an edge goes
 *      from memory to the log, somebody must say from where the stage goes on: nothing may be taken
 *      twice or left out.
 * How: a layout is read from the JSON that `topology describe --json` prints, so that the one which
 *      was applied last (control.h) and the one in the file are the same kind of thing.
 * Not: where the groups stand now: plan_offsets.h asks the log.
 */
#ifndef MILLRACE_PLAN_LAYOUT_H
#define MILLRACE_PLAN_LAYOUT_H

#include "millrace/arena.h"
#include "millrace/topology.h"

struct layout_input {
    const char *topic;
    bool table;
    bool in_memory; /* handed over inside the group */
};

struct layout_stage {
    const char *name;
    const char *type;
    const char *group;
    const char *changelog; /* NULL: it has no stores */
    const char *options;   /* JSON object, values in their stored units */
    const struct layout_input *inputs;
    size_t input_count;
};

struct layout_group {
    const char *name;
    int32_t tasks;
    int workers;
    int replicas;
};

/* Everything lives in the arena. */
struct layout {
    const struct layout_stage *stages;
    size_t stage_count;
    const struct layout_group *groups;
    size_t group_count;
    const char **topics; /* that are in the log */
    size_t topic_count;
    const char **connectors;
    size_t connector_count;
};

MR_NODISCARD enum mr_status layout_of_json(struct mr_slice json, struct mr_arena *arena,
                                           struct layout *layout, struct mr_err *err);
void layout_of_topology(const struct mr_topology *topology, struct mr_arena *arena,
                        struct layout *layout);

const struct layout_stage *layout_stage_find(const struct layout *layout, const char *name);
const struct layout_group *layout_group_find(const struct layout *layout, const char *name);
/* NULL: it does not take from the topic, or as a table, which has no offsets. */
const struct layout_input *layout_input_find(const struct layout_stage *stage, const char *topic);

/* ---- what changes for a stage's input -------------------------------------------------------- */

enum origin_kind {
    ORIGIN_NONE,  /* the stage is new, or has not read this topic before */
    ORIGIN_GROUP, /* it read the topic as a member of a group: that group's offsets */
    ORIGIN_END,   /* the topic was handed to it in memory: whatever is in it has been worked */
};

struct origin {
    enum origin_kind kind;
    const char *group; /* whose offsets, or who must have come to rest for the end to hold */
};

struct origin layout_origin(const struct layout *before, const char *stage, const char *topic);

#endif
