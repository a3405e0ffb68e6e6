/*
 * load_watch.c -- see load_watch.h.
 */
#include "load_watch.h"

#include "avro/execution_report.h"
#include "avro/risk_event.h"
#include "load_plan.h"
#include "millrace/arena.h"

#include <pthread.h>
#include <stdlib.h>

#define STEP_US (20 * 1000)

struct load_watch {
    const struct load_env *env;
    char run[LOAD_RUN_BYTES_MAX];
    struct load_feed *feed;
    int64_t commands_max;
    _Atomic int64_t *sent_us; /* by number */
    uint32_t *latency_us;     /* by number; 0: no outcome yet, at least 1 otherwise */
    _Atomic int64_t outcomes, executions, last_us;
    atomic_bool stop;
    bool threaded;
    pthread_t thread;
    enum mr_status status;
    struct mr_err err;
};

static void note(struct load_watch *watch, struct mr_slice command_id)
{
    enum load_expect expect;
    int64_t number = 0;
    int64_t now_us;
    int64_t took_us;
    int code = 0;

    if (!load_event_parse(command_id, watch->run, &number, &expect, &code) ||
        number >= watch->commands_max || watch->latency_us[number] != 0) {
        return;
    }
    now_us = mr_clock_monotonic_us(watch->env->clock);
    took_us = now_us - atomic_load(&watch->sent_us[number]);
    watch->latency_us[number] = took_us < 1            ? 1
                                : took_us > UINT32_MAX ? UINT32_MAX
                                                       : (uint32_t)took_us;
    atomic_store(&watch->last_us, now_us);
    atomic_fetch_add(&watch->outcomes, 1);
}

static enum mr_status on_execution(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct load_watch *watch = arg;
    const struct oms_execution_report *report = record->value;

    (void)err;
    if (report != NULL) {
        atomic_fetch_add(&watch->executions, 1);
        note(watch, report->command_id);
    }
    return MR_OK;
}

static enum mr_status on_risk_event(void *arg, const struct load_record *record, struct mr_err *err)
{
    const struct oms_risk_event *event = record->value;

    (void)err;
    if (event != NULL && (event->type == OMS_RISK_EVENT_TYPE_DUPLICATE ||
                          event->type == OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT)) {
        note(arg, event->command_id);
    }
    return MR_OK;
}

static enum mr_status on_dead_letter(void *arg, const struct load_record *record,
                                     struct mr_err *err)
{
    struct load_watch *watch = arg;

    (void)record;
    (void)err;
    atomic_store(&watch->last_us, mr_clock_monotonic_us(watch->env->clock));
    atomic_fetch_add(&watch->outcomes, 1);
    return MR_OK;
}

static enum mr_status add(struct load_watch *watch, const char *topic,
                          const struct mr_schema *schema, load_visit *visit, struct mr_err *err)
{
    int64_t ends[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;

    MR_TRY(load_ends(watch->env, topic, ends, &partitions, err));
    return load_feed_add(
        watch->feed,
        &(struct load_source){
            .topic = topic, .schema = schema, .offsets = ends, .visit = visit, .arg = watch},
        err);
}

/* The dead-letter topic of whatever stage reads `orders` first. */
static const char *orders_dead_letter(const struct mr_topology *topology)
{
    const size_t orders = mr_topology_find_topic(topology, "orders");

    for (size_t s = 0; s < topology->stage_count; s++) {
        const struct mr_stage_node *node = &topology->stages[s];

        for (size_t i = 0; i < node->type->in_count; i++) {
            if (node->in[i].topic == orders) {
                return topology->topics[node->dead_letter].name;
            }
        }
    }
    return NULL;
}

enum mr_status load_watch_open(const struct load_env *env, const char *run, int64_t commands_max,
                               struct load_watch **watch, struct mr_err *err)
{
    struct load_watch *made = mr_xcalloc(1, sizeof *made);
    const char *dead_letters = orders_dead_letter(env->topology);
    enum mr_status status;

    *watch = made;
    made->env = env;
    (void)snprintf(made->run, sizeof made->run, "%s", run);
    made->commands_max = commands_max;
    made->sent_us = mr_xcalloc((size_t)commands_max, sizeof *made->sent_us);
    made->latency_us = mr_xcalloc((size_t)commands_max, sizeof *made->latency_us);
    status = load_feed_open(env, &made->feed, err);
    if (status == MR_OK) {
        status = add(made, "executions", &oms_execution_report_schema, on_execution, err);
    }
    if (status == MR_OK) {
        status = add(made, "risk-events", &oms_risk_event_schema, on_risk_event, err);
    }
    if (status == MR_OK && dead_letters != NULL) {
        status = add(made, dead_letters, NULL, on_dead_letter, err);
    }
    if (status != MR_OK) {
        load_watch_close(watch);
    }
    return status;
}

void load_watch_sent(struct load_watch *watch, int64_t number)
{
    MR_ASSERT(number < watch->commands_max);
    atomic_store(&watch->sent_us[number], mr_clock_monotonic_us(watch->env->clock));
}

enum mr_status load_watch_step(struct load_watch *watch, int64_t timeout_us, struct mr_err *err)
{
    size_t delivered = 0;

    return load_feed_step(watch->feed, timeout_us, &delivered, err);
}

static void *run_thread(void *arg)
{
    struct load_watch *watch = arg;

    while (watch->status == MR_OK && !atomic_load(&watch->stop)) {
        watch->status = load_watch_step(watch, STEP_US, &watch->err);
    }
    return NULL;
}

enum mr_status load_watch_start(struct load_watch *watch, struct mr_err *err)
{
    if (pthread_create(&watch->thread, NULL, run_thread, watch) != 0) {
        return mr_fail(err, MR_RESOURCE, "no thread for reading executions");
    }
    watch->threaded = true;
    return MR_OK;
}

enum mr_status load_watch_stop(struct load_watch *watch, struct mr_err *err)
{
    if (watch->threaded) {
        atomic_store(&watch->stop, true);
        (void)pthread_join(watch->thread, NULL);
        watch->threaded = false;
    }
    if (watch->status != MR_OK) {
        *err = watch->err;
    }
    return watch->status;
}

int64_t load_watch_outcomes(const struct load_watch *watch)
{
    return atomic_load(&watch->outcomes);
}

int64_t load_watch_executions(const struct load_watch *watch)
{
    return atomic_load(&watch->executions);
}

int64_t load_watch_last_us(const struct load_watch *watch)
{
    return atomic_load(&watch->last_us);
}

static int ascending(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left;
    const uint32_t b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

void load_watch_latency(struct load_watch *watch, struct load_latency *latency)
{
    uint32_t *sorted = mr_xcalloc((size_t)watch->commands_max, sizeof *sorted);
    size_t count = 0;

    for (int64_t i = 0; i < watch->commands_max; i++) {
        if (watch->latency_us[i] != 0) {
            sorted[count] = watch->latency_us[i];
            count++;
        }
    }
    *latency = (struct load_latency){.samples = (int64_t)count};
    if (count > 0) {
        qsort(sorted, count, sizeof *sorted, ascending);
        latency->p50_us = sorted[(count - 1) / 2];
        latency->p99_us = sorted[(count - 1) * 99 / 100];
        latency->max_us = sorted[count - 1];
    }
    free(sorted);
}

void load_watch_close(struct load_watch **watch)
{
    struct load_watch *old = *watch;
    struct mr_err ignored;

    if (old == NULL) {
        return;
    }
    if (load_watch_stop(old, &ignored) != MR_OK) {
        old->status = MR_OK; /* was returned by an earlier stop, or nobody asks any more */
    }
    load_feed_close(&old->feed);
    free(old->sent_us);
    free(old->latency_us);
    free(old);
    *watch = NULL;
}
