/* archive_progress.h -- how far a long command is: done of total, rate, time left. */
#ifndef MILLRACE_ARCHIVE_PROGRESS_H
#define MILLRACE_ARCHIVE_PROGRESS_H

#include "load_feed.h"

struct archive_progress {
    const struct load_env *env;
    const char *what; /* "export" */
    int64_t total;
    int64_t began_us;
    int64_t began_at; /* what was done already then */
    int64_t shown_us;
};

void archive_progress_begin(struct archive_progress *progress, const struct load_env *env,
                            const char *what, int64_t done, int64_t total);
/* Shows a line when it is time for one. */
void archive_progress_show(struct archive_progress *progress, const char *name, int64_t done);

#endif
