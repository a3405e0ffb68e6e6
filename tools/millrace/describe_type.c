/* describe_type.c -- see describe_type.h. The tables are those that the loader reads by. */
#include "describe_type.h"

#include "args.h"
#include "options_doc.h"
#include "suggest.h"

#include <jansson.h>
#include <stdlib.h>

struct type_found type_find(const struct mr_catalog *catalog, const char *name)
{
    struct type_found found = {0};

    for (size_t i = 0; i < catalog->stage_count; i++) {
        if (strcmp(catalog->stages[i]->name, name) == 0) {
            found.stage = catalog->stages[i];
        }
    }
    for (size_t i = 0; i < catalog->sink_count; i++) {
        if (strcmp(catalog->sinks[i]->name, name) == 0) {
            found.sink = catalog->sinks[i];
        }
    }
    return found;
}

const char *type_suggest(const struct mr_catalog *catalog, const char *name, char *buffer,
                         size_t bytes)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < catalog->stage_count; i++) {
        suggest_offer(&suggest, catalog->stages[i]->name);
    }
    for (size_t i = 0; i < catalog->sink_count; i++) {
        suggest_offer(&suggest, catalog->sinks[i]->name);
    }
    (void)snprintf(buffer, bytes, "%s", suggest_text(&suggest));
    return buffer;
}

/* ---- text */

static const char *or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

static void write_ports(const char *title, const struct mr_port *ports, size_t count,
                        struct mr_buffer *out)
{
    mr_buffer_printf(out, "%s%s\n", title, count == 0 ? "\n  -" : "");
    for (size_t i = 0; i < count; i++) {
        const unsigned flags = ports[i].flags;
        mr_buffer_printf(out, "  %-18s %-18s %s%s  %s\n", ports[i].name, ports[i].schema->name,
                         (flags & MR_PORT_TABLE) != 0 ? "table" : "stream",
                         (flags & MR_PORT_OPTIONAL) != 0 ? ", optional" : "",
                         or_nothing(ports[i].help));
    }
}

static void write_options(const struct mr_option *options, size_t count, struct mr_buffer *out)
{
    mr_buffer_printf(out, "options%s\n", count == 0 ? "\n  -" : "");
    for (size_t i = 0; i < count; i++) {
        const struct mr_option *option = &options[i];
        struct mr_buffer range = MR_BUFFER_EMPTY;

        options_doc_range(option, &range);
        mr_buffer_append(&range, "", 1);
        mr_buffer_printf(
            out, "  %-18s %-18s %s%s%s%s\n", option->name, args_type_name(option->type),
            option->fallback != NULL ? "default " : "required", or_nothing(option->fallback),
            range.len > 1 ? ", " : "", (const char *)range.data);
        mr_buffer_printf(out, "  %-18s %s\n", "", option->help);
        mr_buffer_fini(&range);
    }
}

static void write_stage(const struct mr_stage *stage, struct mr_buffer *out)
{
    mr_buffer_printf(out, "stage type %s: %s\n", stage->name, or_nothing(stage->help));
    write_ports("in", stage->in, stage->in_count, out);
    write_ports("out", stage->out, stage->out_count, out);
    mr_buffer_printf(out, "stores%s\n", stage->store_count == 0 ? "\n  -" : "");
    for (size_t i = 0; i < stage->store_count; i++) {
        mr_buffer_printf(out, "  %-18s %-18s %s\n", stage->stores[i].name,
                         stage->stores[i].schema->name, or_nothing(stage->stores[i].help));
    }
    write_options(stage->options, stage->option_count, out);
}

static void write_sink(const struct mr_sink_type *sink, struct mr_buffer *out)
{
    mr_buffer_printf(out, "connector type %s: %s\nwrites\n  ", sink->name, or_nothing(sink->help));
    for (size_t i = 0; sink->schemas[i] != NULL; i++) {
        mr_buffer_printf(out, "%s%s", i == 0 ? "" : ", ", sink->schemas[i]);
    }
    mr_buffer_printf(out, "\n");
    write_options(sink->options, sink->option_count, out);
}

void type_describe_text(const struct type_found *found, struct mr_buffer *out)
{
    if (found->stage != NULL) {
        write_stage(found->stage, out);
    }
    if (found->stage != NULL && found->sink != NULL) {
        mr_buffer_printf(out, "\n");
    }
    if (found->sink != NULL) {
        write_sink(found->sink, out);
    }
}

/* ---- JSON */

static json_t *ports_json(const struct mr_port *ports, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const unsigned flags = ports[i].flags;
        (void)json_array_append_new(
            list, json_pack("{s:s,s:s,s:b,s:b,s:b,s:b,s:s?}", "port", ports[i].name, "schema",
                            ports[i].schema->name, "table", (int)((flags & MR_PORT_TABLE) != 0),
                            "optional", (int)((flags & MR_PORT_OPTIONAL) != 0), "tombstones",
                            (int)((flags & MR_PORT_TOMBSTONES) != 0), "latest",
                            (int)((flags & MR_PORT_LATEST) != 0), "help", ports[i].help));
    }
    return list;
}

static json_t *stores_json(const struct mr_stage *stage)
{
    json_t *list = json_array();

    for (size_t i = 0; i < stage->store_count; i++) {
        (void)json_array_append_new(list, json_pack("{s:s,s:s,s:s?}", "name", stage->stores[i].name,
                                                    "schema", stage->stores[i].schema->name, "help",
                                                    stage->stores[i].help));
    }
    return list;
}

static json_t *texts_json(const char *const *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; texts[i] != NULL; i++) {
        (void)json_array_append_new(list, json_string(texts[i]));
    }
    return list;
}

/* Bounds in the stored unit, as `describe FILE --json` gives values. */
static json_t *options_json(const struct mr_option *options, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct mr_option *option = &options[i];
        json_t *item =
            json_pack("{s:s,s:s,s:b,s:s?,s:s}", "name", option->name, "type",
                      args_type_name(option->type), "required", (int)(option->fallback == NULL),
                      "default", option->fallback, "help", option->help);

        if (option->type == MR_OPTION_ENUM) {
            (void)json_object_set_new(item, "choices", texts_json(option->symbols));
        } else if (option->min != 0 || option->max != 0) {
            (void)json_object_set_new(item, "min", json_integer(option->min));
            (void)json_object_set_new(item, "max", json_integer(option->max));
        }
        (void)json_array_append_new(list, item);
    }
    return list;
}

static json_t *stage_json(const struct mr_stage *stage)
{
    return json_pack("{s:s,s:s,s:s?,s:o,s:o,s:o,s:o}", "kind", "stage", "name", stage->name, "help",
                     stage->help, "in", ports_json(stage->in, stage->in_count), "out",
                     ports_json(stage->out, stage->out_count), "stores", stores_json(stage),
                     "options", options_json(stage->options, stage->option_count));
}

static json_t *sink_json(const struct mr_sink_type *sink)
{
    return json_pack("{s:s,s:s,s:s?,s:o,s:o}", "kind", "connector", "name", sink->name, "help",
                     sink->help, "schemas", texts_json(sink->schemas), "options",
                     options_json(sink->options, sink->option_count));
}

void type_describe_json(const struct type_found *found, struct mr_buffer *out)
{
    json_t *root = NULL;

    if (found->stage != NULL && found->sink != NULL) {
        root = json_pack("{s:o,s:o}", "stage", stage_json(found->stage), "connector",
                         sink_json(found->sink));
    } else {
        root = found->stage != NULL ? stage_json(found->stage) : sink_json(found->sink);
    }
    char *text = json_dumps(root, JSON_INDENT(2));
    MR_ASSERT(text != NULL);
    mr_buffer_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}
