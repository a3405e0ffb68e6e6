/* document_fixture.c -- see document_fixture.h. */
#include "document_fixture.h"

#include "connectors/documentdb/documentdb_read.h"

#include <check.h>
#include <mongoc/mongoc.h>
#include <stdio.h>

#define AT_US INT64_C(1723104000123456)

static enum mr_status collect(void *arg, struct mr_slice json, struct mr_err *err)
{
    json_t *document = json_loadb((const char *)json.data, json.len, 0, NULL);

    (void)err;
    ck_assert_ptr_nonnull(document);
    ck_assert_int_eq(
        json_object_set_new(arg, json_string_value(json_object_get(document, "_id")), document), 0);
    return MR_OK;
}

static json_t *read_prefix(const char *uri, const char *database, const char *collection,
                           const char *prefix)
{
    const struct documentdb_query query = {
        .collection = collection, .field = "userId", .prefix = prefix};
    struct documentdb_reader *reader = NULL;
    json_t *documents = json_object();
    struct mr_err err;

    ck_assert_msg(documentdb_reader_open(uri, database, &reader, &err) == MR_OK, "%s", err.text);
    ck_assert_msg(documentdb_reader_each(reader, &query, collect, documents, &err) == MR_OK, "%s",
                  err.text);
    documentdb_reader_close(&reader);
    return documents;
}

json_t *documents_read(const char *uri, const char *database, const char *collection)
{
    return read_prefix(uri, database, collection, "");
}

size_t documents_count(const char *uri, const char *database, const char *collection,
                       const char *user_prefix)
{
    json_t *documents = read_prefix(uri, database, collection, user_prefix);
    const size_t count = json_object_size(documents);

    json_decref(documents);
    return count;
}

const char *document_text(json_t *documents, const char *id, const char *field)
{
    static char buffers[8][64];
    static size_t next;
    const json_t *value = json_object_get(json_object_get(documents, id), field);
    char *buffer = buffers[next++ % MR_COUNT(buffers)];

    if (json_is_object(value)) {
        const json_t *decimal = json_object_get(value, "$numberDecimal");

        value = decimal != NULL ? decimal : json_object_get(value, "$date");
    }
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_integer(value)) {
        snprintf(buffer, sizeof(buffers[0]), "%lld", (long long)json_integer_value(value));
        return buffer;
    }
    return json_is_true(value) ? "true" : json_is_false(value) ? "false" : "";
}

void database_drop(const char *uri, const char *database)
{
    mongoc_client_t *client = mongoc_client_new(uri);
    mongoc_database_t *handle = mongoc_client_get_database(client, database);
    bson_error_t error;

    ck_assert_msg(mongoc_database_drop(handle, &error), "%s", error.message);
    mongoc_database_destroy(handle);
    mongoc_client_destroy(client);
}

struct mr_record record_of(const void *value, int32_t partition, int64_t offset)
{
    return (struct mr_record){.value = value,
                              .event_us = AT_US,
                              .topic = "topic",
                              .partition = partition,
                              .offset = offset,
                              .timestamp_ms = AT_US / 1000};
}

struct mr_record tombstone_of(const char *key, int32_t partition, int64_t offset)
{
    struct mr_record record = record_of(NULL, partition, offset);

    record.key = mr_slice_str(key);
    return record;
}

struct oms_order_command new_order(const char *order, const char *user)
{
    return (struct oms_order_command){.event_id = mr_slice_str("event"),
                                      .ts_us = AT_US,
                                      .action = OMS_ACTION_NEW,
                                      .order_id = mr_slice_str(order),
                                      .user_id = mr_slice_str(user),
                                      .symbol = mr_slice_str("BTCUSDT"),
                                      .source = mr_slice_str("test"),
                                      .has_price = true,
                                      .price = sink_amount(61000, 500000000000000000),
                                      .has_qty = true,
                                      .qty = sink_amount(0, 1)};
}

struct oms_execution_report report_of(const char *order, int32_t version,
                                      enum oms_order_status status, char exec_id[64])
{
    snprintf(exec_id, 64, "%s-%d", order, (int)version);
    return (struct oms_execution_report){.exec_id = mr_slice_str(exec_id),
                                         .ts_us = AT_US + version,
                                         .exec_type = OMS_EXEC_TYPE_TRADE,
                                         .status = status,
                                         .order_id = mr_slice_str(order),
                                         .command_id = mr_slice_str("event"),
                                         .user_id = mr_slice_str("user"),
                                         .symbol = mr_slice_str("BTCUSDT"),
                                         .cum_qty = sink_amount(version, 0),
                                         .version = version};
}

struct oms_position position_of(const char *user, int64_t version, int64_t qty)
{
    return (struct oms_position){.user_id = mr_slice_str(user),
                                 .symbol = mr_slice_str("BTCUSDT"),
                                 .ts_us = AT_US,
                                 .qty = sink_amount(qty, 0),
                                 .version = version};
}
