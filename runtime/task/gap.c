/*
 * gap.c -- reading what is compacted: changelogs and global tables.
 *
 * Why: a tombstone stays for a day, and then it is as if its key had never been. A reader that was
 *      away for longer (a suspended machine, a network that was cut) would go on from where it
 *      stood, and keep for ever what was deleted meanwhile.
 * How: a record that comes is a word of the log. When none does, the answer to a question is as
 *      good: asked once an hour, for a client that has lost its servers sounds like one without
 *      news. What comes after a longer silence than state is trusted for is not handed on; the
 *      caller begins anew, from a place that it can trust or from the beginning.
 */
#include "millrace/fault.h"
#include "task.h"

#define ASK_EVERY_US MR_HOUR_US

void gap_begin(const struct mr_worker *worker, int64_t *heard_us)
{
    *heard_us = mr_clock_wall_us(worker->process.clock);
}

/* Any question will do. */
static enum mr_status ask(const struct mr_worker *worker, struct mr_err *err)
{
    const char *topic = worker_topic(worker, worker->group->inputs[0])->name;
    int64_t low;
    int64_t end;

    return mr_log_watermarks(worker->process.log, topic, 0, &low, &end, err);
}

enum mr_status gap_poll(const struct mr_worker *worker, struct mr_reader *reader, int64_t *heard_us,
                        struct mr_message *messages, size_t *count, struct mr_err *err)
{
    /* A process may be suspended inside of each call: what came is as old as the question. */
    const int64_t asked_us = mr_clock_wall_us(worker->process.clock);
    int64_t silent_us;

    MR_TRY(mr_reader_poll(reader, 0, messages, WORKER_POLL_MAX, count, err));
    silent_us = mr_clock_wall_us(worker->process.clock) - *heard_us;
    if (silent_us > STATE_AGE_MAX_US && !MR_PLANTED(GAP_UNSEEN)) {
        while (*count > 0) {
            mr_message_release(&messages[--*count]);
        }
        return mr_fail(err, MR_OUT_OF_RANGE,
                       "the log was not heard for %lld s, longer than tombstones live",
                       (long long)(silent_us / MR_SECOND_US));
    }
    if (*count == 0 && asked_us - *heard_us <= ASK_EVERY_US) {
        return MR_OK;
    }
    MR_TRY(*count == 0 ? ask(worker, err) : MR_OK);
    *heard_us = asked_us;
    return MR_OK;
}
