/* run_report.c -- /health, /ready and /metrics of a running process. See run.h. */
#include "run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

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

        run_unit_status(&process->units[i], &status);
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
