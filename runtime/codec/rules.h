/*
 * rules.h -- Avro's rules of schema resolution, on the schemas' JSON. Private to runtime/codec.
 *
 * Why: avro-c 1.11 does not name the field when a record in an array differs: it follows a null
 *      pointer. And it lets a reader without null follow a writer with it, which fails at the first
 *      null.
 * Not: the order of enum symbols, defaults' values and logical types; compat.c and reduce.c look at
 * those.
 */
#ifndef MILLRACE_CODEC_RULES_H
#define MILLRACE_CODEC_RULES_H

#include "millrace/status.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * every_branch  each branch of a writer's union must fit, as compatibility demands; else one must,
 *               as decoding does: the value may be of that one
 * Returns MR_OK | MR_EXISTS naming the field ("a.x") and both types
 */
MR_NODISCARD enum mr_status mr_rules_check(json_t *writer, json_t *reader, bool every_branch,
                                           struct mr_err *err);

#endif
