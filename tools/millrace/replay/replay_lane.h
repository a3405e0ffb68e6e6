/*
 * replay_lane.h -- one group replayed in a thread of its own; what it writes waits to be fetched.
 *
 * Groups depend on the record only, not on each other, so they run side by side. A lane that is far
 * ahead of whoever compares waits: the bytes it may have outstanding are bounded.
 */
#ifndef MILLRACE_REPLAY_LANE_H
#define MILLRACE_REPLAY_LANE_H

#include "replay_item.h"

struct replay_lane;

struct replay_lane_options {
    const struct mr_process *process; /* shared by all lanes but for the backend */
    struct mr_backend *backend;       /* empty, the lane's own; borrowed */
    size_t group;
    size_t first_source; /* number of the group's task 0 */
    int64_t until_us;    /* as of mr_replay_options */
    size_t bytes_max;    /* written and not yet returned */
    const bool *wanted;  /* by topic of the topology: what is handed on */
};

/* Starts the thread. */
MR_NODISCARD enum mr_status replay_lane_start(const struct replay_lane_options *options,
                                              struct replay_lane **lane, struct mr_err *err);
/* Moves what has been written to the end of list. *over: there is no more, and there will be none.
 * A failure of the replay is returned once everything before it was fetched. */
MR_NODISCARD enum mr_status replay_lane_fetch(struct replay_lane *lane, struct replay_list *list,
                                              bool *over, struct mr_err *err);
/* So many bytes of what was fetched have been compared and freed. */
void replay_lane_return(struct replay_lane *lane, size_t bytes);
/* It waits for bytes to be returned. */
bool replay_lane_waits(struct replay_lane *lane);
/* More may be outstanding from now on. */
void replay_lane_allow(struct replay_lane *lane, size_t bytes_max);
void replay_lane_progress(struct replay_lane *lane, struct mr_replay_progress *progress);
/* Ends the thread wherever it is. */
void replay_lane_destroy(struct replay_lane **lane);

#endif
