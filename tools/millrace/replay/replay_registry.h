/*
 * replay_registry.h -- a schema registry that is only read: what it does not have gets an id of
 * this process.
 *
 * Why: a replay encodes as production does, so it needs production's ids, and a program that is
 *      tried out must not leave its new schemas there.
 */
#ifndef MILLRACE_REPLAY_REGISTRY_H
#define MILLRACE_REPLAY_REGISTRY_H

#include "millrace/registry.h"

/* real is borrowed. */
struct mr_registry *replay_registry_create(struct mr_registry *real);

#endif
