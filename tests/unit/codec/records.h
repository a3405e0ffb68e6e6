/* records.h -- random records of any schema, and whether two are equal. */
#ifndef TESTS_CODEC_RECORDS_H
#define TESTS_CODEC_RECORDS_H

#include "millrace/schema.h"

struct random {
    uint64_t state;
};

/* The next number of a fixed sequence; below: 0..end-1. */
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t end);

/* struct_bytes of arena memory holding a valid record; edge values are frequent. */
void *random_record(struct random *random, const struct mr_schema *schema, struct mr_arena *arena);

/* Name of the first field in which they differ, or NULL. */
const char *records_differ(const struct mr_schema *schema, const void *a, const void *b);

/* Encoded by the generated code into arena memory, its length checked against the bound. */
struct mr_slice encode_record(const struct mr_schema *schema, const void *value,
                              struct mr_arena *arena);

/* In the wire format under this schema id, in arena memory. */
struct mr_slice frame_body(int32_t id, struct mr_slice body, struct mr_arena *arena);

#endif
