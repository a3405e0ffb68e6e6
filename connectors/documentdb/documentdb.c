/*
 * documentdb.c -- see documentdb.h: the connection, the indexes, and the batch through its plans.
 *
 * Why no retryable writes by default: DocumentDB before 8.0.2 and standalone servers refuse them,
 * and the runner repeats a batch anyway. Timeouts that the URI leaves open come from the option,
 * because the driver's own (five minutes) would cost the member its place in the group.
 */
#include "documentdb.h"

#include "document_error.h"
#include "document_write.h"
#include "millrace/arena.h"
#include "millrace/logger.h"

#include <pthread.h>
#include <stdlib.h>

#define PLANS_MAX MR_COUNT(((struct document_shape *)NULL)->plans)
#define CONNECT_US_MAX (5 * MR_SECOND_US)

struct documentdb {
    mongoc_client_t *client;
    const struct document_shape *shape;
    mongoc_collection_t *collections[2];
    struct document_writer writer;
};

struct documentdb_state {
    const char *uri;
    const char *database;
    int64_t timeout_us;
    struct documentdb *open;
    char address[256];
};

static const struct mr_option OPTIONS[] = {
    {.name = "uri",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct documentdb_state, uri),
     .help =
         "mongodb:// or mongodb+srv:// address; w and retryWrites in it win over majority and off"},
    {.name = "database",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct documentdb_state, database),
     .fallback = "oms",
     .help = "Database whose collections are written"},
    {.name = "timeout",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct documentdb_state, timeout_us),
     .fallback = "10s",
     .min = 100 * MR_MS_US,
     .max = 5 * MR_MINUTE_US,
     .help = "How long one answer may take before the batch is sent again"},
};

/* ---- the library ---- */

static void log_line(mongoc_log_level_t level, const char *domain, const char *text, void *arg)
{
    (void)arg;
    if (level <= MONGOC_LOG_LEVEL_WARNING) {
        mr_warn("documentdb_client", "part=%s text=\"%s\"", domain, text);
    }
}

static void start_library(void)
{
    mongoc_init();
    mongoc_log_set_handler(log_line, NULL);
}

/* ---- opening ---- */

static void append_address(struct documentdb_state *self, const char *text)
{
    const size_t used = strlen(self->address);
    const size_t room = sizeof(self->address) - 1 - used;
    const size_t len = strlen(text) < room ? strlen(text) : room;

    memcpy(self->address + used, text, len);
    self->address[used + len] = '\0';
}

static void name_address(struct documentdb_state *self, const mongoc_uri_t *uri)
{
    const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri);

    self->address[0] = '\0';
    if (host == NULL && mongoc_uri_get_srv_hostname(uri) != NULL) {
        append_address(self, mongoc_uri_get_srv_hostname(uri));
    }
    for (; host != NULL; host = host->next) {
        append_address(self, self->address[0] == '\0' ? "" : ",");
        append_address(self, host->host_and_port);
    }
}

static void default_ms(mongoc_uri_t *uri, const char *name, int64_t us)
{
    if (!mongoc_uri_has_option(uri, name)) {
        MR_ASSERT(mongoc_uri_set_option_as_int32(uri, name, (int32_t)(us / MR_MS_US)));
    }
}

static void set_defaults(mongoc_uri_t *uri, int64_t timeout_us)
{
    const int64_t connect_us = timeout_us < CONNECT_US_MAX ? timeout_us : CONNECT_US_MAX;

    default_ms(uri, MONGOC_URI_SOCKETTIMEOUTMS, timeout_us);
    default_ms(uri, MONGOC_URI_CONNECTTIMEOUTMS, connect_us);
    default_ms(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, connect_us);
    if (!mongoc_uri_has_option(uri, MONGOC_URI_RETRYWRITES)) {
        MR_ASSERT(mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false));
    }
    if (!mongoc_uri_has_option(uri, MONGOC_URI_W)) {
        mongoc_write_concern_t *majority = mongoc_write_concern_new();

        mongoc_write_concern_set_w(majority, MONGOC_WRITE_CONCERN_W_MAJORITY);
        mongoc_uri_set_write_concern(uri, majority);
        mongoc_write_concern_destroy(majority);
    }
}

static enum mr_status connect_client(struct documentdb_state *self, struct mr_err *err)
{
    bson_error_t error = {0};
    mongoc_uri_t *uri = mongoc_uri_new_with_error(self->uri, &error);
    mongoc_client_t *client;

    if (uri == NULL) {
        return mr_fail(err, MR_CONFIG, "option uri is no document store's address: %.250s",
                       error.message);
    }
    name_address(self, uri);
    set_defaults(uri, self->timeout_us);
    client = mongoc_client_new_from_uri_with_error(uri, &error);
    mongoc_uri_destroy(uri);
    if (client == NULL) {
        return mr_fail(err, MR_CONFIG, "document store %s: %.250s", self->address, error.message);
    }
    MR_ASSERT(mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2));
    (void)mongoc_client_set_appname(client, "millrace");
    self->open->client = client;
    return MR_OK;
}

static void append_index(bson_t *indexes, size_t position, const struct document_index *index)
{
    bson_t item, keys;
    char buffer[16];
    const char *key;

    bson_uint32_to_string((uint32_t)position, &key, buffer, sizeof(buffer));
    MR_ASSERT(bson_append_document_begin(indexes, key, -1, &item));
    MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(&item, "key", &keys));
    for (size_t i = 0; i < MR_COUNT(index->keys) && index->keys[i].field != NULL; i++) {
        MR_ASSERT(bson_append_int32(&keys, index->keys[i].field, -1, index->keys[i].direction));
    }
    MR_ASSERT(bson_append_document_end(&item, &keys));
    MR_ASSERT(BSON_APPEND_UTF8(&item, "name", index->name));
    if (index->unique) {
        MR_ASSERT(BSON_APPEND_BOOL(&item, "unique", true));
    }
    MR_ASSERT(bson_append_document_end(indexes, &item));
}

/* createIndexes changes nothing when they exist. */
static enum mr_status create_indexes(struct documentdb_state *self,
                                     const struct document_plan *plan, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    bson_error_t error = {0};
    bson_t command, indexes;

    bson_init(&command);
    MR_ASSERT(BSON_APPEND_UTF8(&command, "createIndexes", plan->collection));
    MR_ASSERT(BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &indexes));
    for (size_t i = 0; i < plan->index_count; i++) {
        append_index(&indexes, i, &plan->indexes[i]);
    }
    MR_ASSERT(bson_append_array_end(&command, &indexes));
    if (!mongoc_client_write_command_with_opts(self->open->client, self->database, &command, NULL,
                                               NULL, &error)) {
        status = document_fail(&error, self->address, err);
    }
    bson_destroy(&command);
    return status;
}

static void documentdb_close(void *state)
{
    struct documentdb_state *self = state;
    struct documentdb *open = self->open;

    if (open == NULL) {
        return;
    }
    document_writer_fini(&open->writer);
    for (size_t i = 0; i < PLANS_MAX; i++) {
        if (open->collections[i] != NULL) {
            mongoc_collection_destroy(open->collections[i]);
        }
    }
    if (open->client != NULL) {
        mongoc_client_destroy(open->client);
    }
    free(open);
    self->open = NULL;
}

static enum mr_status documentdb_open(void *state, const struct mr_sink_env *env,
                                      struct mr_err *err)
{
    static pthread_once_t started = PTHREAD_ONCE_INIT;
    struct documentdb_state *self = state;
    const struct document_shape *shape = document_shape_find(env->schema);

    MR_ASSERT(pthread_once(&started, start_library) == 0);
    documentdb_close(self);
    if (shape == NULL) {
        return mr_fail(err, MR_CONFIG, "no collection for records %s", env->schema->name);
    }
    self->open = mr_xcalloc(1, sizeof(*self->open));
    self->open->shape = shape;
    document_writer_init(&self->open->writer, self->address, shape->schema);
    MR_TRY(connect_client(self, err));
    for (size_t i = 0; i < shape->plan_count; i++) {
        MR_TRY(create_indexes(self, &shape->plans[i], err));
        self->open->collections[i] = mongoc_client_get_collection(
            self->open->client, self->database, shape->plans[i].collection);
    }
    return MR_OK;
}

static enum mr_status documentdb_write(void *state, const struct mr_record *records, size_t count,
                                       size_t *bad, struct mr_err *err)
{
    struct documentdb_state *self = state;
    struct documentdb *open = self->open;
    struct document_batch batch = {.records = records, .count = count};

    for (size_t i = 0; i < open->shape->plan_count; i++) {
        const enum mr_status status = document_write(&open->writer, &open->shape->plans[i],
                                                     open->collections[i], &batch, err);

        if (status != MR_OK) {
            *bad = batch.bad;
            return status;
        }
    }
    return MR_OK;
}

static const char *documentdb_address(const void *state)
{
    const struct documentdb_state *self = state;

    return self->address;
}

const struct mr_sink_type documentdb_sink = {
    .name = "documentdb",
    .help = "Records into the collections of a MongoDB-compatible document store, version-guarded",
    .state_size = sizeof(struct documentdb_state),
    .options = OPTIONS,
    .option_count = MR_COUNT(OPTIONS),
    .schemas = document_schemas,
    .open = documentdb_open,
    .write = documentdb_write,
    .close = documentdb_close,
    .address = documentdb_address,
};
