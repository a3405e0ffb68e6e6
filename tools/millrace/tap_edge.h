/*
 * tap_edge.h -- records that are handed over in memory and written to no topic, from the processes
 * in which that happens (run_tap.c).
 */
#ifndef MILLRACE_TOOLS_TAP_EDGE_H
#define MILLRACE_TOOLS_TAP_EDGE_H

#include "millrace/topology.h"
#include "see_processes.h"
#include "where.h"

struct tap_edge {
    const struct mr_topology *topology;
    size_t topic;
    const struct where *where;
    const char *key;   /* "": any */
    int64_t partition; /* -1: any */
    int64_t count;     /* ends after so many; 0: never */
    struct see_processes processes;
};

/* Prints lines as they come, from all processes at once. What they had to drop is said on stderr.
 */
MR_NODISCARD enum mr_status tap_edge_print(const struct tap_edge *edge, struct mr_err *err);

#endif
