/*
 * codec.h -- framed records: Confluent wire format around the generated codec.
 *
 *   byte 0      0x00
 *   bytes 1..4  schema id, big-endian
 *   bytes 5..   Avro binary
 *
 * A record whose id is the one our schema has under its subject is decoded by the generated code.
 * Any other id is fetched from the registry once, resolved through avro-c to our schema, and
 * cached. Thread: mr_codec is shared by all workers; lookups of known ids take no lock.
 */
#ifndef MILLRACE_CODEC_H
#define MILLRACE_CODEC_H

#include "millrace/registry.h"
#include "millrace/schema.h"

#define MR_WIRE_HEADER_BYTES ((size_t)5)

struct mr_codec;

/* registry is borrowed and must outlive the codec. */
struct mr_codec *mr_codec_create(struct mr_registry *registry);
void mr_codec_destroy(struct mr_codec **codec);

/* A schema with the id it has under one subject: what a port or a store holds. */
struct mr_binding {
    const struct mr_schema *schema;
    int32_t id;
};

/* Registers the schema under the subject (idempotent) and returns its id in *binding. */
MR_NODISCARD enum mr_status mr_codec_bind(struct mr_codec *codec, const struct mr_schema *schema,
                                          const char *subject, struct mr_binding *binding,
                                          struct mr_err *err);

/* Upper bound of the framed size of value. */
static inline size_t mr_codec_framed_bytes_max(const struct mr_binding *binding, const void *value)
{
    return MR_WIRE_HEADER_BYTES + binding->schema->encoded_bytes_max(value);
}

/* Writes header and body into buffer (mr_codec_framed_bytes_max bytes); returns the length. */
size_t mr_codec_encode(const struct mr_binding *binding, const void *value, uint8_t *buffer);

/*
 * framed   header and body; strings in out borrow from it, or from arena when the record was
 * resolved Returns  MR_OK | MR_MALFORMED, MR_SCHEMA_UNKNOWN, MR_TOO_LARGE, MR_OUT_OF_RANGE (POISON)
 *          | MR_UNAVAILABLE (RETRY: the registry is away and the id is not cached)
 */
MR_NODISCARD enum mr_status mr_codec_decode(struct mr_codec *codec,
                                            const struct mr_binding *binding,
                                            struct mr_slice framed, struct mr_arena *arena,
                                            void *out, struct mr_err *err);

/* The writer's schema id of a framed record; MR_MALFORMED when there is no header. */
MR_NODISCARD enum mr_status mr_wire_schema_id(struct mr_slice framed, int32_t *id,
                                              struct mr_err *err);

/*
 * JSON of any record by its schema's field table: decimals and timestamps as strings (decimal text,
 * RFC 3339 UTC with microseconds), fixed as hex, enums by name. Appended to a growing buffer.
 */
struct mr_buffer; /* buffer.h */
void mr_json_write_record(const struct mr_schema *schema, const void *value, struct mr_buffer *out);

/* The reverse, from one JSON object; strings live in arena. Unknown fields and bad values are
 * MR_MALFORMED with the field named. */
MR_NODISCARD enum mr_status mr_json_read_record(const struct mr_schema *schema,
                                                struct mr_slice json, struct mr_arena *arena,
                                                void *out, struct mr_err *err);

#endif
