/*
 * worker.c -- one consumer, one producer and the tasks between them, one turn at a time.
 *
 *   STARTING (producer, schemas, tables) -> JOINING -> RUNNING -> DRAINING -> CLOSED
 *                                                        any -> FAILED
 * A turn polls, brings tasks that are not ready closer, processes what is queued, hands outputs to
 * the producer and commits when that is due. Errors of class RETRY and ABORT undo the transaction
 * and the same inputs come again; FATAL ends the worker.
 */
#include "millrace/logger.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

#define STUCK_ABORTS 3
#define OPEN_WAIT_US (5 * MR_SECOND_US)
/* Records between two looks at the clock and at the producer. */
#define SLICE_RECORDS 128

static const char *const state_names[] = {
    [MR_WORKER_STARTING] = "starting", [MR_WORKER_JOINING] = "joining",
    [MR_WORKER_RUNNING] = "running",   [MR_WORKER_DRAINING] = "draining",
    [MR_WORKER_CLOSED] = "closed",     [MR_WORKER_FAILED] = "failed",
};

const char *mr_worker_state_name(enum mr_worker_state state)
{
    return state_names[state];
}

void worker_blocked_on(struct mr_worker *worker, const char *what)
{
    snprintf(worker->live.blocked_on, sizeof(worker->live.blocked_on), "%.*s",
             (int)sizeof(worker->live.blocked_on) - 1, what);
}

/* ---- creation -------------------------------------------------------------------------------- */

static void find_input_readers(struct mr_worker *worker)
{
    const struct mr_topology *topology = worker->topology;
    const struct mr_group_node *group = worker->group;
    size_t count = 0;

    worker->input_reader_first = mr_xcalloc(group->input_count + 1, sizeof(size_t));
    for (size_t i = 0; i < group->input_count; i++) {
        worker->input_reader_first[i] = count;
        for (size_t s = 0; s < group->stage_count; s++) {
            const struct mr_stage_node *stage = &topology->stages[group->stages[s]];

            for (size_t port = 0; port < stage->type->in_count; port++) {
                const struct mr_in_binding *in = &stage->in[port];

                if (in->topic == group->inputs[i] && !in->table && !in->in_memory) {
                    worker->input_readers = mr_xrealloc(worker->input_readers,
                                                        (count + 1) * sizeof(struct mr_reader_ref));
                    worker->input_readers[count++] =
                        (struct mr_reader_ref){.stage = group->stages[s], .port = port};
                }
            }
        }
    }
    worker->input_reader_first[group->input_count] = count;
}

static void create_metrics(struct mr_worker *worker)
{
    struct mr_metrics *metrics = worker->process.metrics;
    struct worker_metrics *own = &worker->metrics;
    char labels[256];

    snprintf(labels, sizeof(labels), "group=\"%s\",worker=\"%d\"", worker->group->name,
             worker->index);
    own->records_in = mr_metrics_counter(metrics, "millrace_records_in_total", labels,
                                         "Input records in committed transactions");
    own->records_out = mr_metrics_counter(metrics, "millrace_records_out_total", labels,
                                          "Output records in committed transactions");
    own->commits =
        mr_metrics_counter(metrics, "millrace_commits_total", labels, "Committed transactions");
    own->aborts =
        mr_metrics_counter(metrics, "millrace_aborts_total", labels, "Aborted transactions");
    own->dead_letters =
        mr_metrics_counter(metrics, "millrace_dead_letters_total", labels, "Dead letters");
    own->restored = mr_metrics_counter(metrics, "millrace_restored_records_total", labels,
                                       "Changelog records applied to stores");
    own->followed = mr_metrics_counter(metrics, "millrace_standby_records_total", labels,
                                       "Changelog records applied to standbys");
    own->standby_lag = mr_metrics_gauge(metrics, "millrace_standby_lag_records", labels,
                                        "Changelog records that standbys are behind");
    own->commit_us = mr_metrics_histogram(metrics, "millrace_commit_seconds", labels,
                                          "From the decision to commit to state written");
    own->tasks = mr_metrics_gauge(metrics, "millrace_tasks", labels, "Tasks assigned");
    own->tasks_ready =
        mr_metrics_gauge(metrics, "millrace_tasks_ready", labels, "Tasks that take input");
    own->restore_left = mr_metrics_gauge(metrics, "millrace_restore_records_left", labels,
                                         "Changelog records still to read, at most");
    own->restore_seconds_left =
        mr_metrics_gauge(metrics, "millrace_restore_seconds_left", labels,
                         "At the present rate; -1: nothing has been read yet");
    own->wiped = mr_metrics_counter(metrics, "millrace_state_wiped_total", labels,
                                    "Stages whose local state was given up and restored whole");
}

/* The process's cache, shared out to its workers and, as a floor, to their stores. */
static void share_out_cache(struct mr_worker *worker)
{
    const struct mr_topology *topology = worker->topology;
    size_t stores = 0;

    for (size_t i = 0; i < worker->group->stage_count; i++) {
        stores += topology->stages[worker->group->stages[i]].type->store_count;
    }
    stores = stores == 0 ? 1 : stores;
    worker->cache.limit_bytes =
        (size_t)topology->defaults.cache_bytes / (size_t)worker->group->workers;
    worker->cache.share_bytes =
        worker->cache.limit_bytes / (stores * (size_t)worker->group->partitions);
}

struct mr_worker *mr_worker_create(const struct mr_process *process, size_t group, int index)
{
    struct mr_worker *worker = mr_xcalloc(1, sizeof(*worker));
    const struct mr_topology *topology = process->topology;

    worker->process = *process;
    worker->topology = topology;
    worker->group = &topology->groups[group];
    worker->index = index;
    worker->exactly_once = topology->defaults.guarantee == MR_EXACTLY_ONCE;
    snprintf(worker->group_id, sizeof(worker->group_id), "%s.%s", topology->application,
             worker->group->name);
    snprintf(worker->identity, sizeof(worker->identity), "%s.%s.%d", worker->group_id,
             process->instance, index);
    worker->producer_topics = mr_xcalloc(topology->topic_count, sizeof(int));
    worker->topic_partitions = mr_xcalloc(topology->topic_count, sizeof(int32_t));
    worker->bindings = mr_xcalloc(topology->topic_count, sizeof(struct mr_binding));
    for (size_t i = 0; i < topology->topic_count; i++) {
        worker->producer_topics[i] = -1;
        worker->topic_partitions[i] = topology->topics[i].partitions;
    }
    worker->node_of_stage = mr_xcalloc(topology->stage_count, sizeof(size_t));
    worker->store_bindings = mr_xcalloc(worker->group->stage_count, sizeof(struct mr_binding *));
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        const size_t stage = worker->group->stages[i];

        worker->node_of_stage[stage] = i;
        worker->store_bindings[i] =
            mr_xcalloc(topology->stages[stage].type->store_count, sizeof(struct mr_binding));
    }
    worker->task_capacity = worker->group->partitions;
    worker->tasks = mr_xcalloc((size_t)worker->task_capacity, sizeof(struct task *));
    worker->standbys = mr_xcalloc((size_t)worker->task_capacity, sizeof(struct task *));
    worker->tables = mr_xcalloc(worker->group->table_count, sizeof(struct global_table *));
    worker->task_status = mr_xcalloc((size_t)worker->task_capacity, sizeof(*worker->task_status));
    worker->polled = mr_xcalloc(WORKER_POLL_MAX, sizeof(*worker->polled));
    worker->last_commit_us = INT64_MIN / 2;
    worker->behind_since_us = INT64_MAX;
    worker->retry_at_us = INT64_MIN;
    outbox_init(&worker->outbox);
    share_out_cache(worker);
    find_input_readers(worker);
    create_metrics(worker);
    flow_init(worker);
    mailbox_init(&worker->mailbox);
    pthread_mutex_init(&worker->status_lock, NULL);
    return worker;
}

void mr_worker_destroy(struct mr_worker **out)
{
    struct mr_worker *worker = *out;

    if (worker == NULL) {
        return;
    }
    worker->crashing = worker->state != MR_WORKER_CLOSED;
    worker->taken_done = worker->crashing ? 0 : worker->taken_done;
    for (size_t i = 0; i < worker->taken_count; i++) {
        mr_message_release(&worker->taken[i].message);
    }
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        task_destroy(&worker->tasks[p]);
    }
    standby_end_all(worker);
    mr_reader_close(&worker->restore_reader);
    mr_reader_close(&worker->table_reader);
    mr_producer_close(&worker->producer);
    mr_member_close(&worker->member);
    for (size_t i = 0; i < worker->group->table_count; i++) {
        global_table_destroy(&worker->tables[i]);
    }
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        free(worker->store_bindings[i]);
    }
    outbox_fini(&worker->outbox);
    mailbox_fini(&worker->mailbox);
    flow_fini(worker);
    pthread_mutex_destroy(&worker->status_lock);
    free(worker->taken);
    free(worker->tables);
    free(worker->standbys);
    free(worker->tasks);
    free(worker->polled);
    free(worker->task_status);
    free(worker->node_of_stage);
    free(worker->input_readers);
    free(worker->input_reader_first);
    free(worker->store_bindings);
    free(worker->bindings);
    free(worker->topic_partitions);
    free(worker->producer_topics);
    free(worker);
    *out = NULL;
}

/* ---- starting -------------------------------------------------------------------------------- */

static enum mr_status bind_topic(struct mr_worker *worker, size_t topic, struct mr_err *err)
{
    const struct mr_topic *spec = worker_topic(worker, topic);

    if (worker->bindings[topic].schema != NULL) {
        return MR_OK;
    }
    if (!spec->in_log) {
        worker->bindings[topic].schema = spec->schema;
        return MR_OK;
    }
    return mr_codec_bind(worker->process.codec, spec->schema, spec->subject,
                         &worker->bindings[topic], err);
}

enum mr_status worker_bind_topics(struct mr_worker *worker, struct mr_err *err)
{
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        const struct mr_stage_node *stage = &worker->topology->stages[worker->group->stages[i]];

        for (size_t port = 0; port < stage->type->in_count; port++) {
            if (stage->in[port].topic != MR_UNBOUND) {
                MR_TRY(bind_topic(worker, stage->in[port].topic, err));
            }
        }
        for (size_t port = 0; port < stage->type->out_count; port++) {
            if (stage->out[port].topic != MR_UNBOUND) {
                MR_TRY(bind_topic(worker, stage->out[port].topic, err));
            }
        }
        for (size_t s = 0; s < stage->type->store_count; s++) {
            MR_TRY(mr_codec_bind(worker->process.codec, stage->type->stores[s].schema,
                                 stage->store_subjects[s], &worker->store_bindings[i][s], err));
        }
    }
    return worker->group->journal == MR_UNBOUND ? MR_OK
                                                : bind_topic(worker, worker->group->journal, err);
}

static enum mr_status join(struct mr_worker *worker, struct mr_err *err)
{
    const struct mr_group_node *group = worker->group;
    const char **topics = mr_xcalloc(group->input_count, sizeof(char *));
    const struct mr_member_options options = {
        .group = worker->group_id,
        .instance = worker->identity,
        .topics = topics,
        .topic_count = group->input_count,
        .session_timeout_us = worker->topology->defaults.session_timeout_us,
        .callbacks = {.assigned = assignment_assigned,
                      .revoked = assignment_revoked,
                      .arg = worker},
    };
    enum mr_status status;

    for (size_t i = 0; i < group->input_count; i++) {
        topics[i] = worker_topic(worker, group->inputs[i])->name;
    }
    status = mr_member_open(worker->process.log, &options, &worker->member, err);
    free(topics);
    return status;
}

static enum mr_status start_clients(struct mr_worker *worker, struct mr_err *err)
{
    MR_TRY(worker_bind_topics(worker, err));
    if (worker->producer == NULL) {
        MR_TRY(producing_open(worker, OPEN_WAIT_US, err));
    }
    return tables_start(worker, err);
}

/*
 * The member joins on its own while the rest is asked for; it is given nothing before it is polled,
 * and by then the producer has settled what an earlier run of this worker left open. A worker that
 * cannot begin is no member: its partitions would wait for it.
 */
static enum mr_status start(struct mr_worker *worker, struct mr_err *err)
{
    enum mr_status status;

    MR_TRY(join(worker, err));
    status = start_clients(worker, err);
    if (status != MR_OK) {
        mr_member_close(&worker->member);
        return status;
    }
    worker->state = MR_WORKER_JOINING;
    return MR_OK;
}

/* ---- one turn -------------------------------------------------------------------------------- */

static bool next_input(struct mr_worker *worker)
{
    if (worker->taken_done < worker->taken_count) {
        return inputs_may_replay(worker); /* and nothing overtakes it */
    }
    if (!choose_next(worker, transaction_room(worker))) {
        return false;
    }
    worker->taken_count++;
    return true;
}

static enum mr_status process_slice(struct mr_worker *worker, bool *busy, struct mr_err *err)
{
    if (worker_now_us(worker) < worker->retry_at_us) {
        return MR_OK;
    }
    worker->first_task = (worker->first_task + 1) % worker->task_capacity;
    for (int i = 0; i < SLICE_RECORDS && !transaction_full(worker) && next_input(worker); i++) {
        struct taken *taken = &worker->taken[worker->taken_done];

        *busy = true;
        MR_TRY(process_taken(worker, taken, err));
        worker->taken_done++;
        MR_TRY(process_timers(taken->task, MR_STREAM_TIME, err));
    }
    worker->overlay_bytes = state_overlay_bytes(worker);
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        if (worker->tasks[p] != NULL && worker->tasks[p]->state == TASK_READY) {
            MR_TRY(process_timers(worker->tasks[p], MR_WALL_CLOCK, err));
        }
    }
    return transaction_pump(worker, err);
}

static enum mr_status run(struct mr_worker *worker, int64_t timeout_us, bool *busy,
                          struct mr_err *err)
{
    enum mr_status status;

    if (!inputs_are_waiting(worker)) {
        worker->live.blocked_on[0] = '\0';
    }
    MR_TRY(tables_poll(worker, err));
    MR_TRY(restore_step(worker, busy, err));
    MR_TRY(standby_step(worker, err));
    MR_TRY(inputs_poll(worker, timeout_us, busy, err));
    if (worker->unsettled || worker->producer == NULL) {
        return transaction_settle(worker, err);
    }
    status = worker->tables_ready ? process_slice(worker, busy, err) : MR_OK;
    if (status != MR_OK && mr_status_class(status) != MR_CLASS_FATAL) {
        worker_blocked_on(worker, err->text);
        return transaction_abort(worker, err, err);
    }
    MR_TRY(status);
    if (transaction_due(worker)) {
        *busy = true;
        MR_TRY(transaction_commit(worker, err));
    }
    return state_due(worker) ? state_write(worker, err) : MR_OK;
}

static enum mr_status drain(struct mr_worker *worker, struct mr_err *err)
{
    if (worker->open && !worker->unsettled) {
        MR_TRY(transaction_commit(worker, err));
    }
    if (worker->member != NULL) {
        mr_member_close(&worker->member); /* revokes, which drops the tasks */
    }
    if (worker->revocation_status != MR_OK) {
        *err = worker->revocation_err;
        return worker->revocation_status;
    }
    worker->state = MR_WORKER_CLOSED;
    mr_info("worker_closed", "group=%s worker=%d commits=%llu", worker->group->name, worker->index,
            (unsigned long long)worker->live.commits);
    return MR_OK;
}

static void publish_status(struct mr_worker *worker)
{
    /* A worker that cannot get on is not ready, whatever its tasks are. */
    const bool stuck = worker->unsettled || worker->aborts_in_a_row >= STUCK_ABORTS;

    worker->live.state = worker->state;
    worker->live.tasks = worker->live.tasks_ready = 0;
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        worker->live.tasks += worker->tasks[p] != NULL;
        worker->live.tasks_ready +=
            !stuck && worker->tasks[p] != NULL && worker->tasks[p]->state == TASK_READY;
    }
    mr_gauge_set(worker->metrics.tasks, (int64_t)worker->live.tasks);
    mr_gauge_set(worker->metrics.tasks_ready, (int64_t)worker->live.tasks_ready);
    mr_gauge_set(worker->metrics.restore_left, worker->live.restore_left);
    pthread_mutex_lock(&worker->status_lock);
    worker->status = worker->live;
    inspect_publish(worker);
    pthread_mutex_unlock(&worker->status_lock);
}

static enum mr_status turn(struct mr_worker *worker, int64_t timeout_us, bool *busy,
                           struct mr_err *err)
{
    switch (worker->state) {
    case MR_WORKER_STARTING: {
        const enum mr_status status = start(worker, err);

        if (mr_status_class(status) != MR_CLASS_RETRY) {
            return status;
        }
        worker_blocked_on(worker, err->text);
        mr_clock_wait_us(worker->process.clock, timeout_us);
        return MR_OK;
    }
    case MR_WORKER_JOINING:
    case MR_WORKER_RUNNING:
        return run(worker, timeout_us, busy, err);
    case MR_WORKER_DRAINING:
        return drain(worker, err);
    case MR_WORKER_CLOSED:
    case MR_WORKER_FAILED:
        break;
    }
    return MR_OK;
}

enum mr_status mr_worker_step(struct mr_worker *worker, int64_t timeout_us, bool *busy,
                              struct mr_err *err)
{
    enum mr_status status;

    *busy = false;
    if (worker->state < MR_WORKER_DRAINING && atomic_load(&worker->stopping)) {
        worker->state = MR_WORKER_DRAINING;
    }
    status = turn(worker, mailbox_patience_us(worker, timeout_us), busy, err);
    if (status != MR_OK) {
        worker->state = MR_WORKER_FAILED;
        worker_blocked_on(worker, err->text);
    }
    publish_status(worker);
    flow_step(worker);
    mailbox_serve(worker);
    return status;
}

void mr_worker_stop(struct mr_worker *worker)
{
    atomic_store(&worker->stopping, true);
}

void mr_worker_status(struct mr_worker *worker, struct mr_worker_status *status)
{
    pthread_mutex_lock(&worker->status_lock);
    *status = worker->status;
    pthread_mutex_unlock(&worker->status_lock);
}
