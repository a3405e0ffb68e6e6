/* topics.c -- the section `topics`. */
#include "build.h"

static const char *const other_keys[] = {"config", NULL};

size_t build_add_topic(struct build *b, const struct mr_topic *topic)
{
    if (b->topic_count == b->topic_capacity) {
        const size_t capacity = b->topic_capacity == 0 ? 32 : b->topic_capacity * 2;
        struct mr_topic *topics = build_alloc(b, capacity, sizeof(*topics));
        const struct node **configs = build_alloc(b, capacity, sizeof(*configs));
        bool *broken = build_alloc(b, capacity, sizeof(*broken));
        if (b->topic_count > 0) {
            memcpy(topics, b->topics, b->topic_count * sizeof(*topics));
            memcpy(configs, b->topic_configs, b->topic_count * sizeof(*configs));
            memcpy(broken, b->topic_broken, b->topic_count * sizeof(*broken));
        }
        b->topics = topics;
        b->topic_configs = configs;
        b->topic_broken = broken;
        b->topic_capacity = capacity;
    }
    if (names_find(&b->topic_names, topic->name) == SIZE_MAX) {
        names_add(&b->topic_names, b->arena, topic->name, b->topic_count);
    }
    b->topics[b->topic_count] = *topic;
    return b->topic_count++;
}

size_t build_find_topic(struct build *b, const struct node *name)
{
    const size_t topic = names_find(&b->topic_names, name->text);
    struct suggest suggest;

    if (topic != SIZE_MAX || problems_full(b->problems)) {
        return topic;
    }
    const char *removed = build_removed(b, "topics", name->text);
    suggest_init(&suggest, name->text);
    for (size_t i = 0; i < b->declared_count; i++) {
        suggest_offer(&suggest, b->topics[i].name);
    }
    problem_add(b->problems, name->position, "no topic \"%s\" under topics%s", name->text,
                removed != NULL ? removed : suggest_text(&suggest));
    return MR_UNBOUND;
}

static const struct mr_schema *find_schema(struct build *b, const struct node *map,
                                           const char *name)
{
    struct suggest suggest;

    for (size_t i = 0; name != NULL && i < b->catalog->schema_count; i++) {
        if (strcmp(b->catalog->schemas[i]->name, name) == 0) {
            return b->catalog->schemas[i];
        }
    }
    if (name == NULL || problems_full(b->problems)) {
        return NULL;
    }
    suggest_init(&suggest, name);
    for (size_t i = 0; i < b->catalog->schema_count; i++) {
        suggest_offer(&suggest, b->catalog->schemas[i]->name);
    }
    const struct mr_schema *brought = build_module_schema(b, name, &suggest);
    if (brought != NULL) {
        return brought;
    }
    problem_add(b->problems, tree_get(map, "value")->position, "no schema \"%s\"%s", name,
                suggest_text(&suggest));
    return NULL;
}

static void check_key_field(struct build *b, const struct node *map, const struct mr_schema *schema,
                            const char *field)
{
    struct suggest suggest;

    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, field) == 0) {
            return;
        }
    }
    suggest_init(&suggest, field);
    for (size_t i = 0; i < schema->field_count; i++) {
        suggest_offer(&suggest, schema->fields[i].name);
    }
    problem_add(b->problems, tree_get(map, "key")->position, "schema %s has no field \"%s\"%s",
                schema->name, field, suggest_text(&suggest));
}

/* Each field named in the key must be one of the value's. */
static void check_key(struct build *b, const struct node *map, const struct mr_schema *schema,
                      const char *key)
{
    const char *at = key;

    if (key == NULL || schema == NULL || schema->field_count == 0) {
        return;
    }
    while (*at != '\0') {
        char field[64];
        at += strspn(at, ", ");
        const size_t len = strcspn(at, ", ");
        if (len == 0) {
            break;
        }
        if (len >= sizeof(field)) {
            problem_add(b->problems, tree_get(map, "key")->position, "key: a name is too long");
            return;
        }
        memcpy(field, at, len);
        field[len] = '\0';
        check_key_field(b, map, schema, field);
        at += len;
    }
}

static void read_topic(struct build *b, const struct entry *entry)
{
    const struct mr_topology_defaults *d = &b->topology->defaults;
    const struct node *map = entry->value;
    struct topic_settings raw = {.partitions = d->partitions, .replication = d->replication};
    struct mr_err err = {0};
    const size_t before = b->problems->count;
    int64_t retention_us = d->retention_us;

    (void)build_name(b, entry->position, entry->name, true, "a topic");
    build_fallbacks(b, &settings_topic, &raw);
    if (build_map(b, &map, "a topic")) {
        build_settings(b, map, &settings_topic, other_keys, &raw);
        const bool lacks = tree_get(map, "key") == NULL || tree_get(map, "value") == NULL;
        const char *hint = lacks ? build_namesake(b, "topics", entry->name) : "";
        (void)build_text(b, map, entry->position, "key", "the topic", hint);
        (void)build_text(b, map, entry->position, "value", "the topic", hint);
    }
    const struct mr_schema *schema = find_schema(b, map, raw.value);
    check_key(b, map, schema, raw.key);
    if (raw.retention != NULL && settings_parse_retention(raw.retention, &retention_us, &err)) {
        problem_add(b->problems, tree_get(map, "retention")->position, "retention: %s", err.text);
    }
    const struct node *config = tree_get(map, "config");
    (void)build_map(b, &config, "config");

    const size_t index =
        build_add_topic(b, &(struct mr_topic){
                               .name = entry->name,
                               .kind = MR_TOPIC_DECLARED,
                               .key = raw.key != NULL ? raw.key : "",
                               .schema = schema,
                               .subject = build_printf(b, "%.249s-value", entry->name),
                               .partitions = (int32_t)raw.partitions,
                               .replication = (int32_t)raw.replication,
                               .cleanup = settings_cleanup_symbols[raw.cleanup],
                               .retention_us = retention_us,
                               .boundary = (enum mr_boundary)raw.boundary,
                               .in_log = raw.boundary != MR_BOUNDARY_MEMORY,
                               .position = entry->position,
                           });
    b->topic_configs[index] = config != NULL && config->kind == NODE_MAP ? config : NULL;
    b->topic_broken[index] = b->problems->count != before;
}

void build_topics(struct build *b, const struct node *root)
{
    const struct node *map = tree_get(root, "topics");

    if (!build_map(b, &map, "topics")) {
        return;
    }
    if (map == NULL || map->count == 0) {
        problem_add(b->problems, root->position, "the topology has no topics");
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        read_topic(b, &map->entries[i]);
    }
    b->declared_count = b->topic_count;
}
