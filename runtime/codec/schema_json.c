/* schema_json.c -- see schema_json.h. */
#include "schema_json.h"

#include <string.h>

#define PENDING_MAX 512

const char *schema_text(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

bool schema_is_kind(json_t *type, const char *kind)
{
    return json_is_object(type) && strcmp(schema_text(type, "type"), kind) == 0;
}

void schema_collect_types(json_t *root, json_t *types)
{
    json_t *pending[PENDING_MAX];
    size_t count = 0;

    pending[count++] = root;
    while (count > 0) {
        json_t *item = pending[--count];
        const char *name = schema_text(item, "name");
        const char *key = NULL;
        json_t *child = NULL;
        size_t index = 0;

        if (json_is_object(item) && name[0] != '\0' &&
            (schema_is_kind(item, "record") || schema_is_kind(item, "enum") ||
             schema_is_kind(item, "fixed"))) {
            (void)json_object_set(types, name, item);
        }
        json_array_foreach(item, index, child)
        {
            if (count < PENDING_MAX) {
                pending[count++] = child;
            }
        }
        json_object_foreach(item, key, child)
        {
            if (count < PENDING_MAX && (json_is_object(child) || json_is_array(child))) {
                pending[count++] = child;
            }
        }
    }
}

json_t *schema_defined(json_t *types, json_t *type)
{
    const char *name = json_string_value(type);
    const char *dot = name == NULL ? NULL : strrchr(name, '.');
    json_t *found = name == NULL ? NULL : json_object_get(types, dot == NULL ? name : dot + 1);

    return found == NULL ? type : found;
}

json_t *schema_find_field(json_t *record, const char *name)
{
    json_t *field = NULL;
    size_t index = 0;

    json_array_foreach(json_object_get(record, "fields"), index, field)
    {
        if (strcmp(schema_text(field, "name"), name) == 0) {
            return field;
        }
    }
    return NULL;
}
