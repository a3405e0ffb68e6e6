/* defaults.h -- the defaults of a schema's fields. Private to runtime/codec. */
#ifndef MILLRACE_CODEC_DEFAULTS_H
#define MILLRACE_CODEC_DEFAULTS_H

#include "millrace/buffer.h"
#include "millrace/schema.h"

#include <jansson.h>

/* The parsed text of a schema; the caller's to json_decref. */
json_t *mr_schema_parse(const struct mr_schema *schema);
/* The default of one field, borrowed from parsed; NULL when it has none. */
json_t *mr_schema_default(json_t *parsed, const char *field);

/*
 * Appends the Avro bytes of a default.
 * Returns MR_OK | MR_CONFIG for one that does not fit the field's type.
 */
MR_NODISCARD enum mr_status mr_default_encode(const struct mr_schema_field *field, json_t *value,
                                              struct mr_buffer *out, struct mr_err *err);

#endif
