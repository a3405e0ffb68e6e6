/*
 * plan.h -- what must happen so that what runs becomes what the file says; and doing it.
 *
 * Why: a topology has state and offsets. Before anything is changed somebody wants to read what
 *      will be created, moved, read again, left behind, and what cannot be done without loss.
 * How: everything is looked at: topics and subjects (apply.h), the layout applied last (control.h,
 *      layout.h), where groups stand (plan_groups.c), what changelogs hold (plan_states.c). A plan
 *      that refuses something changes nothing. Doing it is the same for a second time: what was
 *      done already is kept, so an apply that was interrupted is simply run again.
 * Not: deleting. What nobody uses any more is named, and stays.
 */
#ifndef MILLRACE_PLAN_PLAN_H
#define MILLRACE_PLAN_PLAN_H

#include "../apply.h"
#include "layout.h"
#include "millrace/clock.h"

enum plan_action {
    PLAN_KEEP,
    PLAN_CREATE,
    PLAN_CHANGE,  /* other configuration */
    PLAN_MOVE,    /* a stage to another group, with its offsets */
    PLAN_REBUILD, /* local state, from its changelog */
    PLAN_ORPHAN,  /* nothing uses it any more; it stays */
    PLAN_REFUSE,  /* and then nothing is done */
};
#define PLAN_ACTIONS 7
const char *plan_action_name(enum plan_action action);

struct plan_item {
    enum plan_action action;
    const char *kind; /* topic, subject, stage, state, offsets, group, connector */
    char name[320];
    char detail[400];
    char loss[320]; /* REFUSE: what --allow-loss must name to do it all the same; "": nothing */
};

/* What a group will go on from. */
struct plan_offsets {
    const char *group; /* of the layout */
    struct mr_topic_partition *positions;
    struct mr_buffer *metadata; /* one for each position */
    size_t count;
};

/* A group that must have come to rest before the offsets hold. */
struct plan_rest {
    const char *group;
    size_t members; /* when it was looked at */
};

/* What is compared. */
struct plan_world {
    const struct mr_topology *topology;
    struct mr_log *log;
    struct mr_registry *registry;
    struct mr_slice before; /* the topology applied last, as control_read found it; empty: none */
};

struct plan_options {
    const char *const *allow_loss;
    size_t allow_loss_count;
};

struct plan {
    const struct mr_topology *topology;
    struct mr_log *log;
    const struct plan_options *options;
    struct mr_arena *arena;
    bool first;           /* no topology was applied before */
    struct layout before; /* first: the same as after */
    struct layout after;
    struct apply_report resources; /* topics and subjects */
    struct plan_item *items;
    size_t item_count, item_capacity;
    struct plan_offsets *offsets;
    size_t offsets_count;
    struct plan_rest *rests;
    size_t rest_count;
};

/*
 * Returns MR_OK, with refusals as items | what the log or the registry failed with. plan_fini in
 * any case. Everything is borrowed until then.
 */
MR_NODISCARD enum mr_status plan_make(struct plan *plan, const struct plan_world *world,
                                      const struct plan_options *options, struct mr_err *err);
void plan_fini(struct plan *plan);

size_t plan_count(const struct plan *plan, enum plan_action action);
/* The exit code of `topology plan`: 0 nothing to do, 1 changes, 2 refused. */
int plan_exit_code(const struct plan *plan);
/* Groups that must come to rest and have members. */
size_t plan_members(const struct plan *plan);
/* One of them; "" when there is none. */
const char *plan_resting(const struct plan *plan);
/* Creates, changes, moves. Nothing of it may be refused, and the groups must be at rest. */
MR_NODISCARD enum mr_status plan_do(struct plan *plan, struct mr_registry *registry,
                                    struct mr_err *err);

/* kept: tell them too. */
void plan_text(const struct plan *plan, bool kept, FILE *out);
void plan_json(const struct plan *plan, FILE *out);

/* ---- for the parts of it --------------------------------------------------------------------- */

/* Borrowed until the next call. */
struct plan_item *plan_add(struct plan *plan, enum plan_action action, const char *kind,
                           const char *name, const char *detail, ...) MR_PRINTF(5, 6);
struct plan_loss {
    const char *kind, *name;
    const char *loss;           /* what --allow-loss must name */
    enum plan_action otherwise; /* when it does */
};
/* Refuses, unless the loss is allowed. */
void plan_add_loss(struct plan *plan, const struct plan_loss *loss, const char *detail, ...)
    MR_PRINTF(3, 4);
bool plan_loss_allowed(const struct plan *plan, const char *loss);
/* plan_groups.c: offsets of each group. */
MR_NODISCARD enum mr_status plan_groups(struct plan *plan, struct mr_err *err);
/* plan_options.c: options of stages, settings of groups. */
void plan_options(struct plan *plan);
/* plan_states.c: stages and their state. */
MR_NODISCARD enum mr_status plan_states(struct plan *plan, struct mr_err *err);
/* Records in a topic, about: what compaction and markers took is counted too. */
MR_NODISCARD enum mr_status plan_records(struct plan *plan, const char *topic, int64_t *records,
                                         struct mr_err *err);

#endif
