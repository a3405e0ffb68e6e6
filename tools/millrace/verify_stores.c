/*
 * verify_stores.c -- adapts the readers of connectors/documentdb and connectors/redis to
 * verify_sink.h.
 *
 * MR_DOCUMENTDB_READ, MR_REDIS_READ: set by load.cmake when those readers are built.
 */
#include "verify_stores.h"

#ifdef MR_DOCUMENTDB_READ
#include "connectors/documentdb/documentdb_read.h"
#endif
#ifdef MR_REDIS_READ
#include "connectors/redis/redis_read.h"
#endif

#if defined(MR_DOCUMENTDB_READ) || defined(MR_REDIS_READ)
/* A string option of the first connector of a type; NULL when there is none. */
static const char *option_of(const struct mr_topology *topology, const char *type, const char *name)
{
    for (size_t c = 0; c < topology->connector_count; c++) {
        const struct mr_connector_node *node = &topology->connectors[c];

        if (strcmp(node->type->name, type) != 0) {
            continue;
        }
        for (size_t i = 0; i < node->type->option_count; i++) {
            const struct mr_option *option = &node->type->options[i];

            if (option->type == MR_OPTION_STRING && strcmp(option->name, name) == 0) {
                const char *value;

                memcpy(&value, (const uint8_t *)node->options + option->offset, sizeof value);
                return value;
            }
        }
    }
    return NULL;
}
#endif

#ifdef MR_DOCUMENTDB_READ
static enum mr_status each_document(void *arg, const char *collection, const char *field,
                                    const char *prefix, verify_document_visit *visit,
                                    void *visit_arg, struct mr_err *err)
{
    return documentdb_read_each(arg, collection, field, prefix, visit, visit_arg, err);
}
#endif

#ifdef MR_REDIS_READ
static enum mr_status fetch_keys(void *arg, const char *const *keys, size_t count,
                                 verify_key_visit *visit, void *visit_arg, struct mr_err *err)
{
    return redis_read_fetch(arg, keys, count, visit, visit_arg, err);
}
#endif

enum mr_status verify_stores_open(const struct mr_topology *topology, struct verify_stores *stores,
                                  struct mr_err *err)
{
    *stores = (struct verify_stores){0};
    (void)topology;
    (void)err;
#ifdef MR_DOCUMENTDB_READ
    const char *uri = option_of(topology, "documentdb", "uri");
    const char *database = option_of(topology, "documentdb", "database");

    if (uri != NULL && database != NULL) {
        struct documentdb_reader *reader = NULL;

        MR_TRY(documentdb_read_open(uri, database, &reader, err));
        stores->document_reader = reader;
        stores->documents = (struct verify_documents){.arg = reader, .each = each_document};
        stores->has_documents = true;
    }
#endif
#ifdef MR_REDIS_READ
    const char *url = option_of(topology, "redis", "url");

    if (url != NULL) {
        struct redis_reader *reader = NULL;

        MR_TRY(redis_read_open(url, &reader, err));
        stores->key_reader = reader;
        stores->keys = (struct verify_keys){.arg = reader, .fetch = fetch_keys};
        stores->has_keys = true;
    }
#endif
    return MR_OK;
}

void verify_stores_close(struct verify_stores *stores)
{
#ifdef MR_DOCUMENTDB_READ
    if (stores->document_reader != NULL) {
        struct documentdb_reader *reader = stores->document_reader;

        documentdb_read_close(&reader);
    }
#endif
#ifdef MR_REDIS_READ
    if (stores->key_reader != NULL) {
        struct redis_reader *reader = stores->key_reader;

        redis_read_close(&reader);
    }
#endif
    *stores = (struct verify_stores){0};
}
