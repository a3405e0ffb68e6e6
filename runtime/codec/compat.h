/* compat.h -- can data of one schema be read with another? Private to runtime/codec. */
#ifndef MILLRACE_CODEC_COMPAT_H
#define MILLRACE_CODEC_COMPAT_H

#include "millrace/compat.h"

#include <avro.h>
#include <jansson.h>

/* How the writer's data comes to the reader: both schemas parsed, and avro-c's resolver between
 * them. */
struct mr_compat {
    avro_schema_t writer;
    avro_schema_t reader;         /* without the fields that the writer lacks */
    avro_value_iface_t *resolver; /* set values of the writer, read values of the reader */
};

/*
 * Returns MR_OK | MR_CONFIG (a text is no Avro schema) | MR_EXISTS (incompatible; err says where)
 * Thread: any; avro-c keeps its error text in one place, so callers hold mr_avro_lock.
 */
MR_NODISCARD enum mr_status mr_compat_open(struct mr_compat *compat, const char *writer_json,
                                           const char *reader_json, struct mr_err *err);
void mr_compat_close(struct mr_compat *compat);

/* avro-c is used under one lock: it is the slow path, and its error text is shared. */
void mr_avro_lock(void);
void mr_avro_unlock(void);

/*
 * A copy of the reader's schema (a record) without the fields that the writer lacks, its named
 * types defined where they are now used first. MR_EXISTS when such a field has no default.
 */
MR_NODISCARD enum mr_status mr_reduce_schema(json_t *writer, json_t *reader, json_t **reduced,
                                             struct mr_err *err);

#endif
