/* run_report.c -- /health, /ready and /metrics of a running process, and its lag. See run.h. */
#include "run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMITTED_WAIT_US (200 * MR_MS_US)

static void unit_status(const struct run_unit *unit, struct mr_worker_status *status)
{
    if (unit->worker != NULL) {
        mr_worker_status(unit->worker, status);
    } else {
        mr_sink_runner_status(unit->sink_runner, status);
    }
}

static void append_json(json_t *root, struct mr_buffer *body)
{
    char *text = json_dumps(root, JSON_COMPACT);

    mr_buffer_printf(body, "%s\n", text);
    free(text);
    json_decref(root);
}

bool run_report_ready(void *arg, struct mr_buffer *body)
{
    const struct run_process *process = arg;
    json_t *units = json_array();
    bool ready = true;

    for (size_t i = 0; i < process->unit_count; i++) {
        struct mr_worker_status status;
        bool unit_ready;

        unit_status(&process->units[i], &status);
        unit_ready = status.state == MR_WORKER_RUNNING && status.tasks == status.tasks_ready;
        ready = ready && unit_ready;
        (void)json_array_append_new(
            units, json_pack("{s:s,s:b,s:s,s:I,s:I,s:I,s:s}", "name", process->units[i].name,
                             "ready", unit_ready, "state", mr_worker_state_name(status.state),
                             "tasks", (json_int_t)status.tasks, "tasksReady",
                             (json_int_t)status.tasks_ready, "restoreLeft",
                             (json_int_t)status.restore_left, "waitsFor", status.blocked_on));
    }
    append_json(json_pack("{s:b,s:o}", "ready", ready, "units", units), body);
    return ready;
}

bool run_report_health(void *arg, struct mr_buffer *body)
{
    const bool healthy = !run_process_failed(arg);

    append_json(json_pack("{s:b}", "healthy", healthy), body);
    return healthy;
}

void run_report_metrics(void *arg, struct mr_buffer *body)
{
    const struct run_process *process = arg;

    mr_metrics_write(process->metrics, body);
}

/* ---- lag ------------------------------------------------------------------------------------- */

static void group_lag(struct run_process *process, const char *group_id, const char *topic,
                      int32_t partition)
{
    struct mr_topic_partition at = {.topic = topic, .partition = partition};
    char labels[512];
    int64_t low;
    int64_t end;
    struct mr_err err;

    /* A server that is away is said elsewhere; the gauge keeps its last value. */
    if (mr_log_committed(process->log, group_id, &at, 1, COMMITTED_WAIT_US, &err) != MR_OK ||
        mr_log_watermarks(process->log, topic, partition, &low, &end, &err) != MR_OK) {
        return;
    }
    snprintf(labels, sizeof(labels), "consumer=\"%s\",topic=\"%s\",partition=\"%d\"", group_id,
             topic, (int)partition);
    mr_gauge_set(mr_metrics_gauge(process->metrics, "millrace_lag_records", labels,
                                  "Committed records that the group has not taken yet"),
                 end - (at.offset == MR_OFFSET_NONE ? low : at.offset));
}

void run_report_lag(struct run_process *process)
{
    const struct mr_topology *topology = process->topology;
    char group_id[256];

    for (size_t g = 0; g < topology->group_count; g++) {
        const struct mr_group_node *group = &topology->groups[g];

        snprintf(group_id, sizeof(group_id), "%s.%s", topology->application, group->name);
        for (size_t i = 0; process->backends[g] != NULL && i < group->input_count; i++) {
            for (int32_t p = 0; p < group->partitions; p++) {
                group_lag(process, group_id, topology->topics[group->inputs[i]].name, p);
            }
        }
    }
    for (size_t i = 0; i < process->unit_count; i++) {
        const size_t c = mr_topology_find_connector(topology, process->units[i].name);

        if (process->units[i].sink_runner != NULL && c != SIZE_MAX) {
            const struct mr_topic *topic = &topology->topics[topology->connectors[c].topic];

            snprintf(group_id, sizeof(group_id), "%s.%s", topology->application,
                     process->units[i].name);
            for (int32_t p = 0; p < topic->partitions; p++) {
                group_lag(process, group_id, topic->name, p);
            }
        }
    }
}
