/*
 * tally.h -- sums by name, for checks that add up again what the pipeline has added up.
 */
#ifndef MILLRACE_TESTS_TALLY_H
#define MILLRACE_TESTS_TALLY_H

#include "millrace/slice.h"
#include "millrace/status.h"

#define TALLY_NAME_MAX 200

struct tally_item {
    char name[TALLY_NAME_MAX];
    mr_i128 sum;
    int64_t count;
};

struct tally {
    struct tally_item *items;
    size_t count, capacity;
};

/* The item of that name, with 0 when it is new. Borrowed until the next call. */
struct tally_item *tally_at(struct tally *tally, const char *format, ...) MR_PRINTF(2, 3);
void tally_fini(struct tally *tally);

#endif
