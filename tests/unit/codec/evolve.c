/*
 * evolve.c -- see evolve.h.
 *
 * A type is defined where it is used first, so a schema whose fields move must define it elsewhere:
 * every use is spelled out first, then the fields change, then all but the first use become names
 * again. Records nest one level, in arrays.
 */
#include "evolve.h"

#include "millrace/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

static json_t *fields_of(const json_t *record)
{
    return json_object_get(record, "fields");
}

/* T of T or of ["null", T]. */
static json_t *type_of(const json_t *field)
{
    json_t *type = json_object_get(field, "type");

    return json_is_array(type) ? json_array_get(type, 1) : type;
}

static void set_type(json_t *field, json_t *type)
{
    json_t *outer = json_object_get(field, "type");
    const int rc = json_is_array(outer) ? json_array_set(outer, 1, type)
                                        : json_object_set(field, "type", type);

    MR_ASSERT(rc == 0);
}

static bool is_array_type(const json_t *type)
{
    const char *what = json_string_value(json_object_get(type, "type"));

    return what != NULL && strcmp(what, "array") == 0;
}

/* The definition a text names, else the type itself. */
static json_t *spelled(const json_t *definitions, json_t *type)
{
    json_t *known =
        json_is_string(type) ? json_object_get(definitions, json_string_value(type)) : NULL;

    return known == NULL ? type : known;
}

static void define(json_t *definitions, json_t *type)
{
    const char *name = json_string_value(json_object_get(type, "name"));

    if (name != NULL) {
        MR_ASSERT(json_object_set_new(definitions, name, json_deep_copy(type)) == 0);
    }
}

static void spell_type(json_t *definitions, json_t *field)
{
    json_t *copy;

    define(definitions, type_of(field));
    copy = json_deep_copy(spelled(definitions, type_of(field)));
    set_type(field, copy);
    json_decref(copy);
}

static json_t *items_of(json_t *field)
{
    return is_array_type(type_of(field)) ? json_object_get(type_of(field), "items") : NULL;
}

static void spell(json_t *definitions, json_t *field)
{
    json_t *items;
    size_t i;
    json_t *inner;

    spell_type(definitions, field);
    items = items_of(field);
    if (items != NULL) {
        json_t *copy = json_deep_copy(spelled(definitions, items));

        json_array_foreach(fields_of(copy), i, inner)
        {
            spell_type(definitions, inner);
        }
        define(definitions, copy);
        MR_ASSERT(json_object_set_new(type_of(field), "items", copy) == 0);
    }
}

/* ---- changing ----------------------------------------------------------------------------------
 */

static void narrow(json_t *field)
{
    const json_t *type = type_of(field);
    const char *what =
        json_string_value(json_is_string(type) ? type : json_object_get(type, "type"));

    if (what != NULL && strcmp(what, "long") == 0) {
        json_t *number = json_string("int");

        set_type(field, number);
        json_decref(number);
    }
}

static bool is_dropped(const json_t *field, unsigned how, bool *broken)
{
    if (json_object_get(field, "default") != NULL) {
        return (how & EVOLVE_DROP) != 0;
    }
    if ((how & EVOLVE_BREAK) != 0 && !*broken) {
        *broken = true;
        return true;
    }
    return false;
}

static void add_fields(json_t *fields)
{
    json_t *text =
        json_pack("{s:s, s:s, s:s}", "name", EVOLVE_TEXT, "type", "string", "default", "");
    json_t *optional = json_pack("{s:s, s:[s, s], s:n}", "name", EVOLVE_OPTIONAL, "type", "null",
                                 "string", "default");
    json_t *number =
        json_pack("{s:s, s:s, s:i}", "name", EVOLVE_NUMBER, "type", "int", "default", 7);

    MR_ASSERT(json_array_insert_new(fields, 0, text) == 0);
    MR_ASSERT(json_array_append_new(fields, optional) == 0);
    MR_ASSERT(json_array_append_new(fields, number) == 0);
}

/* broken: whether the whole schema lacks a field that it must not. */
static void change(json_t *record, unsigned how, bool *broken)
{
    json_t *kept = json_array();
    size_t i;
    json_t *field;

    json_array_foreach(fields_of(record), i, field)
    {
        if (is_dropped(field, how, broken)) {
            continue;
        }
        if ((how & EVOLVE_NARROW) != 0) {
            narrow(field);
        }
        MR_ASSERT(json_array_insert(kept, (how & EVOLVE_REORDER) != 0 ? 0 : json_array_size(kept),
                                    field) == 0);
    }
    if ((how & EVOLVE_ADD) != 0) {
        add_fields(kept);
    }
    MR_ASSERT(json_object_set_new(record, "fields", kept) == 0);
}

/* ---- names again -------------------------------------------------------------------------------
 */

/* The type's name when it stood before, else NULL; a new reference. */
static json_t *name_if_seen(json_t *seen, const json_t *type)
{
    const char *name = json_string_value(json_object_get(type, "name"));

    if (name == NULL) {
        return NULL;
    }
    if (json_object_get(seen, name) != NULL) {
        return json_string(name);
    }
    MR_ASSERT(json_object_set_new(seen, name, json_true()) == 0);
    return NULL;
}

static void name_type(json_t *seen, json_t *field)
{
    json_t *name = name_if_seen(seen, type_of(field));

    if (name != NULL) {
        set_type(field, name);
        json_decref(name);
    }
}

static void name(json_t *seen, json_t *field)
{
    json_t *items;
    json_t *known;
    size_t i;
    json_t *inner;

    name_type(seen, field);
    items = items_of(field);
    if (items == NULL) {
        return;
    }
    known = name_if_seen(seen, items);
    if (known != NULL) {
        MR_ASSERT(json_object_set_new(type_of(field), "items", known) == 0);
        return;
    }
    json_array_foreach(fields_of(items), i, inner)
    {
        name_type(seen, inner);
    }
}

static void for_each_field(json_t *record, void (*visit)(json_t *known, json_t *field))
{
    json_t *known = json_object();
    size_t i;
    json_t *field;

    json_array_foreach(fields_of(record), i, field)
    {
        visit(known, field);
    }
    json_decref(known);
}

char *evolve_schema(const char *json, unsigned how)
{
    json_t *record = json_loads(json, 0, NULL);
    bool broken = false;
    size_t i;
    json_t *field;
    char *text;

    MR_ASSERT(record != NULL);
    for_each_field(record, spell);
    json_array_foreach(fields_of(record), i, field)
    {
        json_t *items = items_of(field);

        /* What breaks a schema is one field of the record itself. */
        if (items != NULL) {
            change(items, how & ~EVOLVE_BREAK, &broken);
        }
    }
    change(record, how, &broken);
    for_each_field(record, name);
    text = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    MR_ASSERT(text != NULL);
    return text;
}
