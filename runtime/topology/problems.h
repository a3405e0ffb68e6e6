/*
 * problems.h -- collects what is wrong with the file, so that one run names everything.
 */
#ifndef MILLRACE_TOPOLOGY_PROBLEMS_H
#define MILLRACE_TOPOLOGY_PROBLEMS_H

#include "millrace/topology.h"

/* A file that is wrong everywhere says so this often and no more. */
#define PROBLEMS_MAX ((size_t)200)

struct problem_list {
    const char *file; /* borrowed */
    struct mr_problem *items;
    size_t count;
    size_t capacity;
};

/* Keeps a copy of the text; beyond PROBLEMS_MAX nothing is kept. */
void problem_add(struct problem_list *list, struct mr_position position, const char *fmt, ...)
    MR_PRINTF(3, 4);
/* Sorts by position and moves everything to *out; list is empty afterwards. */
void problems_take(struct problem_list *list, struct mr_problems *out);

#endif
