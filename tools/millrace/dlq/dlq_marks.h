/*
 * dlq_marks.h -- which letters of a partition have been replayed, as a committed offset says it.
 *
 * Everything below the offset has been; what has been above it stands in the text kept with the
 * offset, as ranges "12-14,20" of letters' offsets, both ends included. A letter is marked together
 * with the offsets in front of it that no letter has, so that neighbours join.
 */
#ifndef MILLRACE_DLQ_MARKS_H
#define MILLRACE_DLQ_MARKS_H

#include "millrace/log.h"

struct dlq_range {
    int64_t from;
    int64_t to; /* exclusive */
};

struct dlq_marks {
    struct dlq_range *ranges; /* ascending, none touches another */
    size_t count;
    size_t capacity;
};

void dlq_marks_fini(struct dlq_marks *marks);
bool dlq_marks_have(const struct dlq_marks *marks, int64_t offset);
/* from..to, to exclusive; may overlap what is there. */
void dlq_marks_add(struct dlq_marks *marks, int64_t from, int64_t to);
void dlq_marks_remove(struct dlq_marks *marks, int64_t from, int64_t to);

/* offset: MR_OFFSET_NONE when nothing was ever committed. MR_CORRUPT when the text is none of ours.
 */
MR_NODISCARD enum mr_status dlq_marks_read(struct dlq_marks *marks, int64_t offset,
                                           struct mr_slice text, struct mr_err *err);
/* Replaces text. MR_RESOURCE when that is more than fits. */
MR_NODISCARD enum mr_status dlq_marks_write(const struct dlq_marks *marks, int64_t *offset,
                                            struct mr_buffer *text, struct mr_err *err);

#endif
