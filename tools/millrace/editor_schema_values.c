/* editor_schema_values.c -- one value, by its option's row. See editor_schema.h. */
#include "args.h"
#include "editor_schema.h"
#include "options_doc.h"

#include <jansson.h>

#define NUMBER "[0-9]+(\\.[0-9]{1,6})?"
#define DURATION "(" NUMBER "(us|ms|s|m|h|d|w))+"
/* A variable may stand for anything. */
#define REFERENCE "\\$\\{"

/* What each type looks like as a text; the units are those of runtime/base/units.c. */
static const char *const patterns[] = {
    [MR_OPTION_DURATION] = "^" DURATION "$|" REFERENCE,
    [MR_OPTION_SIZE] = "^" NUMBER "(B|kB|KB|MB|GB|KiB|MiB|GiB)?$|" REFERENCE,
    [MR_OPTION_RATE] = "^" NUMBER "/(s|min|h)$|" REFERENCE,
    [MR_OPTION_RATIO] = "^" NUMBER "%$|" REFERENCE,
    [MR_OPTION_INT] = "^-?[0-9]+$|" REFERENCE,
    [MR_OPTION_BOOL] = "^(true|false)$|" REFERENCE,
    [MR_OPTION_STRING] = NULL,
    [MR_OPTION_ENUM] = NULL,
    [MR_OPTION_DURATIONS] = "^" DURATION "(," DURATION ")*,?$|" REFERENCE,
};

static void add_nothing(json_t *list, bool overlay)
{
    if (overlay) {
        (void)json_array_append_new(list, json_pack("{s:s}", "type", "null"));
    }
}

json_t *editor_scalar(bool overlay, const char *description)
{
    json_t *types = json_pack("[s,s,s]", "string", "number", "boolean");

    if (overlay) {
        (void)json_array_append_new(types, json_string("null"));
    }
    json_t *schema = json_pack("{s:o}", "type", types);
    if (description != NULL) {
        (void)json_object_set_new(schema, "description", json_string(description));
    }
    return schema;
}

json_t *editor_choice(const char *const *names, size_t count, bool overlay)
{
    json_t *choices = json_array();
    json_t *any = json_array();

    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(choices, json_string(names[i]));
    }
    (void)json_array_append_new(any, json_pack("{s:o}", "enum", choices));
    (void)json_array_append_new(any,
                                json_pack("{s:s,s:s}", "type", "string", "pattern", REFERENCE));
    add_nothing(any, overlay);
    return json_pack("{s:o}", "anyOf", any);
}

static json_t *number_schema(const struct mr_option *option)
{
    json_t *schema = json_pack("{s:s}", "type", "integer");

    if (option->min != 0 || option->max != 0) {
        (void)json_object_set_new(schema, "minimum", json_integer(option->min));
        (void)json_object_set_new(schema, "maximum", json_integer(option->max));
    }
    return schema;
}

static json_t *texts_or_numbers(const struct mr_option *option, const char *pattern, bool overlay)
{
    json_t *any = json_array();

    if (option->type == MR_OPTION_INT || option->type == MR_OPTION_SIZE) {
        (void)json_array_append_new(any, number_schema(option));
    }
    if (option->type == MR_OPTION_BOOL) {
        (void)json_array_append_new(any, json_pack("{s:s}", "type", "boolean"));
    }
    if (option->type == MR_OPTION_DURATIONS) {
        (void)json_array_append_new(
            any, json_pack("{s:s,s:{s:s,s:s},s:i}", "type", "array", "items", "type", "string",
                           "pattern", patterns[MR_OPTION_DURATION], "maxItems", MR_DURATIONS_MAX));
    }
    (void)json_array_append_new(any, json_pack("{s:s,s:s}", "type", "string", "pattern", pattern));
    add_nothing(any, overlay);
    return json_pack("{s:o}", "anyOf", any);
}

static json_t *value_schema(const struct mr_option *option, bool overlay)
{
    size_t choices = 0;

    if (option->type == MR_OPTION_ENUM) {
        while (option->symbols[choices] != NULL) {
            choices++;
        }
        return editor_choice(option->symbols, choices, overlay);
    }
    if (option->type == MR_OPTION_STRING) {
        return editor_scalar(overlay, NULL);
    }
    return texts_or_numbers(option, patterns[option->type], overlay);
}

json_t *editor_option(const struct mr_option *option, bool overlay)
{
    json_t *schema = value_schema(option, overlay);
    struct mr_buffer text = MR_BUFFER_EMPTY;

    mr_buffer_printf(&text, "%s (%s", option->help, args_type_name(option->type));
    if (option->type != MR_OPTION_ENUM && (option->min != 0 || option->max != 0)) {
        mr_buffer_printf(&text, " ");
        options_doc_range(option, &text);
    }
    mr_buffer_printf(&text, ")");
    (void)json_object_set_new(schema, "description",
                              json_stringn((const char *)text.data, text.len));
    if (option->fallback != NULL) {
        (void)json_object_set_new(schema, "default", json_string(option->fallback));
    }
    mr_buffer_fini(&text);
    return schema;
}

json_t *editor_map(json_t *properties, bool nothing)
{
    json_t *type = nothing ? json_pack("[s,s]", "object", "null") : json_string("object");

    return json_pack("{s:o,s:b,s:o}", "type", type, "additionalProperties", 0, "properties",
                     properties);
}

json_t *editor_options(const struct mr_option *options, size_t count, bool overlay)
{
    json_t *properties = json_object();
    json_t *map = NULL;
    bool required = false;

    for (size_t i = 0; i < count; i++) {
        (void)json_object_set_new(properties, options[i].name, editor_option(&options[i], overlay));
        required = required || options[i].fallback == NULL;
    }
    map = editor_map(properties, overlay || !required);
    for (size_t i = 0; i < count && !overlay; i++) {
        if (options[i].fallback == NULL) {
            editor_require(map, options[i].name);
        }
    }
    return map;
}

void editor_require(json_t *map, const char *name)
{
    json_t *list = json_object_get(map, "required");

    if (list == NULL) {
        list = json_array();
        (void)json_object_set_new(map, "required", list);
    }
    (void)json_array_append_new(list, json_string(name));
}
