/*
 * records.c -- records by the field table: every kind of value, edges more often than chance gives.
 */
#include "records.h"

#include "millrace/codec.h"

struct items {
    const void *items;
    size_t count;
};

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t end)
{
    return random_next(random) % end;
}

static int64_t random_long(struct random *random)
{
    static const int64_t EDGES[] = {0,   1,    -1,   63,        64,        -64,
                                    -65, 8191, 8192, INT32_MAX, INT64_MAX, INT64_MIN};

    if (random_below(random, 2) == 0) {
        return EDGES[random_below(random, MR_COUNT(EDGES))];
    }
    return (int64_t)(random_next(random) >> random_below(random, 64));
}

static int32_t random_int(struct random *random)
{
    static const int32_t EDGES[] = {0, 1, -1, 63, 64, -64, -65, INT32_MAX, INT32_MIN};

    if (random_below(random, 2) == 0) {
        return EDGES[random_below(random, MR_COUNT(EDGES))];
    }
    return (int32_t)(uint32_t)random_next(random);
}

static mr_i128 random_decimal(struct random *random)
{
    const mr_i128 end =
        (mr_i128)UINT64_C(10000000000000000000) * (mr_i128)UINT64_C(10000000000000000000);
    const mr_i128 edges[] = {0, 1, -1, end - 1, 1 - end, (mr_i128)1 << 64, -((mr_i128)1 << 64)};
    const mr_u128 wide = (mr_u128)random_next(random) << 64 | random_next(random);

    if (random_below(random, 2) == 0) {
        return edges[random_below(random, MR_COUNT(edges))];
    }
    return (mr_i128)(wide >> (2 + random_below(random, 100))) *
           (random_below(random, 2) == 0 ? 1 : -1);
}

/* UTF-8 without NUL, now and then long enough for a length of two bytes. */
static struct mr_slice random_text(struct random *random, struct mr_arena *arena)
{
    const size_t len = random_below(random, random_below(random, 8) == 0 ? 200 : 40);
    uint8_t *text = mr_arena_alloc(arena, len);

    for (size_t i = 0; i < len; i++) {
        if (i + 1 < len && random_below(random, 16) == 0) {
            text[i++] = 0xc3;
            text[i] = 0xa9;
        } else {
            text[i] = (uint8_t)(1 + random_below(random, 127));
        }
    }
    return mr_slice_of(text, len);
}

static void random_bytes(struct random *random, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)random_next(random);
    }
}

static void random_scalar(struct random *random, const struct mr_schema_field *field, uint8_t *at,
                          struct mr_arena *arena)
{
    const struct mr_slice text = random_text(random, arena);
    const int64_t wide = random_long(random);
    const int32_t narrow = random_int(random);
    const mr_i128 atoms = random_decimal(random);
    const bool flag = random_below(random, 2) == 1;
    unsigned ordinal = 0;

    switch (field->kind) {
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES:
        memcpy(at, &text, sizeof(text));
        break;
    case MR_FIELD_LONG:
    case MR_FIELD_TIMESTAMP_US:
        memcpy(at, &wide, sizeof(wide));
        break;
    case MR_FIELD_INT:
        memcpy(at, &narrow, sizeof(narrow));
        break;
    case MR_FIELD_BOOL:
        memcpy(at, &flag, sizeof(flag));
        break;
    case MR_FIELD_DECIMAL:
        memcpy(at, &atoms, sizeof(atoms));
        break;
    case MR_FIELD_FIXED:
        random_bytes(random, at, field->fixed_bytes);
        break;
    case MR_FIELD_ENUM:
        ordinal = (unsigned)random_below(random, field->symbol_count);
        memcpy(at, &ordinal, sizeof(ordinal));
        break;
    case MR_FIELD_ARRAY:
        break;
    }
}

static void random_fields(struct random *random, const struct mr_schema *schema, uint8_t *record,
                          struct mr_arena *arena)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        const bool has = !field->nullable || random_below(random, 2) == 0;

        if (field->nullable) {
            memcpy(record + field->has_offset, &has, sizeof(has));
        }
        if (has) {
            random_scalar(random, field, record + field->offset, arena);
        }
    }
}

void *random_record(struct random *random, const struct mr_schema *schema, struct mr_arena *arena)
{
    uint8_t *record = mr_arena_alloc(arena, schema->struct_bytes);

    memset(record, 0, schema->struct_bytes);
    random_fields(random, schema, record, arena);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        struct items list = {.count = random_below(random, 5)};
        uint8_t *items = NULL;

        if (field->kind != MR_FIELD_ARRAY) {
            continue;
        }
        items = mr_arena_alloc(arena, list.count * field->item_bytes);
        memset(items, 0, list.count * field->item_bytes);
        for (size_t n = 0; n < list.count; n++) {
            random_fields(random, field->items, items + n * field->item_bytes, arena);
        }
        list.items = items;
        memcpy(record + field->offset, &list, sizeof(list));
    }
    return record;
}

static size_t scalar_bytes(const struct mr_schema_field *field)
{
    switch (field->kind) {
    case MR_FIELD_LONG:
    case MR_FIELD_TIMESTAMP_US:
        return sizeof(int64_t);
    case MR_FIELD_INT:
        return sizeof(int32_t);
    case MR_FIELD_BOOL:
        return sizeof(bool);
    case MR_FIELD_DECIMAL:
        return sizeof(mr_i128);
    case MR_FIELD_FIXED:
        return field->fixed_bytes;
    case MR_FIELD_ENUM:
        return sizeof(unsigned);
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES:
    case MR_FIELD_ARRAY:
        break;
    }
    return 0;
}

static bool scalars_equal(const struct mr_schema_field *field, const uint8_t *a, const uint8_t *b)
{
    struct mr_slice text_a;
    struct mr_slice text_b;

    if (field->kind == MR_FIELD_STRING || field->kind == MR_FIELD_BYTES) {
        memcpy(&text_a, a, sizeof(text_a));
        memcpy(&text_b, b, sizeof(text_b));
        return mr_slice_equal(text_a, text_b);
    }
    return memcmp(a, b, scalar_bytes(field)) == 0;
}

static const char *fields_differ(const struct mr_schema *schema, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        if (field->nullable && a[field->has_offset] != b[field->has_offset]) {
            return field->name;
        }
        /* An absent value is zero in both. */
        if (field->kind != MR_FIELD_ARRAY &&
            !scalars_equal(field, a + field->offset, b + field->offset)) {
            return field->name;
        }
    }
    return NULL;
}

const char *records_differ(const struct mr_schema *schema, const void *a, const void *b)
{
    const char *name = fields_differ(schema, a, b);

    for (size_t i = 0; name == NULL && i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];
        struct items list_a;
        struct items list_b;

        if (field->kind != MR_FIELD_ARRAY) {
            continue;
        }
        memcpy(&list_a, (const uint8_t *)a + field->offset, sizeof(list_a));
        memcpy(&list_b, (const uint8_t *)b + field->offset, sizeof(list_b));
        if (list_a.count != list_b.count) {
            return field->name;
        }
        for (size_t n = 0; name == NULL && n < list_a.count; n++) {
            name =
                fields_differ(field->items, (const uint8_t *)list_a.items + n * field->item_bytes,
                              (const uint8_t *)list_b.items + n * field->item_bytes);
        }
    }
    return name;
}

struct mr_slice encode_record(const struct mr_schema *schema, const void *value,
                              struct mr_arena *arena)
{
    const size_t bound = schema->encoded_bytes_max(value);
    uint8_t *bytes = mr_arena_alloc(arena, bound + 1);
    size_t len = 0;

    bytes[bound] = 0xa5;
    len = schema->encode(value, bytes);
    MR_ASSERT(len <= bound);
    MR_ASSERT(bytes[bound] == 0xa5);
    return mr_slice_of(bytes, len);
}

struct mr_slice frame_body(int32_t id, struct mr_slice body, struct mr_arena *arena)
{
    uint8_t *framed = mr_arena_alloc(arena, MR_WIRE_HEADER_BYTES + body.len);

    framed[0] = 0;
    for (size_t i = 0; i < 4; i++) {
        framed[1 + i] = (uint8_t)((uint32_t)id >> (24 - 8 * i));
    }
    if (body.len > 0) {
        memcpy(framed + MR_WIRE_HEADER_BYTES, body.data, body.len);
    }
    return mr_slice_of(framed, MR_WIRE_HEADER_BYTES + body.len);
}
