/*
 * meter.h -- reads `executions` while orders are sent: every order's outcome, and how long it took.
 *
 * Latency: from the instant an order should have been sent (open loop), or was sent (closed loop),
 * until a read_committed reader in this process holds the first report about it. A stall of the
 * sender or of the pipeline is thereby in the figures of every order it delayed.
 * Thread: meter_due from the sender, counts from anybody, the rest from the owner. Reports are read
 * by a thread of the meter's own.
 */
#ifndef MILLRACE_BENCH_METER_H
#define MILLRACE_BENCH_METER_H

#include "histogram.h"
#include "tools/millrace/load_feed.h"

struct meter;

struct meter_counts {
    int64_t outcomes; /* orders with a first report */
    int64_t rejected; /* of these: REJECTED */
    int64_t reports;  /* of this run, all */
    int64_t trades;   /* legs */
    int64_t cancelled;
    int64_t settled;
    int64_t first_us;  /* monotonic: the last first report */
    int64_t report_us; /* monotonic: the last report of any kind */
};

/* orders_max: numbers below it are metered. skip: the first orders, left out of the histogram. */
MR_NODISCARD enum mr_status meter_open(const struct load_env *env, uint32_t run, int64_t orders_max,
                                       int64_t skip, struct meter **meter, struct mr_err *err);
/* Before the order is handed to the log. due_us: monotonic. */
void meter_due(struct meter *meter, int64_t number, int64_t due_us);
/* Cheap: one load. */
int64_t meter_outcomes(const struct meter *meter);
int64_t meter_reports(const struct meter *meter);
/* Ends the thread; MR_OK or what it failed with. The counts and the histogram are final then. */
MR_NODISCARD enum mr_status meter_stop(struct meter *meter, struct mr_err *err);
/* After meter_stop. */
void meter_counts(const struct meter *meter, struct meter_counts *counts);
const struct histogram *meter_histogram(const struct meter *meter);
/* The thread has failed: waiting on is pointless. */
bool meter_failed(const struct meter *meter);
void meter_close(struct meter **meter);

#endif
