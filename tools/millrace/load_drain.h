/*
 * load_drain.h -- has everything been processed?
 *
 * A group or connector is drained when no record lies between its committed offset and the end of
 * what can be read. Offsets alone do not say that: behind the last record of a transaction stands
 * its marker, which nobody commits, so the gap is read.
 */
#ifndef MILLRACE_LOAD_DRAIN_H
#define MILLRACE_LOAD_DRAIN_H

#include "load_feed.h"

/* Records still to be processed; exact when small. connectors: also those. */
MR_NODISCARD enum mr_status load_lag(const struct load_env *env, bool connectors, int64_t *lag,
                                     struct mr_err *err);
/* Waits until two looks in a row find nothing. MR_TIMEOUT after timeout_us without any progress. */
MR_NODISCARD enum mr_status load_drain(const struct load_env *env, bool connectors,
                                       int64_t timeout_us, struct mr_err *err);

#endif
