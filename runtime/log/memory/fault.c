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
    struct memory_faults *faults;

    MR_ASSERT(call < MR_LOG_CALL_END);
    MR_ASSERT(n > 0);
    MR_ASSERT(status != MR_OK);
    (void)memory_enter(log);
    faults = &log->faults[call];
    faults->list =
        memory_grow(faults->list, faults->count, &faults->capacity, sizeof(*faults->list));
    faults->list[faults->count++] =
        (struct memory_fault){.countdown = n, .status = status, .done = done};
    memory_leave(log);
}

void mr_log_memory_calm(struct mr_log *base)
{
    struct memory_log *log = memory_log_of(base);

    (void)memory_enter(log);
    for (size_t i = 0; i < MR_COUNT(log->faults); i++) {
        log->faults[i].count = 0;
    }
    memory_leave(log);
}

void mr_log_memory_slow_markers(struct mr_log *base, int64_t delay_max_us, uint64_t seed)
{
    struct memory_log *log = memory_log_of(base);

    (void)memory_enter(log);
    log->marker_delay_us = delay_max_us;
    log->marker_random = seed;
    memory_leave(log);
}

void mr_log_memory_set_down(struct mr_log *base, bool down)
{
    struct memory_log *log = memory_log_of(base);

    (void)memory_enter(log);
    log->down = down;
    memory_leave(log);
}

/* What a client says when no broker has answered for as long as it waits. */
static bool is_down(const struct memory_log *log, enum mr_log_call call, struct memory_fault *fault)
{
    const bool ends = call == MR_LOG_CALL_COMMIT;
    const bool waits = call == MR_LOG_CALL_SEND || call == MR_LOG_CALL_ABORT ||
                       call == MR_LOG_CALL_FLUSH || call == MR_LOG_CALL_OPEN;

    *fault = (struct memory_fault){.status = ends    ? MR_INDETERMINATE
                                             : waits ? MR_TIMEOUT
                                                     : MR_UNAVAILABLE};
    return log->down && call != MR_LOG_CALL_BEGIN; /* which asks nobody */
}

bool memory_fault_due(struct memory_log *log, enum mr_log_call call, struct memory_fault *fault)
{
    struct memory_faults *faults = &log->faults[call];
    size_t kept = 0;
    bool due = is_down(log, call, fault);

    for (size_t i = 0; i < faults->count; i++) {
        faults->list[i].countdown--;
        if (faults->list[i].countdown == 0) {
            *fault = faults->list[i];
            due = true;
        } else {
            faults->list[kept++] = faults->list[i];
        }
    }
    faults->count = kept;
    return due;
}

enum mr_status memory_fault_fail(const struct memory_fault *fault, struct mr_err *err)
{
    return mr_fail(err, fault->status, "memory: told to fail, %s",
                   fault->done ? "after the effect" : "without effect");
}
