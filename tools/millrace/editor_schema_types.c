/*
 * editor_schema_types.c -- the values of `stages` and `connectors`. See editor_schema.h.
 *
 * What a stage may bind and set depends on its type: one condition for each type of the catalog. An
 * overlay may leave the type to the file it includes; then any port and option may stand there.
 */
#include "editor_schema.h"

#include <jansson.h>
#include <stdlib.h>

/* The topic of a port: its name, or {table: name}. */
static json_t *binding(const struct mr_port *port, bool out, bool overlay)
{
    char description[512];

    (void)snprintf(description, sizeof(description), "a topic of %.60s%s%.300s", port->schema->name,
                   port->help != NULL ? "; " : "", port->help != NULL ? port->help : "");
    if (out || (port->flags & MR_PORT_TABLE) == 0) {
        return editor_scalar(overlay, description);
    }
    json_t *map =
        editor_map(json_pack("{s:o}", "table", editor_scalar(overlay, description)), overlay);
    if (!overlay) {
        editor_require(map, "table");
    }
    (void)json_object_set_new(map, "description", json_string(description));
    return map;
}

static bool any_required(const struct mr_port *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((ports[i].flags & MR_PORT_OPTIONAL) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *ports_schema(const struct mr_port *ports, size_t count, bool out, bool overlay)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < count; i++) {
        (void)json_object_set_new(properties, ports[i].name, binding(&ports[i], out, overlay));
    }
    json_t *map = editor_map(properties, overlay || !any_required(ports, count));
    for (size_t i = 0; i < count && !overlay; i++) {
        if ((ports[i].flags & MR_PORT_OPTIONAL) == 0) {
            editor_require(map, ports[i].name);
        }
    }
    return map;
}

/* {if: its type is `name`, then: it has these properties}; `then` is taken over. */
static json_t *when_type(const char *name, json_t *then)
{
    return json_pack("{s:{s:{s:{s:s}},s:[s]},s:o}", "if", "properties", "type", "const", name,
                     "required", "type", "then", then);
}

static json_t *stage_type(const struct mr_stage *type, bool overlay)
{
    json_t *then = json_pack("{s:{s:o,s:o,s:o}}", "properties", "in",
                             ports_schema(type->in, type->in_count, false, overlay), "out",
                             ports_schema(type->out, type->out_count, true, overlay), "options",
                             editor_options(type->options, type->option_count, overlay));

    if (!overlay && any_required(type->in, type->in_count)) {
        editor_require(then, "in");
    }
    if (!overlay && any_required(type->out, type->out_count)) {
        editor_require(then, "out");
    }
    return when_type(type->name, then);
}

static json_t *any_map(const char *description)
{
    return json_pack("{s:[s,s],s:s}", "type", "object", "null", "description", description);
}

static json_t *type_names(const char **names, size_t count, bool overlay)
{
    json_t *choice = editor_choice(names, count, overlay);

    free(names);
    return choice;
}

json_t *editor_stage(const struct mr_catalog *catalog, bool overlay)
{
    const char **names = mr_xcalloc(catalog->stage_count + 1, sizeof(*names));
    json_t *types = json_array();

    for (size_t i = 0; i < catalog->stage_count; i++) {
        names[i] = catalog->stages[i]->name;
        (void)json_array_append_new(types, stage_type(catalog->stages[i], overlay));
    }
    json_t *stage = editor_map(
        json_pack("{s:o,s:o,s:o,s:o}", "type", type_names(names, catalog->stage_count, overlay),
                  "in", any_map("topics that it reads, by port: name, or {table: name}"), "out",
                  any_map("topics that it writes, by port"), "options", any_map("by its type")),
        overlay);
    if (!overlay) {
        editor_require(stage, "type");
    }
    /* A type with a slash is a module's; its ports and options are not known here. */
    json_t *type = json_object_get(json_object_get(stage, "properties"), "type");
    (void)json_array_append_new(json_object_get(type, "anyOf"),
                                json_pack("{s:s,s:s}", "type", "string", "pattern", "/"));
    (void)json_object_set_new(stage, "allOf", types);
    return stage;
}

static json_t *sink_type(const struct mr_sink_type *type, bool overlay)
{
    json_t *options = editor_options(type->options, type->option_count, overlay);
    const bool required = json_object_get(options, "required") != NULL;
    json_t *then = json_pack("{s:{s:o}}", "properties", "options", options);

    if (required) {
        editor_require(then, "options");
    }
    return when_type(type->name, then);
}

json_t *editor_connector(const struct mr_catalog *catalog, bool overlay)
{
    const char **names = mr_xcalloc(catalog->sink_count + 1, sizeof(*names));
    json_t *types = json_array();

    for (size_t i = 0; i < catalog->sink_count; i++) {
        names[i] = catalog->sinks[i]->name;
        (void)json_array_append_new(types, sink_type(catalog->sinks[i], overlay));
    }
    json_t *connector = editor_map(
        json_pack("{s:o,s:o,s:o}", "type", type_names(names, catalog->sink_count, overlay), "in",
                  editor_scalar(overlay, "the topic that it carries away"), "options",
                  any_map("by its type")),
        overlay);
    if (!overlay) {
        editor_require(connector, "type");
        editor_require(connector, "in");
    }
    (void)json_object_set_new(connector, "allOf", types);
    return connector;
}
