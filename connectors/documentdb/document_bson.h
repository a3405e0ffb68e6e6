/* document_bson.h -- records as BSON. Private to connectors/documentdb. */
#ifndef CONNECTORS_DOCUMENT_BSON_H
#define CONNECTORS_DOCUMENT_BSON_H

#include "millrace/schema.h"

#include <bson/bson.h>

/*
 * Atoms of 10^-18 as a Decimal128, without trailing zeros behind the point, so that it reads like
 * the canonical text. False: more than 34 significant digits; *out untouched.
 */
bool document_decimal(mr_i128 atoms, bson_decimal128_t *out);

/* Milliseconds of a date; times before 1970 round down, not towards it. */
int64_t document_date_ms(int64_t us);

/*
 * Appends the present fields of a record.
 * only  names of the fields to append, NULL-terminated; NULL: all
 * Returns MR_OK | MR_OUT_OF_RANGE (a decimal beyond 34 digits: a rounded amount would be worse than
 * a dead letter) | MR_MALFORMED (text that is not UTF-8).
 */
MR_NODISCARD enum mr_status document_append(bson_t *document, const struct mr_schema *schema,
                                            const void *record, const char *const *only,
                                            struct mr_err *err);

/* UTF-8 text under a constant name. */
void document_append_text(bson_t *document, const char *name, struct mr_slice text);

/* A time: `name` as a date and, behind it, `name`Us in microseconds. */
void document_append_time(bson_t *document, const char *name, int64_t us);

#endif
