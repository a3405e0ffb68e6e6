/* tap_ring.h -- the worker's side of a tap (millrace/inspect.h). */
#ifndef MILLRACE_TASK_TAP_RING_H
#define MILLRACE_TASK_TAP_RING_H

#include "millrace/inspect.h"

/* A second holder. */
struct mr_tap_ring *tap_ring_hold(struct mr_tap_ring *ring);
void tap_ring_drop(struct mr_tap_ring **ring);
bool tap_ring_is_left(const struct mr_tap_ring *ring);
/* Never waits: what does not fit is counted. */
void tap_ring_put(struct mr_tap_ring *ring, const struct mr_tap_record *record);
void tap_ring_count_dropped(struct mr_tap_ring *ring, uint64_t records);

#endif
