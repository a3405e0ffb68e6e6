/* read_case.c -- cases of a suite and their steps. */
#include "millrace/option.h"
#include "read.h"

/* A step is a map with one of these keys. */
struct verb {
    const char *name;
    enum suite_step_kind kind;
    void (*read)(struct suite_reader *reader, const struct node *node, struct suite_step *step);
    const char *more[2]; /* further keys of such a step */
};

static void read_sent(struct suite_reader *reader, const struct node *node, struct suite_step *step)
{
    step->batches = suite_read_topics(reader, node, SUITE_TO_SEND, &step->batch_count);
}

static void read_expected(struct suite_reader *reader, const struct node *node,
                          struct suite_step *step)
{
    step->batches = suite_read_topics(reader, node, SUITE_TO_EXPECT, &step->batch_count);
}

static void read_expected_stores(struct suite_reader *reader, const struct node *node,
                                 struct suite_step *step)
{
    step->batches = suite_read_stores(reader, node, SUITE_TO_FIND, &step->batch_count);
}

static void read_duration(struct suite_reader *reader, const struct node *node,
                          struct suite_step *step)
{
    struct mr_err err = {0};

    if (suite_is(reader, node, NODE_SCALAR, "a time") &&
        mr_parse_duration_us(node->text, &step->duration_us, &err) != MR_OK) {
        suite_wrong(reader, node->position, "%s", err.text);
    }
}

static const char *group_name(const void *topology, size_t index)
{
    return ((const struct mr_topology *)topology)->groups[index].name;
}

static void read_crash(struct suite_reader *reader, const struct node *node,
                       struct suite_step *step)
{
    if (suite_is(reader, node, NODE_SCALAR, "the group that crashes")) {
        step->group = suite_find(reader,
                                 &(struct suite_names){.missing = "the topology has no group",
                                                       .of = reader->topology,
                                                       .count = reader->topology->group_count,
                                                       .get = group_name},
                                 node->text, node->position);
    }
}

static void read_ignored(struct suite_reader *reader, const struct node *node,
                         struct suite_step *step)
{
    struct suite_batch *batches;

    if (!suite_is(reader, node, NODE_LIST, "ignore")) {
        return;
    }
    batches = suite_alloc(reader, node->count, sizeof(*batches));
    for (size_t i = 0; i < node->count; i++) {
        const struct node *name = node->entries[i].value;

        batches[i].place = suite_at(reader, name->position);
        if (suite_is(reader, name, NODE_SCALAR, "a topic")) {
            batches[i].topic = suite_find_topic(reader, name->text, name->position);
        }
    }
    step->batches = batches;
    step->batch_count = node->count;
}

static const struct verb verbs[] = {
    {"given", SUITE_GIVEN, read_sent, {"together"}},
    {"send", SUITE_SEND, read_sent, {"together"}},
    {"pass", SUITE_PASS, read_duration, {NULL}},
    {"crash", SUITE_CRASH, read_crash, {"lose-state", "after"}},
    {"expect", SUITE_EXPECT, read_expected, {NULL}},
    {"last", SUITE_LAST, read_expected, {NULL}},
    {"ignore", SUITE_IGNORE, read_ignored, {NULL}},
    {"expect-store", SUITE_EXPECT_STORE, read_expected_stores, {NULL}},
};

static bool read_flag(struct suite_reader *reader, const struct node *map, const char *name)
{
    const struct node *node = suite_scalar(reader, map, name);

    if (node == NULL) {
        return false;
    }
    if (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0) {
        suite_wrong(reader, node->position, "%s: \"%s\" is neither true nor false", name,
                    node->text);
    }
    return strcmp(node->text, "true") == 0;
}

static const char *verb_name(const void *of, size_t index)
{
    return ((const struct verb *)of)[index].name;
}

static void no_verb(struct suite_reader *reader, const struct node *map)
{
    const struct suite_names names = {
        .missing = "no step", .of = verbs, .count = MR_COUNT(verbs), .get = verb_name};

    (void)suite_find(reader, &names, map->count == 0 ? "" : map->entries[0].name,
                     map->count == 0 ? map->position : map->entries[0].position);
}

static void read_step(struct suite_reader *reader, const struct node *map, struct suite_step *step)
{
    const struct verb *verb = NULL;
    const struct node *after;

    step->place = suite_at(reader, map->position);
    if (!suite_is(reader, map, NODE_MAP, "a step")) {
        return;
    }
    for (size_t v = 0; v < MR_COUNT(verbs) && verb == NULL; v++) {
        verb = tree_get(map, verbs[v].name) == NULL ? NULL : &verbs[v];
    }
    if (verb == NULL) {
        no_verb(reader, map);
        return;
    }
    suite_check_keys(reader, map,
                     (const char *const[]){verb->name, verb->more[0], verb->more[1], NULL});
    step->kind = verb->kind;
    verb->read(reader, tree_get(map, verb->name), step);
    step->together = read_flag(reader, map, "together");
    step->lose_state = read_flag(reader, map, "lose-state");
    after = tree_get(map, "after");
    if (after != NULL && verb->kind == SUITE_CRASH) {
        read_duration(reader, after, step);
    }
}

const struct suite_step *suite_read_steps(struct suite_reader *reader, const struct node *list,
                                          size_t *count)
{
    struct suite_step *steps;

    *count = 0;
    if (!suite_is(reader, list, NODE_LIST, "steps")) {
        return NULL;
    }
    steps = suite_alloc(reader, list->count, sizeof(*steps));
    for (size_t i = 0; i < list->count; i++) {
        read_step(reader, list->entries[i].value, &steps[i]);
    }
    *count = list->count;
    return steps;
}

void suite_read_case(struct suite_reader *reader, const struct node *map, struct suite_case *out)
{
    static const char *const keys[] = {"name", "doc", "stores", "steps", NULL};
    const struct node *name;
    const struct node *doc;
    const struct node *stores;
    const struct node *steps;

    *out = (struct suite_case){.name = "", .place = suite_at(reader, map->position)};
    if (!suite_is(reader, map, NODE_MAP, "a case")) {
        return;
    }
    suite_check_keys(reader, map, keys);
    name = suite_scalar(reader, map, "name");
    doc = suite_scalar(reader, map, "doc");
    stores = tree_get(map, "stores");
    steps = tree_get(map, "steps");
    if (name == NULL) {
        suite_wrong(reader, map->position, "a case needs a name");
    } else {
        out->name = name->text;
    }
    out->doc = doc == NULL ? NULL : doc->text;
    if (stores != NULL) {
        out->stores = suite_read_stores(reader, stores, SUITE_TO_STORE, &out->store_count);
    }
    if (steps == NULL) {
        suite_wrong(reader, map->position, "a case needs steps");
    } else {
        out->steps = suite_read_steps(reader, steps, &out->step_count);
    }
}
