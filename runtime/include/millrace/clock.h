/*
 * clock.h -- time as a dependency, so that tests and the simulation own it.
 */
#ifndef MILLRACE_CLOCK_H
#define MILLRACE_CLOCK_H

#include <stdint.h>

struct mr_clock {
    int64_t (*wall_us)(void *arg);      /* Unix epoch, UTC */
    int64_t (*monotonic_us)(void *arg); /* never steps */
    void (*wait_us)(void *arg, int64_t us);
    void *arg;
};

/* The machine's clocks. */
const struct mr_clock *mr_clock_system(void);

static inline int64_t mr_clock_wall_us(const struct mr_clock *clock)
{
    return clock->wall_us(clock->arg);
}
static inline int64_t mr_clock_monotonic_us(const struct mr_clock *clock)
{
    return clock->monotonic_us(clock->arg);
}
static inline void mr_clock_wait_us(const struct mr_clock *clock, int64_t us)
{
    clock->wait_us(clock->arg, us);
}

#endif
