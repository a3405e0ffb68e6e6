/* editor_schema.c -- the sections of a file. See editor_schema.h. */
#include "editor_schema.h"

#include <jansson.h>
#include <stdlib.h>

#define NAME "^[A-Za-z0-9_-]{1,64}$"
#define TOPIC_NAME "^[A-Za-z0-9._-]{1,249}$"
#define RETENTION "^(([0-9]+(\\.[0-9]{1,6})?(us|ms|s|m|h|d|w))+|forever)$|\\$\\{"

/* A section whose keys are names and whose values are all alike; value is taken over. */
static json_t *section(const char *pattern, json_t *value, bool overlay, const char *description)
{
    json_t *type = overlay ? json_pack("[s,s]", "object", "null") : json_string("object");

    return json_pack("{s:o,s:{s:s},s:o,s:s}", "type", type, "propertyNames", "pattern", pattern,
                     "additionalProperties", value, "description", description);
}

/* Names with values of any kind, except some names. */
static json_t *free_map(const char *const *refused, bool overlay, const char *description)
{
    json_t *names = json_array();

    for (size_t i = 0; refused[i] != NULL; i++) {
        (void)json_array_append_new(names, json_string(refused[i]));
    }
    return json_pack("{s:[s,s],s:{s:{s:o}},s:o,s:s}", "type", "object", "null", "propertyNames",
                     "not", "enum", names, "additionalProperties", editor_scalar(overlay, NULL),
                     "description", description);
}

/* A table of settings.h as a map; none of its rows is required here. */
static json_t *settings(const struct settings_table *table, bool overlay)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < table->count; i++) {
        (void)json_object_set_new(properties, table->options[i].name,
                                  editor_option(&table->options[i], overlay));
    }
    /* The one text of the tables that has a form: settings_parse_retention. */
    json_t *retention = json_object_get(properties, "retention");
    if (retention != NULL) {
        (void)json_object_set_new(retention, "type",
                                  overlay ? json_pack("[s,s]", "string", "null")
                                          : json_string("string"));
        (void)json_object_set_new(retention, "pattern", json_string(RETENTION));
    }
    return editor_map(properties, overlay);
}

static json_t *defaults(bool overlay)
{
    json_t *map = settings(&settings_defaults, overlay);

    (void)json_object_set_new(map, "type", json_pack("[s,s]", "object", "null"));
    return map;
}

static json_t *topic(const struct mr_catalog *catalog, bool overlay)
{
    json_t *map = settings(&settings_topic, overlay);
    json_t *properties = json_object_get(map, "properties");
    json_t *help = json_object_get(json_object_get(properties, "value"), "description");
    const char **names = mr_xcalloc(catalog->schema_count + 1, sizeof(*names));

    for (size_t i = 0; i < catalog->schema_count; i++) {
        names[i] = catalog->schemas[i]->name;
    }
    json_t *value = editor_choice(names, catalog->schema_count, overlay);
    (void)json_object_set(value, "description", help);
    (void)json_object_set_new(properties, "value", value);
    (void)json_object_set_new(properties, "config",
                              free_map(settings_config_owned, overlay,
                                       "further Kafka topic settings by their own names"));
    if (!overlay) {
        editor_require(map, "key");
        editor_require(map, "value");
    }
    free(names);
    return map;
}

static json_t *group(bool overlay)
{
    json_t *map = settings(&settings_group, overlay);
    json_t *type = overlay ? json_pack("[s,s]", "array", "null") : json_string("array");

    (void)json_object_set_new(json_object_get(map, "properties"), "stages",
                              json_pack("{s:o,s:i,s:o,s:s}", "type", type, "minItems", 1, "items",
                                        editor_scalar(false, NULL), "description",
                                        "the stages of its processes"));
    if (!overlay) {
        editor_require(map, "stages");
    }
    return map;
}

static json_t *registry(bool overlay)
{
    json_t *map = editor_map(
        json_pack("{s:o}", "url",
                  editor_scalar(overlay, "base of a Confluent-compatible schema registry API")),
        true);

    if (!overlay) {
        editor_require(map, "url");
    }
    return map;
}

static json_t *include(void)
{
    return json_pack("{s:s,s:[{s:s},{s:s,s:{s:s}}]}", "description",
                     "files that this one is laid over, from its own directory", "anyOf", "type",
                     "string", "type", "array", "items", "type", "string");
}

/* A whole file, or one that includes others. */
static json_t *file(const struct mr_catalog *catalog, bool overlay)
{
    json_t *sections = json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "application",
        json_pack("{s:[s,s],s:s,s:s}", "type", "string", "number", "pattern",
                  "^[A-Za-z0-9_-]{1,64}$|\\$\\{", "description",
                  "prefix of consumer groups, transactions, derived topics and state"),
        "kafka", free_map(settings_kafka_owned, overlay, "properties of librdkafka"), "registry",
        registry(overlay), "defaults", defaults(overlay), "topics",
        section(TOPIC_NAME, topic(catalog, overlay), overlay, "topics that are read or written"),
        "stages", section(NAME, editor_stage(catalog, overlay), overlay, "what runs"), "groups",
        section(NAME, group(overlay), overlay, "which stages share a process"), "connectors",
        section(NAME, editor_connector(catalog, overlay), true, "what carries results away"));

    if (overlay) {
        (void)json_object_set_new(sections, "include", include());
    }
    json_t *map = editor_map(sections, false);
    if (!overlay) {
        editor_require(map, "application");
        editor_require(map, "topics");
        editor_require(map, "stages");
        editor_require(map, "groups");
    }
    return map;
}

void editor_schema_write(const struct mr_catalog *catalog, struct mr_buffer *out)
{
    json_t *root = json_pack(
        "{s:s,s:s,s:s,s:{s:[s]},s:{s:s},s:{s:s},s:{s:o,s:o}}", "$schema",
        "http://json-schema.org/draft-07/schema#", "title", "Millrace topology", "description",
        "Generated by `millrace topology schema`; do not edit.", "if", "required", "include",
        "then", "$ref", "#/definitions/overlay", "else", "$ref", "#/definitions/whole",
        "definitions", "whole", file(catalog, false), "overlay", file(catalog, true));
    char *text = json_dumps(root, JSON_INDENT(1));

    MR_ASSERT(text != NULL);
    mr_buffer_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}
