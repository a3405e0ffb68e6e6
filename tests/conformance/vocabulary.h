/*
 * vocabulary.h -- random records that a stage may take for real ones, from any schema.
 *
 * Why: a suite over every stage cannot know what each of them wants; but fields of one name mean
 *      the same thing in every schema of the pipeline. So there is one table of names: few users,
 *      few symbols, order ids that collide, prices on the tick.
 * How: by the schema's field table alone. A field without an entry gets a plain value of its kind.
 *      The same seed gives the same records.
 */
#ifndef MILLRACE_TESTS_VOCABULARY_H
#define MILLRACE_TESTS_VOCABULARY_H

#include "millrace/schema.h"

struct vocabulary {
    uint64_t random;
    int64_t index; /* of the record: rises */
    bool tame;     /* nothing unusual: first enum symbols, only usual fields */
    bool wild;     /* every field by itself, whatever its kind can hold, extremes first */
    struct mr_arena *arena;
};

void vocabulary_init(struct vocabulary *vocabulary, uint64_t seed);
void vocabulary_fini(struct vocabulary *vocabulary);
/* [0, bound) */
uint64_t vocabulary_pick(struct vocabulary *vocabulary, uint64_t bound);
/* Fills a struct of the schema; its texts live until fini. */
void vocabulary_record(struct vocabulary *vocabulary, const struct mr_schema *schema, void *value);
/* The field of a record that its topic is keyed by; `none` where it is empty or no text. */
struct mr_slice vocabulary_key(const struct mr_schema *schema, const char *field, const void *value,
                               const char *none);

#endif
