/* groups.c -- the section `groups`: which stage runs where. */
#include "build.h"

/* Each process reads every changelog of the group. */
#define STANDBY_REPLICAS_MAX 3

static const char *const other_keys[] = {"stages", NULL};

static size_t find_stage(struct build *b, const struct node *name)
{
    const size_t stage = names_find(&b->stage_names, name->text);
    struct suggest suggest;

    if (stage != SIZE_MAX || problems_full(b->problems)) {
        return stage;
    }
    const char *removed = build_removed(b, "stages", name->text);
    suggest_init(&suggest, name->text);
    for (size_t i = 0; i < b->stage_count; i++) {
        suggest_offer(&suggest, b->stages[i].name);
    }
    problem_add(b->problems, name->position, "no stage \"%s\" under stages%s", name->text,
                removed != NULL ? removed : suggest_text(&suggest));
    return MR_UNBOUND;
}

static void read_members(struct build *b, size_t group, const struct node *list)
{
    struct group_draft *draft = &b->groups[group];

    draft->stages = build_alloc(b, list->count, sizeof(*draft->stages));
    draft->stage_positions = build_alloc(b, list->count, sizeof(*draft->stage_positions));
    for (size_t i = 0; i < list->count; i++) {
        const struct node *item = list->entries[i].value;
        if (item->kind != NODE_SCALAR) {
            problem_add(b->problems, item->position, "%s where the name of a stage belongs",
                        node_kind_name(item->kind));
            continue;
        }
        const size_t stage = find_stage(b, item);
        if (stage == MR_UNBOUND) {
            continue;
        }
        if (b->stages[stage].group != MR_UNBOUND) {
            problem_add(b->problems, item->position,
                        "stage %s is in group %s already: a stage runs in one group", item->text,
                        b->groups[b->stages[stage].group].name);
            continue;
        }
        b->stages[stage].group = group;
        draft->stage_positions[draft->stage_count] = item->position;
        draft->stages[draft->stage_count++] = stage;
    }
}

static void read_group(struct build *b, const struct entry *entry, size_t group)
{
    struct group_draft *draft = &b->groups[group];
    const struct node *map = entry->value;

    *draft = (struct group_draft){.name = entry->name, .position = entry->position};
    (void)build_name(b, entry->position, entry->name, false, "a group");
    build_fallbacks(b, &settings_group, &draft->settings);
    if (!build_map(b, &map, "a group")) {
        return;
    }
    build_settings(b, map, &settings_group, other_keys, &draft->settings);
    if (draft->settings.standby &&
        (draft->settings.workers > 1 || draft->settings.replicas > STANDBY_REPLICAS_MAX)) {
        problem_add(b->problems, tree_get(map, "standby")->position,
                    "standby is for groups of at most %d replicas with one worker each: every "
                    "process keeps the state of all tasks",
                    STANDBY_REPLICAS_MAX);
    }
    const struct node *list = tree_get(map, "stages");
    if (list == NULL || list->kind != NODE_LIST || list->count == 0) {
        problem_add(b->problems, list != NULL ? list->position : entry->position,
                    "group %s needs its stages as a list: stages: [a, b]%s", entry->name,
                    list == NULL ? build_namesake(b, "groups", entry->name) : "");
        return;
    }
    read_members(b, group, list);
}

void build_groups(struct build *b, const struct node *root)
{
    const struct node *map = tree_get(root, "groups");

    if (!build_map(b, &map, "groups")) {
        return;
    }
    if (map == NULL) {
        problem_add(b->problems, root->position, "the topology has no groups");
        return;
    }
    b->groups = build_alloc(b, map->count, sizeof(*b->groups));
    b->group_count = map->count;
    for (size_t i = 0; i < map->count; i++) {
        read_group(b, &map->entries[i], i);
    }
    for (size_t i = 0; i < b->stage_count; i++) {
        if (b->stages[i].group == MR_UNBOUND) {
            problem_add(b->problems, b->stages[i].position,
                        "stage %s is in no group: add it to the stages of one", b->stages[i].name);
        }
    }
}
