/*
 * stage_alone.h -- a subject on the stage driver, and the same records for it each time.
 *
 * Not: together with stage_world.h in one program; driver and runtime define the same functions.
 */
#ifndef MILLRACE_TESTS_STAGE_ALONE_H
#define MILLRACE_TESTS_STAGE_ALONE_H

#include "stage_driver.h"
#include "subjects.h"
#include "vocabulary.h"

struct alone_record {
    size_t port;
    const void *value;
    struct mr_slice key;
};

struct alone_input {
    const struct mr_stage *type;
    struct vocabulary vocabulary; /* owns the records' texts */
    struct alone_record *records; /* of stream ports */
    size_t count;
};

/* tame records of each stream port first, then `more` of random ports; count: all of them. */
void alone_input_make(struct alone_input *input, const struct mr_stage *type, size_t tame,
                      size_t more);
void alone_input_fini(struct alone_input *input);
/* A driver with all options at their fallbacks, and the same tables each time. */
struct mr_driver *alone_open(const struct mr_stage *type);
enum mr_status alone_push(struct mr_driver *driver, const struct alone_input *input, size_t index);

#endif
