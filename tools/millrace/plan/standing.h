/*
 * standing.h -- where a group stands: the offsets it has committed, and what is kept beside them.
 */
#ifndef MILLRACE_PLAN_STANDING_H
#define MILLRACE_PLAN_STANDING_H

#include "millrace/arena.h"
#include "millrace/buffer.h"
#include "millrace/log.h"

/* Of one group in one topic, by partition. */
struct standing {
    int32_t partitions;
    int64_t *offsets; /* MR_OFFSET_NONE: none, it begins at the beginning */
};

/* Arrays live in the arena. MR_TIMEOUT: a transaction of the group is open, and stays so. */
MR_NODISCARD enum mr_status standing_of_group(struct mr_log *log, struct mr_arena *arena,
                                              const char *group_id, const char *topic,
                                              struct standing *standing, struct mr_err *err);
/* The end of a topic: everything in it has been handed over. MR_TIMEOUT: a transaction that has
 * written to it stays open. */
MR_NODISCARD enum mr_status standing_at_end(struct mr_log *log, struct mr_arena *arena,
                                            const char *topic, struct standing *standing,
                                            struct mr_err *err);
/* Nothing is committed. */
bool standing_is_none(const struct standing *standing);
/* Not having begun is standing at the beginning. */
bool standing_equal(const struct standing *a, const struct standing *b);
/* a is nowhere behind b. */
bool standing_reaches(const struct standing *a, const struct standing *b);
/* Records from a to b; an estimate where markers are between them. */
int64_t standing_distance(const struct standing *a, const struct standing *b);

struct standing_group {
    const char *id;
    const char *const *topics; /* that it takes from the log */
    size_t topic_count;
};
/*
 * What one task of a group knows: the newest of the texts beside its offsets
 * (runtime/task/progress_text.h). Appended to text; nothing when there is none.
 */
MR_NODISCARD enum mr_status standing_progress(struct mr_log *log,
                                              const struct standing_group *group, int32_t partition,
                                              struct mr_buffer *text, struct mr_err *err);

#endif
