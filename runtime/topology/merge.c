/* merge.c -- see merge.h. Maps that are still to be merged wait in a list: no recursion. */
#include "merge.h"

#include "suggest.h"

struct pair {
    const struct node *base;
    const struct node *over;
    struct node *result; /* empty */
    struct pair *next;
};

struct merge {
    struct mr_arena *arena;
    struct problem_list *problems;
    struct pair *waiting;
};

static const struct node *put_off(struct merge *m, const struct node *base, const struct node *over)
{
    struct pair *pair = mr_arena_alloc(m->arena, sizeof(*pair));

    *pair = (struct pair){.base = base,
                          .over = over,
                          .result = tree_node(m->arena, NODE_MAP, base->position),
                          .next = m->waiting};
    pair->result->removed = base->removed;
    m->waiting = pair;
    return pair->result;
}

static bool removes(const struct node *value)
{
    return value->kind == NODE_SCALAR && value->nothing && value->text[0] != '\0';
}

static bool says_nothing(const struct node *value)
{
    return value->kind == NODE_SCALAR && value->nothing && value->text[0] == '\0';
}

static void nothing_to_remove(struct merge *m, const struct pair *pair, const struct entry *entry)
{
    struct suggest suggest;

    if (problems_full(m->problems)) {
        return;
    }
    suggest_init(&suggest, entry->name);
    for (size_t i = 0; i < pair->base->count; i++) {
        suggest_offer(&suggest, pair->base->entries[i].name);
    }
    problem_add(m->problems, entry->position,
                "\"%s\": ~ removes nothing: no included file has it here%s", entry->name,
                suggest_text(&suggest));
}

/* For the message about whoever still names it. */
static void note_removed(struct merge *m, struct node *result, const struct entry *entry)
{
    if (result->removed == NULL) {
        result->removed = tree_node(m->arena, NODE_MAP, entry->position);
    }
    if (tree_get(result->removed, entry->name) == NULL) {
        tree_append(result->removed, m->arena, *entry);
    }
}

/* An entry that the base has too. */
static void merge_both(struct merge *m, struct pair *pair, const struct entry *base,
                       const struct entry *over)
{
    struct entry entry = *over;

    if (removes(over->value)) {
        note_removed(m, pair->result, over);
        return;
    }
    if (says_nothing(over->value)) {
        problem_add(m->problems, over->position,
                    "\"%s\" has no value: leave it out to keep what is included, or write ~ to "
                    "remove it",
                    over->name);
        entry = *base;
    } else if (base->value->kind == NODE_MAP && over->value->kind == NODE_MAP) {
        entry = *base;
        entry.value = put_off(m, base->value, over->value);
    }
    tree_append(pair->result, m->arena, entry);
}

static void merge_pair(struct merge *m, struct pair *pair)
{
    const struct node *base = pair->base;
    const struct node *over = pair->over;

    for (size_t i = 0; i < base->count; i++) {
        const size_t at = names_find(&over->names, base->entries[i].name);
        if (at == SIZE_MAX) {
            tree_append(pair->result, m->arena, base->entries[i]);
        } else {
            merge_both(m, pair, &base->entries[i], &over->entries[at]);
        }
    }
    for (size_t i = 0; i < over->count; i++) {
        const struct entry *entry = &over->entries[i];
        if (names_find(&base->names, entry->name) != SIZE_MAX) {
            continue;
        }
        if (removes(entry->value)) {
            nothing_to_remove(m, pair, entry);
        } else {
            tree_append(pair->result, m->arena, *entry);
        }
    }
}

const struct node *merge_trees(const struct node *base, const struct node *over,
                               struct mr_arena *arena, struct problem_list *problems)
{
    struct merge m = {.arena = arena, .problems = problems};
    const struct node *result = put_off(&m, base, over);

    while (m.waiting != NULL) {
        struct pair *pair = m.waiting;
        m.waiting = pair->next;
        merge_pair(&m, pair);
    }
    return result;
}
