/*
 * progress_text.h -- the text beside a task's committed offsets, taken apart and put together.
 *
 *   2 <sequence> <stream time> <writer> <stage>:<timer>,<timer> <stage>:...
 *
 * sequence     of the task's last transaction
 * stream time  microseconds, INT64_MIN: no record yet
 * writer       transactional id of who committed it; empty: nobody of this group has
 * timer        when it is due next, in the order in which the stage asks for them
 * Timers go by the stage's name, so that they can go with the stage when it moves to another group
 * (tools/millrace/plan).
 */
#ifndef MILLRACE_TASK_PROGRESS_TEXT_H
#define MILLRACE_TASK_PROGRESS_TEXT_H

#include "millrace/buffer.h"

struct progress_text {
    int64_t sequence;
    int64_t stream_time_us;
    struct mr_slice writer;
    struct mr_slice timers; /* of all stages, as in the text */
};

/* False: there is none, or it is of another version. What is read borrows from text. */
bool progress_text_read(struct mr_slice text, struct progress_text *progress);
/* The timers of a stage, "<timer>,<timer>"; empty when it has none. */
struct mr_slice progress_text_timers(const struct progress_text *progress, const char *stage);
/* Takes the first number off a list of timers; false when there is none. */
bool progress_text_next(struct mr_slice *timers, int64_t *next_us);
/* Appends everything before the timers. */
void progress_text_write(struct mr_buffer *text, const struct progress_text *progress);

#endif
