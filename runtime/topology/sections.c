/* sections.c -- reading settings by table, and the sections application, kafka, registry, defaults.
 */
#include "build.h"
#include "millrace/buffer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define TOPIC_NAME_BYTES_MAX ((size_t)249)

void *build_alloc(struct build *b, size_t count, size_t bytes)
{
    void *memory = mr_arena_alloc(b->arena, count * bytes);

    memset(memory, 0, count * bytes);
    return memory;
}

char *build_printf(struct build *b, const char *fmt, ...)
{
    va_list args;
    va_list again;

    va_start(args, fmt);
    va_copy(again, args);
    const int len = vsnprintf(NULL, 0, fmt, args);
    MR_ASSERT(len >= 0);
    char *text = mr_arena_alloc(b->arena, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

bool build_map(struct build *b, const struct node **node, const char *what)
{
    if (*node == NULL || (*node)->kind == NODE_MAP) {
        return true;
    }
    if ((*node)->kind == NODE_SCALAR && (*node)->nothing) {
        *node = NULL;
        return true;
    }
    problem_add(b->problems, (*node)->position, "%s is %s and must be a map (name: value)", what,
                node_kind_name((*node)->kind));
    return false;
}

void build_keys(struct build *b, const struct node *map, const char *const *known, const char *what)
{
    for (size_t i = 0; map != NULL && i < map->count && !problems_full(b->problems); i++) {
        struct suggest suggest;
        bool found = false;

        suggest_init(&suggest, map->entries[i].name);
        for (size_t k = 0; known[k] != NULL; k++) {
            found = found || strcmp(known[k], map->entries[i].name) == 0;
            suggest_offer(&suggest, known[k]);
        }
        if (!found) {
            problem_add(b->problems, map->entries[i].position, "unknown key \"%s\" of %s%s",
                        map->entries[i].name, what, suggest_text(&suggest));
        }
    }
}

const char *build_text(struct build *b, const struct node *map, struct mr_position owner,
                       const char *name, const char *what, const char *hint)
{
    const struct node *node = tree_get(map, name);

    if (node != NULL && node->faulty) {
        return NULL;
    }
    if (node == NULL || (node->kind == NODE_SCALAR && (node->nothing || node->text[0] == '\0'))) {
        problem_add(b->problems, node == NULL ? owner : node->position, "%s has no \"%s\"%s", what,
                    name, hint);
        return NULL;
    }
    if (node->kind != NODE_SCALAR) {
        problem_add(b->problems, node->position, "\"%s\" of %s is %s and must be a value", name,
                    what, node_kind_name(node->kind));
        return NULL;
    }
    return node->text;
}

const char *build_namesake(struct build *b, const char *section, const char *name)
{
    const struct node *map = tree_get(b->root, section);
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < map->count && !problems_full(b->problems); i++) {
        if (strcmp(map->entries[i].name, name) != 0) {
            suggest_offer(&suggest, map->entries[i].name);
        }
    }
    const char *nearest = suggest_near(&suggest);
    return nearest != NULL ? build_printf(b, ", did you mean \"%s\"?", nearest) : "";
}

const char *build_removed(struct build *b, const char *section, const char *name)
{
    const struct node *map = tree_get(b->root, section);
    const struct node *removed = map != NULL ? map->removed : NULL;
    const size_t at = removed != NULL ? names_find(&removed->names, name) : SIZE_MAX;

    if (at == SIZE_MAX) {
        return NULL;
    }
    const struct mr_position *position = &removed->entries[at].position;
    return build_printf(b, ": %s:%d removes it", position->file, position->line);
}

bool build_limits(struct build *b, const struct node *root)
{
    static const struct {
        const char *section;
        size_t count_max;
    } limits[] = {{"topics", 10000}, {"stages", 1000}, {"groups", 1000}, {"connectors", 1000}};
    bool within = true;

    for (size_t i = 0; i < MR_COUNT(limits); i++) {
        const struct node *section = tree_get(root, limits[i].section);
        if (section != NULL && section->count > limits[i].count_max) {
            problem_add(b->problems, section->entries[limits[i].count_max].value->position,
                        "more than %zu %s", limits[i].count_max, limits[i].section);
            within = false;
        }
    }
    return within;
}

bool build_name(struct build *b, struct mr_position at, const char *name, bool dots,
                const char *what)
{
    const size_t len = strlen(name);
    size_t good = 0;

    while (isalnum((unsigned char)name[good]) != 0 || name[good] == '-' || name[good] == '_' ||
           (dots && name[good] == '.')) {
        good++;
    }
    if (len == 0 || good != len || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        problem_add(b->problems, at, "\"%s\" is no name of %s: letters, digits, -%s and _", name,
                    what, dots ? ", ." : "");
        return false;
    }
    /* Derived topics are longer than the names they are made of. */
    if (len > (dots ? TOPIC_NAME_BYTES_MAX : (size_t)64)) {
        problem_add(b->problems, at, "the name of %s is longer than %d characters", what,
                    dots ? (int)TOPIC_NAME_BYTES_MAX : 64);
        return false;
    }
    return true;
}

const char *build_list_text(struct build *b, const struct node *list)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;

    for (size_t i = 0; i < list->count; i++) {
        const struct node *item = list->entries[i].value;
        if (item->kind != NODE_SCALAR) {
            problem_add(b->problems, item->position, "%s in a list of values",
                        node_kind_name(item->kind));
            continue;
        }
        mr_buffer_printf(&text, "%s%s", text.len == 0 ? "" : ",", item->text);
    }
    mr_buffer_append(&text, "", 1);
    const char *copy = (const char *)mr_arena_copy(b->arena, mr_buffer_slice(&text)).data;
    mr_buffer_fini(&text);
    return copy;
}

void build_fallbacks(struct build *b, const struct settings_table *table, void *target)
{
    for (size_t i = 0; i < table->count; i++) {
        struct mr_err err = {0};
        if (table->options[i].fallback == NULL) {
            continue;
        }
        /* A wrong fallback is a wrong program; it must not look like a wrong file. */
        if (mr_option_parse(&table->options[i], table->options[i].fallback, target, &err) !=
            MR_OK) {
            problem_add(b->problems, (struct mr_position){.line = 0},
                        "built-in default of %s is refused: %s", table->section, err.text);
        }
    }
}

static const struct mr_option *find_option(const struct settings_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->options[i].name, name) == 0) {
            return &table->options[i];
        }
    }
    return NULL;
}

/* The sentence for an enum that is given something else: all its choices, and the nearest. */
static void enum_problem(struct build *b, const struct mr_option *option, const struct node *node)
{
    struct suggest suggest;

    suggest_init(&suggest, node->text);
    for (size_t i = 0; option->symbols[i] != NULL; i++) {
        suggest_offer(&suggest, option->symbols[i]);
    }
    problem_add(b->problems, node->position, "%s: \"%s\" is no choice%s", option->name, node->text,
                suggest_text(&suggest));
}

static void read_option(struct build *b, const struct mr_option *option, const struct node *node,
                        void *target)
{
    struct mr_err err = {0};
    const char *text = node->text;
    const size_t name_len = strlen(option->name);

    if (node->faulty) {
        return;
    }
    if (node->kind == NODE_LIST && option->type == MR_OPTION_DURATIONS) {
        text = build_list_text(b, node);
    } else if (node->kind != NODE_SCALAR) {
        problem_add(b->problems, node->position, "%s is %s and must be a value", option->name,
                    node_kind_name(node->kind));
        return;
    } else if (node->nothing) {
        problem_add(b->problems, node->position, "%s has no value: give one or leave it out",
                    option->name);
        return;
    }
    if (mr_option_parse(option, text, target, &err) == MR_OK) {
        return;
    }
    if (option->type == MR_OPTION_ENUM) {
        enum_problem(b, option, node);
    } else if (strncmp(err.text, "option ", 7) == 0 &&
               strncmp(err.text + 7, option->name, name_len) == 0) {
        problem_add(b->problems, node->position, "%s", err.text + 7);
    } else {
        problem_add(b->problems, node->position, "%s: %s", option->name, err.text);
    }
}

void build_settings(struct build *b, const struct node *map, const struct settings_table *table,
                    const char *const *others, void *target)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        const struct mr_option *option = find_option(table, entry->name);
        struct suggest suggest;
        bool other = false;

        if (option != NULL) {
            read_option(b, option, entry->value, target);
            continue;
        }
        if (problems_full(b->problems)) {
            continue;
        }
        suggest_init(&suggest, entry->name);
        for (size_t k = 0; others != NULL && others[k] != NULL; k++) {
            other = other || strcmp(others[k], entry->name) == 0;
            suggest_offer(&suggest, others[k]);
        }
        for (size_t k = 0; k < table->count; k++) {
            suggest_offer(&suggest, table->options[k].name);
        }
        if (!other && table->count == 0) {
            problem_add(b->problems, entry->position, "unknown option \"%s\": %s has none",
                        entry->name, table->section);
        } else if (!other) {
            problem_add(b->problems, entry->position, "unknown option \"%s\" of %s%s", entry->name,
                        table->section, suggest_text(&suggest));
        }
    }
}

void build_options(struct build *b, const struct node *map, const struct settings_table *table,
                   struct mr_position owner, void *target)
{
    if (!build_map(b, &map, "options")) {
        return;
    }
    build_fallbacks(b, table, target);
    build_settings(b, map, table, NULL, target);
    for (size_t i = 0; i < table->count; i++) {
        const struct mr_option *option = &table->options[i];
        if (option->fallback == NULL && tree_get(map, option->name) == NULL) {
            problem_add(b->problems, map != NULL ? map->position : owner,
                        "option \"%s\" of %s is required: %s", option->name, table->section,
                        option->help);
        }
    }
}

static bool runtime_owns(const char *name)
{
    for (size_t i = 0; settings_kafka_owned[i] != NULL; i++) {
        if (strcmp(settings_kafka_owned[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void read_kafka(struct build *b, const struct node *map)
{
    size_t count = 0;

    if (!build_map(b, &map, "kafka") || map == NULL) {
        return;
    }
    struct mr_topic_config *configs = build_alloc(b, map->count + 1, sizeof(*configs));
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        if (entry->value->kind != NODE_SCALAR) {
            problem_add(b->problems, entry->value->position, "%s is %s and must be a value",
                        entry->name, node_kind_name(entry->value->kind));
        } else if (runtime_owns(entry->name)) {
            problem_add(b->problems, entry->position, "\"%s\" is set by the runtime: leave it out",
                        entry->name);
        } else {
            configs[count++] = (struct mr_topic_config){entry->name, entry->value->text};
        }
    }
    b->topology->kafka = configs;
    b->topology->kafka_count = count;
}

static void read_defaults(struct build *b, const struct node *map)
{
    struct defaults_settings raw = {0};
    struct mr_topology_defaults *d = &b->topology->defaults;
    struct mr_err err = {0};

    build_fallbacks(b, &settings_defaults, &raw);
    if (build_map(b, &map, "defaults")) {
        build_settings(b, map, &settings_defaults, NULL, &raw);
    }
    *d = (struct mr_topology_defaults){
        .guarantee = raw.guarantee == 0 ? MR_EXACTLY_ONCE : MR_AT_LEAST_ONCE,
        .commit_interval_us = raw.commit_interval_us,
        .commit_records_max = raw.commit_records_max,
        .commit_bytes_max = raw.commit_bytes_max,
        .journal = raw.journal && raw.guarantee == 0,
        .partitions = (int32_t)raw.partitions,
        .replication = (int32_t)raw.replication,
        .compression = settings_compression_symbols[raw.compression],
        .session_timeout_us = raw.session_timeout_us,
        .transaction_timeout_us = raw.transaction_timeout_us,
        .cache_bytes = raw.cache_bytes,
        .memory_bytes = raw.memory_bytes,
    };
    const struct node *retention = tree_get(map, "retention");
    if (settings_parse_retention(raw.retention, &d->retention_us, &err) != MR_OK) {
        problem_add(b->problems,
                    retention != NULL ? retention->position : (struct mr_position){.line = 0},
                    "retention: %s", err.text);
        d->retention_us = 7 * MR_DAY_US;
    }
}

void build_head(struct build *b, const struct node *root)
{
    static const char *const registry_known[] = {"url", NULL};
    const struct node *registry = tree_get(root, "registry");
    const struct node *application = tree_get(root, "application");

    build_keys(b, root, settings_sections, "a topology");
    b->topology->application =
        build_text(b, root, root->position, "application", "the topology", "");
    if (b->topology->application != NULL) {
        (void)build_name(b, application->position, b->topology->application, false,
                         "an application");
    }
    read_kafka(b, tree_get(root, "kafka"));
    if (build_map(b, &registry, "registry") && registry != NULL) {
        build_keys(b, registry, registry_known, "registry");
        b->topology->registry_url =
            build_text(b, registry, registry->position, "url", "registry", "");
    }
    read_defaults(b, tree_get(root, "defaults"));
}
