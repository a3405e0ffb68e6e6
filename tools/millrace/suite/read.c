/* read.c -- see suite.h: the file, the file that it shares, and their topology. */
#include "read.h"

#include "millrace/buffer.h"
#include "runtime/codec/json_text.h"
#include "suggest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)64 * 1024)
#define START_US INT64_C(1704067200000000) /* 2024-01-01T00:00:00Z */
#define ENV_MAX 32

/* A suite and what it lives on. */
struct opened {
    struct suite suite; /* first: what the caller holds */
    struct mr_arena *arena;
    struct mr_topology *topology;
};

/* One of the files, and what it says. */
struct document {
    const char *path;
    const struct node *root; /* a map; NULL: unusable, which was reported */
};

/* The suite first, then what it shares: the first that says something counts. */
#define DOCUMENTS 2
struct documents {
    struct document items[DOCUMENTS];
    size_t count;
};

/* ---- problems -------------------------------------------------------------------------------- */

void suite_wrong(struct suite_reader *reader, struct mr_position at, const char *format, ...)
{
    char text[560];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    reader->problems.file = reader->file;
    problem_add(&reader->problems, at, "%s", text);
}

struct suite_place suite_at(const struct suite_reader *reader, struct mr_position at)
{
    return (struct suite_place){.file = reader->file, .at = at};
}

void *suite_alloc(struct suite_reader *reader, size_t count, size_t bytes)
{
    void *memory = mr_arena_alloc(reader->arena, count * bytes + 1);

    return memset(memory, 0, count * bytes);
}

bool suite_is(struct suite_reader *reader, const struct node *node, enum node_kind kind,
              const char *what)
{
    static const char *const wanted[] = {
        [NODE_SCALAR] = "one value", [NODE_LIST] = "a list", [NODE_MAP] = "a map"};

    if (node->kind != kind) {
        suite_wrong(reader, node->position, "%s must be %s, and this %s", what, wanted[kind],
                    node_kind_name(node->kind));
    }
    return node->kind == kind;
}

void suite_check_keys(struct suite_reader *reader, const struct node *map, const char *const *names)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        struct suggest suggest;
        bool known = false;

        suggest_init(&suggest, entry->name);
        for (size_t n = 0; names[n] != NULL; n++) {
            known = known || strcmp(names[n], entry->name) == 0;
            suggest_offer(&suggest, names[n]);
        }
        if (!known) {
            suite_wrong(reader, entry->position, "unknown key \"%s\"%s", entry->name,
                        suggest_text(&suggest));
        }
    }
}

const struct node *suite_scalar(struct suite_reader *reader, const struct node *map,
                                const char *name)
{
    const struct node *node = tree_get(map, name);

    return node != NULL && suite_is(reader, node, NODE_SCALAR, name) ? node : NULL;
}

size_t suite_find(struct suite_reader *reader, const struct suite_names *names, const char *name,
                  struct mr_position at)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < names->count; i++) {
        const char *candidate = names->get(names->of, i);

        if (strcmp(candidate, name) == 0) {
            return i;
        }
        suggest_offer(&suggest, candidate);
    }
    suite_wrong(reader, at, "%s \"%s\"%s", names->missing, name, suggest_text(&suggest));
    return SIZE_MAX;
}

static const char *topic_name(const void *topology, size_t index)
{
    return ((const struct mr_topology *)topology)->topics[index].name;
}

size_t suite_find_topic(struct suite_reader *reader, const char *name, struct mr_position at)
{
    return suite_find(reader,
                      &(struct suite_names){.missing = "the topology has no topic",
                                            .of = reader->topology,
                                            .count = reader->topology->topic_count,
                                            .get = topic_name},
                      name, at);
}

/* ---- files ----------------------------------------------------------------------------------- */

static char *arena_text(struct suite_reader *reader, const char *text, size_t len)
{
    char *copy = suite_alloc(reader, len + 1, 1);

    return memcpy(copy, text, len);
}

/* path as the file that says it means it. */
static const char *beside(struct suite_reader *reader, const char *path)
{
    const char *slash = strrchr(reader->file, '/');
    const size_t directory =
        path[0] == '/' || slash == NULL ? 0 : (size_t)(slash - reader->file) + 1;
    const size_t len = strlen(path);
    char *whole = suite_alloc(reader, directory + len + 1, 1);

    memcpy(whole, reader->file, directory);
    memcpy(whole + directory, path, len);
    return whole;
}

/* The whole file with a NUL behind it. at: where it was named, line 0: on the command line. */
static bool read_text(struct suite_reader *reader, const char *path, struct mr_position at,
                      struct mr_buffer *text)
{
    FILE *file = fopen(path, "rb");
    bool good = file != NULL;
    size_t got = 1;

    while (good && got > 0 && text->len <= TREE_BYTES_MAX) {
        got = fread(mr_buffer_reserve(text, 16384), 1, 16384, file);
        text->len += got;
        good = ferror(file) == 0;
    }
    if (!good) {
        char reason[128] = "";

        (void)strerror_r(errno, reason, sizeof(reason));
        suite_wrong(reader, at, at.line == 0 ? "%.0scannot be read: %s" : "%s cannot be read: %s",
                    path, reason);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    mr_buffer_append(text, "", 1);
    return good;
}

static struct document read_document(struct suite_reader *reader, const char *path,
                                     struct mr_position at)
{
    struct document document = {.path = path};
    struct mr_buffer text = MR_BUFFER_EMPTY;

    if (read_text(reader, path, at, &text)) {
        reader->file = path;
        reader->problems.file = path;
        document.root =
            tree_read(mr_slice_of(text.data, text.len - 1), reader->arena, &reader->problems);
        if (document.root != NULL && !suite_is(reader, document.root, NODE_MAP, "a suite")) {
            document.root = NULL;
        }
    }
    mr_buffer_fini(&text);
    return document;
}

/* The first of the documents that has the key; reader->file is its. */
static const struct node *find_key(struct suite_reader *reader, const struct documents *documents,
                                   const char *name)
{
    for (size_t i = 0; i < documents->count; i++) {
        const struct node *node = tree_get(documents->items[i].root, name);

        reader->file = documents->items[i].path;
        if (node != NULL) {
            return node;
        }
    }
    reader->file = documents->items[0].path;
    return NULL;
}

/* ---- the topology ---------------------------------------------------------------------------- */

/* Variables that the suite sets while its topology is read, and what they were. */
struct environment {
    const char *names[ENV_MAX];
    char *before[ENV_MAX];
    size_t count;
};

static void set_variables(struct suite_reader *reader, const struct node *map,
                          struct environment *env)
{
    for (size_t i = 0; i < map->count && env->count < ENV_MAX; i++) {
        const struct entry *entry = &map->entries[i];
        const char *before = getenv(entry->name);

        if (suite_is(reader, entry->value, NODE_SCALAR, entry->name)) {
            env->names[env->count] = entry->name;
            env->before[env->count++] = before == NULL ? NULL : mr_xstrdup(before);
            (void)setenv(entry->name, entry->value->text, 1);
        }
    }
}

static void restore_variables(struct environment *env)
{
    for (size_t i = env->count; i > 0; i--) {
        if (env->before[i - 1] == NULL) {
            (void)unsetenv(env->names[i - 1]);
        } else {
            (void)setenv(env->names[i - 1], env->before[i - 1], 1);
        }
        free(env->before[i - 1]);
    }
}

static struct mr_topology *load_topology(struct suite_reader *reader, const char *path,
                                         struct mr_position at, const struct suite_options *options)
{
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_buffer buffer = MR_BUFFER_EMPTY;
    struct mr_err err = {0};
    char *text;

    if (!read_text(reader, path, at, &buffer)) {
        mr_buffer_fini(&buffer);
        return NULL;
    }
    text = (char *)buffer.data;
    if (options->edit != NULL) {
        text = options->edit(options->arg, text);
    }
    if (mr_topology_load_text(path, mr_slice_str(text), options->catalog, &topology, &problems,
                              &err) != MR_OK) {
        for (size_t i = 0; i < problems.count; i++) {
            reader->problems.file = path;
            problem_add(&reader->problems, problems.items[i].position, "%s",
                        problems.items[i].text);
        }
    }
    mr_problems_fini(&problems);
    free(text);
    return topology;
}

static struct mr_topology *find_topology(struct suite_reader *reader,
                                         const struct documents *documents,
                                         const struct suite_options *options)
{
    const struct node *env_map = find_key(reader, documents, "env");
    struct environment env = {.count = 0};
    struct mr_topology *topology = NULL;
    const struct node *path;

    if (env_map != NULL && suite_is(reader, env_map, NODE_MAP, "env")) {
        set_variables(reader, env_map, &env);
    }
    path = find_key(reader, documents, "topology");
    if (path == NULL) {
        suite_wrong(reader, documents->items[0].root->position,
                    "no topology: say `topology: FILE`, as seen from this file");
    } else if (suite_is(reader, path, NODE_SCALAR, "topology")) {
        topology = load_topology(reader, beside(reader, path->text), path->position, options);
    }
    restore_variables(&env);
    return topology;
}

/* ---- what stands beside the cases ------------------------------------------------------------ */

static void read_defaults(struct suite_reader *reader, const struct documents *documents,
                          struct suite *suite)
{
    struct suite_defaults *defaults =
        suite_alloc(reader, reader->topology->topic_count, sizeof(*defaults));

    suite->defaults = defaults;
    reader->defaults = defaults;
    for (size_t d = 0; d < documents->count; d++) {
        const struct node *map = tree_get(documents->items[d].root, "defaults");

        reader->file = documents->items[d].path;
        if (map == NULL || !suite_is(reader, map, NODE_MAP, "defaults")) {
            continue;
        }
        for (size_t i = 0; i < map->count; i++) {
            const struct entry *entry = &map->entries[i];
            const size_t topic = suite_find_topic(reader, entry->name, entry->position);

            if (topic != SIZE_MAX && suite_is(reader, entry->value, NODE_MAP, entry->name)) {
                suite_check_fields(reader, topic, entry->value);
                defaults[topic].maps[d] = entry->value;
            }
        }
    }
}

static void read_varying(struct suite_reader *reader, const struct documents *documents,
                         struct suite *suite)
{
    bool *varying = suite_alloc(reader, reader->topology->topic_count, sizeof(*varying));
    const struct node *list = find_key(reader, documents, "varying");

    suite->varying = varying;
    if (list == NULL || !suite_is(reader, list, NODE_LIST, "varying")) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct node *name = list->entries[i].value;

        if (suite_is(reader, name, NODE_SCALAR, "a topic")) {
            const size_t topic = suite_find_topic(reader, name->text, name->position);

            if (topic != SIZE_MAX) {
                varying[topic] = true;
            }
        }
    }
}

static void read_start(struct suite_reader *reader, const struct documents *documents,
                       struct suite *suite)
{
    const struct node *start = find_key(reader, documents, "start");

    suite->start_us = START_US;
    if (start != NULL && suite_is(reader, start, NODE_SCALAR, "start") &&
        !mr_json_time_parse(start->text, &suite->start_us)) {
        suite_wrong(reader, start->position, "start: \"%s\" is no time like 2024-01-01T00:00:00Z",
                    start->text);
    }
}

/* The steps that each file gives to every case, the shared ones first. */
static const struct suite_step *read_before(struct suite_reader *reader,
                                            const struct documents *documents, size_t *count)
{
    const struct suite_step *parts[DOCUMENTS] = {NULL};
    size_t counts[DOCUMENTS] = {0};
    struct suite_step *steps;

    *count = 0;
    for (size_t d = 0; d < documents->count; d++) {
        const struct node *list = tree_get(documents->items[d].root, "before");

        reader->file = documents->items[d].path;
        if (list != NULL) {
            parts[d] = suite_read_steps(reader, list, &counts[d]);
        }
    }
    steps = suite_alloc(reader, counts[0] + counts[1], sizeof(*steps));
    for (size_t d = documents->count; d > 0; d--) {
        if (counts[d - 1] > 0) {
            memcpy(steps + *count, parts[d - 1], counts[d - 1] * sizeof(*steps));
            *count += counts[d - 1];
        }
    }
    return steps;
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void check_names(struct suite_reader *reader, const struct suite_case *cases, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t n = 0; n < i; n++) {
            if (strcmp(cases[i].name, cases[n].name) == 0) {
                suite_wrong(reader, cases[i].place.at,
                            "two cases are called \"%s\", the first in line %d", cases[i].name,
                            cases[n].place.at.line);
                break;
            }
        }
    }
}

static void prepend(struct suite_reader *reader, const struct suite_step *before, size_t count,
                    struct suite_case *one)
{
    struct suite_step *steps = suite_alloc(reader, count + one->step_count, sizeof(*steps));

    if (count > 0) {
        memcpy(steps, before, count * sizeof(*steps));
    }
    if (one->step_count > 0) {
        memcpy(steps + count, one->steps, one->step_count * sizeof(*steps));
    }
    one->steps = steps;
    one->step_count += count;
}

static void read_cases(struct suite_reader *reader, const struct documents *documents,
                       struct suite *suite)
{
    size_t before_count;
    const struct suite_step *before = read_before(reader, documents, &before_count);
    const struct node *list = tree_get(documents->items[0].root, "cases");
    struct suite_case *cases;

    reader->file = documents->items[0].path;
    if (list == NULL) {
        suite_wrong(reader, documents->items[0].root->position,
                    "no cases: say `cases:` and a list of them");
        return;
    }
    if (!suite_is(reader, list, NODE_LIST, "cases")) {
        return;
    }
    if (list->count == 0) {
        suite_wrong(reader, list->position, "no cases: the list is empty");
    }
    cases = suite_alloc(reader, list->count, sizeof(*cases));
    for (size_t i = 0; i < list->count; i++) {
        suite_read_case(reader, list->entries[i].value, &cases[i]);
        prepend(reader, before, before_count, &cases[i]);
    }
    check_names(reader, cases, list->count);
    suite->cases = cases;
    suite->case_count = list->count;
}

static void read_documents(struct suite_reader *reader, const char *path,
                           struct documents *documents)
{
    static const char *const keys[] = {"doc",    "topology", "env",   "start", "defaults",
                                       "before", "varying",  "share", "cases", NULL};
    static const char *const shared_keys[] = {"doc",      "topology", "env",     "start",
                                              "defaults", "before",   "varying", NULL};
    const struct node *share;

    documents->items[0] = read_document(reader, path, (struct mr_position){0});
    if (documents->items[0].root == NULL) {
        return;
    }
    documents->count = 1;
    suite_check_keys(reader, documents->items[0].root, keys);
    share = suite_scalar(reader, documents->items[0].root, "share");
    if (share != NULL) {
        documents->items[1] = read_document(reader, beside(reader, share->text), share->position);
    }
    if (documents->items[1].root != NULL) {
        documents->count = 2;
        suite_check_keys(reader, documents->items[1].root, shared_keys);
    }
}

static void read_suite(struct suite_reader *reader, const char *path,
                       const struct suite_options *options, struct opened *opened)
{
    struct documents documents = {.count = 0};
    struct suite *suite = &opened->suite;
    const struct node *doc;

    read_documents(reader, path, &documents);
    if (documents.count == 0) {
        return;
    }
    opened->topology = find_topology(reader, &documents, options);
    if (opened->topology == NULL) {
        return;
    }
    suite->topology = opened->topology;
    suite->registry = mr_registry_memory_create();
    reader->topology = opened->topology;
    reader->file = path;
    doc = suite_scalar(reader, documents.items[0].root, "doc");
    suite->doc = doc == NULL ? NULL : doc->text;
    read_start(reader, &documents, suite);
    read_varying(reader, &documents, suite);
    read_defaults(reader, &documents, suite);
    read_cases(reader, &documents, suite);
}

enum mr_status suite_open(const char *path, const struct suite_options *options,
                          struct suite **suite, struct mr_problems *problems)
{
    struct opened *opened = mr_xcalloc(1, sizeof(*opened));
    struct suite_reader reader = {.arena = mr_arena_create(ARENA_BYTES)};

    opened->arena = reader.arena;
    opened->suite.file = arena_text(&reader, path, strlen(path));
    reader.file = opened->suite.file;
    read_suite(&reader, reader.file, options, opened);
    problems_take(&reader.problems, problems);
    *suite = &opened->suite;
    if (problems->count == 0) {
        return MR_OK;
    }
    suite_close(suite);
    return MR_CONFIG;
}

void suite_close(struct suite **suite)
{
    struct opened *opened = (struct opened *)*suite;

    if (opened == NULL) {
        return;
    }
    mr_registry_destroy(&opened->suite.registry);
    mr_topology_destroy(&opened->topology);
    mr_arena_destroy(&opened->arena);
    free(opened);
    *suite = NULL;
}
