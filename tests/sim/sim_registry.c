/* sim_registry.c -- see sim_state.h: a registry that is away now and then. */
#include "millrace/arena.h"
#include "sim_state.h"

#include <stdlib.h>
#include <string.h>

/* What was registered: every process registers everything when it starts. */
struct known {
    char *subject;
    const char *json; /* the schema's own text: the pointer is its identity */
    int32_t id;
};

struct sim_registry {
    struct mr_registry base;
    struct mr_registry *inner;
    const bool *down;
    struct known *known;
    size_t known_count;
};

static enum mr_status reach(struct mr_registry *base, struct mr_registry **inner,
                            struct mr_err *err)
{
    const struct sim_registry *registry = (const struct sim_registry *)base;

    *inner = registry->inner;
    return *registry->down ? mr_fail(err, MR_UNAVAILABLE, "registry: told not to answer") : MR_OK;
}

static enum mr_status register_schema(struct mr_registry *base, const char *subject,
                                      const char *json, int32_t *id, struct mr_err *err)
{
    struct sim_registry *registry = (struct sim_registry *)base;
    struct mr_registry *inner;

    MR_TRY(reach(base, &inner, err));
    for (size_t i = 0; i < registry->known_count; i++) {
        if (registry->known[i].json == json && strcmp(registry->known[i].subject, subject) == 0) {
            *id = registry->known[i].id;
            return MR_OK;
        }
    }
    MR_TRY(inner->ops->register_schema(inner, subject, json, id, err));
    registry->known =
        mr_xrealloc(registry->known, (registry->known_count + 1) * sizeof(*registry->known));
    registry->known[registry->known_count++] =
        (struct known){.subject = mr_xstrdup(subject), .json = json, .id = *id};
    return MR_OK;
}

static enum mr_status lookup(struct mr_registry *base, const char *subject, const char *json,
                             int32_t *id, struct mr_err *err)
{
    struct mr_registry *inner;

    MR_TRY(reach(base, &inner, err));
    return inner->ops->lookup(inner, subject, json, id, err);
}

static enum mr_status schema_by_id(struct mr_registry *base, int32_t id, char **json,
                                   struct mr_err *err)
{
    struct mr_registry *inner;

    MR_TRY(reach(base, &inner, err));
    return inner->ops->schema_by_id(inner, id, json, err);
}

static enum mr_status compatible(struct mr_registry *base, const char *subject, const char *json,
                                 bool *answer, struct mr_err *err)
{
    struct mr_registry *inner;

    MR_TRY(reach(base, &inner, err));
    return inner->ops->compatible(inner, subject, json, answer, err);
}

static enum mr_status versions(struct mr_registry *base, const char *subject, int32_t **numbers,
                               size_t *count, struct mr_err *err)
{
    struct mr_registry *inner;

    MR_TRY(reach(base, &inner, err));
    return inner->ops->versions(inner, subject, numbers, count, err);
}

static enum mr_status schema_of_version(struct mr_registry *base, const char *subject,
                                        int32_t version, char **json, struct mr_err *err)
{
    struct mr_registry *inner;

    MR_TRY(reach(base, &inner, err));
    return inner->ops->schema_of_version(inner, subject, version, json, err);
}

static enum mr_status set_compatibility(struct mr_registry *base, const char *subject,
                                        const char *level, struct mr_err *err)
{
    struct mr_registry *inner;

    MR_TRY(reach(base, &inner, err));
    return inner->ops->set_compatibility(inner, subject, level, err);
}

static void destroy(struct mr_registry *base)
{
    struct sim_registry *registry = (struct sim_registry *)base;

    mr_registry_destroy(&registry->inner);
    for (size_t i = 0; i < registry->known_count; i++) {
        free(registry->known[i].subject);
    }
    free(registry->known);
    free(registry);
}

struct mr_registry *sim_registry_create(const bool *down)
{
    static const struct mr_registry_ops ops = {
        .register_schema = register_schema,
        .lookup = lookup,
        .schema_by_id = schema_by_id,
        .compatible = compatible,
        .versions = versions,
        .schema_of_version = schema_of_version,
        .set_compatibility = set_compatibility,
        .destroy = destroy,
    };
    struct sim_registry *registry = mr_xcalloc(1, sizeof(*registry));

    registry->base.ops = &ops;
    registry->inner = mr_registry_memory_create();
    registry->down = down;
    return &registry->base;
}
