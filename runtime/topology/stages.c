/* stages.c -- the sections `stages` and `connectors`: types, port bindings, options. */
#include "build.h"

static const char *const stage_keys[] = {"type", "in", "out", "options", NULL};
static const char *const connector_keys[] = {"type", "in", "options", NULL};
static const char *const table_keys[] = {"table", NULL};

static size_t find_port(const struct mr_port *ports, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ports[i].name, name) == 0) {
            return i;
        }
    }
    return MR_UNBOUND;
}

/* The declared topics whose schema fits a port, for "bind it to ...". */
static const char *fitting_topics(struct build *b, const struct mr_port *port,
                                  struct suggest *suggest)
{
    suggest_init(suggest, "");
    for (size_t i = 0; i < b->declared_count; i++) {
        const struct mr_schema *schema = b->topics[i].schema;
        if (schema != NULL && strcmp(schema->full_name, port->schema->full_name) == 0) {
            suggest_offer(suggest, b->topics[i].name);
        }
    }
    return suggest->known;
}

static void schema_misfit(struct build *b, struct mr_position at, const struct mr_port *port,
                          const struct mr_topic *topic)
{
    struct suggest suggest;
    const char *topics = fitting_topics(b, port, &suggest);

    problem_add(b->problems, at, "port %s carries %s, topic %s carries %s%s%s", port->name,
                port->schema->name, topic->name, topic->schema->name,
                topics[0] != '\0' ? "; topics that fit: " : "; no topic fits", topics);
}

/* Resolves what a port is bound to. *table: written as {table: topic}. */
static size_t read_binding(struct build *b, const struct mr_port *port, const struct node *value,
                           bool *table)
{
    const struct node *name = value;

    *table = value->kind == NODE_MAP;
    if (*table) {
        const size_t before = b->problems->count;
        build_keys(b, value, table_keys, "a binding");
        if (b->problems->count != before) {
            return MR_UNBOUND;
        }
        name = tree_get(value, "table");
    }
    if (name == NULL || name->kind != NODE_SCALAR || name->text[0] == '\0') {
        problem_add(b->problems, value->position,
                    "port %s is bound to no topic: write the topic's name%s", port->name,
                    (port->flags & MR_PORT_TABLE) != 0 ? " as {table: name}" : "");
        return MR_UNBOUND;
    }
    const size_t topic = build_find_topic(b, name);
    if (topic != MR_UNBOUND && b->topics[topic].schema != NULL &&
        strcmp(b->topics[topic].schema->full_name, port->schema->full_name) != 0) {
        schema_misfit(b, name->position, port, &b->topics[topic]);
    }
    return topic;
}

static void check_table(struct build *b, const struct mr_port *port, const struct node *value,
                        bool table, size_t topic)
{
    const bool wanted = (port->flags & MR_PORT_TABLE) != 0;

    if (topic == MR_UNBOUND) {
        return;
    }
    if (wanted && !table) {
        problem_add(b->problems, value->position, "port %s is read as a table: write {table: %s}",
                    port->name, b->topics[topic].name);
    } else if (!wanted && table) {
        problem_add(b->problems, value->position,
                    "port %s is a stream and no table: write %s without {table: }", port->name,
                    b->topics[topic].name);
    } else if (table && strcmp(b->topics[topic].cleanup, "compact") != 0) {
        problem_add(b->problems, value->position,
                    "topic %s is read as a table and would forget keys: give it cleanup: compact",
                    b->topics[topic].name);
    }
}

/* Unknown port names of one direction; what: "in port". */
static void check_port_names(struct build *b, const struct node *map, const struct mr_port *ports,
                             size_t count, const char *what, const struct mr_stage *type)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        struct suggest suggest;

        if (find_port(ports, count, map->entries[i].name) != MR_UNBOUND ||
            problems_full(b->problems)) {
            continue;
        }
        suggest_init(&suggest, map->entries[i].name);
        for (size_t k = 0; k < count; k++) {
            suggest_offer(&suggest, ports[k].name);
        }
        problem_add(b->problems, map->entries[i].position, "stage type %s has no %s \"%s\"%s",
                    type->name, what, map->entries[i].name, suggest_text(&suggest));
    }
}

static void dangling(struct build *b, struct mr_position at, const struct mr_port *port,
                     const char *direction, const struct stage_draft *stage)
{
    struct suggest suggest;

    if ((port->flags & MR_PORT_OPTIONAL) != 0 || problems_full(b->problems)) {
        return;
    }
    const char *topics = fitting_topics(b, port, &suggest);
    problem_add(b->problems, at, "%s port %s of stage %s is not bound; it carries %s%s%s",
                direction, port->name, stage->name, port->schema->name,
                topics[0] != '\0' ? ": topics that fit: " : ", and no topic fits", topics);
}

static void read_in(struct build *b, struct stage_draft *stage, const struct node *map)
{
    const struct mr_stage *type = stage->type;

    stage->in = build_alloc(b, type->in_count, sizeof(*stage->in));
    stage->in_positions = build_alloc(b, type->in_count, sizeof(*stage->in_positions));
    if (!build_map(b, &map, "in")) {
        map = NULL;
    }
    check_port_names(b, map, type->in, type->in_count, "in port", type);
    for (size_t i = 0; i < type->in_count; i++) {
        const struct node *value = tree_get(map, type->in[i].name);
        struct mr_in_binding *binding = &stage->in[i];

        *binding = (struct mr_in_binding){.topic = MR_UNBOUND};
        if (value == NULL) {
            dangling(b, map != NULL ? map->position : stage->position, &type->in[i], "in", stage);
            continue;
        }
        stage->in_positions[i] = value->position;
        binding->topic = read_binding(b, &type->in[i], value, &binding->table);
        check_table(b, &type->in[i], value, binding->table, binding->topic);
    }
}

static void read_out(struct build *b, struct stage_draft *stage, const struct node *map)
{
    const struct mr_stage *type = stage->type;

    stage->out = build_alloc(b, type->out_count, sizeof(*stage->out));
    stage->out_positions = build_alloc(b, type->out_count, sizeof(*stage->out_positions));
    if (!build_map(b, &map, "out")) {
        map = NULL;
    }
    check_port_names(b, map, type->out, type->out_count, "out port", type);
    for (size_t i = 0; i < type->out_count; i++) {
        const struct node *value = tree_get(map, type->out[i].name);
        struct mr_out_binding *binding = &stage->out[i];
        bool table = false;

        *binding = (struct mr_out_binding){.topic = MR_UNBOUND};
        if (value == NULL) {
            dangling(b, map != NULL ? map->position : stage->position, &type->out[i], "out", stage);
            continue;
        }
        stage->out_positions[i] = value->position;
        binding->topic = read_binding(b, &type->out[i], value, &table);
        if (table) {
            problem_add(b->problems, value->position,
                        "out port %s is written, not read as a table: write the topic's name",
                        type->out[i].name);
        }
    }
}

static const struct mr_stage *find_stage_type(struct build *b, const struct node *map,
                                              const struct entry *entry)
{
    struct suggest suggest;
    const char *hint =
        tree_get(map, "type") == NULL ? build_namesake(b, "stages", entry->name) : "";
    const char *name = build_text(b, map, entry->position, "type", "the stage", hint);

    if (name == NULL) {
        return NULL;
    }
    if (build_is_module(name)) {
        return build_module_stage(b, tree_get(map, "type"));
    }
    for (size_t i = 0; i < b->catalog->stage_count; i++) {
        if (strcmp(b->catalog->stages[i]->name, name) == 0) {
            return b->catalog->stages[i];
        }
    }
    suggest_init(&suggest, name);
    for (size_t i = 0; i < b->catalog->stage_count; i++) {
        suggest_offer(&suggest, b->catalog->stages[i]->name);
    }
    problem_add(b->problems, tree_get(map, "type")->position, "no stage type \"%s\"%s", name,
                suggest_text(&suggest));
    return NULL;
}

/*
 * All stream inputs of a stage must send the records of one key to one task: the first field of
 * their keys must be the same.
 */
static void check_co_keys(struct build *b, const struct stage_draft *stage)
{
    size_t first = MR_UNBOUND;

    for (size_t i = 0; i < stage->type->in_count; i++) {
        const struct mr_in_binding *binding = &stage->in[i];
        if (binding->topic == MR_UNBOUND || binding->table ||
            (stage->type->in[i].flags & MR_PORT_TABLE) != 0 ||
            b->topics[binding->topic].key[0] == '\0') {
            continue;
        }
        if (first == MR_UNBOUND) {
            first = binding->topic;
            continue;
        }
        const char *a = b->topics[first].key;
        const char *key = b->topics[binding->topic].key;
        const size_t len = strcspn(key, ", ");
        if (strcspn(a, ", ") != len || strncmp(a, key, len) != 0) {
            problem_add(b->problems, stage->in_positions[i],
                        "topic %s is keyed by %s, the stage's input %s by %s: the records of one "
                        "key would reach different tasks; read it as a table or from a topic keyed "
                        "alike",
                        b->topics[binding->topic].name, key, b->topics[first].name, a);
        }
    }
}

static void read_stage(struct build *b, const struct entry *entry, struct stage_draft *stage)
{
    const size_t before = b->problems->count;
    const struct node *map = entry->value;

    *stage = (struct stage_draft){.name = entry->name,
                                  .position = entry->position,
                                  .group = MR_UNBOUND,
                                  .dead_letter = MR_UNBOUND};
    (void)build_name(b, entry->position, entry->name, false, "a stage");
    if (build_map(b, &map, "a stage")) {
        build_keys(b, map, stage_keys, "a stage");
        stage->type = find_stage_type(b, map, entry);
    }
    if (stage->type != NULL) {
        const struct settings_table options = {stage->type->name, stage->type->options,
                                               stage->type->option_count};
        void *image = build_alloc(b, 1, stage->type->state_size);

        read_in(b, stage, tree_get(map, "in"));
        read_out(b, stage, tree_get(map, "out"));
        build_options(b, tree_get(map, "options"), &options, stage->position, image);
        check_co_keys(b, stage);
        stage->options = image;
    }
    stage->broken = b->problems->count != before || stage->type == NULL;
}

void build_stages(struct build *b, const struct node *root)
{
    const struct node *map = tree_get(root, "stages");

    if (!build_map(b, &map, "stages") || map == NULL) {
        if (map == NULL) {
            problem_add(b->problems, root->position, "the topology has no stages");
        }
        return;
    }
    b->stages = build_alloc(b, map->count, sizeof(*b->stages));
    b->stage_count = map->count;
    for (size_t i = 0; i < map->count; i++) {
        read_stage(b, &map->entries[i], &b->stages[i]);
        names_add(&b->stage_names, b->arena, b->stages[i].name, i);
    }
}

/* ---- connectors */

static const struct mr_sink_type *find_sink_type(struct build *b, const struct node *map,
                                                 const struct entry *entry)
{
    struct suggest suggest;
    const char *hint =
        tree_get(map, "type") == NULL ? build_namesake(b, "connectors", entry->name) : "";
    const char *name = build_text(b, map, entry->position, "type", "the connector", hint);

    if (name == NULL) {
        return NULL;
    }
    suggest_init(&suggest, name);
    for (size_t i = 0; i < b->catalog->sink_count; i++) {
        if (strcmp(b->catalog->sinks[i]->name, name) == 0) {
            return b->catalog->sinks[i];
        }
        suggest_offer(&suggest, b->catalog->sinks[i]->name);
    }
    problem_add(b->problems, tree_get(map, "type")->position, "no connector type \"%s\"%s", name,
                suggest_text(&suggest));
    return NULL;
}

static size_t read_sink_topic(struct build *b, const struct node *map, struct mr_position owner,
                              const struct mr_sink_type *type)
{
    struct suggest suggest;
    const char *name = build_text(b, map, owner, "in", "the connector", "");

    if (name == NULL) {
        return MR_UNBOUND;
    }
    const size_t topic = build_find_topic(b, tree_get(map, "in"));
    if (topic == MR_UNBOUND || b->topics[topic].schema == NULL || type == NULL) {
        return topic;
    }
    suggest_init(&suggest, b->topics[topic].schema->name);
    for (size_t i = 0; type->schemas[i] != NULL; i++) {
        if (strcmp(type->schemas[i], b->topics[topic].schema->name) == 0) {
            return topic;
        }
        suggest_offer(&suggest, type->schemas[i]);
    }
    problem_add(b->problems, tree_get(map, "in")->position,
                "topic %s carries %s, which a connector of type %s cannot write; it writes %s",
                name, b->topics[topic].schema->name, type->name, suggest.known);
    return topic;
}

static void read_connector(struct build *b, const struct entry *entry,
                           struct mr_connector_node *connector)
{
    const struct node *map = entry->value;
    const size_t before = b->problems->count;

    *connector = (struct mr_connector_node){.name = entry->name,
                                            .position = entry->position,
                                            .topic = MR_UNBOUND,
                                            .dead_letter = MR_UNBOUND};
    (void)build_name(b, entry->position, entry->name, false, "a connector");
    if (build_map(b, &map, "a connector")) {
        build_keys(b, map, connector_keys, "a connector");
        connector->type = find_sink_type(b, map, entry);
        connector->topic = read_sink_topic(b, map, entry->position, connector->type);
    }
    if (connector->type != NULL) {
        const struct settings_table options = {connector->type->name, connector->type->options,
                                               connector->type->option_count};
        void *image = build_alloc(b, 1, connector->type->state_size);

        build_options(b, tree_get(map, "options"), &options, connector->position, image);
        connector->options = image;
    }
    b->connectors_broken = b->connectors_broken || b->problems->count != before;
}

void build_connectors(struct build *b, const struct node *root)
{
    const struct node *map = tree_get(root, "connectors");

    if (!build_map(b, &map, "connectors") || map == NULL) {
        return;
    }
    b->connectors = build_alloc(b, map->count, sizeof(*b->connectors));
    b->connector_count = map->count;
    for (size_t i = 0; i < map->count; i++) {
        read_connector(b, &map->entries[i], &b->connectors[i]);
    }
}
