/* archive_entry.c -- see archive_entry.h. */
#include "archive_entry.h"

#include "millrace/wire.h"

enum { PARTITION, OFFSET, TIMESTAMP, KEY, HEADERS, VALUE };

/* Only the names: what a fault is told with. */
static const struct mr_schema_field fields[] = {
    [PARTITION] = {.name = "partition"}, [OFFSET] = {.name = "offset"},
    [TIMESTAMP] = {.name = "timestamp"}, [KEY] = {.name = "key"},
    [HEADERS] = {.name = "headers"},     [VALUE] = {.name = "value"},
};
static const struct mr_schema entry_schema = {
    .name = "ArchivedRecord", .fields = fields, .field_count = MR_COUNT(fields)};

void archive_schema_write(const char *value_schema, struct mr_buffer *out)
{
    static const char before[] =
        "{\"type\":\"record\",\"name\":\"ArchivedRecord\",\"namespace\":\"millrace.archive\","
        "\"doc\":\"A record of a topic.\",\"fields\":["
        "{\"name\":\"partition\",\"type\":\"int\"},"
        "{\"name\":\"offset\",\"type\":\"long\"},"
        "{\"name\":\"timestamp\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}"
        ","
        "{\"name\":\"key\",\"type\":[\"null\",\"bytes\"]},"
        "{\"name\":\"headers\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
        "\"name\":\"Header\",\"fields\":[{\"name\":\"name\",\"type\":\"string\"},"
        "{\"name\":\"value\",\"type\":[\"null\",\"bytes\"]}]}}},"
        "{\"name\":\"value\",\"type\":[\"null\",";
    static const char after[] = "\"bytes\"]}]}";

    mr_buffer_clear(out);
    mr_buffer_append(out, before, sizeof before - 1);
    if (value_schema != NULL) {
        mr_buffer_append(out, value_schema, strlen(value_schema));
        mr_buffer_append(out, ",", 1);
    }
    mr_buffer_append(out, after, sizeof after);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static uint8_t *put_optional(uint8_t *at, bool has, struct mr_slice bytes)
{
    at = mr_wire_put_present(at, has);
    return has ? mr_wire_put_bytes(at, bytes) : at;
}

static size_t entry_bytes_max(const struct archive_entry *entry)
{
    size_t bytes = entry->key.len + entry->value.len + 10 * MR_WIRE_VARINT_BYTES_MAX;

    for (size_t i = 0; i < entry->header_count; i++) {
        bytes += strlen(entry->headers[i].name) + entry->headers[i].value.len +
                 3 * MR_WIRE_VARINT_BYTES_MAX;
    }
    return bytes;
}

void archive_entry_write(const struct archive_entry *entry, bool with_record, struct mr_buffer *out)
{
    uint8_t *at;

    mr_buffer_clear(out);
    at = mr_buffer_reserve(out, entry_bytes_max(entry));
    at = mr_wire_put_long(at, entry->partition);
    at = mr_wire_put_long(at, entry->offset);
    at = mr_wire_put_long(at, entry->timestamp_ms);
    at = put_optional(at, entry->has_key, entry->key);
    if (entry->header_count > 0) {
        at = mr_wire_put_long(at, (int64_t)entry->header_count);
    }
    for (size_t i = 0; i < entry->header_count; i++) {
        const struct mr_header *header = &entry->headers[i];

        at = mr_wire_put_bytes(at, mr_slice_str(header->name));
        at = put_optional(at, header->value.data != NULL, header->value);
    }
    at = mr_wire_put_long(at, 0);
    if (entry->kind == ARCHIVE_TOMBSTONE) {
        at = mr_wire_put_long(at, 0);
    } else if (entry->kind == ARCHIVE_RECORD) {
        MR_ASSERT(with_record);
        at = mr_wire_put_long(at, 1);
        if (entry->value.len > 0) {
            memcpy(at, entry->value.data, entry->value.len);
        }
        at += entry->value.len;
    } else {
        at = mr_wire_put_long(at, with_record ? 2 : 1);
        at = mr_wire_put_bytes(at, entry->value);
    }
    out->len = (size_t)(at - out->data);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static bool read_optional(struct mr_wire_reader *in, unsigned field, bool *has,
                          struct mr_slice *bytes)
{
    *bytes = mr_slice_of(NULL, 0);
    return mr_wire_present(in, field, has) && (!*has || mr_wire_bytes(in, field, bytes));
}

static bool read_headers(struct mr_wire_reader *in, struct mr_arena *arena,
                         struct archive_entry *entry)
{
    struct mr_header *headers = NULL;
    size_t capacity = 0;
    size_t items = 0;
    const uint8_t *block_end = NULL;

    entry->header_count = 0;
    do {
        if (!mr_wire_block(in, HEADERS, 2, entry->header_count, &items, &block_end)) {
            return false;
        }
        if (entry->header_count + items > capacity) {
            headers = mr_wire_grow(arena, headers, entry->header_count, items, sizeof *headers,
                                   &capacity);
        }
        for (size_t i = 0; i < items; i++) {
            struct mr_slice name;
            struct mr_slice value;
            char *copy;
            bool has = false;

            if (!mr_wire_string(in, HEADERS, &name) || !read_optional(in, HEADERS, &has, &value)) {
                return false;
            }
            copy = mr_arena_alloc(arena, name.len + 1);
            memcpy(copy, name.data, name.len);
            copy[name.len] = '\0';
            headers[entry->header_count++] = (struct mr_header){.name = copy, .value = value};
        }
        if (!mr_wire_block_close(in, HEADERS, block_end)) {
            return false;
        }
    } while (items > 0);
    entry->headers = headers;
    return true;
}

static bool read_head(struct mr_wire_reader *in, struct mr_arena *arena,
                      struct archive_entry *entry)
{
    return mr_wire_int(in, PARTITION, &entry->partition) &&
           mr_wire_long(in, OFFSET, &entry->offset) &&
           mr_wire_long(in, TIMESTAMP, &entry->timestamp_ms) &&
           read_optional(in, KEY, &entry->has_key, &entry->key) && read_headers(in, arena, entry);
}

enum mr_status archive_entry_read(struct mr_slice *bytes, const struct archive_shape *shape,
                                  const struct mr_resolution *values, struct mr_arena *arena,
                                  struct archive_entry *entry, struct mr_err *err)
{
    static const uint8_t nothing[1] = {0};
    struct mr_wire_reader in = {.at = bytes->data == NULL ? nothing : bytes->data};
    int64_t branch = 0;
    bool good;

    *entry = (struct archive_entry){0};
    in.end = in.at + bytes->len;
    good = read_head(&in, arena, entry) && mr_wire_long(&in, VALUE, &branch);
    if (good && (branch < 0 || branch >= (int64_t)shape->branch_count)) {
        good = mr_wire_fail(&in, VALUE, MR_WIRE_BRANCH);
    }
    if (good) {
        entry->kind = shape->branches[branch];
        if (entry->kind == ARCHIVE_BYTES) {
            good = mr_wire_bytes(&in, VALUE, &entry->value);
        }
    }
    if (!good) {
        return mr_wire_failed(&in, &entry_schema, err);
    }
    if (entry->kind == ARCHIVE_RECORD) {
        size_t len = 0;

        MR_ASSERT(values != NULL);
        MR_TRY(
            mr_resolution_measure(values, mr_slice_of(in.at, (size_t)(in.end - in.at)), &len, err));
        entry->value = mr_slice_of(in.at, len);
        in.at += len;
    }
    *bytes = mr_slice_of(in.at, (size_t)(in.end - in.at));
    return MR_OK;
}
