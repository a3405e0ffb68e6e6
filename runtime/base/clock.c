/* clock.c -- the machine's clocks behind millrace/clock.h. */
#include "millrace/clock.h"

#include "millrace/option.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;

    MR_ASSERT(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * MR_SECOND_US + now.tv_nsec / 1000;
}

static int64_t wall_us(void *arg)
{
    (void)arg;
    return read_us(CLOCK_REALTIME);
}

static int64_t monotonic_us(void *arg)
{
    (void)arg;
    return read_us(CLOCK_MONOTONIC);
}

static void wait_us(void *arg, int64_t us)
{
    const struct timespec span = {.tv_sec = us / MR_SECOND_US,
                                  .tv_nsec = (long)(us % MR_SECOND_US) * 1000};

    (void)arg;
    (void)nanosleep(&span, NULL);
}

const struct mr_clock *mr_clock_system(void)
{
    static const struct mr_clock clock = {
        .wall_us = wall_us, .monotonic_us = monotonic_us, .wait_us = wait_us};

    return &clock;
}
