/*
 * schema.h -- what the generated codec publishes about one Avro record.
 *
 * tools/avrogen turns each schemas/avro/<Name>.avsc into a header `avro/<snake_name>.h` with a
 * plain struct and one `const struct mr_schema`. Stages use the struct; the runtime, which names no
 * schema, works through this table. Decoding borrows strings from the input bytes and takes arrays
 * from the caller's arena: no malloc per record.
 *
 * Mapping: record NAME in namespace a.b.<prefix> -> struct <prefix>_<snake_name>;
 *   string, bytes -> struct mr_slice      long -> int64_t       int -> int32_t     boolean -> bool
 *   fixed(16) decimal -> mr_i128 (atoms)  fixed(n) -> uint8_t[n]  enum E -> enum <prefix>_<e>
 *   ["null", T] -> bool has_<field>; T <field>;      array of record R -> struct {items, count}
 *   long timestamp-micros: the field's name gains the suffix _us (ts -> ts_us).
 */
#ifndef MILLRACE_SCHEMA_H
#define MILLRACE_SCHEMA_H

#include "millrace/api.h"
#include "millrace/arena.h"
#include "millrace/slice.h"
#include "millrace/status.h"

MR_API_BEGIN

/* Limits on what a decoder accepts from outside; a record beyond them is poison. */
#define MR_RECORD_BYTES_MAX ((size_t)1 << 20)
#define MR_ARRAY_ITEMS_MAX ((size_t)65536)

enum mr_field_kind {
    MR_FIELD_STRING,
    MR_FIELD_BYTES,
    MR_FIELD_LONG,
    MR_FIELD_TIMESTAMP_US,
    MR_FIELD_INT,
    MR_FIELD_BOOL,
    MR_FIELD_DECIMAL, /* fixed(16), scale 18 */
    MR_FIELD_FIXED,
    MR_FIELD_ENUM,
    MR_FIELD_ARRAY, /* of records: struct { const void *items; size_t count; } */
};

struct mr_schema;

/* One field, for code that must treat any record alike: tap, produce, document sinks. */
struct mr_schema_field {
    const char *name; /* as in the .avsc: camelCase */
    enum mr_field_kind kind;
    bool nullable;
    size_t offset;                 /* of the value in the struct */
    size_t has_offset;             /* of has_<field>; meaningful when nullable */
    size_t fixed_bytes;            /* FIXED */
    const char *const *symbols;    /* ENUM */
    size_t symbol_count;           /* ENUM */
    const struct mr_schema *items; /* ARRAY */
    size_t item_bytes;             /* ARRAY: sizeof one item */
};

struct mr_schema {
    const char *name;      /* OrderCommand */
    const char *full_name; /* millrace.oms.OrderCommand */
    const char *json;      /* the text that is registered */
    size_t struct_bytes;
    ptrdiff_t
        event_us_offset; /* of the field `ts`, or -1: then the log's timestamp is event time */
    const struct mr_schema_field *fields;
    size_t field_count;
    /*
     * body    Avro binary without the wire header; must be consumed whole
     * arena   receives arrays; may be NULL when the record has none
     * out     struct_bytes of memory; strings in it borrow from body
     * Returns MR_OK | MR_MALFORMED | MR_OUT_OF_RANGE | MR_TOO_LARGE (all POISON)
     */
    enum mr_status (*decode)(struct mr_slice body, struct mr_arena *arena, void *out,
                             struct mr_err *err);
    /* Upper bound of what encode will write for this value. */
    size_t (*encoded_bytes_max)(const void *value);
    /* Writes at most encoded_bytes_max(value) bytes; returns how many. Cannot fail. */
    size_t (*encode)(const void *value, uint8_t *buffer);
};

/*
 * One number for what two builds must agree on to hand a struct to each other: names, kinds, places
 * and symbols of the fields, those of records in arrays too. Help texts do not count.
 */
uint64_t mr_schema_fingerprint(const struct mr_schema *schema);

MR_API_END

#endif
