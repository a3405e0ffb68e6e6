/*
 * verify_sink.h -- how the proof reads the document store and Redis back.
 *
 * Why an interface: their client libraries live in connectors/documentdb and connectors/redis; what
 * is compared lives here. Implementations share no code with the sinks' writing side.
 */
#ifndef MILLRACE_VERIFY_SINK_H
#define MILLRACE_VERIFY_SINK_H

#include "millrace/slice.h"
#include "millrace/status.h"

/* One document, as JSON text. Borrowed until it returns. */
typedef enum mr_status verify_document_visit(void *arg, struct mr_slice json, struct mr_err *err);

struct verify_query {
    const char *collection;
    const char *field, *prefix;
};

struct verify_documents {
    void *arg;
    /*
     * Visits every document of a collection whose string field `field` begins with prefix; all when
     * prefix is empty. Relaxed extended JSON (bson_as_relaxed_extended_json) is understood:
     * {"$numberDecimal"}, {"$numberLong"}, {"$date"}, {"$binary"}.
     * Record fields have the names of the Avro schema; further fields are ignored.
     */
    enum mr_status (*each)(void *arg, const struct verify_query *query,
                           verify_document_visit *visit, void *visit_arg, struct mr_err *err);
};

/* The value of one key as JSON text (a hash: an object of its fields); found false: no such key. */
typedef enum mr_status verify_key_visit(void *arg, size_t index, bool found, struct mr_slice json,
                                        struct mr_err *err);

struct verify_keys {
    void *arg;
    /* Visits keys[0..count) in order. */
    enum mr_status (*fetch)(void *arg, const char *const *keys, size_t count,
                            verify_key_visit *visit, void *visit_arg, struct mr_err *err);
};

#endif
