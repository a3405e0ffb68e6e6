/*
 * dlq_replay.h -- dead letters back to where the records came from, each once.
 *
 * How: key, value, timestamp and the record's own headers as they were, with one header more that
 *   names the letter, to the partition it was read from. Which letters have been sent is committed
 *   with them, as the offsets of group `<dead-letter topic>.replay` (dlq_marks.h); the same name is
 *   the transactional id, so that two replays do not send the same letter.
 */
#ifndef MILLRACE_DLQ_REPLAY_H
#define MILLRACE_DLQ_REPLAY_H

#include "dlq_letter.h"
#include "dlq_marks.h"

#define DLQ_GROUP_BYTES ((size_t)300)

struct dlq_replay_options {
    const struct mr_topic *letters;
    struct dlq_filter filter;
    const char *to;   /* topic; "": each letter's own */
    const char *edit; /* JSON of a value to send instead; NULL: the letter's bytes */
    bool again;       /* also what was sent before */
    bool yes;         /* send; else only say */
};

struct dlq_replay_result {
    int64_t chosen;
    int64_t before; /* of them left out: sent by an earlier replay */
    int64_t sent;   /* or, without yes, would be */
};

/* Told of each letter that is sent or would be, once, whatever is tried again. */
typedef void dlq_told(void *arg, const struct dlq_letter *letter, const char *topic,
                      int32_t partition);

/*
 * Without yes nothing is written. A letter that cannot be sent (no coordinates, a topic that is not
 * there, a value that is gone) ends the replay with MR_CONFIG naming it, before anything is sent.
 */
MR_NODISCARD enum mr_status dlq_replay_run(const struct load_env *env,
                                           const struct dlq_replay_options *options, dlq_told *told,
                                           void *arg, struct dlq_replay_result *result,
                                           struct mr_err *err);

/* What has been replayed of each partition; marks has LOAD_PARTITIONS_MAX places. */
MR_NODISCARD enum mr_status dlq_replayed(const struct load_env *env, const struct mr_topic *letters,
                                         struct dlq_marks *marks, struct mr_err *err);

/* dlq_source.c: the value of the record that a letter is of, from its own topic. MR_CONFIG when it
 * is not there any more. */
MR_NODISCARD enum mr_status dlq_source_value(const struct load_env *env,
                                             const struct dlq_letter *letter,
                                             struct mr_buffer *value, struct mr_err *err);

#endif
