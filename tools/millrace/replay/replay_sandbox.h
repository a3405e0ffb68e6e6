/*
 * replay_sandbox.h -- where a replay keeps its state: a directory that is gone afterwards.
 */
#ifndef MILLRACE_REPLAY_SANDBOX_H
#define MILLRACE_REPLAY_SANDBOX_H

#include "millrace/backend.h"

struct replay_sandbox;

/*
 * directory     must be empty or missing; "": a new one under TMPDIR. Copied.
 * memory_bytes  of each database
 */
MR_NODISCARD enum mr_status replay_sandbox_create(const char *directory, int64_t memory_bytes,
                                                  struct replay_sandbox **sandbox,
                                                  struct mr_err *err);
/* A database of its own for a group. sandbox: a struct replay_sandbox *. */
MR_NODISCARD enum mr_status replay_sandbox_backend(void *sandbox, size_t group,
                                                   struct mr_backend **backend, struct mr_err *err);
/* Deletes it; databases must be closed. */
void replay_sandbox_destroy(struct replay_sandbox **sandbox);

#endif
