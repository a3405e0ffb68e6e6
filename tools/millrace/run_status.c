/*
 * run_status.c -- /status: what a process does, in figures, for top, the live graph and the page.
 *
 * Counters only grow, since the start of the process; `timeUs` is its clock, so that whoever asks
 * twice knows the rates. What is not known (yet) is null.
 */
#include "command.h"
#include "run_see.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

static json_t *lag_or_null(int64_t records)
{
    return records == RUN_LAG_UNKNOWN ? json_null() : json_integer(records);
}

static json_t *lag_of(const struct run_lag_consumer *consumer, int32_t partition)
{
    return consumer == NULL ? json_null() : lag_or_null(run_lag_sum(consumer, partition));
}

static json_t *tasks_of(const struct run_process *process, const struct run_unit *unit)
{
    const struct mr_group_node *group = &process->topology->groups[unit->group];
    struct mr_task_status *tasks = mr_xcalloc((size_t)group->partitions, sizeof(*tasks));
    const size_t count = mr_worker_tasks(unit->worker, tasks, (size_t)group->partitions);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct mr_task_status *task = &tasks[i];

        (void)json_array_append_new(
            list, json_pack("{s:i,s:s,s:I,s:I,s:o}", "partition", (int)task->partition, "state",
                            task->state, "recordsIn", (json_int_t)task->records_in, "restoreLeft",
                            (json_int_t)task->restore_left, "lag",
                            lag_of(run_lag_find(&process->lag, group->name), task->partition)));
    }
    free(tasks);
    return list;
}

static json_t *unit_of(const struct run_process *process, const struct run_unit *unit)
{
    const struct mr_topology *topology = process->topology;
    const char *group = unit->worker != NULL ? topology->groups[unit->group].name : unit->name;
    struct mr_worker_status status;
    json_t *json;

    run_unit_status(unit, &status);
    json = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "name", unit->name, "kind",
        unit->worker != NULL ? "worker" : "connector", "group", group, "state",
        mr_worker_state_name(status.state), "waitsFor", status.blocked_on, "tasksAssigned",
        (json_int_t)status.tasks, "tasksReady", (json_int_t)status.tasks_ready, "recordsIn",
        (json_int_t)status.records_in, "recordsOut", (json_int_t)status.records_out, "commits",
        (json_int_t)status.commits, "aborts", (json_int_t)status.aborts, "deadLetters",
        (json_int_t)status.dead_letters, "restored", (json_int_t)status.restored_records,
        "restoreLeft", (json_int_t)status.restore_left, "restoreSecondsLeft",
        (json_int_t)status.restore_seconds_left);
    if (unit->worker != NULL) {
        (void)json_object_set_new(json, "commitP50Us",
                                  json_integer(mr_worker_commit_us(unit->worker, 500000)));
        (void)json_object_set_new(json, "commitP99Us",
                                  json_integer(mr_worker_commit_us(unit->worker, 990000)));
        (void)json_object_set_new(json, "tasks", tasks_of(process, unit));
    } else {
        (void)json_object_set_new(json, "commitP50Us", json_null());
        (void)json_object_set_new(json, "commitP99Us", json_null());
        (void)json_object_set_new(json, "tasks", json_array());
        (void)json_object_set_new(json, "lag", lag_of(run_lag_find(&process->lag, group), -1));
    }
    return json;
}

/* Of topics that a worker of this process takes from or writes. */
static json_t *topics_of(const struct run_process *process)
{
    json_t *list = json_array();

    for (size_t t = 0; t < process->topology->topic_count; t++) {
        struct mr_topic_flow sum = {0};

        for (size_t i = 0; i < process->unit_count; i++) {
            if (process->units[i].worker != NULL) {
                const struct mr_topic_flow flow = mr_worker_topic_flow(process->units[i].worker, t);

                sum.in += flow.in;
                sum.out += flow.out;
            }
        }
        if (sum.in + sum.out > 0) {
            (void)json_array_append_new(list, json_pack("{s:s,s:I,s:I}", "topic",
                                                        process->topology->topics[t].name,
                                                        "recordsIn", (json_int_t)sum.in,
                                                        "recordsOut", (json_int_t)sum.out));
        }
    }
    return list;
}

static json_t *lags_of(const struct run_process *process)
{
    json_t *list = json_array();

    for (size_t c = 0; c < process->lag.consumer_count; c++) {
        const struct run_lag_consumer *consumer = &process->lag.consumers[c];

        for (size_t i = 0; i < consumer->input_count; i++) {
            const struct run_lag_consumer one = {.inputs = &consumer->inputs[i],
                                                 .input_count = 1,
                                                 .partitions = consumer->partitions};

            (void)json_array_append_new(
                list, json_pack("{s:s,s:s,s:o}", "consumer", consumer->name, "topic",
                                process->topology->topics[consumer->inputs[i].topic].name, "lag",
                                lag_of(&one, -1)));
        }
    }
    return list;
}

void run_status_write(struct run_process *process, struct mr_buffer *body)
{
    const int64_t now_us = mr_clock_monotonic_us(mr_clock_system());
    json_t *units = json_array();
    json_t *root;
    char *text;

    run_lag_look(&process->lag);
    for (size_t i = 0; i < process->unit_count; i++) {
        (void)json_array_append_new(units, unit_of(process, &process->units[i]));
    }
    root = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:o,s:o}", "application",
                     process->topology->application, "version", MILLRACE_VERSION, "instance",
                     process->instance, "pid", (json_int_t)getpid(), "timeUs", (json_int_t)now_us,
                     "uptimeUs", (json_int_t)(now_us - process->started_us), "units", units,
                     "topics", topics_of(process), "lags", lags_of(process));
    text = json_dumps(root, JSON_COMPACT);
    mr_buffer_printf(body, "%s\n", text);
    free(text);
    json_decref(root);
}
