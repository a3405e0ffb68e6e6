/*
 * registry.h -- the schema registry as the codec sees it.
 *
 * Implementations: connectors/registry (a Confluent-compatible server over HTTP) and
 * mr_registry_memory (one process, for `make try` and tests).
 * Thread: every call may come from any thread; implementations lock.
 * Errors: MR_UNAVAILABLE when the server does not answer, MR_SCHEMA_UNKNOWN for an id or subject it
 *         does not have, MR_EXISTS when a schema is refused as incompatible, MR_CONFIG otherwise.
 */
#ifndef MILLRACE_REGISTRY_H
#define MILLRACE_REGISTRY_H

#include "millrace/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mr_registry;

struct mr_registry_ops {
    /* Registers json under subject, or finds it there; idempotent. */
    enum mr_status (*register_schema)(struct mr_registry *registry, const char *subject,
                                      const char *json, int32_t *id, struct mr_err *err);
    /* Id of json under subject without registering; MR_SCHEMA_UNKNOWN when it is not there. */
    enum mr_status (*lookup)(struct mr_registry *registry, const char *subject, const char *json,
                             int32_t *id, struct mr_err *err);
    /* The text of a schema; *json is malloc'd and the caller's to free. */
    enum mr_status (*schema_by_id)(struct mr_registry *registry, int32_t id, char **json,
                                   struct mr_err *err);
    /* Would json be accepted as the next version of subject? True for a new subject. */
    enum mr_status (*compatible)(struct mr_registry *registry, const char *subject,
                                 const char *json, bool *compatible, struct mr_err *err);
    /*
     * The version numbers of a subject, oldest first; *versions is malloc'd and the caller's to
     * free. None for a subject that the registry does not have.
     */
    enum mr_status (*versions)(struct mr_registry *registry, const char *subject,
                               int32_t **versions, size_t *count, struct mr_err *err);
    /* The text of one of them; *json is malloc'd and the caller's to free. */
    enum mr_status (*schema_of_version)(struct mr_registry *registry, const char *subject,
                                        int32_t version, char **json, struct mr_err *err);
    /* Sets the compatibility level of one subject, for example "BACKWARD". */
    enum mr_status (*set_compatibility)(struct mr_registry *registry, const char *subject,
                                        const char *level, struct mr_err *err);
    void (*destroy)(struct mr_registry *registry);
};

/* First member of every implementation. */
struct mr_registry {
    const struct mr_registry_ops *ops;
};

struct mr_registry *mr_registry_memory_create(void);
static inline void mr_registry_destroy(struct mr_registry **registry)
{
    if (*registry != NULL) {
        (*registry)->ops->destroy(*registry);
        *registry = NULL;
    }
}

#endif
