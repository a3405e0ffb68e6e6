/*
 * sim_state.h -- the outside of a process, failing on demand: its state directory, the registry.
 */
#ifndef MILLRACE_TESTS_SIM_STATE_H
#define MILLRACE_TESTS_SIM_STATE_H

#include "millrace/backend.h"
#include "millrace/registry.h"

enum sim_state_call { SIM_STATE_READ, SIM_STATE_WRITE, SIM_STATE_CALLS };

/* A state directory in memory that remembers in which order it was written. */
struct mr_backend *sim_state_create(void);
/* The n-th next call fails with status. done: after it took effect. */
void sim_state_fail(struct mr_backend *state, enum sim_state_call call, int n,
                    enum mr_status status, bool done);
void sim_state_calm(struct mr_backend *state);
/* The machine lost power: the last writes that nobody had synced are gone. Nobody has it open. */
void sim_state_forget(struct mr_backend *state, size_t writes);
size_t sim_state_writes(const struct mr_backend *state);

/* The registry in memory; while *down it does not answer. */
struct mr_registry *sim_registry_create(const bool *down);

#endif
