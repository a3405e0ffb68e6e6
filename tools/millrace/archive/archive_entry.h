/*
 * archive_entry.h -- one record of a topic as one Avro record of an archive file.
 *
 *   millrace.archive.ArchivedRecord
 *     partition int, offset long, timestamp long (timestamp-millis)
 *     key       null | bytes
 *     headers   array of {name string, value null | bytes}
 *     value     null | <the topic's own record> | bytes
 *
 * The value is a record of its own schema, so that any Avro tool reads it. bytes are the values of
 * topics without a schema, and what could not be decoded when it was exported, as it was.
 */
#ifndef MILLRACE_ARCHIVE_ENTRY_H
#define MILLRACE_ARCHIVE_ENTRY_H

#include "millrace/log.h"
#include "millrace/schema.h"
#include "runtime/codec/resolution.h"

enum archive_value {
    ARCHIVE_TOMBSTONE,
    ARCHIVE_RECORD, /* Avro binary of the file's value schema */
    ARCHIVE_BYTES,
    ARCHIVE_VALUE_COUNT,
};

struct archive_entry {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    bool has_key;
    struct mr_slice key;
    const struct mr_header *headers;
    size_t header_count;
    enum archive_value kind;
    struct mr_slice value;
};

/* ---- writing ----------------------------------------------------------------------------------
 */

/* value_schema: JSON, or NULL for values that are bytes. Replaces out by text with a NUL. */
void archive_schema_write(const char *value_schema, struct mr_buffer *out);
/* Replaces out by the entry's Avro binary; with_record as archive_schema_write had a schema. */
void archive_entry_write(const struct archive_entry *entry, bool with_record,
                         struct mr_buffer *out);

/* ---- reading ----------------------------------------------------------------------------------
 */

/* What a file's schema says about its values. */
struct archive_shape {
    enum archive_value branches[ARCHIVE_VALUE_COUNT];
    size_t branch_count;
    char *value_schema; /* malloc'd JSON; NULL: bytes only */
    char *value_name;   /* full name of it, malloc'd */
};

/* MR_CORRUPT naming the field when the schema is not that of an archive. fini in any case. */
MR_NODISCARD enum mr_status archive_shape_read(struct mr_slice schema, struct archive_shape *shape,
                                               struct mr_err *err);
void archive_shape_fini(struct archive_shape *shape);

/*
 * Reads the entry that bytes begin with and moves them behind it. Names and arrays live in arena;
 * all else borrows from bytes. values: how records of the file's schema are read; NULL: it has
 * none. Returns MR_OK | MR_MALFORMED, MR_OUT_OF_RANGE, MR_TOO_LARGE with the field
 */
MR_NODISCARD enum mr_status archive_entry_read(struct mr_slice *bytes,
                                               const struct archive_shape *shape,
                                               const struct mr_resolution *values,
                                               struct mr_arena *arena, struct archive_entry *entry,
                                               struct mr_err *err);

#endif
