/*
 * document_fixture.h -- a collection of a database of the test's own, and what stands in it.
 */
#ifndef TESTS_DOCUMENT_FIXTURE_H
#define TESTS_DOCUMENT_FIXTURE_H

#include "avro/candle.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "sink_fixture.h"

#include <jansson.h>

/* The documents of a collection, by _id. */
json_t *documents_read(const char *uri, const char *database, const char *collection);
size_t documents_count(const char *uri, const char *database, const char *collection,
                       const char *user_prefix);
/* "" when there is no such document or field; numbers, decimals and booleans as text. Borrowed. */
const char *document_text(json_t *documents, const char *id, const char *field);
void database_drop(const char *uri, const char *database);

struct mr_record record_of(const void *value, int32_t partition, int64_t offset);
struct mr_record tombstone_of(const char *key, int32_t partition, int64_t offset);

struct oms_order_command new_order(const char *order, const char *user);
struct oms_execution_report report_of(const char *order, int32_t version,
                                      enum oms_order_status status, char exec_id[64]);
struct oms_position position_of(const char *user, int64_t version, int64_t qty);

#endif
