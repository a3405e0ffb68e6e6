/* dlq_list.h -- what is in the dead-letter topics of a topology: how many, since when, and why. */
#ifndef MILLRACE_DLQ_LIST_H
#define MILLRACE_DLQ_LIST_H

#include "dlq_letter.h"

#define DLQ_KINDS_MAX ((size_t)64)

/* Letters of one stage with one code. */
struct dlq_kind {
    char stage[DLQ_TEXT_BYTES];
    char code[64];
    int64_t count;
};

struct dlq_summary {
    const struct mr_topic *topic;
    int64_t count;
    int64_t replayed;
    int64_t oldest_ms; /* meaningful when count > 0: the times of the records themselves */
    int64_t newest_ms;
    struct dlq_kind kinds[DLQ_KINDS_MAX]; /* the last one takes what is beyond */
    size_t kind_count;
};

/* Reads the whole topic. */
MR_NODISCARD enum mr_status dlq_summarize(const struct load_env *env, const struct mr_topic *topic,
                                          struct dlq_summary *summary, struct mr_err *err);
void dlq_summary_text(const struct dlq_summary *summary, struct mr_buffer *out);
void dlq_summary_json(const struct dlq_summary *summary, struct mr_buffer *out);

#endif
