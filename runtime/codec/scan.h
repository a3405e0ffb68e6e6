/* scan.h -- checks foreign Avro bytes before avro-c sees them. Private to runtime/codec. */
#ifndef MILLRACE_CODEC_SCAN_H
#define MILLRACE_CODEC_SCAN_H

#include "millrace/slice.h"
#include "millrace/status.h"

#include <avro.h>

/*
 * Walks body by the schema it was written with, allocating nothing.
 * Returns MR_OK | MR_MALFORMED (bytes do not fit the schema, or nest too deep) | MR_OUT_OF_RANGE
 *         | MR_TOO_LARGE (more values than any honest record has)
 */
MR_NODISCARD enum mr_status mr_scan_body(avro_schema_t writer, struct mr_slice body,
                                         struct mr_err *err);

/* The same for a value with others behind it: *len is how long it is. */
MR_NODISCARD enum mr_status mr_scan_prefix(avro_schema_t writer, struct mr_slice bytes, size_t *len,
                                           struct mr_err *err);

/* The schema itself where it is a reference to a named one. */
avro_schema_t mr_scan_target(avro_schema_t schema);

/* Schema of a record's field; NULL when it has none of that name (avro-c's own getter then
 * crashes). */
avro_schema_t mr_scan_field(avro_schema_t record, const char *name);

#endif
