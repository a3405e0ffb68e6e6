/*
 * progress.c -- what a task keeps beside its offsets: how far its time and its journal have come.
 *
 * Why: a restarted task must go on with the stream time and the timers it had, or it would fire and
 *      expire otherwise than it had without the restart; the next owner of the task must know who
 *      had it. Committed with the offsets, that costs nothing and is never ahead or behind.
 * How: a text in the offsets' metadata (progress_text.h). Each transaction writes it beside the
 *      offsets it moves, so of a task's inputs the one with the highest sequence has the last word.
 */
#include "millrace/fault.h"
#include "progress_text.h"
#include "task.h"

#include <inttypes.h>
#include <stdlib.h>

/* A stage's name, a number, and what is between them. */
#define TIMER_BYTES_MAX 90

void progress_write(struct task *task)
{
    const struct progress_text head = {
        .sequence = task->journal.sequence + 1,
        .stream_time_us = task->stream_time_us,
        .writer = mr_slice_str(task->worker->identity),
    };
    struct mr_buffer *text = &task->progress;
    const struct mr_ctx *owner = NULL;

    mr_buffer_clear(text);
    progress_text_write(text, &head);
    for (size_t i = 0;
         i < task->timer_count && text->len + TIMER_BYTES_MAX < MR_OFFSET_METADATA_MAX; i++) {
        const struct timer *timer = &task->timers[i];

        if (timer->owner == owner) {
            mr_buffer_printf(text, ",%" PRId64, timer->next_us);
        } else {
            mr_buffer_printf(text, " %s:%" PRId64, timer->owner->stage->name, timer->next_us);
        }
        owner = timer->owner;
    }
}

void progress_read(struct task *task, const struct mr_buffer *text)
{
    struct progress_text read;

    if (!progress_text_read(mr_buffer_slice(text), &read) ||
        read.sequence < task->journal.sequence || read.writer.len >= sizeof(task->writer)) {
        return;
    }
    task->journal.sequence = read.sequence;
    if (!MR_PLANTED(STREAM_TIME_LOST)) {
        task->stream_time_us = read.stream_time_us;
    }
    memcpy(task->writer, read.writer.data, read.writer.len);
    task->writer[read.writer.len] = '\0';
    mr_buffer_clear(&task->kept_timers);
    mr_buffer_append(&task->kept_timers, read.timers.data, read.timers.len);
}

void progress_writer(const struct mr_buffer *text, int64_t *newest, char *writer, size_t bytes)
{
    struct progress_text read;

    if (progress_text_read(mr_buffer_slice(text), &read) && read.sequence > *newest &&
        read.writer.len < bytes) {
        *newest = read.sequence;
        memcpy(writer, read.writer.data, read.writer.len);
        writer[read.writer.len] = '\0';
    }
}

/* Of one stage, whose timers stand together. Another number of them is another program's: they
 * begin anew. */
static void start_timers(struct task *task, const struct mr_ctx *owner)
{
    const struct progress_text kept = {.timers = mr_buffer_slice(&task->kept_timers)};
    const struct mr_slice all = progress_text_timers(&kept, owner->stage->name);
    struct mr_slice rest = all;
    size_t count = 0;
    int64_t next_us;

    while (progress_text_next(&rest, &next_us)) {
        count++;
    }
    rest = all;
    for (size_t i = 0; i < task->timer_count && count == owner->timer_count; i++) {
        struct timer *timer = &task->timers[i];

        if (timer->owner == owner && progress_text_next(&rest, &next_us)) {
            timer->next_us = timer->next_before_us = next_us;
        }
    }
}

void progress_start_timers(struct task *task)
{
    for (size_t i = 0; i < task->worker->group->stage_count && !MR_PLANTED(TIMERS_LOST); i++) {
        start_timers(task, &task->nodes[i]);
    }
}
