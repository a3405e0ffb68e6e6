/* value.c -- see value.h. */
#include "value.h"

#include "domain/codes.h"
#include "millrace/codec.h"
#include "millrace/option.h"
#include "suggest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)8 * 1024)

static json_t *blamed(struct suite_blame *blame, struct mr_position at, const char *format, ...)
    MR_PRINTF(3, 4);

static json_t *blamed(struct suite_blame *blame, struct mr_position at, const char *format, ...)
{
    va_list args;

    blame->at = at;
    va_start(args, format);
    (void)vsnprintf(blame->text, sizeof(blame->text), format, args);
    va_end(args);
    return NULL;
}

bool suite_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && (node->nothing || strcmp(node->text, "null") == 0);
}

bool suite_next_key_field(const char **at, char name[SUITE_NAME_MAX])
{
    const size_t len = strcspn(*at, ", ");

    if (len == 0 || len >= SUITE_NAME_MAX) {
        return false;
    }
    memcpy(name, *at, len);
    name[len] = '\0';
    *at += len;
    *at += strspn(*at, ", ");
    return true;
}

static const struct mr_schema_field *find_field(const struct mr_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            return &schema->fields[i];
        }
    }
    return NULL;
}

/* ---- {n} and {now} --------------------------------------------------------------------------- */

/* What stands in braces at `at`, which ends at `end`. False: it is nothing of ours. */
static bool expand_one(const char *at, const char *end, const struct suite_clock *clock,
                       int64_t *value, struct mr_err *err, bool *good)
{
    const size_t len = (size_t)(end - at - 1);
    char inside[64];
    int64_t us = 0;

    *good = true;
    if (len >= sizeof(inside)) {
        return false;
    }
    memcpy(inside, at + 1, len);
    inside[len] = '\0';
    if (strcmp(inside, "n") == 0) {
        *value = clock->sends;
        return true;
    }
    if (strncmp(inside, "now", 3) != 0 || strchr("+-", inside[3]) == NULL) {
        return false;
    }
    *good = inside[3] == '\0' || mr_parse_duration_us(inside + 4, &us, err) == MR_OK;
    *value = clock->now_us + (inside[3] == '-' ? -us : us);
    return true;
}

/* text with braces replaced; NULL: see blame. */
static char *expand(const struct node *node, const struct suite_clock *clock,
                    struct suite_blame *blame)
{
    struct mr_buffer out = MR_BUFFER_EMPTY;
    const char *at = node->text;

    while (*at != '\0') {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        struct mr_err err = {0};
        int64_t value = 0;
        bool good = true;

        if (end != NULL && expand_one(at, end, clock, &value, &err, &good)) {
            mr_buffer_printf(&out, "%" PRId64, value);
            at = end + 1;
        } else {
            mr_buffer_append(&out, at++, 1);
        }
        if (!good) {
            (void)blamed(blame, node->position, "%s: %s", node->text, err.text);
            mr_buffer_fini(&out);
            return NULL;
        }
    }
    mr_buffer_append(&out, "", 1);
    return (char *)out.data;
}

/* ---- scalars --------------------------------------------------------------------------------- */

static bool is_integer(const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;

    return *digits != '\0' && strlen(digits) <= 18 &&
           strspn(digits, "0123456789") == strlen(digits);
}

static json_t *code_json(const char *name, struct mr_position at, struct suite_blame *blame)
{
    struct suggest suggest;
    size_t count;
    const struct code_row *rows = code_rows(&count);

    suggest_init(&suggest, name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return json_integer(rows[i].number);
        }
        suggest_offer(&suggest, rows[i].name);
    }
    return blamed(blame, at, "\"%s\" is no integer and no reject code%s", name,
                  suggest_text(&suggest));
}

static json_t *symbol_json(const struct mr_schema_field *field, const char *text,
                           struct mr_position at, struct suite_blame *blame)
{
    struct suggest suggest;

    suggest_init(&suggest, text);
    for (size_t i = 0; i < field->symbol_count; i++) {
        if (strcmp(field->symbols[i], text) == 0) {
            return json_string(text);
        }
        suggest_offer(&suggest, field->symbols[i]);
    }
    return blamed(blame, at, "%s: \"%s\" is none of its symbols%s", field->name, text,
                  suggest_text(&suggest));
}

static json_t *text_json(const struct mr_schema_field *field, const char *text,
                         struct mr_position at, struct suite_blame *blame)
{
    json_t *json;

    switch (field->kind) {
    case MR_FIELD_LONG:
    case MR_FIELD_INT:
        return is_integer(text) ? json_integer(strtoll(text, NULL, 10))
                                : code_json(text, at, blame);
    case MR_FIELD_TIMESTAMP_US:
        return is_integer(text) ? json_integer(strtoll(text, NULL, 10)) : json_string(text);
    case MR_FIELD_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            return blamed(blame, at, "%s: \"%s\" is neither true nor false", field->name, text);
        }
        return json_boolean(strcmp(text, "true") == 0);
    case MR_FIELD_ENUM:
        return symbol_json(field, text, at, blame);
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES:
    case MR_FIELD_DECIMAL:
    case MR_FIELD_FIXED:
        break;
    case MR_FIELD_ARRAY:
        return blamed(blame, at, "%s is a list", field->name);
    }
    json = json_string(text);
    return json != NULL ? json : blamed(blame, at, "%s: no UTF-8", field->name);
}

static json_t *scalar_json(const struct mr_schema_field *field, const struct node *node,
                           const struct suite_clock *clock, struct suite_blame *blame)
{
    json_t *json;
    char *text;

    if (node->kind != NODE_SCALAR) {
        return blamed(blame, node->position, "%s is one value, and this %s", field->name,
                      node_kind_name(node->kind));
    }
    if (suite_is_null(node)) {
        return json_null();
    }
    text = expand(node, clock, blame);
    if (text == NULL) {
        return NULL;
    }
    json = text_json(field, text, node->position, blame);
    free(text);
    return json;
}

/* ---- records --------------------------------------------------------------------------------- */

static const struct mr_schema_field *field_of(const struct mr_schema *schema,
                                              const struct entry *entry, struct suite_blame *blame)
{
    const struct mr_schema_field *field = find_field(schema, entry->name);
    struct suggest suggest;

    if (field == NULL) {
        suggest_init(&suggest, entry->name);
        for (size_t i = 0; i < schema->field_count; i++) {
            suggest_offer(&suggest, schema->fields[i].name);
        }
        (void)blamed(blame, entry->position, "%s has no field \"%s\"%s", schema->name, entry->name,
                     suggest_text(&suggest));
    }
    return field;
}

/* One record of an array: scalars only. */
static json_t *item_json(const struct mr_schema *schema, const struct node *map,
                         const struct suite_clock *clock, struct suite_blame *blame)
{
    json_t *object;

    if (map->kind != NODE_MAP) {
        return blamed(blame, map->position, "a %s is a map of fields, and this %s", schema->name,
                      node_kind_name(map->kind));
    }
    object = json_object();
    for (size_t i = 0; i < map->count; i++) {
        const struct mr_schema_field *field = field_of(schema, &map->entries[i], blame);
        json_t *value =
            field == NULL ? NULL : scalar_json(field, map->entries[i].value, clock, blame);

        if (value == NULL) {
            json_decref(object);
            return NULL;
        }
        (void)json_object_set_new(object, field->name, value);
    }
    return object;
}

static json_t *array_json(const struct mr_schema_field *field, const struct node *list,
                          const struct suite_clock *clock, struct suite_blame *blame)
{
    json_t *array;

    if (list->kind != NODE_LIST) {
        return blamed(blame, list->position, "%s is a list, and this %s", field->name,
                      node_kind_name(list->kind));
    }
    array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_t *item = item_json(field->items, list->entries[i].value, clock, blame);

        if (item == NULL) {
            json_decref(array);
            return NULL;
        }
        (void)json_array_append_new(array, item);
    }
    return array;
}

static json_t *value_json(const struct mr_schema *schema, const struct entry *entry,
                          const struct suite_clock *clock, struct suite_blame *blame)
{
    const struct mr_schema_field *field = field_of(schema, entry, blame);

    if (field == NULL) {
        return NULL;
    }
    return field->kind == MR_FIELD_ARRAY ? array_json(field, entry->value, clock, blame)
                                         : scalar_json(field, entry->value, clock, blame);
}

json_t *suite_fields(const struct mr_schema *schema, const struct node *map,
                     const struct suite_clock *clock, struct suite_blame *blame)
{
    json_t *object = json_object();

    for (size_t i = 0; i < map->count; i++) {
        json_t *value;

        if (map->entries[i].name[0] == '$') {
            continue;
        }
        value = value_json(schema, &map->entries[i], clock, blame);
        if (value == NULL) {
            json_decref(object);
            return NULL;
        }
        (void)json_object_set_new(object, map->entries[i].name, value);
    }
    return object;
}

json_t *suite_whole(const struct mr_schema *schema, const struct node *map,
                    const struct suite_defaults *defaults, const struct suite_clock *clock,
                    struct suite_blame *blame)
{
    json_t *whole = suite_fields(schema, map, clock, blame);

    for (size_t i = 0; whole != NULL && i < SUITE_DEFAULTS_MAX; i++) {
        json_t *more = defaults->maps[i] == NULL
                           ? NULL
                           : suite_fields(schema, defaults->maps[i], clock, blame);

        if (more != NULL) {
            (void)json_object_update_missing(whole, more);
            json_decref(more);
        }
    }
    return whole;
}

/* ---- as the codec writes them ---------------------------------------------------------------- */

/* Any value that the field may have. */
static json_t *neutral(const struct mr_schema_field *field)
{
    char zeros[129];

    if (field->nullable) {
        return json_null();
    }
    switch (field->kind) {
    case MR_FIELD_LONG:
    case MR_FIELD_INT:
    case MR_FIELD_TIMESTAMP_US:
        return json_integer(0);
    case MR_FIELD_BOOL:
        return json_false();
    case MR_FIELD_DECIMAL:
        return json_string("0");
    case MR_FIELD_ENUM:
        return json_string(field->symbols[0]);
    case MR_FIELD_ARRAY:
        return json_array();
    case MR_FIELD_FIXED:
        MR_ASSERT(2 * field->fixed_bytes < sizeof(zeros));
        memset(zeros, '0', 2 * field->fixed_bytes);
        return json_stringn(zeros, 2 * field->fixed_bytes);
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES:
        break;
    }
    return json_string("");
}

static json_t *completed(const struct mr_schema *schema, json_t *some)
{
    json_t *whole = json_copy(some);

    for (size_t i = 0; i < schema->field_count; i++) {
        if (json_object_get(whole, schema->fields[i].name) == NULL) {
            (void)json_object_set_new(whole, schema->fields[i].name, neutral(&schema->fields[i]));
        }
    }
    return whole;
}

/* The record with what is not said in it, in arrays too, set to something. */
static json_t *completed_deep(const struct mr_schema *schema, json_t *some)
{
    json_t *whole = completed(schema, some);

    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        json_t *items = field->kind == MR_FIELD_ARRAY ? json_object_get(whole, field->name) : NULL;
        json_t *list = json_is_array(items) ? json_array() : NULL;

        for (size_t n = 0; n < json_array_size(items); n++) {
            (void)json_array_append_new(list, completed(field->items, json_array_get(items, n)));
        }
        if (list != NULL) {
            (void)json_object_set_new(whole, field->name, list);
        }
    }
    return whole;
}

enum mr_status suite_struct(const struct mr_schema *schema, json_t *whole, struct mr_arena *arena,
                            void *value, struct mr_err *err)
{
    char *text = json_dumps(whole, JSON_COMPACT);
    enum mr_status status;

    MR_ASSERT(text != NULL);
    status = mr_json_read_record(schema, mr_slice_str(text), arena, value, err);
    free(text);
    return status;
}

static json_t *through_codec(const struct mr_schema *schema, json_t *whole, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_create(ARENA_BYTES);
    void *value = mr_xcalloc(1, schema->struct_bytes);
    struct mr_buffer out = MR_BUFFER_EMPTY;
    json_t *back = NULL;

    if (suite_struct(schema, whole, arena, value, err) == MR_OK) {
        mr_json_write_record(schema, value, &out);
        back = json_loadb((const char *)out.data, out.len, 0, NULL);
    }
    mr_buffer_fini(&out);
    free(value);
    mr_arena_destroy(&arena);
    return back;
}

/* Of `whole` what `some` names. */
static json_t *picked(json_t *some, json_t *whole)
{
    json_t *out = json_object();
    const char *name;
    json_t *value;

    json_object_foreach(some, name, value)
    {
        (void)json_object_set(out, name, json_object_get(whole, name));
    }
    return out;
}

static json_t *picked_deep(json_t *some, json_t *whole)
{
    json_t *out = picked(some, whole);
    const char *name;
    json_t *value;

    json_object_foreach(some, name, value)
    {
        json_t *list = json_is_array(value) ? json_array() : NULL;

        for (size_t i = 0; i < json_array_size(value); i++) {
            (void)json_array_append_new(
                list,
                picked(json_array_get(value, i), json_array_get(json_object_get(whole, name), i)));
        }
        if (list != NULL) {
            (void)json_object_set_new(out, name, list);
        }
    }
    return out;
}

static json_t *canonical(const struct mr_schema *schema, json_t *some, struct mr_err *err)
{
    json_t *whole = completed_deep(schema, some);
    json_t *back = through_codec(schema, whole, err);
    json_t *out = back == NULL ? NULL : picked_deep(some, back);

    json_decref(whole);
    json_decref(back);
    return out;
}

/* The codec names the field and not its place: the first that is wrong on its own. */
static void find_culprit(const struct mr_schema *schema, const struct node *map, json_t *fields,
                         struct suite_blame *blame)
{
    for (size_t i = 0; i < map->count; i++) {
        json_t *value = json_object_get(fields, map->entries[i].name);
        json_t *one = value == NULL ? NULL : json_pack("{s:O}", map->entries[i].name, value);
        struct mr_err err = {0};
        json_t *good = one == NULL ? NULL : canonical(schema, one, &err);

        if (one != NULL && good == NULL) {
            (void)blamed(blame, map->entries[i].value->position, "%s", err.text);
        }
        json_decref(one);
        json_decref(good);
        if (err.text[0] != '\0') {
            return;
        }
    }
}

static json_t *texts(const struct node *map, struct suite_blame *blame)
{
    json_t *object = json_object();

    for (size_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];

        if (entry->name[0] == '$') {
            continue;
        }
        if (entry->value->kind != NODE_SCALAR) {
            json_decref(object);
            return blamed(blame, entry->value->position, "%s is one text", entry->name);
        }
        (void)json_object_set_new(object, entry->name,
                                  suite_is_null(entry->value) ? json_null()
                                                              : json_string(entry->value->text));
    }
    return object;
}

json_t *suite_canonical_fields(const struct mr_schema *schema, const struct node *map,
                               const struct suite_clock *clock, struct suite_blame *blame)
{
    json_t *fields;
    json_t *out;
    struct mr_err err = {0};

    if (schema == NULL) {
        return texts(map, blame);
    }
    fields = suite_fields(schema, map, clock, blame);
    if (fields == NULL) {
        return NULL;
    }
    out = canonical(schema, fields, &err);
    if (out == NULL) {
        (void)blamed(blame, map->position, "%s", err.text);
        find_culprit(schema, map, fields, blame);
    }
    json_decref(fields);
    return out;
}
