/*
 * run.h -- a running process: its workers and connectors, each on a thread of its own.
 */
#ifndef MILLRACE_TOOLS_RUN_H
#define MILLRACE_TOOLS_RUN_H

#include "millrace/http.h"
#include "millrace/inspect.h"
#include "millrace/runtime.h"
#include "run_lag.h"

#include <pthread.h>
#include <stdatomic.h>

struct run_process;

/* One worker or one connector. */
struct run_unit {
    struct run_process *process;
    char name[128];
    size_t group;                       /* of a worker */
    struct mr_worker *worker;           /* or */
    struct mr_sink_runner *sink_runner; /* this */
    pthread_t thread;
    bool started;
    _Atomic bool ended;
    enum mr_status status; /* of the thread, once it has ended */
    struct mr_err err;
};

struct run_process {
    const struct mr_topology *topology;
    struct mr_log *log;
    struct mr_codec *codec;
    struct mr_metrics *metrics;
    const char *instance;
    const char *state_dir;
    bool accept_lost_changelog;
    bool accept_lost_offsets;
    bool shows_records;           /* over HTTP: what is in stores, and passes between stages */
    struct mr_backend **backends; /* of each group of the topology; NULL: not run here */
    struct run_unit *units;
    size_t unit_count;
    struct run_lag lag;
    int64_t started_us; /* monotonic */
};

/* group: a name or "all", NULL for none; connectors: names with commas or "all", NULL for none. */
MR_NODISCARD enum mr_status run_process_open(struct run_process *process, const char *group,
                                             const char *connectors, struct mr_err *err);
MR_NODISCARD enum mr_status run_process_start(struct run_process *process, struct mr_err *err);
void run_process_stop(struct run_process *process);
/* Waits for every thread; MR_OK when all closed well, else the first failure. */
MR_NODISCARD enum mr_status run_process_join(struct run_process *process, struct mr_err *err);
/* A unit has ended although nobody asked for it. */
bool run_process_failed(const struct run_process *process);
void run_process_close(struct run_process *process);
void run_unit_status(const struct run_unit *unit, struct mr_worker_status *status);

/* run_report.c: what the process says about itself to probes and scrapers. More: run_see.h. */
bool run_report_ready(void *process, struct mr_buffer *body);
bool run_report_health(void *process, struct mr_buffer *body);
void run_report_metrics(void *process, struct mr_buffer *body);

#endif
