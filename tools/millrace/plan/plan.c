/* plan.c -- see plan.h. */
#include "plan.h"

#include <stdarg.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)64 * 1024)

const char *plan_action_name(enum plan_action action)
{
    static const char *const names[PLAN_ACTIONS] = {
        [PLAN_KEEP] = "kept",      [PLAN_CREATE] = "created",  [PLAN_CHANGE] = "changed",
        [PLAN_MOVE] = "moved",     [PLAN_REBUILD] = "rebuilt", [PLAN_ORPHAN] = "orphaned",
        [PLAN_REFUSE] = "refused",
    };

    return names[action];
}

/* ---- items ----------------------------------------------------------------------------------- */

static struct plan_item *add(struct plan *plan, enum plan_action action, const char *kind,
                             const char *name)
{
    if (plan->item_count == plan->item_capacity) {
        plan->item_capacity = plan->item_capacity == 0 ? 64 : plan->item_capacity * 2;
        plan->items = mr_xrealloc(plan->items, plan->item_capacity * sizeof(*plan->items));
    }
    plan->items[plan->item_count] = (struct plan_item){.action = action, .kind = kind};
    (void)snprintf(plan->items[plan->item_count].name, sizeof(plan->items->name), "%s", name);
    return &plan->items[plan->item_count++];
}

struct plan_item *plan_add(struct plan *plan, enum plan_action action, const char *kind,
                           const char *name, const char *detail, ...)
{
    struct plan_item *item = add(plan, action, kind, name);
    va_list args;

    va_start(args, detail);
    (void)vsnprintf(item->detail, sizeof(item->detail), detail, args);
    va_end(args);
    return item;
}

bool plan_loss_allowed(const struct plan *plan, const char *loss)
{
    for (size_t i = 0; i < plan->options->allow_loss_count; i++) {
        if (strcmp(plan->options->allow_loss[i], loss) == 0) {
            return true;
        }
    }
    return false;
}

void plan_add_loss(struct plan *plan, const struct plan_loss *loss, const char *detail, ...)
{
    const bool allowed = plan_loss_allowed(plan, loss->loss);
    struct plan_item *item =
        add(plan, allowed ? loss->otherwise : PLAN_REFUSE, loss->kind, loss->name);
    va_list args;

    if (!allowed) {
        (void)snprintf(item->loss, sizeof(item->loss), "%s", loss->loss);
    }
    va_start(args, detail);
    (void)vsnprintf(item->detail, sizeof(item->detail), detail, args);
    va_end(args);
}

size_t plan_count(const struct plan *plan, enum plan_action action)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->item_count; i++) {
        count += plan->items[i].action == action;
    }
    return count;
}

int plan_exit_code(const struct plan *plan)
{
    if (plan_count(plan, PLAN_REFUSE) > 0) {
        return 2;
    }
    return plan_count(plan, PLAN_KEEP) + plan_count(plan, PLAN_ORPHAN) < plan->item_count ? 1 : 0;
}

size_t plan_members(const struct plan *plan)
{
    size_t members = 0;

    for (size_t i = 0; i < plan->rest_count; i++) {
        members += plan->rests[i].members;
    }
    return members;
}

const char *plan_resting(const struct plan *plan)
{
    for (size_t i = 0; i < plan->rest_count; i++) {
        if (plan->rests[i].members > 0) {
            return plan->rests[i].group;
        }
    }
    return "";
}

/* ---- topics and subjects --------------------------------------------------------------------- */

static void add_resources(struct plan *plan)
{
    static const enum plan_action actions[] = {
        [APPLY_SAME] = PLAN_KEEP,
        [APPLY_CREATE] = PLAN_CREATE,
        [APPLY_ALTER] = PLAN_CHANGE,
        [APPLY_REFUSED] = PLAN_REFUSE,
    };

    for (size_t i = 0; i < plan->resources.count; i++) {
        const struct apply_item *item = &plan->resources.items[i];
        const struct mr_topic *topic = &plan->topology->topics[item->topic];

        if (!item->subject && item->action == APPLY_CREATE) {
            plan_add(plan, PLAN_CREATE, "topic", item->name, "%d partitions, %s",
                     (int)topic->partitions, topic->cleanup);
        } else {
            plan_add(plan, actions[item->action], item->subject ? "subject" : "topic", item->name,
                     "%s", item->detail);
        }
    }
}

/* ---- what nobody uses any more --------------------------------------------------------------- */

struct leftovers {
    struct plan *plan;
    const char **names;
    size_t count;
};

static bool is_in(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text);
    const size_t tail = strlen(end);

    return len > tail && strcmp(text + len - tail, end) == 0;
}

/* By its name only this application's runtime can have made it. */
static bool is_derived(const struct plan *plan, const char *topic)
{
    const char *application = plan->topology->application;
    const size_t len = strlen(application);

    return strncmp(topic, application, len) == 0 &&
           ((topic[len] == '-' &&
             (ends_with(topic, "-changelog") || ends_with(topic, "-journal"))) ||
            (topic[len] == '.' && ends_with(topic, ".dlq")));
}

static void look_at_name(void *arg, const char *topic)
{
    struct leftovers *leftovers = arg;
    struct plan *plan = leftovers->plan;
    const bool used = is_in(plan->after.topics, plan->after.topic_count, topic);
    const bool was = is_in(plan->before.topics, plan->before.topic_count, topic);

    if (!used && (was || is_derived(plan, topic))) {
        leftovers->names = mr_xrealloc(leftovers->names, (leftovers->count + 1) * sizeof(char *));
        leftovers->names[leftovers->count++] =
            (const char *)mr_arena_copy(plan->arena, mr_slice_of(topic, strlen(topic) + 1)).data;
    }
}

static enum mr_status add_leftovers(struct plan *plan, struct mr_err *err)
{
    struct leftovers leftovers = {.plan = plan};
    enum mr_status status = mr_log_topic_names(plan->log, look_at_name, &leftovers, err);

    for (size_t i = 0; i < leftovers.count && status == MR_OK; i++) {
        int64_t records = 0;

        status = plan_records(plan, leftovers.names[i], &records, err);
        plan_add(plan, PLAN_ORPHAN, "topic", leftovers.names[i],
                 "%lld records; nothing writes or reads it any more", (long long)records);
    }
    free(leftovers.names);
    return status;
}

static void add_connectors(struct plan *plan)
{
    const struct layout *before = &plan->before;
    const struct layout *after = &plan->after;

    for (size_t i = 0; i < after->connector_count; i++) {
        const bool was = is_in(before->connectors, before->connector_count, after->connectors[i]);

        plan_add(plan, was ? PLAN_KEEP : PLAN_CREATE, "connector", after->connectors[i], "%s",
                 was ? "" : "begins at the beginning of its topic");
    }
    for (size_t i = 0; i < before->connector_count; i++) {
        if (!is_in(after->connectors, after->connector_count, before->connectors[i])) {
            plan_add(plan, PLAN_ORPHAN, "connector", before->connectors[i],
                     "its offsets stay; what it wrote stays");
        }
    }
}

/* ---- making one ------------------------------------------------------------------------------ */

enum mr_status plan_make(struct plan *plan, const struct plan_world *world,
                         const struct plan_options *options, struct mr_err *err)
{
    const struct mr_topology *topology = world->topology;

    *plan = (struct plan){
        .topology = topology,
        .log = world->log,
        .options = options,
        .arena = mr_arena_create(ARENA_BYTES),
        .first = world->before.len == 0,
    };
    layout_of_topology(topology, plan->arena, &plan->after);
    if (plan->first) {
        plan->before = plan->after;
    } else {
        MR_TRY(layout_of_json(world->before, plan->arena, &plan->before, err));
    }
    MR_TRY(apply_look(topology, world->log, world->registry, true, &plan->resources, err));
    add_resources(plan);
    MR_TRY(plan_states(plan, err));
    plan_options(plan);
    MR_TRY(plan_groups(plan, err));
    add_connectors(plan);
    if (plan->first) {
        plan_add(plan, PLAN_CREATE, "record", topology->application,
                 "no topology is on record yet; what runs is taken to be as this one says");
    }
    return add_leftovers(plan, err);
}

void plan_fini(struct plan *plan)
{
    for (size_t i = 0; i < plan->offsets_count; i++) {
        for (size_t k = 0; plan->offsets[i].metadata != NULL && k < plan->offsets[i].count; k++) {
            mr_buffer_fini(&plan->offsets[i].metadata[k]);
        }
        free(plan->offsets[i].metadata);
        free(plan->offsets[i].positions);
    }
    free(plan->offsets);
    free(plan->rests);
    free(plan->items);
    apply_report_fini(&plan->resources);
    mr_arena_destroy(&plan->arena);
    *plan = (struct plan){0};
}

/* ---- doing it -------------------------------------------------------------------------------- */

static enum mr_status set_offsets(struct plan *plan, const struct plan_offsets *offsets,
                                  struct mr_err *err)
{
    char group[512];

    (void)snprintf(group, sizeof(group), "%s.%s", plan->topology->application, offsets->group);
    return mr_log_group_commit(plan->log, group, offsets->positions, offsets->count, err);
}

enum mr_status plan_do(struct plan *plan, struct mr_registry *registry, struct mr_err *err)
{
    MR_ASSERT(plan_count(plan, PLAN_REFUSE) == 0 && plan_members(plan) == 0);
    MR_TRY(apply_change(plan->topology, plan->log, registry, &plan->resources, err));
    for (size_t i = 0; i < plan->offsets_count; i++) {
        MR_TRY(set_offsets(plan, &plan->offsets[i], err));
    }
    return MR_OK;
}
