/*
 * modules.c -- stages from shared objects: `type: ./throttle.so`, or `./all.so#throttle` of
 * several.
 *
 * How: a type with a slash is a path, relative to the topology's file. Each file is opened once,
 *      before the topics are read, because a module may bring records. How one is opened is the
 *      catalog's affair (load_module). A record that both sides have must have one layout: their
 *      structs are handed over in memory.
 */
#include "build.h"

#include <inttypes.h>

struct module_ref {
    const char *file;                     /* as written, without #stage */
    const struct mr_stage_module *module; /* NULL: it was refused, which was reported */
};

bool build_is_module(const char *type)
{
    return strchr(type, '/') != NULL;
}

static char *file_of(struct build *b, const char *type)
{
    return build_printf(b, "%.*s", (int)strcspn(type, "#"), type);
}

/* Relative to the directory of the topology's file. */
static const char *path_of(struct build *b, const char *file)
{
    const char *topology = b->topology->file;
    const char *slash = strrchr(topology, '/');

    if (file[0] == '/' || slash == NULL) {
        return file;
    }
    return build_printf(b, "%.*s/%s", (int)(slash - topology), topology, file);
}

/* ---- records --------------------------------------------------------------------------------- */

/* The record of that full name that the program or an earlier module has. */
static const struct mr_schema *known_schema(const struct build *b, const char *full_name)
{
    for (size_t i = 0; i < b->catalog->schema_count; i++) {
        if (strcmp(b->catalog->schemas[i]->full_name, full_name) == 0) {
            return b->catalog->schemas[i];
        }
    }
    for (size_t m = 0; m < b->module_count; m++) {
        const struct mr_stage_module *module = b->modules[m].module;

        for (size_t i = 0; module != NULL && i < module->schema_count; i++) {
            if (strcmp(module->schemas[i]->full_name, full_name) == 0) {
                return module->schemas[i];
            }
        }
    }
    return NULL;
}

static bool same_layout(struct build *b, const struct node *type, const struct mr_schema *theirs,
                        const char *owner)
{
    const struct mr_schema *ours = known_schema(b, theirs->full_name);

    if (ours == NULL || mr_schema_fingerprint(ours) == mr_schema_fingerprint(theirs)) {
        return true;
    }
    problem_add(b->problems, type->position,
                "%s: %s has another %s than this program: fingerprint %016" PRIx64
                ", here %016" PRIx64 "; build the module with this program's SDK (make sdk)",
                type->text, owner, theirs->name, mr_schema_fingerprint(theirs),
                mr_schema_fingerprint(ours));
    return false;
}

static bool same_layouts(struct build *b, const struct node *type,
                         const struct mr_stage_module *module)
{
    bool same = true;

    for (size_t i = 0; i < module->schema_count; i++) {
        same = same_layout(b, type, module->schemas[i], "it") && same;
    }
    for (size_t s = 0; s < module->stage_count; s++) {
        const struct mr_stage *stage = module->stages[s];

        for (size_t i = 0; i < stage->in_count; i++) {
            same = same_layout(b, type, stage->in[i].schema,
                               build_printf(b, "in port %.80s", stage->in[i].name)) &&
                   same;
        }
        for (size_t i = 0; i < stage->out_count; i++) {
            same = same_layout(b, type, stage->out[i].schema,
                               build_printf(b, "out port %.80s", stage->out[i].name)) &&
                   same;
        }
        for (size_t i = 0; i < stage->store_count; i++) {
            same = same_layout(b, type, stage->stores[i].schema,
                               build_printf(b, "store %.80s", stage->stores[i].name)) &&
                   same;
        }
    }
    return same;
}

const struct mr_schema *build_module_schema(struct build *b, const char *name,
                                            struct suggest *suggest)
{
    for (size_t m = 0; m < b->module_count; m++) {
        const struct mr_stage_module *module = b->modules[m].module;

        for (size_t i = 0; module != NULL && i < module->schema_count; i++) {
            if (strcmp(module->schemas[i]->name, name) == 0) {
                return module->schemas[i];
            }
            suggest_offer(suggest, module->schemas[i]->name);
        }
    }
    return NULL;
}

/* ---- opening --------------------------------------------------------------------------------- */

static const struct module_ref *find_ref(const struct build *b, const char *file)
{
    for (size_t i = 0; i < b->module_count; i++) {
        if (strcmp(b->modules[i].file, file) == 0) {
            return &b->modules[i];
        }
    }
    return NULL;
}

static const struct mr_stage_module *open_module(struct build *b, const struct node *type,
                                                 const char *file)
{
    const struct mr_stage_module *module = NULL;
    struct mr_err err = {0};

    if (b->catalog->load_module == NULL) {
        problem_add(b->problems, type->position,
                    "%s: stages from files are not opened here; name a stage of the program",
                    type->text);
        return NULL;
    }
    if (b->catalog->load_module(path_of(b, file), &module, &err) != MR_OK) {
        problem_add(b->problems, type->position, "%s", err.text);
        return NULL;
    }
    return same_layouts(b, type, module) ? module : NULL;
}

void build_modules(struct build *b, const struct node *root)
{
    const struct node *stages = tree_get(root, "stages");

    if (stages == NULL || stages->kind != NODE_MAP) {
        return;
    }
    b->modules = build_alloc(b, stages->count + 1, sizeof(*b->modules));
    for (size_t i = 0; i < stages->count; i++) {
        const struct node *type = tree_get(stages->entries[i].value, "type");

        if (type == NULL || type->kind != NODE_SCALAR || type->faulty ||
            !build_is_module(type->text)) {
            continue;
        }
        const char *file = file_of(b, type->text);
        if (find_ref(b, file) == NULL) {
            const struct mr_stage_module *module = open_module(b, type, file);

            b->modules[b->module_count++] = (struct module_ref){.file = file, .module = module};
        }
    }
}

const struct mr_stage *build_module_stage(struct build *b, const struct node *type)
{
    const struct module_ref *ref = find_ref(b, file_of(b, type->text));
    const char *name = strchr(type->text, '#');
    struct suggest suggest;

    if (ref == NULL || ref->module == NULL) {
        return NULL;
    }
    if (name == NULL && ref->module->stage_count == 1) {
        return ref->module->stages[0];
    }
    name = name == NULL ? "" : name + 1;
    suggest_init(&suggest, name);
    for (size_t i = 0; i < ref->module->stage_count; i++) {
        if (strcmp(ref->module->stages[i]->name, name) == 0) {
            return ref->module->stages[i];
        }
        suggest_offer(&suggest, ref->module->stages[i]->name);
    }
    if (name[0] == '\0') {
        problem_add(b->problems, type->position, "%s has several stages: write %s#NAME%s",
                    ref->file, ref->file, suggest_text(&suggest));
    } else {
        problem_add(b->problems, type->position, "%s has no stage \"%s\"%s", ref->file, name,
                    suggest_text(&suggest));
    }
    return NULL;
}
