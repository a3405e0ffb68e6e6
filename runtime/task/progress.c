/*
 * progress.c -- what a task keeps beside its offsets: how far its time and its journal have come.
 *
 * Why: a restarted task must go on with the stream time and the timers it had, or it would fire and
 *      expire otherwise than it had without the restart; the next owner of the task must know who
 *      had it. Committed with the offsets, that costs nothing and is never ahead or behind.
 * How: a text in the offsets' metadata: "1 <sequence> <stream time> <writer> <timer> <timer> ...".
 *      Each transaction writes it beside the offsets it moves, so of a task's inputs the one with
 *      the highest sequence has the last word.
 */
#include "millrace/fault.h"
#include "task.h"

#include <inttypes.h>
#include <stdlib.h>

#define FORMAT "1"
/* One number and its blank. */
#define NUMBER_BYTES_MAX 21

void progress_write(struct task *task)
{
    struct mr_buffer *text = &task->progress;

    mr_buffer_clear(text);
    mr_buffer_printf(text, FORMAT " %" PRId64 " %" PRId64 " %s", task->journal.sequence + 1,
                     task->stream_time_us, task->worker->identity);
    for (size_t i = 0;
         i < task->timer_count && text->len + NUMBER_BYTES_MAX < MR_OFFSET_METADATA_MAX; i++) {
        mr_buffer_printf(text, " %" PRId64, task->timers[i].next_us);
    }
}

static bool read_number(char **at, int64_t *number)
{
    char *end;

    *number = strtoll(*at, &end, 10);
    if (end == *at || (*end != ' ' && *end != '\0')) {
        return false;
    }
    *at = *end == ' ' ? end + 1 : end;
    return true;
}

/* Timers are kept until the stages have asked for theirs. */
static void keep_timers(struct task *task, char *at)
{
    int64_t next_us;

    task->kept_timer_count = 0;
    while (read_number(&at, &next_us)) {
        task->kept_timers =
            mr_xrealloc(task->kept_timers, (task->kept_timer_count + 1) * sizeof(int64_t));
        task->kept_timers[task->kept_timer_count++] = next_us;
    }
}

/* What stands before the timers; *rest: the timers. */
struct head {
    int64_t sequence;
    int64_t stream_time_us;
    const char *writer;
    size_t writer_len;
    char *rest;
};

/* False: there is none, or it is of a version to come. */
static bool read_head(struct mr_buffer *text, struct head *head)
{
    char *at;

    mr_buffer_append(text, "", 1);
    at = (char *)text->data;
    if (strncmp(at, FORMAT " ", strlen(FORMAT) + 1) != 0) {
        return false;
    }
    at += strlen(FORMAT) + 1;
    if (!read_number(&at, &head->sequence) || !read_number(&at, &head->stream_time_us)) {
        return false;
    }
    head->writer = at;
    head->writer_len = strcspn(at, " ");
    head->rest = at + head->writer_len + (at[head->writer_len] == ' ');
    return true;
}

void progress_read(struct task *task, struct mr_buffer *text)
{
    struct head head;

    if (!read_head(text, &head) || head.sequence < task->journal.sequence ||
        head.writer_len >= sizeof(task->writer)) {
        return;
    }
    task->journal.sequence = head.sequence;
    if (!MR_PLANTED(STREAM_TIME_LOST)) {
        task->stream_time_us = head.stream_time_us;
    }
    memcpy(task->writer, head.writer, head.writer_len);
    task->writer[head.writer_len] = '\0';
    keep_timers(task, head.rest);
}

void progress_writer(struct mr_buffer *text, int64_t *newest, char *writer, size_t bytes)
{
    struct head head;

    if (read_head(text, &head) && head.sequence > *newest && head.writer_len < bytes) {
        *newest = head.sequence;
        memcpy(writer, head.writer, head.writer_len);
        writer[head.writer_len] = '\0';
    }
}

void progress_start_timers(struct task *task)
{
    if (MR_PLANTED(TIMERS_LOST)) {
        return;
    }
    /* Another number of them is another program's: its timers begin anew. */
    for (size_t i = 0; task->kept_timer_count == task->timer_count && i < task->timer_count; i++) {
        task->timers[i].next_us = task->timers[i].next_before_us = task->kept_timers[i];
    }
}
