/*
 * verify_canonical.h -- one text for a record, whether it is a struct or a document of a store.
 *
 * "name=value" lines in the order of the schema, absent fields left out, so that equal texts mean
 * equal records. Timestamps count to the millisecond (a document date has no more); fixed and bytes
 * are left out (stores encode them in their own ways).
 */
#ifndef MILLRACE_VERIFY_CANONICAL_H
#define MILLRACE_VERIFY_CANONICAL_H

#include "millrace/buffer.h"
#include "millrace/schema.h"

#include <jansson.h>

/* fields: comma-separated names to keep; NULL: all. Appended to out. */
void verify_canonical_record(const struct mr_schema *schema, const void *value, const char *fields,
                             struct mr_buffer *out);
/*
 * The same from a document: plain JSON, or relaxed extended JSON of a document store. A value that
 * cannot be understood appears as `?`.
 */
void verify_canonical_document(const struct mr_schema *schema, const json_t *document,
                               const char *fields, struct mr_buffer *out);
/* Text of one field of a document by the kind it must have; false: absent or null. */
bool verify_canonical_value(const struct mr_schema_field *field, const json_t *document,
                            struct mr_buffer *out);

#endif
