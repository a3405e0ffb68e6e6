/* subjects.c -- see subjects.h. */
#include "subjects.h"

#include "avro/catalog.h"
#include "module_load.h"
#include "production_text.h"
#include "registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SCHEMAS_MAX 512

static const struct mr_stage *stages[SUBJECTS_MAX];
static const struct mr_schema *schemas[SCHEMAS_MAX];
static struct mr_catalog catalog = {.stages = stages, .schemas = schemas};
static struct mr_topology *production; /* NULL: it has other stages */

static void add_stage(const struct mr_stage *stage)
{
    const char *only = getenv("MILLRACE_STAGE");

    if (only != NULL && strcmp(only, stage->name) != 0) {
        return;
    }
    MR_ASSERT(catalog.stage_count < SUBJECTS_MAX);
    stages[catalog.stage_count++] = stage;
}

static void add_schemas(const struct mr_schema *const *more, size_t count)
{
    MR_ASSERT(catalog.schema_count + count <= SCHEMAS_MAX);
    for (size_t i = 0; i < count; i++) {
        schemas[catalog.schema_count++] = more[i];
    }
}

static void add_module(const char *path)
{
    const struct mr_stage_module *module = NULL;
    struct mr_err err = {0};

    if (module_load(path, &module, &err) != MR_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < module->stage_count; i++) {
        add_stage(module->stages[i]);
    }
    add_schemas(module->schemas, module->schema_count);
}

static void load_production(void)
{
    const struct mr_catalog own = {.stages = mr_stages,
                                   .stage_count = mr_stage_count,
                                   .schemas = oms_schemas,
                                   .schema_count = oms_schema_count};
    char *text = production_text();
    struct mr_problems problems = {0};
    struct mr_err err = {0};

    production_drop_section(text, "connectors:");
    /* It does not load where the registered stages are others: toys. */
    if (mr_topology_load_text("topology.yaml", mr_slice_str(text), &own, &production, &problems,
                              &err) != MR_OK) {
        production = NULL;
    }
    mr_problems_fini(&problems);
    free(text);
}

static void free_production(void)
{
    mr_topology_destroy(&production);
}

void subjects_init(int argc, char **argv)
{
    add_schemas(oms_schemas, oms_schema_count);
    for (size_t i = 0; argc < 2 && i < mr_stage_count; i++) {
        add_stage(mr_stages[i]);
    }
    for (int i = 1; i < argc; i++) {
        add_module(argv[i]);
    }
    if (catalog.stage_count == 0) {
        (void)fprintf(stderr, "there is no stage to look at\n");
        exit(EXIT_FAILURE);
    }
    load_production();
    (void)atexit(free_production);
}

int subject_count(void)
{
    return (int)catalog.stage_count;
}

const struct mr_stage *subject(int index)
{
    MR_ASSERT(index >= 0 && (size_t)index < catalog.stage_count);
    return stages[index];
}

const struct mr_catalog *subject_catalog(void)
{
    return &catalog;
}

static bool has_field(const struct mr_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

const char *subject_key(const struct mr_stage *type, bool out, size_t port)
{
    const struct mr_schema *schema = out ? type->out[port].schema : type->in[port].schema;

    for (size_t i = 0; production != NULL && i < production->stage_count; i++) {
        const struct mr_stage_node *node = &production->stages[i];

        if (node->type == type) {
            const size_t topic = out ? node->out[port].topic : node->in[port].topic;

            if (topic != MR_UNBOUND) {
                return production->topics[topic].key;
            }
        }
    }
    return has_field(schema, "userId")   ? "userId"
           : has_field(schema, "symbol") ? "symbol"
                                         : schema->fields[0].name;
}

/* ---- options --------------------------------------------------------------------------------- */

bool subject_option_bounded(const struct mr_option *option)
{
    return option->type != MR_OPTION_BOOL && option->type != MR_OPTION_STRING &&
           option->type != MR_OPTION_ENUM && (option->min != 0 || option->max != 0);
}

const char *subject_option_text(const struct mr_option *option, int64_t value, char text[64])
{
    const char *sign = value < 0 ? "-" : "";
    const int64_t size = value < 0 ? -value : value;

    switch (option->type) {
    case MR_OPTION_DURATION:
    case MR_OPTION_DURATIONS:
        snprintf(text, 64, "%s%" PRId64 "us", sign, size);
        break;
    case MR_OPTION_RATE:
        snprintf(text, 64, "%s%" PRId64 ".%06" PRId64 "/s", sign, size / 1000000, size % 1000000);
        break;
    case MR_OPTION_RATIO:
        snprintf(text, 64, "%s%" PRId64 ".%04" PRId64 "%%", sign, size / 10000, size % 10000);
        break;
    case MR_OPTION_SIZE:
    case MR_OPTION_INT:
    case MR_OPTION_BOOL:
    case MR_OPTION_STRING:
    case MR_OPTION_ENUM:
        snprintf(text, 64, "%" PRId64, value);
        break;
    }
    return text;
}
