/*
 * scan.c -- bounds of a record that another schema wrote.
 *
 * Why: avro-c 1.11 allocates whatever a length field claims before it looks at the bytes, and loses
 *      that memory when they are missing. A dead letter must not cost a gigabyte, so every length
 * is checked here first; what passes, avro-c reads without surprise. How: a stack of open
 * containers instead of recursion, a budget of values instead of trust in counts (an array of nulls
 * takes no bytes however long it is). Not: a decoder. Values are skipped; only text is looked at,
 * for NUL bytes.
 */
#include "scan.h"

#include "millrace/wire.h"

#define DEPTH_MAX 32
#define VALUES_MAX MR_RECORD_BYTES_MAX

struct container {
    avro_schema_t schema;
    size_t next;              /* record: index of the next field */
    size_t left;              /* array, map: items left in the block */
    size_t items;             /* array, map: items seen */
    const uint8_t *block_end; /* array, map: or NULL */
    bool in_block;
};

struct scan {
    struct mr_wire_reader in;
    struct container stack[DEPTH_MAX];
    size_t depth;
    size_t values;
};

avro_schema_t mr_scan_target(avro_schema_t schema)
{
    while (is_avro_link(schema)) {
        schema = avro_schema_link_target(schema);
    }
    return schema;
}

avro_schema_t mr_scan_field(avro_schema_t record, const char *name)
{
    const int index = avro_schema_record_field_get_index(record, name);

    return index < 0 ? NULL : avro_schema_record_field_get_by_index(record, index);
}

static bool skip(struct mr_wire_reader *in, size_t bytes)
{
    if ((size_t)(in->end - in->at) < bytes) {
        return mr_wire_fail(in, 0, MR_WIRE_TRUNCATED);
    }
    in->at += bytes;
    return true;
}

static bool scan_scalar(struct mr_wire_reader *in, avro_schema_t schema)
{
    struct mr_slice text;
    int64_t wide = 0;
    int32_t narrow = 0;
    unsigned ordinal = 0;
    bool flag = false;

    if (is_avro_null(schema)) {
        return true;
    }
    if (is_avro_string(schema)) {
        return mr_wire_string(in, 0, &text);
    }
    if (is_avro_bytes(schema)) {
        return mr_wire_bytes(in, 0, &text);
    }
    if (is_avro_int32(schema)) {
        return mr_wire_int(in, 0, &narrow);
    }
    if (is_avro_int64(schema)) {
        return mr_wire_long(in, 0, &wide);
    }
    if (is_avro_boolean(schema)) {
        return mr_wire_bool(in, 0, &flag);
    }
    if (is_avro_float(schema)) {
        return skip(in, 4);
    }
    if (is_avro_double(schema)) {
        return skip(in, 8);
    }
    if (is_avro_fixed(schema)) {
        return skip(in, (size_t)avro_schema_fixed_size(schema));
    }
    MR_ASSERT(is_avro_enum(schema));
    return mr_wire_ordinal(in, 0, (unsigned)avro_schema_enum_number_of_symbols(schema), &ordinal);
}

/* Follows links and union branches down to a schema that holds a value; NULL on bad bytes. */
static avro_schema_t resolve_branch(struct mr_wire_reader *in, avro_schema_t schema)
{
    schema = mr_scan_target(schema);
    if (is_avro_union(schema)) {
        int64_t branch = 0;

        if (!mr_wire_long(in, 0, &branch)) {
            return NULL;
        }
        if (branch < 0 || branch >= (int64_t)avro_schema_union_size(schema)) {
            (void)mr_wire_fail(in, 0, MR_WIRE_BRANCH);
            return NULL;
        }
        schema = mr_scan_target(avro_schema_union_branch(schema, (int)branch));
    }
    return schema;
}

/* Schema of the next value inside the top container; NULL when the container is complete. */
static bool next_value(struct scan *scan, avro_schema_t *next)
{
    struct container *top = &scan->stack[scan->depth - 1];
    struct mr_slice key;

    *next = NULL;
    if (is_avro_record(top->schema)) {
        if (top->next < avro_schema_record_size(top->schema)) {
            *next = avro_schema_record_field_get_by_index(top->schema, (int)top->next++);
        }
        return true;
    }
    if (top->left == 0) {
        if (top->in_block && !mr_wire_block_close(&scan->in, 0, top->block_end)) {
            return false;
        }
        if (!mr_wire_block(&scan->in, 0, 0, top->items, &top->left, &top->block_end)) {
            return false;
        }
        top->in_block = true;
        top->items += top->left;
        if (top->left == 0) {
            return mr_wire_block_close(&scan->in, 0, top->block_end);
        }
    }
    top->left--;
    if (is_avro_map(top->schema)) {
        *next = avro_schema_map_values(top->schema);
        return mr_wire_string(&scan->in, 0, &key);
    }
    *next = avro_schema_array_items(top->schema);
    return true;
}

static const struct mr_schema NO_FIELDS = {.name = "record of another schema"};

static enum mr_status bad_bytes(const struct scan *scan, struct mr_err *err)
{
    return mr_wire_failed(&scan->in, &NO_FIELDS, err);
}

static enum mr_status scan_value(struct scan *scan, avro_schema_t schema, struct mr_err *err)
{
    if (++scan->values > VALUES_MAX) {
        return mr_fail(err, MR_TOO_LARGE, "record of another schema: more than %zu values",
                       VALUES_MAX);
    }
    schema = resolve_branch(&scan->in, schema);
    if (schema == NULL) {
        return bad_bytes(scan, err);
    }
    if (is_avro_record(schema) || is_avro_array(schema) || is_avro_map(schema)) {
        if (scan->depth == DEPTH_MAX) {
            return mr_fail(err, MR_MALFORMED, "record of another schema: nested deeper than %d",
                           DEPTH_MAX);
        }
        scan->stack[scan->depth++] = (struct container){.schema = schema};
        return MR_OK;
    }
    return scan_scalar(&scan->in, schema) ? MR_OK : bad_bytes(scan, err);
}

/* One value from where scan->in stands. */
static enum mr_status scan_one(struct scan *scan, avro_schema_t writer, struct mr_err *err)
{
    MR_TRY(scan_value(scan, writer, err));
    while (scan->depth > 0) {
        avro_schema_t next = NULL;

        if (!next_value(scan, &next)) {
            return bad_bytes(scan, err);
        }
        if (next == NULL) {
            scan->depth--;
            continue;
        }
        MR_TRY(scan_value(scan, next, err));
    }
    return MR_OK;
}

enum mr_status mr_scan_body(avro_schema_t writer, struct mr_slice body, struct mr_err *err)
{
    struct scan scan = {0};

    MR_TRY(mr_wire_open(&scan.in, body, &NO_FIELDS, err));
    MR_TRY(scan_one(&scan, writer, err));
    return mr_wire_close(&scan.in, &NO_FIELDS, err);
}

enum mr_status mr_scan_prefix(avro_schema_t writer, struct mr_slice bytes, size_t *len,
                              struct mr_err *err)
{
    struct scan scan = {0};

    bytes.len = bytes.len < MR_RECORD_BYTES_MAX ? bytes.len : MR_RECORD_BYTES_MAX;
    MR_TRY(mr_wire_open(&scan.in, bytes, &NO_FIELDS, err));
    MR_TRY(scan_one(&scan, writer, err));
    *len = bytes.len - (size_t)(scan.in.end - scan.in.at);
    return MR_OK;
}
