/* plan_offsets.h -- the offsets that a group is given, with what its tasks know beside them. */
#ifndef MILLRACE_PLAN_OFFSETS_H
#define MILLRACE_PLAN_OFFSETS_H

#include "plan.h"
#include "standing.h"

/* All partitions of a topic. Where nothing is committed nothing is set. */
void plan_offsets_add(struct plan_offsets *offsets, const char *topic,
                      const struct standing *standing);
/*
 * Adds the group's other inputs as they are, and beside all of them what each task goes on with:
 * its own sequence, the latest stream time of the tasks that its stages come from, and the timers
 * of its stages, wherever they ran.
 */
MR_NODISCARD enum mr_status plan_offsets_finish(struct plan *plan, const struct mr_group_node *node,
                                                struct plan_offsets *offsets, struct mr_err *err);

#endif
