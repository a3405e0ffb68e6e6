/*
 * merge.h -- one tree laid over another: what an overlay file says about the file it includes.
 *
 * Maps are merged key by key. Scalars and lists are replaced. `~` removes the entry. Order: the
 * base's, then what is new. A part keeps the position of the file that says it; a map that both
 * say keeps the base's, because there it is introduced.
 */
#ifndef MILLRACE_TOPOLOGY_MERGE_H
#define MILLRACE_TOPOLOGY_MERGE_H

#include "tree.h"

/*
 * base, over: maps; neither is changed, and the result refers to both. A problem for each `~` that
 * removes nothing, and for a key of the overlay without any value.
 */
const struct node *merge_trees(const struct node *base, const struct node *over,
                               struct mr_arena *arena, struct problem_list *problems);

#endif
