/*
 * evolve.h -- the schema that somebody else may have: ours, changed by the rules of evolution.
 */
#ifndef TESTS_CODEC_EVOLVE_H
#define TESTS_CODEC_EVOLVE_H

#define EVOLVE_ADD 1U     /* new fields with defaults, at the front and the end */
#define EVOLVE_REORDER 2U /* the fields in reverse */
#define EVOLVE_NARROW 4U  /* every long an int: ours has promoted it */
#define EVOLVE_DROP 8U    /* no field that has a default: ours has added them */
#define EVOLVE_BREAK 16U  /* without the first field that has no default */
#define EVOLVE_ALL (EVOLVE_ADD | EVOLVE_REORDER | EVOLVE_NARROW | EVOLVE_DROP)

/* Names of the fields that EVOLVE_ADD brings: a string, an optional string, an int. */
#define EVOLVE_TEXT "evolvedText"
#define EVOLVE_OPTIONAL "evolvedOptional"
#define EVOLVE_NUMBER "evolvedNumber"

/* The text of the other schema; the caller's to free. Records in arrays change too. */
char *evolve_schema(const char *json, unsigned how);

#endif
