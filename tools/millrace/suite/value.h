/*
 * value.h -- what a suite writes down of a record, as JSON by the record's schema.
 *
 * A scalar of the file has no type; the field of the schema has. Text is taken as it stands, `null`
 * or `~` is none, an integer may be a reject code by its name (domain/codes.h). Besides:
 *   {n}                 which record of the case this is, from 1
 *   {now}, {now+1h}     the time of the case, in a time as such, else in microseconds since 1970
 */
#ifndef MILLRACE_SUITE_VALUE_H
#define MILLRACE_SUITE_VALUE_H

#include "suite.h"

#include <jansson.h>

struct suite_clock {
    int64_t now_us;
    int sends;
};

/* What is wrong, and where. */
struct suite_blame {
    struct mr_position at;
    char text[480];
};

/* The fields of a map, those that begin with $ left out. NULL: one of them is wrong, see blame. */
json_t *suite_fields(const struct mr_schema *schema, const struct node *map,
                     const struct suite_clock *clock, struct suite_blame *blame);
/*
 * The same as the codec writes them ("1.50" is "1.5"), so that equal values are equal JSON. With
 * schema NULL every field is a text.
 */
json_t *suite_canonical_fields(const struct mr_schema *schema, const struct node *map,
                               const struct suite_clock *clock, struct suite_blame *blame);
/* A record to send: fields, and defaults for what they leave out. */
json_t *suite_whole(const struct mr_schema *schema, const struct node *map,
                    const struct suite_defaults *defaults, const struct suite_clock *clock,
                    struct suite_blame *blame);
/*
 * What such an object says as a struct of the schema: struct_bytes at value, strings and arrays in
 * the arena. Errors name the field.
 */
MR_NODISCARD enum mr_status suite_struct(const struct mr_schema *schema, json_t *whole,
                                         struct mr_arena *arena, void *value, struct mr_err *err);
/* Written as nothing, as ~ or as null. */
bool suite_is_null(const struct node *node);
#define SUITE_NAME_MAX 64
/* The next of the fields that a topic is keyed by ("userId, symbol"); false: there is none. */
bool suite_next_key_field(const char **at, char name[SUITE_NAME_MAX]);

#endif
