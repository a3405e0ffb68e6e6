/* wire.c -- the parts of wire.h that are too long or too rare to be inline. */
#include "millrace/wire.h"

#define VARINT_BITS 64

static const struct {
    enum mr_status status;
    const char *text;
} FAULTS[] = {
#define X(name, status, text) {MR_##status, text},
    MR_WIRE_FAULT_MAP(X)
#undef X
};

enum mr_status mr_wire_failed(const struct mr_wire_reader *in, const struct mr_schema *schema,
                              struct mr_err *err)
{
    const bool known = in->field < schema->field_count;

    MR_ASSERT(in->fault != MR_WIRE_NONE);
    return mr_fail(err, FAULTS[in->fault].status, "%s%s%s: %s", schema->name, known ? "." : "",
                   known ? schema->fields[in->field].name : "", FAULTS[in->fault].text);
}

enum mr_status mr_wire_open(struct mr_wire_reader *in, struct mr_slice body,
                            const struct mr_schema *schema, struct mr_err *err)
{
    static const uint8_t nothing[1] = {0};

    if (body.len > MR_RECORD_BYTES_MAX) {
        return mr_fail(err, MR_TOO_LARGE, "%s: %zu bytes, at most %zu are allowed", schema->name,
                       body.len, MR_RECORD_BYTES_MAX);
    }
    /* An absent body has no address, and arithmetic on NULL is undefined. */
    in->at = body.data == NULL ? nothing : body.data;
    in->end = in->at + body.len;
    in->fault = MR_WIRE_NONE;
    in->field = 0;
    return MR_OK;
}

enum mr_status mr_wire_close(const struct mr_wire_reader *in, const struct mr_schema *schema,
                             struct mr_err *err)
{
    if (in->at != in->end) {
        return mr_fail(err, MR_MALFORMED, "%s: %zu bytes behind its last field", schema->name,
                       (size_t)(in->end - in->at));
    }
    return MR_OK;
}

bool mr_wire_varint_long(struct mr_wire_reader *in, unsigned field, uint64_t *out)
{
    const uint8_t *at = in->at;
    uint64_t value = 0;

    for (unsigned shift = 0; shift < VARINT_BITS; shift += 7) {
        if (at == in->end) {
            return mr_wire_fail(in, field, MR_WIRE_TRUNCATED);
        }
        const uint64_t bits = *at & 0x7fU;

        /* The tenth byte has room for one bit. */
        if (shift == 63 && *at > 1) {
            return mr_wire_fail(in, field, MR_WIRE_VARINT);
        }
        value |= bits << shift;
        if (*at < 0x80) {
            if (*at == 0 && shift > 0) {
                return mr_wire_fail(in, field, MR_WIRE_VARINT);
            }
            in->at = at + 1;
            *out = value;
            return true;
        }
        at++;
    }
    return mr_wire_fail(in, field, MR_WIRE_VARINT);
}

bool mr_wire_block(struct mr_wire_reader *in, unsigned field, size_t item_bytes_min,
                   size_t items_before, size_t *block_items, const uint8_t **block_end)
{
    int64_t count = 0;
    int64_t bytes = 0;
    uint64_t items = 0;

    *block_end = NULL;
    if (!mr_wire_long(in, field, &count)) {
        return false;
    }
    items = (uint64_t)count;
    if (count < 0) {
        /* A negative count announces the block's size behind it. */
        items = 0 - items;
        if (!mr_wire_long(in, field, &bytes)) {
            return false;
        }
        if (bytes < 0 || bytes > in->end - in->at) {
            return mr_wire_fail(in, field, MR_WIRE_BLOCK);
        }
        *block_end = in->at + bytes;
    }
    if (items > MR_ARRAY_ITEMS_MAX - items_before) {
        return mr_wire_fail(in, field, MR_WIRE_ITEMS);
    }
    if (item_bytes_min > 0 && items > (uint64_t)(in->end - in->at) / item_bytes_min) {
        return mr_wire_fail(in, field, MR_WIRE_TRUNCATED);
    }
    *block_items = (size_t)items;
    return true;
}

bool mr_wire_block_close(struct mr_wire_reader *in, unsigned field, const uint8_t *block_end)
{
    if (block_end != NULL && block_end != in->at) {
        return mr_wire_fail(in, field, MR_WIRE_BLOCK);
    }
    return true;
}

void *mr_wire_grow(struct mr_arena *arena, const void *items, size_t count, size_t more,
                   size_t item_bytes, size_t *capacity)
{
    void *grown = NULL;

    MR_ASSERT(arena != NULL);
    /* The first block is nearly always the only one: exactly its size. */
    *capacity = count == 0 ? more : 2 * (count + more);
    grown = mr_arena_alloc(arena, *capacity * item_bytes);
    if (count > 0) {
        memcpy(grown, items, count * item_bytes);
    }
    return grown;
}
