/* replay_registry.c -- see replay_registry.h. */
#include "replay_registry.h"

#include "millrace/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* No registry counts so far. */
#define FIRST_ID (INT32_C(1) << 30)

struct replay_registry {
    struct mr_registry base;
    struct mr_registry *real;
    pthread_mutex_t mutex; /* protects what follows */
    char **schemas;        /* FIRST_ID is schemas[0] */
    size_t count;
};

static struct replay_registry *self_of(struct mr_registry *registry)
{
    return (struct replay_registry *)registry;
}

static int32_t own_id(struct replay_registry *self, const char *json)
{
    size_t at = 0;

    MR_ASSERT(pthread_mutex_lock(&self->mutex) == 0);
    while (at < self->count && strcmp(self->schemas[at], json) != 0) {
        at++;
    }
    if (at == self->count) {
        self->schemas = mr_xrealloc(self->schemas, (self->count + 1) * sizeof(char *));
        self->schemas[self->count++] = mr_xstrdup(json);
    }
    MR_ASSERT(pthread_mutex_unlock(&self->mutex) == 0);
    return FIRST_ID + (int32_t)at;
}

static enum mr_status lookup(struct mr_registry *registry, const char *subject, const char *json,
                             int32_t *id, struct mr_err *err)
{
    struct mr_registry *real = self_of(registry)->real;

    return real->ops->lookup(real, subject, json, id, err);
}

static enum mr_status register_schema(struct mr_registry *registry, const char *subject,
                                      const char *json, int32_t *id, struct mr_err *err)
{
    const enum mr_status status = lookup(registry, subject, json, id, err);

    if (status == MR_SCHEMA_UNKNOWN) {
        *id = own_id(self_of(registry), json);
        return MR_OK;
    }
    return status;
}

static enum mr_status schema_by_id(struct mr_registry *registry, int32_t id, char **json,
                                   struct mr_err *err)
{
    struct replay_registry *self = self_of(registry);
    const size_t at = (size_t)id - (size_t)FIRST_ID;

    *json = NULL;
    MR_ASSERT(pthread_mutex_lock(&self->mutex) == 0);
    if (id >= FIRST_ID && at < self->count) {
        *json = mr_xstrdup(self->schemas[at]);
    }
    MR_ASSERT(pthread_mutex_unlock(&self->mutex) == 0);
    return *json != NULL ? MR_OK : self->real->ops->schema_by_id(self->real, id, json, err);
}

static enum mr_status compatible(struct mr_registry *registry, const char *subject,
                                 const char *json, bool *yes, struct mr_err *err)
{
    struct mr_registry *real = self_of(registry)->real;

    return real->ops->compatible(real, subject, json, yes, err);
}

static enum mr_status set_compatibility(struct mr_registry *registry, const char *subject,
                                        const char *level, struct mr_err *err)
{
    (void)registry;
    return mr_fail(err, MR_CONFIG, "%s to %s: this registry is only read", subject, level);
}

static void destroy(struct mr_registry *registry)
{
    struct replay_registry *self = self_of(registry);

    for (size_t i = 0; i < self->count; i++) {
        free(self->schemas[i]);
    }
    free(self->schemas);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

struct mr_registry *replay_registry_create(struct mr_registry *real)
{
    static const struct mr_registry_ops ops = {
        .register_schema = register_schema,
        .lookup = lookup,
        .schema_by_id = schema_by_id,
        .compatible = compatible,
        .set_compatibility = set_compatibility,
        .destroy = destroy,
    };
    struct replay_registry *self = mr_xcalloc(1, sizeof(*self));

    self->base.ops = &ops;
    self->real = real;
    MR_ASSERT(pthread_mutex_init(&self->mutex, NULL) == 0);
    return &self->base;
}
