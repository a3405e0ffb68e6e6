/* archive_range.h -- which part of a topic: --from, --to and --partitions as they are written. */
#ifndef MILLRACE_ARCHIVE_RANGE_H
#define MILLRACE_ARCHIVE_RANGE_H

#include "load_feed.h"

/* One end of a range: an offset, or a time in UTC. */
struct archive_bound {
    enum { ARCHIVE_OPEN, ARCHIVE_OFFSET, ARCHIVE_TIME } kind;
    int64_t value; /* ARCHIVE_TIME: milliseconds */
};

/* "", an offset, or 2026-01-31T12:00:00Z; name is the option's, for the message (MR_CONFIG). */
MR_NODISCARD enum mr_status archive_bound_parse(const char *name, const char *text,
                                                struct archive_bound *bound, struct mr_err *err);
/* "" (all), or "0,3,5-7"; wanted has LOAD_PARTITIONS_MAX places. */
MR_NODISCARD enum mr_status archive_partitions_parse(const char *text, bool *wanted,
                                                     struct mr_err *err);

#endif
