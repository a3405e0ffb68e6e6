/* schema_json.h -- walking an Avro schema's JSON. All references borrowed. Private to
 * runtime/codec. */
#ifndef MILLRACE_CODEC_SCHEMA_JSON_H
#define MILLRACE_CODEC_SCHEMA_JSON_H

#include <jansson.h>
#include <stdbool.h>

/* A member that is a text, "" when it is none. */
const char *schema_text(json_t *object, const char *key);
/* {"type": kind, ...}? */
bool schema_is_kind(json_t *type, const char *kind);
/* Every named type inside root, by its name without namespace, into the object types. */
void schema_collect_types(json_t *root, json_t *types);
/* The definition behind a name, with or without its namespace, or the type itself. */
json_t *schema_defined(json_t *types, json_t *type);
/* NULL when the record has no such field. */
json_t *schema_find_field(json_t *record, const char *name);

#endif
