/*
 * wire.h -- Avro binary, one primitive at a time: what the generated codecs are made of.
 *
 * Why: the generated decode of a record is one chain of these calls; being inline and free of
 *      allocation they make it an order of magnitude faster than walking a schema at run time.
 * How: a reader fails once and stays where it failed; it notes which field and why, and only then
 * is text made of it. Every read is bounded by `end`. A varint must be as short as it can be, so
 *      that equal values are equal bytes.
 * Not: schema resolution, which is runtime/codec.
 * Thread: a reader has one owner; nothing here is shared.
 */
#ifndef MILLRACE_WIRE_H
#define MILLRACE_WIRE_H

#include "millrace/api.h"
#include "millrace/arena.h"
#include "millrace/schema.h"

MR_API_BEGIN

/* What was wrong, status of it, text */
#define MR_WIRE_FAULT_MAP(X)                                                                       \
    X(NONE, OK, "ok")                                                                              \
    X(TRUNCATED, MALFORMED, "the record ends inside it")                                           \
    X(VARINT, MALFORMED, "its integer is overlong or wider than 64 bits")                          \
    X(LENGTH, MALFORMED, "its length is negative or beyond the end of the record")                 \
    X(NUL, MALFORMED, "its text holds a NUL byte")                                                 \
    X(BOOL, MALFORMED, "its boolean is neither 0 nor 1")                                           \
    X(BRANCH, MALFORMED, "its union branch does not exist")                                        \
    X(BLOCK, MALFORMED, "its array block does not have the size it states")                        \
    X(INT, OUT_OF_RANGE, "its int is wider than 32 bits")                                          \
    X(ORDINAL, OUT_OF_RANGE, "its enum has no such symbol")                                        \
    X(DECIMAL, OUT_OF_RANGE, "its decimal has more than 38 digits")                                \
    X(ITEMS, TOO_LARGE, "its array has too many items")

enum mr_wire_fault {
#define X(name, status, text) MR_WIRE_##name,
    MR_WIRE_FAULT_MAP(X)
#undef X
};

/*
 * For the steps of nearly every field. Left to itself at -O2, a compiler calls them, and the
 * position goes through memory once for each field: half the speed.
 */
#define MR_WIRE_INLINE static inline __attribute__((always_inline))

struct mr_wire_reader {
    const uint8_t *at;
    const uint8_t *end;
    enum mr_wire_fault fault;
    unsigned field; /* index in the schema's table; meaningful with a fault */
};

/* Text and status of a failed reader: "OrderCommand.price: the record ends inside it". */
MR_NODISCARD enum mr_status mr_wire_failed(const struct mr_wire_reader *in,
                                           const struct mr_schema *schema, struct mr_err *err);
/* MR_TOO_LARGE for a body beyond MR_RECORD_BYTES_MAX; otherwise *in stands at its start. */
MR_NODISCARD enum mr_status mr_wire_open(struct mr_wire_reader *in, struct mr_slice body,
                                         const struct mr_schema *schema, struct mr_err *err);
/* MR_MALFORMED when bytes are left over. */
MR_NODISCARD enum mr_status mr_wire_close(const struct mr_wire_reader *in,
                                          const struct mr_schema *schema, struct mr_err *err);

/* The slow half of a varint: more than one byte, or an error. */
bool mr_wire_varint_long(struct mr_wire_reader *in, unsigned field, uint64_t *out);

/*
 * Head of the next array block: *block_items is 0 at the end of the array.
 * item_bytes_min  shortest encoding of an item: bounds what a count may claim; 0 when it is not
 * known items_before    already read; the sum is bounded by MR_ARRAY_ITEMS_MAX *block_end where the
 * block says it ends, or NULL when it does not say
 */
bool mr_wire_block(struct mr_wire_reader *in, unsigned field, size_t item_bytes_min,
                   size_t items_before, size_t *block_items, const uint8_t **block_end);
/* False unless the block ended where it said. */
bool mr_wire_block_close(struct mr_wire_reader *in, unsigned field, const uint8_t *block_end);
/* Room for more items behind count; the old ones move along. capacity is in items. */
void *mr_wire_grow(struct mr_arena *arena, const void *items, size_t count, size_t more,
                   size_t item_bytes, size_t *capacity);

static inline bool mr_wire_fail(struct mr_wire_reader *in, unsigned field, enum mr_wire_fault fault)
{
    in->fault = fault;
    in->field = field;
    return false;
}

MR_WIRE_INLINE bool mr_wire_varint(struct mr_wire_reader *in, unsigned field, uint64_t *out)
{
    if (in->at < in->end && *in->at < 0x80) {
        *out = *in->at++;
        return true;
    }
    return mr_wire_varint_long(in, field, out);
}

static inline int64_t mr_wire_unzigzag(uint64_t raw)
{
    const uint64_t sign = (raw & 1) == 0 ? 0 : UINT64_MAX;

    return (int64_t)((raw >> 1) ^ sign);
}

MR_WIRE_INLINE bool mr_wire_long(struct mr_wire_reader *in, unsigned field, int64_t *out)
{
    uint64_t raw = 0;

    if (!mr_wire_varint(in, field, &raw)) {
        return false;
    }
    *out = mr_wire_unzigzag(raw);
    return true;
}

static inline bool mr_wire_int(struct mr_wire_reader *in, unsigned field, int32_t *out)
{
    uint64_t raw = 0;

    if (!mr_wire_varint(in, field, &raw)) {
        return false;
    }
    if (raw > UINT32_MAX) {
        return mr_wire_fail(in, field, MR_WIRE_INT);
    }
    *out = (int32_t)mr_wire_unzigzag(raw);
    return true;
}

static inline bool mr_wire_bool(struct mr_wire_reader *in, unsigned field, bool *out)
{
    if (in->at == in->end) {
        return mr_wire_fail(in, field, MR_WIRE_TRUNCATED);
    }
    if (*in->at > 1) {
        return mr_wire_fail(in, field, MR_WIRE_BOOL);
    }
    *out = *in->at++ == 1;
    return true;
}

/* Branch of ["null", T]: 0 is null, 1 is T. */
MR_WIRE_INLINE bool mr_wire_present(struct mr_wire_reader *in, unsigned field, bool *out)
{
    if (in->at == in->end) {
        return mr_wire_fail(in, field, MR_WIRE_TRUNCATED);
    }
    if (*in->at != 0 && *in->at != 2) {
        return mr_wire_fail(in, field, MR_WIRE_BRANCH);
    }
    *out = *in->at++ == 2;
    return true;
}

/* Ordinal of an enum with count symbols. */
static inline bool mr_wire_ordinal(struct mr_wire_reader *in, unsigned field, unsigned count,
                                   unsigned *out)
{
    uint64_t raw = 0;

    if (!mr_wire_varint(in, field, &raw)) {
        return false;
    }
    if ((raw & 1) != 0 || raw >> 1 >= count) {
        return mr_wire_fail(in, field, MR_WIRE_ORDINAL);
    }
    *out = (unsigned)(raw >> 1);
    return true;
}

MR_WIRE_INLINE bool mr_wire_bytes(struct mr_wire_reader *in, unsigned field, struct mr_slice *out)
{
    uint64_t raw = 0;

    if (!mr_wire_varint(in, field, &raw)) {
        return false;
    }
    /* A negative length has the low bit set. */
    if ((raw & 1) != 0 || raw >> 1 > (uint64_t)(in->end - in->at)) {
        return mr_wire_fail(in, field, MR_WIRE_LENGTH);
    }
    *out = mr_slice_of(in->at, (size_t)(raw >> 1));
    in->at += out->len;
    return true;
}

/* Texts become parts of composite keys, whose separator is NUL. */
MR_WIRE_INLINE bool mr_wire_string(struct mr_wire_reader *in, unsigned field, struct mr_slice *out)
{
    if (!mr_wire_bytes(in, field, out)) {
        return false;
    }
    if (out->len > 0 && memchr(out->data, 0, out->len) != NULL) {
        return mr_wire_fail(in, field, MR_WIRE_NUL);
    }
    return true;
}

static inline bool mr_wire_fixed(struct mr_wire_reader *in, unsigned field, size_t bytes,
                                 uint8_t *out)
{
    if ((size_t)(in->end - in->at) < bytes) {
        return mr_wire_fail(in, field, MR_WIRE_TRUNCATED);
    }
    memcpy(out, in->at, bytes);
    in->at += bytes;
    return true;
}

/* Written with shifts alone, compilers do not see one load and one swap in it. */
static inline uint64_t mr_wire_swap_be64(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(value);
#else
    return value;
#endif
}

static inline uint64_t mr_wire_load_be64(const uint8_t *at)
{
    uint64_t value = 0;

    memcpy(&value, at, sizeof(value));
    return mr_wire_swap_be64(value);
}

static inline void mr_wire_store_be64(uint8_t *at, uint64_t value)
{
    value = mr_wire_swap_be64(value);
    memcpy(at, &value, sizeof(value));
}

/* 10^38, the first value that decimal(38) cannot hold. */
static inline mr_i128 mr_wire_decimal_end(void)
{
    return (mr_i128)UINT64_C(10000000000000000000) * (mr_i128)UINT64_C(10000000000000000000);
}

MR_WIRE_INLINE bool mr_wire_decimal(struct mr_wire_reader *in, unsigned field, mr_i128 *out)
{
    mr_u128 raw = 0;

    if ((size_t)(in->end - in->at) < 16) {
        return mr_wire_fail(in, field, MR_WIRE_TRUNCATED);
    }
    raw = (mr_u128)mr_wire_load_be64(in->at) << 64 | mr_wire_load_be64(in->at + 8);
    *out = (mr_i128)raw;
    if (*out >= mr_wire_decimal_end() || *out <= -mr_wire_decimal_end()) {
        return mr_wire_fail(in, field, MR_WIRE_DECIMAL);
    }
    in->at += 16;
    return true;
}

/* ---- writing: the caller's buffer is large enough, which encoded_bytes_max saw to ------------ */

#define MR_WIRE_VARINT_BYTES_MAX ((size_t)10)

static inline uint8_t *mr_wire_put_varint(uint8_t *at, uint64_t raw)
{
    while (raw >= 0x80) {
        *at++ = (uint8_t)(raw | 0x80);
        raw >>= 7;
    }
    *at++ = (uint8_t)raw;
    return at;
}

static inline uint8_t *mr_wire_put_long(uint8_t *at, int64_t value)
{
    const uint64_t sign = value < 0 ? UINT64_MAX : 0;

    return mr_wire_put_varint(at, ((uint64_t)value << 1) ^ sign);
}

static inline uint8_t *mr_wire_put_byte(uint8_t *at, uint8_t value)
{
    *at = value;
    return at + 1;
}

static inline uint8_t *mr_wire_put_bool(uint8_t *at, bool value)
{
    return mr_wire_put_byte(at, value ? 1 : 0);
}

/* Branch of ["null", T]. */
static inline uint8_t *mr_wire_put_present(uint8_t *at, bool present)
{
    return mr_wire_put_byte(at, present ? 2 : 0);
}

static inline uint8_t *mr_wire_put_ordinal(uint8_t *at, unsigned ordinal, unsigned count)
{
    MR_ASSERT(ordinal < count);
    return mr_wire_put_varint(at, (uint64_t)ordinal << 1);
}

static inline uint8_t *mr_wire_put_bytes(uint8_t *at, struct mr_slice value)
{
    at = mr_wire_put_varint(at, (uint64_t)value.len << 1);
    if (value.len > 0) {
        memcpy(at, value.data, value.len);
    }
    return at + value.len;
}

static inline uint8_t *mr_wire_put_fixed(uint8_t *at, const uint8_t *value, size_t bytes)
{
    memcpy(at, value, bytes);
    return at + bytes;
}

static inline uint8_t *mr_wire_put_decimal(uint8_t *at, mr_i128 value)
{
    mr_wire_store_be64(at, (uint64_t)((mr_u128)value >> 64));
    mr_wire_store_be64(at + 8, (uint64_t)(mr_u128)value);
    return at + 16;
}

MR_API_END

#endif
