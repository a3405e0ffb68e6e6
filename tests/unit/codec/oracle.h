/* oracle.h -- avro-c's idea of a record: the second opinion on the generated code. */
#ifndef TESTS_CODEC_ORACLE_H
#define TESTS_CODEC_ORACLE_H

#include "millrace/schema.h"

#include <avro.h>

struct oracle {
    avro_schema_t schema;
    avro_value_iface_t *type;
};

void oracle_open(struct oracle *oracle, const char *json);
void oracle_close(struct oracle *oracle);

/* A generic value holding what the struct holds, as far as the oracle's schema has it: one of
 * another version may lack fields or have narrower ones. The caller's to avro_value_decref. */
void oracle_value(const struct oracle *oracle, const struct mr_schema *schema, const void *record,
                  avro_value_t *out);
/* What avro-c writes for the value, in arena memory. */
struct mr_slice oracle_encode(avro_value_t *value, struct mr_arena *arena);
/* False when avro-c does not read exactly these bytes. */
bool oracle_decode(const struct oracle *oracle, struct mr_slice bytes, avro_value_t *out);

#endif
