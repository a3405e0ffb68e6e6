/*
 * problems.h -- collects what is wrong with the file, so that one run names everything.
 */
#ifndef MILLRACE_TOPOLOGY_PROBLEMS_H
#define MILLRACE_TOPOLOGY_PROBLEMS_H

#include "millrace/topology.h"

/* A file that is wrong everywhere says so this often and no more. */
#define PROBLEMS_MAX ((size_t)200)

struct problem_list {
    const char *file; /* of positions that name none; borrowed */
    struct mr_problem *items;
    size_t count;
    size_t capacity;
};

/* Keeps a copy of the text, as UTF-8 without control characters; beyond PROBLEMS_MAX nothing. */
void problem_add(struct problem_list *list, struct mr_position position, const char *fmt, ...)
    MR_PRINTF(3, 4);
/* True when nothing more is kept: looking for the nearest name is not worth it any more. */
static inline bool problems_full(const struct problem_list *list)
{
    return list->count == PROBLEMS_MAX;
}
/* Sorts by file and position and moves everything to *out; list is empty afterwards. */
void problems_take(struct problem_list *list, struct mr_problems *out);

#endif
