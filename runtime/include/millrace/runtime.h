/*
 * runtime.h -- running a group: workers, the tasks they own, and what they report.
 *
 * A worker is one consumer, one transactional producer and the tasks assigned to it. It is driven
 * from outside by mr_worker_step: `millrace run` gives each worker a thread, `make try` and the
 * simulation step all workers of all groups in one thread.
 *
 * Not: process management, signals, HTTP (tools/millrace/run, runtime/observe).
 */
#ifndef MILLRACE_RUNTIME_H
#define MILLRACE_RUNTIME_H

#include "millrace/backend.h"
#include "millrace/clock.h"
#include "millrace/codec.h"
#include "millrace/log.h"
#include "millrace/metrics.h"
#include "millrace/topology.h"

struct mr_worker;

/* What all workers of a process share; borrowed, must outlive them. */
struct mr_process {
    const struct mr_topology *topology;
    struct mr_log *log;
    struct mr_codec *codec;
    struct mr_backend *backend;
    struct mr_metrics *metrics;
    const struct mr_clock *clock;
    const char *instance; /* stable: StatefulSet ordinal or --instance */
    /* Local state that goes beyond the end of its changelog is given up; false: refused. */
    bool accept_lost_changelog;
    /* A group without offsets whose stages have state takes everything again; false: refused. */
    bool accept_lost_offsets;
};

enum mr_worker_state {
    MR_WORKER_STARTING,
    MR_WORKER_JOINING,
    MR_WORKER_RUNNING,
    MR_WORKER_DRAINING,
    MR_WORKER_CLOSED,
    MR_WORKER_FAILED,
};

struct mr_worker_status { /* a consistent copy, any thread */
    enum mr_worker_state state;
    size_t tasks;       /* assigned */
    size_t tasks_ready; /* restored */
    uint64_t restored_records;
    int64_t restore_left;         /* records still to restore, an estimate */
    int64_t restore_seconds_left; /* at the present rate; -1: nothing has been read yet */
    uint64_t records_in;
    uint64_t records_out;
    uint64_t commits;
    uint64_t aborts;
    uint64_t dead_letters;
    char blocked_on[160]; /* what it waits for, for example "broker 127.0.0.1:9092"; "" when nothing
                           */
};

const char *mr_worker_state_name(enum mr_worker_state state);

/* group: index into topology->groups; index: 0 .. workers-1. Does not connect yet. */
struct mr_worker *mr_worker_create(const struct mr_process *process, size_t group, int index);
/*
 * One turn: poll, process, commit if due. Waits for input at most timeout_us.
 * *busy: there was something to do. MR_OK, or FATAL: the worker has failed, err says why.
 */
MR_NODISCARD enum mr_status mr_worker_step(struct mr_worker *worker, int64_t timeout_us, bool *busy,
                                           struct mr_err *err);
/* From now on step finishes what is open, commits and ends in MR_WORKER_CLOSED. Any thread. */
void mr_worker_stop(struct mr_worker *worker);
void mr_worker_status(struct mr_worker *worker, struct mr_worker_status *status);
/* Without stop: as a crash would leave things (nothing is committed, no goodbye). */
void mr_worker_destroy(struct mr_worker **worker);

/* The same shape for a connector: one consumer, one sink. */
struct mr_sink_runner;
struct mr_sink_runner *mr_sink_runner_create(const struct mr_process *process, size_t connector);
MR_NODISCARD enum mr_status mr_sink_runner_step(struct mr_sink_runner *runner, int64_t timeout_us,
                                                bool *busy, struct mr_err *err);
void mr_sink_runner_stop(struct mr_sink_runner *runner);
void mr_sink_runner_status(struct mr_sink_runner *runner, struct mr_worker_status *status);
void mr_sink_runner_destroy(struct mr_sink_runner **runner);

#endif
