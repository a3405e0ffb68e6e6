/*
 * verify_stores.c -- adapts the readers of connectors/documentdb and connectors/redis to
 * verify_sink.h.
 */
#include "verify_stores.h"

#include "connectors/documentdb/documentdb_read.h"
#include "connectors/redis/redis_read.h"

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

static enum mr_status each_document(void *arg, const struct verify_query *query,
                                    verify_document_visit *visit, void *visit_arg,
                                    struct mr_err *err)
{
    const struct documentdb_query asked = {
        .collection = query->collection, .field = query->field, .prefix = query->prefix};

    return documentdb_reader_each(arg, &asked, visit, visit_arg, err);
}

static enum mr_status fetch_keys(void *arg, const char *const *keys, size_t count,
                                 verify_key_visit *visit, void *visit_arg, struct mr_err *err)
{
    return redis_reader_fetch(arg, keys, count, visit, visit_arg, err);
}

enum mr_status verify_stores_open(const struct mr_topology *topology, struct verify_stores *stores,
                                  struct mr_err *err)
{
    const char *uri = option_of(topology, "documentdb", "uri");
    const char *database = option_of(topology, "documentdb", "database");
    const char *url = option_of(topology, "redis", "url");

    *stores = (struct verify_stores){0};
    if (uri != NULL && database != NULL) {
        struct documentdb_reader *reader = NULL;

        MR_TRY(documentdb_reader_open(uri, database, &reader, err));
        stores->document_reader = reader;
        stores->documents = (struct verify_documents){.arg = reader, .each = each_document};
        stores->has_documents = true;
    }
    if (url != NULL) {
        struct redis_reader *reader = NULL;

        MR_TRY(redis_reader_open(url, &reader, err));
        stores->key_reader = reader;
        stores->keys = (struct verify_keys){.arg = reader, .fetch = fetch_keys};
        stores->has_keys = true;
    }
    return MR_OK;
}

void verify_stores_close(struct verify_stores *stores)
{
    if (stores->document_reader != NULL) {
        struct documentdb_reader *reader = stores->document_reader;

        documentdb_reader_close(&reader);
    }
    if (stores->key_reader != NULL) {
        struct redis_reader *reader = stores->key_reader;

        redis_reader_close(&reader);
    }
    *stores = (struct verify_stores){0};
}
