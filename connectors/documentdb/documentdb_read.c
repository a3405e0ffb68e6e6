/*
 * documentdb_read.c -- see documentdb_read.h.
 *
 * How: a range over the field instead of a pattern: the emulator, MongoDB and DocumentDB all serve
 * it from an index. The upper bound is the prefix followed by the last code point; the prefix is
 * checked once more here, because servers differ in how they order code points beyond U+FFFF.
 */
#include "documentdb_read.h"

#include "millrace/arena.h"

#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define LAST_CODE_POINT "\xf4\x8f\xbf\xbf"
#define BATCH_DOCUMENTS 2000
#define SELECTION_TIMEOUT_MS 5000
#define SOCKET_TIMEOUT_MS 60000

struct documentdb_reader {
    mongoc_client_t *client;
    char *database;
    char address[sizeof(((mongoc_host_list_t *)NULL)->host_and_port)];
};

static void start_reading(void)
{
    mongoc_init();
}

static enum mr_status unavailable(const struct documentdb_reader *reader, const bson_error_t *error,
                                  struct mr_err *err)
{
    return mr_fail(err, MR_UNAVAILABLE, "document store %s cannot be read: %.250s", reader->address,
                   error->message);
}

static enum mr_status ping(struct documentdb_reader *reader, struct mr_err *err)
{
    bson_error_t error = {0};
    bson_t command;
    bool answered;

    bson_init(&command);
    MR_ASSERT(BSON_APPEND_INT32(&command, "ping", 1));
    answered = mongoc_client_command_simple(reader->client, reader->database, &command, NULL, NULL,
                                            &error);
    bson_destroy(&command);
    return answered ? MR_OK : unavailable(reader, &error, err);
}

enum mr_status documentdb_reader_open(const char *uri, const char *database,
                                      struct documentdb_reader **reader, struct mr_err *err)
{
    static pthread_once_t started = PTHREAD_ONCE_INIT;
    struct documentdb_reader *made = mr_xcalloc(1, sizeof(*made));
    const mongoc_host_list_t *host;
    enum mr_status status = MR_OK;
    bson_error_t error = {0};
    mongoc_uri_t *parsed;

    *reader = NULL;
    MR_ASSERT(pthread_once(&started, start_reading) == 0);
    made->database = mr_xstrdup(database);
    parsed = mongoc_uri_new_with_error(uri, &error);
    if (parsed == NULL) {
        status = mr_fail(err, MR_CONFIG, "no document store's address: %.250s", error.message);
        goto out;
    }
    host = mongoc_uri_get_hosts(parsed);
    snprintf(made->address, sizeof(made->address), "%s", host == NULL ? "?" : host->host_and_port);
    (void)mongoc_uri_set_option_as_int32(parsed, MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                                         SELECTION_TIMEOUT_MS);
    (void)mongoc_uri_set_option_as_int32(parsed, MONGOC_URI_SOCKETTIMEOUTMS, SOCKET_TIMEOUT_MS);
    made->client = mongoc_client_new_from_uri_with_error(parsed, &error);
    if (made->client == NULL) {
        status = mr_fail(err, MR_CONFIG, "document store %s: %.250s", made->address, error.message);
        goto out;
    }
    status = ping(made, err);
out:
    if (parsed != NULL) {
        mongoc_uri_destroy(parsed);
    }
    *reader = made;
    if (status != MR_OK) {
        documentdb_reader_close(reader);
    }
    return status;
}

void documentdb_reader_close(struct documentdb_reader **reader)
{
    struct documentdb_reader *old = *reader;

    if (old == NULL) {
        return;
    }
    if (old->client != NULL) {
        mongoc_client_destroy(old->client);
    }
    free(old->database);
    free(old);
    *reader = NULL;
}

static void make_range(bson_t *filter, const char *field, const char *prefix)
{
    const size_t len = strlen(prefix);
    char *end = mr_xcalloc(1, len + sizeof(LAST_CODE_POINT));
    bson_t range;

    bson_init(filter);
    if (prefix[0] != '\0') {
        memcpy(end, prefix, len);
        memcpy(end + len, LAST_CODE_POINT, sizeof(LAST_CODE_POINT));
        MR_ASSERT(bson_append_document_begin(filter, field, -1, &range));
        MR_ASSERT(BSON_APPEND_UTF8(&range, "$gte", prefix));
        MR_ASSERT(BSON_APPEND_UTF8(&range, "$lt", end));
        MR_ASSERT(bson_append_document_end(filter, &range));
    }
    free(end);
}

static bool begins_with(const bson_t *document, const char *field, const char *prefix)
{
    bson_iter_t at;

    return prefix[0] == '\0' ||
           (bson_iter_init_find(&at, document, field) && BSON_ITER_HOLDS_UTF8(&at) &&
            strncmp(bson_iter_utf8(&at, NULL), prefix, strlen(prefix)) == 0);
}

static enum mr_status visit_document(const bson_t *document, documentdb_visit *visit, void *arg,
                                     struct mr_err *err)
{
    size_t len = 0;
    char *json = bson_as_relaxed_extended_json(document, &len);
    enum mr_status status;

    if (json == NULL) {
        return mr_fail(err, MR_CORRUPT, "a document has no JSON form");
    }
    status = visit(arg, mr_slice_of(json, len), err);
    bson_free(json);
    return status;
}

enum mr_status documentdb_reader_each(struct documentdb_reader *reader,
                                      const struct documentdb_query *query, documentdb_visit *visit,
                                      void *visit_arg, struct mr_err *err)
{
    mongoc_collection_t *from =
        mongoc_client_get_collection(reader->client, reader->database, query->collection);
    enum mr_status status = MR_OK;
    bson_error_t error = {0};
    const bson_t *document;
    mongoc_cursor_t *cursor;
    bson_t filter;

    make_range(&filter, query->field, query->prefix);
    cursor = mongoc_collection_find_with_opts(from, &filter, NULL, NULL);
    mongoc_cursor_set_batch_size(cursor, BATCH_DOCUMENTS);
    while (status == MR_OK && mongoc_cursor_next(cursor, &document)) {
        if (begins_with(document, query->field, query->prefix)) {
            status = visit_document(document, visit, visit_arg, err);
        }
    }
    if (status == MR_OK && mongoc_cursor_error(cursor, &error)) {
        status = unavailable(reader, &error, err);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&filter);
    mongoc_collection_destroy(from);
    return status;
}
