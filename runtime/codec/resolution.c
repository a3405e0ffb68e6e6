/*
 * resolution.c -- from another version's bytes to our struct, through avro-c.
 *
 * Why: producers and the pipeline are not upgraded in the same second; a record of a compatible
 *      version must be read, not dead-lettered.
 * How: scan the bytes (scan.c), let avro-c resolve them to the part of our schema that the writer
 * has (reduce.c), write that part field by field in our order with defaults in between, and decode
 *      the result with the generated code. So there is one way into a struct, with its checks.
 * Not: fast. It allocates, and avro-c runs under a lock; a schema that differs in nothing but its
 *      documentation takes the generated code at once.
 */
#include "resolution.h"

#include "compat.h"
#include "defaults.h"
#include "millrace/wire.h"
#include "scan.h"

#include <stdlib.h>

/* One field of ours: taken from the writer, or these bytes. */
struct slot {
    bool present;
    size_t default_at; /* in resolution.defaults */
    size_t default_len;
};

struct plan {
    const struct mr_schema *schema;
    struct slot *slots;
    bool complete; /* the writer has every field */
};

struct mr_resolution {
    const struct mr_schema *schema;
    struct mr_compat compat;
    avro_value_iface_t *reader_class;
    struct plan record;
    struct plan *items; /* one for each field; schema NULL where it is no array */
    struct mr_buffer defaults;
    bool identical;
};

/* reduced: the record of the reduced reader that stands for schema; NULL: the writer lacks it. */
static enum mr_status plan_init(struct mr_resolution *resolution, const struct mr_schema *schema,
                                avro_schema_t reduced, struct plan *plan, struct mr_err *err)
{
    json_t *parsed = mr_schema_parse(schema);
    enum mr_status status = MR_OK;

    plan->schema = schema;
    plan->slots = mr_xcalloc(schema->field_count, sizeof(*plan->slots));
    plan->complete = true;
    for (size_t i = 0; i < schema->field_count && status == MR_OK; i++) {
        struct slot *slot = &plan->slots[i];

        slot->present = reduced != NULL && mr_scan_field(reduced, schema->fields[i].name) != NULL;
        if (slot->present) {
            continue;
        }
        plan->complete = false;
        slot->default_at = resolution->defaults.len;
        status =
            mr_default_encode(&schema->fields[i], mr_schema_default(parsed, schema->fields[i].name),
                              &resolution->defaults, err);
        slot->default_len = resolution->defaults.len - slot->default_at;
    }
    json_decref(parsed);
    return status;
}

static enum mr_status plan_items(struct mr_resolution *resolution, struct mr_err *err)
{
    const struct mr_schema *schema = resolution->schema;

    resolution->items = mr_xcalloc(schema->field_count, sizeof(*resolution->items));
    for (size_t i = 0; i < schema->field_count; i++) {
        avro_schema_t array = NULL;

        if (schema->fields[i].kind != MR_FIELD_ARRAY || !resolution->record.slots[i].present) {
            continue;
        }
        array = mr_scan_target(mr_scan_field(resolution->compat.reader, schema->fields[i].name));
        MR_TRY(plan_init(resolution, schema->fields[i].items,
                         mr_scan_target(avro_schema_array_items(array)), &resolution->items[i],
                         err));
    }
    return MR_OK;
}

static bool all_complete(const struct mr_resolution *resolution)
{
    for (size_t i = 0; i < resolution->schema->field_count; i++) {
        if (resolution->items[i].schema != NULL && !resolution->items[i].complete) {
            return false;
        }
    }
    return resolution->record.complete;
}

static enum mr_status build(struct mr_resolution *resolution, const char *writer_json,
                            struct mr_err *err)
{
    struct mr_compat *compat = &resolution->compat;

    MR_TRY(mr_compat_open(compat, writer_json, resolution->schema->json, err));
    if (!is_avro_record(compat->writer)) {
        return mr_fail(err, MR_EXISTS, "the writer's schema is no record");
    }
    MR_TRY(plan_init(resolution, resolution->schema, compat->reader, &resolution->record, err));
    MR_TRY(plan_items(resolution, err));
    resolution->reader_class = avro_generic_class_from_schema(compat->reader);
    if (resolution->reader_class == NULL) {
        return mr_fail(err, MR_CONFIG, "%s", avro_strerror());
    }
    resolution->identical =
        all_complete(resolution) && avro_schema_equal(compat->writer, compat->reader);
    return MR_OK;
}

enum mr_status mr_resolution_create(const struct mr_schema *schema, const char *writer_json,
                                    struct mr_resolution **out, struct mr_err *err)
{
    struct mr_resolution *resolution = mr_xcalloc(1, sizeof(*resolution));
    enum mr_status status = MR_OK;

    resolution->schema = schema;
    mr_avro_lock();
    status = build(resolution, writer_json, err);
    mr_avro_unlock();
    if (status != MR_OK) {
        mr_resolution_destroy(&resolution);
    }
    *out = resolution;
    return status;
}

void mr_resolution_destroy(struct mr_resolution **resolution)
{
    struct mr_resolution *r = *resolution;

    if (r == NULL) {
        return;
    }
    mr_avro_lock();
    if (r->reader_class != NULL) {
        avro_value_iface_decref(r->reader_class);
    }
    mr_compat_close(&r->compat);
    mr_avro_unlock();
    for (size_t i = 0; r->items != NULL && i < r->schema->field_count; i++) {
        free(r->items[i].slots);
    }
    free(r->items);
    free(r->record.slots);
    mr_buffer_fini(&r->defaults);
    free(r);
    *resolution = NULL;
}

/* Appends one value of avro-c as Avro binary. */
static bool put_value(avro_value_t *value, struct mr_buffer *out)
{
    size_t bytes = 0;
    avro_writer_t writer = NULL;
    int rc = avro_value_sizeof(value, &bytes);

    if (rc == 0 && bytes > 0) {
        uint8_t *at = mr_buffer_reserve(out, bytes);

        writer = avro_writer_memory((const char *)at, (int64_t)bytes);
        rc = writer == NULL ? -1 : avro_value_write(writer, value);
        if (writer != NULL) {
            avro_writer_free(writer);
        }
        out->len += bytes;
    }
    return rc == 0;
}

/* The fields of one array item in our order, defaults in between. */
static bool put_item(const struct mr_resolution *resolution, const struct plan *plan,
                     avro_value_t *item, struct mr_buffer *out)
{
    for (size_t i = 0; i < plan->schema->field_count; i++) {
        const struct slot *slot = &plan->slots[i];
        avro_value_t field;

        if (!slot->present) {
            mr_buffer_append(out, resolution->defaults.data + slot->default_at, slot->default_len);
        } else if (avro_value_get_by_name(item, plan->schema->fields[i].name, &field, NULL) != 0 ||
                   !put_value(&field, out)) {
            return false;
        }
    }
    return true;
}

static void put_long(struct mr_buffer *out, int64_t value)
{
    uint8_t *at = mr_buffer_reserve(out, MR_WIRE_VARINT_BYTES_MAX);

    out->len += (size_t)(mr_wire_put_long(at, value) - at);
}

static bool put_array(const struct mr_resolution *resolution, const struct plan *plan,
                      avro_value_t *array, struct mr_buffer *out)
{
    size_t count = 0;

    if (avro_value_get_size(array, &count) != 0) {
        return false;
    }
    if (count > 0) {
        put_long(out, (int64_t)count);
    }
    for (size_t i = 0; i < count; i++) {
        avro_value_t item;

        if (avro_value_get_by_index(array, i, &item, NULL) != 0 ||
            !put_item(resolution, plan, &item, out)) {
            return false;
        }
    }
    put_long(out, 0);
    return true;
}

static bool put_record(const struct mr_resolution *resolution, avro_value_t *value,
                       struct mr_buffer *out)
{
    const struct mr_schema *schema = resolution->schema;

    for (size_t i = 0; i < schema->field_count; i++) {
        const struct slot *slot = &resolution->record.slots[i];
        const struct plan *items = &resolution->items[i];
        avro_value_t field;
        bool done = false;

        if (!slot->present) {
            mr_buffer_append(out, resolution->defaults.data + slot->default_at, slot->default_len);
            continue;
        }
        if (avro_value_get_by_name(value, schema->fields[i].name, &field, NULL) != 0) {
            return false;
        }
        done = items->schema == NULL ? put_value(&field, out)
                                     : put_array(resolution, items, &field, out);
        if (!done) {
            return false;
        }
    }
    return true;
}

/* body -> avro-c's value of the reduced reader -> bytes of our schema */
static bool translate(const struct mr_resolution *resolution, struct mr_slice body,
                      struct mr_buffer *out)
{
    avro_value_t value;
    avro_value_t view;
    avro_reader_t reader = avro_reader_memory((const char *)body.data, (int64_t)body.len);
    bool done = false;

    MR_ASSERT(reader != NULL);
    MR_ASSERT(avro_generic_value_new(resolution->reader_class, &value) == 0);
    MR_ASSERT(avro_resolved_writer_new_value(resolution->compat.resolver, &view) == 0);
    avro_resolved_writer_set_dest(&view, &value);
    done = avro_value_read(reader, &view) == 0 && put_record(resolution, &value, out);
    avro_value_decref(&view);
    avro_value_decref(&value);
    avro_reader_free(reader);
    return done;
}

enum mr_status mr_resolution_measure(const struct mr_resolution *resolution, struct mr_slice bytes,
                                     size_t *len, struct mr_err *err)
{
    enum mr_status status;

    mr_avro_lock();
    status = mr_scan_prefix(resolution->compat.writer, bytes, len, err);
    mr_avro_unlock();
    return status;
}

enum mr_status mr_resolution_decode(const struct mr_resolution *resolution, struct mr_slice body,
                                    struct mr_arena *arena, void *out, struct mr_err *err)
{
    struct mr_buffer ours = MR_BUFFER_EMPTY;
    enum mr_status status = MR_OK;

    if (resolution->identical) {
        return resolution->schema->decode(body, arena, out, err);
    }
    MR_ASSERT(arena != NULL);
    mr_avro_lock();
    status = mr_scan_body(resolution->compat.writer, body, err);
    if (status == MR_OK && !translate(resolution, body, &ours)) {
        status = mr_fail(err, MR_MALFORMED, "%s: %s", resolution->schema->name, avro_strerror());
    }
    mr_avro_unlock();
    if (status == MR_OK) {
        status = resolution->schema->decode(mr_arena_copy(arena, mr_buffer_slice(&ours)), arena,
                                            out, err);
    }
    mr_buffer_fini(&ours);
    return status;
}
