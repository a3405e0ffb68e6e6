/*
 * run_process.c -- the threads of a process. See run.h.
 *
 * A unit's thread does nothing but step it; whatever it needs to know comes through mr_worker_stop.
 */
#include "millrace/arena.h"
#include "millrace/logger.h"
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define STEP_WAIT_US (100 * MR_MS_US)

/* ---- units ----------------------------------------------------------------------------------- */

void run_unit_status(const struct run_unit *unit, struct mr_worker_status *status)
{
    if (unit->worker != NULL) {
        mr_worker_status(unit->worker, status);
    } else {
        mr_sink_runner_status(unit->sink_runner, status);
    }
}

static enum mr_status step(struct run_unit *unit, struct mr_worker_status *status,
                           struct mr_err *err)
{
    bool busy;

    if (unit->worker != NULL) {
        MR_TRY(mr_worker_step(unit->worker, STEP_WAIT_US, &busy, err));
    } else {
        MR_TRY(mr_sink_runner_step(unit->sink_runner, STEP_WAIT_US, &busy, err));
    }
    run_unit_status(unit, status);
    return MR_OK;
}

static void *run_unit(void *arg)
{
    struct run_unit *unit = arg;
    struct mr_worker_status status = {0};

    while (unit->status == MR_OK && status.state != MR_WORKER_CLOSED) {
        unit->status = step(unit, &status, &unit->err);
    }
    if (unit->status != MR_OK) {
        mr_error("stopped", "unit=%s status=%s error=\"%s\"", unit->name,
                 mr_status_name(unit->status), unit->err.text);
    }
    atomic_store(&unit->ended, true);
    return NULL;
}

static struct run_unit *add_unit(struct run_process *process)
{
    struct run_unit *unit;

    process->units =
        mr_xrealloc(process->units, (process->unit_count + 1) * sizeof(*process->units));
    unit = &process->units[process->unit_count++];
    memset(unit, 0, sizeof(*unit));
    return unit;
}

static struct mr_process shared(const struct run_process *process, struct mr_backend *backend)
{
    return (struct mr_process){
        .topology = process->topology,
        .log = process->log,
        .codec = process->codec,
        .backend = backend,
        .metrics = process->metrics,
        .clock = mr_clock_system(),
        .instance = process->instance,
        .accept_lost_changelog = process->accept_lost_changelog,
        .accept_lost_offsets = process->accept_lost_offsets,
    };
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Every directory of the path, as mkdir -p. */
static enum mr_status make_directories(const char *path, struct mr_err *err)
{
    char partial[512];

    for (size_t i = 1; i <= strlen(path); i++) {
        if (i >= sizeof(partial)) {
            return mr_fail(err, MR_CONFIG, "state directory path is too long: %.100s...", path);
        }
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        snprintf(partial, sizeof(partial), "%.*s", (int)i, path);
        if (mkdir(partial, 0777) != 0 && errno != EEXIST) {
            return mr_fail(err, MR_CONFIG, "cannot create the state directory %s: %s", partial,
                           strerror(errno));
        }
    }
    return MR_OK;
}

static enum mr_status open_group(struct run_process *process, size_t group, struct mr_err *err)
{
    const struct mr_topology *topology = process->topology;
    const struct mr_group_node *node = &topology->groups[group];
    char directory[512];
    char identity[512];
    struct mr_process worker;

    if (snprintf(directory, sizeof(directory), "%s/%s.%s.%s", process->state_dir,
                 topology->application, node->name, process->instance) >= (int)sizeof(directory)) {
        return mr_fail(err, MR_CONFIG, "state directory path is too long: %.100s...", directory);
    }
    snprintf(identity, sizeof(identity), "%s.%s", topology->application, node->name);
    MR_TRY(make_directories(directory, err));
    MR_TRY(mr_backend_rocksdb_open(directory, identity, topology->defaults.memory_bytes,
                                   &process->backends[group], err));
    worker = shared(process, process->backends[group]);
    for (int i = 0; i < node->workers; i++) {
        struct run_unit *unit = add_unit(process);

        snprintf(unit->name, sizeof(unit->name), "%.100s.%d", node->name, i);
        unit->group = group;
        unit->worker = mr_worker_create(&worker, group, i);
    }
    run_lag_add_group(&process->lag, group);
    return MR_OK;
}

static void open_connector(struct run_process *process, size_t connector)
{
    const struct mr_process own = shared(process, NULL);
    struct run_unit *unit = add_unit(process);

    snprintf(unit->name, sizeof(unit->name), "%.120s",
             process->topology->connectors[connector].name);
    unit->sink_runner = mr_sink_runner_create(&own, connector);
    run_lag_add_connector(&process->lag, connector);
}

static enum mr_status open_connectors(struct run_process *process, const char *names,
                                      struct mr_err *err)
{
    const struct mr_topology *topology = process->topology;

    if (strcmp(names, "all") == 0) {
        for (size_t i = 0; i < topology->connector_count; i++) {
            open_connector(process, i);
        }
        return MR_OK;
    }
    while (*names != '\0') {
        const size_t len = strcspn(names, ",");
        char name[128];
        size_t connector;

        snprintf(name, sizeof(name), "%.*s", (int)(len < 127 ? len : 127), names);
        connector = mr_topology_find_connector(topology, name);
        if (connector == SIZE_MAX) {
            return mr_fail(err, MR_CONFIG, "%s has no connector '%s'", topology->file, name);
        }
        open_connector(process, connector);
        names += len + (names[len] == ',' ? 1 : 0);
    }
    return MR_OK;
}

enum mr_status run_process_open(struct run_process *process, const char *group,
                                const char *connectors, struct mr_err *err)
{
    const struct mr_topology *topology = process->topology;

    process->started_us = mr_clock_monotonic_us(mr_clock_system());
    run_lag_init(&process->lag, topology, process->log, process->metrics);
    process->backends = mr_xcalloc(topology->group_count, sizeof(struct mr_backend *));
    if (group != NULL && strcmp(group, "all") == 0) {
        for (size_t i = 0; i < topology->group_count; i++) {
            MR_TRY(open_group(process, i, err));
        }
    } else if (group != NULL) {
        const size_t index = mr_topology_find_group(topology, group);

        if (index == SIZE_MAX) {
            return mr_fail(err, MR_CONFIG, "%s has no group '%s'", topology->file, group);
        }
        MR_TRY(open_group(process, index, err));
    }
    return connectors == NULL ? MR_OK : open_connectors(process, connectors, err);
}

/* ---- life ------------------------------------------------------------------------------------ */

enum mr_status run_process_start(struct run_process *process, struct mr_err *err)
{
    for (size_t i = 0; i < process->unit_count; i++) {
        struct run_unit *unit = &process->units[i];
        const int code = pthread_create(&unit->thread, NULL, run_unit, unit);

        if (code != 0) {
            return mr_fail(err, MR_RESOURCE, "cannot start a thread: %s", strerror(code));
        }
        unit->started = true;
    }
    return MR_OK;
}

void run_process_stop(struct run_process *process)
{
    for (size_t i = 0; i < process->unit_count; i++) {
        if (process->units[i].worker != NULL) {
            mr_worker_stop(process->units[i].worker);
        } else {
            mr_sink_runner_stop(process->units[i].sink_runner);
        }
    }
}

enum mr_status run_process_join(struct run_process *process, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (size_t i = 0; i < process->unit_count; i++) {
        struct run_unit *unit = &process->units[i];

        if (unit->started) {
            pthread_join(unit->thread, NULL);
            unit->started = false;
        }
        if (status == MR_OK && unit->status != MR_OK) {
            status = mr_fail(err, unit->status, "%s: %.300s", unit->name, unit->err.text);
        }
    }
    return status;
}

bool run_process_failed(const struct run_process *process)
{
    for (size_t i = 0; i < process->unit_count; i++) {
        if (atomic_load(&process->units[i].ended)) {
            return true;
        }
    }
    return false;
}

void run_process_close(struct run_process *process)
{
    for (size_t i = 0; i < process->unit_count; i++) {
        mr_worker_destroy(&process->units[i].worker);
        mr_sink_runner_destroy(&process->units[i].sink_runner);
    }
    for (size_t i = 0; process->backends != NULL && i < process->topology->group_count; i++) {
        mr_backend_close(&process->backends[i]);
    }
    run_lag_fini(&process->lag);
    free(process->backends);
    free(process->units);
}
