/* archive_progress.c -- see archive_progress.h. */
#include "archive_progress.h"

#include "millrace/option.h"

#include <inttypes.h>

void archive_progress_begin(struct archive_progress *progress, const struct load_env *env,
                            const char *what, int64_t done, int64_t total)
{
    const int64_t now_us = mr_clock_monotonic_us(env->clock);

    *progress = (struct archive_progress){.env = env,
                                          .what = what,
                                          .total = total,
                                          .began_us = now_us,
                                          .began_at = done,
                                          .shown_us = now_us};
}

void archive_progress_show(struct archive_progress *progress, const char *name, int64_t done)
{
    const int64_t now_us = mr_clock_monotonic_us(progress->env->clock);
    const int64_t since_us = now_us - progress->began_us;
    const int64_t moved = done - progress->began_at;
    int64_t rate;
    int64_t left;

    if (progress->env->progress == NULL ||
        now_us - progress->shown_us < load_progress_every_us(progress->env)) {
        return;
    }
    progress->shown_us = now_us;
    rate = since_us < MR_MS_US ? 0 : moved * 1000 / (since_us / MR_MS_US);
    left = progress->total > done ? progress->total - done : 0;
    load_progress(progress->env,
                  "%s: %s, %" PRId64 " of %" PRId64 " (%" PRId64 "/s, %" PRId64 " s left)",
                  progress->what, name, done, progress->total, rate, rate > 0 ? left / rate : 0);
}
