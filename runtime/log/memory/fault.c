/*
 * fault.c -- calls that are told to fail.
 *
 * Why: what the runtime does when a call fails, or when it succeeds and the answer is lost, must be
 *   tried for every call, and no broker does that on demand.
 */
#include "memory.h"

void mr_log_memory_fail(struct mr_log *base, enum mr_log_call call, int n, enum mr_status status,
                        bool done)
{
    struct memory_log *log = memory_log_of(base);

    MR_ASSERT(call < MR_LOG_CALL_END);
    MR_ASSERT(n > 0);
    MR_ASSERT(status != MR_OK);
    (void)memory_enter(log);
    MR_ASSERT(log->fault_counts[call] < MEMORY_FAULTS_MAX);
    log->faults[call][log->fault_counts[call]++] =
        (struct memory_fault){.countdown = n, .status = status, .done = done};
    memory_leave(log);
}

bool memory_fault_due(struct memory_log *log, enum mr_log_call call, struct memory_fault *fault)
{
    struct memory_fault *faults = log->faults[call];
    size_t kept = 0;
    bool due = false;

    for (size_t i = 0; i < log->fault_counts[call]; i++) {
        faults[i].countdown--;
        if (faults[i].countdown == 0) {
            *fault = faults[i];
            due = true;
        } else {
            faults[kept++] = faults[i];
        }
    }
    log->fault_counts[call] = kept;
    return due;
}

enum mr_status memory_fault_fail(const struct memory_fault *fault, struct mr_err *err)
{
    return mr_fail(err, fault->status, "memory: told to fail, %s",
                   fault->done ? "after the effect" : "without effect");
}
