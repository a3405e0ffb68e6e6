/*
 * editor_schema.h -- topology.yaml as JSON Schema (draft 7), for editors.
 *
 * Why: completion, help and red lines while typing, by the language server that editors have.
 * How: from the tables that the loader reads by, and the catalog. There are two forms of a part: of
 *      a whole file, and of an overlay (a file with `include`), which may leave things out and
 *      remove them with ~.
 * Not: as strict as the loader. What is right for the loader is right for the schema; bounds of
 *      durations and sizes, names that refer to each other, and the graph are the loader's.
 */
#ifndef MILLRACE_TOOLS_EDITOR_SCHEMA_H
#define MILLRACE_TOOLS_EDITOR_SCHEMA_H

#include "millrace/buffer.h"
#include "millrace/topology.h"
#include "settings.h"

void editor_schema_write(const struct mr_catalog *catalog, struct mr_buffer *out);

/* ---- its parts; the caller owns what is returned */

struct json_t; /* jansson */

/* editor_schema_values.c */

/* Any text, number or truth; with `overlay` also ~. */
struct json_t *editor_scalar(bool overlay, const char *description);
/* One of the names, or a text with ${...} in it. */
struct json_t *editor_choice(const char *const *names, size_t count, bool overlay);
/* A value by an option's type, units, bounds and help. */
struct json_t *editor_option(const struct mr_option *option, bool overlay);
/* {type: object, additionalProperties: false, properties: ...}; properties is taken over. */
struct json_t *editor_map(struct json_t *properties, bool nothing);
/* The options of a table, by name; with `required` those that must be given. */
struct json_t *editor_options(const struct mr_option *options, size_t count, bool overlay);
/* Adds a name to the list `required` of a map. */
void editor_require(struct json_t *map, const char *name);

/* editor_schema_types.c: the values of the sections `stages` and `connectors` */
struct json_t *editor_stage(const struct mr_catalog *catalog, bool overlay);
struct json_t *editor_connector(const struct mr_catalog *catalog, bool overlay);

#endif
